//! The rows of documents.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow};

use super::{AttachmentView, DocumentView, MAX_ATTACHMENTS, NewDocument, State, VersionView};
use crate::ids::{AttachmentId, Context, DocumentId, ExportId, OrganizationId};

impl FromRow<'_, PgRow> for DocumentView {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("document_id")?,
            title: row.try_get("title")?,
            content: row.try_get("content")?,
            media_type: row.try_get("media_type")?,
            state: State::parse(row.try_get("state")?),
            version: row.try_get("version")?,
            variant: row.try_get("variant_id")?,
            keep_days: row.try_get("keep_days")?,
            author: row.try_get("actor")?,
            attachments: Vec::new(),
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

impl FromRow<'_, PgRow> for AttachmentView {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("attachment_id")?,
            document: row.try_get("document_id")?,
            name: row.try_get("name")?,
            media_type: row.try_get("media_type")?,
            size_bytes: row.try_get("size_bytes")?,
            is_primary: row.try_get("is_primary")?,
            position: row.try_get("position")?,
            file: row.try_get("file")?,
        })
    }
}

impl FromRow<'_, PgRow> for VersionView {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            version: row.try_get("version")?,
            title: row.try_get("title")?,
            content: row.try_get("content")?,
            author: row.try_get("actor")?,
            at: row.try_get("at")?,
        })
    }
}

/// Makes a document, a draft, with its first version.
pub async fn create(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, actor: &str, new: &NewDocument<'_>) -> sqlx::Result<DocumentId> {
    let id = DocumentId(ctx.uuid());
    sqlx::query(
        "insert into document (organization_id, document_id, title, content, file, media_type, state, variant_id, keep_days, actor, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, 'draft', $7, $8, $9, $10, $10)",
    )
    .bind(organization)
    .bind(id)
    .bind(new.title)
    .bind(new.content)
    .bind(new.file)
    .bind(new.media_type)
    .bind(new.variant)
    .bind(new.keep_days)
    .bind(actor)
    .bind(ctx.now())
    .execute(&mut *conn)
    .await?;
    keep_version(conn, id, actor).await?;
    Ok(id)
}

/// Keeps what a document is now as a version.
async fn keep_version(conn: &mut PgConnection, id: DocumentId, actor: &str) -> sqlx::Result<()> {
    sqlx::query(
        "insert into document_version (organization_id, document_id, version, title, content, file, media_type, actor, at)
         select organization_id, document_id, version, title, content, file, media_type, $2, updated_at from document where document_id = $1",
    )
    .bind(id)
    .bind(actor)
    .execute(conn)
    .await
    .map(drop)
}

/// A document with its attachments.
pub async fn find(conn: &mut PgConnection, id: DocumentId) -> sqlx::Result<Option<DocumentView>> {
    let found: Option<DocumentView> = sqlx::query_as("select * from document where document_id = $1").bind(id).fetch_optional(&mut *conn).await?;
    let Some(mut found) = found else { return Ok(None) };
    found.attachments = attachments(conn, &[id]).await?;
    Ok(Some(found))
}

/// The same, and nobody else changes it until the end of the transaction.
pub async fn lock(conn: &mut PgConnection, id: DocumentId) -> sqlx::Result<Option<DocumentView>> {
    sqlx::query("select from document where document_id = $1 for update").bind(id).execute(&mut *conn).await?;
    find(conn, id).await
}

async fn attachments(conn: &mut PgConnection, ids: &[DocumentId]) -> sqlx::Result<Vec<AttachmentView>> {
    sqlx::query_as("select * from attachment where document_id = any ($1) order by document_id, position, attachment_id").bind(ids).fetch_all(conn).await
}

/// Which documents are listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Words as people type them into a search: `launch -draft "two words"`.
    pub words: Option<&'a str>,
    pub state: Option<State>,
    pub before: Option<DocumentId>,
}

/// Documents, newest first.
pub async fn list(conn: &mut PgConnection, organization: OrganizationId, filter: Filter<'_>, limit: i64) -> sqlx::Result<Vec<DocumentView>> {
    let mut found: Vec<DocumentView> = sqlx::query_as(
        "select * from document
         where organization_id = $1 and ($2::text is null or search @@ websearch_to_tsquery('simple', $2)) and ($3::text is null or state = $3)
           and ($4::uuid is null or document_id < $4)
         order by document_id desc limit $5",
    )
    .bind(organization)
    .bind(filter.words)
    .bind(filter.state.map(State::as_str))
    .bind(filter.before)
    .bind(limit)
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<DocumentId> = found.iter().map(|document| document.id).collect();
    for attachment in attachments(conn, &ids).await? {
        if let Some(document) = found.iter_mut().find(|document| document.id == attachment.document) {
            document.attachments.push(attachment);
        }
    }
    Ok(found)
}

/// Puts other words in the place of a draft's, as a new version.
pub async fn edit(conn: &mut PgConnection, ctx: &dyn Context, actor: &str, id: DocumentId, title: &str, content: &str) -> sqlx::Result<()> {
    sqlx::query("update document set title = $2, content = $3, version = version + 1, updated_at = $4 where document_id = $1")
        .bind(id)
        .bind(title)
        .bind(content)
        .bind(ctx.now())
        .execute(&mut *conn)
        .await?;
    keep_version(conn, id, actor).await
}

pub async fn keep_for(conn: &mut PgConnection, ctx: &dyn Context, id: DocumentId, days: Option<i32>) -> sqlx::Result<()> {
    sqlx::query("update document set keep_days = $2, updated_at = $3 where document_id = $1").bind(id).bind(days).bind(ctx.now()).execute(conn).await.map(drop)
}

pub async fn take_to(conn: &mut PgConnection, ctx: &dyn Context, id: DocumentId, state: State) -> sqlx::Result<()> {
    sqlx::query("update document set state = $2, updated_at = $3 where document_id = $1")
        .bind(id)
        .bind(state.as_str())
        .bind(ctx.now())
        .execute(conn)
        .await
        .map(drop)
}

/// The versions of a document below one, newest first.
pub async fn versions(conn: &mut PgConnection, id: DocumentId, below: Option<i32>, limit: i64) -> sqlx::Result<Vec<VersionView>> {
    sqlx::query_as("select * from document_version where document_id = $1 and ($2::integer is null or version < $2) order by version desc limit $3")
        .bind(id)
        .bind(below)
        .bind(limit)
        .fetch_all(conn)
        .await
}

/// Something that is attached.
pub struct NewAttachment<'a> {
    pub name: &'a str,
    pub media_type: &'a str,
    pub file: &'a str,
    pub size_bytes: i64,
}

/// Attaches something to a locked document, as its last; the first stands for it. `None` where it has as many as it may have.
pub async fn attach(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    organization: OrganizationId,
    actor: &str,
    document: DocumentId,
    new: &NewAttachment<'_>,
) -> sqlx::Result<Option<AttachmentId>> {
    let id = AttachmentId(ctx.uuid());
    let done = sqlx::query(
        "insert into attachment (organization_id, attachment_id, document_id, name, media_type, file, size_bytes, is_primary, position, actor, created_at)
         select $1, $2, $3, $4, $5, $6, $7, count(*) = 0, coalesce(max(position), 0) + 1, $8, $9 from attachment where document_id = $3 having count(*) < $10",
    )
    .bind(organization)
    .bind(id)
    .bind(document)
    .bind(new.name)
    .bind(new.media_type)
    .bind(new.file)
    .bind(new.size_bytes)
    .bind(actor)
    .bind(ctx.now())
    .bind(MAX_ATTACHMENTS)
    .execute(conn)
    .await?;
    Ok((done.rows_affected() == 1).then_some(id))
}

pub async fn find_attachment(conn: &mut PgConnection, id: AttachmentId) -> sqlx::Result<Option<AttachmentView>> {
    sqlx::query_as("select * from attachment where attachment_id = $1").bind(id).fetch_optional(conn).await
}

/// Puts a locked document's attachments in an order and lets one of them stand for it.
pub async fn arrange(conn: &mut PgConnection, document: DocumentId, order: &[AttachmentId], primary: Option<AttachmentId>) -> sqlx::Result<()> {
    // Two statements: there is never more than one that stands for it.
    sqlx::query("update attachment set is_primary = false where document_id = $1 and is_primary").bind(document).execute(&mut *conn).await?;
    sqlx::query(
        "update attachment set position = o.position, is_primary = attachment_id is not distinct from $3
         from unnest($2::uuid[]) with ordinality as o (id, position) where attachment_id = o.id and document_id = $1",
    )
    .bind(document)
    .bind(order)
    .bind(primary)
    .execute(conn)
    .await
    .map(drop)
}

pub async fn detach(conn: &mut PgConnection, id: AttachmentId) -> sqlx::Result<()> {
    sqlx::query("delete from attachment where attachment_id = $1").bind(id).execute(conn).await.map(drop)
}

/// A file that was written for somebody to fetch.
#[derive(Clone, Debug, FromRow)]
pub struct ExportFile {
    pub name: String,
    pub media_type: String,
    pub file: String,
}

/// Writes down that there is a file to be fetched.
pub async fn exported(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    organization: OrganizationId,
    actor: &str,
    new: &NewAttachment<'_>,
) -> sqlx::Result<ExportId> {
    let id = ExportId(ctx.uuid());
    sqlx::query(
        "insert into export_file (organization_id, export_id, name, media_type, file, size_bytes, actor, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(organization)
    .bind(id)
    .bind(new.name)
    .bind(new.media_type)
    .bind(new.file)
    .bind(new.size_bytes)
    .bind(actor)
    .bind(ctx.now())
    .execute(conn)
    .await?;
    Ok(id)
}

pub async fn find_export(conn: &mut PgConnection, id: ExportId) -> sqlx::Result<Option<ExportFile>> {
    sqlx::query_as("select name, media_type, file from export_file where export_id = $1").bind(id).fetch_optional(conn).await
}

/// Drops documents whose days are over, and exports from before a time. The files that nothing names any more.
pub async fn sweep(conn: &mut PgConnection, now: DateTime<Utc>, exports_before: DateTime<Utc>) -> sqlx::Result<Vec<String>> {
    let files: Vec<String> = sqlx::query_scalar(
        "with over as (delete from document where updated_at + make_interval(days => keep_days) < $1 returning document_id, file),
              old as (delete from export_file where created_at < $2 returning file)
         select file from over where file is not null
         union select file from attachment where document_id in (select document_id from over)
         union select file from document_version where file is not null and document_id in (select document_id from over)
         union select file from old",
    )
    .bind(now)
    .bind(exports_before)
    .fetch_all(&mut *conn)
    .await?;
    unnamed(conn, files).await
}

/// The files of these that nothing names any more.
pub async fn unnamed(conn: &mut PgConnection, files: Vec<String>) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select f from unnest($1::text[]) as u (f)
         where not exists (select from document where file = f) and not exists (select from attachment where file = f)
           and not exists (select from document_version where file = f) and not exists (select from variant where file = f)
           and not exists (select from export_file where file = f) and not exists (select from received_file where file = f)",
    )
    .bind(files)
    .fetch_all(conn)
    .await
}
