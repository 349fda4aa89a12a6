//! Why something is not what it should be: a schema's complaints in words for people.

use std::{collections::BTreeSet, sync::LazyLock};

use jsonschema::{
    ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind as Kind},
    types::JsonType,
};
use schemars::{JsonSchema, generate::SchemaSettings};
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

/// The most faults that are told of one value: who has made more has made the same one many times.
const MAX_FAULTS: usize = 100;

/// A type's JSON Schema, against which a value is held to find every fault that it has.
pub struct Schema {
    written: Value,
    compiled: Validator,
}

impl Schema {
    /// The schema of a type as it is read.
    pub fn of<T: JsonSchema>() -> Self {
        let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
        bound(&mut schema);
        Self::new(schema)
    }

    /// The schema of a type that is read from a query, where a value may be left out but is never null.
    pub fn of_query<T: JsonSchema>() -> Self {
        let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
        bound(&mut schema);
        let fields = schema.get_mut("properties").and_then(Value::as_object_mut);
        fields.into_iter().flat_map(serde_json::Map::values_mut).for_each(drop_null);
        Self::new(schema)
    }

    fn new(written: Value) -> Self {
        let compiled = jsonschema::options().should_validate_formats(true).build(&written).expect("the schema made from our types is a valid schema");
        Self { written, compiled }
    }

    /// Every fault of what should be a value of the type.
    pub fn faults(&self, value: &Value) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.explain(value, "", &mut faults);
        faults.truncate(MAX_FAULTS);
        faults
    }

    /// A text as the value that a field can have: a number where numbers are possible and it is one.
    pub fn read(&self, field: &str, text: &str) -> Value {
        let leaves = self.at(&format!("/{}", escape(field)));
        let may_be =
            |kind: &str| leaves.iter().any(|leaf| leaf["type"] == kind || leaf["type"].as_array().is_some_and(|kinds| kinds.iter().any(|one| one == kind)));
        let is_number = may_be("integer") || may_be("number");
        let read = serde_json::from_str(text).ok().filter(|value: &Value| is_number && value.is_number() || may_be("boolean") && value.is_boolean());
        read.unwrap_or_else(|| text.into())
    }

    fn explain(&self, value: &Value, path: &str, faults: &mut Vec<Fault>) {
        for error in self.compiled.iter_errors(value).take(MAX_FAULTS) {
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
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => return self.alternatives(error, context, prefix, faults),
            Kind::Required { property } => Fault::new(path, format!("`{}` is missing", property.as_str().unwrap_or_default())),
            Kind::Type { kind } => Fault::new(path, "this has the wrong type").found(found).expected(type_names(&types(kind))),
            Kind::Enum { .. } | Kind::Constant { .. } => none_of(path, error.instance(), &options(error, &within).unwrap_or_default()),
            Kind::Format { format } => {
                let (what, expected) = match format.as_str() {
                    "date" => ("this is not a date", "a day of the calendar as YYYY-MM-DD"),
                    "date-time" => ("this is no point in time", "date, time and zone as 2026-12-01T09:00:00Z"),
                    "uuid" => ("this is no id", "32 hexadecimal digits as 01932c07-209f-7b1c-9f3a-0d6f4a8e2c11"),
                    "email" => ("this is no e-mail address", "name@example.com"),
                    _ => ("this has the wrong form", format.as_str()),
                };
                Fault::new(path, what).found(found).expected(expected)
            }
            Kind::MinItems { limit } => Fault::new(path, "this list is too short").found(count(error.instance())).expected(format!("at least {limit}")),
            Kind::MaxItems { limit } => {
                let fault = Fault::new(path, "this list is too long").found(count(error.instance())).expected(format!("at most {limit}"));
                if within.ends_with("tasks") { fault.fix("send it as several patches") } else { fault }
            }
            Kind::UniqueItems => Fault::new(path, "something comes twice in this list").found(found).expected("each once"),
            Kind::MinLength { limit: 1 } => Fault::new(path, "this is empty").found(found).expected("at least 1 character"),
            Kind::MinLength { limit } => Fault::new(path, "this is too short").found(found).expected(format!("at least {limit} characters")),
            Kind::MaxLength { limit } => {
                let length = error.instance().as_str().map_or(0, |text| text.chars().count());
                Fault::new(path, "this is too long").found(format!("{length} characters")).expected(format!("at most {limit} characters"))
            }
            Kind::Pattern { pattern } => Fault::new(path, "this has the wrong form").found(found).expected(format!("what matches `{pattern}`")),
            Kind::Minimum { limit } => Fault::new(path, "this is too small").found(found).expected(format!("at least {limit}")),
            Kind::Maximum { limit } => Fault::new(path, "this is too large").found(found).expected(format!("at most {limit}")),
            _ => Fault::new(path, error.to_string()).found(found),
        });
    }

    /// None of several alternatives fits: tells what is wrong with the one that is meant.
    fn alternatives(&self, error: &ValidationError<'_>, branches: &[Vec<ValidationError<'static>>], prefix: &str, faults: &mut Vec<Fault>) {
        let within = error.instance_path().to_string();
        let path = format!("{prefix}{within}");
        if let Some(options) = options(error, &within) {
            faults.push(none_of(path, error.instance(), &options));
            return;
        }
        // The alternatives of another type are not meant.
        let meant: Vec<_> = branches.iter().filter(|branch| branch.iter().all(|error| other_types(error, &within).is_empty())).collect();
        if meant.is_empty() {
            faults.push(Fault::new(path, "this has the wrong type").found(brief(error.instance())).expected(type_names(&other_types(error, &within))));
            return;
        }
        // Those of the same type are told apart by a field that has one value in each.
        if let Some((name, words)) = self.tag(&within).filter(|_| meant.len() > 1) {
            let tag = format!("{within}/{name}");
            match error.instance().get(&name) {
                None => {
                    faults.push(Fault::new(path, format!("`{name}` is missing")).expected(either(&words)));
                    return;
                }
                Some(value) if !value.as_str().is_some_and(|value| words.iter().any(|word| word == value)) => {
                    let words: Vec<Value> = words.into_iter().map(Value::from).collect();
                    faults.push(none_of(format!("{prefix}{tag}"), value, &words));
                    return;
                }
                Some(_) => {}
            }
            if let Some(branch) = meant.iter().find(|branch| !branch.iter().any(|error| error.instance_path().to_string() == tag)) {
                for error in *branch {
                    self.error(error, prefix, faults);
                }
                return;
            }
        }
        for error in meant.into_iter().min_by_key(|branch| branch.len()).into_iter().flatten() {
            self.error(error, prefix, faults);
        }
    }

    /// The field by which the alternatives at a path are told apart, and its values.
    fn tag(&self, path: &str) -> Option<(String, Vec<String>)> {
        let objects: Vec<_> = self.at(path).into_iter().filter_map(|leaf| leaf["properties"].as_object()).collect();
        let word = |fields: &serde_json::Map<String, Value>, name: &str| {
            fields
                .get(name)
                .and_then(|field| field.get("const").or_else(|| field["enum"].as_array().filter(|one| one.len() == 1)?.first()))
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        objects.first()?.keys().find_map(|name| Some((name.clone(), objects.iter().map(|fields| word(fields, name)).collect::<Option<Vec<_>>>()?)))
    }

    fn unknown_field(&self, within: &str, path: &str, name: &str) -> Fault {
        let known = self.fields(within);
        let fault = Fault::new(format!("{path}/{}", escape(name)), format!("there is no field `{name}`"));
        match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => fault.fix(format!("did you mean `{near}`?")),
            None if self.fields("/body").contains(name) => fault.fix("it belongs into `body`"),
            None if known.is_empty() => fault.expected("no field"),
            None => fault.expected(either(&known)),
        }
    }

    /// The fields that the object at a path may have.
    fn fields(&self, path: &str) -> BTreeSet<String> {
        self.at(path).into_iter().filter_map(|leaf| leaf["properties"].as_object()).flat_map(|fields| fields.keys().cloned()).collect()
    }

    /// The schemas that hold for what is at a path: one for each alternative.
    fn at(&self, path: &str) -> Vec<&Value> {
        let mut found = Vec::new();
        self.leaves(&self.written, &mut found);
        for step in path.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let mut next = Vec::new();
            for leaf in found {
                let below = leaf["properties"].get(&step).or_else(|| leaf["additionalProperties"].as_object().map(|_| &leaf["additionalProperties"]));
                let item = step.bytes().all(|byte| byte.is_ascii_digit()).then(|| leaf.get("items")).flatten();
                for schema in below.into_iter().chain(item) {
                    self.leaves(schema, &mut next);
                }
            }
            found = next;
        }
        found
    }

    /// A schema, those that it refers to, and its alternatives.
    fn leaves<'s>(&'s self, schema: &'s Value, found: &mut Vec<&'s Value>) {
        found.push(schema);
        let referred = schema["$ref"].as_str().and_then(|name| self.written.pointer(name.strip_prefix('#')?));
        let parts = ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten();
        for part in referred.into_iter().chain(parts) {
            self.leaves(part, found);
        }
    }
}

/// Writes down the bounds that a number has by its type: the schemas only name the type.
fn bound(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let bounds = match fields.get("format").and_then(Value::as_str) {
                Some("int32") => Some((json!(i32::MIN), json!(i32::MAX))),
                Some("int64") => Some((json!(i64::MIN), json!(i64::MAX))),
                Some("uint8") => Some((json!(0), json!(u8::MAX))),
                Some("uint16") => Some((json!(0), json!(u16::MAX))),
                Some("uint32") => Some((json!(0), json!(u32::MAX))),
                Some("uint" | "uint64") => Some((json!(0), json!(u64::MAX))),
                _ => None,
            };
            if let Some((least, most)) = bounds {
                fields.entry("minimum").or_insert(least);
                fields.entry("maximum").or_insert(most);
            }
            fields.values_mut().for_each(bound);
        }
        Value::Array(list) => list.iter_mut().for_each(bound),
        _ => {}
    }
}

/// Takes null out of what a field can be.
fn drop_null(field: &mut Value) {
    let is_null = [("type", json!("null")), ("enum", Value::Null), ("anyOf", json!({ "type": "null" }))];
    for (word, null) in is_null {
        if let Some(list) = field.get_mut(word).and_then(Value::as_array_mut) {
            list.retain(|one| *one != null);
        }
    }
}

/// A value that is none of those that can stand there.
fn none_of(path: String, value: &Value, options: &[Value]) -> Fault {
    let allowed: Vec<_> = options.iter().map(|option| option.as_str().map_or_else(|| option.to_string(), str::to_owned)).collect();
    let near = value.as_str().and_then(|word| nearest(word, allowed.iter().map(String::as_str)));
    let fault = Fault::new(path, "this is none of the values it can have").found(brief(value)).expected(either(&allowed));
    match near {
        Some(near) => fault.fix(format!("did you mean `{near}`?")),
        None => fault,
    }
}

/// The values that can stand at a path, where an error is that none of a few does.
fn options(error: &ValidationError<'_>, path: &str) -> Option<Vec<Value>> {
    if error.instance_path().to_string() != path {
        return None;
    }
    match error.kind() {
        Kind::Enum { options } => options.as_array().cloned(),
        Kind::Constant { expected_value } => Some(vec![expected_value.as_ref().clone()]),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            let of_branch = |branch: &Vec<ValidationError<'static>>| {
                let is_null = |error: &ValidationError<'_>| matches!(error.kind(), Kind::Type { kind } if types(kind) == [JsonType::Null]);
                branch.iter().find_map(|error| options(error, path)).or_else(|| branch.iter().all(is_null).then(|| vec![Value::Null]))
            };
            let all: Vec<Vec<Value>> = context.iter().map(of_branch).collect::<Option<_>>()?;
            let all = all.concat();
            all.iter().any(|value| !value.is_null()).then_some(all)
        }
        _ => None,
    }
}

fn count(list: &Value) -> String {
    list.as_array().map_or(0, Vec::len).to_string()
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
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            let branches: Vec<_> = context.iter().map(|branch| branch.iter().flat_map(|error| other_types(error, path)).collect::<Vec<_>>()).collect();
            if branches.iter().any(Vec::is_empty) { Vec::new() } else { branches.concat() }
        }
        _ => Vec::new(),
    }
}

fn type_names(types: &[JsonType]) -> String {
    // Several alternatives may be of one type.
    let once = types.iter().enumerate().filter(|(at, kind)| !types[..*at].contains(kind)).map(|(_, kind)| *kind);
    let (null, others): (Vec<JsonType>, Vec<JsonType>) = once.partition(|kind| *kind == JsonType::Null);
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

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde_json::json;

    use super::*;

    #[derive(JsonSchema)]
    #[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is used")]
    enum Frame {
        Say { text: String, level: Option<Level> },
        Leave { after: i32 },
        Ping,
    }

    #[derive(JsonSchema)]
    #[serde(rename_all = "snake_case")]
    #[expect(dead_code, reason = "only its schema is used")]
    enum Level {
        /// For nobody in particular.
        Low,
        /// For everybody.
        High,
    }

    #[derive(JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Asked {
        level: Option<Level>,
        limit: Option<u32>,
        cursor: Option<String>,
    }

    #[track_caller]
    fn check(schema: &Schema, value: &Value, expected: &str) {
        let told: Vec<_> = schema.faults(value).iter().map(ToString::to_string).collect();
        assert_eq!(told.join("\n"), expected, "{value}");
    }

    #[test]
    fn of_several_alternatives_the_one_that_is_meant_is_told() {
        let schema = Schema::of::<Frame>();
        check(&schema, &json!([1]), "this has the wrong type (found [1]); expected an object");
        check(&schema, &json!({ "text": "a" }), "`type` is missing; expected say, leave or ping");
        check(
            &schema,
            &json!({ "type": "pong" }),
            "/type: this is none of the values it can have (found \"pong\"); expected say, leave or ping; did you mean `ping`?",
        );
        check(&schema, &json!({ "type": "leave", "after": 3_000_000_000_u32 }), "/after: this is too large (found 3000000000); expected at most 2147483647");
        check(
            &schema,
            &json!({ "type": "say", "text": "a", "level": "hgih" }),
            "/level: this is none of the values it can have (found \"hgih\"); expected low, high or null; did you mean `high`?",
        );
        check(&schema, &json!({ "type": "ping" }), "");
    }

    #[test]
    fn a_query_has_texts_and_no_null() {
        let schema = Schema::of_query::<Asked>();
        assert_eq!((schema.read("limit", "12"), schema.read("limit", "x"), schema.read("cursor", "12")), (json!(12), json!("x"), json!("12")));
        check(&schema, &json!({ "limit": "x" }), "/limit: this has the wrong type (found \"x\"); expected a whole number");
        check(&schema, &json!({ "level": "none" }), "/level: this is none of the values it can have (found \"none\"); expected low or high");
        check(&schema, &json!({ "limt": 1 }), "/limt: there is no field `limt`; did you mean `limit`?");
    }
}
