//! The loop that takes what is due from schedules.

use std::time::Duration;

use patchbay_core::jobs::schedule::pass;

use crate::app::App;

/// The longest sleep: schedules that other processes make are seen within it, and runs that wait for each other.
const TICK: Duration = Duration::from_secs(1);

/// Sleeps until the next schedule is due, and takes what is.
pub(crate) async fn keep(app: App) {
    loop {
        let next = match pass(&app.db, app.ctx.as_ref()).await {
            Ok(passed) => {
                for organization in passed.organizations {
                    app.committed(organization);
                }
                passed.next.and_then(|next| (next - app.ctx.now()).to_std().ok()).unwrap_or(TICK)
            }
            Err(error) => {
                tracing::warn!(%error, "schedules could not be looked through; trying again");
                TICK
            }
        };
        tokio::select! {
            () = app.stopping.cancelled() => return,
            () = tokio::time::sleep(next.clamp(Duration::from_millis(10), TICK)) => {}
        }
    }
}
