//! The rows of the audit trail.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow, types::Json};
use uuid::Uuid;

use crate::{ids::Context, tenancy::Actor};

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
    sqlx::query(
        "insert into audit (organization_id, audit_id, at, member_id, actor, action, target, details)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(actor.organization)
    .bind(ctx.uuid())
    .bind(ctx.now())
    .bind(actor.member)
    .bind(&actor.handle)
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
    pub before: Option<Uuid>,
}

/// The newest entries that are wanted.
pub async fn list(conn: &mut PgConnection, filter: Filter<'_>, limit: i64) -> sqlx::Result<Vec<Entry>> {
    sqlx::query_as(
        "select audit_id, at, actor, action, target, details from audit
         where ($1::uuid is null or audit_id < $1) and ($3::text is null or actor = $3) and ($5::text is null or target = $5)
           and ($4::text is null or action = $4 or split_part(action, '.', 1) = $4)
         order by audit_id desc limit $2",
    )
    .bind(filter.before)
    .bind(limit)
    .bind(filter.actor)
    .bind(filter.action)
    .bind(filter.target)
    .fetch_all(conn)
    .await
}
