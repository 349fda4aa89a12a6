//! What members are told, and how each wants it.

use axum::extract::State;
use patchbay_core::{
    ids::NotificationId,
    notify::{Notification, Preferences, store},
    tenancy::Actor,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Api, Meta, Page, op};
use crate::{
    app::App,
    extract::{Json, MaybeJson, Query, Reader, page_size},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.get("/notifications", list, op("notifications", "What you were told, newest first").query::<ListQuery>().answer::<Told>(200).problem(400).problem(422))
        .post("/notifications/read", read, op("notifications", "Say what you have read: these, or all").maybe_body::<Read>().answer::<Unread>(200))
        .get("/members/me/notifications", preferences, op("notifications", "How you want to be told").answer::<Preferences>(200))
        .put("/members/me/notifications", set_preferences, op("notifications", "Say how you want to be told").body::<Preferences>().answer::<Preferences>(200))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Only what you have not read.
    #[serde(default)]
    unread: bool,
    /// `meta.next_cursor` of the page before.
    cursor: Option<NotificationId>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
}

/// A page of what somebody was told.
#[derive(Serialize, JsonSchema)]
struct Told {
    data: Vec<Notification>,
    meta: Meta,
    /// How many of all they have not read.
    unread: i64,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Read {
    /// Absent or null: all.
    #[schemars(length(max = 1000))]
    ids: Option<Vec<NotificationId>>,
}

#[derive(Serialize, JsonSchema)]
struct Unread {
    /// How many are left.
    unread: i64,
}

/// A key for one project is nobody to tell things.
fn person(actor: &Actor) -> Result<(), Problem> {
    if actor.project.is_some() { Err(Problem::forbidden("A key for one project has no notifications.")) } else { Ok(()) }
}

async fn list(State(app): State<App>, reader: Reader, Query(query): Query<ListQuery>) -> Result<Json<Told>, Problem> {
    person(&reader)?;
    let size = page_size(query.limit)?;
    let mut tx = app.db.begin(reader.organization).await?;
    let rows = store::list(&mut tx, reader.member, query.unread, query.cursor, size + 1).await?;
    let unread = store::count_unread(&mut tx, reader.member).await?;
    tx.rollback().await?;
    let Page { data, meta } = Page::of(rows, size, |row| row.id.to_string(), |row| row);
    Ok(Json(Told { data, meta, unread }))
}

async fn read(State(app): State<App>, reader: Reader, MaybeJson(input): MaybeJson<Read>) -> Result<Json<Unread>, Problem> {
    person(&reader)?;
    if input.ids.as_ref().is_some_and(|ids| ids.len() > 1000) {
        return Err(Problem::fault("/ids", "at most 1000 at once; without `ids`, all"));
    }
    let mut tx = app.db.begin(reader.organization).await?;
    store::read(&mut tx, reader.member, input.ids.as_deref(), app.ctx.now()).await?;
    let unread = store::count_unread(&mut tx, reader.member).await?;
    tx.commit().await?;
    Ok(Json(Unread { unread }))
}

async fn preferences(State(app): State<App>, reader: Reader) -> Result<Json<Preferences>, Problem> {
    person(&reader)?;
    let mut tx = app.db.begin(reader.organization).await?;
    let preferences = store::preferences(&mut tx, reader.member).await?;
    tx.rollback().await?;
    Ok(Json(preferences))
}

async fn set_preferences(State(app): State<App>, reader: Reader, Json(mut preferences): Json<Preferences>) -> Result<Json<Preferences>, Problem> {
    person(&reader)?;
    let faults = preferences.tidy();
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let mut tx = app.db.begin(reader.organization).await?;
    store::set_preferences(&mut tx, reader.organization, reader.member, &preferences).await?;
    tx.commit().await?;
    Ok(Json(preferences))
}
