//! Where sources deliver.

use axum::{body::Bytes, extract::State, http::HeaderMap, http::StatusCode};
use patchbay_channels::webhook::{delivery, intake::IntakeError};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    api::Api,
    app::App,
    extract::{Json, Path},
    openapi::public,
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.post(
        "/hooks/{source}",
        deliver,
        public("webhooks", "Deliver something from a source, signed as the source signs")
            .body::<serde_json::Value>()
            .answer::<Taken>(202)
            .problem(400)
            .problem(401)
            .problem(503),
    )
}

#[derive(Serialize, JsonSchema)]
struct Taken {
    /// `false`: it had come before, and has no second effect.
    is_new: bool,
}

async fn deliver(
    State(app): State<App>,
    Path(source): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<(StatusCode, Json<Taken>), Problem> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", "A delivery has at most 1 MiB."),
        _ => Problem::malformed("The body could not be read to its end."),
    })?;
    match app.intake.take(&source, delivery::headers(&headers), body.to_vec()).await {
        Ok(is_new) => Ok((StatusCode::ACCEPTED, Json(Taken { is_new }))),
        Err(IntakeError::NoSource) => Err(Problem::not_found("There is no such source, or it is switched off.")),
        Err(IntakeError::Refused(why)) => {
            tracing::info!(%why, "a delivery was refused");
            Err(Problem::unauthenticated(format!("This delivery is not believed: {why}.")))
        }
        Err(error @ IntakeError::Malformed(_)) => Err(Problem::malformed(format!("{error}. It is kept among the deliveries of its source."))),
        Err(IntakeError::Database(error)) => {
            tracing::warn!(%error, "a delivery could not be taken");
            Err(Problem::unavailable("The delivery could not be stored. Send it again."))
        }
    }
}
