//! The secrets that a source or an endpoint signs with: sealed at rest, replaced with an overlap.
//!
//! Invariant: each has one newest secret, which does not run out; what came before it runs out when the overlap is over.

pub mod store;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

/// What people see of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SecretHint {
    #[serde(skip)]
    pub owner: Uuid,
    /// Its last characters, where it is long enough that they tell nothing.
    pub hint: String,
    pub created_at: DateTime<Utc>,
    /// When it stops to count; null for the newest.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The last characters, of a secret that is long.
fn hint(secret: &str) -> String {
    let count = secret.chars().count();
    if count < 16 { String::new() } else { secret.chars().skip(count - 4).collect() }
}
