//! The rows of cursors, and the events behind them.

use serde_json::Value;
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow, types::Json};

use super::Happened;
use crate::ids::OrganizationId;

impl FromRow<'_, PgRow> for Happened {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            seq: row.try_get("seq")?,
            at: row.try_get("at")?,
            event: row.try_get("event")?,
            actor: row.try_get("actor")?,
            target: row.try_get("target")?,
            details: row.try_get::<Json<Value>, _>("details")?.0,
            depth: row.try_get("depth")?,
        })
    }
}

/// Begins to read an organisation's log from now on, unless it is read already.
pub async fn begin(conn: &mut PgConnection, organization: OrganizationId) -> sqlx::Result<()> {
    sqlx::query("insert into event_cursor (organization_id, seq) values ($1, event_horizon() - 1) on conflict do nothing")
        .bind(organization)
        .execute(conn)
        .await
        .map(drop)
}

/// The settled events that have not been read, oldest first, with the lock of the cursor: of two who read at once one waits.
/// Empty also where nothing is read for this organisation.
pub async fn unread(conn: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<Happened>> {
    // Most of the time there is nothing: then no row is locked, which would be a write.
    let is_behind: bool = sqlx::query_scalar("select exists (select from event_cursor c join event e on e.seq > c.seq and e.seq < event_horizon())")
        .fetch_one(&mut *conn)
        .await?;
    if !is_behind {
        return Ok(Vec::new());
    }
    let seq: i64 = sqlx::query_scalar("select seq from event_cursor for update").fetch_one(&mut *conn).await?;
    sqlx::query_as(
        "select seq, at, event, actor, target, details, depth from event
         where seq > $1 and seq < event_horizon() order by seq limit $2",
    )
    .bind(seq)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// Moves the cursor, in the transaction that stores what follows.
pub async fn advance(conn: &mut PgConnection, seq: i64) -> sqlx::Result<()> {
    sqlx::query("update event_cursor set seq = $1").bind(seq).execute(conn).await.map(drop)
}

/// An event that is read again, for what follows from it.
pub async fn find(conn: &mut PgConnection, seq: i64) -> sqlx::Result<Option<Happened>> {
    sqlx::query_as("select seq, at, event, actor, target, details, depth from event where seq = $1").bind(seq).fetch_optional(conn).await
}

/// The newest settled events that a pattern means, newest first.
pub async fn newest(conn: &mut PgConnection, pattern: &str, limit: i64) -> sqlx::Result<Vec<Happened>> {
    let beginning = pattern.strip_suffix('*');
    sqlx::query_as(
        "select seq, at, event, actor, target, details, depth from event
         where seq < event_horizon() and (event = $1 or starts_with(event, $2)) order by seq desc limit $3",
    )
    .bind(pattern)
    .bind(beginning)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// Says how many triggers led to what this transaction does, so that its events and commands say so.
pub async fn deepen(conn: &mut PgConnection, depth: i16) -> sqlx::Result<()> {
    sqlx::query("select set_config('patchbay.depth', $1::text, true)").bind(depth).execute(conn).await.map(drop)
}
