//! The rows of events.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow, types::Json};

use super::Event;
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
    sqlx::query(
        "insert into event (organization_id, seq, at, event, actor, target, details)
         select $1, base.seq + (select count(*) from event where organization_id = $1 and seq >= base.seq and seq < base.seq + 1024), $2, $3, $4, $5, $6
         from event_base() as base (seq)",
    )
    .bind(organization)
    .bind(at)
    .bind(event)
    .bind(actor)
    .bind(target)
    .bind(Json(details))
    .execute(conn)
    .await
    .map(drop)
}

/// The settled events after a seq, oldest first. What a running transaction may still put before them is waited for.
pub async fn list_after(conn: &mut PgConnection, seq: i64, limit: i64) -> sqlx::Result<Vec<Event>> {
    sqlx::query_as(
        "select seq, at, event, actor, target, details from event
         where seq > $1 and seq < event_horizon() order by seq limit $2",
    )
    .bind(seq)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// Where a reader begins that wants only what comes.
pub async fn now(conn: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("select event_horizon() - 1").fetch_one(conn).await
}
