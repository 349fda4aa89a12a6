//! Messages: what somebody writes, and what became of it.

use std::time::Duration;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use patchbay_channels::hub::{
    About, Incoming, SubmitError,
    material::{file_name, with_material},
};
use patchbay_core::{
    channel::received::{self, Attached, Brought},
    command::{CommandView, store},
    documents,
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
    /// What comes with it. Plain text and Markdown are planned from together with `text`, where that is no command; all of it is kept, and listed at
    /// `/commands/{id}/files`. A request has at most 1 MiB.
    #[serde(default)]
    #[schemars(length(max = received::MAX_FILES))]
    attachments: Vec<Attachment>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Attachment {
    /// Of the file, without folders.
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// `text/markdown`
    #[schemars(length(min = 3, max = 100), regex(pattern = r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$"))]
    media_type: String,
    /// Its bytes in Base64 (RFC 4648, section 4).
    data: String,
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
    let brought = brought(input.attachments)?;
    let text = with_material(&input.text, &brought);
    let attached = keep(&app, &proposer, brought).await?;
    let about = About { project: input.project, task: input.task, conversation: input.conversation, proposal: input.proposal };
    let client_id = client_id(&headers);
    let origin = origin(&proposer);
    let files: Vec<String> = attached.iter().filter_map(|attached| attached.kept.clone().ok()).collect();
    let answer = take(&app, &proposer, &headers, Incoming { text, about, client_id, origin, attached }).await;
    if answer.is_err() {
        drop_unnamed(&app, &proposer, files).await;
    }
    answer
}

/// Drops what came with a message that was not taken, where nothing else names the same bytes.
async fn drop_unnamed(app: &App, actor: &Actor, files: Vec<String>) {
    if files.is_empty() {
        return;
    }
    let dropped = async {
        let mut tx = app.db.begin(actor.organization).await?;
        let unnamed = documents::store::unnamed(&mut tx, files).await?;
        tx.rollback().await?;
        for file in unnamed {
            app.files.delete(actor.organization, &file).await?;
        }
        anyhow::Ok(())
    };
    if let Err(error) = dropped.await {
        tracing::warn!(error = format!("{error:#}"), "what came with a message that was not taken could not be dropped");
    }
}

/// Where a message comes in: a key is a program's.
pub(super) fn origin(actor: &Actor) -> &'static str {
    if actor.key.is_some() { "api" } else { "web" }
}

/// What came with a message, read; every fault of it is named.
fn brought(attachments: Vec<Attachment>) -> Result<Vec<Brought>, Problem> {
    let mut faults = Vec::new();
    if attachments.len() > received::MAX_FILES {
        faults.push(Fault::new("/attachments", format!("a message may bring {} files", received::MAX_FILES)).found(attachments.len().to_string()));
    }
    let mut brought = Vec::with_capacity(attachments.len());
    for (at, Attachment { name, media_type, data }) in attachments.into_iter().enumerate() {
        let path = |field| format!("/attachments/{at}/{field}");
        let name = if name.chars().count() > 200 { String::new() } else { file_name(&name) };
        if name.trim().is_empty() {
            faults.push(Fault::new(path("name"), "a file's name has 1–200 characters, and no folders"));
        }
        if !is_media_type(&media_type) {
            faults.push(
                Fault::new(path("media_type"), "this is no media type").found(media_type.chars().take(100).collect::<String>()).expected("text/markdown"),
            );
        }
        match STANDARD.decode(&data) {
            Ok(bytes) => brought.push(Brought { name, media_type: media_type.to_ascii_lowercase(), bytes }),
            Err(error) => faults.push(Fault::new(path("data"), format!("the bytes of a file are Base64: {}", error.to_string().to_lowercase()))),
        }
    }
    if faults.is_empty() { Ok(brought) } else { Err(Problem::invalid(faults)) }
}

/// Two names with a slash between (RFC 6838, section 4.2).
fn is_media_type(text: &str) -> bool {
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b));
    text.len() <= 100 && text.split_once('/').is_some_and(|(kind, sub)| is_name(kind) && is_name(sub))
}

/// Keeps what came, before the message that names it is stored: nothing outside is asked within a transaction.
async fn keep(app: &App, actor: &Actor, brought: Vec<Brought>) -> Result<Vec<Attached>, Problem> {
    if brought.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = app.db.begin(actor.organization).await?;
    let total = received::store::total(&mut tx).await?;
    tx.rollback().await?;
    received::keep(&app.files, actor.organization, brought, true, total).await.map_err(|error| Problem::ours(&error))
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
    let key = incoming.client_id.as_deref().and_then(|id| id.strip_prefix("key:")).unwrap_or_default();
    let name = format!("the Idempotency-Key `{key}`");
    let ticket = app.hub.submit(actor, incoming).await.map_err(|error| problem(error, &name))?;
    let id = ticket.id;
    let is_over = match wait {
        Some(wait) => ticket.finished(wait).await,
        None => false,
    };
    let view = load(app, actor, id).await?;
    let status = if is_over || view.status.is_final() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(view)).into_response())
}

/// Why a message cannot be taken that its client calls by a name.
pub(super) fn problem(error: SubmitError, name: &str) -> Problem {
    match error {
        SubmitError::NotFound { path, message } => Problem::fault(path, message),
        SubmitError::Reused => Problem::reused(name),
        SubmitError::TooMany(over) => Problem::too_many_messages(&over.limit, over.wait),
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
        other => problem(other, ""),
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
