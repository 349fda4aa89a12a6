//! What a channel does to speak: its adapter sends and edits, and knows nothing of plans.

use std::time::Duration;

use async_trait::async_trait;
use patchbay_core::{
    channel::Channel,
    command::Reply,
    ids::{MessageId, OrganizationId},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::render::card::Card;

/// Speaks on one channel.
#[async_trait]
pub trait Adapter: Send + Sync {
    fn channel(&self) -> Channel;

    /// Sends a message, or edits the one that was sent: one page of it at a time, as far as the platform's pace allows. What the platform calls it is kept
    /// and handed in again. It may be asked twice for the same page if the process dies; [`Delivery::id`] is then the same.
    async fn deliver(&self, delivery: &Delivery<'_>) -> Result<Delivered, Undelivered>;

    /// Reads what people said in a thread, where an envelope of this channel asks for it (`around`): oldest first, and without what we said and what was
    /// said to us.
    async fn thread(&self, organization: OrganizationId, around: &Value) -> Result<Thread, Unread>;

    /// Where a message to one person goes that answers nothing; they are who the platform calls so. `about` names what it is about:
    /// where the channel has threads, messages about the same are one.
    fn direct(&self, external_id: &str, about: &str) -> Direct;
}

/// Where a message goes that answers nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Direct {
    /// What to call the conversation that it begins.
    pub thread: String,
    /// As the adapter reads it in a [`Delivery`].
    pub address: Value,
}

/// The most messages of a thread that are read.
pub const MAX_POSTS: usize = 100;

/// What people said in a thread, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    pub posts: Vec<Post>,
    /// There are older ones that were not read.
    pub is_cut: bool,
}

/// One message of a thread.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// What the platform calls its author; `None` where it proves no author.
    pub author: Option<String>,
    /// What people call them there.
    pub name: String,
    /// As people see it.
    pub text: String,
    /// Those whom it names: as they stand in the text, and what the platform calls them.
    #[serde(default)]
    pub mentions: Vec<(String, String)>,
}

/// Why a thread cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// It is tried again.
    #[error("{why}")]
    Later { after: Option<Duration>, why: String },
    /// It would never go better: for the person, as the end of a sentence, with what would mend it.
    #[error("{why}")]
    Never { why: String },
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
    /// Some pages of this stand there already, by what [`Delivered::Part`] said: the next one is asked for.
    pub is_begun: bool,
    /// What stands there only says how far we are: where it is gone, this is sent anew.
    pub was_working: bool,
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
    /// How far we are, until the answer takes its place: only where it can.
    Working,
    /// A proposal that can be decided.
    Open(Card<'a>),
    /// A proposal that a later message of the same thread shows as it is now: without buttons.
    Superseded(Card<'a>),
    /// A decided proposal, without buttons, and one line that says how: `Accepted by @bo as version 8`.
    Decided(Card<'a>, &'a str),
}

/// How far a message is delivered, with what the platform calls it.
#[derive(Clone, Debug, PartialEq)]
pub enum Delivered {
    Whole(Value),
    /// One page more stands there; the next is to be asked for.
    Part(Value),
    /// Nothing was sent or edited: only of what says how far we are.
    Nothing,
}

/// Why a message does not stand there.
#[derive(Debug, thiserror::Error)]
pub enum Undelivered {
    /// Its turn comes after this time: nothing went wrong, however often.
    #[error("it waits for its turn")]
    NotYet { after: Duration },
    /// It is tried again.
    #[error("{why}")]
    Later { why: String },
    /// It would never go better: a dead letter.
    #[error("{why}")]
    Never { why: String },
}
