//! The tools: jobs that people may run, each with the JSON Schema of its input.
//!
//! Invariants: what is no tool cannot be run as one, so that the service's own kinds of job stay its own; an input is held against
//! its tool's schema before it is enqueued.

mod format;
mod generate;
mod lint;
mod program;
mod project;

use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

use jsonschema::{ValidationError, error::ValidationErrorKind};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Failure, Job, Kind, NewJob};
use crate::{
    patch::Fault,
    tenancy::{Actor, Scope},
};

pub use format::FormatMarkdown;
pub use generate::{Generate, Image, Maker, Text, What, Wish};
pub use lint::Lint;
pub use program::{Program, RunProgram};
pub use project::{Changelog, Export, Import};

pub(super) use format::markdown;

/// A kind of job that people may run.
pub struct Tool {
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// What somebody needs to run it.
    pub scope: Scope,
    schema: fn() -> Value,
}

/// `Tool` of the API.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Tool")]
pub struct ToolView {
    pub name: &'static str,
    pub summary: &'static str,
    /// What somebody needs to run it.
    pub scope: Scope,
    /// JSON Schema (draft 2020-12) of its input.
    pub input_schema: Value,
}

/// All of them, in the order in which they are shown.
pub static TOOLS: &[Tool] = &[
    Tool {
        name: "generate_text",
        summary: "Write variants of a text to choose from: by the model, or by a template where none is configured.",
        scope: Scope::Propose,
        schema: schema_of::<generate::TextInput>,
    },
    Tool {
        name: "generate_image",
        summary: "Make variants of an image to choose from, where an endpoint for images is configured.",
        scope: Scope::Propose,
        schema: schema_of::<generate::ImageInput>,
    },
    Tool { name: "format_markdown", summary: "Put Markdown into one form.", scope: Scope::Propose, schema: schema_of::<format::Input> },
    Tool {
        name: "lint",
        summary: "Say what is wrong with Markdown, JSON, YAML or TOML, line by line.",
        scope: Scope::Propose,
        schema: schema_of::<lint::Input>,
    },
    Tool {
        name: "changelog",
        summary: "Tell what changed in a project between two versions.",
        scope: Scope::Propose,
        schema: schema_of::<project::ChangelogInput>,
    },
    Tool {
        name: "export",
        summary: "Write a project's plan as Markdown, JSON, CSV or a calendar.",
        scope: Scope::Propose,
        schema: schema_of::<project::ExportInput>,
    },
    Tool {
        name: "import",
        summary: "Make tasks of a file: Markdown with headings or check-boxes, or YAML.",
        scope: Scope::Apply,
        schema: schema_of::<project::ImportInput>,
    },
    Tool {
        name: "run_program",
        summary: "Run a program of the machine that the operator has named, on a text.",
        scope: Scope::Admin,
        schema: schema_of::<program::Input>,
    },
    Tool { name: "webhook_call", summary: "Post JSON to an address of the outside.", scope: Scope::Admin, schema: schema_of::<CallInput> },
];

/// The input of `webhook_call`, whose work is done where HTTP is known.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallInput {
    /// `https://…`, of an address that everybody may reach.
    #[schemars(length(min = 1, max = 2000))]
    pub url: String,
    /// What is posted.
    pub body: Value,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

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
    TOOLS
        .iter()
        .zip(validators())
        .map(|(tool, (_, schema, _))| ToolView { name: tool.name, summary: tool.summary, scope: tool.scope, input_schema: schema.clone() })
        .collect()
}

/// The tool of a name.
pub fn find(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == name)
}

/// Holds an input against its tool's schema.
pub fn check(name: &str, input: &Value) -> Result<(), Vec<Fault>> {
    faults(name, input, |_| true)
}

/// Holds a part of an input against its tool's schema: the rest is still to come.
pub fn check_part(name: &str, input: &Value) -> Result<(), Vec<Fault>> {
    let is_to_come = |error: &ValidationError<'_>| matches!(error.kind(), ValidationErrorKind::Required { .. }) && error.instance_path().as_str().is_empty();
    faults(name, input, |error| !is_to_come(error))
}

fn faults(name: &str, input: &Value, counts: impl Fn(&ValidationError<'_>) -> bool) -> Result<(), Vec<Fault>> {
    let Some((_, _, validator)) = validators().iter().find(|(known, ..)| *known == name) else {
        let names: Vec<_> = TOOLS.iter().map(|tool| tool.name).collect();
        return Err(vec![Fault::new("/tool", "there is no such tool").found(name.to_owned()).expected(names.join(", "))]);
    };
    let faults: Vec<Fault> =
        validator.iter_errors(input).filter(counts).take(20).map(|error| Fault::new(format!("/input{}", error.instance_path()), error.to_string())).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Whether somebody may run a tool. Tools work with all that is the organisation's: who may only see one project runs none.
pub fn may_run(actor: &Actor, name: &str) -> bool {
    actor.project.is_none() && find(name).is_some_and(|tool| actor.may(tool.scope))
}

/// The job that runs a tool for somebody.
pub fn job<'a>(name: &'a str, input: Value, actor: &'a Actor) -> NewJob<'a> {
    NewJob { visible: true, max_attempts: 3, actor: &actor.handle, ..NewJob::new(name, input) }
}

/// How the queue treats a tool.
pub const fn kind(name: &'static str) -> Kind {
    Kind { concurrency: 4, keep: true, timeout: Duration::from_mins(10), ..Kind::new(name) }
}

/// The input of a job, as its tool reads it.
pub fn input<T: serde::de::DeserializeOwned>(job: &Job) -> Result<T, Failure> {
    serde_json::from_value(job.payload.clone()).map_err(|error| Failure::Never { why: format!("its input cannot be read: {error}") })
}
