//! Ordinary edits: `combine the first two, and add documentation after the tests`.

mod clause;
mod fields;
mod shape;

use patchbay_core::patch::TaskId;

use super::{board::Board, subjects::Trouble, text};
use crate::planner::Outcome;

/// What a clause came to.
pub(super) type Done = Result<String, Stop>;

/// Why a clause changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It is an edit, but of something that is not there, or of too much.
    Trouble(Trouble),
    /// It is an edit that makes no sense, and why.
    Refused(String),
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// An edit: what it is asked with is read from the clause, and `None` says that the clause is something else.
type Edit = fn(&mut Board<'_>, &str) -> Option<Done>;

/// Tried in this order; the first that knows the clause has it.
const EDITS: [Edit; 17] = [
    fields::project,
    shape::combine,
    shape::swap,
    shape::split,
    fields::rename,
    shape::depend,
    fields::status,
    fields::assign,
    fields::shift,
    fields::due,
    fields::estimate,
    fields::priority,
    fields::label,
    shape::relocate,
    shape::remove,
    shape::add,
    fields::describe,
];

/// Does the edits of a message. `None`: there is none in it.
pub(super) fn run(board: &mut Board<'_>, message: &str) -> Option<Outcome> {
    let mut said = Vec::new();
    let mut question = None;
    let mut refused = None;
    for clause in clause::clauses(message) {
        let clause = text::request(clause);
        if text::courtesy(clause).is_some() {
            continue;
        }
        match EDITS.iter().find_map(|edit| edit(board, clause)) {
            Some(Ok(say)) => said.push(say),
            Some(Err(Stop::Trouble(Trouble::Ambiguous(asked)))) => {
                question.get_or_insert(asked);
            }
            Some(Err(Stop::Trouble(Trouble::Unknown(what)))) => {
                refused.get_or_insert(format!("I find no task like \"{}\"", text::quoted(&what)));
                board.missed.push(text::quoted(clause));
            }
            Some(Err(Stop::Refused(why))) => {
                refused.get_or_insert(why);
                board.missed.push(text::quoted(clause));
            }
            None => board.missed.push(text::quoted(clause)),
        }
    }
    // A question comes before half of an answer.
    if let Some(question) = question {
        return Some(Outcome::Question(question));
    }
    if said.is_empty() {
        let why = refused?;
        return Some(super::not_understood(board.context, board.focus, sentence(&[format!("{why}; nothing has changed")])));
    }
    let say = sentence(&said);
    let focus = board.focus;
    let finished = std::mem::replace(board, Board::new(board.context, focus));
    Some(finished.finish(say))
}

/// `a, b and c` with a capital and a full stop.
fn sentence(parts: &[String]) -> String {
    let joined = match parts {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        [only] => only.clone(),
        _ => String::new(),
    };
    let mut chars = joined.chars();
    let first: String = chars.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// What is said of a task in an answer.
fn called(board: &Board<'_>, target: &super::board::Target) -> String {
    format!("*{}*", super::subjects::named(board, target).replace('*', "\\*"))
}

/// The names of several.
fn all_called(board: &Board<'_>, targets: &[super::board::Target]) -> String {
    match targets {
        [only] => called(board, only),
        many if many.len() <= 3 => many.iter().map(|target| called(board, target)).collect::<Vec<_>>().join(" and "),
        many => format!("{} tasks", many.len()),
    }
}

/// The parent that a target has now, as the patch names it.
fn parent_of(board: &Board<'_>, target: &super::board::Target) -> Option<String> {
    use super::board::Target;
    match target {
        Target::New(name) => board.operations.iter().find_map(|operation| match operation {
            patchbay_core::patch::TaskPatch::Create(create) if create.task_id == *name => create.body.parent_id.clone(),
            _ => None,
        }),
        Target::Task(id) | Target::Operation(id) => {
            let parent: Option<TaskId> = board.context.plan.get(*id).and_then(|task| task.parent);
            parent.map(|id| board.context.plan.reference_of(id))
        }
    }
}
