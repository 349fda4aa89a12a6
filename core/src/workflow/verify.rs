//! Proof that history and present agree: folding a project's revisions from nothing gives its present state.

use std::collections::BTreeSet;

use sqlx::PgConnection;

use super::{ProjectRow, apply::chain, store};
use crate::patch::{
    ProjectPatch, TaskId, apply,
    check::{self, Rules},
    normalise,
    plan::{Plan, Project, Task},
    process::{Process, Role},
};

/// Something that does not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where: `WEB`, `WEB revision 3`, `WEB-7`.
    pub place: String,
    pub what: String,
}

fn finding(place: impl Into<String>, what: impl Into<String>) -> Finding {
    Finding { place: place.into(), what: what.into() }
}

/// Folds all revisions of a project and compares. Changes nothing. The transaction must see one snapshot.
pub async fn verify(conn: &mut PgConnection, project: &ProjectRow) -> sqlx::Result<Vec<Finding>> {
    let key = &project.project.key;
    let blank = Project { version: 0, title: String::new(), summary: String::new(), next_task: 1, time_zone: "UTC".into(), ..project.project.clone() };
    let mut plan = Plan::new(blank, BTreeSet::new(), []);
    let mut digest = Vec::new();
    let mut after = 0;
    loop {
        let revisions = store::revisions_after(conn, project.project.id, after, 200).await?;
        if revisions.is_empty() {
            break;
        }
        for revision in revisions {
            let place = format!("{key} revision {}", revision.number);
            if revision.number != after + 1 {
                return Ok(vec![finding(place, format!("revision {} is missing", after + 1))]);
            }
            after = revision.number;
            digest = chain(&digest, revision.patch.get().as_bytes());
            if digest != revision.digest {
                return Ok(vec![finding(place, "its digest is not that of its patch and the revision before: it was changed, or one before it was")]);
            }
            if let Err(what) = fold(&mut plan, revision.patch.get()) {
                return Ok(vec![finding(place, what)]);
            }
        }
    }
    let mut findings = Vec::new();
    if digest != project.digest {
        findings.push(finding(key, "the project's digest is not that of its newest revision"));
    }
    let present = store::load(conn, project).await?;
    compare_projects(&plan.project, &present.project, &mut findings);
    compare_tasks(&plan, &present, &mut findings);
    Ok(findings)
}

fn fold(plan: &mut Plan, patch: &str) -> Result<(), String> {
    let patch: ProjectPatch = serde_json::from_str(patch).map_err(|error| format!("its patch cannot be read: {error}"))?;
    if let Some(meta) = patch.meta_updates.as_ref().filter(|_| plan.project.version == 0) {
        plan.project.process = meta.process.as_deref().and_then(Process::find).unwrap_or(plan.project.process);
    }
    let rules = Rules { history: true, ..Rules::of(Role::Owner) };
    let checked = check::check(plan, normalise::flatten(patch), &rules)
        .map_err(|faults| format!("its patch does not fit what was before: {}", faults.first().map(ToString::to_string).unwrap_or_default()))?;
    // Every create in history brings its id.
    apply::apply(plan, &checked, || TaskId(uuid::Uuid::nil()));
    Ok(())
}

fn compare_projects(folded: &Project, present: &Project, findings: &mut Vec<Finding>) {
    let fields = [
        ("title", folded.title == present.title),
        ("summary", folded.summary == present.summary),
        ("version", folded.version == present.version),
        ("process", folded.process.name == present.process.name),
        ("time zone", folded.time_zone == present.time_zone),
        ("next task number", folded.next_task == present.next_task),
    ];
    findings
        .extend(fields.into_iter().filter(|(_, same)| !same).map(|(field, _)| finding(&present.key, format!("its {field} is not what its revisions made it"))));
}

fn compare_tasks(folded: &Plan, present: &Plan, findings: &mut Vec<Finding>) {
    for task in folded.tasks() {
        let place = folded.reference(task);
        match present.get(task.id) {
            None => findings.push(finding(place, "the task is missing")),
            Some(now) => {
                let wrong = differences(task, now);
                if !wrong.is_empty() {
                    findings.push(finding(place, format!("not what the revisions made it: {}", wrong.join(", "))));
                }
            }
        }
    }
    findings.extend(present.tasks().filter(|task| folded.get(task.id).is_none()).map(|task| finding(present.reference(task), "no revision made this task")));
    let parents: BTreeSet<Option<TaskId>> = folded.tasks().map(|task| task.parent).collect();
    for parent in parents {
        if folded.children(parent) != present.children(parent) {
            let place = parent.map_or_else(|| present.project.key.clone(), |id| present.reference_of(id));
            findings.push(finding(place, "the order of what is below it is not what the revisions made it"));
        }
    }
    findings.sort_by(|a, b| a.place.cmp(&b.place));
}

fn differences(folded: &Task, present: &Task) -> Vec<&'static str> {
    let fields = [
        ("number", folded.number == present.number),
        ("parent", folded.parent == present.parent),
        ("title", folded.title == present.title),
        ("status", folded.status == present.status),
        ("priority", folded.priority == present.priority),
        ("assignee", folded.assignee == present.assignee),
        ("due date", folded.due_on == present.due_on),
        ("dependencies", folded.depends_on == present.depends_on),
        ("details", folded.detail == present.detail),
    ];
    fields.into_iter().filter(|(_, same)| !same).map(|(field, _)| field).collect()
}
