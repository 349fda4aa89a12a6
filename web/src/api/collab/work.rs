//! Work that is looked for, ready work, and taking it.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use patchbay_core::{
    collab::work::{self, Claim, Claimed, Ready, Search, store},
    ids::ProjectId,
    patch::Reference,
    tenancy::Actor,
    workflow::{
        store::{Located, find_project, load_some},
        view::TaskView,
    },
};
use schemars::JsonSchema;
use serde::Deserialize;
use sqlx::PgConnection;

use super::{Api, Page, check_name, check_ttl, checked, op, problem};
use crate::{
    api::Meta,
    app::App,
    extract::{Applier, Json, MaybeJson, Query, Reader, page_size},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.get(
        "/collab/ready",
        ready,
        op("collab", "Tasks that wait for nothing and that nobody holds, the most urgent first").query::<Which>().answer::<Page<TaskView>>(200).problem(404),
    )
    .get(
        "/collab/tasks",
        search,
        op("collab", "Look for tasks, in the projects that you may see").query::<SearchQuery>().answer::<Page<TaskView>>(200).problem(400).problem(404),
    )
    .post(
        "/collab/claim",
        claim,
        op("collab", "Take a task with its lease: the one that is named, or the best that is ready; 204 where nothing is")
            .maybe_body::<ClaimInput>()
            .answer::<Claimed>(201)
            .plain(204, "")
            .problem(404)
            .problem(409),
    )
}

#[derive(Deserialize, JsonSchema)]
struct Which {
    /// Only of this project: its id or key.
    #[schemars(length(max = 100))]
    project: Option<String>,
    /// Only with this label.
    #[schemars(length(max = 100))]
    label: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchQuery {
    /// Words of the title or the description, in any form and case, or a part of them as it stands.
    #[schemars(length(max = 100))]
    text: Option<String>,
    /// Only of this project: its id or key.
    #[schemars(length(max = 100))]
    project: Option<String>,
    /// At this step.
    #[schemars(length(max = 100))]
    status: Option<String>,
    /// Of this member: a handle.
    #[schemars(length(max = 100))]
    assignee: Option<String>,
    #[schemars(length(max = 100))]
    label: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// `meta.next_cursor` of the page before.
    #[schemars(length(max = 100))]
    cursor: Option<String>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ClaimInput {
    /// This one: its id or reference. Without it, the best that is ready.
    #[schemars(length(min = 1, max = 100))]
    task: Option<String>,
    /// Only of this project: its id or key.
    #[schemars(length(min = 1, max = 100))]
    project: Option<String>,
    /// Only with this label.
    #[schemars(length(min = 1, max = 100))]
    label: Option<String>,
    /// The name that you go by; your handle where nothing is said.
    #[schemars(length(min = 1, max = 200))]
    holder: Option<String>,
    /// How long the lease lasts without a heartbeat; 5 minutes where nothing is said.
    #[schemars(range(min = 1, max = 86400))]
    ttl_seconds: Option<i32>,
}

/// The one project that is asked for, or may be seen.
pub(super) async fn only(conn: &mut PgConnection, actor: &Actor, name: Option<&str>) -> Result<Option<ProjectId>, Problem> {
    let Some(name) = name else { return Ok(actor.project) };
    let found = find_project(conn, name).await?.filter(|row| actor.sees(row.project.id));
    found.map(|row| Some(row.project.id)).ok_or_else(|| Problem::not_found(format!("There is no project {name}.")))
}

/// Tasks as the API shows them, in the order given.
async fn views(conn: &mut PgConnection, found: &[Located]) -> sqlx::Result<Vec<TaskView>> {
    let plans = load_some(conn, found).await?;
    let view = |task: &Located| {
        let plan = plans.get(&task.project)?;
        plan.get(task.task).map(|found| TaskView::new(plan, found))
    };
    Ok(found.iter().filter_map(view).collect())
}

async fn search(State(app): State<App>, reader: Reader, Query(query): Query<SearchQuery>) -> Result<Json<Page<TaskView>>, Problem> {
    let limit = page_size(query.limit)?;
    let after = query.cursor.as_deref().map(|cursor| Reference::parse(cursor).ok_or_else(|| Problem::malformed("`cursor` is none of ours.")));
    let after = after.transpose()?;
    let mut tx = app.db.begin(reader.organization).await?;
    let project = only(&mut tx, &reader, query.project.as_deref()).await?;
    let wanted = Search { project, text: query.text, status: query.status, assignee: query.assignee, label: query.label };
    let mut found = store::search(&mut tx, &wanted, after.as_ref().map(|after| (after.key.as_str(), after.number)), limit + 1).await?;
    let is_more = i64::try_from(found.len()).unwrap_or(i64::MAX) > limit;
    if is_more {
        found.pop();
    }
    let data = views(&mut tx, &found).await?;
    tx.rollback().await?;
    let next_cursor = if is_more { found.last().map(Located::reference) } else { None };
    Ok(Json(Page { data, meta: Meta { next_cursor } }))
}

async fn ready(State(app): State<App>, reader: Reader, Query(which): Query<Which>) -> Result<Json<Page<TaskView>>, Problem> {
    let limit = page_size(which.limit)?;
    let mut tx = app.db.begin(reader.organization).await?;
    let project = only(&mut tx, &reader, which.project.as_deref()).await?;
    let wanted = Ready { project, label: which.label.as_deref(), assignee: Some(&reader.handle) };
    let found = store::list_ready(&mut tx, wanted, limit).await?;
    let data = views(&mut tx, &found).await?;
    tx.rollback().await?;
    Ok(Json(Page::whole(data)))
}

async fn claim(State(app): State<App>, applier: Applier, MaybeJson(input): MaybeJson<ClaimInput>) -> Result<Response, Problem> {
    let ttl_seconds = input.ttl_seconds.unwrap_or(work::TTL_SECONDS);
    let mut faults = Vec::new();
    check_name("/holder", input.holder.as_deref(), &mut faults);
    check_ttl(ttl_seconds, &mut faults);
    checked(faults)?;
    let claim = Claim {
        task: input.task.as_deref(),
        project: input.project.as_deref(),
        label: input.label.as_deref(),
        holder: input.holder.as_deref().unwrap_or(&applier.handle),
        ttl_seconds,
    };
    let claimed = work::claim(&app.db, app.ctx.as_ref(), &applier, claim).await.map_err(problem)?;
    app.live.wake(applier.organization);
    Ok(claimed.map_or_else(|| StatusCode::NO_CONTENT.into_response(), |claimed| (StatusCode::CREATED, Json(claimed)).into_response()))
}
