//! What a reviewer should not overlook, told in a few words.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::Serialize;

use super::policy::MANY;
use crate::patch::diff::Diff;

/// Something to look at before accepting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Risk {
    /// `removes`, `size`, `dates`, `people`.
    pub kind: &'static str,
    pub text: String,
}

/// The risks of a change, the gravest first.
pub(super) fn risks(diff: &Diff) -> Vec<Risk> {
    let mut risks = Vec::new();
    match diff.counts.removed {
        0 => {}
        1 => risks.push(Risk { kind: "removes", text: "1 task goes".into() }),
        n => risks.push(Risk { kind: "removes", text: format!("{n} tasks go") }),
    }
    if diff.entries.len() > MANY {
        risks.push(Risk { kind: "size", text: format!("{} operations", diff.entries.len()) });
    }
    let changes = || diff.entries.iter().flat_map(|entry| &entry.changes);
    let date = |value: &serde_json::Value| value.as_str().and_then(|text| text.parse::<NaiveDate>().ok());
    let days: Vec<i64> = changes()
        .filter(|change| change.field == "due_on")
        .filter_map(|change| Some((date(&change.after)? - date(&change.before)?).num_days()))
        .filter(|days| *days != 0)
        .collect();
    if let Some(longest) = days.iter().map(|days| days.abs()).max() {
        let what = if days.len() == 1 { "one date moves".to_owned() } else { format!("{} dates move", days.len()) };
        let unit = if longest == 1 { "day" } else { "days" };
        risks.push(Risk {
            kind: "dates",
            text: if days.len() == 1 { format!("{what} by {longest} {unit}") } else { format!("{what}, by up to {longest} {unit}") },
        });
    }
    let people: BTreeSet<&str> = changes()
        .filter(|change| change.field == "assignee")
        .flat_map(|change| [&change.before, &change.after])
        .filter_map(serde_json::Value::as_str)
        .collect();
    if !people.is_empty() {
        risks.push(Risk { kind: "people", text: format!("touches {}", people.into_iter().collect::<Vec<_>>().join(", ")) });
    }
    risks
}
