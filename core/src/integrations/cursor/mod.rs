//! How far an organisation's event log has been read for what follows from it.
//!
//! Invariant: the cursor moves in the transaction that stores what follows from the events it passes, so that none is left out and
//! none counts twice.

pub mod store;

use chrono::{DateTime, Utc};
use serde_json::Value;

/// An event as those see it who follow the log.
#[derive(Clone, Debug)]
pub struct Happened {
    pub seq: i64,
    pub at: DateTime<Utc>,
    pub event: String,
    pub actor: String,
    pub target: String,
    pub details: Value,
    /// How many triggers led to it.
    pub depth: i16,
}
