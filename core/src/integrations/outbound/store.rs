//! The rows of endpoints, messages and attempts.

use chrono::{DateTime, Duration, Utc};
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow};
use uuid::Uuid;

use super::{Attempt, Endpoint, Message, Settings, State};
use crate::{
    ids::{Context, EndpointId, OrganizationId},
    integrations::unknown,
};

/// How long messages are kept for inspection.
const KEPT_DAYS: i64 = 30;

impl FromRow<'_, PgRow> for Endpoint {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("endpoint_id")?,
            settings: Settings {
                url: row.try_get("url")?,
                description: row.try_get("description")?,
                events: row.try_get("events")?,
                enabled: row.try_get("enabled")?,
            },
            disabled_why: row.try_get("disabled_why")?,
            failing_since: row.try_get("failing_since")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

impl FromRow<'_, PgRow> for Message {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let state: &str = row.try_get("state")?;
        Ok(Self {
            id: row.try_get("message_id")?,
            endpoint: row.try_get("endpoint_id")?,
            seq: row.try_get("seq")?,
            event: row.try_get("event")?,
            body: row.try_get("body")?,
            state: State::parse(state).ok_or_else(|| unknown(state))?,
            attempts: row.try_get("attempts")?,
            created_at: row.try_get("created_at")?,
            finished_at: row.try_get("finished_at")?,
        })
    }
}

impl FromRow<'_, PgRow> for Attempt {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            message: row.try_get("message_id")?,
            at: row.try_get("at")?,
            status: row.try_get("status")?,
            duration_ms: row.try_get("duration_ms")?,
            response: row.try_get("response")?,
            problem: row.try_get("problem")?,
        })
    }
}

pub async fn insert(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, settings: &Settings) -> sqlx::Result<Endpoint> {
    sqlx::query_as(
        "insert into webhook_endpoint (organization_id, endpoint_id, url, description, events, enabled, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7) returning *",
    )
    .bind(organization)
    .bind(ctx.uuid())
    .bind(&settings.url)
    .bind(&settings.description)
    .bind(&settings.events)
    .bind(settings.enabled)
    .bind(ctx.now())
    .fetch_one(conn)
    .await
}

/// Changes an endpoint. One that is switched on begins anew: what it failed at before is forgotten.
pub async fn update(conn: &mut PgConnection, id: EndpointId, settings: &Settings, now: DateTime<Utc>) -> sqlx::Result<Option<Endpoint>> {
    sqlx::query_as(
        "update webhook_endpoint set url = $2, description = $3, events = $4, enabled = $5, updated_at = $6,
                disabled_why = case when $5 then null else disabled_why end,
                failing_since = case when $5 and not enabled then null else failing_since end
         where endpoint_id = $1 returning *",
    )
    .bind(id)
    .bind(&settings.url)
    .bind(&settings.description)
    .bind(&settings.events)
    .bind(settings.enabled)
    .bind(now)
    .fetch_optional(conn)
    .await
}

/// Takes an endpoint away, with its messages.
pub async fn delete(conn: &mut PgConnection, id: EndpointId) -> sqlx::Result<bool> {
    let deleted = sqlx::query(
        "with messages as (delete from webhook_message where endpoint_id = $1 returning message_id),
              attempts as (delete from webhook_attempt where message_id in (select message_id from messages))
         delete from webhook_endpoint where endpoint_id = $1",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected() == 1)
}

pub async fn find(conn: &mut PgConnection, id: EndpointId) -> sqlx::Result<Option<Endpoint>> {
    sqlx::query_as("select * from webhook_endpoint where endpoint_id = $1").bind(id).fetch_optional(conn).await
}

/// Takes the lock of an endpoint that is to be changed.
pub async fn lock(conn: &mut PgConnection, id: EndpointId) -> sqlx::Result<Option<Endpoint>> {
    sqlx::query_as("select * from webhook_endpoint where endpoint_id = $1 for update").bind(id).fetch_optional(conn).await
}

/// All endpoints, in the order they came.
pub async fn list(conn: &mut PgConnection) -> sqlx::Result<Vec<Endpoint>> {
    sqlx::query_as("select * from webhook_endpoint order by endpoint_id").fetch_all(conn).await
}

/// A message that is to be stored.
pub struct NewMessage<'a> {
    pub id: Uuid,
    pub endpoint: EndpointId,
    pub seq: i64,
    pub event: &'a str,
    pub body: String,
}

/// Stores messages, in the transaction that enqueues them.
pub async fn insert_messages(conn: &mut PgConnection, organization: OrganizationId, messages: &[NewMessage<'_>], now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query(
        "insert into webhook_message (organization_id, message_id, endpoint_id, seq, event, body, state, created_at)
         select $1, u.*, 'waiting', $2 from unnest($3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::text[]) u",
    )
    .bind(organization)
    .bind(now)
    .bind(messages.iter().map(|message| message.id).collect::<Vec<_>>())
    .bind(messages.iter().map(|message| message.endpoint).collect::<Vec<_>>())
    .bind(messages.iter().map(|message| message.seq).collect::<Vec<_>>())
    .bind(messages.iter().map(|message| message.event).collect::<Vec<_>>())
    .bind(messages.iter().map(|message| message.body.as_str()).collect::<Vec<_>>())
    .execute(conn)
    .await
    .map(drop)
}

pub async fn find_message(conn: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Message>> {
    sqlx::query_as("select * from webhook_message where message_id = $1").bind(id).fetch_optional(conn).await
}

/// The messages to an endpoint before one, newest first.
pub async fn list_messages(conn: &mut PgConnection, endpoint: EndpointId, before: Option<Uuid>, limit: i64) -> sqlx::Result<Vec<Message>> {
    sqlx::query_as("select * from webhook_message where endpoint_id = $1 and ($2::uuid is null or message_id < $2) order by message_id desc limit $3")
        .bind(endpoint)
        .bind(before)
        .bind(limit)
        .fetch_all(conn)
        .await
}

/// The attempts of several messages, oldest first.
pub async fn list_attempts(conn: &mut PgConnection, messages: &[Uuid]) -> sqlx::Result<Vec<Attempt>> {
    sqlx::query_as("select * from webhook_attempt where message_id = any($1) order by attempt_id").bind(messages).fetch_all(conn).await
}

/// Makes a message one that is to be sent again from the first attempt. Whether it was not waiting already.
pub async fn resend(conn: &mut PgConnection, id: Uuid) -> sqlx::Result<bool> {
    let changed = sqlx::query("update webhook_message set state = 'waiting', attempts = 0, finished_at = null where message_id = $1 and state <> 'waiting'")
        .bind(id)
        .execute(conn)
        .await?;
    Ok(changed.rows_affected() == 1)
}

/// Writes an attempt down, and what it makes of the message and of its endpoint.
pub async fn attempted(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    organization: OrganizationId,
    attempt: &Attempt,
    state: State,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "with message as (
             update webhook_message set attempts = attempts + 1, state = $2, finished_at = case when $2 = 'waiting' then null else $3 end
             where message_id = $1 returning endpoint_id),
         endpoint as (
             -- Where nothing has changed the row is left alone: many messages go to one endpoint at once.
             update webhook_endpoint e set failing_since = case when $2 = 'delivered' then null else $4 end
             from message where e.endpoint_id = message.endpoint_id and (e.failing_since is null) <> ($2 = 'delivered'))
         insert into webhook_attempt (organization_id, attempt_id, message_id, at, status, duration_ms, response, problem)
         values ($5, $6, $1, $4, $7, $8, $9, $10)",
    )
    .bind(attempt.message)
    .bind(state.as_str())
    .bind(now)
    .bind(attempt.at)
    .bind(organization)
    .bind(ctx.uuid())
    .bind(attempt.status)
    .bind(attempt.duration_ms)
    .bind(&attempt.response)
    .bind(&attempt.problem)
    .execute(conn)
    .await
    .map(drop)
}

/// Switches an endpoint off that is on. Whether it was.
pub async fn disable(conn: &mut PgConnection, id: EndpointId, why: &str, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let disabled = sqlx::query("update webhook_endpoint set enabled = false, disabled_why = $2, updated_at = $3 where endpoint_id = $1 and enabled")
        .bind(id)
        .bind(why)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(disabled.rows_affected() == 1)
}

/// Drops what is too old to be looked at.
pub async fn sweep(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let swept = sqlx::query(
        "with messages as (delete from webhook_message where created_at < $1 and state <> 'waiting' returning message_id)
         delete from webhook_attempt where message_id in (select message_id from messages)",
    )
    .bind(now - Duration::days(KEPT_DAYS))
    .execute(conn)
    .await?;
    Ok(swept.rows_affected())
}
