//! A project's plan as it was, and what lies between two versions.

use futures::TryStreamExt;
use sqlx::PgConnection;

use super::{
    ProjectRow,
    fold::{blank, recorded, step},
    revision::{self, store::Step},
    snapshot, store,
};
use crate::patch::{apply, check::Checked, plan::Plan};

/// The plan at a version, from 0, by way of the nearest one that there is whole: the present, a snapshot, or nothing, which every
/// project begins with. Costs by the size of the project and by how many revisions lie between.
pub async fn at(conn: &mut PgConnection, project: &ProjectRow, version: i32) -> sqlx::Result<Plan> {
    // What a project is called before its first revision is what that called it.
    let mut plan = nearest(conn, project, version.max(1)).await?;
    let (id, from) = (project.project.id, plan.project.version);
    {
        let mut revisions = revision::store::patches(conn, id, from, version.max(1));
        while let Some(revision) = revisions.try_next().await? {
            reapply(project, &mut plan, &revision, revision.number - 1)?;
        }
    }
    {
        let mut revisions = revision::store::inverses(conn, id, plan.project.version, version);
        while let Some(revision) = revisions.try_next().await? {
            reapply(project, &mut plan, &revision, revision.number)?;
            plan.project.version = revision.number - 1;
        }
    }
    if plan.project.version != version {
        return Err(lost(project, version, "it is missing"));
    }
    // Numbers are never given again, whatever was taken back.
    plan.project.next_task = project.project.next_task;
    Ok(plan)
}

async fn nearest(conn: &mut PgConnection, project: &ProjectRow, version: i32) -> sqlx::Result<Plan> {
    let now = &project.project;
    let kept = snapshot::store::nearest(conn, now.id, version).await?;
    let distance = |from: i32| (from - version).abs();
    match kept.into_iter().chain([0]).min_by_key(|from| distance(*from)).filter(|from| distance(*from) < distance(now.version)) {
        None => store::load(conn, project).await,
        Some(0) => Ok(blank(now, store::handles(conn).await?)),
        Some(kept) => snapshot::read(conn, project, kept).await,
    }
}

/// Applies what was recorded to the version that it was recorded for.
fn reapply(project: &ProjectRow, plan: &mut Plan, revision: &Step, onto: i32) -> sqlx::Result<()> {
    if plan.project.version != onto {
        return Err(lost(project, revision.number, "the one next to it is missing"));
    }
    step(plan, &revision.patch).map_err(|why| lost(project, revision.number, &why))
}

fn lost(project: &ProjectRow, number: i32, why: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("revision {number} of {}: {why}", project.project.key).into())
}

/// The patch from one state of a project to another; it brings the ids and references of tasks with it.
pub fn between(from: &Plan, to: &Plan) -> Checked {
    recorded(from, apply::between(from, to)).unwrap_or_else(|why| unreachable!("what leads from one plan to another fits: {why}"))
}
