//! Waking who waits for a commit: workers and readers of events, in this process at once, in others by a notification after it.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{db::Db, ids::OrganizationId};

const CHANNEL: &str = "patchbay_bell";

/// How many organisations a notification names; of more it says that something happened somewhere. It has at most 8,000 bytes.
const NAMED: usize = 200;

/// The least time between two notifications of a process: the first goes at once, what follows is gathered.
const PACE: Duration = Duration::from_millis(5);

/// Rung after a commit. Who forgets to is found out by a timer: that of the workers a second later, that of readers after half of one.
#[derive(Clone, Default)]
pub struct Bell(Arc<Sides>);

#[derive(Default)]
struct Sides {
    /// For the workers of this process.
    here: Notify,
    /// For other processes.
    there: Notify,
    /// What those have not been told yet.
    news: Mutex<News>,
}

/// What a notification says.
#[derive(Debug, Default, PartialEq, Eq)]
struct News {
    /// Jobs were enqueued.
    jobs: bool,
    /// Events were told.
    organizations: BTreeSet<OrganizationId>,
    /// In more organisations than are named.
    anywhere: bool,
}

impl News {
    fn insert(&mut self, organization: OrganizationId) {
        if self.organizations.len() < NAMED {
            self.organizations.insert(organization);
        } else {
            self.anywhere = true;
        }
    }

    /// In words with blanks between: who sends it, then what.
    fn write(&self, process: Uuid) -> String {
        let mut text = process.simple().to_string();
        for (_, word) in [(self.jobs, " jobs"), (self.anywhere, " *")].iter().filter(|(is_so, _)| *is_so) {
            text.push_str(word);
        }
        for organization in &self.organizations {
            let _ = write!(text, " {}", organization.0.simple());
        }
        text
    }

    /// `None` of what this process sent itself.
    fn read(text: &str, process: Uuid) -> Option<Self> {
        let mut words = text.split(' ');
        if words.next().and_then(|sender| sender.parse().ok()) == Some(process) {
            return None;
        }
        let mut news = Self::default();
        for word in words {
            match word {
                "jobs" => news.jobs = true,
                "*" => news.anywhere = true,
                // What a newer release says beside is not for us.
                id => news.organizations.extend(id.parse().ok().map(OrganizationId)),
            }
        }
        Some(news)
    }
}

impl Bell {
    /// Jobs were enqueued: workers look now.
    pub fn ring(&self) {
        self.0.here.notify_one();
        self.spread(|news| news.jobs = true);
    }

    /// Events were told: who reads them in another process looks now.
    pub fn told(&self, organization: OrganizationId) {
        self.spread(|news| news.insert(organization));
    }

    fn spread(&self, add: impl FnOnce(&mut News)) {
        add(&mut self.0.news.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.there.notify_one();
    }

    pub(super) async fn rung(&self) {
        self.0.here.notified().await;
    }

    /// Carries rings to other processes and theirs to this one. However often it is rung while a notification is under way, one
    /// more follows: never one in each transaction, because notifying takes a lock of the whole server.
    ///
    /// `process` is an id of this process alone. `heard` is called with the organisations that others told something in; `None` is
    /// for any.
    pub async fn carry(&self, db: &Db, process: Uuid, stopping: &CancellationToken, heard: impl Fn(Option<OrganizationId>)) {
        loop {
            let carried: crate::db::Result<()> = tokio::select! {
                () = stopping.cancelled() => return,
                carried = async { tokio::try_join!(self.send(db, process), self.hear(db, process, &heard)).map(drop) } => carried,
            };
            if let Err(error) = carried {
                tracing::warn!(%error, "other processes cannot be woken for a moment; their timers do it");
            }
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    async fn send(&self, db: &Db, process: Uuid) -> crate::db::Result<()> {
        loop {
            self.0.there.notified().await;
            let news = std::mem::take(&mut *self.0.news.lock().unwrap_or_else(PoisonError::into_inner));
            if news != News::default() {
                db.notify(CHANNEL, &news.write(process)).await?;
                tokio::time::sleep(PACE).await;
            }
        }
    }

    async fn hear(&self, db: &Db, process: Uuid, heard: impl Fn(Option<OrganizationId>)) -> crate::db::Result<()> {
        let mut listener = db.listen(CHANNEL).await?;
        loop {
            let notification = listener.recv().await?;
            let Some(news) = News::read(notification.payload(), process) else { continue };
            if news.jobs {
                self.0.here.notify_one();
            }
            if news.anywhere {
                heard(None);
            }
            news.organizations.into_iter().for_each(|organization| heard(Some(organization)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_read_as_they_are_written_and_not_by_who_sent_them() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut news = News { jobs: true, ..News::default() };
        for number in 0..300 {
            news.insert(OrganizationId(Uuid::from_u128(number)));
        }
        assert!(news.anywhere && news.organizations.len() == NAMED);
        let text = news.write(one);
        assert!(text.len() < 8_000, "{}", text.len());
        assert_eq!(News::read(&text, one), None);
        assert_eq!(News::read(&text, other), Some(news));
    }
}
