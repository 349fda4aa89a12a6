//! How much one sender, and all of a channel together, may say.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use governor::{
    DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use patchbay_core::{
    channel::{Channel, ChannelSettings, Envelope},
    ids::OrganizationId,
};

/// The limits of the channels, as far as this process has seen them used.
#[derive(Default)]
pub struct Limits {
    gates: Mutex<HashMap<(OrganizationId, Channel), Arc<Gate>>>,
}

struct Gate {
    settings: ChannelSettings,
    all: DefaultDirectRateLimiter,
    senders: DefaultKeyedRateLimiter<String>,
}

/// The most messages of one sender that wait for their turn; what comes on top is turned away.
pub(super) const MOST_WAITING: i64 = 10;

fn a_minute(count: u32) -> Quota {
    Quota::per_minute(NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN))
}

impl Gate {
    fn new(settings: &ChannelSettings) -> Self {
        Self {
            settings: settings.clone(),
            all: RateLimiter::direct(a_minute(settings.per_channel)),
            senders: RateLimiter::keyed(a_minute(settings.per_sender)),
        }
    }

    fn admit(&self, sender: &String) -> Option<Duration> {
        let now = DefaultClock::default().now();
        let refused = self.senders.check_key(sender).err().or_else(|| self.all.check().err())?;
        // Who is told to wait less than a second is told to wait one.
        Some(Duration::from_secs(refused.wait_time_from(now).as_secs() + 1))
    }
}

/// How long somebody waits of whom so many messages wait already.
pub(super) fn behind(others: i64, settings: &ChannelSettings) -> Duration {
    let others = u32::try_from(others).unwrap_or(u32::MAX);
    let all = (Duration::from_mins(1) / settings.per_sender.max(1)).saturating_mul(others.saturating_add(1));
    Duration::from_secs(all.as_secs() + 1)
}

impl Limits {
    /// Counts something that came in. `None`: it may; else how long it has to wait.
    pub(super) fn admit(&self, organization: OrganizationId, envelope: &Envelope, settings: &ChannelSettings) -> Option<Duration> {
        let gate = {
            let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
            let gate = gates.entry((organization, envelope.channel)).or_insert_with(|| Arc::new(Gate::new(settings)));
            if gate.settings != *settings {
                *gate = Arc::new(Gate::new(settings));
            }
            gate.clone()
        };
        gate.admit(&envelope.sender.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_too_much_waits_and_others_may_go_on() {
        let gate = Gate::new(&ChannelSettings { per_sender: 2, per_channel: 100, ..ChannelSettings::default() });
        let (ana, bo) = ("ana".to_owned(), "bo".to_owned());
        assert_eq!([gate.admit(&ana), gate.admit(&ana)], [None, None]);
        let wait = gate.admit(&ana).expect("a third is too many");
        assert!(wait <= Duration::from_secs(31), "{wait:?}");
        assert!(gate.admit(&ana).is_some(), "a fourth too");
        assert_eq!(gate.admit(&bo), None);
    }

    #[test]
    fn each_that_waits_has_a_turn_of_its_own() {
        let settings = ChannelSettings { per_sender: 3, ..ChannelSettings::default() };
        let waits: Vec<u64> = (0..3).map(|others| behind(others, &settings).as_secs()).collect();
        assert_eq!(waits, [21, 41, 61]);
    }
}
