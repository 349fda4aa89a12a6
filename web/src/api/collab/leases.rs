//! Leases: taking, keeping, giving back, stealing.

use std::time::Duration;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use patchbay_core::{
    audit,
    collab::{
        event::Filter,
        lease::{Acquired, Ask, Lease, Named, Resource, store},
        work,
    },
    ids::LockId,
    patch::Fault,
    tenancy::Actor,
    workflow::store::{find_project, locate},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::{Api, check_name, check_text, check_ttl, checked, op, problem};
use crate::{
    app::App,
    extract::{Admin, Json, MaybeJson, Path, Proposer},
    problem::Problem,
};

/// The longest that a request waits for a lease, in seconds.
const MAX_WAIT: u32 = 60;
/// How often somebody who waits asks again by itself: often enough to keep the place in the queue.
const ASK_AGAIN: Duration = Duration::from_secs(2);

pub(super) fn routes(api: Api) -> Api {
    api.post(
        "/collab/leases/acquire",
        acquire,
        op("collab", "Take a resource for a while; 409 says who holds it").body::<Acquire>().answer::<Lease>(201).problem(409),
    )
    .post("/collab/leases/{id}/heartbeat", heartbeat, op("collab", "Keep a lease").maybe_body::<Heartbeat>().answer::<Lease>(200).problem(409))
    .post(
        "/collab/leases/{id}/release",
        release,
        op("collab", "Give a lease back; a claimed task that is still being worked on goes back with it").maybe_body::<Release>().plain(204, "").problem(409),
    )
    .post(
        "/collab/leases/{id}/steal",
        steal,
        op("collab", "Take a lease from its holder, as an admin who says why").body::<Steal>().answer::<Lease>(201).problem(409),
    )
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Acquire {
    /// `task:WEB-7`, `project:WEB/deploy`, or any name that its holders agree on.
    #[schemars(length(min = 1, max = 200))]
    resource: String,
    /// The name that you go by; your handle where nothing is said.
    #[schemars(length(min = 1, max = 200))]
    holder: Option<String>,
    /// How long it lasts without a heartbeat.
    #[schemars(range(min = 1, max = 86400))]
    ttl_seconds: i32,
    /// Seconds to wait for it, in a queue: 0 only takes a place there.
    #[schemars(range(max = 60))]
    wait: Option<u32>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Heartbeat {
    /// How long it lasts from now on; as before where nothing is said.
    #[schemars(range(min = 1, max = 86400))]
    ttl_seconds: Option<i32>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Release {
    /// Why, for those who read the log.
    #[schemars(length(max = 500))]
    reason: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Steal {
    #[schemars(length(min = 1, max = 500))]
    reason: String,
    /// The name that you go by; your handle where nothing is said.
    #[schemars(length(min = 1, max = 200))]
    holder: Option<String>,
    #[schemars(range(min = 1, max = 86400))]
    ttl_seconds: i32,
}

/// What a name means, for somebody who may see it.
async fn resolve(app: &App, actor: &Actor, name: &str) -> Result<Resource, Problem> {
    let missing = || Problem::not_found(format!("There is nothing to hold that is called {name}."));
    match Named::read(name) {
        Named::Task(task) => {
            let mut tx = app.db.begin(actor.organization).await?;
            let found = locate(&mut tx, task).await?;
            tx.rollback().await?;
            let found = found.filter(|found| actor.sees(found.project)).ok_or_else(missing)?;
            let reference = found.reference();
            Ok(Resource::task((found.project, found.key), (found.task, reference)))
        }
        Named::Project(key) => {
            let mut tx = app.db.begin(actor.organization).await?;
            let found = find_project(&mut tx, key).await?;
            tx.rollback().await?;
            let project = found.filter(|found| actor.sees(found.project.id)).ok_or_else(missing)?.project;
            Ok(Resource { project: Some((project.id, project.key)), ..Resource::named(name) })
        }
        Named::Other if actor.project.is_some() => {
            Err(Problem::forbidden("This key is for one project: it may hold that project's tasks and `project:KEY/…`."))
        }
        Named::Other => Ok(Resource::named(name)),
    }
}

async fn acquire(State(app): State<App>, actor: Proposer, Json(input): Json<Acquire>) -> Result<Response, Problem> {
    let mut faults = Vec::new();
    check_name("/resource", Some(&input.resource), &mut faults);
    check_name("/holder", input.holder.as_deref(), &mut faults);
    check_ttl(input.ttl_seconds, &mut faults);
    if input.wait.is_some_and(|wait| wait > MAX_WAIT) {
        faults.push(Fault::new("/wait", "one request waits for at most a minute").expected("0–60"));
    }
    checked(faults)?;
    let resource = resolve(&app, &actor, &input.resource).await?;
    let holder = input.holder.as_deref().unwrap_or(&actor.handle);
    let ask = Ask { holder, ttl_seconds: input.ttl_seconds, waits: input.wait.is_some(), is_claim: false };
    let lease = wait_for(&app, &actor, &resource, ask, Duration::from_secs(input.wait.unwrap_or(0).into())).await?;
    app.live.wake(actor.organization);
    Ok((StatusCode::CREATED, Json(lease)).into_response())
}

/// Asks until it is there or the time is up. What frees a resource is told, and whoever hears that asks at once.
async fn wait_for(app: &App, actor: &Actor, resource: &Resource, ask: Ask<'_>, wait: Duration) -> Result<Lease, Problem> {
    let deadline = Instant::now() + wait;
    let mut events = None;
    if !wait.is_zero() {
        let filter = Filter { target: Some(resource.name.clone()), ..Filter::default() };
        events = Some(app.live.tail(actor.organization, None, filter).await?);
    }
    loop {
        let (by, place) = match app.leases.acquire(actor, resource, ask).await? {
            Acquired::Taken(lease) => return Ok(lease),
            Acquired::Held { by, place } => (by, place),
        };
        let now = Instant::now();
        let Some(events) = events.as_mut().filter(|_| now < deadline && !app.stopping.is_cancelled()) else {
            return Err(Problem::held(&resource.name, by.as_ref(), place));
        };
        tokio::select! {
            told = events.next() => drop(told?),
            () = tokio::time::sleep_until(deadline.min(now + ASK_AGAIN)) => {}
            () = app.stopping.cancelled() => {}
        }
    }
}

async fn heartbeat(State(app): State<App>, actor: Proposer, Path(id): Path<LockId>, MaybeJson(input): MaybeJson<Heartbeat>) -> Result<Json<Lease>, Problem> {
    let mut faults = Vec::new();
    check_ttl(input.ttl_seconds.unwrap_or(1), &mut faults);
    checked(faults)?;
    store::heartbeat(&app.db, &actor, id, input.ttl_seconds, None).await?.map(Json).ok_or_else(Problem::lost)
}

async fn release(State(app): State<App>, actor: Proposer, Path(id): Path<LockId>, MaybeJson(input): MaybeJson<Release>) -> Result<StatusCode, Problem> {
    let mut faults = Vec::new();
    check_text("/reason", input.reason.as_deref(), &mut faults);
    checked(faults)?;
    work::release(&app.db, app.ctx.as_ref(), &actor, id, input.reason.as_deref()).await.map_err(problem)?;
    app.live.wake(actor.organization);
    Ok(StatusCode::NO_CONTENT)
}

async fn steal(State(app): State<App>, admin: Admin, Path(id): Path<LockId>, Json(input): Json<Steal>) -> Result<Response, Problem> {
    let mut faults = Vec::new();
    if input.reason.trim().is_empty() {
        faults.push(Fault::new("/reason", "say why: the one who held it will ask"));
    }
    check_text("/reason", Some(&input.reason), &mut faults);
    check_name("/holder", input.holder.as_deref(), &mut faults);
    check_ttl(input.ttl_seconds, &mut faults);
    checked(faults)?;
    let ask = Ask { holder: input.holder.as_deref().unwrap_or(&admin.handle), ttl_seconds: input.ttl_seconds, waits: false, is_claim: false };
    let mut tx = app.db.begin(admin.organization).await?;
    let held = store::find(&mut tx, id).await?.ok_or_else(|| Problem::not_found("Nobody holds such a lease."))?;
    if admin.project.is_some() && held.project() != admin.project {
        return Err(Problem::not_found("Nobody holds such a lease."));
    }
    let stolen = store::steal(&mut tx, &admin, id, LockId(app.ctx.uuid()), ask, input.reason.trim(), None).await?.ok_or_else(Problem::lost)?;
    let details = json!({ "from": stolen.from_holder, "from_member": stolen.from_member, "reason": input.reason.trim() });
    audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "lease.stolen", &stolen.lease.resource, &details).await?;
    tx.commit().await?;
    app.live.wake(admin.organization);
    Ok((StatusCode::CREATED, Json(stolen.lease)).into_response())
}
