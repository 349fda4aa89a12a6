//! Taking changes back, also those with others on top.

use std::collections::BTreeSet;

use sqlx::PgConnection;

use super::{Draft, NewProposal, Proposed, REVERT, open, rebase};
use crate::{
    ids::{Context, ConversationId, MemberId},
    patch::{Fault, ProjectPatch, check::Rules, rebase::Conflict},
    tenancy::{Actor, Trust},
    workflow::{self, Apply, ApplyError, Change, Origin, ProjectRow, revision::store::Line},
};

/// How far back the last change of somebody is looked for.
const REACH: i64 = 1_000;

/// What a person can take back next, or take back the taking back of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    Change,
    Undo,
}

/// The newest change of a member that still stands, or the newest of their undos that does.
pub async fn last(conn: &mut PgConnection, project: &ProjectRow, member: MemberId, what: Last) -> sqlx::Result<Option<i32>> {
    let lines = workflow::revision::store::list_lines(conn, project.project.id, REACH).await?;
    Ok(newest(&lines, member, what))
}

fn newest(lines: &[Line], member: MemberId, what: Last) -> Option<i32> {
    let mut taken_back = BTreeSet::new();
    for line in lines {
        if taken_back.contains(&line.number) {
            continue;
        }
        let undone = line.reverts.and_then(|number| lines.iter().find(|line| line.number == number));
        // What takes an undo back is a change made again, and not an undo.
        let is_undo = line.reverts.is_some() && undone.is_none_or(|undone| undone.reverts.is_none());
        let is_wanted = match what {
            Last::Change => line.reverts.is_none(),
            Last::Undo => is_undo,
        };
        if line.member == member && is_wanted {
            return Some(line.number);
        }
        taken_back.extend(line.reverts);
    }
    None
}

/// What became of taking a revision back.
pub enum TakenBack {
    Done(Box<Change>),
    /// It would harm what was done later; nothing was changed.
    Clashes(Vec<Conflict>),
}

/// Takes a revision back at once, where that harms nothing later. To be called under the project's lock.
pub async fn take_back(conn: &mut PgConnection, ctx: &dyn Context, actor: &Actor, project: &ProjectRow, number: i32) -> Result<TakenBack, ApplyError> {
    let proposed = inverse(conn, actor, project, number).await?;
    if !proposed.conflicts.is_empty() {
        return Ok(TakenBack::Clashes(proposed.conflicts));
    }
    let reverts = workflow::revision::store::find(conn, project.project.id, number).await?.and_then(|revision| revision.reverts);
    // What takes an undo back makes a change again.
    let note = Some(reverts.map_or_else(|| format!("Undo of version {number}"), |made| format!("Redo of version {made}")));
    let patch = ProjectPatch { project_id: Some(project.project.id.to_string()), note, ..proposed.prepared.checked.flat.patch };
    let rules = Rules { history: true, ..Rules::of(actor.role) };
    let change = workflow::apply(conn, ctx, Apply { actor, patch, rules, origin: Origin::Undo, proposal: None, reverts: Some(number) }).await?;
    Ok(TakenBack::Done(Box::new(change)))
}

/// Proposes to take a revision back; what would harm later changes is in its conflicts.
pub async fn revert(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    actor: &Actor,
    project: &ProjectRow,
    number: i32,
    conversation: Option<ConversationId>,
) -> Result<Draft, ApplyError> {
    let mut proposed = inverse(conn, actor, project, number).await?;
    proposed.prepared.checked.flat.patch.note = Some(format!("Take back version {number} of {}", project.project.key));
    let new = NewProposal { actor, proposed: &proposed, message: "", origin: REVERT, trust: Trust::Verified, conversation };
    Ok(open::open(conn, ctx, &new).await?)
}

/// The patch that takes a revision back, merged with what came after it.
async fn inverse(conn: &mut PgConnection, actor: &Actor, project: &ProjectRow, number: i32) -> Result<Proposed, ApplyError> {
    let key = &project.project.key;
    let revision = workflow::revision::store::find(conn, project.project.id, number).await?.ok_or_else(|| {
        let fault = Fault::new("/revision", format!("{key} has no version {number}"));
        ApplyError::Faults(vec![fault.expected(format!("1–{}", project.project.version))])
    })?;
    let patch = revision.inverse().map_err(|error| sqlx::Error::Decode(error.into()))?;
    if patch.tasks.is_empty() && patch.meta_updates.is_none() {
        let fault = Fault::new("/revision", format!("version {number} of {key} leaves nothing to take back"));
        return Err(ApplyError::Faults(vec![fault.fix("a project is deleted, not taken back")]));
    }
    let rules = Rules { history: true, ..Rules::of(actor.role) };
    let seen = workflow::at(conn, project, number).await?;
    let proposed = rebase::merge_from(conn, &seen, patch, &rules).await?;
    let checked = &proposed.prepared.checked;
    if proposed.conflicts.is_empty() && checked.tasks().is_empty() && checked.flat.patch.meta_updates.is_none() {
        return Err(ApplyError::Faults(vec![Fault::new("/revision", format!("nothing of version {number} of {key} is left to take back"))]));
    }
    Ok(proposed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(number: u8) -> MemberId {
        MemberId(uuid::Uuid::from_u128(number.into()))
    }

    /// What member 1 would take back, and make again, after revisions of `(number, member, what it takes back)`.
    fn next(of: &[(i32, u8, Option<i32>)]) -> (Option<i32>, Option<i32>) {
        let lines: Vec<Line> = of.iter().rev().map(|(number, of, reverts)| Line { number: *number, member: member(*of), reverts: *reverts }).collect();
        (newest(&lines, member(1), Last::Change), newest(&lines, member(1), Last::Undo))
    }

    #[test]
    fn each_takes_back_their_own() {
        assert_eq!(next(&[(1, 1, None), (2, 1, None), (3, 2, None)]), (Some(2), None));
    }

    #[test]
    fn undo_after_undo_goes_further_back_and_redo_comes_again() {
        assert_eq!(next(&[(1, 1, None), (2, 1, None), (3, 1, Some(2))]), (Some(1), Some(3)));
        assert_eq!(next(&[(1, 1, None), (2, 1, None), (3, 1, Some(2)), (4, 1, Some(1))]), (None, Some(4)));
        assert_eq!(next(&[(1, 1, None), (2, 1, None), (3, 1, Some(2)), (4, 1, Some(3))]), (Some(2), None));
    }
}
