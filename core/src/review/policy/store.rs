//! The rows of policies, and of the approvals that they are held against.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow, types::Json};

use super::{Policy, Reviewers, Voice};
use crate::{
    ids::{Context, MemberId, OrganizationId, ProposalId},
    patch::{ProjectPatch, process::Role},
    review::{Proposal, Revision},
    tenancy::Actor,
};

/// The version of the built-in policy.
pub const BUILT_IN: i32 = 0;

/// A policy as it was decided.
#[derive(Clone, Debug)]
pub struct Version {
    /// [`BUILT_IN`], or from 1.
    pub number: i32,
    pub policy: Policy,
    /// Who decided it and when; none for the built-in one.
    pub change: Option<VersionLine>,
}

/// When and why a version of the policy came to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VersionLine {
    /// From 1, without gaps.
    pub version: i32,
    /// A member's handle.
    pub by: String,
    pub at: DateTime<Utc>,
    pub note: String,
}

impl FromRow<'_, PgRow> for VersionLine {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self { version: row.try_get("version")?, by: row.try_get("actor")?, at: row.try_get("at")?, note: row.try_get("note")? })
    }
}

impl FromRow<'_, PgRow> for Version {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let line = VersionLine::from_row(row)?;
        Ok(Self { number: line.version, policy: row.try_get::<Json<_>, _>("document")?.0, change: Some(line) })
    }
}

impl Version {
    pub fn built_in() -> Self {
        Self { number: BUILT_IN, policy: Policy::built_in(), change: None }
    }
}

/// The policy that an organisation goes by.
pub async fn active(conn: &mut PgConnection) -> sqlx::Result<Version> {
    let own = sqlx::query_as("select version, document, actor, at, note from policy order by version desc limit 1").fetch_optional(conn).await?;
    Ok(own.unwrap_or_else(Version::built_in))
}

/// A policy as it was at a version.
pub async fn find(conn: &mut PgConnection, version: i32) -> sqlx::Result<Option<Version>> {
    if version == BUILT_IN {
        return Ok(Some(Version::built_in()));
    }
    sqlx::query_as("select version, document, actor, at, note from policy where version = $1").bind(version).fetch_optional(conn).await
}

/// The newest versions, newest first.
pub async fn list_versions(conn: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<VersionLine>> {
    sqlx::query_as("select version, actor, at, note from policy order by version desc limit $1").bind(limit).fetch_all(conn).await
}

/// Lets one change of the policy wait for another until the transaction ends. The rows of policies themselves are never locked: nobody may change them.
pub async fn lock(conn: &mut PgConnection, organization: OrganizationId) -> sqlx::Result<()> {
    sqlx::query("select 1 from organization where organization_id = $1 for no key update").bind(organization).execute(conn).await.map(drop)
}

pub(super) async fn insert(conn: &mut PgConnection, actor: &Actor, policy: &Policy, line: &VersionLine) -> sqlx::Result<()> {
    sqlx::query("insert into policy (organization_id, version, document, note, member_id, actor, at) values ($1, $2, $3, $4, $5, $6, $7)")
        .bind(actor.organization)
        .bind(line.version)
        .bind(Json(policy))
        .bind(&line.note)
        .bind(actor.member)
        .bind(&line.by)
        .bind(line.at)
        .execute(conn)
        .await
        .map(drop)
}

/// What a proposal is judged on, beside itself.
pub(in crate::review) struct Ground {
    pub(in crate::review) version: i32,
    pub(in crate::review) policy: Policy,
    pub(in crate::review) author: Role,
    /// Those who may decide, its author aside.
    pub(in crate::review) others: Reviewers,
}

/// The policy, and the people, that a proposal of this member is judged by.
pub(in crate::review) async fn ground(conn: &mut PgConnection, author: MemberId) -> sqlx::Result<Ground> {
    let row = sqlx::query(
        "select a.role, o.owners, o.admins, o.members, p.version, p.document
         from member a
         cross join lateral (
             select count(*) filter (where role = 'owner') as owners, count(*) filter (where role = 'admin') as admins,
                    count(*) filter (where role = 'member') as members
             from member where removed_at is null and member_id <> $1
         ) o
         left join lateral (select version, document from policy order by version desc limit 1) p on true
         where a.member_id = $1",
    )
    .bind(author)
    .fetch_one(conn)
    .await?;
    let own = row.try_get::<Option<i32>, _>("version")?.zip(row.try_get::<Option<Json<Policy>>, _>("document")?);
    let (version, policy) = own.map_or_else(|| (BUILT_IN, Policy::built_in()), |(version, document)| (version, document.0));
    let others = Reviewers { owners: row.try_get("owners")?, admins: row.try_get("admins")?, members: row.try_get("members")? };
    Ok(Ground { version, policy, author: role(&row)?, others })
}

/// The role of every member there ever was, and how many may decide now.
pub(super) async fn people(conn: &mut PgConnection) -> sqlx::Result<(HashMap<MemberId, Role>, Reviewers)> {
    let rows = sqlx::query("select member_id, role, removed_at is null as is_here from member").fetch_all(conn).await?;
    let mut roles = HashMap::new();
    let mut reviewers = Reviewers::default();
    for row in rows {
        let role = role(&row)?;
        roles.insert(row.try_get("member_id")?, role);
        if row.try_get("is_here")? {
            reviewers.add(role, 1);
        }
    }
    Ok((roles, reviewers))
}

/// An approval, or the acceptance that completed the policy.
pub(in crate::review) struct Approval {
    pub(in crate::review) proposal: ProposalId,
    pub(in crate::review) voice: Voice,
    /// Whether they are a member still.
    pub(in crate::review) is_here: bool,
    /// The revision that was shown.
    pub(in crate::review) revision: i32,
    pub(in crate::review) operations: Vec<i32>,
    pub(in crate::review) at: DateTime<Utc>,
    /// What was shown, where it is not what the proposal is now.
    pub(in crate::review) shown: Option<ProjectPatch>,
}

/// The approvals of some proposals, oldest first.
pub(in crate::review) async fn approvals(conn: &mut PgConnection, proposals: &[ProposalId]) -> sqlx::Result<Vec<Approval>> {
    let rows = sqlx::query(
        "select d.proposal_id, d.member_id, d.actor, m.role, m.removed_at is null as is_here, d.revision, d.operations, d.at,
                case when d.digest <> newest.digest then shown.patch end as shown
         from decision d
         join member m on m.member_id = d.member_id
         join proposal r on r.proposal_id = d.proposal_id
         join proposal_revision newest on newest.proposal_id = d.proposal_id and newest.revision = r.revision
         join proposal_revision shown on shown.proposal_id = d.proposal_id and shown.revision = d.revision
         where d.proposal_id = any($1) and d.verdict in ('approve', 'accept')
         order by d.at, d.decision_id",
    )
    .bind(proposals)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Approval {
                proposal: row.try_get("proposal_id")?,
                voice: Voice { member: row.try_get("member_id")?, handle: row.try_get("actor")?, role: role(row)? },
                is_here: row.try_get("is_here")?,
                revision: row.try_get("revision")?,
                operations: row.try_get::<Option<_>, _>("operations")?.unwrap_or_default(),
                at: row.try_get("at")?,
                shown: row.try_get::<Option<Json<_>>, _>("shown")?.map(|shown| shown.0),
            })
        })
        .collect()
}

/// Records an approval of some operations (from 1, in order) of a revision. The same again changes nothing.
pub(in crate::review) async fn insert_approval(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    actor: &Actor,
    proposal: &Proposal,
    revision: &Revision,
    operations: &[i32],
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into decision (organization_id, decision_id, proposal_id, revision, digest, member_id, actor, verdict, operations, at)
         values ($1, $2, $3, $4, $5, $6, $7, 'approve', $8, $9) on conflict do nothing",
    )
    .bind(actor.organization)
    .bind(ctx.uuid())
    .bind(proposal.id)
    .bind(revision.revision)
    .bind(&revision.digest)
    .bind(actor.member)
    .bind(&actor.handle)
    .bind(operations)
    .bind(ctx.now())
    .execute(conn)
    .await
    .map(drop)
}

fn role(row: &PgRow) -> sqlx::Result<Role> {
    let role: String = row.try_get("role")?;
    Role::parse(&role).ok_or_else(|| sqlx::Error::Decode(format!("{role} is no role").into()))
}
