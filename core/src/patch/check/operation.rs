//! What can be told from one operation.

use super::{
    super::{Create, Field, ListEdit, TaskPatch, UpdateBody, fault::either, plan::Task},
    Checker, Node, Resolved,
    fields::{MAX_LINE, MAX_TEXT, MAX_WORD},
};

impl Checker<'_> {
    /// Checks an operation by itself, and resolves its names. One on a task that is not there stands for itself, so
    /// that the others can still be checked.
    pub(super) fn operation(&mut self, index: usize) -> Resolved {
        let flat = self.flat;
        let nowhere = Resolved { node: Node::New(index), parent: None, after: None, depends_on: None };
        match &flat.patch.tasks[index] {
            TaskPatch::Create(create) => self.create(index, create),
            TaskPatch::Update(update) => match self.existing(index, &update.task_id) {
                Some(task) => self.update(index, task, &update.body),
                None => nowhere,
            },
            TaskPatch::Delete(delete) => match self.existing(index, &delete.task_id) {
                Some(task) => Resolved { node: Node::Task(task.id), ..nowhere },
                None => nowhere,
            },
        }
    }

    fn create(&mut self, index: usize, create: &Create) -> Resolved {
        let body = &create.body;
        self.title(index, &body.title);
        if let Some(status) = &body.status
            && self.plan.project.process.step(status).is_none()
        {
            self.no_such_step(index, status);
        }
        self.text(index, "description", body.description.as_deref(), MAX_TEXT);
        self.text(index, "kind", body.kind.as_deref(), MAX_WORD);
        self.text(index, "blocker", body.blocker.as_deref(), MAX_LINE);
        self.minutes(index, body.estimate_minutes);
        self.assignee(index, body.assignee.as_deref());
        self.list(index, "labels", body.labels.as_deref(), MAX_WORD);
        self.list(index, "references", body.references.as_deref(), MAX_LINE);
        if let Some(list) = &body.acceptance_criteria {
            self.criteria(index, "acceptance_criteria", list, 0);
        }
        if let Some(refs) = &body.external_refs {
            self.external_refs(index, refs.iter().map(|(key, value)| (key, Some(value))));
        }
        if let Some(metadata) = &body.metadata {
            self.metadata(index, metadata);
        }
        Resolved {
            node: Node::New(index),
            parent: match &body.parent_id {
                None => Some(None),
                Some(name) => self.node(index, "/body/parent_id", name).map(Some),
            },
            after: self.place(index, "/body/after", &body.after),
            depends_on: body.depends_on.as_ref().map(|names| self.nodes(index, names)),
        }
    }

    fn update(&mut self, index: usize, task: &Task, body: &UpdateBody) -> Resolved {
        match &body.title {
            Field::Absent => {}
            Field::Clear => self.title(index, ""),
            Field::Set(title) => self.title(index, title),
        }
        self.text(index, "description", body.description.set().map(String::as_str), MAX_TEXT);
        self.text(index, "kind", body.kind.set().map(String::as_str), MAX_WORD);
        self.text(index, "blocker", body.blocker.set().map(String::as_str), MAX_LINE);
        self.minutes(index, body.estimate_minutes.set().copied());
        self.assignee(index, body.assignee.set().map(String::as_str));
        self.edited_list(index, "labels", &body.labels, &task.detail.labels, MAX_WORD);
        self.edited_list(index, "references", &body.references, &task.detail.references, MAX_LINE);
        self.edited_criteria(index, task, body);
        if let Some(refs) = body.external_refs.set() {
            self.external_refs(index, refs.iter().map(|(key, value)| (key, value.as_ref())));
        }
        if let Some(metadata) = body.metadata.set() {
            self.metadata(index, metadata);
        }
        Resolved {
            node: Node::Task(task.id),
            parent: self.place(index, "/body/parent_id", &body.parent_id),
            after: self.place(index, "/body/after", &body.after),
            depends_on: self.depend(index, task, &body.depends_on),
        }
    }

    fn edited_criteria(&mut self, index: usize, task: &Task, body: &UpdateBody) {
        match body.acceptance_criteria.set() {
            None => {}
            Some(ListEdit::Replace(list)) => self.criteria(index, "acceptance_criteria", list, 0),
            Some(ListEdit::Change { add, remove }) => {
                let present = &task.detail.acceptance_criteria;
                let known = |id: &str| present.iter().any(|criterion| criterion.id == id);
                let replaced = |id: &str| add.iter().any(|criterion| criterion.id.as_deref() == Some(id));
                let kept = present.iter().filter(|criterion| !remove.contains(&criterion.id) && !replaced(&criterion.id)).count();
                self.criteria(index, "acceptance_criteria/add", add, kept);
                for (at, id) in remove.iter().enumerate().filter(|(_, id)| !known(id)) {
                    let message = format!("{} has no criterion `{id}`", self.plan.reference(task));
                    let fault = self.fault(index, &format!("/body/acceptance_criteria/remove/{at}"), message);
                    fault.expected = (!present.is_empty()).then(|| either(present.iter().map(|criterion| &criterion.id)));
                }
            }
        }
    }
}
