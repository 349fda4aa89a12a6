//! Proposals: patches under review, and what people decide about them.
//!
//! Invariants: a revision of a proposal never changes, a refinement makes the next one; the first decision that completes the
//! policy wins, and the same decision again has no second effect; what is accepted is applied in the transaction of the decision.

mod approvals;
mod deadline;
mod decide;
mod open;
mod rebase;
mod revert;
mod risk;

pub mod policy;
pub mod store;
pub mod view;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{ConversationId, MemberId, ProjectId, ProposalId},
    patch::{ProjectPatch, diff::Diff, rebase::Conflict},
    tenancy::Trust,
};

pub use approvals::{Approved, Standing, standing, wanted};
pub use deadline::{Due, open_above, watch};
pub use decide::{Accepted, DecideError, Verdict, Waiting, accept, comment, hold, lock_open, reject, withdraw};
pub use open::{Draft, NewProposal, Proposed, open, refine};
pub use rebase::{Resolved, look_ahead, merge_from, rebase, resolve};
pub use revert::{Last, TakenBack, last, revert, take_back};
pub use risk::{Risk, risks};

/// The origin of a proposal that takes a revision back: its patch is Patchbay's own and may bring ids with it.
pub const REVERT: &str = "revert";

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum State {
    Draft,
    Open,
    Accepted,
    Applied,
    Rejected,
    Withdrawn,
    Expired,
}

impl State {
    pub const ALL: [Self; 7] = [Self::Draft, Self::Open, Self::Accepted, Self::Applied, Self::Rejected, Self::Withdrawn, Self::Expired];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Applied => "applied",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A proposal as it is stored, without its patch.
#[derive(Clone, Debug)]
pub struct Proposal {
    pub id: ProposalId,
    /// People see `#12`.
    pub number: i32,
    /// `None` while the project is yet to be made.
    pub project: Option<ProjectId>,
    pub project_key: Option<String>,
    pub state: State,
    pub base_version: i32,
    /// Its newest revision, from 1.
    pub revision: i32,
    pub title: String,
    pub member: MemberId,
    pub author: String,
    pub origin: String,
    pub trust: Trust,
    pub conversation: Option<ConversationId>,
    /// The project version that it became.
    pub applied_as: Option<i32>,
    /// The operations that were accepted, from 1.
    pub accepted: Option<Vec<i32>>,
    pub decided: Option<Decided>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Who decided, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decided {
    pub by: String,
    pub at: DateTime<Utc>,
    pub reason: Option<String>,
}

/// One state of a proposal's patch.
#[derive(Clone, Debug)]
pub struct Revision {
    pub revision: i32,
    /// Flat.
    pub patch: ProjectPatch,
    /// As it was shown, against the base version.
    pub diff: Diff,
    /// Where it clashes with what others did since. While there are any it cannot be accepted.
    pub conflicts: Vec<Conflict>,
    /// blake3 of the patch's bytes: names what was looked at.
    pub digest: Vec<u8>,
    /// The words that asked for it.
    pub message: String,
    pub author: String,
    pub at: DateTime<Utc>,
}

/// Something said about a proposal or about one of its operations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comment {
    pub id: uuid::Uuid,
    pub author: String,
    /// Markdown.
    pub text: String,
    /// From 1; null for the whole.
    pub operation: Option<i32>,
    pub at: DateTime<Utc>,
}
