//! Schedules: a job, a command or a message to the planner, at times to come.
//!
//! Invariants: a time that is due is taken from its schedule and becomes a run in one transaction, so that it is neither lost nor
//! taken twice, whatever dies; a run does no more than the schedule's owner might do when it was made and may do now.

mod calendar;
mod dispatch;
mod draft;
mod phrase;
mod rule;
pub mod store;

use std::fmt;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{CommandId, JobId, RunId, ScheduleId};

pub use dispatch::{KIND, Passed, pass};
pub use draft::{Draft, zone};
pub use rule::{MAX_RULE, NotARule, Rule};

/// What a schedule does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Runs a job, as `POST /jobs` does.
    Job {
        /// One of `GET /tools`.
        #[schemars(length(min = 1, max = 100))]
        tool: String,
        /// As the tool's schema says.
        input: Value,
    },
    /// Runs a command of the grammar.
    Command {
        #[schemars(length(min = 1, max = 4000))]
        text: String,
        /// A project's key or id.
        #[serde(default)]
        #[schemars(length(max = 100))]
        project: Option<String>,
    },
    /// Says something to the planner.
    Message {
        #[schemars(length(min = 1, max = 4000))]
        text: String,
        /// A project's key or id.
        #[serde(default)]
        #[schemars(length(max = 100))]
        project: Option<String>,
    },
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, is_whole) = match self {
            Self::Job { tool, .. } => (tool.as_str(), true),
            Self::Command { text, .. } | Self::Message { text, .. } => {
                text.char_indices().nth(80).map_or((text.as_str(), true), |(end, _)| (&text[..end], false))
            }
        };
        write!(f, "{}{}", text.trim(), if is_whole { "" } else { "…" })
    }
}

/// What becomes of times at which nothing could run, because Patchbay was down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Missed {
    Skip,
    /// They are made up for by one run.
    #[default]
    Once,
    /// Each of them runs, the newest `catch_up_limit` of them.
    CatchUp,
}

impl Missed {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Once => "once",
            Self::CatchUp => "catch_up",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "skip" => Self::Skip,
            "catch_up" => Self::CatchUp,
            _ => Self::Once,
        }
    }
}

/// What becomes of a run whose predecessor is not over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Overlap {
    /// It is left out.
    #[default]
    Forbid,
    /// It waits its turn.
    Queue,
    /// They run side by side.
    Allow,
}

impl Overlap {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Forbid => "forbid",
            Self::Queue => "queue",
            Self::Allow => "allow",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "queue" => Self::Queue,
            "allow" => Self::Allow,
            _ => Self::Forbid,
        }
    }
}

/// Whether a schedule runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum State {
    Active,
    Paused,
    /// Its rule has no more times.
    Over,
}

/// `Schedule` of the API.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Schedule")]
pub struct ScheduleView {
    pub id: ScheduleId,
    /// What people call it, from 1.
    pub number: i32,
    pub name: String,
    /// As it was written.
    pub rule: String,
    /// In its plain form: cron, an ISO time, or the lines of a recurrence.
    pub plain_rule: String,
    /// IANA name.
    pub zone: String,
    pub action: Action,
    pub missed: Missed,
    pub catch_up_limit: i16,
    pub overlap: Overlap,
    pub state: State,
    pub next_run_at: Option<DateTime<Utc>>,
    pub last_run_at: Option<DateTime<Utc>>,
    /// Why it was paused by Patchbay itself.
    pub problem: Option<String>,
    /// The member as whom it runs, by handle.
    pub owner: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum RunState {
    /// For its predecessor to be over.
    Waiting,
    Running,
    Done,
    Failed,
    Skipped,
}

/// `ScheduleRun` of the API.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ScheduleRun")]
pub struct RunView {
    pub id: RunId,
    /// The time that it is for.
    pub due_at: DateTime<Utc>,
    pub state: RunState,
    /// Why it was left out.
    pub why: Option<String>,
    /// The job that it is, where it is one that people see.
    pub job: Option<JobId>,
    /// The command that it led to.
    pub command: Option<CommandId>,
    pub at: DateTime<Utc>,
}
