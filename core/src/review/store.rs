//! The rows of proposals, their revisions, decisions and comments.

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, FromRow, PgConnection, Row, postgres::PgRow, types::Json};

use super::{Comment, Decided, Proposal, Revision, State, rebase::Source};
use crate::{
    ids::{Context, ConversationId, OrganizationId, ProjectId, ProposalId},
    tenancy::{Actor, Trust},
};

impl FromRow<'_, PgRow> for Proposal {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let word = |column: &str| row.try_get::<String, _>(column);
        let unknown = |what: String| sqlx::Error::Decode(what.into());
        let (state, trust) = (word("state")?, word("trust")?);
        let by: Option<String> = row.try_get("decided_by")?;
        Ok(Self {
            id: row.try_get("proposal_id")?,
            number: row.try_get("number")?,
            project: row.try_get("project_id")?,
            project_key: row.try_get("project_key")?,
            state: State::parse(&state).ok_or_else(|| unknown(state))?,
            base_version: row.try_get("base_version")?,
            revision: row.try_get("revision")?,
            title: row.try_get("title")?,
            member: row.try_get("member_id")?,
            author: row.try_get("author")?,
            origin: row.try_get("origin")?,
            trust: Trust::parse(&trust).ok_or_else(|| unknown(trust))?,
            conversation: row.try_get("conversation_id")?,
            applied_as: row.try_get("applied_as")?,
            accepted: row.try_get("accepted")?,
            decided: by
                .zip(row.try_get::<Option<_>, _>("decided_at")?)
                .map(|(by, at)| Ok::<_, sqlx::Error>(Decided { by, at, reason: row.try_get("reason")? }))
                .transpose()?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

impl FromRow<'_, PgRow> for Comment {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("comment_id")?,
            author: row.try_get("author")?,
            text: row.try_get("text")?,
            operation: row.try_get("operation")?,
            at: row.try_get("at")?,
        })
    }
}

impl FromRow<'_, PgRow> for Revision {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            revision: row.try_get("revision")?,
            patch: row.try_get::<Json<_>, _>("patch")?.0,
            diff: row.try_get::<Json<_>, _>("diff")?.0,
            conflicts: row.try_get::<Json<_>, _>("conflicts")?.0,
            digest: row.try_get("digest")?,
            message: row.try_get("message")?,
            author: row.try_get("author")?,
            at: row.try_get("at")?,
        })
    }
}

const PROPOSAL: &str = "select r.*, p.key as project_key from proposal r left join project p on p.project_id = r.project_id";

/// What the next proposal is called. Proposals of an organisation are numbered one after the other, without gaps.
pub(super) async fn next_number(conn: &mut PgConnection, organization: OrganizationId) -> sqlx::Result<i32> {
    sqlx::query_scalar("update organization set next_proposal = next_proposal + 1 where organization_id = $1 returning next_proposal - 1")
        .bind(organization)
        .fetch_one(conn)
        .await
}

pub(super) async fn insert(conn: &mut PgConnection, organization: OrganizationId, proposal: &Proposal) -> sqlx::Result<()> {
    sqlx::query(
        "insert into proposal (organization_id, proposal_id, number, project_id, state, base_version, revision, title, member_id, author, origin, trust,
                               conversation_id, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)",
    )
    .bind(organization)
    .bind(proposal.id)
    .bind(proposal.number)
    .bind(proposal.project)
    .bind(proposal.state.as_str())
    .bind(proposal.base_version)
    .bind(proposal.revision)
    .bind(&proposal.title)
    .bind(proposal.member)
    .bind(&proposal.author)
    .bind(&proposal.origin)
    .bind(proposal.trust.as_str())
    .bind(proposal.conversation)
    .bind(proposal.created_at)
    .execute(conn)
    .await
    .map(drop)
}

pub(super) async fn insert_revision(
    conn: &mut PgConnection,
    organization: OrganizationId,
    proposal: ProposalId,
    revision: &Revision,
    source: &Source,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into proposal_revision (organization_id, proposal_id, revision, patch, diff, digest, message, author, at, source, conflicts)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(organization)
    .bind(proposal)
    .bind(revision.revision)
    .bind(Json(&revision.patch))
    .bind(Json(&revision.diff))
    .bind(&revision.digest)
    .bind(&revision.message)
    .bind(&revision.author)
    .bind(revision.at)
    .bind(Json(source))
    .bind(Json(&revision.conflicts))
    .execute(conn)
    .await
    .map(drop)
}

/// What a revision was made from; none for one from before that was kept.
pub(super) async fn source(conn: &mut PgConnection, proposal: ProposalId, revision: i32) -> sqlx::Result<Option<Source>> {
    let source: Option<Option<Json<Source>>> = sqlx::query_scalar("select source from proposal_revision where proposal_id = $1 and revision = $2")
        .bind(proposal)
        .bind(revision)
        .fetch_optional(conn)
        .await?;
    Ok(source.flatten().map(|source| source.0))
}

pub(super) async fn set_revision(conn: &mut PgConnection, proposal: &Proposal) -> sqlx::Result<()> {
    sqlx::query("update proposal set revision = $2, base_version = $3, title = $4, updated_at = $5 where proposal_id = $1")
        .bind(proposal.id)
        .bind(proposal.revision)
        .bind(proposal.base_version)
        .bind(&proposal.title)
        .bind(proposal.updated_at)
        .execute(conn)
        .await
        .map(drop)
}

pub async fn find(conn: &mut PgConnection, number: i32) -> sqlx::Result<Option<Proposal>> {
    sqlx::query_as(AssertSqlSafe(format!("{PROPOSAL} where r.number = $1"))).bind(number).fetch_optional(conn).await
}

/// The proposals of these numbers.
pub async fn list_by_number(conn: &mut PgConnection, numbers: &[i32]) -> sqlx::Result<Vec<Proposal>> {
    sqlx::query_as(AssertSqlSafe(format!("{PROPOSAL} where r.number = any($1)"))).bind(numbers).fetch_all(conn).await
}

/// The comments of these ids.
pub async fn list_comments_by_id(conn: &mut PgConnection, ids: &[uuid::Uuid]) -> sqlx::Result<Vec<Comment>> {
    sqlx::query_as("select comment_id, author, text, operation, at from proposal_comment where comment_id = any($1)").bind(ids).fetch_all(conn).await
}

/// Finds a proposal and holds its row until the transaction ends.
pub(super) async fn lock(conn: &mut PgConnection, number: i32) -> sqlx::Result<Option<Proposal>> {
    sqlx::query_as(AssertSqlSafe(format!("{PROPOSAL} where r.number = $1 for update of r"))).bind(number).fetch_optional(conn).await
}

/// Holds the rows of proposals until the transaction ends, then those of their projects; each by what orders them.
pub(super) async fn lock_all(conn: &mut PgConnection, numbers: &[i32]) -> sqlx::Result<()> {
    let projects: Vec<Option<ProjectId>> =
        sqlx::query_scalar("select project_id from proposal where number = any($1) order by number for update").bind(numbers).fetch_all(&mut *conn).await?;
    sqlx::query("select 1 from project where project_id = any($1) order by project_id for no key update")
        .bind(projects.into_iter().flatten().collect::<Vec<_>>())
        .execute(conn)
        .await
        .map(drop)
}

/// Holds a project's row until the transaction ends.
pub(super) async fn lock_project(conn: &mut PgConnection, project: ProjectId) -> sqlx::Result<()> {
    sqlx::query("select 1 from project where project_id = $1 for no key update").bind(project).execute(conn).await.map(drop)
}

pub async fn revision(conn: &mut PgConnection, proposal: ProposalId, revision: i32) -> sqlx::Result<Revision> {
    find_revision(conn, proposal, revision).await?.ok_or(sqlx::Error::RowNotFound)
}

pub async fn find_revision(conn: &mut PgConnection, proposal: ProposalId, revision: i32) -> sqlx::Result<Option<Revision>> {
    sqlx::query_as("select revision, patch, diff, conflicts, digest, message, author, at from proposal_revision where proposal_id = $1 and revision = $2")
        .bind(proposal)
        .bind(revision)
        .fetch_optional(conn)
        .await
}

/// The revisions of a proposal, oldest first, without their patches.
pub async fn list_revisions(conn: &mut PgConnection, proposal: ProposalId) -> sqlx::Result<Vec<super::view::RevisionLine>> {
    let rows = sqlx::query("select revision, at, message, author from proposal_revision where proposal_id = $1 order by revision")
        .bind(proposal)
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| Ok(super::view::RevisionLine { revision: row.try_get(0)?, at: row.try_get(1)?, message: row.try_get(2)?, author: row.try_get(3)? }))
        .collect()
}

/// Which proposals to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    pub state: Option<State>,
    /// Only those with conflicts that are not settled.
    pub conflicted: bool,
    pub project: Option<ProjectId>,
    /// Only those with a smaller number.
    pub below: Option<i32>,
}

/// Proposals, newest first.
pub async fn list(conn: &mut PgConnection, filter: Filter, limit: i64) -> sqlx::Result<Vec<(Proposal, Revision)>> {
    let rows = sqlx::query(
        "select r.*, p.key as project_key, v.patch, v.diff, v.conflicts, v.digest, v.message, v.author as revision_author, v.at
         from proposal r
         left join project p on p.project_id = r.project_id
         join proposal_revision v on v.proposal_id = r.proposal_id and v.revision = r.revision
         where ($1::text is null or r.state = $1) and ($2::uuid is null or r.project_id = $2) and ($3::int is null or r.number < $3)
           and (not $5 or v.conflicts::text <> '[]')
         order by r.number desc limit $4",
    )
    .bind(filter.state.map(State::as_str))
    .bind(filter.project)
    .bind(filter.below)
    .bind(limit)
    .bind(filter.conflicted)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok((Proposal::from_row(row)?, Revision::from_row(row)?))).collect()
}

pub(super) async fn open_above(conn: &mut PgConnection, organization: OrganizationId, above: i32, limit: i64) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar("select number from proposal where organization_id = $1 and state = 'open' and number > $2 order by number limit $3")
        .bind(organization)
        .bind(above)
        .bind(limit)
        .fetch_all(conn)
        .await
}

pub(super) async fn reminded_at(conn: &mut PgConnection, proposal: ProposalId) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar("select reminded_at from proposal where proposal_id = $1").bind(proposal).fetch_one(conn).await
}

pub(super) async fn set_reminded(conn: &mut PgConnection, proposal: ProposalId, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query("update proposal set reminded_at = $2 where proposal_id = $1").bind(proposal).bind(now).execute(conn).await.map(drop)
}

pub(super) async fn expire(conn: &mut PgConnection, proposal: ProposalId, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query("update proposal set state = 'expired', updated_at = $2 where proposal_id = $1").bind(proposal).bind(now).execute(conn).await.map(drop)
}

/// The open proposals of a conversation, the newest first, at most six: what the next message may be about. Where the talk is about a project, only one on that
/// project: a conversation may have begun with a proposal for a project that is not made yet, and become another's.
pub async fn open_in(conn: &mut PgConnection, conversation: ConversationId, project: Option<ProjectId>) -> sqlx::Result<Vec<Proposal>> {
    sqlx::query_as(AssertSqlSafe(format!(
        "{PROPOSAL} where r.conversation_id = $1 and r.state = 'open' and ($2::uuid is null or r.project_id = $2) order by r.number desc limit 6"
    )))
    .bind(conversation)
    .bind(project)
    .fetch_all(conn)
    .await
}

/// Notes that a conversation was shown a revision of a proposal, in the transaction that ends what showed it.
pub async fn set_shown(
    conn: &mut PgConnection,
    organization: OrganizationId,
    conversation: ConversationId,
    (proposal, revision): (ProposalId, i32),
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into proposal_shown (organization_id, conversation_id, proposal_id, revision, shown_at) values ($1, $2, $3, $4, $5)
         on conflict (conversation_id, proposal_id) do update set revision = excluded.revision, shown_at = excluded.shown_at",
    )
    .bind(organization)
    .bind(conversation)
    .bind(proposal)
    .bind(revision)
    .bind(now)
    .execute(conn)
    .await
    .map(drop)
}

/// The newest revision of a proposal that a conversation was shown; `None` where it was shown none.
pub async fn last_shown(conn: &mut PgConnection, conversation: ConversationId, proposal: &Proposal) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar(
        "select greatest(
             (select revision from proposal_shown where conversation_id = $1 and proposal_id = $2),
             -- A platform's copy is kept as the proposal is, without a command.
             (select max(split_part(o.shows, '.', 2)::integer) from conversation c
              join outbox o on o.organization_id = c.organization_id and o.channel = c.channel and o.thread = c.thread
              where c.conversation_id = $1 and o.proposal = $3 and o.shows like 'open.%'))",
    )
    .bind(conversation)
    .bind(proposal.id)
    .bind(proposal.number)
    .fetch_one(conn)
    .await
}

/// Records a decision and where the proposal stands now.
pub(super) async fn settle(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    actor: &Actor,
    proposal: &Proposal,
    revision: &Revision,
    verdict: &str,
) -> sqlx::Result<()> {
    let decided = proposal.decided.as_ref();
    sqlx::query(
        "with decided as (
             insert into decision (organization_id, decision_id, proposal_id, revision, digest, member_id, actor, verdict, operations, reason, at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         )
         update proposal set state = $12, project_id = $13, applied_as = $14, accepted = $9, decided_by = $7, decided_at = $11, reason = $10, updated_at = $11
         where proposal_id = $3",
    )
    .bind(actor.organization)
    .bind(ctx.uuid())
    .bind(proposal.id)
    .bind(revision.revision)
    .bind(&revision.digest)
    .bind(actor.member)
    .bind(&actor.handle)
    .bind(verdict)
    .bind(&proposal.accepted)
    .bind(decided.and_then(|decided| decided.reason.as_deref()))
    .bind(proposal.updated_at)
    .bind(proposal.state.as_str())
    .bind(proposal.project)
    .bind(proposal.applied_as)
    .execute(conn)
    .await
    .map(drop)
}

pub(super) async fn insert_comment(conn: &mut PgConnection, actor: &Actor, proposal: ProposalId, comment: &Comment) -> sqlx::Result<()> {
    sqlx::query(
        "insert into proposal_comment (organization_id, comment_id, proposal_id, operation, member_id, author, text, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(actor.organization)
    .bind(comment.id)
    .bind(proposal)
    .bind(comment.operation)
    .bind(actor.member)
    .bind(&comment.author)
    .bind(&comment.text)
    .bind(comment.at)
    .execute(conn)
    .await
    .map(drop)
}

/// What was said about a proposal, oldest first.
pub async fn list_comments(conn: &mut PgConnection, proposal: ProposalId) -> sqlx::Result<Vec<Comment>> {
    sqlx::query_as("select comment_id, author, text, operation, at from proposal_comment where proposal_id = $1 order by comment_id")
        .bind(proposal)
        .fetch_all(conn)
        .await
}
