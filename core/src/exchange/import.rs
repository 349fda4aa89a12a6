//! A document becomes the revision of a project. The gates decide; what they refuse goes to metadata, and is told.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use sqlx::PgConnection;

use super::{
    Document, Note,
    document::Item,
    source::{self, Source},
};
use crate::{
    ids::Context,
    patch::{Create, CreateBody, Fault, MetaUpdates, ProjectPatch, TaskPatch, check::Rules, process::Process},
    tenancy::Actor,
    workflow::{self, Apply, ApplyError, Change, Origin, store},
};

/// What came of an import.
#[derive(Debug)]
pub struct Imported {
    /// `None` where every task was there already.
    pub change: Option<Change>,
    /// What could not be taken as it stands, in the order of the file.
    pub notes: Vec<Note>,
    /// How many tasks were there from an earlier import.
    pub known: usize,
}

/// Applies the document in a transaction that the caller commits: to the project with the key where there is one, else to a new one.
///
/// Tasks that an earlier import of the file brought are left alone, so that importing twice does not double them.
pub async fn import(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    actor: &Actor,
    document: Document,
    key: Option<&str>,
    fallback_title: &str,
) -> Result<Imported, ApplyError> {
    let existing = match key {
        Some(key) => store::find_project(conn, key).await?.filter(|row| actor.sees(row.project.id)),
        None => None,
    };
    let (process, known) = match &existing {
        Some(row) => (row.project.process, texts_of(&store::load(conn, row).await?)),
        None => (&Process::builtin()[0], HashSet::new()),
    };
    let meta = existing.is_none().then(|| MetaUpdates {
        title: Some(document.title.clone().unwrap_or_else(|| fallback_title.to_owned())),
        summary: document.summary.clone(),
        key: key.map(str::to_ascii_uppercase),
        ..MetaUpdates::default()
    });
    let mut draft = Draft::new(document, process, &known);
    let known = draft.known;
    if draft.items.is_empty() && existing.is_some() {
        return Ok(Imported { change: None, notes: draft.notes, known });
    }
    // Each round takes away at least one thing that the gates refuse.
    loop {
        let patch = ProjectPatch {
            project_id: existing.as_ref().map(|row| row.project.id.to_string()),
            meta_updates: meta.clone(),
            tasks: draft.operations(),
            ..ProjectPatch::default()
        };
        match workflow::check(&mut *conn, ctx, actor, patch.clone(), &Rules::of(actor.role)).await {
            Ok(_) => {
                let request = Apply { actor, patch, rules: Rules::of(actor.role), origin: Origin::Import, proposal: None, reverts: None };
                let change = workflow::apply(conn, ctx, request).await?;
                let mut notes = draft.notes;
                notes.sort_by_key(|note| note.line);
                return Ok(Imported { change: Some(change), notes, known });
            }
            Err(ApplyError::Faults(faults)) if draft.give_way(&faults) => {}
            Err(error) => return Err(error),
        }
    }
}

/// What tells a task of one file from those of another that numbers alike: its own bytes.
fn texts_of(plan: &crate::patch::plan::Plan) -> HashSet<String> {
    plan.tasks().filter_map(Source::of).map(|source| source.text).collect()
}

/// The document on its way to a patch.
struct Draft {
    items: Vec<Item>,
    after: String,
    notes: Vec<Note>,
    process: &'static Process,
    known: usize,
}

impl Draft {
    fn new(document: Document, process: &'static Process, known: &HashSet<String>) -> Self {
        let Document { items, after, notes, .. } = document;
        let mut draft = Self { items, after, notes, process, known: 0 };
        draft.leave_out(known);
        let names: HashSet<String> = draft.items.iter().filter_map(|item| item.name.clone()).collect();
        for index in 0..draft.items.len() {
            draft.choose_status(index);
            let item = &mut draft.items[index];
            let (found, missing): (Vec<_>, Vec<_>) = std::mem::take(&mut item.waits_for).into_iter().partition(|name| names.contains(name));
            item.waits_for = found;
            if !missing.is_empty() {
                let missing = missing.join(", ");
                item.keep("dependencies", missing.clone());
                draft.note(index, format!("it waits for {missing}, which the file does not have; that stays in the metadata"));
            }
        }
        draft
    }

    fn note(&mut self, index: usize, what: impl Into<String>) {
        let item = &self.items[index];
        self.notes.push(Note { line: item.line, task: item.called(), what: what.into() });
    }

    fn leave_out(&mut self, known: &HashSet<String>) {
        let is_known = |item: &Item| known.contains(&item.text);
        let mut new_index = HashMap::new();
        let mut kept = Vec::new();
        for (index, mut item) in std::mem::take(&mut self.items).into_iter().enumerate() {
            if is_known(&item) {
                self.known += 1;
                continue;
            }
            item.parent = item.parent.and_then(|parent| new_index.get(&parent).copied());
            new_index.insert(index, kept.len());
            kept.push(item);
        }
        self.items = kept;
    }

    /// The step that the file's word means.
    fn choose_status(&mut self, index: usize) {
        let Some(word) = self.items[index].status.take() else { return };
        let plain = word.trim().to_lowercase().replace(['-', ' '], "_");
        let candidates: &[&str] = match plain.as_str() {
            "todo" | "ready" | "open" | "backlog" | "new" => &["todo", "queued"],
            "in_progress" | "active" | "started" | "wip" => &["doing", "in_progress"],
            "in_review" => &["review"],
            "complete" | "completed" | "closed" => &["done"],
            other => &[other],
        };
        let step = candidates.iter().find_map(|name| self.process.step(name));
        match step {
            Some(step) if step.name == self.process.first().name => {}
            Some(step) => self.items[index].body.status = Some(step.name.clone()),
            None => {
                let steps: Vec<_> = self.process.steps.iter().map(|step| step.name.as_str()).collect();
                self.items[index].keep("status", word.clone());
                self.note(index, format!("Status \"{word}\" is none of {}; it stays in the metadata", steps.join(", ")));
            }
        }
    }

    fn operations(&self) -> Vec<TaskPatch> {
        let ids: HashMap<&str, String> = self.items.iter().enumerate().filter_map(|(index, item)| Some((item.name.as_deref()?, temporary(index)))).collect();
        let last = self.items.len().saturating_sub(1);
        self.items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                let mut body = item.body.clone();
                body.parent_id = item.parent.map(temporary);
                if !item.waits_for.is_empty() {
                    body.depends_on = Some(item.waits_for.iter().filter_map(|name| ids.get(name.as_str()).cloned()).collect());
                }
                if let Some(name) = &item.name {
                    body.external_refs.get_or_insert_default().insert("file".to_owned(), name.clone());
                }
                let status = body.status.as_deref().unwrap_or(&self.process.first().name);
                let source = Source {
                    form: item.form,
                    name: item.name.clone(),
                    before: item.before.clone(),
                    text: item.text.clone(),
                    after: if index == last { self.after.clone() } else { String::new() },
                    digest: source::of_new(&item.body, status, &item.waits_for),
                };
                let source = serde_json::to_value(source).expect("a source is JSON");
                body.metadata.get_or_insert_default().insert(source::KEY.to_owned(), source);
                TaskPatch::Create(Create { task_id: temporary(index), id: None, body })
            })
            .collect()
    }

    /// Takes away what the faults are about. Whether there was anything to take away.
    fn give_way(&mut self, faults: &[Fault]) -> bool {
        let mut gave_way = false;
        // From behind, so that places in lists stay true.
        for fault in faults.iter().rev() {
            let mut path = fault.path.split('/').skip(1);
            let (Some("tasks"), Some(Ok(index))) = (path.next(), path.next().map(str::parse::<usize>)) else { continue };
            if index >= self.items.len() {
                continue;
            }
            let field = path.nth(1).unwrap_or("parent_id");
            gave_way |= match field {
                "depends_on" => self.wait_less(index, path.next(), fault),
                "parent_id" => self.rise(index, fault),
                field => self.set_aside(index, field, fault),
            };
        }
        gave_way
    }

    fn wait_less(&mut self, index: usize, at: Option<&str>, fault: &Fault) -> bool {
        let waits_for = &mut self.items[index].waits_for;
        let gone = match at.and_then(|at| at.parse().ok()).filter(|at| *at < waits_for.len()) {
            Some(at) => vec![waits_for.remove(at)],
            None => std::mem::take(waits_for),
        };
        if gone.is_empty() {
            return false;
        }
        let gone = gone.join(", ");
        self.items[index].keep("dependencies", gone.clone());
        self.note(index, format!("it cannot wait for {gone}: {}; that stays in the metadata", fault.message));
        true
    }

    fn rise(&mut self, index: usize, fault: &Fault) -> bool {
        let Some(parent) = self.items[index].parent else { return false };
        self.items[index].parent = self.items[parent].parent;
        self.note(index, format!("it stands one level higher: {}", fault.message));
        true
    }

    fn set_aside(&mut self, index: usize, field: &str, fault: &Fault) -> bool {
        let Ok(Value::Object(mut fields)) = serde_json::to_value(&self.items[index].body) else { return false };
        let Some(value) = fields.remove(field) else { return false };
        if field == "title" || field == "metadata" {
            return false;
        }
        let Ok(body) = serde_json::from_value::<CreateBody>(Value::Object(fields)) else { return false };
        self.items[index].body = body;
        self.items[index].keep(field, value);
        self.note(index, format!("{}: {}; it stays in the metadata", field.replace('_', " "), fault.message));
        true
    }
}

fn temporary(index: usize) -> String {
    format!("t{}", index + 1)
}
