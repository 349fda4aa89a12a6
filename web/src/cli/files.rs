//! `patchbay import` and `patchbay export`

use std::{path::Path, process::ExitCode};

use anyhow::{Context, Result, bail};
use patchbay_core::{
    exchange,
    ids::Context as _,
    patch::Fault,
    tenancy::Scope,
    workflow::{ApplyError, store, view::Tree},
};

use super::{Format, data::Open, look};
use crate::{service, settings::Settings};

/// The most bytes of a file that is imported.
const MAX_BYTES: u64 = 8 << 20;

pub(super) async fn import(settings: &Settings, file: &Path, project: Option<&str>) -> Result<ExitCode> {
    let size = tokio::fs::metadata(file).await.with_context(|| format!("{} cannot be read", file.display()))?.len();
    if size > MAX_BYTES {
        bail!("{} has {size} bytes; an import takes at most {MAX_BYTES}", file.display());
    }
    let bytes = tokio::fs::read(file).await.with_context(|| format!("{} cannot be read", file.display()))?;
    let text = String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8 text", file.display()))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let document = exchange::read(&name, &text);
    if document.items.is_empty() {
        tell(&name, &document.notes);
        bail!(
            "{name} has no tasks that I can read. I know headings such as `### T-042: Title` with fields below them, check-boxes `- [ ] title`, and YAML with a list of `id` and `title`"
        );
    }
    let open = Open::new(settings).await?;
    let outcome = run(&open, document, project, name.rsplit_once('.').map_or(&*name, |(stem, _)| stem)).await;
    open.close().await;
    let imported = outcome?;
    tell(&name, &imported.notes);
    match imported.change {
        Some(change) => {
            let known = if imported.known > 0 { format!(" {} were there already.", imported.known) } else { String::new() };
            let project = &change.project.project;
            look::say(&format!("{}: {} tasks from {name}, version {}.{known}", look::bold(&project.key), change.applied.patch.tasks.len(), project.version));
        }
        None => look::say(&format!("Nothing new in {name}: its {} tasks were there already.", imported.known)),
    }
    Ok(ExitCode::SUCCESS)
}

async fn run(open: &Open, document: exchange::Document, project: Option<&str>, title: &str) -> Result<exchange::Imported> {
    let owner = service::owner(&open.db).await?;
    debug_assert!(owner.may(Scope::Apply), "an owner may do everything");
    let mut tx = patchbay_core::workflow::begin(&open.db, owner.organization, project).await?;
    match exchange::import(&mut tx, &open.ctx, &owner, document, project, title).await {
        Ok(imported) => {
            tx.commit().await?;
            Ok(imported)
        }
        Err(ApplyError::Faults(faults)) => bail!("nothing was imported:\n{}", faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("\n")),
        Err(error) => Err(error.into()),
    }
}

/// Says what could not be taken as it stands; what was said of many tasks is said once.
fn tell(file: &str, notes: &[exchange::Note]) {
    for (at, note) in notes.iter().enumerate() {
        if notes[..at].iter().any(|earlier| earlier.what == note.what) {
            continue;
        }
        let others = notes[at + 1..].iter().filter(|later| later.what == note.what).count();
        let others = if others > 0 { format!(" (and {others} more like it)") } else { String::new() };
        let task = if note.task.is_empty() { String::new() } else { format!("{}: ", note.task) };
        look::note(&format!("{file}:{}: {task}{}{others}", note.line, note.what));
    }
}

pub(super) async fn export(settings: &Settings, project: &str, format: Format) -> Result<()> {
    let open = Open::new(settings).await?;
    let owner = service::owner(&open.db).await?;
    let mut tx = open.db.snapshot(owner.organization).await?;
    let Some(row) = store::find_project(&mut tx, project).await? else {
        bail!("there is no project {project}");
    };
    let plan = store::load(&mut tx, &row).await?;
    tx.rollback().await?;
    look::part(&match format {
        Format::Md => exchange::markdown(&plan),
        Format::Json => serde_json::to_string_pretty(&Tree::new(&plan, row.created_at, row.updated_at))? + "\n",
        Format::Csv => exchange::csv(&plan),
        Format::Ics => exchange::calendar(&plan, open.ctx.now()),
    });
    open.close().await;
    Ok(())
}
