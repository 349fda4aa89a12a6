//! Telling members what they are to hear, on the channels where they are known.

use std::{sync::Arc, time::Duration};

use patchbay_core::{
    channel::store::{self, Address},
    db::{self, Connection},
    ids::OrganizationId,
    integrations::cursor::Happened,
    notify::{self, Letter},
};

use super::{Hub, replies};
use crate::adapter::Adapter;

/// How often is looked for what waited to be sent, and for what is due.
const TURN: Duration = Duration::from_secs(15);

/// Writes letters into the outbox.
#[derive(Clone)]
pub struct Postman {
    pub hub: Hub,
    pub adapters: Arc<[Arc<dyn Adapter>]>,
}

impl Postman {
    /// Stores and sends what members are to hear of what happened, in the transaction that moves the reader of the log past it.
    /// Whether anything is sent.
    pub async fn follow(&self, conn: &mut Connection, organization: OrganizationId, events: &[Happened]) -> db::Result<bool> {
        let letters = notify::follow(&mut *conn, self.hub.ctx.as_ref(), organization, events).await?;
        self.send(conn, organization, &letters).await?;
        Ok(!letters.is_empty())
    }

    /// Sends what waited for its hour, and tells what is due, until the service stops.
    pub async fn run(self) {
        loop {
            let turned: db::Result<()> = async {
                for organization in self.hub.db.organizations().await? {
                    self.turn(organization).await?;
                }
                Ok(())
            }
            .await;
            if let Err(error) = turned {
                tracing::warn!(%error, "what waits to be told could not be sent; trying again");
            }
            tokio::select! {
                () = self.hub.stopping.cancelled() => return,
                () = tokio::time::sleep(TURN) => {}
            }
        }
    }

    async fn turn(&self, organization: OrganizationId) -> db::Result<()> {
        let mut tx = self.hub.db.begin(organization).await?;
        let letters = notify::due(&mut tx, self.hub.ctx.as_ref(), organization).await?;
        self.send(&mut tx, organization, &letters).await?;
        tx.commit().await?;
        if !letters.is_empty() {
            self.hub.bell.ring();
        }
        Ok(())
    }

    async fn send(&self, conn: &mut Connection, organization: OrganizationId, letters: &[Letter]) -> db::Result<()> {
        for letter in letters {
            let piece = replies::letter(letter, &self.hub.public_url);
            for (channel, id) in &letter.addresses {
                let Some(adapter) = self.adapters.iter().find(|adapter| adapter.channel() == *channel) else { continue };
                let direct = adapter.direct(id, &piece.about);
                let to = Address { channel: *channel, thread: &direct.thread, address: &direct.address };
                store::send(&mut *conn, self.hub.ctx.as_ref(), organization, &to, &piece.reply, None, piece.proposal).await?;
            }
        }
        Ok(())
    }
}
