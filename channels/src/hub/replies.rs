//! Everything that people read, in one place: what happened, to what, and what can be done next. Markdown, for any channel.

mod changed;
mod clash;
pub mod collab;
mod history;
mod jobs;
mod letter;
mod schedules;
pub mod several;
mod thread;

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use patchbay_core::{
    channel::{Channel, received::ReceivedFile},
    command::{FromThread, Reply},
    patch::{
        Fault, TaskId,
        diff::{Diff, Entry, Op},
        plan::{Plan, Task},
        process::StepKind,
    },
    review::{Accepted, Draft, Last, Proposal, State, Waiting},
    tenancy::Scope,
    workflow::{
        Change, Since,
        revision::store::Revision,
        store::{Listed, Released},
    },
};

use super::{
    effects::{Author, Refusal},
    grammar::{Filter, Mistake},
};
use crate::render::{self, escape::markdown as plain, words};

pub use history::{between, history};
pub use letter::{Piece, letter};

pub use clash::{by_the_way, cannot_be_undone, conflicted, look_again, look_first, nothing_of_yours, proposal, reverting, settled, waits};
pub use jobs::{
    does_not_fit, job, job_begun, job_retried, job_stopped, jobs, jobs_are_of_all, no_job, no_preset, not_to_retry, not_to_stop, not_your_job, not_your_tool,
    presets, which_job,
};
pub use schedules::{no_schedule, not_your_schedule, schedule_deleted, schedule_paused, scheduled, schedules, too_many_schedules};
pub use thread::{no_thread, thread_unread};

/// "1 task", "2 tasks".
fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// A task as people know it: `WEB-7 Title`.
fn named(plan: &Plan, task: &Task) -> String {
    format!("**{}** {}", plan.reference(task), plain(&task.title))
}

fn undo(reply: Reply, change: &Change) -> Reply {
    let key = &change.project.project.key;
    reply.action("Undo", format!("undo {key} {}", change.revision()))
}

/// A reply as it goes where people keep it: with the receipt below.
pub fn with_receipt(reply: &Reply) -> Reply {
    let mut reply = reply.clone();
    if let Some(receipt) = &reply.receipt {
        let _ = write!(reply.text, "\n\nReceipt {receipt}");
    }
    reply
}

// What went wrong

/// A command that was mistyped.
pub fn mistake(mistake: &Mistake) -> Reply {
    let mut reply = Reply::new(&mistake.message);
    for suggestion in &mistake.suggestions {
        reply = reply.action("Do it", suggestion);
    }
    reply
}

/// A command that cannot be done to this plan.
pub fn refused(refusal: &Refusal, line: &str) -> Reply {
    let reply = Reply::new(&refusal.message);
    match refusal.corrected(line) {
        Some(corrected) => reply.action("Do it", corrected),
        None => reply,
    }
}

/// Faults that the gates found.
pub fn faults(faults: &[Fault]) -> Reply {
    let tell = |fault: &Fault| {
        let mut text = plain(&sentence(&fault.message));
        if let Some(expected) = &fault.expected {
            let _ = write!(text, " Expected: {}.", plain(expected));
        }
        if let Some(fix) = &fault.fix {
            let _ = write!(text, " {}", plain(&sentence(fix)));
        }
        text
    };
    match faults {
        [one] => Reply::new(tell(one)),
        many => Reply::new(format!(
            "Nothing was changed, because of {} things:\n\n{}",
            many.len(),
            many.iter().map(|fault| format!("- {}", tell(fault))).collect::<Vec<_>>().join("\n")
        )),
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if text.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

pub fn no_project(name: &str) -> Reply {
    Reply::new(format!("There is no project {}.", plain(name))).action("Show projects", "list projects")
}

pub fn no_task(name: &str, key: &str) -> Reply {
    Reply::new(format!("{key} has no task {}.", plain(name))).action(format!("Show {key}"), format!("show {key}"))
}

pub fn no_proposal(number: i32) -> Reply {
    Reply::new(format!("There is no proposal #{number}.")).action("Show open proposals", "review")
}

pub fn no_revision(key: &str, number: i32, newest: i32) -> Reply {
    Reply::new(format!("{key} has no version {number}; it is at version {newest}.")).action("Show history", format!("history {key}"))
}

pub fn which_project(keys: &[String]) -> Reply {
    if keys.is_empty() {
        return Reply::new("There is no project yet. Tell me what you want to achieve, and I propose a plan.");
    }
    Reply::new(format!("Which project? There are {}.", keys.join(", ")))
}

pub fn which_task() -> Reply {
    Reply::new("Which task? Name it, for example `log 2h WEB-7`.")
}

pub fn which_proposal<'a>(open: impl Iterator<Item = &'a Proposal>) -> Reply {
    let open: Vec<&Proposal> = open.collect();
    if open.is_empty() {
        return Reply::new("No proposal is open.");
    }
    let mut reply = Reply::new(format!("Which proposal? Open are:\n\n{}", open.iter().map(|proposal| line(proposal)).collect::<Vec<_>>().join("\n")));
    for proposal in open {
        reply = reply.action(format!("Show #{}", proposal.number), format!("review #{}", proposal.number));
    }
    reply
}

pub fn stale(project: &str, base: i32, version: i32, since: &[Since]) -> Reply {
    let changes: Vec<String> = since
        .iter()
        .map(|since| {
            let what = since.note.as_deref().map_or_else(|| since.tasks.join(", "), plain);
            format!("- version {} by {}: {what}", since.revision, plain(&since.actor))
        })
        .collect();
    let list = if changes.is_empty() { String::new() } else { format!("\n\n{}", changes.join("\n")) };
    Reply::new(format!("This was made for version {base} of {project}, which is at version {version} now. Nothing was changed. Since then:{list}"))
        .action(format!("Show {project}"), format!("show {project}"))
}

pub fn decided_already(proposal: &Proposal) -> Reply {
    let by = proposal.decided.as_ref().map_or_else(String::new, |decided| format!(" by {}", plain(&decided.by)));
    let became = match (&proposal.project_key, proposal.applied_as) {
        (Some(key), Some(version)) => format!(" It became version {version} of {key}."),
        _ => String::new(),
    };
    Reply::new(format!("#{} is {} already{by}.{became}", proposal.number, proposal.state.as_str()))
}

/// One line under a copy of a proposal that is decided.
pub fn decided(proposal: &Proposal, operations: usize) -> String {
    let by = proposal.decided.as_ref().map_or_else(String::new, |decided| format!(" by @{}", plain(&decided.by)));
    let why = proposal.decided.as_ref().and_then(|decided| decided.reason.as_deref()).map_or_else(String::new, |why| format!(": {}", plain(why)));
    match (proposal.state, &proposal.project_key, proposal.applied_as) {
        (State::Applied, Some(key), Some(version)) => {
            let chosen = proposal.accepted.as_ref().map_or(operations, Vec::len);
            let part = if chosen < operations { format!(" {chosen} of {operations} changes") } else { String::new() };
            format!("Accepted{part}{by} as version {version} of {key}")
        }
        (state, ..) => {
            let word = state.as_str();
            format!("{}{}{by}{why}", word[..1].to_uppercase(), &word[1..])
        }
    }
}

pub fn still_waits(proposal: &Proposal, days: i64) -> Reply {
    let days = count(usize::try_from(days).unwrap_or_default(), "day", "days");
    Reply::new(format!("#{} {} has waited for a decision for {days}.", proposal.number, plain(&proposal.title)))
        .action("Show it", format!("review #{}", proposal.number))
}

pub fn expired(proposal: &Proposal, days: i64) -> Reply {
    let days = count(usize::try_from(days).unwrap_or_default(), "day", "days");
    Reply::new(format!(
        "#{} {} is over: nobody decided it for {days}. Nothing was changed; say it again where it is still wanted.",
        proposal.number,
        plain(&proposal.title)
    ))
}

pub fn too_many(wait: std::time::Duration) -> Reply {
    Reply::new(format!("That was more than I take at a time. Say it again in {}; this one was not done.", seconds(wait)))
}

/// Something that is done later, for being more than is taken at a time.
pub fn waits_its_turn(wait: std::time::Duration) -> Reply {
    Reply::new(format!("That was more than I take at a time: this one waits its turn. I do it in about {}, and answer then.", seconds(wait)))
}

fn seconds(wait: std::time::Duration) -> String {
    count(usize::try_from(wait.as_secs()).unwrap_or(usize::MAX), "second", "seconds")
}

pub fn introduce_yourself(channel: Channel, code: &str, url: &str) -> Reply {
    Reply::new(format!(
        "I do not know yet who you are on {}. Open {url}/link?code={code} where you are signed in, within ten minutes, and say it again. \
         Or write `link` in the web chat, and here what it answers.",
        channel.title()
    ))
}

pub fn linked(handle: &str, channel: Channel) -> Reply {
    Reply::new(format!("You are @{} on {} from now on. Say what you want to achieve, or `help`.", plain(handle), channel.title())).action("Help", "help")
}

pub fn linked_elsewhere(channel: Channel, name: &str) -> Reply {
    Reply::new(format!("{} on {} is you from now on.", plain(name), channel.title()))
}

pub fn link_code(code: &str) -> Reply {
    Reply::new(format!("Write `link {code}` to me in Slack, Discord or by mail within ten minutes: then I know you there."))
}

pub fn no_such_code() -> Reply {
    Reply::new("There is no such code any more: a code holds for ten minutes and once. `link` makes a new one.").action("New code", "link")
}

pub fn bound(key: &str) -> Reply {
    Reply::new(if key.is_empty() { "This room is about no project any more.".to_owned() } else { format!("This room is about {key} from now on.") })
}

/// `what` is named as people name it; none: everything.
pub fn hears(what: Option<&str>, is_muted: bool) -> Reply {
    let undo = if is_muted { "unmute" } else { "mute" };
    let (text, command) = match (what, is_muted) {
        (None, true) => ("You hear nothing from me any more but what you ask for.".to_owned(), undo.to_owned()),
        (None, false) => ("You hear of everything that concerns you again.".to_owned(), undo.to_owned()),
        (Some(what), true) => (format!("You hear no more of {what}."), format!("{undo} {what}")),
        (Some(what), false) => (format!("You hear of {what} again."), format!("{undo} {what}")),
    };
    Reply::new(text).action("Undo", command)
}

pub fn subscribed(key: &str, no_longer: bool) -> Reply {
    if no_longer {
        return Reply::new(format!("Of {key} you hear what concerns you, and no more.")).action("Undo", format!("subscribe {key}"));
    }
    Reply::new(format!("You hear of all that happens in {key}.")).action("Undo", format!("unsubscribe {key}"))
}

pub fn too_many_names() -> Reply {
    Reply::new("You have named 200 already: `unmute` some of them.")
}

pub fn no_room() -> Reply {
    Reply::new("There is no room here to bind: say it in a Slack or Discord channel.")
}

pub fn refined_since(number: i32, revision: i32) -> Reply {
    Reply::new(format!("#{number} was refined since you looked: it is at revision {revision}. Look again and decide."))
        .action("Show it", format!("review #{number}"))
}

pub fn not_allowed(scope: Scope) -> Reply {
    Reply::new(match scope {
        Scope::Apply => "You may propose changes here, but not make them at once. Say it in your own words, and I propose it.",
        Scope::Review => "You may read and propose here, but not decide: ask a member.",
        Scope::Propose => "You may read here, but not propose changes: ask a member.",
        Scope::Read | Scope::Admin => "You may not do this here.",
    })
}

pub fn ours(id: &str) -> Reply {
    Reply::new(format!("Something went wrong on our side. Nothing was changed. The log says more under {id}."))
}

pub fn mistaken() -> Reply {
    Reply::new("I cannot do this here. `help` shows what I know.").action("Help", "help")
}

pub fn too_long_a_time() -> Reply {
    Reply::new("One entry has 1 minute to 7 days. Log it in parts, for example `log 2h WEB-7`.")
}

/// An answer that also says what of the files that came with the question is kept.
pub fn with_files(reply: &Reply, files: &[ReceivedFile]) -> Reply {
    let lines = files.iter().map(|file| {
        let name = format!("{} ({})", render::escape::code(&file.name), words::bytes(file.size_bytes));
        match &file.problem {
            None => format!("- {name} is kept with this."),
            Some(problem) => format!("- {name} is not kept: {}.", plain(problem)),
        }
    });
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() { reply.clone() } else { Reply { text: format!("{}\n\n{}", reply.text, lines.join("\n")), ..reply.clone() } }
}

// Planners

pub fn unreachable(why: &str) -> Reply {
    Reply::new(format!("The model does not answer: {}. Nothing has changed; say it again later, or use a command.", plain(why))).action("Help", "help")
}

pub fn unusable(found: &[Fault]) -> Reply {
    let first: Vec<String> = found.iter().take(3).map(|fault| format!("- {}", plain(&fault.to_string()))).collect();
    Reply::new(format!("The model's answer did not fit the plan, also after two repairs. Nothing has changed. What was wrong:\n\n{}", first.join("\n")))
}

pub fn model_refused(why: &str) -> Reply {
    Reply::new(format!("The model refused: {} Nothing has changed.", plain(why)))
}

/// `plan WEB`, where neither the project nor the command says enough.
pub fn what_to_plan(plan: &Plan) -> Reply {
    let key = &plan.project.key;
    let title = plain(&plan.project.title);
    if plan.is_empty() {
        return Reply::new(format!("What is to be done in **{key}** {title}? Say it behind the command, as `plan {key} the schema, the form, and tests`."));
    }
    let first = plan.walk().first().map_or_else(String::new, |(_, task)| format!(", or break a task down, as `plan {}`", plan.reference(task)));
    Reply::new(format!(
        "**{key}** {title} has {}. What is to be planned in it? Say it behind the command, as `plan {key} the documentation, and a release`{first}.",
        count(plan.len(), "task", "tasks")
    ))
    .action(format!("Show {key}"), format!("show {key}"))
}

/// `plan WEB-7`, where no steps come to mind.
pub fn which_steps(plan: &Plan, task: &Task) -> Reply {
    let reference = plan.reference(task);
    Reply::new(format!("Which steps does {} have? Say them behind the command, as `plan {reference} design, build and test`.", named(plan, task)))
        .action(format!("Show {reference}"), format!("show {reference}"))
}

pub fn not_understood(say: &str, examples: &[String]) -> Reply {
    let mut reply = Reply::new(say);
    for example in examples.iter().take(4) {
        reply = reply.action(example, example);
    }
    reply
}

fn decisions(reply: Reply, number: i32) -> Reply {
    reply.action("Accept all", format!("accept #{number}")).action("Reject", format!("reject #{number}"))
}

/// A new proposal.
pub fn proposed(proposal: &Proposal, diff: &Diff, say: &str, from: Option<&FromThread>) -> Reply {
    let (from, known) = thread::source(from);
    let on = proposal.project_key.as_ref().map_or_else(|| format!("for a new project, *{}*", plain(&diff.project_title)), |key| format!("on {key}"));
    let outline = plain(&render::diff::outline(diff));
    decisions(Reply::new(format!("{say}\n\n**#{}** {on}{from}: {outline}. Nothing has changed yet.{known}", proposal.number)), proposal.number)
}

/// How far a planner is, with the last of what it has so far.
pub fn working(shown: &[Entry]) -> Reply {
    if shown.is_empty() {
        return Reply::new("I am working on it. The answer takes the place of this, or follows it.");
    }
    let mut text =
        format!("I am working on it. So far it is {}; the answer takes the place of this, or follows it.\n", count(shown.len(), "change", "changes"));
    let before = shown.len().saturating_sub(NEWEST);
    if before > 0 {
        let _ = write!(text, "\n- *{before} more*");
    }
    for entry in &shown[before..] {
        let verb = match entry.op {
            Op::Create => "add",
            Op::Update => "change",
            Op::Delete => "delete",
        };
        let _ = write!(text, "\n- {verb} **{}**", plain(&entry.title));
    }
    Reply::new(text)
}

/// How many changes are shown while more are made.
const NEWEST: usize = 10;

/// A refined one.
pub fn refined(proposal: &Proposal, diff: &Diff, say: &str, from: Option<&FromThread>) -> Reply {
    let (from, known) = thread::source(from);
    decisions(
        Reply::new(format!(
            "{say}\n\n**#{}** is at revision {}{from}: {}. Nothing has changed yet.{known}",
            proposal.number,
            proposal.revision,
            plain(&render::diff::outline(diff))
        )),
        proposal.number,
    )
}

// Reviews

fn line(proposal: &Proposal) -> String {
    let on = proposal.project_key.as_deref().unwrap_or("a new project");
    format!("- **#{}** on {on}: {} ({})", proposal.number, plain(&proposal.title), plain(&proposal.author))
}

pub fn open_proposals<'a>(open: impl Iterator<Item = &'a Proposal>) -> Reply {
    let open: Vec<&Proposal> = open.collect();
    if open.is_empty() {
        return Reply::new("Nothing waits for a decision.");
    }
    let mut reply = Reply::new(format!(
        "{} open:\n\n{}",
        count(open.len(), "proposal is", "proposals are"),
        open.iter().map(|proposal| line(proposal)).collect::<Vec<_>>().join("\n")
    ));
    for proposal in open.iter().take(5) {
        reply = reply.action(format!("Show #{}", proposal.number), format!("review #{}", proposal.number));
    }
    reply
}

pub fn accepted(accepted: &Accepted) -> Reply {
    let proposal = &accepted.proposal;
    let key = proposal.project_key.as_deref().unwrap_or("the project");
    let version = proposal.applied_as.unwrap_or_default();
    let Some(change) = &accepted.change else { return decided_already(proposal) };
    let all = accepted.revision.patch.tasks.len();
    let chosen = proposal.accepted.as_ref().map_or(all, Vec::len);
    let what = if chosen < all { format!("Accepted {chosen} of {all}. ") } else { String::new() };
    undo(Reply::new(format!("{what}**{key}** is at version {version}.")), change)
}

/// A part that took effect, and what is left of it in a proposal of its own: changed as it was asked for, or as it was.
pub fn accepted_in_part(accepted: &Accepted, left: Option<&Draft>, say: &str, is_changed: bool) -> Reply {
    let before = &accepted.proposal;
    let operations: Vec<String> = before.accepted.iter().flatten().map(ToString::to_string).collect();
    let key = before.project_key.as_deref().unwrap_or("the project");
    let are = if operations.len() == 1 { "is" } else { "are" };
    let done = format!("{} of #{} {are} applied: **{key}** is at version {}.", words::list(&operations), before.number, before.applied_as.unwrap_or_default());
    let text = match left {
        None => format!("{done} {say} Nothing of #{} is left.", before.number),
        Some(Draft { proposal, .. }) if is_changed => {
            format!("{done}\n\n{say} What was left is **#{}** now; `accept #{0}` applies it.", proposal.number)
        }
        Some(Draft { proposal, .. }) => {
            format!("{done}\n\n{say} What was left is **#{}** now, as it was: say there what is to be otherwise.", proposal.number)
        }
    };
    let reply = left.map_or_else(|| Reply::new(&text), |left| decisions(Reply::new(&text), left.proposal.number));
    match &accepted.change {
        Some(change) => undo(reply, change),
        None => reply,
    }
}

/// All of a proposal is named to be accepted, and words say what to change of the rest.
pub fn nothing_left(number: i32, count: usize, words: &str) -> Reply {
    Reply::new(format!(
        "#{number} has {}, and you accept all of it: nothing is left that \"{}\" could be about. Nothing was changed. Change it first, or accept it as it is.",
        self::count(count, "operation", "operations"),
        plain(words)
    ))
    .action("Change it", format!("edit #{number} {words}"))
    .action("Accept all", format!("accept #{number}"))
}

/// A reply with something more to say.
pub fn and_then(reply: Reply, say: &str) -> Reply {
    Reply { text: format!("{}\n\n{say}", reply.text), ..reply }
}

/// An acceptance that the policy wants more of.
pub fn approved(waiting: &Waiting) -> Reply {
    let needs: Vec<String> = waiting.standing.needs.iter().map(|need| format!("- {} ({})", plain(&need.text), plain(&need.rule))).collect();
    Reply::new(format!("You have approved #{}. Nothing has changed yet:\n\n{}", waiting.proposal.number, needs.join("\n")))
}

pub fn rejected(proposal: &Proposal) -> Reply {
    let why = proposal.decided.as_ref().and_then(|decided| decided.reason.as_deref()).map_or_else(String::new, |reason| format!(" Why: {}", plain(reason)));
    Reply::new(format!("#{} is rejected. Nothing has changed.{why}", proposal.number))
}

pub fn withdrawn(proposal: &Proposal) -> Reply {
    Reply::new(format!("#{} is withdrawn. Nothing has changed.", proposal.number))
}

pub fn commented(number: i32, operation: Option<i32>) -> Reply {
    Reply::new(operation.map_or_else(|| format!("Noted on #{number}."), |operation| format!("Noted on operation {operation} of #{number}.")))
}

// Changes

/// A command that took effect. `before` is the plan that it found.
pub fn applied(before: &Plan, change: &Change, released: &[Released]) -> Reply {
    let lines = told(before, &change.plan, &change.applied.touched);
    let key = &change.project.project.key;
    let mut text = match lines.as_slice() {
        [] => format!("**{key}** is at version {}.", change.revision()),
        [one] => one.clone(),
        many => many.iter().map(|line| format!("- {line}")).collect::<Vec<_>>().join("\n"),
    };
    text.push_str(&freed(released));
    undo(Reply::new(text), change)
}

/// What became of the tasks that a change touched, one sentence each.
fn told(before: &Plan, after: &Plan, touched: &[TaskId]) -> Vec<String> {
    let lines = touched.iter().filter_map(|id| match (before.get(*id), after.get(*id)) {
        (None, Some(now)) => Some(format!("{} is added{}.", named(after, now), below(after, now))),
        (Some(then), None) => Some(format!("{} is deleted{}.", named(before, then), with_it(before, after, then))),
        (Some(then), Some(now)) => Some(changed::changed(after, then, now)),
        (None, None) => None,
    });
    lines.collect()
}

fn freed(released: &[Released]) -> String {
    let mut text = String::new();
    for free in released {
        let who = free.assignee.as_deref().map_or_else(String::new, |handle| format!(" ({})", plain(handle)));
        let _ = write!(text, " It was the last open task that **{}** {}{who} waited for.", free.reference, plain(&free.title));
    }
    text
}

fn below(plan: &Plan, task: &Task) -> String {
    task.parent.and_then(|parent| plan.get(parent)).map_or_else(String::new, |parent| format!(" under {}", plan.reference(parent)))
}

fn with_it(before: &Plan, now: &Plan, task: &Task) -> String {
    let gone = before.descendants(task.id).into_iter().filter(|id| now.get(*id).is_none()).count();
    if gone == 0 { String::new() } else { format!(", with {} below it", count(gone, "task", "tasks")) }
}

pub fn created(change: &Change) -> Reply {
    let project = &change.project.project;
    Reply::new(format!("**{}** {} is there, and empty. Tell me what belongs into it.", project.key, plain(&project.title)))
}

pub fn undone(change: &Change, number: i32, what: Last) -> Reply {
    let key = &change.project.project.key;
    let version = change.revision();
    match what {
        Last::Change => Reply::new(format!("Version {number} of {key} is taken back; it is at version {version} now.")).action("Redo", format!("redo {key}")),
        Last::Undo => Reply::new(format!("Made again; {key} is at version {version} now.")).action("Undo", format!("undo {key}")),
    }
}

pub fn logged(plan: &Plan, task: &Task, minutes: i32, total: i64) -> Reply {
    Reply::new(format!("{} logged on {}; {} in all.", words::minutes(minutes.unsigned_abs().into()), named(plan, task), words::minutes(total.unsigned_abs())))
}

// Looking

/// A project's outline.
pub fn project(plan: &Plan, author: &Author<'_>) -> Reply {
    Reply::new(render::plan::project(plan, author.today()).markdown())
}

pub fn task(plan: &Plan, task: &Task, author: &Author<'_>) -> Reply {
    let reference = plan.reference(task);
    let reply = Reply::new(render::plan::task(plan, task, author.today()).markdown());
    if plan.project.process.is_done(&task.status) {
        reply.action("Reopen", format!("reopen {reference}"))
    } else {
        reply.action("Done", format!("done {reference}"))
    }
}

pub fn projects(listed: &[Listed]) -> Reply {
    if listed.is_empty() {
        return which_project(&[]);
    }
    let lines: Vec<String> = listed
        .iter()
        .map(|listed| {
            let project = &listed.project.project;
            format!("- **{}** {}: {} of {} done, version {}", project.key, plain(&project.title), listed.done, listed.tasks, project.version)
        })
        .collect();
    Reply::new(lines.join("\n"))
}

/// The tasks that meet every filter, by due date.
pub fn list(plans: &[Plan], filters: &[Filter], author: &Author<'_>) -> Result<Reply, Refusal> {
    let mut found: Vec<(&Plan, &Task)> = Vec::new();
    for plan in plans {
        for (_, task) in plan.walk() {
            let mut meets = true;
            for filter in filters {
                meets &= matches(plan, task, filter, author)?;
            }
            if meets {
                found.push((plan, task));
            }
        }
    }
    if found.is_empty() {
        return Ok(Reply::new("Nothing."));
    }
    if !filters.is_empty() {
        found.sort_by_key(|(_, task)| task.due_on.unwrap_or(chrono::NaiveDate::MAX));
    }
    Ok(Reply::new(render::plan::list(&found, author.today()).markdown()))
}

fn matches(plan: &Plan, task: &Task, filter: &Filter, author: &Author<'_>) -> Result<bool, Refusal> {
    let kind = plan.project.process.step(&task.status).map(|step| step.kind);
    let is_open = kind != Some(StepKind::Done);
    Ok(match filter {
        Filter::Mine => task.assignee.as_deref() == author.handle,
        Filter::Unassigned => task.assignee.is_none(),
        Filter::Assignee(handle) => task.assignee.as_deref().is_some_and(|assignee| assignee.eq_ignore_ascii_case(handle)),
        Filter::Open => is_open,
        Filter::Active => kind == Some(StepKind::Active),
        Filter::Blocked => {
            kind == Some(StepKind::Waiting) || task.depends_on.iter().any(|id| plan.get(*id).is_some_and(|other| !plan.project.process.is_done(&other.status)))
        }
        Filter::Done => !is_open,
        Filter::Overdue => is_open && task.due_on.is_some_and(|day| day < author.today()),
        Filter::Due(due) => {
            let days = due.days(author.now, author.zone).ok_or_else(|| Refusal { message: "There is no such date.".into(), instead: None })?;
            is_open && task.due_on.is_some_and(|day| days.contains(&day))
        }
        Filter::Label(label) => task.detail.labels.iter().any(|own| own.eq_ignore_ascii_case(label)),
        Filter::Priority(priority) => task.priority == Some(*priority),
        Filter::Under(reference) => plan.ancestors(task.id).any(|above| plan.project.key == reference.key && above.number == reference.number),
    })
}

fn moment(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%-d %b %H:%M").to_string()
}

/// A project as it was.
pub fn project_at(plan: &Plan, revision: &Revision, author: &Author<'_>, newest: i32) -> Reply {
    let key = &plan.project.key;
    let text = format!(
        "**{key}** at version {} of {newest}, as {} left it on {}:\n\n{}",
        revision.number,
        plain(&revision.actor),
        moment(revision.at, author.zone),
        render::plan::project(plan, author.today()).markdown()
    );
    Reply::new(text)
        .action(format!("What changed since {}", revision.number), format!("diff {key} {}..", revision.number))
        .action("As it is", format!("show {key}"))
}
