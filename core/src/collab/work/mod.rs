//! Work: the tasks of the plan as agents take them, change them and hand them on.
//!
//! Invariants: they are the plan's tasks and change by [`workflow::apply()`] alone; a task is claimed together with its lease or
//! not at all; what was read under the project's lock is what is changed.

pub mod store;

use schemars::JsonSchema;
use serde::Serialize;

use super::lease::{self, Acquired, Ask, Guard, Lease, Resource};
use crate::{
    db::Db,
    ids::{Context, LockId, ProjectId, TaskId},
    patch::{Field, ProjectPatch, TaskPatch, Update, UpdateBody, check::Rules, plan::Plan, process::StepKind},
    tenancy::Actor,
    workflow::{
        self, Apply, ApplyError, Origin,
        store::{Located, find_project, locate},
        view::TaskView,
    },
};

use sqlx::PgConnection;

/// How long the lease of a claimed task lasts without a heartbeat, where nothing is said, in seconds.
pub const TTL_SECONDS: i32 = 300;

/// How often the best task may be taken by others before one gives up and asks again later.
const TRIES: usize = 8;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    #[error("there is no task {0}")]
    NoTask(String),
    #[error("the task has changed")]
    Moved(Box<TaskView>),
    #[error("the lease that the write was to be made under has ended")]
    LeaseLost,
    #[error("somebody holds the task")]
    Held { resource: String, by: Option<Box<Lease>> },
    /// The task is not to be taken now; the text says why.
    #[error("{0}")]
    NotReady(String),
    #[error("the plan does not allow it")]
    Apply(#[from] ApplyError),
}

impl From<sqlx::Error> for WorkError {
    fn from(error: sqlx::Error) -> Self {
        Self::Apply(ApplyError::Database(error))
    }
}

/// A task before and after a change.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Changed {
    pub old: TaskView,
    pub new: TaskView,
}

/// A change of one task.
pub struct Change<'a, F> {
    /// A reference or an id.
    pub task: &'a str,
    pub body: UpdateBody,
    /// Why.
    pub note: Option<String>,
    /// The lease that it is made under.
    pub guard: Option<Guard>,
    /// Whether the task is still what the change is meant for.
    pub is_meant: F,
}

/// The task that a name names, where the actor may see it.
async fn find(conn: &mut PgConnection, actor: &Actor, name: &str) -> Result<Located, WorkError> {
    locate(conn, name).await?.filter(|found| actor.sees(found.project)).ok_or_else(|| WorkError::NoTask(name.to_owned()))
}

/// A task with what stands around it.
async fn plan_of(conn: &mut PgConnection, project: ProjectId, task: TaskId) -> Result<Plan, WorkError> {
    let gone = || WorkError::NoTask(task.to_string());
    let row = find_project(&mut *conn, &project.to_string()).await?.ok_or_else(gone)?;
    let plan = workflow::around(conn, &row, &[task.to_string()]).await?;
    if plan.get(task).is_some() { Ok(plan) } else { Err(gone()) }
}

fn view(plan: &Plan, task: TaskId) -> Result<TaskView, WorkError> {
    plan.get(task).map(|found| TaskView::new(plan, found)).ok_or_else(|| WorkError::NoTask(task.to_string()))
}

/// Reads one task.
pub async fn read(conn: &mut PgConnection, actor: &Actor, name: &str) -> Result<TaskView, WorkError> {
    let found = find(&mut *conn, actor, name).await?;
    view(&plan_of(conn, found.project, found.task).await?, found.task)
}

/// Changes a task, where it is still what the change is meant for and the lease still holds.
pub async fn change<F: FnOnce(&TaskView) -> bool + Send>(db: &Db, ctx: &dyn Context, actor: &Actor, change: Change<'_, F>) -> Result<Changed, WorkError> {
    let mut tx = db.begin(actor.organization).await?;
    let found = find(&mut tx, actor, change.task).await?;
    tx.rollback().await?;
    let mut tx = workflow::begin(db, actor.organization, Some(&found.project.to_string())).await?;
    let old = view(&plan_of(&mut tx, found.project, found.task).await?, found.task)?;
    if !(change.is_meant)(&old) {
        return Err(WorkError::Moved(Box::new(old)));
    }
    if let Some(guard) = change.guard
        && !lease::store::is_held(&mut tx, actor.member, guard).await?
    {
        return Err(WorkError::LeaseLost);
    }
    let new = apply(&mut tx, ctx, actor, (found.project, found.task), change.body, change.note).await?;
    tx.commit().await?;
    Ok(Changed { old, new })
}

/// Changes a task in a transaction that holds its project's lock.
async fn apply(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    actor: &Actor,
    (project, task): (ProjectId, TaskId),
    body: UpdateBody,
    note: Option<String>,
) -> Result<TaskView, WorkError> {
    let tasks = vec![TaskPatch::Update(Update { task_id: task.to_string(), body })];
    let patch = ProjectPatch { project_id: Some(project.to_string()), base_version: None, meta_updates: None, tasks, note };
    let request = Apply { actor, patch, rules: Rules::of(actor.role), origin: Origin::Form, proposal: None, reverts: None };
    let change = workflow::apply(conn, ctx, request).await?;
    view(&change.plan, task)
}

/// What is ready, and for whom.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ready<'a> {
    pub project: Option<ProjectId>,
    /// A label that it must have.
    pub label: Option<&'a str>,
    /// Whose work it may be, beside nobody's.
    pub assignee: Option<&'a str>,
}

/// Which tasks somebody looks for: those that fit all that is said.
#[derive(Clone, Debug, Default)]
pub struct Search {
    pub project: Option<ProjectId>,
    /// In the title or the description, in any case.
    pub text: Option<String>,
    pub status: Option<String>,
    pub assignee: Option<String>,
    pub label: Option<String>,
}

/// What somebody wants to work on.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// This task, or else the best that is ready.
    pub task: Option<&'a str>,
    /// Only of this project, by id or key.
    pub project: Option<&'a str>,
    pub label: Option<&'a str>,
    pub holder: &'a str,
    pub ttl_seconds: i32,
}

/// A task that was claimed, with its lease.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Claimed {
    pub task: TaskView,
    pub lease: Lease,
}

/// Takes a task with its lease: it goes to the step where somebody is at it and is assigned to the actor, or nothing changes.
/// `None` where nothing is ready.
pub async fn claim(db: &Db, ctx: &dyn Context, actor: &Actor, claim: Claim<'_>) -> Result<Option<Claimed>, WorkError> {
    let mut tx = db.begin(actor.organization).await?;
    let project = match claim.project {
        None => actor.project,
        Some(name) => {
            let row = find_project(&mut tx, name).await?.filter(|row| actor.sees(row.project.id));
            Some(row.ok_or_else(|| ApplyError::NoProject(name.to_owned()))?.project.id)
        }
    };
    let named = match claim.task {
        None => None,
        Some(name) => Some(find(&mut tx, actor, name).await?),
    };
    tx.rollback().await?;
    if let Some(found) = named {
        return claim_one(db, ctx, actor, claim, found).await.map(Some);
    }
    let wanted = Ready { project, label: claim.label, assignee: Some(&actor.handle) };
    for _ in 0..TRIES {
        // Which project is best is looked up without a lock; which task of it, under the project's.
        let mut tx = db.begin(actor.organization).await?;
        let best = store::list_ready(&mut tx, wanted, 1).await?;
        tx.rollback().await?;
        let Some(best) = best.first() else { return Ok(None) };
        let mut tx = workflow::begin(db, actor.organization, Some(&best.project.to_string())).await?;
        let wanted = Ready { project: Some(best.project), ..wanted };
        let Some(best) = store::list_ready(&mut tx, wanted, 1).await?.pop() else { continue };
        match take(&mut tx, ctx, actor, claim, best).await {
            Ok(claimed) => {
                tx.commit().await?;
                return Ok(Some(claimed));
            }
            Err(WorkError::Held { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

async fn claim_one(db: &Db, ctx: &dyn Context, actor: &Actor, claim: Claim<'_>, found: Located) -> Result<Claimed, WorkError> {
    let mut tx = workflow::begin(db, actor.organization, Some(&found.project.to_string())).await?;
    let plan = plan_of(&mut tx, found.project, found.task).await?;
    let task = plan.get(found.task).ok_or_else(|| WorkError::NoTask(found.reference()))?;
    if let Some(lease) = lease::store::of_task(&mut tx, found.task).await? {
        return Err(WorkError::Held { resource: lease.resource.clone(), by: Some(Box::new(lease)) });
    }
    let is_mine = task.assignee.as_ref() == Some(&actor.handle);
    let reference = plan.reference(task);
    if let Some(other) = task.assignee.as_ref().filter(|_| !is_mine) {
        return Err(WorkError::NotReady(format!("{reference} is {other}'s.")));
    }
    let process = plan.project.process;
    let is_open = process.step(&task.status).is_some_and(|step| step.kind == StepKind::Open);
    // Who lost the lease in the middle of the work takes it up where it stands.
    if !(is_open || is_mine && process.is_in_work(&task.status)) {
        return Err(WorkError::NotReady(format!("{reference} is at the step {}.", task.status)));
    }
    let waits_for: Vec<String> =
        task.depends_on.iter().filter(|id| plan.get(**id).is_some_and(|other| !process.is_done(&other.status))).map(|id| plan.reference_of(*id)).collect();
    if !waits_for.is_empty() {
        return Err(WorkError::NotReady(format!("{reference} waits for {}.", waits_for.join(", "))));
    }
    let claimed = take(&mut tx, ctx, actor, claim, found).await?;
    tx.commit().await?;
    Ok(claimed)
}

/// Takes the lease of a task and moves it, in a transaction that holds its project's lock.
async fn take(conn: &mut PgConnection, ctx: &dyn Context, actor: &Actor, claim: Claim<'_>, found: Located) -> Result<Claimed, WorkError> {
    let resource = Resource::task((found.project, found.key.clone()), (found.task, found.reference()));
    let ask = Ask { holder: claim.holder, ttl_seconds: claim.ttl_seconds, waits: false, is_claim: true };
    let lease = match lease::store::acquire_within(&mut *conn, actor, LockId(ctx.uuid()), &resource, ask, None).await? {
        Acquired::Taken(lease) => lease,
        Acquired::Held { by, .. } => return Err(WorkError::Held { resource: resource.name, by: by.map(Box::new) }),
    };
    let plan = plan_of(&mut *conn, found.project, found.task).await?;
    let task = plan.get(found.task).ok_or_else(|| WorkError::NoTask(found.reference()))?;
    let mut body = UpdateBody::default();
    if !plan.project.process.is_in_work(&task.status)
        && let Some(step) = plan.project.process.taken_up(&task.status)
    {
        body.status = Field::Set(step.name.clone());
    }
    if task.assignee.as_ref() != Some(&actor.handle) {
        body.assignee = Field::Set(actor.handle.clone());
    }
    let task = if body.is_empty() { view(&plan, found.task)? } else { apply(conn, ctx, actor, (found.project, found.task), body, None).await? };
    Ok(Claimed { task, lease })
}

/// Gives a lease back. A claimed task that its holder is still at goes back to its first step, so that others find it.
pub async fn release(db: &Db, ctx: &dyn Context, actor: &Actor, lock: LockId, reason: Option<&str>) -> Result<Lease, WorkError> {
    let mut tx = db.begin(actor.organization).await?;
    let held = lease::store::find(&mut tx, lock).await?.ok_or(WorkError::LeaseLost)?;
    tx.rollback().await?;
    let (Some(project), Some(task), true) = (held.project(), held.task(), held.is_claim) else {
        return lease::store::release(db, actor, lock, reason, None).await?.ok_or(WorkError::LeaseLost);
    };
    let mut tx = workflow::begin(db, actor.organization, Some(&project.to_string())).await?;
    let released = lease::store::release_within(&mut *tx, actor, lock, reason, None).await?.ok_or(WorkError::LeaseLost)?;
    let note = reason.map_or_else(|| format!("{} gave it back", held.holder), |reason| format!("{} gave it back: {reason}", held.holder));
    give_back(&mut tx, ctx, actor, (project, task), note).await?;
    tx.commit().await?;
    Ok(released)
}

/// Puts a task back to its first step, where its holder is still at it; in a transaction that holds its project's lock.
pub(super) async fn give_back(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    holder: &Actor,
    (project, task): (ProjectId, TaskId),
    note: String,
) -> Result<(), WorkError> {
    let plan = match plan_of(&mut *conn, project, task).await {
        // Who deletes a task asks no holder.
        Err(WorkError::NoTask(_)) => return Ok(()),
        plan => plan?,
    };
    let process = plan.project.process;
    let first = &process.first().name;
    let is_theirs = plan.get(task).is_some_and(|task| {
        task.assignee.as_ref() == Some(&holder.handle) && process.is_in_work(&task.status) && process.transition(&task.status, first).is_some()
    });
    if is_theirs {
        let body = UpdateBody { status: Field::Set(first.clone()), assignee: Field::Clear, ..UpdateBody::default() };
        apply(conn, ctx, holder, (project, task), body, Some(note)).await?;
    }
    Ok(())
}
