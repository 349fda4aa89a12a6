//! The rows of channels: inbox, outbox, identities, codes, bindings, settings.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, FromRow, PgConnection, Row, postgres::PgRow, types::Json};
use uuid::Uuid;

use super::{Channel, ChannelChange, ChannelSettings, DELIVER, Entrance, Envelope, INBOX, Identity, Outgoing, Sender, Sending, Used, link::Maker};
use crate::{
    command::{Reply, store::Topic},
    db::{self, Db},
    ids::{CommandId, Context, ConversationId, JobId, MemberId, MessageId, OrganizationId, ProjectId},
    jobs::{self, NewJob, URGENT},
    tenancy::Actor,
};

pub(super) fn channel(row: &PgRow) -> sqlx::Result<Channel> {
    let text: String = row.try_get("channel")?;
    Channel::parse(&text).ok_or_else(|| sqlx::Error::Decode(format!("`{text}` is no channel").into()))
}

impl FromRow<'_, PgRow> for Outgoing {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let json = |column| row.try_get::<Option<Json<Value>>, _>(column).map(|json| json.map(|json| json.0));
        let state = match row.try_get("state")? {
            "waiting" => Sending::Waiting,
            "sent" => Sending::Sent,
            _ => Sending::Dead,
        };
        Ok(Self {
            organization: row.try_get("organization_id")?,
            id: row.try_get("message_id")?,
            channel: channel(row)?,
            thread: row.try_get("thread")?,
            address: json("address")?.unwrap_or_default(),
            reply: row.try_get::<Json<Reply>, _>("reply")?.0,
            command: row.try_get("command_id")?,
            proposal: row.try_get("proposal")?,
            state,
            sent: json("sent")?,
            shows: row.try_get("shows")?,
            part: row.try_get("part")?,
            working: row.try_get("working")?,
            problem: row.try_get("problem")?,
            created_at: row.try_get("created_at")?,
            sent_at: row.try_get("sent_at")?,
        })
    }
}

impl FromRow<'_, PgRow> for Identity {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            channel: channel(row)?,
            external_id: row.try_get("external_id")?,
            name: row.try_get("name")?,
            member: row.try_get("handle")?,
            proof: row.try_get("proof")?,
            linked_at: row.try_get("linked_at")?,
        })
    }
}

/// Whose a workspace is; `None` where no installation says so.
pub async fn organization_of(db: &Db, channel: Channel, external_id: &str) -> db::Result<Option<OrganizationId>> {
    if external_id.contains(['\'', '\\', '\0']) {
        return Ok(None);
    }
    let mut tx = db.begin_presented(&format!("{}:{external_id}", channel.as_str())).await?;
    let organization = sqlx::query_scalar("select organization_id from channel_installation where channel = $1 and external_id = $2")
        .bind(channel.as_str())
        .bind(external_id)
        .fetch_optional(&mut *tx)
        .await?;
    tx.rollback().await?;
    Ok(organization)
}

/// Notes that a workspace speaks for an organisation, with its tokens as they are sealed. `false` where it speaks for another.
pub async fn install(
    conn: &mut PgConnection,
    organization: OrganizationId,
    channel: Channel,
    external_id: &str,
    name: &str,
    secrets: &[u8],
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let known = sqlx::query("update channel_installation set name = $3, secrets = $4 where channel = $1 and external_id = $2")
        .bind(channel.as_str())
        .bind(external_id)
        .bind(name)
        .bind(secrets)
        .execute(&mut *conn)
        .await?;
    if known.rows_affected() == 1 {
        return Ok(true);
    }
    // A row of another organisation is not seen, and stays as it is.
    let new = sqlx::query(
        "insert into channel_installation (organization_id, channel, external_id, name, secrets, created_at) values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
    )
    .bind(organization)
    .bind(channel.as_str())
    .bind(external_id)
    .bind(name)
    .bind(secrets)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(new.rows_affected() == 1)
}

/// The tokens of a workspace, sealed; where none is named, of the organisation's first.
pub async fn installation(conn: &mut PgConnection, channel: Channel, external_id: &str) -> sqlx::Result<Option<Vec<u8>>> {
    let secrets: Option<Option<Vec<u8>>> =
        sqlx::query_scalar("select secrets from channel_installation where channel = $1 and $2 in (external_id, '') order by created_at limit 1")
            .bind(channel.as_str())
            .bind(external_id)
            .fetch_optional(conn)
            .await?;
    Ok(secrets.flatten())
}

/// Forgets a workspace.
pub async fn uninstall(conn: &mut PgConnection, channel: Channel, external_id: &str) -> sqlx::Result<()> {
    sqlx::query("delete from channel_installation where channel = $1 and external_id = $2")
        .bind(channel.as_str())
        .bind(external_id)
        .execute(conn)
        .await
        .map(drop)
}

/// Takes or keeps the right to hold a channel's connection, for so many seconds; whether it is the holder's.
pub async fn hold_line(conn: &mut PgConnection, organization: OrganizationId, channel: Channel, holder: Uuid, seconds: f64) -> sqlx::Result<bool> {
    let held = sqlx::query(
        "insert into channel_line (organization_id, channel, holder, held_until) values ($1, $2, $3, now() + make_interval(secs => $4))
         on conflict (organization_id, channel) do update set holder = excluded.holder, held_until = excluded.held_until
         where channel_line.holder is null or channel_line.holder = excluded.holder or channel_line.held_until < now()",
    )
    .bind(organization)
    .bind(channel.as_str())
    .bind(holder)
    .bind(seconds)
    .execute(conn)
    .await?;
    Ok(held.rows_affected() == 1)
}

/// Gives the right back.
pub async fn let_go_line(conn: &mut PgConnection, channel: Channel, holder: Uuid) -> sqlx::Result<()> {
    sqlx::query("update channel_line set holder = null, held_until = null where channel = $1 and holder = $2")
        .bind(channel.as_str())
        .bind(holder)
        .execute(conn)
        .await
        .map(drop)
}

/// Where a channel's connection goes on; `None` where there was none.
pub async fn line_session(conn: &mut PgConnection, channel: Channel) -> sqlx::Result<Option<Value>> {
    let session: Option<Option<Json<Value>>> =
        sqlx::query_scalar("select session from channel_line where channel = $1").bind(channel.as_str()).fetch_optional(conn).await?;
    Ok(session.flatten().map(|session| session.0))
}

/// Notes where a channel's connection goes on, as long as it is the holder's.
pub async fn keep_line_session(conn: &mut PgConnection, channel: Channel, holder: Uuid, session: Option<&Value>) -> sqlx::Result<()> {
    sqlx::query("update channel_line set session = $3 where channel = $1 and holder = $2")
        .bind(channel.as_str())
        .bind(holder)
        .bind(session.map(Json))
        .execute(conn)
        .await
        .map(drop)
}

/// Stores what came in and has it handled. `false` where it had come before.
pub async fn receive(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, envelope: &Envelope) -> sqlx::Result<bool> {
    let inserted = sqlx::query(
        "insert into inbox (organization_id, channel, key, envelope, state, received_at) values ($1, $2, $3, $4, 'waiting', $5)
         on conflict (organization_id, channel, key) do nothing",
    )
    .bind(organization)
    .bind(envelope.channel.as_str())
    .bind(&envelope.key)
    .bind(Json(envelope))
    .bind(ctx.now())
    .execute(&mut *conn)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    let payload = json!({ "channel": envelope.channel, "key": envelope.key });
    jobs::store::enqueue(conn, ctx, organization, &NewJob { priority: URGENT, ..NewJob::new(INBOX, payload) }).await?;
    Ok(true)
}

/// What came in and still waits, held until the transaction ends.
pub async fn lock_envelope(conn: &mut PgConnection, channel: &str, key: &str) -> sqlx::Result<Option<Envelope>> {
    let envelope: Option<Json<Envelope>> = sqlx::query_scalar("select envelope from inbox where channel = $1 and key = $2 and state = 'waiting' for update")
        .bind(channel)
        .bind(key)
        .fetch_optional(conn)
        .await?;
    Ok(envelope.map(|envelope| envelope.0))
}

/// Notes that something that came in was taken: a command came of it, or an answer at once.
pub async fn took(conn: &mut PgConnection, envelope: &Envelope, command: Option<CommandId>) -> sqlx::Result<()> {
    settle(conn, envelope, "taken", command).await
}

/// Notes that something that came in was turned away.
pub async fn turned_away(conn: &mut PgConnection, envelope: &Envelope) -> sqlx::Result<()> {
    settle(conn, envelope, "refused", None).await
}

async fn settle(conn: &mut PgConnection, envelope: &Envelope, state: &str, command: Option<CommandId>) -> sqlx::Result<()> {
    sqlx::query("update inbox set state = $3, command_id = $4 where channel = $1 and key = $2")
        .bind(envelope.channel.as_str())
        .bind(&envelope.key)
        .bind(state)
        .bind(command)
        .execute(conn)
        .await
        .map(drop)
}

/// Who waits for their turn on a channel, and the job that somebody's message came with: its turn.
#[derive(Clone, Copy, Debug)]
pub struct Queue<'a> {
    pub channel: Channel,
    /// What the channel calls them.
    pub sender: &'a str,
    pub turn: JobId,
}

/// How many messages of a sender wait for their turn, and how many of them came before this one.
pub async fn in_line(conn: &mut PgConnection, organization: OrganizationId, queue: Queue<'_>) -> sqlx::Result<(i64, i64)> {
    sqlx::query_as(
        "select count(*), count(*) filter (where (payload ->> 'turn')::uuid < $5) from job
         where organization_id = $1 and kind = $2 and state in ('waiting', 'parked')
           and payload ->> 'channel' = $3 and payload ->> 'sender' = $4 and (payload ->> 'turn')::uuid <> $5",
    )
    .bind(organization)
    .bind(INBOX)
    .bind(queue.channel.as_str())
    .bind(queue.sender)
    .bind(queue.turn)
    .fetch_one(conn)
    .await
}

/// Has a message that came in handled later, in its turn.
pub async fn put_off(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    organization: OrganizationId,
    envelope: &Envelope,
    turn: JobId,
    after: std::time::Duration,
) -> sqlx::Result<()> {
    let payload = json!({ "channel": envelope.channel, "key": envelope.key, "sender": envelope.sender.id, "turn": turn });
    let job = NewJob { priority: URGENT, run_at: Some(ctx.now() + after), ..NewJob::new(INBOX, payload) };
    jobs::store::enqueue(conn, ctx, organization, &job).await.map(drop)
}

/// Where something goes.
pub struct Address<'a> {
    pub channel: Channel,
    pub thread: &'a str,
    pub address: &'a Value,
}

/// Puts a message out, in the transaction that causes it. With a proposal it is a copy of it, kept as the proposal is.
pub async fn send(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    organization: OrganizationId,
    to: &Address<'_>,
    reply: &Reply,
    command: Option<CommandId>,
    proposal: Option<i32>,
) -> sqlx::Result<MessageId> {
    let id = MessageId(ctx.uuid());
    sqlx::query(
        "insert into outbox (organization_id, message_id, channel, thread, address, reply, command_id, proposal, state, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, (select number from proposal where number = $8 and state = 'open'), 'waiting', $9)",
    )
    .bind(organization)
    .bind(id)
    .bind(to.channel.as_str())
    .bind(to.thread)
    .bind(Json(to.address))
    .bind(Json(reply))
    .bind(command)
    .bind(proposal)
    .bind(ctx.now())
    .execute(&mut *conn)
    .await?;
    jobs::store::enqueue(conn, ctx, organization, &NewJob { priority: URGENT, ..NewJob::new(DELIVER, json!({ "message": id })) }).await?;
    Ok(id)
}

/// Puts the answer to a command out, in the transaction that ends it: in place of the message that says how far it is, where there is one.
pub async fn answer(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    organization: OrganizationId,
    to: &Address<'_>,
    reply: &Reply,
    command: CommandId,
    proposal: Option<i32>,
) -> sqlx::Result<MessageId> {
    let shown: Option<MessageId> = sqlx::query_scalar(
        "update outbox set reply = $2, proposal = (select number from proposal where number = $3 and state = 'open'), working = null, state = 'waiting'
         where command_id = $1 and working is not null returning message_id",
    )
    .bind(command)
    .bind(Json(reply))
    .bind(proposal)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(id) = shown else { return send(conn, ctx, organization, to, reply, Some(command), proposal).await };
    jobs::store::enqueue(conn, ctx, organization, &NewJob { priority: URGENT, ..NewJob::new(DELIVER, json!({ "message": id })) }).await?;
    Ok(id)
}

/// Says how far a command is, where it was asked for, if that can be edited. The same message says it each time, and becomes the answer.
pub async fn show_working(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, command: CommandId, reply: &Reply) -> sqlx::Result<()> {
    let edits: Vec<&str> = Channel::ALL.into_iter().filter(|channel| channel.edits()).map(Channel::as_str).collect();
    let id: Option<MessageId> = sqlx::query_scalar(
        // A command that has ended, or ends just now, is not worked on: so it is held meanwhile.
        "with asked as (
             select c.organization_id, c.command_id, c.reply_channel, c.reply_address, c.conversation_id from command c
             where c.command_id = $1 and c.reply_channel = any($2) and c.status in ('queued', 'running') for share)
         insert into outbox (organization_id, message_id, channel, thread, address, reply, command_id, state, working, created_at)
         select a.organization_id, $3, a.reply_channel, v.thread, a.reply_address, $4, a.command_id, 'waiting', 1, $5
         from asked a join conversation v using (conversation_id)
         on conflict (command_id) where working is not null do update set reply = excluded.reply, working = outbox.working + 1
         returning message_id",
    )
    .bind(command)
    .bind(edits)
    .bind(ctx.uuid())
    .bind(Json(reply))
    .bind(ctx.now())
    .fetch_optional(&mut *conn)
    .await?;
    let Some(id) = id else { return Ok(()) };
    let key = id.to_string();
    let job = NewJob { priority: URGENT, unique_key: Some(&key), ..NewJob::new(DELIVER, json!({ "message": id })) };
    jobs::store::enqueue(conn, ctx, organization, &job).await.map(drop)
}

/// How many messages of the same conversation wait that are older, and that nothing went wrong with; none for longer than ten minutes.
pub async fn elders(conn: &mut PgConnection, outgoing: &Outgoing) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select count(*) from outbox
         where organization_id = $1 and channel = $2 and thread = $3 and message_id < $4 and state = 'waiting' and working is null and problem is null
           and created_at > now() - interval '10 minutes'",
    )
    .bind(outgoing.organization)
    .bind(outgoing.channel.as_str())
    .bind(&outgoing.thread)
    .bind(outgoing.id)
    .fetch_one(conn)
    .await
}

/// Has every copy of a proposal that was sent show what has become of it, in the transaction in which it becomes that.
pub async fn refresh_copies(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, proposal: i32) -> sqlx::Result<()> {
    let copies: Vec<MessageId> = sqlx::query_scalar("select message_id from outbox where organization_id = $1 and proposal = $2 and state <> 'dead'")
        .bind(organization)
        .bind(proposal)
        .fetch_all(&mut *conn)
        .await?;
    if copies.is_empty() {
        return Ok(());
    }
    let payloads: Vec<Value> = copies.iter().map(|id| json!({ "message": id })).collect();
    jobs::store::enqueue_all(conn, ctx, organization, &NewJob::new(DELIVER, Value::Null), &payloads).await
}

/// Says something about a proposal in every thread that has it before it.
pub async fn tell_threads(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, proposal: i32, reply: &Reply) -> sqlx::Result<()> {
    let threads: Vec<Outgoing> = sqlx::query_as(
        "select distinct on (channel, thread) * from outbox where organization_id = $1 and proposal = $2 and state <> 'dead' order by channel, thread, message_id desc",
    )
    .bind(organization)
    .bind(proposal)
    .fetch_all(&mut *conn)
    .await?;
    for shown in threads {
        let to = Address { channel: shown.channel, thread: &shown.thread, address: &shown.address };
        send(&mut *conn, ctx, organization, &to, reply, None, Some(proposal)).await?;
    }
    Ok(())
}

const OUTGOING: &str = "select * from outbox";

pub async fn find_outgoing(conn: &mut PgConnection, id: MessageId) -> sqlx::Result<Option<Outgoing>> {
    sqlx::query_as(AssertSqlSafe(format!("{OUTGOING} where message_id = $1"))).bind(id).fetch_optional(conn).await
}

/// Whether a later message of the same thread shows the same proposal.
pub async fn is_superseded(conn: &mut PgConnection, outgoing: &Outgoing) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from outbox where organization_id = $1 and proposal = $2 and message_id > $3 and channel = $4 and thread = $5 and state <> 'dead')",
    )
    .bind(outgoing.organization)
    .bind(outgoing.proposal)
    .bind(outgoing.id)
    .bind(outgoing.channel.as_str())
    .bind(&outgoing.thread)
    .fetch_one(conn)
    .await
}

/// Notes that a message was sent or edited: what the platform calls it, and which state of its proposal it shows.
pub async fn was_sent(conn: &mut PgConnection, id: MessageId, sent: &Value, shows: Option<&str>, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query("update outbox set state = 'sent', sent = $2, shows = $3, part = null, problem = null, sent_at = coalesce(sent_at, $4) where message_id = $1")
        .bind(id)
        .bind(Json(sent))
        .bind(shows)
        .bind(now)
        .execute(conn)
        .await
        .map(drop)
}

/// Notes which pages of a message stand there: what the platform calls them, and what they are to show together.
pub async fn was_begun(conn: &mut PgConnection, id: MessageId, sent: &Value, part: &str) -> sqlx::Result<()> {
    sqlx::query("update outbox set sent = $2, part = $3 where message_id = $1").bind(id).bind(Json(sent)).bind(part).execute(conn).await.map(drop)
}

/// Notes that a message could not be sent yet, so that younger ones need not wait for it.
pub async fn was_put_off(conn: &mut PgConnection, id: MessageId, why: &str) -> sqlx::Result<()> {
    sqlx::query("update outbox set problem = $2 where message_id = $1").bind(id).bind(why).execute(conn).await.map(drop)
}

/// Notes that a message will not be sent.
pub async fn was_given_up(conn: &mut PgConnection, id: MessageId, why: &str) -> sqlx::Result<()> {
    sqlx::query("update outbox set state = case when state = 'waiting' then 'dead' else state end, problem = $2 where message_id = $1")
        .bind(id)
        .bind(why)
        .execute(conn)
        .await
        .map(drop)
}

/// The conversation that a channel calls by a name, which is begun where there is none; and what it is about.
pub async fn conversation(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    organization: OrganizationId,
    envelope: &Envelope,
) -> sqlx::Result<(ConversationId, Topic)> {
    let row = sqlx::query(
        "insert into conversation (organization_id, conversation_id, channel, thread, place, project_id, created_at)
         values ($1, $2, $3, $4, $5, (select project_id from channel_binding where channel = $3 and place = $5), $6)
         on conflict (organization_id, channel, thread) do update set thread = excluded.thread
         returning conversation_id, project_id, task_id",
    )
    .bind(organization)
    .bind(ctx.uuid())
    .bind(envelope.channel.as_str())
    .bind(&envelope.thread)
    .bind(&envelope.place)
    .bind(ctx.now())
    .fetch_one(conn)
    .await?;
    Ok((row.try_get("conversation_id")?, Topic { project: row.try_get("project_id")?, task: row.try_get("task_id")? }))
}

/// Binds the room of a conversation to a project, or frees it; and the conversation with it. `false` where it is in no room.
pub async fn bind(conn: &mut PgConnection, actor: &Actor, conversation: ConversationId, project: Option<ProjectId>, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let place: Option<(String, Option<String>)> =
        sqlx::query_as("update conversation set project_id = $2, task_id = null where conversation_id = $1 and channel <> 'web' returning channel, place")
            .bind(conversation)
            .bind(project)
            .fetch_optional(&mut *conn)
            .await?;
    let Some((channel, Some(place))) = place else { return Ok(false) };
    let bound = match project {
        None => sqlx::query("delete from channel_binding where channel = $1 and place = $2").bind(channel).bind(place),
        Some(project) => sqlx::query(
            "insert into channel_binding (organization_id, channel, place, project_id, bound_by, bound_at) values ($3, $1, $2, $4, $5, $6)
             on conflict (organization_id, channel, place) do update set project_id = excluded.project_id, bound_by = excluded.bound_by, bound_at = excluded.bound_at",
        )
        .bind(channel)
        .bind(place)
        .bind(actor.organization)
        .bind(project)
        .bind(&actor.handle)
        .bind(now),
    };
    bound.execute(conn).await?;
    Ok(true)
}

pub async fn settings(conn: &mut PgConnection, entrance: Entrance) -> sqlx::Result<ChannelSettings> {
    let settings: Option<Json<ChannelSettings>> =
        sqlx::query_scalar("select settings from channel_setting where channel = $1").bind(entrance.as_str()).fetch_optional(conn).await?;
    Ok(settings.map_or_else(|| ChannelSettings::of(entrance), |settings| settings.0))
}

/// How much each entrance was used since a time; what is not there was not. Of those that are no platform, what was turned away is in no row.
pub async fn used(conn: &mut PgConnection, since: DateTime<Utc>) -> sqlx::Result<HashMap<Entrance, Used>> {
    let rows = sqlx::query(
        "select channel, sum(written)::bigint as written, max(written) as busiest, sum(refused)::bigint as refused
         from (select channel, count(*) as written, count(*) filter (where state = 'refused') as refused
               from inbox where received_at > $1 group by channel, envelope -> 'sender' ->> 'id'
               union all
               select case origin when 'api' then 'api' else 'web' end, count(*), 0
               -- Ids are in the order of time: so an index finds the few.
               from command where command_id > $2 and created_at > $1 and origin in ('api', 'web', 'terminal') group by 1, member_id) sender
         group by channel",
    )
    .bind(since)
    .bind(first_id(since))
    .fetch_all(conn)
    .await?;
    let used = |row: &PgRow| {
        let used = Used { last_minute: row.try_get("written")?, busiest_sender: row.try_get("busiest")?, turned_away: row.try_get("refused")? };
        let name: String = row.try_get("channel")?;
        let entrance = Entrance::parse(&name).ok_or_else(|| sqlx::Error::Decode(format!("`{name}` is no channel").into()))?;
        Ok((entrance, used))
    };
    rows.iter().map(used).collect()
}

/// The least id that is made at a time (RFC 9562, version 7).
fn first_id(at: DateTime<Utc>) -> Uuid {
    Uuid::from_u128(u128::try_from(at.timestamp_millis()).unwrap_or_default() << 80)
}

/// Changes what is given of the settings, and leaves the rest as it stands. What holds now.
pub async fn change_settings(
    conn: &mut PgConnection,
    organization: OrganizationId,
    entrance: Entrance,
    change: &ChannelChange,
    now: DateTime<Utc>,
) -> sqlx::Result<ChannelSettings> {
    let settings: Json<ChannelSettings> = sqlx::query_scalar(
        "insert into channel_setting (organization_id, channel, settings, updated_at) values ($1, $2, ($3::jsonb || $4::jsonb), $5)
         on conflict (organization_id, channel) do update set settings = (channel_setting.settings::jsonb || $4::jsonb), updated_at = excluded.updated_at
         returning settings",
    )
    .bind(organization)
    .bind(entrance.as_str())
    .bind(Json(ChannelSettings::of(entrance)))
    .bind(Json(change))
    .bind(now)
    .fetch_one(conn)
    .await?;
    Ok(settings.0)
}

pub async fn find_identity(conn: &mut PgConnection, channel: Channel, external_id: &str) -> sqlx::Result<Option<MemberId>> {
    sqlx::query_scalar("select member_id from channel_identity where channel = $1 and external_id = $2")
        .bind(channel.as_str())
        .bind(external_id)
        .fetch_optional(conn)
        .await
}

/// Which members some of a channel's people are, by what the platform calls them.
pub async fn handles(conn: &mut PgConnection, channel: Channel, external_ids: &[String]) -> sqlx::Result<HashMap<String, String>> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("select i.external_id, m.handle from channel_identity i join member m using (member_id) where i.channel = $1 and i.external_id = any($2) and m.removed_at is null")
            .bind(channel.as_str())
            .bind(external_ids)
            .fetch_all(conn)
            .await?;
    Ok(rows.into_iter().collect())
}

pub async fn list_identities(conn: &mut PgConnection) -> sqlx::Result<Vec<Identity>> {
    sqlx::query_as("select i.*, m.handle from channel_identity i join member m using (member_id) order by m.handle, i.channel, i.external_id")
        .fetch_all(conn)
        .await
}

/// Whether there was such a link, of a member where one is given.
pub async fn unlink(conn: &mut PgConnection, channel: Channel, external_id: &str, member: Option<MemberId>) -> sqlx::Result<bool> {
    let gone = sqlx::query("delete from channel_identity where channel = $1 and external_id = $2 and ($3::uuid is null or member_id = $3)")
        .bind(channel.as_str())
        .bind(external_id)
        .bind(member)
        .execute(conn)
        .await?;
    Ok(gone.rows_affected() == 1)
}

pub(super) async fn link(conn: &mut PgConnection, actor: &Actor, channel: Channel, sender: &Sender, proof: &str, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query(
        "insert into channel_identity (organization_id, channel, external_id, member_id, name, proof, linked_at) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (organization_id, channel, external_id)
         do update set member_id = excluded.member_id, name = excluded.name, proof = excluded.proof, linked_at = excluded.linked_at",
    )
    .bind(actor.organization)
    .bind(channel.as_str())
    .bind(&sender.id)
    .bind(actor.member)
    .bind(&sender.name)
    .bind(proof)
    .bind(now)
    .execute(conn)
    .await
    .map(drop)
}

/// The one member who signs in with an address.
pub(super) async fn member_of_email(conn: &mut PgConnection, email: &str) -> sqlx::Result<Option<MemberId>> {
    sqlx::query_scalar("select m.member_id from member m join account a using (account_id) where lower(a.email) = lower($1) and m.removed_at is null")
        .bind(email)
        .fetch_optional(conn)
        .await
}

pub(super) async fn insert_code(
    conn: &mut PgConnection,
    organization: OrganizationId,
    hash: &str,
    maker: &Maker<'_>,
    expires_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (member, sender) = match maker {
        Maker::Member(member) => (Some(*member), None),
        Maker::Sender(channel, sender) => (None, Some((channel.as_str(), *sender))),
    };
    sqlx::query("insert into link_code (organization_id, code_hash, member_id, channel, external_id, name, expires_at) values ($1, $2, $3, $4, $5, $6, $7)")
        .bind(organization)
        .bind(hash)
        .bind(member)
        .bind(sender.map(|sender| sender.0))
        .bind(sender.map(|sender| &sender.1.id))
        .bind(sender.map(|sender| &sender.1.name))
        .bind(expires_at)
        .execute(conn)
        .await
        .map(drop)
}

/// Uses up a code that a member made.
pub(super) async fn use_member_code(conn: &mut PgConnection, hash: &str, now: DateTime<Utc>) -> sqlx::Result<Option<MemberId>> {
    sqlx::query_scalar("delete from link_code where code_hash = $1 and member_id is not null and expires_at > $2 returning member_id")
        .bind(hash)
        .bind(now)
        .fetch_optional(conn)
        .await
}

/// Uses up a code that was made on a channel.
pub(super) async fn use_sender_code(conn: &mut PgConnection, hash: &str, now: DateTime<Utc>) -> sqlx::Result<Option<(Channel, Sender)>> {
    let row = sqlx::query("delete from link_code where code_hash = $1 and external_id is not null and expires_at > $2 returning channel, external_id, name")
        .bind(hash)
        .bind(now)
        .fetch_optional(conn)
        .await?;
    row.map(|row| Ok((channel(&row)?, Sender { id: row.try_get("external_id")?, name: row.try_get("name")?, email: None }))).transpose()
}

/// Drops what came in before a time, what went out, and codes that ran out.
pub async fn sweep(conn: &mut PgConnection, before: DateTime<Utc>, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query("delete from inbox where received_at < $1 and state <> 'waiting'").bind(before).execute(&mut *conn).await?;
    sqlx::query("delete from outbox where created_at < $1 and proposal is null and state <> 'waiting'").bind(before).execute(&mut *conn).await?;
    sqlx::query("delete from link_code where expires_at < $1").bind(now).execute(conn).await.map(drop)
}
