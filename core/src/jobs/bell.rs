//! Waking workers when there is something to do: in this process at once, in others by a notification after the commit.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::db::Db;

const CHANNEL: &str = "patchbay_jobs";

/// Rung after a commit that enqueued jobs. Who forgets to is found out by the workers' timer, a second later.
#[derive(Clone, Default)]
pub struct Bell(Arc<Sides>);

#[derive(Default)]
struct Sides {
    /// For the workers of this process.
    here: Notify,
    /// For those of others.
    there: Notify,
}

impl Bell {
    pub fn ring(&self) {
        self.0.here.notify_one();
        self.0.there.notify_one();
    }

    pub(super) async fn rung(&self) {
        self.0.here.notified().await;
    }

    /// Carries rings to other processes and theirs to this one. However often it is rung while a notification is under way, one
    /// more follows: never one in each transaction, because notifying takes a lock of the whole server.
    pub async fn carry(&self, db: &Db, stopping: &CancellationToken) {
        loop {
            let carried: crate::db::Result<()> = tokio::select! {
                () = stopping.cancelled() => return,
                carried = async { tokio::try_join!(self.send(db), self.hear(db)).map(drop) } => carried,
            };
            if let Err(error) = carried {
                tracing::warn!(%error, "workers of other processes cannot be woken for a moment; their timers do it");
            }
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    async fn send(&self, db: &Db) -> crate::db::Result<()> {
        loop {
            self.0.there.notified().await;
            db.notify(CHANNEL).await?;
        }
    }

    async fn hear(&self, db: &Db) -> crate::db::Result<()> {
        let mut listener = db.listen(CHANNEL).await?;
        loop {
            listener.recv().await?;
            self.0.here.notify_one();
        }
    }
}
