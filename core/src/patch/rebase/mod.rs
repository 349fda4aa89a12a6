//! Rebase: a patch that was made for an older plan, merged field by field with what the plan has become.
//!
//! A three-way merge of *base* (what the author looked at), *theirs* (the plan now) and *ours* (the patch). A rebase rewrites
//! neither the base nor the patch that it starts from, so that rebasing once more, later, gives what rebasing once gives.

mod body;
mod field;
mod settle;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Delete, Fault, Field, ListEdit, MetaUpdates, ProjectPatch, SubtasksGo, TaskId, TaskPatch,
    check::{self, Checked, Rules},
    normalise,
    plan::{Plan, Task},
};

pub use settle::{Choice, settle};

/// What the author of a patch looked at: as much of the plan as the patch touches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Base {
    /// The version that was looked at.
    pub version: i32,
    pub title: String,
    pub summary: String,
    pub time_zone: String,
    pub tasks: Vec<Task>,
}

impl Base {
    pub fn of(plan: &Plan) -> Self {
        let mut tasks: Vec<Task> = plan.tasks().cloned().collect();
        tasks.sort_by_key(|task| task.number);
        Self {
            version: plan.project.version,
            title: plan.project.title.clone(),
            summary: plan.project.summary.clone(),
            time_zone: plan.project.time_zone.clone(),
            tasks,
        }
    }

    /// As much of a whole plan as a patch touches: the tasks that it names, what is above and below them, what they wait for and
    /// what waits for them, and their neighbours.
    pub fn around(plan: &Plan, patch: &ProjectPatch) -> Self {
        let mut picked: BTreeSet<TaskId> = BTreeSet::new();
        let every = patch.tasks.iter().flat_map(|task| std::iter::once(task.task_id()).chain(names(task)).chain(after(task)));
        for task in every.filter_map(|name| plan.find(name)) {
            picked.insert(task.id);
            picked.extend(plan.ancestors(task.id).map(|task| task.id));
            picked.extend(plan.descendants(task.id));
            picked.extend(plan.previous(task));
        }
        let near: Vec<TaskId> = picked.iter().flat_map(|id| plan.dependents(*id).map(|task| task.id)).collect();
        picked.extend(near);
        let ahead: Vec<TaskId> = picked.iter().filter_map(|id| plan.get(*id)).flat_map(|task| task.depends_on.iter().copied()).collect();
        picked.extend(ahead);
        let mut base = Self::of(plan);
        base.tasks.retain(|task| picked.contains(&task.id));
        base
    }

    /// As a plan of the project that it was taken from.
    pub fn plan(&self, now: &Plan) -> Plan {
        let mut project = now.project.clone();
        project.title.clone_from(&self.title);
        project.summary.clone_from(&self.summary);
        project.time_zone.clone_from(&self.time_zone);
        Plan::new(project, now.members.clone(), self.tasks.iter().cloned())
    }
}

/// Where a patch clashes with what others did since.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conflict {
    /// From 1: what people settle it by.
    pub number: usize,
    /// The operation as its author wrote it, from 1; 0 for the project's own fields and for the patch as a whole.
    pub operation: usize,
    /// JSON Pointer into the patch as its author wrote it.
    pub path: String,
    /// The task by reference or temporary name, or the project's key.
    pub task: String,
    /// What the author looked at.
    pub base: Value,
    /// What it is now.
    pub theirs: Value,
    /// What the patch wants.
    pub ours: Value,
    pub why: String,
    /// How it can be settled.
    pub choices: Vec<Way>,
    /// Who made it what it is now.
    pub by: Option<Blame>,
}

/// The change of somebody else that a patch clashes with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Blame {
    pub actor: String,
    pub at: DateTime<Utc>,
    pub revision: i32,
}

/// A way to settle a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Way {
    /// As the patch wants it.
    Ours,
    /// As it is now.
    Theirs,
    /// Another value.
    Value,
}

/// A patch for the plan as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Rebased {
    /// What is not in conflict; it has passed the gate.
    pub checked: Checked,
    /// For each operation of it the one (from 0) that it was.
    pub origin: Vec<usize>,
    /// The operations of it (from 0) whose outcome is not the one that was shown.
    pub touched: BTreeSet<usize>,
    pub conflicts: Vec<Conflict>,
}

impl Rebased {
    /// Whether there is nothing left to do: the plan is so already.
    pub fn is_empty(&self) -> bool {
        self.checked.tasks().is_empty() && self.checked.flat.patch.meta_updates.is_none()
    }
}

/// Rebases a flat patch that has passed the gate on `base`.
pub fn rebase(base: &Plan, patch: &ProjectPatch, now: &Plan, rules: &Rules) -> Rebased {
    let mut merger = Merger::new(base, patch, now);
    let meta_updates = patch.meta_updates.as_ref().map(|meta| merger.meta(meta)).filter(|meta| !meta.is_empty());
    let mut kept: Vec<Kept> = Vec::with_capacity(patch.tasks.len());
    for (index, operation) in patch.tasks.iter().enumerate() {
        merger.index = index;
        merger.is_touched = false;
        if let Some(task) = merger.operation(operation) {
            kept.push(Kept { index, task, is_touched: merger.is_touched });
        }
    }
    let whole = ProjectPatch { base_version: Some(now.project.version), meta_updates, tasks: Vec::new(), ..patch.clone() };
    let mut conflicts = merger.conflicts;
    let checked = loop {
        drop_dependents(patch, now, &mut kept);
        let tasks = kept.iter().map(|kept| kept.task.clone()).collect();
        match check::check(now, normalise::flatten(ProjectPatch { tasks, ..whole.clone() }), rules) {
            Ok(checked) => break checked,
            Err(faults) => misfits(patch, now, &faults, &mut kept, &mut conflicts),
        }
    };
    conflicts.sort_by_key(|conflict| conflict.operation);
    for (at, conflict) in conflicts.iter_mut().enumerate() {
        conflict.number = at + 1;
    }
    Rebased {
        checked,
        origin: kept.iter().map(|kept| kept.index).collect(),
        touched: kept.iter().enumerate().filter(|(_, kept)| kept.is_touched).map(|(at, _)| at).collect(),
        conflicts,
    }
}

/// An operation that goes on.
struct Kept {
    index: usize,
    task: TaskPatch,
    is_touched: bool,
}

/// Leaves out what hangs on a new task that is not made for now.
fn drop_dependents(patch: &ProjectPatch, now: &Plan, kept: &mut Vec<Kept>) {
    loop {
        let made: HashSet<&str> = kept.iter().filter_map(|kept| new_name(&kept.task)).collect();
        let is_missing = |name: &&str| !made.contains(name) && now.find(name).is_none();
        let missing: HashSet<String> = patch.tasks.iter().filter_map(new_name).filter(is_missing).map(str::to_owned).collect();
        let before = kept.len();
        kept.retain(|kept| !names(&kept.task).any(|name| missing.contains(name)));
        if kept.len() == before {
            for kept in kept {
                let after = match &mut kept.task {
                    TaskPatch::Create(create) => &mut create.body.after,
                    TaskPatch::Update(update) => &mut update.body.after,
                    TaskPatch::Delete(_) => continue,
                };
                if after.set().is_some_and(|name| missing.contains(name)) {
                    *after = Field::Absent;
                }
            }
            return;
        }
    }
}

/// The name of the task that an operation makes: a temporary one, or the reference of a task that comes back.
fn new_name(task: &TaskPatch) -> Option<&str> {
    match task {
        TaskPatch::Create(create) => Some(&create.task_id),
        TaskPatch::Update(_) | TaskPatch::Delete(_) => None,
    }
}

/// The tasks that an operation cannot do without.
fn names(task: &TaskPatch) -> Box<dyn Iterator<Item = &str> + '_> {
    match task {
        TaskPatch::Create(create) => Box::new(create.body.parent_id.iter().chain(create.body.depends_on.iter().flatten()).map(String::as_str)),
        TaskPatch::Update(update) => Box::new(update.body.parent_id.set().into_iter().chain(added(&update.body.depends_on)).map(String::as_str)),
        TaskPatch::Delete(_) => Box::new(std::iter::empty()),
    }
}

fn after(task: &TaskPatch) -> Option<&str> {
    let after = match task {
        TaskPatch::Create(create) => &create.body.after,
        TaskPatch::Update(update) => &update.body.after,
        TaskPatch::Delete(_) => return None,
    };
    after.set().map(String::as_str)
}

fn added(edit: &Field<ListEdit<String>>) -> &[String] {
    match edit.set() {
        Some(ListEdit::Replace(list) | ListEdit::Change { add: list, .. }) => list,
        None => &[],
    }
}

/// What is harmless by itself and not together: the gate's faults as conflicts.
fn misfits(patch: &ProjectPatch, now: &Plan, faults: &[Fault], kept: &mut Vec<Kept>, conflicts: &mut Vec<Conflict>) {
    let mut out = BTreeSet::new();
    for fault in faults {
        let mut segments = fault.path.splitn(4, '/').skip(1);
        let at = segments.next().filter(|first| *first == "tasks").and_then(|_| segments.next()).and_then(|at| at.parse::<usize>().ok());
        let why = fault.found.as_ref().map_or_else(|| fault.message.clone(), |found| format!("{} ({found})", fault.message));
        let Some((at, operation)) = at.and_then(|at| Some((at, kept.get(at)?))) else {
            // It is the patch as a whole that does not fit: no part of it is left to blame.
            conflicts.push(Conflict {
                number: 0,
                operation: 0,
                path: String::new(),
                task: now.project.key.clone(),
                base: Value::Null,
                theirs: Value::Null,
                ours: Value::Null,
                why,
                choices: Vec::new(),
                by: None,
            });
            out.extend(0..kept.len());
            continue;
        };
        if !out.insert(at) {
            continue;
        }
        let below = segments.next().unwrap_or_default();
        let field = below.strip_prefix("body/").map(|field| field.split('/').next().unwrap_or(field));
        let place = field.map_or_else(|| format!("/tasks/{}", operation.index), |field| format!("/tasks/{}/body/{field}", operation.index));
        let ours = json!(patch.tasks[operation.index]);
        let ours = field.and_then(|field| ours.pointer(&format!("/body/{field}"))).cloned().unwrap_or(Value::Null);
        conflicts.push(Conflict {
            number: 0,
            operation: operation.index + 1,
            path: place,
            task: operation.task.task_id().to_owned(),
            base: Value::Null,
            theirs: Value::Null,
            ours,
            why,
            choices: if field.is_some() { vec![Way::Theirs, Way::Value] } else { vec![Way::Theirs] },
            by: None,
        });
    }
    let mut at = 0;
    kept.retain(|_| {
        at += 1;
        !out.contains(&(at - 1))
    });
}

struct Merger<'a> {
    base: &'a Plan,
    now: &'a Plan,
    /// The names of the tasks that the patch makes.
    new: HashSet<&'a str>,
    /// The tasks that the patch gives another parent, by reference.
    moved: HashSet<String>,
    conflicts: Vec<Conflict>,
    /// The present operation, from 0.
    index: usize,
    is_touched: bool,
}

/// What a task will be below.
#[derive(Clone, Debug, PartialEq)]
enum Target {
    Task(Option<TaskId>),
    New,
    /// That is in conflict itself.
    Open,
}

impl<'a> Merger<'a> {
    fn new(base: &'a Plan, patch: &'a ProjectPatch, now: &'a Plan) -> Self {
        let moved = patch.tasks.iter().filter_map(|task| match task {
            TaskPatch::Update(update) if !update.body.parent_id.is_absent() => now.find(&update.task_id).map(|task| now.reference(task)),
            _ => None,
        });
        Self {
            base,
            now,
            new: patch.tasks.iter().filter_map(new_name).filter(|name| now.find(name).is_none()).collect(),
            moved: moved.collect(),
            conflicts: Vec::new(),
            index: 0,
            is_touched: false,
        }
    }

    fn operation(&mut self, operation: &TaskPatch) -> Option<TaskPatch> {
        match operation {
            TaskPatch::Create(create) => self.create(create).map(TaskPatch::Create),
            TaskPatch::Update(update) => self.update(update).map(TaskPatch::Update),
            TaskPatch::Delete(delete) => self.delete(delete).map(TaskPatch::Delete),
        }
    }

    fn conflict(&mut self, below: &str, task: impl Into<String>, values: [Value; 3], why: impl Into<String>, choices: &[Way]) {
        let [base, theirs, ours] = values;
        self.conflicts.push(Conflict {
            number: 0,
            operation: self.index + 1,
            path: format!("/tasks/{}{below}", self.index),
            task: task.into(),
            base,
            theirs,
            ours,
            why: why.into(),
            choices: choices.to_vec(),
            by: None,
        });
    }

    fn meta(&mut self, ours: &MetaUpdates) -> MetaUpdates {
        let (base, now) = (&self.base.project, &self.now.project);
        let mut merged = ours.clone();
        for (field, edit, base, now) in [
            ("title", &mut merged.title, &base.title, &now.title),
            ("summary", &mut merged.summary, &base.summary, &now.summary),
            ("time_zone", &mut merged.time_zone, &base.time_zone, &now.time_zone),
        ] {
            let Some(wanted) = edit.as_ref().filter(|_| base != now) else { continue };
            if wanted == now {
                *edit = None;
            } else if let Some(lines) = (field == "summary").then(|| field::lines(base, wanted, now)).flatten() {
                *edit = Some(lines);
            } else {
                self.conflicts.push(Conflict {
                    number: 0,
                    operation: 0,
                    path: format!("/meta_updates/{field}"),
                    task: self.now.project.key.clone(),
                    base: json!(base),
                    theirs: json!(now),
                    ours: json!(wanted),
                    why: format!("the project's {} was changed", field.replace('_', " ")),
                    choices: vec![Way::Ours, Way::Theirs, Way::Value],
                    by: None,
                });
                *edit = None;
            }
        }
        merged
    }

    fn delete(&mut self, delete: &Delete) -> Option<Delete> {
        let Some(now) = self.now.find(&delete.task_id) else {
            self.kept_below(delete);
            return None;
        };
        let mut changes = Vec::new();
        let mut goes = vec![now.id];
        if delete.body.subtasks_go == SubtasksGo::WithIt {
            goes.extend(self.now.descendants(now.id));
        }
        let was_below = |id| id == now.id || self.base.ancestors(id).any(|above| above.id == now.id);
        for id in &goes {
            let Some(task) = self.now.get(*id) else { continue };
            let reference = self.now.reference(task);
            match self.base.get(*id).filter(|task| was_below(task.id)) {
                None => changes.push(format!("{reference} was added below it")),
                Some(before) => {
                    let fields = field::changed(before, task);
                    if !fields.is_empty() {
                        changes.push(format!("{} of {reference} was changed", fields.join(", ")));
                    }
                }
            }
        }
        if delete.body.subtasks_go == SubtasksGo::WithIt {
            let moved = self.base.descendants(now.id).into_iter().filter_map(|id| self.now.get(id)).filter(|task| !goes.contains(&task.id));
            changes.extend(moved.map(|task| format!("{} was moved away from below it", self.now.reference(task))));
        }
        let waiting: BTreeMap<i32, String> = goes
            .iter()
            .filter(|id| was_below(**id))
            .flat_map(|id| self.now.dependents(*id).map(move |task| (*id, task)))
            .filter(|(id, task)| !goes.contains(&task.id) && self.base.get(task.id).is_none_or(|before| !before.depends_on.contains(id)))
            .map(|(id, task)| (task.number, format!("{} waits for {} now", self.now.reference(task), self.now.reference_of(id))))
            .collect();
        changes.extend(waiting.into_values());
        if changes.is_empty() {
            return Some(delete.clone());
        }
        let reference = self.now.reference(now);
        let values = [Value::Null, json!(changes), json!("delete")];
        self.conflict("", reference.clone(), values, format!("{reference} changed since: {}", changes.join("; ")), &[Way::Ours, Way::Theirs]);
        None
    }

    /// It is deleted already; but what was to go with it may have been kept.
    fn kept_below(&mut self, delete: &Delete) {
        let Some(gone) = self.base.find(&delete.task_id).filter(|_| delete.body.subtasks_go == SubtasksGo::WithIt) else { return };
        let kept: Vec<String> = self
            .base
            .descendants(gone.id)
            .into_iter()
            .filter_map(|id| self.now.get(id))
            .map(|task| self.now.reference(task))
            .filter(|name| !self.moved.contains(name))
            .collect();
        if !kept.is_empty() {
            let name = self.base.reference(gone);
            let why = format!("{name} was deleted without {}, which would have gone with it", kept.join(", "));
            self.conflict("", name, [json!(gone.title), json!(kept), json!("delete")], why, &[Way::Theirs]);
        }
    }

    /// The place in the order, which is never a reason to disagree: where the sibling has gone, the one before it.
    fn after(&self, own: Option<TaskId>, after: &Field<String>, target: &Target) -> Field<String> {
        let Field::Set(name) = after else { return after.clone() };
        if self.new.contains(name.as_str()) {
            return after.clone();
        }
        let fits = |task: &Task| match target {
            Target::Task(parent) => task.parent == *parent && Some(task.id) != own,
            Target::New | Target::Open => false,
        };
        let mut at = self.base.find(name).or_else(|| self.now.find(name)).map(|task| task.id);
        let mut is_first_look = true;
        while let Some(id) = at {
            if let Some(task) = self.now.get(id) {
                if is_first_look && (self.moved.contains(&self.now.reference(task)) || fits(task)) {
                    return after.clone();
                }
                if fits(task) {
                    return Field::Set(self.now.reference(task));
                }
            } else if is_first_look && *target == Target::New {
                return Field::Absent;
            }
            is_first_look = false;
            at = self.base.get(id).and_then(|task| self.base.previous(task));
        }
        Field::Absent
    }
}
