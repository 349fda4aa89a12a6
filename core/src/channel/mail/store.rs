//! The rows of mailboxes and of mails that are held back.

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, FromRow, PgConnection, Row, postgres::PgRow, types::Json};
use uuid::Uuid;

use super::{Held, Place, Quarantined};
use crate::{
    channel::Envelope,
    ids::{Context, OrganizationId, QuarantineId},
};

impl FromRow<'_, PgRow> for Quarantined {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("quarantine_id")?,
            sender: row.try_get("sender")?,
            name: row.try_get("name")?,
            subject: row.try_get("subject")?,
            preview: row.try_get("preview")?,
            why: row.try_get("why")?,
            can_be_released: row.try_get("can_be_released")?,
            received_at: row.try_get("received_at")?,
            released_by: row.try_get("released_by")?,
            released_at: row.try_get("released_at")?,
        })
    }
}

/// The key of a mailbox, which is `fresh` where there was none.
pub(super) async fn token_key(conn: &mut PgConnection, organization: OrganizationId, name: &str, fresh: &[u8]) -> sqlx::Result<Vec<u8>> {
    sqlx::query_scalar(
        "insert into mailbox (organization_id, name, token_key) values ($1, $2, $3)
         on conflict (organization_id, name) do update set name = excluded.name returning token_key",
    )
    .bind(organization)
    .bind(name)
    .bind(fresh)
    .fetch_one(conn)
    .await
}

/// Takes or keeps the right to read a mailbox, for so many seconds; whether it is the holder's.
pub async fn hold(conn: &mut PgConnection, name: &str, holder: Uuid, seconds: f64) -> sqlx::Result<bool> {
    let held = sqlx::query(
        "update mailbox set holder = $2, held_until = now() + make_interval(secs => $3)
         where name = $1 and (holder is null or holder = $2 or held_until < now())",
    )
    .bind(name)
    .bind(holder)
    .bind(seconds)
    .execute(conn)
    .await?;
    Ok(held.rows_affected() == 1)
}

/// Gives the right back.
pub async fn let_go(conn: &mut PgConnection, name: &str, holder: Uuid) -> sqlx::Result<()> {
    sqlx::query("update mailbox set holder = null, held_until = null where name = $1 and holder = $2").bind(name).bind(holder).execute(conn).await.map(drop)
}

/// How far a mailbox is read; `None` where it never was.
pub async fn place(conn: &mut PgConnection, name: &str) -> sqlx::Result<Option<Place>> {
    let row: Option<(Option<i64>, Option<i64>)> =
        sqlx::query_as("select uid_validity, last_uid from mailbox where name = $1").bind(name).fetch_optional(conn).await?;
    let number = |number: i64| u32::try_from(number).map_err(|error| sqlx::Error::Decode(error.into()));
    match row {
        Some((Some(uid_validity), Some(last_uid))) => Ok(Some(Place { uid_validity: number(uid_validity)?, last_uid: number(last_uid)? })),
        _ => Ok(None),
    }
}

/// Notes how far a mailbox is read. Within one UIDVALIDITY it only goes on.
pub async fn keep_place(conn: &mut PgConnection, name: &str, place: Place) -> sqlx::Result<()> {
    sqlx::query("update mailbox set uid_validity = $2, last_uid = case when uid_validity = $2 then greatest(last_uid, $3) else $3 end where name = $1")
        .bind(name)
        .bind(i64::from(place.uid_validity))
        .bind(i64::from(place.last_uid))
        .execute(conn)
        .await
        .map(drop)
}

/// Holds a mail back. `false` where it is held already.
pub async fn quarantine(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, held: &Held) -> sqlx::Result<bool> {
    let inserted = sqlx::query(
        "insert into quarantine (organization_id, quarantine_id, key, sender, name, subject, preview, why, envelope, received_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (organization_id, key) do nothing",
    )
    .bind(organization)
    .bind(ctx.uuid())
    .bind(&held.key)
    .bind(&held.sender)
    .bind(&held.name)
    .bind(&held.subject)
    .bind(&held.preview)
    .bind(&held.why)
    .bind(held.envelope.as_ref().map(Json))
    .bind(ctx.now())
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

const QUARANTINED: &str = "select *, envelope is not null as can_be_released from quarantine";

/// Held mails, newest first: those before an id.
pub async fn list_before(conn: &mut PgConnection, before: Option<QuarantineId>, limit: i64) -> sqlx::Result<Vec<Quarantined>> {
    sqlx::query_as(AssertSqlSafe(format!("{QUARANTINED} where ($1::uuid is null or quarantine_id < $1) order by quarantine_id desc limit $2")))
        .bind(before)
        .bind(limit)
        .fetch_all(conn)
        .await
}

/// A held mail with what it would be, held until the transaction ends.
pub(super) async fn lock(conn: &mut PgConnection, id: QuarantineId) -> sqlx::Result<Option<(Quarantined, Option<Envelope>)>> {
    let row = sqlx::query(AssertSqlSafe(format!("{QUARANTINED} where quarantine_id = $1 for update"))).bind(id).fetch_optional(conn).await?;
    row.map(|row| {
        let envelope: Option<Json<Envelope>> = row.try_get("envelope")?;
        Ok((Quarantined::from_row(&row)?, envelope.map(|envelope| envelope.0)))
    })
    .transpose()
}

pub(super) async fn release(conn: &mut PgConnection, id: QuarantineId, by: &str, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query("update quarantine set released_by = $2, released_at = $3 where quarantine_id = $1").bind(id).bind(by).bind(now).execute(conn).await.map(drop)
}

/// How many mails of a sender were let in since a time.
pub async fn count_since(conn: &mut PgConnection, sender: &str, since: DateTime<Utc>) -> sqlx::Result<i64> {
    sqlx::query_scalar("select count(*) from inbox where channel = 'email' and envelope -> 'sender' ->> 'id' = $1 and received_at > $2")
        .bind(sender)
        .bind(since)
        .fetch_one(conn)
        .await
}

/// Whether a later mail of the same thread answers the command that decided a proposal: then it says so already.
pub async fn is_told(conn: &mut PgConnection, after: Uuid, thread: &str, proposal: i32) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from outbox o join command c using (command_id)
         where o.channel = 'email' and o.thread = $2 and o.message_id > $1 and c.proposal = $3 and o.proposal is distinct from $3)",
    )
    .bind(after)
    .bind(thread)
    .bind(proposal)
    .fetch_one(conn)
    .await
}

/// Drops held mails from before a time.
pub async fn sweep(conn: &mut PgConnection, before: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query("delete from quarantine where received_at < $1").bind(before).execute(conn).await.map(drop)
}
