//! The loop that takes back what runs out, within a second of when it is due.

use std::time::Duration;

use patchbay_core::collab::{self, lease::store::due, work::WorkError};

use crate::app::App;

/// The longest sleep: leases that other processes give are seen within it, and none lasts less than twice as long.
const TICK: Duration = Duration::from_millis(500);

/// Sleeps until the next lease or presence is due, takes it back, and tells who watches.
pub(crate) async fn reclaim(app: App) {
    loop {
        let next = match pass(&app).await {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(%error, "what ran out could not be taken back; trying again");
                TICK
            }
        };
        tokio::select! {
            () = app.stopping.cancelled() => return,
            () = tokio::time::sleep(next) => {}
        }
    }
}

/// Looks once at every organisation. Answers when to look again.
async fn pass(app: &App) -> Result<Duration, WorkError> {
    let mut next = TICK;
    for organization in app.db.organizations().await? {
        let mut found = due(&app.db, organization).await?;
        if found.is_abandoned || found.in_ms.is_some_and(|ms| ms <= 0) {
            if collab::reclaim(&app.db, app.ctx.as_ref(), organization).await? {
                app.live.wake(organization);
            }
            found = due(&app.db, organization).await?;
        }
        if let Some(ms) = found.in_ms {
            // Not at once again: another process may be at it.
            next = next.min(Duration::from_millis(u64::try_from(ms).unwrap_or(0).max(20)));
        }
    }
    Ok(next)
}
