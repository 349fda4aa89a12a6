//! Keeping the log of events in parts, one a month, and dropping those that are too old.
//!
//! It reads the state and takes no input: run twice, or by two processes at once, it does the same once. It acts as the owner of
//! the schema, because the service itself can take nothing from the log.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use sqlx::{ConnectOptions, Connection};

use super::store;
use crate::db::Access;

/// How many partitions are made ahead.
const AHEAD: i64 = 2;

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The part that was begun.
    pub begun: Option<i64>,
    /// The parts that were dropped.
    pub dropped: Vec<i64>,
}

/// Begins a part where a new month has come, or another server that a copy was restored on, and drops the parts whose events are all older than `keep_days`; without, none.
pub async fn keep(access: &Access, keep_days: Option<u32>, now: DateTime<Utc>) -> sqlx::Result<Kept> {
    let mut conn = access.owner().connect().await?;
    let mut kept = Kept::default();
    if !store::keep_parts_alone(&mut conn).await? {
        return Ok(kept);
    }
    let newest = store::newest_part(&mut conn, now).await?;
    store::make_parts(&mut conn, newest.part, newest.part + AHEAD).await?;
    if newest.is_behind || (now.year(), now.month()) > (newest.begun_at.year(), newest.begun_at.month()) {
        kept.begun = Some(store::begin_part(&mut conn, now).await?);
    }
    store::note_reached(&mut conn).await?;
    if let Some(days) = keep_days {
        for part in store::parts_before(&mut conn, now - TimeDelta::days(days.into())).await? {
            store::drop_part(&mut conn, part, now).await?;
            kept.dropped.push(part);
        }
    }
    conn.close().await?;
    Ok(kept)
}
