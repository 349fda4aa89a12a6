//! What was said to a model about a message, and what it answered: for whoever looks after the planner.

use axum::extract::State;
use patchbay_core::{
    command::store::{self, KeptExchange},
    ids::CommandId,
};

use super::{Api, Page, commands, op};
use crate::{
    app::App,
    extract::{Admin, Json, Path},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    let summary = "See the raw talk with a model about a message: what was sent, what came, what it cost; empty where the rules settled it";
    api.get("/commands/{id}/exchanges", list, op("commands", summary).answer::<Page<KeptExchange>>(200))
}

async fn list(State(app): State<App>, admin: Admin, Path(id): Path<CommandId>) -> Result<Json<Page<KeptExchange>>, Problem> {
    // It exists, and the caller may see it.
    commands::load(&app, &admin, id).await?;
    let mut tx = app.db.begin(admin.organization).await?;
    let exchanges = store::list_exchanges(&mut tx, id).await?;
    tx.rollback().await?;
    Ok(Json(Page::whole(exchanges)))
}
