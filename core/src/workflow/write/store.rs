//! The statements that write changes.

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgConnection, types::Json};

use crate::{
    db::Db,
    ids::OrganizationId,
    patch::{
        TaskId,
        apply::Write,
        plan::{Detail, Plan, Project},
    },
    workflow::apply::Composed,
};

/// Serialises the making of projects in an organisation, and answers the keys in use that begin so.
pub(in crate::workflow) async fn lock_keys(conn: &mut PgConnection, organization: OrganizationId, stem: &str) -> sqlx::Result<Vec<String>> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))").bind(organization.to_string()).execute(&mut *conn).await?;
    sqlx::query_scalar("select key from project where key like $1 || '%' and deleted_at is null").bind(stem).fetch_all(conn).await
}

/// Makes the row of a project that has no revision yet.
pub(in crate::workflow) async fn insert_project(
    conn: &mut PgConnection,
    organization: OrganizationId,
    project: &Project,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into project (organization_id, project_id, key, title, version, process, process_version, digest, created_at, updated_at)
         values ($1, $2, $3, $4, 0, $5, $6, '', $7, $7)",
    )
    .bind(organization)
    .bind(project.id)
    .bind(&project.key)
    .bind(&project.title)
    .bind(&project.process.name)
    .bind(project.process.version)
    .bind(now)
    .execute(conn)
    .await
    .map(drop)
}

/// Writes a change: the project's row, its tasks, the revision, the event and the audit row, in one statement. Whether the
/// project was at the version that the change was made for.
pub(in crate::workflow) async fn write(conn: &mut PgConnection, change: &Composed<'_>) -> sqlx::Result<bool> {
    let plan = &change.plan;
    let mut inserted = Rows::default();
    let mut updated = Rows::default();
    let mut gone: Vec<TaskId> = Vec::new();
    for write in &change.applied.writes {
        match write {
            Write::Insert(id) => inserted.push(plan, *id),
            Write::Update(id) => updated.push(plan, *id),
            Write::Delete(id) => gone.push(*id),
        }
    }
    let simple = updated.ids.is_empty() && gone.is_empty() && inserted.dependents.is_empty();
    let sql = if simple { SQL_ADD.as_str() } else { SQL_CHANGE.as_str() };
    let project = &plan.project;
    let mut query = sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql))
        .bind(change.actor.organization)
        .bind(project.id)
        .bind(&project.key)
        .bind(&project.title)
        .bind(&project.summary)
        .bind(project.version)
        .bind(&project.time_zone)
        .bind(project.next_task)
        .bind(&change.digest)
        .bind(change.at)
        .bind(&change.patch)
        .bind(&change.inverse)
        .bind(change.actor.member)
        .bind(&change.actor.handle)
        .bind(change.origin.as_str())
        .bind(change.proposal)
        .bind(change.reverts)
        .bind(change.event())
        .bind(Json(&change.details))
        .bind(change.audit_id);
    if simple {
        query = inserted.bind(query);
    } else {
        query = inserted.bind_all(query);
        query = updated.bind_all(query).bind(gone);
    }
    Ok(query.fetch_one(conn).await? == 1)
}

/// Writes changes of one project that only add tasks, each made on the one before, by themselves and in one round trip. Whether
/// the project was at the version that the first was made for; else nothing is written.
pub(in crate::workflow) async fn append(db: &Db, changes: &[Composed<'_>]) -> sqlx::Result<bool> {
    let (Some(first), Some(last)) = (changes.first(), changes.last()) else { return Ok(true) };
    let mut inserted = Rows::default();
    let mut owners = Vec::new();
    for (change, owner) in changes.iter().zip(1_i32..) {
        for write in &change.applied.writes {
            if let Write::Insert(id) = write {
                inserted.push(&change.plan, *id);
            }
        }
        owners.resize(inserted.ids.len(), owner);
    }
    let project = &last.plan.project;
    let query = sqlx::query_scalar::<_, bool>(
        "select append_changes($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)",
    )
    .bind(last.actor.organization)
    .bind(project.id)
    .bind(&project.key)
    .bind(first.plan.project.version - 1)
    .bind(project.next_task)
    .bind(column(changes, |change| change.digest.as_slice()))
    .bind(column(changes, |change| change.at))
    .bind(column(changes, |change| change.patch.as_str()))
    .bind(column(changes, |change| change.inverse.as_str()))
    .bind(column(changes, |change| change.actor.member))
    .bind(column(changes, |change| change.actor.handle.as_str()))
    .bind(column(changes, |change| change.origin.as_str()))
    .bind(column(changes, |change| change.details.to_string()))
    .bind(column(changes, |change| change.audit_id))
    .bind(owners);
    inserted.bind(query).fetch_one(db.entering()).await
}

fn column<'c, T>(changes: &'c [Composed<'_>], value: impl Fn(&'c Composed<'_>) -> T) -> Vec<T> {
    changes.iter().map(value).collect()
}

/// Task rows as columns.
#[derive(Default)]
struct Rows<'a> {
    ids: Vec<TaskId>,
    numbers: Vec<i32>,
    parents: Vec<Option<TaskId>>,
    ranks: Vec<&'a [u8]>,
    titles: Vec<&'a str>,
    statuses: Vec<&'a str>,
    priorities: Vec<Option<i16>>,
    assignees: Vec<Option<&'a str>>,
    dues: Vec<Option<chrono::NaiveDate>>,
    details: Vec<Json<&'a Detail>>,
    dependents: Vec<TaskId>,
    dependencies: Vec<TaskId>,
}

type Query<'q, T> = sqlx::query::QueryScalar<'q, sqlx::Postgres, T, sqlx::postgres::PgArguments>;

impl<'a> Rows<'a> {
    fn push(&mut self, plan: &'a Plan, id: TaskId) {
        let Some(task) = plan.get(id) else { return };
        self.ids.push(id);
        self.numbers.push(task.number);
        self.parents.push(task.parent);
        self.ranks.push(task.rank.as_bytes());
        self.titles.push(&task.title);
        self.statuses.push(&task.status);
        self.priorities.push(task.priority.map(|priority| priority as i16));
        self.assignees.push(task.assignee.as_deref());
        self.dues.push(task.due_on);
        self.details.push(Json(&task.detail));
        for dependency in &task.depends_on {
            self.dependents.push(id);
            self.dependencies.push(*dependency);
        }
    }

    fn bind<'q, T>(self, query: Query<'q, T>) -> Query<'q, T>
    where
        'a: 'q,
    {
        query
            .bind(self.ids)
            .bind(self.numbers)
            .bind(self.parents)
            .bind(self.ranks)
            .bind(self.titles)
            .bind(self.statuses)
            .bind(self.priorities)
            .bind(self.assignees)
            .bind(self.dues)
            .bind(self.details)
    }

    fn bind_all<'q, T>(mut self, query: Query<'q, T>) -> Query<'q, T>
    where
        'a: 'q,
    {
        let (dependents, dependencies) = (std::mem::take(&mut self.dependents), std::mem::take(&mut self.dependencies));
        self.bind(query).bind(dependents).bind(dependencies)
    }
}

/// For a patch that only adds tasks which wait for nothing, as most do.
static SQL_ADD: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| write_sql(""));

static SQL_CHANGE: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
    write_sql(
        "depending as (
             insert into task_dependency (organization_id, project_id, task_id, depends_on_id)
             select $1, $2, * from unnest($31::uuid[], $32::uuid[])
         ),
         updated as (
             update task t set parent_id = u.parent_id, rank = u.rank, title = u.title, status = u.status, priority = u.priority,
                    assignee = u.assignee, due_on = u.due_on, detail = u.detail, updated_at = $10
             from unnest($33::uuid[], $34::int4[], $35::uuid[], $36::bytea[], $37::text[], $38::text[], $39::int2[], $40::text[], $41::date[], $42::jsonb[])
                  as u (task_id, number, parent_id, rank, title, status, priority, assignee, due_on, detail)
             where t.task_id = u.task_id and t.project_id = $2
         ),
         removed as (
             delete from task where task_id = any($45) and project_id = $2
         ),
         -- What a changed task depends on: what went is deleted, what stayed is not touched, what came is inserted.
         parted as (
             delete from task_dependency d
             where d.task_id = any($45)
                or (d.task_id = any($33) and not exists (
                       select from unnest($43::uuid[], $44::uuid[]) as n (task_id, depends_on_id)
                       where n.task_id = d.task_id and n.depends_on_id = d.depends_on_id))
         ),
         joined as (
             insert into task_dependency (organization_id, project_id, task_id, depends_on_id)
             select $1, $2, * from unnest($43::uuid[], $44::uuid[])
             on conflict do nothing
         ),",
    )
});

fn write_sql(more: &str) -> String {
    format!(
        "with head as (
             update project set title = $4, summary = $5, version = $6, time_zone = $7, next_task = $8, digest = $9, updated_at = $10
             where project_id = $2 and version = $6 - 1
             returning 1
         ),
         inserted as (
             insert into task (organization_id, project_id, task_id, number, parent_id, rank, title, status, priority, assignee, due_on, detail, updated_at)
             select $1, $2, u.*, $10
             from unnest($21::uuid[], $22::int4[], $23::uuid[], $24::bytea[], $25::text[], $26::text[], $27::int2[], $28::text[], $29::date[], $30::jsonb[]) u
         ),
         {more}
         recorded as (
             insert into revision (organization_id, project_id, number, patch, inverse, digest, member_id, actor, origin, proposal, reverts, at)
             values ($1, $2, $6, $11::text::json, $12::text::json, $9, $13, $14, $15, $16, $17, $10)
         ),
         told as (
             insert into event (organization_id, seq, at, event, actor, target, details)
             select $1, event_seq(), $10, $18, $14, $3, $19
         ),
         audited as (
             insert into audit (organization_id, audit_id, at, member_id, actor, action, target, details)
             values ($1, $20, $10, $13, $14, $18, $3, $19)
         )
         select count(*) from head"
    )
}
