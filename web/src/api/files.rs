//! Files that came with messages: listed where the message is seen, fetched as bytes and as nothing else.

use axum::{extract::State, http::StatusCode, response::Response};
use patchbay_core::{
    audit,
    channel::received::{ReceivedFile, store},
    documents,
    ids::{CommandId, ReceivedFileId},
    tenancy::Actor,
};
use serde_json::json;

use super::{Api, Page, commands, op, proposals, variants};
use crate::{
    app::App,
    extract::{Admin, Json, Path, Reader},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.get(
        "/commands/{id}/files",
        of_command,
        op("commands", "What came with a message beside its words, and what of it is kept").answer::<Page<ReceivedFile>>(200),
    )
    .get("/proposals/{number}/files", of_proposal, op("proposals", "What came with the messages that led to a proposal").answer::<Page<ReceivedFile>>(200))
    .get("/files/{id}", fetch, op("commands", "Fetch a file that came with a message").plain(200, "application/octet-stream"))
    .delete("/files/{id}", discard, op("commands", "Drop the bytes of a file that came with a message").plain(204, ""))
}

async fn of_command(State(app): State<App>, reader: Reader, Path(id): Path<CommandId>) -> Result<Json<Page<ReceivedFile>>, Problem> {
    commands::load(&app, &reader, id).await?;
    let mut tx = app.db.begin(reader.organization).await?;
    let files = store::of_command(&mut tx, id).await?;
    tx.rollback().await?;
    Ok(Json(Page::whole(files)))
}

async fn of_proposal(State(app): State<App>, reader: Reader, Path(number): Path<i32>) -> Result<Json<Page<ReceivedFile>>, Problem> {
    let mut tx = app.db.begin(reader.organization).await?;
    proposals::load(&mut tx, &reader, number).await?;
    let files = store::of_proposal(&mut tx, number).await?;
    tx.rollback().await?;
    Ok(Json(Page::whole(files)))
}

fn none() -> Problem {
    Problem::not_found("There is no such file.")
}

async fn find(app: &App, actor: &Actor, id: ReceivedFileId) -> Result<ReceivedFile, Problem> {
    let mut tx = app.db.begin(actor.organization).await?;
    let found = store::find(&mut tx, id).await?;
    tx.rollback().await?;
    found.filter(|(_, project)| actor.project.is_none() || actor.project == *project).map(|(file, _)| file).ok_or_else(none)
}

async fn fetch(State(app): State<App>, reader: Reader, Path(id): Path<ReceivedFileId>) -> Result<Response, Problem> {
    let found = find(&app, &reader, id).await?;
    let Some(file) = &found.file else {
        return Err(Problem::not_found(format!("The bytes of this file are not kept: {}.", found.problem.unwrap_or_default())));
    };
    // Whatever it says it is, it is to be looked at elsewhere.
    variants::download(&app, &reader, file, &found.name, "application/octet-stream").await
}

async fn discard(State(app): State<App>, admin: Admin, Path(id): Path<ReceivedFileId>) -> Result<StatusCode, Problem> {
    let found = find(&app, &admin, id).await?;
    let mut tx = app.db.begin(admin.organization).await?;
    let file = store::discard(&mut tx, id, &format!("{} dropped it", admin.handle)).await?.ok_or_else(none)?;
    audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "file.discarded", &id.to_string(), &json!({ "name": found.name })).await?;
    let unnamed = documents::store::unnamed(&mut tx, vec![file]).await?;
    tx.commit().await?;
    for file in unnamed {
        app.files.delete(admin.organization, &file).await.map_err(|error| Problem::ours(&error))?;
    }
    Ok(StatusCode::NO_CONTENT)
}
