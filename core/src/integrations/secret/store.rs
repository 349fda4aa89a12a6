//! The rows of signing secrets.

use chrono::{DateTime, Duration, Utc};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow};
use uuid::Uuid;

use super::{SecretHint, hint};
use crate::{
    ids::{Context, OrganizationId},
    tenancy::{Safe, SafeError},
};

impl FromRow<'_, PgRow> for SecretHint {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self { owner: row.try_get("owner_id")?, hint: row.try_get("hint")?, created_at: row.try_get("created_at")?, expires_at: row.try_get("expires_at")? })
    }
}

/// Gives an owner its newest secret. Those before it count for the overlap and no longer.
pub async fn replace(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    safe: &Safe,
    organization: OrganizationId,
    owner: Uuid,
    secret: &SecretString,
    overlap: Duration,
) -> sqlx::Result<()> {
    let now: DateTime<Utc> = ctx.now();
    sqlx::query("update integration_secret set expires_at = $2 where owner_id = $1 and (expires_at is null or expires_at > $2)")
        .bind(owner)
        .bind(now + overlap)
        .execute(&mut *conn)
        .await?;
    sqlx::query("insert into integration_secret (organization_id, secret_id, owner_id, sealed, hint, created_at) values ($1, $2, $3, $4, $5, $6)")
        .bind(organization)
        .bind(ctx.uuid())
        .bind(owner)
        .bind(safe.seal(organization, &owner.to_string(), secret.expose_secret()))
        .bind(hint(secret.expose_secret()))
        .bind(now)
        .execute(conn)
        .await
        .map(drop)
}

/// The secrets of an owner that count, the newest first.
pub async fn open(conn: &mut PgConnection, safe: &Safe, organization: OrganizationId, owner: Uuid) -> sqlx::Result<Vec<SecretString>> {
    let sealed: Vec<Vec<u8>> =
        sqlx::query_scalar("select sealed from integration_secret where owner_id = $1 and (expires_at is null or expires_at > now()) order by secret_id desc")
            .bind(owner)
            .fetch_all(conn)
            .await?;
    let opened: Result<Vec<SecretString>, SafeError> = sealed.iter().map(|sealed| safe.open(organization, &owner.to_string(), sealed)).collect();
    opened.map_err(|error| sqlx::Error::Decode(error.into()))
}

/// What people see of the secrets of several owners that count, the newest first.
pub async fn list(conn: &mut PgConnection, owners: &[Uuid]) -> sqlx::Result<Vec<SecretHint>> {
    sqlx::query_as(
        "select owner_id, hint, created_at, expires_at from integration_secret
         where owner_id = any($1) and (expires_at is null or expires_at > now()) order by secret_id desc",
    )
    .bind(owners)
    .fetch_all(conn)
    .await
}

/// Forgets the secrets of an owner that is gone.
pub async fn forget(conn: &mut PgConnection, owner: Uuid) -> sqlx::Result<()> {
    sqlx::query("delete from integration_secret where owner_id = $1").bind(owner).execute(conn).await.map(drop)
}
