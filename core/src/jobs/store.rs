//! The rows of the queue.

use std::time::Duration;

use serde_json::Value;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, Row, postgres::PgRow, types::Json};
use uuid::Uuid;

use super::{Job, JobView, NewJob, State};
use crate::{
    db::{self, Db},
    ids::{Context, JobId, OrganizationId},
};

impl FromRow<'_, PgRow> for Job {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            organization: row.try_get("organization_id")?,
            id: row.try_get("job_id")?,
            kind: row.try_get("kind")?,
            payload: row.try_get::<Json<Value>, _>("payload")?.0,
            attempt: row.try_get("attempt")?,
            max_attempts: row.try_get("max_attempts")?,
            token: row.try_get("token")?,
            actor: row.try_get("actor")?,
        })
    }
}

impl FromRow<'_, PgRow> for JobView {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let json = |column| row.try_get::<Option<Json<Value>>, _>(column).map(|json| json.map(|json| json.0));
        let is_held: bool = row.try_get("is_held")?;
        let state = match row.try_get("state")? {
            "waiting" if is_held => State::Running,
            "waiting" => State::Queued,
            "parked" => State::Scheduled,
            "done" => State::Done,
            "cancelled" => State::Cancelled,
            _ => State::Dead,
        };
        Ok(Self {
            id: row.try_get("job_id")?,
            kind: row.try_get("kind")?,
            state,
            priority: row.try_get("priority")?,
            payload: json("payload")?.unwrap_or_default(),
            attempt: row.try_get("attempt")?,
            max_attempts: row.try_get("max_attempts")?,
            run_at: row.try_get("run_at")?,
            due_by: row.try_get("due_by")?,
            is_late: row.try_get::<Option<chrono::DateTime<chrono::Utc>>, _>("breached_at")?.is_some(),
            author: row.try_get("actor")?,
            progress: json("progress")?,
            log: json("log")?.unwrap_or_else(|| Value::Array(Vec::new())),
            result: json("result")?,
            problem: row.try_get("problem")?,
            created_at: row.try_get("created_at")?,
            finished_at: row.try_get("finished_at")?,
        })
    }
}

/// Enqueues a job in the transaction that causes it; `None` where one with its unique key waits or runs already.
///
/// After the commit the [`super::Bell`] is to be rung.
pub async fn enqueue(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, new: &NewJob<'_>) -> sqlx::Result<Option<JobId>> {
    let id = JobId(ctx.uuid());
    let now = ctx.now();
    let inserted = sqlx::query(
        "insert into job (organization_id, job_id, kind, priority, payload, state, run_at, unique_key, max_attempts, due_by, visible, actor, created_at)
         -- Our clock is ahead of the time at which the transaction began: what is to be done at once is not held against it.
         values ($1, $2, $3, $4, $5, case when $6 > now() then 'parked' else 'waiting' end, coalesce($6, $12), $7, $8, $9, $10, $11, $12)
         on conflict (organization_id, kind, unique_key) where unique_key is not null and state in ('waiting', 'parked') do nothing",
    )
    .bind(organization)
    .bind(id)
    .bind(new.kind)
    .bind(new.priority)
    .bind(Json(&new.payload))
    .bind(new.run_at)
    .bind(new.unique_key)
    .bind(new.max_attempts)
    .bind(new.due_by)
    .bind(new.visible)
    .bind(new.actor)
    .bind(now)
    .execute(conn)
    .await?;
    Ok((inserted.rows_affected() == 1).then_some(id))
}

/// Enqueues jobs that are to be done at once and differ in their payloads only, in one statement.
pub async fn enqueue_all(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, like: &NewJob<'_>, payloads: &[Value]) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = payloads.iter().map(|_| ctx.uuid()).collect();
    sqlx::query(
        "insert into job (organization_id, job_id, kind, priority, payload, state, run_at, max_attempts, actor, created_at)
         select $1, u.id, $2, $3, u.payload, 'waiting', $4, $5, $6, $4 from unnest($7::uuid[], $8::json[]) as u (id, payload)",
    )
    .bind(organization)
    .bind(like.kind)
    .bind(like.priority)
    .bind(ctx.now())
    .bind(like.max_attempts)
    .bind(like.actor)
    .bind(ids)
    .bind(payloads.iter().map(Json).collect::<Vec<_>>())
    .execute(conn)
    .await
    .map(drop)
}

/// What a worker has room for: a kind, how many of it, and how long they are held.
pub(super) struct Room {
    pub(super) kind: &'static str,
    pub(super) count: usize,
    pub(super) lease: Duration,
}

/// Takes jobs of all organisations.
pub(super) async fn take(db: &Db, worker: Uuid, room: &[Room]) -> sqlx::Result<Vec<Job>> {
    sqlx::query_as("select organization_id, job_id, kind, payload, attempt, max_attempts, token, actor from take_jobs($1, $2, $3, $4)")
        .bind(room.iter().map(|room| room.kind).collect::<Vec<_>>())
        .bind(room.iter().map(|room| i32::try_from(room.count).unwrap_or(i32::MAX)).collect::<Vec<_>>())
        .bind(room.iter().map(|room| room.lease.as_secs_f64()).collect::<Vec<_>>())
        .bind(worker)
        .fetch_all(db.entering())
        .await
}

/// A job that was done.
pub(super) struct Ended {
    pub(super) id: JobId,
    pub(super) token: i64,
    pub(super) keep: bool,
    pub(super) result: Value,
    pub(super) log: Value,
}

/// Ends jobs that were done. How many were still the worker's to end.
pub(super) async fn end(db: &Db, ended: &[Ended]) -> sqlx::Result<i32> {
    let text = |of: fn(&Ended) -> &Value| ended.iter().map(|ended| ended.keep.then(|| of(ended).to_string())).collect::<Vec<_>>();
    sqlx::query_scalar("select end_jobs($1, $2, $3, $4, $5)")
        .bind(ended.iter().map(|ended| ended.id).collect::<Vec<_>>())
        .bind(ended.iter().map(|ended| ended.token).collect::<Vec<_>>())
        .bind(ended.iter().map(|ended| ended.keep).collect::<Vec<_>>())
        .bind(text(|ended| &ended.result))
        .bind(text(|ended| &ended.log))
        .fetch_one(db.entering())
        .await
}

/// Ends a job in the transaction of its effect, as the last thing in it. `false`: another holds it by now, and nothing of this
/// transaction may be kept.
pub async fn finish(conn: &mut PgConnection, job: &Job) -> sqlx::Result<bool> {
    let ended: i32 = sqlx::query_scalar("select end_jobs(array[$1], array[$2], array[false], array[null], array[null])")
        .bind(job.id)
        .bind(job.token)
        .fetch_one(conn)
        .await?;
    Ok(ended == 1)
}

/// The same for a job that is kept, with what it gave and said.
pub(super) async fn finish_kept(conn: &mut PgConnection, job: &Job, result: &Value, log: &Value) -> sqlx::Result<bool> {
    let ended: i32 = sqlx::query_scalar("select end_jobs(array[$1], array[$2], array[true], array[$3], array[$4])")
        .bind(job.id)
        .bind(job.token)
        .bind(result.to_string())
        .bind(log.to_string())
        .fetch_one(conn)
        .await?;
    Ok(ended == 1)
}

/// Ends a try that failed; without a time it is a dead letter. Whether it was still the worker's.
pub(super) async fn fail(conn: &mut PgConnection, job: &Job, again: Option<Duration>, why: &str, log: &Value) -> sqlx::Result<bool> {
    sqlx::query_scalar("select fail_job($1, $2, $3, $4, $5)")
        .bind(job.id)
        .bind(job.token)
        .bind(again.map(|again| again.as_secs_f64()))
        .bind(why.replace('\0', "\u{fffd}"))
        .bind(log.to_string())
        .fetch_one(conn)
        .await
}

/// What earlier tries of a job said.
pub(super) async fn log(conn: &mut PgConnection, id: JobId) -> sqlx::Result<Value> {
    let log: Option<Option<Json<Value>>> = sqlx::query_scalar("select log from job where job_id = $1").bind(id).fetch_optional(conn).await?;
    Ok(log.flatten().map_or_else(|| Value::Array(Vec::new()), |log| log.0))
}

/// Tells how far a job is, as long as it is still the worker's.
pub async fn progress(conn: &mut PgConnection, job: &Job, progress: &Value) -> sqlx::Result<()> {
    sqlx::query("update job set progress = $3 where job_id = $1 and token = $2 and leased_until is not null")
        .bind(job.id)
        .bind(job.token)
        .bind(Json(progress))
        .execute(conn)
        .await
        .map(drop)
}

/// Keeps jobs held. Those that still are, and whether each is to be cancelled.
pub(super) async fn hold(db: &Db, held: &[(JobId, i64, Duration)]) -> sqlx::Result<Vec<(JobId, bool)>> {
    sqlx::query_as("select id, cancel from hold_jobs($1, $2, $3)")
        .bind(held.iter().map(|held| held.0).collect::<Vec<_>>())
        .bind(held.iter().map(|held| held.1).collect::<Vec<_>>())
        .bind(held.iter().map(|held| held.2.as_secs_f64()).collect::<Vec<_>>())
        .fetch_all(db.entering())
        .await
}

/// Gives jobs back whose worker stops.
pub(super) async fn give_back(db: &Db, held: &[(JobId, i64)]) -> sqlx::Result<()> {
    sqlx::query("select give_jobs_back($1, $2)")
        .bind(held.iter().map(|held| held.0).collect::<Vec<_>>())
        .bind(held.iter().map(|held| held.1).collect::<Vec<_>>())
        .execute(db.entering())
        .await
        .map(drop)
}

/// Gives all jobs back, where no process that held any can be alive.
pub async fn give_all_back(db: &Db) -> sqlx::Result<()> {
    sqlx::query("select give_jobs_back(null, null)").execute(db.entering()).await.map(drop)
}

/// Wakes what is due: how many, and how long until the next is.
pub(super) async fn wake(db: &Db) -> sqlx::Result<(i32, Option<Duration>)> {
    let (woken, next): (i32, Option<f64>) = sqlx::query_as("select woken, next from wake_jobs()").fetch_one(db.entering()).await?;
    Ok((woken, next.map(|seconds| Duration::from_secs_f64(seconds.max(0.0)))))
}

/// The jobs that are late now, each told once.
pub(super) async fn late(db: &Db) -> sqlx::Result<Vec<Job>> {
    sqlx::query_as("select organization_id, job_id, kind, payload, attempt, max_attempts, token, actor from breached_jobs()").fetch_all(db.entering()).await
}

const VIEW: &str = "select *, coalesce(leased_until > now(), false) as is_held from job";

pub async fn find(conn: &mut PgConnection, id: JobId) -> sqlx::Result<Option<JobView>> {
    sqlx::query_as(AssertSqlSafe(format!("{VIEW} where job_id = $1"))).bind(id).fetch_optional(conn).await
}

/// The jobs that people see and of which the id ends so, as people name them: with the last eight digits. At most a few.
pub async fn find_by_end(conn: &mut PgConnection, organization: OrganizationId, end: &str) -> sqlx::Result<Vec<JobView>> {
    sqlx::query_as(AssertSqlSafe(format!("{VIEW} where visible and organization_id = $1 and right(job_id::text, 8) = $2 order by job_id desc limit 5")))
        .bind(organization)
        .bind(end)
        .fetch_all(conn)
        .await
}

/// Which jobs are listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    pub state: Option<State>,
    /// Of these kinds; none: of all.
    pub kinds: &'a [&'a str],
    pub before: Option<JobId>,
}

/// The jobs that people see, newest first.
pub async fn list(conn: &mut PgConnection, organization: OrganizationId, filter: Filter<'_>, limit: i64) -> sqlx::Result<Vec<JobView>> {
    let state = match filter.state {
        None => "true",
        Some(State::Queued) => "state = 'waiting' and coalesce(leased_until <= now(), true)",
        Some(State::Running) => "state = 'waiting' and leased_until > now()",
        Some(State::Scheduled) => "state = 'parked'",
        Some(State::Done) => "state = 'done'",
        Some(State::Dead) => "state = 'dead'",
        Some(State::Cancelled) => "state = 'cancelled'",
    };
    sqlx::query_as(AssertSqlSafe(format!(
        "{VIEW} where visible and organization_id = $1 and {state} and (cardinality($2::text[]) = 0 or kind = any ($2)) and ($3::uuid is null or job_id < $3)
         order by job_id desc limit $4"
    )))
    .bind(organization)
    .bind(filter.kinds)
    .bind(filter.before)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// Cancels a job: at once where it waits, else its worker is told. Whether there was anything to cancel.
pub async fn cancel(conn: &mut PgConnection, id: JobId) -> sqlx::Result<bool> {
    let cancelled = sqlx::query(
        "update job set cancel_requested = true,
                state = case when leased_until > now() then state else 'cancelled' end,
                finished_at = case when leased_until > now() then null else now() end
         where job_id = $1 and state in ('waiting', 'parked')",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(cancelled.rows_affected() == 1)
}

/// Sends jobs again that were given up or cancelled, with another payload where one is given. Those that were.
pub async fn retry(conn: &mut PgConnection, ids: &[JobId], payload: Option<&Value>) -> sqlx::Result<Vec<JobId>> {
    sqlx::query_scalar(
        "update job set state = 'waiting', attempt = 0, run_at = now(), cancel_requested = false, finished_at = null, payload = coalesce($2::json, payload)
         where job_id = any ($1) and state in ('dead', 'cancelled') returning job_id",
    )
    .bind(ids)
    .bind(payload.map(Json))
    .fetch_all(conn)
    .await
}

/// Drops what was done or cancelled before a time.
pub async fn sweep(conn: &mut PgConnection, organization: OrganizationId, before: chrono::DateTime<chrono::Utc>) -> sqlx::Result<()> {
    sqlx::query("delete from job where visible and organization_id = $1 and state in ('done', 'cancelled') and finished_at < $2")
        .bind(organization)
        .bind(before)
        .execute(conn)
        .await
        .map(drop)
}

/// How many jobs wait, are parked and are dead, of an organisation.
pub async fn counts(conn: &mut PgConnection) -> db::Result<Vec<(String, String, i64)>> {
    sqlx::query_as("select kind, state, count(*) from job where state in ('waiting', 'parked', 'dead') group by 1, 2 order by 1, 2").fetch_all(conn).await
}
