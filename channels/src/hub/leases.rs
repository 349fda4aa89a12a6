//! Commands about who works on what: agents, and the leases on tasks.

use patchbay_core::{
    audit,
    collab::{
        agent,
        lease::{self, Acquired, Ask, Lease, Resource},
    },
    command::Outcome,
    db,
    ids::LockId,
    patch::Reference,
    tenancy::Scope,
    workflow::store::{Located, locate},
};
use serde_json::json;

use super::{
    explicit::{answer, need},
    grammar::Leasing,
    replies::collab as replies,
    run::{Run, Stop},
};

/// How long a task is held where nothing is said, in minutes.
const MINUTES: u32 = 30;
/// The longest, in minutes.
const MAX_MINUTES: u32 = 24 * 60;

/// `agents`
pub(super) async fn agents(run: &Run<'_>) -> Result<(), Stop> {
    let mut tx = run.hub.db.read(run.actor.organization).await?;
    let (_, agents) = agent::store::list(&mut tx).await?;
    tx.rollback().await?;
    answer(run, replies::agents(&agents)).await
}

/// `lease …`
pub(super) async fn lease(run: &Run<'_>, leasing: &Leasing) -> Result<(), Stop> {
    match leasing {
        Leasing::List => list(run).await,
        Leasing::Take { task, minutes } => take(run, task, minutes.unwrap_or(MINUTES)).await,
        Leasing::Release { task, why } => release(run, task, why.as_deref()).await,
        Leasing::Steal { task, why } => steal(run, task, why).await,
    }
}

async fn list(run: &Run<'_>) -> Result<(), Stop> {
    let mut tx = run.hub.db.read(run.actor.organization).await?;
    let (_, leases) = lease::store::list(&mut tx, run.actor.project).await?;
    tx.rollback().await?;
    answer(run, replies::leases(&leases, run.zone())).await
}

async fn find(run: &Run<'_>, conn: &mut db::Connection, task: &Reference) -> Result<Located, Stop> {
    let found = locate(conn, &task.to_string()).await?.filter(|found| run.actor.sees(found.project));
    found.ok_or_else(|| super::replies::no_task(&task.to_string(), &task.key).into())
}

/// Who holds a task now.
async fn held(run: &Run<'_>, conn: &mut db::Connection, task: &Reference) -> Result<Lease, Stop> {
    let found = find(run, &mut *conn, task).await?;
    lease::store::of_task(conn, found.task).await?.ok_or_else(|| replies::free(task).into())
}

fn ask<'a>(run: &'a Run<'_>, minutes: u32) -> Result<Ask<'a>, Stop> {
    let seconds = i32::try_from(minutes * 60).ok().filter(|_| (1..=MAX_MINUTES).contains(&minutes)).ok_or_else(|| Stop::from(replies::too_long()))?;
    Ok(Ask { holder: &run.actor.handle, ttl_seconds: seconds, waits: false, is_claim: false })
}

async fn take(run: &Run<'_>, task: &Reference, minutes: u32) -> Result<(), Stop> {
    need(run, Scope::Propose)?;
    let ask = ask(run, minutes.min(MAX_MINUTES + 1))?;
    let mut tx = run.begin(None).await?;
    let found = find(run, &mut tx, task).await?;
    let reference = found.reference();
    let resource = Resource::task((found.project, found.key), (found.task, reference));
    match lease::store::acquire_within(&mut *tx, run.actor, LockId(run.hub.ctx.uuid()), &resource, ask, None).await? {
        Acquired::Taken(lease) => run.end(tx, Outcome { reply: replies::taken(task, &lease, run.zone()), ..Outcome::default() }).await,
        Acquired::Held { by, .. } => Err(replies::held(task, by.as_ref(), run.zone()).into()),
    }
}

async fn release(run: &Run<'_>, task: &Reference, why: Option<&str>) -> Result<(), Stop> {
    need(run, Scope::Propose)?;
    let mut tx = run.begin(None).await?;
    let lease = held(run, &mut tx, task).await?;
    match lease::store::release_within(&mut *tx, run.actor, lease.lock_id, why, None).await? {
        Some(_) => run.end(tx, Outcome { reply: replies::released(task), ..Outcome::default() }).await,
        None => Err(replies::held(task, Some(&lease), run.zone()).into()),
    }
}

async fn steal(run: &Run<'_>, task: &Reference, why: &str) -> Result<(), Stop> {
    need(run, Scope::Admin)?;
    let mut tx = run.begin(None).await?;
    let lease = held(run, &mut tx, task).await?;
    let stolen = lease::store::steal(&mut tx, run.actor, lease.lock_id, LockId(run.hub.ctx.uuid()), ask(run, MINUTES)?, why, None).await?;
    let Some(stolen) = stolen else { return Err(replies::free(task).into()) };
    let details = json!({ "from": stolen.from_holder, "from_member": stolen.from_member, "reason": why });
    audit::store::append(&mut tx, run.hub.ctx.as_ref(), run.actor, "lease.stolen", &stolen.lease.resource, &details).await?;
    run.end(tx, Outcome { reply: replies::stolen(task, &stolen.from_holder), ..Outcome::default() }).await
}
