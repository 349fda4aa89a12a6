//! What a channel does to speak: its adapter sends and edits, and knows nothing of plans.

use std::time::Duration;

use async_trait::async_trait;
use patchbay_core::{
    channel::Channel,
    command::Reply,
    ids::{MessageId, OrganizationId},
};
use serde_json::Value;

use crate::render::card::Card;

/// Speaks on one channel.
#[async_trait]
pub trait Adapter: Send + Sync {
    fn channel(&self) -> Channel;

    /// Sends a message, or edits the one that was sent. Answers what the platform calls it, which is kept and handed in again for
    /// an edit. It may be asked twice for the same if the process dies; [`Delivery::id`] is then the same.
    async fn deliver(&self, delivery: &Delivery<'_>) -> Result<Value, Undelivered>;
}

/// A message that is to stand on a channel.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    pub organization: OrganizationId,
    /// The same in each try.
    pub id: MessageId,
    /// Where it goes, as the adapter wrote it into the envelope.
    pub address: &'a Value,
    /// What the platform calls the one that stands there: to be edited, or followed up where the channel cannot edit.
    pub sent: Option<&'a Value>,
    /// Markdown, and what can be done next.
    pub reply: &'a Reply,
    pub shows: Shows<'a>,
    /// Only for whoever it answers, where the channel can: a code that says who they are, a limit they met.
    pub is_private: bool,
}

/// What a message shows besides its words.
#[derive(Clone, Copy, Debug)]
pub enum Shows<'a> {
    Nothing,
    /// A proposal that can be decided.
    Open(Card<'a>),
    /// A proposal that a later message of the same thread shows as it is now: without buttons.
    Superseded(Card<'a>),
    /// A decided proposal, without buttons, and one line that says how: `Accepted by @bo as version 8`.
    Decided(Card<'a>, &'a str),
}

/// Why a message does not stand there.
#[derive(Debug, thiserror::Error)]
pub enum Undelivered {
    /// It is tried again, after the time that the platform asks for.
    #[error("{why}")]
    Later { after: Option<Duration>, why: String },
    /// It would never go better: a dead letter.
    #[error("{why}")]
    Never { why: String },
}
