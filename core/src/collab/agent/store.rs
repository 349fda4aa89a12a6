//! The rows of agents.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow};

use super::{Agent, Availability, Registration};
use crate::{
    collab::store::append,
    ids::{MemberId, OrganizationId},
    tenancy::Actor,
};

impl FromRow<'_, PgRow> for Agent {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let availability: &str = row.try_get("availability")?;
        Ok(Self {
            agent: row.try_get("handle")?,
            name: row.try_get("name")?,
            role: row.try_get("role")?,
            skills: row.try_get("skills")?,
            availability: Availability::parse(availability).ok_or_else(|| sqlx::Error::Decode(format!("{availability} is no availability").into()))?,
            is_present: row.try_get("is_here")?,
            ttl_seconds: row.try_get("ttl_seconds")?,
            registered_at: row.try_get("registered_at")?,
            last_seen_at: row.try_get("last_seen_at")?,
        })
    }
}

const AGENT: &str = "m.handle, m.name, a.role, a.skills, a.availability, a.ttl_seconds, a.registered_at, a.last_seen_at,
    a.last_seen_at + a.ttl_seconds * interval '1 second' > clock_timestamp() as is_here
    from agent a join member m on m.member_id = a.member_id";

/// Registers the actor, or changes what it registered with.
pub async fn register(conn: &mut PgConnection, actor: &Actor, new: &Registration<'_>) -> sqlx::Result<Agent> {
    let at: DateTime<Utc> = sqlx::query_scalar(
        "insert into agent (organization_id, member_id, role, skills, availability, ttl_seconds, registered_at, last_seen_at, is_present, changed)
         values ($1, $2, $3, $4, $5, $6, now(), now(), true, event_base())
         on conflict (member_id) do update set role = excluded.role, skills = excluded.skills, availability = excluded.availability,
             ttl_seconds = excluded.ttl_seconds, last_seen_at = excluded.last_seen_at, is_present = true, changed = excluded.changed
         returning last_seen_at",
    )
    .bind(actor.organization)
    .bind(actor.member)
    .bind(new.role)
    .bind(new.skills)
    .bind(new.availability.as_str())
    .bind(new.ttl_seconds)
    .fetch_one(&mut *conn)
    .await?;
    let details = json!({ "role": new.role, "skills": new.skills, "availability": new.availability });
    append(&mut *conn, actor.organization, at, "agent.registered", &actor.handle, &actor.handle, &details).await?;
    find(conn, actor.member).await?.ok_or(sqlx::Error::RowNotFound)
}

/// Notes that an agent is there. Its coming back and a change of its availability are told. `None` where it is not registered.
pub async fn heartbeat(conn: &mut PgConnection, actor: &Actor, availability: Option<Availability>) -> sqlx::Result<Option<Agent>> {
    let was: Option<(bool, String, DateTime<Utc>)> = sqlx::query_as(
        "with was as (select is_present, availability from agent where member_id = $1 for update)
         update agent set last_seen_at = now(), is_present = true, availability = coalesce($2, agent.availability), changed = event_base()
         from was where member_id = $1 returning was.is_present, was.availability, last_seen_at",
    )
    .bind(actor.member)
    .bind(availability.map(Availability::as_str))
    .fetch_optional(&mut *conn)
    .await?;
    let Some((was_present, was_availability, at)) = was else { return Ok(None) };
    let agent = find(&mut *conn, actor.member).await?.ok_or(sqlx::Error::RowNotFound)?;
    let details = json!({ "availability": agent.availability });
    if !was_present {
        append(conn, actor.organization, at, "agent.appeared", &actor.handle, &actor.handle, &details).await?;
    } else if was_availability != agent.availability.as_str() {
        append(conn, actor.organization, at, "agent.availability", &actor.handle, &actor.handle, &details).await?;
    }
    Ok(Some(agent))
}

pub async fn find(conn: &mut PgConnection, member: MemberId) -> sqlx::Result<Option<Agent>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("select {AGENT} where a.member_id = $1"))).bind(member).fetch_optional(conn).await
}

/// All agents that are members, by handle, and the version of them all.
pub async fn list(conn: &mut PgConnection) -> sqlx::Result<(i64, Vec<Agent>)> {
    let version = sqlx::query_scalar("select coalesce(max(changed), 0) from agent").fetch_one(&mut *conn).await?;
    let agents = sqlx::query_as(sqlx::AssertSqlSafe(format!("select {AGENT} where m.removed_at is null order by m.handle"))).fetch_all(conn).await?;
    Ok((version, agents))
}

/// Tells of the agents that were not seen for too long, and answers how many.
pub async fn tell_gone(conn: &mut PgConnection, organization: OrganizationId) -> sqlx::Result<usize> {
    let gone: Vec<(String, DateTime<Utc>)> = sqlx::query_as(
        "update agent a set is_present = false, changed = event_base() from member m
         where m.member_id = a.member_id and a.member_id in
             (select member_id from agent where is_present and last_seen_at + ttl_seconds * interval '1 second' <= clock_timestamp()
              limit 200 for update skip locked)
         returning m.handle, a.last_seen_at",
    )
    .fetch_all(&mut *conn)
    .await?;
    if gone.is_empty() {
        return Ok(0);
    }
    let at: DateTime<Utc> = sqlx::query_scalar("select clock_timestamp()").fetch_one(&mut *conn).await?;
    for (handle, last_seen_at) in &gone {
        append(&mut *conn, organization, at, "agent.gone", handle, handle, &json!({ "last_seen_at": last_seen_at })).await?;
    }
    Ok(gone.len())
}
