//! Variants: what a job made to be chosen from. They are edited, accepted, and written as files.
//!
//! Invariants: a job makes each of its variants once, however often it is tried; an accepted variant has become one document and
//! does not change any more.

mod render;
pub mod store;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{DocumentId, JobId, VariantId};

pub use render::{Format, html, plain};

/// Whether a variant was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum State {
    Draft,
    Accepted,
}

/// `Variant` of the API.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Variant")]
pub struct VariantView {
    pub id: VariantId,
    pub job: JobId,
    /// Which of the job's variants, from 1.
    pub number: i16,
    pub title: String,
    /// Markdown; of an image, what was to be seen.
    pub content: String,
    pub media_type: String,
    /// What made it.
    pub made_by: String,
    pub version: i32,
    pub state: State,
    /// What became of it.
    pub document: Option<DocumentId>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// The name of its bytes, where it is more than text.
    #[serde(skip)]
    pub file: Option<String>,
}

/// A variant that a job made.
pub struct NewVariant<'a> {
    pub job: JobId,
    pub number: i16,
    pub title: &'a str,
    pub content: &'a str,
    pub file: Option<&'a str>,
    pub media_type: &'a str,
    pub made_by: &'a str,
}
