//! From a text that was made to a command that runs.

use patchbay_core::{
    command::store::{self, NewCommand, Topic},
    db::{self, Connection},
    ids::{CommandId, MemberId, OrganizationId, ProjectId},
    integrations::{Makes, cursor, inbound},
    tenancy::{self, Actor, Scopes, Trust},
};

use crate::hub::Hub;

/// A text that is to become a command.
pub(super) struct Submission<'a> {
    pub(super) organization: OrganizationId,
    pub(super) member: MemberId,
    pub(super) project: Option<ProjectId>,
    pub(super) text: &'a str,
    pub(super) makes: Makes,
    /// `webhook` or `trigger`.
    pub(super) origin: &'static str,
    /// What caused it: the same again is the same command, in the same conversation.
    pub(super) cause: &'a str,
    /// How many triggers led to it.
    pub(super) depth: i16,
}

/// Stores the command in the transaction that ends what caused it; the caller starts it after the commit. `None` where its member
/// is gone.
pub(super) async fn store(hub: &Hub, conn: &mut Connection, submission: &Submission<'_>) -> db::Result<Option<CommandId>> {
    let Some(actor) = tenancy::store::act_as(&mut *conn, submission.organization, submission.member).await? else { return Ok(None) };
    // The verbs of a command are the template's, and its member's to use. What a payload says in its own words may only propose.
    let trust = Trust::Untrusted;
    let scopes = match submission.makes {
        Makes::Command => actor.scopes,
        Makes::Plan => actor.scopes.and(Scopes::trusted(trust)),
    };
    let actor = Actor { scopes, project: submission.project, ..actor };
    let conversation = inbound::store::conversation(&mut *conn, hub.ctx.as_ref(), submission.organization, submission.cause, submission.project).await?;
    cursor::store::deepen(&mut *conn, submission.depth).await?;
    let new = NewCommand {
        conversation,
        origin: submission.origin,
        client_id: Some(submission.cause),
        text: submission.text,
        topic: Topic { project: submission.project, task: None },
        on_proposal: None,
        trust,
        shown: None,
        from_thread: None,
        reply_to: None,
        request_hash: None,
    };
    store::insert(conn, hub.ctx.as_ref(), &actor, &new).await.map(|(id, _)| Some(id))
}

/// Why nothing can be stored, for people.
pub(super) fn gone(member: &str) -> String {
    format!("@{member}, as whom it acts, is no longer a member")
}
