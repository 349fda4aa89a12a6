//! What came from a platform, or by mail, and nobody could read.

use axum::{extract::State, http::StatusCode};
use patchbay_core::{
    audit,
    channel::malformed::{Malformed, store},
    ids::MalformedId,
};
use serde_json::json;

use super::{Api, Page, find, op};
use crate::{
    api::quarantine::for_all,
    app::App,
    extract::{Admin, Json, Path},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.get(
        "/channels/{channel}/malformed",
        list,
        op("channels", "What could not be read: the newest hundred, without what was secret in it, for a month").answer::<Page<Malformed>>(200).problem(404),
    )
    .delete("/channels/{channel}/malformed/{id}", discard, op("channels", "Discard something that could not be read").plain(204, "").problem(404))
}

async fn list(State(app): State<App>, admin: Admin, Path(name): Path<String>) -> Result<Json<Page<Malformed>>, Problem> {
    for_all(&admin)?;
    let channel = find(&name)?;
    let mut tx = app.db.begin(admin.organization).await?;
    let kept = store::list(&mut tx, channel).await?;
    tx.rollback().await?;
    Ok(Json(Page::whole(kept)))
}

async fn discard(State(app): State<App>, admin: Admin, Path((name, id)): Path<(String, MalformedId)>) -> Result<StatusCode, Problem> {
    for_all(&admin)?;
    let channel = find(&name)?;
    let mut tx = app.db.begin(admin.organization).await?;
    if !store::discard(&mut tx, channel, id).await? {
        return Err(Problem::not_found("There is no such thing kept."));
    }
    audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "malformed.discarded", &id.to_string(), &json!({ "channel": channel })).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
