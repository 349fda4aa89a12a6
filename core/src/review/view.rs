//! A proposal as others read it: the shapes `Proposal` and its diff of the API.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Comment, Decided, Proposal, Revision, Standing, State, Trust,
    risk::{self, Risk},
};
use crate::patch::{
    ProjectPatch,
    diff::{Diff, Entry, FieldChange, Op},
    rebase::Conflict,
};

/// `Proposal` of the API.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ProposalView {
    /// People see `#12`.
    pub number: i32,
    /// One line.
    pub title: String,
    /// The project's key; null while the project is yet to be made.
    pub project: Option<String>,
    pub state: State,
    pub base_version: i32,
    pub revision: i32,
    pub patch: ProjectPatch,
    pub operations: Vec<OperationView>,
    pub note: Option<String>,
    pub trust: Trust,
    /// A member's handle.
    pub author: String,
    pub origin: String,
    /// Where it clashes with what others did since. While there are any it cannot be accepted.
    pub conflicts: Vec<Conflict>,
    /// The project version that it became.
    pub applied_as: Option<i32>,
    /// Names exactly this revision, for a decision.
    pub digest: String,
    pub risks: Vec<Risk>,
    pub comments: Vec<Comment>,
    pub revisions: Vec<RevisionLine>,
    pub decided: Option<Decided>,
    /// Who has approved, and what the policy wants still; null in lists.
    pub standing: Option<Standing>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// One operation of a proposal.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct OperationView {
    /// From 1, in the order shown.
    pub index: usize,
    pub op: Op,
    /// Reference, or temporary name of a new task.
    pub task: String,
    /// A few words: its title and what changes.
    pub summary: String,
    pub state: OperationState,
    /// The operations that it cannot do without.
    pub depends_on: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum OperationState {
    Open,
    Accepted,
    Rejected,
}

/// When and why a revision came to be.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RevisionLine {
    pub revision: i32,
    pub at: DateTime<Utc>,
    /// The words that asked for it.
    pub message: String,
    pub author: String,
}

impl ProposalView {
    pub fn new(proposal: Proposal, revision: Revision, comments: Vec<Comment>, revisions: Vec<RevisionLine>) -> Self {
        let operations = revision
            .diff
            .entries
            .iter()
            .map(|entry| OperationView {
                index: entry.index,
                op: entry.op,
                task: entry.task.clone(),
                summary: summary(entry),
                state: state(&proposal, entry.index),
                depends_on: entry.needs.clone(),
            })
            .collect();
        Self {
            number: proposal.number,
            title: proposal.title,
            project: proposal.project_key,
            state: proposal.state,
            base_version: proposal.base_version,
            revision: revision.revision,
            operations,
            note: revision.patch.note.clone(),
            patch: revision.patch,
            trust: proposal.trust,
            author: proposal.author,
            origin: proposal.origin,
            conflicts: revision.conflicts,
            applied_as: proposal.applied_as,
            digest: hex(&revision.digest),
            risks: risk::risks(&revision.diff, proposal.trust),
            comments,
            revisions,
            decided: proposal.decided,
            standing: None,
            created_at: proposal.created_at,
            updated_at: proposal.updated_at,
        }
    }
}

fn state(proposal: &Proposal, index: usize) -> OperationState {
    let accepted = proposal.accepted.as_ref().is_some_and(|accepted| accepted.iter().any(|op| usize::try_from(*op) == Ok(index)));
    match proposal.state {
        State::Draft | State::Open => OperationState::Open,
        _ if accepted => OperationState::Accepted,
        _ => OperationState::Rejected,
    }
}

fn summary(entry: &Entry) -> String {
    match entry.op {
        Op::Create => entry.title.clone(),
        Op::Delete if entry.removes.is_empty() => entry.title.clone(),
        Op::Delete => format!("{}, with {}", entry.title, entry.removes.join(", ")),
        Op::Update => {
            let mut fields: Vec<&str> = entry.changes.iter().map(|change| &*change.field).collect();
            if entry.moved.is_some() {
                fields.push("place");
            }
            format!("{}: {}", entry.title, fields.join(", "))
        }
    }
}

/// The diff of the API: the change as it was shown, and where each operation stands.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DiffView {
    pub project: Option<String>,
    pub project_title: String,
    pub base_version: i32,
    pub revision: i32,
    pub digest: String,
    pub project_changes: Vec<FieldChange>,
    pub entries: Vec<EntryView>,
    pub counts: crate::patch::diff::Counts,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EntryView {
    #[serde(flatten)]
    pub entry: Entry,
    pub state: OperationState,
    /// What the newest refinement did to it; null in a first revision.
    pub refined: Option<Refined>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Refined {
    Added,
    Changed,
    Same,
}

impl DiffView {
    /// `before` is the revision before, where there is one.
    pub fn new(proposal: &Proposal, revision: Revision, before: Option<&Diff>) -> Self {
        let Diff { project, project_title, base_version, project_changes, entries, counts } = revision.diff;
        let entries = entries
            .into_iter()
            .map(|entry| EntryView { state: state(proposal, entry.index), refined: before.map(|before| refined(before, &entry)), entry })
            .collect();
        Self { project, project_title, base_version, revision: revision.revision, digest: hex(&revision.digest), project_changes, entries, counts }
    }
}

fn refined(before: &Diff, entry: &Entry) -> Refined {
    let plain = |entry: &Entry| Entry { index: 0, needs: Vec::new(), after: None, first: false, ..entry.clone() };
    match before.entries.iter().find(|old| old.op == entry.op && old.task == entry.task) {
        None => Refined::Added,
        Some(old) if plain(old) == plain(entry) => Refined::Same,
        Some(_) => Refined::Changed,
    }
}

/// Bytes as lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
