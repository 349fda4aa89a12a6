//! Presets: what a tool is mostly given, by a name that jobs are made from.

use axum::{extract::State, http::StatusCode};
use patchbay_core::{
    audit,
    jobs::{
        preset::{MAX_PRESETS, NewPreset, PresetView, is_name, store},
        tool,
    },
};
use serde_json::{Value, json};

use super::{Api, Page, jobs::whole, op};
use crate::{
    app::App,
    extract::{Json, Path, Proposer, Reader},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.get("/presets", list, op("jobs", "The presets that jobs can be made from, by name").answer::<Page<PresetView>>(200))
        .get("/presets/{name}", read, op("jobs", "Read a preset").answer::<PresetView>(200))
        .put(
            "/presets/{name}",
            write,
            op("jobs", "Write a preset: a tool, and its input as far as it is always the same").body::<NewPreset>().answer::<PresetView>(200).problem(409),
        )
        .delete("/presets/{name}", delete, op("jobs", "Drop a preset").plain(204, ""))
}

fn none(name: &str) -> Problem {
    Problem::not_found(format!("There is no preset {name}."))
}

async fn list(State(app): State<App>, reader: Reader) -> Result<Json<Page<PresetView>>, Problem> {
    whole(&reader)?;
    let mut tx = app.db.begin(reader.organization).await?;
    let found = store::list(&mut tx, reader.organization).await?;
    tx.rollback().await?;
    Ok(Json(Page::whole(found)))
}

async fn read(State(app): State<App>, reader: Reader, Path(name): Path<String>) -> Result<Json<PresetView>, Problem> {
    whole(&reader)?;
    load(&app, &reader, &name).await.map(Json)
}

/// The preset of a name.
pub(super) async fn load(app: &App, actor: &patchbay_core::tenancy::Actor, name: &str) -> Result<PresetView, Problem> {
    // Whatever cannot be a name is none: a NUL would not even be asked for.
    if !is_name(name) {
        return Err(none(name));
    }
    let mut tx = app.db.begin(actor.organization).await?;
    let found = store::find(&mut tx, actor.organization, name).await?;
    tx.rollback().await?;
    found.ok_or_else(|| none(name))
}

async fn write(State(app): State<App>, proposer: Proposer, Path(name): Path<String>, Json(input): Json<NewPreset>) -> Result<Json<PresetView>, Problem> {
    whole(&proposer)?;
    if !is_name(&name) {
        return Err(Problem::fault("/name", "a preset's name has up to 60 small letters, digits and hyphens"));
    }
    if input.description.chars().count() > 500 {
        return Err(Problem::fault("/description", "a description has at most 500 characters"));
    }
    tool::check_part(&input.tool, &Value::Object(input.input.clone())).map_err(Problem::invalid)?;
    if !tool::may_run(&proposer, &input.tool) {
        return Err(Problem::forbidden(format!("You may not run `{}`.", input.tool)));
    }
    let mut tx = app.db.begin(proposer.organization).await?;
    let written = store::write(&mut tx, app.ctx.as_ref(), &proposer, &name, &input).await?;
    let written = written.ok_or_else(|| Problem::conflict("too-many-presets", format!("There are {MAX_PRESETS} presets already: drop one first.")))?;
    audit::store::append(&mut tx, app.ctx.as_ref(), &proposer, "preset.written", &name, &json!({ "tool": written.tool })).await?;
    tx.commit().await?;
    Ok(Json(written))
}

async fn delete(State(app): State<App>, proposer: Proposer, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    whole(&proposer)?;
    let found = load(&app, &proposer, &name).await?;
    if !tool::may_run(&proposer, &found.tool) {
        return Err(Problem::forbidden(format!("You may not run `{}`.", found.tool)));
    }
    let mut tx = app.db.begin(proposer.organization).await?;
    if !store::delete(&mut tx, proposer.organization, &name).await? {
        return Err(none(&name));
    }
    audit::store::append(&mut tx, app.ctx.as_ref(), &proposer, "preset.dropped", &name, &json!({ "tool": found.tool })).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
