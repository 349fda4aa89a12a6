//! Schedules in the hub: made and looked after by words, and run as commands of who made them.

use async_trait::async_trait;
use patchbay_core::{
    audit,
    command::{Outcome, store as commands},
    ids::RunId,
    jobs::{
        self, Failure, Held, Job, Work,
        schedule::{Action, Draft, Rule, ScheduleView, store, zone},
    },
    patch::Fault,
    tenancy::{Actor, Scope},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    About, Hub, SubmitError,
    explicit::{answer, need},
    grammar::{self, Command, Parsed, Scheduling},
    replies,
    run::{Run, Stop},
};

/// Where what a schedule says was written.
const ORIGIN: &str = "schedule";

/// What is wrong with something that is to be said by a schedule. `keys` are the keys of the projects that its owner sees.
pub fn check(action: &Action, keys: &[&str]) -> Result<(), Fault> {
    let (text, is_message) = match action {
        Action::Job { .. } => return Ok(()),
        Action::Command { text, .. } => (text, false),
        Action::Message { text, .. } => (text, true),
    };
    let fault = |message: &str| Err(Fault::new("/action/text", message));
    match grammar::parse(text, keys) {
        Parsed::Command(Command::Schedule(_)) => fault("a schedule makes no schedules"),
        Parsed::Command(Command::Link { .. }) => fault("a schedule is nobody whom a code could pair"),
        Parsed::Command(_) | Parsed::Several(_) if is_message => fault("this is a command, and not for the planner: say `\"kind\": \"command\"`"),
        Parsed::Mistake(mistake) if !is_message => Err(Fault::new("/action/text", mistake.message)),
        Parsed::Free if !is_message => fault("this is no command: say `\"kind\": \"message\"` for what the planner is to read"),
        Parsed::Command(_) | Parsed::Several(_) | Parsed::Mistake(_) | Parsed::Free => Ok(()),
    }
}

/// Submits what a schedule says.
pub struct Scheduled {
    pub hub: Hub,
}

#[derive(Deserialize)]
struct Which {
    run: RunId,
}

#[async_trait]
impl Work for Scheduled {
    async fn run(&self, job: &Job, _: &Held) -> Result<Value, Failure> {
        let never = |why: String| Failure::Never { why };
        let which: Which = serde_json::from_value(job.payload.clone()).map_err(|error| never(error.to_string()))?;
        let mut tx = self.hub.db.begin(job.organization).await?;
        let Some((schedule, due_at)) = store::run(&mut tx, which.run).await? else { return Ok(Value::Null) };
        let (Action::Command { text, project } | Action::Message { text, project }) = &schedule.action else { return Ok(Value::Null) };
        let Some(owner) = store::owner(&mut tx, &schedule).await? else { return Err(never("its owner is no longer a member".into())) };
        let about = About { project: project.clone(), ..About::default() };
        let (topic, conversation) = self.hub.place(&mut tx, &owner, &about).await.map_err(|error| match error {
            SubmitError::Database(error) => error.into(),
            other => never(other.to_string()),
        })?;
        let client_id = format!("schedule:{}:{}", schedule.id, due_at.timestamp());
        let new = commands::NewCommand {
            conversation,
            origin: ORIGIN,
            client_id: Some(&client_id),
            text,
            topic,
            on_proposal: None,
            trust: schedule.trust,
            shown: None,
            from_thread: None,
            reply_to: None,
            request_hash: None,
        };
        let (id, _) = commands::insert(&mut tx, self.hub.ctx.as_ref(), &owner, &new).await?;
        store::led_to(&mut tx, which.run, id).await?;
        if !jobs::store::finish(&mut tx, job).await? {
            tx.rollback().await?;
            return Err(Failure::Over);
        }
        tx.commit().await?;
        // Should this process die now, the command is taken up by another.
        self.hub.start(job.organization, id);
        Err(Failure::Over)
    }
}

/// `schedule …`
pub(super) async fn run(run: &Run<'_>, scheduling: &Scheduling) -> Result<(), Stop> {
    match scheduling {
        Scheduling::List => {
            let mut tx = run.read().await?;
            let schedules = store::list(&mut tx, run.actor, None, 50).await?;
            tx.rollback().await?;
            answer(run, replies::schedules(&schedules)).await
        }
        Scheduling::Make { rule, text } => make(run, rule, text).await,
        Scheduling::Pause(number) | Scheduling::Resume(number) | Scheduling::Delete(number) => change(run, scheduling, *number).await,
    }
}

async fn make(run: &Run<'_>, rule: &str, text: &str) -> Result<(), Stop> {
    need(run, Scope::Propose)?;
    let ctx = run.hub.ctx.as_ref();
    let mut tx = run.begin(None).await?;
    let keys = patchbay_core::workflow::store::keys(&mut tx, run.actor.project).await?;
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (text, project) = (text.to_owned(), run.command.project_key.clone());
    let action = match grammar::parse(&text, &keys) {
        Parsed::Command(_) | Parsed::Several(_) => Action::Command { text, project },
        Parsed::Mistake(mistake) => return Err(replies::mistake(&mistake).into()),
        Parsed::Free => Action::Message { text, project },
    };
    check(&action, &keys).map_err(|fault| refused(&[fault]))?;
    let plan = Draft::new(rule, action).plan(&run.actor.time_zone, ctx.now()).map_err(|faults| refused(&faults))?;
    let made = store::create(&mut tx, ctx, run.actor, run.command.trust, &plan).await?;
    let Some(id) = made else { return Err(replies::too_many_schedules(store::MAX_SCHEDULES).into()) };
    audit::store::append(&mut tx, ctx, run.actor, "schedule.created", &id.to_string(), &json!({ "rule": plan.rule })).await?;
    let Some(made) = store::find(&mut tx, run.actor, id).await? else { return Err(Stop::Left) };
    let times = upcoming(&made, ctx.now());
    run.end(tx, Outcome { reply: replies::scheduled(&made, &times), ..Outcome::default() }).await
}

fn refused(faults: &[Fault]) -> Stop {
    Stop::Faults(replies::faults(faults), faults.to_vec())
}

/// The next three times, as the clock shows them where the schedule is.
fn upcoming(schedule: &ScheduleView, now: chrono::DateTime<chrono::Utc>) -> Vec<String> {
    let Ok(zone) = zone(&schedule.zone) else { return Vec::new() };
    let Ok(rule) = Rule::parse(&schedule.plain_rule, zone, now) else { return Vec::new() };
    rule.after(now).take(3).map(|at| at.with_timezone(&zone).format("%a %-d %b %H:%M").to_string()).collect()
}

/// Whether somebody may change a schedule: its owner may, and who administers.
pub fn may_change(actor: &Actor, owner: &str) -> bool {
    actor.may(Scope::Admin) || (actor.may(Scope::Propose) && actor.handle == owner)
}

async fn change(run: &Run<'_>, scheduling: &Scheduling, number: i32) -> Result<(), Stop> {
    let ctx = run.hub.ctx.as_ref();
    let mut tx = run.begin(None).await?;
    let Some(found) = store::find_number(&mut tx, run.actor, number).await? else { return Err(replies::no_schedule(number).into()) };
    if !may_change(run.actor, &found.owner) {
        return Err(replies::not_your_schedule(&found).into());
    }
    let (action, reply) = match scheduling {
        Scheduling::Pause(_) => {
            store::pause(&mut tx, ctx, found.id, None).await?;
            ("schedule.paused", replies::schedule_paused(&found))
        }
        Scheduling::Delete(_) => {
            store::delete(&mut tx, found.id).await?;
            ("schedule.deleted", replies::schedule_deleted(&found))
        }
        _ => {
            let next = zone(&found.zone).ok().and_then(|zone| Rule::parse(&found.plain_rule, zone, ctx.now()).ok()).and_then(|rule| rule.next_after(ctx.now()));
            store::resume(&mut tx, ctx, found.id, next).await?;
            ("schedule.resumed", replies::scheduled(&found, &upcoming(&found, ctx.now())))
        }
    };
    audit::store::append(&mut tx, ctx, run.actor, action, &found.id.to_string(), &json!({})).await?;
    run.end(tx, Outcome { reply, ..Outcome::default() }).await
}
