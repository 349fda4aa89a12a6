//! Proof that history and present agree: folding a project's revisions from nothing gives its present state.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use sqlx::PgConnection;

use super::{
    ProjectRow,
    apply::chain,
    fold::{blank, step},
    revision, snapshot, store,
};
use crate::patch::{
    TaskId,
    plan::{Plan, Project, Task},
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

/// Folds all revisions of a project and compares: with its present, and with each snapshot on the way. Changes nothing, and tells
/// how many revisions are done. The transaction must see one snapshot; one revision is in memory at a time.
pub async fn verify(conn: &mut PgConnection, project: &ProjectRow, mut progress: impl FnMut(i32) + Send) -> sqlx::Result<Vec<Finding>> {
    let (key, id, newest) = (&project.project.key, project.project.id, project.project.version);
    let mut plan = blank(&project.project, BTreeSet::new());
    let mut digest = Vec::new();
    let mut findings = Vec::new();
    let kept = snapshot::store::versions(conn, id).await?;
    for stop in kept.iter().copied().filter(|version| *version < newest).map(Some).chain([None]) {
        let mut revisions = revision::store::patches(conn, id, plan.project.version, stop.unwrap_or(i32::MAX));
        while let Some(revision) = revisions.try_next().await? {
            let place = format!("{key} revision {}", revision.number);
            let expected = plan.project.version + 1;
            if revision.number != expected {
                findings.push(finding(place, format!("revision {expected} is missing")));
                return Ok(findings);
            }
            digest = chain(&digest, revision.patch.as_bytes());
            if digest != revision.digest {
                findings.push(finding(place, "its digest is not that of its patch and the revision before: it was changed, or one before it was"));
                return Ok(findings);
            }
            if let Err(what) = step(&mut plan, &revision.patch) {
                findings.push(finding(place, what));
                return Ok(findings);
            }
            progress(revision.number);
        }
        drop(revisions);
        if kept.binary_search(&plan.project.version).is_ok() {
            compare_snapshot(conn, &plan, &mut findings).await?;
        }
    }
    findings.extend(kept.iter().filter(|version| **version > newest).map(|version| finding(snapshot_place(key, *version), "there is no such version")));
    if digest != project.digest {
        findings.push(finding(key, "the project's digest is not that of its newest revision"));
    }
    let present = store::load(conn, project).await?;
    compare_projects(&plan.project, &present.project, &mut findings);
    compare_tasks(&plan, &present, &mut findings);
    Ok(findings)
}

fn snapshot_place(key: &str, version: i32) -> String {
    format!("{key} snapshot {version}")
}

async fn compare_snapshot(conn: &mut PgConnection, folded: &Plan, findings: &mut Vec<Finding>) -> sqlx::Result<()> {
    let version = folded.project.version;
    let place = snapshot_place(&folded.project.key, version);
    let Some(text) = snapshot::store::find(conn, folded.project.id, version).await? else { return Ok(()) };
    match snapshot::parse(&text, folded, version) {
        Err(what) => findings.push(finding(place, what)),
        Ok(kept) => {
            let mut found = Vec::new();
            compare_projects(&folded.project, &kept.project, &mut found);
            compare_tasks(folded, &kept, &mut found);
            findings.extend(found.into_iter().map(|found| finding(&place, format!("{}: {}", found.place, found.what))));
        }
    }
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
