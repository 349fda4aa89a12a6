//! The queue as people see it: what waits, runs, was done or given up.

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use patchbay_core::{
    audit,
    ids::JobId,
    jobs::{
        self, JobView,
        store::{self, Filter},
        tool::{self, ToolView},
    },
    patch::Fault,
    tenancy::{Actor, Scope},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Api, Page, op, presets};
use crate::{
    app::App,
    extract::{Admin, Json, MaybeJson, Path, Proposer, Query, Reader, page_size},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.get(
        "/jobs",
        list,
        op("jobs", "What waits, runs, was done or given up, newest first").query::<ListQuery>().answer::<Page<JobView>>(200).problem(400).problem(422),
    )
    .post("/jobs", create, op("jobs", "Run a tool or a preset as a job; its input is held against the tool's schema").body::<NewJob>().answer::<JobView>(201))
    .get("/tools", tools, op("jobs", "The tools that jobs can run, each with the JSON Schema of its input").answer::<Page<ToolView>>(200))
    .get("/jobs/{id}", read, op("jobs", "One job, with what its attempts said").answer::<JobView>(200).problem(404))
    .post(
        "/jobs/{id}/cancel",
        cancel,
        op("jobs", "Cancel a job: at once where it waits, within seconds where it runs").answer::<JobView>(200).problem(404).problem(409),
    )
    .post(
        "/jobs/{id}/retry",
        retry,
        op("jobs", "Send a job again that was given up or cancelled, mended where that is needed")
            .maybe_body::<Retry>()
            .answer::<JobView>(200)
            .problem(404)
            .problem(409),
    )
    .post("/jobs/retry", retry_many, op("jobs", "Send many given-up jobs again").body::<RetryMany>().answer::<Retried>(200))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    state: Option<jobs::State>,
    #[schemars(length(max = 100))]
    kind: Option<String>,
    /// Only what people can run: the tools' jobs.
    tools: Option<bool>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// `meta.next_cursor` of the page before.
    cursor: Option<JobId>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewJob {
    /// One of `GET /tools`; this, or a preset.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    tool: Option<String>,
    /// One of `GET /presets`: its tool is run with its input.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    preset: Option<String>,
    /// As the tool's schema says; what is given goes before what a preset has.
    #[serde(default)]
    input: Map<String, Value>,
    /// Lower is sooner; 100 is ordinary.
    #[serde(default)]
    #[schemars(range(min = 20, max = 200))]
    priority: Option<i16>,
    /// Not before then.
    #[serde(default)]
    run_at: Option<DateTime<Utc>>,
    /// When it should be done by; later is told as an event.
    #[serde(default)]
    due_by: Option<DateTime<Utc>>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Retry {
    /// What it is given instead; absent: what it was given before.
    #[serde(default)]
    payload: Option<Value>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RetryMany {
    #[schemars(length(min = 1, max = 1000))]
    ids: Vec<JobId>,
}

#[derive(Serialize, JsonSchema)]
struct Retried {
    /// Those that were given up or cancelled, and wait again now.
    ids: Vec<JobId>,
}

async fn list(State(app): State<App>, reader: Reader, Query(query): Query<ListQuery>) -> Result<Json<Page<JobView>>, Problem> {
    let size = page_size(query.limit)?;
    whole(&reader)?;
    let kinds: Vec<&str> = match &query.kind {
        Some(kind) => vec![kind],
        None if query.tools == Some(true) => tool::TOOLS.iter().map(|tool| tool.name).collect(),
        None => Vec::new(),
    };
    let filter = Filter { state: query.state, kinds: &kinds, before: query.cursor };
    let mut tx = app.db.begin(reader.organization).await?;
    let jobs = store::list(&mut tx, reader.organization, filter, size + 1).await?;
    tx.rollback().await?;
    Ok(Json(Page::of(jobs, size, |job| job.id.to_string(), |job| job)))
}

async fn tools(_: Reader) -> Json<Page<ToolView>> {
    Json(Page::whole(tool::views()))
}

async fn create(State(app): State<App>, proposer: Proposer, Json(input): Json<NewJob>) -> Result<(StatusCode, Json<JobView>), Problem> {
    whole(&proposer)?;
    let (tool, given) = match (input.tool, &input.preset) {
        (Some(tool), None) => (tool, input.input),
        (None, Some(name)) => {
            let preset = presets::load(&app, &proposer, name).await?;
            (preset.tool.clone(), preset.with(input.input))
        }
        _ => return Err(Problem::fault("", "give either `tool` or `preset`")),
    };
    let given = Value::Object(given);
    tool::check(&tool, &given).map_err(Problem::invalid)?;
    if !tool::may_run(&proposer, &tool) {
        return Err(Problem::forbidden(format!("You may not run `{tool}`.")));
    }
    let priority = input.priority.unwrap_or(jobs::ORDINARY);
    if !(20..=200).contains(&priority) {
        return Err(Problem::fault("/priority", "a priority is 20–200"));
    }
    let job = jobs::NewJob { priority, run_at: input.run_at, due_by: input.due_by, ..tool::job(&tool, given, &proposer) };
    let mut tx = app.db.begin(proposer.organization).await?;
    // It has no unique key: nothing stands in its way.
    let id = store::enqueue(&mut tx, app.ctx.as_ref(), proposer.organization, &job).await?;
    let made = match id {
        Some(id) => store::find(&mut tx, id).await?,
        None => None,
    };
    let made = made.ok_or_else(|| Problem::not_found("There is no such job."))?;
    audit::store::append(&mut tx, app.ctx.as_ref(), &proposer, "job.created", &made.id.to_string(), &json!({ "kind": made.kind, "preset": input.preset }))
        .await?;
    tx.commit().await?;
    app.committed(proposer.organization);
    Ok((StatusCode::CREATED, Json(made)))
}

/// Jobs belong to no project: a key for one project does not see them.
pub(super) fn whole(reader: &Actor) -> Result<(), Problem> {
    if reader.project.is_some() { Err(Problem::forbidden("This key is for one project, and jobs are the organisation's.")) } else { Ok(()) }
}

async fn load(app: &App, reader: &Actor, id: JobId) -> Result<JobView, Problem> {
    let mut tx = app.db.begin(reader.organization).await?;
    let job = store::find(&mut tx, id).await?;
    tx.rollback().await?;
    job.ok_or_else(|| Problem::not_found("There is no such job: it may be done, and of its kind nothing is kept."))
}

async fn read(State(app): State<App>, reader: Reader, Path(id): Path<JobId>) -> Result<Json<JobView>, Problem> {
    whole(&reader)?;
    load(&app, &reader, id).await.map(Json)
}

/// The job, where somebody may cancel it or send it again: an admin any, everybody what they ran.
async fn own(app: &App, actor: &Actor, id: JobId) -> Result<JobView, Problem> {
    whole(actor)?;
    let job = load(app, actor, id).await?;
    if actor.may(Scope::Admin) || (job.author == actor.handle && tool::may_run(actor, &job.kind)) {
        return Ok(job);
    }
    Err(Problem::forbidden(format!("This job is @{}'s: only they and those who administer may do that.", job.author)))
}

async fn cancel(State(app): State<App>, proposer: Proposer, Path(id): Path<JobId>) -> Result<Json<JobView>, Problem> {
    let before = own(&app, &proposer, id).await?;
    let mut tx = app.db.begin(proposer.organization).await?;
    if !store::cancel(&mut tx, id).await? {
        return Err(Problem::new(StatusCode::CONFLICT, "not-cancellable", "Not cancelled", "The job is over already."));
    }
    audit::store::append(&mut tx, app.ctx.as_ref(), &proposer, "job.cancelled", &id.to_string(), &json!({ "kind": before.kind })).await?;
    tx.commit().await?;
    app.committed(proposer.organization);
    load(&app, &proposer, id).await.map(Json)
}

async fn retry(State(app): State<App>, proposer: Proposer, Path(id): Path<JobId>, MaybeJson(input): MaybeJson<Retry>) -> Result<Json<JobView>, Problem> {
    let before = own(&app, &proposer, id).await?;
    if let Some(payload) = &input.payload
        && tool::find(&before.kind).is_some()
    {
        let of_payload = |fault: Fault| Fault { path: fault.path.replacen("/input", "/payload", 1), ..fault };
        tool::check(&before.kind, payload).map_err(|faults| Problem::invalid(faults.into_iter().map(of_payload).collect()))?;
    }
    let mut tx = app.db.begin(proposer.organization).await?;
    if store::retry(&mut tx, &[id], input.payload.as_ref()).await?.is_empty() {
        return Err(Problem::new(StatusCode::CONFLICT, "not-retriable", "Not sent again", "The job was neither given up nor cancelled."));
    }
    let details = json!({ "kind": before.kind, "edited": input.payload.is_some() });
    audit::store::append(&mut tx, app.ctx.as_ref(), &proposer, "job.retried", &id.to_string(), &details).await?;
    // Read before the commit: done at once, of some kinds nothing is left to be read.
    let job = store::find(&mut tx, id).await?;
    tx.commit().await?;
    app.committed(proposer.organization);
    job.map(Json).ok_or_else(|| Problem::not_found("There is no such job."))
}

async fn retry_many(State(app): State<App>, admin: Admin, Json(input): Json<RetryMany>) -> Result<Json<Retried>, Problem> {
    let mut tx = app.db.begin(admin.organization).await?;
    let ids = store::retry(&mut tx, &input.ids, None).await?;
    for id in &ids {
        audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "job.retried", &id.to_string(), &json!({})).await?;
    }
    tx.commit().await?;
    app.committed(admin.organization);
    Ok(Json(Retried { ids }))
}
