//! What Patchbay tells other services: endpoints, and each message to one with every attempt.
//!
//! Invariants: an endpoint gets one message for each event that it wants; a message keeps its id over all attempts.

pub mod store;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::EndpointId;

/// What an endpoint is, as its owner sets it.
#[derive(Clone, Debug)]
pub struct Settings {
    pub url: String,
    pub description: String,
    /// Patterns of the events that it wants.
    pub events: Vec<String>,
    pub enabled: bool,
}

/// A URL that Patchbay tells things.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub id: EndpointId,
    pub settings: Settings,
    /// Why Patchbay itself switched it off.
    pub disabled_why: Option<String>,
    /// Since when nothing has got through.
    pub failing_since: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum State {
    /// To be sent, or to be sent again.
    Waiting,
    Delivered,
    /// Given up, until somebody sends it again.
    Failed,
}

impl State {
    const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Failed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// One event for one endpoint.
#[derive(Clone, Debug)]
pub struct Message {
    pub id: Uuid,
    pub endpoint: EndpointId,
    /// Of the event that it tells of.
    pub seq: i64,
    pub event: String,
    /// The bytes that are signed.
    pub body: String,
    pub state: State,
    /// How often it was tried since it was made or sent again.
    pub attempts: i16,
    pub created_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

impl Message {
    /// What receivers know it by: the same on each attempt.
    pub fn webhook_id(&self) -> String {
        format!("msg_{}", self.id.simple())
    }
}

/// One attempt to deliver a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Attempt {
    #[serde(skip)]
    pub message: Uuid,
    pub at: DateTime<Utc>,
    /// What the endpoint answered; null where it did not.
    pub status: Option<i16>,
    pub duration_ms: i32,
    /// The beginning of its answer.
    pub response: String,
    /// Why it is no success.
    pub problem: Option<String>,
}
