//! Explicit commands: what they do takes effect at once and can be taken back.

use patchbay_core::{
    audit,
    channel::{self, link},
    command::{Outcome, Reply, store},
    db::{self, Tx},
    notify::{self, How, Kinds, Preferences},
    patch::{ProjectId, ProjectPatch, TaskId, check::Rules, diff, plan::Plan, rebase::Choice},
    review::{self, Draft, Last, Resolved, State, TakenBack, store::Filter},
    tenancy::{Scope, Trust},
    workflow::{
        self, Apply, Change, Origin, ProjectRow,
        revision::store as revisions,
        store::{self as plans, TimeEntry},
    },
};
use serde_json::json;

use super::{
    effects::{self, Author, Refusal},
    free::{self, Aim},
    grammar::{self, Command, Filter as ListFilter, Noise, Settlement, Shown, Target},
    jobs, leases, partly,
    past::Past,
    replies,
    run::{Run, Stop},
    schedule,
    showing::Look,
};

/// Runs a command that was understood.
pub(super) async fn run(run: &Run<'_>, command: Command) -> Result<(), Stop> {
    match command {
        Command::Help(topic) => answer(run, Reply::new(grammar::help(topic))).await,
        Command::Show(shown) => show(run, &shown).await,
        Command::List { filters, project } => list(run, &filters, project.as_deref()).await,
        Command::ListProjects => list_projects(run).await,
        Command::History(target) => history(run, target.as_ref()).await,
        Command::Diff { project, from, to } => between(run, project.as_deref(), from, to).await,
        Command::Review(number) => review_open(run, number).await,
        Command::Plan { target, how } => plan(run, &target, how.as_deref()).await,
        Command::New { title, goal: Some(goal) } => free::run(run, Aim::New, &format!("{title}\n\n{goal}")).await,
        Command::Edit { proposal, text } => free::refine(run, proposal, &text).await,
        Command::Accept { proposal, operations, rest: None } => accept(run, proposal, &operations).await,
        Command::Accept { proposal, operations, rest: Some(rest) } => partly::accept(run, proposal, &operations, &rest).await,
        Command::Reject { proposal, why } => reject(run, proposal, why.as_deref()).await,
        Command::Withdraw { proposal } => withdraw(run, proposal).await,
        Command::Comment { proposal, operation, text } => comment(run, proposal, operation, &text).await,
        Command::Resolve { proposal, conflict, settlement } => resolve(run, proposal, conflict, settlement).await,
        Command::Rebase { proposal } => rebase(run, proposal).await,
        Command::Undo { project, version } => undo(run, project.as_deref(), version, Last::Change).await,
        Command::Redo { project } => undo(run, project.as_deref(), None, Last::Undo).await,
        Command::Revert { project, version } => revert(run, project.as_deref(), version).await,
        Command::Log { minutes, task, note } => log(run, minutes, task.map(|task| task.to_string()), note.as_deref()).await,
        Command::Agents => leases::agents(run).await,
        Command::Lease(leasing) => leases::lease(run, &leasing).await,
        Command::Link { code } => link(run, code.as_deref()).await,
        Command::Schedule(scheduling) => schedule::run(run, &scheduling).await,
        Command::Jobs(working) => jobs::run(run, &working).await,
        Command::Bind { project } => bind(run, project.as_deref()).await,
        Command::Mute(noise) => hear(run, noise, true).await,
        Command::Unmute(noise) => hear(run, noise, false).await,
        Command::Subscribe { project, no_longer } => subscribe(run, &project, no_longer).await,
        change => apply(run, &change).await,
    }
}

/// Ends the command with words alone.
pub(super) async fn answer(run: &Run<'_>, reply: Reply) -> Result<(), Stop> {
    let tx = run.begin(None).await?;
    run.end(tx, reply.into()).await
}

pub(super) fn need(run: &Run<'_>, scope: Scope) -> Result<(), Stop> {
    if run.actor.may(scope) { Ok(()) } else { Err(replies::not_allowed(scope).into()) }
}

impl Run<'_> {
    /// The project that a command names, else the one that the conversation is about.
    async fn project(&self, conn: &mut db::Connection, name: Option<&str>) -> Result<ProjectRow, Stop> {
        let name = name.map(str::to_owned).or_else(|| self.command.project.map(|id| id.to_string()));
        let name = match name {
            Some(name) => name,
            None => self.only_project(&mut *conn).await?,
        };
        let row = plans::find_project(conn, &name).await?.filter(|row| self.actor.sees(row.project.id));
        row.ok_or_else(|| replies::no_project(&name).into())
    }

    /// Who has one project need not name it.
    async fn only_project(&self, conn: &mut db::Connection) -> Result<String, Stop> {
        let keys = plans::keys(conn, self.actor.project).await?;
        match keys.as_slice() {
            [one] => Ok(one.clone()),
            keys => Err(replies::which_project(keys).into()),
        }
    }

    pub(super) fn zone(&self) -> chrono_tz::Tz {
        self.actor.time_zone.parse().unwrap_or(chrono_tz::UTC)
    }

    pub(super) fn author(&self) -> Author<'_> {
        Author { handle: Some(&self.actor.handle), now: self.hub.ctx.now(), zone: self.zone(), focus: self.command.task }
    }

    fn refused(&self, refusal: &Refusal) -> Stop {
        replies::refused(refusal, &self.command.text).into()
    }

    pub(super) async fn read(&self) -> db::Result<Tx> {
        self.hub.db.read(self.actor.organization).await
    }
}

/// A command that changes a plan.
async fn apply(run: &Run<'_>, command: &Command) -> Result<(), Stop> {
    need(run, Scope::Apply)?;
    if let Command::New { .. } = command {
        return create(run, command).await;
    }
    // Everything from here on is under the project's lock.
    let (mut tx, row) = held(run, command.project()).await?;
    let before = workflow::around(&mut tx, &row, &named(command, run.command.task)).await?;
    let patch = effects::patch(command, &before, &run.author()).map_err(|refusal| run.refused(&refusal))?;
    let Some(patch) = patch else { return Err(replies::mistaken().into()) };
    let change = change(run, &mut tx, patch).await?;
    let waiting = plans::released(&mut tx, &change).await?;
    let reply = replies::applied(&before, &change, &waiting);
    run.end(tx, done(reply, &change)).await
}

async fn create(run: &Run<'_>, command: &Command) -> Result<(), Stop> {
    let mut tx = run.begin(None).await?;
    let blank = free::blank(run.actor.time_zone.clone(), std::collections::BTreeSet::new());
    let patch = effects::patch(command, &blank, &run.author()).map_err(|refusal| run.refused(&refusal))?;
    let Some(patch) = patch else { return Err(replies::mistaken().into()) };
    let change = change(run, &mut tx, patch).await?;
    // What is said next is about the new project.
    store::adopt(&mut tx, run.command.conversation, change.project.project.id).await?;
    run.end(tx, done(replies::created(&change), &change)).await
}

async fn change(run: &Run<'_>, conn: &mut db::Connection, patch: ProjectPatch) -> Result<Change, Stop> {
    let rules = Rules::of(run.actor.role);
    Ok(workflow::apply(conn, run.hub.ctx.as_ref(), Apply { actor: run.actor, patch, rules, origin: Origin::Command, proposal: None, reverts: None }).await?)
}

pub(super) fn done(reply: Reply, change: &Change) -> Outcome {
    Outcome { reply, project: Some(change.project.project.id), revision: Some(change.revision()), ..Outcome::default() }
}

/// The tasks that a command names, and the one that the conversation is about.
fn named(command: &Command, focus: Option<TaskId>) -> Vec<String> {
    let mut names: Vec<String> = command.tasks().map(ToString::to_string).collect();
    names.extend(focus.map(|focus| focus.to_string()));
    names
}

/// `plan WEB`, `plan WEB-7: how`
async fn plan(run: &Run<'_>, target: &Target, how: Option<&str>) -> Result<(), Stop> {
    let mut tx = run.read().await?;
    let row = run.project(&mut tx, Some(target.key())).await?;
    let id = row.project.id;
    let reference = match target {
        Target::Project(_) => None,
        Target::Task(reference) => Some(reference),
    };
    if let Some(reference) = reference {
        let plan = workflow::around(&mut tx, &row, &[reference.to_string()]).await?;
        tx.rollback().await?;
        let task = effects::find(&plan, reference).map_err(|refusal| run.refused(&refusal))?;
        let aim = Aim::Named(id, Some(task.id));
        return match how {
            Some(how) => free::run(run, aim, how).await,
            None => free::run_or_ask(run, aim, "break this down", replies::which_steps(&plan, task)).await,
        };
    }
    let aim = Aim::Named(id, None);
    if let Some(how) = how {
        tx.rollback().await?;
        return free::run(run, aim, how).await;
    }
    let plan = plans::load(&mut tx, &row).await?;
    tx.rollback().await?;
    // Of an empty project all that is known is what it is called and what is said of it.
    let message = if plan.is_empty() { goal(&plan) } else { "plan this".to_owned() };
    free::run_or_ask(run, aim, &message, replies::what_to_plan(&plan)).await
}

/// What an empty project is for, as its author would say it.
fn goal(plan: &Plan) -> String {
    let (title, summary) = (plan.project.title.trim(), plan.project.summary.trim());
    match summary.lines().count() {
        0 => format!("Plan {title}"),
        1 => format!("Plan {title}. {summary}"),
        _ => format!("Plan {title}:\n\n{summary}"),
    }
}

async fn show(run: &Run<'_>, shown: &Shown) -> Result<(), Stop> {
    let (name, task): (Option<String>, Option<String>) = match shown {
        Shown::Proposal(number) => return review_open(run, Some(*number)).await,
        Shown::Version { project, version } => return show_version(run, project, *version).await,
        Shown::Here => (None, run.command.task.map(|id| id.to_string())),
        Shown::Target(Target::Project(key)) => (Some(key.clone()), None),
        Shown::Target(Target::Task(reference)) => (Some(reference.key.clone()), Some(reference.to_string())),
    };
    let mut tx = run.read().await?;
    let row = run.project(&mut tx, name.as_deref()).await?;
    let plan = plans::load(&mut tx, &row).await?;
    tx.rollback().await?;
    let reply = match task {
        None => replies::project(&plan, &run.author()),
        Some(task) => match plan.find(&task) {
            Some(task) => replies::task(&plan, task, &run.author()),
            None => return Err(replies::no_task(&task, &plan.project.key).into()),
        },
    };
    answer(run, reply).await
}

/// `show WEB @5`
async fn show_version(run: &Run<'_>, project: &str, version: i32) -> Result<(), Stop> {
    let mut tx = run.hub.db.snapshot(run.actor.organization).await?;
    let row = run.project(&mut tx, Some(project)).await?;
    let revision = revisions::find(&mut tx, row.project.id, version).await?;
    let Some(revision) = revision else { return Err(replies::no_revision(&row.project.key, version, row.project.version).into()) };
    let plan = workflow::at(&mut tx, &row, version).await?;
    tx.rollback().await?;
    answer(run, replies::project_at(&plan, &revision, &run.author(), row.project.version)).await
}

async fn list(run: &Run<'_>, filters: &[ListFilter], project: Option<&str>) -> Result<(), Stop> {
    let mut tx = run.read().await?;
    let rows: Vec<ProjectRow> = match project.map(str::to_owned).or_else(|| run.command.project.map(|id| id.to_string())) {
        Some(name) => vec![run.project(&mut tx, Some(&name)).await?],
        None => plans::list_projects(&mut tx, run.actor.project, None, 200).await?.into_iter().map(|listed| listed.project).collect(),
    };
    let mut plans_found: Vec<Plan> = Vec::with_capacity(rows.len());
    for row in &rows {
        plans_found.push(plans::load(&mut tx, row).await?);
    }
    tx.rollback().await?;
    let reply = replies::list(&plans_found, filters, &run.author()).map_err(|refusal| run.refused(&refusal))?;
    answer(run, reply).await
}

async fn list_projects(run: &Run<'_>) -> Result<(), Stop> {
    let mut tx = run.read().await?;
    let listed = plans::list_projects(&mut tx, run.actor.project, None, 200).await?;
    tx.rollback().await?;
    answer(run, replies::projects(&listed)).await
}

async fn history(run: &Run<'_>, target: Option<&Target>) -> Result<(), Stop> {
    let mut tx = run.read().await?;
    let row = run.project(&mut tx, target.map(Target::key)).await?;
    let (name, revisions) = if let Some(Target::Task(reference)) = target {
        (reference.to_string(), revisions::list_of_task(&mut tx, row.project.id, &reference.to_string(), 20).await?)
    } else {
        (row.project.key.clone(), revisions::list(&mut tx, row.project.id, i32::MAX, 20).await?)
    };
    let past = Past::of(&mut tx, &row, revisions).await?;
    tx.rollback().await?;
    answer(run, replies::history(&name, &past, run.zone())).await
}

async fn between(run: &Run<'_>, project: Option<&str>, from: i32, to: Option<i32>) -> Result<(), Stop> {
    let mut tx = run.hub.db.snapshot(run.actor.organization).await?;
    let row = run.project(&mut tx, project).await?;
    let (key, newest) = (&row.project.key, row.project.version);
    let to = to.unwrap_or(newest);
    if to > newest || from >= to {
        return Err(replies::no_revision(key, to.max(from), newest).into());
    }
    let (before, after) = (workflow::at(&mut tx, &row, from).await?, workflow::at(&mut tx, &row, to).await?);
    let revisions = revisions::list_after(&mut tx, row.project.id, from, 20.min(i64::from(to - from))).await?;
    let past = Past::of(&mut tx, &row, revisions).await?;
    tx.rollback().await?;
    let diff = diff::diff(&before, &workflow::between(&before, &after));
    answer(run, replies::between(key, from, to, &diff, &past, run.zone())).await
}

/// The number that a command names, else that of the conversation's open proposal, else of the only open one.
pub(super) async fn proposal(run: &Run<'_>, conn: &mut db::Connection, number: Option<i32>) -> Result<i32, Stop> {
    if let Some(number) = number.or(run.command.on_proposal) {
        return Ok(number);
    }
    if let Some(open) = run.open_here(conn).await? {
        return Ok(open.number);
    }
    let project: Option<ProjectId> = run.command.project.or(run.actor.project);
    let open = review::store::list(conn, Filter { state: Some(State::Open), project, ..Filter::default() }, 6).await?;
    match open.as_slice() {
        [(one, _)] => Ok(one.number),
        open => Err(replies::which_proposal(open.iter().map(|(proposal, _)| proposal)).into()),
    }
}

async fn review_open(run: &Run<'_>, number: Option<i32>) -> Result<(), Stop> {
    let mut tx = run.read().await?;
    let Some(number) = number else {
        let project = run.command.project.or(run.actor.project);
        let open = review::store::list(&mut tx, Filter { state: Some(State::Open), project, ..Filter::default() }, 20).await?;
        tx.rollback().await?;
        return answer(run, replies::open_proposals(open.iter().map(|(proposal, _)| proposal))).await;
    };
    let found = review::store::find(&mut tx, number).await?.filter(|proposal| run.actor.project.is_none() || run.actor.project == proposal.project);
    let Some(found) = found else { return Err(replies::no_proposal(number).into()) };
    let revision = review::store::revision(&mut tx, found.id, found.revision).await?;
    tx.rollback().await?;
    let reply = if found.state == State::Open && run.is_beside() { replies::waits(&found, &revision) } else { replies::proposal(&found, &revision) };
    let mut tx = run.begin(None).await?;
    run.shows(&mut tx, &found, &revision).await?;
    run.end(tx, Outcome { reply, proposal: Some(number), ..Outcome::default() }).await
}

async fn accept(run: &Run<'_>, number: Option<i32>, operations: &grammar::Operations) -> Result<(), Stop> {
    need(run, Scope::Review)?;
    let mut tx = run.begin(None).await?;
    let number = proposal(run, &mut tx, number).await?;
    let chosen = chosen(&mut tx, number, operations).await?;
    let digest = match run.looked_at(&mut tx, number).await? {
        Look::Seen(digest) => digest,
        Look::First(draft, reply) => return show_instead(run, tx, &draft, reply).await,
    };
    let accepted = match review::accept(&mut tx, run.hub.ctx.as_ref(), run.actor, number, chosen.as_deref(), digest.as_deref()).await? {
        review::Verdict::Applied(accepted) => accepted,
        review::Verdict::Waits(waiting) => {
            return run
                .end(tx, Outcome { reply: replies::approved(&waiting), project: waiting.proposal.project, proposal: Some(number), ..Outcome::default() })
                .await;
        }
        review::Verdict::LookAgain(draft) => {
            let reply = replies::look_again(&draft);
            return show_instead(run, tx, &draft, reply).await;
        }
    };
    let reply = replies::accepted(&accepted);
    let outcome = Outcome { reply, project: accepted.proposal.project, proposal: Some(number), revision: accepted.proposal.applied_as, ..Outcome::default() };
    run.end(tx, outcome).await
}

/// The operations (from 1) that are meant, of a proposal that has so many.
pub(super) fn numbers(operations: &grammar::Operations, count: usize) -> Vec<i32> {
    operations.of(count).into_iter().filter_map(|index| i32::try_from(index).ok()).collect()
}

/// The operations of a proposal that are meant; `None`: all of them, whatever they are.
pub(super) async fn chosen(conn: &mut db::Connection, number: i32, operations: &grammar::Operations) -> Result<Option<Vec<i32>>, Stop> {
    match operations {
        grammar::Operations::All => Ok(None),
        some => {
            let found = review::store::find(&mut *conn, number).await?;
            let Some(found) = found else { return Err(replies::no_proposal(number).into()) };
            let count = review::store::revision(conn, found.id, found.revision).await?.patch.tasks.len();
            Ok(Some(numbers(some, count)))
        }
    }
}

async fn reject(run: &Run<'_>, number: Option<i32>, why: Option<&str>) -> Result<(), Stop> {
    let mut tx = run.begin(None).await?;
    let number = proposal(run, &mut tx, number).await?;
    let rejected = review::reject(&mut tx, run.hub.ctx.as_ref(), run.actor, number, why).await?;
    run.end(tx, Outcome { reply: replies::rejected(&rejected), proposal: Some(number), ..Outcome::default() }).await
}

async fn withdraw(run: &Run<'_>, number: Option<i32>) -> Result<(), Stop> {
    let mut tx = run.begin(None).await?;
    let number = proposal(run, &mut tx, number).await?;
    let withdrawn = review::withdraw(&mut tx, run.hub.ctx.as_ref(), run.actor, number).await?;
    run.end(tx, Outcome { reply: replies::withdrawn(&withdrawn), proposal: Some(number), ..Outcome::default() }).await
}

async fn comment(run: &Run<'_>, number: i32, operation: Option<usize>, text: &str) -> Result<(), Stop> {
    let mut tx = run.begin(None).await?;
    let operation = operation.and_then(|operation| i32::try_from(operation).ok());
    review::comment(&mut tx, run.hub.ctx.as_ref(), run.actor, number, text, operation).await?;
    run.end(tx, Outcome { reply: replies::commented(number, operation), proposal: Some(number), ..Outcome::default() }).await
}

/// Ends the command with a proposal to look at.
pub(super) async fn show_instead(run: &Run<'_>, mut tx: Tx, draft: &Draft, reply: Reply) -> Result<(), Stop> {
    run.shows(&mut tx, &draft.proposal, &draft.revision).await?;
    run.end(tx, Outcome { reply, project: draft.proposal.project, proposal: Some(draft.proposal.number), ..Outcome::default() }).await
}

async fn resolve(run: &Run<'_>, number: Option<i32>, conflict: usize, settlement: Settlement) -> Result<(), Stop> {
    need(run, Scope::Propose)?;
    let mut tx = run.begin(None).await?;
    let number = proposal(run, &mut tx, number).await?;
    let choice = match settlement {
        Settlement::Ours => Choice::Ours,
        Settlement::Theirs => Choice::Theirs,
        Settlement::Value(text) => {
            let Some(found) = review::store::find(&mut tx, number).await? else { return Err(replies::no_proposal(number).into()) };
            let revision = review::store::revision(&mut tx, found.id, found.revision).await?;
            let path = revision.conflicts.iter().find(|shown| shown.number == conflict).map_or("", |shown| shown.path.as_str());
            Choice::Value(effects::value(path, &text, &run.author()))
        }
    };
    let resolved = review::resolve(&mut tx, run.hub.ctx.as_ref(), run.actor, number, conflict, &choice).await?;
    let (draft, reply) = match resolved {
        Resolved::Settled(draft) => {
            let reply = replies::settled(&draft);
            (draft, reply)
        }
        Resolved::LookAgain(draft) => {
            let reply = replies::look_again(&draft);
            (draft, reply)
        }
    };
    show_instead(run, tx, &draft, reply).await
}

async fn rebase(run: &Run<'_>, number: Option<i32>) -> Result<(), Stop> {
    need(run, Scope::Propose)?;
    let mut tx = run.begin(None).await?;
    let number = proposal(run, &mut tx, number).await?;
    let draft = review::rebase(&mut tx, run.hub.ctx.as_ref(), run.actor, number).await?;
    let reply = replies::settled(&draft);
    show_instead(run, tx, &draft, reply).await
}

/// A project under its lock.
pub(super) async fn held(run: &Run<'_>, project: Option<&str>) -> Result<(Tx, ProjectRow), Stop> {
    let mut tx = run.read().await?;
    let row = run.project(&mut tx, project).await?;
    tx.rollback().await?;
    let name = row.project.id.to_string();
    let mut tx = run.begin(Some(&name)).await?;
    let row = run.project(&mut tx, Some(&name)).await?;
    Ok((tx, row))
}

/// Takes back a change, or what took one back. Where that would harm what came later it is proposed, with what clashes.
async fn undo(run: &Run<'_>, project: Option<&str>, version: Option<i32>, what: Last) -> Result<(), Stop> {
    need(run, Scope::Apply)?;
    let (mut tx, row) = held(run, project).await?;
    let (key, newest) = (&row.project.key, row.project.version);
    let number = match version {
        Some(number) => Some(number),
        None => review::last(&mut tx, &row, run.actor.member, what).await?,
    };
    let Some(number) = number else { return Err(replies::nothing_of_yours(key, newest, what).into()) };
    if !(1..=newest).contains(&number) {
        return Err(replies::no_revision(key, number, newest).into());
    }
    match review::take_back(&mut tx, run.hub.ctx.as_ref(), run.actor, &row, number).await? {
        TakenBack::Done(change) => run.end(tx, done(replies::undone(&change, number, what), &change)).await,
        TakenBack::Clashes(_) => {
            let draft = review::revert(&mut tx, run.hub.ctx.as_ref(), run.actor, &row, number, Some(run.command.conversation)).await?;
            let reply = replies::cannot_be_undone(&draft, number);
            show_instead(run, tx, &draft, reply).await
        }
    }
}

async fn revert(run: &Run<'_>, project: Option<&str>, number: i32) -> Result<(), Stop> {
    need(run, Scope::Propose)?;
    let (mut tx, row) = held(run, project).await?;
    if !(1..=row.project.version).contains(&number) {
        return Err(replies::no_revision(&row.project.key, number, row.project.version).into());
    }
    let draft = review::revert(&mut tx, run.hub.ctx.as_ref(), run.actor, &row, number, Some(run.command.conversation)).await?;
    let reply = replies::reverting(&draft, number);
    show_instead(run, tx, &draft, reply).await
}

/// `link`, `link CODE`
async fn link(run: &Run<'_>, code: Option<&str>) -> Result<(), Stop> {
    let mut tx = run.begin(None).await?;
    let ctx = run.hub.ctx.as_ref();
    let reply = match code {
        None => replies::link_code(&link::make(&mut tx, ctx, run.actor.organization, link::Maker::Member(run.actor.member)).await?),
        Some(code) => match link::said_by_member(&mut tx, ctx, run.actor, code).await? {
            Some((channel, sender)) => replies::linked_elsewhere(channel, &sender.name),
            None => return Err(replies::no_such_code().into()),
        },
    };
    run.end(tx, reply.into()).await
}

/// `mute …`, `unmute …`
async fn hear(run: &Run<'_>, noise: Option<Noise>, mute: bool) -> Result<(), Stop> {
    let mut tx = run.begin(None).await?;
    let mut preferences = preferences(run, &mut tx).await?;
    let name = match noise {
        None => {
            if !mute {
                preferences.mutes.clear();
                preferences.kinds = Kinds::default();
            }
            preferences.muted = mute;
            None
        }
        Some(Noise::Kind(kind)) => {
            *preferences.kinds.of_mut(kind) = if mute { How::Off } else { Kinds::default().of(kind) };
            Some(kind.title().to_owned())
        }
        Some(Noise::Project(key)) => {
            let key = run.project(&mut tx, Some(&key)).await?.project.key;
            name(&mut preferences.mutes, &key, mute);
            Some(key)
        }
        Some(Noise::Proposal(number)) => {
            let proposal = format!("#{number}");
            name(&mut preferences.mutes, &proposal, mute);
            Some(proposal)
        }
    };
    settle(run, tx, &mut preferences, replies::hears(name.as_deref(), mute)).await
}

/// `subscribe WEB`, `unsubscribe WEB`
async fn subscribe(run: &Run<'_>, project: &str, no_longer: bool) -> Result<(), Stop> {
    let mut tx = run.begin(None).await?;
    let key = run.project(&mut tx, Some(project)).await?.project.key;
    let mut preferences = preferences(run, &mut tx).await?;
    name(&mut preferences.subscriptions, &key, !no_longer);
    settle(run, tx, &mut preferences, replies::subscribed(&key, no_longer)).await
}

/// How the author wants to be told. Of whom nobody proved that it is them, nothing is changed; nor is it for a program.
async fn preferences(run: &Run<'_>, conn: &mut db::Connection) -> Result<Preferences, Stop> {
    if run.command.trust == Trust::Untrusted || run.actor.project.is_some() {
        return Err(replies::not_allowed(Scope::Admin).into());
    }
    Ok(notify::store::preferences(conn, run.actor.member).await?)
}

/// Puts a name on a list, or takes it off.
fn name(list: &mut Vec<String>, name: &str, is_on: bool) {
    list.retain(|other| other != name);
    if is_on {
        list.push(name.to_owned());
    }
}

async fn settle(run: &Run<'_>, mut tx: Tx, preferences: &mut Preferences, reply: Reply) -> Result<(), Stop> {
    if !preferences.tidy().is_empty() {
        return Err(replies::too_many_names().into());
    }
    notify::store::set_preferences(&mut tx, run.actor.organization, run.actor.member, preferences).await?;
    run.end(tx, reply.into()).await
}

/// `bind WEB|none`
async fn bind(run: &Run<'_>, project: Option<&str>) -> Result<(), Stop> {
    need(run, Scope::Apply)?;
    let mut tx = run.begin(None).await?;
    let row = match project {
        Some(key) => Some(run.project(&mut tx, Some(key)).await?),
        None => None,
    };
    let project = row.as_ref().map(|row| row.project.id);
    if !channel::store::bind(&mut tx, run.actor, run.command.conversation, project, run.hub.ctx.now()).await? {
        return Err(replies::no_room().into());
    }
    let key = row.as_ref().map_or("", |row| row.project.key.as_str());
    audit::store::append(&mut tx, run.hub.ctx.as_ref(), run.actor, "room.bound", key, &json!({ "channel": run.command.origin })).await?;
    run.end(tx, Outcome { reply: replies::bound(key), project, ..Outcome::default() }).await
}

async fn log(run: &Run<'_>, minutes: u32, task: Option<String>, note: Option<&str>) -> Result<(), Stop> {
    need(run, Scope::Apply)?;
    let Some(task) = task.or_else(|| run.command.task.map(|id| id.to_string())) else { return Err(replies::which_task().into()) };
    let mut tx = run.begin(None).await?;
    let key = patchbay_core::patch::Reference::parse(&task).map(|reference| reference.key);
    let row = run.project(&mut tx, key.as_deref()).await?;
    let plan = workflow::around(&mut tx, &row, std::slice::from_ref(&task)).await?;
    let reply = note_time(run, &mut tx, &plan, &task, minutes, note).await?;
    run.end(tx, Outcome { reply, project: Some(row.project.id), ..Outcome::default() }).await
}

/// Notes time spent on a task, by its id or reference.
pub(super) async fn note_time(run: &Run<'_>, conn: &mut db::Connection, plan: &Plan, task: &str, minutes: u32, note: Option<&str>) -> Result<Reply, Stop> {
    let minutes = i32::try_from(minutes).ok().filter(|minutes| (1..=10_080).contains(minutes)).ok_or_else(|| Stop::from(replies::too_long_a_time()))?;
    let Some(found) = plan.find(task) else { return Err(replies::no_task(task, &plan.project.key).into()) };
    let entry = TimeEntry {
        id: run.hub.ctx.uuid(),
        project: plan.project.id,
        task: found.id,
        member: run.actor.member,
        minutes,
        note: note.unwrap_or_default(),
        at: run.hub.ctx.now(),
    };
    plans::log_time(&mut *conn, run.actor.organization, &entry).await?;
    audit::store::append(&mut *conn, run.hub.ctx.as_ref(), run.actor, "task.time_logged", &plan.reference(found), &json!({ "minutes": minutes })).await?;
    let total = plans::logged_minutes(conn, found.id).await?;
    Ok(replies::logged(plan, found, minutes, total))
}
