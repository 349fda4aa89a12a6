//! One way to say each patch: nested operations become a flat list with `parent_id`, and white space goes.

use super::{Create, Fault, Field, ListEdit, NewCriterion, ProjectPatch, TaskPatch, Update};

/// A patch without nesting; the operation that people call `n` is `patch.tasks[n - 1]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flat {
    pub patch: ProjectPatch,
    /// Where each operation stood in the patch as it was written. Empty where that was flat.
    origin: Vec<usize>,
    /// The operations as they were written: the one it was nested in, and its place there.
    written: Vec<(Option<usize>, usize)>,
}

impl Flat {
    /// JSON Pointer to an operation in the patch as its author wrote it. Counts from 0.
    pub fn path(&self, index: usize) -> String {
        self.origin.get(index).map_or_else(|| format!("/tasks/{index}"), |at| self.written_path(*at))
    }

    fn written_path(&self, at: usize) -> String {
        match self.written[at] {
            (None, place) => format!("/tasks/{place}"),
            (Some(within), place) => format!("{}/body/subtasks/{place}", self.written_path(within)),
        }
    }

    /// A fault in an operation.
    pub(super) fn fault(&self, index: usize, below: &str, message: impl Into<String>) -> Fault {
        Fault::new(format!("{}{below}", self.path(index)), message)
    }
}

/// Flattens a patch. A create stands after the operation it was nested in; an update that held nothing but `subtasks` goes.
pub fn flatten(mut patch: ProjectPatch) -> Flat {
    if patch.meta_updates.as_ref().is_some_and(super::MetaUpdates::is_empty) {
        patch.meta_updates = None;
    }
    trim_option(&mut patch.note);
    if let Some(title) = patch.meta_updates.as_mut().and_then(|meta| meta.title.as_mut()) {
        trim(title);
    }
    if patch.tasks.iter().all(|task| task.subtasks().is_empty()) {
        patch.tasks.iter_mut().for_each(tidy);
        return Flat { patch, ..Flat::default() };
    }
    let nested = std::mem::take(&mut patch.tasks);
    let mut flat = Flat { patch, ..Flat::default() };
    flat.push(nested, None, None);
    flat
}

impl Flat {
    fn push(&mut self, nested: Vec<TaskPatch>, parent: Option<&str>, within: Option<usize>) {
        for (place, mut task) in nested.into_iter().enumerate() {
            let below = match &mut task {
                TaskPatch::Create(Create { body, .. }) => {
                    if body.parent_id.is_none() {
                        body.parent_id = parent.map(str::to_owned);
                    }
                    body.subtasks.take()
                }
                TaskPatch::Update(Update { body, .. }) => body.subtasks.take(),
                TaskPatch::Delete(_) => None,
            }
            .unwrap_or_default();
            tidy(&mut task);
            let name = task.task_id().to_owned();
            let written = self.written.len();
            self.written.push((within, place));
            let only_holds_others = !below.is_empty() && matches!(&task, TaskPatch::Update(update) if update.body.is_empty());
            if !only_holds_others {
                self.patch.tasks.push(task);
                self.origin.push(written);
            }
            self.push(below, Some(&name), Some(written));
        }
    }
}

fn tidy(task: &mut TaskPatch) {
    match task {
        TaskPatch::Create(Create { body, .. }) => {
            trim(&mut body.title);
            if body.subtasks.as_ref().is_some_and(Vec::is_empty) {
                body.subtasks = None;
            }
            for list in [&mut body.labels, &mut body.depends_on, &mut body.references] {
                if let Some(list) = list {
                    unique(list);
                }
                if list.as_ref().is_some_and(Vec::is_empty) {
                    *list = None;
                }
            }
            for text in [&mut body.description, &mut body.kind, &mut body.assignee, &mut body.blocker] {
                trim_option(text);
            }
            handle(body.assignee.as_mut());
            criteria(body.acceptance_criteria.as_deref_mut());
            if let Some(metadata) = &mut body.metadata {
                // In an update null takes a name away; here there is none to take.
                metadata.retain(|_, value| !value.is_null());
            }
        }
        TaskPatch::Update(Update { body, .. }) => {
            if let Field::Set(title) = &mut body.title {
                trim(title);
            }
            for text in [&mut body.description, &mut body.kind, &mut body.assignee, &mut body.blocker] {
                if let Field::Set(value) = text {
                    trim(value);
                    if value.is_empty() {
                        *text = Field::Clear;
                    }
                }
            }
            if let Field::Set(name) = &mut body.assignee {
                handle(Some(name));
            }
            if body.subtasks.as_ref().is_some_and(Vec::is_empty) {
                body.subtasks = None;
            }
            for list in [&mut body.labels, &mut body.depends_on, &mut body.references] {
                match list {
                    Field::Set(ListEdit::Replace(list)) => unique(list),
                    Field::Set(ListEdit::Change { add, remove }) => {
                        unique(add);
                        unique(remove);
                    }
                    Field::Absent | Field::Clear => {}
                }
            }
            match &mut body.acceptance_criteria {
                Field::Set(ListEdit::Replace(list) | ListEdit::Change { add: list, .. }) => criteria(Some(list)),
                Field::Absent | Field::Clear => {}
            }
        }
        TaskPatch::Delete(_) => {}
    }
}

fn criteria(list: Option<&mut [NewCriterion]>) {
    for criterion in list.into_iter().flatten() {
        trim(&mut criterion.text);
    }
}

/// `@ana` and `ana` are the same member.
fn handle(name: Option<&mut String>) {
    if let Some(name) = name {
        let at = name.len() - name.trim_start_matches('@').len();
        name.drain(..at);
    }
}

fn trim(text: &mut String) {
    if text.trim().len() != text.len() {
        *text = text.trim().to_owned();
    }
}

fn trim_option(text: &mut Option<String>) {
    if let Some(value) = text {
        trim(value);
        if value.is_empty() {
            *text = None;
        }
    }
}

fn unique(list: &mut Vec<String>) {
    let mut at = 0;
    list.retain_mut(|item| {
        trim(item);
        !item.is_empty()
    });
    while at < list.len() {
        if list[..at].contains(&list[at]) {
            list.remove(at);
        } else {
            at += 1;
        }
    }
}
