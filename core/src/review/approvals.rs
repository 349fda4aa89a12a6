//! Approvals: acceptances that the policy wants more of, and what still counts of them.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use sqlx::PgConnection;

use super::{
    DecideError, Proposal, Revision, State, decide,
    policy::{
        self, Facts, Need, Voice,
        store::{self, Approval, Ground},
    },
};
use crate::{
    collab,
    ids::{Context, MemberId},
    patch::{ProjectPatch, TaskPatch, process::Role},
    tenancy::Actor,
};

/// How far a proposal is with the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Standing {
    /// The version of the policy that it is held against, 0 for the built-in one; null once it is closed.
    pub policy: Option<i32>,
    /// Who has approved, oldest first.
    pub approvals: Vec<Approved>,
    /// What is needed still.
    pub needs: Vec<Need>,
}

/// An approval as it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Approved {
    /// A member's handle.
    pub by: String,
    pub at: DateTime<Utc>,
    /// The revision that was shown.
    pub revision: i32,
    /// The operations that were approved, from 1.
    pub operations: Vec<i32>,
    /// The operations of the newest revision that it holds for: those that are as they were shown. None where whoever gave it may no longer decide.
    pub holds_for: Vec<i32>,
}

/// All operations of a revision, from 1.
pub(super) fn all(revision: &Revision) -> Vec<i32> {
    (1..=i32::try_from(revision.patch.tasks.len()).unwrap_or(i32::MAX)).collect()
}

/// The approvals that hold for all of these operations (from 1) of the newest revision.
pub(super) fn voices<'a>(approvals: impl Iterator<Item = &'a Approval>, revision: &Revision, operations: &[i32]) -> Vec<Voice> {
    let mut voices: Vec<Voice> = Vec::new();
    for approval in approvals.filter(|approval| operations.iter().all(|operation| holds(approval, revision, *operation))) {
        if !voices.iter().any(|voice| voice.member == approval.voice.member) {
            voices.push(approval.voice.clone());
        }
    }
    voices
}

/// Whether an approval was given for an operation (from 1) of the newest revision, as it is now.
fn holds(approval: &Approval, revision: &Revision, operation: i32) -> bool {
    let Some(shown) = &approval.shown else { return approval.operations.contains(&operation) };
    let Some(now) = task(&revision.patch, operation) else { return false };
    shown.meta_updates == revision.patch.meta_updates && approval.operations.iter().any(|then| task(shown, *then) == Some(now))
}

fn task(patch: &ProjectPatch, operation: i32) -> Option<&TaskPatch> {
    usize::try_from(operation - 1).ok().and_then(|at| patch.tasks.get(at))
}

/// Whether whoever gave it may decide now.
fn may_decide(approval: &Approval) -> bool {
    approval.is_here && policy::reviews(approval.voice.role)
}

/// Takes somebody's acceptance of some operations (from 1, in order) of an open proposal whose row is locked.
///
/// `None`: it completes the policy, and the proposal is to be applied. Otherwise it is recorded, and this is needed still.
pub(super) async fn take(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    actor: &Actor,
    (proposal, revision): (&Proposal, &Revision),
    operations: &[i32],
) -> Result<Option<Standing>, DecideError> {
    decide::may_review(actor)?;
    let Ground { policy, author, others, version } = store::ground(conn, proposal.member).await?;
    // What is left out is not applied, and asks for nobody.
    let facts = Facts::of_some(proposal, &revision.diff, operations, author, others);
    let mine = Voice { member: actor.member, handle: actor.handle.clone(), role: actor.role };
    // Most policies ask for one: then nobody else's approvals are looked for.
    if policy::judge(&policy, &facts, std::slice::from_ref(&mine)).is_empty() {
        return Ok(None);
    }
    let given = store::approvals(conn, &[proposal.id]).await?;
    let mut voices = voices(given.iter().filter(|approval| may_decide(approval)), revision, operations);
    let is_new = !voices.iter().any(|voice| voice.member == mine.member);
    let counts = policy::judge(&policy, &facts, &voices).iter().any(|need| need.counts(&facts, &mine));
    if is_new {
        voices.push(mine);
    }
    let needs = policy::judge(&policy, &facts, &voices);
    let Some(first) = needs.first() else { return Ok(None) };
    if !is_new {
        return Ok(Some(Standing { policy: Some(version), approvals: lines(given, revision), needs }));
    }
    if !counts {
        return Err(DecideError::NotAllowed(first.text.clone()));
    }
    store::insert_approval(conn, ctx, actor, proposal, revision, operations).await?;
    let details = json!({ "number": proposal.number, "project": proposal.project_key, "revision": revision.revision, "needs": needs });
    collab::store::append(conn, actor.organization, ctx.now(), "proposal.approved", &actor.handle, &format!("#{}", proposal.number), &details).await?;
    let given = store::approvals(conn, &[proposal.id]).await?;
    Ok(Some(Standing { policy: Some(version), approvals: lines(given, revision), needs }))
}

/// How far a proposal is, with all operations of its newest revision; `shown` is one of its revisions.
pub async fn standing(conn: &mut PgConnection, proposal: &Proposal, shown: &Revision) -> sqlx::Result<Standing> {
    if shown.revision == proposal.revision {
        return of_newest(conn, proposal, shown).await;
    }
    let newest = super::store::revision(conn, proposal.id, proposal.revision).await?;
    of_newest(conn, proposal, &newest).await
}

async fn of_newest(conn: &mut PgConnection, proposal: &Proposal, revision: &Revision) -> sqlx::Result<Standing> {
    let given = store::approvals(conn, &[proposal.id]).await?;
    if proposal.state != State::Open {
        return Ok(Standing { policy: None, approvals: lines(given, revision), needs: Vec::new() });
    }
    let Ground { policy, author, others, version } = store::ground(conn, proposal.member).await?;
    let facts = Facts::of(proposal, &revision.diff, author, others);
    let voices = voices(given.iter().filter(|approval| may_decide(approval)), revision, &all(revision));
    let needs = policy::judge(&policy, &facts, &voices);
    Ok(Standing { policy: Some(version), approvals: lines(given, revision), needs })
}

/// Those of some people whose approval an open proposal needs, or could do with; its author is not asked.
pub async fn wanted(conn: &mut PgConnection, proposal: &Proposal, people: &[(MemberId, Role)]) -> sqlx::Result<Vec<MemberId>> {
    if proposal.state != State::Open {
        return Ok(Vec::new());
    }
    let revision = super::store::revision(&mut *conn, proposal.id, proposal.revision).await?;
    let Ground { policy, author, others, .. } = store::ground(conn, proposal.member).await?;
    let facts = Facts::of(proposal, &revision.diff, author, others);
    let needs = policy::judge(&policy, &facts, &[]);
    let counts = |member: MemberId, role: Role| {
        let voice = Voice { member, handle: String::new(), role };
        needs.iter().any(|need| need.counts(&facts, &voice))
    };
    let is_wanted = |(member, role): &&(MemberId, Role)| *member != proposal.member && policy::reviews(*role) && counts(*member, *role);
    Ok(people.iter().filter(is_wanted).map(|(member, _)| *member).collect())
}

fn lines(given: Vec<Approval>, revision: &Revision) -> Vec<Approved> {
    let all = all(revision);
    given
        .into_iter()
        .map(|approval| Approved {
            holds_for: all.iter().copied().filter(|operation| may_decide(&approval) && holds(&approval, revision, *operation)).collect(),
            by: approval.voice.handle,
            at: approval.at,
            revision: approval.revision,
            operations: approval.operations,
        })
        .collect()
}
