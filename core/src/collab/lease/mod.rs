//! Leases: expiring exclusive rights, with a token that a late holder's write is refused by.
//!
//! Invariants: a resource has one holder at a time, by the database's clock; its fencing token grows with each holder; every
//! taking, giving back, running out and stealing is told in the transaction that does it.

pub mod store;
mod together;

pub use together::Leases;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ids::{LockId, ProjectId, TaskId};

/// The least and the most seconds that a lease lasts without a heartbeat.
pub const TTL_SECONDS: std::ops::RangeInclusive<i32> = 1..=86_400;

/// How long a place in a queue is kept for who does not ask again, in seconds.
pub const PLACE_SECONDS: i32 = 10;

/// An expiring exclusive right to a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lease {
    /// Names this holding; heartbeats and the release take it.
    pub lock_id: LockId,
    /// `task:WEB-7`, or any name that its holders agree on.
    pub resource: String,
    /// The name that the holder goes by.
    pub holder: String,
    /// The member's handle.
    pub member: String,
    /// Greater than that of every holder before.
    pub fencing_token: i64,
    pub acquired_at: DateTime<Utc>,
    /// How long it lasts after a heartbeat.
    pub ttl_seconds: i32,
    pub heartbeat_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// Where it came with a claimed task.
    pub is_claim: bool,
    #[serde(skip)]
    pub(super) project_id: Option<ProjectId>,
    #[serde(skip)]
    pub(super) task_id: Option<TaskId>,
}

impl Lease {
    /// The project that its resource belongs to, where that is known.
    pub const fn project(&self) -> Option<ProjectId> {
        self.project_id
    }

    /// The task that it is for.
    pub const fn task(&self) -> Option<TaskId> {
        self.task_id
    }
}

/// What somebody wants to hold.
#[derive(Clone, Debug)]
pub struct Resource {
    pub name: String,
    pub project: Option<(ProjectId, String)>,
    pub task: Option<(TaskId, String)>,
}

impl Resource {
    /// One that Patchbay knows nothing about.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), project: None, task: None }
    }

    /// A task, which has one name however it was called.
    pub fn task(project: (ProjectId, String), task: (TaskId, String)) -> Self {
        Self { name: format!("task:{}", task.1), project: Some(project), task: Some(task) }
    }

    /// What its events say beside the lease.
    fn about(&self) -> Value {
        let mut about = json!({});
        if let Some((_, key)) = &self.project {
            about["project"] = key.as_str().into();
        }
        if let Some((_, reference)) = &self.task {
            about["task"] = reference.as_str().into();
        }
        about
    }
}

/// The task or project that a resource's name names: `task:WEB-7`, `project:WEB`, `project:WEB/deploy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named<'a> {
    /// A reference or an id.
    Task(&'a str),
    Project(&'a str),
    Other,
}

impl<'a> Named<'a> {
    pub fn read(resource: &'a str) -> Self {
        match resource.split_once(':') {
            Some(("task", name)) => Self::Task(name),
            Some(("project", name)) => Self::Project(name.split_once('/').map_or(name, |(key, _)| key)),
            _ => Self::Other,
        }
    }
}

/// How somebody asks for a resource.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub holder: &'a str,
    pub ttl_seconds: i32,
    /// Whether to stand in the queue where it is held.
    pub waits: bool,
    /// Whether a task is claimed with it, which goes back to its first step when the lease runs out.
    pub is_claim: bool,
}

/// What became of asking.
#[derive(Clone, Debug, PartialEq)]
pub enum Acquired {
    Taken(Lease),
    Held {
        /// Who is in the way; nobody where it is free and others wait for it.
        by: Option<Lease>,
        /// The place in the queue, from 1, where one waits.
        place: Option<i64>,
    },
}

/// The proof that a write is made under a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Guard {
    pub lock_id: LockId,
    pub fencing_token: i64,
}

/// Whether a text can name a resource or a holder: 1–200 characters, none of them of control or at an end a blank.
pub fn is_name(text: &str) -> bool {
    (1..=200).contains(&text.chars().count()) && text.trim() == text && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_may_name_a_task_or_a_project() {
        let check = |resource: &str, expected: Named<'_>| assert_eq!(Named::read(resource), expected, "{resource}");
        check("task:WEB-7", Named::Task("WEB-7"));
        check("project:WEB", Named::Project("WEB"));
        check("project:WEB/deploy", Named::Project("WEB"));
        check("repo:main", Named::Other);
        check("anything", Named::Other);
    }
}
