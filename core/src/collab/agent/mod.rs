//! Agents: programs that said what they are and can do, and whether they are there.
//!
//! Invariants: an agent is a member, with keys; it is present for as long as it was seen lately, by the database's clock, and
//! its coming and going are told once each.

pub mod store;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An agent as others see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Agent {
    /// The member's handle.
    pub agent: String,
    pub name: String,
    /// What it is for: `developer`, `reviewer`.
    pub role: String,
    pub skills: Vec<String>,
    pub availability: Availability,
    /// Whether it was seen within its time-out.
    pub is_present: bool,
    /// How long after a heartbeat it counts as present.
    pub ttl_seconds: i32,
    pub registered_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
}

/// What an agent says about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Availability {
    #[default]
    Available,
    Busy,
    Away,
}

impl Availability {
    pub const ALL: [Self; 3] = [Self::Available, Self::Busy, Self::Away];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Busy => "busy",
            Self::Away => "away",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|word| word.as_str() == text)
    }
}

/// What an agent registers with.
#[derive(Clone, Debug)]
pub struct Registration<'a> {
    pub role: &'a str,
    pub skills: &'a [String],
    pub availability: Availability,
    pub ttl_seconds: i32,
}
