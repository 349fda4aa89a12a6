//! Who acts: a member, seen through the key or the session that it came with.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{KeyId, MemberId, OrganizationId, ProjectId},
    patch::process::Role,
};

/// Somebody who has proved who they are.
#[derive(Clone, Debug)]
pub struct Actor {
    pub organization: OrganizationId,
    pub member: MemberId,
    /// What people write after an @.
    pub handle: String,
    pub name: String,
    pub role: Role,
    /// IANA name.
    pub time_zone: String,
    /// What the role and the key both allow.
    pub scopes: Scopes,
    /// The key it came with; none for a session.
    pub key: Option<KeyId>,
    /// The only project it may see, where its key says so.
    pub project: Option<ProjectId>,
}

impl Actor {
    pub const fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(scope)
    }

    /// Whether it may see this project.
    pub fn sees(&self, project: ProjectId) -> bool {
        self.project.is_none_or(|only| only == project)
    }
}

/// How much it is believed that a message is from whom it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Trust {
    /// The channel proved who it is.
    Verified,
    /// A known identity with a weaker proof.
    Linked,
    /// Nobody proved anything.
    Untrusted,
}

impl Trust {
    pub const ALL: [Self; 3] = [Self::Verified, Self::Linked, Self::Untrusted];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Linked => "linked",
            Self::Untrusted => "untrusted",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trust| trust.as_str() == text)
    }
}

/// Something that one may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Scope {
    /// See plans, proposals and their history.
    Read,
    /// Write messages and open proposals.
    Propose,
    /// Decide on proposals.
    Review,
    /// Change plans without a proposal.
    Apply,
    /// Members, keys, settings.
    Admin,
}

impl Scope {
    pub const ALL: [Self; 5] = [Self::Read, Self::Propose, Self::Review, Self::Apply, Self::Admin];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Propose => "propose",
            Self::Review => "review",
            Self::Apply => "apply",
            Self::Admin => "admin",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }

    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.contains(*scope))
    }

    /// What is let do who is believed so far. Whoever has not proved who they are may propose, and nothing more.
    pub fn trusted(trust: Trust) -> Self {
        match trust {
            Trust::Verified => Scope::ALL.into_iter().collect(),
            Trust::Linked | Trust::Untrusted => [Scope::Read, Scope::Propose].into_iter().collect(),
        }
    }

    /// What a role allows. An agent proposes: it applies only where its key says so, which [`Scopes::and`] decides.
    pub fn of(role: Role) -> Self {
        match role {
            Role::Owner | Role::Admin => Scope::ALL.into_iter().collect(),
            Role::Member => [Scope::Read, Scope::Propose, Scope::Review, Scope::Apply].into_iter().collect(),
            Role::Viewer => [Scope::Read].into_iter().collect(),
            Role::Agent => [Scope::Read, Scope::Propose, Scope::Apply].into_iter().collect(),
        }
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | 1 << scope as u8))
    }
}
