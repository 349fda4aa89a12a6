//! A patch as a model writes it: the published form, bent so that a strict schema can describe it.
//!
//! Strict schemas want every property in every object, and know no maps with free keys. So null means absent, the fields
//! that an update empties are named in `clear`, lists that an update edits are objects with `replace`, `add` and
//! `remove`, and maps are lists of pairs. Everything keeps its path, so that a fault points at what the model wrote.
//! Reading takes the published form too, for servers that ignore schemas.

use patchbay_core::patch::TaskPatch;
use serde_json::{Map, Value, json};

/// The fields of an update that are edited as lists.
pub(super) const LISTS: [&str; 4] = ["labels", "depends_on", "acceptance_criteria", "references"];
/// The maps, with what their pairs call the key and the value.
pub(super) const MAPS: [(&str, &str, &str); 2] = [("external_refs", "system", "ref"), ("metadata", "key", "json")];

/// Writes an operation of a flat patch.
pub(super) fn write(operation: &TaskPatch) -> Value {
    let mut value = serde_json::to_value(operation).expect("an operation is JSON");
    let is_update = matches!(operation, TaskPatch::Update(_));
    let Some(body) = value.get_mut("body").and_then(Value::as_object_mut) else { return value };
    let cleared: Vec<String> = body.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name.clone()).collect();
    for name in LISTS.iter().filter(|_| is_update) {
        if let Some(list) = body.get_mut(*name).filter(|list| !list.is_null()) {
            *list = match list.take() {
                Value::Object(change) => json!({ "replace": null, "add": change["add"], "remove": change["remove"] }),
                whole => json!({ "replace": whole, "add": null, "remove": null }),
            };
        }
    }
    for (name, key, content) in MAPS {
        if let Some(Value::Object(map)) = body.get_mut(name).map(Value::take) {
            let pairs = map.into_iter().map(|(at, value)| json!({ key: at, content: if content == "json" { value.to_string().into() } else { value } }));
            body.insert(name.to_owned(), pairs.collect());
        }
    }
    if !cleared.is_empty() {
        body.insert("clear".to_owned(), cleared.into());
    }
    value
}

/// Turns an operation as a model wrote it into the published form. What is wrong with it stays wrong, for gate 1 to tell.
pub(super) fn read(operation: &mut Value) {
    let is_create = operation["op"] == "create";
    let Some(body) = operation.get_mut("body").and_then(Value::as_object_mut) else { return };
    let cleared = match body.remove("clear") {
        Some(Value::Array(names)) if names.iter().all(Value::is_string) => names,
        None | Some(Value::Null) => Vec::new(),
        // Not a list of names: gate 1 refuses the field.
        Some(other) => {
            body.insert("clear".to_owned(), other);
            Vec::new()
        }
    };
    body.retain(|_, value| !value.is_null());
    for (name, key, content) in MAPS {
        if let Some(map) = body.get(name).and_then(|pairs| unpair(pairs, key, content)) {
            body.insert(name.to_owned(), map);
        }
    }
    for name in LISTS {
        if let Some(list) = body.get_mut(name) {
            unwrap_list(list, is_create);
        }
    }
    for name in cleared.iter().filter_map(Value::as_str) {
        body.insert(name.to_owned(), Value::Null);
    }
    for below in body.get_mut("subtasks").and_then(Value::as_array_mut).into_iter().flatten() {
        read(below);
    }
}

fn unpair(pairs: &Value, key: &str, content: &str) -> Option<Value> {
    let mut map = Map::new();
    for pair in pairs.as_array()? {
        let value = pair.get(content)?;
        let value = match value.as_str() {
            // What is no JSON is meant as the text that it is.
            Some(text) if content == "json" => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
            _ => value.clone(),
        };
        map.insert(pair.get(key)?.as_str()?.to_owned(), value);
    }
    Some(Value::Object(map))
}

fn unwrap_list(list: &mut Value, is_create: bool) {
    if let Value::Object(edit) = list {
        edit.retain(|_, value| !value.is_null());
        match edit.remove("replace") {
            Some(whole) => *list = whole,
            // A new task has nothing to be removed.
            None if is_create && edit.contains_key("add") => *list = edit["add"].take(),
            None => {}
        }
    }
    let items = match list {
        Value::Array(items) => Some(items),
        Value::Object(edit) => edit.get_mut("add").and_then(Value::as_array_mut),
        _ => None,
    };
    for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
        item.retain(|_, value| !value.is_null());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(published: &Value) {
        let operation: TaskPatch = serde_json::from_value(published.clone()).unwrap();
        let mut wire = write(&operation);
        read(&mut wire);
        assert_eq!(serde_json::from_value::<TaskPatch>(wire).unwrap(), operation, "{published}");
        // The published form is read as it is.
        let mut plain = published.clone();
        if published["op"] != "update" {
            read(&mut plain);
            assert_eq!(serde_json::from_value::<TaskPatch>(plain).unwrap(), operation, "{published}");
        }
    }

    #[test]
    fn nothing_is_lost_on_the_way_there_and_back() {
        check(&json!({ "op": "create", "task_id": "a", "body": {
            "title": "Form", "description": "d", "status": "todo", "priority": "P1", "kind": "FEATURE", "effort": "S", "estimate_minutes": 90,
            "assignee": "ana", "due_on": "2026-01-05", "labels": ["x"], "depends_on": ["b"], "blocker": "the key", "references": ["src/a.rs"],
            "acceptance_criteria": [{ "text": "works" }, { "id": "c2", "text": "is fast", "done": true }],
            "external_refs": { "github": "acme/web#12" }, "metadata": { "n": 1, "deep": { "a": [null, "1"] }, "text": "12" },
            "parent_id": "WEB-1", "after": "WEB-2" } }));
        check(&json!({ "op": "create", "task_id": "a", "body": { "title": "Empty lists", "labels": [], "metadata": {} } }));
        for field in
            ["title", "description", "status", "priority", "labels", "acceptance_criteria", "external_refs", "metadata", "parent_id", "after", "due_on"]
        {
            check(&json!({ "op": "update", "task_id": "WEB-7", "body": { field: null } }));
        }
        check(&json!({ "op": "update", "task_id": "WEB-7", "body": { "labels": { "add": ["a"], "remove": [] }, "references": { "add": [], "remove": ["r"] },
            "depends_on": [], "acceptance_criteria": { "add": [{ "id": "c1", "text": "t", "done": true }], "remove": ["c2"] },
            "external_refs": { "github": null, "jira": "A-1" }, "metadata": { "gone": null, "list": [1, 2] } } }));
        check(&json!({ "op": "delete", "task_id": "WEB-7", "body": { "subtasks_go": "up" } }));
    }

    #[test]
    fn a_first_place_is_a_cleared_after_also_in_a_create() {
        check(&json!({ "op": "update", "task_id": "WEB-7", "body": { "after": null } }));
        let first: TaskPatch = serde_json::from_value(json!({ "op": "create", "task_id": "a", "body": { "title": "t", "after": null } })).unwrap();
        let mut wire = write(&first);
        assert_eq!(wire["body"]["clear"], json!(["after"]));
        read(&mut wire);
        assert_eq!(serde_json::from_value::<TaskPatch>(wire).unwrap(), first);
    }

    #[test]
    fn what_is_wrong_stays_wrong() {
        let mut wire = json!({ "op": "update", "task_id": "WEB-7", "body": { "clear": "due_on", "colour": "red", "metadata": [{ "key": 1 }] } });
        let before = wire.clone();
        read(&mut wire);
        assert_eq!(wire, before);
    }
}
