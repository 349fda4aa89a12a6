//! What a task remembers of the file that it was read from.

use blake3::Hash;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::Form;
use crate::patch::{
    CreateBody, Effort, Priority,
    plan::{Plan, Task},
};

/// Where it stands in a task's metadata.
pub(super) const KEY: &str = "source";

/// The bytes of the file, and how to see whether they still tell the task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Source {
    pub(super) form: Form,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub(super) before: String,
    pub(super) text: String,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub(super) after: String,
    /// Of the task as it was read.
    pub(super) digest: String,
}

impl Source {
    pub(super) fn of(task: &Task) -> Option<Self> {
        serde_json::from_value(task.detail.metadata.get(KEY)?.clone()).ok()
    }
}

/// What a task is called in files: as it was in the one that it came from, else by its reference.
pub(super) fn name(plan: &Plan, task: &Task) -> String {
    Source::of(task).and_then(|source| source.name).unwrap_or_else(|| plan.reference(task))
}

/// What a file can say of a task.
#[derive(Serialize)]
struct Facts<'a> {
    title: &'a str,
    description: &'a str,
    status: &'a str,
    priority: Option<Priority>,
    kind: Option<&'a str>,
    effort: Option<Effort>,
    estimate_minutes: Option<u32>,
    assignee: Option<&'a str>,
    due_on: Option<chrono::NaiveDate>,
    labels: &'a [String],
    blocker: Option<&'a str>,
    criteria: Vec<(&'a str, bool)>,
    references: &'a [String],
    metadata: Vec<(&'a String, &'a Value)>,
    waits_for: Vec<&'a str>,
}

impl Facts<'_> {
    fn digest(mut self) -> String {
        self.waits_for.sort_unstable();
        digest(&serde_json::to_vec(&self).expect("facts are JSON"))
    }
}

fn digest(bytes: &[u8]) -> String {
    let hash: Hash = blake3::hash(bytes);
    hash.to_hex()[..16].to_owned()
}

/// The digest of a task that is about to be made.
pub(super) fn of_new(body: &CreateBody, status: &str, waits_for: &[String]) -> String {
    Facts {
        title: &body.title,
        description: body.description.as_deref().unwrap_or_default(),
        status,
        priority: body.priority,
        kind: body.kind.as_deref(),
        effort: body.effort,
        estimate_minutes: body.estimate_minutes,
        assignee: body.assignee.as_deref(),
        due_on: body.due_on,
        labels: body.labels.as_deref().unwrap_or_default(),
        blocker: body.blocker.as_deref(),
        criteria: body.acceptance_criteria.iter().flatten().map(|criterion| (criterion.text.as_str(), criterion.done)).collect(),
        references: body.references.as_deref().unwrap_or_default(),
        metadata: body.metadata.iter().flatten().filter(|(key, _)| *key != KEY).collect(),
        waits_for: waits_for.iter().map(String::as_str).collect(),
    }
    .digest()
}

/// The digest of a task as it is.
pub(super) fn of_task(plan: &Plan, task: &Task) -> String {
    let waits_for: Vec<String> = task.depends_on.iter().filter_map(|id| plan.get(*id)).map(|other| name(plan, other)).collect();
    let detail = &task.detail;
    Facts {
        title: &task.title,
        description: &detail.description,
        status: &task.status,
        priority: task.priority,
        kind: detail.kind.as_deref(),
        effort: detail.effort,
        estimate_minutes: detail.estimate_minutes,
        assignee: task.assignee.as_deref(),
        due_on: task.due_on,
        labels: &detail.labels,
        blocker: detail.blocker.as_deref(),
        criteria: detail.acceptance_criteria.iter().map(|criterion| (criterion.text.as_str(), criterion.done)).collect(),
        references: &detail.references,
        metadata: detail.metadata.iter().filter(|(key, _)| *key != KEY).collect(),
        waits_for: waits_for.iter().map(String::as_str).collect(),
    }
    .digest()
}
