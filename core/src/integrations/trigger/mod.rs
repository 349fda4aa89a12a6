//! What is to follow from what happens: when an event comes and a condition holds, then a command or a plan.
//!
//! Invariants: a trigger runs at most once for an event; each change of a trigger is a version that is kept; what follows from what
//! followed is one step deeper, and too deep it does not run.

pub mod store;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Makes;
use crate::ids::{CommandId, MemberId, ProjectId, TriggerId};

/// How deep what follows from what followed may go, where a trigger does not say.
pub const DEPTH: i16 = 3;
/// How often a trigger may run in an hour, where it does not say.
pub const HOURLY: i32 = 60;

/// What a trigger is, as its owner sets it.
#[derive(Clone, Debug)]
pub struct Settings {
    pub name: String,
    /// A pattern of events: `webhook.received`, `proposal.*`.
    pub event: String,
    /// What must hold of the event; none for always.
    pub condition: Option<String>,
    pub makes: Makes,
    pub template: String,
    /// The project that it is about.
    pub project: Option<ProjectId>,
    /// As whom its commands run.
    pub member: MemberId,
    /// How many triggers may have led to the event.
    pub max_depth: i16,
    pub max_per_hour: i32,
    pub enabled: bool,
}

/// A rule of what is to follow from what happens.
#[derive(Clone, Debug)]
pub struct Trigger {
    pub id: TriggerId,
    /// From 1; each change makes the next.
    pub version: i32,
    pub settings: Settings,
    pub project_key: Option<String>,
    /// By handle.
    pub member: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A trigger as it was once.
#[derive(Clone, Debug)]
pub struct Version {
    pub trigger: Trigger,
    /// Who made it so, by handle.
    pub author: String,
}

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Outcome {
    /// To be run.
    Waiting,
    /// It became a command.
    Submitted,
    /// The guard held it back: it came too deep, or too often. Or the template made nothing of the event.
    Skipped,
    /// The condition or the template could not be worked out.
    Failed,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Waiting, Self::Submitted, Self::Skipped, Self::Failed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Submitted => "submitted",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// One run of a trigger.
#[derive(Clone, Debug)]
pub struct Run {
    pub id: Uuid,
    pub trigger: TriggerId,
    /// The trigger's version that ran.
    pub version: i32,
    /// Of the event that it ran for.
    pub seq: i64,
    pub event: String,
    /// How many triggers led to the event.
    pub depth: i16,
    pub outcome: Outcome,
    pub why: Option<String>,
    /// What the template made.
    pub text: Option<String>,
    pub command: Option<CommandId>,
    pub at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}
