//! The merge of one field.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use similar::TextMerge;

use super::{
    super::{Criterion, CriterionEdit, Field, ListEdit, NewCriterion, plan::Task},
    Merger, Way,
};

const ANY: [Way; 3] = [Way::Ours, Way::Theirs, Way::Value];

/// Both sides' lines, where they changed different ones.
pub(super) fn lines(base: &str, ours: &str, theirs: &str) -> Option<String> {
    // What people wrote need not end its last line, and a merge of lines is of whole ones.
    let whole = |text: &str| format!("{text}\n");
    let (base, ours, theirs) = (whole(base), whole(ours), whole(theirs));
    let merge = TextMerge::from_lines(base.as_str(), ours.as_str(), theirs.as_str());
    if merge.is_conflicted() {
        return None;
    }
    let mut text = merge.to_string();
    text.truncate(text.trim_end_matches('\n').len());
    Some(text)
}

/// The names of the fields in which a task differs, its place in the order aside.
pub(super) fn changed(before: &Task, now: &Task) -> Vec<&'static str> {
    let (a, b) = (&before.detail, &now.detail);
    [
        ("the title", before.title != now.title),
        ("the description", a.description != b.description),
        ("the status", before.status != now.status),
        ("the priority", before.priority != now.priority),
        ("the kind", a.kind != b.kind),
        ("the effort", a.effort != b.effort),
        ("the estimate", a.estimate_minutes != b.estimate_minutes),
        ("the assignee", before.assignee != now.assignee),
        ("the due date", before.due_on != now.due_on),
        ("the labels", a.labels != b.labels),
        ("the dependencies", before.depends_on != now.depends_on),
        ("the blocker", a.blocker != b.blocker),
        ("the criteria", a.acceptance_criteria != b.acceptance_criteria),
        ("the references", a.references != b.references),
        ("the external references", a.external_refs != b.external_refs),
        ("the metadata", a.metadata != b.metadata),
        ("the parent", before.parent != now.parent),
    ]
    .into_iter()
    .filter(|(_, differs)| *differs)
    .map(|(field, _)| field)
    .collect()
}

/// A field of a task on its three sides.
pub(super) struct Sides<'a, T> {
    pub(super) base: Option<&'a T>,
    pub(super) now: Option<&'a T>,
}

impl Merger<'_> {
    pub(super) fn scalar<T: PartialEq + Clone + Serialize>(&mut self, task: &str, field: &str, edit: &Field<T>, sides: &Sides<'_, T>) -> Field<T> {
        let Some(ours) = edit.given() else { return Field::Absent };
        if sides.base == sides.now {
            return edit.clone();
        }
        // What had no effect on what its author saw has none now.
        if ours != sides.now && ours != sides.base {
            let why = format!("the {} of {task} was changed", field.trim_end_matches("_on").replace('_', " "));
            self.conflict(&format!("/body/{field}"), task, [json!(sides.base), json!(sides.now), json!(ours)], why, &ANY);
        }
        Field::Absent
    }

    pub(super) fn text(&mut self, task: &str, field: &str, edit: &Field<String>, base: &str, now: &str) -> Field<String> {
        fn given(text: &String) -> Option<&String> {
            (!text.is_empty()).then_some(text)
        }
        if let Field::Set(ours) = edit
            && base != now
            && ours != now
            && !base.is_empty()
            && let Some(lines) = lines(base, ours, now)
        {
            self.is_touched = true;
            return Field::Set(lines);
        }
        let (base, now) = (base.to_owned(), now.to_owned());
        self.scalar(task, field, edit, &Sides { base: given(&base), now: given(&now) })
    }

    /// The union of what both sides added and removed.
    pub(super) fn set(&mut self, edit: &Field<ListEdit<String>>, base: &[String], now: &[String]) -> Field<ListEdit<String>> {
        if edit.is_absent() || base == now {
            return edit.clone();
        }
        let less = |list: &[String], other: &[String]| -> Vec<String> { list.iter().filter(|item| !other.contains(item)).cloned().collect() };
        let (add, remove) = match edit {
            Field::Absent => return Field::Absent,
            Field::Clear => (Vec::new(), base.to_vec()),
            Field::Set(ListEdit::Replace(list)) => (less(list, base), less(base, list)),
            Field::Set(ListEdit::Change { add, remove }) => (less(add, base), remove.iter().filter(|item| base.contains(item)).cloned().collect()),
        };
        self.is_touched |= !matches!(edit, Field::Set(ListEdit::Change { .. }));
        let add = less(&add, now);
        let remove: Vec<String> = remove.into_iter().filter(|item| now.contains(item)).collect();
        if add.is_empty() && remove.is_empty() { Field::Absent } else { Field::Set(ListEdit::Change { add, remove }) }
    }

    pub(super) fn criteria(&mut self, task: &str, edit: &Field<CriterionEdit>, base: &[Criterion], now: &[Criterion]) -> Field<CriterionEdit> {
        if edit.is_absent() || base == now {
            return edit.clone();
        }
        self.is_touched |= !matches!(edit, Field::Set(ListEdit::Change { .. }));
        let (wanted, unwanted) = criteria_edit(edit, base);
        let find = |list: &[Criterion], id: &str| list.iter().find(|criterion| criterion.id == id).cloned();
        let clash = |merger: &mut Self, id: &str, ours: Value| {
            let values = [json!(find(base, id)), json!(find(now, id)), ours];
            merger.conflict(&format!("/body/acceptance_criteria/{id}"), task, values, format!("the criterion {id} of {task} was changed"), &ANY);
        };
        let mut add = Vec::new();
        for ours in wanted {
            match ours.id.as_deref() {
                None if now.iter().any(|criterion| criterion.text == ours.text) => {}
                None => add.push(ours),
                Some(id) => {
                    let (before, theirs) = (find(base, id), find(now, id));
                    let is = |criterion: &Option<Criterion>| criterion.as_ref().is_some_and(|other| other.text == ours.text && other.done == ours.done);
                    if before == theirs {
                        add.push(ours);
                    } else if !is(&theirs) && !is(&before) {
                        clash(self, id, json!(ours));
                    }
                }
            }
        }
        let mut remove = Vec::new();
        for id in unwanted {
            let theirs = find(now, &id);
            if theirs.is_some() && find(base, &id) == theirs {
                remove.push(id);
            } else if theirs.is_some() && find(base, &id).is_some() {
                clash(self, &id, Value::Null);
            }
        }
        if add.is_empty() && remove.is_empty() { Field::Absent } else { Field::Set(ListEdit::Change { add, remove }) }
    }

    /// Entries by key; `None` is no entry.
    pub(super) fn map(&mut self, task: &str, field: &str, edit: Field<Entries>, base: &Entries, now: &Entries) -> Field<Entries> {
        if edit.is_absent() || base == now {
            return edit;
        }
        self.is_touched |= matches!(edit, Field::Clear);
        let entries = match edit {
            Field::Set(entries) => entries,
            Field::Absent | Field::Clear => base.keys().map(|key| (key.clone(), None)).collect(),
        };
        let get = |entries: &Entries, key: &str| entries.get(key).cloned().flatten();
        let mut merged = Entries::new();
        for (key, ours) in entries {
            let (before, theirs) = (get(base, &key), get(now, &key));
            if before == theirs {
                merged.insert(key, ours);
            } else if ours != theirs && ours != before {
                let below = format!("/body/{field}/{}", escaped(&key));
                self.conflict(
                    &below,
                    task,
                    [json!(before), json!(theirs), json!(ours)],
                    format!("{key} in the {} of {task} was changed", field.replace('_', " ")),
                    &ANY,
                );
            }
        }
        if merged.is_empty() { Field::Absent } else { Field::Set(merged) }
    }
}

/// The entries of a map, or an edit of them.
pub(super) type Entries = BTreeMap<String, Option<Value>>;

/// A key as a segment of a JSON Pointer (RFC 6901).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// An edit of criteria as those that are wanted, new or changed, and the ids of those that are not.
pub(super) fn criteria_edit(edit: &Field<CriterionEdit>, base: &[Criterion]) -> (Vec<NewCriterion>, Vec<String>) {
    match edit {
        Field::Absent => (Vec::new(), Vec::new()),
        Field::Clear => (Vec::new(), base.iter().map(|criterion| criterion.id.clone()).collect()),
        Field::Set(ListEdit::Change { add, remove }) => (add.clone(), remove.clone()),
        Field::Set(ListEdit::Replace(list)) => {
            let same = |ours: &NewCriterion, theirs: &Criterion| ours.id.as_ref() == Some(&theirs.id);
            let is_as_it_was = |ours: &NewCriterion| base.iter().any(|before| same(ours, before) && ours.text == before.text && ours.done == before.done);
            let wanted = list.iter().filter(|ours| !is_as_it_was(ours)).cloned().collect();
            let unwanted = base.iter().filter(|before| !list.iter().any(|ours| same(ours, before))).map(|before| before.id.clone()).collect();
            (wanted, unwanted)
        }
    }
}
