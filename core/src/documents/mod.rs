//! Documents: texts and images that go from draft to published, with their versions and attachments.
//!
//! Invariants: only a draft changes; every change makes a version that stays; a document has at most twenty attachments, of which
//! one stands for it.

pub mod files;
pub mod store;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{AttachmentId, DocumentId, VariantId},
    tenancy::Scope,
};

/// The most attachments of a document.
pub const MAX_ATTACHMENTS: i64 = 20;
/// The longest document, in characters.
pub const MAX_CONTENT: u32 = 500_000;

/// Where a document stands on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum State {
    Draft,
    Review,
    Approved,
    Published,
}

impl State {
    pub const ALL: [Self; 4] = [Self::Draft, Self::Review, Self::Approved, Self::Published];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Review => "review",
            Self::Approved => "approved",
            Self::Published => "published",
        }
    }

    fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.as_str() == text).unwrap_or(Self::Draft)
    }

    /// What somebody needs to take a document from here to there; `None` where no step leads there. Back to draft leads always.
    pub fn step(self, to: Self) -> Option<Scope> {
        match (self, to) {
            (Self::Draft, Self::Review) | (Self::Review, Self::Draft) => Some(Scope::Propose),
            (Self::Review, Self::Approved) | (Self::Approved, Self::Published | Self::Draft) | (Self::Published, Self::Draft) => Some(Scope::Review),
            _ => None,
        }
    }
}

/// `Document` of the API.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Document")]
pub struct DocumentView {
    pub id: DocumentId,
    pub title: String,
    /// Markdown; of an image, what it shows.
    pub content: String,
    pub media_type: String,
    pub state: State,
    pub version: i32,
    /// The variant that it was.
    pub variant: Option<VariantId>,
    /// Days after its last change at which it is dropped; null for never.
    pub keep_days: Option<i32>,
    /// Who made it, by handle.
    pub author: String,
    pub attachments: Vec<AttachmentView>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// `Attachment` of the API.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Attachment")]
pub struct AttachmentView {
    pub id: AttachmentId,
    #[serde(skip)]
    pub document: DocumentId,
    pub name: String,
    pub media_type: String,
    pub size_bytes: i64,
    /// It stands for the document where there is room for one.
    pub is_primary: bool,
    /// From 1.
    pub position: i32,
    /// The name of its bytes.
    #[serde(skip)]
    pub file: String,
}

/// `DocumentVersion` of the API.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "DocumentVersion")]
pub struct VersionView {
    pub version: i32,
    pub title: String,
    pub content: String,
    /// Who wrote it, by handle.
    pub author: String,
    pub at: DateTime<Utc>,
}

/// A document that is made.
pub struct NewDocument<'a> {
    pub title: &'a str,
    pub content: &'a str,
    pub file: Option<&'a str>,
    pub media_type: &'a str,
    pub variant: Option<VariantId>,
    pub keep_days: Option<i32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_approved_by_who_may_review_and_never_skips_a_step() {
        let steps: Vec<_> = State::ALL
            .into_iter()
            .flat_map(|from| State::ALL.into_iter().filter_map(move |to| from.step(to).map(|scope| format!("{} {} {scope}", from.as_str(), to.as_str()))))
            .collect();
        assert_eq!(
            steps,
            [
                "draft review propose",
                "review draft propose",
                "review approved review",
                "approved draft review",
                "approved published review",
                "published draft review"
            ]
        );
    }
}
