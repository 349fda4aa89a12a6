//! A task as lines of fields under a heading, the way repositories keep their task lists.

use serde_json::Value;

use super::document::{Document, Item, names};
use crate::{
    dates,
    patch::{Effort, NewCriterion, Priority},
};

/// A line that begins a field: its name and what stands on the line.
pub(super) fn field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let is_name = name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.len() <= 40
        && name.chars().all(|c| c.is_alphanumeric() || " -/&_".contains(c))
        && name.split_whitespace().count() <= 4;
    (is_name && (value.is_empty() || value.starts_with([' ', '\t', '\r', '\n']))).then(|| (name, value.trim()))
}

/// Gives the item the field. `block` are the lines below it, without the field's own.
pub(super) fn read(document: &mut Document, item: &mut Item, line: usize, (name, value): (&str, &str), block: &str) {
    let block = unindented(block);
    let whole = match (value.is_empty(), block.is_empty()) {
        (_, true) => value.to_owned(),
        (true, false) => block.clone(),
        (false, false) => format!("{value}\n{block}"),
    };
    let is_none = whole.trim_end_matches('.').eq_ignore_ascii_case("none") || whole.is_empty();
    let mut refuse = |item: &mut Item, expected: &str| {
        document.note(line, item.called(), format!("{name} \"{}\" is none of {expected}; it stays in the metadata", whole.lines().next().unwrap_or_default()));
        item.keep(name, whole.as_str());
    };
    match name.to_ascii_lowercase().as_str() {
        "priority" => match whole.to_ascii_uppercase().as_str() {
            "P0" => item.body.priority = Some(Priority::P0),
            "P1" => item.body.priority = Some(Priority::P1),
            "P2" => item.body.priority = Some(Priority::P2),
            "P3" => item.body.priority = Some(Priority::P3),
            _ => refuse(item, "P0, P1, P2, P3"),
        },
        "effort" => {
            match whole.split_whitespace().next().unwrap_or_default() {
                "S" => item.body.effort = Some(Effort::S),
                "M" => item.body.effort = Some(Effort::M),
                "L" => item.body.effort = Some(Effort::L),
                _ => return refuse(item, "S, M, L"),
            }
            if whole.len() > 1 {
                item.keep("effort", whole);
            }
        }
        "type" | "kind" => item.body.kind = Some(whole),
        "owner" | "assignee" | "blocker" | "references" | "dependencies" | "depends on" if is_none => {}
        "owner" | "assignee" => item.body.assignee = Some(whole.trim_start_matches('@').to_lowercase()),
        "status" => item.status = Some(whole),
        "blocker" => item.body.blocker = Some(whole),
        "due" => match whole.parse() {
            Ok(day) => item.body.due_on = Some(day),
            Err(_) => refuse(item, "the days like 2026-12-01"),
        },
        "estimate" => match dates::parse_duration(&whole) {
            Some(minutes) => item.body.estimate_minutes = Some(minutes),
            None => refuse(item, "the times like 3h or 90 min"),
        },
        "labels" | "tags" => item.body.labels = Some(whole.split(',').map(|label| label.trim().to_owned()).filter(|label| !label.is_empty()).collect()),
        "context" | "description" => item.describe(&whole),
        "acceptance criteria" | "done when" | "definition of done" => item.body.acceptance_criteria = Some(bullets(&whole).map(criterion).collect()),
        "references" => item.body.references = Some(bullets(&whole).map(str::to_owned).collect()),
        "dependencies" | "depends on" => {
            item.waits_for = names(&whole).map(str::to_owned).collect();
            if item.waits_for.is_empty() {
                refuse(item, "the tasks' names, such as T-042");
            }
        }
        _ => item.keep(name, serde_json::from_str(&whole).ok().filter(|value: &Value| value.is_object() || value.is_array()).unwrap_or(Value::String(whole))),
    }
}

/// A block that is indented by two as a whole, without that.
fn unindented(block: &str) -> String {
    let block = block.trim_end();
    if block.lines().all(|line| line.trim().is_empty() || line.starts_with("  ")) {
        return block.lines().map(|line| line.get(2..).unwrap_or_default()).collect::<Vec<_>>().join("\n");
    }
    block.replace("\r\n", "\n")
}

fn bullets(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.trim().trim_start_matches(['-', '*', '+']).trim()).filter(|line| !line.is_empty())
}

fn criterion(text: &str) -> NewCriterion {
    let (done, text) = checked(text).unwrap_or((false, text));
    NewCriterion { id: None, text: text.to_owned(), done }
}

/// `[ ] text` or `[x] text`
pub(super) fn checked(text: &str) -> Option<(bool, &str)> {
    let done = match text.get(..3)? {
        "[ ]" => false,
        "[x]" | "[X]" => true,
        _ => return None,
    };
    Some((done, text[3..].trim()))
}
