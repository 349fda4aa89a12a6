//! The rows of the audit trail and of its seals.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow, types::Json};
use uuid::Uuid;

use super::Receipt;
use crate::{
    db::Db,
    ids::{Context, MemberId, OrganizationId},
    tenancy::Actor,
};

/// Where an entry stands in the trail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub(super) seq: i64,
    pub(super) id: Uuid,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.seq, self.id)
    }
}

/// A text names no place.
#[derive(Debug, thiserror::Error)]
#[error("this is no place in the trail")]
pub struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (seq, id) = text.split_once('.').ok_or(NoPlace)?;
        Ok(Self { seq: seq.parse().map_err(|_| NoPlace)?, id: id.parse().map_err(|_| NoPlace)? })
    }
}

impl FromRow<'_, PgRow> for Place {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self { seq: row.try_get("seq")?, id: row.try_get("audit_id")? })
    }
}

/// An entry of the audit trail.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Entry {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub actor: String,
    /// `key.created`
    pub action: String,
    pub target: String,
    pub details: Value,
    #[serde(skip)]
    pub place: Place,
}

impl FromRow<'_, PgRow> for Entry {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("audit_id")?,
            at: row.try_get("at")?,
            actor: row.try_get("actor")?,
            action: row.try_get("action")?,
            target: row.try_get("target")?,
            details: row.try_get::<Json<Value>, _>("details")?.0,
            place: Place::from_row(row)?,
        })
    }
}

/// Notes what somebody did, in the transaction that does it. Secrets do not belong into `details`.
pub async fn append(conn: &mut PgConnection, ctx: &dyn Context, actor: &Actor, action: &str, target: &str, details: &Value) -> sqlx::Result<()> {
    insert(conn, ctx, actor.organization, (Some(actor.member), &actor.handle), action, target, details).await
}

/// Notes what somebody did who is not known here: `details` say what is known of them.
pub async fn append_unknown(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    organization: OrganizationId,
    action: &str,
    target: &str,
    details: &Value,
) -> sqlx::Result<()> {
    insert(conn, ctx, organization, (None, "unknown"), action, target, details).await
}

async fn insert(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    organization: OrganizationId,
    (member, handle): (Option<MemberId>, &str),
    action: &str,
    target: &str,
    details: &Value,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into audit (organization_id, audit_id, at, member_id, actor, action, target, details)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(organization)
    .bind(ctx.uuid())
    .bind(ctx.now())
    .bind(member)
    .bind(handle)
    .bind(action)
    .bind(target)
    .bind(Json(details))
    .execute(conn)
    .await
    .map(drop)
}

/// Which entries are listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// By a member: a handle.
    pub actor: Option<&'a str>,
    /// An action (`key.created`) or a subject (`key`).
    pub action: Option<&'a str>,
    pub target: Option<&'a str>,
    pub before: Option<Place>,
}

/// The newest entries that are wanted.
pub async fn list(conn: &mut PgConnection, filter: Filter<'_>, limit: i64) -> sqlx::Result<Vec<Entry>> {
    let before = filter.before.unwrap_or(Place { seq: i64::MAX, id: Uuid::max() });
    sqlx::query_as(
        "select seq, audit_id, at, actor, action, target, details from audit
         where (seq, audit_id) < ($1, $2) and ($4::text is null or actor = $4) and ($6::text is null or target = $6)
           and ($5::text is null or action = $5 or split_part(action, '.', 1) = $5)
         order by seq desc, audit_id desc limit $3",
    )
    .bind(before.seq)
    .bind(before.id)
    .bind(limit)
    .bind(filter.actor)
    .bind(filter.action)
    .bind(filter.target)
    .fetch_all(conn)
    .await
}

/// An entry as it is hashed.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) place: Place,
    pub(super) at: DateTime<Utc>,
    pub(super) member: Option<Uuid>,
    pub(super) actor: String,
    pub(super) action: String,
    pub(super) target: String,
    /// JSON, byte for byte as it is stored.
    pub(super) details: String,
}

impl fmt::Display for Written {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {} {}", self.at.to_rfc3339(), self.actor, self.action, self.target)
    }
}

impl FromRow<'_, PgRow> for Written {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            place: Place::from_row(row)?,
            at: row.try_get("at")?,
            member: row.try_get("member_id")?,
            actor: row.try_get("actor")?,
            action: row.try_get("action")?,
            target: row.try_get("target")?,
            details: row.try_get("details")?,
        })
    }
}

/// A stretch of the trail with the head behind it. The default is what stands before the first.
#[derive(Clone, Debug, Default)]
pub(super) struct Seal {
    pub(super) number: i64,
    /// Of the last entry that it covers.
    pub(super) place: Place,
    /// How many entries there are up to here.
    pub(super) entries: i64,
    pub(super) ids: Vec<Uuid>,
    /// 32 bytes of each.
    pub(super) digests: Vec<u8>,
    pub(super) head: Vec<u8>,
}

impl Seal {
    pub(super) fn receipt(&self) -> Receipt {
        Receipt::new(self.entries, &self.head)
    }
}

impl FromRow<'_, PgRow> for Seal {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            number: row.try_get("number")?,
            place: Place::from_row(row)?,
            entries: row.try_get("entries")?,
            ids: row.try_get("ids")?,
            digests: row.try_get("digests")?,
            head: row.try_get("head")?,
        })
    }
}

/// Where a chain ends.
pub(super) struct Tip {
    /// Whether there are entries behind it.
    pub(super) is_outgrown: bool,
    pub(super) receipt: Option<Receipt>,
}

/// Where the chain of an organisation ends, in one round trip.
pub(super) async fn tip(db: &Db, organization: OrganizationId) -> sqlx::Result<Tip> {
    let row = db
        .glance(
            organization,
            "select exists (select from audit a where a.seq >= coalesce(s.seq, 0) and (s.seq is null or (a.seq, a.audit_id) > (s.seq, s.audit_id))), s.entries, s.head
             from (values (0)) one left join (select seq, audit_id, entries, head from audit_seal order by number desc limit 1) s on true",
        )
        .await?
        .ok_or(sqlx::Error::RowNotFound)?;
    let entries: Option<i64> = row.try_get(1)?;
    // It comes as text, by the simple protocol.
    let head: Option<Vec<u8>> = row.try_get(2)?;
    Ok(Tip { is_outgrown: row.try_get(0)?, receipt: entries.zip(head).map(|(entries, head)| Receipt::new(entries, &head)) })
}

pub(super) async fn last_seal(conn: &mut PgConnection) -> sqlx::Result<Option<Seal>> {
    sqlx::query_as("select number, seq, audit_id, entries, '{}'::uuid[] as ids, ''::bytea as digests, head from audit_seal order by number desc limit 1")
        .fetch_optional(conn)
        .await
}

pub(super) async fn seals_after(conn: &mut PgConnection, number: i64, limit: i64) -> sqlx::Result<Vec<Seal>> {
    sqlx::query_as("select number, seq, audit_id, entries, ids, digests, head from audit_seal where number > $1 order by number limit $2")
        .bind(number)
        .bind(limit)
        .fetch_all(conn)
        .await
}

/// Entries after a place that no transaction can put another before any more, in order.
pub(super) async fn settled_after(conn: &mut PgConnection, after: Place, limit: i64) -> sqlx::Result<Vec<Written>> {
    sqlx::query_as(
        "select seq, audit_id, at, member_id, actor, action, target, details::text as details from audit
         where (seq, audit_id) > ($1, $2) and seq < (select event_horizon()) order by seq, audit_id limit $3",
    )
    .bind(after.seq)
    .bind(after.id)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// Entries after a place, up to another, in order. From the first on nothing can stand before it.
pub(super) async fn between(conn: &mut PgConnection, after: Place, through: Place) -> sqlx::Result<Vec<Written>> {
    let after = if after == Place::default() { Place { seq: i64::MIN, id: Uuid::nil() } } else { after };
    sqlx::query_as(
        "select seq, audit_id, at, member_id, actor, action, target, details::text as details from audit
         where (seq, audit_id) > ($1, $2) and (seq, audit_id) <= ($3, $4) order by seq, audit_id",
    )
    .bind(after.seq)
    .bind(after.id)
    .bind(through.seq)
    .bind(through.id)
    .fetch_all(conn)
    .await
}

pub(super) async fn count_after(conn: &mut PgConnection, after: Place) -> sqlx::Result<i64> {
    sqlx::query_scalar("select count(*) from audit where (seq, audit_id) > ($1, $2)").bind(after.seq).bind(after.id).fetch_one(conn).await
}

/// Writes a seal, where its number is free.
pub(super) async fn insert_seal(conn: &mut PgConnection, organization: OrganizationId, seal: &Seal, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query(
        "insert into audit_seal (organization_id, number, seq, audit_id, entries, ids, digests, head, at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict do nothing",
    )
    .bind(organization)
    .bind(seal.number)
    .bind(seal.place.seq)
    .bind(seal.place.id)
    .bind(seal.entries)
    .bind(&seal.ids)
    .bind(&seal.digests)
    .bind(&seal.head)
    .bind(now)
    .execute(conn)
    .await
    .map(drop)
}

/// The head of the chain as it is now, for somebody to keep. `None` before the first seal.
pub async fn receipt(conn: &mut PgConnection) -> sqlx::Result<Option<Receipt>> {
    Ok(last_seal(conn).await?.map(|seal| seal.receipt()))
}

/// When the chain had the head that a receipt names; `None` where it never had.
pub async fn find_receipt(conn: &mut PgConnection, receipt: &Receipt) -> sqlx::Result<Option<DateTime<Utc>>> {
    let row = sqlx::query("select entries, head, at from audit_seal where entries = $1").bind(receipt.entries).fetch_optional(conn).await?;
    let Some(row) = row else { return Ok(None) };
    let known = Receipt::new(row.try_get("entries")?, row.try_get("head")?);
    if known == *receipt { row.try_get("at").map(Some) } else { Ok(None) }
}
