//! The rows of schedules and of what became of their times.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, Row, postgres::PgRow, types::Json};

use super::{Action, Missed, Overlap, RunState, RunView, ScheduleView, State};
use crate::{
    db::Db,
    ids::{CommandId, Context, JobId, MemberId, OrganizationId, ProjectId, RunId, ScheduleId},
    tenancy::{self, Actor, Scope, Scopes, Trust},
};

/// The most that an organisation may have.
pub const MAX_SCHEDULES: i64 = 1000;

/// A schedule as it works.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub organization: OrganizationId,
    pub id: ScheduleId,
    pub number: i32,
    pub rule: String,
    pub zone: Tz,
    pub action: Action,
    pub missed: Missed,
    pub catch_up_limit: i16,
    pub overlap: Overlap,
    /// Null once there are no more times.
    pub next_run_at: Option<DateTime<Utc>>,
    pub member: MemberId,
    pub scopes: Scopes,
    pub only_project: Option<ProjectId>,
    pub trust: Trust,
}

fn action(row: &PgRow) -> sqlx::Result<Action> {
    let json: Json<Action> = row.try_get("action")?;
    Ok(json.0)
}

impl FromRow<'_, PgRow> for Schedule {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            organization: row.try_get("organization_id")?,
            id: row.try_get("schedule_id")?,
            number: row.try_get("number")?,
            rule: row.try_get("rule")?,
            zone: row.try_get::<&str, _>("zone")?.parse().unwrap_or(Tz::UTC),
            action: action(row)?,
            missed: Missed::parse(row.try_get("missed")?),
            catch_up_limit: row.try_get("catch_up_limit")?,
            overlap: Overlap::parse(row.try_get("overlap")?),
            next_run_at: row.try_get("next_run_at")?,
            member: row.try_get("member_id")?,
            scopes: row.try_get::<Vec<String>, _>("scopes")?.iter().filter_map(|scope| Scope::parse(scope)).collect(),
            only_project: row.try_get("only_project")?,
            trust: Trust::parse(row.try_get("trust")?).unwrap_or(Trust::Untrusted),
        })
    }
}

impl FromRow<'_, PgRow> for ScheduleView {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let next_run_at: Option<DateTime<Utc>> = row.try_get("next_run_at")?;
        let state = match (row.try_get("is_paused")?, next_run_at) {
            (true, _) => State::Paused,
            (false, Some(_)) => State::Active,
            (false, None) => State::Over,
        };
        Ok(Self {
            id: row.try_get("schedule_id")?,
            number: row.try_get("number")?,
            name: row.try_get("name")?,
            rule: row.try_get("said")?,
            plain_rule: row.try_get("rule")?,
            zone: row.try_get("zone")?,
            action: action(row)?,
            missed: Missed::parse(row.try_get("missed")?),
            catch_up_limit: row.try_get("catch_up_limit")?,
            overlap: Overlap::parse(row.try_get("overlap")?),
            state,
            next_run_at: next_run_at.filter(|_| state == State::Active),
            last_run_at: row.try_get("last_run_at")?,
            problem: row.try_get("problem")?,
            owner: row.try_get("actor")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

/// What of a schedule people set.
#[derive(Clone, Debug)]
pub struct Plan {
    pub name: String,
    /// As it was written.
    pub said: String,
    /// In its plain form.
    pub rule: String,
    pub zone: Tz,
    pub action: Action,
    pub missed: Missed,
    pub catch_up_limit: i16,
    pub overlap: Overlap,
    pub next_run_at: Option<DateTime<Utc>>,
}

/// Makes a schedule that runs as somebody; `None` where the organisation has as many as it may have.
pub async fn create(conn: &mut PgConnection, ctx: &dyn Context, actor: &Actor, trust: Trust, plan: &Plan) -> sqlx::Result<Option<ScheduleId>> {
    let id = ScheduleId(ctx.uuid());
    // Numbers are given one after the other.
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('schedule', hashtext($1)))").bind(actor.organization.to_string()).execute(&mut *conn).await?;
    let made = sqlx::query(
        "insert into schedule (organization_id, schedule_id, number, name, said, rule, zone, action, missed, catch_up_limit, overlap, next_run_at,
                               member_id, actor, scopes, only_project, trust, created_at, updated_at)
         select $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17
         from schedule having count(*) < $18",
    )
    .bind(actor.organization)
    .bind(id)
    .bind(&plan.name)
    .bind(&plan.said)
    .bind(&plan.rule)
    .bind(plan.zone.name())
    .bind(Json(&plan.action))
    .bind(plan.missed.as_str())
    .bind(plan.catch_up_limit)
    .bind(plan.overlap.as_str())
    .bind(plan.next_run_at)
    .bind(actor.member)
    .bind(&actor.handle)
    .bind(actor.scopes.iter().map(Scope::as_str).collect::<Vec<_>>())
    .bind(actor.project)
    .bind(trust.as_str())
    .bind(ctx.now())
    .bind(MAX_SCHEDULES)
    .execute(conn)
    .await?;
    Ok((made.rows_affected() == 1).then_some(id))
}

/// Puts a schedule as it should be from now on. It runs as who changed it last, so that nobody puts words into another's mouth.
pub async fn update(conn: &mut PgConnection, ctx: &dyn Context, actor: &Actor, id: ScheduleId, plan: &Plan) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "update schedule set name = $2, said = $3, rule = $4, zone = $5, action = $6, missed = $7, catch_up_limit = $8, overlap = $9, next_run_at = $10,
                             updated_at = $11, member_id = $12, actor = $13, scopes = $14, only_project = $15, trust = $16 where schedule_id = $1",
    )
    .bind(id)
    .bind(&plan.name)
    .bind(&plan.said)
    .bind(&plan.rule)
    .bind(plan.zone.name())
    .bind(Json(&plan.action))
    .bind(plan.missed.as_str())
    .bind(plan.catch_up_limit)
    .bind(plan.overlap.as_str())
    .bind(plan.next_run_at)
    .bind(ctx.now())
    .bind(actor.member)
    .bind(&actor.handle)
    .bind(actor.scopes.iter().map(Scope::as_str).collect::<Vec<_>>())
    .bind(actor.project)
    .bind(Trust::Verified.as_str())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Pauses a schedule; by Patchbay itself where a problem is told.
pub async fn pause(conn: &mut PgConnection, ctx: &dyn Context, id: ScheduleId, problem: Option<&str>) -> sqlx::Result<bool> {
    let done = sqlx::query("update schedule set is_paused = true, problem = $2, updated_at = $3 where schedule_id = $1")
        .bind(id)
        .bind(problem)
        .bind(ctx.now())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Lets a schedule go on; what would have been while it was paused is not made up for.
pub async fn resume(conn: &mut PgConnection, ctx: &dyn Context, id: ScheduleId, next: Option<DateTime<Utc>>) -> sqlx::Result<bool> {
    let done = sqlx::query("update schedule set is_paused = false, problem = null, next_run_at = $2, updated_at = $3 where schedule_id = $1")
        .bind(id)
        .bind(next)
        .bind(ctx.now())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Drops a schedule with what is known of its times; what runs of it runs on.
pub async fn delete(conn: &mut PgConnection, id: ScheduleId) -> sqlx::Result<bool> {
    Ok(sqlx::query("delete from schedule where schedule_id = $1").bind(id).execute(conn).await?.rows_affected() == 1)
}

/// What an actor sees of schedules: all, or those that were made by a key for the same project.
const SEEN: &str = "select * from schedule where ($1::uuid is null or only_project = $1)";

pub async fn find(conn: &mut PgConnection, actor: &Actor, id: ScheduleId) -> sqlx::Result<Option<ScheduleView>> {
    sqlx::query_as(AssertSqlSafe(format!("{SEEN} and schedule_id = $2"))).bind(actor.project).bind(id).fetch_optional(conn).await
}

/// The schedule as it works, locked until the end of the transaction.
pub async fn lock(conn: &mut PgConnection, actor: &Actor, id: ScheduleId) -> sqlx::Result<Option<Schedule>> {
    sqlx::query_as(AssertSqlSafe(format!("{SEEN} and schedule_id = $2 for update"))).bind(actor.project).bind(id).fetch_optional(conn).await
}

/// The schedule that people call by a number.
pub async fn find_number(conn: &mut PgConnection, actor: &Actor, number: i32) -> sqlx::Result<Option<ScheduleView>> {
    sqlx::query_as(AssertSqlSafe(format!("{SEEN} and number = $2"))).bind(actor.project).bind(number).fetch_optional(conn).await
}

/// Newest first, below a number.
pub async fn list(conn: &mut PgConnection, actor: &Actor, below: Option<i32>, limit: i64) -> sqlx::Result<Vec<ScheduleView>> {
    sqlx::query_as(AssertSqlSafe(format!("{SEEN} and ($2::integer is null or number < $2) order by number desc limit $3")))
        .bind(actor.project)
        .bind(below)
        .bind(limit)
        .fetch_all(conn)
        .await
}

impl FromRow<'_, PgRow> for RunView {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let command: Option<CommandId> = row.try_get("command_id")?;
        let (job_state, status): (Option<&str>, Option<&str>) = (row.try_get("job_state")?, row.try_get("status")?);
        let state = match (row.try_get("state")?, command, status, job_state) {
            ("waiting", ..) => RunState::Waiting,
            ("skipped", ..) => RunState::Skipped,
            (_, Some(_), Some("queued" | "running"), _) | (_, None, _, Some("waiting" | "parked")) => RunState::Running,
            (_, Some(_), Some("failed"), _) | (_, None, _, Some("dead" | "cancelled")) => RunState::Failed,
            _ => RunState::Done,
        };
        Ok(Self {
            id: row.try_get("run_id")?,
            due_at: row.try_get("due_at")?,
            state,
            why: row.try_get("why")?,
            job: row.try_get::<Option<JobId>, _>("job_id")?.filter(|_| command.is_none()),
            command,
            at: row.try_get("at")?,
        })
    }
}

/// What became of a schedule's times, newest first.
pub async fn runs(conn: &mut PgConnection, id: ScheduleId, before: Option<RunId>, limit: i64) -> sqlx::Result<Vec<RunView>> {
    sqlx::query_as(
        "select r.*, j.state as job_state, c.status from schedule_run r
         left join job j on j.job_id = r.job_id left join command c on c.command_id = r.command_id
         where r.schedule_id = $1 and ($2::uuid is null or r.run_id < $2) order by r.run_id desc limit $3",
    )
    .bind(id)
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// The organisations that have something due, and when the next is.
pub(super) async fn due(db: &Db, at: DateTime<Utc>) -> sqlx::Result<(Vec<OrganizationId>, Option<DateTime<Utc>>)> {
    sqlx::query_as("select organizations, next from schedules_due($1)").bind(at).fetch_one(db.entering()).await
}

/// Schedules that are due and that no other process is at.
pub(super) async fn claim(conn: &mut PgConnection, at: DateTime<Utc>, limit: i64) -> sqlx::Result<Vec<Schedule>> {
    sqlx::query_as("select * from schedule where not is_paused and next_run_at <= $1 order by next_run_at limit $2 for update skip locked")
        .bind(at)
        .bind(limit)
        .fetch_all(conn)
        .await
}

/// Moves a schedule on to its next time.
pub(super) async fn advance(conn: &mut PgConnection, id: ScheduleId, last: DateTime<Utc>, next: Option<DateTime<Utc>>) -> sqlx::Result<()> {
    sqlx::query("update schedule set last_run_at = $2, next_run_at = $3 where schedule_id = $1").bind(id).bind(last).bind(next).execute(conn).await.map(drop)
}

/// How many runs of a schedule wait, and whether one runs.
pub(super) async fn busy(conn: &mut PgConnection, id: ScheduleId) -> sqlx::Result<(i64, bool)> {
    sqlx::query_as(
        "select (select count(*) from schedule_run where schedule_id = $1 and state = 'waiting'),
                exists (
                    -- Those that run are among the newest: the table may be long.
                    select from (select * from schedule_run where schedule_id = $1 and state = 'begun' order by run_id desc limit 100) r
                    where exists (select from job where job_id = r.job_id and state in ('waiting', 'parked'))
                       or exists (select from command where command_id = r.command_id and status in ('queued', 'running')))",
    )
    .bind(id)
    .fetch_one(conn)
    .await
}

/// The schedules that have runs waiting, with the oldest of each.
pub(super) async fn waiting(conn: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<(Schedule, RunId, DateTime<Utc>)>> {
    let rows = sqlx::query(
        "select s.*, r.run_id, r.due_at from schedule s
         cross join lateral (select run_id, due_at from schedule_run where schedule_id = s.schedule_id and state = 'waiting' order by due_at limit 1) r
         where not s.is_paused limit $1 for update of s skip locked",
    )
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok((Schedule::from_row(row)?, row.try_get("run_id")?, row.try_get("due_at")?))).collect()
}

/// A run as it is written down.
pub(super) struct NewRun<'a> {
    pub(super) id: RunId,
    pub(super) due_at: DateTime<Utc>,
    pub(super) state: &'a str,
    pub(super) why: Option<&'a str>,
    pub(super) job: Option<JobId>,
}

/// Writes a run down, or where it waited how it went on.
pub(super) async fn record(conn: &mut PgConnection, schedule: &Schedule, run: &NewRun<'_>, at: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query(
        "insert into schedule_run (organization_id, run_id, schedule_id, due_at, state, why, job_id, at) values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (schedule_id, due_at) do update set state = excluded.state, why = excluded.why, job_id = excluded.job_id, at = excluded.at
         where schedule_run.state = 'waiting'",
    )
    .bind(schedule.organization)
    .bind(run.id)
    .bind(schedule.id)
    .bind(run.due_at)
    .bind(run.state)
    .bind(run.why)
    .bind(run.job)
    .bind(at)
    .execute(conn)
    .await
    .map(drop)
}

/// What a run has to do; `None` where its schedule is gone.
pub async fn run(conn: &mut PgConnection, id: RunId) -> sqlx::Result<Option<(Schedule, DateTime<Utc>)>> {
    let row = sqlx::query("select s.*, r.due_at from schedule_run r join schedule s on s.schedule_id = r.schedule_id where r.run_id = $1")
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.map(|row| Ok((Schedule::from_row(&row)?, row.try_get("due_at")?))).transpose()
}

/// A run led to a command.
pub async fn led_to(conn: &mut PgConnection, id: RunId, command: CommandId) -> sqlx::Result<()> {
    sqlx::query("update schedule_run set command_id = $2 where run_id = $1").bind(id).bind(command).execute(conn).await.map(drop)
}

/// As whom a schedule runs, with no more than they might do when it was made and may do now; `None` where they are gone.
pub async fn owner(conn: &mut PgConnection, schedule: &Schedule) -> sqlx::Result<Option<Actor>> {
    let actor = tenancy::store::act_as(conn, schedule.organization, schedule.member).await?;
    Ok(actor.map(|actor| Actor { scopes: actor.scopes.and(schedule.scopes), project: schedule.only_project, ..actor }))
}

/// Drops what became of times before one.
pub async fn sweep(conn: &mut PgConnection, before: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query("delete from schedule_run where at < $1 and state <> 'waiting'").bind(before).execute(conn).await.map(drop)
}

/// The payload of the job that a run is, where it is a command or a message.
pub(super) fn payload(run: RunId) -> Value {
    serde_json::json!({ "run": run })
}
