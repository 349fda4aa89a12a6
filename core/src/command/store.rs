//! The rows of conversations, commands and the raw talk with models.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, Row, postgres::PgRow, types::Json};
use uuid::Uuid;

use super::{Command, FromThread, Outcome, Reply, Status};
use crate::{
    ids::{CommandId, Context, ConversationId, MemberId, OrganizationId, ProjectId, TaskId},
    tenancy::{self, Actor, Scope, Scopes, Trust},
};

/// How long a process holds a command that it runs, in seconds; it says so again before that is over.
pub const CLAIM_SECONDS: i32 = 30;

impl FromRow<'_, PgRow> for Command {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let status = match row.try_get("status")? {
            "queued" => Status::Queued,
            "running" => Status::Running,
            "done" => Status::Done,
            _ => Status::Failed,
        };
        Ok(Self {
            id: row.try_get("command_id")?,
            conversation: row.try_get("conversation_id")?,
            member: row.try_get("member_id")?,
            actor: row.try_get("actor")?,
            origin: row.try_get("origin")?,
            text: row.try_get("text")?,
            project: row.try_get("project_id")?,
            project_key: row.try_get("project_key")?,
            task: row.try_get("task_id")?,
            task_number: row.try_get("task_number")?,
            on_proposal: row.try_get("on_proposal")?,
            trust: Trust::parse(row.try_get("trust")?).unwrap_or(Trust::Untrusted),
            shown: row.try_get("shown_digest")?,
            from_thread: row.try_get::<Option<Json<FromThread>>, _>("from_thread")?.map(|json| json.0),
            status,
            reply: row.try_get::<Option<Json<Reply>>, _>("reply")?.map(|json| json.0),
            problem: row.try_get::<Option<Json<_>>, _>("problem")?.map(|json| json.0),
            proposal: row.try_get("proposal")?,
            revision: row.try_get("revision")?,
            created_at: row.try_get("created_at")?,
            finished_at: row.try_get("finished_at")?,
        })
    }
}

const COMMAND: &str = "select c.*, p.key as project_key, t.number as task_number
    from command c left join project p on p.project_id = c.project_id left join task t on t.task_id = c.task_id";

/// What a conversation is about: a task, a project, or a project that is yet to be made.
#[derive(Clone, Copy, Debug)]
pub struct Topic {
    pub project: Option<ProjectId>,
    pub task: Option<TaskId>,
}

impl Topic {
    /// What the thread is called. Until there is a project each member has a conversation of their own.
    fn thread(self, member: MemberId) -> String {
        match (self.task, self.project) {
            (Some(task), _) => format!("task:{task}"),
            (None, Some(project)) => format!("project:{project}"),
            (None, None) => format!("new:{member}"),
        }
    }
}

/// The conversation about something, which is begun where there is none.
pub async fn conversation(conn: &mut PgConnection, ctx: &dyn Context, actor: &Actor, topic: Topic) -> sqlx::Result<ConversationId> {
    let thread = topic.thread(actor.member);
    if let Some(id) = find_conversation(&mut *conn, actor.member, topic).await? {
        return Ok(id);
    }
    sqlx::query_scalar(
        "insert into conversation (organization_id, conversation_id, channel, thread, project_id, task_id, created_at)
         values ($1, $2, 'web', $3, $4, $5, $6)
         on conflict (organization_id, channel, thread) do update set thread = excluded.thread
         returning conversation_id",
    )
    .bind(actor.organization)
    .bind(ctx.uuid())
    .bind(thread)
    .bind(topic.project)
    .bind(topic.task)
    .bind(ctx.now())
    .fetch_one(conn)
    .await
}

pub async fn find_conversation(conn: &mut PgConnection, member: MemberId, topic: Topic) -> sqlx::Result<Option<ConversationId>> {
    sqlx::query_scalar("select conversation_id from conversation where channel = 'web' and thread = $1").bind(topic.thread(member)).fetch_optional(conn).await
}

/// What a conversation is about; `None` where there is no such conversation.
pub async fn topic(conn: &mut PgConnection, conversation: ConversationId) -> sqlx::Result<Option<Topic>> {
    let row = sqlx::query("select project_id, task_id from conversation where conversation_id = $1").bind(conversation).fetch_optional(conn).await?;
    row.map(|row| Ok(Topic { project: row.try_get("project_id")?, task: row.try_get("task_id")? })).transpose()
}

/// The conversation in which a project was made becomes the project's own.
pub async fn adopt(conn: &mut PgConnection, conversation: ConversationId, project: ProjectId) -> sqlx::Result<()> {
    sqlx::query(
        "with moved as (update conversation set project_id = $2, thread = case when channel = 'web' then $3 else thread end where conversation_id = $1 and project_id is null returning conversation_id)
         update command set project_id = $2 where conversation_id in (select conversation_id from moved) and project_id is null",
    )
    .bind(conversation)
    .bind(project)
    .bind(format!("project:{project}"))
    .execute(conn)
    .await
    .map(drop)
}

/// A command that comes in.
pub struct NewCommand<'a> {
    pub conversation: ConversationId,
    pub origin: &'a str,
    /// The client's name for it: the same again is the same command.
    pub client_id: Option<&'a str>,
    pub text: &'a str,
    pub topic: Topic,
    pub on_proposal: Option<i32>,
    pub trust: Trust,
    /// What its author was looking at: the digest of a proposal's revision.
    pub shown: Option<&'a str>,
    /// Where its text is what people said in a thread.
    pub from_thread: Option<&'a FromThread>,
    /// The channel and the address that its answer goes to, where nobody waits for it here.
    pub reply_to: Option<(&'a str, &'a Value)>,
    /// A digest of all that was sent, where the client's name for it may be given to something else.
    pub request_hash: Option<&'a [u8]>,
}

/// Stores a command, held by this process. Where it has come before, the one that is there, and `false`.
pub async fn insert(conn: &mut PgConnection, ctx: &dyn Context, actor: &Actor, new: &NewCommand<'_>) -> sqlx::Result<(CommandId, bool)> {
    let id = CommandId(ctx.uuid());
    let inserted = sqlx::query(
        "insert into command (organization_id, command_id, conversation_id, member_id, actor, origin, client_id, text, project_id, task_id, on_proposal,
                              scopes, only_project, trust, shown_digest, reply_channel, reply_address, from_thread, request_hash, status, claimed_until, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $14, $15, $16, $17, $18, $19, $20, $21, 'queued', now() + make_interval(secs => $12), $13)
         on conflict (organization_id, member_id, client_id) where client_id is not null do nothing",
    )
    .bind(actor.organization)
    .bind(id)
    .bind(new.conversation)
    .bind(actor.member)
    .bind(&actor.handle)
    .bind(new.origin)
    .bind(new.client_id)
    .bind(new.text)
    .bind(new.topic.project)
    .bind(new.topic.task)
    .bind(new.on_proposal)
    .bind(f64::from(CLAIM_SECONDS))
    .bind(ctx.now())
    .bind(actor.scopes.iter().map(Scope::as_str).collect::<Vec<_>>())
    .bind(actor.project)
    .bind(new.trust.as_str())
    .bind(new.shown)
    .bind(new.reply_to.map(|to| to.0))
    .bind(new.reply_to.map(|to| Json(to.1)))
    .bind(new.from_thread.map(Json))
    .bind(new.request_hash)
    .execute(&mut *conn)
    .await?;
    if inserted.rows_affected() == 1 {
        return Ok((id, true));
    }
    let first = sqlx::query_scalar("select command_id from command where member_id = $1 and client_id = $2")
        .bind(actor.member)
        .bind(new.client_id)
        .fetch_one(conn)
        .await?;
    Ok((first, false))
}

/// Whether a command came with this request. Of one that an older release took only its words are known.
pub async fn came_with(conn: &mut PgConnection, id: CommandId, request_hash: &[u8], text: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("select case when request_hash is null then text = $3 else request_hash = $2 end from command where command_id = $1")
        .bind(id)
        .bind(request_hash)
        .bind(text)
        .fetch_one(conn)
        .await
}

pub async fn find(conn: &mut PgConnection, id: CommandId) -> sqlx::Result<Option<Command>> {
    sqlx::query_as(AssertSqlSafe(format!("{COMMAND} where c.command_id = $1"))).bind(id).fetch_optional(conn).await
}

/// Whoever wrote a command, with no more than the command's author might do when it came and may do now.
pub async fn author(conn: &mut PgConnection, organization: OrganizationId, id: CommandId) -> sqlx::Result<Option<Actor>> {
    let row = sqlx::query("select member_id, scopes, only_project from command where command_id = $1").bind(id).fetch_optional(&mut *conn).await?;
    let Some(row) = row else { return Ok(None) };
    let scopes: Scopes = row.try_get::<Vec<String>, _>("scopes")?.iter().filter_map(|scope| Scope::parse(scope)).collect();
    let project = row.try_get("only_project")?;
    let actor = tenancy::store::act_as(conn, organization, row.try_get("member_id")?).await?;
    Ok(actor.map(|actor| Actor { scopes: actor.scopes.and(scopes), project, ..actor }))
}

/// Gives a command back that this process will not end, so that another takes it up at once.
pub async fn release(conn: &mut PgConnection, id: CommandId) -> sqlx::Result<()> {
    sqlx::query("update command set claimed_until = now() where command_id = $1 and status in ('queued', 'running')").bind(id).execute(conn).await.map(drop)
}

/// Gives back all that is not ended, where no process that held any of it can be alive.
pub async fn release_all(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("update command set claimed_until = now() where status in ('queued', 'running')").execute(conn).await.map(drop)
}

/// The last commands of a conversation before one, newest first.
pub async fn list_before(conn: &mut PgConnection, conversation: ConversationId, before: Option<CommandId>, limit: i64) -> sqlx::Result<Vec<Command>> {
    sqlx::query_as(AssertSqlSafe(format!(
        "{COMMAND} where c.conversation_id = $1 and ($2::uuid is null or c.command_id < $2) order by c.command_id desc limit $3"
    )))
    .bind(conversation)
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// Takes the lock of a command that is not finished, so that of two who run it one ends it. Whether it is still to be done.
///
/// What the transaction does from here on is known to follow from as many triggers as the command does.
pub async fn lock(conn: &mut PgConnection, id: CommandId) -> sqlx::Result<bool> {
    let open: Option<String> = sqlx::query_scalar(
        "select set_config('patchbay.depth', depth::text, true) from command where command_id = $1 and status in ('queued', 'running') for update",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    Ok(open.is_some())
}

/// Keeps a command held by this process.
pub async fn hold(conn: &mut PgConnection, id: CommandId) -> sqlx::Result<()> {
    sqlx::query(
        "update command set status = 'running', claimed_until = now() + make_interval(secs => $2)
         where command_id = $1 and status in ('queued', 'running')",
    )
    .bind(id)
    .bind(f64::from(CLAIM_SECONDS))
    .execute(conn)
    .await
    .map(drop)
}

/// Takes up commands whose process died.
pub async fn take_over(conn: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<CommandId>> {
    sqlx::query_scalar(
        "update command set claimed_until = now() + make_interval(secs => $2)
         where command_id in (
             select command_id from command
             where status in ('queued', 'running') and claimed_until < now()
             order by created_at limit $1 for update skip locked)
         returning command_id",
    )
    .bind(limit)
    .bind(f64::from(CLAIM_SECONDS))
    .fetch_all(conn)
    .await
}

/// Where the answer of an ended command goes, if nobody waits for it here.
#[derive(Debug)]
pub struct ReplyTo {
    pub channel: String,
    /// What the channel calls the conversation.
    pub thread: String,
    pub address: Value,
}

/// Ends a command, in the transaction of its effect. `None` where it was ended already; else where its answer goes.
pub async fn finish(conn: &mut PgConnection, id: CommandId, outcome: &Outcome, now: DateTime<Utc>) -> sqlx::Result<Option<Option<ReplyTo>>> {
    let status = if outcome.failed { Status::Failed } else { Status::Done };
    let ended = sqlx::query(
        "update command c set status = $2, reply = $3, problem = $4, proposal = $5, revision = $6, project_id = coalesce(c.project_id, $7),
                finished_at = $8, claimed_until = null
         from conversation v
         where command_id = $1 and status in ('queued', 'running') and v.conversation_id = c.conversation_id
         -- The events of its end follow from as many triggers as it does.
         returning c.reply_channel, c.reply_address, v.thread, set_config('patchbay.depth', c.depth::text, true)",
    )
    .bind(id)
    .bind(status.as_str())
    .bind(Json(&outcome.reply))
    .bind(outcome.problem.as_ref().map(Json))
    .bind(outcome.proposal)
    .bind(outcome.revision)
    .bind(outcome.project)
    .bind(now)
    .fetch_optional(conn)
    .await?;
    let Some(row) = ended else { return Ok(None) };
    let channel: Option<String> = row.try_get("reply_channel")?;
    let address: Option<Json<Value>> = row.try_get("reply_address")?;
    let thread = row.try_get("thread")?;
    Ok(Some(channel.zip(address).map(|(channel, address)| ReplyTo { channel, thread, address: address.0 })))
}

/// One request to a model and its answer, for inspection.
pub struct Exchange<'a> {
    pub provider: &'a str,
    pub model: &'a str,
    pub prompt: &'a str,
    pub request: &'a Value,
    pub response: &'a str,
    pub input_tokens: Option<i64>,
    pub output_tokens: Option<i64>,
    pub cost_micros: Option<i64>,
    pub latency_ms: i32,
    pub problem: Option<&'a str>,
}

/// A request to a model and its answer, as they were kept.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct KeptExchange {
    pub provider: String,
    pub model: String,
    /// The prompt's name and version: `project@3`.
    pub prompt: String,
    /// What was sent, without the key.
    pub request: Value,
    /// What came, as it came: whole, or cut off.
    pub answer: String,
    pub input_tokens: Option<i64>,
    pub output_tokens: Option<i64>,
    /// Millionths of the price list's currency; null where the model has no price.
    pub cost_micros: Option<i64>,
    pub latency_ms: i32,
    /// What was wrong with the answer; null where it was used.
    pub problem: Option<String>,
    pub at: DateTime<Utc>,
}

/// The raw talk with a model about a command, from its beginning.
pub async fn list_exchanges(conn: &mut PgConnection, command: CommandId) -> sqlx::Result<Vec<KeptExchange>> {
    let rows = sqlx::query(
        "select provider, model, prompt, request, response, input_tokens, output_tokens, cost_micros, latency_ms, problem, at
         from planner_exchange where command_id = $1 order by exchange_id",
    )
    .bind(command)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(KeptExchange {
                provider: row.try_get("provider")?,
                model: row.try_get("model")?,
                prompt: row.try_get("prompt")?,
                request: row.try_get::<Json<Value>, _>("request")?.0,
                answer: row.try_get("response")?,
                input_tokens: row.try_get("input_tokens")?,
                output_tokens: row.try_get("output_tokens")?,
                cost_micros: row.try_get("cost_micros")?,
                latency_ms: row.try_get("latency_ms")?,
                problem: row.try_get("problem")?,
                at: row.try_get("at")?,
            })
        })
        .collect()
}

/// Keeps the raw talk with a model.
pub async fn keep_exchange(
    conn: &mut PgConnection,
    organization: OrganizationId,
    id: Uuid,
    command: CommandId,
    exchange: &Exchange<'_>,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into planner_exchange (organization_id, exchange_id, command_id, provider, model, prompt, request, response,
                                       input_tokens, output_tokens, cost_micros, latency_ms, problem, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(organization)
    .bind(id)
    .bind(command)
    .bind(exchange.provider)
    .bind(exchange.model)
    .bind(exchange.prompt)
    .bind(Json(exchange.request))
    // Postgres has no text with a NUL in it.
    .bind(exchange.response.replace('\0', "\u{fffd}"))
    .bind(exchange.input_tokens)
    .bind(exchange.output_tokens)
    .bind(exchange.cost_micros)
    .bind(exchange.latency_ms)
    .bind(exchange.problem)
    .bind(at)
    .execute(conn)
    .await
    .map(drop)
}
