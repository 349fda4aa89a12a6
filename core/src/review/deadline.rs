//! Open proposals that nobody decides: people are reminded of them, and in the end they expire, as the policy says.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use sqlx::PgConnection;

use super::{
    Proposal, Revision, State,
    policy::{self, Deadlines, Facts},
    store,
};
use crate::{
    channel, collab,
    ids::{Context, OrganizationId},
};

/// What is due for an open proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// It has waited for so many days.
    Reminder(i64),
    /// Nobody decided it in so many days.
    Expiry(i64),
}

/// What is due, of a proposal that waits since `since` and of which people were last reminded at `reminded`.
fn due(deadlines: Deadlines, since: DateTime<Utc>, reminded: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<Due> {
    let days = |days: Option<u16>| days.map(|days| TimeDelta::days(days.into()));
    let waits = (now - since).num_days();
    if days(deadlines.expire).is_some_and(|limit| now - since >= limit) {
        return Some(Due::Expiry(waits));
    }
    let quiet = reminded.filter(|at| *at > since).unwrap_or(since);
    days(deadlines.remind).is_some_and(|limit| now - quiet >= limit).then_some(Due::Reminder(waits))
}

/// The numbers of the open proposals above one, in order.
pub async fn open_above(conn: &mut PgConnection, organization: OrganizationId, above: i32, limit: i64) -> sqlx::Result<Vec<i32>> {
    store::open_above(conn, organization, above, limit).await
}

/// Does what is due for an open proposal, whose row is then held: reminds of it or lets it expire. `None` where nothing is due.
pub async fn watch(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, number: i32) -> sqlx::Result<Option<(Proposal, Revision, Due)>> {
    let Some(mut proposal) = store::lock(&mut *conn, number).await?.filter(|proposal| proposal.state == State::Open) else { return Ok(None) };
    let revision = store::revision(&mut *conn, proposal.id, proposal.revision).await?;
    let ground = policy::store::ground(&mut *conn, proposal.member).await?;
    let facts = Facts::of(&proposal, &revision.diff, ground.author, ground.others);
    let reminded = store::reminded_at(&mut *conn, proposal.id).await?;
    let now = ctx.now();
    let Some(due) = due(policy::deadlines(&ground.policy, &facts), proposal.updated_at, reminded, now) else { return Ok(None) };
    let (event, days) = match due {
        Due::Reminder(days) => {
            store::set_reminded(&mut *conn, proposal.id, now).await?;
            ("proposal.reminded", days)
        }
        Due::Expiry(days) => {
            proposal.state = State::Expired;
            store::expire(&mut *conn, proposal.id, now).await?;
            ("proposal.expired", days)
        }
    };
    let details = json!({ "number": number, "project": proposal.project_key, "state": proposal.state, "days": days, "conversation": proposal.conversation });
    collab::store::append(&mut *conn, organization, now, event, "patchbay", &format!("#{number}"), &details).await?;
    if matches!(due, Due::Expiry(_)) {
        channel::store::refresh_copies(conn, ctx, organization, number).await?;
    }
    Ok(Some((proposal, revision, due)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_reminded_again_and_again_and_then_it_is_over() {
        let at = |day: i64| DateTime::from_timestamp(1_800_000_000, 0).expect("a time") + TimeDelta::days(day);
        let deadlines = Deadlines { remind: Some(3), expire: Some(10) };
        assert_eq!(due(deadlines, at(0), None, at(2)), None);
        assert_eq!(due(deadlines, at(0), None, at(3)), Some(Due::Reminder(3)));
        assert_eq!(due(deadlines, at(0), Some(at(3)), at(5)), None);
        assert_eq!(due(deadlines, at(0), Some(at(3)), at(6)), Some(Due::Reminder(6)));
        assert_eq!(due(deadlines, at(0), Some(at(9)), at(10)), Some(Due::Expiry(10)));
        assert_eq!(due(deadlines, at(4), Some(at(3)), at(6)), None, "a refinement begins the waiting anew");
        assert_eq!(due(Deadlines::default(), at(0), None, at(1000)), None, "without a rule it waits for ever");
    }
}
