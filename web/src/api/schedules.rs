//! Schedules: jobs, commands and messages at times to come.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use chrono::{DateTime, Utc};
use patchbay_channels::hub::schedule as hub;
use patchbay_core::{
    audit,
    ids::{RunId, ScheduleId},
    jobs::{
        schedule::{
            self, Action, Draft, MAX_RULE, Missed, Overlap, Rule, RunView, ScheduleView,
            store::{self, Plan},
        },
        tool,
    },
    patch::Fault,
    tenancy::{Actor, Trust},
    workflow,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;

use super::{Api, Page, op};
use crate::{
    app::App,
    extract::{Json, Path, Proposer, Query, Reader, check_if_match, page_size},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.get("/schedule", list, op("schedules", "List schedules, newest first").query::<ListQuery>().answer::<Page<ScheduleView>>(200).problem(400).problem(422))
        .post(
            "/schedule",
            create,
            op("schedules", "Schedule a job, a command or a message to the planner").body::<Draft>().answer::<ScheduleView>(201).problem(409),
        )
        .post(
            "/schedule/preview",
            preview,
            op("schedules", "See when a rule would run, across changes of the clock").body::<PreviewRule>().answer::<Preview>(200),
        )
        .get("/schedule/{id}", read, op("schedules", "Read a schedule").answer::<ScheduleView>(200))
        .patch("/schedule/{id}", update, op("schedules", "Change a schedule; from then on it runs as you").body::<ChangeSchedule>().answer::<ScheduleView>(200))
        .delete("/schedule/{id}", delete, op("schedules", "Drop a schedule; what runs of it runs on").plain(204, ""))
        .post("/schedule/{id}/pause", pause, op("schedules", "Pause a schedule").answer::<ScheduleView>(200))
        .post(
            "/schedule/{id}/resume",
            resume,
            op("schedules", "Let a schedule go on; what would have been in between is not made up for").answer::<ScheduleView>(200),
        )
        .get(
            "/schedule/{id}/runs",
            runs,
            op("schedules", "What became of a schedule's times, newest first").query::<RunsQuery>().answer::<Page<RunView>>(200).problem(400).problem(422),
        )
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// `meta.next_cursor` of the page before.
    cursor: Option<i32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RunsQuery {
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// `meta.next_cursor` of the page before.
    cursor: Option<RunId>,
}

/// What is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChangeSchedule {
    #[schemars(length(min = 1, max = 200))]
    name: Option<String>,
    #[schemars(length(min = 1, max = MAX_RULE))]
    rule: Option<String>,
    /// IANA name.
    #[schemars(length(max = 100))]
    zone: Option<String>,
    action: Option<Action>,
    missed: Option<Missed>,
    #[schemars(range(min = 1, max = 100))]
    catch_up_limit: Option<i16>,
    overlap: Option<Overlap>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PreviewRule {
    #[schemars(length(min = 1, max = MAX_RULE))]
    rule: String,
    /// IANA name; absent: your own.
    #[schemars(length(max = 100))]
    zone: Option<String>,
    /// How many times are shown; absent: 5.
    #[schemars(range(min = 1, max = 100))]
    count: Option<usize>,
}

/// When a rule would run.
#[derive(Serialize, JsonSchema)]
struct Preview {
    /// In its plain form: cron, an ISO time, or the lines of a recurrence.
    plain_rule: String,
    zone: String,
    /// None where the rule has no more times.
    times: Vec<Time>,
}

#[derive(Serialize, JsonSchema)]
struct Time {
    at: DateTime<Utc>,
    /// As the clock on the wall shows it there, with its offset.
    local: String,
}

async fn list(State(app): State<App>, reader: Reader, Query(query): Query<ListQuery>) -> Result<Json<Page<ScheduleView>>, Problem> {
    let size = page_size(query.limit)?;
    let mut tx = app.db.begin(reader.organization).await?;
    let found = store::list(&mut tx, &reader, query.cursor, size + 1).await?;
    tx.rollback().await?;
    Ok(Json(Page::of(found, size, |schedule| schedule.number.to_string(), |schedule| schedule)))
}

async fn load(conn: &mut PgConnection, actor: &Actor, id: ScheduleId) -> Result<ScheduleView, Problem> {
    store::find(conn, actor, id).await?.ok_or_else(|| Problem::not_found("There is no such schedule."))
}

/// The schedule, where it is the actor's to change; nobody else changes it meanwhile.
async fn own(conn: &mut PgConnection, actor: &Actor, id: ScheduleId) -> Result<ScheduleView, Problem> {
    store::lock(conn, actor, id).await?;
    let found = load(conn, actor, id).await?;
    if hub::may_change(actor, &found.owner) {
        return Ok(found);
    }
    Err(Problem::forbidden(format!("This schedule is @{}'s: only they and those who administer may change it.", found.owner)))
}

async fn read(State(app): State<App>, reader: Reader, Path(id): Path<ScheduleId>) -> Result<Json<ScheduleView>, Problem> {
    let mut tx = app.db.begin(reader.organization).await?;
    let found = load(&mut tx, &reader, id).await?;
    tx.rollback().await?;
    Ok(Json(found))
}

/// A draft as a plan, also held against the words and the projects that its author knows.
async fn planned(app: &App, conn: &mut PgConnection, actor: &Actor, draft: Draft) -> Result<Plan, Problem> {
    let keys = workflow::store::keys(conn, actor.project).await?;
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let said = hub::check(&draft.action, &keys).err();
    if let Action::Job { tool: name, .. } = &draft.action
        && tool::find(name).is_some()
        && !tool::may_run(actor, name)
    {
        return Err(Problem::forbidden(format!("You may not run `{name}`.")));
    }
    if let Action::Command { project: Some(name), .. } | Action::Message { project: Some(name), .. } = &draft.action
        && workflow::store::find_project(conn, name).await?.is_none_or(|row| !actor.sees(row.project.id))
    {
        return Err(Problem::fault("/action/project", format!("there is no project {name}")));
    }
    match (draft.plan(&actor.time_zone, app.ctx.now()), said) {
        (Ok(plan), None) => Ok(plan),
        (plan, said) => Err(Problem::invalid(plan.err().unwrap_or_default().into_iter().chain(said).collect())),
    }
}

async fn create(State(app): State<App>, proposer: Proposer, Json(draft): Json<Draft>) -> Result<(StatusCode, Json<ScheduleView>), Problem> {
    let mut tx = app.db.begin(proposer.organization).await?;
    let plan = planned(&app, &mut tx, &proposer, draft).await?;
    let made = store::create(&mut tx, app.ctx.as_ref(), &proposer, Trust::Verified, &plan).await?;
    let Some(id) = made else {
        return Err(Problem::conflict("too-many-schedules", format!("There are {} schedules, and no more are possible.", store::MAX_SCHEDULES)));
    };
    audit::store::append(&mut tx, app.ctx.as_ref(), &proposer, "schedule.created", &id.to_string(), &json!({ "rule": plan.rule })).await?;
    let made = load(&mut tx, &proposer, id).await?;
    tx.commit().await?;
    app.committed(proposer.organization);
    Ok((StatusCode::CREATED, Json(made)))
}

async fn update(
    State(app): State<App>,
    proposer: Proposer,
    headers: HeaderMap,
    Path(id): Path<ScheduleId>,
    Json(change): Json<ChangeSchedule>,
) -> Result<Json<ScheduleView>, Problem> {
    let mut tx = app.db.begin(proposer.organization).await?;
    let before = own(&mut tx, &proposer, id).await?;
    check_if_match(&headers, &before)?;
    let said = change.rule.is_none().then_some(before.rule);
    let draft = Draft {
        name: Some(change.name.unwrap_or(before.name)),
        rule: change.rule.unwrap_or(before.plain_rule),
        zone: Some(change.zone.unwrap_or(before.zone)),
        action: change.action.unwrap_or(before.action),
        missed: change.missed.unwrap_or(before.missed),
        catch_up_limit: change.catch_up_limit.unwrap_or(before.catch_up_limit),
        overlap: change.overlap.unwrap_or(before.overlap),
    };
    let mut plan = planned(&app, &mut tx, &proposer, draft).await?;
    plan.said = said.unwrap_or(plan.said);
    store::update(&mut tx, app.ctx.as_ref(), &proposer, id, &plan).await?;
    audit::store::append(&mut tx, app.ctx.as_ref(), &proposer, "schedule.changed", &id.to_string(), &json!({ "rule": plan.rule })).await?;
    let after = load(&mut tx, &proposer, id).await?;
    tx.commit().await?;
    app.committed(proposer.organization);
    Ok(Json(after))
}

async fn delete(State(app): State<App>, proposer: Proposer, Path(id): Path<ScheduleId>) -> Result<StatusCode, Problem> {
    let mut tx = app.db.begin(proposer.organization).await?;
    let before = own(&mut tx, &proposer, id).await?;
    store::delete(&mut tx, id).await?;
    audit::store::append(&mut tx, app.ctx.as_ref(), &proposer, "schedule.deleted", &id.to_string(), &json!({ "name": before.name })).await?;
    tx.commit().await?;
    app.committed(proposer.organization);
    Ok(StatusCode::NO_CONTENT)
}

async fn pause(State(app): State<App>, proposer: Proposer, Path(id): Path<ScheduleId>) -> Result<Json<ScheduleView>, Problem> {
    let mut tx = app.db.begin(proposer.organization).await?;
    own(&mut tx, &proposer, id).await?;
    store::pause(&mut tx, app.ctx.as_ref(), id, None).await?;
    audit::store::append(&mut tx, app.ctx.as_ref(), &proposer, "schedule.paused", &id.to_string(), &json!({})).await?;
    let after = load(&mut tx, &proposer, id).await?;
    tx.commit().await?;
    app.committed(proposer.organization);
    Ok(Json(after))
}

async fn resume(State(app): State<App>, proposer: Proposer, Path(id): Path<ScheduleId>) -> Result<Json<ScheduleView>, Problem> {
    let mut tx = app.db.begin(proposer.organization).await?;
    let before = own(&mut tx, &proposer, id).await?;
    let next = rule(&before.plain_rule, &before.zone, app.ctx.now())?.next_after(app.ctx.now());
    store::resume(&mut tx, app.ctx.as_ref(), id, next).await?;
    audit::store::append(&mut tx, app.ctx.as_ref(), &proposer, "schedule.resumed", &id.to_string(), &json!({})).await?;
    let after = load(&mut tx, &proposer, id).await?;
    tx.commit().await?;
    app.committed(proposer.organization);
    Ok(Json(after))
}

fn rule(text: &str, zone: &str, now: DateTime<Utc>) -> Result<Rule, Problem> {
    let zone = schedule::zone(zone).map_err(|fault| Problem::invalid(vec![fault]))?;
    Rule::parse(text, zone, now).map_err(|error| Problem::invalid(vec![Fault::new("/rule", error.to_string()).found(text.to_owned())]))
}

async fn preview(State(app): State<App>, reader: Reader, Json(input): Json<PreviewRule>) -> Result<Json<Preview>, Problem> {
    let count = input.count.unwrap_or(5);
    if !(1..=100).contains(&count) {
        return Err(Problem::fault("/count", "1–100 times are shown"));
    }
    let now = app.ctx.now();
    let rule = rule(&input.rule, input.zone.as_deref().unwrap_or(&reader.time_zone), now)?;
    let times = rule.after(now).take(count).map(|at| Time { at, local: at.with_timezone(&rule.zone).to_rfc3339() }).collect();
    Ok(Json(Preview { plain_rule: rule.text.clone(), zone: rule.zone.name().to_owned(), times }))
}

async fn runs(State(app): State<App>, reader: Reader, Path(id): Path<ScheduleId>, Query(query): Query<RunsQuery>) -> Result<Json<Page<RunView>>, Problem> {
    let size = page_size(query.limit)?;
    let mut tx = app.db.begin(reader.organization).await?;
    load(&mut tx, &reader, id).await?;
    let found = store::runs(&mut tx, id, query.cursor, size + 1).await?;
    tx.rollback().await?;
    Ok(Json(Page::of(found, size, |run| run.id.to_string(), |run| run)))
}
