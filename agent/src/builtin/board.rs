//! The patch while it is being made: the draft that is refined, or an empty one.

use patchbay_core::patch::{
    Create, CreateBody, Delete, DeleteBody, Field, MetaUpdates, ProjectPatch, SubtasksGo, TaskId, TaskPatch, Update, UpdateBody, plan::Task,
};

use super::{check, not_understood};
use crate::planner::{Context, Outcome};

/// A task that an edit is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// One that the draft makes, by its temporary name.
    New(String),
    Task(TaskId),
    /// A task that exists, named by the number of the operation that changes it.
    Operation(TaskId),
}

/// The patch, with the plan that it is for.
pub(super) struct Board<'c> {
    pub(super) context: &'c Context,
    pub(super) focus: Option<TaskId>,
    pub(super) operations: Vec<TaskPatch>,
    pub(super) meta: Option<MetaUpdates>,
    /// What was spoken of last: "it".
    pub(super) last: Vec<Target>,
    /// What could not be understood, in the message's words.
    pub(super) missed: Vec<String>,
    named: usize,
}

impl<'c> Board<'c> {
    pub(super) fn new(context: &'c Context, focus: Option<TaskId>) -> Self {
        let patch = context.draft.as_ref().map(|draft| draft.patch.clone()).unwrap_or_default();
        Self { context, focus, operations: patch.tasks, meta: patch.meta_updates, last: Vec::new(), missed: Vec::new(), named: 0 }
    }

    /// Whether there is a draft to change.
    pub(super) fn is_refining(&self) -> bool {
        self.context.draft.is_some()
    }

    /// Whether the project is yet to be made.
    pub(super) fn is_new_project(&self) -> bool {
        self.context.plan.project.version == 0
    }

    /// What stands where a new task is put when nothing else is said.
    pub(super) fn parent(&self) -> Option<String> {
        self.focus.map(|id| self.context.plan.reference_of(id))
    }

    fn fresh_name(&mut self) -> String {
        loop {
            self.named += 1;
            let name = format!("t{}", self.named);
            if !self.operations.iter().any(|operation| operation.task_id() == name) {
                return name;
            }
        }
    }

    /// Adds a task behind the operation `at`, or at the end.
    pub(super) fn create(&mut self, body: CreateBody, at: Option<usize>) -> String {
        let name = self.fresh_name();
        let operation = TaskPatch::Create(Create { task_id: name.clone(), id: None, body });
        match at {
            Some(at) if at < self.operations.len() => self.operations.insert(at, operation),
            _ => self.operations.push(operation),
        }
        name
    }

    /// Where a new task is made.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.operations.iter().position(|operation| matches!(operation, TaskPatch::Create(create) if create.task_id == name))
    }

    /// A new task's fields.
    pub(super) fn new_body(&mut self, name: &str) -> Option<&mut CreateBody> {
        self.operations.iter_mut().find_map(|operation| match operation {
            TaskPatch::Create(create) if create.task_id == name => Some(&mut create.body),
            _ => None,
        })
    }

    /// The changes of a task that exists.
    pub(super) fn update(&mut self, id: TaskId) -> &mut UpdateBody {
        let reference = self.context.plan.reference_of(id);
        let is_it =
            |operation: &TaskPatch| matches!(operation, TaskPatch::Update(update) if self.context.plan.find(&update.task_id).is_some_and(|task| task.id == id));
        let at = self.operations.iter().position(is_it).unwrap_or_else(|| {
            self.operations.push(TaskPatch::Update(Update { task_id: reference, body: UpdateBody::default() }));
            self.operations.len() - 1
        });
        match &mut self.operations[at] {
            TaskPatch::Update(update) => &mut update.body,
            TaskPatch::Create(_) | TaskPatch::Delete(_) => unreachable!("the position is an update's"),
        }
    }

    /// The target's name in the patch.
    pub(super) fn name(&self, target: &Target) -> String {
        match target {
            Target::New(name) => name.clone(),
            Target::Task(id) | Target::Operation(id) => self.context.plan.reference_of(*id),
        }
    }

    pub(super) fn task(&self, target: &Target) -> Option<&'c Task> {
        match target {
            Target::New(_) => None,
            Target::Task(id) | Target::Operation(id) => self.context.plan.get(*id),
        }
    }

    /// The title as it will be.
    pub(super) fn title(&self, target: &Target) -> String {
        match target {
            Target::New(name) => self
                .operations
                .iter()
                .find_map(|operation| match operation {
                    TaskPatch::Create(create) if create.task_id == *name => Some(create.body.title.clone()),
                    _ => None,
                })
                .unwrap_or_default(),
            Target::Task(id) | Target::Operation(id) => {
                let changed = self.operations.iter().find_map(|operation| match operation {
                    TaskPatch::Update(update) if self.context.plan.find(&update.task_id).is_some_and(|task| task.id == *id) => update.body.title.set().cloned(),
                    _ => None,
                });
                changed.unwrap_or_else(|| self.context.plan.get(*id).map(|task| task.title.clone()).unwrap_or_default())
            }
        }
    }

    /// Everything that can be spoken of: what the draft makes, then what exists and is not about to go.
    pub(super) fn targets(&self) -> Vec<Target> {
        let new = self.operations.iter().filter_map(|operation| match operation {
            TaskPatch::Create(create) => Some(Target::New(create.task_id.clone())),
            _ => None,
        });
        let gone = |id: TaskId| {
            self.operations
                .iter()
                .any(|operation| matches!(operation, TaskPatch::Delete(delete) if self.context.plan.find(&delete.task_id).is_some_and(|task| task.id == id)))
        };
        let tasks = self.context.plan.walk();
        new.chain(tasks.into_iter().map(|(_, task)| task.id).filter(|id| !gone(*id)).map(Target::Task)).collect()
    }

    /// What numbers and "the first" count: the draft's operations, else the tasks of this level.
    pub(super) fn numbered(&self) -> Vec<Target> {
        if self.is_refining() {
            return self
                .operations
                .iter()
                .filter_map(|operation| match operation {
                    TaskPatch::Create(create) => Some(Target::New(create.task_id.clone())),
                    other => self.context.plan.find(other.task_id()).map(|task| Target::Operation(task.id)),
                })
                .collect();
        }
        self.context.plan.children(self.focus).iter().map(|id| Target::Task(*id)).collect()
    }

    /// Takes a task out of the plan, or an operation out of the draft.
    pub(super) fn remove(&mut self, target: &Target, heir: Option<&str>) {
        match target {
            Target::New(name) => {
                let parent = self.new_body(name).and_then(|body| body.parent_id.clone());
                self.operations.retain(|operation| !matches!(operation, TaskPatch::Create(create) if create.task_id == *name));
                self.redirect(name, heir, parent.as_deref());
            }
            Target::Operation(id) => {
                let reference = self.context.plan.reference_of(*id);
                let id = id.0.to_string();
                self.operations.retain(|operation| operation.task_id() != reference && operation.task_id() != id);
            }
            Target::Task(id) => {
                let reference = self.context.plan.reference_of(*id);
                self.operations.retain(|operation| operation.task_id() != reference);
                let body = DeleteBody { subtasks_go: if heir.is_some() { SubtasksGo::Up } else { SubtasksGo::WithIt } };
                self.operations.push(TaskPatch::Delete(Delete { task_id: reference, body }));
            }
        }
    }

    /// Whatever named a new task that goes names its heir, or nothing.
    fn redirect(&mut self, gone: &str, heir: Option<&str>, parent: Option<&str>) {
        for operation in &mut self.operations {
            let TaskPatch::Create(create) = operation else { continue };
            let body = &mut create.body;
            if body.parent_id.as_deref() == Some(gone) {
                body.parent_id = heir.or(parent).map(str::to_owned);
            }
            if body.after.set().is_some_and(|after| after == gone) {
                body.after = heir.map_or(Field::Absent, |heir| Field::Set(heir.to_owned()));
            }
            if let Some(waits_for) = &mut body.depends_on {
                let had = waits_for.len();
                waits_for.retain(|name| name != gone);
                if let Some(heir) = heir.filter(|heir| had > waits_for.len() && create.task_id != *heir && !waits_for.iter().any(|name| name == heir)) {
                    waits_for.push(heir.to_owned());
                }
                if waits_for.is_empty() {
                    body.depends_on = None;
                }
            }
        }
    }

    /// The patch, through the gates.
    pub(super) fn finish(self, say: String) -> Outcome {
        let Self { context, focus, mut operations, meta, missed, .. } = self;
        operations.retain(|operation| !matches!(operation, TaskPatch::Update(update) if update.body.is_empty()));
        let base_version = context.draft.as_ref().map_or(Some(context.plan.project.version), |draft| draft.patch.base_version);
        let project_id = (context.plan.project.version > 0).then(|| context.plan.project.key.clone());
        let patch = ProjectPatch { project_id, base_version, meta_updates: meta, tasks: operations, ..ProjectPatch::default() };
        if patch.tasks.is_empty() && patch.meta_updates.as_ref().is_none_or(MetaUpdates::is_empty) {
            return not_understood(context, focus, "That would leave nothing of the proposal; reject it instead, or tell me what it should hold.".to_owned());
        }
        if context.draft.as_ref().is_some_and(|draft| draft.patch.tasks == patch.tasks && draft.patch.meta_updates == patch.meta_updates) {
            return Outcome::Answer("The proposal is so already; nothing has changed.".to_owned());
        }
        if let Err(faults) = check(context, &patch) {
            let told: Vec<_> = faults
                .iter()
                .take(3)
                .map(|fault| fault.fix.as_ref().map_or_else(|| fault.message.clone(), |fix| format!("{} ({fix})", fault.message)))
                .collect();
            return not_understood(context, focus, format!("I understood you, but it does not fit: {}. Nothing has changed.", told.join("; ")));
        }
        let say = match missed.as_slice() {
            [] => say,
            missed => format!(
                "{say}\n\nI did not understand {}; the rest is in the proposal.",
                missed.iter().map(|part| format!("\"{part}\"")).collect::<Vec<_>>().join(" and ")
            ),
        };
        Outcome::Patch { patch: Box::new(patch), say }
    }
}
