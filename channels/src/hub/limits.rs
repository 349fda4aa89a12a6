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
    /// Who is over the limit is told once a minute.
    told: DefaultKeyedRateLimiter<String>,
}

/// Somebody says too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// How long to wait.
    pub wait: Duration,
    /// The first time in this minute: worth telling.
    pub is_first: bool,
}

fn a_minute(count: u32) -> Quota {
    Quota::per_minute(NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN))
}

impl Gate {
    fn new(settings: &ChannelSettings) -> Self {
        Self {
            settings: settings.clone(),
            all: RateLimiter::direct(a_minute(settings.per_channel)),
            senders: RateLimiter::keyed(a_minute(settings.per_sender)),
            told: RateLimiter::keyed(a_minute(1)),
        }
    }

    fn admit(&self, sender: &String) -> Option<Over> {
        let now = DefaultClock::default().now();
        let refused = self.senders.check_key(sender).err().or_else(|| self.all.check().err())?;
        // Who is told to wait less than a second is told to wait one.
        let wait = Duration::from_secs(refused.wait_time_from(now).as_secs() + 1);
        Some(Over { wait, is_first: self.told.check_key(sender).is_ok() })
    }
}

impl Limits {
    /// Counts something that came in. `None`: it may.
    pub(super) fn admit(&self, organization: OrganizationId, envelope: &Envelope, settings: &ChannelSettings) -> Option<Over> {
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
    fn who_says_too_much_is_told_once_and_others_may_go_on() {
        let gate = Gate::new(&ChannelSettings { per_sender: 2, per_channel: 100, ..ChannelSettings::default() });
        let (ana, bo) = ("ana".to_owned(), "bo".to_owned());
        assert_eq!([gate.admit(&ana), gate.admit(&ana)], [None, None]);
        let over = gate.admit(&ana).expect("a third is too many");
        assert!(over.is_first && over.wait <= Duration::from_secs(31), "{over:?}");
        assert!(!gate.admit(&ana).expect("a fourth too").is_first);
        assert_eq!(gate.admit(&bo), None);
    }
}
