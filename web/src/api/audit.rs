//! The audit trail.

use axum::extract::State;
use chrono::{DateTime, Utc};
use patchbay_core::{
    audit::{
        Receipt,
        store::{self, Entry, Filter, Place},
    },
    patch::Fault,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Api, Page, op};
use crate::{
    app::App,
    extract::{Admin, Json, Path, Query, Reader, page_size},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.get("/audit", list, op("audit", "Who did what, newest first").query::<ListQuery>().answer::<Page<Entry>>(200).problem(400).problem(422))
        .get("/audit/head", head, op("audit", "The head of the audit trail as it is now, to be kept").answer::<AuditHead>(200))
        .get(
            "/audit/receipts/{receipt}",
            check,
            op("audit", "Whether the trail still has the head that a receipt names").answer::<CheckedReceipt>(200).problem(422),
        )
}

#[derive(Serialize, JsonSchema)]
struct AuditHead {
    /// Null before the first entry is sealed, a moment after it was written.
    receipt: Option<Receipt>,
}

#[derive(Serialize, JsonSchema)]
struct CheckedReceipt {
    receipt: Receipt,
    /// When the trail had this head; null where it never had, so that it was made anew since.
    sealed_at: Option<DateTime<Utc>>,
    fits: bool,
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
    #[schemars(length(max = 60))]
    cursor: Option<String>,
}

async fn list(State(app): State<App>, admin: Admin, Query(query): Query<ListQuery>) -> Result<Json<Page<Entry>>, Problem> {
    let size = page_size(query.limit)?;
    let before = query.cursor.map(|cursor| cursor.parse::<Place>().map_err(|_| Problem::malformed("`cursor` is none of ours."))).transpose()?;
    let mut tx = app.db.begin(admin.organization).await?;
    let filter = Filter { actor: query.actor.as_deref(), action: query.action.as_deref(), target: query.target.as_deref(), before };
    let entries = store::list(&mut tx, filter, size + 1).await?;
    tx.rollback().await?;
    Ok(Json(Page::of(entries, size, |entry| entry.place.to_string(), |entry| entry)))
}

async fn head(State(app): State<App>, reader: Reader) -> Result<Json<AuditHead>, Problem> {
    let mut tx = app.db.begin(reader.organization).await?;
    let receipt = store::receipt(&mut tx).await?;
    tx.rollback().await?;
    Ok(Json(AuditHead { receipt }))
}

async fn check(State(app): State<App>, reader: Reader, Path(receipt): Path<String>) -> Result<Json<CheckedReceipt>, Problem> {
    let receipt: Receipt = receipt.parse().map_err(|error| Problem::invalid(vec![Fault::new("/receipt", format!("{error}")).found(receipt)]))?;
    let mut tx = app.db.begin(reader.organization).await?;
    let sealed_at = store::find_receipt(&mut tx, &receipt).await?;
    tx.rollback().await?;
    Ok(Json(CheckedReceipt { receipt, sealed_at, fits: sealed_at.is_some() }))
}
