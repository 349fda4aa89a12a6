//! A patch as a page: what would be made, changed, moved and removed, and nothing else.

use std::collections::HashMap;

use chrono::NaiveDate;
use patchbay_core::{
    patch::diff::{Counts, Diff, Entry, FieldChange, Move, Op, Place, Word, WordKind},
    review,
    tenancy::Trust,
};
use serde_json::Value;

use super::{
    Page,
    page::{Item, Line, Mark, Span, Style, faint, plain, span, strong},
    words,
};

/// The whole diff. New tasks stand below their new parents.
pub fn page(diff: &Diff) -> Page {
    paged(diff, true)
}

/// The whole diff, where each operation can stand alone: it says itself what it is part of.
pub fn flat(diff: &Diff) -> Page {
    paged(diff, false)
}

fn paged(diff: &Diff, is_nested: bool) -> Page {
    let mut page = Page::default();
    page.lines.push(Line::Heading(heading(diff)));
    let names = Names::of(diff);
    // Of a new project the title stands above, and what every project begins with says nothing.
    let says_something = |change: &&FieldChange| diff.project.is_some() || !["title", "time_zone"].contains(&&*change.field) && change.after != "simple";
    for change in diff.project_changes.iter().filter(says_something) {
        details(&mut page, 0, change, &names);
    }
    let mut path: Vec<&str> = Vec::new();
    for entry in &diff.entries {
        // A new task right behind its new parent, or behind what is below that, is shown below it.
        let level = match entry.parent.as_deref().and_then(|parent| path.iter().position(|name| *name == parent)) {
            Some(at) if is_nested && entry.op == Op::Create => at + 1,
            _ => 0,
        };
        path.truncate(level);
        if entry.op == Op::Create {
            path.push(&entry.task);
        }
        operation(&mut page, level, entry, &names);
    }
    page.seen()
}

/// One operation in one line, without its number: `+ Fix flaky e2e test (P1, under WEB-1)`.
pub fn summary(diff: &Diff, entry: &Entry) -> String {
    one(diff, entry).text().trim_end().to_owned()
}

/// The same as Markdown, to stand within a line.
pub fn told(diff: &Diff, entry: &Entry) -> String {
    let line = one(diff, entry).markdown();
    line.trim_end().trim_start_matches("- ").to_owned()
}

fn one(diff: &Diff, entry: &Entry) -> Page {
    let names = Names::of(diff);
    let mut page = Page::default();
    operation(&mut page, 0, entry, &names);
    page.lines.truncate(1);
    if let Some(Line::Item(item)) = page.lines.first_mut() {
        item.number = None;
        if item.spans.len() == 1 && !entry.changes.is_empty() {
            let fields: Vec<_> = entry.changes.iter().map(|change| words::field(&change.field).to_owned()).collect();
            item.spans.push(plain(format!(": {}", words::list(&fields))));
        }
    }
    page.seen()
}

/// `4 new, 2 changed, 1 moved, 1 removed`
pub fn counts(counts: &Counts) -> String {
    let parts = [(counts.created, "new"), (counts.changed, "changed"), (counts.moved, "moved"), (counts.removed, "removed")];
    let parts: Vec<_> = parts.into_iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} {what}")).collect();
    if parts.is_empty() { "no task changes".to_owned() } else { parts.join(", ") }
}

/// What a reviewer should not overlook beside the counts: `one date moves by 9 days`, `touches bo`.
pub fn risks(diff: &Diff) -> impl Iterator<Item = String> {
    review::risks(diff, Trust::Verified).into_iter().filter(|risk| !risk.is_count()).map(|risk| risk.text)
}

/// `4 new, 2 changed, 1 removed · one date moves by 9 days · touches bo`
pub fn outline(diff: &Diff) -> String {
    std::iter::once(counts(&diff.counts)).chain(risks(diff)).collect::<Vec<_>>().join(" · ")
}

fn heading(diff: &Diff) -> Vec<Span> {
    let counts = counts(&diff.counts);
    let mut spans = match &diff.project {
        Some(key) => vec![strong(format!("{key} {}", diff.project_title)), plain(format!(", on version {}: {counts}", diff.base_version))],
        None => vec![plain("New project "), strong(diff.project_title.clone()), plain(format!(": {counts}"))],
    };
    for risk in risks(diff) {
        spans.extend([plain(" · "), span(Style::Warning, risk)]);
    }
    spans
}

/// What people call the new tasks: their titles, not the patch's temporary names.
struct Names<'d>(HashMap<&'d str, &'d str>);

impl<'d> Names<'d> {
    fn of(diff: &'d Diff) -> Self {
        Self(diff.entries.iter().filter(|entry| entry.op == Op::Create).map(|entry| (entry.task.as_str(), entry.title.as_str())).collect())
    }

    fn get<'n>(&'n self, name: &'n str) -> &'n str {
        self.0.get(name).copied().unwrap_or(name)
    }
}

fn operation(page: &mut Page, level: usize, entry: &Entry, names: &Names<'_>) {
    let existing = || strong(format!("{} {}", entry.task, entry.title));
    let (mark, mut spans) = match entry.op {
        Op::Create => {
            let facts = facts(entry, level, names);
            let mut spans = vec![strong(entry.title.clone())];
            if !facts.is_empty() {
                spans.push(plain(format!(" ({})", facts.join(", "))));
            }
            (Mark::Created, spans)
        }
        Op::Delete => {
            let mut spans = vec![existing()];
            if !entry.removes.is_empty() {
                spans.push(span(Style::Warning, format!(", with {} below it", words::list(&entry.removes))));
            }
            (Mark::Deleted, spans)
        }
        Op::Update => (if entry.changes.is_empty() && entry.moved.is_some() { Mark::Moved } else { Mark::Changed }, vec![existing()]),
    };
    let rest: Vec<&FieldChange> = entry.changes.iter().filter(|change| entry.op != Op::Create || !is_fact(&change.field)).collect();
    // A single short change stands on the task's own line.
    let mut own_line = match (&entry.moved, rest.as_slice()) {
        (Some(moved), []) => Some(vec![plain(format!(": {}", place(moved, names)))]),
        (None, [only]) if entry.op == Op::Update && !is_long(only) => Some([vec![plain(": ")], change(only, names)].concat()),
        _ => None,
    };
    let is_told = own_line.is_some();
    spans.extend(own_line.take().into_iter().flatten());
    if !entry.needs.is_empty() {
        let numbers: Vec<_> = entry.needs.iter().map(ToString::to_string).collect();
        spans.push(faint(format!(" · needs {}", words::list(&numbers))));
    }
    page.lines.push(Line::Item(Item { level, number: Some(entry.index), mark, spans }));
    if is_told {
        return;
    }
    if let Some(moved) = &entry.moved {
        page.item(level + 1, Mark::None, vec![plain(place(moved, names))]);
    }
    for change in rest {
        details(page, level + 1, change, names);
    }
}

/// What fits into the brackets behind a new task's title.
fn facts(entry: &Entry, level: usize, names: &Names<'_>) -> Vec<String> {
    let after = |field: &str| entry.changes.iter().find(|change| change.field == field).map(|change| words::value(field, &change.after));
    let mut facts: Vec<String> =
        FACTS.iter().filter_map(|field| after(field).map(|value| if *field == "due_on" { format!("due {value}") } else { value })).collect();
    if let (Some(parent), 0) = (&entry.parent, level) {
        facts.push(format!("under {}", names.get(parent)));
    }
    match &entry.after {
        Some(after) => facts.push(format!("after {}", names.get(after))),
        None if entry.first => facts.push("first".to_owned()),
        None => {}
    }
    facts
}

const FACTS: [&str; 8] = ["priority", "kind", "effort", "estimate_minutes", "assignee", "due_on", "labels", "status"];

fn is_fact(field: &str) -> bool {
    FACTS.contains(&field)
}

fn is_long(change: &FieldChange) -> bool {
    let text = |value: &Value| value.as_str().is_some_and(|text| text.contains('\n') || text.chars().count() > 80);
    text(&change.before) || text(&change.after) || change.field == "acceptance_criteria" || change.field == "metadata"
}

fn place(moved: &Move, names: &Names<'_>) -> String {
    let under = |place: &Place| place.parent.as_ref().map_or_else(|| "the top level".to_owned(), |parent| format!("under {}", names.get(parent)));
    let behind = |place: &Place| place.after.as_ref().map_or_else(|| "first".to_owned(), |after| format!("after {}", names.get(after)));
    if moved.from.parent == moved.to.parent {
        format!("moves {}, was {}", behind(&moved.to), behind(&moved.from))
    } else {
        let to = if moved.to.parent.is_some() { "" } else { "to " };
        let from = if moved.from.parent.is_some() { "" } else { "at " };
        format!("moves {to}{}, {}; was {from}{}", under(&moved.to), behind(&moved.to), under(&moved.from))
    }
}

/// A change on lines of its own.
fn details(page: &mut Page, level: usize, changed: &FieldChange, names: &Names<'_>) {
    let name = words::field(&changed.field);
    match (&changed.before, &changed.after) {
        (_, after) if changed.field == "acceptance_criteria" => criteria(page, level, &changed.before, after),
        (Value::Object(_) | Value::Null, Value::Object(_) | Value::Null) if !(changed.before.is_null() && changed.after.is_null()) => {
            entries(page, level, changed);
        }
        (Value::Null, Value::String(text)) if text.contains('\n') || is_long(changed) => {
            page.item(level, Mark::None, vec![plain(format!("{name}:"))]);
            page.quote(level + 1, text);
        }
        _ => page.item(level, Mark::None, change(changed, names)),
    }
}

/// A change within a line: `due: Tue 1 Dec 2026 → Sat 28 Nov 2026 (3 days earlier)`.
fn change(changed: &FieldChange, names: &Names<'_>) -> Vec<Span> {
    let field = &*changed.field;
    let mut spans = vec![plain(format!("{}: ", words::field(field)))];
    match (&changed.before, &changed.after) {
        _ if changed.words.is_some() => spans.extend(changed.words.iter().flatten().map(word)),
        (before, after) if before.is_array() || after.is_array() => spans.extend(members(field, before, after, names)),
        (Value::Null, after) => spans.push(span(Style::Added, words::value(field, after))),
        (before, after) => {
            spans.push(span(Style::Removed, words::value(field, before)));
            spans.push(plain(" → "));
            spans.push(span(Style::Added, words::value(field, after)));
            let day = |value: &Value| value.as_str().and_then(|day| day.parse::<NaiveDate>().ok());
            if let (Some(from), Some(to)) = (day(before), day(after)) {
                spans.push(faint(format!(" ({})", words::days_between(from, to))));
            }
        }
    }
    spans
}

fn word(word: &Word) -> Span {
    // Blanks alone would not be seen.
    let text = || if word.text.trim().is_empty() { word.text.replace(' ', "␣").replace('\n', "↵") } else { word.text.clone() };
    match word.kind {
        WordKind::Same => plain(shortened(&word.text)),
        WordKind::Added => span(Style::Added, text()),
        WordKind::Removed => span(Style::Removed, text()),
    }
}

/// Unchanged text shows only what stands next to a change.
fn shortened(text: &str) -> String {
    const EDGE: usize = 40;
    let length = text.chars().count();
    if length <= 2 * EDGE + 3 {
        return text.to_owned();
    }
    let head: String = text.chars().take(EDGE).collect();
    let tail: String = text.chars().skip(length - EDGE).collect();
    format!("{head} … {tail}")
}

/// What came to a list and what went from it.
fn members(field: &str, before: &Value, after: &Value, names: &Names<'_>) -> Vec<Span> {
    let list = |value: &Value| -> Vec<String> {
        let member = |member: &Value| member.as_str().map_or_else(|| words::value(field, member), |text| names.get(text).to_owned());
        value.as_array().map(|members| members.iter().map(member).collect()).unwrap_or_default()
    };
    let (before, after) = (list(before), list(after));
    let gone = before.iter().filter(|member| !after.contains(member)).map(|member| (Style::Removed, member));
    let new = after.iter().filter(|member| !before.contains(member)).map(|member| (Style::Added, member));
    let mut spans: Vec<Span> = Vec::new();
    for (style, member) in gone.chain(new) {
        if !spans.is_empty() {
            spans.push(plain(", "));
        }
        spans.push(span(style, member.clone()));
    }
    if spans.is_empty() { vec![plain(format!("{} → {}", words::list(&before), words::list(&after)))] } else { spans }
}

fn criteria(page: &mut Page, level: usize, before: &Value, after: &Value) {
    struct Line<'v> {
        id: Option<&'v str>,
        text: &'v str,
        is_done: bool,
    }
    fn read(value: &Value) -> Vec<Line<'_>> {
        value
            .as_array()
            .map(|list| {
                list.iter()
                    .map(|value| Line { id: value["id"].as_str(), text: value["text"].as_str().unwrap_or_default(), is_done: value["done"] == true })
                    .collect()
            })
            .unwrap_or_default()
    }
    let (before, after) = (read(before), read(after));
    page.item(level, Mark::None, vec![plain("done when:")]);
    let same = |a: &Line<'_>, b: &Line<'_>| a.id.is_some() && a.id == b.id;
    for old in before.iter().filter(|old| !after.iter().any(|new| same(old, new))) {
        page.item(level + 1, Mark::Deleted, vec![span(Style::Removed, old.text)]);
    }
    for new in &after {
        match before.iter().find(|old| same(old, new)) {
            None => page.item(level + 1, Mark::Created, vec![span(Style::Added, new.text)]),
            Some(old) if old.text != new.text => {
                page.item(level + 1, Mark::Changed, vec![span(Style::Removed, old.text), plain(" → "), span(Style::Added, new.text)]);
            }
            Some(old) if old.is_done != new.is_done => page.item(level + 1, if new.is_done { Mark::Done } else { Mark::Open }, vec![plain(new.text)]),
            Some(_) => {}
        }
    }
}

/// The entries of a map that changed.
fn entries(page: &mut Page, level: usize, changed: &FieldChange) {
    page.item(level, Mark::None, vec![plain(format!("{}:", words::field(&changed.field)))]);
    let empty = serde_json::Map::new();
    let (before, after) = (changed.before.as_object().unwrap_or(&empty), changed.after.as_object().unwrap_or(&empty));
    for (key, old) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
        page.item(level + 1, Mark::Deleted, vec![plain(format!("{key}: ")), span(Style::Removed, words::value("", old))]);
    }
    for (key, new) in after {
        match before.get(key) {
            None => page.item(level + 1, Mark::Created, vec![plain(format!("{key}: ")), span(Style::Added, words::value("", new))]),
            Some(old) if old != new => page.item(
                level + 1,
                Mark::Changed,
                vec![plain(format!("{key}: ")), span(Style::Removed, words::value("", old)), plain(" → "), span(Style::Added, words::value("", new))],
            ),
            Some(_) => {}
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
