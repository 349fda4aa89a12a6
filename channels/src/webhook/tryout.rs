//! Trying a trigger out on what has happened.

use patchbay_core::{
    db::{self, Connection},
    integrations::{
        Makes,
        cursor::{self, Happened},
    },
};

use super::{
    filter::Filter,
    follow,
    make::{self, Made},
};

/// What a trigger would make of the newest events that its pattern means, newest first. Nothing is done.
///
/// # Errors
///
/// Where Postgres fails.
pub async fn on_newest(
    conn: &mut Connection,
    pattern: &str,
    (condition, template, makes): (Option<&str>, &str, Makes),
    count: i64,
) -> db::Result<Vec<(Happened, Result<Made, String>)>> {
    let events = cursor::store::newest(&mut *conn, pattern, count).await?;
    let deliveries = follow::deliveries(conn, &events.iter().collect::<Vec<_>>()).await?;
    let condition = condition.map(Filter::parse).transpose();
    let tried = |event: Happened| {
        let document = follow::document(&event, &deliveries);
        let made = match &condition {
            Err(error) => Err(error.to_string()),
            Ok(Some(condition)) if !condition.is_met(&document) => Ok(Made::Nothing("the condition does not hold")),
            Ok(_) => make::make(None, template, makes, &document),
        };
        (event, made)
    };
    Ok(events.into_iter().map(tried).collect())
}
