//! The queue: work that outlives whoever asked for it.
//!
//! Invariants: a job is enqueued in the transaction that causes it; it is run at least once, and ended once, by whoever holds
//! its newest token; what fails is tried again and then kept for a person, never dropped.

mod bell;
pub mod preset;
mod retry;
pub mod schedule;
pub mod store;
pub mod tool;
pub mod variant;
mod worker;

use std::time::Duration;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{JobId, OrganizationId};

pub use bell::Bell;
pub use retry::Retry;
pub use worker::{Held, Work, Workers};

/// Ordinary work; lower is sooner.
pub const ORDINARY: i16 = 100;
/// Somebody waits for it.
pub const URGENT: i16 = 10;

/// Work that is to be done.
#[derive(Clone, Debug)]
pub struct NewJob<'a> {
    pub kind: &'a str,
    pub payload: Value,
    pub priority: i16,
    /// Not before then.
    pub run_at: Option<DateTime<Utc>>,
    /// No second one of this kind while one with this key waits or runs.
    pub unique_key: Option<&'a str>,
    pub max_attempts: i16,
    /// When it should be done by; later is told as an event.
    pub due_by: Option<DateTime<Utc>>,
    /// Whether people see it in their list.
    pub visible: bool,
    /// Who wanted it: a member's handle, or `patchbay`.
    pub actor: &'a str,
}

impl<'a> NewJob<'a> {
    /// Work of the service's own.
    pub fn new(kind: &'a str, payload: Value) -> Self {
        Self { kind, payload, priority: ORDINARY, run_at: None, unique_key: None, max_attempts: 10, due_by: None, visible: false, actor: "patchbay" }
    }
}

/// A job as a worker gets it.
#[derive(Clone, Debug)]
pub struct Job {
    pub organization: OrganizationId,
    pub id: JobId,
    pub kind: String,
    pub payload: Value,
    /// From 1: which try this is.
    pub attempt: i16,
    pub max_attempts: i16,
    /// Greater each time the job is taken: who holds an older one can end nothing.
    pub token: i64,
    /// Who wanted it.
    pub actor: String,
}

/// How the queue treats a kind of job.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub name: &'static str,
    /// How many of it one process runs at once.
    pub concurrency: usize,
    /// How many of it one process begins in a second; `None` as many as it can.
    pub per_second: Option<u32>,
    /// How long one try may take.
    pub timeout: Duration,
    /// How long a worker that is silent holds it.
    pub lease: Duration,
    pub retry: Retry,
    /// Whether it is kept when it is done, with what it gave.
    pub keep: bool,
}

impl Kind {
    /// A kind of which 16 run at once, each for at most a minute, and nothing is kept.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            concurrency: 16,
            per_second: None,
            timeout: Duration::from_mins(1),
            lease: Duration::from_secs(15),
            retry: Retry { first: Duration::from_secs(1), longest: Duration::from_mins(10) },
            keep: false,
        }
    }
}

/// Why a try failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// May go better later: as the retry policy says, or after the given time.
    #[error("{why}")]
    Later { after: Option<Duration>, why: String },
    /// Will not go better: a dead letter.
    #[error("{why}")]
    Never { why: String },
    /// It ended itself, in a transaction of its own, or is not its holder's any more.
    #[error("ended elsewhere")]
    Over,
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Later { after: None, why: format!("the database failed: {error}") }
    }
}

/// Where a job stands, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum State {
    /// Not before its time, or until it is tried again.
    Scheduled,
    Queued,
    Running,
    Done,
    /// Given up: to be looked at, edited and sent again.
    Dead,
    Cancelled,
}

impl State {
    pub const ALL: [Self; 6] = [Self::Scheduled, Self::Queued, Self::Running, Self::Done, Self::Dead, Self::Cancelled];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }
}

/// `Job` of the API.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct JobView {
    pub id: JobId,
    pub kind: String,
    pub state: State,
    /// Lower is sooner; 100 is ordinary.
    pub priority: i16,
    pub payload: Value,
    /// How often it was begun.
    pub attempt: i16,
    pub max_attempts: i16,
    pub run_at: DateTime<Utc>,
    pub due_by: Option<DateTime<Utc>>,
    /// It was not done when it should have been.
    pub is_late: bool,
    /// Who wanted it: a member's handle, or `patchbay`.
    pub author: String,
    pub progress: Option<Value>,
    /// What its attempts said, oldest first: `{at, attempt, text}`.
    pub log: Value,
    pub result: Option<Value>,
    /// How the last attempt failed.
    pub problem: Option<String>,
    pub created_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}
