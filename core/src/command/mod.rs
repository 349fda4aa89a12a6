//! Commands: what somebody wrote and what became of it. Read in order they are the conversation.
//!
//! Invariants: a command is stored before it is acknowledged; its effect and its end are one transaction, so that a command
//! whose process died is run again and has still one effect.

pub mod store;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    audit::Receipt,
    ids::{CommandId, ConversationId, MemberId, ProjectId, TaskId},
    tenancy::Trust,
};

/// Where a command stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Status {
    Queued,
    Running,
    Done,
    Failed,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

/// What Patchbay answers, in any channel: Markdown, and what can be done next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reply {
    /// Markdown.
    pub text: String,
    pub actions: Vec<Action>,
    /// Where a plan was changed: what to keep as the proof of what was so before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
}

impl Reply {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    #[must_use]
    pub fn action(mut self, label: impl Into<String>, command: impl Into<String>) -> Self {
        self.actions.push(Action { label: label.into(), command: command.into() });
        self
    }
}

/// Something that can be done next: a button where the channel has them, words where not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Action {
    pub label: String,
    /// The command that does it.
    pub command: String,
}

/// A command as it is stored.
#[derive(Clone, Debug)]
pub struct Command {
    pub id: CommandId,
    pub conversation: ConversationId,
    pub member: MemberId,
    pub actor: String,
    pub origin: String,
    pub text: String,
    pub project: Option<ProjectId>,
    /// The project's key.
    pub project_key: Option<String>,
    pub task: Option<TaskId>,
    pub task_number: Option<i32>,
    /// The proposal that the text is about, where the client said so.
    pub on_proposal: Option<i32>,
    /// How far it is believed that its author wrote it.
    pub trust: Trust,
    /// What its author was looking at: the digest of a proposal's revision.
    pub shown: Option<String>,
    /// Where its text is what people said in a thread: what they said is planned, and never read as a command.
    pub from_thread: Option<FromThread>,
    pub status: Status,
    pub reply: Option<Reply>,
    pub problem: Option<Value>,
    pub proposal: Option<i32>,
    pub revision: Option<i32>,
    pub created_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// The messages of a thread that a text is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromThread {
    pub messages: usize,
    /// Older ones were left out: only so much of a thread is read.
    pub is_cut: bool,
    /// Those whose words nobody vouches for, by the names that they have there.
    pub strangers: Vec<String>,
}

/// `Command` of the API.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CommandView {
    pub id: CommandId,
    pub status: Status,
    pub text: String,
    pub reply: Option<Reply>,
    /// The project's key.
    pub project: Option<String>,
    /// The reference of the task whose conversation it is.
    pub task: Option<String>,
    /// The proposal that it led to.
    pub proposal: Option<i32>,
    /// The project version that it led to.
    pub revision: Option<i32>,
    /// Why it failed: a problem as the API has them (RFC 9457).
    pub problem: Option<Value>,
    /// A member's handle.
    pub author: String,
    /// Where it was written: `web`, `api`, `terminal`.
    pub origin: String,
    pub created_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

impl From<Command> for CommandView {
    fn from(command: Command) -> Self {
        let task = command.project_key.as_ref().zip(command.task_number).map(|(key, number)| format!("{key}-{number}"));
        Self {
            id: command.id,
            status: command.status,
            text: command.text,
            reply: command.reply,
            project: command.project_key,
            task,
            proposal: command.proposal,
            revision: command.revision,
            problem: command.problem,
            author: command.actor,
            origin: command.origin,
            created_at: command.created_at,
            finished_at: command.finished_at,
        }
    }
}

/// How a command ended.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub failed: bool,
    pub reply: Reply,
    pub problem: Option<Value>,
    /// The project it turned out to be about, where that was not known before.
    pub project: Option<ProjectId>,
    pub proposal: Option<i32>,
    pub revision: Option<i32>,
}

impl From<Reply> for Outcome {
    fn from(reply: Reply) -> Self {
        Self { reply, ..Self::default() }
    }
}
