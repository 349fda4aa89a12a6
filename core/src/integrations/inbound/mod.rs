//! What other services tell Patchbay: sources, and what each delivered.
//!
//! Invariants: a delivery and the job that works on it are stored by one statement, before the service is answered; of deliveries
//! with one key a source keeps the first.

pub mod store;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Makes;
use crate::ids::{CommandId, MemberId, OrganizationId, ProjectId, SourceId};

/// How a source proves that it is the one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Kind {
    /// Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    Standard,
    /// `X-Hub-Signature-256`.
    Github,
    /// `X-Gitlab-Token`, or the signing token of newer ones.
    Gitlab,
    /// An HMAC-SHA256 of the body in a header of its own.
    Hmac,
    /// `Authorization: Bearer …`, or the token in a header of its own.
    Bearer,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Standard, Self::Github, Self::Gitlab, Self::Hmac, Self::Bearer];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Hmac => "hmac",
            Self::Bearer => "bearer",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// How bytes stand in a header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Encoding {
    #[default]
    Hex,
    Base64,
}

/// Where a source of the kinds `hmac` and `bearer` puts things. Names of headers in small letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Scheme {
    /// The header with the signature or the token: `x-signature`, or `authorization`.
    #[schemars(length(max = 100))]
    pub header: Option<String>,
    /// What stands before the signature: `sha256=`.
    #[schemars(length(max = 100))]
    pub prefix: Option<String>,
    pub encoding: Encoding,
    /// The header by which a delivery is known when it comes again; without it, the same body is the same delivery.
    #[schemars(length(max = 100))]
    pub key_header: Option<String>,
}

/// What is made of deliveries where a source has no template of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Recipe {
    /// Issues opened, pull requests to review, checks failed, releases out.
    Github,
    /// Issues opened, merge requests to review, pipelines failed, releases out.
    Gitlab,
    /// Errors and alerts, as Sentry and Alertmanager send them.
    Alert,
    /// The first of `text`, `message`, `title` and `summary`.
    #[default]
    Generic,
}

impl Recipe {
    pub const ALL: [Self; 4] = [Self::Github, Self::Gitlab, Self::Alert, Self::Generic];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Alert => "alert",
            Self::Generic => "generic",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|recipe| recipe.as_str() == text)
    }

    /// The one for services that sign in this way.
    pub const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Github => Self::Github,
            Kind::Gitlab => Self::Gitlab,
            Kind::Standard | Kind::Hmac | Kind::Bearer => Self::Generic,
        }
    }
}

/// What a source is, as its owner sets it.
#[derive(Clone, Debug)]
pub struct Settings {
    pub name: String,
    pub kind: Kind,
    pub scheme: Scheme,
    pub recipe: Recipe,
    /// Which deliveries are meant; none for all.
    pub filter: Option<String>,
    /// What they are made into; none for the recipe's.
    pub template: Option<String>,
    pub makes: Makes,
    /// The project that they are about.
    pub project: Option<ProjectId>,
    /// As whom its commands run.
    pub member: MemberId,
    pub enabled: bool,
}

/// A service that tells Patchbay things.
#[derive(Clone, Debug)]
pub struct Source {
    pub organization: OrganizationId,
    pub id: SourceId,
    /// What stands in its URL: nobody can guess it.
    pub address: String,
    pub settings: Settings,
    pub project_key: Option<String>,
    /// By handle.
    pub member: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Outcome {
    /// Stored, and not looked at yet.
    Waiting,
    /// The filter does not mean it, or the template made nothing of it.
    Ignored,
    /// It became a command.
    Submitted,
    /// It could not be read or made into anything.
    Failed,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Waiting, Self::Ignored, Self::Submitted, Self::Failed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ignored => "ignored",
            Self::Submitted => "submitted",
            Self::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// Headers by their names in small letters, without those that carry secrets.
pub type Headers = BTreeMap<String, String>;

/// What a source delivers.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    pub id: Uuid,
    pub source: SourceId,
    /// By which it is known when it comes again.
    pub key: String,
    pub headers: Headers,
    pub body: Vec<u8>,
    pub at: DateTime<Utc>,
}

/// What a source delivered.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub id: Uuid,
    pub source: SourceId,
    pub key: String,
    /// `issues.opened`; empty where the source does not say, or nobody has looked.
    pub event: String,
    pub headers: Headers,
    pub body: Vec<u8>,
    pub received_at: DateTime<Utc>,
    pub outcome: Outcome,
    /// Why it was ignored or failed.
    pub why: Option<String>,
    /// What the template made of it.
    pub text: Option<String>,
    pub command: Option<CommandId>,
    pub finished_at: Option<DateTime<Utc>>,
}
