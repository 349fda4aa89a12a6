//! The rows of sources and of what they delivered.

use chrono::{DateTime, Duration, Utc};
use sqlx::{AssertSqlSafe, FromRow, PgConnection, Row, postgres::PgRow, types::Json};
use uuid::Uuid;

use super::{Delivery, Headers, Kind, NewDelivery, Outcome, Recipe, Scheme, Settings, Source};
use crate::{
    db::{self, Db},
    ids::{CommandId, Context, ConversationId, OrganizationId, ProjectId, SourceId},
    integrations::{Makes, unknown},
    tenancy::Secret,
};

/// How long bodies are kept for inspection, and keys so that nothing that comes again has an effect.
const KEPT_DAYS: i64 = 30;

impl FromRow<'_, PgRow> for Source {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let (kind, recipe, makes): (&str, &str, &str) = (row.try_get("kind")?, row.try_get("recipe")?, row.try_get("makes")?);
        Ok(Self {
            organization: row.try_get("organization_id")?,
            id: row.try_get("source_id")?,
            address: row.try_get("address")?,
            settings: Settings {
                name: row.try_get("name")?,
                kind: Kind::parse(kind).ok_or_else(|| unknown(kind))?,
                scheme: row.try_get::<Json<Scheme>, _>("scheme")?.0,
                recipe: Recipe::parse(recipe).ok_or_else(|| unknown(recipe))?,
                filter: row.try_get("filter")?,
                template: row.try_get("template")?,
                makes: Makes::parse(makes).ok_or_else(|| unknown(makes))?,
                project: row.try_get("project_id")?,
                member: row.try_get("member_id")?,
                enabled: row.try_get("enabled")?,
            },
            project_key: row.try_get("project_key")?,
            member: row.try_get("handle")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

impl FromRow<'_, PgRow> for Delivery {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let outcome: &str = row.try_get("outcome")?;
        Ok(Self {
            id: row.try_get("delivery_id")?,
            source: row.try_get("source_id")?,
            key: row.try_get("key")?,
            event: row.try_get("event")?,
            headers: row.try_get::<Json<Headers>, _>("headers")?.0,
            body: row.try_get("body")?,
            received_at: row.try_get("received_at")?,
            outcome: Outcome::parse(outcome).ok_or_else(|| unknown(outcome))?,
            why: row.try_get("why")?,
            text: row.try_get("text")?,
            command: row.try_get("command_id")?,
            finished_at: row.try_get("finished_at")?,
        })
    }
}

const SOURCE: &str = "select s.*, m.handle, p.key as project_key
    from webhook_source s join member m on m.member_id = s.member_id left join project p on p.project_id = s.project_id and p.deleted_at is null";

/// Adds a source, with a URL of its own. `None` where the name is taken.
pub async fn insert(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, settings: &Settings) -> sqlx::Result<Option<Source>> {
    let id = SourceId(ctx.uuid());
    let address = Secret::generate("").hash[..32].to_owned();
    let inserted = sqlx::query(
        "insert into webhook_source (organization_id, source_id, address, name, kind, scheme, recipe, filter, template, makes, project_id, member_id, enabled,
                                     created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
         on conflict (organization_id, name) do nothing",
    )
    .bind(organization)
    .bind(id)
    .bind(address)
    .bind(&settings.name)
    .bind(settings.kind.as_str())
    .bind(Json(&settings.scheme))
    .bind(settings.recipe.as_str())
    .bind(&settings.filter)
    .bind(&settings.template)
    .bind(settings.makes.as_str())
    .bind(settings.project)
    .bind(settings.member)
    .bind(settings.enabled)
    .bind(ctx.now())
    .execute(&mut *conn)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(None);
    }
    find(conn, id).await
}

/// Changes a source. Whether the name was free.
pub async fn update(conn: &mut PgConnection, id: SourceId, settings: &Settings, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let updated = sqlx::query(
        "update webhook_source set name = $2, kind = $3, scheme = $4, recipe = $5, filter = $6, template = $7, makes = $8, project_id = $9, member_id = $10,
                enabled = $11, updated_at = $12
         where source_id = $1 and not exists (select from webhook_source other where other.name = $2 and other.source_id <> $1)",
    )
    .bind(id)
    .bind(&settings.name)
    .bind(settings.kind.as_str())
    .bind(Json(&settings.scheme))
    .bind(settings.recipe.as_str())
    .bind(&settings.filter)
    .bind(&settings.template)
    .bind(settings.makes.as_str())
    .bind(settings.project)
    .bind(settings.member)
    .bind(settings.enabled)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Takes a source away, with what it delivered.
pub async fn delete(conn: &mut PgConnection, id: SourceId) -> sqlx::Result<bool> {
    let deleted = sqlx::query("with gone as (delete from webhook_delivery where source_id = $1) delete from webhook_source where source_id = $1")
        .bind(id)
        .execute(conn)
        .await?;
    Ok(deleted.rows_affected() == 1)
}

pub async fn find(conn: &mut PgConnection, id: SourceId) -> sqlx::Result<Option<Source>> {
    sqlx::query_as(AssertSqlSafe(format!("{SOURCE} where s.source_id = $1"))).bind(id).fetch_optional(conn).await
}

/// Takes the lock of a source that is to be changed.
pub async fn lock(conn: &mut PgConnection, id: SourceId) -> sqlx::Result<Option<Source>> {
    sqlx::query_as(AssertSqlSafe(format!("{SOURCE} where s.source_id = $1 for update of s"))).bind(id).fetch_optional(conn).await
}

/// All sources, by name.
pub async fn list(conn: &mut PgConnection) -> sqlx::Result<Vec<Source>> {
    sqlx::query_as(AssertSqlSafe(format!("{SOURCE} order by s.name"))).fetch_all(conn).await
}

/// The source at an address. The transaction must have been begun with the address presented; it is of the source's organisation afterwards.
pub async fn at_address(conn: &mut PgConnection, address: &str) -> sqlx::Result<Option<Source>> {
    let organization: Option<OrganizationId> =
        sqlx::query_scalar("select organization_id from webhook_source where address = $1").bind(address).fetch_optional(&mut *conn).await?;
    let Some(organization) = organization else { return Ok(None) };
    db::enter(conn, organization).await?;
    sqlx::query_as(AssertSqlSafe(format!("{SOURCE} where s.address = $1"))).bind(address).fetch_optional(conn).await
}

/// Stores deliveries of one organisation and the jobs that work on them, durably, in one statement that is a transaction of its own.
/// The ids of those that had not come before.
pub async fn receive(db: &Db, organization: OrganizationId, deliveries: &[NewDelivery]) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar("select * from receive_webhooks($1, $2, $3, $4, $5::json[], $6, $7)")
        .bind(organization)
        .bind(deliveries.iter().map(|new| new.id).collect::<Vec<_>>())
        .bind(deliveries.iter().map(|new| new.source).collect::<Vec<_>>())
        .bind(deliveries.iter().map(|new| new.key.as_str()).collect::<Vec<_>>())
        .bind(deliveries.iter().map(|new| Json(&new.headers)).collect::<Vec<_>>())
        .bind(deliveries.iter().map(|new| new.body.as_slice()).collect::<Vec<_>>())
        .bind(deliveries.iter().map(|new| new.at).collect::<Vec<_>>())
        .fetch_all(db.entering())
        .await
}

pub async fn find_delivery(conn: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Delivery>> {
    sqlx::query_as("select * from webhook_delivery where delivery_id = $1").bind(id).fetch_optional(conn).await
}

/// Deliveries by their ids, in no order.
pub async fn list_by_id(conn: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<Vec<Delivery>> {
    sqlx::query_as("select * from webhook_delivery where delivery_id = any($1)").bind(ids).fetch_all(conn).await
}

/// What a source delivered before one, newest first.
pub async fn list_deliveries(conn: &mut PgConnection, source: SourceId, before: Option<Uuid>, limit: i64) -> sqlx::Result<Vec<Delivery>> {
    sqlx::query_as("select * from webhook_delivery where source_id = $1 and ($2::uuid is null or delivery_id < $2) order by delivery_id desc limit $3")
        .bind(source)
        .bind(before)
        .bind(limit)
        .fetch_all(conn)
        .await
}

/// The conversation in which a delivery, or what followed from an event, is worked on.
pub async fn conversation(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    organization: OrganizationId,
    thread: &str,
    project: Option<ProjectId>,
) -> sqlx::Result<ConversationId> {
    sqlx::query_scalar(
        "insert into conversation (organization_id, conversation_id, channel, thread, project_id, created_at) values ($1, $2, 'webhook', $3, $4, $5)
         on conflict (organization_id, channel, thread) do update set thread = excluded.thread
         returning conversation_id",
    )
    .bind(organization)
    .bind(ctx.uuid())
    .bind(thread)
    .bind(project)
    .bind(ctx.now())
    .fetch_one(conn)
    .await
}

/// How the work on a delivery ended.
pub struct Ended<'a> {
    pub event: &'a str,
    pub outcome: Outcome,
    pub why: Option<&'a str>,
    pub text: Option<&'a str>,
    pub command: Option<CommandId>,
}

/// Writes down what became of a delivery. Whether it was still waiting.
pub async fn finish(conn: &mut PgConnection, id: Uuid, ended: &Ended<'_>, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let finished = sqlx::query(
        "update webhook_delivery set outcome = $2, why = $3, text = $4, command_id = $5, finished_at = $6, event = $7
         where delivery_id = $1 and outcome = 'waiting'",
    )
    .bind(id)
    .bind(ended.outcome.as_str())
    .bind(ended.why)
    .bind(ended.text)
    .bind(ended.command)
    .bind(now)
    .bind(ended.event)
    .execute(conn)
    .await?;
    Ok(finished.rows_affected() == 1)
}

/// Drops what is too old to be looked at or to come again.
pub async fn sweep(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let swept = sqlx::query("delete from webhook_delivery where received_at < $1").bind(now - Duration::days(KEPT_DAYS)).execute(conn).await?;
    Ok(swept.rows_affected())
}
