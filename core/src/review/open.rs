//! Opening a proposal, and refining it: each makes a revision that never changes.

use serde_json::json;
use sqlx::PgConnection;

use super::{Proposal, Revision, State, rebase::Source, store};
use crate::{
    channel, collab,
    ids::{Context, ConversationId, ProjectId, ProposalId},
    patch::{diff, rebase::Conflict},
    tenancy::{Actor, Trust},
    workflow::Prepared,
};

/// A patch for the plan as it is, and where it clashes with what others did since it was made.
pub struct Proposed {
    pub prepared: Prepared,
    pub(super) source: Source,
    pub conflicts: Vec<Conflict>,
}

impl From<Prepared> for Proposed {
    /// A patch that was made for the plan as it is.
    fn from(prepared: Prepared) -> Self {
        Self { source: Source::of(&prepared.plan), prepared, conflicts: Vec::new() }
    }
}

/// A patch to propose.
pub struct NewProposal<'a> {
    pub actor: &'a Actor,
    /// It has passed gates 1 and 2.
    pub proposed: &'a Proposed,
    /// The words that asked for it.
    pub message: &'a str,
    pub origin: &'a str,
    pub trust: Trust,
    pub conversation: Option<ConversationId>,
}

/// A proposal with its newest revision.
#[derive(Clone, Debug)]
pub struct Draft {
    pub proposal: Proposal,
    pub revision: Revision,
}

/// Opens a proposal.
pub async fn open(conn: &mut PgConnection, ctx: &dyn Context, new: &NewProposal<'_>) -> sqlx::Result<Draft> {
    let NewProposal { actor, proposed, message, origin, trust, conversation } = new;
    let prepared = &proposed.prepared;
    let now = ctx.now();
    let revision = revision(proposed, 1, message, &actor.handle, now);
    let project = prepared.project.as_ref().map(|row| &row.project);
    let mut proposal = Proposal {
        id: ProposalId(ctx.uuid()),
        number: 0,
        project: project.map(|project| project.id),
        project_key: project.map(|project| project.key.clone()),
        state: State::Open,
        base_version: prepared.plan.project.version,
        revision: 1,
        title: title(prepared, message),
        member: actor.member,
        author: actor.handle.clone(),
        origin: (*origin).to_owned(),
        trust: *trust,
        conversation: *conversation,
        applied_as: None,
        accepted: None,
        decided: None,
        created_at: now,
        updated_at: now,
    };
    proposal.number = store::next_number(conn, actor.organization).await?;
    store::insert(conn, actor.organization, &proposal).await?;
    store::insert_revision(conn, actor.organization, proposal.id, &revision, &proposed.source).await?;
    let details = json!({ "number": proposal.number, "project": proposal.project_key, "revision": 1, "title": proposal.title });
    collab::store::append(conn, actor.organization, now, "proposal.opened", &actor.handle, &format!("#{}", proposal.number), &details).await?;
    Ok(Draft { proposal, revision })
}

/// Adds a revision to an open proposal whose row is locked.
pub async fn refine(conn: &mut PgConnection, ctx: &dyn Context, actor: &Actor, proposal: &Proposal, proposed: &Proposed, message: &str) -> sqlx::Result<Draft> {
    add(conn, ctx, actor, proposal, proposed, message, "proposal.refined").await
}

pub(super) async fn add(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    actor: &Actor,
    proposal: &Proposal,
    proposed: &Proposed,
    message: &str,
    event: &str,
) -> sqlx::Result<Draft> {
    let now = ctx.now();
    let number = proposal.revision + 1;
    let prepared = &proposed.prepared;
    let revision = revision(proposed, number, message, &actor.handle, now);
    let mut proposal = proposal.clone();
    proposal.revision = number;
    proposal.base_version = prepared.plan.project.version;
    proposal.updated_at = now;
    if prepared.project.is_none() {
        proposal.title = title(prepared, message);
    }
    store::insert_revision(conn, actor.organization, proposal.id, &revision, &proposed.source).await?;
    store::set_revision(conn, &proposal).await?;
    let details = json!({ "number": proposal.number, "project": proposal.project_key, "revision": number, "base_version": proposal.base_version, "conflicts": revision.conflicts.len() });
    collab::store::append(conn, actor.organization, now, event, &actor.handle, &format!("#{}", proposal.number), &details).await?;
    channel::store::refresh_copies(conn, ctx, actor.organization, proposal.number).await?;
    Ok(Draft { proposal, revision })
}

fn revision(proposed: &Proposed, revision: i32, message: &str, author: &str, at: chrono::DateTime<chrono::Utc>) -> Revision {
    let prepared = &proposed.prepared;
    let mut patch = prepared.checked.flat.patch.clone();
    // What was looked at is said, also where the author left it open.
    patch.base_version = Some(prepared.plan.project.version);
    if let Some(row) = &prepared.project {
        patch.project_id = Some(row.project.key.clone());
    }
    let digest = blake3::hash(&serde_json::to_vec(&patch).expect("a patch is JSON")).as_bytes().to_vec();
    Revision {
        revision,
        diff: diff::diff(&prepared.plan, &prepared.checked),
        conflicts: proposed.conflicts.clone(),
        patch,
        digest,
        message: message.to_owned(),
        author: author.to_owned(),
        at,
    }
}

/// One line that tells what it is about.
fn title(prepared: &Prepared, message: &str) -> String {
    let patch = &prepared.checked.flat.patch;
    let new = patch.meta_updates.as_ref().and_then(|meta| meta.title.clone()).filter(|_| prepared.project.is_none());
    let text = new.or_else(|| patch.note.clone()).unwrap_or_else(|| message.to_owned());
    // What is quoted is not what it is called.
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('>')).unwrap_or("Changes");
    if line.chars().count() <= 120 { line.to_owned() } else { line.chars().take(119).chain(['…']).collect() }
}

/// The project that a proposal is for.
impl Draft {
    pub fn project(&self) -> Option<ProjectId> {
        self.proposal.project
    }
}
