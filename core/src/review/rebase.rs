//! Bringing a proposal to the plan as it is now, and settling what clashes.
//!
//! Each rebase makes a revision and starts from what the author made, never from the last rebase: so nothing is merged twice.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;

use super::{DecideError, Draft, Proposed, REVERT, Revision, State, decide::locked, open, store};
use crate::{
    ids::{Context, ProjectId},
    patch::{
        Fault, ProjectPatch, TaskPatch,
        check::Rules,
        normalise,
        plan::Plan,
        rebase::{self as algebra, Base, Blame, Choice, Conflict, Rebased},
    },
    tenancy::Actor,
    workflow::{self, ApplyError, Prepared, ProjectRow},
};

/// What a revision was made from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Source {
    pub(super) base: Base,
    /// The patch as its author made it; absent where that is the revision's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    made: Option<Made>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Made {
    patch: ProjectPatch,
    /// For each operation of the revision the one (from 0) that it was.
    origin: Vec<usize>,
}

impl Source {
    /// Of a patch that was just made for this plan.
    pub(super) fn of(plan: &Plan) -> Self {
        Self { base: Base::of(plan), made: None }
    }

    fn patch<'a>(&'a self, revision: &'a Revision) -> &'a ProjectPatch {
        self.made.as_ref().map_or(&revision.patch, |made| &made.patch)
    }

    fn origin(&self, index: usize) -> Option<usize> {
        self.made.as_ref().map_or(Some(index), |made| made.origin.get(index).copied())
    }
}

/// An open proposal at the plan as it is now.
pub(super) struct Brought {
    pub(super) draft: Draft,
    /// Where it was rebased: for each operation of the revision before (from 0) the one that it is now, none where the plan is so already.
    pub(super) became: Option<Vec<Option<usize>>>,
    /// The operations of the new revision (from 0) whose outcome is not the one that was shown.
    pub(super) touched: BTreeSet<usize>,
}

/// Brings an open proposal, whose row is locked, to the present: with a new revision where the plan has moved on.
pub(super) async fn bring(conn: &mut PgConnection, ctx: &dyn Context, actor: &Actor, draft: Draft) -> Result<Brought, DecideError> {
    let Some(project) = draft.proposal.project else { return Ok(Brought { draft, became: None, touched: BTreeSet::new() }) };
    let version = workflow::store::version(conn, project).await?.ok_or_else(|| gone(project))?;
    if version == draft.proposal.base_version {
        return Ok(Brought { draft, became: None, touched: BTreeSet::new() });
    }
    let source = source(conn, &draft).await?;
    let (row, now) = present(conn, project, &source, &draft.revision).await?;
    let rebased = merge(&draft, &source, actor, &now);
    let became = |index: usize| source.origin(index).and_then(|origin| rebased.origin.iter().position(|at| *at == origin));
    let became = (0..draft.revision.patch.tasks.len()).map(became).collect();
    let touched = rebased.touched.clone();
    let message = format!("rebased onto version {version}");
    let patch = source.patch(&draft.revision).clone();
    let proposed = proposed(conn, source.base, patch, (row, now), rebased).await?;
    let draft = record(conn, ctx, actor, &draft, &proposed, &message).await?;
    Ok(Brought { draft, became: Some(became), touched })
}

/// Rebases an open proposal. Where the plan has not moved on, it stays as it is.
pub async fn rebase(conn: &mut PgConnection, ctx: &dyn Context, actor: &Actor, number: i32) -> Result<Draft, DecideError> {
    let draft = open_draft(conn, actor, number).await?;
    Ok(bring(conn, ctx, actor, draft).await?.draft)
}

/// What became of a settlement.
#[derive(Debug)]
pub enum Resolved {
    Settled(Draft),
    /// The plan has moved on, and with it what was to be settled: to be looked at again.
    LookAgain(Draft),
}

/// Settles one conflict (by its number) of an open proposal.
pub async fn resolve(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    actor: &Actor,
    number: i32,
    conflict: usize,
    choice: &Choice,
) -> Result<Resolved, DecideError> {
    let draft = open_draft(conn, actor, number).await?;
    let numbers = draft.revision.conflicts.iter().map(|conflict| conflict.number.to_string());
    let Some(shown) = draft.revision.conflicts.iter().find(|found| found.number == conflict).cloned() else {
        let fault = Fault::new("/conflict", format!("#{number} has no conflict {conflict}"));
        let fault =
            if draft.revision.conflicts.is_empty() { fault.fix("there is nothing to settle") } else { fault.expected(crate::patch::fault::either(numbers)) };
        return Err(DecideError::Invalid(vec![fault]));
    };
    let draft = bring(conn, ctx, actor, draft).await?.draft;
    let same = |other: &&Conflict| other.path == shown.path && other.task == shown.task && other.theirs == shown.theirs;
    let Some(conflict) = draft.revision.conflicts.iter().find(same).cloned() else { return Ok(Resolved::LookAgain(draft)) };
    let project = draft.proposal.project.ok_or(DecideError::NotFound(number))?;
    let mut source = source(conn, &draft).await?;
    let (row, now) = present(conn, project, &source, &draft.revision).await?;
    let mut patch = source.patch(&draft.revision).clone();
    algebra::settle(&mut source.base, &mut patch, &now, &conflict, choice).map_err(|fault| DecideError::Choice(vec![fault]))?;
    if patch.tasks.is_empty() && patch.meta_updates.is_none() {
        let fault = Fault::new("/choice", "then nothing of the proposal would be left").fix(format!("withdraw or reject #{number}"));
        return Err(DecideError::Choice(vec![fault]));
    }
    let rebased = algebra::rebase(&source.base.plan(&now), &patch, &now, &rules(&draft, actor));
    let how = match choice {
        Choice::Ours => "as proposed".to_owned(),
        Choice::Theirs => "as it is".to_owned(),
        Choice::Value(value) => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    };
    let message = format!("settled {}: {how}", what(&conflict));
    let proposed = proposed(conn, source.base, patch, (row, now), rebased).await?;
    Ok(Resolved::Settled(record(conn, ctx, actor, &draft, &proposed, &message).await?))
}

/// `WEB-3 due_on`
fn what(conflict: &Conflict) -> String {
    let field = conflict.path.split_once("/body/").map(|(_, field)| field).or_else(|| conflict.path.strip_prefix("/meta_updates/"));
    field.map_or_else(|| conflict.task.clone(), |field| format!("{} {field}", conflict.task))
}

async fn open_draft(conn: &mut PgConnection, actor: &Actor, number: i32) -> Result<Draft, DecideError> {
    let proposal = locked(conn, actor, number).await?;
    if proposal.state != State::Open {
        return Err(DecideError::Decided(Box::new(proposal)));
    }
    let revision = store::revision(conn, proposal.id, proposal.revision).await?;
    Ok(Draft { proposal, revision })
}

/// The patch of an open proposal as it would be on this plan, which is the whole one, and what clashes. Writes nothing.
pub async fn look_ahead(conn: &mut PgConnection, actor: &Actor, draft: &Draft, now: &Plan) -> sqlx::Result<(ProjectPatch, Vec<Conflict>)> {
    if draft.proposal.project.is_none() || draft.proposal.base_version == now.project.version {
        return Ok((draft.revision.patch.clone(), draft.revision.conflicts.clone()));
    }
    let source = source(conn, draft).await?;
    let Rebased { checked, mut conflicts, .. } = merge(draft, &source, actor, now);
    blame(conn, now.project.id, source.base.version, &mut conflicts).await?;
    Ok((checked.flat.patch, conflicts))
}

fn merge(draft: &Draft, source: &Source, actor: &Actor, now: &Plan) -> Rebased {
    algebra::rebase(&source.base.plan(now), source.patch(&draft.revision), now, &rules(draft, actor))
}

fn rules(draft: &Draft, actor: &Actor) -> Rules {
    Rules { history: draft.proposal.origin == REVERT, ..Rules::of(actor.role) }
}

async fn source(conn: &mut PgConnection, draft: &Draft) -> sqlx::Result<Source> {
    if let Some(source) = store::source(conn, draft.proposal.id, draft.revision.revision).await? {
        return Ok(source);
    }
    let Some(project) = draft.proposal.project else { return Err(sqlx::Error::RowNotFound) };
    let row = workflow::store::find_project(conn, &project.to_string()).await?.ok_or(sqlx::Error::RowNotFound)?;
    Ok(Source::of(&workflow::at(conn, &row, draft.proposal.base_version).await?))
}

async fn present(conn: &mut PgConnection, project: ProjectId, source: &Source, revision: &Revision) -> Result<(ProjectRow, Plan), DecideError> {
    Ok(workflow::present(conn, project, source.patch(revision), &source.base).await?.ok_or_else(|| gone(project))?)
}

fn gone(project: ProjectId) -> ApplyError {
    ApplyError::NoProject(project.to_string())
}

/// Merges a patch that was made for a plan that has been seen whole with the plan as it is.
pub async fn merge_from(conn: &mut PgConnection, seen: &Plan, patch: ProjectPatch, rules: &Rules) -> Result<Proposed, ApplyError> {
    let patch = normalise::flatten(patch).patch;
    let base = Base::around(seen, &patch);
    let (row, now) = workflow::present(conn, seen.project.id, &patch, &base).await?.ok_or_else(|| gone(seen.project.id))?;
    let rebased = algebra::rebase(&base.plan(&now), &patch, &now, rules);
    Ok(proposed(conn, base, patch, (row, now), rebased).await?)
}

async fn proposed(conn: &mut PgConnection, base: Base, patch: ProjectPatch, (row, plan): (ProjectRow, Plan), rebased: Rebased) -> sqlx::Result<Proposed> {
    let mut conflicts = rebased.conflicts;
    blame(conn, row.project.id, base.version, &mut conflicts).await?;
    let source = Source { base, made: Some(Made { patch, origin: rebased.origin }) };
    Ok(Proposed { prepared: Prepared { project: Some(row), plan, checked: rebased.checked }, source, conflicts })
}

async fn record(conn: &mut PgConnection, ctx: &dyn Context, actor: &Actor, draft: &Draft, proposed: &Proposed, message: &str) -> sqlx::Result<Draft> {
    open::add(conn, ctx, actor, &draft.proposal, proposed, message, "proposal.rebased").await
}

/// Says who made the change that clashes, and when.
async fn blame(conn: &mut PgConnection, project: ProjectId, base: i32, conflicts: &mut [Conflict]) -> sqlx::Result<()> {
    let mut after = base;
    while conflicts.iter().any(|conflict| conflict.by.is_none()) {
        let revisions = workflow::revision::store::list_after(conn, project, after, 200).await?;
        let Some(last) = revisions.last() else { break };
        after = last.number;
        for revision in &revisions {
            let Ok(patch) = serde_json::from_str::<ProjectPatch>(revision.patch.get()) else { continue };
            for conflict in conflicts.iter_mut().filter(|conflict| touches(&patch, conflict)) {
                conflict.by = Some(Blame { actor: revision.actor.clone(), at: revision.at, revision: revision.number });
            }
        }
    }
    Ok(())
}

fn touches(patch: &ProjectPatch, conflict: &Conflict) -> bool {
    let has = |value: serde_json::Value, field: &str| value.get(field).is_some();
    if let Some(field) = conflict.path.strip_prefix("/meta_updates/") {
        return patch.meta_updates.as_ref().is_some_and(|meta| has(json!(meta), field));
    }
    let field = conflict.path.split_once("/body/").map(|(_, field)| field.split('/').next().unwrap_or(field));
    patch.tasks.iter().any(|task| match (task, field) {
        (TaskPatch::Update(update), Some(field)) => update.task_id == conflict.task && has(json!(update.body), field),
        (TaskPatch::Delete(delete), _) => delete.task_id == conflict.task || conflict.theirs.is_null() && conflict.base.as_str() == Some(&delete.task_id),
        (TaskPatch::Update(update), None) => update.task_id == conflict.task,
        (TaskPatch::Create(_), _) => false,
    })
}
