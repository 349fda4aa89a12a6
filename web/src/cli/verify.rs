//! `patchbay verify`

use std::{
    io::IsTerminal,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use patchbay_core::{
    audit::{self, Receipt},
    patch::plan::Project,
    workflow::{self, store},
};

use super::{data::Open, look};
use crate::settings::Settings;

pub(super) async fn verify(settings: &Settings, only: Option<&str>) -> Result<ExitCode> {
    let open = Open::new(settings).await?;
    let (mut projects, mut revisions, mut findings) = (0, 0_i64, Vec::new());
    let mut progress = Progress::new();
    for organization in open.db.organizations().await? {
        let mut tx = open.db.snapshot(organization).await?;
        for project in store::all_projects(&mut tx).await? {
            if only.is_some_and(|only| !only.eq_ignore_ascii_case(&project.project.key) && only != project.project.id.to_string()) {
                continue;
            }
            projects += 1;
            findings.extend(workflow::verify(&mut tx, &project, |done| progress.tell(&project.project, done, revisions)).await?);
            revisions += i64::from(project.project.version);
        }
        tx.rollback().await?;
    }
    progress.end();
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

/// `patchbay verify --audit`
pub(super) async fn audit(settings: &Settings, receipts: &[Receipt]) -> Result<ExitCode> {
    let open = Open::new(settings).await?;
    let (mut entries, mut unsealed, mut findings) = (0, 0, Vec::new());
    let mut unknown: Vec<&Receipt> = receipts.iter().collect();
    for organization in open.db.organizations().await? {
        let mut tx = open.db.snapshot(organization).await?;
        let proof = audit::verify(&mut tx, organization).await?;
        for receipt in std::mem::take(&mut unknown) {
            // A head that stands in a seal whose entries do not fit proves nothing.
            let is_known = receipt.entries <= proof.entries && audit::store::find_receipt(&mut tx, receipt).await?.is_some();
            if !is_known {
                unknown.push(receipt);
            }
        }
        tx.rollback().await?;
        entries += proof.entries;
        unsealed += proof.unsealed;
        findings.extend(proof.misfit);
        if let Some(receipt) = proof.receipt {
            look::say(&format!("{organization}: {} fit. Receipt {receipt}", plural(proof.entries, "entry", "entries")));
        }
    }
    open.close().await;
    for finding in &findings {
        look::say(&format!("{}: {}", look::bold(&finding.place), finding.what));
    }
    for receipt in &unknown {
        look::say(&format!(
            "{}: no trail has this head, or not in the part of it that fits: what stood before it was made anew",
            look::bold(&format!("receipt {receipt}"))
        ));
    }
    if unsealed > 0 {
        look::note(&format!("{} not sealed yet: a running service does it within seconds.", plural(unsealed, "entry is", "entries are")));
    }
    if findings.is_empty() && unknown.is_empty() {
        look::say(&format!("{}: the audit trail is whole.", plural(entries, "entry", "entries")));
        return Ok(ExitCode::SUCCESS);
    }
    look::error("the audit trail was tampered with; nothing was changed. docs/runbooks tells what to do.");
    Ok(ExitCode::FAILURE)
}

fn plural(number: i64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// How far it has come, on standard error: one line that is written over on a terminal, else a line now and then.
struct Progress {
    on_terminal: bool,
    begun: Instant,
    told: Instant,
    /// Whether a line stands there that is to be written over.
    is_shown: bool,
}

impl Progress {
    fn new() -> Self {
        let now = Instant::now();
        Self { on_terminal: std::io::stderr().is_terminal(), begun: now, told: now, is_shown: false }
    }

    /// `before` revisions of other projects were done already.
    fn tell(&mut self, project: &Project, done: i32, before: i64) {
        let pause = if self.on_terminal { Duration::from_millis(200) } else { Duration::from_secs(5) };
        if self.told.elapsed() < pause {
            return;
        }
        self.told = Instant::now();
        let rate = (before + i64::from(done)) * 1000 / i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX).max(1);
        let line = format!("{}: {done} of {} revisions, {rate} a second", project.key, project.version);
        if self.on_terminal {
            look::over(&line);
            self.is_shown = true;
        } else {
            look::note(&line);
        }
    }

    fn end(self) {
        if self.is_shown {
            look::over("");
        }
    }
}
