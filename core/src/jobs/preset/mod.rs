//! Presets: a tool with what is mostly given to it, by a name.
//!
//! Invariant: what a preset gives fits its tool's schema as far as it goes; what is missing is given by who runs it, and the whole is
//! held against the schema as any input is.

pub mod store;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The most presets of an organisation.
pub const MAX_PRESETS: i64 = 200;

/// `Preset` of the API.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Preset")]
pub struct PresetView {
    pub name: String,
    pub description: String,
    pub tool: String,
    pub input: Map<String, Value>,
    /// Who wrote it last: a member's handle.
    pub author: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What a preset is to be.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPreset {
    /// What it is for.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub description: String,
    /// One of `GET /tools`.
    #[schemars(length(min = 1, max = 100))]
    pub tool: String,
    /// As the tool's schema says; what is left out is given by who runs it.
    #[serde(default)]
    pub input: Map<String, Value>,
}

impl PresetView {
    /// The input of a job of this preset: what is given goes before what the preset has.
    pub fn with(self, given: Map<String, Value>) -> Map<String, Value> {
        let mut input = self.input;
        input.extend(given);
        input
    }
}

/// Whether a name can be one: `release-notes`.
pub fn is_name(name: &str) -> bool {
    name.len() <= 60 && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}
