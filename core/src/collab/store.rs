//! The rows of events.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, FromRow, PgConnection, Row, postgres::PgRow, types::Json};

use super::event::{Event, Filter};
use crate::ids::OrganizationId;

impl FromRow<'_, PgRow> for Event {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            seq: row.try_get("seq")?,
            ts: row.try_get("at")?,
            event: row.try_get("event")?,
            actor: row.try_get("actor")?,
            target: row.try_get("target")?,
            details: row.try_get::<Json<Value>, _>("details")?.0,
        })
    }
}

/// Tells of something in the transaction that does it.
pub async fn append(
    conn: &mut PgConnection,
    organization: OrganizationId,
    at: DateTime<Utc>,
    event: &str,
    actor: &str,
    target: &str,
    details: &Value,
) -> sqlx::Result<()> {
    append_seq(conn, organization, at, event, actor, target, details).await.map(drop)
}

/// The same, where its seq is asked for.
pub async fn append_seq(
    conn: &mut PgConnection,
    organization: OrganizationId,
    at: DateTime<Utc>,
    event: &str,
    actor: &str,
    target: &str,
    details: &Value,
) -> sqlx::Result<i64> {
    sqlx::query_scalar("insert into event (organization_id, seq, at, event, actor, target, details) values ($1, event_seq(), $2, $3, $4, $5, $6) returning seq")
        .bind(organization)
        .bind(at)
        .bind(event)
        .bind(actor)
        .bind(target)
        .bind(Json(details))
        .fetch_one(conn)
        .await
}

/// A stretch of the log, and what of it was wanted.
#[derive(Debug)]
pub struct Stretch {
    pub events: Vec<Event>,
    /// Where it ends: the seq of its last event, wanted or not.
    pub through: i64,
    /// Whether there may be more right behind it.
    pub is_full: bool,
    /// Whether something was committed that cannot be handed out yet, because an earlier one may still come.
    pub is_unsettled: bool,
    /// What is below this seq is no longer kept.
    pub kept_from: i64,
}

/// What [`Filter::wants`] says, of an event `e`.
const WANTED: &str = "(cardinality($3::text[]) = 0 or e.event = any($3) or split_part(e.event, '.', 1) = any($3))
    and ($4::text is null or e.target = $4 or e.details ->> 'task' = $4 or (e.details -> 'tasks')::jsonb ? $4)
    and ($5::text is null or e.actor = $5)
    and ($6::text is null or e.target = $6)
    and ($7::text is null or e.details ->> 'project' = $7)";

/// How many events a stretch has at most, where all are wanted and where some are.
const WHOLE: i64 = 500;
const SOME: i64 = 5_000;

/// The settled events after a seq, oldest first. What a running transaction may still put before them is waited for.
pub async fn read_after(conn: &mut PgConnection, after: i64, filter: &Filter) -> sqlx::Result<Stretch> {
    let most = if filter.is_open() { WHOLE } else { SOME };
    let rows = sqlx::query(AssertSqlSafe(format!(
        "with stretch as materialized (
             select seq, at, event, actor, target, details from event
             -- Asked for once, and not for each row.
             where seq > $1 and seq < (select event_horizon()) order by seq limit $2
         ),
         sum as (select count(*) as size, coalesce(max(seq), $1) as through from stretch)
         select sum.size, sum.through, exists (select from event where seq >= (select event_horizon())) as is_unsettled,
                (select coalesce((max(part) + 1) << 42, 0) from event_part where dropped_at is not null) as kept_from, e.*
         from sum left join stretch e on
             {WANTED}
         order by e.seq"
    )))
    .bind(after)
    .bind(most)
    .bind(&filter.kinds)
    .bind(&filter.task)
    .bind(&filter.actor)
    .bind(&filter.target)
    .bind(&filter.project)
    .fetch_all(conn)
    .await?;
    let first = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let (size, through, is_unsettled): (i64, i64, bool) = (first.try_get("size")?, first.try_get("through")?, first.try_get("is_unsettled")?);
    let kept_from = first.try_get("kept_from")?;
    let is_empty = first.try_get::<Option<i64>, _>("seq")?.is_none();
    let events = if is_empty { Vec::new() } else { rows.iter().map(Event::from_row).collect::<sqlx::Result<_>>()? };
    Ok(Stretch { events, through, is_full: size == most, is_unsettled, kept_from })
}

/// The newest settled events that are wanted, after a seq and before another, newest first.
pub async fn list_newest(conn: &mut PgConnection, (after, before): (i64, Option<i64>), filter: &Filter, limit: i64) -> sqlx::Result<Vec<Event>> {
    sqlx::query_as(AssertSqlSafe(format!(
        "select e.seq, e.at, e.event, e.actor, e.target, e.details from event e
         where e.seq > $1 and e.seq < (select event_horizon()) and ($8::bigint is null or e.seq < $8)
           and {WANTED}
         order by e.seq desc limit $2"
    )))
    .bind(after)
    .bind(limit)
    .bind(&filter.kinds)
    .bind(&filter.task)
    .bind(&filter.actor)
    .bind(&filter.target)
    .bind(&filter.project)
    .bind(before)
    .fetch_all(conn)
    .await
}

/// The seq of the newest settled event: where a reader begins that wants only what comes.
pub async fn newest(conn: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("select coalesce((select seq from event where seq < (select event_horizon()) order by seq desc limit 1), 0)").fetch_one(conn).await
}

/// The seq of the newest event that was committed, settled or not, or of where it was dropped: no reader can have seen a newer one.
pub async fn newest_told(conn: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select greatest((select seq from event order by seq desc limit 1), (select (max(part) + 1) << 42 from event_part where dropped_at is not null), 0)",
    )
    .fetch_one(conn)
    .await
}

/// Takes the turn of looking after the parts of the log, for as long as the connection lives; false where another process has it.
/// What others wait for meanwhile is given up after two seconds: it can be done an hour later.
pub(super) async fn keep_parts_alone(conn: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query("select set_config('lock_timeout', '2s', false)").execute(&mut *conn).await?;
    sqlx::query_scalar("select pg_try_advisory_lock(7305107)").fetch_one(conn).await
}

/// Makes the partitions that are missing, from one to another.
pub(super) async fn make_parts(conn: &mut PgConnection, from: i64, through: i64) -> sqlx::Result<()> {
    sqlx::query("select make_event_part(part) from generate_series($1::bigint, $2::bigint) part").bind(from).bind(through).execute(conn).await.map(drop)
}

/// The part that was begun last.
#[derive(Debug, FromRow)]
pub(super) struct Newest {
    pub(super) part: i64,
    pub(super) begun_at: DateTime<Utc>,
    /// Whether a seq has been reached that what is told now would come before.
    pub(super) is_behind: bool,
}

/// The part that was begun last. One that has come into use because the one before it is full is noted as begun now.
pub(super) async fn newest_part(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<Newest> {
    sqlx::query("insert into event_part (part, begun_at) select event_base() >> 42, $1 where event_base() >> 42 > (select max(part) from event_part)")
        .bind(now)
        .execute(&mut *conn)
        .await?;
    sqlx::query_as("select part, begun_at, (select max(reached) from event_part) > event_base() as is_behind from event_part order by part desc limit 1")
        .fetch_one(conn)
        .await
}

/// Notes how far seq has come.
pub(super) async fn note_reached(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("update event_part set reached = greatest(reached, event_base()) where part = (select max(part) from event_part)").execute(conn).await.map(drop)
}

pub(super) async fn begin_part(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<i64> {
    sqlx::query_scalar("select begin_event_part($1)").bind(now).fetch_one(conn).await
}

/// The parts of which nothing is younger than a time.
pub(super) async fn parts_before(conn: &mut PgConnection, time: DateTime<Utc>) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar(
        "select part from (select part, dropped_at, lead(begun_at) over (order by part) as ended_at from event_part) p
         where dropped_at is null and ended_at < $1 order by part",
    )
    .bind(time)
    .fetch_all(conn)
    .await
}

/// Drops a part, for good.
pub(super) async fn drop_part(conn: &mut PgConnection, part: i64, now: DateTime<Utc>) -> sqlx::Result<()> {
    let mut tx = conn.begin().await?;
    sqlx::query(AssertSqlSafe(format!("drop table if exists event_{part}"))).execute(&mut *tx).await?;
    sqlx::query("update event_part set dropped_at = $2 where part = $1").bind(part).bind(now).execute(&mut *tx).await?;
    tx.commit().await
}
