//! The rows of idempotency keys.

use chrono::{DateTime, Duration, Utc};
use sqlx::{PgConnection, Row};

use super::Seen;
use crate::tenancy::Actor;

/// How long an answer is kept.
const DAYS: i64 = 8;

/// Takes a key for a request, or tells what it was used for.
pub async fn begin(conn: &mut PgConnection, actor: &Actor, key: &str, request_hash: &[u8], now: DateTime<Utc>) -> sqlx::Result<Seen> {
    let taken =
        sqlx::query("insert into idempotency (organization_id, member_id, key, request_hash, created_at) values ($1, $2, $3, $4, $5) on conflict do nothing")
            .bind(actor.organization)
            .bind(actor.member)
            .bind(key)
            .bind(request_hash)
            .bind(now)
            .execute(&mut *conn)
            .await?;
    if taken.rows_affected() == 1 {
        return Ok(Seen::First);
    }
    let row = sqlx::query("select request_hash, status, body from idempotency where member_id = $1 and key = $2")
        .bind(actor.member)
        .bind(key)
        .fetch_one(conn)
        .await?;
    if row.try_get::<&[u8], _>("request_hash")? != request_hash {
        return Ok(Seen::Other);
    }
    Ok(match row.try_get::<Option<i16>, _>("status")? {
        None => Seen::Unanswered,
        Some(status) => Seen::Answered { status: u16::try_from(status).unwrap_or(500), body: row.try_get::<Option<_>, _>("body")?.unwrap_or_default() },
    })
}

/// Keeps the answer.
pub async fn answer(conn: &mut PgConnection, actor: &Actor, key: &str, status: u16, body: &[u8]) -> sqlx::Result<()> {
    sqlx::query("update idempotency set status = $3, body = $4 where member_id = $1 and key = $2")
        .bind(actor.member)
        .bind(key)
        .bind(i16::try_from(status).unwrap_or(500))
        .bind(body)
        .execute(conn)
        .await
        .map(drop)
}

/// Gives a key back whose request had no effect, because it was not valid.
pub async fn forget(conn: &mut PgConnection, actor: &Actor, key: &str) -> sqlx::Result<()> {
    sqlx::query("delete from idempotency where member_id = $1 and key = $2 and status is null").bind(actor.member).bind(key).execute(conn).await.map(drop)
}

/// Drops what is too old to be asked for.
pub async fn sweep(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let swept = sqlx::query("delete from idempotency where created_at < $1").bind(now - Duration::days(DAYS)).execute(conn).await?;
    Ok(swept.rows_affected())
}
