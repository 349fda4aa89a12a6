//! Mails that are held back because nobody vouches for their sender.

use axum::extract::State;
use patchbay_core::{
    channel::mail::{self, Quarantined, Release},
    ids::QuarantineId,
    tenancy::Actor,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Api, Page, op};
use crate::{
    app::App,
    extract::{Admin, Json, Path, Query, page_size},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.get(
        "/channels/email/quarantine",
        list,
        op("channels", "Mails that are held back, newest first, and why").query::<ListQuery>().answer::<Page<Quarantined>>(200).problem(400).problem(422),
    )
    .post(
        "/channels/email/quarantine/{id}/release",
        release,
        op("channels", "Let a held mail in: it may propose, and nothing more. Once more changes nothing.").answer::<Quarantined>(200).problem(404).problem(409),
    )
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// `meta.next_cursor` of the page before.
    cursor: Option<QuarantineId>,
}

/// A key for one project is no key to the mailbox.
pub(super) fn for_all(actor: &Actor) -> Result<(), Problem> {
    match actor.project {
        Some(_) => Err(Problem::forbidden("The mailbox is the whole organisation's, and this key is for one project.")),
        None => Ok(()),
    }
}

async fn list(State(app): State<App>, admin: Admin, Query(query): Query<ListQuery>) -> Result<Json<Page<Quarantined>>, Problem> {
    for_all(&admin)?;
    let size = page_size(query.limit)?;
    let mut tx = app.db.begin(admin.organization).await?;
    let held = mail::store::list_before(&mut tx, query.cursor, size + 1).await?;
    tx.rollback().await?;
    Ok(Json(Page::of(held, size, |held| held.id.to_string(), |held| held)))
}

async fn release(State(app): State<App>, admin: Admin, Path(id): Path<QuarantineId>) -> Result<Json<Quarantined>, Problem> {
    for_all(&admin)?;
    let mut tx = app.db.begin(admin.organization).await?;
    match mail::release(&mut tx, app.ctx.as_ref(), &admin, id).await? {
        Release::Released(released) => {
            tx.commit().await?;
            app.committed(admin.organization);
            Ok(Json(released))
        }
        Release::Already(released) => Ok(Json(released)),
        Release::Unreadable => Err(Problem::conflict("unreadable", "This mail cannot be read, so nothing can come of it.")),
        Release::NotFound => Err(Problem::not_found("There is no such mail.")),
    }
}
