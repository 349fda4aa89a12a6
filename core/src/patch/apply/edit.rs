//! Edits of single fields.

use std::collections::{BTreeMap, HashSet};

use super::super::{Criterion, Field, ListEdit, NewCriterion, UpdateBody, plan::Detail};

/// The part of an update that needs no names resolved.
pub(in super::super) fn edit_detail(detail: &mut Detail, body: &UpdateBody) {
    if let Some(text) = body.description.given() {
        detail.description = text.cloned().unwrap_or_default();
    }
    set(&mut detail.kind, &body.kind);
    set(&mut detail.effort, &body.effort);
    set(&mut detail.estimate_minutes, &body.estimate_minutes);
    set(&mut detail.blocker, &body.blocker);
    edit_list(&mut detail.labels, &body.labels);
    edit_list(&mut detail.references, &body.references);
    if !body.acceptance_criteria.is_absent() {
        detail.acceptance_criteria = criteria(&detail.acceptance_criteria, &body.acceptance_criteria);
    }
    match &body.external_refs {
        Field::Absent => {}
        Field::Clear => detail.external_refs.clear(),
        Field::Set(edit) => merge(&mut detail.external_refs, edit.iter().map(|(key, value)| (key, value.clone()))),
    }
    match &body.metadata {
        Field::Absent => {}
        Field::Clear => detail.metadata.clear(),
        Field::Set(edit) => merge(&mut detail.metadata, edit.iter().map(|(key, value)| (key, (!value.is_null()).then(|| value.clone())))),
    }
}

pub(super) fn set<T: Clone>(now: &mut Option<T>, field: &Field<T>) {
    if let Some(value) = field.given() {
        *now = value.cloned();
    }
}

fn edit_list(now: &mut Vec<String>, edit: &Field<ListEdit<String>>) {
    match edit {
        Field::Absent => {}
        Field::Clear => now.clear(),
        Field::Set(ListEdit::Replace(list)) => now.clone_from(list),
        Field::Set(ListEdit::Change { add, remove }) => {
            now.retain(|item| !remove.contains(item));
            for item in add {
                if !now.contains(item) {
                    now.push(item.clone());
                }
            }
        }
    }
}

fn merge<'a, T>(now: &mut BTreeMap<String, T>, edit: impl Iterator<Item = (&'a String, Option<T>)>) {
    for (key, value) in edit {
        match value {
            Some(value) => now.insert(key.clone(), value),
            None => now.remove(key),
        };
    }
}

/// The criteria after an edit. One without an id gets the next free of `c1`, `c2`, …
pub(in super::super) fn criteria(now: &[Criterion], edit: &Field<ListEdit<NewCriterion>>) -> Vec<Criterion> {
    let mut result: Vec<Criterion> = match edit {
        Field::Absent | Field::Set(ListEdit::Change { .. }) => now.to_vec(),
        Field::Clear | Field::Set(ListEdit::Replace(_)) => Vec::new(),
    };
    let (add, remove): (&[NewCriterion], &[String]) = match edit {
        Field::Set(ListEdit::Replace(list)) => (list, &[]),
        Field::Set(ListEdit::Change { add, remove }) => (add, remove),
        Field::Absent | Field::Clear => (&[], &[]),
    };
    result.retain(|criterion| !remove.contains(&criterion.id));
    let named: HashSet<&str> = add.iter().filter_map(|new| new.id.as_deref()).collect();
    let mut next = 1;
    for new in add {
        let id = new.id.clone().unwrap_or_else(|| {
            loop {
                let id = format!("c{next}");
                next += 1;
                // An id that was just removed is not given again: to whoever remembers it, it means the old one.
                let taken = named.contains(id.as_str()) || now.iter().chain(&result).any(|criterion| criterion.id == id);
                if !taken {
                    break id;
                }
            }
        });
        match result.iter_mut().find(|criterion| criterion.id == id) {
            Some(criterion) => {
                criterion.text.clone_from(&new.text);
                criterion.done = new.done;
            }
            None => result.push(Criterion { id, text: new.text.clone(), done: new.done }),
        }
    }
    result
}
