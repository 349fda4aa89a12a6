//! What a patch names, which tells how much of the plan it needs.

use crate::patch::{Field, ListEdit, ProjectPatch, Reference, TaskId, TaskPatch};

/// The tasks that a patch names.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) numbers: Vec<i32>,
    pub(super) ids: Vec<TaskId>,
    /// Tasks that are only looked at: nothing is done to them, or beside them, that is not named above.
    pub(super) seen: Vec<TaskId>,
    /// Those that move or go: what is below them matters too.
    pub(super) structural_numbers: Vec<i32>,
    pub(super) structural_ids: Vec<TaskId>,
    /// Whether something comes to depend on something.
    pub(super) dependencies: bool,
    /// Whether somebody is assigned, so that the members matter.
    pub(super) assignee: bool,
    /// Whether something comes first among its siblings.
    first: bool,
}

impl Names {
    /// Whether the patch needs tasks of the plan, other than the last root task, to be checked.
    pub(super) fn any(&self) -> bool {
        self.first || !self.numbers.is_empty() || !self.ids.is_empty() || !self.seen.is_empty()
    }

    /// These tasks, with what is below them.
    pub(super) fn all_of(tasks: &[String], key: &str) -> Self {
        let mut names = Self::default();
        for task in tasks {
            names.name(task, key);
            names.structural(task, key);
        }
        names
    }

    /// Reads a flat patch.
    pub(super) fn of(patch: &ProjectPatch, key: &str) -> Self {
        let mut names = Self::default();
        for operation in &patch.tasks {
            names.operation(operation, key);
        }
        names
    }

    fn operation(&mut self, operation: &TaskPatch, key: &str) {
        match operation {
            TaskPatch::Create(create) => {
                let body = &create.body;
                self.all(body.parent_id.iter().chain(body.depends_on.iter().flatten()), key);
                // A temporary name may look like a reference of a task: then it must be known that it is one.
                self.name(&create.task_id, key);
                self.after(&body.after, key);
                self.dependencies |= body.depends_on.is_some();
                self.assignee |= body.assignee.is_some();
            }
            TaskPatch::Update(update) => {
                let body = &update.body;
                self.name(&update.task_id, key);
                self.all(body.parent_id.set(), key);
                if !body.parent_id.is_absent() || !body.after.is_absent() {
                    self.structural(&update.task_id, key);
                }
                self.after(&body.after, key);
                match body.depends_on.set() {
                    Some(ListEdit::Replace(list)) => self.all(list, key),
                    Some(ListEdit::Change { add, remove }) => self.all(add.iter().chain(remove), key),
                    None => {}
                }
                self.dependencies |= !body.depends_on.is_absent();
                self.assignee |= body.assignee.set().is_some();
            }
            TaskPatch::Delete(delete) => {
                self.name(&delete.task_id, key);
                self.structural(&delete.task_id, key);
            }
        }
    }

    fn after(&mut self, after: &Field<String>, key: &str) {
        self.first |= matches!(after, Field::Clear);
        self.all(after.set(), key);
    }

    fn all<'a>(&mut self, names: impl IntoIterator<Item = &'a String>, key: &str) {
        names.into_iter().for_each(|name| self.name(name, key));
    }

    fn name(&mut self, name: &str, key: &str) {
        put(name, key, &mut self.numbers, &mut self.ids);
    }

    fn structural(&mut self, name: &str, key: &str) {
        put(name, key, &mut self.structural_numbers, &mut self.structural_ids);
    }
}

fn put(name: &str, key: &str, numbers: &mut Vec<i32>, ids: &mut Vec<TaskId>) {
    if let Some(reference) = Reference::parse(name) {
        if reference.key == key && !numbers.contains(&reference.number) {
            numbers.push(reference.number);
        }
    } else if let Ok(id) = name.parse()
        && !ids.contains(&id)
    {
        ids.push(id);
    }
}
