//! Why something is not a patch: the schema's complaints in the words of the patch.

use std::sync::LazyLock;

use jsonschema::{
    ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind as Kind},
    types::JsonType,
};
use serde_json::{Value, json};

use super::super::{
    Fault,
    fault::{brief, either, escape, nearest},
    schema,
};

/// Every fault of what should be a patch of a project.
pub(super) fn project(value: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    SCHEMAS.project.explain(value, "", &mut faults);
    if let Some(tasks) = value.get("tasks").and_then(Value::as_array) {
        for (index, task) in tasks.iter().enumerate() {
            operation(task, &format!("/tasks/{index}"), &mut faults);
        }
    }
    faults
}

/// Every fault of what should be one operation.
pub(super) fn task(value: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    operation(value, "", &mut faults);
    faults
}

fn operation(value: &Value, path: &str, faults: &mut Vec<Fault>) {
    const OPS: &str = "create, update or delete";
    let schema = match value.get("op") {
        Some(op) => match op.as_str() {
            Some("create") => &SCHEMAS.create,
            Some("update") => &SCHEMAS.update,
            Some("delete") => &SCHEMAS.delete,
            _ => {
                faults.push(Fault::new(format!("{path}/op"), "there is no such operation").found(brief(op)).expected(OPS));
                return;
            }
        },
        None if value.is_object() => {
            faults.push(Fault::new(path, "`op` is missing").expected(OPS));
            return;
        }
        None => {
            faults.push(Fault::new(path, "an operation is an object").found(brief(value)).expected(r#"{"op": …, "task_id": …, "body": {…}}"#));
            return;
        }
    };
    schema.explain(value, path, faults);
    if let Some(below) = value.pointer("/body/subtasks").and_then(Value::as_array) {
        for (index, task) in below.iter().enumerate() {
            operation(task, &format!("{path}/body/subtasks/{index}"), faults);
        }
    }
}

/// The published schema, cut at each operation: those are held against the schema of their own `op`, because
/// "matches none of three alternatives" helps nobody.
static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| {
    let published = schema::project_patch();
    let mut project = published.clone();
    project["properties"]["tasks"]["items"] = json!(true);
    let operation = |at: usize, body: &str| {
        let mut schema = published["$defs"]["TaskPatch"]["oneOf"][at].clone();
        schema["$defs"] = published["$defs"].clone();
        schema["properties"]["body"] = published["$defs"][body].clone();
        if let Some(list) = schema.pointer_mut("/properties/body/properties/subtasks") {
            list["items"] = json!(true);
        }
        Schema::new(schema)
    };
    Schemas { project: Schema::new(project), create: operation(0, "CreateBody"), update: operation(1, "UpdateBody"), delete: operation(2, "DeleteBody") }
});

struct Schemas {
    project: Schema,
    create: Schema,
    update: Schema,
    delete: Schema,
}

struct Schema {
    written: Value,
    compiled: Validator,
}

impl Schema {
    fn new(written: Value) -> Self {
        let compiled = jsonschema::options().should_validate_formats(true).build(&written).expect("the schema made from our types is a valid schema");
        Self { written, compiled }
    }

    fn explain(&self, value: &Value, path: &str, faults: &mut Vec<Fault>) {
        for error in self.compiled.iter_errors(value) {
            self.error(&error, path, faults);
        }
    }

    fn error(&self, error: &ValidationError<'_>, prefix: &str, faults: &mut Vec<Fault>) {
        let within = error.instance_path().to_string();
        let path = format!("{prefix}{within}");
        let found = brief(error.instance());
        faults.push(match error.kind() {
            Kind::AdditionalProperties { unexpected } => {
                faults.extend(unexpected.iter().map(|name| self.unknown_field(&within, &path, name)));
                return;
            }
            Kind::AnyOf { context } => {
                // The alternatives are of different types; what is said by the one of this type is meant.
                let of_this_type = |branch: &&Vec<ValidationError<'_>>| branch.iter().all(|error| other_types(error, &within).is_empty());
                if let Some(branch) = context.iter().find(of_this_type) {
                    for error in branch {
                        self.error(error, prefix, faults);
                    }
                    return;
                }
                Fault::new(path, "this has the wrong type").found(found).expected(type_names(&other_types(error, &within)))
            }
            Kind::Required { property } => Fault::new(path, format!("`{}` is missing", property.as_str().unwrap_or_default())),
            Kind::Type { kind } => Fault::new(path, "this has the wrong type").found(found).expected(type_names(&types(kind))),
            Kind::Enum { options } => {
                let allowed: Vec<_> =
                    options.as_array().into_iter().flatten().map(|option| option.as_str().map_or_else(|| option.to_string(), str::to_owned)).collect();
                let near = error.instance().as_str().and_then(|word| nearest(word, allowed.iter().map(String::as_str)));
                let fault = Fault::new(path, "this is none of the values it can have").found(found).expected(either(&allowed));
                match near {
                    Some(near) => fault.fix(format!("did you mean `{near}`?")),
                    None => fault,
                }
            }
            Kind::Format { .. } => Fault::new(path, "this is not a date").found(found).expected("a day of the calendar as YYYY-MM-DD"),
            Kind::MaxItems { limit } => {
                let count = error.instance().as_array().map_or(0, Vec::len);
                Fault::new(path, "this list is too long").found(count.to_string()).expected(format!("at most {limit}")).fix("send it as several patches")
            }
            Kind::Minimum { limit } => Fault::new(path, "this is too small").found(found).expected(format!("at least {limit}")),
            Kind::Maximum { limit } => Fault::new(path, "this is too large").found(found).expected(format!("at most {limit}")),
            _ => Fault::new(path, error.to_string()),
        });
    }

    fn unknown_field(&self, within: &str, path: &str, name: &str) -> Fault {
        let known = self.fields(within);
        let fault = Fault::new(format!("{path}/{}", escape(name)), format!("there is no field `{name}`"));
        match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => fault.fix(format!("did you mean `{near}`?")),
            None if self.fields("/body").iter().any(|field| field == name) => fault.fix("it belongs into `body`"),
            None => fault.expected(either(&known)),
        }
    }

    /// The fields that the object at a path may have.
    fn fields(&self, path: &str) -> Vec<String> {
        let names = |schema: &Value| schema["properties"].as_object().map(|map| map.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
        let mut steps = path.split('/').skip(1);
        match (steps.next(), steps.next(), steps.next()) {
            (None, ..) => names(&self.written),
            (Some("meta_updates"), ..) => names(&self.written["$defs"]["MetaUpdates"]),
            (Some(field), None, _) => names(&self.written["properties"][field]),
            // A list can be edited by an object in its place; the items of one list are objects.
            (_, Some("acceptance_criteria"), Some(_)) => names(&self.written["$defs"]["NewCriterion"]),
            (_, Some(_), _) => vec!["add".to_owned(), "remove".to_owned()],
        }
    }
}

fn types(kind: &TypeKind) -> Vec<JsonType> {
    match kind {
        TypeKind::Single(one) => vec![*one],
        TypeKind::Multiple(many) => many.into_iter().collect(),
    }
}

/// The types that a value would have to have; none where it is of a right type and something else is wrong.
fn other_types(error: &ValidationError<'_>, path: &str) -> Vec<JsonType> {
    if error.instance_path().to_string() != path {
        return Vec::new();
    }
    match error.kind() {
        Kind::Type { kind } => types(kind),
        Kind::AnyOf { context } => {
            let branches: Vec<_> = context.iter().map(|branch| branch.iter().flat_map(|error| other_types(error, path)).collect::<Vec<_>>()).collect();
            if branches.iter().any(Vec::is_empty) { Vec::new() } else { branches.concat() }
        }
        _ => Vec::new(),
    }
}

fn type_names(types: &[JsonType]) -> String {
    let (null, others): (Vec<JsonType>, Vec<JsonType>) = types.iter().partition(|kind| **kind == JsonType::Null);
    let is_edit = others == [JsonType::Array, JsonType::Object];
    either(others.into_iter().chain(null).map(|kind| if is_edit && kind == JsonType::Object { r#"{"add": […], "remove": […]}"# } else { type_name(kind) }))
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
