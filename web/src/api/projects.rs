//! Projects, their trees and their history.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use patchbay_core::{
    audit, collab,
    patch::{Fault, MetaUpdates, ProjectPatch, check::Rules},
    review::{
        self, NewProposal, Trust,
        view::{ProposalView, hex},
    },
    tenancy::Actor,
    workflow::{
        self, Origin, ProjectRow,
        store::{self, Listed, Revision},
        view::{ProjectView, Tree},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};

use super::{Api, Page, op};
use crate::{
    app::App,
    extract::{Admin, Applier, Json, Path, Proposer, Query, Reader, check_if_match, etag, page_size},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.get("/projects", list, op("projects", "List projects").query::<ListQuery>().answer::<Page<ListedProject>>(200).problem(400).problem(422))
        .post("/projects", create, op("projects", "Make an empty project").body::<NewProject>().answer::<ProjectView>(201))
        .get("/projects/{project}", read, op("projects", "Read a project").answer::<ProjectView>(200))
        .patch("/projects/{project}", update, op("projects", "Change a project's own fields").body::<UpdateProject>().answer::<ProjectView>(200).problem(409))
        .delete("/projects/{project}", delete, op("projects", "Take a project out of sight").plain(204, ""))
        .get("/projects/{project}/tree", tree, op("projects", "Read a project with all its tasks").answer::<Tree>(200))
        .get(
            "/projects/{project}/revisions",
            revisions,
            op("projects", "List what changed, newest first").query::<ListQuery>().answer::<Page<RevisionView>>(200).problem(400).problem(422),
        )
        .get("/projects/{project}/revisions/{number}", revision, op("projects", "Read a revision").answer::<RevisionView>(200))
        .post("/projects/{project}/undo", undo, op("projects", "Take the newest revision back").body::<Undo>().answer::<Applied>(200).problem(409))
        .post("/projects/{project}/revert", revert, op("projects", "Propose to take a revision back").body::<Revert>().answer::<ProposalView>(201).problem(409))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// How many at most: 1–200, 50 where nothing is said.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// `meta.next_cursor` of the page before.
    #[schemars(length(max = 100))]
    cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct ListedProject {
    #[serde(flatten)]
    project: ProjectView,
    open_proposals: i64,
    tasks: i64,
    done: i64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewProject {
    /// 1–200 characters.
    #[schemars(length(min = 1, max = 200))]
    title: String,
    /// 1–10 capital letters and digits, a letter first. Absent: made from the title.
    #[schemars(regex(pattern = "^[A-Z][A-Z0-9]{0,9}$"))]
    key: Option<String>,
    /// Markdown.
    summary: Option<String>,
    /// `simple` or `agents`.
    process: Option<String>,
    /// IANA name.
    time_zone: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateProject {
    #[schemars(length(min = 1, max = 200))]
    title: Option<String>,
    summary: Option<String>,
    time_zone: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Undo {
    /// The revision to take back, which must be the newest. Absent: the newest.
    #[schemars(range(min = 1))]
    revision: Option<i32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Revert {
    #[schemars(range(min = 1))]
    revision: i32,
}

/// A change that took effect.
#[derive(Serialize, JsonSchema)]
pub(super) struct Applied {
    /// The project's key.
    pub(super) project: String,
    /// The project's version now.
    pub(super) version: i32,
    /// The revision that it became, which has the number of the version.
    pub(super) revision: i32,
    /// References of the tasks that were touched, by operation.
    pub(super) tasks: Vec<String>,
}

impl Applied {
    pub(super) fn of(change: &workflow::Change) -> Self {
        Self {
            project: change.project.project.key.clone(),
            version: change.revision(),
            revision: change.revision(),
            tasks: change.applied.patch.tasks.iter().map(|task| task.task_id().to_owned()).collect(),
        }
    }
}

/// An applied patch.
#[derive(Serialize, JsonSchema)]
pub(super) struct RevisionView {
    number: i32,
    /// The project's key.
    project: String,
    author: String,
    origin: Origin,
    /// The proposal it came from.
    proposal: Option<i32>,
    /// The revision it takes back.
    reverts: Option<i32>,
    at: DateTime<Utc>,
    #[schemars(with = "ProjectPatch")]
    patch: Box<RawValue>,
    #[schemars(with = "ProjectPatch")]
    inverse: Box<RawValue>,
    /// blake3 of the digest before and the patch's bytes, hexadecimal.
    digest: String,
}

impl RevisionView {
    pub(super) fn new(project: &str, revision: Revision) -> Self {
        Self {
            number: revision.number,
            project: project.to_owned(),
            author: revision.actor,
            origin: revision.origin,
            proposal: revision.proposal,
            reverts: revision.reverts,
            at: revision.at,
            patch: revision.patch,
            inverse: revision.inverse,
            digest: hex(&revision.digest),
        }
    }
}

/// The project that a path names, where the caller may see it.
pub(super) async fn find(conn: &mut sqlx::PgConnection, actor: &Actor, name: &str) -> Result<ProjectRow, Problem> {
    let row = store::find_project(conn, name).await?;
    row.filter(|row| actor.sees(row.project.id)).ok_or_else(|| Problem::not_found(format!("There is no project {name}.")))
}

async fn list(State(app): State<App>, reader: Reader, Query(query): Query<ListQuery>) -> Result<Json<Page<ListedProject>>, Problem> {
    let size = page_size(query.limit)?;
    let mut tx = app.db.begin(reader.organization).await?;
    let rows = store::list_projects(&mut tx, reader.project, query.cursor.as_deref(), size + 1).await?;
    tx.rollback().await?;
    Ok(Json(Page::of(
        rows,
        size,
        |listed: &Listed| listed.project.project.key.clone(),
        |listed| ListedProject { project: listed.project.view(), open_proposals: listed.open_proposals, tasks: listed.tasks, done: listed.done },
    )))
}

async fn create(State(app): State<App>, applier: Applier, Json(input): Json<NewProject>) -> Result<Response, Problem> {
    if applier.project.is_some() {
        return Err(Problem::forbidden("This key is for one project and cannot make others."));
    }
    let meta = MetaUpdates { title: Some(input.title), summary: input.summary, key: input.key, process: input.process, time_zone: input.time_zone };
    let patch = ProjectPatch { base_version: Some(0), meta_updates: Some(meta), ..ProjectPatch::default() };
    let change = app.apply(&applier, patch, Origin::Form).await.map_err(meta_paths)?;
    Ok((StatusCode::CREATED, Json(change.project.view())).into_response())
}

/// A fault is told where the caller wrote it.
fn meta_paths(mut problem: Problem) -> Problem {
    for fault in &mut problem.errors {
        if let Some(field) = fault.path.strip_prefix("/meta_updates") {
            fault.path = field.to_owned();
        }
    }
    problem
}

async fn read(State(app): State<App>, reader: Reader, Path(name): Path<String>) -> Result<Json<ProjectView>, Problem> {
    let mut tx = app.db.begin(reader.organization).await?;
    let row = find(&mut tx, &reader, &name).await?;
    tx.rollback().await?;
    Ok(Json(row.view()))
}

async fn update(
    State(app): State<App>,
    applier: Applier,
    headers: HeaderMap,
    Path(name): Path<String>,
    Json(input): Json<UpdateProject>,
) -> Result<Json<ProjectView>, Problem> {
    let mut tx = app.db.begin(applier.organization).await?;
    let row = find(&mut tx, &applier, &name).await?;
    tx.rollback().await?;
    check_if_match(&headers, &row.view())?;
    let meta = MetaUpdates { title: input.title, summary: input.summary, time_zone: input.time_zone, ..MetaUpdates::default() };
    // With If-Match the change is for exactly the version that was looked at.
    let base_version = headers.contains_key(header::IF_MATCH).then_some(row.project.version);
    let patch = ProjectPatch { project_id: Some(row.project.id.to_string()), base_version, meta_updates: Some(meta), ..ProjectPatch::default() };
    let change = app.apply(&applier, patch, Origin::Form).await.map_err(meta_paths)?;
    Ok(Json(change.project.view()))
}

async fn delete(State(app): State<App>, admin: Admin, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    let mut tx = app.db.begin(admin.organization).await?;
    let row = find(&mut tx, &admin, &name).await?;
    let key = &row.project.key;
    let now = app.ctx.now();
    if !store::delete_project(&mut tx, row.project.id, now).await? {
        return Err(Problem::not_found(format!("There is no project {name}.")));
    }
    let details = json!({ "project": key, "version": row.project.version });
    collab::store::append(&mut tx, admin.organization, now, "project.deleted", &admin.handle, key, &details).await?;
    audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "project.deleted", key, &details).await?;
    tx.commit().await?;
    app.live.wake(admin.organization);
    Ok(StatusCode::NO_CONTENT)
}

async fn tree(State(app): State<App>, reader: Reader, Path(name): Path<String>) -> Result<Response, Problem> {
    let tree = app.trees.get(&app.db, &reader, &name).await?.ok_or_else(|| Problem::not_found(format!("There is no project {name}.")))?;
    let tag = etag(&tree.body);
    let mut response = Response::new(axum::body::Bytes::from_owner(tree.body).into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

async fn revisions(
    State(app): State<App>,
    reader: Reader,
    Path(name): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<RevisionView>>, Problem> {
    let size = page_size(query.limit)?;
    let below = match query.cursor.as_deref().map(str::parse) {
        None => i32::MAX,
        Some(Ok(below)) => below,
        Some(Err(_)) => return Err(Problem::malformed("The cursor is not one of ours.")),
    };
    let mut tx = app.db.begin(reader.organization).await?;
    let row = find(&mut tx, &reader, &name).await?;
    let revisions = store::list_revisions(&mut tx, row.project.id, below, size + 1).await?;
    tx.rollback().await?;
    Ok(Json(Page::of(revisions, size, |revision| revision.number.to_string(), |revision| RevisionView::new(&row.project.key, revision))))
}

async fn revision(State(app): State<App>, reader: Reader, Path((name, number)): Path<(String, i32)>) -> Result<Json<RevisionView>, Problem> {
    let mut tx = app.db.begin(reader.organization).await?;
    let row = find(&mut tx, &reader, &name).await?;
    let revision = store::find_revision(&mut tx, row.project.id, number).await?;
    tx.rollback().await?;
    let revision = revision.ok_or_else(|| Problem::not_found(format!("{} has no revision {number}.", row.project.key)))?;
    Ok(Json(RevisionView::new(&row.project.key, revision)))
}

async fn undo(State(app): State<App>, applier: Applier, Path(name): Path<String>, Json(input): Json<Undo>) -> Result<Json<Applied>, Problem> {
    let mut tx = app.db.begin(applier.organization).await?;
    let row = find(&mut tx, &applier, &name).await?;
    let key = row.project.key;
    let newest = row.project.version;
    let number = input.revision.unwrap_or(newest);
    if number != newest {
        let detail = format!("Revision {number} is not the newest of {key}, which is {newest}. To take back an older one, POST /projects/{key}/revert.");
        return Err(Problem::conflict("not-newest", detail));
    }
    let revision =
        store::find_revision(&mut tx, row.project.id, number).await?.ok_or_else(|| Problem::not_found(format!("{key} has no revision {number}.")))?;
    tx.rollback().await?;
    let mut patch = revision.inverse().map_err(|error| Problem::ours(&error))?;
    patch.base_version = Some(newest);
    patch.note = Some(format!("Undo of revision {number}"));
    let rules = Rules { history: true, ..Rules::of(applier.role) };
    let change = app.apply_as(&applier, patch, Origin::Undo, rules, Some(number)).await?;
    Ok(Json(Applied::of(&change)))
}

async fn revert(State(app): State<App>, proposer: Proposer, Path(name): Path<String>, Json(input): Json<Revert>) -> Result<Response, Problem> {
    let number = input.revision;
    let mut tx = app.db.begin(proposer.organization).await?;
    let row = find(&mut tx, &proposer, &name).await?;
    let key = &row.project.key;
    let revision =
        store::find_revision(&mut tx, row.project.id, number).await?.ok_or_else(|| Problem::not_found(format!("{key} has no revision {number}.")))?;
    let mut patch = revision.inverse().map_err(|error| Problem::ours(&error))?;
    patch.base_version = None;
    patch.note = Some(format!("Take back revision {number} of {key}"));
    if patch.tasks.is_empty() && patch.meta_updates.is_none() {
        return Err(Problem::invalid(vec![Fault::new("/revision", format!("revision {number} of {key} leaves nothing to take back"))]));
    }
    let rules = Rules { history: true, ..Rules::of(proposer.role) };
    let prepared = workflow::check(&mut tx, app.ctx.as_ref(), &proposer, patch, &rules).await?;
    let new = NewProposal { actor: &proposer, prepared: &prepared, message: "", origin: review::REVERT, trust: Trust::Verified, conversation: None };
    let draft = review::open(&mut tx, app.ctx.as_ref(), &new).await?;
    let view = super::proposals::view(&mut tx, draft.proposal, Some(draft.revision)).await?;
    tx.commit().await?;
    app.live.wake(proposer.organization);
    Ok((StatusCode::CREATED, Json(view)).into_response())
}
