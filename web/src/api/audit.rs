//! The audit trail.

use axum::extract::State;
use patchbay_core::audit::store::{self, Entry, Filter};
use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

use super::{Api, Page, op};
use crate::{
    app::App,
    extract::{Admin, Json, Query, page_size},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.get("/audit", list, op("audit", "Who did what, newest first").query::<ListQuery>().answer::<Page<Entry>>(200).problem(400).problem(422))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// By this member: a handle.
    #[schemars(length(max = 100))]
    actor: Option<String>,
    /// An action (`key.created`) or a subject (`key`).
    #[schemars(length(max = 100))]
    action: Option<String>,
    #[schemars(length(max = 100))]
    target: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// `meta.next_cursor` of the page before.
    cursor: Option<Uuid>,
}

async fn list(State(app): State<App>, admin: Admin, Query(query): Query<ListQuery>) -> Result<Json<Page<Entry>>, Problem> {
    let size = page_size(query.limit)?;
    let mut tx = app.db.begin(admin.organization).await?;
    let filter = Filter { actor: query.actor.as_deref(), action: query.action.as_deref(), target: query.target.as_deref(), before: query.cursor };
    let entries = store::list(&mut tx, filter, size + 1).await?;
    tx.rollback().await?;
    Ok(Json(Page::of(entries, size, |entry| entry.id.to_string(), |entry| entry)))
}
