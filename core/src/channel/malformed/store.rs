//! The rows of what could not be read.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow};

use super::{MAX_KEPT, Malformed, Unread};
use crate::{
    channel::Channel,
    ids::{Context, MalformedId, OrganizationId},
};

impl FromRow<'_, PgRow> for Malformed {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("malformed_id")?,
            channel: crate::channel::store::channel(row)?,
            error: row.try_get("error")?,
            body: row.try_get("body")?,
            size_bytes: row.try_get("size_bytes")?,
            times: row.try_get("times")?,
            first_at: row.try_get("first_at")?,
            last_at: row.try_get("last_at")?,
        })
    }
}

/// Keeps something; what came before is there once. Of what there is too much the oldest goes.
pub async fn keep(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, unread: &Unread<'_>) -> sqlx::Result<()> {
    let channel = unread.channel.as_str();
    sqlx::query(
        "insert into malformed (organization_id, malformed_id, channel, digest, error, body, size_bytes, first_at, last_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
         on conflict (organization_id, channel, digest) do update set times = malformed.times + 1, last_at = excluded.last_at, error = excluded.error",
    )
    .bind(organization)
    .bind(ctx.uuid())
    .bind(channel)
    .bind(blake3::hash(unread.raw).as_bytes().as_slice())
    .bind(&unread.error)
    .bind(unread.body())
    .bind(i64::try_from(unread.raw.len()).unwrap_or(i64::MAX))
    .bind(ctx.now())
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "delete from malformed where malformed_id in (select malformed_id from malformed where channel = $1 order by last_at desc, malformed_id desc offset $2)",
    )
    .bind(channel)
    .bind(MAX_KEPT)
    .execute(conn)
    .await
    .map(drop)
}

/// All that is kept of a channel, what came last first.
pub async fn list(conn: &mut PgConnection, channel: Channel) -> sqlx::Result<Vec<Malformed>> {
    sqlx::query_as("select * from malformed where channel = $1 order by last_at desc, malformed_id desc").bind(channel.as_str()).fetch_all(conn).await
}

/// Whether there was such a one.
pub async fn discard(conn: &mut PgConnection, channel: Channel, id: MalformedId) -> sqlx::Result<bool> {
    let gone = sqlx::query("delete from malformed where channel = $1 and malformed_id = $2").bind(channel.as_str()).bind(id).execute(conn).await?;
    Ok(gone.rows_affected() == 1)
}

/// Drops what came last before a time.
pub async fn sweep(conn: &mut PgConnection, before: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query("delete from malformed where last_at < $1").bind(before).execute(conn).await.map(drop)
}
