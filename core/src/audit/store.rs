//! The rows of the audit trail.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow, types::Json};
use uuid::Uuid;

use crate::{
    ids::{Context, MemberId, OrganizationId},
    tenancy::Actor,
};

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

/// The newest entries before one.
pub async fn list_before(conn: &mut PgConnection, before: Option<Uuid>, limit: i64) -> sqlx::Result<Vec<Entry>> {
    sqlx::query_as(
        "select audit_id, at, actor, action, target, details from audit
         where $1::uuid is null or audit_id < $1 order by audit_id desc limit $2",
    )
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await
}
