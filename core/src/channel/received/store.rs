//! The rows of files that came with messages.

use sqlx::{FromRow, PgConnection, Row, postgres::PgRow};
use uuid::Uuid;

use super::{Attached, ReceivedFile};
use crate::ids::{CommandId, Context, OrganizationId, ProjectId, ReceivedFileId};

impl FromRow<'_, PgRow> for ReceivedFile {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("received_file_id")?,
            command: row.try_get("command_id")?,
            name: row.try_get("name")?,
            media_type: row.try_get("media_type")?,
            size_bytes: row.try_get("size_bytes")?,
            problem: row.try_get("problem")?,
            created_at: row.try_get("created_at")?,
            file: row.try_get("file")?,
        })
    }
}

/// Notes what came with a command, in the transaction that stores it.
pub async fn insert(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, command: CommandId, attached: &[Attached]) -> sqlx::Result<()> {
    if attached.is_empty() {
        return Ok(());
    }
    let texts = |text: fn(&Attached) -> Option<String>| attached.iter().map(text).collect::<Vec<_>>();
    sqlx::query(
        "insert into received_file (organization_id, received_file_id, command_id, name, media_type, size_bytes, file, problem, created_at)
         select $1, id, $2, name, media_type, size_bytes, file, problem, $9
         from unnest($3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[]) as u (id, name, media_type, size_bytes, file, problem)",
    )
    .bind(organization)
    .bind(command)
    .bind(attached.iter().map(|_| ctx.uuid()).collect::<Vec<Uuid>>())
    .bind(texts(|attached| Some(attached.name.clone())))
    .bind(texts(|attached| Some(attached.media_type.clone())))
    .bind(attached.iter().map(|attached| attached.size_bytes).collect::<Vec<_>>())
    .bind(texts(|attached| attached.kept.clone().ok()))
    .bind(texts(|attached| attached.kept.clone().err()))
    .bind(ctx.now())
    .execute(conn)
    .await
    .map(drop)
}

/// What came with a command, in order.
pub async fn of_command(conn: &mut PgConnection, command: CommandId) -> sqlx::Result<Vec<ReceivedFile>> {
    sqlx::query_as("select * from received_file where command_id = $1 order by received_file_id").bind(command).fetch_all(conn).await
}

/// What came with the messages that led to a proposal, in order.
pub async fn of_proposal(conn: &mut PgConnection, number: i32) -> sqlx::Result<Vec<ReceivedFile>> {
    sqlx::query_as("select f.* from received_file f join command c using (command_id) where c.proposal = $1 order by f.received_file_id")
        .bind(number)
        .fetch_all(conn)
        .await
}

/// A file, with the project that its message is about.
pub async fn find(conn: &mut PgConnection, id: ReceivedFileId) -> sqlx::Result<Option<(ReceivedFile, Option<ProjectId>)>> {
    let row = sqlx::query("select f.*, c.project_id from received_file f join command c using (command_id) where received_file_id = $1")
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.map(|row| Ok((ReceivedFile::from_row(&row)?, row.try_get("project_id")?))).transpose()
}

/// How many bytes an organisation keeps.
pub async fn total(conn: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("select coalesce(sum(size_bytes), 0)::bigint from received_file where file is not null").fetch_one(conn).await
}

/// Drops a file, and leaves that it was there. The name of its bytes.
pub async fn discard(conn: &mut PgConnection, id: ReceivedFileId, why: &str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "update received_file f set file = null, problem = $2 from (select file from received_file where received_file_id = $1 for update) was
         where f.received_file_id = $1 and was.file is not null returning was.file",
    )
    .bind(id)
    .bind(why)
    .fetch_optional(conn)
    .await
}
