//! Settling a conflict, one way or another: the patch or its base is changed so that they no longer clash.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    super::{Field, ListEdit, ProjectPatch, TaskPatch, fault::either, plan::Plan},
    Base, Conflict, Fault, Way, field, new_name,
};

/// What is chosen for a conflict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// As the patch wants it.
    Ours,
    /// As it is now.
    Theirs,
    /// Another value, as the patch would give it.
    Value(Value),
}

impl Choice {
    const fn way(&self) -> Way {
        match self {
            Self::Ours => Way::Ours,
            Self::Theirs => Way::Theirs,
            Self::Value(_) => Way::Value,
        }
    }
}

/// Settles one conflict of a patch with the plan as it is now. To be rebased again afterwards.
pub fn settle(base: &mut Base, patch: &mut ProjectPatch, now: &Plan, conflict: &Conflict, choice: &Choice) -> Result<(), Fault> {
    if !conflict.choices.contains(&choice.way()) {
        let fault = Fault::new("/choice", format!("this cannot be settled so: {}", conflict.why));
        let ways = conflict.choices.iter().map(|way| match way {
            Way::Ours => "ours",
            Way::Theirs => "theirs",
            Way::Value => "a value",
        });
        return Err(if conflict.choices.is_empty() { fault.fix("withdraw the proposal, and propose anew") } else { fault.expected(either(ways)) });
    }
    let segments: Vec<String> = conflict.path.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect();
    match segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["meta_updates", field] => settle_meta(base, patch, now, field, choice),
        ["tasks", at] => {
            let at = index(at, patch)?;
            if *choice == Choice::Ours {
                accept_changes(base, now, patch.tasks[at].task_id());
            } else {
                drop_operation(patch, at);
            }
            Ok(())
        }
        ["tasks", at, "body", rest @ ..] => {
            let at = index(at, patch)?;
            if *choice != Choice::Theirs {
                look_again(base, now, patch.tasks[at].task_id(), rest)?;
            }
            match choice {
                Choice::Ours => Ok(()),
                Choice::Theirs => take_theirs(base, patch, now, at, rest),
                Choice::Value(value) => take_value(base, patch, at, rest, value),
            }
        }
        _ => Err(damaged()),
    }
}

fn damaged() -> Fault {
    Fault::new("", "this conflict is not one of this patch").fix("look at the proposal again")
}

fn index(segment: &str, patch: &ProjectPatch) -> Result<usize, Fault> {
    segment.parse().ok().filter(|at| *at < patch.tasks.len()).ok_or_else(damaged)
}

fn settle_meta(base: &mut Base, patch: &mut ProjectPatch, now: &Plan, field: &str, choice: &Choice) -> Result<(), Fault> {
    let meta = patch.meta_updates.as_mut().ok_or_else(damaged)?;
    let (edit, seen, present) = match field {
        "title" => (&mut meta.title, &mut base.title, &now.project.title),
        "summary" => (&mut meta.summary, &mut base.summary, &now.project.summary),
        "time_zone" => (&mut meta.time_zone, &mut base.time_zone, &now.project.time_zone),
        _ => return Err(damaged()),
    };
    match choice {
        Choice::Ours => {}
        Choice::Theirs => *edit = None,
        Choice::Value(value) => *edit = Some(value.as_str().ok_or_else(|| Fault::new("/value", "this must be text").found(value.to_string()))?.to_owned()),
    }
    seen.clone_from(present);
    Ok(())
}

/// Takes a task that will be deleted, and what goes with it, as it is now.
fn accept_changes(base: &mut Base, now: &Plan, name: &str) {
    let Some(task) = now.find(name) else { return };
    let mut seen = vec![task.id];
    seen.extend(now.descendants(task.id));
    seen.extend(base.plan(now).descendants(task.id));
    seen.extend(seen.clone().iter().flat_map(|id| now.dependents(*id).map(|task| task.id)));
    base.tasks.retain(|task| !seen.contains(&task.id));
    seen.sort_unstable();
    seen.dedup();
    base.tasks.extend(seen.into_iter().filter_map(|id| now.get(id)).cloned());
}

/// Takes an operation out, with those that hang on the task that it would make.
fn drop_operation(patch: &mut ProjectPatch, at: usize) {
    let gone = patch.tasks.remove(at);
    let Some(name) = new_name(&gone) else { return };
    while let Some(next) = patch.tasks.iter().position(|task| super::names(task).any(|needed| needed == name)) {
        drop_operation(patch, next);
    }
    for task in &mut patch.tasks {
        let after = match task {
            TaskPatch::Create(create) => &mut create.body.after,
            TaskPatch::Update(update) => &mut update.body.after,
            TaskPatch::Delete(_) => continue,
        };
        if after.set().is_some_and(|after| after == name) {
            *after = Field::Absent;
        }
    }
}

/// Lets the base of one field, or of one of its entries, be what the field is now.
fn look_again(base: &mut Base, now: &Plan, name: &str, rest: &[&str]) -> Result<(), Fault> {
    let Some(present) = now.find(name) else { return Ok(()) };
    let Some(seen) = base.tasks.iter_mut().find(|task| task.id == present.id) else { return Ok(()) };
    let (a, b) = (&mut seen.detail, &present.detail);
    match rest {
        ["title"] => seen.title.clone_from(&present.title),
        ["description"] => a.description.clone_from(&b.description),
        ["status"] => seen.status.clone_from(&present.status),
        ["priority"] => seen.priority = present.priority,
        ["kind"] => a.kind.clone_from(&b.kind),
        ["effort"] => a.effort = b.effort,
        ["estimate_minutes"] => a.estimate_minutes = b.estimate_minutes,
        ["assignee"] => seen.assignee.clone_from(&present.assignee),
        ["due_on"] => seen.due_on = present.due_on,
        ["blocker"] => a.blocker.clone_from(&b.blocker),
        ["depends_on"] => seen.depends_on.clone_from(&present.depends_on),
        ["labels"] => a.labels.clone_from(&b.labels),
        ["references"] => a.references.clone_from(&b.references),
        ["parent_id" | "after"] => seen.parent = present.parent,
        ["acceptance_criteria"] => a.acceptance_criteria.clone_from(&b.acceptance_criteria),
        ["acceptance_criteria", id] => {
            let theirs = b.acceptance_criteria.iter().find(|criterion| criterion.id == *id);
            match (a.acceptance_criteria.iter().position(|criterion| criterion.id == *id), theirs) {
                (Some(at), Some(theirs)) => a.acceptance_criteria[at].clone_from(theirs),
                (Some(at), None) => drop(a.acceptance_criteria.remove(at)),
                (None, Some(theirs)) => a.acceptance_criteria.push(theirs.clone()),
                (None, None) => {}
            }
        }
        ["external_refs", key] => copy(&mut a.external_refs, &b.external_refs, key),
        ["metadata", key] => copy(&mut a.metadata, &b.metadata, key),
        _ => return Err(damaged()),
    }
    Ok(())
}

fn copy<T: Clone>(to: &mut std::collections::BTreeMap<String, T>, from: &std::collections::BTreeMap<String, T>, key: &str) {
    match from.get(key) {
        Some(value) => to.insert(key.to_owned(), value.clone()),
        None => to.remove(key),
    };
}

fn take_theirs(base: &Base, patch: &mut ProjectPatch, now: &Plan, at: usize, rest: &[&str]) -> Result<(), Fault> {
    if let (TaskPatch::Create(create), field) = (&mut patch.tasks[at], rest) {
        match field {
            ["depends_on"] => {
                let new: Vec<String> = patch.tasks.iter().filter_map(new_name).map(str::to_owned).collect();
                if let TaskPatch::Create(create) = &mut patch.tasks[at] {
                    let wanted = create.body.depends_on.take().unwrap_or_default();
                    let left: Vec<String> = wanted.iter().filter(|name| new.contains(name) || now.find(name).is_some()).cloned().collect();
                    create.body.depends_on = (left.len() < wanted.len()).then_some(left);
                }
            }
            ["parent_id" | "title" | "status"] => drop_operation(patch, at),
            _ => {
                let mut body = json!(create.body);
                remove(&mut body, rest);
                create.body = read(body)?;
            }
        }
        return Ok(());
    }
    explicit(base, patch, at, rest)?;
    let TaskPatch::Update(update) = &mut patch.tasks[at] else { return Err(damaged()) };
    let mut body = json!(update.body);
    remove(&mut body, rest);
    update.body = read(body)?;
    if update.body.is_empty() {
        drop_operation(patch, at);
    }
    Ok(())
}

fn take_value(base: &Base, patch: &mut ProjectPatch, at: usize, rest: &[&str], value: &Value) -> Result<(), Fault> {
    explicit(base, patch, at, rest)?;
    match &mut patch.tasks[at] {
        TaskPatch::Create(create) => {
            let mut body = json!(create.body);
            put(&mut body, rest, value)?;
            create.body = read(body)?;
        }
        TaskPatch::Update(update) => {
            let mut body = json!(update.body);
            put(&mut body, rest, value)?;
            update.body = read(body)?;
        }
        TaskPatch::Delete(_) => return Err(damaged()),
    }
    Ok(())
}

fn read<T: serde::de::DeserializeOwned>(body: Value) -> Result<T, Fault> {
    serde_json::from_value(body).map_err(|error| Fault::new("/value", error.to_string()))
}

/// Writes an edit of many entries entry by entry, so that one can be taken out.
fn explicit(base: &Base, patch: &mut ProjectPatch, at: usize, rest: &[&str]) -> Result<(), Fault> {
    let (TaskPatch::Update(update), [field, _]) = (&mut patch.tasks[at], rest) else { return Ok(()) };
    let Some(seen) = base.tasks.iter().find(|task| names_it(&update.task_id, task)) else { return Ok(()) };
    match *field {
        "acceptance_criteria" => {
            let (add, remove) = field::criteria_edit(&update.body.acceptance_criteria, &seen.detail.acceptance_criteria);
            update.body.acceptance_criteria = Field::Set(ListEdit::Change { add, remove });
        }
        "external_refs" if update.body.external_refs == Field::Clear => {
            update.body.external_refs = Field::Set(seen.detail.external_refs.keys().map(|key| (key.clone(), None)).collect());
        }
        "metadata" if update.body.metadata == Field::Clear => {
            update.body.metadata = Field::Set(seen.detail.metadata.keys().map(|key| (key.clone(), Value::Null)).collect());
        }
        "external_refs" | "metadata" => {}
        _ => return Err(damaged()),
    }
    Ok(())
}

fn names_it(name: &str, task: &super::Task) -> bool {
    super::super::Reference::parse(name).map_or_else(|| name.parse() == Ok(task.id), |reference| reference.number == task.number)
}

fn remove(body: &mut Value, rest: &[&str]) {
    let Some(body) = body.as_object_mut() else { return };
    match rest {
        [field] => drop(body.remove(*field)),
        ["acceptance_criteria", id] => {
            for (list, key) in [("add", "/id"), ("remove", "")] {
                if let Some(items) = body.get_mut("acceptance_criteria").and_then(|edit| edit.get_mut(list)).and_then(Value::as_array_mut) {
                    items.retain(|item| item.pointer(key).and_then(Value::as_str) != Some(*id));
                }
            }
            if body.get("acceptance_criteria").is_some_and(|edit| ["add", "remove"].iter().all(|list| edit[list] == json!([]))) {
                body.remove("acceptance_criteria");
            }
        }
        [field, key] => {
            if let Some(entries) = body.get_mut(*field).and_then(Value::as_object_mut) {
                entries.remove(*key);
                if entries.is_empty() {
                    body.remove(*field);
                }
            }
        }
        _ => {}
    }
}

fn put(body: &mut Value, rest: &[&str], value: &Value) -> Result<(), Fault> {
    let Some(body) = body.as_object_mut() else { return Err(damaged()) };
    match rest {
        [field] => drop(body.insert((*field).to_owned(), value.clone())),
        ["acceptance_criteria", id] => {
            let mut criterion: Map<String, Value> = match value {
                Value::String(text) => [("text".to_owned(), json!(text))].into_iter().collect(),
                Value::Object(object) => object.clone(),
                other => return Err(Fault::new("/value", "a criterion is a text, or an object with `text` and `done`").found(other.to_string())),
            };
            criterion.insert("id".into(), json!(id));
            let mut rest_of_it = Value::Object(std::mem::take(body));
            remove(&mut rest_of_it, rest);
            let Value::Object(mut all) = rest_of_it else { return Err(damaged()) };
            let edit = all.entry("acceptance_criteria").or_insert_with(|| json!({ "add": [], "remove": [] }));
            if let Some(add) = edit.get_mut("add").and_then(Value::as_array_mut) {
                add.push(Value::Object(criterion));
            }
            *body = all;
        }
        [field, key] => {
            let entries = body.entry(*field).or_insert_with(|| json!({}));
            entries.as_object_mut().ok_or_else(damaged)?.insert((*key).to_owned(), value.clone());
        }
        _ => return Err(damaged()),
    }
    Ok(())
}
