//! A project's plan as it was, and what lies between two versions.

use sqlx::PgConnection;

use super::{ProjectRow, store};
use crate::patch::{
    ProjectPatch, TaskId, apply,
    check::{self, Checked, Rules},
    normalise,
    plan::Plan,
    process::Role,
};

/// How many revisions are read at once.
const BATCH: i64 = 500;

/// The plan at a version, from 0: the present one with the newer revisions taken back. Costs by the size of the project and
/// by how many those are.
pub async fn at(conn: &mut PgConnection, project: &ProjectRow, version: i32) -> sqlx::Result<Plan> {
    let mut plan = store::load(conn, project).await?;
    let mut newest = plan.project.version;
    while newest > version {
        let revisions = store::list_inverses(conn, project.project.id, newest, version, BATCH).await?;
        if revisions.is_empty() {
            return Err(sqlx::Error::Decode(format!("{} has no revision {newest}", project.project.key).into()));
        }
        for (number, inverse) in revisions {
            let checked = recorded(&plan, inverse).map_err(|why| sqlx::Error::Decode(format!("revision {number} of {}: {why}", project.project.key).into()))?;
            apply::apply(&mut plan, &checked, || TaskId(uuid::Uuid::nil()));
            newest = number - 1;
            plan.project.version = newest;
        }
    }
    Ok(plan)
}

fn recorded(plan: &Plan, patch: ProjectPatch) -> Result<Checked, String> {
    let rules = Rules { history: true, ..Rules::of(Role::Owner) };
    check::check(plan, normalise::flatten(patch), &rules).map_err(|faults| faults.first().map(ToString::to_string).unwrap_or_default())
}

/// The patch from one state of a project to another; it brings the ids and references of tasks with it.
pub fn between(from: &Plan, to: &Plan) -> Checked {
    recorded(from, apply::between(from, to)).unwrap_or_else(|why| unreachable!("what leads from one plan to another fits: {why}"))
}
