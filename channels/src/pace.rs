//! How fast a provider is spoken to: turns are counted by what it counts, and it is waited for where it says so.
//!
//! Each process counts its own turns. Where several speak, the provider may say to wait; that holds what it was said of, and nothing else.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

/// More keys than this are looked through for those that are not in use any more.
const MANY: usize = 10_000;

/// The turns of one kind.
pub(crate) struct Pace {
    turns: DefaultKeyedRateLimiter<String>,
    /// Until when the provider said to wait.
    held: Mutex<HashMap<String, Instant>>,
}

impl Pace {
    pub(crate) fn new(quota: Quota) -> Self {
        Self { turns: RateLimiter::keyed(quota), held: Mutex::default() }
    }

    /// Takes a turn; the error says how long until there may be one.
    pub(crate) fn take(&self, key: &str) -> Result<(), Duration> {
        let now = Instant::now();
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied();
        if let Some(left) = held.and_then(|until| until.checked_duration_since(now)).filter(|left| !left.is_zero()) {
            return Err(left);
        }
        if self.turns.len() > MANY {
            self.turns.retain_recent();
        }
        let clock = DefaultClock::default();
        self.turns.check_key(&key.to_owned()).map_err(|refused| refused.wait_time_from(clock.now()))
    }

    /// The provider says to wait.
    pub(crate) fn hold(&self, key: &str, wait: Duration) {
        let now = Instant::now();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() > MANY {
            held.retain(|_, until| *until > now);
        }
        let until = now + wait;
        held.entry(key.to_owned()).and_modify(|before| *before = until.max(*before)).or_insert(until);
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn what_is_held_holds_nothing_else() {
        let pace = Pace::new(Quota::per_minute(NonZeroU32::MIN).allow_burst(NonZeroU32::new(2).unwrap()));
        assert_eq!([pace.take("a"), pace.take("a")], [Ok(()), Ok(())]);
        let wait = pace.take("a").unwrap_err();
        assert!(wait > Duration::from_secs(50) && wait <= Duration::from_mins(1), "{wait:?}");
        pace.hold("b", Duration::from_secs(30));
        pace.hold("b", Duration::from_secs(10));
        assert!(pace.take("b").unwrap_err() > Duration::from_secs(20));
        assert_eq!(pace.take("c"), Ok(()));
    }
}
