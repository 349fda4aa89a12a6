//! A proposal of which a part is accepted, while the rest is to be otherwise: `accept 1 and 3, 2 should be friday instead`.

use std::collections::{BTreeSet, HashMap};

use patchbay_agent::planner::Outcome as Planned;
use patchbay_core::{
    command::{Command, Outcome},
    patch::{ProjectPatch, TaskPatch, check::Rules},
    review::{self, Accepted, Draft, NewProposal, State, Verdict},
    tenancy::Scope,
    workflow,
};
use serde_json::Value;

use super::{
    explicit::{need, numbers, proposal, show_instead},
    free::{self, Aim},
    grammar::Operations,
    replies,
    run::{Run, Stop},
    showing::Look,
};

/// Accepts some operations and changes those that are left as the words say, in one transaction. The words speak of the proposal as
/// it is before; what is left becomes a proposal of its own, for an accepted one is closed.
pub(super) async fn accept(run: &Run<'_>, number: Option<i32>, operations: &Operations, words: &str) -> Result<(), Stop> {
    need(run, Scope::Review)?;
    let mut tx = run.hub.db.read(run.actor.organization).await?;
    let number = proposal(run, &mut tx, number).await?;
    let found = review::store::find(&mut tx, number).await?.filter(|proposal| run.actor.project.is_none() || run.actor.project == proposal.project);
    let found = found.ok_or_else(|| Stop::from(replies::no_proposal(number)))?;
    if found.state != State::Open {
        return Err(replies::decided_already(&found).into());
    }
    let count = review::store::revision(&mut tx, found.id, found.revision).await?.patch.tasks.len();
    tx.rollback().await?;
    let chosen = numbers(operations, count);
    if operations.of(count).len() >= count {
        return Err(replies::nothing_left(number, count, words).into());
    }
    let command = Command { on_proposal: Some(number), task: None, ..run.command.clone() };
    let thought = free::think(&Run { command: &command, ..*run }, Aim::Here, words).await?;

    let mut tx = run.begin(None).await?;
    thought.keep(run, &mut tx).await?;
    let digest = match run.looked_at(&mut tx, number).await? {
        Look::Seen(digest) => digest,
        Look::First(draft, reply) => return show_instead(run, tx, &draft, reply).await,
    };
    let (refined, say) = match thought.outcome {
        Ok(Planned::Patch { patch, say }) => (Some(*patch), say),
        Ok(Planned::Question(text) | Planned::Answer(text) | Planned::NotUnderstood { say: text, .. }) => (None, text),
        Err(reply) => (None, reply.text),
    };
    let verdict = review::accept(&mut tx, run.hub.ctx.as_ref(), run.actor, number, Some(&chosen), digest.as_deref()).await?;
    match verdict {
        Verdict::Applied(accepted) => {
            let rest = rest(&accepted, refined.as_ref());
            let draft = if rest.tasks.is_empty() { None } else { Some(open(run, &mut tx, rest, words).await?) };
            let reply = replies::accepted_in_part(&accepted, draft.as_ref(), &say, refined.is_some());
            let outcome = Outcome {
                reply,
                project: accepted.proposal.project,
                proposal: Some(draft.map_or(number, |draft| draft.proposal.number)),
                revision: accepted.proposal.applied_as,
                ..Outcome::default()
            };
            run.end(tx, outcome).await
        }
        // It stays open, and what was approved of it keeps the approval as long as it stays as it is.
        Verdict::Waits(waiting) => {
            let approved = replies::approved(&waiting);
            let Some(patch) = refined else {
                return run.end(tx, Outcome { reply: replies::and_then(approved, &say), proposal: Some(number), ..Outcome::default() }).await;
            };
            let mut outcome = free::propose(run, &mut tx, patch, &say, Some(waiting.proposal), &thought.context, words).await?;
            outcome.reply.text = format!("{}\n\n{}", approved.text, outcome.reply.text);
            run.end(tx, outcome).await
        }
        Verdict::LookAgain(draft) => {
            let reply = replies::look_again(&draft);
            show_instead(run, tx, &draft, reply).await
        }
    }
}

/// What was not accepted, as it is to be now. It names the tasks that the accepted part has made by their references.
fn rest(accepted: &Accepted, refined: Option<&ProjectPatch>) -> ProjectPatch {
    let Accepted { proposal, revision, change } = accepted;
    let Some(change) = change else { return ProjectPatch::default() };
    let chosen: BTreeSet<usize> = proposal.accepted.iter().flatten().filter_map(|operation| usize::try_from(operation - 1).ok()).collect();
    let done: Vec<&TaskPatch> = revision.patch.tasks.iter().enumerate().filter(|(index, _)| chosen.contains(index)).map(|(_, task)| task).collect();
    let called = |task: &TaskPatch, id| if let TaskPatch::Create(_) = task { change.plan.reference_of(id) } else { task.task_id().to_owned() };
    let made: HashMap<&str, String> = done.iter().zip(&change.applied.touched).map(|(task, id)| (task.task_id(), called(task, *id))).collect();
    let from = refined.unwrap_or(&revision.patch);
    let tasks = from.tasks.iter().filter(|task| !made.contains_key(task.task_id())).map(|task| renamed(task, &made)).collect();
    // What a proposal says of the project itself goes with the part that was accepted.
    ProjectPatch { project_id: Some(change.project.project.id.to_string()), tasks, base_version: None, meta_updates: None, ..from.clone() }
}

/// An operation that names other tasks as they are called now.
fn renamed(task: &TaskPatch, made: &HashMap<&str, String>) -> TaskPatch {
    fn rename(value: &mut Value, made: &HashMap<&str, String>) {
        match value {
            Value::String(name) => {
                if let Some(reference) = made.get(name.as_str()) {
                    reference.clone_into(name);
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| rename(value, made)),
            Value::Object(fields) => fields.values_mut().for_each(|value| rename(value, made)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut value = serde_json::to_value(task).expect("an operation is JSON");
    for field in ["parent_id", "after", "depends_on"] {
        if let Some(value) = value.get_mut("body").and_then(|body| body.get_mut(field)) {
            rename(value, made);
        }
    }
    serde_json::from_value(value).expect("an operation with other names is one")
}

async fn open(run: &Run<'_>, conn: &mut patchbay_core::db::Connection, patch: ProjectPatch, words: &str) -> Result<Draft, Stop> {
    let ctx = run.hub.ctx.as_ref();
    let proposed = workflow::check(&mut *conn, ctx, run.actor, patch, &Rules::of(run.actor.role)).await?.into();
    let new = NewProposal {
        actor: run.actor,
        proposed: &proposed,
        message: words,
        origin: &run.command.origin,
        trust: run.command.trust,
        conversation: Some(run.command.conversation),
    };
    let draft = review::open(&mut *conn, ctx, &new).await?;
    run.shows(conn, &draft.proposal, &draft.revision).await?;
    Ok(draft)
}
