//! How much one sender, all of an entrance together, and all of an organisation may say.

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
    channel::{ChannelSettings, Entrance},
    ids::OrganizationId,
};
use tokio::time::Instant;

/// What all of an organisation may say in a minute, wherever: above what the entrances take by themselves, so that no single one is held back by it.
const PER_ORGANIZATION: u32 = 120_000;
/// How long settings are believed without asking: as long a change in another process may take to be felt.
const MEMORY: Duration = Duration::from_secs(5);
/// Beyond so many senders those are forgotten who have been silent.
const SENDERS: usize = 10_000;

/// With until when each one's settings are believed.
type Gates = HashMap<(OrganizationId, Entrance), (Arc<Gate>, Instant)>;

/// The limits of the entrances, as far as this process has seen them used.
#[derive(Default)]
pub struct Limits {
    gates: Mutex<Gates>,
    organizations: Mutex<HashMap<OrganizationId, Arc<DefaultDirectRateLimiter>>>,
}

/// The limits of one entrance.
pub(super) struct Gate {
    settings: ChannelSettings,
    organization: Arc<DefaultDirectRateLimiter>,
    all: DefaultDirectRateLimiter,
    senders: DefaultKeyedRateLimiter<String>,
    /// Who is over the limit is told once a minute.
    told: DefaultKeyedRateLimiter<String>,
    begun: Instant,
    turned: Mutex<Turned>,
}

/// The most messages of one sender that wait for their turn; what comes on top is turned away.
pub(super) const MOST_WAITING: i64 = 10;

/// Somebody says too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// How long to wait.
    pub wait: Duration,
    /// The first time in this minute: worth telling.
    pub is_first: bool,
    pub limit: Limit,
}

/// Which limit it is, in messages a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Sender(u32),
    Together(u32),
    Organization(u32),
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sender(most) => write!(f, "one sender may write {most} messages a minute here"),
            Self::Together(most) => write!(f, "all senders together may write {most} messages a minute here"),
            Self::Organization(most) => write!(f, "an organisation may write {most} messages a minute"),
        }
    }
}

/// How many were turned away in the last minute, counted in parts of ten seconds: which part it is, and how many.
#[derive(Default)]
struct Turned([(u64, i64); 6]);

impl Turned {
    fn note(&mut self, second: u64) {
        let part = second / 10;
        let slot = &mut self.0[usize::try_from(part % 6).unwrap_or_default()];
        if slot.0 != part {
            *slot = (part, 0);
        }
        slot.1 += 1;
    }

    fn count(&self, second: u64) -> i64 {
        self.0.iter().filter(|(part, _)| part + 6 > second / 10).map(|(_, count)| count).sum()
    }
}

fn a_minute(count: u32) -> Quota {
    Quota::per_minute(NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN))
}

impl Gate {
    fn new(settings: &ChannelSettings, organization: Arc<DefaultDirectRateLimiter>) -> Self {
        Self {
            settings: settings.clone(),
            organization,
            all: RateLimiter::direct(a_minute(settings.per_channel)),
            senders: RateLimiter::keyed(a_minute(settings.per_sender)),
            told: RateLimiter::keyed(a_minute(1)),
            begun: Instant::now(),
            turned: Mutex::default(),
        }
    }

    /// Counts something that came in. `None`: it may.
    pub(super) fn admit(&self, sender: &String) -> Option<Over> {
        let now = DefaultClock::default().now();
        if self.senders.len() > SENDERS {
            self.senders.retain_recent();
            self.told.retain_recent();
        }
        let sent = self.senders.check_key(sender).map_err(|refused| (refused, Limit::Sender(self.settings.per_sender)));
        let sent = sent.and_then(|()| self.all.check().map_err(|refused| (refused, Limit::Together(self.settings.per_channel))));
        let sent = sent.and_then(|()| self.organization.check().map_err(|refused| (refused, Limit::Organization(PER_ORGANIZATION))));
        let (refused, limit) = sent.err()?;
        // Who is told to wait less than a second is told to wait one.
        let wait = Duration::from_secs(refused.wait_time_from(now).as_secs() + 1);
        self.turned.lock().unwrap_or_else(PoisonError::into_inner).note(self.begun.elapsed().as_secs());
        Some(Over { wait, is_first: self.told.check_key(sender).is_ok(), limit })
    }

    fn turned_away(&self) -> i64 {
        self.turned.lock().unwrap_or_else(PoisonError::into_inner).count(self.begun.elapsed().as_secs())
    }
}

/// How long somebody waits of whom so many messages wait already.
pub(super) fn behind(others: i64, settings: &ChannelSettings) -> Duration {
    let others = u32::try_from(others).unwrap_or(u32::MAX);
    let all = (Duration::from_mins(1) / settings.per_sender.max(1)).saturating_mul(others.saturating_add(1));
    Duration::from_secs(all.as_secs() + 1)
}

impl Limits {
    /// The limits of an entrance, where its settings were looked at lately.
    pub(super) fn known(&self, organization: OrganizationId, entrance: Entrance) -> Option<Arc<Gate>> {
        let gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        gates.get(&(organization, entrance)).filter(|(_, until)| *until > Instant::now()).map(|(gate, _)| gate.clone())
    }

    /// The limits of an entrance by its settings as they are now.
    pub(super) fn gate(&self, organization: OrganizationId, entrance: Entrance, settings: &ChannelSettings) -> Arc<Gate> {
        let whole = || Arc::new(RateLimiter::direct(a_minute(PER_ORGANIZATION)));
        let whole = self.organizations.lock().unwrap_or_else(PoisonError::into_inner).entry(organization).or_insert_with(whole).clone();
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + MEMORY;
        let known = gates.entry((organization, entrance)).or_insert_with(|| (Arc::new(Gate::new(settings, whole.clone())), until));
        if known.0.settings != *settings {
            known.0 = Arc::new(Gate::new(settings, whole));
        }
        known.1 = until;
        known.0.clone()
    }

    /// Settings were changed: they hold here from the next message on.
    pub fn forget(&self, organization: OrganizationId, entrance: Entrance) {
        if let Some((_, until)) = self.gates.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&(organization, entrance)) {
            *until = Instant::now();
        }
    }

    /// How many messages were turned away at an entrance in the last minute.
    pub fn turned_away(&self, organization: OrganizationId, entrance: Entrance) -> i64 {
        let gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        gates.get(&(organization, entrance)).map_or(0, |(gate, _)| gate.turned_away())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(settings: &ChannelSettings, whole: u32) -> Gate {
        Gate::new(settings, Arc::new(RateLimiter::direct(a_minute(whole))))
    }

    #[test]
    fn who_says_too_much_is_told_once_and_others_may_go_on() {
        let gate = gate(&ChannelSettings { per_sender: 2, per_channel: 100, ..ChannelSettings::default() }, 1_000);
        let (ana, bo) = ("ana".to_owned(), "bo".to_owned());
        assert_eq!([gate.admit(&ana), gate.admit(&ana)], [None, None]);
        let over = gate.admit(&ana).expect("a third is too many");
        assert!(over.is_first && over.wait <= Duration::from_secs(31), "{over:?}");
        assert_eq!(over.limit.to_string(), "one sender may write 2 messages a minute here");
        assert!(!gate.admit(&ana).expect("a fourth too").is_first);
        assert_eq!(gate.admit(&bo), None);
        assert_eq!(gate.turned_away(), 2);
    }

    #[test]
    fn all_together_and_the_organisation_have_limits_too() {
        let all = gate(&ChannelSettings { per_sender: 10, per_channel: 1, ..ChannelSettings::default() }, 1_000);
        assert_eq!(all.admit(&"ana".to_owned()), None);
        assert_eq!(all.admit(&"bo".to_owned()).map(|over| over.limit), Some(Limit::Together(1)));
        let whole = gate(&ChannelSettings::default(), 1);
        assert_eq!(whole.admit(&"ana".to_owned()), None);
        assert_eq!(whole.admit(&"bo".to_owned()).map(|over| over.limit), Some(Limit::Organization(PER_ORGANIZATION)));
    }

    #[test]
    fn a_change_holds_at_once_where_it_was_made() {
        let (limits, organization) = (Limits::default(), OrganizationId(uuid::Uuid::from_u128(1)));
        let narrow = ChannelSettings { per_sender: 1, ..ChannelSettings::of(Entrance::Api) };
        assert!(limits.known(organization, Entrance::Api).is_none());
        let gate = limits.gate(organization, Entrance::Api, &narrow);
        assert!(gate.admit(&"ana".to_owned()).is_none() && gate.admit(&"ana".to_owned()).is_some());
        assert_eq!((limits.turned_away(organization, Entrance::Api), limits.turned_away(organization, Entrance::Web)), (1, 0));
        assert!(limits.known(organization, Entrance::Api).is_some() && limits.known(organization, Entrance::Web).is_none());
        limits.forget(organization, Entrance::Api);
        assert!(limits.known(organization, Entrance::Api).is_none());
        assert!(limits.gate(organization, Entrance::Api, &ChannelSettings::of(Entrance::Api)).admit(&"ana".to_owned()).is_none());
    }

    #[test]
    fn what_was_turned_away_is_forgotten_after_a_minute() {
        let mut turned = Turned::default();
        for second in [0, 9, 30, 59] {
            turned.note(second);
        }
        assert_eq!([turned.count(0), turned.count(59), turned.count(61), turned.count(100), turned.count(200)], [4, 4, 2, 1, 0]);
        turned.note(61);
        assert_eq!(turned.count(61), 3);
    }

    #[test]
    fn each_that_waits_has_a_turn_of_its_own() {
        let settings = ChannelSettings { per_sender: 3, ..ChannelSettings::default() };
        let waits: Vec<u64> = (0..3).map(|others| behind(others, &settings).as_secs()).collect();
        assert_eq!(waits, [21, 41, 61]);
    }
}
