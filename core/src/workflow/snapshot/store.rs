//! The rows of snapshots.

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, FromRow, PgConnection, Row};

use crate::{
    ids::OrganizationId,
    patch::{ProjectId, plan::Plan, rebase::Base},
    workflow::{ProjectRow, store::PROJECT},
};

/// The kept versions next to one: the greatest up to it, and the least from it on.
pub(in crate::workflow) async fn nearest(conn: &mut PgConnection, project: ProjectId, version: i32) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar(
        "(select version from plan_snapshot where project_id = $1 and version <= $2 order by version desc limit 1)
         union all
         (select version from plan_snapshot where project_id = $1 and version > $2 order by version limit 1)",
    )
    .bind(project)
    .bind(version)
    .fetch_all(conn)
    .await
}

/// The kept versions of a project, in order.
pub(in crate::workflow) async fn versions(conn: &mut PgConnection, project: ProjectId) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar("select version from plan_snapshot where project_id = $1 order by version").bind(project).fetch_all(conn).await
}

/// A snapshot's JSON.
pub(in crate::workflow) async fn find(conn: &mut PgConnection, project: ProjectId, version: i32) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("select plan::text from plan_snapshot where project_id = $1 and version = $2").bind(project).bind(version).fetch_optional(conn).await
}

/// The projects that have come far enough for a snapshot, with the versions that are kept, in order.
pub(super) async fn due(conn: &mut PgConnection) -> sqlx::Result<Vec<(ProjectRow, Vec<i32>)>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "select {PROJECT}, array(select s.version from plan_snapshot s where s.project_id = project.project_id order by s.version) as kept
         from project where deleted_at is null and version >= $1"
    )))
    .bind(super::EVERY)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok((ProjectRow::from_row(row)?, row.try_get("kept")?))).collect()
}

/// Keeps a plan; one that is kept already stays.
pub(super) async fn insert(conn: &mut PgConnection, organization: OrganizationId, plan: &Plan, now: DateTime<Utc>) -> sqlx::Result<()> {
    let text = serde_json::to_string(&Base::of(plan)).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(
        "insert into plan_snapshot (organization_id, project_id, version, plan, at) values ($1, $2, $3, $4::text::json, $5)
         on conflict do nothing",
    )
    .bind(organization)
    .bind(plan.project.id)
    .bind(plan.project.version)
    .bind(text)
    .bind(now)
    .execute(conn)
    .await
    .map(drop)
}
