//! A connection that we open to a platform and hold, to hear from it: how it stands, and when it is opened again.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};

/// The shortest and the longest wait before a connection is opened again.
const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

/// What is known of a connection. Cheap to clone.
#[derive(Clone, Default)]
pub struct Line(Arc<Mutex<Option<Standing>>>);

/// How a connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub is_open: bool,
    pub since: DateTime<Utc>,
    /// Why it is not open.
    pub problem: Option<String>,
}

impl Line {
    /// `None` where this process does not hold it, or has only begun to.
    pub fn standing(&self) -> Option<Standing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn opened(&self, now: DateTime<Utc>) {
        self.set(Standing { is_open: true, since: now, problem: None });
    }

    /// Keeps since when it is closed, as long as it is.
    pub(crate) fn closed(&self, why: String, now: DateTime<Utc>) {
        let since = self.standing().filter(|standing| !standing.is_open).map_or(now, |standing| standing.since);
        self.set(Standing { is_open: false, since, problem: Some(why) });
    }

    /// This process does not hold it any more.
    pub(crate) fn unknown(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn set(&self, standing: Standing) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(standing);
    }
}

/// How long to wait before the next try: each time twice as long, until something went well.
#[derive(Default)]
pub(crate) struct Patience(u32);

impl Patience {
    pub(crate) fn wait(&mut self) -> Duration {
        let wait = WAITS.0.saturating_mul(1 << self.0.min(6)).min(WAITS.1);
        self.0 = self.0.saturating_add(1);
        wait
    }

    pub(crate) fn went_well(&mut self) {
        self.0 = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_minute() {
        let mut patience = Patience::default();
        let waits: Vec<u64> = (0..8).map(|_| patience.wait().as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        patience.went_well();
        assert_eq!(patience.wait().as_secs(), 1);
    }
}
