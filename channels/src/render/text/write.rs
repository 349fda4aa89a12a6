//! Writing a patch.

use std::fmt::{Display, Write};

use patchbay_core::patch::ProjectPatch;
use serde_json::{Map, Value};

use super::{Kind, Section, is_word};
use crate::render::escape;

/// The patch as text that [`parse`](super::parse) gives it back from.
pub fn render(patch: &ProjectPatch) -> String {
    let patch = serde_json::to_value(patch).expect("a patch is JSON");
    let mut out = Lines(String::new());
    out.line(0, "patch");
    out.fields(Section::Patch, 1, &patch);
    if let Some(meta) = patch.get("meta_updates") {
        out.line(0, "\n* project");
        out.fields(Section::Project, 1, meta);
    }
    for operation in members(&patch["tasks"]) {
        out.0.push('\n');
        out.operation(0, operation);
    }
    out.0
}

struct Lines(String);

impl Lines {
    fn line(&mut self, level: usize, line: impl Display) {
        let _ = writeln!(self.0, "{:1$}{line}", "", 2 * level);
    }

    fn operation(&mut self, level: usize, operation: &Value) {
        let (task, body) = (name(text(&operation["task_id"])), &operation["body"]);
        let section = match text(&operation["op"]) {
            "create" => Section::Create,
            "update" => Section::Update,
            _ => Section::Delete,
        };
        let sign = section.sign();
        if section == Section::Create {
            self.line(level, format_args!("{sign} {task} {}", quoted(&body["title"])));
            if let Some(id) = operation.get("id") {
                self.field(level + 1, "id", Kind::Text, id);
            }
        } else {
            self.line(level, format_args!("{sign} {task}"));
        }
        self.fields(section, level + 1, body);
        match body.get("subtasks") {
            Some(Value::Array(below)) if below.is_empty() => self.line(level + 1, "subtasks: []"),
            Some(below) => members(below).iter().for_each(|operation| self.operation(level + 1, operation)),
            None => {}
        }
    }

    fn fields(&mut self, section: Section, level: usize, body: &Value) {
        for (field, kind) in section.fields() {
            let is_said = match *field {
                "title" => section == Section::Create,
                "subtasks_go" => body["subtasks_go"] == "with_it",
                _ => false,
            };
            if let Some(value) = body.get(field).filter(|_| !is_said) {
                self.field(level, field, *kind, value);
            }
        }
    }

    fn field(&mut self, level: usize, field: &str, kind: Kind, value: &Value) {
        match (kind, value) {
            (_, Value::Null) => self.line(level, format_args!("{field}: none")),
            (Kind::Text, Value::String(text)) if text.contains('\n') => {
                self.line(level, format_args!("{field}:"));
                text.split('\n').for_each(|line| self.line(level + 1, format_args!("|{}", block_line(line))));
            }
            (Kind::Text | Kind::Number, _) => self.line(level, format_args!("{field}: {}", scalar(value))),
            (Kind::List, Value::Array(members)) => self.line(level, format_args!("{field}: {}", list(members))),
            (Kind::Criteria, Value::Array(criteria)) if !criteria.is_empty() => {
                self.line(level, format_args!("{field}:"));
                for new in criteria {
                    self.line(level + 1, criterion(new));
                }
            }
            (Kind::Criteria, Value::Object(edit)) if edit.values().any(|list| !members(list).is_empty()) => {
                self.line(level, format_args!("{field}:"));
                for new in members(&edit["add"]) {
                    self.line(level + 1, format_args!("+ {}", criterion(new)));
                }
                for old in members(&edit["remove"]) {
                    self.line(level + 1, format_args!("- {}", name(text(old))));
                }
            }
            (Kind::Criteria, Value::Array(_)) => self.line(level, format_args!("{field}: []")),
            (Kind::List | Kind::Criteria, edit) => self.line(level, format_args!("{field}: {}", changes(edit))),
            (Kind::Names | Kind::Values, Value::Object(map)) if !map.is_empty() => self.map(level, field, kind, map),
            (Kind::Names | Kind::Values, _) => self.line(level, format_args!("{field}: {{}}")),
        }
    }

    fn map(&mut self, level: usize, field: &str, kind: Kind, map: &Map<String, Value>) {
        self.line(level, format_args!("{field}:"));
        for (key, value) in map {
            let value = if kind == Kind::Values { quoted(value) } else { scalar(value) };
            self.line(level + 1, format_args!("{}: {value}", name(key)));
        }
    }
}

fn members(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// JSON without anything invisible. Outside of its strings it is ASCII, so an escape always stands within one.
fn quoted(value: &Value) -> String {
    escape::visible(&value.to_string())
}

fn name(text: &str) -> String {
    if is_word(text) { text.to_owned() } else { quoted(&text.into()) }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) if text != "none" && !text.starts_with('"') && is_clear(text) => text.clone(),
        other => quoted(other),
    }
}

/// Whether a string needs no quotes: it is all there to see.
fn is_clear(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.contains("  ") && !text.contains('\\') && escape::visible(text) == text
}

fn list(members: &[Value]) -> String {
    let member = |value: &Value| {
        let text = text(value);
        if is_clear(text) && !text.contains(['"', '[', ']', ',']) { text.to_owned() } else { quoted(value) }
    };
    format!("[{}]", members.iter().map(member).collect::<Vec<_>>().join(", "))
}

/// `add [ui], remove [docs]`
fn changes(edit: &Value) -> String {
    match (members(&edit["add"]), members(&edit["remove"])) {
        (add, []) => format!("add {}", list(add)),
        ([], remove) => format!("remove {}", list(remove)),
        (add, remove) => format!("add {}, remove {}", list(add), list(remove)),
    }
}

fn criterion(value: &Value) -> String {
    let sign = if value["done"] == true { "[x]" } else { "[ ]" };
    let id = value.get("id").map_or_else(String::new, |id| format!("{} ", name(text(id))));
    format!("{sign} {id}{}", quoted(&value["text"]))
}

/// A line of a longer text: as it is, but for backslashes and what nobody would see.
fn block_line(line: &str) -> String {
    let line = escape::visible(&line.replace('\\', r"\\"));
    match line.strip_suffix(' ') {
        None if line.is_empty() => String::new(),
        None => format!(" {line}"),
        Some(line) => format!(r" {line}\u0020"),
    }
}
