//! What is said about several commands in one message.

use patchbay_core::{
    command::Reply,
    patch::{TaskId, plan::Plan},
    workflow::{Change, store::Released},
};

use super::{count, freed, told, undo};
use crate::hub::grammar::Line;

/// What one line did.
pub struct Told {
    /// From 1, as it stands in the message.
    pub number: usize,
    /// Markdown.
    pub text: String,
}

/// What one line did to a plan.
pub fn line(before: &Plan, after: &Plan, touched: &[TaskId]) -> String {
    let told = told(before, after, touched);
    if told.is_empty() { format!("**{}** itself is changed.", after.project.key) } else { told.join(" ") }
}

fn list(told: &[Told]) -> String {
    told.iter().map(|told| format!("- Line {}: {}", told.number, told.text)).collect::<Vec<_>>().join("\n")
}

/// Lines that took effect together.
pub fn applied(told: &[Told], change: &Change, released: &[Released]) -> Reply {
    let key = &change.project.project.key;
    let text = format!("{}, one change: **{key}** is at version {}.\n\n{}", count(told.len(), "command", "commands"), change.revision(), list(told));
    let freed = freed(released);
    undo(Reply::new(if freed.is_empty() { text } else { format!("{text}\n\n{}", freed.trim_start()) }), change)
}

/// Lines that noted time, and changed no plan.
pub fn logged(told: &[Told]) -> Reply {
    Reply::new(list(told))
}

/// Lines that decided about proposals.
pub fn decided(told: &[Told]) -> Reply {
    Reply::new(list(told))
}

/// What somebody looked at is one proposal, and they decide about several.
pub fn shown_alone() -> Reply {
    Reply::new("What you answer shows one proposal: decide about that one alone. About several you decide in a message of its own. Nothing was changed.")
}

/// What a line would apply is not what was proposed.
pub fn look_first(number: i32) -> Reply {
    Reply::new(format!("#{number} is another one now, because the plan has changed: look at it before you accept it."))
        .action(format!("Show #{number}"), format!("review #{number}"))
}

/// One line failed, and so all of them.
pub fn failed(line: &Line, reply: Reply) -> Reply {
    let end = if reply.text.starts_with("Nothing was changed") { "" } else { " Nothing was changed." };
    Reply { text: format!("{}: {}{end}", line.named(), reply.text), ..reply }
}

pub fn come_to_nothing() -> Reply {
    Reply::new("These lines take each other back: all of them together change nothing. Nothing was changed.")
}

/// Two lines, each with the project that it is about.
pub fn two_projects((line, key): (&Line, &str), (other, another): (&Line, &str)) -> Reply {
    Reply::new(format!(
        "{} is about {key}, and line {} about {another}. Several commands in one message are one change of one project: send those of each project in a message of its own. Nothing was changed.",
        line.named(),
        other.number
    ))
}
