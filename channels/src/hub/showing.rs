//! What a conversation was shown: words decide about that and nothing else, as a button decides about what it stands below.

use patchbay_core::{
    channel::Channel,
    command::Reply,
    db,
    review::{Draft, Proposal, Revision, State, store, view::hex},
    tenancy::Trust,
};

use super::{
    replies,
    run::{Run, Stop},
};

/// Whether what is to be accepted has been looked at.
pub(super) enum Look {
    /// It is what was shown, which this digest names; none where [`accept`](patchbay_core::review::accept) has its own reason to refuse.
    Seen(Option<String>),
    /// It is to be looked at first.
    First(Box<Draft>, Reply),
}

impl Run<'_> {
    /// Notes that the answer shows a revision of a proposal; to be committed with it.
    pub(super) async fn shows(&self, conn: &mut db::Connection, proposal: &Proposal, revision: &Revision) -> db::Result<()> {
        let shown = (proposal.id, revision.revision);
        store::set_shown(conn, self.actor.organization, self.command.conversation, shown, self.hub.ctx.now()).await
    }

    /// The open proposal that the talk is about. Of several in a conversation it is the one that the message stands below, as an answer
    /// to a mail does; where it stands below none, the newest.
    pub(super) async fn open_here(&self, conn: &mut db::Connection) -> Result<Option<Proposal>, Stop> {
        let mut open = store::open_in(&mut *conn, self.command.conversation, self.command.project).await?;
        if let (Some(shown), [_, _, ..]) = (&self.command.shown, open.as_slice()) {
            for at in 0..open.len() {
                if hex(&store::revision(&mut *conn, open[at].id, open[at].revision).await?.digest) == *shown {
                    return Ok(Some(open.swap_remove(at)));
                }
            }
            return Err(replies::which_proposal(open.iter()).into());
        }
        Ok(open.into_iter().next())
    }

    /// Whether an open proposal is as this conversation was shown it, or as its author made it.
    pub(super) async fn looked_at(&self, conn: &mut db::Connection, number: i32) -> Result<Look, Stop> {
        if let Some(digest) = &self.command.shown {
            return Ok(Look::Seen(Some(digest.clone())));
        }
        let actor = self.actor;
        let found = store::find(&mut *conn, number).await?.filter(|proposal| actor.project.is_none() || actor.project == proposal.project);
        let Some(proposal) = found.filter(|proposal| proposal.state == State::Open) else { return Ok(Look::Seen(None)) };
        let revision = store::revision(&mut *conn, proposal.id, proposal.revision).await?;
        if !revision.conflicts.is_empty() {
            return Ok(Look::Seen(None));
        }
        let shown = store::last_shown(conn, self.command.conversation, &proposal).await?;
        // What came from outside was not read by whoever it is under the name of.
        let is_own = proposal.member == actor.member && revision.author == actor.handle && proposal.trust == Trust::Verified;
        if shown == Some(proposal.revision) || is_own {
            return Ok(Look::Seen(Some(hex(&revision.digest))));
        }
        let draft = Draft { proposal, revision };
        let reply = replies::look_first(&draft, shown.is_some(), self.is_beside());
        Ok(Look::First(Box::new(draft), reply))
    }

    /// Whether a platform shows an open proposal beside the words, and keeps it up to date.
    pub(super) fn is_beside(&self) -> bool {
        Channel::parse(&self.command.origin).is_some()
    }
}
