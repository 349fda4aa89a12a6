//! What programs share beside the plan: leases, agents, the log of events.
//!
//! Invariant: an event is written in the transaction that it tells of, and a reader that goes on after a `seq` misses none.

pub mod agent;
pub mod lease;
mod reclaim;
pub mod store;
pub mod work;

pub use reclaim::reclaim;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Greater for later ones; with gaps.
    pub seq: i64,
    pub ts: DateTime<Utc>,
    /// `project.changed`
    pub event: String,
    /// A member's handle.
    pub actor: String,
    /// What it happened to: a project's key, a proposal's `#12`.
    pub target: String,
    pub details: Value,
}
