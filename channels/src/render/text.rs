//! A whole patch as text for people and machines: exact values, nothing invisible. [`parse`] gives the patch back.
//!
//! ```text
//! patch
//!   project_id: WEB
//!   base_version: 7
//!
//! * project
//!   summary: The shop.
//!
//! + t1 "Fix flaky e2e test"
//!   description:
//!     | It fails one time in ten.
//!     |
//!     | - on CI only
//!   labels: [docs, later]
//!   acceptance_criteria:
//!     [ ] "A hundred runs pass"
//!   + t2 "Guide"
//!
//! ~ WEB-7
//!   due_on: none
//!   labels: add [ui], remove [docs]
//!
//! - WEB-9
//! ```
//!
//! A field that is not there is unchanged; `none` is null. A string stands as it is where that is clear, else in quotes, as in JSON; a longer one
//! line by line behind `|`. A backslash always begins an escape of JSON's. What is below a task is two blanks further in.

mod read;
mod write;

use serde_json::{Map, Value, json};

use patchbay_core::patch::{MetaUpdates, ProjectPatch, TaskPatch};

pub use read::parse;
pub use write::render;

/// Why a text is no patch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct TextFault {
    /// From 1.
    pub line: usize,
    /// A sentence for the person who wrote it, without its full stop.
    pub what: String,
}

/// How a field's value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    /// A list of strings, or what comes to one and what goes from it.
    List,
    Criteria,
    /// Strings by name.
    Names,
    /// JSON by name.
    Values,
}

type Fields = &'static [(&'static str, Kind)];

const PATCH: Fields = &[("project_id", Kind::Text), ("base_version", Kind::Number), ("note", Kind::Text)];
const PROJECT: Fields = &[("title", Kind::Text), ("summary", Kind::Text), ("key", Kind::Text), ("process", Kind::Text), ("time_zone", Kind::Text)];
const TASK: Fields = &[
    ("id", Kind::Text),
    ("title", Kind::Text),
    ("description", Kind::Text),
    ("status", Kind::Text),
    ("priority", Kind::Text),
    ("kind", Kind::Text),
    ("effort", Kind::Text),
    ("estimate_minutes", Kind::Number),
    ("assignee", Kind::Text),
    ("due_on", Kind::Text),
    ("labels", Kind::List),
    ("depends_on", Kind::List),
    ("blocker", Kind::Text),
    ("acceptance_criteria", Kind::Criteria),
    ("references", Kind::List),
    ("external_refs", Kind::Names),
    ("metadata", Kind::Values),
    ("parent_id", Kind::Text),
    ("after", Kind::Text),
    ("subtasks_go", Kind::Text),
];

/// What fields stand below a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Patch,
    Project,
    Create,
    Update,
    Delete,
}

impl Section {
    const fn fields(self) -> Fields {
        match self {
            Self::Patch => PATCH,
            Self::Project => PROJECT,
            Self::Create | Self::Update | Self::Delete => TASK,
        }
    }

    /// The sign before an operation.
    const fn sign(self) -> &'static str {
        match self {
            Self::Patch | Self::Project => "*",
            Self::Create => "+",
            Self::Update => "~",
            Self::Delete => "-",
        }
    }

    const fn op(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Project => "project",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    const fn has_subtasks(self) -> bool {
        matches!(self, Self::Create | Self::Update)
    }

    /// Whether the field may have the value here.
    fn check(self, name: &str, value: &Value) -> Result<(), serde_json::Error> {
        let mut fields = Map::from_iter([(name.to_owned(), value.clone())]);
        match self {
            Self::Patch => serde_json::from_value::<ProjectPatch>(fields.into()).map(drop),
            Self::Project => serde_json::from_value::<MetaUpdates>(fields.into()).map(drop),
            Self::Create => {
                fields.entry("title").or_insert_with(|| "".into());
                serde_json::from_value::<TaskPatch>(self.operation("", fields)).map(drop)
            }
            Self::Update | Self::Delete => serde_json::from_value::<TaskPatch>(self.operation("", fields)).map(drop),
        }
    }

    /// An operation as JSON.
    fn operation(self, task: &str, mut fields: Map<String, Value>) -> Value {
        let id = if self == Self::Create { fields.remove("id") } else { None };
        let mut operation = json!({ "op": self.op(), "task_id": task, "body": fields });
        if let Some(id) = id {
            operation["id"] = id;
        }
        operation
    }
}

/// What needs no quotes where a name stands.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_word_byte)
}

const fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'@' | b'#')
}

#[cfg(test)]
mod tests;
