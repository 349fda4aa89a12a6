//! What a reviewer should not overlook, told in a few words.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::Serialize;

use super::policy::MANY;
use crate::{
    patch::diff::{Diff, Entry, FieldChange, Op},
    tenancy::Trust,
};

/// Something to look at before accepting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Risk {
    /// `untrusted`, `removes`, `size`, `dates`, `dates_cleared`, `people`, `dependencies`, `moves`, `changes`, `creates`.
    pub kind: &'static str,
    /// How many: tasks, operations, dates, people.
    pub count: usize,
    pub text: String,
}

impl Risk {
    fn new(kind: &'static str, count: usize, text: impl Into<String>) -> Self {
        Self { kind, count, text: text.into() }
    }

    /// Whether it only says how many tasks are made, changed, moved and removed, which the heading of a diff says too.
    pub fn is_count(&self) -> bool {
        matches!(self.kind, "removes" | "size" | "moves" | "changes" | "creates")
    }
}

/// The risks of a change, the gravest first.
pub fn risks(diff: &Diff, trust: Trust) -> Vec<Risk> {
    let counts = &diff.counts;
    let mut risks = Vec::new();
    if trust == Trust::Untrusted {
        risks.push(Risk::new("untrusted", 1, "from outside, unverified"));
    }
    match counts.removed {
        0 => {}
        1 => risks.push(Risk::new("removes", 1, "1 task goes")),
        n => risks.push(Risk::new("removes", n, format!("{n} tasks go"))),
    }
    if diff.entries.len() > MANY {
        risks.push(Risk::new("size", diff.entries.len(), format!("{} operations", diff.entries.len())));
    }
    risks.extend(dates(diff));
    let people: BTreeSet<&str> =
        changes(diff, "assignee").flat_map(|(_, change)| [&change.before, &change.after]).filter_map(serde_json::Value::as_str).collect();
    if !people.is_empty() {
        risks.push(Risk::new("people", people.len(), format!("touches {}", people.into_iter().collect::<Vec<_>>().join(", "))));
    }
    // A new task changes nothing for what it waits for.
    match changes(diff, "depends_on").filter(|(entry, _)| entry.op == Op::Update).count() {
        0 => {}
        1 => risks.push(Risk::new("dependencies", 1, "changes what one task waits for")),
        n => risks.push(Risk::new("dependencies", n, format!("changes what {n} tasks wait for"))),
    }
    let told = [("moves", counts.moved, "moved"), ("changes", counts.changed, "changed"), ("creates", counts.created, "new")];
    risks.extend(told.into_iter().filter(|(_, count, _)| *count > 0).map(|(kind, count, word)| Risk::new(kind, count, format!("{count} {word}"))));
    risks
}

/// Dates that are moved, and those that are taken away.
fn dates(diff: &Diff) -> impl Iterator<Item = Risk> {
    let date = |value: &serde_json::Value| value.as_str().and_then(|text| text.parse::<NaiveDate>().ok());
    let changed = || changes(diff, "due_on").filter_map(|(_, change)| Some((date(&change.before)?, date(&change.after))));
    let days: Vec<i64> = changed().filter_map(|(before, after)| Some((after? - before).num_days())).filter(|days| *days != 0).collect();
    let moved = days.iter().map(|days| days.abs()).max().map(|longest| {
        let unit = if longest == 1 { "day" } else { "days" };
        let text = match days.len() {
            1 => format!("one date moves by {longest} {unit}"),
            n => format!("{n} dates move, by up to {longest} {unit}"),
        };
        Risk::new("dates", days.len(), text)
    });
    let cleared = match changed().filter(|(_, after)| after.is_none()).count() {
        0 => None,
        1 => Some(Risk::new("dates_cleared", 1, "one date is taken away")),
        n => Some(Risk::new("dates_cleared", n, format!("{n} dates are taken away"))),
    };
    moved.into_iter().chain(cleared)
}

fn changes<'d>(diff: &'d Diff, field: &'static str) -> impl Iterator<Item = (&'d Entry, &'d FieldChange)> {
    diff.entries.iter().flat_map(move |entry| entry.changes.iter().filter(move |change| change.field == field).map(move |change| (entry, change)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::patch::diff::Counts;

    fn entry(op: Op, changes: &[(&str, Value, Value)]) -> Entry {
        let change = |(field, before, after): &(&str, Value, Value)| FieldChange {
            field: (*field).to_owned().into(),
            before: before.clone(),
            after: after.clone(),
            words: None,
        };
        Entry {
            index: 1,
            op,
            task: "WEB-1".into(),
            title: "One".into(),
            parent: None,
            after: None,
            first: false,
            depth: 0,
            moved: None,
            changes: changes.iter().map(change).collect(),
            removes: Vec::new(),
            needs: Vec::new(),
        }
    }

    fn told(entries: Vec<Entry>, counts: Counts, trust: Trust) -> Vec<(&'static str, usize, String)> {
        let diff = Diff { project: Some("WEB".into()), project_title: "Website".into(), base_version: 1, project_changes: Vec::new(), entries, counts };
        risks(&diff, trust).into_iter().map(|risk| (risk.kind, risk.count, risk.text)).collect()
    }

    #[test]
    fn what_should_not_be_overlooked_is_counted() {
        let entries = vec![
            entry(Op::Update, &[("due_on", json!("2026-12-01"), json!("2026-12-10")), ("assignee", json!("bo"), Value::Null)]),
            entry(Op::Update, &[("due_on", json!("2026-12-01"), Value::Null), ("depends_on", json!([]), json!(["WEB-2"]))]),
            entry(Op::Create, &[("due_on", Value::Null, json!("2026-12-01")), ("depends_on", json!([]), json!(["WEB-1"]))]),
            entry(Op::Delete, &[]),
        ];
        let counts = Counts { created: 1, changed: 2, removed: 3, moved: 0 };
        let expected = [
            ("untrusted", 1, "from outside, unverified"),
            ("removes", 3, "3 tasks go"),
            ("dates", 1, "one date moves by 9 days"),
            ("dates_cleared", 1, "one date is taken away"),
            ("people", 1, "touches bo"),
            ("dependencies", 1, "changes what one task waits for"),
            ("changes", 2, "2 changed"),
            ("creates", 1, "1 new"),
        ];
        assert_eq!(told(entries, counts, Trust::Untrusted), expected.map(|(kind, count, text)| (kind, count, text.to_owned())));
    }

    #[test]
    fn nothing_is_no_risk() {
        assert_eq!(told(Vec::new(), Counts::default(), Trust::Verified), []);
    }
}
