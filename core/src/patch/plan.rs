//! The plan in memory: a project and its tasks, whole or as much of it as a patch touches.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Criterion, Effort, Priority, ProjectId, Reference, TaskId, process::Process, rank::Rank};

/// A project's own fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    pub id: ProjectId,
    /// `WEB`
    pub key: String,
    pub title: String,
    pub summary: String,
    /// 0 before the first revision.
    pub version: i32,
    pub process: &'static Process,
    /// IANA name.
    pub time_zone: String,
    /// The number that the next task gets.
    pub next_task: i32,
}

/// A task as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    pub id: TaskId,
    /// The number in its reference.
    pub number: i32,
    pub parent: Option<TaskId>,
    pub rank: Rank,
    pub title: String,
    pub status: String,
    pub priority: Option<Priority>,
    pub assignee: Option<String>,
    pub due_on: Option<NaiveDate>,
    pub depends_on: Vec<TaskId>,
    pub detail: Detail,
}

/// The fields of a task that no query asks for; they are stored together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Detail {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort: Option<Effort>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate_minutes: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocker: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acceptance_criteria: Vec<Criterion>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub external_refs: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, Value>,
}

/// A project with its tasks.
///
/// It may be a part of the project: then it holds every task that the patch names, their ancestors, what is below those
/// that move or go, what a new dependency leads to, and the neighbours of each place that changes. Everything
/// that this module answers about the named tasks is then the same as for the whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub project: Project,
    /// The handles that a task can be assigned to.
    pub members: BTreeSet<String>,
    tasks: HashMap<TaskId, Task>,
    by_number: HashMap<i32, TaskId>,
    /// In order.
    children: HashMap<Option<TaskId>, Vec<TaskId>>,
}

impl Plan {
    pub fn new(project: Project, members: BTreeSet<String>, tasks: impl IntoIterator<Item = Task>) -> Self {
        let mut plan = Self { project, members, tasks: HashMap::new(), by_number: HashMap::new(), children: HashMap::new() };
        for task in tasks {
            plan.by_number.insert(task.number, task.id);
            plan.children.entry(task.parent).or_default().push(task.id);
            plan.tasks.insert(task.id, task);
        }
        let tasks = &plan.tasks;
        for siblings in plan.children.values_mut() {
            siblings.sort_by(|a, b| (&tasks[a].rank, a).cmp(&(&tasks[b].rank, b)));
        }
        plan
    }

    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    pub fn get(&self, id: TaskId) -> Option<&Task> {
        self.tasks.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: TaskId) -> Option<&mut Task> {
        self.tasks.get_mut(&id)
    }

    pub fn by_number(&self, number: i32) -> Option<&Task> {
        self.by_number.get(&number).and_then(|id| self.tasks.get(id))
    }

    /// The task that a uuid or a reference names, where it is one of this plan.
    pub fn find(&self, name: &str) -> Option<&Task> {
        if let Some(reference) = Reference::parse(name) {
            return if reference.key == self.project.key { self.by_number(reference.number) } else { None };
        }
        name.parse().ok().and_then(|id| self.get(id))
    }

    /// All tasks, in no order.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.tasks.values()
    }

    /// The tasks right below one (or the root tasks), in order.
    pub fn children(&self, parent: Option<TaskId>) -> &[TaskId] {
        self.children.get(&parent).map_or(&[], Vec::as_slice)
    }

    /// A task's reference, `WEB-7`.
    pub fn reference(&self, task: &Task) -> String {
        format!("{}-{}", self.project.key, task.number)
    }

    /// The reference of a task by id; `?` for one that is not here.
    pub fn reference_of(&self, id: TaskId) -> String {
        self.get(id).map_or_else(|| "?".into(), |task| self.reference(task))
    }

    /// What a task is below, nearest first.
    pub fn ancestors(&self, id: TaskId) -> impl Iterator<Item = &Task> {
        let mut next = self.get(id).and_then(|task| task.parent);
        std::iter::from_fn(move || {
            let task = self.get(next?)?;
            next = task.parent;
            Some(task)
        })
    }

    /// The tasks below one, parents before children, in order.
    pub fn descendants(&self, id: TaskId) -> Vec<TaskId> {
        let mut found = Vec::new();
        let mut stack: Vec<TaskId> = self.children(Some(id)).iter().rev().copied().collect();
        while let Some(id) = stack.pop() {
            found.push(id);
            stack.extend(self.children(Some(id)).iter().rev());
        }
        found
    }

    /// All tasks in the order of the tree with their depth, root tasks at 0.
    pub fn walk(&self) -> Vec<(usize, &Task)> {
        let mut found = Vec::with_capacity(self.tasks.len());
        let mut stack: Vec<(usize, TaskId)> = self.children(None).iter().rev().map(|id| (0, *id)).collect();
        while let Some((depth, id)) = stack.pop() {
            found.push((depth, &self.tasks[&id]));
            stack.extend(self.children(Some(id)).iter().rev().map(|id| (depth + 1, *id)));
        }
        found
    }

    /// The sibling right before a task.
    pub fn previous(&self, task: &Task) -> Option<TaskId> {
        let siblings = self.children(task.parent);
        let at = siblings.iter().position(|id| *id == task.id)?;
        at.checked_sub(1).map(|at| siblings[at])
    }

    /// The tasks that depend on one.
    pub fn dependents(&self, id: TaskId) -> impl Iterator<Item = &Task> {
        self.tasks.values().filter(move |task| task.depends_on.contains(&id))
    }

    pub(super) fn insert(&mut self, task: Task, at: usize) {
        self.by_number.insert(task.number, task.id);
        self.children.entry(task.parent).or_default().insert(at, task.id);
        self.tasks.insert(task.id, task);
    }

    pub(super) fn remove(&mut self, id: TaskId) -> Option<Task> {
        let task = self.tasks.remove(&id)?;
        self.by_number.remove(&task.number);
        self.detach(task.parent, id);
        self.children.remove(&Some(id));
        Some(task)
    }

    /// Puts a task at a place among the children of another.
    pub(super) fn relocate(&mut self, id: TaskId, parent: Option<TaskId>, at: usize, rank: Rank) {
        let from = self.tasks[&id].parent;
        self.detach(from, id);
        self.children.entry(parent).or_default().insert(at, id);
        let task = self.tasks.get_mut(&id).expect("the caller has looked it up");
        task.parent = parent;
        task.rank = rank;
    }

    fn detach(&mut self, parent: Option<TaskId>, id: TaskId) {
        if let Some(siblings) = self.children.get_mut(&parent) {
            siblings.retain(|sibling| *sibling != id);
            if siblings.is_empty() {
                self.children.remove(&parent);
            }
        }
    }

    /// A rank between the neighbours of a place in a list of siblings.
    pub(super) fn rank_at(&self, siblings: &[TaskId], at: usize) -> Rank {
        let before = at.checked_sub(1).and_then(|at| siblings.get(at)).map(|id| &self.tasks[id].rank);
        let after = siblings.get(at).map(|id| &self.tasks[id].rank);
        Rank::between(before, after).expect("siblings stand in the order of different ranks")
    }
}
