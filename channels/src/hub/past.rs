//! What happened to a project, revision by revision, with all that is needed to say it in words.

use std::collections::HashMap;

use patchbay_core::{
    db,
    patch::{
        ProjectPatch, TaskPatch,
        diff::{Counts, Diff, Entry, FieldChange, Op},
    },
    review,
    workflow::{
        self, ProjectRow,
        revision::store::{self as revisions, Revision},
    },
};
use serde_json::{Map, Value, json};

/// How many operations of a revision are told one by one.
const TOLD: usize = 4;

/// Revisions in the order they were asked for.
pub struct Past(pub(super) Vec<Happened>);

/// A revision, and what it did.
pub(super) struct Happened {
    pub(super) revision: Revision,
    /// Who made the proposal that it came from.
    pub(super) author: Option<String>,
    pub(super) kind: Kind,
    pub(super) note: Option<String>,
    /// Its first operations; the counts are of all.
    pub(super) diff: Diff,
    pub(super) operations: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Change,
    /// It takes this version back.
    Undo(i32),
    /// It makes this version's change again.
    Redo(i32),
}

impl Past {
    /// Looks up what some revisions of a project do not say themselves: whose proposal it was, what the tasks are called, what was undone.
    pub(super) async fn of(conn: &mut db::Connection, row: &ProjectRow, revisions: Vec<Revision>) -> db::Result<Self> {
        let proposals: Vec<i32> = revisions.iter().filter_map(|revision| revision.proposal).collect();
        let authors: HashMap<i32, String> =
            review::store::list_by_number(&mut *conn, &proposals).await?.into_iter().map(|proposal| (proposal.number, proposal.author)).collect();
        let reverted: Vec<i32> = revisions.iter().filter_map(|revision| revision.reverts).collect();
        let undos: HashMap<i32, i32> = revisions::list_reverts(&mut *conn, row.project.id, &reverted).await?.into_iter().collect();
        let read = |revision: &Revision| {
            let patch: ProjectPatch = serde_json::from_str(revision.patch.get()).unwrap_or_default();
            (patch, revision.inverse().unwrap_or_default())
        };
        let patches: Vec<(ProjectPatch, ProjectPatch)> = revisions.iter().map(read).collect();
        let named: Vec<String> = patches
            .iter()
            .flat_map(|(patch, _)| patch.tasks.iter().take(TOLD))
            .filter_map(|task| match task {
                TaskPatch::Update(update) => Some(update.task_id.clone()),
                TaskPatch::Create(_) | TaskPatch::Delete(_) => None,
            })
            .collect();
        let plan = workflow::around(conn, row, &named).await?;
        let title = |name: &str| plan.find(name).map(|task| task.title.clone());
        let happened = revisions.into_iter().zip(patches).map(|(revision, (patch, inverse))| Happened {
            author: revision.proposal.and_then(|number| authors.get(&number).cloned()),
            kind: match revision.reverts {
                None => Kind::Change,
                Some(number) => undos.get(&number).map_or(Kind::Undo(number), |made| Kind::Redo(*made)),
            },
            diff: told(&patch, &inverse, title),
            operations: patch.tasks.len(),
            note: patch.note,
            revision,
        });
        Ok(Self(happened.collect()))
    }
}

/// The first operations of a patch and what was before them, which only the patch that takes it back knows.
fn told(patch: &ProjectPatch, inverse: &ProjectPatch, title: impl Fn(&str) -> Option<String>) -> Diff {
    let back: HashMap<&str, &TaskPatch> = inverse.tasks.iter().map(|task| (task.task_id(), task)).collect();
    let entry = |(index, task): (usize, &TaskPatch)| {
        let name = task.task_id();
        let mut entry = Entry {
            index: index + 1,
            op: Op::Update,
            task: name.to_owned(),
            title: title(name).unwrap_or_default(),
            parent: None,
            after: None,
            first: false,
            depth: 0,
            moved: None,
            changes: Vec::new(),
            removes: Vec::new(),
            needs: Vec::new(),
        };
        match task {
            TaskPatch::Create(create) => {
                entry.op = Op::Create;
                // Its name is what people call it since.
                entry.title = format!("{name} {}", create.body.title);
                entry.parent.clone_from(&create.body.parent_id);
                entry.changes = changes(&fields(&json!(create.body)), &Map::new());
            }
            TaskPatch::Update(update) => {
                let before = match back.get(name) {
                    Some(TaskPatch::Update(update)) => fields(&json!(update.body)),
                    _ => Map::new(),
                };
                entry.changes = changes(&fields(&json!(update.body)), &before);
            }
            TaskPatch::Delete(_) => {
                entry.op = Op::Delete;
                if let Some(TaskPatch::Create(create)) = back.get(name) {
                    entry.title.clone_from(&create.body.title);
                }
            }
        }
        entry
    };
    Diff {
        project: Some(String::new()),
        project_title: String::new(),
        base_version: 0,
        project_changes: changes(&fields(&json!(patch.meta_updates)), &fields(&json!(inverse.meta_updates))),
        entries: patch.tasks.iter().take(TOLD).enumerate().map(entry).collect(),
        counts: Counts::default(),
    }
}

fn fields(body: &Value) -> Map<String, Value> {
    body.as_object().cloned().unwrap_or_default()
}

/// The fields of an operation's body that are told, with what they were.
fn changes(after: &Map<String, Value>, before: &Map<String, Value>) -> Vec<FieldChange> {
    let is_told = |field: &str| !["title", "parent_id", "after", "subtasks"].contains(&field);
    let placed = ["parent_id", "after"].iter().any(|field| before.contains_key(*field) && after.contains_key(*field));
    let change = |(field, new): (&String, &Value)| {
        let old = before.get(field).cloned().unwrap_or_default();
        let list = |value: &Value, part: &str| value.get(part).cloned().unwrap_or(Value::Null);
        // An edit of a list says what comes and what goes.
        let (before, after) = if new.get("add").is_some_and(Value::is_array) || new.get("remove").is_some_and(Value::is_array) {
            (list(new, "remove"), list(new, "add"))
        } else {
            (old, new.clone())
        };
        FieldChange { field: field.clone().into(), before, after, words: None }
    };
    let renamed = after.iter().filter(|(field, _)| *field == "title" && before.contains_key("title"));
    let mut changes: Vec<FieldChange> = renamed.chain(after.iter().filter(|(field, _)| is_told(field))).map(change).collect();
    if placed {
        let to = after.get("parent_id").cloned();
        let place = to.map_or_else(|| json!("another"), |parent| if parent.is_null() { json!("the top level") } else { parent });
        changes.push(FieldChange { field: "place".into(), before: Value::Null, after: place, words: None });
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::diff;

    fn words(patch: Value, inverse: Value) -> Vec<String> {
        let read = |patch: Value| serde_json::from_value::<ProjectPatch>(patch).unwrap();
        let diff = told(&read(patch), &read(inverse), |name| (name == "WEB-2").then(|| "Login".to_owned()));
        diff.entries.iter().map(|entry| diff::told(&diff, entry)).collect()
    }

    #[test]
    fn an_operation_is_told_with_what_was_before() {
        let update = |body: Value| json!({ "tasks": [{ "op": "update", "task_id": "WEB-2", "body": body }] });
        let check = |after: Value, before: Value, expected: &str| assert_eq!(words(update(after), update(before)), [expected]);
        check(json!({ "status": "done" }), json!({ "status": "todo" }), "**~** **WEB-2 Login**: status: ~~todo~~ → **done**");
        check(json!({ "title": "Login" }), json!({ "title": "Try me" }), "**~** **WEB-2 Login**: title: ~~Try me~~ → **Login**");
        check(json!({ "due_on": null }), json!({ "due_on": "2026-12-01" }), "**~** **WEB-2 Login**: due: ~~Tue 1 Dec 2026~~ → **none**");
        check(json!({ "labels": { "add": ["ui"] } }), json!({ "labels": { "remove": ["ui"] } }), "**~** **WEB-2 Login**: labels: **ui**");
        check(json!({ "parent_id": "WEB-1" }), json!({ "parent_id": null }), "**~** **WEB-2 Login**: place: **WEB-1**");
    }

    #[test]
    fn what_comes_and_what_goes_has_its_name() {
        let create = json!({ "tasks": [{ "op": "create", "task_id": "WEB-3", "body": { "title": "Tests", "priority": "P1" } }] });
        let delete = json!({ "tasks": [{ "op": "delete", "task_id": "WEB-3" }] });
        assert_eq!(words(create.clone(), delete.clone()), ["**+** **WEB-3 Tests** (P1)"]);
        assert_eq!(words(delete, create), ["**−** **WEB-3 Tests**"]);
    }
}
