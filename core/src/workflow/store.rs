//! The rows of projects, tasks and logged time.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, FromRow, PgConnection, Row, postgres::PgRow, types::Json};

use super::{part::Names, view::ProjectView, write::store::lock_keys};
use crate::{
    db::Db,
    ids::{MemberId, OrganizationId},
    patch::{
        Priority, ProjectId, Reference, TaskId,
        plan::{Detail, Plan, Project, Task},
        process::Process,
        rank::Rank,
    },
    tenancy::Actor,
};

/// A project as it is stored.
#[derive(Clone, Debug)]
pub struct ProjectRow {
    pub project: Project,
    /// That of its newest revision.
    pub digest: Vec<u8>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl ProjectRow {
    pub fn view(&self) -> ProjectView {
        ProjectView::new(&self.project, self.created_at, self.updated_at)
    }
}

impl FromRow<'_, PgRow> for ProjectRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let process: &str = row.try_get("process")?;
        Ok(Self {
            project: Project {
                id: row.try_get("project_id")?,
                key: row.try_get("key")?,
                title: row.try_get("title")?,
                summary: row.try_get("summary")?,
                version: row.try_get("version")?,
                process: Process::find(process).ok_or_else(|| damaged(format!("there is no process {process}")))?,
                time_zone: row.try_get("time_zone")?,
                next_task: row.try_get("next_task")?,
            },
            digest: row.try_get("digest")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

fn damaged(what: String) -> sqlx::Error {
    sqlx::Error::Decode(what.into())
}

pub(super) const PROJECT: &str = "project_id, key, title, summary, version, process, time_zone, next_task, digest, created_at, updated_at";

/// A task's columns, with what it depends on.
const TASK: &str = "t.task_id, t.number, t.parent_id, t.rank, t.title, t.status, t.priority, t.assignee, t.due_on, t.detail,
    array(select d.depends_on_id from task_dependency d where d.task_id = t.task_id order by d.depends_on_id) as depends_on";

fn task(row: &PgRow) -> sqlx::Result<Task> {
    Ok(Task {
        id: row.try_get("task_id")?,
        number: row.try_get("number")?,
        parent: row.try_get("parent_id")?,
        rank: rank(row.try_get("rank")?)?,
        title: row.try_get("title")?,
        status: row.try_get("status")?,
        priority: row.try_get::<Option<i16>, _>("priority")?.and_then(|number| Priority::ALL.get(usize::try_from(number).ok()?).copied()),
        assignee: row.try_get("assignee")?,
        due_on: row.try_get("due_on")?,
        depends_on: row.try_get("depends_on")?,
        detail: row.try_get::<Json<Detail>, _>("detail")?.0,
    })
}

fn rank(bytes: Vec<u8>) -> sqlx::Result<Rank> {
    Rank::from_bytes(bytes).map_err(|error| damaged(error.to_string()))
}

/// The project with this id or key.
pub async fn find_project(conn: &mut PgConnection, name: &str) -> sqlx::Result<Option<ProjectRow>> {
    match name.parse::<ProjectId>() {
        Ok(id) => {
            sqlx::query_as(AssertSqlSafe(format!("select {PROJECT} from project where project_id = $1 and deleted_at is null")))
                .bind(id)
                .fetch_optional(conn)
                .await
        }
        Err(_) => {
            sqlx::query_as(AssertSqlSafe(format!("select {PROJECT} from project where key = $1 and deleted_at is null")))
                .bind(name.to_ascii_uppercase())
                .fetch_optional(conn)
                .await
        }
    }
}

/// A project in a list of them.
#[derive(Clone, Debug)]
pub struct Listed {
    pub project: ProjectRow,
    pub open_proposals: i64,
    pub tasks: i64,
    pub done: i64,
}

/// The projects by key, after a key; only one where only that may be seen.
pub async fn list_projects(conn: &mut PgConnection, only: Option<ProjectId>, after: Option<&str>, limit: i64) -> sqlx::Result<Vec<Listed>> {
    let done: Vec<&str> =
        Process::builtin().iter().flat_map(|process| process.steps.iter().filter(|step| process.is_done(&step.name))).map(|step| step.name.as_str()).collect();
    let rows = sqlx::query(AssertSqlSafe(format!(
        "select {PROJECT}, coalesce(t.tasks, 0) as tasks, coalesce(t.done, 0) as done,
                (select count(*) from proposal where proposal.project_id = project.project_id and state = 'open') as open_proposals
         from project
         left join lateral (select count(*) as tasks, count(*) filter (where status = any($4)) as done
                            from task where task.project_id = project.project_id) t on true
         where deleted_at is null and ($1::uuid is null or project_id = $1) and ($2::text is null or key > $2)
         order by key limit $3"
    )))
    .bind(only)
    .bind(after)
    .bind(limit)
    .bind(done)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Listed {
                project: ProjectRow::from_row(row)?,
                open_proposals: row.try_get("open_proposals")?,
                tasks: row.try_get("tasks")?,
                done: row.try_get("done")?,
            })
        })
        .collect()
}

/// The handles that a task can be assigned to.
pub async fn handles(conn: &mut PgConnection) -> sqlx::Result<BTreeSet<String>> {
    let handles: Vec<String> = sqlx::query_scalar("select handle from member where removed_at is null").fetch_all(conn).await?;
    Ok(handles.into_iter().collect())
}

/// The whole plan of a project, in two queries whatever its shape.
pub async fn load(conn: &mut PgConnection, project: &ProjectRow) -> sqlx::Result<Plan> {
    let tasks = load_tasks(&mut *conn, project.project.id).await?;
    Ok(Plan::new(project.project.clone(), handles(conn).await?, tasks))
}

/// All tasks of a project.
pub(super) async fn load_tasks(conn: &mut PgConnection, project: ProjectId) -> sqlx::Result<Vec<Task>> {
    let rows = sqlx::query(AssertSqlSafe(format!("select {TASK} from task t where t.project_id = $1"))).bind(project).fetch_all(conn).await?;
    rows.iter().map(task).collect()
}

/// All plans of an organisation, or the one that may be seen, by key: two queries however many there are. They know no members.
pub async fn load_all(conn: &mut PgConnection, only: Option<ProjectId>) -> sqlx::Result<Vec<Plan>> {
    let projects: Vec<ProjectRow> =
        sqlx::query_as(AssertSqlSafe(format!("select {PROJECT} from project where deleted_at is null and ($1::uuid is null or project_id = $1) order by key")))
            .bind(only)
            .fetch_all(&mut *conn)
            .await?;
    let rows = sqlx::query(AssertSqlSafe(format!("select t.project_id, {TASK} from task t where t.project_id = any($1)")))
        .bind(projects.iter().map(|row| row.project.id).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    let mut tasks: BTreeMap<ProjectId, Vec<Task>> = BTreeMap::new();
    for row in &rows {
        tasks.entry(row.try_get("project_id")?).or_default().push(task(row)?);
    }
    Ok(projects.into_iter().map(|row| Plan::new(row.project.clone(), BTreeSet::new(), tasks.remove(&row.project.id).unwrap_or_default())).collect())
}

/// Some tasks of any projects, with what they depend on: parts of plans that are enough to show them.
pub async fn load_some(conn: &mut PgConnection, tasks: &[Located]) -> sqlx::Result<BTreeMap<ProjectId, Plan>> {
    let projects: Vec<ProjectRow> = sqlx::query_as(AssertSqlSafe(format!("select {PROJECT} from project where project_id = any($1)")))
        .bind(tasks.iter().map(|task| task.project).collect::<Vec<_>>())
        .fetch_all(&mut *conn)
        .await?;
    let rows = sqlx::query(AssertSqlSafe(format!(
        "select t.project_id, {TASK} from task t
         where t.task_id in (select unnest($1::uuid[]) union select d.depends_on_id from task_dependency d where d.task_id = any($1))"
    )))
    .bind(tasks.iter().map(|task| task.task).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let mut found: BTreeMap<ProjectId, Vec<Task>> = BTreeMap::new();
    for row in &rows {
        found.entry(row.try_get("project_id")?).or_default().push(task(row)?);
    }
    let plan = |row: ProjectRow| (row.project.id, Plan::new(row.project.clone(), BTreeSet::new(), found.remove(&row.project.id).unwrap_or_default()));
    Ok(projects.into_iter().map(plan).collect())
}

/// How many changes there were in all plans, or in the one that may be seen.
pub async fn total_version(conn: &mut PgConnection, only: Option<ProjectId>) -> sqlx::Result<i64> {
    sqlx::query_scalar("select coalesce(sum(version), 0)::bigint from project where $1::uuid is null or project_id = $1").bind(only).fetch_one(conn).await
}

/// The version that a project is at.
pub async fn version(conn: &mut PgConnection, project: ProjectId) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar("select version from project where project_id = $1 and deleted_at is null").bind(project).fetch_optional(conn).await
}

/// The tasks of a project that a message seems to speak of, best first: full text over titles and descriptions, of any of its words
/// but the commonest.
pub async fn list_spoken_of(conn: &mut PgConnection, project: ProjectId, message: &str, limit: i64) -> sqlx::Result<Vec<TaskId>> {
    // Made when it is asked for: an index would have to be kept by each change of a plan.
    sqlx::query_scalar(
        "with wanted as (select replace(plainto_tsquery('english', $2)::text, ' & ', ' | ')::tsquery as words),
         -- Read once, not once to find and once to rank.
         told as materialized (
             select t.task_id, t.number,
                    setweight(to_tsvector('english', t.title), 'A') || setweight(to_tsvector('english', coalesce(t.detail ->> 'description', '')), 'C') as words
             from task t where t.project_id = $1
         )
         select told.task_id from told, wanted where told.words @@ wanted.words
         order by ts_rank(told.words, wanted.words) desc, told.number limit $3",
    )
    .bind(project)
    .bind(message.chars().take(MAX_SOUGHT).collect::<String>().replace('\0', " "))
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// The most characters of a message that are looked for.
const MAX_SOUGHT: usize = 2_000;

/// How many tasks a project has.
pub async fn count_tasks(conn: &mut PgConnection, project: ProjectId) -> sqlx::Result<i64> {
    sqlx::query_scalar("select count(*) from task where project_id = $1").bind(project).fetch_one(conn).await
}

/// The project of a task, by the task's id.
pub async fn project_of(conn: &mut PgConnection, task: TaskId) -> sqlx::Result<Option<ProjectId>> {
    sqlx::query_scalar("select project_id from task where task_id = $1").bind(task).fetch_optional(conn).await
}

/// Where a task stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    pub project: ProjectId,
    pub key: String,
    pub task: TaskId,
    pub number: i32,
}

impl Located {
    /// The task's name for people.
    pub fn reference(&self) -> String {
        Reference { key: self.key.clone(), number: self.number }.to_string()
    }
}

impl FromRow<'_, PgRow> for Located {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self { project: row.try_get("project_id")?, key: row.try_get("key")?, task: row.try_get("task_id")?, number: row.try_get("number")? })
    }
}

/// The task with this reference or id.
pub async fn locate(conn: &mut PgConnection, name: &str) -> sqlx::Result<Option<Located>> {
    if let Some(reference) = Reference::parse(name) {
        return sqlx::query_as(
            "select p.project_id, p.key, t.task_id, t.number from project p join task t on t.project_id = p.project_id
             where p.key = $1 and p.deleted_at is null and t.number = $2",
        )
        .bind(reference.key)
        .bind(reference.number)
        .fetch_optional(conn)
        .await;
    }
    let Ok(id) = name.parse::<TaskId>() else { return Ok(None) };
    sqlx::query_as(
        "select p.project_id, p.key, t.task_id, t.number from task t join project p on p.project_id = t.project_id
         where t.task_id = $1 and p.deleted_at is null",
    )
    .bind(id)
    .fetch_optional(conn)
    .await
}

/// Whether a project's row is held until the transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    /// It is to be changed.
    Held,
    /// It is only looked at.
    Free,
}

macro_rules! head {
    ($more:literal, $from:literal) => {
        concat!(
            "select (p.head).project_id, (p.head).key, (p.head).title, (p.head).summary, (p.head).version, (p.head).process, (p.head).time_zone,
                    (p.head).next_task, (p.head).digest, (p.head).created_at, (p.head).updated_at, p.last_id, p.last_number, p.last_rank",
            $more,
            " from ",
            $from,
            " where (p.head).project_id is not null"
        )
    };
}

const READ_HEAD: &str = head!("", "read_head($1, $2, $3) p");
const LOCKED_HEAD: &str = head!(", p.handles", "lock_project($1, $2, $3) p");
const HEAD: &str = head!(
    ", p.handles",
    "(select h as head, t.task_id as last_id, t.number as last_number, t.rank as last_rank,
             case when $3 then array(select handle from member where removed_at is null) else '{}' end as handles
      from (select * from project where project_id = $1 and deleted_at is null
            union all
            select * from project where $1 is null and key = $2 and deleted_at is null) h
      left join lateral (select task_id, number, rank from task where below_id = h.project_id order by rank desc limit 1) t on true) p"
);

/// A project, its last root task (after which new ones come) and, where asked for, the members.
pub(super) async fn head(
    conn: &mut PgConnection,
    name: &str,
    lock: Lock,
    with_members: bool,
) -> sqlx::Result<Option<(ProjectRow, Option<Task>, BTreeSet<String>)>> {
    let row = sqlx::query(if lock == Lock::Held { LOCKED_HEAD } else { HEAD })
        .bind(name.parse::<ProjectId>().ok())
        .bind(name.to_ascii_uppercase())
        .bind(with_members)
        .fetch_optional(conn)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let (head, last) = (ProjectRow::from_row(&row)?, last_root(&row)?);
    let handles: Vec<String> = row.try_get("handles")?;
    Ok(Some((head, last, handles.into_iter().collect())))
}

/// The last root task of a head: only its place counts, it is neither named nor touched.
fn last_root(row: &PgRow) -> sqlx::Result<Option<Task>> {
    let Some(id) = row.try_get::<Option<TaskId>, _>("last_id")? else { return Ok(None) };
    let (number, rank) = (row.try_get("last_number")?, rank(row.try_get("last_rank")?)?);
    Ok(Some(Task {
        id,
        number,
        parent: None,
        rank,
        title: String::new(),
        status: String::new(),
        priority: None,
        assignee: None,
        due_on: None,
        depends_on: Vec::new(),
        detail: Detail::default(),
    }))
}

/// As many of a project's tasks as a patch needs to be checked and applied: its cost goes by the patch, not by the project.
pub(super) async fn part(conn: &mut PgConnection, project: ProjectId, names: &Names) -> sqlx::Result<Vec<Task>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "with recursive
         named as (
             select task_id, parent_id, below_id, rank from task
             where project_id = $1 and number = any($2)
             union
             select task_id, parent_id, below_id, rank from task
             where project_id = $1 and task_id = any($3)
         ),
         -- Everything below a task that moves or goes.
         below as (
             select task_id from task where project_id = $1 and (number = any($4) or task_id = any($5)) and cardinality($4) + cardinality($5) > 0
             union all
             select t.task_id from below b join task t on t.below_id = b.task_id
         ),
         above as (
             select parent_id as task_id from named where parent_id is not null
             union
             select t.parent_id from above a join task t on t.task_id = a.task_id where t.parent_id is not null
         ),
         -- The first and the last below each parent that something can come to.
         ends as (
             select e.task_id
             from (select task_id from named union select below_id from named union select $1) p (id)
             cross join lateral (
                 (select task_id from task t where t.below_id = p.id order by t.rank limit 1)
                 union all
                 (select task_id from task t where t.below_id = p.id order by t.rank desc limit 1)
             ) e
         ),
         -- The neighbours, between which something can come.
         beside as (
             select s.task_id
             from named n
             cross join lateral (
                 (select task_id from task t
                  where t.below_id = n.below_id and t.rank > n.rank order by t.rank limit 1)
                 union all
                 (select task_id from task t
                  where t.below_id = n.below_id and t.rank < n.rank order by t.rank desc limit 1)
             ) s
         ),
         -- All that is led to by dependencies, where new ones could close a circle.
         ahead as (
             select d.depends_on_id as task_id from named n join task_dependency d on d.task_id = n.task_id
             union
             select d.depends_on_id from ahead a join task_dependency d on d.task_id = a.task_id where $6
         ),
         waiting as (
             select d.task_id from below b join task_dependency d on d.depends_on_id = b.task_id
         ),
         picked as (
             select task_id from named union select task_id from below union select task_id from above union select task_id from ends
             union select task_id from beside union select task_id from ahead union select task_id from waiting
             union select task_id from task where project_id = $1 and task_id = any($7)
         ),
         whole as (
             select task_id from picked union select d.depends_on_id from picked p join task_dependency d on d.task_id = p.task_id
         )
         select {TASK} from whole w join task t on t.task_id = w.task_id"
    )))
    .bind(project)
    .bind(&names.numbers)
    .bind(&names.ids)
    .bind(&names.structural_numbers)
    .bind(&names.structural_ids)
    .bind(names.dependencies)
    .bind(&names.seen)
    .fetch_all(conn)
    .await?;
    rows.iter().map(task).collect()
}

/// A project and its last root task, by itself and in one round trip.
pub(super) async fn read_head(db: &Db, organization: OrganizationId, name: &str) -> sqlx::Result<Option<(ProjectRow, Option<Task>)>> {
    let row =
        sqlx::query(READ_HEAD).bind(organization).bind(name.parse::<ProjectId>().ok()).bind(name.to_ascii_uppercase()).fetch_optional(db.entering()).await?;
    row.map(|row| Ok((ProjectRow::from_row(&row)?, last_root(&row)?))).transpose()
}

/// Takes a project out of sight. Its key is free again; its rows stay for those who must be able to look.
pub async fn delete_project(conn: &mut PgConnection, project: ProjectId, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let deleted = sqlx::query("update project set deleted_at = $2 where project_id = $1 and deleted_at is null").bind(project).bind(now).execute(conn).await?;
    Ok(deleted.rows_affected() == 1)
}

/// What became of a project that was to be brought back.
#[derive(Debug)]
pub enum Restored {
    Back(Box<ProjectRow>),
    /// Its key is another's now.
    Taken {
        key: String,
        by: String,
    },
}

/// Brings a deleted project back, by its id, or by its key the one that was deleted last. `None` where there is none that the actor sees.
///
/// It keeps its key: every revision names its tasks by it.
pub async fn restore_project(conn: &mut PgConnection, actor: &Actor, name: &str, now: DateTime<Utc>) -> sqlx::Result<Option<Restored>> {
    let found: Option<ProjectRow> = sqlx::query_as(AssertSqlSafe(format!(
        "select {PROJECT} from project
         where deleted_at is not null and (project_id = $1 or key = $2) and ($3::uuid is null or project_id = $3)
         order by deleted_at desc limit 1 for update"
    )))
    .bind(name.parse::<ProjectId>().ok())
    .bind(name.to_ascii_uppercase())
    .bind(actor.project)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = found else { return Ok(None) };
    // Nobody makes a project with this key meanwhile.
    lock_keys(&mut *conn, actor.organization, &row.project.key).await?;
    if let Some(other) = find_project(&mut *conn, &row.project.key).await? {
        return Ok(Some(Restored::Taken { key: other.project.key, by: other.project.title }));
    }
    sqlx::query("update project set deleted_at = null, updated_at = $2 where project_id = $1").bind(row.project.id).bind(now).execute(conn).await?;
    Ok(Some(Restored::Back(Box::new(ProjectRow { updated_at: now, ..row }))))
}

/// Time that somebody spent on a task.
pub struct TimeEntry<'a> {
    pub id: uuid::Uuid,
    pub project: ProjectId,
    pub task: TaskId,
    pub member: MemberId,
    pub minutes: i32,
    pub note: &'a str,
    pub at: DateTime<Utc>,
}

pub async fn log_time(conn: &mut PgConnection, organization: OrganizationId, entry: &TimeEntry<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "insert into time_entry (organization_id, time_entry_id, project_id, task_id, member_id, minutes, note, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(organization)
    .bind(entry.id)
    .bind(entry.project)
    .bind(entry.task)
    .bind(entry.member)
    .bind(entry.minutes)
    .bind(entry.note)
    .bind(entry.at)
    .execute(conn)
    .await
    .map(drop)
}

/// Logged minutes of a task.
pub async fn logged_minutes(conn: &mut PgConnection, task: TaskId) -> sqlx::Result<i64> {
    sqlx::query_scalar("select coalesce(sum(minutes), 0)::int8 from time_entry where task_id = $1").bind(task).fetch_one(conn).await
}

/// Every project of an organisation, also deleted ones, by id.
pub async fn all_projects(conn: &mut PgConnection) -> sqlx::Result<Vec<ProjectRow>> {
    sqlx::query_as(AssertSqlSafe(format!("select {PROJECT} from project order by key, project_id"))).fetch_all(conn).await
}

/// The keys of the projects that somebody sees.
pub async fn keys(conn: &mut PgConnection, only: Option<ProjectId>) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("select key from project where deleted_at is null and ($1::uuid is null or project_id = $1)").bind(only).fetch_all(conn).await
}

/// A task that nothing stands in the way of any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Released {
    /// `WEB-5`
    pub reference: String,
    pub title: String,
    pub assignee: Option<String>,
}

/// The open tasks whose last open dependency a change has just done. To be asked in the change's own transaction.
pub async fn released(conn: &mut PgConnection, change: &super::Change) -> sqlx::Result<Vec<Released>> {
    let project = &change.project.project;
    let done: Vec<&str> = project.process.steps.iter().map(|step| step.name.as_str()).filter(|step| project.process.is_done(step)).collect();
    let finished: Vec<TaskId> =
        change.applied.touched.iter().copied().filter(|id| change.plan.get(*id).is_some_and(|task| project.process.is_done(&task.status))).collect();
    if finished.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(
        "select distinct t.number, t.title, t.assignee
         from task_dependency d join task t on t.task_id = d.task_id
         where d.depends_on_id = any($1) and t.status <> all($2)
           and not exists (select from task_dependency o join task w on w.task_id = o.depends_on_id where o.task_id = t.task_id and w.status <> all($2))
         order by t.number",
    )
    .bind(finished)
    .bind(done)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| Ok(Released { reference: format!("{}-{}", project.key, row.try_get::<i32, _>(0)?), title: row.try_get(1)?, assignee: row.try_get(2)? }))
        .collect()
}
