//! The patch as it is written: the types behind the published JSON Schemas.
//!
//! Absent, `null` and a value are three different things in an update (RFC 7386); [`Field`] holds them apart.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{TaskId, wire};

/// Changes to one project: its own fields and its tasks.
///
/// Without `project_id` it creates the project. At most 256 KiB, 500 operations, 6 levels of `subtasks`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct ProjectPatch {
    /// The project's id or key (`WEB`). Absent or null: a new project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The project version that the author looked at; 0 for a new project. Absent or null: whatever it is when the patch is checked.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "wire::whole_number")]
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub base_version: Option<i32>,
    /// What changes in the project itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta_updates: Option<MetaUpdates>,
    /// The operations, in order.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub tasks: Vec<TaskPatch>,
    /// Why, in one or two sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The project's own fields; only what changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct MetaUpdates {
    /// 1–200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The key that references begin with (`WEB`); only for a new project. Absent: made from the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The process that the tasks move through (`simple`, `agents`); only for a new project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
    /// The zone that the project's dates are meant in, as an IANA name (`Europe/Berlin`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

impl MetaUpdates {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One operation on one task.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskPatch {
    Create(Create),
    Update(Update),
    Delete(Delete),
}

/// A new task.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Create {
    /// A temporary name, unique in the patch, which `parent_id`, `after` and `depends_on` may use.
    pub task_id: String,
    /// The id it had. Only Patchbay writes it, in revisions and inverses, where `task_id` is the reference that comes back with it.
    #[schemars(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub id: Option<TaskId>,
    pub body: CreateBody,
}

/// A change of a task that exists.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Update {
    /// The task's uuid or reference (`WEB-7`).
    pub task_id: String,
    pub body: UpdateBody,
}

/// The end of a task.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Delete {
    /// The task's uuid or reference (`WEB-7`).
    pub task_id: String,
    #[schemars(default)]
    pub body: DeleteBody,
}

/// A new task's fields. Absent and null mean the same, but for `after`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct CreateBody {
    /// 1–200 characters.
    pub title: String,
    /// Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A step of the project's process; absent: its first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// A word for what sort of work it is (`FEATURE`, `BUG`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<Effort>,
    /// Minutes of work.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "wire::whole_number")]
    #[schemars(range(max = 4_294_967_295_u32))]
    pub estimate_minutes: Option<u32>,
    /// A member's handle (`ana`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// `YYYY-MM-DD`
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "wire::date")]
    pub due_on: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// Tasks that must be done first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depends_on: Option<Vec<String>>,
    /// What it waits for, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocker: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceptance_criteria: Option<Vec<NewCriterion>>,
    /// Paths and links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<Vec<String>>,
    /// Its names elsewhere, by system (`{"github": "acme/web#12"}`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_refs: Option<BTreeMap<String, String>>,
    /// What has no field of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, Value>>,
    /// The task it is part of; absent: the task whose `subtasks` it stands in, else the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// The sibling it follows; null: it is the first; absent: the last.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub after: Field<String>,
    /// Operations on what is below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtasks: Option<Vec<TaskPatch>>,
}

/// What changes in a task: absent is unchanged, null clears.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, remote = "Self")]
pub struct UpdateBody {
    /// 1–200 characters.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub title: Field<String>,
    /// Markdown.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub description: Field<String>,
    /// A step of the project's process that can be reached from the present one.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub status: Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub priority: Field<Priority>,
    /// A word for what sort of work it is (`FEATURE`, `BUG`).
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub kind: Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub effort: Field<Effort>,
    /// Minutes of work.
    #[serde(skip_serializing_if = "Field::is_absent", deserialize_with = "wire::whole_number")]
    #[schemars(range(max = 4_294_967_295_u32))]
    pub estimate_minutes: Field<u32>,
    /// A member's handle (`ana`).
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub assignee: Field<String>,
    /// `YYYY-MM-DD`
    #[serde(skip_serializing_if = "Field::is_absent", deserialize_with = "wire::date")]
    pub due_on: Field<NaiveDate>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub labels: Field<ListEdit<String>>,
    /// Tasks that must be done first.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub depends_on: Field<ListEdit<String>>,
    /// What it waits for, in words.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub blocker: Field<String>,
    /// Criteria by id: `add` with an id that exists changes that one; `remove` takes ids.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub acceptance_criteria: Field<CriterionEdit>,
    /// Paths and links.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub references: Field<ListEdit<String>>,
    /// Its names elsewhere, by system; a null removes one.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub external_refs: Field<BTreeMap<String, Option<String>>>,
    /// What has no field of its own; a null removes a key.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub metadata: Field<BTreeMap<String, Value>>,
    /// The task it becomes part of; null: the project.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub parent_id: Field<String>,
    /// The sibling it follows; null: it is the first.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub after: Field<String>,
    /// Operations on what is below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtasks: Option<Vec<TaskPatch>>,
}

impl UpdateBody {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct DeleteBody {
    /// What becomes of the tasks below it.
    #[serde(default)]
    pub subtasks_go: SubtasksGo,
}

/// What becomes of the tasks below a deleted one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubtasksGo {
    /// They are deleted too.
    #[default]
    WithIt,
    /// They take its place.
    Up,
}

wire::words!(SubtasksGo { WithIt = "with_it", Up = "up" });

/// How much it matters; `P0` is the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    P0,
    P1,
    P2,
    P3,
}

wire::words!(Priority { P0 = "P0", P1 = "P1", P2 = "P2", P3 = "P3" });

/// How big it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    S,
    M,
    L,
}

wire::words!(Effort { S = "S", M = "M", L = "L" });

/// A line of a task's definition of done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// Unique in its task.
    pub id: String,
    pub text: String,
    pub done: bool,
}

/// A criterion as a patch gives it: without an id it is a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct NewCriterion {
    /// 1–40 of `a-z A-Z 0-9 _ -`. Absent: Patchbay gives one (`c1`, `c2`, …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub text: String,
    #[serde(default)]
    pub done: bool,
}

/// An edit of the acceptance criteria.
pub type CriterionEdit = ListEdit<NewCriterion>;

/// A list that replaces the list, or what is added to it and removed from it. What is removed is named by its text or id.
#[derive(Clone, Debug, PartialEq)]
pub enum ListEdit<T> {
    Replace(Vec<T>),
    Change { add: Vec<T>, remove: Vec<String> },
}

/// A field of an update: unchanged, cleared, or given a value (RFC 7386).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Field<T> {
    #[default]
    Absent,
    Clear,
    Set(T),
}

impl<T> Field<T> {
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// `None` where the field is unchanged, else the new value or `Some(None)`.
    pub const fn given(&self) -> Option<Option<&T>> {
        match self {
            Self::Absent => None,
            Self::Clear => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }

    /// The value, where one is set.
    pub const fn set(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Absent | Self::Clear => None,
        }
    }

    /// The edit that gives a field this value.
    pub fn to(value: Option<T>) -> Self {
        value.map_or(Self::Clear, Self::Set)
    }
}

impl TaskPatch {
    /// `create`, `update` or `delete`.
    pub const fn op(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Update(_) => "update",
            Self::Delete(_) => "delete",
        }
    }

    /// The name that the patch has for the task.
    pub fn task_id(&self) -> &str {
        match self {
            Self::Create(create) => &create.task_id,
            Self::Update(update) => &update.task_id,
            Self::Delete(delete) => &delete.task_id,
        }
    }

    /// The operations nested in it.
    pub fn subtasks(&self) -> &[Self] {
        match self {
            Self::Create(create) => create.body.subtasks.as_deref(),
            Self::Update(update) => update.body.subtasks.as_deref(),
            Self::Delete(_) => None,
        }
        .unwrap_or_default()
    }
}
