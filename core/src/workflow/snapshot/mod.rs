//! Plans of some versions, kept so that old ones are read cheaply.
//!
//! Invariants: they are derived, so that without them every answer is the same and only comes later; they are written beside the
//! changes, so that no change waits for them; [`verify()`](super::verify()) proves them with the rest.

pub(super) mod store;

use sqlx::PgConnection;

use super::{ProjectRow, at::at, fold::blank};
use crate::{
    db::Db,
    ids::{Context, OrganizationId},
    patch::{plan::Plan, rebase::Base},
};

/// How many revisions lie between two snapshots of a small project.
pub const EVERY: i32 = 500;

/// How many tasks a project has made for each doubling of that: a snapshot goes by the project's size, and there must not be more
/// of it than of what it saves reading.
const LARGE: i32 = 5_000;

/// How many revisions lie between two snapshots of a project: [`EVERY`], doubled until it goes by how large it has become. So a
/// version that was kept once is one to keep for as long as it could be.
const fn spacing(next_task: i32) -> i32 {
    let mut doubled = 0;
    while next_task >> doubled > LARGE {
        doubled += 1;
    }
    EVERY << doubled
}

/// The versions that are to be kept and are not, newest first: each is near the one before.
fn missing(newest: i32, next_task: i32, kept: &[i32]) -> impl Iterator<Item = i32> {
    let every = spacing(next_task);
    (1..=newest / every).rev().map(move |turn| turn * every).filter(|version| kept.binary_search(version).is_err())
}

/// Takes the snapshots that an organisation's projects miss, and answers how many. To be called every now and then: it reads one
/// plan after the other and holds no lock, and what others took meanwhile stays.
pub async fn keep(db: &Db, ctx: &dyn Context, organization: OrganizationId) -> sqlx::Result<usize> {
    let mut tx = db.snapshot(organization).await?;
    let due = store::due(&mut tx).await?;
    tx.rollback().await?;
    let mut taken = 0;
    for (project, kept) in due {
        for version in missing(project.project.version, project.project.next_task, &kept) {
            let mut tx = db.snapshot(organization).await?;
            let Some(now) = super::store::find_project(&mut tx, &project.project.id.to_string()).await? else { break };
            let plan = at(&mut tx, &now, version).await?;
            tx.rollback().await?;
            let mut tx = db.begin(organization).await?;
            store::insert(&mut tx, organization, &plan, ctx.now()).await?;
            tx.commit().await?;
            taken += 1;
        }
    }
    Ok(taken)
}

/// The plan that a snapshot keeps.
pub(super) async fn read(conn: &mut PgConnection, project: &ProjectRow, version: i32) -> sqlx::Result<Plan> {
    let text = store::find(conn, project.project.id, version).await?.ok_or(sqlx::Error::RowNotFound)?;
    let members = super::store::handles(conn).await?;
    parse(&text, &blank(&project.project, members), version)
        .map_err(|why| sqlx::Error::Decode(format!("the snapshot of {} at version {version} {why}; it can be deleted", project.project.key).into()))
}

/// A snapshot as a plan of the project that another plan is of.
pub(super) fn parse(text: &str, of: &Plan, version: i32) -> Result<Plan, String> {
    let base: Base = serde_json::from_str(text).map_err(|error| format!("cannot be read: {error}"))?;
    if base.version != version {
        return Err(format!("is one of version {}", base.version));
    }
    let mut plan = base.plan(of);
    plan.project.version = version;
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_project_is_kept_more_rarely_and_at_versions_that_were_kept_before() {
        assert_eq!([1, 5_000, 5_001, 10_002, 20_004, 100_000].map(spacing), [500, 500, 1_000, 2_000, 4_000, 16_000]);
    }

    #[test]
    fn what_is_missing_comes_newest_first() {
        assert_eq!(missing(1_999, 10, &[]).collect::<Vec<_>>(), [1_500, 1_000, 500]);
        assert_eq!(missing(2_000, 10, &[500, 1_500]).collect::<Vec<_>>(), [2_000, 1_000]);
        assert_eq!(missing(2_000, 5_001, &[500, 1_500]).collect::<Vec<_>>(), [2_000, 1_000]);
        assert_eq!(missing(499, 10, &[]).count(), 0);
    }
}
