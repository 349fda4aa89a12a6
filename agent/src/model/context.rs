//! What a model is told of the plan and the talk, within a budget.

use std::collections::HashSet;

use patchbay_core::patch::{
    TaskId,
    plan::{Plan, Task},
};

use super::{prompt::Request, wire};
use crate::planner::{Context, Mode, Turn, Voice};

/// The most characters of a description or a turn of the talk that are told.
const MAX_TEXT: usize = 1_200;

/// About how many tokens a text has. Without the model's own tokenizer: three bytes each, which is on the safe side for English and code.
pub(super) fn tokens(text: &str) -> usize {
    text.len().div_ceil(3)
}

/// Gathers what a model needs. The message and the open proposal are told whole; the rest takes what is left of the budget:
/// the tasks spoken of, the talk up to a quarter, then as much of the plan as fits, upper levels first.
pub(super) fn request(mode: Mode, context: &Context, message: &str, mark: &str, budget: usize) -> Request {
    let plan = &context.plan;
    let draft = context.draft.as_ref().map(|draft| {
        let operations = draft.patch.tasks.iter().enumerate().map(|(at, operation)| format!("{}. {}", at + 1, wire::write(operation)));
        let meta = draft.patch.meta_updates.as_ref().map(|meta| format!("meta_updates: {}", serde_json::json!(meta)));
        meta.into_iter().chain(operations).collect::<Vec<_>>().join("\n")
    });
    let mut left = budget.saturating_sub(tokens(message) + draft.as_deref().map_or(0, tokens));
    let spoken_of = spoken_of(mode, context);
    let details = fit(spoken_of.iter().filter_map(|id| plan.get(*id)).map(|task| details(plan, task)), left / 2);
    left = left.saturating_sub(details.iter().map(|text| tokens(text)).sum());
    let mut talk = fit(context.conversation.iter().rev().map(turn), left / 4);
    left = left.saturating_sub(talk.iter().map(|text| tokens(text)).sum());
    talk.reverse();
    let (outline, shown) = outline(plan, &spoken_of, left);
    let total = context.total_tasks.max(plan.len());
    let process = plan.project.process;
    Request {
        mark: mark.to_owned(),
        today: context.now.with_timezone(&context.zone).format("%A, %Y-%m-%d").to_string(),
        zone: context.zone.name().to_owned(),
        author: context.author.clone().unwrap_or_default(),
        members: plan.members.iter().map(|handle| format!("@{handle}")).collect::<Vec<_>>().join(", "),
        steps: process.steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>().join(", "),
        is_new: plan.project.version == 0,
        is_trusted: context.trusted,
        project: format!("{} ({})\n{}", plan.project.title, plan.project.key, cut(&plan.project.summary)).trim().to_owned(),
        outline: if plan.is_empty() { "none yet".to_owned() } else { outline },
        left_out: if shown < total { format!("{} of {total} tasks are left out here: there are more than can be told.", total - shown) } else { String::new() },
        details: details.join("\n\n"),
        draft_number: context.draft.as_ref().map_or(0, |draft| draft.number),
        draft: draft.unwrap_or_default(),
        turns_left_out: context.conversation.len() - talk.len(),
        conversation: talk.join("\n"),
        message: message.to_owned(),
    }
}

/// The focus, what is right below it, and what was found; each once.
fn spoken_of(mode: Mode, context: &Context) -> Vec<TaskId> {
    let focus = match mode {
        Mode::Project => None,
        Mode::Task(id) => Some(id),
    };
    let below = focus.map(|id| context.plan.children(Some(id))).unwrap_or_default();
    let mut seen = HashSet::new();
    focus.iter().chain(below).chain(&context.found).copied().filter(|id| seen.insert(*id)).collect()
}

/// As many as fit, from the first.
fn fit(texts: impl Iterator<Item = String>, budget: usize) -> Vec<String> {
    let mut left = budget;
    texts
        .map_while(|text| {
            left = left.checked_sub(tokens(&text))?;
            Some(text)
        })
        .collect()
}

/// The tasks as a tree, and how many of them.
fn outline(plan: &Plan, first: &[TaskId], budget: usize) -> (String, usize) {
    let lines: Vec<(usize, &Task, String)> = plan.walk().into_iter().map(|(depth, task)| (depth, task, line(plan, depth, task))).collect();
    let wanted: HashSet<TaskId> = first.iter().flat_map(|id| std::iter::once(*id).chain(plan.ancestors(*id).map(|task| task.id))).collect();
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_key(|at| (!wanted.contains(&lines[*at].1.id), lines[*at].0, *at));
    let mut left = budget;
    let mut shown: Vec<usize> = order
        .into_iter()
        .map_while(|at| {
            left = left.checked_sub(tokens(&lines[at].2))?;
            Some(at)
        })
        .collect();
    shown.sort_unstable();
    (shown.iter().map(|at| lines[*at].2.as_str()).collect::<Vec<_>>().join("\n"), shown.len())
}

/// `  - WEB-7 [todo] Title · P1 · @ana · due 2026-01-05 · depends on WEB-3`
fn line(plan: &Plan, depth: usize, task: &Task) -> String {
    let facts = [
        task.priority.map(|priority| priority.as_str().to_owned()),
        task.assignee.as_ref().map(|handle| format!("@{handle}")),
        task.due_on.map(|day| format!("due {day}")),
        (!task.depends_on.is_empty()).then(|| format!("depends on {}", references(plan, &task.depends_on))),
    ];
    let name = format!("{}- {} [{}] {}", "  ".repeat(depth), plan.reference(task), task.status, task.title);
    std::iter::once(name).chain(facts.into_iter().flatten()).collect::<Vec<_>>().join(" · ")
}

fn details(plan: &Plan, task: &Task) -> String {
    let detail = &task.detail;
    let mut lines = vec![line(plan, 0, task)];
    let facts = [
        detail.kind.as_ref().map(|kind| format!("kind {kind}")),
        detail.effort.map(|effort| format!("effort {}", effort.as_str())),
        detail.estimate_minutes.map(|minutes| format!("estimate_minutes {minutes}")),
        (!detail.labels.is_empty()).then(|| format!("labels {}", detail.labels.join(", "))),
        detail.blocker.as_ref().map(|blocker| format!("blocker: {}", cut(blocker))),
    ];
    lines.extend(facts.into_iter().flatten().map(|fact| format!("  {fact}")));
    lines.extend(cut(&detail.description).lines().map(|text| format!("  {text}")));
    let criteria = detail.acceptance_criteria.iter();
    lines.extend(criteria.map(|criterion| format!("  [{}] {} ({})", if criterion.done { 'x' } else { ' ' }, cut(&criterion.text), criterion.id)));
    lines.join("\n")
}

fn references(plan: &Plan, ids: &[TaskId]) -> String {
    ids.iter().map(|id| plan.reference_of(*id)).collect::<Vec<_>>().join(", ")
}

fn turn(turn: &Turn) -> String {
    let voice = match turn.voice {
        Voice::Person => "person",
        Voice::Patchbay => "Patchbay",
    };
    format!("{voice}: {}", cut(&turn.text))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}… (cut)", &text[..end]),
        None => text.to_owned(),
    }
}
