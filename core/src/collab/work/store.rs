//! Which tasks are ready, and which are looked for.

use sqlx::PgConnection;

use super::{Ready, Search};
use crate::{
    patch::process::{Process, StepKind},
    workflow::store::Located,
};

/// The tasks that wait for nothing and that nobody holds, the most urgent first.
pub async fn list_ready(conn: &mut PgConnection, wanted: Ready<'_>, limit: i64) -> sqlx::Result<Vec<Located>> {
    let steps = |kind: StepKind| {
        Process::builtin().iter().flat_map(move |process| process.steps.iter().filter(move |step| step.kind == kind).map(move |step| (process, step)))
    };
    let (processes, open): (Vec<&str>, Vec<&str>) = steps(StepKind::Open).map(|(process, step)| (process.name.as_str(), step.name.as_str())).unzip();
    let done: Vec<&str> = steps(StepKind::Done).map(|(_, step)| step.name.as_str()).collect();
    sqlx::query_as(
        "select p.project_id, p.key, t.task_id, t.number
         from unnest($2::text[], $3::text[]) s (process, status)
         join project p on p.process = s.process and p.deleted_at is null and ($1::uuid is null or p.project_id = $1)
         -- The first at each step of each project, in the order of an index; \"offset 0\" keeps what is asked of each from being asked of
         -- all beforehand, which is quick only where all are wanted.
         cross join lateral (
             select t.task_id, t.number, t.priority, t.due_on from task t
             where t.project_id = p.project_id and t.status = s.status
               and ($4::text is null or t.detail -> 'labels' @> jsonb_build_array($4))
               and (t.assignee is null or t.assignee = $5)
               -- Neither held, nor promised to who waits for it.
               and not exists (select from lease l where l.task_id = t.task_id and l.expires_at > clock_timestamp() offset 0)
               and not exists (select from lease l join lease_waiter w on w.organization_id = l.organization_id and w.resource = l.resource
                               where l.task_id = t.task_id and w.expires_at > clock_timestamp() offset 0)
               and not exists (select from task_dependency d join task b on b.task_id = d.depends_on_id
                               where d.task_id = t.task_id and b.status <> all($6) offset 0)
               -- What is below a task is done before it.
               and not exists (select from task c where c.below_id = t.task_id and c.status <> all($6) offset 0)
             order by t.priority, t.due_on, t.number limit $7
         ) t
         order by t.priority, t.due_on, p.key, t.number limit $7",
    )
    .bind(wanted.project)
    .bind(processes)
    .bind(open)
    .bind(wanted.label)
    .bind(wanted.assignee)
    .bind(done)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// The tasks that fit all that is said, by project and number, after one of them.
pub async fn search(conn: &mut PgConnection, wanted: &Search, after: Option<(&str, i32)>, limit: i64) -> sqlx::Result<Vec<Located>> {
    sqlx::query_as(
        "select p.project_id, p.key, t.task_id, t.number
         from project p join task t on t.project_id = p.project_id
         where p.deleted_at is null and ($1::uuid is null or p.project_id = $1)
           -- The words in any form, or a part of one as it stands.
           and ($2::text is null or t.title ilike $2 or t.detail ->> 'description' ilike $2
                or to_tsvector('english', t.title || ' ' || coalesce(t.detail ->> 'description', '')) @@ plainto_tsquery('english', $9))
           and ($3::text is null or t.status = $3) and ($4::text is null or t.assignee = $4)
           and ($5::text is null or t.detail -> 'labels' @> jsonb_build_array($5))
           and ($6::text is null or (p.key, t.number) > ($6, $7))
         order by p.key, t.number limit $8",
    )
    .bind(wanted.project)
    .bind(wanted.text.as_ref().map(|text| format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))))
    .bind(&wanted.status)
    .bind(&wanted.assignee)
    .bind(&wanted.label)
    .bind(after.map(|(key, _)| key))
    .bind(after.map(|(_, number)| number))
    .bind(limit)
    .bind(&wanted.text)
    .fetch_all(conn)
    .await
}
