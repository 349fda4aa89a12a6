//! Projects, their trees and their history.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use patchbay_core::{
    audit, collab,
    db::Tx,
    patch::{
        Fault, MetaUpdates, ProjectPatch,
        diff::{self, Diff},
    },
    review::{
        self, Last, TakenBack,
        view::{ProposalView, hex},
    },
    tenancy::Actor,
    workflow::{
        self, Origin, ProjectRow,
        revision::{self, store::Revision},
        store::{self, Listed, Restored},
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
    receipts::Receipted,
};

pub(super) fn routes(api: Api) -> Api {
    api.get("/projects", list, op("projects", "List projects").query::<ListQuery>().answer::<Page<ListedProject>>(200).problem(400).problem(422))
        .post("/projects", create, op("projects", "Make an empty project").body::<NewProject>().answer::<ProjectView>(201))
        .get("/projects/{project}", read, op("projects", "Read a project").answer::<ProjectView>(200))
        .patch("/projects/{project}", update, op("projects", "Change a project's own fields").body::<UpdateProject>().answer::<ProjectView>(200).problem(409))
        .delete("/projects/{project}", delete, op("projects", "Take a project out of sight").plain(204, ""))
        .post(
            "/projects/{project}/restore",
            restore,
            op("projects", "Bring a deleted project back, by its id or the key that it had").answer::<ProjectView>(200).problem(409),
        )
        .get("/projects/{project}/tree", tree, op("projects", "Read a project with all its tasks").query::<AtVersion>().answer::<Tree>(200).problem(400))
        .get(
            "/projects/{project}/revisions",
            revisions,
            op("projects", "List what changed, newest first").query::<ListQuery>().answer::<Page<RevisionView>>(200).problem(400).problem(422),
        )
        .get("/projects/{project}/revisions/{number}", revision, op("projects", "Read a revision").answer::<RevisionView>(200))
        .post(
            "/projects/{project}/undo",
            undo,
            op("projects", "Take a revision back, at once where that harms nothing later").body::<Undo>().answer::<Applied>(200).problem(409),
        )
        .post("/projects/{project}/redo", redo, op("projects", "Make again what the caller last took back").answer::<Applied>(200).problem(409))
        .get(
            "/projects/{project}/diff",
            diff,
            op("projects", "See what lies between two versions").query::<Versions>().answer::<Diff>(200).problem(400).problem(422),
        )
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
    /// The revision to take back; later ones stay. Absent: the caller's own last change.
    #[schemars(range(min = 1))]
    revision: Option<i32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AtVersion {
    /// As it was at this version. Absent: as it is.
    #[schemars(range(min = 0))]
    version: Option<i32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Versions {
    #[schemars(range(min = 0))]
    from: i32,
    /// Absent: the newest.
    #[schemars(range(min = 0))]
    to: Option<i32>,
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
fn meta_paths(problem: Problem) -> Problem {
    problem.relocated(|path| path.strip_prefix("/meta_updates").unwrap_or(path).to_owned())
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
    let details = json!({ "project": key, "id": row.project.id, "version": row.project.version });
    collab::store::append(&mut tx, admin.organization, now, "project.deleted", &admin.handle, key, &details).await?;
    audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "project.deleted", key, &details).await?;
    tx.commit().await?;
    app.committed(admin.organization);
    Ok(StatusCode::NO_CONTENT)
}

async fn restore(State(app): State<App>, admin: Admin, Path(name): Path<String>) -> Result<Json<ProjectView>, Problem> {
    let mut tx = app.db.begin(admin.organization).await?;
    let now = app.ctx.now();
    let row = match store::restore_project(&mut tx, &admin, &name, now).await? {
        None => return Err(Problem::not_found(format!("There is no deleted project {name}."))),
        Some(Restored::Taken { key, by }) => {
            let detail = format!(
                "{key} is the key of another project now, {by}. History names tasks by the key of their project, so a project comes back under its own: \
                 delete the other one first; it can be restored by its id in the same way."
            );
            return Err(Problem::conflict("key-taken", detail));
        }
        Some(Restored::Back(row)) => row,
    };
    let key = &row.project.key;
    let details = json!({ "project": key, "version": row.project.version });
    collab::store::append(&mut tx, admin.organization, now, "project.restored", &admin.handle, key, &details).await?;
    audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "project.restored", key, &details).await?;
    tx.commit().await?;
    app.committed(admin.organization);
    Ok(Json(row.view()))
}

async fn tree(State(app): State<App>, reader: Reader, Path(name): Path<String>, Query(query): Query<AtVersion>) -> Result<Response, Problem> {
    if let Some(version) = query.version {
        return tree_at(&app, &reader, &name, version).await;
    }
    let tree = app.trees.get(&app.db, &reader, &name).await?.ok_or_else(|| Problem::not_found(format!("There is no project {name}.")))?;
    let tag = etag(&tree.body);
    let mut response = Response::new(axum::body::Bytes::from_owner(tree.body).into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

async fn tree_at(app: &App, reader: &Reader, name: &str, version: i32) -> Result<Response, Problem> {
    let mut tx = app.db.snapshot(reader.organization).await?;
    let row = find(&mut tx, reader, name).await?;
    if !(0..=row.project.version).contains(&version) {
        return Err(Problem::not_found(format!("{} has no version {version}.", row.project.key)));
    }
    let plan = workflow::at(&mut tx, &row, version).await?;
    tx.rollback().await?;
    Ok(Json(Tree::new(&plan, row.created_at, row.updated_at)).into_response())
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
    let revisions = revision::store::list(&mut tx, row.project.id, below, size + 1).await?;
    tx.rollback().await?;
    Ok(Json(Page::of(revisions, size, |revision| revision.number.to_string(), |revision| RevisionView::new(&row.project.key, revision))))
}

async fn revision(State(app): State<App>, reader: Reader, Path((name, number)): Path<(String, i32)>) -> Result<Json<RevisionView>, Problem> {
    let mut tx = app.db.begin(reader.organization).await?;
    let row = find(&mut tx, &reader, &name).await?;
    let revision = revision::store::find(&mut tx, row.project.id, number).await?;
    tx.rollback().await?;
    let revision = revision.ok_or_else(|| Problem::not_found(format!("{} has no revision {number}.", row.project.key)))?;
    Ok(Json(RevisionView::new(&row.project.key, revision)))
}

async fn undo(State(app): State<App>, applier: Applier, Path(name): Path<String>, Json(input): Json<Undo>) -> Result<(Receipted, Json<Applied>), Problem> {
    let (mut tx, row) = held(&app, &applier, &name).await?;
    let key = &row.project.key;
    let number = match input.revision {
        Some(number) => number,
        None => review::last(&mut tx, &row, applier.member, Last::Change).await?.ok_or_else(|| {
            let detail = format!("You have changed nothing in {key} that could be taken back. Name the revision to take back a change of somebody else.");
            Problem::conflict("nothing-to-undo", detail)
        })?,
    };
    take_back(&app, &applier, tx, &row, number).await
}

async fn redo(State(app): State<App>, applier: Applier, Path(name): Path<String>) -> Result<(Receipted, Json<Applied>), Problem> {
    let (mut tx, row) = held(&app, &applier, &name).await?;
    let number = review::last(&mut tx, &row, applier.member, Last::Undo).await?;
    let number =
        number.ok_or_else(|| Problem::conflict("nothing-to-redo", format!("You have taken nothing back in {} that could be made again.", row.project.key)))?;
    take_back(&app, &applier, tx, &row, number).await
}

/// A project under its lock.
async fn held(app: &App, actor: &Actor, name: &str) -> Result<(Tx, ProjectRow), Problem> {
    let mut tx = workflow::begin(&app.db, actor.organization, Some(name)).await?;
    let row = find(&mut tx, actor, name).await?;
    Ok((tx, row))
}

async fn take_back(app: &App, actor: &Actor, mut tx: Tx, row: &ProjectRow, number: i32) -> Result<(Receipted, Json<Applied>), Problem> {
    let key = &row.project.key;
    if !(1..=row.project.version).contains(&number) {
        return Err(Problem::not_found(format!("{key} has no revision {number}.")));
    }
    match review::take_back(&mut tx, app.ctx.as_ref(), actor, row, number).await? {
        TakenBack::Done(change) => {
            tx.commit().await?;
            app.committed(actor.organization);
            Ok((app.receipts.of(actor.organization), Json(Applied::of(&change))))
        }
        TakenBack::Clashes(conflicts) => Err(Problem::harms(key, number, &conflicts)),
    }
}

async fn revert(State(app): State<App>, proposer: Proposer, Path(name): Path<String>, Json(input): Json<Revert>) -> Result<Response, Problem> {
    let (mut tx, row) = held(&app, &proposer, &name).await?;
    if !(1..=row.project.version).contains(&input.revision) {
        return Err(Problem::not_found(format!("{} has no revision {}.", row.project.key, input.revision)));
    }
    let draft = review::revert(&mut tx, app.ctx.as_ref(), &proposer, &row, input.revision, None).await?;
    let view = super::proposals::view(&mut tx, draft.proposal, Some(draft.revision)).await?;
    tx.commit().await?;
    app.committed(proposer.organization);
    Ok((StatusCode::CREATED, Json(view)).into_response())
}

/// What lies between two versions.
async fn diff(State(app): State<App>, reader: Reader, Path(name): Path<String>, Query(query): Query<Versions>) -> Result<Json<Diff>, Problem> {
    let mut tx = app.db.snapshot(reader.organization).await?;
    let row = find(&mut tx, &reader, &name).await?;
    let newest = row.project.version;
    let to = query.to.unwrap_or(newest);
    for (field, version) in [("/from", query.from), ("/to", to)] {
        if !(0..=newest).contains(&version) {
            let fault = Fault::new(field, format!("{} has no version {version}", row.project.key)).expected(format!("0–{newest}"));
            return Err(Problem::invalid(vec![fault]));
        }
    }
    let (before, after) = (workflow::at(&mut tx, &row, query.from).await?, workflow::at(&mut tx, &row, to).await?);
    tx.rollback().await?;
    Ok(Json(diff::diff(&before, &workflow::between(&before, &after))))
}
