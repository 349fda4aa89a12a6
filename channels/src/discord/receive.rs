//! What comes in from Discord: stored, then answered at once.

use patchbay_core::{
    channel::{Channel, Envelope, Sender},
    db,
    tenancy::Trust,
};
use serde_json::{Value, json};

use super::{
    decode::{Meaning, Said},
    modal,
    signature::{NotFromDiscord, Verifier},
};
use crate::hub::Hub;

/// Listens to Discord. Cheap to clone.
#[derive(Clone)]
pub struct Listener {
    verifier: Verifier,
}

impl Listener {
    pub fn new(verifier: Verifier) -> Self {
        Self { verifier }
    }

    /// Checks that a body comes from Discord, before anything reads it.
    pub fn verify(&self, timestamp: Option<&str>, signature: Option<&str>, body: &[u8]) -> Result<(), NotFromDiscord> {
        self.verifier.verify(timestamp, signature, body)
    }

    /// Takes what was said, and gives what Discord is to be answered at once. What is answered by `Ok` is not lost.
    pub async fn take(&self, hub: &Hub, meaning: Meaning) -> db::Result<Value> {
        match meaning {
            Meaning::Ping => Ok(modal::pong()),
            Meaning::Told(why) => Ok(modal::told(why)),
            Meaning::Said(said) => hear(hub, *said).await,
            Meaning::Open { press, said } => {
                let Some(organization) = hub.organization_of(Channel::Discord, workspace(&said)).await? else { return Ok(modal::told(EMPTY)) };
                match hub.pressed(organization, Channel::Discord, &said.user, &press).await? {
                    Some(diff) => Ok(modal::answer(&press, &diff)),
                    None => hear(hub, *said).await,
                }
            }
        }
    }
}

const EMPTY: &str = "This Patchbay has no organisation yet.";

/// The server, or the room of two people.
fn workspace(said: &Said) -> &str {
    said.guild.as_deref().unwrap_or(&said.address.channel)
}

async fn hear(hub: &Hub, said: Said) -> db::Result<Value> {
    let answer = modal::deferred(&said);
    Ok(if store(hub, said).await? { answer } else { modal::told(EMPTY) })
}

/// Stores what was said; `false` where there is nobody to hear it.
pub(super) async fn store(hub: &Hub, said: Said) -> db::Result<bool> {
    let Some(organization) = hub.organization_of(Channel::Discord, workspace(&said)).await? else { return Ok(false) };
    let envelope = Envelope {
        channel: Channel::Discord,
        key: said.key,
        sender: Sender { id: said.user, name: said.name, email: None },
        trust: Trust::Verified,
        thread: said.thread,
        place: said.room,
        address: json!(said.address),
        text: said.text,
        shown: said.shown,
        around: said.around.map(|around| json!(around)),
        attached: Vec::new(),
    };
    hub.receive(organization, &envelope).await?;
    Ok(true)
}
