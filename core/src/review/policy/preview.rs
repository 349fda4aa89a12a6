//! What another policy would have done to the proposals there were.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;
use sqlx::PgConnection;

use super::{
    Facts, Need, Policy, Voice, judge,
    store::{self, Approval},
};
use crate::{
    ids::ProposalId,
    review::{
        Proposal, Revision, State, approvals,
        store::{Filter, list},
    },
};

/// How many proposals are looked at, from the newest.
pub const LAST: i64 = 500;

/// What a policy would have done, by the members and roles of today.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Preview {
    /// The version of the active policy, which it is compared with.
    pub version: i32,
    pub counts: Counts,
    /// Those whose outcome differs, newest first.
    pub proposals: Vec<Difference>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    pub looked_at: usize,
    pub differ: usize,
    /// With the approvals they had they were applied, and would wait.
    pub would_wait: usize,
    /// With the approvals they had they would be applied, and are not.
    pub would_apply: usize,
    /// Open ones that would wait for something else.
    pub would_ask_otherwise: usize,
}

/// A proposal that another policy treats otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Difference {
    pub number: i32,
    pub title: String,
    pub state: State,
    /// By the active policy.
    pub before: Outcome,
    /// By the previewed one.
    pub after: Outcome,
    /// One sentence for people, without a full stop.
    pub why: String,
}

/// What becomes of a proposal with the approvals that it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Outcome {
    pub result: OutcomeResult,
    /// What it waits for.
    pub needs: Vec<Need>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum OutcomeResult {
    Applies,
    Waits,
}

impl Outcome {
    fn of(policy: &Policy, facts: &Facts, voices: &[Voice]) -> Self {
        let needs = judge(policy, facts, voices);
        Self { result: if needs.is_empty() { OutcomeResult::Applies } else { OutcomeResult::Waits }, needs }
    }

    /// Whether the same is asked of the same people, whatever the rules are called.
    fn asks_like(&self, other: &Self) -> bool {
        let sorted = |outcome: &Self| {
            let mut asks: Vec<_> = outcome
                .needs
                .iter()
                .map(|need| {
                    let (approvals, own, by) = need.what();
                    (approvals, own, by.iter().map(|role| role.as_str()).collect::<Vec<_>>())
                })
                .collect();
            asks.sort_unstable();
            asks
        };
        sorted(self) == sorted(other)
    }
}

/// Compares a policy with the active one on the last [`LAST`] proposals. Changes nothing.
pub async fn preview(conn: &mut PgConnection, policy: &Policy) -> sqlx::Result<Preview> {
    let active = store::active(conn).await?;
    let rows = list(conn, Filter::default(), LAST).await?;
    let (roles, reviewers) = store::people(conn).await?;
    let ids: Vec<ProposalId> = rows.iter().map(|(proposal, _)| proposal.id).collect();
    let mut approvals: HashMap<ProposalId, Vec<Approval>> = HashMap::new();
    for approval in store::approvals(conn, &ids).await? {
        approvals.entry(approval.proposal).or_default().push(approval);
    }
    let mut counts = Counts { looked_at: rows.len(), ..Counts::default() };
    let mut proposals = Vec::new();
    for (proposal, revision) in rows {
        let Some(author) = roles.get(&proposal.member).copied() else { continue };
        let mut others = reviewers;
        others.add(author, -1);
        let facts = Facts::of(&proposal, &revision.diff, author, others);
        let given = approvals.remove(&proposal.id).unwrap_or_default();
        let Some(difference) = compare(&active.policy, policy, &facts, (proposal, revision), &given) else { continue };
        counts.differ += 1;
        match (difference.before.result, difference.after.result) {
            (OutcomeResult::Applies, _) => counts.would_wait += 1,
            (OutcomeResult::Waits, OutcomeResult::Applies) => counts.would_apply += 1,
            (OutcomeResult::Waits, OutcomeResult::Waits) => counts.would_ask_otherwise += 1,
        }
        proposals.push(difference);
    }
    Ok(Preview { version: active.number, counts, proposals })
}

/// Where nobody accepted before it was closed, no policy had a say.
fn compare(active: &Policy, other: &Policy, facts: &Facts, (proposal, revision): (Proposal, Revision), given: &[Approval]) -> Option<Difference> {
    if !matches!(proposal.state, State::Open | State::Applied) && given.is_empty() {
        return None;
    }
    let all = approvals::all(&revision);
    let voices = approvals::voices(given.iter(), &revision, proposal.accepted.as_deref().unwrap_or(&all));
    let (before, after) = (Outcome::of(active, facts, &voices), Outcome::of(other, facts, &voices));
    let same = before.result == after.result && (proposal.state != State::Open || before.asks_like(&after));
    if same {
        return None;
    }
    let why = match (after.needs.first(), before.needs.first()) {
        (Some(need), _) => format!("{}: {}", need.rule, need.text),
        (None, Some(need)) => format!("no rule asks any more what \"{}\" asked: {}", need.rule, need.text),
        (None, None) => return None,
    };
    Some(Difference { number: proposal.number, title: proposal.title, state: proposal.state, before, after, why })
}
