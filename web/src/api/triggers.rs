//! Triggers: when an event comes and a condition holds, then a command or a plan.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use patchbay_channels::webhook::{make::Made, tryout};
use patchbay_core::{
    audit,
    ids::{CommandId, TriggerId},
    integrations::{
        Makes,
        cursor::{self, Happened},
        is_pattern,
        trigger::{DEPTH, HOURLY, Outcome, Run, Settings, Trigger, Version, store},
    },
    patch::Fault,
    tenancy::Actor,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Api, Page, op,
    webhooks::{PageQuery, about, acting, check_filter, check_name, check_template, for_all},
};
use crate::{
    app::App,
    extract::{Admin, Json, Path, Query, check_if_match, page_size},
    problem::Problem,
};

/// The deepest and the most that a trigger may allow.
const MAX_DEPTH: i16 = 10;
const MAX_HOURLY: i32 = 1000;
/// On how many events one is tried out.
const TRIED: i64 = 10;

pub(super) fn routes(api: Api) -> Api {
    api.get("/triggers", list, op("triggers", "List the triggers").answer::<Page<TriggerView>>(200))
        .post("/triggers", create, op("triggers", "Add a trigger").body::<TriggerBody>().answer::<TriggerView>(201))
        .post(
            "/triggers/try",
            attempt,
            op("triggers", "See what a trigger would have made of the newest events; nothing is done").body::<TryTrigger>().answer::<Page<TriggerTried>>(200),
        )
        .get("/triggers/{id}/versions", versions, op("triggers", "What a trigger has been, newest first").answer::<Page<TriggerVersionView>>(200))
        .get("/triggers/{id}", get, op("triggers", "Read a trigger").answer::<TriggerView>(200))
        .put(
            "/triggers/{id}",
            replace,
            op("triggers", "Give a trigger its next version")
                .header("If-Match", "The ETag of the version that this one is meant to replace: another one answers 412.")
                .body::<TriggerBody>()
                .answer::<TriggerView>(200)
                .problem(412),
        )
        .delete("/triggers/{id}", delete, op("triggers", "Take a trigger away").plain(204, ""))
        .get(
            "/triggers/{id}/runs",
            runs,
            op("triggers", "What a trigger did, newest first").query::<PageQuery>().answer::<Page<RunView>>(200).problem(400).problem(422),
        )
}

#[derive(Serialize, JsonSchema)]
struct TriggerView {
    id: TriggerId,
    /// From 1; each change makes the next.
    version: i32,
    name: String,
    event: String,
    condition: Option<String>,
    makes: Makes,
    template: String,
    /// A project's key.
    project: Option<String>,
    /// As whom its commands run, by handle.
    member: String,
    max_depth: i16,
    max_per_hour: i32,
    enabled: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Trigger> for TriggerView {
    fn from(trigger: Trigger) -> Self {
        let Settings { name, event, condition, makes, template, max_depth, max_per_hour, enabled, .. } = trigger.settings;
        Self {
            id: trigger.id,
            version: trigger.version,
            name,
            event,
            condition,
            makes,
            template,
            project: trigger.project_key,
            member: trigger.member,
            max_depth,
            max_per_hour,
            enabled,
            created_at: trigger.created_at,
            updated_at: trigger.updated_at,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TriggerBody {
    #[schemars(length(min = 1, max = 100))]
    name: String,
    /// A pattern of events: `webhook.received`, `proposal.*`.
    #[schemars(length(min = 1, max = 100))]
    event: String,
    /// What must hold of the event: `@.details.event == 'check_run.completed' && @.payload.check_run.conclusion == 'failure'`.
    #[schemars(length(max = 2000))]
    condition: Option<String>,
    makes: Option<Makes>,
    #[schemars(length(min = 1, max = 10_000))]
    template: String,
    /// A project's id or key.
    #[schemars(length(max = 100))]
    project: Option<String>,
    /// As whom its commands run: yourself, or a member whose role is `agent`. Absent: the organisation's automation.
    #[schemars(length(max = 100))]
    member: Option<String>,
    /// How many triggers may have led to the event, one after the other; 3 where nothing is said.
    #[schemars(range(min = 1, max = 10))]
    max_depth: Option<i16>,
    /// 60 where nothing is said.
    #[schemars(range(min = 1, max = 1000))]
    max_per_hour: Option<i32>,
    enabled: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
struct TriggerVersionView {
    #[serde(flatten)]
    trigger: TriggerView,
    /// Who made it so, by handle.
    author: String,
}

impl From<Version> for TriggerVersionView {
    fn from(Version { trigger, author }: Version) -> Self {
        Self { trigger: trigger.into(), author }
    }
}

/// A trigger that is tried out before it is one.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TryTrigger {
    /// A pattern of events.
    #[schemars(length(min = 1, max = 100))]
    event: String,
    #[schemars(length(max = 2000))]
    condition: Option<String>,
    makes: Option<Makes>,
    #[schemars(length(min = 1, max = 10_000))]
    template: String,
}

/// What a trigger would have made of an event.
#[derive(Serialize, JsonSchema)]
struct TriggerTried {
    seq: i64,
    at: DateTime<Utc>,
    event: String,
    actor: String,
    target: String,
    /// The text that would have been submitted; null where nothing would.
    text: Option<String>,
    /// Why nothing would have been submitted.
    why: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct RunView {
    id: Uuid,
    /// The trigger's version that ran.
    version: i32,
    /// Of the event that it ran for.
    seq: i64,
    event: String,
    /// How many triggers led to the event.
    depth: i16,
    outcome: Outcome,
    why: Option<String>,
    /// What the template made.
    text: Option<String>,
    command: Option<CommandId>,
    at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

impl From<Run> for RunView {
    fn from(run: Run) -> Self {
        let Run { id, version, seq, event, depth, outcome, why, text, command, at, finished_at, .. } = run;
        Self { id, version, seq, event, depth, outcome, why, text, command, at, finished_at }
    }
}

/// What is wrong with what a trigger watches and makes.
fn check(event: &str, condition: Option<&str>, template: &str, faults: &mut Vec<Fault>) {
    if !is_pattern(event) {
        faults.push(Fault::new("/event", "this is no pattern of events").found(event.to_owned()).expected("*, proposal.*, webhook.received"));
    }
    check_filter("/condition", condition, faults);
    check_template(Some(template), faults);
    if template.trim().is_empty() {
        faults.push(Fault::new("/template", "a trigger makes something: an empty template makes nothing"));
    }
}

/// What is asked for, where it is valid.
async fn settings(app: &App, conn: &mut PgConnection, author: &Actor, input: TriggerBody) -> Result<Settings, Problem> {
    let mut faults = Vec::new();
    let name = input.name.trim().to_owned();
    check_name(&name, &mut faults);
    check(&input.event, input.condition.as_deref(), &input.template, &mut faults);
    let (max_depth, max_per_hour) = (input.max_depth.unwrap_or(DEPTH), input.max_per_hour.unwrap_or(HOURLY));
    if !(1..=MAX_DEPTH).contains(&max_depth) {
        faults.push(Fault::new("/max_depth", "triggers lead to triggers no deeper than that").found(max_depth.to_string()).expected("1–10"));
    }
    if !(1..=MAX_HOURLY).contains(&max_per_hour) {
        faults.push(Fault::new("/max_per_hour", "a trigger runs no more often than that").found(max_per_hour.to_string()).expected("1–1000"));
    }
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    Ok(Settings {
        name,
        event: input.event,
        condition: input.condition,
        makes: input.makes.unwrap_or_default(),
        template: input.template,
        project: about(&mut *conn, input.project.as_deref()).await?,
        member: acting(app, conn, author, input.member.as_deref()).await?,
        max_depth,
        max_per_hour,
        enabled: input.enabled.unwrap_or(true),
    })
}

fn no_trigger() -> Problem {
    Problem::not_found("There is no such trigger.")
}

async fn list(State(app): State<App>, admin: Admin) -> Result<Json<Page<TriggerView>>, Problem> {
    for_all(&admin)?;
    let mut tx = app.db.begin(admin.organization).await?;
    let triggers = store::list(&mut tx).await?;
    tx.rollback().await?;
    Ok(Json(Page::whole(triggers.into_iter().map(TriggerView::from).collect())))
}

async fn get(State(app): State<App>, admin: Admin, Path(id): Path<TriggerId>) -> Result<Json<TriggerView>, Problem> {
    for_all(&admin)?;
    let mut tx = app.db.begin(admin.organization).await?;
    let trigger = store::find(&mut tx, id).await?.ok_or_else(no_trigger)?;
    tx.rollback().await?;
    Ok(Json(trigger.into()))
}

async fn create(State(app): State<App>, admin: Admin, Json(input): Json<TriggerBody>) -> Result<Response, Problem> {
    for_all(&admin)?;
    let mut tx = app.db.begin(admin.organization).await?;
    let settings = settings(&app, &mut tx, &admin, input).await?;
    cursor::store::begin(&mut tx, admin.organization).await?;
    let id = store::insert(&mut tx, app.ctx.as_ref(), &admin, &settings).await?;
    note(&app, &mut tx, &admin, "trigger.added", id, &settings).await?;
    let trigger = store::find(&mut tx, id).await?.ok_or_else(no_trigger)?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(TriggerView::from(trigger))).into_response())
}

async fn replace(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<TriggerId>,
    headers: HeaderMap,
    Json(input): Json<TriggerBody>,
) -> Result<Json<TriggerView>, Problem> {
    for_all(&admin)?;
    let mut tx = app.db.begin(admin.organization).await?;
    let trigger = store::lock(&mut tx, id).await?.ok_or_else(no_trigger)?;
    check_if_match(&headers, &TriggerView::from(trigger))?;
    let settings = settings(&app, &mut tx, &admin, input).await?;
    store::update(&mut tx, app.ctx.as_ref(), &admin, id, &settings).await?;
    note(&app, &mut tx, &admin, "trigger.changed", id, &settings).await?;
    let trigger = store::find(&mut tx, id).await?.ok_or_else(no_trigger)?;
    tx.commit().await?;
    Ok(Json(trigger.into()))
}

async fn delete(State(app): State<App>, admin: Admin, Path(id): Path<TriggerId>) -> Result<StatusCode, Problem> {
    for_all(&admin)?;
    let mut tx = app.db.begin(admin.organization).await?;
    let trigger = store::lock(&mut tx, id).await?.ok_or_else(no_trigger)?;
    store::delete(&mut tx, id, app.ctx.now()).await?;
    note(&app, &mut tx, &admin, "trigger.removed", id, &trigger.settings).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn attempt(State(app): State<App>, admin: Admin, Json(input): Json<TryTrigger>) -> Result<Json<Page<TriggerTried>>, Problem> {
    for_all(&admin)?;
    let TryTrigger { event, condition, makes, template } = input;
    let mut faults = Vec::new();
    check(&event, condition.as_deref(), &template, &mut faults);
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let mut tx = app.db.begin(admin.organization).await?;
    let tried = tryout::on_newest(&mut tx, &event, (condition.as_deref(), &template, makes.unwrap_or_default()), TRIED).await?;
    tx.rollback().await?;
    let view = |(happened, made): (Happened, Result<Made, String>)| {
        let Happened { seq, at, event, actor, target, .. } = happened;
        let (text, why) = match made {
            Ok(Made::Text { text, .. }) => (Some(text), None),
            Ok(Made::Nothing(why)) => (None, Some(why.to_owned())),
            Err(why) => (None, Some(why)),
        };
        TriggerTried { seq, at, event, actor, target, text, why }
    };
    Ok(Json(Page::whole(tried.into_iter().map(view).collect())))
}

async fn versions(State(app): State<App>, admin: Admin, Path(id): Path<TriggerId>) -> Result<Json<Page<TriggerVersionView>>, Problem> {
    for_all(&admin)?;
    let mut tx = app.db.begin(admin.organization).await?;
    let versions = store::versions(&mut tx, id).await?;
    tx.rollback().await?;
    if versions.is_empty() { Err(no_trigger()) } else { Ok(Json(Page::whole(versions.into_iter().map(TriggerVersionView::from).collect()))) }
}

async fn note(app: &App, conn: &mut PgConnection, admin: &Actor, action: &str, id: TriggerId, settings: &Settings) -> Result<(), Problem> {
    let details = json!({ "id": id, "event": settings.event, "makes": settings.makes, "enabled": settings.enabled });
    Ok(audit::store::append(conn, app.ctx.as_ref(), admin, action, &settings.name, &details).await?)
}

async fn runs(State(app): State<App>, admin: Admin, Path(id): Path<TriggerId>, Query(query): Query<PageQuery>) -> Result<Json<Page<RunView>>, Problem> {
    for_all(&admin)?;
    let size = page_size(query.limit)?;
    let mut tx = app.db.begin(admin.organization).await?;
    store::find(&mut tx, id).await?.ok_or_else(no_trigger)?;
    let runs = store::list_runs(&mut tx, id, query.cursor, size + 1).await?;
    tx.rollback().await?;
    Ok(Json(Page::of(runs, size, |run| run.id.to_string(), RunView::from)))
}
