//! The plan as others read it: the shapes `Project`, `Task` and `Tree` of the API, of an export, of a tool's answer.
//!
//! Made from a [`Plan`]; what is not known is null, what is empty is empty, and no field is ever left out.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::patch::{
    Criterion, Effort, Priority, ProjectId, TaskId,
    plan::{Plan, Project, Task},
};

/// A project without its tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProjectView {
    pub id: ProjectId,
    /// What its tasks' references begin with: `WEB`.
    pub key: String,
    pub title: String,
    /// Markdown.
    pub summary: String,
    /// How many revisions it has had.
    pub version: i32,
    /// The name of the process that its tasks move through.
    pub process: String,
    /// IANA name.
    pub time_zone: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl ProjectView {
    /// A plan does not know the time; the caller says when the project was made and last changed.
    pub fn new(project: &Project, created_at: DateTime<Utc>, updated_at: DateTime<Utc>) -> Self {
        Self {
            id: project.id,
            key: project.key.clone(),
            title: project.title.clone(),
            summary: project.summary.clone(),
            version: project.version,
            process: project.process.name.clone(),
            time_zone: project.time_zone.clone(),
            created_at,
            updated_at,
        }
    }
}

/// One task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskView {
    pub id: TaskId,
    /// Its name for people, which never changes: `WEB-7`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The project's key.
    pub project: String,
    pub parent_id: Option<TaskId>,
    pub title: String,
    /// Markdown.
    pub description: String,
    /// A step of the project's process.
    pub status: String,
    pub priority: Option<Priority>,
    /// A word for what sort of work it is.
    pub kind: Option<String>,
    pub effort: Option<Effort>,
    /// Minutes of work.
    pub estimate_minutes: Option<u32>,
    /// A member's handle.
    pub assignee: Option<String>,
    pub due_on: Option<NaiveDate>,
    pub labels: Vec<String>,
    /// References of the tasks that must be done first.
    pub depends_on: Vec<String>,
    /// What it waits for, in words.
    pub blocker: Option<String>,
    pub acceptance_criteria: Vec<Criterion>,
    /// Paths and links.
    pub references: Vec<String>,
    /// Its names elsewhere, by system.
    pub external_refs: BTreeMap<String, String>,
    /// What has no field of its own.
    pub metadata: BTreeMap<String, Value>,
}

impl TaskView {
    /// The plan must hold what the task depends on: a task that it does not hold is told as `?`.
    pub fn new(plan: &Plan, task: &Task) -> Self {
        let detail = task.detail.clone();
        Self {
            id: task.id,
            reference: plan.reference(task),
            project: plan.project.key.clone(),
            parent_id: task.parent,
            title: task.title.clone(),
            description: detail.description,
            status: task.status.clone(),
            priority: task.priority,
            kind: detail.kind,
            effort: detail.effort,
            estimate_minutes: detail.estimate_minutes,
            assignee: task.assignee.clone(),
            due_on: task.due_on,
            labels: detail.labels,
            depends_on: task.depends_on.iter().map(|id| plan.reference_of(*id)).collect(),
            blocker: detail.blocker,
            acceptance_criteria: detail.acceptance_criteria,
            references: detail.references,
            external_refs: detail.external_refs,
            metadata: detail.metadata,
        }
    }
}

/// A task with those below it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskTree {
    #[serde(flatten)]
    pub task: TaskView,
    /// In order.
    pub subtasks: Vec<Self>,
}

impl TaskTree {
    fn below(plan: &Plan, parent: Option<TaskId>) -> Vec<Self> {
        plan.children(parent)
            .iter()
            .filter_map(|id| plan.get(*id))
            .map(|task| Self { task: TaskView::new(plan, task), subtasks: Self::below(plan, Some(task.id)) })
            .collect()
    }
}

/// A whole project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tree {
    pub project: ProjectView,
    /// The root tasks, in order.
    pub tasks: Vec<TaskTree>,
}

impl Tree {
    /// A plan does not know the time; the caller says when the project was made and last changed.
    pub fn new(plan: &Plan, created_at: DateTime<Utc>, updated_at: DateTime<Utc>) -> Self {
        Self { project: ProjectView::new(&plan.project, created_at, updated_at), tasks: TaskTree::below(plan, None) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::patch::{plan::Detail, process::Process, rank::Rank};

    fn task(number: u8, parent: Option<u8>, depends_on: &[u8]) -> Task {
        let id = |number: u8| TaskId(Uuid::from_u128(number.into()));
        Task {
            id: id(number),
            number: number.into(),
            parent: parent.map(id),
            rank: Rank::default(),
            title: format!("Task {number}"),
            status: "todo".into(),
            priority: None,
            assignee: None,
            due_on: None,
            depends_on: depends_on.iter().copied().map(id).collect(),
            detail: Detail::default(),
        }
    }

    #[test]
    fn a_tree_has_every_field_that_others_rely_on() {
        let project = Project {
            id: ProjectId(Uuid::nil()),
            key: "WEB".into(),
            title: "Website".into(),
            summary: String::new(),
            version: 3,
            process: Process::find("simple").unwrap(),
            time_zone: "UTC".into(),
            next_task: 3,
        };
        let plan = Plan::new(project, ["ana".to_owned()].into(), [task(1, None, &[]), task(2, Some(1), &[1])]);
        let tree = Tree::new(&plan, DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH);
        let value = serde_json::to_value(&tree).unwrap();
        assert_eq!(
            value["tasks"][0]["subtasks"][0],
            json!({
                "id": "00000000-0000-0000-0000-000000000002", "ref": "WEB-2", "project": "WEB", "parent_id": "00000000-0000-0000-0000-000000000001",
                "title": "Task 2", "description": "", "status": "todo", "priority": null, "kind": null, "effort": null, "estimate_minutes": null,
                "assignee": null, "due_on": null, "labels": [], "depends_on": ["WEB-1"], "blocker": null, "acceptance_criteria": [], "references": [],
                "external_refs": {}, "metadata": {}, "subtasks": [],
            })
        );
        assert_eq!(
            value["project"],
            json!({
                "id": "00000000-0000-0000-0000-000000000000", "key": "WEB", "title": "Website", "summary": "", "version": 3, "process": "simple",
                "time_zone": "UTC", "created_at": "1970-01-01T00:00:00Z", "updated_at": "1970-01-01T00:00:00Z",
            })
        );
        assert_eq!(serde_json::from_value::<Tree>(value).unwrap(), tree);
    }
}
