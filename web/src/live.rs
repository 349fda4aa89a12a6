//! Events to those who watch: read from the log, so that what a process misses is in the log when it looks again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use patchbay_core::{
    collab::{Event, store},
    db::Db,
    ids::OrganizationId,
};
use tokio::sync::{Notify, broadcast};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How many events a slow watcher may lag behind before it has to read the log itself.
const BUFFER: usize = 1024;
/// Other processes write events too; this is how long theirs may take to be seen.
const TICK: Duration = Duration::from_millis(500);
const BATCH: i64 = 500;

/// The watched organisations.
#[derive(Clone)]
pub struct Live {
    db: Db,
    tracker: TaskTracker,
    stopping: CancellationToken,
    feeds: Arc<Mutex<HashMap<OrganizationId, Feed>>>,
}

#[derive(Clone)]
struct Feed {
    events: broadcast::Sender<Arc<Event>>,
    wake: Arc<Notify>,
}

impl Live {
    pub fn new(db: Db, tracker: TaskTracker, stopping: CancellationToken) -> Self {
        Self { db, tracker, stopping, feeds: Arc::default() }
    }

    /// Something was committed for this organisation: look now instead of at the next tick.
    pub fn wake(&self, organization: OrganizationId) {
        if let Some(feed) = self.feeds.lock().unwrap_or_else(PoisonError::into_inner).get(&organization) {
            feed.wake.notify_one();
        }
    }

    /// The events of an organisation from now on. The first watcher starts the reading, which ends after the last has gone.
    pub async fn watch(&self, organization: OrganizationId) -> sqlx::Result<broadcast::Receiver<Arc<Event>>> {
        if let Some(feed) = self.feeds.lock().unwrap_or_else(PoisonError::into_inner).get(&organization) {
            return Ok(feed.events.subscribe());
        }
        let mut tx = self.db.read(organization).await?;
        let seq = store::now(&mut tx).await?;
        tx.rollback().await?;
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = feeds.get(&organization) {
            return Ok(feed.events.subscribe());
        }
        let (events, receiver) = broadcast::channel(BUFFER);
        let feed = Feed { events, wake: Arc::new(Notify::new()) };
        feeds.insert(organization, feed.clone());
        let live = self.clone();
        self.tracker.spawn(async move { live.follow(organization, feed, seq).await });
        Ok(receiver)
    }

    /// The events after a seq that are in the log, for a watcher that comes back.
    pub async fn missed(&self, organization: OrganizationId, since: i64) -> sqlx::Result<Vec<Event>> {
        let mut tx = self.db.read(organization).await?;
        let events = store::list_after(&mut tx, since, BATCH).await?;
        tx.rollback().await?;
        Ok(events)
    }

    async fn follow(&self, organization: OrganizationId, feed: Feed, mut seq: i64) {
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = feed.wake.notified() => {}
                () = tokio::time::sleep(TICK) => {}
            }
            {
                let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
                if feed.events.receiver_count() == 0 {
                    feeds.remove(&organization);
                    return;
                }
            }
            match self.missed(organization, seq).await {
                Ok(events) => {
                    for event in events {
                        seq = event.seq;
                        // Nobody there is no fault.
                        let _ = feed.events.send(Arc::new(event));
                    }
                }
                Err(error) => tracing::warn!(%error, "events could not be read; trying again"),
            }
        }
    }
}
