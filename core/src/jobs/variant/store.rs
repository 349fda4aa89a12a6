//! The rows of variants.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow};

use super::{NewVariant, State, VariantView};
use crate::ids::{Context, DocumentId, JobId, OrganizationId, VariantId};

impl FromRow<'_, PgRow> for VariantView {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let document: Option<DocumentId> = row.try_get("document_id")?;
        Ok(Self {
            id: row.try_get("variant_id")?,
            job: row.try_get("job_id")?,
            number: row.try_get("number")?,
            title: row.try_get("title")?,
            content: row.try_get("content")?,
            media_type: row.try_get("media_type")?,
            made_by: row.try_get("made_by")?,
            version: row.try_get("version")?,
            state: if document.is_some() { State::Accepted } else { State::Draft },
            document,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
            file: row.try_get("file")?,
        })
    }
}

/// Writes a variant down, where an earlier try of the job has not.
pub async fn insert(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, actor: &str, new: &NewVariant<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "insert into variant (organization_id, variant_id, job_id, number, title, content, file, media_type, made_by, actor, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) on conflict (job_id, number) do nothing",
    )
    .bind(organization)
    .bind(ctx.uuid())
    .bind(new.job)
    .bind(new.number)
    .bind(new.title)
    .bind(new.content)
    .bind(new.file)
    .bind(new.media_type)
    .bind(new.made_by)
    .bind(actor)
    .bind(ctx.now())
    .execute(conn)
    .await
    .map(drop)
}

/// Those of a job, in their order.
pub async fn of_job(conn: &mut PgConnection, job: JobId) -> sqlx::Result<Vec<VariantView>> {
    sqlx::query_as("select * from variant where job_id = $1 order by number").bind(job).fetch_all(conn).await
}

/// Variants by their ids, locked until the end of the transaction, in the order of their ids.
pub async fn lock(conn: &mut PgConnection, ids: &[VariantId]) -> sqlx::Result<Vec<VariantView>> {
    sqlx::query_as("select * from variant where variant_id = any ($1) order by variant_id for update").bind(ids).fetch_all(conn).await
}

pub async fn find(conn: &mut PgConnection, ids: &[VariantId]) -> sqlx::Result<Vec<VariantView>> {
    sqlx::query_as("select * from variant where variant_id = any ($1) order by job_id, number").bind(ids).fetch_all(conn).await
}

/// Puts other words in the place of a variant's.
pub async fn edit(conn: &mut PgConnection, ctx: &dyn Context, id: VariantId, title: &str, content: &str) -> sqlx::Result<VariantView> {
    sqlx::query_as("update variant set title = $2, content = $3, version = version + 1, updated_at = $4 where variant_id = $1 returning *")
        .bind(id)
        .bind(title)
        .bind(content)
        .bind(ctx.now())
        .fetch_one(conn)
        .await
}

/// A variant has become a document.
pub async fn became(conn: &mut PgConnection, ctx: &dyn Context, id: VariantId, document: DocumentId) -> sqlx::Result<()> {
    sqlx::query("update variant set document_id = $2, updated_at = $3 where variant_id = $1")
        .bind(id)
        .bind(document)
        .bind(ctx.now())
        .execute(conn)
        .await
        .map(drop)
}

/// Drops what nobody chose and nobody touched since a time.
pub async fn sweep(conn: &mut PgConnection, before: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query("delete from variant where document_id is null and updated_at < $1").bind(before).execute(conn).await.map(drop)
}
