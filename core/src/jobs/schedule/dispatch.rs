//! Taking what is due: each time becomes a run, in the transaction that moves its schedule on.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use sqlx::PgConnection;

use super::{
    Action, Missed, Overlap, Rule,
    store::{self, NewRun, Schedule},
};
use crate::{
    collab,
    db::{self, Db},
    ids::{Context, OrganizationId, RunId},
    jobs::{self, NewJob, tool},
    tenancy::{Actor, Scope},
};

/// The kind of the jobs that submit commands and messages.
pub const KIND: &str = "schedule";
/// How many schedules are taken in one transaction.
const BATCH: i64 = 50;
/// What is later than this was missed.
const GRACE: TimeDelta = TimeDelta::seconds(60);
/// So many missed times are looked at one by one; of more, only those of the last hour.
const LOOK: usize = 20_000;
/// So many runs of a schedule may wait for each other.
const MAX_WAITING: i64 = 100;

/// What a pass did.
#[derive(Debug, Default)]
pub struct Passed {
    /// The organisations in which something began, or was left out.
    pub organizations: Vec<OrganizationId>,
    /// When the next schedule is due.
    pub next: Option<DateTime<Utc>>,
}

/// Takes all that is due. Any number of processes may do this at once.
pub async fn pass(db: &Db, ctx: &dyn Context) -> db::Result<Passed> {
    let now = ctx.now();
    let (organizations, next) = store::due(db, now).await?;
    let mut passed = Passed { organizations: Vec::new(), next };
    for organization in organizations {
        let mut did = false;
        loop {
            let mut tx = db.begin(organization).await?;
            let due = store::claim(&mut tx, now, BATCH).await?;
            for schedule in &due {
                take(&mut tx, ctx, schedule, now).await?;
            }
            did |= !due.is_empty();
            if due.len() < usize::try_from(BATCH).unwrap_or(usize::MAX) {
                for (schedule, run, due_at) in store::waiting(&mut tx, BATCH).await? {
                    if !store::busy(&mut tx, schedule.id).await?.1 {
                        begin(&mut tx, ctx, &schedule, run, due_at).await?;
                        did = true;
                    }
                }
                tx.commit().await?;
                break;
            }
            tx.commit().await?;
        }
        if did {
            passed.organizations.push(organization);
        }
    }
    Ok(passed)
}

/// The times of a schedule that are due, as its owner wants them after an outage.
struct Due {
    run: Vec<DateTime<Utc>>,
    /// The newest that is left out, and how many are.
    left_out: Option<(DateTime<Utc>, usize)>,
    next: Option<DateTime<Utc>>,
}

fn due(schedule: &Schedule, rule: &Rule, first: DateTime<Utc>, now: DateTime<Utc>) -> Due {
    let limit = match schedule.missed {
        Missed::Skip => 0,
        Missed::Once => 1,
        Missed::CatchUp => usize::from(schedule.catch_up_limit.unsigned_abs()),
    };
    let mut looked: Vec<DateTime<Utc>> = std::iter::once(first).chain(rule.after(first)).take_while(|at| *at <= now).take(LOOK).collect();
    let mut count = 0;
    if looked.len() == LOOK {
        count = LOOK;
        looked = rule.after(now - TimeDelta::hours(1)).take_while(|at| *at <= now).take(LOOK).collect();
    }
    let timely_from = looked.partition_point(|at| *at < now - GRACE);
    let timely = looked.split_off(timely_from);
    let mut missed: VecDeque<_> = looked.into();
    // What is on time makes up for what was missed, where one run is to do so.
    let limit = if schedule.missed == Missed::Once && !timely.is_empty() { 0 } else { limit };
    let mut left_out = None;
    while missed.len() > limit {
        count += 1;
        left_out = missed.pop_front();
    }
    Due { run: missed.into_iter().chain(timely).collect(), left_out: left_out.map(|at| (at, count)), next: rule.next_after(now) }
}

async fn take(conn: &mut PgConnection, ctx: &dyn Context, schedule: &Schedule, now: DateTime<Utc>) -> db::Result<()> {
    let Some(first) = schedule.next_run_at else { return Ok(()) };
    let rule = match Rule::parse(&schedule.rule, schedule.zone, now) {
        Ok(rule) => rule,
        Err(error) => return stop(conn, ctx, schedule, &format!("its rule can no longer be read: {error}")).await,
    };
    let due = due(schedule, &rule, first, now);
    store::advance(conn, schedule.id, due.run.last().copied().unwrap_or(first), due.next).await?;
    if let Some((newest, count)) = due.left_out {
        let times = if count == 1 { "1 time".to_owned() } else { format!("{count} times") };
        leave_out(conn, ctx, schedule, newest, &format!("{times} passed while Patchbay was not running")).await?;
    }
    for due_at in due.run {
        let run = RunId(ctx.uuid());
        let (waiting, is_running) = if schedule.overlap == Overlap::Allow { (0, false) } else { store::busy(conn, schedule.id).await? };
        match schedule.overlap {
            Overlap::Forbid if is_running => leave_out(conn, ctx, schedule, due_at, "the run before it was not over").await?,
            Overlap::Queue if waiting >= MAX_WAITING => leave_out(conn, ctx, schedule, due_at, "too many runs before it wait").await?,
            Overlap::Queue if is_running || waiting > 0 => {
                store::record(conn, schedule, &NewRun { id: run, due_at, state: "waiting", why: None, job: None }, ctx.now()).await?;
            }
            _ => begin(conn, ctx, schedule, run, due_at).await?,
        }
    }
    Ok(())
}

/// Begins a run: from here on it is a job's.
async fn begin(conn: &mut PgConnection, ctx: &dyn Context, schedule: &Schedule, run: RunId, due_at: DateTime<Utc>) -> db::Result<()> {
    let may = |owner: &Actor| match &schedule.action {
        Action::Job { tool, .. } => tool::may_run(owner, tool),
        _ => owner.may(Scope::Propose),
    };
    let Some(owner) = store::owner(conn, schedule).await?.filter(may) else {
        return stop(conn, ctx, schedule, "its owner may not do this any more").await;
    };
    let key = format!("schedule:{}:{}", schedule.id, due_at.timestamp());
    let job = match &schedule.action {
        Action::Job { tool, input } => {
            if let Err(faults) = tool::check(tool, input) {
                let why = faults.first().map_or_else(String::new, ToString::to_string);
                return stop(conn, ctx, schedule, &format!("its job is not valid any more: {why}")).await;
            }
            NewJob { unique_key: Some(&key), ..tool::job(tool, input.clone(), &owner) }
        }
        Action::Command { .. } | Action::Message { .. } => NewJob { unique_key: Some(&key), actor: &owner.handle, ..NewJob::new(KIND, store::payload(run)) },
    };
    // One transaction moves the schedule on and enqueues: there is no job of this key yet.
    let id = jobs::store::enqueue(conn, ctx, schedule.organization, &job).await?;
    store::record(conn, schedule, &NewRun { id: run, due_at, state: "begun", why: None, job: id }, ctx.now()).await?;
    tell(conn, ctx, schedule, &owner, "schedule.begun", &json!({ "schedule": schedule.number, "due_at": due_at })).await
}

async fn leave_out(conn: &mut PgConnection, ctx: &dyn Context, schedule: &Schedule, due_at: DateTime<Utc>, why: &str) -> db::Result<()> {
    let run = NewRun { id: RunId(ctx.uuid()), due_at, state: "skipped", why: Some(why), job: None };
    store::record(conn, schedule, &run, ctx.now()).await?;
    let details = json!({ "schedule": schedule.number, "due_at": due_at, "why": why });
    collab::store::append(conn, schedule.organization, ctx.now(), "schedule.skipped", "patchbay", &schedule.id.to_string(), &details).await
}

/// Pauses a schedule that cannot run.
async fn stop(conn: &mut PgConnection, ctx: &dyn Context, schedule: &Schedule, why: &str) -> db::Result<()> {
    store::pause(conn, ctx, schedule.id, Some(why)).await?;
    let details = json!({ "schedule": schedule.number, "problem": why });
    collab::store::append(conn, schedule.organization, ctx.now(), "schedule.paused", "patchbay", &schedule.id.to_string(), &details).await
}

async fn tell(conn: &mut PgConnection, ctx: &dyn Context, schedule: &Schedule, owner: &Actor, event: &str, details: &serde_json::Value) -> db::Result<()> {
    collab::store::append(conn, schedule.organization, ctx.now(), event, &owner.handle, &schedule.id.to_string(), details).await
}
