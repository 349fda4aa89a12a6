//! What became of a task, in a sentence: each field that is another now, with what it was before.

use patchbay_core::patch::{
    plan::{Plan, Task},
    process::StepKind,
};

use super::{named, plain};
use crate::render::words;

/// As much of a reason as an answer repeats.
const BRIEF: usize = 200;

/// `then` is the task as it was, `now` as the plan has it.
pub(super) fn changed(plan: &Plan, then: &Task, now: &Task) -> String {
    let name = named(plan, now);
    let mut facts: Vec<String> = Vec::new();
    let has_stepped = then.status != now.status;
    if has_stepped {
        facts.push(step(plan, now));
    }
    if then.parent != now.parent {
        let parent = now.parent.and_then(|parent| plan.get(parent));
        facts.push(parent.map_or_else(|| "stands at the top level now".to_owned(), |parent| format!("is under {} now", plan.reference(parent))));
    } else if then.rank != now.rank {
        facts.push("has moved".to_owned());
    }
    if then.assignee != now.assignee {
        let was = was(then.assignee.as_deref().map(|handle| format!("{}'s", plain(handle))));
        facts.push(now.assignee.as_deref().map_or_else(|| format!("is nobody's now{was}"), |handle| format!("is {}'s now{was}", plain(handle))));
    }
    if then.due_on != now.due_on {
        let was = was(then.due_on.map(words::date));
        facts.push(now.due_on.map_or_else(|| format!("has no due date now{was}"), |day| format!("is due on {}{was}", words::date(day))));
    }
    if then.priority != now.priority {
        let text = |priority: patchbay_core::patch::Priority| priority.as_str().to_owned();
        facts.push(valued("the priority", now.priority.map(text), then.priority.map(text)));
    }
    let (before, after) = (&then.detail, &now.detail);
    if before.estimate_minutes != after.estimate_minutes {
        let text = |minutes: u32| words::minutes(minutes.into());
        facts.push(valued("the estimate", after.estimate_minutes.map(text), before.estimate_minutes.map(text)));
    }
    if before.effort != after.effort {
        let text = |effort: patchbay_core::patch::Effort| effort.as_str().to_owned();
        facts.push(valued("the effort", after.effort.map(text), before.effort.map(text)));
    }
    if before.kind != after.kind {
        facts.push(valued("the kind", after.kind.as_deref().map(plain), before.kind.as_deref().map(plain)));
    }
    if before.labels != after.labels {
        facts.push(labels(&before.labels, &after.labels));
    }
    if then.depends_on != now.depends_on {
        let on: Vec<String> = now.depends_on.iter().map(|id| plan.reference_of(*id)).collect();
        facts.push(if on.is_empty() { "depends on nothing now".to_owned() } else { format!("depends on {}", on.join(", ")) });
    }
    if before.description != after.description {
        facts.push(if after.description.is_empty() { "has no description now" } else { "has another description now" }.to_owned());
    }
    // A task that leaves its step for another leaves what it waited for too.
    if before.blocker != after.blocker && !has_stepped {
        facts.push(after.blocker.as_deref().map_or_else(|| "waits for nothing now".to_owned(), |why| format!("waits: {}", brief(why))));
    }
    if before.acceptance_criteria != after.acceptance_criteria {
        facts.push(format!("has {} now", super::count(after.acceptance_criteria.len(), "acceptance criterion", "acceptance criteria")));
    }
    if facts.is_empty() {
        return if then.title == now.title {
            format!("{name} is changed.")
        } else {
            format!("{name}: that is its title now; it was \"{}\".", plain(&then.title))
        };
    }
    if then.title != now.title {
        facts.push(format!("was \"{}\" before", plain(&then.title)));
    }
    let sentence = format!("{name} {}", words::list(&facts));
    let end = if sentence.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{sentence}{end}")
}

/// The step that a task is at now, with what it waits for there.
fn step(plan: &Plan, now: &Task) -> String {
    let step = plan.project.process.step(&now.status);
    if step.is_some_and(|step| step.kind == StepKind::Done) {
        return "is done".to_owned();
    }
    let why = now.detail.blocker.as_deref().map_or_else(String::new, |why| format!(": {}", brief(why)));
    format!("is in *{}* now{why}", step.map_or(now.status.as_str(), |step| step.title.as_str()))
}

fn was(before: Option<String>) -> String {
    before.map_or_else(String::new, |before| format!(" (before: {before})"))
}

fn valued(what: &str, now: Option<String>, before: Option<String>) -> String {
    let was = was(before);
    now.map_or_else(|| format!("has no {} now{was}", what.trim_start_matches("the ")), |now| format!("has {what} {now} now{was}"))
}

fn labels(before: &[String], after: &[String]) -> String {
    let those = |of: &[String], not: &[String]| -> Vec<String> { of.iter().filter(|label| !not.contains(label)).map(|label| plain(label)).collect() };
    let say = |labels: &[String]| format!("the {} {}", if labels.len() == 1 { "label" } else { "labels" }, words::list(labels));
    match (those(after, before), those(before, after)) {
        (new, gone) if gone.is_empty() && !new.is_empty() => format!("has {} now", say(&new)),
        (new, gone) if new.is_empty() && !gone.is_empty() => format!("has no longer {}", say(&gone)),
        (new, gone) if !new.is_empty() => format!("has {} now, and no longer {}", say(&new), say(&gone)),
        _ => "has its labels in another order".to_owned(),
    }
}

fn brief(text: &str) -> String {
    if text.chars().count() <= BRIEF { plain(text) } else { format!("{}…", plain(&text.chars().take(BRIEF - 1).collect::<String>())) }
}
