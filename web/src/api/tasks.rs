//! Single tasks: reading, changing a field, moving through the process, logging time.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use patchbay_core::{
    audit,
    patch::{Fault, Field, ProjectPatch, Reference, TaskPatch, Update, UpdateBody, check::Rules},
    tenancy::Actor,
    workflow::{self, Origin, ProjectRow, revision, store, view::TaskView},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{
    Api, Page, op,
    projects::{RevisionView, find},
};
use crate::{
    app::App,
    extract::{Applier, Json, Path, Reader, check_if_match},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.get("/tasks/{task}", read, op("tasks", "Read a task").answer::<OneTask>(200))
        .patch(
            "/tasks/{task}",
            update,
            op("tasks", "Change fields of a task: absent is unchanged, null clears").body::<UpdateBody>().answer::<OneTask>(200).problem(409),
        )
        .post("/tasks/{task}/transition", transition, op("tasks", "Move a task to another step").body::<Transition>().answer::<OneTask>(200).problem(409))
        .get("/tasks/{task}/history", history, op("tasks", "The revisions that touched a task, newest first").answer::<Page<RevisionView>>(200))
        .post("/tasks/{task}/time", log_time, op("tasks", "Log time that was spent").body::<LogTime>().answer::<LoggedTime>(201))
}

#[derive(Serialize, JsonSchema)]
struct OneTask {
    #[serde(flatten)]
    task: TaskView,
    /// All that was logged, in minutes.
    logged_minutes: i64,
    /// The steps that it can go to from here, by anyone.
    can_go_to: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Transition {
    /// A step of the project's process.
    #[schemars(length(min = 1, max = 60))]
    to: String,
    /// Why; some transitions ask for it.
    #[schemars(length(max = 500))]
    reason: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LogTime {
    #[schemars(range(min = 1, max = 10080))]
    minutes: i32,
    #[serde(default)]
    #[schemars(length(max = 500))]
    note: String,
}

#[derive(Serialize, JsonSchema)]
struct LoggedTime {
    task: String,
    minutes: i32,
    note: String,
    at: DateTime<Utc>,
    /// All that was logged for the task, in minutes.
    total_minutes: i64,
}

/// The task that a path names, where the caller may see it.
async fn load(conn: &mut PgConnection, actor: &Actor, name: &str) -> Result<(ProjectRow, OneTask), Problem> {
    let missing = || Problem::not_found(format!("There is no task {name}."));
    let project = match Reference::parse(name) {
        Some(reference) => reference.key,
        None => match name.parse() {
            Ok(id) => store::project_of(&mut *conn, id).await?.ok_or_else(missing)?.to_string(),
            Err(_) => return Err(missing()),
        },
    };
    let row = find(&mut *conn, actor, &project).await.map_err(|problem| if problem.status == 404 { missing() } else { problem })?;
    let plan = workflow::around(conn, &row, &[name.to_owned()]).await?;
    let task = plan.find(name).ok_or_else(missing)?;
    let one = OneTask {
        logged_minutes: store::logged_minutes(conn, task.id).await?,
        can_go_to: row.project.process.reachable(&task.status).map(str::to_owned).collect(),
        task: TaskView::new(&plan, task),
    };
    Ok((row, one))
}

async fn read(State(app): State<App>, reader: Reader, Path(name): Path<String>) -> Result<Json<OneTask>, Problem> {
    let mut tx = app.db.begin(reader.organization).await?;
    let (_, task) = load(&mut tx, &reader, &name).await?;
    tx.rollback().await?;
    Ok(Json(task))
}

async fn update(
    State(app): State<App>,
    applier: Applier,
    headers: HeaderMap,
    Path(name): Path<String>,
    Json(body): Json<UpdateBody>,
) -> Result<Json<OneTask>, Problem> {
    let is_guarded = headers.contains_key(header::IF_MATCH);
    change(&app, &applier, &name, body, None, is_guarded, |task| check_if_match(&headers, task)).await
}

async fn transition(State(app): State<App>, applier: Applier, Path(name): Path<String>, Json(input): Json<Transition>) -> Result<Json<OneTask>, Problem> {
    let body = UpdateBody { status: Field::Set(input.to), ..UpdateBody::default() };
    let changed = change(&app, &applier, &name, body, input.reason, false, |_| Ok(())).await;
    changed.map_err(|problem| problem.relocated(|path| if path == "/status" { "/to" } else { path }.to_owned()))
}

async fn change(
    app: &App,
    applier: &Applier,
    name: &str,
    body: UpdateBody,
    note: Option<String>,
    is_guarded: bool,
    allowed: impl FnOnce(&OneTask) -> Result<(), Problem>,
) -> Result<Json<OneTask>, Problem> {
    if body.subtasks.is_some() {
        return Err(Problem::invalid(vec![Fault::new("/subtasks", "this changes one task").fix("send a patch to /api/v1/projects/{project}/patches")]));
    }
    let mut tx = app.db.begin(applier.organization).await?;
    let (row, task) = load(&mut tx, applier, name).await?;
    tx.rollback().await?;
    allowed(&task)?;
    if body.is_empty() {
        return Err(Problem::fault("", "nothing would change: give at least one field"));
    }
    let tasks = vec![TaskPatch::Update(Update { task_id: task.task.id.to_string(), body })];
    // What was compared with If-Match must still be so when it is written.
    let base_version = is_guarded.then_some(row.project.version);
    let patch = ProjectPatch { project_id: Some(row.project.id.to_string()), base_version, meta_updates: None, tasks, note };
    app.apply_as(applier, patch, Origin::Form, Rules::of(applier.role), None).await.map_err(Problem::of_one_task)?;
    let mut tx = app.db.begin(applier.organization).await?;
    let (_, task) = load(&mut tx, applier, &task.task.id.to_string()).await?;
    tx.rollback().await?;
    Ok(Json(task))
}

async fn history(State(app): State<App>, reader: Reader, Path(name): Path<String>) -> Result<Json<Page<RevisionView>>, Problem> {
    let mut tx = app.db.begin(reader.organization).await?;
    let (row, task) = load(&mut tx, &reader, &name).await?;
    let revisions = revision::store::list_of_task(&mut tx, row.project.id, &task.task.reference, 200).await?;
    tx.rollback().await?;
    Ok(Json(Page::whole(revisions.into_iter().map(|revision| RevisionView::new(&row.project.key, revision)).collect())))
}

async fn log_time(State(app): State<App>, applier: Applier, Path(name): Path<String>, Json(input): Json<LogTime>) -> Result<Response, Problem> {
    if !(1..=10_080).contains(&input.minutes) {
        return Err(Problem::invalid(vec![Fault::new("/minutes", "one entry has 1 minute to 7 days").found(input.minutes.to_string()).expected("1–10080")]));
    }
    if input.note.chars().count() > 500 {
        return Err(Problem::invalid(vec![Fault::new("/note", "this is too long").expected("at most 500 characters")]));
    }
    let mut tx = app.db.begin(applier.organization).await?;
    let (row, task) = load(&mut tx, &applier, &name).await?;
    let at = app.ctx.now();
    let entry = store::TimeEntry {
        id: app.ctx.uuid(),
        project: row.project.id,
        task: task.task.id,
        member: applier.member,
        minutes: input.minutes,
        note: &input.note,
        at,
    };
    store::log_time(&mut tx, applier.organization, &entry).await?;
    let details: Value = json!({ "minutes": input.minutes });
    audit::store::append(&mut tx, app.ctx.as_ref(), &applier, "task.time_logged", &task.task.reference, &details).await?;
    tx.commit().await?;
    let logged =
        LoggedTime { task: task.task.reference, minutes: input.minutes, note: input.note, at, total_minutes: task.logged_minutes + i64::from(input.minutes) };
    Ok((StatusCode::CREATED, Json(logged)).into_response())
}
