//! The API described while it is routed: `OpenAPI` 3.1, whose schemas are JSON Schemas as `schemars` makes them.
//!
//! A route cannot be added without its description, so the document is complete by construction.

use std::collections::BTreeSet;

use axum::{
    Router,
    handler::Handler,
    http::Method,
    routing::{MethodFilter, on},
};
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{app::App, problem::Problem};

const DEFINITIONS: &str = "#/components/schemas";

/// What an operation takes and answers.
pub(crate) struct Op {
    summary: &'static str,
    tag: &'static str,
    parts: Vec<Part>,
    is_public: bool,
}

enum Part {
    /// A body that somebody else defines, of the given type.
    RawBody(&'static str),
    Query(fn(&mut SchemaGenerator) -> schemars::Schema),
    Body {
        schema: fn(&mut SchemaGenerator) -> schemars::Schema,
        is_required: bool,
    },
    Answer {
        status: u16,
        content: &'static str,
        schema: Option<fn(&mut SchemaGenerator) -> schemars::Schema>,
    },
    Problem(u16),
    Header(&'static str, &'static str),
}

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> schemars::Schema {
    generator.subschema_for::<T>()
}

/// An operation that needs a key or a session.
pub(crate) fn op(tag: &'static str, summary: &'static str) -> Op {
    Op { summary, tag, parts: vec![Part::Problem(401), Part::Problem(403)], is_public: false }
}

/// An operation for everybody.
pub(crate) fn public(tag: &'static str, summary: &'static str) -> Op {
    Op { summary, tag, parts: Vec::new(), is_public: true }
}

impl Op {
    fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    pub(crate) fn query<T: JsonSchema>(self) -> Self {
        self.part(Part::Query(schema_of::<T>)).problem(422)
    }

    pub(crate) fn body<T: JsonSchema>(self) -> Self {
        self.part(Part::Body { schema: schema_of::<T>, is_required: true }).problem(400).problem(413).problem(415).problem(422)
    }

    /// A body that may be left out, where nothing is to be said.
    pub(crate) fn maybe_body<T: JsonSchema>(self) -> Self {
        self.part(Part::Body { schema: schema_of::<T>, is_required: false }).problem(400).problem(413).problem(415).problem(422)
    }

    /// A body that somebody else defines, of the given type.
    pub(crate) fn raw_body(self, content: &'static str) -> Self {
        self.part(Part::RawBody(content))
    }

    pub(crate) fn answer<T: JsonSchema>(self, status: u16) -> Self {
        self.part(Part::Answer { status, content: "application/json", schema: Some(schema_of::<T>) })
    }

    /// An answer that is not JSON, of the given type; the empty one has no body.
    pub(crate) fn plain(self, status: u16, content: &'static str) -> Self {
        self.part(Part::Answer { status, content, schema: None })
    }

    pub(crate) fn problem(self, status: u16) -> Self {
        self.part(Part::Problem(status))
    }

    pub(crate) fn header(self, name: &'static str, meaning: &'static str) -> Self {
        self.part(Part::Header(name, meaning))
    }
}

/// Routes and their descriptions.
pub(crate) struct Api {
    router: Router<App>,
    paths: Map<String, Value>,
    asks: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Default for Api {
    fn default() -> Self {
        let settings = || {
            let mut settings = SchemaSettings::draft2020_12();
            settings.definitions_path = DEFINITIONS.trim_start_matches('#').into();
            settings.meta_schema = None;
            settings
        };
        Self { router: Router::new(), paths: Map::new(), asks: settings().into_generator(), answers: settings().for_serialize().into_generator() }
    }
}

impl Api {
    pub(crate) fn get<H: Handler<T, App>, T: 'static>(self, path: &'static str, handler: H, op: Op) -> Self {
        self.route(&Method::GET, MethodFilter::GET, path, handler, op)
    }

    pub(crate) fn post<H: Handler<T, App>, T: 'static>(self, path: &'static str, handler: H, op: Op) -> Self {
        let op = op.header("Idempotency-Key", "The same key again: the same answer, no second effect. Kept for 8 days.");
        self.route(&Method::POST, MethodFilter::POST, path, handler, op)
    }

    pub(crate) fn put<H: Handler<T, App>, T: 'static>(self, path: &'static str, handler: H, op: Op) -> Self {
        self.route(&Method::PUT, MethodFilter::PUT, path, handler, op)
    }

    pub(crate) fn patch<H: Handler<T, App>, T: 'static>(self, path: &'static str, handler: H, op: Op) -> Self {
        let op = op.header("If-Match", "The ETag that the change is meant for: another one answers 412.").problem(412);
        self.route(&Method::PATCH, MethodFilter::PATCH, path, handler, op)
    }

    pub(crate) fn delete<H: Handler<T, App>, T: 'static>(self, path: &'static str, handler: H, op: Op) -> Self {
        self.route(&Method::DELETE, MethodFilter::DELETE, path, handler, op)
    }

    fn route<H: Handler<T, App>, T: 'static>(mut self, method: &Method, filter: MethodFilter, path: &'static str, handler: H, op: Op) -> Self {
        let description = self.describe(method, path, op);
        let entry = self.paths.entry(format!("/api/v1{path}")).or_insert_with(|| json!({}));
        entry[method.as_str().to_lowercase()] = description;
        self.router = self.router.route(path, on(filter, handler));
        self
    }

    fn describe(&mut self, method: &Method, path: &str, op: Op) -> Value {
        let mut parameters: Vec<Value> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": path_schema(name), "description": path_meaning(name) }))
            .collect();
        let mut body = None;
        let mut responses = Map::new();
        for part in op.parts {
            match part {
                Part::Query(schema) => parameters.extend(query_parameters(&inlined(schema))),
                Part::Body { schema, is_required } => {
                    let schema = schema(&mut self.asks).to_value();
                    body = Some(json!({ "required": is_required, "content": { "application/json": { "schema": schema } } }));
                }
                Part::RawBody(content) => body = Some(json!({ "required": true, "content": { content: { "schema": { "type": "object" } } } })),
                Part::Answer { status, content, schema } => {
                    let mut answer = json!({ "description": meaning(status) });
                    if let Some(schema) = schema {
                        answer["content"] = json!({ content: { "schema": schema(&mut self.answers).to_value() } });
                    } else if !content.is_empty() {
                        answer["content"] = json!({ content: { "schema": { "type": "string" } } });
                    }
                    // One status may answer in several forms.
                    if let Some(Value::Object(known)) = responses.get_mut(&status.to_string()) {
                        if let (Some(Value::Object(known)), Some(Value::Object(more))) = (known.get_mut("content"), answer.get("content")) {
                            known.extend(more.clone());
                        }
                    } else {
                        responses.insert(status.to_string(), answer);
                    }
                }
                Part::Problem(status) => {
                    responses.insert(status.to_string(), self.problem(status));
                }
                Part::Header(name, meaning) => {
                    parameters.push(json!({ "name": name, "in": "header", "required": false, "schema": { "type": "string" }, "description": meaning }));
                }
            }
        }
        if path.contains('{') && !responses.contains_key("404") {
            let problem = self.problem(404);
            responses.insert("404".into(), problem);
        }
        let problem = self.problem(500);
        responses.insert("default".into(), problem);
        let id: String = format!("{}{}", method.as_str().to_lowercase(), path.replace(['/', '-', '.'], "_").replace(['{', '}'], ""));
        let mut description = json!({ "operationId": id, "summary": op.summary, "tags": [op.tag], "parameters": parameters, "responses": responses });
        if let Some(body) = body {
            description["requestBody"] = body;
        }
        if op.is_public {
            description["security"] = json!([]);
        }
        description
    }

    fn problem(&mut self, status: u16) -> Value {
        json!({ "description": meaning(status), "content": { "application/problem+json": { "schema": self.answers.subschema_for::<Problem>().to_value() } } })
    }

    /// The routes and the document.
    pub(crate) fn finish(mut self) -> (Router<App>, Value) {
        let mut schemas = self.answers.take_definitions(true);
        let asks = self.asks.take_definitions(true);
        // What is asked for and what is answered may differ in what is required: then the first has a name of its own.
        let renamed: BTreeSet<String> =
            asks.iter().filter(|(name, schema)| schemas.get(*name).is_some_and(|other| other != *schema)).map(|(name, _)| name.clone()).collect();
        for (name, mut schema) in asks {
            rename(&mut schema, &renamed);
            schemas.insert(if renamed.contains(&name) { format!("{name}Input") } else { name }, schema);
        }
        for operations in self.paths.values_mut() {
            for operation in operations.as_object_mut().into_iter().flat_map(Map::values_mut) {
                if let Some(body) = operation.get_mut("requestBody") {
                    rename(body, &renamed);
                }
            }
        }
        let document = json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Patchbay",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "Pull requests for your plans, from any channel.",
                "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            },
            "servers": [{ "url": "/" }],
            "security": [{ "key": [] }, { "session": [] }],
            "paths": self.paths,
            "components": {
                "schemas": schemas,
                "securitySchemes": {
                    "key": { "type": "http", "scheme": "bearer", "description": "An API key, `pb_…`." },
                    "session": { "type": "apiKey", "in": "cookie", "name": "patchbay_session", "description": "With it, unsafe methods need the header `X-CSRF-Token`." },
                },
            },
        });
        (self.router, document)
    }
}

/// A schema with all that it is made of: a query's fields must stand in the operation itself.
fn inlined(schema: fn(&mut SchemaGenerator) -> schemars::Schema) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    schema(&mut settings.into_generator()).to_value()
}

fn rename(value: &mut Value, renamed: &BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(text) if key == "$ref" => {
                        if text.strip_prefix(DEFINITIONS).and_then(|name| name.strip_prefix('/')).is_some_and(|name| renamed.contains(name)) {
                            text.push_str("Input");
                        }
                    }
                    value => rename(value, renamed),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| rename(value, renamed)),
        _ => {}
    }
}

fn query_parameters(schema: &Value) -> Vec<Value> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, schema)| {
            let mut schema = schema.clone();
            // A query has no null: what is not given is left out.
            if let Some(Value::Array(types)) = schema.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [one] = types.as_slice() {
                    schema["type"] = one.clone();
                }
            }
            if let Some(Value::Array(values)) = schema.get_mut("enum") {
                values.retain(|value| !value.is_null());
            }
            let description = schema.as_object_mut().and_then(|schema| schema.remove("description")).unwrap_or_else(|| "".into());
            json!({ "name": name, "in": "query", "required": required.contains(&name.as_str()), "schema": schema, "description": description })
        })
        .collect()
}

fn path_schema(name: &str) -> Value {
    match name {
        "number" => json!({ "type": "integer", "format": "int32", "minimum": 1 }),
        "id" => json!({ "type": "string", "format": "uuid" }),
        _ => json!({ "type": "string", "minLength": 1, "maxLength": 100 }),
    }
}

fn path_meaning(name: &str) -> &'static str {
    match name {
        "project" => "A project's id or key (`WEB`).",
        "task" => "A task's id or reference (`WEB-7`).",
        "number" => "A number, from 1.",
        "id" => "An id.",
        _ => "A name.",
    }
}

const fn meaning(status: u16) -> &'static str {
    match status {
        200 => "Done.",
        201 => "Made.",
        202 => "Taken; the outcome follows.",
        204 => "Done; there is nothing to say.",
        304 => "As you know it.",
        400 => "The request cannot be read.",
        401 => "Who are you?",
        403 => "You may not do this.",
        404 => "There is no such thing, or it is not yours to know.",
        409 => "The present state does not allow this.",
        410 => "It is gone.",
        412 => "It has changed since you looked.",
        413 => "Too large.",
        415 => "Not JSON.",
        428 => "Say with `If-Match` what the change is meant for.",
        422 => "Well-formed, but not valid; every fault is listed.",
        429 => "Too many; wait as long as `Retry-After` says.",
        503 => "Not available now.",
        _ => "Any other problem.",
    }
}

/// The document as a page for people: every operation with what it takes and answers.
pub(crate) fn page(document: &Value) -> String {
    use std::fmt::Write;
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let mut operations: Vec<(&str, &str, &str, &Value)> = document["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .flat_map(|(path, methods)| {
            methods
                .as_object()
                .into_iter()
                .flatten()
                .map(move |(method, operation)| (operation["tags"][0].as_str().unwrap_or_default(), path.as_str(), method.as_str(), operation))
        })
        .collect();
    operations.sort_by_key(|(tag, path, ..)| (*tag, *path));
    let mut body = String::new();
    let mut section = "";
    for (tag, path, method, operation) in operations {
        if tag != section {
            let _ = write!(body, "<h2>{}</h2>", escape(tag));
            section = tag;
        }
        let answers: Vec<&str> = operation["responses"].as_object().into_iter().flatten().map(|(status, _)| status.as_str()).collect();
        let _ = write!(
            body,
            "<article><h3><code>{} {}</code></h3><p>{}</p>",
            method.to_uppercase(),
            escape(path),
            escape(operation["summary"].as_str().unwrap_or_default())
        );
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let (name, place) = (parameter["name"].as_str().unwrap_or_default(), parameter["in"].as_str().unwrap_or_default());
            let _ = write!(
                body,
                "<p class=p><code>{}</code> <small>{place}</small> {}</p>",
                escape(name),
                escape(parameter["description"].as_str().unwrap_or_default())
            );
        }
        let _ = write!(body, "<p class=p><small>answers {}</small></p></article>", answers.join(", "));
    }
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width, initial-scale=1'><title>Patchbay API</title>\
         <style>:root{{color-scheme:light dark}}body{{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}}h2{{margin-top:2.5rem;text-transform:capitalize}}\
         article{{border-top:1px solid #8886;padding:.5rem 0}}h3{{margin:.5rem 0 0;font-size:1rem}}p{{margin:.2rem 0}}.p{{margin-left:1rem}}small{{opacity:.75}}</style>\
         <h1>Patchbay API</h1><p>For programs: <a href='/api/v1/openapi.json'>openapi.json</a> (OpenAPI 3.1).</p><main>{body}</main></html>"
    )
}
