//! Messages: what somebody writes, and what became of it.

use std::time::Duration;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use patchbay_channels::hub::{About, Incoming, SubmitError};
use patchbay_core::{
    command::{CommandView, store},
    ids::{CommandId, ConversationId},
    patch::Fault,
    tenancy::Actor,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Api, Page, op};
use crate::{
    app::App,
    extract::{Json, Path, Proposer, Query, Reader, page_size},
    problem::Problem,
};

/// The longest message.
const MAX_TEXT: usize = 100_000;
/// The longest that a caller is let wait for an outcome.
const MAX_WAIT: u64 = 60;

pub(super) fn routes(api: Api) -> Api {
    api.post(
        "/commands",
        send,
        op("commands", "Say something: a command takes effect, free text becomes a proposal")
            .body::<Message>()
            .header("Prefer", "`wait=N`: up to N seconds for the outcome.")
            .answer::<CommandView>(200)
            .answer::<CommandView>(202)
            .problem(429),
    )
    .get(
        "/commands",
        list,
        op("commands", "A conversation, newest first").query::<ListQuery>().answer::<Page<CommandView>>(200).problem(400).problem(404).problem(422),
    )
    .get("/commands/{id}", read, op("commands", "What became of a message").answer::<CommandView>(200))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    #[schemars(length(min = 1, max = 100_000))]
    text: String,
    /// A project's id or key, where it is about one.
    #[schemars(length(max = 100))]
    project: Option<String>,
    /// A task's id or reference: only it and what is below it is touched.
    #[schemars(length(max = 100))]
    task: Option<String>,
    /// The conversation that it continues.
    conversation: Option<ConversationId>,
    /// The number of the proposal that it refines.
    #[schemars(range(min = 1))]
    proposal: Option<i32>,
    /// Not taken yet: must be empty.
    #[serde(default)]
    #[schemars(length(max = 0))]
    attachments: Vec<serde_json::Value>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// A project's id or key. Absent: your conversation about a new project.
    #[schemars(length(max = 100))]
    project: Option<String>,
    /// A task's id or reference, for its own conversation.
    #[schemars(length(max = 100))]
    task: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// `meta.next_cursor` of the page before.
    #[schemars(length(max = 100))]
    cursor: Option<String>,
}

async fn send(State(app): State<App>, proposer: Proposer, headers: HeaderMap, Json(input): Json<Message>) -> Result<Response, Problem> {
    check_text(&input.text)?;
    if !input.attachments.is_empty() {
        return Err(Problem::invalid(vec![
            Fault::new("/attachments", "attachments are not taken yet").fix("put the text into `text`, or `patchbay import` a file"),
        ]));
    }
    let about = About { project: input.project, task: input.task, conversation: input.conversation, proposal: input.proposal };
    let client_id = client_id(&headers);
    let origin = if proposer.key.is_some() { "api" } else { "web" };
    take(&app, &proposer, &headers, Incoming { text: input.text, about, client_id, origin }).await
}

/// Whether a message can be taken.
pub(super) fn check_text(text: &str) -> Result<(), Problem> {
    let length = text.chars().count();
    if text.trim().is_empty() || length > MAX_TEXT {
        let fault = Fault::new("/text", "a message has 1–100000 characters").found(length.to_string());
        return Err(Problem::invalid(vec![fault]));
    }
    Ok(())
}

/// The client's name for a message: the same again is the same message.
pub(super) fn client_id(headers: &HeaderMap) -> Option<String> {
    headers.get("idempotency-key").and_then(|key| key.to_str().ok()).map(|key| format!("key:{key}"))
}

/// Stores the message, runs it, and answers at once or as soon as the outcome is there, as the caller prefers.
pub(super) async fn take(app: &App, actor: &Actor, headers: &HeaderMap, incoming: Incoming) -> Result<Response, Problem> {
    let wait = wait(headers);
    let ticket = app.hub.submit(actor, incoming).await.map_err(problem)?;
    let id = ticket.id;
    let is_over = match wait {
        Some(wait) => ticket.finished(wait).await,
        None => false,
    };
    let view = load(app, actor, id).await?;
    let status = if is_over || view.status.is_final() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(view)).into_response())
}

/// Why a message cannot be taken.
pub(super) fn problem(error: SubmitError) -> Problem {
    match error {
        SubmitError::NotFound { path, message } => Problem::fault(path, message),
        SubmitError::Database(error) => error.into(),
    }
}

/// `Prefer: wait=N` (RFC 7240).
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let prefer = headers.get("prefer")?.to_str().ok()?;
    let seconds = prefer.split([',', ';']).find_map(|part| part.trim().strip_prefix("wait=")?.parse::<u64>().ok())?;
    Some(Duration::from_secs(seconds.min(MAX_WAIT)))
}

pub(super) async fn load(app: &App, actor: &Actor, id: CommandId) -> Result<CommandView, Problem> {
    let mut tx = app.db.begin(actor.organization).await?;
    let command = store::find(&mut tx, id).await?;
    tx.rollback().await?;
    let visible = command.filter(|command| actor.project.is_none() || actor.project == command.project);
    visible.map(CommandView::from).ok_or_else(|| Problem::not_found("There is no such command."))
}

async fn read(State(app): State<App>, reader: Reader, Path(id): Path<CommandId>) -> Result<Json<CommandView>, Problem> {
    load(&app, &reader, id).await.map(Json)
}

async fn list(State(app): State<App>, reader: Reader, Query(query): Query<ListQuery>) -> Result<Json<Page<CommandView>>, Problem> {
    let size = page_size(query.limit)?;
    let before = match query.cursor.as_deref().map(str::parse::<CommandId>) {
        None => None,
        Some(Ok(before)) => Some(before),
        Some(Err(_)) => return Err(Problem::malformed("The cursor is not one of ours.")),
    };
    let topic = app.hub.topic(&reader, query.project.as_deref(), query.task.as_deref()).await.map_err(|error| match error {
        SubmitError::NotFound { message, .. } => Problem::not_found(message),
        SubmitError::Database(error) => error.into(),
    })?;
    if let (Some(name), None) = (&query.project, topic.project) {
        return Err(Problem::not_found(format!("There is no project {name}.")));
    }
    let mut tx = app.db.begin(reader.organization).await?;
    let commands = match store::find_conversation(&mut tx, reader.member, topic).await? {
        Some(conversation) => store::list_before(&mut tx, conversation, before, size + 1).await?,
        None => Vec::new(),
    };
    tx.rollback().await?;
    Ok(Json(Page::of(commands, size, |command| command.id.to_string(), CommandView::from)))
}
