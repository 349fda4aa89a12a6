//! Gate 3: who may accept what. The built-in policy; an organisation's own rules will stand beside it.

use super::{Proposal, Trust};
use crate::{
    patch::diff::Diff,
    tenancy::{Actor, Scope},
};

/// Above this many operations somebody else should look.
pub(super) const MANY: usize = 20;

/// What the policy looks at.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    pub removes: bool,
    pub operations: usize,
    /// How many other members could approve.
    pub other_reviewers: i64,
}

impl Facts {
    pub(super) fn of(diff: &Diff, other_reviewers: i64) -> Self {
        Self { removes: diff.counts.removed > 0, operations: diff.entries.len(), other_reviewers }
    }
}

/// Why somebody may not accept a proposal, in words for them.
pub(super) fn refuse(actor: &Actor, proposal: &Proposal, facts: Facts) -> Option<String> {
    if !actor.may(Scope::Review) {
        return Some("you may read and propose here, but not decide: ask a member".into());
    }
    if actor.member != proposal.member {
        return None;
    }
    if proposal.trust == Trust::Untrusted {
        return Some(format!("#{} comes from outside and is not verified: somebody else has to accept it", proposal.number));
    }
    if facts.other_reviewers == 0 {
        return None;
    }
    if facts.removes {
        return Some(format!("#{} removes tasks: somebody other than its author has to accept it", proposal.number));
    }
    if facts.operations > MANY {
        return Some(format!("#{} has {} operations: above {MANY}, somebody other than its author has to accept it", proposal.number, facts.operations));
    }
    None
}
