//! What is said of a task beside its title: `@ana #web p1 (3h) due friday`.

use chrono::NaiveDate;
use patchbay_core::{
    dates,
    patch::{CreateBody, Priority},
};

use super::text;
use crate::planner::Context;

/// Fields that stood in a title.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Attributes {
    pub(super) assignee: Option<String>,
    pub(super) labels: Vec<String>,
    pub(super) priority: Option<Priority>,
    pub(super) estimate_minutes: Option<u32>,
    pub(super) due_on: Option<NaiveDate>,
    /// What it comes after, in words.
    pub(super) waits_for: Option<String>,
}

/// Takes the attributes out of a title.
pub(super) fn take(context: &Context, title: &str) -> (String, Attributes) {
    let mut attributes = Attributes::default();
    let mut kept = Vec::new();
    for word in title.split_whitespace() {
        let bare = word.trim_end_matches([',', ';']);
        if let Some(handle) = bare.strip_prefix('@').map(str::to_lowercase).filter(|handle| context.plan.members.contains(handle)) {
            attributes.assignee = Some(handle);
        } else if let Some(label) = bare.strip_prefix('#').filter(|label| label.starts_with(char::is_alphabetic)) {
            attributes.labels.push(label.to_owned());
        } else if let Some(priority) = priority_mark(bare) {
            attributes.priority = Some(priority);
        } else {
            kept.push(word);
        }
    }
    let mut rest = kept.join(" ");
    while let Some(shorter) = take_end(context, &rest, &mut attributes) {
        shorter.trim_end_matches([' ', ',', '-', '–', ':']).clone_into(&mut rest);
    }
    (rest, attributes)
}

/// Takes one attribute off the end.
fn take_end(context: &Context, title: &str, attributes: &mut Attributes) -> Option<String> {
    if let Some((front, inner)) = title.strip_suffix(')').and_then(|title| title.rsplit_once('(')) {
        return take_bracket(context, inner.trim(), attributes).then(|| front.trim_end().to_owned());
    }
    let (front, behind) = text::cut_last(title, &[" due ", " by ", " until ", " on ", " before ", " ~", " takes ", ", ", " - "])?;
    if front.is_empty() {
        return None;
    }
    if let Some(day) = day(context, behind).filter(|_| attributes.due_on.is_none()) {
        attributes.due_on = Some(day);
        return Some(front.to_owned());
    }
    if let Some(minutes) = dates::parse_duration(behind).filter(|_| attributes.estimate_minutes.is_none()) {
        attributes.estimate_minutes = Some(minutes);
        return Some(front.to_owned());
    }
    if let Some(priority) = priority(behind).filter(|_| attributes.priority.is_none()) {
        attributes.priority = Some(priority);
        return Some(front.to_owned());
    }
    None
}

/// `(3h)`, `(due friday)`, `(high)`, `(@ana)`, `(after testing)`
fn take_bracket(context: &Context, inner: &str, attributes: &mut Attributes) -> bool {
    let mut taken = Attributes::default();
    for part in inner.split(',').map(str::trim) {
        let date = ["due ", "by ", "until "].iter().find_map(|word| text::strip(part, word)).unwrap_or(part);
        let handle = part.trim_start_matches('@').to_lowercase();
        if let Some(minutes) = dates::parse_duration(part) {
            taken.estimate_minutes = Some(minutes);
        } else if let Some(priority) = priority(part) {
            taken.priority = Some(priority);
        } else if let Some(day) = day(context, date) {
            taken.due_on = Some(day);
        } else if context.plan.members.contains(&handle) {
            taken.assignee = Some(handle);
        } else if let Some(other) = ["after ", "depends on ", "needs "].iter().find_map(|word| text::strip(part, word)) {
            taken.waits_for = Some(other.to_owned());
        } else {
            return false;
        }
    }
    attributes.estimate_minutes = taken.estimate_minutes.or(attributes.estimate_minutes);
    attributes.priority = taken.priority.or(attributes.priority);
    attributes.due_on = taken.due_on.or(attributes.due_on);
    attributes.assignee = taken.assignee.or_else(|| attributes.assignee.take());
    attributes.waits_for = taken.waits_for.or_else(|| attributes.waits_for.take());
    true
}

/// A date in words, and nothing else.
pub(super) fn day(context: &Context, words: &str) -> Option<NaiveDate> {
    let words = words.trim().trim_end_matches(['.', '!', ',']);
    let words = ["on ", "by ", "the "].iter().find_map(|word| text::strip(words, word)).unwrap_or(words);
    // A number alone is no date to anybody.
    if words.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    dates::parse(words, context.now, context.zone).map(|when| when.day)
}

pub(super) fn priority_mark(word: &str) -> Option<Priority> {
    match word.to_ascii_lowercase().as_str() {
        "p0" | "!!!" => Some(Priority::P0),
        "p1" | "!high" | "!!" => Some(Priority::P1),
        "p2" | "!medium" => Some(Priority::P2),
        "p3" | "!low" => Some(Priority::P3),
        _ => None,
    }
}

/// A priority in words: `high priority`, `urgent`, `p1`.
pub(super) fn priority(words: &str) -> Option<Priority> {
    let words = words.trim().to_lowercase();
    if words == "top priority" {
        return Some(Priority::P0);
    }
    let bare = words.trim_end_matches(" priority").trim_start_matches("priority ").trim();
    match bare {
        "urgent" | "critical" | "a blocker" | "highest" | "very urgent" => Some(Priority::P0),
        "high" | "important" | "very important" => Some(Priority::P1),
        "medium" | "normal" => Some(Priority::P2),
        "low" | "lowest" | "not urgent" | "unimportant" | "not important" => Some(Priority::P3),
        mark => priority_mark(mark),
    }
}

impl Attributes {
    /// Gives a new task the fields.
    pub(super) fn fill(self, body: &mut CreateBody) {
        body.assignee = self.assignee.or_else(|| body.assignee.take());
        body.priority = self.priority.or(body.priority);
        body.estimate_minutes = self.estimate_minutes.or(body.estimate_minutes);
        body.due_on = self.due_on.or(body.due_on);
        if !self.labels.is_empty() {
            body.labels = Some(self.labels);
        }
    }
}
