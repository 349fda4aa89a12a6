//! The merge of the operations that make and change tasks.

use serde_json::{Value, json};

use super::{
    super::{
        Create, Field, ListEdit, Update, UpdateBody,
        plan::{Plan, Task},
    },
    Merger, Target, Way, added,
    field::{Entries, Sides},
};

impl Merger<'_> {
    pub(super) fn create(&mut self, create: &Create) -> Option<Create> {
        if create.id.is_some_and(|id| self.now.get(id).is_some()) {
            // Somebody brought it back already.
            return None;
        }
        let mut create = create.clone();
        let body = &mut create.body;
        let target = match &body.parent_id {
            None => Target::Task(None),
            Some(name) => self.target(name),
        };
        if let (Target::Open, Some(parent)) = (&target, &body.parent_id) {
            let why = format!("{parent}, which it would be part of, was deleted");
            self.conflict("/body/parent_id", create.task_id.clone(), [json!(parent), Value::Null, json!(parent)], why, &[Way::Theirs, Way::Value]);
            return None;
        }
        body.after = self.after(None, &body.after, &target);
        let gone = self.gone(body.depends_on.as_deref().unwrap_or_default());
        if !gone.is_empty() {
            self.gone_dependencies(&create.task_id, &gone, &json!(body.depends_on));
            return None;
        }
        Some(create)
    }

    pub(super) fn update(&mut self, update: &Update) -> Option<Update> {
        let base = self.base.find(&update.task_id);
        let Some(now) = self.now.find(&update.task_id) else {
            let (name, title) = base.map_or_else(|| (update.task_id.clone(), Value::Null), |task| (self.base.reference(task), json!(task.title)));
            let why = format!("{name} was deleted");
            self.conflict("", name, [title, Value::Null, json!(update.body)], why, &[Way::Theirs]);
            return None;
        };
        let base = base.unwrap_or(now);
        let body = self.body(&update.body, base, now);
        (!body.is_empty() || update.body.is_empty()).then(|| Update { task_id: update.task_id.clone(), body })
    }

    fn body(&mut self, ours: &UpdateBody, base: &Task, now: &Task) -> UpdateBody {
        let task = &self.now.reference(now);
        let (a, b) = (&base.detail, &now.detail);
        let (parent_id, target) = self.parent(task, &ours.parent_id, base, now);
        UpdateBody {
            title: self.scalar(task, "title", &ours.title, &Sides { base: Some(&base.title), now: Some(&now.title) }),
            description: self.text(task, "description", &ours.description, &a.description, &b.description),
            status: self.scalar(task, "status", &ours.status, &Sides { base: Some(&base.status), now: Some(&now.status) }),
            priority: self.scalar(task, "priority", &ours.priority, &Sides { base: base.priority.as_ref(), now: now.priority.as_ref() }),
            kind: self.scalar(task, "kind", &ours.kind, &Sides { base: a.kind.as_ref(), now: b.kind.as_ref() }),
            effort: self.scalar(task, "effort", &ours.effort, &Sides { base: a.effort.as_ref(), now: b.effort.as_ref() }),
            estimate_minutes: self.scalar(
                task,
                "estimate_minutes",
                &ours.estimate_minutes,
                &Sides { base: a.estimate_minutes.as_ref(), now: b.estimate_minutes.as_ref() },
            ),
            assignee: self.scalar(task, "assignee", &ours.assignee, &Sides { base: base.assignee.as_ref(), now: now.assignee.as_ref() }),
            due_on: self.scalar(task, "due_on", &ours.due_on, &Sides { base: base.due_on.as_ref(), now: now.due_on.as_ref() }),
            labels: self.set(&ours.labels, &a.labels, &b.labels),
            depends_on: self.dependencies(task, &ours.depends_on, base, now),
            blocker: self.scalar(task, "blocker", &ours.blocker, &Sides { base: a.blocker.as_ref(), now: b.blocker.as_ref() }),
            acceptance_criteria: self.criteria(task, &ours.acceptance_criteria, &a.acceptance_criteria, &b.acceptance_criteria),
            references: self.set(&ours.references, &a.references, &b.references),
            external_refs: self.external_refs(task, ours, base, now),
            metadata: self.metadata(task, ours, base, now),
            after: self.after(Some(now.id), &ours.after, &target),
            parent_id,
            subtasks: None,
        }
    }

    fn external_refs(&mut self, task: &str, ours: &UpdateBody, base: &Task, now: &Task) -> Field<std::collections::BTreeMap<String, Option<String>>> {
        let entries =
            |refs: &std::collections::BTreeMap<String, String>| -> Entries { refs.iter().map(|(key, value)| (key.clone(), Some(json!(value)))).collect() };
        let edit = mapped(&ours.external_refs, |edit| edit.iter().map(|(key, value)| (key.clone(), value.as_ref().map(|value| json!(value)))).collect());
        let merged = self.map(task, "external_refs", edit, &entries(&base.detail.external_refs), &entries(&now.detail.external_refs));
        let text = |value: &Value| value.as_str().map(str::to_owned);
        mapped(&merged, |merged| merged.iter().map(|(key, value)| (key.clone(), value.as_ref().and_then(text))).collect())
    }

    fn metadata(&mut self, task: &str, ours: &UpdateBody, base: &Task, now: &Task) -> Field<std::collections::BTreeMap<String, Value>> {
        let some = |value: &Value| (!value.is_null()).then(|| value.clone());
        let entries = |map: &std::collections::BTreeMap<String, Value>| -> Entries { map.iter().map(|(key, value)| (key.clone(), some(value))).collect() };
        let merged = self.map(task, "metadata", mapped(&ours.metadata, entries), &entries(&base.detail.metadata), &entries(&now.detail.metadata));
        mapped(&merged, |merged| merged.iter().map(|(key, value)| (key.clone(), value.clone().unwrap_or(Value::Null))).collect())
    }

    /// The task that a name means now, as a parent.
    fn target(&self, name: &str) -> Target {
        if self.new.contains(name) {
            return Target::New;
        }
        self.now.find(name).map_or(Target::Open, |task| Target::Task(Some(task.id)))
    }

    fn parent(&mut self, task: &str, edit: &Field<String>, base: &Task, now: &Task) -> (Field<String>, Target) {
        let target = match edit {
            Field::Absent => return (Field::Absent, Target::Task(now.parent)),
            Field::Clear => Target::Task(None),
            Field::Set(name) => self.target(name),
        };
        if base.parent != now.parent && (target == Target::Task(now.parent) || target == Target::Task(base.parent)) {
            return (Field::Absent, Target::Task(now.parent));
        }
        if target != Target::Open && base.parent == now.parent {
            return (edit.clone(), target);
        }
        let name = |plan: &Plan, task: &Task| json!(task.parent.map(|id| plan.reference_of(id)));
        let (why, choices): (_, &[Way]) = match edit.set().filter(|_| target == Target::Open) {
            Some(parent) => (format!("{parent}, which {task} would be part of, was deleted"), &[Way::Theirs, Way::Value]),
            None => (format!("{task} was moved"), &[Way::Ours, Way::Theirs, Way::Value]),
        };
        self.conflict("/body/parent_id", task, [name(self.base, base), name(self.now, now), json!(edit.set())], why, choices);
        (Field::Absent, Target::Open)
    }

    /// Those of some names that mean no task any more.
    fn gone(&self, names: &[String]) -> Vec<String> {
        names.iter().filter(|name| !self.new.contains(name.as_str()) && self.now.find(name).is_none()).cloned().collect()
    }

    fn gone_dependencies(&mut self, task: &str, gone: &[String], ours: &Value) {
        let are = if gone.len() == 1 { "was" } else { "were" };
        let why = format!("{}, which {task} would wait for, {are} deleted", gone.join(", "));
        self.conflict("/body/depends_on", task, [json!(gone), Value::Null, ours.clone()], why, &[Way::Theirs, Way::Value]);
    }

    fn dependencies(&mut self, task: &str, edit: &Field<ListEdit<String>>, base: &Task, now: &Task) -> Field<ListEdit<String>> {
        let names = |plan: &Plan, task: &Task| -> Vec<String> { task.depends_on.iter().map(|id| plan.reference_of(*id)).collect() };
        let (before, present) = (names(self.base, base), names(self.now, now));
        let gone: Vec<String> = self.gone(added(edit)).into_iter().filter(|name| !before.contains(name)).collect();
        if !gone.is_empty() {
            self.gone_dependencies(task, &gone, &json!(edit));
            return Field::Absent;
        }
        if edit.is_absent() || base.depends_on == now.depends_on {
            return edit.clone();
        }
        // By one name each, so that lists can be compared.
        let one = |name: &String| self.now.find(name).map_or_else(|| name.clone(), |task| self.now.reference(task));
        let edit = mapped(edit, |edit| match edit {
            ListEdit::Replace(list) => ListEdit::Replace(list.iter().map(one).collect()),
            ListEdit::Change { add, remove } => ListEdit::Change { add: add.iter().map(one).collect(), remove: remove.iter().map(one).collect() },
        });
        self.set(&edit, &before, &present)
    }
}

fn mapped<T, U>(field: &Field<T>, map: impl FnOnce(&T) -> U) -> Field<U> {
    match field {
        Field::Absent => Field::Absent,
        Field::Clear => Field::Clear,
        Field::Set(value) => Field::Set(map(value)),
    }
}
