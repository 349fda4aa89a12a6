//! What people read about a proposal that the plan has moved on from, and about taking back what has others on top.

use patchbay_core::{
    command::Reply,
    patch::rebase::{Conflict, Way},
    review::{Draft, Last, Proposal, Revision, State},
    tenancy::Trust,
};

use super::{count, decided_already, decisions, plain};
use crate::render;

/// The conflicts of a proposal, with the ways to settle the first.
fn conflicts(lead: &str, draft: &Draft) -> Reply {
    let number = draft.proposal.number;
    let conflicts = &draft.revision.conflicts;
    let list = render::clash::page(number, conflicts).markdown();
    let each = if conflicts.len() == 1 { "it" } else { "each" };
    settling(Reply::new(format!("{lead}\n\n{list}\nSettle {each} with `resolve #{number} 1 ours`, `theirs` or another value.")), number, conflicts)
}

/// What can be done about the first conflict.
fn settling(mut reply: Reply, number: i32, conflicts: &[Conflict]) -> Reply {
    let Some(first) = conflicts.first() else { return reply };
    for (way, label, word) in [(Way::Theirs, "As it is", "theirs"), (Way::Ours, "As proposed", "ours")] {
        if first.choices.contains(&way) {
            reply = reply.action(format!("{}: {label}", first.number), format!("resolve #{number} {} {word}", first.number));
        }
    }
    reply
}

/// What can be done about a proposal: it is decided, or what clashes is settled first.
fn next(reply: Reply, number: i32, revision: &Revision) -> Reply {
    if revision.conflicts.is_empty() {
        return decisions(reply, number);
    }
    settling(reply, number, &revision.conflicts).action("Reject", format!("reject #{number}"))
}

/// One proposal with its diff, and with what it clashes with.
pub fn proposal(proposal: &Proposal, revision: &Revision) -> Reply {
    let number = proposal.number;
    match proposal.state {
        State::Open | State::Draft => {
            let outside = if proposal.trust == Trust::Untrusted { " (from outside, unverified)" } else { "" };
            let shown = render::revision(number, revision).markdown();
            next(Reply::new(format!("**#{number}** {}{outside}\n\n{shown}", plain(&proposal.title))), number, revision)
        }
        _ => Reply::new(format!("{}\n\n{}", decided_already(proposal).text, render::markdown(&revision.diff))),
    }
}

/// One proposal that stands beside these words.
pub fn waits(proposal: &Proposal, revision: &Revision) -> Reply {
    let number = proposal.number;
    let text = if revision.conflicts.is_empty() {
        format!("**#{number}** waits for a decision.")
    } else {
        format!("**#{number}** has {} with what others did since; then it can be decided.", render::clash::count(&revision.conflicts))
    };
    next(Reply::new(text), number, revision)
}

/// It was to be accepted, but this conversation was not shown it as it is. `is_beside`: it stands beside these words.
pub fn look_first(draft: &Draft, was_shown: bool, is_beside: bool) -> Reply {
    let number = draft.proposal.number;
    let by = plain(&draft.revision.author);
    let why = if was_shown {
        format!("**#{number}** is not what you looked at any more: {by} changed it, and it is at revision {}.", draft.revision.revision)
    } else {
        format!("**#{number}** was not shown here yet.")
    };
    let shown = if is_beside { String::new() } else { format!("\n\n{}", render::markdown(&draft.revision.diff)) };
    decisions(Reply::new(format!("{why} Nothing has changed yet. Look at it, then accept it again.{shown}")), number)
}

/// An answer to something else, where a proposal of the conversation waits for its conflicts to be settled.
pub fn by_the_way(mut reply: Reply, waiting: &Draft) -> Reply {
    let number = waiting.proposal.number;
    reply.text = format!(
        "{}\n\n**#{number}** waits: it has {} with what others did since, and goes on when they are settled.",
        reply.text.trim_end(),
        render::clash::count(&waiting.revision.conflicts)
    );
    reply.action(format!("Show #{number}"), format!("review #{number}"))
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
        let text = format!("{} Nothing stands in its way.\n\n{}", rebased(draft), render::markdown(&draft.revision.diff));
        return decisions(Reply::new(text), draft.proposal.number);
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
