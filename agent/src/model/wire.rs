//! What a model answers: flat, every field present, so that strict structured output can hold it to the schema.

use std::collections::HashSet;

use chrono::NaiveDate;
use patchbay_core::patch::{
    Create, CreateBody, Delete, DeleteBody, Effort, Fault, Field, ListEdit, MetaUpdates, NewCriterion, Priority, ProjectPatch, TaskPatch, Update, UpdateBody,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The sign for "before all siblings" in `after`, where null means that the place does not change.
const FIRST: &str = "^";

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Answer {
    pub(super) kind: Kind,
    #[serde(default)]
    pub(super) say: String,
    #[serde(default)]
    pub(super) title: Option<String>,
    #[serde(default)]
    pub(super) operations: Vec<Operation>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Patch,
    Question,
    Answer,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Operation {
    op: String,
    task_id: String,
    title: Option<String>,
    description: Option<String>,
    status: Option<String>,
    priority: Option<Priority>,
    kind: Option<String>,
    effort: Option<Effort>,
    estimate_minutes: Option<u32>,
    assignee: Option<String>,
    due_on: Option<NaiveDate>,
    labels: Option<Vec<String>>,
    depends_on: Option<Vec<String>>,
    blocker: Option<String>,
    acceptance_criteria: Option<Vec<String>>,
    references: Option<Vec<String>>,
    parent_id: Option<String>,
    after: Option<String>,
    clear: Option<Vec<String>>,
}

/// The schema of an answer, as strict structured output wants it: no field may be left out.
pub(super) fn schema() -> Value {
    let text = json!({ "type": ["string", "null"] });
    let texts = json!({ "type": ["array", "null"], "items": { "type": "string" } });
    let words = |words: &[&str]| json!({ "type": ["string", "null"], "enum": words.iter().map(|word| json!(word)).chain([Value::Null]).collect::<Vec<_>>() });
    let operation = json!({
        "op": { "type": "string", "enum": ["create", "update", "delete"] },
        "task_id": { "type": "string" },
        "title": text, "description": text, "status": text, "priority": words(&["P0", "P1", "P2", "P3"]), "kind": text, "effort": words(&["S", "M", "L"]),
        "estimate_minutes": { "type": ["integer", "null"] }, "assignee": text, "due_on": text, "labels": texts, "depends_on": texts, "blocker": text,
        "acceptance_criteria": texts, "references": texts, "parent_id": text, "after": text, "clear": texts,
    });
    let required = |properties: &Value| properties.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let answer = json!({
        "kind": { "type": "string", "enum": ["patch", "question", "answer"] },
        "say": { "type": "string" },
        "title": text,
        "operations": { "type": "array", "items": { "type": "object", "additionalProperties": false, "required": required(&operation), "properties": operation } },
    });
    json!({ "type": "object", "additionalProperties": false, "required": required(&answer), "properties": answer })
}

impl Answer {
    /// Reads an answer; text around the JSON is dropped.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let whole = serde_json::from_str(text.trim());
        let cut = || {
            let (from, to) = (text.find('{')?, text.rfind('}')?);
            text.get(from..=to).and_then(|json| serde_json::from_str(json).ok())
        };
        match whole {
            Ok(answer) => Ok(answer),
            Err(error) => cut().ok_or_else(|| format!("the answer is not the JSON object that was asked for: {error}")),
        }
    }

    /// The patch; what cannot be one is told at its place.
    pub(super) fn patch(self, is_new_project: bool) -> Result<ProjectPatch, Vec<Fault>> {
        let meta_updates =
            self.title.filter(|title| is_new_project && !title.trim().is_empty()).map(|title| MetaUpdates { title: Some(title), ..MetaUpdates::default() });
        let mut tasks = Vec::with_capacity(self.operations.len());
        let mut faults = Vec::new();
        for (index, operation) in self.operations.into_iter().enumerate() {
            match operation.into_patch() {
                Ok(task) => tasks.push(task),
                Err(message) => faults.push(Fault::new(format!("/operations/{index}"), message)),
            }
        }
        if faults.is_empty() { Ok(ProjectPatch { meta_updates, tasks, ..ProjectPatch::default() }) } else { Err(faults) }
    }
}

impl Operation {
    /// As a patch has it.
    pub(super) fn into_patch(self) -> Result<TaskPatch, String> {
        let task_id = self.task_id.clone();
        match self.op.as_str() {
            "create" => Ok(TaskPatch::Create(Create { task_id, id: None, body: self.create()? })),
            "update" => Ok(TaskPatch::Update(Update { task_id, body: self.update()? })),
            "delete" => Ok(TaskPatch::Delete(Delete { task_id, body: DeleteBody::default() })),
            other => Err(format!("`op` is \"{other}\"; it is create, update or delete")),
        }
    }

    fn create(self) -> Result<CreateBody, String> {
        let filled = |list: Option<Vec<String>>| list.filter(|list| !list.is_empty());
        Ok(CreateBody {
            title: self.title.ok_or("a new task needs a `title`")?,
            description: self.description,
            status: self.status,
            priority: self.priority,
            kind: self.kind,
            effort: self.effort,
            estimate_minutes: self.estimate_minutes,
            assignee: self.assignee,
            due_on: self.due_on,
            labels: filled(self.labels),
            depends_on: filled(self.depends_on),
            blocker: self.blocker,
            acceptance_criteria: filled(self.acceptance_criteria).map(criteria),
            references: filled(self.references),
            parent_id: self.parent_id,
            after: place(self.after.as_deref()),
            ..CreateBody::default()
        })
    }

    fn update(self) -> Result<UpdateBody, String> {
        let clear: HashSet<String> = self.clear.into_iter().flatten().collect();
        let known = [
            "description",
            "priority",
            "kind",
            "effort",
            "estimate_minutes",
            "assignee",
            "due_on",
            "labels",
            "depends_on",
            "blocker",
            "acceptance_criteria",
            "references",
            "parent_id",
        ];
        if let Some(name) = clear.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(format!("`{name}` cannot be cleared; these can: {}", known.join(", ")));
        }
        Ok(UpdateBody {
            title: self.title.map_or(Field::Absent, Field::Set),
            description: edited(&clear, "description", self.description),
            status: self.status.map_or(Field::Absent, Field::Set),
            priority: edited(&clear, "priority", self.priority),
            kind: edited(&clear, "kind", self.kind),
            effort: edited(&clear, "effort", self.effort),
            estimate_minutes: edited(&clear, "estimate_minutes", self.estimate_minutes),
            assignee: edited(&clear, "assignee", self.assignee),
            due_on: edited(&clear, "due_on", self.due_on),
            labels: edited(&clear, "labels", self.labels.map(ListEdit::Replace)),
            depends_on: edited(&clear, "depends_on", self.depends_on.map(ListEdit::Replace)),
            blocker: edited(&clear, "blocker", self.blocker),
            acceptance_criteria: edited(&clear, "acceptance_criteria", self.acceptance_criteria.map(|texts| ListEdit::Replace(criteria(texts)))),
            references: edited(&clear, "references", self.references.map(ListEdit::Replace)),
            parent_id: edited(&clear, "parent_id", self.parent_id),
            after: place(self.after.as_deref()),
            ..UpdateBody::default()
        })
    }
}

/// A field that is set, emptied, or left alone.
fn edited<T>(clear: &HashSet<String>, name: &str, value: Option<T>) -> Field<T> {
    value.map_or_else(|| if clear.contains(name) { Field::Clear } else { Field::Absent }, Field::Set)
}

fn criteria(texts: Vec<String>) -> Vec<NewCriterion> {
    texts.into_iter().map(|text| NewCriterion { text, ..NewCriterion::default() }).collect()
}

fn place(after: Option<&str>) -> Field<String> {
    match after {
        None => Field::Absent,
        Some(FIRST) => Field::Clear,
        Some(sibling) => Field::Set(sibling.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use patchbay_core::patch::shape;

    use super::*;

    #[test]
    fn an_answer_is_read_with_prose_around_it() {
        let json = r#"{"kind":"patch","say":"Done.","title":null,"operations":[{"op":"create","task_id":"t1","title":"Form","labels":[],"after":"^"}]}"#;
        for text in [json.to_owned(), format!("Sure! Here it is:\n```json\n{json}\n```\nAnything else?")] {
            let patch = Answer::read(&text).unwrap().patch(false).unwrap();
            assert_eq!(serde_json::to_value(&patch.tasks).unwrap(), json!([{ "op": "create", "task_id": "t1", "body": { "title": "Form", "after": null } }]));
        }
        assert!(Answer::read("I cannot do that.").is_err());
    }

    #[test]
    fn what_does_not_change_is_absent_and_what_is_cleared_is_null() {
        let operation: Operation =
            serde_json::from_value(json!({ "op": "update", "task_id": "WEB-1", "title": "New", "due_on": null, "clear": ["assignee", "labels"] })).unwrap();
        let patch = ProjectPatch { tasks: vec![operation.into_patch().unwrap()], ..ProjectPatch::default() };
        let bytes = serde_json::to_vec(&patch).unwrap();
        assert_eq!(shape::parse(&bytes).unwrap(), patch, "what is made here obeys the published schema");
        assert_eq!(serde_json::to_value(&patch.tasks[0]).unwrap()["body"], json!({ "title": "New", "assignee": null, "labels": null }));
        let wrong: Operation = serde_json::from_value(json!({ "op": "update", "task_id": "WEB-1", "clear": ["title"] })).unwrap();
        assert!(wrong.into_patch().unwrap_err().contains("cannot be cleared"));
    }

    #[test]
    fn the_schema_asks_for_every_field_that_is_read() {
        let fields: HashSet<String> = serde_json::to_value(Operation::default()).unwrap().as_object().unwrap().keys().cloned().collect();
        let asked: HashSet<String> =
            schema()["properties"]["operations"]["items"]["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        assert_eq!(fields, asked);
    }
}
