//! A patch as it is shown to a person: one model, several renderings.

use std::{borrow::Cow, collections::BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use super::{
    Create, Field, SubtasksGo, TaskPatch, Update,
    check::{Checked, Node, Resolved},
    plan::{Plan, Task},
    select,
};

/// What a patch would change, operation by operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Diff {
    /// The project's key; null for a new project.
    pub project: Option<String>,
    pub project_title: String,
    pub base_version: i32,
    /// Changes of the project's own fields.
    pub project_changes: Vec<FieldChange>,
    pub entries: Vec<Entry>,
    pub counts: Counts,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// From 1, in the order shown.
    pub index: usize,
    pub op: Op,
    /// Reference, or temporary name of a new task.
    pub task: String,
    pub title: String,
    /// What the task will be part of, by reference or temporary name.
    pub parent: Option<String>,
    /// The sibling that a new task will follow; null where it is the first or the last.
    pub after: Option<String>,
    /// Whether a new task will be the first among its siblings.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first: bool,
    /// Levels below the root.
    pub depth: usize,
    /// A change of place.
    pub moved: Option<Move>,
    pub changes: Vec<FieldChange>,
    /// What goes with a deleted task, by reference.
    pub removes: Vec<String>,
    /// The operations that this one cannot do without.
    pub needs: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Op {
    Create,
    Update,
    Delete,
}

/// A task's place before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Move {
    pub from: Place,
    pub to: Place,
}

/// A place in the tree: below what, and behind which sibling (null: the first).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    pub parent: Option<String>,
    pub after: Option<String>,
}

/// A field before and after; null where there is nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FieldChange {
    pub field: Cow<'static, str>,
    pub before: Value,
    pub after: Value,
    /// For text that was changed in part: the words that stayed, came and went.
    pub words: Option<Vec<Word>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Word {
    pub kind: WordKind,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum WordKind {
    Same,
    Added,
    Removed,
}

/// How many tasks a patch makes, changes, removes (with what goes with them) and moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    pub created: usize,
    pub changed: usize,
    pub removed: usize,
    pub moved: usize,
}

/// Shows a checked patch.
pub fn diff(plan: &Plan, checked: &Checked) -> Diff {
    let needs = select::needs(plan, checked);
    let mut counts = Counts::default();
    let entries = checked
        .resolved
        .iter()
        .enumerate()
        .map(|(index, resolved)| {
            let entry = entry(plan, checked, index, resolved, &needs[index]);
            match entry.op {
                Op::Create => counts.created += 1,
                Op::Delete => counts.removed += 1 + entry.removes.len(),
                Op::Update => {
                    counts.moved += usize::from(entry.moved.is_some());
                    counts.changed += usize::from(!entry.changes.is_empty());
                }
            }
            entry
        })
        .collect();
    let patch = &checked.flat.patch;
    let new = plan.project.version == 0;
    Diff {
        project: (!new).then(|| plan.project.key.clone()),
        project_title: patch.meta_updates.as_ref().and_then(|meta| meta.title.clone()).unwrap_or_else(|| plan.project.title.clone()),
        base_version: plan.project.version,
        project_changes: project_changes(plan, checked),
        entries,
        counts,
    }
}

fn project_changes(plan: &Plan, checked: &Checked) -> Vec<FieldChange> {
    let Some(meta) = &checked.flat.patch.meta_updates else {
        return Vec::new();
    };
    let project = &plan.project;
    let new = project.version == 0;
    [
        ("title", &meta.title, &project.title),
        ("summary", &meta.summary, &project.summary),
        ("key", &meta.key, &project.key),
        ("process", &meta.process, &project.process.name),
        ("time_zone", &meta.time_zone, &project.time_zone),
    ]
    .into_iter()
    .filter_map(|(field, after, before)| text_change(field, if new { "" } else { before }, after.as_deref()?))
    .collect()
}

fn entry(plan: &Plan, checked: &Checked, index: usize, resolved: &Resolved, needs: &BTreeSet<usize>) -> Entry {
    let mut entry = Entry {
        index: index + 1,
        op: Op::Create,
        task: String::new(),
        title: String::new(),
        parent: None,
        after: None,
        first: false,
        depth: 0,
        moved: None,
        changes: Vec::new(),
        removes: Vec::new(),
        needs: needs.iter().map(|needed| needed + 1).collect(),
    };
    let name = |node: Node| node_name(plan, checked, node);
    let parent = resolved.parent.unwrap_or_else(|| parent_of(plan, resolved.node));
    entry.parent = parent.map(name);
    entry.depth = depth(plan, checked, parent);
    match (&checked.tasks()[index], resolved.node) {
        (TaskPatch::Create(create), _) => {
            entry.task.clone_from(&create.task_id);
            entry.title.clone_from(&create.body.title);
            entry.after = resolved.after.flatten().map(name);
            entry.first = resolved.after == Some(None);
            created(&mut entry.changes, create, resolved, &name);
        }
        (TaskPatch::Update(update), Node::Task(id)) => {
            entry.op = Op::Update;
            let Some(task) = plan.get(id) else {
                return entry;
            };
            entry.task = plan.reference(task);
            entry.title.clone_from(update.body.title.set().unwrap_or(&task.title));
            updated(&mut entry.changes, plan, task, update, resolved, &name);
            if resolved.parent.is_some() || resolved.after.is_some() {
                let from = Place { parent: task.parent.map(|id| plan.reference_of(id)), after: plan.previous(task).map(|id| plan.reference_of(id)) };
                let after = match resolved.after {
                    Some(after) => after.map(name),
                    None => plan.children(parent.and_then(existing)).iter().rfind(|sibling| **sibling != id).map(|id| plan.reference_of(*id)),
                };
                let to = Place { parent: entry.parent.clone(), after };
                entry.moved = (from != to).then_some(Move { from, to });
            }
        }
        (TaskPatch::Delete(delete), Node::Task(id)) => {
            entry.op = Op::Delete;
            let Some(task) = plan.get(id) else {
                return entry;
            };
            entry.task = plan.reference(task);
            entry.title.clone_from(&task.title);
            if delete.body.subtasks_go == SubtasksGo::WithIt {
                entry.removes = plan.descendants(id).into_iter().map(|id| plan.reference_of(id)).collect();
            }
        }
        // A create makes a new node and the others name one that exists: check resolved them so.
        (_, Node::New(_)) => {}
    }
    entry
}

fn existing(node: Node) -> Option<super::TaskId> {
    match node {
        Node::Task(id) => Some(id),
        Node::New(_) => None,
    }
}

fn parent_of(plan: &Plan, node: Node) -> Option<Node> {
    existing(node).and_then(|id| plan.get(id)).and_then(|task| task.parent).map(Node::Task)
}

fn depth(plan: &Plan, checked: &Checked, parent: Option<Node>) -> usize {
    let mut depth = 0;
    let mut at = parent;
    while let Some(node) = at {
        depth += 1;
        at = match node {
            Node::New(index) => checked.resolved[index].parent.flatten(),
            Node::Task(_) => {
                checked.resolved.iter().find(|operation| operation.node == node).and_then(|operation| operation.parent).unwrap_or_else(|| parent_of(plan, node))
            }
        };
    }
    depth
}

fn node_name(plan: &Plan, checked: &Checked, node: Node) -> String {
    match node {
        Node::Task(id) => plan.reference_of(id),
        Node::New(index) => checked.tasks()[index].task_id().to_owned(),
    }
}

fn created(changes: &mut Vec<FieldChange>, create: &Create, resolved: &Resolved, name: &impl Fn(Node) -> String) {
    let body = &create.body;
    // As many as most have.
    changes.reserve(8);
    let mut add = |field: &'static str, after: Value| {
        if !after.is_null() {
            changes.push(FieldChange { field: field.into(), before: Value::Null, after, words: None });
        }
    };
    add("description", json!(body.description));
    add("status", json!(body.status));
    add("priority", json!(body.priority));
    add("kind", json!(body.kind));
    add("effort", json!(body.effort));
    add("estimate_minutes", json!(body.estimate_minutes));
    add("assignee", json!(body.assignee));
    add("due_on", json!(body.due_on));
    add("labels", json!(body.labels));
    if let Some(nodes) = resolved.depends_on.as_ref().filter(|nodes| !nodes.is_empty()) {
        add("depends_on", nodes.iter().map(|node| name(*node)).collect());
    }
    add("blocker", json!(body.blocker));
    if let Some(criteria) = &body.acceptance_criteria {
        add("acceptance_criteria", criteria.iter().map(|criterion| json!({ "text": criterion.text, "done": criterion.done })).collect());
    }
    add("references", json!(body.references));
    add("external_refs", json!(body.external_refs));
    add("metadata", json!(body.metadata));
}

fn updated(changes: &mut Vec<FieldChange>, plan: &Plan, task: &Task, update: &Update, resolved: &Resolved, name: &impl Fn(Node) -> String) {
    let (body, detail) = (&update.body, &task.detail);
    for (field, before, edit) in
        [("title", &task.title, &body.title), ("description", &detail.description, &body.description), ("status", &task.status, &body.status)]
    {
        if let Some(after) = edit.given() {
            changes.extend(text_change(field, before, after.map_or("", String::as_str)));
        }
    }
    let mut change = |field: &'static str, before: Value, after: Value| {
        if before != after {
            changes.push(FieldChange { field: field.into(), before, after, words: None });
        }
    };
    for (field, before, after) in [
        ("priority", json!(task.priority), given(&body.priority)),
        ("kind", json!(detail.kind), given(&body.kind)),
        ("effort", json!(detail.effort), given(&body.effort)),
        ("estimate_minutes", json!(detail.estimate_minutes), given(&body.estimate_minutes)),
        ("assignee", json!(task.assignee), given(&body.assignee)),
        ("due_on", json!(task.due_on), given(&body.due_on)),
        ("blocker", json!(detail.blocker), given(&body.blocker)),
    ] {
        if let Some(after) = after {
            change(field, before, after);
        }
    }
    let mut after = detail.clone();
    super::apply::edit_detail(&mut after, body);
    change("labels", list(&detail.labels), list(&after.labels));
    if let Some(nodes) = &resolved.depends_on {
        let before: Vec<_> = task.depends_on.iter().map(|id| plan.reference_of(*id)).collect();
        let after: Vec<_> = nodes.iter().map(|node| name(*node)).collect();
        change("depends_on", list(&before), list(&after));
    }
    change("acceptance_criteria", list(&detail.acceptance_criteria), list(&after.acceptance_criteria));
    change("references", list(&detail.references), list(&after.references));
    change("external_refs", json!(detail.external_refs), json!(after.external_refs));
    change("metadata", json!(detail.metadata), json!(after.metadata));
}

fn given<T: Serialize>(edit: &Field<T>) -> Option<Value> {
    edit.given().map(|value| json!(value))
}

fn list<T: Serialize>(list: &[T]) -> Value {
    if list.is_empty() { Value::Null } else { json!(list) }
}

fn text_change(field: &'static str, before: &str, after: &str) -> Option<FieldChange> {
    if before == after {
        return None;
    }
    let value = |text: &str| {
        if text.is_empty() { Value::Null } else { Value::from(text) }
    };
    let words = (!before.is_empty() && !after.is_empty() && before.contains(' ')).then(|| words(before, after));
    Some(FieldChange { field: field.into(), before: value(before), after: value(after), words })
}

/// The words that stayed, came and went, neighbours of one kind together.
pub fn words(before: &str, after: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    for change in TextDiff::from_unicode_words(before, after).iter_all_changes() {
        let kind = match change.tag() {
            ChangeTag::Equal => WordKind::Same,
            ChangeTag::Insert => WordKind::Added,
            ChangeTag::Delete => WordKind::Removed,
        };
        match words.last_mut() {
            Some(last) if last.kind == kind => last.text.push_str(change.value()),
            _ => words.push(Word { kind, text: change.value().to_owned() }),
        }
    }
    words
}
