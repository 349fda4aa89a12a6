//! Notifications: who hears of what, when, and where they read it.
//!
//! Invariants: what somebody is to hear is stored in the transaction that moves the reader of the event log past it, and what is
//! sent is stored in the transaction that notes it as sent; nobody hears of their own doing, nor twice of the same.

mod follow;
mod rules;
pub mod store;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    channel::Channel,
    ids::{MemberId, NotificationId},
};

pub use follow::{due, follow};
pub use rules::{Clock, How, Kinds, Preferences, Quiet};

/// What somebody may hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Kind {
    /// A proposal that they may decide.
    Review,
    /// Their handle in a comment or a description.
    Mentioned,
    /// A task that became theirs.
    Assigned,
    /// What became of a proposal of theirs, and what was said about it.
    Decided,
    /// A task of theirs that is due or overdue, once a day.
    Due,
    /// A job of theirs that was given up.
    Failed,
    /// What happens in a project that they subscribed to.
    Subscribed,
}

impl Kind {
    /// What weighs most comes first: of one event somebody hears once.
    pub const ALL: [Self; 7] = [Self::Review, Self::Mentioned, Self::Assigned, Self::Decided, Self::Due, Self::Failed, Self::Subscribed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Mentioned => "mentioned",
            Self::Assigned => "assigned",
            Self::Decided => "decided",
            Self::Due => "due",
            Self::Failed => "failed",
            Self::Subscribed => "subscribed",
        }
    }

    /// As people say it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Review => "reviews",
            Self::Mentioned => "mentions",
            Self::Assigned => "assignments",
            Self::Decided => "decisions",
            Self::Due => "deadlines",
            Self::Failed => "failures",
            Self::Subscribed => "subscriptions",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Something that a member was told, or is to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Notification {
    pub id: NotificationId,
    pub kind: Kind,
    /// A member's handle; null where it was nobody's doing.
    pub actor: Option<String>,
    /// What happened, with the target behind it: `@ana asks you to review`.
    pub words: String,
    /// `#12`, `WEB-7`; empty where there is none.
    pub target: String,
    /// What the target is called, or what was said.
    pub title: String,
    /// Where the console shows it.
    pub path: String,
    /// The project's key.
    pub project: Option<String>,
    pub proposal: Option<i32>,
    pub at: DateTime<Utc>,
    pub read_at: Option<DateTime<Utc>>,
}

/// What is to be sent to one member now.
#[derive(Clone, Debug)]
pub struct Letter {
    pub member: MemberId,
    /// Who they are elsewhere; nowhere: the console alone shows it.
    pub addresses: Vec<(Channel, String)>,
    /// At least one.
    pub notes: Vec<Notification>,
}
