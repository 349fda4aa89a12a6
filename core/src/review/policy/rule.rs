//! The rules of a policy as data, the built-in ones among them.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{patch::process::Role, tenancy::Trust};

/// Above this many operations somebody else should look.
pub(in crate::review) const MANY: usize = 20;

/// The most rules of a policy.
pub(super) const MAX_RULES: usize = 50;
/// The most characters of a rule's name.
pub(super) const MAX_NAME: usize = 80;
/// The most approvals that a rule can ask for.
pub(super) const MAX_APPROVALS: u8 = 10;
/// The longest that a proposal can be let wait.
pub(super) const MAX_DAYS: u32 = 365;
/// The most operations of a patch, and so the most that a rule can ask about.
pub(super) const MAX_COUNT: u32 = 500;

/// The origin of what a planner made from somebody's words, whatever channel the words came through.
pub(super) const PLANNER: &str = "planner";

/// What a rule can ask about: the fields of a task, its place, and the project's own.
pub(super) const FIELDS: [&str; 22] = [
    "title",
    "description",
    "status",
    "priority",
    "kind",
    "effort",
    "estimate_minutes",
    "assignee",
    "due_on",
    "labels",
    "depends_on",
    "blocker",
    "acceptance_criteria",
    "references",
    "external_refs",
    "metadata",
    "place",
    "project.title",
    "project.summary",
    "project.key",
    "project.process",
    "project.time_zone",
];

/// What proposals need before they are applied. Each rule that is for a proposal must be satisfied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub rules: Vec<Rule>,
}

/// For some proposals, who has to approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What people call it; no two rules have the same.
    #[schemars(length(min = 1, max = 80))]
    pub name: String,
    /// Which proposals it is for. Absent: all.
    #[serde(default, skip_serializing_if = "When::is_always")]
    pub when: When,
    #[serde(default)]
    pub require: Require,
}

/// Which proposals a rule is for: all that is given must hold, and of a list one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// It has so many operations, or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 500))]
    pub min_operations: Option<u32>,
    /// It removes so many tasks, or more, with what goes with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 500))]
    pub min_deletes: Option<u32>,
    /// It changes one of these fields, or sets it in a new task: `due_on`, `place`, `project.title`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 22), extend("uniqueItems" = true, "items" = { "type": "string", "enum": FIELDS }))]
    pub fields: Vec<String>,
    /// It came so: `web`, `api`, `terminal`, another channel, `revert`, or `planner` for what was made from somebody's words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 20), inner(regex(pattern = "^[a-z0-9_-]{1,40}$")), extend("uniqueItems" = true))]
    pub origins: Vec<String>,
    /// Its source is believed so much.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 3), extend("uniqueItems" = true))]
    pub trust: Vec<Trust>,
    /// It is for one of these projects, by key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 100), extend("uniqueItems" = true))]
    pub projects: Vec<String>,
    /// Its author has one of these roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 5), extend("uniqueItems" = true))]
    pub authors: Vec<Role>,
}

impl When {
    fn is_always(&self) -> bool {
        *self == Self::default()
    }
}

/// Who has to approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Require {
    /// How many people.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 10))]
    pub approvals: u8,
    /// What the author's own approval is worth.
    #[serde(default)]
    pub own: Own,
    /// Only the approvals of these roles count. Absent: of all who may review.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 3), extend("uniqueItems" = true))]
    pub by: Vec<Role>,
    /// Who has it before them is reminded each time that it has waited so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 365))]
    pub remind_after_days: Option<u16>,
    /// It is over when nobody has decided or refined it for so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 365))]
    pub expire_after_days: Option<u16>,
}

const fn one() -> u8 {
    1
}

impl Default for Require {
    fn default() -> Self {
        Self { approvals: one(), own: Own::Counts, by: Vec::new(), remind_after_days: None, expire_after_days: None }
    }
}

/// What the approval of a proposal's own author is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Own {
    /// It counts like any other.
    #[default]
    Counts,
    /// It counts only where nobody else could approve.
    IfAlone,
    /// It never counts.
    Never,
}

impl Own {
    pub(super) const ALL: [Self; 3] = [Self::Counts, Self::IfAlone, Self::Never];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::IfAlone => "if_alone",
            Self::Never => "never",
        }
    }
}

/// The rules that stand beside every policy and that none takes away: somebody accepts, and what nobody vouches for is never
/// accepted by whoever it came from.
pub fn always() -> &'static [Rule] {
    static ALWAYS: LazyLock<[Rule; 2]> = LazyLock::new(|| {
        [
            Rule { name: "Every proposal".into(), when: When::default(), require: Require::default() },
            Rule {
                name: "From outside".into(),
                when: When { trust: vec![Trust::Untrusted], ..When::default() },
                require: Require { own: Own::Never, ..Require::default() },
            },
        ]
    });
    &*ALWAYS
}

impl Policy {
    /// The policy of an organisation that has none of its own.
    pub fn built_in() -> Self {
        let somebody_else = || Require { own: Own::IfAlone, ..Require::default() };
        let many = u32::try_from(MANY + 1).ok();
        Self {
            rules: vec![
                Rule { name: "Removes tasks".into(), when: When { min_deletes: Some(1), ..When::default() }, require: somebody_else() },
                Rule { name: "Many operations".into(), when: When { min_operations: many, ..When::default() }, require: somebody_else() },
            ],
        }
    }
}
