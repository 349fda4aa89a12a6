//! The values of fields: how long, how many, and which.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use super::{
    super::{
        Fault, Field, ListEdit, NewCriterion,
        fault::{either, nearest},
    },
    Checker, MAX_TITLE,
};

pub(super) const MAX_TEXT: usize = 20_000;
pub(super) const MAX_LINE: usize = 500;
pub(super) const MAX_WORD: usize = 60;
const MAX_LIST: usize = 100;
const MAX_MINUTES: u32 = 10_000_000;

/// Why a text cannot be kept, if so. The path is left for the caller.
pub(super) fn unfit(text: &str, limit: usize) -> Option<Fault> {
    // Bytes first: counting characters is only needed where they may be too many.
    if text.len() > limit {
        let length = text.chars().count();
        if length > limit {
            return Some(Fault::new("", "this is too long").found(format!("{length} characters")).expected(format!("at most {limit}")));
        }
    }
    // Postgres keeps every character but this one.
    text.contains('\0').then(|| Fault::new("", "this has a character that cannot be kept").found("U+0000").fix("leave it out"))
}

impl Checker<'_> {
    fn unfit(&mut self, index: usize, field: &str, fault: Fault) {
        self.faults.push((Some(index), Fault { path: format!("{}/body/{field}", self.flat.path(index)), ..fault }));
    }

    pub(super) fn text(&mut self, index: usize, field: &str, text: Option<&str>, limit: usize) {
        if let Some(fault) = text.and_then(|text| unfit(text, limit)) {
            self.unfit(index, field, fault);
        }
    }

    pub(super) fn title(&mut self, index: usize, title: &str) {
        if title.is_empty() {
            self.fault(index, "/body/title", "a task needs a title").expected = Some(format!("1–{MAX_TITLE} characters"));
        } else if title.contains(['\n', '\r']) {
            self.fault(index, "/body/title", "a title is one line").fix = Some("put the rest into the description".into());
        }
        self.text(index, "title", Some(title), MAX_TITLE);
    }

    pub(super) fn minutes(&mut self, index: usize, minutes: Option<u32>) {
        if let Some(minutes) = minutes.filter(|minutes| *minutes > MAX_MINUTES) {
            let fault = self.fault(index, "/body/estimate_minutes", "this is more than a person can work");
            fault.found = Some(minutes.to_string());
            fault.expected = Some(format!("at most {MAX_MINUTES}"));
        }
    }

    pub(super) fn assignee(&mut self, index: usize, handle: Option<&str>) {
        let Some(handle) = handle.filter(|handle| !self.rules.history && !self.plan.members.contains(*handle)) else {
            return;
        };
        let near = nearest(handle, self.plan.members.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
        let mut members: Vec<_> = self.plan.members.iter().take(10).cloned().collect();
        if self.plan.members.len() > members.len() {
            members.push("another".into());
        }
        let fault = self.fault(index, "/body/assignee", format!("`{handle}` is not a member"));
        fault.found = Some(handle.to_owned());
        fault.expected = (!members.is_empty()).then(|| either(members));
        fault.fix = near;
    }

    pub(super) fn no_such_step(&mut self, index: usize, status: &str) {
        let process = self.plan.project.process;
        let steps: Vec<_> = process.steps.iter().map(|step| step.name.as_str()).collect();
        let fault = self.fault(index, "/body/status", format!("the process `{}` has no step `{status}`", process.name));
        fault.found = Some(status.to_owned());
        fault.expected = Some(either(&steps));
        fault.fix = nearest(status, steps).map(|near| format!("did you mean `{near}`?"));
    }

    pub(super) fn list(&mut self, index: usize, field: &str, list: Option<&[String]>, longest: usize) {
        let Some(list) = list else { return };
        self.count(index, field, list.len());
        self.items(index, field, list, longest);
    }

    /// They are told by their list: what was empty or double is gone, and their author's count is another.
    fn items(&mut self, index: usize, field: &str, list: &[String], longest: usize) {
        for item in list {
            self.text(index, field, Some(item), longest);
        }
    }

    pub(super) fn edited_list(&mut self, index: usize, field: &str, edit: &Field<ListEdit<String>>, present: &[String], longest: usize) {
        match edit.set() {
            None => {}
            Some(ListEdit::Replace(list)) => self.list(index, field, Some(list), longest),
            Some(ListEdit::Change { add, remove }) => {
                self.items(index, field, add, longest);
                let kept = present.iter().filter(|item| !remove.contains(item));
                self.count(index, field, kept.clone().count() + add.iter().filter(|item| kept.clone().all(|kept| kept != *item)).count());
            }
        }
    }

    fn count(&mut self, index: usize, field: &str, count: usize) {
        if count > MAX_LIST {
            let fault = Fault::new("", "these are too many").found(count.to_string()).expected(format!("at most {MAX_LIST}"));
            self.unfit(index, field, fault);
        }
    }

    /// Criteria that come to those that are kept.
    pub(super) fn criteria(&mut self, index: usize, field: &str, list: &[NewCriterion], kept: usize) {
        self.count(index, field, list.len() + kept);
        let mut seen = HashSet::with_capacity(list.iter().filter(|criterion| criterion.id.is_some()).count());
        for (at, criterion) in list.iter().enumerate() {
            if criterion.text.is_empty() {
                self.unfit(index, &format!("{field}/{at}/text"), Fault::new("", "a criterion needs a text"));
            } else if let Some(fault) = unfit(&criterion.text, MAX_LINE) {
                self.unfit(index, &format!("{field}/{at}/text"), fault);
            }
            let Some(id) = criterion.id.as_deref() else { continue };
            let is_plain = (1..=40).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            if !is_plain {
                let fault = Fault::new("", "this cannot be a criterion's id").found(format!("{id:?}")).expected("1–40 of a-z, A-Z, 0-9, - and _");
                self.unfit(index, &format!("{field}/{at}/id"), fault.fix("leave it out: Patchbay gives one"));
            } else if !seen.insert(id) {
                self.unfit(index, &format!("{field}/{at}/id"), Fault::new("", format!("two criteria have the id `{id}`")).fix("leave it out of one"));
            }
        }
    }

    pub(super) fn external_refs<'m>(&mut self, index: usize, entries: impl Iterator<Item = (&'m String, Option<&'m String>)>) {
        let mut count = 0;
        for (key, value) in entries {
            count += 1;
            self.key(index, "external_refs", key);
            self.text(index, "external_refs", value.map(String::as_str), MAX_LINE);
        }
        self.count(index, "external_refs", count);
    }

    pub(super) fn metadata(&mut self, index: usize, metadata: &BTreeMap<String, Value>) {
        self.count(index, "metadata", metadata.len());
        let mut size = 0;
        for (key, value) in metadata {
            self.key(index, "metadata", key);
            let text = value.to_string();
            size += key.len() + text.len();
            // As JSON it is written out; the same letters after a backslash are only text.
            if text.contains("\\u0000") && has_nul(value) {
                self.unfit(index, "metadata", unfit("\0", 1).unwrap_or_default());
            }
        }
        if size > MAX_TEXT {
            let fault = Fault::new("", "this is too much metadata").found(format!("{size} bytes")).expected(format!("at most {MAX_TEXT}"));
            self.unfit(index, "metadata", fault);
        }
    }

    fn key(&mut self, index: usize, field: &str, key: &str) {
        if !(1..=MAX_WORD).contains(&key.chars().count()) || key.contains(char::is_control) {
            let fault = Fault::new("", "this cannot be a name here").found(format!("{key:?}")).expected(format!("1–{MAX_WORD} characters on one line"));
            self.unfit(index, field, fault);
        }
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(has_nul),
        Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
