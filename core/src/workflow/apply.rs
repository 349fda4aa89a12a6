//! Applying a patch: one transaction, four round trips, at a cost that goes by the patch and not by the project.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    key,
    part::Names,
    revision,
    store::{self, Lock},
    write,
};
use crate::{
    db::{Db, Tx},
    ids::{Context, OrganizationId, first_free},
    patch::{
        Fault, MetaUpdates, ProjectId, ProjectPatch, TaskId, TaskPatch,
        apply::{self, Applied},
        check::{self, Checked, Rules},
        id::is_key,
        normalise::{self, Flat},
        plan::{Plan, Project},
        process::Process,
        rebase::Base,
    },
    tenancy::Actor,
    workflow::ProjectRow,
};

/// How many of the tasks that a change touches its event names.
const TOLD_TASKS: usize = 20;

/// How a change came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// An explicit command.
    Command,
    /// An accepted proposal.
    Proposal,
    /// A form of the console, or a resource of the API.
    Form,
    /// A patch sent with an API key.
    Key,
    Import,
    /// The inverse of a revision.
    Undo,
}

impl Origin {
    const ALL: [Self; 6] = [Self::Command, Self::Proposal, Self::Form, Self::Key, Self::Import, Self::Undo];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Proposal => "proposal",
            Self::Form => "form",
            Self::Key => "key",
            Self::Import => "import",
            Self::Undo => "undo",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.as_str() == text)
    }
}

/// A patch to apply, and on whose behalf.
pub struct Apply<'a> {
    pub actor: &'a Actor,
    pub patch: ProjectPatch,
    pub rules: Rules,
    pub origin: Origin,
    /// The proposal it comes from.
    pub proposal: Option<i32>,
    /// The revision it takes back.
    pub reverts: Option<i32>,
}

/// What became of it.
#[derive(Debug)]
pub struct Change {
    pub project: ProjectRow,
    /// The plan afterwards, or as much of it as the patch needed.
    pub plan: Plan,
    pub applied: Applied,
    /// Whether the project is new.
    pub is_new: bool,
}

impl Change {
    /// The number of the revision, which is the project's version now.
    pub const fn revision(&self) -> i32 {
        self.project.project.version
    }
}

/// Why a patch cannot be applied. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error("there is no project {0}")]
    NoProject(String),
    #[error("the plan has moved on: the patch is for version {base} of {project}, which is at version {version}")]
    Stale { project: String, base: i32, version: i32, since: Vec<Since> },
    #[error("the patch does not fit the plan")]
    Faults(Vec<Fault>),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// What changed after the version that a patch was made for.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Since {
    pub revision: i32,
    pub actor: String,
    pub at: DateTime<Utc>,
    pub note: Option<String>,
    /// References of the tasks that it touched.
    pub tasks: Vec<String>,
}

/// Begins a transaction that holds the project's lock, for who reads before [`apply()`]: what is read is what will be changed.
/// A project that is not there is found to be missing by [`apply()`], which takes the lock itself where it is not held yet.
pub async fn begin(db: &Db, organization: OrganizationId, project: Option<&str>) -> sqlx::Result<Tx> {
    let lock = match project.map(|name| (name.parse::<ProjectId>(), name.to_ascii_uppercase())) {
        Some((Ok(id), _)) => format!("select 1 from project where project_id = '{id}' for no key update"),
        Some((Err(_), key)) if is_key(&key) => {
            format!("select 1 from project where key = '{key}' and deleted_at is null for no key update")
        }
        Some(_) | None => return db.begin(organization).await,
    };
    db.begin_after(organization, &lock).await
}

/// A patch that has passed gates 1 and 2.
pub struct Prepared {
    /// `None` for a project that is yet to be made.
    pub project: Option<ProjectRow>,
    pub plan: Plan,
    pub checked: Checked,
}

/// Checks a patch against the plan as it is, reading no more of that than is needed.
pub async fn check(conn: &mut PgConnection, ctx: &dyn Context, actor: &Actor, patch: ProjectPatch, rules: &Rules) -> Result<Prepared, ApplyError> {
    prepare(conn, ctx, actor, normalise::flatten(patch), rules, Lock::Free).await
}

async fn prepare(conn: &mut PgConnection, ctx: &dyn Context, actor: &Actor, mut flat: Flat, rules: &Rules, lock: Lock) -> Result<Prepared, ApplyError> {
    refuse_ids(&flat, rules)?;
    let (project, mut plan) = match flat.patch.project_id.clone() {
        None => (None, blank(conn, ctx, actor, &mut flat.patch).await?),
        Some(name) => {
            let names = Names::of(&flat.patch, &key_of(&name));
            let head = store::head(conn, &name, lock, names.assignee).await?;
            let Some((row, last, members)) = head.filter(|(row, ..)| actor.sees(row.project.id)) else {
                return Err(ApplyError::NoProject(name));
            };
            let version = row.project.version;
            if let Some(base) = flat.patch.base_version.filter(|base| *base != version) {
                return Err(stale(conn, &row, base).await?);
            }
            // A project that was named by its id has its tasks named by a key that is only known now.
            let names = if row.project.key == key_of(&name) { names } else { Names::of(&flat.patch, &row.project.key) };
            let tasks = if names.any() { store::part(conn, row.project.id, &names).await? } else { last.into_iter().collect() };
            let plan = Plan::new(row.project.clone(), members, tasks);
            (Some(row), plan)
        }
    };
    if flat.patch.tasks.is_empty() && flat.patch.meta_updates.is_none() {
        return Err(ApplyError::Faults(vec![
            Fault::new("/tasks", "this patch changes nothing").fix("add an operation, or change the project's title or summary"),
        ]));
    }
    let checked = check::check(&plan, flat, rules).map_err(ApplyError::Faults)?;
    if project.is_none() {
        name_project(conn, actor, &mut plan, &checked).await?;
    }
    Ok(Prepared { project, plan, checked })
}

/// Tasks by their ids or references, with what stands around them: what they are below, what they depend on, their neighbours,
/// what is below them. Also the members.
pub async fn around(conn: &mut PgConnection, row: &ProjectRow, tasks: &[String]) -> sqlx::Result<Plan> {
    let found = store::part(conn, row.project.id, &Names::all_of(tasks, &row.project.key)).await?;
    Ok(Plan::new(row.project.clone(), store::handles(conn).await?, found))
}

/// A project as it is, with as much of its plan as a patch and what its author looked at touch.
pub async fn present(conn: &mut PgConnection, project: ProjectId, patch: &ProjectPatch, base: &Base) -> sqlx::Result<Option<(ProjectRow, Plan)>> {
    let Some((row, last, members)) = store::head(conn, &project.to_string(), Lock::Free, true).await? else { return Ok(None) };
    let mut names = Names::of(patch, &row.project.key);
    names.seen.extend(base.tasks.iter().map(|task| task.id));
    let tasks = if names.any() { store::part(conn, project, &names).await? } else { last.into_iter().collect() };
    let plan = Plan::new(row.project.clone(), members, tasks);
    Ok(Some((row, plan)))
}

fn key_of(name: &str) -> String {
    name.to_ascii_uppercase()
}

/// Ids of new tasks come from Patchbay alone.
pub(super) fn refuse_ids(flat: &Flat, rules: &Rules) -> Result<(), ApplyError> {
    if rules.history {
        return Ok(());
    }
    let faults: Vec<_> = flat
        .patch
        .tasks
        .iter()
        .enumerate()
        .filter(|(_, task)| matches!(task, TaskPatch::Create(create) if create.id.is_some()))
        .map(|(index, _)| Fault::new(format!("{}/id", flat.path(index)), "a new task gets its id from Patchbay").fix("leave `id` out"))
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(ApplyError::Faults(faults)) }
}

/// The plan of a project that is yet to be made. What the patch leaves open is filled in, so that the patch says all of it.
async fn blank(conn: &mut PgConnection, ctx: &dyn Context, actor: &Actor, patch: &mut ProjectPatch) -> Result<Plan, ApplyError> {
    if let Some(base) = patch.base_version.filter(|base| *base != 0) {
        let fault = Fault::new("/base_version", "a new project has no version yet").found(base.to_string()).expected("0, or nothing");
        return Err(ApplyError::Faults(vec![fault.fix("to change a project that exists, say which in `project_id`")]));
    }
    patch.base_version = Some(0);
    let meta = patch.meta_updates.get_or_insert_with(MetaUpdates::default);
    let process = meta.process.get_or_insert_with(|| "simple".into());
    let process = Process::find(process).unwrap_or(&Process::builtin()[0]);
    let time_zone = meta.time_zone.get_or_insert_with(|| actor.time_zone.clone()).clone();
    let members = if patch.tasks.iter().any(|task| matches!(task, TaskPatch::Create(create) if create.body.assignee.is_some())) {
        store::handles(conn).await?
    } else {
        BTreeSet::new()
    };
    let project =
        Project { id: ProjectId(ctx.uuid()), key: String::new(), title: String::new(), summary: String::new(), version: 0, process, time_zone, next_task: 1 };
    Ok(Plan::new(project, members, []))
}

/// Gives a new project its key.
async fn name_project(conn: &mut PgConnection, actor: &Actor, plan: &mut Plan, checked: &Checked) -> Result<(), ApplyError> {
    let Some(meta) = &checked.flat.patch.meta_updates else {
        return Ok(());
    };
    let stem = meta.key.clone().unwrap_or_else(|| key::stem(meta.title.as_deref().unwrap_or_default()));
    let taken = write::store::lock_keys(conn, actor.organization, &stem).await?;
    if let Some(key) = meta.key.as_ref().filter(|key| taken.contains(key)) {
        let fault = Fault::new("/meta_updates/key", format!("there is a project {key} already"))
            .fix(format!("take another, such as {}, or leave it out", first_free(key, &taken)));
        return Err(ApplyError::Faults(vec![fault]));
    }
    plan.project.key = first_free(&stem, &taken);
    Ok(())
}

async fn stale(conn: &mut PgConnection, row: &ProjectRow, base: i32) -> Result<ApplyError, ApplyError> {
    let version = row.project.version;
    if base > version || base < 0 {
        let fault = Fault::new("/base_version", format!("{} has no version {base} yet", row.project.key)).found(base.to_string()).expected(version.to_string());
        return Ok(ApplyError::Faults(vec![fault]));
    }
    let since = since(conn, row.project.id, base).await?;
    Ok(ApplyError::Stale { project: row.project.key.clone(), base, version, since })
}

/// What changed in a project after a version, oldest first; at most 50 revisions.
pub(crate) async fn since(conn: &mut PgConnection, project: ProjectId, base: i32) -> sqlx::Result<Vec<Since>> {
    let revisions = revision::store::list_after(conn, project, base, 50).await?;
    Ok(revisions
        .into_iter()
        .map(|revision| {
            let patch: ProjectPatch = serde_json::from_str(revision.patch.get()).unwrap_or_default();
            let mut tasks: Vec<String> = patch.tasks.iter().map(|task| task.task_id().to_owned()).collect();
            tasks.dedup();
            Since { revision: revision.number, actor: revision.actor, at: revision.at, note: patch.note, tasks }
        })
        .collect())
}

/// A change that is made in memory and yet to be written.
pub(super) struct Composed<'a> {
    pub(super) plan: Plan,
    pub(super) applied: Applied,
    pub(super) is_new: bool,
    pub(super) patch: String,
    pub(super) inverse: String,
    pub(super) digest: Vec<u8>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) at: DateTime<Utc>,
    pub(super) actor: &'a Actor,
    pub(super) origin: Origin,
    pub(super) proposal: Option<i32>,
    pub(super) reverts: Option<i32>,
    pub(super) details: serde_json::Value,
    pub(super) audit_id: Uuid,
}

impl Composed<'_> {
    pub(super) fn event(&self) -> &'static str {
        if self.is_new { "project.created" } else { "project.changed" }
    }

    /// The project's row as it will be.
    pub(super) fn row(&self) -> ProjectRow {
        ProjectRow { project: self.plan.project.clone(), digest: self.digest.clone(), created_at: self.created_at, updated_at: self.at }
    }

    pub(super) fn written(self) -> Change {
        Change { project: self.row(), plan: self.plan, applied: self.applied, is_new: self.is_new }
    }
}

/// How a change comes about.
#[derive(Clone, Copy)]
pub(super) struct Cause {
    pub(super) origin: Origin,
    pub(super) proposal: Option<i32>,
    pub(super) reverts: Option<i32>,
}

/// Applies a checked patch in memory.
pub(super) fn compose<'a>(ctx: &dyn Context, actor: &'a Actor, prepared: Prepared, cause: Cause) -> Result<Composed<'a>, ApplyError> {
    let Cause { origin, proposal, reverts } = cause;
    let Prepared { project, mut plan, checked } = prepared;
    let is_new = project.is_none();
    let applied = apply::apply(&mut plan, &checked, || TaskId(ctx.uuid()));
    let is_same = |row: &ProjectRow| {
        let (was, is) = (&row.project, &plan.project);
        was.title == is.title && was.summary == is.summary && was.time_zone == is.time_zone
    };
    if applied.writes.is_empty() && project.as_ref().is_some_and(is_same) {
        return Err(ApplyError::Faults(vec![unchanged()]));
    }
    let patch = serde_json::to_string(&applied.patch).expect("a patch is JSON");
    let inverse = serde_json::to_string(&applied.inverse).expect("a patch is JSON");
    let digest = chain(project.as_ref().map_or(&[], |row| row.digest.as_slice()), patch.as_bytes());
    let at = ctx.now();
    let tasks: Vec<&str> = applied.patch.tasks.iter().take(TOLD_TASKS).map(TaskPatch::task_id).collect();
    let details = json!({
        "project": plan.project.key, "version": plan.project.version, "proposal": proposal, "origin": origin,
        "operations": applied.patch.tasks.len(), "tasks": tasks, "may_name": patch.contains("\"assignee\"") || patch.contains('@'),
    });
    let created_at = project.map_or(at, |row| row.created_at);
    Ok(Composed { plan, applied, is_new, patch, inverse, digest, created_at, at, actor, origin, proposal, reverts, details, audit_id: ctx.uuid() })
}

/// The fault of what changes nothing.
pub fn unchanged() -> Fault {
    Fault::new("", "nothing would change: the plan is so already")
}

/// Applies a patch in a transaction of [`begin`], which the caller commits.
pub async fn apply(conn: &mut PgConnection, ctx: &dyn Context, request: Apply<'_>) -> Result<Change, ApplyError> {
    let Apply { actor, patch, rules, origin, proposal, reverts } = request;
    apply_flat(conn, ctx, actor, normalise::flatten(patch), &rules, Cause { origin, proposal, reverts }).await
}

pub(super) async fn apply_flat(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    actor: &Actor,
    flat: Flat,
    rules: &Rules,
    cause: Cause,
) -> Result<Change, ApplyError> {
    let prepared = prepare(conn, ctx, actor, flat, rules, Lock::Held).await?;
    let composed = compose(ctx, actor, prepared, cause)?;
    if composed.is_new {
        write::store::insert_project(conn, actor.organization, &composed.plan.project, composed.at).await?;
    }
    if !write::store::write(conn, &composed).await? {
        // The transaction did not hold the lock, and somebody was faster.
        let base = composed.plan.project.version - 1;
        return Err(ApplyError::Stale { project: composed.plan.project.key.clone(), base, version: base + 1, since: Vec::new() });
    }
    Ok(composed.written())
}

/// The digest of a revision: of the one before, and of its patch's bytes.
pub(super) fn chain(before: &[u8], patch: &[u8]) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(before);
    hasher.update(patch);
    hasher.finalize().as_bytes().to_vec()
}
