//! Documents: from draft to published, with versions and attachments.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use patchbay_core::{
    audit, collab,
    documents::{
        self, AttachmentView, DocumentView, MAX_ATTACHMENTS, MAX_CONTENT, NewDocument, VersionView,
        store::{self, Filter, NewAttachment},
    },
    ids::{AttachmentId, DocumentId},
    patch::Fault,
    tenancy::Actor,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{Api, Page, jobs::whole, op, variants::download};
use crate::{
    app::App,
    extract::{Json, Path, Proposer, Query, Reader, check_if_match, page_size},
    problem::Problem,
};

/// A hundred years: who wants it longer keeps it for ever.
const MAX_KEEP_DAYS: i32 = 36_500;

pub(super) fn routes(api: Api) -> Api {
    api.get(
        "/documents",
        list,
        op("documents", "List or search documents, newest first").query::<ListQuery>().answer::<Page<DocumentView>>(200).problem(400).problem(422),
    )
    .post("/documents", create, op("documents", "Make a document, a draft").body::<CreateDocument>().answer::<DocumentView>(201))
    .get("/documents/{id}", read, op("documents", "Read a document").answer::<DocumentView>(200))
    .patch(
        "/documents/{id}",
        update,
        op("documents", "Change a draft, as a new version, or how long a document is kept").body::<ChangeDocument>().answer::<DocumentView>(200).problem(409),
    )
    .get(
        "/documents/{id}/versions",
        versions,
        op("documents", "The versions of a document, newest first").query::<VersionsQuery>().answer::<Page<VersionView>>(200).problem(400).problem(422),
    )
    .post(
        "/documents/{id}/transition",
        transition,
        op("documents", "Take a document a step on: draft, review, approved, published; or back to draft")
            .body::<Transition>()
            .answer::<DocumentView>(200)
            .problem(409),
    )
    .post(
        "/documents/{id}/attachments",
        attach,
        op("documents", "Attach a file, at most 20 to a document; the first stands for it").body::<Attach>().answer::<DocumentView>(201).problem(409),
    )
    .put(
        "/documents/{id}/attachments",
        arrange,
        op("documents", "Put all attachments in an order, and say which stands for the document").body::<Arrange>().answer::<DocumentView>(200),
    )
    .get("/attachments/{id}", fetch, op("documents", "Fetch an attachment").plain(200, "application/octet-stream"))
    .delete("/attachments/{id}", detach, op("documents", "Take an attachment away").plain(204, ""))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Words as they are typed into a search: `launch -draft "two words"`.
    #[schemars(length(max = 100))]
    q: Option<String>,
    state: Option<documents::State>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// `meta.next_cursor` of the page before.
    cursor: Option<DocumentId>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VersionsQuery {
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// `meta.next_cursor` of the page before.
    cursor: Option<i32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateDocument {
    #[schemars(length(min = 1, max = 200))]
    title: String,
    /// Markdown.
    #[schemars(length(max = MAX_CONTENT))]
    content: String,
    /// Days after its last change at which it is dropped; absent: never.
    #[schemars(range(min = 1, max = MAX_KEEP_DAYS))]
    keep_days: Option<i32>,
}

/// What is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChangeDocument {
    #[schemars(length(min = 1, max = 200))]
    title: Option<String>,
    /// Markdown.
    #[schemars(length(max = MAX_CONTENT))]
    content: Option<String>,
    /// Days after its last change at which it is dropped; 0 for never.
    #[schemars(range(min = 0, max = MAX_KEEP_DAYS))]
    keep_days: Option<i32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Transition {
    to: documents::State,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Attach {
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// `image/png` and the like.
    #[schemars(regex(pattern = r"^[a-z]{1,20}/[a-z0-9.+-]{1,80}$"))]
    media_type: String,
    /// Base64. A request has at most 1 MiB.
    #[schemars(length(min = 1))]
    data: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arrange {
    /// All of the document's attachments, in their order.
    #[schemars(length(max = MAX_ATTACHMENTS))]
    order: Vec<AttachmentId>,
    /// Which stands for the document; absent: the first.
    primary: Option<AttachmentId>,
}

/// What is wrong with the words of a document or a variant.
pub(super) fn check_text(title: Option<&str>, content: Option<&str>) -> Result<(), Problem> {
    let mut faults = Vec::new();
    if title.is_some_and(|title| !(1..=200).contains(&title.trim().chars().count())) {
        faults.push(Fault::new("/title", "a title has 1–200 characters"));
    }
    if content.is_some_and(|content| content.chars().count() > MAX_CONTENT as usize) {
        faults.push(Fault::new("/content", format!("a text has at most {MAX_CONTENT} characters")));
    }
    if faults.is_empty() { Ok(()) } else { Err(Problem::invalid(faults)) }
}

fn check_days(days: Option<i32>, least: i32) -> Result<(), Problem> {
    match days {
        Some(days) if !(least..=MAX_KEEP_DAYS).contains(&days) => Err(Problem::fault("/keep_days", format!("a document is kept {least}–{MAX_KEEP_DAYS} days"))),
        _ => Ok(()),
    }
}

fn none() -> Problem {
    Problem::not_found("There is no such document.")
}

async fn load(conn: &mut PgConnection, id: DocumentId) -> Result<DocumentView, Problem> {
    store::find(conn, id).await?.ok_or_else(none)
}

async fn list(State(app): State<App>, reader: Reader, Query(query): Query<ListQuery>) -> Result<Json<Page<DocumentView>>, Problem> {
    whole(&reader)?;
    let size = page_size(query.limit)?;
    let words = query.q.as_deref().map(str::trim).filter(|words| !words.is_empty());
    let mut tx = app.db.begin(reader.organization).await?;
    let found = store::list(&mut tx, reader.organization, Filter { words, state: query.state, before: query.cursor }, size + 1).await?;
    tx.rollback().await?;
    Ok(Json(Page::of(found, size, |document| document.id.to_string(), |document| document)))
}

async fn create(State(app): State<App>, proposer: Proposer, Json(input): Json<CreateDocument>) -> Result<(StatusCode, Json<DocumentView>), Problem> {
    whole(&proposer)?;
    check_text(Some(&input.title), Some(&input.content))?;
    check_days(input.keep_days, 1)?;
    let new =
        NewDocument { title: input.title.trim(), content: &input.content, file: None, media_type: "text/markdown", variant: None, keep_days: input.keep_days };
    let mut tx = app.db.begin(proposer.organization).await?;
    let id = store::create(&mut tx, app.ctx.as_ref(), proposer.organization, &proposer.handle, &new).await?;
    told(&mut tx, &app, &proposer, "document.created", id, &json!({ "title": new.title })).await?;
    let made = load(&mut tx, id).await?;
    tx.commit().await?;
    app.committed(proposer.organization);
    Ok((StatusCode::CREATED, Json(made)))
}

/// Writes into the audit and the event log what somebody did to a document.
async fn told(conn: &mut PgConnection, app: &App, actor: &Actor, what: &str, id: DocumentId, details: &Value) -> Result<(), Problem> {
    audit::store::append(conn, app.ctx.as_ref(), actor, what, &id.to_string(), details).await?;
    Ok(collab::store::append(conn, actor.organization, app.ctx.now(), what, &actor.handle, &id.to_string(), details).await?)
}

async fn read(State(app): State<App>, reader: Reader, Path(id): Path<DocumentId>) -> Result<Json<DocumentView>, Problem> {
    whole(&reader)?;
    let mut tx = app.db.begin(reader.organization).await?;
    let found = load(&mut tx, id).await?;
    tx.rollback().await?;
    Ok(Json(found))
}

fn only_a_draft(document: &DocumentView) -> Result<(), Problem> {
    match document.state {
        documents::State::Draft => Ok(()),
        state => Err(Problem::conflict("not-a-draft", format!("Only a draft changes, and this is {}: take it back to draft first.", state.as_str()))),
    }
}

async fn update(
    State(app): State<App>,
    proposer: Proposer,
    headers: HeaderMap,
    Path(id): Path<DocumentId>,
    Json(input): Json<ChangeDocument>,
) -> Result<Json<DocumentView>, Problem> {
    whole(&proposer)?;
    check_text(input.title.as_deref(), input.content.as_deref())?;
    check_days(input.keep_days, 0)?;
    let mut tx = app.db.begin(proposer.organization).await?;
    let before = store::lock(&mut tx, id).await?.ok_or_else(none)?;
    check_if_match(&headers, &before)?;
    if input.title.is_some() || input.content.is_some() {
        only_a_draft(&before)?;
        let title = input.title.as_deref().map_or(before.title.as_str(), str::trim);
        let content = input.content.as_deref().unwrap_or(&before.content);
        if (title, content) != (before.title.as_str(), before.content.as_str()) {
            store::edit(&mut tx, app.ctx.as_ref(), &proposer.handle, id, title, content).await?;
        }
    }
    if let Some(days) = input.keep_days {
        store::keep_for(&mut tx, app.ctx.as_ref(), id, Some(days).filter(|days| *days > 0)).await?;
    }
    let after = load(&mut tx, id).await?;
    told(&mut tx, &app, &proposer, "document.changed", id, &json!({ "version": after.version, "keep_days": after.keep_days })).await?;
    tx.commit().await?;
    app.committed(proposer.organization);
    Ok(Json(after))
}

async fn versions(
    State(app): State<App>,
    reader: Reader,
    Path(id): Path<DocumentId>,
    Query(query): Query<VersionsQuery>,
) -> Result<Json<Page<VersionView>>, Problem> {
    whole(&reader)?;
    let size = page_size(query.limit)?;
    let mut tx = app.db.begin(reader.organization).await?;
    load(&mut tx, id).await?;
    let found = store::versions(&mut tx, id, query.cursor, size + 1).await?;
    tx.rollback().await?;
    Ok(Json(Page::of(found, size, |version| version.version.to_string(), |version| version)))
}

async fn transition(
    State(app): State<App>,
    proposer: Proposer,
    Path(id): Path<DocumentId>,
    Json(input): Json<Transition>,
) -> Result<Json<DocumentView>, Problem> {
    whole(&proposer)?;
    let mut tx = app.db.begin(proposer.organization).await?;
    let before = store::lock(&mut tx, id).await?.ok_or_else(none)?;
    if before.state == input.to {
        return Ok(Json(before));
    }
    let Some(scope) = before.state.step(input.to) else {
        let detail = format!("No step leads from {} to {}.", before.state.as_str(), input.to.as_str());
        return Err(Problem::conflict("no-such-step", detail));
    };
    if !proposer.may(scope) {
        return Err(Problem::forbidden(format!("That needs the scope `{scope}`: ask somebody who may review.")));
    }
    store::take_to(&mut tx, app.ctx.as_ref(), id, input.to).await?;
    let details = json!({ "from": before.state, "to": input.to, "version": before.version });
    told(&mut tx, &app, &proposer, "document.transitioned", id, &details).await?;
    let after = load(&mut tx, id).await?;
    tx.commit().await?;
    app.committed(proposer.organization);
    Ok(Json(after))
}

async fn attach(
    State(app): State<App>,
    proposer: Proposer,
    Path(id): Path<DocumentId>,
    Json(input): Json<Attach>,
) -> Result<(StatusCode, Json<DocumentView>), Problem> {
    whole(&proposer)?;
    let mut faults = Vec::new();
    if !(1..=200).contains(&input.name.trim().chars().count()) {
        faults.push(Fault::new("/name", "a name has 1–200 characters"));
    }
    let is_type = |text: &str| text.len() <= 101 && text.split_once('/').is_some_and(|(kind, of)| is_token(kind) && is_token(of));
    if !is_type(&input.media_type) {
        faults.push(Fault::new("/media_type", "this is no media type").expected("image/png and the like").found(input.media_type.clone()));
    }
    let bytes = BASE64_STANDARD.decode(&input.data).unwrap_or_default();
    if bytes.is_empty() {
        faults.push(Fault::new("/data", "this is no base64 of anything"));
    }
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let mut tx = app.db.begin(proposer.organization).await?;
    let before = load(&mut tx, id).await?;
    tx.rollback().await?;
    only_a_draft(&before)?;
    let size_bytes = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let file = app.files.put(proposer.organization, bytes).await.map_err(|error| Problem::ours(&error))?;
    let mut tx = app.db.begin(proposer.organization).await?;
    let before = store::lock(&mut tx, id).await?.ok_or_else(none)?;
    only_a_draft(&before)?;
    let new = NewAttachment { name: input.name.trim(), media_type: &input.media_type, file: &file, size_bytes };
    if store::attach(&mut tx, app.ctx.as_ref(), proposer.organization, &proposer.handle, id, &new).await?.is_none() {
        return Err(Problem::conflict("too-many-attachments", format!("A document has at most {MAX_ATTACHMENTS} attachments.")));
    }
    told(&mut tx, &app, &proposer, "document.attached", id, &json!({ "name": new.name })).await?;
    let after = load(&mut tx, id).await?;
    tx.commit().await?;
    app.committed(proposer.organization);
    Ok((StatusCode::CREATED, Json(after)))
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".+-".contains(&byte))
}

async fn arrange(State(app): State<App>, proposer: Proposer, Path(id): Path<DocumentId>, Json(input): Json<Arrange>) -> Result<Json<DocumentView>, Problem> {
    whole(&proposer)?;
    let mut tx = app.db.begin(proposer.organization).await?;
    let before = store::lock(&mut tx, id).await?.ok_or_else(none)?;
    only_a_draft(&before)?;
    let (mut given, mut known): (Vec<_>, Vec<_>) = (input.order.clone(), before.attachments.iter().map(|attachment| attachment.id).collect());
    given.sort_unstable();
    known.sort_unstable();
    if given != known {
        return Err(Problem::fault("/order", "it names each of the document's attachments once"));
    }
    let primary = input.primary.or(input.order.first().copied());
    if primary.is_some_and(|primary| !known.contains(&primary)) {
        return Err(Problem::fault("/primary", "the document has no such attachment"));
    }
    store::arrange(&mut tx, id, &input.order, primary).await?;
    told(&mut tx, &app, &proposer, "document.arranged", id, &json!({ "primary": primary })).await?;
    let after = load(&mut tx, id).await?;
    tx.commit().await?;
    app.committed(proposer.organization);
    Ok(Json(after))
}

async fn attachment(conn: &mut PgConnection, id: AttachmentId) -> Result<AttachmentView, Problem> {
    store::find_attachment(conn, id).await?.ok_or_else(|| Problem::not_found("There is no such attachment."))
}

async fn fetch(State(app): State<App>, reader: Reader, Path(id): Path<AttachmentId>) -> Result<Response, Problem> {
    whole(&reader)?;
    let mut tx = app.db.begin(reader.organization).await?;
    let found = attachment(&mut tx, id).await?;
    tx.rollback().await?;
    download(&app, &reader, &found.file, &found.name, &found.media_type).await
}

async fn detach(State(app): State<App>, proposer: Proposer, Path(id): Path<AttachmentId>) -> Result<StatusCode, Problem> {
    whole(&proposer)?;
    let mut tx = app.db.begin(proposer.organization).await?;
    let found = attachment(&mut tx, id).await?;
    let document = store::lock(&mut tx, found.document).await?.ok_or_else(none)?;
    only_a_draft(&document)?;
    store::detach(&mut tx, id).await?;
    let left: Vec<AttachmentId> = document.attachments.iter().map(|attachment| attachment.id).filter(|other| *other != id).collect();
    let primary = document.attachments.iter().find(|other| other.is_primary && other.id != id).map(|other| other.id).or(left.first().copied());
    store::arrange(&mut tx, document.id, &left, primary).await?;
    told(&mut tx, &app, &proposer, "document.detached", document.id, &json!({ "name": found.name })).await?;
    tx.commit().await?;
    app.committed(proposer.organization);
    Ok(StatusCode::NO_CONTENT)
}
