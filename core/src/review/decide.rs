//! Deciding: accept all or some, reject, withdraw, comment.

use std::collections::BTreeSet;

use serde_json::json;
use sqlx::PgConnection;

use super::{Comment, Decided, Draft, Proposal, Revision, Standing, State, approvals, rebase, store};
use crate::{
    channel, collab, command,
    ids::Context,
    patch::{Fault, check::Rules, select},
    tenancy::{Actor, Scope},
    workflow::{self, Apply, ApplyError, Change, Origin},
};

/// Why a decision has no effect. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    #[error("there is no proposal #{0}")]
    NotFound(i32),
    /// Somebody decided otherwise before.
    #[error("#{} is {} already", .0.number, .0.state.as_str())]
    Decided(Box<Proposal>),
    /// What was looked at is not what it is now.
    #[error("#{number} was refined since you looked: it is at revision {revision}")]
    Refined { number: i32, revision: i32 },
    /// It clashes with what others did since.
    #[error("#{} has conflicts with what others did since", .0.proposal.number)]
    Conflicted(Box<Draft>),
    /// The policy asks for somebody else.
    #[error("{0}")]
    NotAllowed(String),
    /// The choice does not hold together.
    #[error("these operations cannot be accepted alone")]
    Choice(Vec<Fault>),
    /// It names what is not there, or nothing at all.
    #[error("this is no choice")]
    Invalid(Vec<Fault>),
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

impl From<sqlx::Error> for DecideError {
    fn from(error: sqlx::Error) -> Self {
        Self::Apply(error.into())
    }
}

/// An accepted proposal.
#[derive(Debug)]
pub struct Accepted {
    pub proposal: Proposal,
    pub revision: Revision,
    /// What became of the plan; `None` where it had been accepted before.
    pub change: Option<Box<Change>>,
}

/// A proposal that somebody has approved, and that others have to approve too.
#[derive(Debug)]
pub struct Waiting {
    pub proposal: Proposal,
    pub revision: Revision,
    pub standing: Standing,
}

/// What became of a decision to accept.
#[derive(Debug)]
pub enum Verdict {
    Applied(Accepted),
    /// The policy wants more approvals: this one is recorded, to be committed, and nothing is applied.
    Waits(Waiting),
    /// The plan has moved on, and what would be applied is not what was shown: this is. To be committed, and looked at.
    LookAgain(Draft),
}

/// Accepts a proposal, whole or the named operations (from 1), and applies it. `digest` names what the reviewer looked at.
pub async fn accept(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    actor: &Actor,
    number: i32,
    ops: Option<&[i32]>,
    digest: Option<&str>,
) -> Result<Verdict, DecideError> {
    let mut proposal = locked(conn, actor, number).await?;
    let mut revision = store::revision(conn, proposal.id, proposal.revision).await?;
    let mut chosen: BTreeSet<i32> = ops.map_or_else(|| approvals::all(&revision), <[i32]>::to_vec).into_iter().collect();
    if proposal.state == State::Applied {
        let same = ops.is_none() || proposal.accepted.as_ref().is_some_and(|accepted| accepted.iter().copied().eq(chosen.iter().copied()));
        return if same { Ok(Verdict::Applied(Accepted { proposal, revision, change: None })) } else { Err(DecideError::Decided(Box::new(proposal))) };
    }
    if proposal.state != State::Open {
        return Err(DecideError::Decided(Box::new(proposal)));
    }
    if digest.is_some_and(|digest| !digest.eq_ignore_ascii_case(&super::view::hex(&revision.digest))) {
        return Err(DecideError::Refined { number, revision: proposal.revision });
    }
    if !revision.conflicts.is_empty() {
        return Err(DecideError::Conflicted(Box::new(Draft { proposal, revision })));
    }
    let strangers = not_there(&revision, &chosen);
    if !strangers.is_empty() {
        return Err(DecideError::Invalid(strangers));
    }
    if let Some(project) = proposal.project {
        store::lock_project(conn, project).await?;
    }
    let brought = rebase::bring(conn, ctx, actor, Draft { proposal, revision }).await?;
    (proposal, revision) = (brought.draft.proposal, brought.draft.revision);
    if let Some(became) = brought.became {
        let index = |op: &i32| usize::try_from(op - 1).ok().and_then(|op| became.get(op).copied().flatten());
        let kept: BTreeSet<usize> = chosen.iter().filter_map(index).collect();
        if !revision.conflicts.is_empty() || !kept.is_disjoint(&brought.touched) {
            return Ok(Verdict::LookAgain(Draft { proposal, revision }));
        }
        chosen = kept.iter().filter_map(|op| i32::try_from(op + 1).ok()).collect();
    }
    let name = proposal.project.map(|id| id.to_string());
    let rules = Rules { history: proposal.origin == super::REVERT, ..Rules::of(actor.role) };
    let mut patch = revision.patch.clone();
    patch.project_id = name;
    if ops.is_some() {
        let kept: BTreeSet<usize> = chosen.iter().map(|op| usize::try_from(op - 1).unwrap_or(usize::MAX)).collect();
        if kept.is_empty() {
            return Err(DecideError::Invalid(vec![Fault::new("/ops", "no operation is chosen").fix(format!("to turn all of it down, reject #{number}"))]));
        }
        let needs: Vec<BTreeSet<usize>> = revision.diff.entries.iter().map(|entry| entry.needs.iter().map(|need| need - 1).collect()).collect();
        patch = select::choose(&patch, &needs, &kept).map_err(DecideError::Choice)?;
    }
    let operations: Vec<i32> = chosen.iter().copied().collect();
    if let Some(standing) = approvals::take(conn, ctx, actor, (&proposal, &revision), &operations).await? {
        return Ok(Verdict::Waits(Waiting { proposal, revision, standing }));
    }
    let change = workflow::apply(conn, ctx, Apply { actor, patch, rules, origin: Origin::Proposal, proposal: Some(number), reverts: None }).await?;
    let project = &change.project.project;
    proposal.project = Some(project.id);
    proposal.project_key = Some(project.key.clone());
    proposal.state = State::Applied;
    proposal.applied_as = Some(project.version);
    proposal.accepted = Some(operations);
    settle(conn, ctx, actor, &mut proposal, &revision, "accept", None).await?;
    if let (Some(conversation), true) = (proposal.conversation, change.is_new) {
        command::store::adopt(conn, conversation, project.id).await?;
    }
    Ok(Verdict::Applied(Accepted { proposal, revision, change: Some(Box::new(change)) }))
}

/// The chosen operations (from 1) that a revision does not have.
fn not_there(revision: &Revision, chosen: &BTreeSet<i32>) -> Vec<Fault> {
    let count = revision.patch.tasks.len();
    let is_there = |op: i32| usize::try_from(op).is_ok_and(|op| (1..=count).contains(&op));
    let fault = |op: &i32| Fault::new("/ops", format!("there is no operation {op}")).expected(format!("1–{count}"));
    chosen.iter().filter(|op| !is_there(**op)).map(fault).collect()
}

/// Whether somebody may decide at all.
pub(super) fn may_review(actor: &Actor) -> Result<(), DecideError> {
    if actor.may(Scope::Review) { Ok(()) } else { Err(DecideError::NotAllowed("you may read and propose here, but not decide: ask a member".into())) }
}

/// Turns a proposal down.
pub async fn reject(conn: &mut PgConnection, ctx: &dyn Context, actor: &Actor, number: i32, reason: Option<&str>) -> Result<Proposal, DecideError> {
    may_review(actor)?;
    close(conn, ctx, actor, number, State::Rejected, "reject", reason).await
}

/// Takes a proposal back: its author may, and whoever administers.
pub async fn withdraw(conn: &mut PgConnection, ctx: &dyn Context, actor: &Actor, number: i32) -> Result<Proposal, DecideError> {
    let proposal = locked(conn, actor, number).await?;
    if proposal.member != actor.member && !actor.may(Scope::Admin) {
        return Err(DecideError::NotAllowed(format!("#{number} is {}'s: only its author takes it back, others reject it", proposal.author)));
    }
    close(conn, ctx, actor, number, State::Withdrawn, "withdraw", None).await
}

async fn close(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    actor: &Actor,
    number: i32,
    state: State,
    verdict: &str,
    reason: Option<&str>,
) -> Result<Proposal, DecideError> {
    let mut proposal = locked(conn, actor, number).await?;
    if proposal.state == state {
        return Ok(proposal);
    }
    if proposal.state != State::Open {
        return Err(DecideError::Decided(Box::new(proposal)));
    }
    let revision = store::revision(conn, proposal.id, proposal.revision).await?;
    proposal.state = state;
    settle(conn, ctx, actor, &mut proposal, &revision, verdict, reason).await?;
    Ok(proposal)
}

/// Says something about a proposal, or about one of its operations (from 1).
pub async fn comment(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    actor: &Actor,
    number: i32,
    text: &str,
    operation: Option<i32>,
) -> Result<(Proposal, Comment), DecideError> {
    let proposal = locked(conn, actor, number).await?;
    if let Some(operation) = operation {
        let count = store::revision(conn, proposal.id, proposal.revision).await?.patch.tasks.len();
        if usize::try_from(operation).is_ok_and(|n| n == 0 || n > count) || operation < 1 {
            let fault = Fault::new("/operation", format!("#{number} has no operation {operation}")).expected(format!("1–{count}"));
            return Err(DecideError::Invalid(vec![fault]));
        }
    }
    let comment = Comment { id: ctx.uuid(), author: actor.handle.clone(), text: text.to_owned(), operation, at: ctx.now() };
    store::insert_comment(conn, actor, proposal.id, &comment).await?;
    let details = json!({ "number": number, "project": proposal.project_key, "operation": operation, "comment": comment.id });
    collab::store::append(conn, actor.organization, comment.at, "proposal.commented", &actor.handle, &format!("#{number}"), &details).await?;
    Ok((proposal, comment))
}

/// A proposal whose row is held until the transaction ends.
pub(super) async fn locked(conn: &mut PgConnection, actor: &Actor, number: i32) -> Result<Proposal, DecideError> {
    let proposal = store::lock(conn, number).await?.ok_or(DecideError::NotFound(number))?;
    // A key for one project sees no proposal of another, nor one for a new project.
    match actor.project {
        Some(only) if proposal.project != Some(only) => Err(DecideError::NotFound(number)),
        _ => Ok(proposal),
    }
}

/// Holds the rows of proposals and of their projects until the transaction ends, in one order: so that two who decide about several never wait for each other.
pub async fn hold(conn: &mut PgConnection, numbers: &[i32]) -> sqlx::Result<()> {
    store::lock_all(conn, numbers).await
}

/// An open proposal whose row is held until the transaction ends: to refine it.
pub async fn lock_open(conn: &mut PgConnection, actor: &Actor, number: i32) -> Result<Proposal, DecideError> {
    let proposal = locked(conn, actor, number).await?;
    if proposal.state == State::Open { Ok(proposal) } else { Err(DecideError::Decided(Box::new(proposal))) }
}

async fn settle(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    actor: &Actor,
    proposal: &mut Proposal,
    revision: &Revision,
    verdict: &str,
    reason: Option<&str>,
) -> sqlx::Result<()> {
    let now = ctx.now();
    proposal.decided = Some(Decided { by: actor.handle.clone(), at: now, reason: reason.map(str::to_owned) });
    proposal.updated_at = now;
    store::settle(conn, ctx, actor, proposal, revision, verdict).await?;
    let details = json!({
        "number": proposal.number, "project": proposal.project_key, "state": proposal.state, "applied_as": proposal.applied_as,
        "conversation": proposal.conversation, "reason": reason,
    });
    collab::store::append(&mut *conn, actor.organization, now, "proposal.decided", &actor.handle, &format!("#{}", proposal.number), &details).await?;
    channel::store::refresh_copies(conn, ctx, actor.organization, proposal.number).await
}
