//! The rows of leases. The functions of the database that they call are in the migration, with their reasons.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, PgExecutor, Row, postgres::PgRow};

use super::{Acquired, Ask, Guard, Lease, PLACE_SECONDS, Resource, together::Wish};
use crate::{
    db::{self, Db},
    ids::{LockId, MemberId, OrganizationId, ProjectId, TaskId},
    tenancy::Actor,
};

impl FromRow<'_, PgRow> for Lease {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            lock_id: row.try_get("lock_id")?,
            resource: row.try_get("resource")?,
            holder: row.try_get("holder")?,
            member: row.try_get("actor")?,
            fencing_token: row.try_get("fencing_token")?,
            acquired_at: row.try_get("acquired_at")?,
            ttl_seconds: row.try_get("ttl_seconds")?,
            heartbeat_at: row.try_get("heartbeat_at")?,
            expires_at: row.try_get("expires_at")?,
            is_claim: row.try_get("is_claim")?,
            project_id: row.try_get("project_id")?,
            task_id: row.try_get("task_id")?,
        })
    }
}

/// Takes a resource, or says who is in the way. `at` is the time, in tests alone.
pub async fn acquire(db: &Db, actor: &Actor, new_lock: LockId, resource: &Resource, ask: Ask<'_>, at: Option<DateTime<Utc>>) -> sqlx::Result<Acquired> {
    if !db::is_held() {
        return acquire_within(db.entering(), actor, new_lock, resource, ask, at).await;
    }
    let mut tx = db.begin(actor.organization).await?;
    let acquired = acquire_within(&mut *tx, actor, new_lock, resource, ask, at).await?;
    tx.commit().await?;
    Ok(acquired)
}

/// The same within a transaction.
pub async fn acquire_within<'e>(
    executor: impl PgExecutor<'e>,
    actor: &Actor,
    new_lock: LockId,
    resource: &Resource,
    ask: Ask<'_>,
    at: Option<DateTime<Utc>>,
) -> sqlx::Result<Acquired> {
    let row = sqlx::query(
        "select a.is_taken, a.place, (a.held).lock_id, (a.held).resource, (a.held).holder, (a.held).actor, (a.held).fencing_token, (a.held).acquired_at,
                (a.held).ttl_seconds, (a.held).heartbeat_at, (a.held).expires_at, (a.held).is_claim, (a.held).project_id, (a.held).task_id
         from acquire_lease($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) a",
    )
    .bind(actor.organization)
    .bind(&resource.name)
    .bind(new_lock)
    .bind(ask.holder)
    .bind(actor.member)
    .bind(&actor.handle)
    .bind(resource.project.as_ref().map(|(id, _)| *id))
    .bind(resource.task.as_ref().map(|(id, _)| *id))
    .bind(resource.about())
    .bind(ask.is_claim)
    .bind(ask.ttl_seconds)
    .bind(ask.waits)
    .bind(PLACE_SECONDS)
    .bind(at)
    .fetch_one(executor)
    .await?;
    if row.try_get("is_taken")? {
        return Lease::from_row(&row).map(Acquired::Taken);
    }
    let by = match row.try_get::<Option<LockId>, _>("lock_id")? {
        Some(_) => Some(Lease::from_row(&row)?),
        None => None,
    };
    Ok(Acquired::Held { by, place: row.try_get("place")? })
}

/// Takes those that are free, in a transaction of its own.
pub(super) async fn acquire_all(db: &Db, organization: OrganizationId, wishes: &[&Wish]) -> sqlx::Result<Vec<Lease>> {
    sqlx::query_as("select * from acquire_leases($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
        .bind(organization)
        .bind(wishes.iter().map(|wish| wish.resource.name.as_str()).collect::<Vec<_>>())
        .bind(wishes.iter().map(|wish| wish.lock).collect::<Vec<_>>())
        .bind(wishes.iter().map(|wish| wish.holder.as_str()).collect::<Vec<_>>())
        .bind(wishes.iter().map(|wish| wish.actor.member).collect::<Vec<_>>())
        .bind(wishes.iter().map(|wish| wish.actor.handle.as_str()).collect::<Vec<_>>())
        .bind(wishes.iter().map(|wish| wish.resource.project.as_ref().map(|(id, _)| *id)).collect::<Vec<_>>())
        .bind(wishes.iter().map(|wish| wish.resource.task.as_ref().map(|(id, _)| *id)).collect::<Vec<_>>())
        .bind(wishes.iter().map(|wish| wish.resource.about()).collect::<Vec<_>>())
        .bind(wishes.iter().map(|wish| wish.is_claim).collect::<Vec<_>>())
        .bind(wishes.iter().map(|wish| wish.ttl_seconds).collect::<Vec<_>>())
        .fetch_all(db.entering())
        .await
}

/// Keeps a lease for as long again, or for `ttl_seconds`. `None` where it is not the member's or has run out.
pub async fn heartbeat(db: &Db, actor: &Actor, lock: LockId, ttl_seconds: Option<i32>, at: Option<DateTime<Utc>>) -> sqlx::Result<Option<Lease>> {
    sqlx::query_as("select * from heartbeat_lease($1, $2, $3, $4, $5)")
        .bind(actor.organization)
        .bind(lock)
        .bind(actor.member)
        .bind(ttl_seconds)
        .bind(at)
        .fetch_optional(db.entering())
        .await
}

/// Gives a lease back. `None` where it is not the member's or has run out.
pub async fn release(db: &Db, actor: &Actor, lock: LockId, reason: Option<&str>, at: Option<DateTime<Utc>>) -> sqlx::Result<Option<Lease>> {
    if !db::is_held() {
        return release_within(db.entering(), actor, lock, reason, at).await;
    }
    let mut tx = db.begin(actor.organization).await?;
    let released = release_within(&mut *tx, actor, lock, reason, at).await?;
    tx.commit().await?;
    Ok(released)
}

/// The same within a transaction.
pub async fn release_within<'e>(
    executor: impl PgExecutor<'e>,
    actor: &Actor,
    lock: LockId,
    reason: Option<&str>,
    at: Option<DateTime<Utc>>,
) -> sqlx::Result<Option<Lease>> {
    sqlx::query_as("select * from release_lease($1, $2, $3, $4, $5)")
        .bind(actor.organization)
        .bind(lock)
        .bind(actor.member)
        .bind(reason)
        .bind(at)
        .fetch_optional(executor)
        .await
}

/// A lease that was taken from somebody.
#[derive(Clone, Debug)]
pub struct Stolen {
    pub lease: Lease,
    pub from_holder: String,
    pub from_member: String,
}

/// Takes a lease from its holder, in a transaction that also tells the audit trail. `None` where nobody holds it any more.
pub async fn steal(
    conn: &mut PgConnection,
    actor: &Actor,
    lock: LockId,
    new_lock: LockId,
    ask: Ask<'_>,
    reason: &str,
    at: Option<DateTime<Utc>>,
) -> sqlx::Result<Option<Stolen>> {
    let row = sqlx::query(
        "select (s.held).lock_id, (s.held).resource, (s.held).holder, (s.held).actor, (s.held).fencing_token, (s.held).acquired_at, (s.held).ttl_seconds,
                (s.held).heartbeat_at, (s.held).expires_at, (s.held).is_claim, (s.held).project_id, (s.held).task_id, s.was_holder, s.was_actor
         from steal_lease($1, $2, $3, $4, $5, $6, $7, $8, $9) s where s.was_holder is not null",
    )
    .bind(actor.organization)
    .bind(lock)
    .bind(new_lock)
    .bind(ask.holder)
    .bind(actor.member)
    .bind(&actor.handle)
    .bind(ask.ttl_seconds)
    .bind(reason)
    .bind(at)
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Stolen { lease: Lease::from_row(&row)?, from_holder: row.try_get("was_holder")?, from_member: row.try_get("was_actor")? }))
}

/// Ends the leases that have run out, at most 200, and answers how many.
pub async fn expire(db: &Db, organization: OrganizationId, at: Option<DateTime<Utc>>) -> sqlx::Result<i32> {
    sqlx::query_scalar("select expire_leases($1, 200, $2)").bind(organization).bind(at).fetch_one(db.entering()).await
}

/// What is to be taken back in an organisation.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    /// How long until the next lease runs out or the next agent counts as gone, in milliseconds; none or less where that is overdue.
    pub in_ms: Option<i64>,
    /// Whether a claimed task is yet to go back.
    pub is_abandoned: bool,
}

/// Looks, in one round trip, whether something is due.
pub async fn due(db: &Db, organization: OrganizationId) -> sqlx::Result<Due> {
    let row = db
        .glance(
            organization,
            "select ceil(extract(epoch from least(
                 (select min(expires_at) from lease where lock_id is not null),
                 (select min(last_seen_at + ttl_seconds * interval '1 second') from agent where is_present)
             ) - clock_timestamp()) * 1000)::bigint, exists (select from lease where is_abandoned), null",
        )
        .await?
        .ok_or(sqlx::Error::RowNotFound)?;
    Ok(Due { in_ms: row.try_get(0)?, is_abandoned: row.try_get(1)? })
}

/// The lease with this id, where it has not run out.
pub async fn find(conn: &mut PgConnection, lock: LockId) -> sqlx::Result<Option<Lease>> {
    sqlx::query_as("select * from lease where lock_id = $1 and expires_at > clock_timestamp()").bind(lock).fetch_optional(conn).await
}

/// The lease on a task, where somebody holds it.
pub async fn of_task(conn: &mut PgConnection, task: TaskId) -> sqlx::Result<Option<Lease>> {
    sqlx::query_as("select * from lease where task_id = $1 and expires_at > clock_timestamp()").bind(task).fetch_optional(conn).await
}

/// The lease on a resource, where somebody holds it.
pub async fn of_resource(conn: &mut PgConnection, organization: OrganizationId, resource: &str) -> sqlx::Result<Option<Lease>> {
    sqlx::query_as("select * from lease where organization_id = $1 and resource = $2 and expires_at > clock_timestamp()")
        .bind(organization)
        .bind(resource)
        .fetch_optional(conn)
        .await
}

/// All leases that are held, of one project where only that may be seen, and the version of them all.
pub async fn list(conn: &mut PgConnection, only: Option<ProjectId>) -> sqlx::Result<(i64, Vec<Lease>)> {
    let version = sqlx::query_scalar("select coalesce(max(changed), 0) from lease").fetch_one(&mut *conn).await?;
    let leases = sqlx::query_as(
        "select * from lease where lock_id is not null and expires_at > clock_timestamp() and ($1::uuid is null or project_id = $1) order by resource",
    )
    .bind(only)
    .fetch_all(conn)
    .await?;
    Ok((version, leases))
}

/// Whether a write under this lease is still its holder's to make. The lease cannot end before the transaction does.
pub async fn is_held(conn: &mut PgConnection, member: MemberId, guard: Guard) -> sqlx::Result<bool> {
    let expires_at: Option<DateTime<Utc>> =
        sqlx::query_scalar("select expires_at from lease where lock_id = $1 and fencing_token = $2 and member_id = $3 for share")
            .bind(guard.lock_id)
            .bind(guard.fencing_token)
            .bind(member)
            .fetch_optional(&mut *conn)
            .await?;
    // The clock is read after the wait for the lock.
    match expires_at {
        Some(until) => sqlx::query_scalar("select $1 > clock_timestamp()").bind(until).fetch_one(conn).await,
        None => Ok(false),
    }
}

/// A claimed task whose lease ran out.
#[derive(Clone, Debug)]
pub struct Abandoned {
    pub resource: String,
    pub project: ProjectId,
    pub task: TaskId,
    pub member: MemberId,
}

impl FromRow<'_, PgRow> for Abandoned {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self { resource: row.try_get("resource")?, project: row.try_get("project_id")?, task: row.try_get("task_id")?, member: row.try_get("member_id")? })
    }
}

/// Claimed tasks whose leases ran out and that are yet to go back.
pub async fn list_abandoned(conn: &mut PgConnection) -> sqlx::Result<Vec<Abandoned>> {
    sqlx::query_as("select resource, project_id, task_id, member_id from lease where is_abandoned limit 100").fetch_all(conn).await
}

/// Takes up the going back of one task: false where somebody holds it again.
pub async fn settle_abandoned(conn: &mut PgConnection, organization: OrganizationId, resource: &str) -> sqlx::Result<bool> {
    sqlx::query("update lease set is_abandoned = false, member_id = null where organization_id = $1 and resource = $2 and is_abandoned")
        .bind(organization)
        .bind(resource)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1)
}
