//! Webhooks and triggers, wired: what works on them, and what follows the event log for them.

use std::{sync::Arc, time::Duration};

use patchbay_channels::webhook::{
    fire::{FIRE, Firing},
    follow::Follower,
    receive::{RECEIVE, Receiver},
    send::{SEND, Sender},
};
use patchbay_core::jobs::{Kind, Workers};

use crate::{app::App, settings::Webhooks};

/// Adds the work of webhooks and triggers.
pub(crate) fn kinds(workers: Workers, app: &App, settings: &Webhooks) -> Workers {
    let told = app.clone();
    let sender = Sender {
        db: app.db.clone(),
        ctx: app.ctx.clone(),
        safe: app.safe.clone(),
        client: app.client.clone(),
        waits: settings.retries_s.iter().copied().map(Duration::from_secs).collect(),
        committed: Box::new(move |organization| told.committed(organization)),
    };
    workers
        .kind(Kind::new(RECEIVE), Arc::new(Receiver { hub: app.hub.clone() }))
        .kind(Kind::new(SEND), Arc::new(sender))
        .kind(Kind::new(FIRE), Arc::new(Firing { hub: app.hub.clone() }))
}

/// Follows the event log for endpoints and triggers until the service stops.
pub(crate) async fn follow(app: App) {
    Follower { hub: app.hub.clone(), wake: app.live.woken.clone() }.run().await;
}
