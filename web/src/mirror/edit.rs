//! From an edited `tasks.json` to the patch that it asks for.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

/// What stands in the file and is not for its editor.
const READ_ONLY: [&str; 4] = ["id", "ref", "project", "etag"];
/// Objects whose members change one by one; a null takes one out.
const MEMBERS: [&str; 2] = ["external_refs", "metadata"];

/// Something that cannot be taken back from the file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Fault {
    /// Where in the file: `/tasks/3/title`.
    pub(super) path: String,
    pub(super) message: String,
}

/// The operations that an edit asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Edit {
    pub(super) operations: Vec<Value>,
    /// Of each operation, the place in the file that it comes from.
    pub(super) places: Vec<String>,
}

fn fault(path: impl Into<String>, message: impl Into<String>) -> Fault {
    Fault { path: path.into(), message: message.into() }
}

/// Compares an edited document with the one that was there before: tasks by their id, of which new ones have none. The order in the
/// file says nothing.
pub(super) fn compare(before: &Value, after: &Value) -> Result<Edit, Vec<Fault>> {
    let (Some(before), Some(after)) = (before["tasks"].as_array(), after["tasks"].as_array()) else {
        return Err(vec![fault("/tasks", "this is a list of tasks")]);
    };
    let known: HashMap<&str, &Value> = before.iter().filter_map(|task| Some((task["id"].as_str()?, task))).collect();
    let mut kept = Vec::new();
    let (mut edit, mut faults) = (Edit::default(), Vec::new());
    for (index, task) in after.iter().enumerate() {
        let place = format!("/tasks/{index}");
        let Some(fields) = task.as_object() else {
            faults.push(fault(place, "a task is an object"));
            continue;
        };
        let operation = match fields.get("id") {
            None | Some(Value::Null) => Some(create(fields, index)),
            Some(id) => match id.as_str().and_then(|id| known.get_key_value(id)) {
                None => {
                    faults.push(fault(format!("{place}/id"), "there is no such task: leave `id` out to make a new one"));
                    None
                }
                Some((id, _)) if kept.contains(id) => {
                    faults.push(fault(format!("{place}/id"), "this task is there twice"));
                    None
                }
                Some((id, was)) => {
                    kept.push(*id);
                    update(was, fields, &place, &mut faults)
                }
            },
        };
        if let Some(operation) = operation {
            edit.operations.push(operation);
            edit.places.push(place);
        }
    }
    let gone = |task: &&Value| task["id"].as_str().is_some_and(|id| !kept.contains(&id));
    // What is below a task goes with it.
    let gone: Vec<&Value> = before.iter().filter(gone).collect();
    for (index, task) in after.iter().enumerate().filter(|(_, task)| task["parent_id"].is_string()) {
        if gone.iter().any(|gone| gone["id"] == task["parent_id"] || gone["ref"] == task["parent_id"]) {
            faults.push(fault(format!("/tasks/{index}/parent_id"), "the task that this is part of was taken out: take this out too, or move it"));
        }
    }
    for task in &gone {
        if !gone.iter().any(|other| other["id"] == task["parent_id"]) {
            edit.operations.push(json!({ "op": "delete", "task_id": task["ref"] }));
            edit.places.push("/tasks".into());
        }
    }
    if faults.is_empty() { Ok(edit) } else { Err(faults) }
}

/// A task that has no id yet. Its `ref` is what other tasks of the file call it.
fn create(fields: &Map<String, Value>, index: usize) -> Value {
    let name = fields.get("ref").and_then(Value::as_str).map_or_else(|| format!("new{index}"), str::to_owned);
    let body: Map<String, Value> = fields
        .iter()
        .filter(|(field, value)| !READ_ONLY.contains(&field.as_str()) && !value.is_null())
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect();
    json!({ "op": "create", "task_id": name, "body": body })
}

/// What has changed in a task; a field that was taken out of the file is cleared.
fn update(was: &Value, fields: &Map<String, Value>, place: &str, faults: &mut Vec<Fault>) -> Option<Value> {
    let mut body = Map::new();
    for (field, before) in was.as_object().into_iter().flatten() {
        let after = fields.get(field).unwrap_or(&Value::Null);
        if after == before {
            continue;
        }
        if READ_ONLY.contains(&field.as_str()) {
            if after.is_null() {
                continue;
            }
            faults.push(fault(format!("{place}/{field}"), "this cannot be changed"));
            continue;
        }
        let mut value = after.clone();
        if let (true, Some(value), Some(before)) = (MEMBERS.contains(&field.as_str()), value.as_object_mut(), before.as_object()) {
            for name in before.keys() {
                value.entry(name.clone()).or_insert(Value::Null);
            }
        }
        // A list that was taken out is one without anything in it.
        body.insert(field.clone(), if value.is_null() && before.is_array() { json!([]) } else { value });
    }
    for (field, value) in fields.iter().filter(|(field, _)| was.get(field.as_str()).is_none()) {
        body.insert(field.clone(), value.clone());
    }
    (!body.is_empty()).then(|| json!({ "op": "update", "task_id": was["ref"], "body": body }))
}

/// A place in a patch as the place in the file that it comes from: `/patch/tasks/1/body/title` is `/tasks/3/title`.
pub(super) fn place_in_file(edit: &Edit, path: &str) -> String {
    let inner = path.strip_prefix("/patch").unwrap_or(path);
    let Some((index, rest)) = inner.strip_prefix("/tasks/").map(|inner| inner.split_once('/').unwrap_or((inner, ""))) else { return path.to_owned() };
    let Some(place) = index.parse().ok().and_then(|index: usize| edit.places.get(index)) else { return path.to_owned() };
    match rest.strip_prefix("body").map(|field| field.trim_start_matches('/')) {
        Some(field) if !field.is_empty() => format!("{place}/{field}"),
        _ => place.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        let task = |number: u8, parent: Value, title: &str| {
            json!({ "id": format!("id{number}"), "ref": format!("WEB-{number}"), "project": "WEB", "etag": "x", "parent_id": parent, "title": title, "labels": ["a"],
                    "metadata": { "k": 1, "l": 2 }, "assignee": "ana" })
        };
        json!({ "version": 7, "tasks": [task(1, Value::Null, "One"), task(2, json!("id1"), "Two"), task(3, Value::Null, "Three")] })
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Value), expected: &Value) {
        let mut after = document();
        change(&mut after);
        assert_eq!(json!(compare(&document(), &after).unwrap().operations), *expected);
    }

    #[test]
    fn what_was_changed_in_the_file_becomes_operations() {
        check(|_| {}, &json!([]));
        check(|after| after["tasks"].as_array_mut().unwrap().reverse(), &json!([]));
        check(|after| after["tasks"][0]["title"] = json!("Uno"), &json!([{ "op": "update", "task_id": "WEB-1", "body": { "title": "Uno" } }]));
        check(
            |after| {
                let task = after["tasks"][2].as_object_mut().unwrap();
                task.remove("labels");
                task.remove("assignee");
                task["metadata"].as_object_mut().unwrap().remove("k");
            },
            &json!([{ "op": "update", "task_id": "WEB-3", "body": { "labels": [], "assignee": null, "metadata": { "k": null, "l": 2 } } }]),
        );
        check(
            |after| after["tasks"].as_array_mut().unwrap().push(json!({ "title": "Four", "parent_id": "WEB-3", "due_on": null })),
            &json!([{ "op": "create", "task_id": "new3", "body": { "title": "Four", "parent_id": "WEB-3" } }]),
        );
        check(|after| drop(after["tasks"].as_array_mut().unwrap().drain(..2)), &json!([{ "op": "delete", "task_id": "WEB-1" }]));
        check(
            |after| {
                after["tasks"][1]["parent_id"] = Value::Null;
                after["tasks"].as_array_mut().unwrap().remove(0);
            },
            &json!([{ "op": "update", "task_id": "WEB-2", "body": { "parent_id": null } }, { "op": "delete", "task_id": "WEB-1" }]),
        );
    }

    #[test]
    fn what_cannot_be_taken_is_named_where_it_stands() {
        let mut after = document();
        after["tasks"][0]["ref"] = json!("OPS-1");
        after["tasks"][1]["id"] = json!("id9");
        let twice = after["tasks"][2].clone();
        after["tasks"].as_array_mut().unwrap().push(twice);
        let places: Vec<String> = compare(&document(), &after).unwrap_err().into_iter().map(|fault| fault.path).collect();
        assert_eq!(places, ["/tasks/0/ref", "/tasks/1/id", "/tasks/3/id"]);
        let mut after = document();
        after["tasks"].as_array_mut().unwrap().remove(0);
        assert_eq!(compare(&document(), &after).unwrap_err()[0].path, "/tasks/0/parent_id", "what is below a task goes with it");
        assert!(compare(&document(), &json!([])).is_err());
    }

    #[test]
    fn a_place_in_the_patch_is_one_in_the_file() {
        let edit = Edit { operations: Vec::new(), places: vec!["/tasks/4".into()] };
        for (path, expected) in [
            ("/patch/tasks/0/body/title", "/tasks/4/title"),
            ("/tasks/0/body/acceptance_criteria/1/text", "/tasks/4/acceptance_criteria/1/text"),
            ("/patch/tasks/0/task_id", "/tasks/4"),
            ("/patch/tasks/7/body", "/patch/tasks/7/body"),
            ("/message", "/message"),
        ] {
            assert_eq!(place_in_file(&edit, path), expected, "{path}");
        }
    }
}
