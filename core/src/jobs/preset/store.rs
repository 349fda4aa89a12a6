//! The rows of presets.

use serde_json::{Map, Value};
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow, types::Json};

use super::{MAX_PRESETS, NewPreset, PresetView};
use crate::{
    ids::{Context, OrganizationId},
    tenancy::Actor,
};

impl FromRow<'_, PgRow> for PresetView {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            name: row.try_get("name")?,
            description: row.try_get("description")?,
            tool: row.try_get("tool")?,
            input: row.try_get::<Json<Map<String, Value>>, _>("input")?.0,
            author: row.try_get("actor")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

/// All presets of an organisation, by name.
pub async fn list(conn: &mut PgConnection, organization: OrganizationId) -> sqlx::Result<Vec<PresetView>> {
    sqlx::query_as("select * from preset where organization_id = $1 order by name limit $2").bind(organization).bind(MAX_PRESETS).fetch_all(conn).await
}

pub async fn find(conn: &mut PgConnection, organization: OrganizationId, name: &str) -> sqlx::Result<Option<PresetView>> {
    sqlx::query_as("select * from preset where organization_id = $1 and name = $2").bind(organization).bind(name).fetch_optional(conn).await
}

/// Writes a preset, in the place of the one that has the name. `None` where there are as many as there may be.
pub async fn write(conn: &mut PgConnection, ctx: &dyn Context, actor: &Actor, name: &str, new: &NewPreset) -> sqlx::Result<Option<PresetView>> {
    sqlx::query_as(
        "insert into preset (organization_id, name, description, tool, input, actor, created_at, updated_at)
         select $1, $2, $3, $4, $5, $6, $7, $7
         where (select count(*) from preset where organization_id = $1) < $8 or exists (select from preset where organization_id = $1 and name = $2)
         on conflict (organization_id, name) do update
         set description = excluded.description, tool = excluded.tool, input = excluded.input, actor = excluded.actor, updated_at = excluded.updated_at
         returning *",
    )
    .bind(actor.organization)
    .bind(name)
    .bind(&new.description)
    .bind(&new.tool)
    .bind(Json(&new.input))
    .bind(&actor.handle)
    .bind(ctx.now())
    .bind(MAX_PRESETS)
    .fetch_optional(conn)
    .await
}

/// Drops a preset. Whether there was one.
pub async fn delete(conn: &mut PgConnection, organization: OrganizationId, name: &str) -> sqlx::Result<bool> {
    let deleted = sqlx::query("delete from preset where organization_id = $1 and name = $2").bind(organization).bind(name).execute(conn).await?;
    Ok(deleted.rows_affected() == 1)
}
