//! Ready work, and taking it.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use patchbay_core::{
    collab::work::{self, Claim, Claimed, Ready, store::list_ready},
    workflow::{
        store::{find_project, load_some},
        view::TaskView,
    },
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Api, Page, check_name, check_ttl, checked, op, problem};
use crate::{
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

async fn ready(State(app): State<App>, reader: Reader, Query(which): Query<Which>) -> Result<Json<Page<TaskView>>, Problem> {
    let limit = page_size(which.limit)?;
    let mut tx = app.db.begin(reader.organization).await?;
    let project = match which.project.as_deref() {
        None => reader.project,
        Some(name) => {
            let row = find_project(&mut tx, name).await?.filter(|row| reader.sees(row.project.id));
            Some(row.ok_or_else(|| Problem::not_found(format!("There is no project {name}.")))?.project.id)
        }
    };
    let wanted = Ready { project, task: None, label: which.label.as_deref(), assignee: Some(&reader.handle) };
    let found = list_ready(&mut tx, wanted, limit).await?;
    let plans = load_some(&mut tx, &found).await?;
    tx.rollback().await?;
    let views = found.iter().filter_map(|task| {
        let plan = plans.get(&task.project)?;
        plan.get(task.task).map(|found| TaskView::new(plan, found))
    });
    Ok(Json(Page::whole(views.collect())))
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
