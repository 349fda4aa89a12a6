//! The JSON Schema of an answer, for servers that bind a model to one.
//!
//! Strict mode (<https://platform.openai.com/docs/guides/structured-outputs>) wants every property required, no further
//! properties, and `anyOf` instead of `oneOf`; [`super::wire`] says how a patch fits into that.

use std::sync::LazyLock;

use patchbay_core::patch::{Effort, Priority, SubtasksGo};
use serde_json::{Map, Value, json};

use super::wire::{LISTS, MAPS};

/// The same for every project, so that a server compiles it once.
pub(super) fn answer() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
        let meta = ["title", "summary", "key", "process", "time_zone"].map(|name| (name, nullable(&text())));
        object([
            ("kind", words(&["patch", "question", "answer"])),
            ("say", text()),
            ("meta_updates", nullable(&object(meta))),
            ("tasks", list(&json!({ "anyOf": [create(), update(), delete()] }))),
        ])
    });
    &SCHEMA
}

fn create() -> Value {
    let lists = LISTS.map(|name| (name, nullable(&list(&item(name)))));
    let clear = ("clear", nullable(&list(&words(&["after"]))));
    operation("create", object([("title", text())].into_iter().chain(fields()).chain(lists).chain([clear])))
}

fn update() -> Value {
    let lists = LISTS.map(|name| {
        let items = nullable(&list(&item(name)));
        (name, nullable(&object([("replace", items.clone()), ("add", items), ("remove", nullable(&list(&text())))])))
    });
    let fields: Vec<_> = [("title", nullable(&text()))].into_iter().chain(fields()).chain(lists).collect();
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).filter(|name| *name != "title").collect();
    let clear = ("clear", nullable(&list(&words(&names))));
    operation("update", object(fields.into_iter().chain([clear])))
}

fn delete() -> Value {
    operation("delete", object([("subtasks_go", words(&SubtasksGo::ALL.map(SubtasksGo::as_str)))]))
}

/// What a new task and a changed one have alike.
fn fields() -> impl Iterator<Item = (&'static str, Value)> {
    let texts = ["description", "status", "kind", "assignee", "due_on", "blocker", "parent_id", "after"].map(|name| (name, text()));
    let others = [
        ("priority", words(&Priority::ALL.map(Priority::as_str))),
        ("effort", words(&Effort::ALL.map(Effort::as_str))),
        ("estimate_minutes", json!({ "type": "integer" })),
    ];
    let maps = MAPS.map(|(name, key, content)| (name, list(&object([(key, text()), (content, if content == "json" { text() } else { nullable(&text()) })]))));
    texts.into_iter().chain(others).chain(maps).map(|(name, schema)| (name, nullable(&schema)))
}

fn item(list: &str) -> Value {
    if list == "acceptance_criteria" { object([("id", nullable(&text())), ("text", text()), ("done", json!({ "type": "boolean" }))]) } else { text() }
}

fn operation(op: &str, body: Value) -> Value {
    object([("op", words(&[op])), ("task_id", text()), ("body", body)])
}

fn object(properties: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let properties: Map<String, Value> = properties.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    let required: Vec<&String> = properties.keys().collect();
    json!({ "type": "object", "required": required, "additionalProperties": false, "properties": properties })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn words(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

fn list(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn nullable(schema: &Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use patchbay_core::patch::schema::project_patch;

    use super::*;

    fn names(properties: &Value) -> BTreeSet<String> {
        properties.as_object().into_iter().flat_map(Map::keys).cloned().collect()
    }

    #[test]
    fn every_field_of_the_published_schema_can_be_written() {
        let published = &project_patch()["$defs"];
        let operations = answer()["properties"]["tasks"]["items"]["anyOf"].as_array().unwrap();
        for (at, name, only_published, only_here) in
            [(0, "CreateBody", &["subtasks"][..], &["clear"][..]), (1, "UpdateBody", &["subtasks"], &["clear"]), (2, "DeleteBody", &[], &[])]
        {
            let mut there = names(&published[name]["properties"]);
            let mut here = names(&operations[at]["properties"]["body"]["properties"]);
            there.retain(|field| !only_published.contains(&field.as_str()));
            here.retain(|field| !only_here.contains(&field.as_str()));
            assert!(!there.is_empty(), "{name} is in the published schema");
            assert_eq!(here, there, "{name}");
        }
        let meta = &answer()["properties"]["meta_updates"]["anyOf"][0]["properties"];
        assert_eq!(names(meta), names(&published["MetaUpdates"]["properties"]));
    }

    #[test]
    fn the_schema_is_strict_throughout() {
        fn look(schema: &Value) {
            if schema["type"] == "object" {
                let required: BTreeSet<String> = serde_json::from_value(schema["required"].clone()).unwrap();
                assert_eq!(required, names(&schema["properties"]));
                assert_eq!(schema["additionalProperties"], json!(false));
            }
            assert!(schema.get("oneOf").is_none());
            match schema {
                Value::Array(items) => items.iter().for_each(look),
                Value::Object(map) => map.values().for_each(look),
                _ => {}
            }
        }
        look(answer());
    }
}
