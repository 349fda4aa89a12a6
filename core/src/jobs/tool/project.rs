//! What is made of a project, and what one is made of: files of plans, and an account of what changed.

use std::{fmt::Write as _, sync::Arc};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    db::{Db, Tx},
    exchange,
    ids::{Context, OrganizationId},
    jobs::{Failure, Held, Job, Work},
    patch::plan::{Plan, Task},
    tenancy::{self, Scope},
    workflow::{
        self, ApplyError, ProjectRow,
        revision::{self, store::Revision},
        store,
        view::Tree,
    },
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExportInput {
    /// A project's key or id.
    #[schemars(length(min = 1, max = 100))]
    project: String,
    format: Format,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Format {
    Md,
    Json,
    Csv,
    Ics,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangelogInput {
    /// A project's key or id.
    #[schemars(length(min = 1, max = 100))]
    project: String,
    /// The version that it begins after; absent: the first.
    #[serde(default)]
    #[schemars(range(min = 0, max = i32::MAX))]
    from: Option<i32>,
    /// The version that it ends with; absent: the newest.
    #[serde(default)]
    #[schemars(range(min = 1, max = i32::MAX))]
    to: Option<i32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportInput {
    /// What the file is called: its ending says how it is read, and a new project without a title is called like it.
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// What is in it.
    #[schemars(length(min = 1, max = 1_000_000))]
    text: String,
    /// A project's key or id; where there is none with this key, one is made. Absent: a new one.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    project: Option<String>,
}

/// The project that a job names, in a transaction that sees one snapshot.
async fn open(db: &Db, job: &Job, name: &str) -> Result<(Tx, ProjectRow), Failure> {
    let mut tx = db.snapshot(job.organization).await?;
    let row = store::find_project(&mut tx, name).await?.ok_or_else(|| Failure::Never { why: format!("there is no project {name}") })?;
    Ok((tx, row))
}

/// Writes a project's plan as a file.
pub struct Export {
    pub db: Db,
    pub ctx: Arc<dyn Context>,
}

#[async_trait]
impl Work for Export {
    async fn run(&self, job: &Job, held: &Held) -> Result<Value, Failure> {
        let input: ExportInput = super::input(job)?;
        let (mut tx, row) = open(&self.db, job, &input.project).await?;
        let plan = store::load(&mut tx, &row).await?;
        tx.rollback().await?;
        let (text, ending, media_type) = match input.format {
            Format::Md => (exchange::markdown(&plan), "md", "text/markdown"),
            Format::Json => {
                let tree = Tree::new(&plan, row.created_at, row.updated_at);
                (serde_json::to_string_pretty(&tree).map_err(|error| Failure::Never { why: error.to_string() })? + "\n", "json", "application/json")
            }
            Format::Csv => (exchange::csv(&plan), "csv", "text/csv"),
            Format::Ics => (exchange::calendar(&plan, self.ctx.now()), "ics", "text/calendar"),
        };
        held.say(format!("{} tasks at version {}.", plan.len(), plan.project.version));
        Ok(json!({ "name": format!("{}.{ending}", plan.project.key), "media_type": media_type, "version": plan.project.version, "text": text }))
    }
}

/// Tells what changed in a project between two versions.
pub struct Changelog {
    pub db: Db,
}

#[async_trait]
impl Work for Changelog {
    async fn run(&self, job: &Job, held: &Held) -> Result<Value, Failure> {
        let input: ChangelogInput = super::input(job)?;
        let (mut tx, row) = open(&self.db, job, &input.project).await?;
        let newest = row.project.version;
        let (from, to) = (input.from.unwrap_or(0), input.to.unwrap_or(newest));
        if to > newest || from >= to {
            return Err(Failure::Never { why: format!("{} has versions up to {newest}, and a changelog goes from one to a later one", row.project.key) });
        }
        let (before, after) = (workflow::at(&mut tx, &row, from).await?, workflow::at(&mut tx, &row, to).await?);
        let revisions = revision::store::list_after(&mut tx, row.project.id, from, i64::from(to - from)).await?;
        tx.rollback().await?;
        held.say(format!("{} revisions were read.", revisions.len()));
        let text = changelog(&before, &after, (from, to), &revisions);
        Ok(json!({ "from": from, "to": to, "text": text }))
    }
}

fn changelog(before: &Plan, after: &Plan, (from, to): (i32, i32), revisions: &[Revision]) -> String {
    let is_done = |plan: &Plan, task: &Task| plan.project.process.is_done(&task.status);
    let all = |plan: &Plan| plan.walk().into_iter().map(|(_, task)| task.clone()).collect::<Vec<_>>();
    let (mut added, mut done, mut changed, mut removed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for task in all(after) {
        let line = format!("{} {}", after.reference(&task), task.title);
        match before.get(task.id) {
            old if is_done(after, &task) && !old.is_some_and(|old| is_done(before, old)) => done.push(line),
            None => added.push(line),
            Some(old) if old.title != task.title => changed.push(format!("{line} (was: {})", old.title)),
            Some(old) if old.status != task.status => changed.push(format!("{line}: {} → {}", old.status, task.status)),
            Some(old) if old != &task => changed.push(line),
            Some(_) => {}
        }
    }
    for task in all(before) {
        if after.get(task.id).is_none() {
            removed.push(format!("{} {}", before.reference(&task), task.title));
        }
    }
    let mut text = format!("# {}: versions {} to {to}\n", after.project.title, from + 1);
    if let (Some(first), Some(last)) = (revisions.first(), revisions.last()) {
        let mut authors: Vec<&str> = revisions.iter().map(|revision| revision.actor.as_str()).collect();
        authors.sort_unstable();
        authors.dedup();
        let by: Vec<String> = authors.iter().map(|author| format!("@{author}")).collect();
        let _ = writeln!(text, "\n{} to {}, by {}.", first.at.format("%Y-%m-%d"), last.at.format("%Y-%m-%d"), by.join(", "));
    }
    for (title, lines) in [("Done", done), ("Added", added), ("Changed", changed), ("Removed", removed)] {
        if !lines.is_empty() {
            let _ = write!(text, "\n## {title}\n\n");
            for line in lines {
                let _ = writeln!(text, "- {line}");
            }
        }
    }
    text
}

/// Makes tasks of a file, in the transaction that ends the job: however often it is tried, they are made once.
pub struct Import {
    pub db: Db,
    pub ctx: Arc<dyn Context>,
    /// Told after the commit.
    pub committed: Box<dyn Fn(OrganizationId) + Send + Sync>,
}

#[async_trait]
impl Work for Import {
    async fn run(&self, job: &Job, held: &Held) -> Result<Value, Failure> {
        let never = |why: String| Failure::Never { why };
        let input: ImportInput = super::input(job)?;
        let document = exchange::read(&input.name, &input.text);
        if document.items.is_empty() {
            return Err(never(format!("{} has no tasks that can be read: headings such as `### T-042: Title`, check-boxes, or YAML", input.name)));
        }
        let project = input.project.as_deref();
        let mut tx = workflow::begin(&self.db, job.organization, project).await?;
        let member = tenancy::store::list_members(&mut tx).await?.into_iter().find(|member| member.handle == job.actor);
        let actor = match member {
            Some(member) => tenancy::store::act_as(&mut tx, job.organization, member.id).await?,
            None => None,
        };
        let actor = actor.filter(|actor| actor.may(Scope::Apply)).ok_or_else(|| never(format!("@{} may not change plans any more", job.actor)))?;
        let title = input.name.rsplit_once('.').map_or(input.name.as_str(), |(stem, _)| stem);
        let imported = exchange::import(&mut tx, self.ctx.as_ref(), &actor, document, project, title).await.map_err(|error| match error {
            ApplyError::Faults(faults) => never(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
            error => Failure::Later { after: None, why: error.to_string() },
        })?;
        for note in imported.notes.iter().take(100) {
            held.say(format!("Line {}: {}{}{}", note.line, note.task, if note.task.is_empty() { "" } else { ": " }, note.what));
        }
        let result = match &imported.change {
            Some(change) => {
                let project = &change.project.project;
                json!({ "project": project.key, "version": project.version, "made": change.applied.patch.tasks.len(), "known": imported.known })
            }
            None => json!({ "project": project, "version": null, "made": 0, "known": imported.known }),
        };
        if !held.finish(&mut tx, self.ctx.as_ref(), job, &result).await? {
            tx.rollback().await?;
            return Err(Failure::Over);
        }
        tx.commit().await?;
        (self.committed)(job.organization);
        Err(Failure::Over)
    }
}
