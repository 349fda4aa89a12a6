//! Free text: to the planner, and what it proposes to the reviewers.

use std::{sync::Arc, time::Duration};

use patchbay_agent::planner::{self, Failure, Mode, Outcome as Planned, Turn, Voice};
use patchbay_core::{
    channel,
    command::{self, Outcome, Reply, store},
    db,
    patch::{
        ProjectId, ProjectPatch, TaskId, TaskPatch,
        check::Rules,
        diff::{Entry, Op},
        plan::{Plan, Project},
        process::Process,
    },
    review::{self, Draft, NewProposal, Proposal, Revision, State},
    tenancy::{Scope, Trust},
    workflow::{self, store as plans},
};
use tokio::sync::mpsc;

use super::{
    News, replies,
    run::{Run, Stop},
};

/// How long a planner works before it is said so, and how often it is said how far it is.
const PACE: Duration = Duration::from_millis(1200);
/// How much of a conversation a planner is told.
const TURNS: i64 = 12;
/// How many tasks are said to be what a message speaks of.
const FOUND: i64 = 12;

/// What a planner is to work on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Aim {
    /// What the conversation is about: its open proposal, else the project or the task.
    Here,
    /// A project, or a task of it, that the command names: what is open already is left as it is.
    Named(ProjectId, Option<TaskId>),
    /// A project that is yet to be made.
    New,
}

/// What a planner made of a message, with what it saw.
pub(super) struct Thought {
    pub(super) outcome: Result<Planned, Reply>,
    pub(super) context: planner::Context,
    /// The proposal that it was to refine.
    pub(super) draft: Option<Proposal>,
    /// The conversation's open proposal, where it has conflicts.
    waiting: Option<Draft>,
    exchanges: Vec<planner::Exchange>,
}

impl Thought {
    /// Keeps the talk with a model for inspection.
    pub(super) async fn keep(&self, run: &Run<'_>, conn: &mut db::Connection) -> db::Result<()> {
        keep(run, conn, &self.exchanges).await
    }
}

/// Lets the planner make something of a message.
pub(super) async fn run(run: &Run<'_>, aim: Aim, message: &str) -> Result<(), Stop> {
    let thought = think(run, aim, message).await?;
    conclude(run, thought, message).await
}

/// The same with words of ours, for want of any: where they are not understood, it is asked for some.
pub(super) async fn run_or_ask(run: &Run<'_>, aim: Aim, message: &str, ask: Reply) -> Result<(), Stop> {
    let mut thought = think(run, aim, message).await?;
    if let Ok(Planned::NotUnderstood { .. }) = thought.outcome {
        thought.outcome = Err(ask);
    }
    conclude(run, thought, message).await
}

async fn conclude(run: &Run<'_>, thought: Thought, message: &str) -> Result<(), Stop> {
    let mut tx = run.begin(None).await?;
    thought.keep(run, &mut tx).await?;
    let Thought { outcome, context, draft, waiting, .. } = thought;
    let outcome = match outcome {
        Err(reply) => Outcome { failed: true, ..reply.into() },
        Ok(Planned::Question(text) | Planned::Answer(text)) => Reply::new(text).into(),
        Ok(Planned::NotUnderstood { say, examples }) => Outcome { failed: true, ..replies::not_understood(&say, &examples).into() },
        Ok(Planned::Patch { patch, say }) => propose(run, &mut tx, *patch, &say, draft, &context, message).await?,
    };
    let reply = match &waiting {
        Some(waiting) => replies::by_the_way(outcome.reply, waiting),
        None => outcome.reply,
    };
    run.end(tx, Outcome { reply, ..outcome }).await
}

/// Asks the planner, and shows how far it is meanwhile. Nothing is changed.
pub(super) async fn think(run: &Run<'_>, aim: Aim, message: &str) -> Result<Thought, Stop> {
    if !run.actor.may(Scope::Propose) {
        return Err(Reply::new("You may read here, but not propose changes: ask a member.").into());
    }
    let Ground { context, draft, waiting } = ground(run, aim, message).await?;
    let mode = context.rules.focus.map_or(Mode::Project, Mode::Task);
    let cancel = run.hub.cancellation(run.command.id);
    let (progress, mut news) = mpsc::unbounded_channel();
    let mut teller = Teller { run, plan: &context.plan, shown: Vec::new(), is_changed: true };
    let answer = {
        let working = run.hub.planner.get_diff(mode, &context, message, &progress);
        tokio::select! {
            answer = working => Some(answer),
            () = teller.tell(&mut news) => None,
            () = hold(run) => None,
            () = cancel.cancelled() => None,
        }
    };
    // A planner that needs no time has said everything at once.
    while let Ok(progress) = news.try_recv() {
        teller.one(progress);
    }
    let Some(answer) = answer else { return Err(stopped(run).await) };
    let (outcome, exchanges) = match answer {
        Ok(planned) => (Ok(planned.outcome), planned.exchanges),
        Err(Failure::Unreachable { why, exchanges }) => (Err(replies::unreachable(&why)), exchanges),
        Err(Failure::Unusable { faults, exchanges }) => (Err(replies::unusable(&faults)), exchanges),
        Err(Failure::Refused { why, exchanges }) => (Err(replies::model_refused(&why)), exchanges),
    };
    Ok(Thought { outcome, context, draft, waiting, exchanges })
}

/// Refines a proposal that the command names.
pub(super) async fn refine(run: &Run<'_>, number: i32, text: &str) -> Result<(), Stop> {
    let command = command::Command { on_proposal: Some(number), task: None, ..run.command.clone() };
    let named = Run { command: &command, ..*run };
    let mut tx = run.hub.db.read(run.actor.organization).await?;
    let proposal = review::store::find(&mut tx, number).await?.filter(|proposal| run.actor.project.is_none() || run.actor.project == proposal.project);
    tx.rollback().await?;
    match proposal {
        None => Err(replies::no_proposal(number).into()),
        Some(proposal) if proposal.state != State::Open => Err(replies::decided_already(&proposal).into()),
        Some(_) => self::run(&named, Aim::Here, text).await,
    }
}

/// What a planner goes by.
struct Ground {
    context: planner::Context,
    /// What its answer refines.
    draft: Option<Proposal>,
    /// The conversation's open proposal, where it has conflicts: it is refined when they are settled.
    waiting: Option<Draft>,
}

async fn ground(run: &Run<'_>, aim: Aim, message: &str) -> Result<Ground, Stop> {
    let actor = run.actor;
    let mut tx = run.hub.db.read(actor.organization).await?;
    let mut draft = match (aim, run.command.on_proposal) {
        (Aim::Named(..) | Aim::New, _) => None,
        (Aim::Here, Some(number)) => review::store::find(&mut tx, number).await?.filter(|proposal| proposal.state == State::Open),
        (Aim::Here, None) => run.open_here(&mut tx).await?,
    };
    // The talk in which a proposal was made may be about another project by now.
    let (project, focus) = match (aim, &draft) {
        (Aim::Named(project, task), _) => (Some(project), task),
        (Aim::New, _) => (None, None),
        (Aim::Here, Some(draft)) => (draft.project, run.command.task.filter(|_| draft.project == run.command.project)),
        (Aim::Here, None) => (run.command.project, run.command.task),
    };
    let plan = match project {
        Some(id) => {
            let row = plans::find_project(&mut tx, &id.to_string()).await?.filter(|row| actor.sees(row.project.id));
            let row = row.ok_or_else(|| Stop::from(replies::no_project("this")))?;
            plans::load(&mut tx, &row).await?
        }
        None => blank(actor.time_zone.clone(), plans::handles(&mut tx).await?),
    };
    // What is refined is the proposal as it would be on the plan that the planner sees.
    let mut waiting = None;
    let patch = match &draft {
        Some(proposal) => {
            let revision = review::store::revision(&mut tx, proposal.id, proposal.revision).await?;
            let shown = Draft { proposal: proposal.clone(), revision };
            let (patch, conflicts) = review::look_ahead(&mut tx, actor, &shown, &plan).await?;
            if conflicts.is_empty() {
                Some(patch)
            } else {
                let clashing = Draft { revision: Revision { conflicts, ..shown.revision }, ..shown };
                if run.command.on_proposal.is_some() {
                    return Err(replies::conflicted(&clashing).into());
                }
                // Whoever does not name it may mean something else: it is not in the way.
                (draft, waiting) = (None, Some(clashing));
                None
            }
        }
        None => None,
    };
    let before = store::list_before(&mut tx, run.command.conversation, Some(run.command.id), TURNS).await?;
    let found = match project.filter(|_| run.hub.planner.looks_up()) {
        Some(id) => plans::list_spoken_of(&mut tx, id, message, FOUND).await?,
        None => Vec::new(),
    };
    tx.rollback().await?;
    let conversation = before.into_iter().rev().flat_map(turns).collect();
    let context = planner::Context {
        total_tasks: plan.len(),
        found,
        draft: draft.as_ref().zip(patch).map(|(draft, patch)| planner::Draft { number: draft.number, patch }),
        conversation,
        now: run.hub.ctx.now(),
        zone: actor.time_zone.parse().or_else(|_| plan.project.time_zone.parse()).unwrap_or(chrono_tz::UTC),
        author: Some(actor.handle.clone()),
        rules: Rules { focus, ..Rules::of(actor.role) },
        trusted: run.command.trust != Trust::Untrusted && run.command.from_thread.as_ref().is_none_or(|from| from.strangers.is_empty()),
        plan,
    };
    Ok(Ground { context, draft, waiting })
}

pub(super) fn blank(time_zone: String, members: std::collections::BTreeSet<String>) -> Plan {
    let project = Project {
        id: ProjectId(uuid::Uuid::nil()),
        key: String::new(),
        title: String::new(),
        summary: String::new(),
        version: 0,
        process: &Process::builtin()[0],
        time_zone,
        next_task: 1,
    };
    Plan::new(project, members, [])
}

fn turns(command: command::Command) -> impl Iterator<Item = Turn> {
    let answer = command.reply.map(|reply| Turn { voice: Voice::Patchbay, text: reply.text });
    std::iter::once(Turn { voice: Voice::Person, text: command.text }).chain(answer)
}

/// Passes on what is known so far.
struct Teller<'a> {
    run: &'a Run<'a>,
    plan: &'a Plan,
    shown: Vec<Entry>,
    /// Since it was last said where the message came from.
    is_changed: bool,
}

impl Teller<'_> {
    /// Never ends by itself: only the planner ends the waiting.
    async fn tell(&mut self, news: &mut mpsc::UnboundedReceiver<planner::Progress>) {
        let mut pace = tokio::time::interval_at(tokio::time::Instant::now() + PACE, PACE);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(progress) = news.recv() => self.one(progress),
                _ = pace.tick() => self.show().await,
            }
        }
    }

    /// Says how far we are where the message came from, if it is more than was said.
    async fn show(&mut self) {
        if !std::mem::replace(&mut self.is_changed, false) {
            return;
        }
        let (hub, organization) = (self.run.hub, self.run.actor.organization);
        let shown: db::Result<()> = async {
            let mut tx = hub.db.begin(organization).await?;
            channel::store::show_working(&mut tx, hub.ctx.as_ref(), organization, self.run.command.id, &replies::working(&self.shown)).await?;
            tx.commit().await
        }
        .await;
        match shown {
            Ok(()) => hub.bell.ring(),
            Err(error) => tracing::warn!(%error, command = %self.run.command.id, "how far a command is could not be said"),
        }
    }

    fn one(&mut self, progress: planner::Progress) {
        self.is_changed |= !matches!(progress, planner::Progress::Text(_));
        let news = match progress {
            planner::Progress::Operation(operation) => {
                let entry = preview(self.plan, &self.shown, &operation);
                self.shown.push(entry.clone());
                News::Operation(Arc::new(entry))
            }
            planner::Progress::StartedOver => {
                self.shown.clear();
                News::StartedOver
            }
            planner::Progress::Text(text) => News::Text(text),
        };
        self.run.hub.tell(self.run.actor.organization, self.run.command.id, news);
    }
}

/// An operation as it can be shown before the whole patch is there.
fn preview(plan: &Plan, shown: &[Entry], operation: &TaskPatch) -> Entry {
    let known = plan.find(operation.task_id());
    let (op, title, parent) = match operation {
        TaskPatch::Create(create) => (Op::Create, create.body.title.clone(), create.body.parent_id.clone()),
        TaskPatch::Update(update) => {
            (Op::Update, update.body.title.set().cloned().unwrap_or_else(|| known.map_or_else(String::new, |task| task.title.clone())), None)
        }
        TaskPatch::Delete(_) => (Op::Delete, known.map_or_else(String::new, |task| task.title.clone()), None),
    };
    let parent = parent.or_else(|| known.and_then(|task| task.parent).map(|id| plan.reference_of(id)));
    let depth = parent.as_deref().map_or(0, |parent| match plan.find(parent) {
        Some(task) => plan.ancestors(task.id).count() + 1,
        None => shown.iter().find(|entry| entry.task == parent).map_or(1, |entry| entry.depth + 1),
    });
    Entry {
        index: shown.len() + 1,
        op,
        task: known.map_or_else(|| operation.task_id().to_owned(), |task| plan.reference(task)),
        title,
        parent,
        after: None,
        first: false,
        depth,
        moved: None,
        changes: Vec::new(),
        removes: Vec::new(),
        needs: Vec::new(),
    }
}

/// Keeps the command held while the planner works. Never ends by itself.
async fn hold(run: &Run<'_>) {
    loop {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let held = async {
            let mut tx = run.hub.db.begin(run.actor.organization).await?;
            store::hold(&mut tx, run.command.id).await?;
            tx.commit().await
        };
        if let Err(error) = held.await {
            tracing::warn!(%error, command = %run.command.id, "a command could not be held; trying again");
        }
    }
}

/// Its author left, or the service stops: then another process does it.
async fn stopped(run: &Run<'_>) -> Stop {
    if !run.hub.stopping.is_cancelled() {
        return Reply::new("Stopped. Nothing has changed.").into();
    }
    let released = async {
        let mut tx = run.hub.db.begin(run.actor.organization).await?;
        store::release(&mut tx, run.command.id).await?;
        tx.commit().await
    };
    match released.await {
        Ok(()) => Stop::Left,
        Err(error) => Stop::Database(error),
    }
}

async fn keep(run: &Run<'_>, conn: &mut db::Connection, exchanges: &[planner::Exchange]) -> db::Result<()> {
    for exchange in exchanges {
        let row = store::Exchange {
            provider: &exchange.provider,
            model: &exchange.model,
            prompt: &exchange.prompt,
            request: &exchange.request,
            response: &exchange.response,
            input_tokens: exchange.input_tokens,
            output_tokens: exchange.output_tokens,
            cost_micros: exchange.cost_micros,
            latency_ms: i32::try_from(exchange.latency.as_millis()).unwrap_or(i32::MAX),
            problem: exchange.problem.as_deref(),
        };
        store::keep_exchange(&mut *conn, run.actor.organization, run.hub.ctx.uuid(), run.command.id, &row, run.hub.ctx.now()).await?;
    }
    Ok(())
}

/// Opens a proposal, or refines the one that the message was about.
pub(super) async fn propose(
    run: &Run<'_>,
    conn: &mut db::Connection,
    mut patch: ProjectPatch,
    say: &str,
    draft: Option<Proposal>,
    context: &planner::Context,
    message: &str,
) -> Result<Outcome, Stop> {
    let (seen, rules) = (&context.plan, &context.rules);
    patch.base_version = None;
    let version = if seen.project.version == 0 { Some(0) } else { plans::version(&mut *conn, seen.project.id).await? };
    let proposed = if version == Some(seen.project.version) {
        workflow::check(&mut *conn, run.hub.ctx.as_ref(), run.actor, patch, rules).await?.into()
    } else {
        // The plan is not the one any more that the planner saw.
        review::merge_from(&mut *conn, seen, patch, rules).await?
    };
    let (draft, is_new) = if let Some(draft) = draft {
        let proposal = review::lock_open(&mut *conn, run.actor, draft.number).await?;
        (review::refine(&mut *conn, run.hub.ctx.as_ref(), run.actor, &proposal, &proposed, message).await?, false)
    } else {
        let new = NewProposal {
            actor: run.actor,
            proposed: &proposed,
            message,
            origin: &run.command.origin,
            trust: run.command.trust,
            conversation: Some(run.command.conversation),
        };
        (review::open(&mut *conn, run.hub.ctx.as_ref(), &new).await?, true)
    };
    run.shows(conn, &draft.proposal, &draft.revision).await?;
    let reply = if !draft.revision.conflicts.is_empty() {
        replies::look_again(&draft)
    } else if is_new {
        replies::proposed(&draft.proposal, &draft.revision.diff, say, run.command.from_thread.as_ref())
    } else {
        replies::refined(&draft.proposal, &draft.revision.diff, say, run.command.from_thread.as_ref())
    };
    Ok(Outcome { reply, proposal: Some(draft.proposal.number), project: draft.proposal.project, ..Outcome::default() })
}
