//! Other people's platforms: who somebody on them is, what came in from them, what goes out to them.
//!
//! Invariants: what comes in is stored before it is acknowledged and has one effect however often it comes; what goes out is
//! stored in the transaction that causes it; every copy of a proposal that was sent is told of what becomes of the proposal.

pub mod link;
pub mod mail;
pub mod malformed;
pub mod received;
pub mod store;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    command::Reply,
    ids::{CommandId, MessageId, OrganizationId},
    tenancy::Trust,
};

/// A job of this kind handles what came in: `{"channel", "key"}`.
pub const INBOX: &str = "inbox";
/// A job of this kind sends a message, or edits it: `{"message"}`.
pub const DELIVER: &str = "deliver";

/// A platform that people speak to Patchbay on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Channel {
    Slack,
    Discord,
    Email,
}

impl Channel {
    pub const ALL: [Self; 3] = [Self::Slack, Self::Discord, Self::Email];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::Email => "email",
        }
    }

    /// As people write it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Slack => "Slack",
            Self::Discord => "Discord",
            Self::Email => "E-mail",
        }
    }

    /// Whether what was sent can be edited, so that it can say how far we are.
    pub const fn edits(self) -> bool {
        matches!(self, Self::Slack | Self::Discord)
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == text)
    }
}

/// Where messages come in, each with limits of its own: a platform, the console with the terminal, or programs with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Entrance {
    Slack,
    Discord,
    Email,
    Web,
    Api,
}

impl From<Channel> for Entrance {
    fn from(channel: Channel) -> Self {
        match channel {
            Channel::Slack => Self::Slack,
            Channel::Discord => Self::Discord,
            Channel::Email => Self::Email,
        }
    }
}

impl Entrance {
    pub const ALL: [Self; 5] = [Self::Slack, Self::Discord, Self::Email, Self::Web, Self::Api];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Api => "api",
            Self::Slack => Channel::Slack.as_str(),
            Self::Discord => Channel::Discord.as_str(),
            Self::Email => Channel::Email.as_str(),
        }
    }

    /// As people write it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Web => "Console and terminal",
            Self::Api => "API",
            Self::Slack => Channel::Slack.title(),
            Self::Discord => Channel::Discord.title(),
            Self::Email => Channel::Email.title(),
        }
    }

    /// The platform; `None` where who comes in has proved to us who they are.
    pub const fn channel(self) -> Option<Channel> {
        match self {
            Self::Slack => Some(Channel::Slack),
            Self::Discord => Some(Channel::Discord),
            Self::Email => Some(Channel::Email),
            Self::Web | Self::Api => None,
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|entrance| entrance.as_str() == text)
    }

    /// Where a command with such an origin came in, if no platform brought it and nobody else did it for its author.
    pub fn of_origin(origin: &str) -> Self {
        if origin == "api" { Self::Api } else { Self::Web }
    }
}

/// Who wrote something, as the platform says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// What the platform calls them: a Slack or Discord user's id, a mail address in lower case.
    pub id: String,
    /// What people call them there.
    pub name: String,
    /// Their address, where the platform vouches for it.
    pub email: Option<String>,
}

/// Something that came in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    pub channel: Channel,
    /// The platform's name for it: the same again is the same message.
    pub key: String,
    pub sender: Sender,
    /// How far the platform proves who wrote it.
    pub trust: Trust,
    /// What the channel calls the conversation.
    pub thread: String,
    /// The room that the conversation is in, which can be bound to a project.
    pub place: Option<String>,
    /// Where answers go, as the channel's adapter writes it.
    pub address: Value,
    /// What was written; of a button, the command that it stands for.
    pub text: String,
    /// What its sender was looking at when they decided: the digest of a proposal's revision.
    pub shown: Option<String>,
    /// What is to be read on the platform before it is handled, as the channel's adapter writes it: then what was said there is what it asks to plan,
    /// and its own text what to plan where there is nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub around: Option<Value>,
    /// What came with it beside its words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attached: Vec<received::Attached>,
}

/// Something that goes out.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub organization: OrganizationId,
    pub id: MessageId,
    pub channel: Channel,
    pub thread: String,
    pub address: Value,
    pub reply: Reply,
    pub command: Option<CommandId>,
    /// The proposal that it shows.
    pub proposal: Option<i32>,
    pub state: Sending,
    /// What the platform calls it, once it was sent.
    pub sent: Option<Value>,
    /// Which state of the proposal the sent one shows.
    pub shows: Option<String>,
    /// What it is being brought to show, while only some of its pages do.
    pub part: Option<String>,
    /// How often it was changed, while it says how far its command is; `None`: it is an answer.
    pub working: Option<i32>,
    pub problem: Option<String>,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
}

/// How far an outgoing message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Sending {
    Waiting,
    Sent,
    /// Given up: the job that sends it is a dead letter.
    Dead,
}

impl Sending {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Dead => "dead",
        }
    }
}

/// How an organisation wants a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChannelSettings {
    /// Whether who has a member's address there is that member, without a code.
    pub trust_email: bool,
    /// Messages a minute that one sender may write.
    #[schemars(range(min = 1, max = 10_000))]
    pub per_sender: u32,
    /// Messages a minute that all senders together may write.
    #[schemars(range(min = 1, max = 100_000))]
    pub per_channel: u32,
}

impl Default for ChannelSettings {
    fn default() -> Self {
        Self { trust_email: false, per_sender: 30, per_channel: 600 }
    }
}

impl ChannelSettings {
    /// What holds where nobody has set anything. Who has signed in may say more than a stranger, and a program more than a person.
    pub fn of(entrance: Entrance) -> Self {
        match entrance {
            Entrance::Slack | Entrance::Discord | Entrance::Email => Self::default(),
            Entrance::Web => Self { per_sender: 600, per_channel: 6_000, ..Self::default() },
            Entrance::Api => Self { per_sender: 6_000, per_channel: 60_000, ..Self::default() },
        }
    }
}

/// What of it is to be different; what is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChannelChange {
    /// Whether who has a member's address there is that member, without a code; only of platforms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_email: Option<bool>,
    /// Messages a minute that one sender may write.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub per_sender: Option<u32>,
    /// Messages a minute that all senders together may write.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub per_channel: Option<u32>,
}

/// How much of its limits the last minute used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Used {
    /// Messages of all senders together.
    pub last_minute: i64,
    /// Those of the sender who wrote most.
    pub busiest_sender: i64,
    /// Those of which nothing came, because they were too many.
    pub turned_away: i64,
}

/// Which member somebody on a channel is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Identity {
    pub channel: Channel,
    /// What the platform calls the person.
    pub external_id: String,
    pub name: String,
    /// A member's handle.
    pub member: String,
    /// `code` or `email`.
    pub proof: String,
    pub linked_at: DateTime<Utc>,
}
