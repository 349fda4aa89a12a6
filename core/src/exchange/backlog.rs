//! A YAML backlog in: a list of records, at the top or under `tasks`.

use serde_json::{Map, Value};

use super::document::{Document, Form, Item, names};
use crate::{
    dates,
    patch::{Effort, NewCriterion, Priority},
};

/// Reads a file. Each record is read by itself, so that a broken one stops nothing else.
pub(super) fn read(text: &str) -> Document {
    let mut document = Document::default();
    let mut taken = 0;
    for (line, start, end) in records(text) {
        let mut item = Item { line, form: Form::Yaml, before: text[taken..start].to_owned(), text: text[start..end].to_owned(), ..Item::default() };
        match serde_saphyr::from_str::<Vec<Value>>(&text[start..end]).map(|values| values.into_iter().next()) {
            Ok(Some(Value::Object(fields))) => {
                let has_title = fields.get("title").is_some_and(|title| title.as_str().is_some_and(|title| !title.trim().is_empty()));
                if !has_title {
                    let name = fields.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
                    document.note(line, name, "this record has no `title` and is left as text");
                    continue;
                }
                fill(&mut document, &mut item, fields);
            }
            Ok(_) => {
                document.note(line, "", "this is no record: it needs fields such as `id` and `title`; it is left as text");
                continue;
            }
            Err(error) => {
                let what = error.to_string();
                document.note(
                    line,
                    "",
                    format!("this record is not YAML and is left as text: {}", what.lines().next().unwrap_or_default().rsplit(": ").next().unwrap_or_default()),
                );
                continue;
            }
        }
        if let Some(name) = item.name.clone().filter(|name| document.items.iter().any(|other| other.name.as_ref() == Some(name))) {
            document.note(line, name, "the name stands before already; this one is kept without it");
            item.name = None;
        }
        taken = end;
        document.items.push(item);
    }
    text[taken..].clone_into(&mut document.after);
    document
}

/// Where records begin and end: at the dashes of the first list.
fn records(text: &str) -> Vec<(usize, usize, usize)> {
    let mut starts: Vec<(usize, usize)> = Vec::new();
    let mut dash = None;
    let mut end = text.len();
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let content = line.trim();
        if content == "-" || line[indent..].starts_with("- ") {
            if indent == *dash.get_or_insert(indent) {
                starts.push((number + 1, at));
            }
        } else if dash.is_some_and(|dash| indent <= dash) && !content.is_empty() && !content.starts_with('#') && !starts.is_empty() {
            // Another key: the list is over.
            end = at;
            break;
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).map(|(_, start)| *start).chain([end]).collect::<Vec<_>>();
    starts.into_iter().zip(ends).map(|((line, start), end)| (line, start, end)).collect()
}

fn fill(document: &mut Document, item: &mut Item, fields: Map<String, Value>) {
    if let Some(Value::String(name)) = fields.get("id") {
        item.name = Some(name.clone());
    }
    for (key, value) in fields {
        let text = value.as_str().map(str::trim);
        let taken = match (key.as_str(), text) {
            ("id", Some(_)) => true,
            ("title", Some(title)) => {
                item.entitle(title);
                true
            }
            ("description" | "context", Some(text)) => {
                item.describe(text);
                true
            }
            ("status", Some(status)) => {
                item.status = Some(status.to_owned());
                true
            }
            ("priority", Some(word)) => {
                item.body.priority = serde_json::from_value::<Priority>(word.to_ascii_uppercase().into()).ok();
                item.body.priority.is_some()
            }
            ("effort", Some(word)) => {
                item.body.effort = serde_json::from_value::<Effort>(word.to_ascii_uppercase().into()).ok();
                item.body.effort.is_some()
            }
            ("type" | "kind", Some(word)) => {
                item.body.kind = Some(word.to_owned());
                true
            }
            ("owner" | "assignee", Some(handle)) => {
                item.body.assignee = Some(handle.trim_start_matches('@').to_lowercase());
                true
            }
            ("blocker", Some(text)) => {
                item.body.blocker = Some(text.to_owned());
                true
            }
            ("due" | "due_on", Some(day)) => {
                item.body.due_on = day.parse().ok();
                item.body.due_on.is_some()
            }
            ("estimate", Some(time)) => {
                item.body.estimate_minutes = dates::parse_duration(time);
                item.body.estimate_minutes.is_some()
            }
            ("labels" | "tags", _) => texts(&value).map(|labels| item.body.labels = Some(labels)).is_some(),
            ("references", _) => texts(&value).map(|references| item.body.references = Some(references)).is_some(),
            ("dod" | "acceptance_criteria", _) => texts(&value)
                .map(|lines| {
                    item.body.acceptance_criteria = Some(lines.into_iter().map(|text| NewCriterion { text, ..NewCriterion::default() }).collect());
                })
                .is_some(),
            ("depends_on" | "dependencies", _) => {
                texts(&value).map(|lines| item.waits_for = lines.iter().flat_map(|line| names(line)).map(str::to_owned).collect()).is_some()
            }
            _ => {
                item.keep(&key, value.clone());
                true
            }
        };
        if !taken {
            document.note(item.line, item.called(), format!("`{key}` cannot be {value}; it stays in the metadata"));
            item.keep(&key, value);
        }
    }
}

/// A list of texts, or one.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(values) => values.iter().map(|value| value.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}
