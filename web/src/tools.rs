//! The tools, wired: what runs each kind of job that people see.

use std::sync::Arc;

use anyhow::Result;
use patchbay_channels::call::WebhookCall;
use patchbay_core::jobs::{
    Workers,
    tool::{Changelog, Export, FormatMarkdown, Generate, Import, Lint, RunProgram, What, kind},
};

use crate::{app::App, planner, settings::Settings};

/// Adds the work of every tool.
pub(crate) fn kinds(workers: Workers, app: &App, settings: &Settings) -> Result<Workers> {
    let maker = planner::writer(&settings.model)?;
    let generate = |what| Generate { db: app.db.clone(), ctx: app.ctx.clone(), maker: maker.clone(), files: app.files.clone(), what };
    let told = app.clone();
    let import = Import { db: app.db.clone(), ctx: app.ctx.clone(), committed: Box::new(move |organization| told.committed(organization)) };
    Ok(workers
        .kind(kind("generate_text"), Arc::new(generate(What::Text)))
        .kind(kind("generate_image"), Arc::new(generate(What::Image)))
        .kind(kind("format_markdown"), Arc::new(FormatMarkdown))
        .kind(kind("lint"), Arc::new(Lint))
        .kind(kind("changelog"), Arc::new(Changelog { db: app.db.clone() }))
        .kind(kind("export"), Arc::new(Export { db: app.db.clone(), ctx: app.ctx.clone() }))
        .kind(kind("import"), Arc::new(import))
        .kind(kind("run_program"), Arc::new(RunProgram { programs: settings.programs.clone() }))
        .kind(kind("webhook_call"), Arc::new(WebhookCall { client: app.client.clone() })))
}
