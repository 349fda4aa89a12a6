//! Gate 1, shape: from bytes to a patch that obeys the published JSON Schema.
//!
//! A good patch is parsed once, straight into the types. Only where that fails the bytes are read again
//! and held against the schema, operation by operation, so that every fault is told at its own path.

use std::sync::LazyLock;

use jsonschema::{Validator, error::ValidationErrorKind as Kind, types::JsonType};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{Fault, ProjectPatch, TaskPatch, fault::nearest, schema};

/// The most bytes that a patch may have.
pub const MAX_BYTES: usize = 256 * 1024;
/// The most operations, nested ones included.
pub const MAX_OPERATIONS: usize = 500;
/// The most levels of operations: one without `subtasks` is one level.
pub const MAX_NESTING: usize = 6;

/// Reads a patch of a project.
pub fn parse(bytes: &[u8]) -> Result<ProjectPatch, Vec<Fault>> {
    let patch: ProjectPatch = typed(bytes, project_faults)?;
    check_tasks(&patch.tasks)?;
    Ok(patch)
}

/// Reads a patch of one task.
pub fn parse_task(bytes: &[u8]) -> Result<TaskPatch, Vec<Fault>> {
    let patch: TaskPatch = typed(bytes, |value| {
        let mut faults = Vec::new();
        operation_faults(value, "", &mut faults);
        faults
    })?;
    check_tasks(std::slice::from_ref(&patch))?;
    Ok(patch)
}

fn typed<T: DeserializeOwned>(bytes: &[u8], faults: impl FnOnce(&Value) -> Vec<Fault>) -> Result<T, Vec<Fault>> {
    if bytes.len() > MAX_BYTES {
        return Err(vec![
            Fault::new("", "the patch is too large")
                .found(format!("{} KiB", bytes.len().div_ceil(1024)))
                .expected(format!("at most {} KiB", MAX_BYTES / 1024))
                .fix("send it as several patches"),
        ]);
    }
    let reason = match serde_json::from_slice(bytes) {
        Ok(patch) => return Ok(patch),
        Err(reason) => reason,
    };
    let Ok(value) = serde_json::from_slice(bytes) else {
        return Err(vec![Fault::new("", format!("this is not JSON: {reason}"))]);
    };
    let faults = faults(&value);
    // What the schema cannot say, such as a key that comes twice, serde says.
    Err(if faults.is_empty() { vec![Fault::new("", reason.to_string())] } else { faults })
}

/// What the types let pass: sizes, and the id that only Patchbay gives.
fn check_tasks(tasks: &[TaskPatch]) -> Result<(), Vec<Fault>> {
    fn walk(tasks: &[TaskPatch], level: usize, count: &mut usize, given_id: &mut bool) -> usize {
        *count += tasks.len();
        *given_id |= tasks.iter().any(|task| matches!(task, TaskPatch::Create(create) if create.id.is_some()));
        tasks.iter().map(TaskPatch::subtasks).filter(|below| !below.is_empty()).map(|below| walk(below, level + 1, count, given_id)).max().unwrap_or(level)
    }
    let (mut count, mut given_id) = (0, false);
    let levels = walk(tasks, 1, &mut count, &mut given_id);
    let mut faults = Vec::new();
    if count > MAX_OPERATIONS {
        faults.push(
            Fault::new("/tasks", "the patch has too many operations")
                .found(count.to_string())
                .expected(format!("at most {MAX_OPERATIONS}"))
                .fix("send it as several patches"),
        );
    }
    if levels > MAX_NESTING {
        faults.push(
            Fault::new("/tasks", "operations are nested too deep")
                .found(format!("{levels} levels"))
                .expected(format!("at most {MAX_NESTING}"))
                .fix("name the parent with parent_id instead"),
        );
    }
    if given_id {
        faults.push(Fault::new("/tasks", "a new task's id is given by Patchbay").fix("leave out `id`"));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

struct Validators {
    project: Validator,
    create: Validator,
    update: Validator,
    delete: Validator,
}

/// The published schema, cut at each operation: those are held against the schema of their own `op`, because
/// "matches none of three alternatives" helps nobody.
static VALIDATORS: LazyLock<Validators> = LazyLock::new(|| {
    let compile = |schema: &Value| jsonschema::options().should_validate_formats(true).build(schema).expect("the schema made from our types is a valid schema");
    let with_defs = |mut schema: Value, pointer: &str| {
        if let Some(list) = schema.pointer_mut(pointer) {
            list["items"] = json!(true);
        }
        schema["$defs"] = schema::project_patch()["$defs"].clone();
        schema
    };
    let operation = |at: usize| with_defs(schema::task_patch()["oneOf"][at].clone(), "/properties/body/properties/subtasks");
    let mut definitions = operation_definitions();
    let mut take = |at: usize| {
        let mut schema = operation(at);
        if let Some(body) = schema.pointer("/properties/body/$ref").and_then(Value::as_str).and_then(|name| name.rsplit('/').next()).map(str::to_owned) {
            let mut body = definitions.remove(&body).unwrap_or_default();
            if let Some(list) = body.pointer_mut("/properties/subtasks") {
                list["items"] = json!(true);
            }
            schema["properties"]["body"] = body;
        }
        compile(&schema)
    };
    let (create, update, delete) = (take(0), take(1), take(2));
    let mut project = schema::project_patch().clone();
    project["properties"]["tasks"]["items"] = json!(true);
    Validators { project: compile(&project), create, update, delete }
});

fn operation_definitions() -> Map<String, Value> {
    schema::task_patch()["$defs"].as_object().cloned().unwrap_or_default()
}

fn project_faults(value: &Value) -> Vec<Fault> {
    let mut faults: Vec<_> = VALIDATORS.project.iter_errors(value).map(|error| explain(&error, "")).collect();
    if let Some(tasks) = value.get("tasks").and_then(Value::as_array) {
        for (index, task) in tasks.iter().enumerate() {
            operation_faults(task, &format!("/tasks/{index}"), &mut faults);
        }
    }
    faults
}

fn operation_faults(value: &Value, path: &str, faults: &mut Vec<Fault>) {
    let validator = match value.get("op").map(|op| (op, op.as_str())) {
        Some((_, Some("create"))) => &VALIDATORS.create,
        Some((_, Some("update"))) => &VALIDATORS.update,
        Some((_, Some("delete"))) => &VALIDATORS.delete,
        Some((found, _)) => {
            faults.push(Fault::new(format!("{path}/op"), "there is no such operation").found(found.to_string()).expected("create, update or delete"));
            return;
        }
        None if value.is_object() => {
            faults.push(Fault::new(path, "`op` is missing").expected("create, update or delete"));
            return;
        }
        None => {
            faults.push(Fault::new(path, "an operation is an object").found(brief(value)).expected(r#"{"op": …, "task_id": …, "body": {…}}"#));
            return;
        }
    };
    faults.extend(validator.iter_errors(value).map(|error| explain(&error, path)));
    if let Some(below) = value.pointer("/body/subtasks").and_then(Value::as_array) {
        for (index, task) in below.iter().enumerate() {
            operation_faults(task, &format!("{path}/body/subtasks/{index}"), faults);
        }
    }
}

/// Says a schema's complaint in the words of the patch.
fn explain(error: &jsonschema::ValidationError<'_>, prefix: &str) -> Fault {
    let path = format!("{prefix}{}", error.instance_path());
    let found = brief(error.instance());
    match error.kind() {
        Kind::AdditionalProperties { unexpected } => {
            let name = unexpected.first().map(String::as_str).unwrap_or_default();
            let known = known_fields(&path);
            let fault = Fault::new(format!("{path}/{}", escape(name)), format!("there is no field `{name}`"));
            match nearest(name, known.iter().map(String::as_str)) {
                Some(near) => fault.fix(format!("did you mean `{near}`?")),
                None if known.is_empty() => fault,
                None => fault.expected(format!("one of {}", known.join(", "))),
            }
        }
        Kind::Required { property } => Fault::new(path, format!("`{}` is missing", property.as_str().unwrap_or_default())),
        Kind::Type { kind } => {
            let names = match kind {
                jsonschema::error::TypeKind::Single(one) => type_name(*one).to_owned(),
                jsonschema::error::TypeKind::Multiple(many) => many.into_iter().map(type_name).collect::<Vec<_>>().join(" or "),
            };
            Fault::new(path, "this has the wrong type").found(found).expected(names)
        }
        Kind::Enum { options } => {
            let allowed: Vec<_> =
                options.as_array().into_iter().flatten().map(|option| option.as_str().map_or_else(|| option.to_string(), str::to_owned)).collect();
            let fault = Fault::new(path, "this is none of the values it can have").found(found).expected(allowed.join(", "));
            match error.instance().as_str().and_then(|word| nearest(word, allowed.iter().map(String::as_str))) {
                Some(near) => fault.fix(format!("did you mean `{near}`?")),
                None => fault,
            }
        }
        Kind::Format { format } if format == "date" => {
            Fault::new(path, "this is not a date").found(found).expected("a day of the calendar as YYYY-MM-DD").fix("write it like 2026-12-01")
        }
        Kind::AnyOf { .. } => Fault::new(path, "this has the wrong type").found(found).expected(r#"a list, or {"add": […], "remove": […]}, or null"#),
        Kind::MaxItems { limit } => Fault::new(path, "this list is too long").expected(format!("at most {limit}")).fix("send it as several patches"),
        Kind::Minimum { limit } => Fault::new(path, "this is too small").found(found).expected(format!("at least {limit}")),
        Kind::Maximum { limit } => Fault::new(path, "this is too large").found(found).expected(format!("at most {limit}")),
        _ => Fault::new(path, error.to_string()),
    }
}

/// The fields that the object at a path may have.
fn known_fields(path: &str) -> Vec<String> {
    let root = schema::project_patch();
    let names = |schema: &Value| schema["properties"].as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    match last {
        "" => names(root),
        "meta_updates" => names(&root["$defs"]["MetaUpdates"]),
        "body" => ["UpdateBody"].iter().flat_map(|name| -> Vec<String> { names(&root["$defs"][name]) }).collect(),
        _ if path.contains("acceptance_criteria") => names(&root["$defs"]["NewCriterion"]),
        _ => vec!["op".into(), "task_id".into(), "body".into()],
    }
}

const fn type_name(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Array => "a list",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "an object",
        JsonType::String => "text",
    }
}

/// A value as a person can take it in.
fn brief(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 60 { text } else { text.chars().take(59).chain(['…']).collect() }
}

/// A name as one step of a JSON Pointer.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
