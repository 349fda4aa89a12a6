//! Jobs in the hub: what people ran, one of them, sent again, stopped, and run by a preset.

use patchbay_core::{
    audit,
    command::Outcome,
    db,
    ids::JobId,
    jobs::{
        JobView, State,
        preset::{self, PresetView},
        store::{self, Filter},
        tool,
    },
    patch::fault::nearest,
    tenancy::{Actor, Scope},
};
use serde_json::{Map, Value, json};

use super::{
    explicit::{answer, need},
    grammar::Working,
    replies,
    run::{Run, Stop},
};

/// How many are shown.
const SHOWN: i64 = 20;

/// `jobs …`, `retry …`, `stop …`, `run …`
pub(super) async fn run(run: &Run<'_>, working: &Working) -> Result<(), Stop> {
    // Jobs belong to no project: who may only see one project sees none.
    if run.actor.project.is_some() {
        return Err(replies::jobs_are_of_all().into());
    }
    match working {
        Working::List(state) => list(run, *state).await,
        Working::Show(name) => {
            let mut tx = run.read().await?;
            let job = find(run, &mut tx, name).await?;
            tx.rollback().await?;
            answer(run, replies::job(&job, run.zone())).await
        }
        Working::Retry(name) => retry(run, name).await,
        Working::Stop(name) => stop(run, name).await,
        Working::Run { preset: None, .. } => {
            let mut tx = run.read().await?;
            let presets = preset::store::list(&mut tx, run.actor.organization).await?;
            tx.rollback().await?;
            answer(run, replies::presets(&presets)).await
        }
        Working::Run { preset: Some(name), given } => begin(run, name, given).await,
    }
}

async fn list(run: &Run<'_>, state: Option<State>) -> Result<(), Stop> {
    let kinds: Vec<&str> = tool::TOOLS.iter().map(|tool| tool.name).collect();
    let mut tx = run.read().await?;
    let jobs = store::list(&mut tx, run.actor.organization, Filter { state, kinds: &kinds, before: None }, SHOWN + 1).await?;
    tx.rollback().await?;
    let shown = usize::try_from(SHOWN).unwrap_or(usize::MAX);
    answer(run, replies::jobs(&jobs[..jobs.len().min(shown)], jobs.len() > shown, state, run.zone())).await
}

/// The job of an id, or of the end of one.
async fn find(run: &Run<'_>, conn: &mut db::Connection, name: &str) -> Result<JobView, Stop> {
    let found = match name.parse::<JobId>() {
        Ok(id) => store::find(conn, id).await?.into_iter().collect(),
        Err(_) => store::find_by_end(conn, run.actor.organization, name).await?,
    };
    match <[JobView; 1]>::try_from(found) {
        Ok([job]) => Ok(job),
        Err(found) if found.is_empty() => Err(replies::no_job(name).into()),
        Err(found) => Err(replies::which_job(name, &found).into()),
    }
}

/// The job, where its author and who administers may send it again or stop it.
async fn own(run: &Run<'_>, conn: &mut db::Connection, name: &str) -> Result<JobView, Stop> {
    need(run, Scope::Propose)?;
    let job = find(run, conn, name).await?;
    if may_change(run.actor, &job) { Ok(job) } else { Err(replies::not_your_job(&job).into()) }
}

fn may_change(actor: &Actor, job: &JobView) -> bool {
    actor.may(Scope::Admin) || (job.author == actor.handle && tool::may_run(actor, &job.kind))
}

async fn retry(run: &Run<'_>, name: &str) -> Result<(), Stop> {
    let mut tx = run.begin(None).await?;
    let job = own(run, &mut tx, name).await?;
    if store::retry(&mut tx, &[job.id], None).await?.is_empty() {
        return Err(replies::not_to_retry(&job).into());
    }
    audit::store::append(&mut tx, run.hub.ctx.as_ref(), run.actor, "job.retried", &job.id.to_string(), &json!({ "kind": job.kind, "edited": false })).await?;
    end(run, tx, replies::job_retried(&job)).await
}

async fn stop(run: &Run<'_>, name: &str) -> Result<(), Stop> {
    let mut tx = run.begin(None).await?;
    let job = own(run, &mut tx, name).await?;
    if !store::cancel(&mut tx, job.id).await? {
        return Err(replies::not_to_stop(&job).into());
    }
    audit::store::append(&mut tx, run.hub.ctx.as_ref(), run.actor, "job.cancelled", &job.id.to_string(), &json!({ "kind": job.kind })).await?;
    end(run, tx, replies::job_stopped(&job)).await
}

async fn begin(run: &Run<'_>, name: &str, given: &[(String, String)]) -> Result<(), Stop> {
    need(run, Scope::Propose)?;
    let ctx = run.hub.ctx.as_ref();
    let mut tx = run.begin(None).await?;
    let Some(preset) = preset::store::find(&mut tx, run.actor.organization, name).await? else {
        let presets = preset::store::list(&mut tx, run.actor.organization).await?;
        let near = nearest(name, presets.iter().map(|preset| preset.name.as_str()));
        return Err(replies::no_preset(name, near, &presets, given).into());
    };
    if !tool::may_run(run.actor, &preset.tool) {
        return Err(replies::not_your_tool(&preset.tool).into());
    }
    let tool = preset.tool.clone();
    let input = input(preset, given);
    tool::check(&tool, &input).map_err(|faults| Stop::Faults(replies::does_not_fit(name, &tool, &faults), faults))?;
    let id = store::enqueue(&mut tx, ctx, run.actor.organization, &tool::job(&tool, input, run.actor)).await?;
    // It has no unique key: nothing stands in its way.
    let Some(id) = id else { return Err(Stop::Left) };
    audit::store::append(&mut tx, ctx, run.actor, "job.created", &id.to_string(), &json!({ "kind": tool, "preset": name })).await?;
    end(run, tx, replies::job_begun(id, name, &tool)).await
}

/// What a preset has and what is given, each as the tool's schema wants it.
fn input(preset: PresetView, given: &[(String, String)]) -> Value {
    let schema = tool::views().into_iter().find(|tool| tool.name == preset.tool).map_or(Value::Null, |tool| tool.input_schema);
    let takes_text = |field: &str| {
        let kind = &schema["properties"][field]["type"];
        kind.is_null() || kind == "string" || kind.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "string"))
    };
    let read = |(field, text): &(String, String)| {
        let value = serde_json::from_str(text).ok().filter(|_| !takes_text(field)).unwrap_or_else(|| json!(text));
        (field.clone(), value)
    };
    Value::Object(preset.with(given.iter().map(read).collect::<Map<_, _>>()))
}

async fn end(run: &Run<'_>, tx: db::Tx, reply: patchbay_core::command::Reply) -> Result<(), Stop> {
    run.end(tx, Outcome::from(reply)).await?;
    run.hub.bell.ring();
    Ok(())
}
