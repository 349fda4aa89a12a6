//! A plan as a file: Markdown that can be read back, and a table.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use icalendar::{Calendar, Component, Todo, TodoStatus};
use serde_json::Value;

use super::{
    document::Form,
    source::{self, KEY, Source},
};
use crate::{
    patch::{
        Effort, Priority,
        plan::{Plan, Task},
        process::StepKind,
    },
    workflow::view::TaskView,
};

/// The plan as Markdown. A task that is as it was read from a file is written with that file's bytes.
pub fn markdown(plan: &Plan) -> String {
    let tasks = plan.walk();
    let mut text = String::new();
    let mut after = String::new();
    let is_read = tasks.iter().any(|(_, task)| is_markdown(task).is_some());
    if !is_read {
        let _ = writeln!(text, "# {}", plan.project.title);
        if !plan.project.summary.trim().is_empty() {
            let _ = write!(text, "\n{}\n", plan.project.summary.trim());
        }
    }
    for (depth, task) in tasks {
        if let Some(source) = is_markdown(task) {
            text.push_str(&source.before);
            if source::of_task(plan, task) == source.digest {
                text.push_str(&source.text);
            } else {
                text.push_str(&rewritten(plan, task, depth, &source));
            }
            after.push_str(&source.after);
        } else {
            if !text.is_empty() && !text.ends_with("\n\n") {
                text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
            }
            text.push_str(&record(plan, task, &"#".repeat((depth + 2).min(6))));
        }
    }
    text.push_str(&after);
    text
}

fn is_markdown(task: &Task) -> Option<Source> {
    Source::of(task).filter(|source| source.form != Form::Yaml)
}

/// A task that has changed since it was read, in the form that it had.
fn rewritten(plan: &Plan, task: &Task, depth: usize, source: &Source) -> String {
    let first = source.text.lines().next().unwrap_or_default();
    let indent = &first[..first.len() - first.trim_start().len()];
    let hashes = first.chars().take_while(|c| *c == '#').count();
    let hashes = if hashes == 0 { "#".repeat((depth + 2).min(6)) } else { "#".repeat(hashes) };
    match source.form {
        Form::Heading => format!("{hashes} {}\n", task.title),
        Form::Checkbox => {
            let tick = if plan.project.process.is_done(&task.status) { "x" } else { " " };
            let name = source.name.iter().map(|name| format!("[{name}] "));
            let labels = task.detail.labels.iter().map(|label| format!("[{label}] "));
            let mut text = format!("{indent}- [{tick}] {}{}\n", name.chain(labels).collect::<String>(), task.title);
            // A title that was too long stands whole in the description.
            for line in task.detail.description.lines() {
                let _ = writeln!(text, "{indent}  {line}");
            }
            text
        }
        Form::Record | Form::Yaml => record(plan, task, &hashes),
    }
}

/// A task as a record.
fn record(plan: &Plan, task: &Task, hashes: &str) -> String {
    let detail = &task.detail;
    let mut text = format!("{hashes} {}: {}\n", source::name(plan, task), task.title);
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "{name}: {value}");
        }
    };
    line("Priority", task.priority.map(|priority: Priority| priority.as_str().to_owned()));
    line("Type", detail.kind.clone());
    line("Owner", task.assignee.clone());
    line("Status", Some(task.status.clone()));
    line("Blocker", detail.blocker.clone());
    line("Due", task.due_on.map(|day| day.to_string()));
    line("Estimate", detail.estimate_minutes.map(|minutes| format!("{minutes} min")));
    line("Labels", (!detail.labels.is_empty()).then(|| detail.labels.join(", ")));
    if !detail.description.is_empty() {
        text.push_str("Context:\n");
        for line in detail.description.lines() {
            text.push_str(format!("  {line}").trim_end());
            text.push('\n');
        }
    }
    if !detail.acceptance_criteria.is_empty() {
        text.push_str("Acceptance Criteria:\n");
        for criterion in &detail.acceptance_criteria {
            let _ = writeln!(text, "- [{}] {}", if criterion.done { "x" } else { " " }, criterion.text);
        }
    }
    if !detail.references.is_empty() {
        text.push_str("References:\n");
        for reference in &detail.references {
            let _ = writeln!(text, "- {reference}");
        }
    }
    let waits_for: Vec<String> = task.depends_on.iter().filter_map(|id| plan.get(*id)).map(|other| source::name(plan, other)).collect();
    if !waits_for.is_empty() {
        let _ = writeln!(text, "Dependencies: {}", waits_for.join(", "));
    }
    for (key, value) in detail.metadata.iter().filter(|(key, _)| *key != KEY) {
        let mut name: String = key.replace('_', " ");
        name[..1].make_ascii_uppercase();
        match value {
            Value::String(value) if !value.contains('\n') => {
                let _ = writeln!(text, "{name}: {value}");
            }
            other => {
                let _ = writeln!(text, "{name}: {other}");
            }
        }
    }
    if let Some(effort) = detail.effort {
        let effort: Effort = effort;
        let _ = writeln!(text, "Effort: {}", effort.as_str());
    }
    text
}

/// The plan as a table, one line a task, parents before children. Cells that a spreadsheet would compute begin with `'`.
pub fn csv(plan: &Plan) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let head = [
        "ref",
        "parent",
        "title",
        "status",
        "priority",
        "kind",
        "effort",
        "estimate_minutes",
        "assignee",
        "due_on",
        "labels",
        "depends_on",
        "blocker",
        "criteria_done",
        "criteria",
        "description",
    ];
    let written = writer.write_record(head).and_then(|()| {
        for (_, task) in plan.walk() {
            let view = TaskView::new(plan, task);
            let parent = task.parent.map(|id| plan.reference_of(id)).unwrap_or_default();
            let done = view.acceptance_criteria.iter().filter(|criterion| criterion.done).count();
            let text = |value: Option<String>| value.unwrap_or_default();
            let cells = [
                view.reference.clone(),
                parent,
                view.title,
                view.status,
                text(view.priority.map(|priority| priority.as_str().to_owned())),
                text(view.kind),
                text(view.effort.map(|effort| effort.as_str().to_owned())),
                text(view.estimate_minutes.map(|minutes| minutes.to_string())),
                text(view.assignee),
                text(view.due_on.map(|day| day.to_string())),
                view.labels.join(", "),
                view.depends_on.join(", "),
                text(view.blocker),
                done.to_string(),
                view.acceptance_criteria.len().to_string(),
                view.description,
            ];
            writer.write_record(cells.map(harmless))?;
        }
        Ok(())
    });
    written.expect("memory takes what is written");
    String::from_utf8(writer.into_inner().expect("memory takes what is written")).expect("texts are UTF-8")
}

/// A cell that no spreadsheet takes for a formula (OWASP, CSV injection).
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

/// The tasks with a due date as a calendar of to-dos (RFC 5545). `stamp` is when it is written.
pub fn calendar(plan: &Plan, stamp: DateTime<Utc>) -> String {
    let mut calendar = Calendar::new();
    calendar.name(&format!("{} {}", plan.project.key, plan.project.title));
    for (_, task) in plan.walk() {
        let Some(day) = task.due_on else { continue };
        let mut todo = Todo::new();
        todo.uid(&task.id.to_string()).timestamp(stamp).summary(&format!("{} {}", plan.reference(task), task.title)).due(day);
        if !task.detail.description.is_empty() {
            todo.description(&task.detail.description);
        }
        if let Some(priority) = task.priority {
            // 1 is the highest of 9.
            todo.priority(1 + 2 * priority as u32);
        }
        let kind = plan.project.process.step(&task.status).map_or(StepKind::Open, |step| step.kind);
        todo.status(match kind {
            StepKind::Done => TodoStatus::Completed,
            StepKind::Active => TodoStatus::InProcess,
            StepKind::Open | StepKind::Waiting => TodoStatus::NeedsAction,
        });
        calendar.push(todo.done());
    }
    calendar.to_string()
}
