//! `patchbay replay`

use anyhow::{Context as _, Result, bail};
use patchbay_channels::{
    hub::{effects::Author, replies},
    render,
};
use patchbay_core::{
    ids::Context,
    workflow::{self, revision, store},
};

use super::{data::Open, look};
use crate::{service, settings::Settings};

/// Prints a project's plan as it was, in the words of `show WEB @5`.
pub(super) async fn replay(settings: &Settings, project: &str, version: i32) -> Result<()> {
    let open = Open::new(settings).await?;
    let shown = show(&open, project, version).await;
    open.close().await;
    look::say(&render::reply(&shown?, look::width()));
    Ok(())
}

async fn show(open: &Open, project: &str, version: i32) -> Result<String> {
    let owner = service::owner(&open.db).await?;
    let mut tx = open.db.snapshot(owner.organization).await?;
    let row = store::find_project(&mut tx, project).await?.with_context(|| format!("there is no project {project}"))?;
    let newest = row.project.version;
    let Some(revision) = revision::store::find(&mut tx, row.project.id, version).await? else {
        bail!("{} has no version {version}: they go from 1 to {newest}", row.project.key);
    };
    let plan = workflow::at(&mut tx, &row, version).await?;
    tx.rollback().await?;
    let zone = owner.time_zone.parse().unwrap_or(chrono_tz::UTC);
    Ok(replies::project_at(&plan, &revision, &Author { handle: Some(&owner.handle), now: open.ctx.now(), zone, focus: None }, newest).text)
}
