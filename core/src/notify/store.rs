//! The rows of notifications, and what they are made of.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, FromRow, PgConnection, Row, postgres::PgRow, types::Json};
use uuid::Uuid;

use super::{Kind, Notification, Preferences};
use crate::{
    channel::Channel,
    ids::{Context, MemberId, NotificationId, OrganizationId},
    patch::{ProjectPatch, Reference, process::Process, process::Role},
};

impl FromRow<'_, PgRow> for Notification {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let kind: String = row.try_get("kind")?;
        Ok(Self {
            id: row.try_get("notification_id")?,
            kind: Kind::parse(&kind).ok_or_else(|| sqlx::Error::Decode(format!("{kind} is no kind of notification").into()))?,
            actor: row.try_get("actor")?,
            words: row.try_get("words")?,
            target: row.try_get("target")?,
            title: row.try_get("title")?,
            path: row.try_get("path")?,
            project: row.try_get("project")?,
            proposal: row.try_get("proposal")?,
            at: row.try_get("at")?,
            read_at: row.try_get("read_at")?,
        })
    }
}

/// A member as somebody to tell things.
pub(super) struct Person {
    pub(super) member: MemberId,
    pub(super) handle: String,
    pub(super) role: Role,
    pub(super) zone: Tz,
    pub(super) preferences: Preferences,
    pub(super) due_told_on: Option<NaiveDate>,
    pub(super) addresses: Vec<(Channel, String)>,
}

impl FromRow<'_, PgRow> for Person {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let role: String = row.try_get("role")?;
        let zone: String = row.try_get("time_zone")?;
        let addresses: Vec<(String, String)> = row.try_get::<Json<_>, _>("addresses")?.0;
        Ok(Self {
            member: row.try_get("member_id")?,
            handle: row.try_get("handle")?,
            role: Role::parse(&role).ok_or_else(|| sqlx::Error::Decode(format!("{role} is no role").into()))?,
            zone: zone.parse().unwrap_or(Tz::UTC),
            preferences: row.try_get::<Option<Json<_>>, _>("preferences")?.map(|json| json.0).unwrap_or_default(),
            due_told_on: row.try_get("due_told_on")?,
            addresses: addresses.into_iter().filter_map(|(channel, id)| Some((Channel::parse(&channel)?, id))).collect(),
        })
    }
}

/// Those who may be told something. Programs ask for themselves.
pub(super) async fn people(conn: &mut PgConnection) -> sqlx::Result<Vec<Person>> {
    sqlx::query_as(
        "select m.member_id, m.handle, m.role, m.time_zone, n.preferences, n.due_told_on,
                (select coalesce(json_agg(json_build_array(i.channel, i.external_id) order by i.linked_at), '[]')
                 from channel_identity i where i.member_id = m.member_id) as addresses
         from member m left join notify_member n on n.member_id = m.member_id
         where m.removed_at is null and m.role <> 'agent'
         order by m.member_id",
    )
    .fetch_all(conn)
    .await
}

/// Something that a member is to be told.
pub(super) struct New<'a> {
    pub(super) to: &'a Person,
    pub(super) cause: String,
    pub(super) send_at: DateTime<Utc>,
    pub(super) note: Notification,
}

/// Stores what members are to be told, unless they were told of the same. What is to be sent now comes back, noted as sent.
pub(super) async fn insert(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    organization: OrganizationId,
    new: &[New<'_>],
) -> sqlx::Result<Vec<(MemberId, Notification)>> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Value> = new
        .iter()
        .map(|new| {
            let mut row = json!(new.note);
            row["notification_id"] = json!(new.note.id);
            row["member_id"] = json!(new.to.member);
            row["cause"] = json!(new.cause);
            row["send_at"] = json!(new.send_at);
            row
        })
        .collect();
    let rows = sqlx::query(
        "insert into notification (organization_id, notification_id, member_id, kind, cause, actor, words, target, title, path, project, proposal, at, send_at, sent_at)
         select $1, n.notification_id, n.member_id, n.kind, n.cause, n.actor, n.words, n.target, n.title, n.path, n.project, n.proposal, n.at, n.send_at,
                case when n.send_at <= $2 then $2 end
         from jsonb_to_recordset($3) as n (notification_id uuid, member_id uuid, kind text, cause text, actor text, words text, target text, title text,
              path text, project text, proposal integer, at timestamptz, send_at timestamptz)
         on conflict (organization_id, member_id, cause) do nothing
         returning *",
    )
    .bind(organization)
    .bind(ctx.now())
    .bind(Json(rows))
    .fetch_all(conn)
    .await?;
    let is_sent = |row: &&PgRow| row.try_get::<Option<DateTime<Utc>>, _>("sent_at").is_ok_and(|at| at.is_some());
    rows.iter().filter(is_sent).map(|row| Ok((row.try_get("member_id")?, Notification::from_row(row)?))).collect()
}

/// Takes what waited until now to be sent, and notes it as sent.
pub(super) async fn take(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<Vec<(MemberId, Notification)>> {
    let rows = sqlx::query(
        "with due as (select notification_id from notification where sent_at is null and send_at <= $1 order by notification_id limit 1000 for update skip locked),
              sent as (update notification n set sent_at = $1 from due where n.notification_id = due.notification_id returning n.*)
         select * from sent order by notification_id",
    )
    .bind(now)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok((row.try_get("member_id")?, Notification::from_row(row)?))).collect()
}

/// Nobody need look at these proposals any more who was asked to.
pub(super) async fn settle(conn: &mut PgConnection, proposals: &[i32], now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query(
        "update notification set read_at = $2, sent_at = coalesce(sent_at, $2)
         where organization_id = current_organization() and proposal = any($1) and kind = 'review' and read_at is null",
    )
    .bind(proposals)
    .bind(now)
    .execute(conn)
    .await
    .map(drop)
}

/// What a revision did, where it may have named somebody.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) project: String,
    pub(super) version: i32,
    pub(super) patch: ProjectPatch,
    pub(super) inverse: ProjectPatch,
}

/// What these versions of projects changed.
pub(super) async fn changes(conn: &mut PgConnection, versions: &[(String, i32)]) -> sqlx::Result<Vec<Changed>> {
    let (keys, numbers): (Vec<&str>, Vec<i32>) = versions.iter().map(|(key, number)| (key.as_str(), *number)).unzip();
    let rows = sqlx::query(
        "select p.key, r.number, r.patch, r.inverse
         from unnest($1::text[], $2::int4[]) as v (key, number)
         join project p on p.key = v.key
         join revision r on r.project_id = p.project_id and r.number = v.number",
    )
    .bind(keys)
    .bind(numbers)
    .fetch_all(conn)
    .await?;
    let json = |row: &PgRow, column| row.try_get::<Json<ProjectPatch>, _>(column).map(|json| json.0);
    rows.iter()
        .map(|row| Ok(Changed { project: row.try_get("key")?, version: row.try_get("number")?, patch: json(row, "patch")?, inverse: json(row, "inverse")? }))
        .collect()
}

/// What tasks are called.
pub(super) async fn titles(conn: &mut PgConnection, tasks: &[Reference]) -> sqlx::Result<Vec<(String, String)>> {
    if tasks.is_empty() {
        return Ok(Vec::new());
    }
    let (keys, numbers): (Vec<&str>, Vec<i32>) = tasks.iter().map(|task| (task.key.as_str(), task.number)).unzip();
    sqlx::query_as(
        "select p.key || '-' || t.number, t.title
         from unnest($1::text[], $2::int4[]) as v (key, number)
         join project p on p.key = v.key
         join task t on t.project_id = p.project_id and t.number = v.number",
    )
    .bind(keys)
    .bind(numbers)
    .fetch_all(conn)
    .await
}

/// An open task of somebody.
#[derive(Debug, FromRow)]
pub(super) struct DueTask {
    pub(super) task_id: Uuid,
    pub(super) key: String,
    pub(super) number: i32,
    pub(super) title: String,
    pub(super) assignee: String,
    pub(super) due_on: NaiveDate,
}

/// The open tasks of these people that are due up to a day.
pub(super) async fn due_tasks(conn: &mut PgConnection, handles: &[&str], until: NaiveDate) -> sqlx::Result<Vec<DueTask>> {
    let (processes, done): (Vec<&str>, Vec<&str>) = Process::builtin()
        .iter()
        .flat_map(|process| process.steps.iter().filter(|step| process.is_done(&step.name)).map(|step| (process.name.as_str(), step.name.as_str())))
        .unzip();
    sqlx::query_as(
        "select t.task_id, p.key, t.number, t.title, t.assignee, t.due_on
         from task t join project p using (project_id)
         where p.deleted_at is null and t.assignee = any($1) and t.due_on <= $2
           and (p.process, t.status) not in (select * from unnest($3::text[], $4::text[]))
         order by t.due_on, p.key, t.number",
    )
    .bind(handles)
    .bind(until)
    .bind(processes)
    .bind(done)
    .fetch_all(conn)
    .await
}

/// Notes on which day members were told what is due.
pub(super) async fn told_due(conn: &mut PgConnection, organization: OrganizationId, told: &[(MemberId, NaiveDate)]) -> sqlx::Result<()> {
    let (members, days): (Vec<MemberId>, Vec<NaiveDate>) = told.iter().copied().unzip();
    sqlx::query(
        "insert into notify_member (organization_id, member_id, due_told_on) select $1, * from unnest($2::uuid[], $3::date[])
         on conflict (member_id) do update set due_told_on = excluded.due_told_on",
    )
    .bind(organization)
    .bind(members)
    .bind(days)
    .execute(conn)
    .await
    .map(drop)
}

/// How a member wants to be told, held until the transaction ends where it was ever set.
pub async fn preferences(conn: &mut PgConnection, member: MemberId) -> sqlx::Result<Preferences> {
    let found: Option<Option<Json<Preferences>>> =
        sqlx::query_scalar("select preferences from notify_member where member_id = $1 for update").bind(member).fetch_optional(conn).await?;
    Ok(found.flatten().map(|json| json.0).unwrap_or_default())
}

pub async fn set_preferences(conn: &mut PgConnection, organization: OrganizationId, member: MemberId, preferences: &Preferences) -> sqlx::Result<()> {
    sqlx::query(
        "insert into notify_member (organization_id, member_id, preferences) values ($1, $2, $3)
         on conflict (member_id) do update set preferences = excluded.preferences",
    )
    .bind(organization)
    .bind(member)
    .bind(Json(preferences))
    .execute(conn)
    .await
    .map(drop)
}

/// What a member was told or will be, newest first.
pub async fn list(conn: &mut PgConnection, member: MemberId, only_unread: bool, before: Option<NotificationId>, limit: i64) -> sqlx::Result<Vec<Notification>> {
    let unread = if only_unread { "and read_at is null" } else { "" };
    sqlx::query_as(AssertSqlSafe(format!(
        "select * from notification where member_id = $1 {unread} and ($2::uuid is null or notification_id < $2) order by notification_id desc limit $3"
    )))
    .bind(member)
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await
}

pub async fn count_unread(conn: &mut PgConnection, member: MemberId) -> sqlx::Result<i64> {
    sqlx::query_scalar("select count(*) from notification where member_id = $1 and read_at is null").bind(member).fetch_one(conn).await
}

/// Notes what a member has read: these, or all.
pub async fn read(conn: &mut PgConnection, member: MemberId, ids: Option<&[NotificationId]>, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query("update notification set read_at = $3 where member_id = $1 and read_at is null and ($2::uuid[] is null or notification_id = any($2))")
        .bind(member)
        .bind(ids)
        .bind(now)
        .execute(conn)
        .await
        .map(drop)
}

/// Drops what is from before a time.
pub async fn sweep(conn: &mut PgConnection, before: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query("delete from notification where at < $1 and sent_at is not null").bind(before).execute(conn).await.map(drop)
}
