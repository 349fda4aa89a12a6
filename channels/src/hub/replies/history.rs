//! What people read about what happened: who changed what, when, and from what to what.

use chrono_tz::Tz;
use patchbay_core::{command::Reply, patch::diff::Diff};

use super::{count, moment, plain};
use crate::{
    hub::past::{Happened, Kind, Past},
    render::{self, words},
};

/// `**Version 8**, 30 Nov 12:00, ana's #9, accepted by owner: …`
fn line(happened: &Happened, zone: Tz) -> String {
    let revision = &happened.revision;
    let actor = plain(&revision.actor);
    let who = match (revision.proposal, &happened.author) {
        (Some(number), Some(author)) if *author != revision.actor => format!("{}'s #{number}, accepted by {actor}", plain(author)),
        (Some(number), _) => format!("{actor}, #{number}"),
        (None, _) => actor,
    };
    format!("- **Version {}**, {}, {who}: {}", revision.number, moment(revision.at, zone), what(happened))
}

fn what(happened: &Happened) -> String {
    let diff = &happened.diff;
    let mut told: Vec<String> = Vec::new();
    if happened.revision.number == 1 {
        told.push("the project is made".to_owned());
    } else if !diff.project_changes.is_empty() {
        let fields: Vec<String> = diff.project_changes.iter().map(|change| words::field(&change.field).to_owned()).collect();
        told.push(format!("the project's {}", words::list(&fields)));
    }
    told.extend(diff.entries.iter().map(|entry| render::diff::told(diff, entry)));
    let more = happened.operations.saturating_sub(diff.entries.len());
    if more > 0 {
        told.push(format!("and {}", count(more, "more change", "more changes")));
    }
    let told = told.join("; ");
    match (happened.kind, &happened.note) {
        (Kind::Undo(number), _) => format!("undo of version {number}: {told}"),
        (Kind::Redo(number), _) => format!("redo of version {number}: {told}"),
        (Kind::Change, Some(note)) => format!("{told} ({})", plain(note)),
        (Kind::Change, None) => told,
    }
}

fn lines(past: &Past, zone: Tz) -> String {
    past.0.iter().map(|happened| line(happened, zone)).collect::<Vec<_>>().join("\n")
}

pub fn history(name: &str, past: &Past, zone: Tz) -> Reply {
    if past.0.is_empty() {
        return Reply::new(format!("Nothing has happened to {name} yet."));
    }
    Reply::new(format!("What happened to {name}, newest first:\n\n{}", lines(past, zone)))
}

/// What lies between two versions, and who did it.
pub fn between(key: &str, from: i32, to: i32, diff: &Diff, past: &Past, zone: Tz) -> Reply {
    let more = usize::try_from(to - from).unwrap_or_default().saturating_sub(past.0.len());
    let more = if more == 0 { String::new() } else { format!("\n- and {}", count(more, "more change", "more changes")) };
    Reply::new(format!("**{key}** from version {from} to {to}:\n\n{}\n\n{}{more}", render::markdown(diff), lines(past, zone)))
}
