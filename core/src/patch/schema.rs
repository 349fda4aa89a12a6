//! The published JSON Schemas, generated from the types.

use std::sync::LazyLock;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use super::{ProjectPatch, TaskPatch};

/// What `GET /api/v1/schemas/project-patch.json` answers.
pub fn project_patch() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(|| generate::<ProjectPatch>("project-patch"));
    &SCHEMA
}

/// What `GET /api/v1/schemas/task-patch.json` answers.
pub fn task_patch() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(|| generate::<TaskPatch>("task-patch"));
    &SCHEMA
}

fn generate<T: JsonSchema>(name: &str) -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    schema.insert("$id".into(), format!("/api/v1/schemas/{name}.json").into());
    schema.to_value()
}
