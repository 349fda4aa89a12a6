//! The rows of triggers, their versions and their runs, and how far the event log has been read for them.

use chrono::{DateTime, Duration, Utc};
use sqlx::{AssertSqlSafe, FromRow, PgConnection, Row, postgres::PgRow};
use uuid::Uuid;

use super::{Outcome, Run, Settings, Trigger, Version};
use crate::{
    ids::{CommandId, Context, OrganizationId, TriggerId},
    integrations::{Makes, unknown},
    tenancy::Actor,
};

/// How long runs are kept for inspection.
const KEPT_DAYS: i64 = 90;

impl FromRow<'_, PgRow> for Trigger {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let makes: &str = row.try_get("makes")?;
        Ok(Self {
            id: row.try_get("trigger_id")?,
            version: row.try_get("version")?,
            settings: Settings {
                name: row.try_get("name")?,
                event: row.try_get("event")?,
                condition: row.try_get("condition")?,
                makes: Makes::parse(makes).ok_or_else(|| unknown(makes))?,
                template: row.try_get("template")?,
                project: row.try_get("project_id")?,
                member: row.try_get("member_id")?,
                max_depth: row.try_get("max_depth")?,
                max_per_hour: row.try_get("max_per_hour")?,
                enabled: row.try_get("enabled")?,
            },
            project_key: row.try_get("project_key")?,
            member: row.try_get("handle")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

impl FromRow<'_, PgRow> for Version {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self { trigger: Trigger::from_row(row)?, author: row.try_get("actor")? })
    }
}

impl FromRow<'_, PgRow> for Run {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let outcome: &str = row.try_get("outcome")?;
        Ok(Self {
            id: row.try_get("run_id")?,
            trigger: row.try_get("trigger_id")?,
            version: row.try_get("version")?,
            seq: row.try_get("seq")?,
            event: row.try_get("event")?,
            depth: row.try_get("depth")?,
            outcome: Outcome::parse(outcome).ok_or_else(|| unknown(outcome))?,
            why: row.try_get("why")?,
            text: row.try_get("text")?,
            command: row.try_get("command_id")?,
            at: row.try_get("at")?,
            finished_at: row.try_get("finished_at")?,
        })
    }
}

/// A trigger as one of its versions has it.
const TRIGGER: &str = "select v.*, t.created_at, v.at as updated_at, m.handle, p.key as project_key
    from trigger t join trigger_version v using (trigger_id) join member m on m.member_id = v.member_id
    left join project p on p.project_id = v.project_id and p.deleted_at is null";
/// One that is there, as it is now.
const NOW: &str = "t.deleted_at is null and v.version = t.version";

/// Adds a trigger.
pub async fn insert(conn: &mut PgConnection, ctx: &dyn Context, author: &Actor, settings: &Settings) -> sqlx::Result<TriggerId> {
    let id = TriggerId(ctx.uuid());
    sqlx::query("insert into trigger (organization_id, trigger_id, version, created_at) values ($1, $2, 1, $3)")
        .bind(author.organization)
        .bind(id)
        .bind(ctx.now())
        .execute(&mut *conn)
        .await?;
    insert_version(conn, ctx, author, id, 1, settings).await?;
    Ok(id)
}

/// Gives a trigger its next version. The caller holds its lock.
pub async fn update(conn: &mut PgConnection, ctx: &dyn Context, author: &Actor, id: TriggerId, settings: &Settings) -> sqlx::Result<()> {
    let version: i32 = sqlx::query_scalar("update trigger set version = version + 1 where trigger_id = $1 and deleted_at is null returning version")
        .bind(id)
        .fetch_one(&mut *conn)
        .await?;
    insert_version(conn, ctx, author, id, version, settings).await
}

async fn insert_version(conn: &mut PgConnection, ctx: &dyn Context, author: &Actor, id: TriggerId, version: i32, settings: &Settings) -> sqlx::Result<()> {
    sqlx::query(
        "insert into trigger_version (organization_id, trigger_id, version, name, event, condition, makes, template, project_id, member_id, max_depth,
                                      max_per_hour, enabled, actor, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(author.organization)
    .bind(id)
    .bind(version)
    .bind(&settings.name)
    .bind(&settings.event)
    .bind(&settings.condition)
    .bind(settings.makes.as_str())
    .bind(&settings.template)
    .bind(settings.project)
    .bind(settings.member)
    .bind(settings.max_depth)
    .bind(settings.max_per_hour)
    .bind(settings.enabled)
    .bind(&author.handle)
    .bind(ctx.now())
    .execute(conn)
    .await
    .map(drop)
}

/// Takes a trigger away; its versions and runs stay.
pub async fn delete(conn: &mut PgConnection, id: TriggerId, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let deleted = sqlx::query("update trigger set deleted_at = $2 where trigger_id = $1 and deleted_at is null").bind(id).bind(now).execute(conn).await?;
    Ok(deleted.rows_affected() == 1)
}

pub async fn find(conn: &mut PgConnection, id: TriggerId) -> sqlx::Result<Option<Trigger>> {
    sqlx::query_as(AssertSqlSafe(format!("{TRIGGER} where {NOW} and t.trigger_id = $1"))).bind(id).fetch_optional(conn).await
}

/// Takes the lock of a trigger that is to be changed, or that is to run and be counted.
pub async fn lock(conn: &mut PgConnection, id: TriggerId) -> sqlx::Result<Option<Trigger>> {
    sqlx::query("select from trigger where trigger_id = $1 for update").bind(id).execute(&mut *conn).await?;
    find(conn, id).await
}

/// All triggers, in the order they came.
pub async fn list(conn: &mut PgConnection) -> sqlx::Result<Vec<Trigger>> {
    sqlx::query_as(AssertSqlSafe(format!("{TRIGGER} where {NOW} order by t.trigger_id"))).fetch_all(conn).await
}

/// All that a trigger has been, newest first.
pub async fn versions(conn: &mut PgConnection, id: TriggerId) -> sqlx::Result<Vec<Version>> {
    sqlx::query_as(AssertSqlSafe(format!("{TRIGGER} where t.deleted_at is null and v.trigger_id = $1 order by v.version desc limit 100")))
        .bind(id)
        .fetch_all(conn)
        .await
}

/// A run that is to be written down.
pub struct NewRun<'a> {
    pub id: Uuid,
    pub trigger: TriggerId,
    pub version: i32,
    pub seq: i64,
    pub event: &'a str,
    pub depth: i16,
    pub outcome: Outcome,
    pub why: Option<String>,
}

/// Writes runs down, in the transaction that enqueues those that are to be run.
pub async fn insert_runs(conn: &mut PgConnection, organization: OrganizationId, runs: &[NewRun<'_>], now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query(
        "insert into trigger_run (organization_id, run_id, trigger_id, version, seq, event, depth, outcome, why, at, finished_at)
         select $1, u.*, $2, case when u.outcome = 'waiting' then null else $2 end
         from unnest($3::uuid[], $4::uuid[], $5::integer[], $6::bigint[], $7::text[], $8::smallint[], $9::text[], $10::text[])
              as u (id, trigger_id, version, seq, event, depth, outcome, why)",
    )
    .bind(organization)
    .bind(now)
    .bind(runs.iter().map(|run| run.id).collect::<Vec<_>>())
    .bind(runs.iter().map(|run| run.trigger).collect::<Vec<_>>())
    .bind(runs.iter().map(|run| run.version).collect::<Vec<_>>())
    .bind(runs.iter().map(|run| run.seq).collect::<Vec<_>>())
    .bind(runs.iter().map(|run| run.event).collect::<Vec<_>>())
    .bind(runs.iter().map(|run| run.depth).collect::<Vec<_>>())
    .bind(runs.iter().map(|run| run.outcome.as_str()).collect::<Vec<_>>())
    .bind(runs.iter().map(|run| run.why.as_deref()).collect::<Vec<_>>())
    .execute(conn)
    .await
    .map(drop)
}

/// How often each of several triggers has run since then.
pub async fn count_runs(conn: &mut PgConnection, triggers: &[TriggerId], since: DateTime<Utc>) -> sqlx::Result<Vec<(TriggerId, i64)>> {
    sqlx::query_as("select trigger_id, count(*) from trigger_run where trigger_id = any($1) and at >= $2 and outcome in ('waiting', 'submitted') group by 1")
        .bind(triggers)
        .bind(since)
        .fetch_all(conn)
        .await
}

pub async fn find_run(conn: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Run>> {
    sqlx::query_as("select * from trigger_run where run_id = $1").bind(id).fetch_optional(conn).await
}

/// The trigger as it was when a run of it began.
pub async fn version_of(conn: &mut PgConnection, run: &Run) -> sqlx::Result<Option<Trigger>> {
    sqlx::query_as(AssertSqlSafe(format!("{TRIGGER} where v.trigger_id = $1 and v.version = $2")))
        .bind(run.trigger)
        .bind(run.version)
        .fetch_optional(conn)
        .await
}

/// The runs of a trigger before one, newest first.
pub async fn list_runs(conn: &mut PgConnection, trigger: TriggerId, before: Option<Uuid>, limit: i64) -> sqlx::Result<Vec<Run>> {
    sqlx::query_as("select * from trigger_run where trigger_id = $1 and ($2::uuid is null or run_id < $2) order by run_id desc limit $3")
        .bind(trigger)
        .bind(before)
        .bind(limit)
        .fetch_all(conn)
        .await
}

/// How a run ended.
pub struct Ended<'a> {
    pub outcome: Outcome,
    pub why: Option<&'a str>,
    pub text: Option<&'a str>,
    pub command: Option<CommandId>,
}

/// Writes down what became of a run. Whether it was still waiting.
pub async fn finish_run(conn: &mut PgConnection, id: Uuid, ended: &Ended<'_>, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let finished =
        sqlx::query("update trigger_run set outcome = $2, why = $3, text = $4, command_id = $5, finished_at = $6 where run_id = $1 and outcome = 'waiting'")
            .bind(id)
            .bind(ended.outcome.as_str())
            .bind(ended.why)
            .bind(ended.text)
            .bind(ended.command)
            .bind(now)
            .execute(conn)
            .await?;
    Ok(finished.rows_affected() == 1)
}

/// Drops runs that are too old to be looked at.
pub async fn sweep(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let swept = sqlx::query("delete from trigger_run where at < $1").bind(now - Duration::days(KEPT_DAYS)).execute(conn).await?;
    Ok(swept.rows_affected())
}
