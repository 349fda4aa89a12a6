//! Several commands in one message: one transaction and one change of one project, or decisions about several proposals; or none with the line that failed.

use patchbay_core::{
    command::{Outcome, Reply},
    db,
    patch::{
        Fault, ProjectPatch, TaskId,
        apply::{self, apply},
        check::{self, Rules},
        normalise,
        plan::Plan,
    },
    review::{self, Verdict},
    tenancy::Scope,
    workflow::{self, Apply, Origin, store as plans},
};

use super::{
    effects::{self, Refusal},
    explicit::{chosen, done, held, need, note_time},
    grammar::{Command, Line},
    replies::{self, several::Told},
    run::{Run, Stop},
    showing::Look,
};

/// Runs the commands of a message, each on the plan as those before it leave it.
pub(super) async fn run(run: &Run<'_>, lines: &[Line]) -> Result<(), Stop> {
    if lines.iter().all(|line| matches!(line.command, Command::Accept { .. } | Command::Reject { .. } | Command::Comment { .. })) {
        return decide(run, lines).await;
    }
    need(run, Scope::Apply)?;
    let project = one_project(run, lines)?;
    // Everything from here on is under the project's lock.
    let (mut tx, row) = held(run, project).await?;
    let before = plans::load(&mut tx, &row).await?;
    let mut after = before.clone();
    let mut told: Vec<Told> = Vec::with_capacity(lines.len());
    let mut notes: Vec<String> = Vec::new();
    for line in lines {
        let text = match &line.command {
            Command::Log { .. } => None,
            command => Some(step(run, line, command, &mut after, &mut notes)?),
        };
        told.push(Told { number: line.number, text: text.unwrap_or_default() });
    }
    let mut patch = apply::between(&before, &after);
    let changes = !patch.tasks.is_empty() || patch.meta_updates.is_some();
    let change = if changes {
        patch.project_id = Some(row.project.id.to_string());
        patch.note = (!notes.is_empty()).then(|| notes.join("; "));
        // Each line has passed the gates; what is recorded is what all of them come to.
        let rules = Rules { history: true, ..Rules::of(run.actor.role) };
        let request = Apply { actor: run.actor, patch, rules, origin: Origin::Command, proposal: None, reverts: None };
        Some(workflow::apply(&mut tx, run.hub.ctx.as_ref(), request).await?)
    } else if lines.iter().all(|line| matches!(line.command, Command::Log { .. })) {
        None
    } else {
        return Err(replies::several::come_to_nothing().into());
    };
    for (line, told) in lines.iter().zip(&mut told) {
        let Command::Log { minutes, task, note } = &line.command else { continue };
        let task = task.as_ref().map(ToString::to_string).or_else(|| run.command.task.map(|id| id.to_string()));
        let task = task.ok_or_else(|| refused(line, replies::which_task()))?;
        let logged = note_time(run, &mut tx, &after, &task, *minutes, note.as_deref()).await;
        told.text = logged.map_err(|stop| at_line(line, stop))?.text;
    }
    let Some(change) = change else {
        let reply = replies::several::logged(&told);
        return run.end(tx, Outcome { reply, project: Some(row.project.id), ..Outcome::default() }).await;
    };
    let waiting = plans::released(&mut tx, &change).await?;
    let reply = replies::several::applied(&told, &change, &waiting);
    run.end(tx, done(reply, &change)).await
}

/// Decides about several proposals, in the order of the lines: each as those before it leave the plans.
async fn decide(run: &Run<'_>, lines: &[Line]) -> Result<(), Stop> {
    if run.command.shown.is_some() {
        return Err(replies::several::shown_alone().into());
    }
    let mut tx = run.begin(None).await?;
    let numbers: Vec<i32> = lines.iter().filter_map(|line| number(&line.command)).collect();
    review::hold(&mut tx, &numbers).await?;
    let (mut told, mut actions, mut version): (Vec<Told>, _, _) = (Vec::with_capacity(lines.len()), Vec::new(), None);
    for line in lines {
        let (reply, applied_as) = decide_one(run, &mut tx, line).await.map_err(|stop| at_line(line, stop))?;
        told.push(Told { number: line.number, text: reply.text });
        actions.extend(reply.actions);
        version = applied_as.or(version);
    }
    let reply = Reply { actions, ..replies::several::decided(&told) };
    run.end(tx, Outcome { reply, revision: version, ..Outcome::default() }).await
}

/// Does what one line decides; the version that it led to.
async fn decide_one(run: &Run<'_>, conn: &mut db::Connection, line: &Line) -> Result<(Reply, Option<i32>), Stop> {
    let (ctx, actor) = (run.hub.ctx.as_ref(), run.actor);
    let proposal = number(&line.command).ok_or_else(|| Stop::from(replies::mistaken()))?;
    match &line.command {
        Command::Accept { operations, .. } => {
            need(run, Scope::Review)?;
            let chosen = chosen(&mut *conn, proposal, operations).await?;
            // What would be applied has to be seen first, and then it is not all of them.
            let Look::Seen(digest) = run.looked_at(&mut *conn, proposal).await? else { return Err(replies::several::look_first(proposal).into()) };
            match review::accept(conn, ctx, actor, proposal, chosen.as_deref(), digest.as_deref()).await? {
                Verdict::Applied(accepted) => Ok((replies::accepted(&accepted), accepted.proposal.applied_as)),
                Verdict::Waits(waiting) => Ok((replies::approved(&waiting), None)),
                Verdict::LookAgain(draft) => Err(replies::several::look_first(draft.proposal.number).into()),
            }
        }
        Command::Reject { why, .. } => Ok((replies::rejected(&review::reject(conn, ctx, actor, proposal, why.as_deref()).await?), None)),
        Command::Comment { operation, text, .. } => {
            let operation = operation.and_then(|operation| i32::try_from(operation).ok());
            review::comment(conn, ctx, actor, proposal, text, operation).await?;
            Ok((replies::commented(proposal, operation), None))
        }
        _ => Err(replies::mistaken().into()),
    }
}

/// The proposal that a line decides about.
const fn number(command: &Command) -> Option<i32> {
    match command {
        Command::Accept { proposal, .. } | Command::Reject { proposal, .. } => *proposal,
        Command::Comment { proposal, .. } => Some(*proposal),
        _ => None,
    }
}

/// The project that the lines are about, where one names it.
fn one_project<'a>(run: &'a Run<'_>, lines: &'a [Line]) -> Result<Option<&'a str>, Stop> {
    let about = |line: &'a Line| line.command.project();
    let Some((first, key)) = lines.iter().find_map(|line| Some((line, about(line)?))) else { return Ok(None) };
    if let Some((other, another)) = lines.iter().find_map(|line| Some((line, about(line)?)).filter(|(_, other)| *other != key)) {
        return Err(replies::several::two_projects((first, key), (other, another)).into());
    }
    // A line that names none is about what the conversation is about.
    match (lines.iter().find(|line| about(line).is_none()), run.command.project_key.as_deref()) {
        (Some(silent), Some(here)) if here != key => Err(replies::several::two_projects((silent, here), (first, key)).into()),
        _ => Ok(Some(key)),
    }
}

/// Does what a line says to the plan in memory; what that was, in words.
fn step(run: &Run<'_>, line: &Line, command: &Command, plan: &mut Plan, notes: &mut Vec<String>) -> Result<String, Stop> {
    let patch = effects::patch(command, plan, &run.author()).map_err(|refusal| corrected(run, line, &refusal))?;
    let patch: ProjectPatch = patch.ok_or_else(|| refused(line, replies::mistaken()))?;
    notes.extend(patch.note.clone());
    let faulty = |faults: Vec<Fault>| at_line(line, Stop::Faults(replies::faults(&faults), faults));
    let checked = check::check(plan, normalise::flatten(patch), &Rules::of(run.actor.role)).map_err(faulty)?;
    let before = plan.clone();
    let applied = apply(plan, &checked, || TaskId(run.hub.ctx.uuid()));
    // All lines together make one version.
    plan.project.version = before.project.version;
    if *plan == before {
        return Err(faulty(vec![workflow::unchanged()]));
    }
    Ok(replies::several::line(&before, plan, &applied.touched))
}

fn corrected(run: &Run<'_>, line: &Line, refusal: &Refusal) -> Stop {
    let reply = replies::several::failed(line, Reply::new(&refusal.message));
    let Some(corrected) = refusal.corrected(&line.text) else { return reply.into() };
    let message: Vec<&str> =
        run.command.text.lines().enumerate().map(|(index, text)| if index + 1 == line.number { corrected.as_str() } else { text }).collect();
    reply.action("Do it", message.join("\n")).into()
}

fn refused(line: &Line, reply: Reply) -> Stop {
    replies::several::failed(line, reply).into()
}

/// What stopped a line, told with the line.
fn at_line(line: &Line, stop: Stop) -> Stop {
    match stop {
        Stop::Refused(reply) => refused(line, reply),
        Stop::Faults(reply, faults) => {
            let of_text = |fault: Fault| Fault { path: "/text".into(), message: format!("line {}: {}", line.number, fault.message), ..fault };
            Stop::Faults(replies::several::failed(line, reply), faults.into_iter().map(of_text).collect())
        }
        stop => stop,
    }
}
