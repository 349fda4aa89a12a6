//! The tools: jobs that people may run, each with the JSON Schema of its input.
//!
//! Invariants: what is no tool cannot be run as one, so that the service's own kinds of job stay its own; an input is held against
//! its tool's schema before it is enqueued.

mod format;

use std::sync::LazyLock;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Serialize;
use serde_json::Value;

use super::{Failure, Job, Kind, NewJob};
use crate::{patch::Fault, tenancy::Actor};

pub use format::FormatMarkdown;

/// A kind of job that people may run.
pub struct Tool {
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    schema: fn() -> Value,
}

/// `Tool` of the API.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Tool")]
pub struct ToolView {
    pub name: &'static str,
    pub summary: &'static str,
    /// JSON Schema (draft 2020-12) of its input.
    pub input_schema: Value,
}

/// All of them, in the order in which they are shown.
pub static TOOLS: &[Tool] =
    &[Tool { name: "format_markdown", summary: "Put Markdown into one form (CommonMark with GitHub's extensions).", schema: schema_of::<format::Input> }];

fn schema_of<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

fn validators() -> &'static [(&'static str, Value, jsonschema::Validator)] {
    static VALIDATORS: LazyLock<Vec<(&'static str, Value, jsonschema::Validator)>> = LazyLock::new(|| {
        let compile = |tool: &Tool| {
            let schema = (tool.schema)();
            let validator = jsonschema::draft202012::new(&schema).expect("a schema made of a type is one");
            (tool.name, schema, validator)
        };
        TOOLS.iter().map(compile).collect()
    });
    &VALIDATORS
}

/// All tools as people see them.
pub fn views() -> Vec<ToolView> {
    TOOLS.iter().zip(validators()).map(|(tool, (_, schema, _))| ToolView { name: tool.name, summary: tool.summary, input_schema: schema.clone() }).collect()
}

/// Holds an input against its tool's schema.
pub fn check(name: &str, input: &Value) -> Result<(), Vec<Fault>> {
    let Some((_, _, validator)) = validators().iter().find(|(known, ..)| *known == name) else {
        let names: Vec<_> = TOOLS.iter().map(|tool| tool.name).collect();
        return Err(vec![Fault::new("/tool", "there is no such tool").found(name.to_owned()).expected(names.join(", "))]);
    };
    let faults: Vec<Fault> =
        validator.iter_errors(input).take(20).map(|error| Fault::new(format!("/input{}", error.instance_path()), error.to_string())).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// The job that runs a tool for somebody.
pub fn job<'a>(name: &'a str, input: Value, actor: &'a Actor) -> NewJob<'a> {
    NewJob { visible: true, max_attempts: 3, actor: &actor.handle, ..NewJob::new(name, input) }
}

/// How the queue treats a tool.
pub const fn kind(name: &'static str) -> Kind {
    Kind { concurrency: 4, keep: true, ..Kind::new(name) }
}

/// The input of a job, as its tool reads it.
fn input<T: serde::de::DeserializeOwned>(job: &Job) -> Result<T, Failure> {
    serde_json::from_value(job.payload.clone()).map_err(|error| Failure::Never { why: format!("its input cannot be read: {error}") })
}
