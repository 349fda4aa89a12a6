//! What a stand-in for an outside service knows, and how a test waits for it.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::sync::watch;

/// How long something may take that is waited for.
const DEADLINE: Duration = Duration::from_secs(30);

/// A state that is looked at again whenever it changes.
pub struct Watched<S> {
    state: Mutex<S>,
    changes: watch::Sender<u64>,
}

impl<S: Default> Default for Watched<S> {
    fn default() -> Self {
        Self { state: Mutex::default(), changes: watch::channel(0).0 }
    }
}

impl<S> Watched<S> {
    /// The state as it is.
    pub fn look(&self) -> MutexGuard<'_, S> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes it.
    pub fn change<T>(&self, change: impl FnOnce(&mut S) -> T) -> T {
        let changed = change(&mut self.look());
        self.changes.send_modify(|count| *count += 1);
        changed
    }

    /// Told after each change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Waits until `find` finds something; `what` is said where it does not in time, with `tell` of what is there instead.
    pub async fn find<T>(&self, what: &str, tell: impl Fn(&S) -> String, find: impl Fn(&S) -> Option<T>) -> Result<T> {
        let mut changes = self.changes.subscribe();
        let deadline = tokio::time::Instant::now() + DEADLINE;
        loop {
            changes.mark_unchanged();
            if let Some(found) = find(&self.look()) {
                return Ok(found);
            }
            let waited = tokio::time::timeout_at(deadline, changes.changed()).await;
            waited.with_context(|| format!("{what} was waited for in vain; there is:\n{}", tell(&self.look())))?.context("the state is kept by us")?;
        }
    }
}

/// What somebody sees of a message, whatever the platform.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What the platform calls it.
    pub id: String,
    /// The room.
    pub room: String,
    /// All that can be read in it.
    pub text: String,
    /// What stands on its buttons, with what they send.
    pub buttons: Vec<(String, String)>,
    /// Who alone sees it.
    pub only_for: Option<String>,
    /// How often it was edited.
    pub edits: usize,
}

impl Shown {
    /// What a button sends.
    pub fn button(&self, label: &str) -> Result<&str> {
        self.buttons.iter().find(|(shown, _)| shown == label).map(|(_, value)| value.as_str()).with_context(|| format!("a button {label} on {self:?}"))
    }
}
