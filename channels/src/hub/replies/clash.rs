//! What people read about a proposal that the plan has moved on from, and about taking back what has others on top.

use patchbay_core::{
    command::Reply,
    patch::rebase::{Conflict, Way},
    review::{Draft, Last},
};

use super::{count, decisions, plain};
use crate::render::{self, words};

/// `WEB-3 due`, or the task alone.
fn what(conflict: &Conflict) -> String {
    let field = conflict.path.split_once("/body/").map(|(_, field)| field).or_else(|| conflict.path.strip_prefix("/meta_updates/"));
    let Some((field, entry)) = field.map(|field| field.split_once('/').unwrap_or((field, ""))) else { return format!("**{}**", plain(&conflict.task)) };
    let entry = if entry.is_empty() { String::new() } else { format!(" ({})", plain(entry)) };
    format!("**{}** {}{entry}", plain(&conflict.task), words::field(field))
}

/// One conflict on one line: what it was, who made it what, and what the proposal wants.
fn line(conflict: &Conflict) -> String {
    let field = conflict.path.rsplit_once("/body/").map_or("", |(_, field)| field);
    let by = conflict.by.as_ref().map(|by| (plain(&by.actor), by.revision));
    if !conflict.choices.contains(&Way::Ours) || field.is_empty() || field.contains('/') {
        let by = by.map_or_else(String::new, |(actor, revision)| format!(" ({actor}, version {revision})"));
        return format!("{}. {}: {}{by}.", conflict.number, what(conflict), plain(&conflict.why));
    }
    let value = |value| plain(&words::value(field, value));
    let (actor, version) = by.map_or_else(|| ("somebody".to_owned(), String::new()), |(actor, revision)| (actor, format!(" in version {revision}")));
    format!(
        "{}. {}: it was {}; {actor} made it {}{version}; the proposal wants {}.",
        conflict.number,
        what(conflict),
        value(&conflict.base),
        value(&conflict.theirs),
        value(&conflict.ours)
    )
}

/// The conflicts of a proposal, with the ways to settle the first.
fn conflicts(lead: &str, draft: &Draft) -> Reply {
    let number = draft.proposal.number;
    let conflicts = &draft.revision.conflicts;
    let lines: Vec<String> = conflicts.iter().map(line).collect();
    let mut reply = Reply::new(format!(
        "{lead}\n\n{}\n\nSettle {} with `resolve #{number} 1 ours`, `theirs` or another value.",
        lines.join("\n"),
        if conflicts.len() == 1 { "it" } else { "each" }
    ));
    let Some(first) = conflicts.first() else { return reply };
    for (way, label, word) in [(Way::Theirs, "As it is", "theirs"), (Way::Ours, "As proposed", "ours")] {
        if first.choices.contains(&way) {
            reply = reply.action(format!("{}: {label}", first.number), format!("resolve #{number} {} {word}", first.number));
        }
    }
    reply
}

/// It cannot be accepted while it has conflicts.
pub fn conflicted(draft: &Draft) -> Reply {
    let found = count(draft.revision.conflicts.len(), "conflict", "conflicts");
    conflicts(&format!("**#{}** has {found} with what others did since. Nothing has changed yet.", draft.proposal.number), draft)
}

fn rebased(draft: &Draft) -> String {
    format!("**#{}** is at version {} of the plan: {}.", draft.proposal.number, draft.proposal.base_version, render::diff::counts(&draft.revision.diff.counts))
}

/// The plan has moved on, and what would be done is not what was shown.
pub fn look_again(draft: &Draft) -> Reply {
    let key = draft.proposal.project_key.as_deref().unwrap_or("The plan");
    if draft.revision.conflicts.is_empty() {
        let text = format!(
            "{key} has changed since you looked, and with it what **#{}** would do. Nothing has changed yet. Look again:\n\n{}",
            draft.proposal.number,
            render::markdown(&draft.revision.diff)
        );
        return decisions(Reply::new(text), draft.proposal.number);
    }
    let found = count(draft.revision.conflicts.len(), "place", "places");
    conflicts(&format!("{key} has changed since **#{}** was made, and they disagree in {found}. Nothing has changed yet.", draft.proposal.number), draft)
}

/// A conflict was settled, or the proposal was brought to the present.
pub fn settled(draft: &Draft) -> Reply {
    if draft.revision.conflicts.is_empty() {
        return decisions(Reply::new(format!("{} Nothing stands in its way.", rebased(draft))), draft.proposal.number);
    }
    conflicted(draft)
}

/// A change that was asked to be taken back has others on top that it would harm.
pub fn cannot_be_undone(draft: &Draft, number: i32) -> Reply {
    let key = draft.proposal.project_key.as_deref().unwrap_or("the plan");
    let lead = format!(
        "Version {number} of {key} cannot be taken back without harming what was done later. **#{}** proposes it; nothing has changed yet.",
        draft.proposal.number
    );
    conflicts(&lead, draft)
}

/// A proposal that takes a change back.
pub fn reverting(draft: &Draft, number: i32) -> Reply {
    if !draft.revision.conflicts.is_empty() {
        return cannot_be_undone(draft, number);
    }
    let text = format!("**#{}** takes version {number} back. Nothing has changed yet.\n\n{}", draft.proposal.number, render::markdown(&draft.revision.diff));
    decisions(Reply::new(text), draft.proposal.number)
}

/// Who asks has nothing to take back.
pub fn nothing_of_yours(key: &str, newest: i32, what: Last) -> Reply {
    match what {
        Last::Change => {
            Reply::new(format!("You have changed nothing in {key} that could be taken back. Name the version to take back a change of somebody else."))
                .action(format!("Undo version {newest}"), format!("undo {key} {newest}"))
                .action("Show history", format!("history {key}"))
        }
        Last::Undo => Reply::new(format!("You have taken nothing back in {key} that could be made again.")).action("Show history", format!("history {key}")),
    }
}
