//! Tasks for agents: made, changed under `If-Match` and a lease, moved on.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use patchbay_core::{
    collab::work::{self, Change, Changed},
    ids::LockId,
    patch::{Create, CreateBody, Fault, Field, ProjectPatch, TaskPatch, UpdateBody},
    workflow::{Origin, view::TaskView},
};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{Api, check_text, checked, guard, op, problem, tag};
use crate::{
    app::App,
    extract::{Applier, Json, Path, Reader, parse},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.post("/collab/tasks", create, op("collab", "Make a task").body::<NewTask>().answer::<TaskView>(201).problem(404).problem(409))
        .get("/collab/tasks/{task}", read, op("collab", "Read a task, with the tag that a change of it takes").answer::<TaskView>(200))
        .patch(
            "/collab/tasks/{task}",
            update,
            op("collab", "Change fields of a task that you have read: If-Match is needed, and 412 carries what it is now")
                .body::<GuardedUpdate>()
                .answer::<TaskView>(200)
                .problem(409)
                .problem(428),
        )
        .post(
            "/collab/tasks/{task}/transition",
            transition,
            op("collab", "Move a task to another step; answers what it was and what it is").body::<Move>().answer::<Changed>(200).problem(409),
        )
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "it describes what is read field by field")]
struct NewTask {
    /// A project's id or key.
    #[schemars(length(min = 1, max = 100))]
    project: String,
    #[schemars(flatten)]
    body: CreateBody,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "it describes what is read field by field")]
struct GuardedUpdate {
    #[schemars(flatten)]
    body: UpdateBody,
    /// The lease that it is made under, with its token: where that has ended, nothing is changed.
    lock_id: Option<LockId>,
    fencing_token: Option<i64>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Move {
    /// A step of the project's process.
    #[schemars(length(min = 1, max = 60))]
    to: String,
    /// Why; some transitions ask for it.
    #[schemars(length(max = 500))]
    reason: Option<String>,
    /// The lease that it is made under, with its token: where that has ended, nothing is changed.
    lock_id: Option<LockId>,
    fencing_token: Option<i64>,
}

/// Takes a member out of an object, as the type that it must have.
fn take<T: DeserializeOwned + JsonSchema + 'static>(object: &mut Map<String, Value>, name: &str) -> Result<Option<T>, Problem> {
    match object.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => read_as(&value).map(Some).map_err(|problem| problem.below(&format!("/{name}"))),
    }
}

/// A value, or what remains of an object, as a type, with faults that say where they are.
fn read_as<T: DeserializeOwned + JsonSchema + 'static>(value: &impl serde::Serialize) -> Result<T, Problem> {
    parse(&serde_json::to_vec(value).map_err(|error| Problem::ours(&error))?)
}

fn tagged(status: StatusCode, task: &TaskView) -> Result<Response, Problem> {
    let tag = tag(task)?;
    let mut response = (status, Json(task)).into_response();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

async fn create(State(app): State<App>, applier: Applier, Json(mut input): Json<Map<String, Value>>) -> Result<Response, Problem> {
    let project =
        take::<String>(&mut input, "project").and_then(|project| project.ok_or_else(|| Problem::fault("/project", "say which project it belongs to")));
    let (project, body) = Problem::both(project, read_as::<CreateBody>(&input))?;
    if body.subtasks.is_some() {
        return Err(Problem::invalid(vec![Fault::new("/subtasks", "this makes one task").fix("send a patch to /api/v1/projects/{project}/patches")]));
    }
    let tasks = vec![TaskPatch::Create(Create { task_id: "new".into(), id: None, body })];
    let patch = ProjectPatch { project_id: Some(project), tasks, ..ProjectPatch::default() };
    let change = app.apply(&applier, patch, Origin::Form).await.map_err(Problem::of_one_task)?;
    let made = change.applied.patch.tasks.iter().find_map(|task| match task {
        TaskPatch::Create(create) => create.id.and_then(|id| change.plan.get(id)),
        TaskPatch::Update(_) | TaskPatch::Delete(_) => None,
    });
    let task = made.map(|task| TaskView::new(&change.plan, task)).ok_or_else(|| Problem::ours(&sqlx::Error::RowNotFound))?;
    tagged(StatusCode::CREATED, &task)
}

async fn read(State(app): State<App>, reader: Reader, Path(name): Path<String>) -> Result<Response, Problem> {
    let mut tx = app.db.begin(reader.organization).await?;
    let task = work::read(&mut tx, &reader, &name).await.map_err(problem)?;
    tx.rollback().await?;
    tagged(StatusCode::OK, &task)
}

async fn update(
    State(app): State<App>,
    applier: Applier,
    headers: HeaderMap,
    Path(name): Path<String>,
    Json(mut input): Json<Map<String, Value>>,
) -> Result<Response, Problem> {
    let expected = headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok()).map(str::to_owned).ok_or_else(|| {
        let detail = "Send `If-Match` with the ETag of the task that you have read: agents change what they know.";
        Problem::new(StatusCode::PRECONDITION_REQUIRED, "unconditional", "A condition is needed", detail)
    })?;
    let lease = Problem::both(take(&mut input, "lock_id"), take(&mut input, "fencing_token"));
    let ((lock, token), body) = Problem::both(lease, read_as::<UpdateBody>(&input))?;
    let guard = guard(lock, token)?;
    if body.subtasks.is_some() {
        return Err(Problem::invalid(vec![Fault::new("/subtasks", "this changes one task").fix("send a patch to /api/v1/projects/{project}/patches")]));
    }
    if body.is_empty() {
        return Err(Problem::fault("", "nothing would change: give at least one field"));
    }
    let is_meant = |task: &TaskView| expected.trim() == "*" || tag(task).is_ok_and(|tag| expected.split(',').any(|given| given.trim() == tag));
    let change = Change { task: &name, body, note: None, guard, is_meant };
    let changed = work::change(&app.db, app.ctx.as_ref(), &applier, change).await.map_err(|error| problem(error).of_one_task())?;
    app.live.wake(applier.organization);
    tagged(StatusCode::OK, &changed.new)
}

async fn transition(State(app): State<App>, applier: Applier, Path(name): Path<String>, Json(input): Json<Move>) -> Result<Json<Changed>, Problem> {
    let mut faults = Vec::new();
    check_text("/reason", input.reason.as_deref(), &mut faults);
    checked(faults)?;
    let guard = guard(input.lock_id, input.fencing_token)?;
    let body = UpdateBody { status: Field::Set(input.to), ..UpdateBody::default() };
    let change = Change { task: &name, body, note: input.reason, guard, is_meant: |_: &TaskView| true };
    let changed = work::change(&app.db, app.ctx.as_ref(), &applier, change)
        .await
        .map_err(|error| problem(error).of_one_task().relocated(|path| if path == "/status" { "/to" } else { path }.to_owned()))?;
    app.live.wake(applier.organization);
    Ok(Json(changed))
}
