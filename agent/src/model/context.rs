//! What a model is told: the plan within a budget, the draft, the conversation, all of it fenced.

use std::{collections::HashSet, fmt::Write as _};

use patchbay_core::{
    dates,
    patch::{
        TaskId, TaskPatch, check,
        plan::{Plan, Task},
    },
};

use super::prompts::Ask;
use crate::planner::{Context, Mode, Voice};

/// The most characters of the plan. A token is about four.
const PLAN_CHARS: usize = 24_000;
/// The most characters of what was said before.
const TALK_CHARS: usize = 6_000;

/// The parameters of the prompt for a message.
pub(super) fn ask(mode: Mode, context: &Context, message: &str) -> Ask {
    let focus = match mode {
        Mode::Project => None,
        Mode::Task(id) => Some(id),
    };
    let plan = outline(context, focus);
    let draft = context.draft.as_ref().map(|draft| draft.patch.tasks.iter().map(operation).collect::<Vec<_>>().join("\n"));
    let conversation = talk(context);
    Ask {
        today: dates::today(context.now, context.zone).format("%A, %Y-%m-%d").to_string(),
        author: context.author.clone(),
        task: focus.map(|id| context.plan.reference_of(id)),
        max_roots: check::MAX_MODEL_ROOTS,
        fence: fence(&[&plan, draft.as_deref().unwrap_or_default(), conversation.as_deref().unwrap_or_default(), message]),
        plan,
        draft,
        conversation,
        message: message.to_owned(),
    }
}

/// A line that none of the texts can hold: it is made of them all.
fn fence(texts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for text in texts {
        hasher.update(text.as_bytes());
        hasher.update(&[0]);
    }
    format!("=== {}", &hasher.finalize().to_hex()[..16])
}

/// The plan as lines, what matters most first: the focus with all around it, what the message speaks of, then the upper levels.
fn outline(context: &Context, focus: Option<TaskId>) -> String {
    let plan = &context.plan;
    if plan.project.version == 0 {
        return "There is no project yet: this will be a new one.".to_owned();
    }
    let project = &plan.project;
    let mut text = format!("Project {} \"{}\", version {}.\n", project.key, project.title, project.version);
    if !project.summary.trim().is_empty() {
        let _ = writeln!(text, "{}", project.summary.trim().chars().take(1_000).collect::<String>());
    }
    let steps: Vec<_> = project.process.steps.iter().map(|step| step.name.as_str()).collect();
    let members: Vec<_> = plan.members.iter().map(String::as_str).collect();
    let _ = writeln!(text, "Steps: {}. Members: {}.\n", steps.join(", "), members.join(", "));
    let tasks = plan.walk();
    let mut wanted: HashSet<TaskId> = HashSet::new();
    let near = focus.into_iter().chain(context.found.iter().copied());
    for id in near {
        wanted.insert(id);
        wanted.extend(plan.ancestors(id).map(|task| task.id));
        if Some(id) == focus {
            wanted.extend(plan.descendants(id));
        }
    }
    let mut room = PLAN_CHARS;
    let mut shown: HashSet<TaskId> = HashSet::new();
    // Level by level, after what is near, as long as there is room.
    let order = std::iter::once(None).chain((0..=check::MAX_DEPTH).map(Some));
    for level in order {
        for (depth, task) in &tasks {
            let fits = level.map_or_else(|| wanted.contains(&task.id), |level| *depth == level);
            let length = line(plan, *depth, task, Some(task.id) == focus).len();
            if fits && !shown.contains(&task.id) && length < room {
                room -= length;
                shown.insert(task.id);
            }
        }
    }
    for (depth, task) in &tasks {
        if shown.contains(&task.id) {
            text.push_str(&line(plan, *depth, task, Some(task.id) == focus));
        }
    }
    let hidden = context.total_tasks.max(tasks.len()) - shown.len();
    if hidden > 0 {
        let _ = writeln!(text, "… and {hidden} more tasks that are not shown.");
    }
    text
}

fn line(plan: &Plan, depth: usize, task: &Task, is_whole: bool) -> String {
    let mut line = format!("{}- {} [{}] {}", "  ".repeat(depth), plan.reference(task), task.status, task.title);
    let mut facts: Vec<String> = Vec::new();
    facts.extend(task.priority.map(|priority| priority.as_str().to_owned()));
    facts.extend(task.assignee.iter().map(|handle| format!("@{handle}")));
    facts.extend(task.due_on.map(|day| format!("due {day}")));
    facts.extend(task.detail.estimate_minutes.map(|minutes| format!("{minutes} min")));
    if !task.depends_on.is_empty() {
        facts.push(format!("after {}", task.depends_on.iter().map(|id| plan.reference_of(*id)).collect::<Vec<_>>().join(", ")));
    }
    if !facts.is_empty() {
        let _ = write!(line, " ({})", facts.join(", "));
    }
    line.push('\n');
    if is_whole {
        for text in task.detail.description.lines().take(40) {
            let _ = writeln!(line, "{}  {text}", "  ".repeat(depth));
        }
        for criterion in &task.detail.acceptance_criteria {
            let _ = writeln!(line, "{}  done when: {}", "  ".repeat(depth), criterion.text);
        }
    }
    line
}

/// An operation of the draft as one line of JSON.
fn operation(task: &TaskPatch) -> String {
    serde_json::to_string(task).unwrap_or_default()
}

/// The newest words of the conversation that there is room for.
fn talk(context: &Context) -> Option<String> {
    let mut room = TALK_CHARS;
    let mut lines = Vec::new();
    for turn in context.conversation.iter().rev() {
        let who = match turn.voice {
            Voice::Person => "person",
            Voice::Patchbay => "patchbay",
        };
        let line = format!("{who}: {}", turn.text);
        let Some(left) = room.checked_sub(line.len()) else { break };
        room = left;
        lines.push(line);
    }
    lines.reverse();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
