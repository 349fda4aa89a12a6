//! `patchbay verify`

use std::process::ExitCode;

use anyhow::{Result, bail};
use patchbay_core::workflow::{self, store};

use super::{data::Open, look};
use crate::settings::Settings;

pub(super) async fn verify(settings: &Settings, only: Option<&str>) -> Result<ExitCode> {
    let open = Open::new(settings).await?;
    let (mut projects, mut revisions, mut findings) = (0, 0_i64, Vec::new());
    for organization in open.db.organizations().await? {
        let mut tx = open.db.snapshot(organization).await?;
        for project in store::all_projects(&mut tx).await? {
            if only.is_some_and(|only| !only.eq_ignore_ascii_case(&project.project.key) && only != project.project.id.to_string()) {
                continue;
            }
            projects += 1;
            revisions += i64::from(project.project.version);
            findings.extend(workflow::verify(&mut tx, &project).await?);
        }
        tx.rollback().await?;
    }
    open.close().await;
    if let (Some(only), 0) = (only, projects) {
        bail!("there is no project {only}");
    }
    for finding in &findings {
        look::say(&format!("{}: {}", look::bold(&finding.place), finding.what));
    }
    let checked = format!("{projects} project{}, {revisions} revision{}", if projects == 1 { "" } else { "s" }, if revisions == 1 { "" } else { "s" });
    if findings.is_empty() {
        look::say(&format!("{checked}: history and present agree."));
        return Ok(ExitCode::SUCCESS);
    }
    look::error(&format!(
        "{checked}: {} thing{} not agree; nothing was changed. docs/runbooks tells what to do.",
        findings.len(),
        if findings.len() == 1 { " does" } else { "s do" }
    ));
    Ok(ExitCode::FAILURE)
}
