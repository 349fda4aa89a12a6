//! The rows of revisions: every change of a plan, and how it is taken back.

use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use serde_json::value::RawValue;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, Row, postgres::PgRow, types::Json};

use crate::{
    ids::MemberId,
    patch::{ProjectId, ProjectPatch},
    workflow::Origin,
};

/// An applied patch as it is stored.
#[derive(Clone, Debug)]
pub struct Revision {
    pub number: i32,
    pub patch: Box<RawValue>,
    pub inverse: Box<RawValue>,
    pub digest: Vec<u8>,
    pub actor: String,
    pub origin: Origin,
    pub proposal: Option<i32>,
    pub reverts: Option<i32>,
    pub at: DateTime<Utc>,
}

impl Revision {
    /// The patch that takes it back.
    pub fn inverse(&self) -> serde_json::Result<ProjectPatch> {
        serde_json::from_str(self.inverse.get())
    }
}

impl FromRow<'_, PgRow> for Revision {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let origin: &str = row.try_get("origin")?;
        Ok(Self {
            number: row.try_get("number")?,
            patch: row.try_get::<Json<_>, _>("patch")?.0,
            inverse: row.try_get::<Json<_>, _>("inverse")?.0,
            digest: row.try_get("digest")?,
            actor: row.try_get("actor")?,
            origin: Origin::parse(origin).ok_or_else(|| sqlx::Error::Decode(format!("{origin} is no origin").into()))?,
            proposal: row.try_get("proposal")?,
            reverts: row.try_get("reverts")?,
            at: row.try_get("at")?,
        })
    }
}

const REVISION: &str = "select number, patch, inverse, digest, actor, origin, proposal, reverts, at from revision where project_id = $1";

/// The revision that made a version.
pub async fn find(conn: &mut PgConnection, project: ProjectId, number: i32) -> sqlx::Result<Option<Revision>> {
    sqlx::query_as(AssertSqlSafe(format!("{REVISION} and number = $2"))).bind(project).bind(number).fetch_optional(conn).await
}

/// Revisions below a number, newest first.
pub async fn list(conn: &mut PgConnection, project: ProjectId, below: i32, limit: i64) -> sqlx::Result<Vec<Revision>> {
    sqlx::query_as(AssertSqlSafe(format!("{REVISION} and number < $2 order by number desc limit $3")))
        .bind(project)
        .bind(below)
        .bind(limit)
        .fetch_all(conn)
        .await
}

/// What a revision did to the plan, or what takes it back.
#[derive(Debug, FromRow)]
pub(in crate::workflow) struct Step {
    pub(in crate::workflow) number: i32,
    /// JSON, byte for byte as it is stored.
    pub(in crate::workflow) patch: String,
    pub(in crate::workflow) digest: Vec<u8>,
}

/// The patches after one version up to another, oldest first, read as they are taken.
pub(in crate::workflow) fn patches(conn: &mut PgConnection, project: ProjectId, after: i32, to: i32) -> BoxStream<'_, sqlx::Result<Step>> {
    sqlx::query_as("select number, patch::text as patch, digest from revision where project_id = $1 and number > $2 and number <= $3 order by number")
        .bind(project)
        .bind(after)
        .bind(to)
        .fetch(conn)
}

/// The patches that take revisions back, from one version down to another, newest first, read as they are taken.
pub(in crate::workflow) fn inverses(conn: &mut PgConnection, project: ProjectId, from: i32, to: i32) -> BoxStream<'_, sqlx::Result<Step>> {
    sqlx::query_as("select number, inverse::text as patch, digest from revision where project_id = $1 and number <= $2 and number > $3 order by number desc")
        .bind(project)
        .bind(from)
        .bind(to)
        .fetch(conn)
}

/// A revision in the shortest form: whose it is, and which one it takes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct Line {
    pub number: i32,
    pub member: MemberId,
    pub reverts: Option<i32>,
}

/// Revisions in the shortest form, newest first.
pub async fn list_lines(conn: &mut PgConnection, project: ProjectId, limit: i64) -> sqlx::Result<Vec<Line>> {
    sqlx::query_as("select number, member_id as member, reverts from revision where project_id = $1 order by number desc limit $2")
        .bind(project)
        .bind(limit)
        .fetch_all(conn)
        .await
}

/// Revisions after a number, oldest first.
pub async fn list_after(conn: &mut PgConnection, project: ProjectId, after: i32, limit: i64) -> sqlx::Result<Vec<Revision>> {
    sqlx::query_as(AssertSqlSafe(format!("{REVISION} and number > $2 order by number limit $3"))).bind(project).bind(after).bind(limit).fetch_all(conn).await
}

/// Of some revisions those that take others back, each with the one that it takes back.
pub async fn list_reverts(conn: &mut PgConnection, project: ProjectId, numbers: &[i32]) -> sqlx::Result<Vec<(i32, i32)>> {
    sqlx::query_as("select number, reverts from revision where project_id = $1 and number = any($2) and reverts is not null")
        .bind(project)
        .bind(numbers)
        .fetch_all(conn)
        .await
}

/// The revisions that touched a task, newest first.
pub async fn list_of_task(conn: &mut PgConnection, project: ProjectId, reference: &str, limit: i64) -> sqlx::Result<Vec<Revision>> {
    sqlx::query_as(AssertSqlSafe(format!(
        "{REVISION} and exists (select from json_array_elements(patch -> 'tasks') op where op ->> 'task_id' = $2) order by number desc limit $3"
    )))
    .bind(project)
    .bind(reference)
    .bind(limit)
    .fetch_all(conn)
    .await
}
