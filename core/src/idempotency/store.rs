//! The rows of idempotency keys.

use chrono::{DateTime, Duration, Utc};
use sqlx::{PgConnection, Row};

use super::{Attempt, Seen};
use crate::tenancy::Actor;

/// How long an answer is kept.
const DAYS: i64 = 8;

/// For how long a request counts as being worked on: longer than any of them waits.
const CLAIM_SECONDS: i32 = 120;

/// Takes a key for a request, or tells what became of the one that it was used for.
pub async fn begin(conn: &mut PgConnection, actor: &Actor, key: &str, request_hash: &[u8], now: DateTime<Utc>) -> sqlx::Result<Seen> {
    // One that was given up is taken up again; where that fits not, nothing is touched and nothing returned.
    let taken: Option<i32> = sqlx::query_scalar(
        "insert into idempotency as i (organization_id, member_id, key, request_hash, created_at, has_effect, claimed_until)
         values ($1, $2, $3, $4, $5, false, now() + make_interval(secs => $6))
         on conflict (organization_id, member_id, key) do update set attempt = i.attempt + 1, claimed_until = excluded.claimed_until
         where i.request_hash = excluded.request_hash and i.status is null and not i.has_effect and i.claimed_until <= now()
         returning attempt",
    )
    .bind(actor.organization)
    .bind(actor.member)
    .bind(key)
    .bind(request_hash)
    .bind(now)
    .bind(f64::from(CLAIM_SECONDS))
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(number) = taken {
        return Ok(Seen::Mine(Attempt { key: key.to_owned(), number }));
    }
    let row = sqlx::query(
        "select request_hash, status, body, claimed_until > now() as is_running, extract(epoch from claimed_until - now())::float8 as left
         from idempotency where member_id = $1 and key = $2",
    )
    .bind(actor.member)
    .bind(key)
    .fetch_one(conn)
    .await?;
    if row.try_get::<&[u8], _>("request_hash")? != request_hash {
        return Ok(Seen::Other);
    }
    Ok(match row.try_get::<Option<i16>, _>("status")? {
        None if row.try_get("is_running")? => Seen::Running { left: std::time::Duration::from_secs_f64(row.try_get::<f64, _>("left")?.max(1.0)) },
        None => Seen::Unanswered,
        Some(status) => Seen::Answered { status: u16::try_from(status).unwrap_or(500), body: row.try_get::<Option<_>, _>("body")?.unwrap_or_default() },
    })
}

/// Keeps the answer.
pub async fn answer(conn: &mut PgConnection, actor: &Actor, attempt: &Attempt, status: u16, body: &[u8]) -> sqlx::Result<()> {
    sqlx::query("update idempotency set status = $4, body = $5 where member_id = $1 and key = $2 and attempt = $3")
        .bind(actor.member)
        .bind(&attempt.key)
        .bind(attempt.number)
        .bind(i16::try_from(status).unwrap_or(500))
        .bind(body)
        .execute(conn)
        .await
        .map(drop)
}

/// Gives a key back whose request had no effect, because it was not valid.
pub async fn forget(conn: &mut PgConnection, actor: &Actor, attempt: &Attempt) -> sqlx::Result<()> {
    sqlx::query("delete from idempotency where member_id = $1 and key = $2 and attempt = $3 and status is null")
        .bind(actor.member)
        .bind(&attempt.key)
        .bind(attempt.number)
        .execute(conn)
        .await
        .map(drop)
}

/// Gives up all that is not answered, where no process that worked on any of it can be alive.
pub async fn release_all(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("update idempotency set claimed_until = now() where status is null").execute(conn).await.map(drop)
}

/// Drops what is too old to be asked for.
pub async fn sweep(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let swept = sqlx::query("delete from idempotency where created_at < $1").bind(now - Duration::days(DAYS)).execute(conn).await?;
    Ok(swept.rows_affected())
}
