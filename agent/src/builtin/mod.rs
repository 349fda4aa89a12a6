//! The built-in planner: ordinary edits, lists and goals by rules, without a model.
//!
//! A message is tried, in this order, as a greeting, a question about the plan, a list, a series of edits, a breakdown
//! of one task, and a goal. What it understands of a message it does; what it does not, it says. Its patches pass
//! the same gates as everybody's before anybody sees them.

mod attributes;
mod board;
mod edits;
mod items;
mod outlines;
mod questions;
mod steps;
mod subjects;
#[cfg(test)]
mod tests;
mod text;

use async_trait::async_trait;
use patchbay_core::patch::{Fault, ProjectPatch, TaskId, check, normalise};

use crate::planner::{Context, Failure, Mode, Outcome, Planned, Planner, Progress, ProgressSender};
use board::Board;

/// The most characters that the rules read; nobody types more.
const MAX_MESSAGE: usize = 100_000;
/// The most tasks that one message makes.
const MAX_TASKS: usize = 200;

/// Plans by rules. It knows nothing but what it is given, and the same message on the same plan gives the same patch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Builtin;

#[async_trait]
impl Planner for Builtin {
    fn name(&self) -> &'static str {
        "built-in rules"
    }

    // It has the whole plan and rules of its own for what a message names.
    fn looks_up(&self) -> bool {
        false
    }

    async fn get_diff(&self, mode: Mode, context: &Context, message: &str, progress: &ProgressSender) -> Result<Planned, Failure> {
        let understood = understand(mode, context, message);
        if let Outcome::Patch { patch, .. } = &understood.outcome {
            for operation in &patch.tasks {
                // Nobody may listen any more; the outcome counts.
                let _ = progress.send(Progress::Operation(Box::new(operation.clone())));
            }
        }
        Ok(Planned { outcome: understood.outcome, exchanges: Vec::new() })
    }
}

/// What the rules made of a message.
#[derive(Clone, Debug)]
pub struct Understood {
    pub outcome: Outcome,
    /// Only a general shape was filled in, for want of anything said in particular.
    pub is_guess: bool,
}

/// Reads a message. Pure.
pub fn understand(mode: Mode, context: &Context, message: &str) -> Understood {
    let focus = match mode {
        Mode::Project => None,
        Mode::Task(id) => Some(id),
    };
    let mut is_guess = false;
    let outcome = outcome(focus, context, message, &mut is_guess);
    Understood { outcome, is_guess }
}

fn outcome(focus: Option<TaskId>, context: &Context, message: &str, is_guess: &mut bool) -> Outcome {
    if message.chars().count() > MAX_MESSAGE {
        return not_understood(context, focus, format!("That is too long for me: I read at most {MAX_MESSAGE} characters. Send it in parts."));
    }
    let cleaned = text::clean(message);
    if let Some(answer) = text::courtesy(&cleaned) {
        return Outcome::Answer(answer);
    }
    let request = text::request(&cleaned);
    if let Some(answer) = questions::answer(context, focus, request) {
        return Outcome::Answer(answer);
    }
    let mut board = Board::new(context, focus);
    if let Some(list) = items::lines(&cleaned) {
        if list.items.len() > MAX_TASKS {
            return not_understood(context, focus, format!("That list has {} tasks; I take at most {MAX_TASKS} in one message.", list.items.len()));
        }
        let say = items::put(&mut board, &list);
        return board.finish(say);
    }
    if !board.is_new_project()
        && let Some(outcome) = steps::asked_of(&mut board, request)
    {
        // The usual steps of such work, which a model may know better.
        *is_guess = matches!(outcome, Outcome::Patch { .. });
        return outcome;
    }
    // Where nothing is there yet, there is nothing to edit.
    if (!board.is_new_project() || board.is_refining())
        && let Some(outcome) = edits::run(&mut board, request)
    {
        return outcome;
    }
    let mut board = Board::new(context, focus);
    if let Some(list) = items::sentence(request).filter(|_| !board.is_refining()) {
        let say = items::put(&mut board, &list);
        return board.finish(say);
    }
    if let Some(id) = focus.filter(|_| steps::is_asked(request)) {
        *is_guess = true;
        let say = steps::put(&mut board, &board::Target::Task(id));
        return board.finish(say);
    }
    if let Some(goal) = outlines::Goal::read(context, request).filter(|_| focus.is_none() && !board.is_refining()) {
        *is_guess = true;
        let say = outlines::put(&mut board, &goal);
        return board.finish(say);
    }
    not_understood(context, focus, format!("I did not understand \"{}\"; nothing has changed.", text::quoted(&cleaned)))
}

/// Says what was not understood, with messages that would work on this plan.
fn not_understood(context: &Context, focus: Option<TaskId>, say: String) -> Outcome {
    let mut examples = Vec::new();
    if let Some(draft) = &context.draft {
        let count = draft.patch.tasks.len();
        if count > 1 {
            examples.push("combine the first two".to_owned());
        }
        examples.push(format!("rename {} to Something clearer", count.max(1)));
        examples.push("add documentation after 1".to_owned());
        examples.push(format!("set the due date of {} to friday", count.max(1)));
    } else if let Some(task) = focus.and_then(|id| context.plan.get(id)) {
        examples.push("break this down".to_owned());
        examples.push("split it into design, build and test".to_owned());
        examples.push(format!("set the due date of {} to friday", context.plan.reference(task)));
    } else if let Some(task) = context.plan.walk().first().map(|(_, task)| *task) {
        let reference = context.plan.reference(task);
        examples.push("add a task for documentation".to_owned());
        examples.push(format!("mark {reference} as done"));
        examples.push(format!("set the due date of {reference} to friday"));
        examples.push("what is left?".to_owned());
    } else {
        examples.push("Build a new sign-in flow. We need the schema, the form, password reset by mail, and tests.".to_owned());
        examples.push("Organise the summer party by 20 June".to_owned());
    }
    Outcome::NotUnderstood { say, examples }
}

/// Holds a patch against the gates, as whoever applies it will.
fn check(context: &Context, patch: &ProjectPatch) -> Result<(), Vec<Fault>> {
    check::check(&context.plan, normalise::flatten(patch.clone()), &context.rules).map(|_| ())
}
