//! `Idempotency-Key` on every POST: the first answer is given again, and nothing happens twice.

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequestParts, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use patchbay_core::idempotency::{Seen, store};

use crate::{app::App, extract::Identity, problem::Problem};

const MAX_BODY: usize = 1 << 20;
const REPLAYED: &str = "idempotency-replayed";

/// Stands around every route. Requests without the header pass through untouched.
pub(crate) async fn replay(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key("idempotency-key") {
        return next.run(request).await;
    }
    keyed(&app, request, next).await.unwrap_or_else(IntoResponse::into_response)
}

async fn keyed(app: &App, request: Request, next: Next) -> Result<Response, Problem> {
    let key = request.headers().get("idempotency-key").and_then(|key| key.to_str().ok()).filter(|key| (1..=200).contains(&key.len())).map(str::to_owned);
    let key = key.ok_or_else(|| Problem::malformed("An Idempotency-Key has 1–200 visible ASCII characters."))?;
    let (mut parts, body) = request.into_parts();
    // Who is not known gets the handler's own answer, and no row.
    let Ok(identity) = Identity::from_request_parts(&mut parts, app).await else {
        return Ok(next.run(Request::from_parts(parts, body)).await);
    };
    // A message remembers its key itself, in the row that makes it happen once.
    if parts.uri.path().ends_with("/commands") || parts.uri.path().ends_with("/refine") {
        return Ok(next.run(Request::from_parts(parts, body)).await);
    }
    let bytes = to_bytes(body, MAX_BODY)
        .await
        .map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", "A request's body has at most 1 MiB."))?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(parts.uri.path().as_bytes()).update(b"\n").update(&bytes);
    let hash = hasher.finalize();
    let actor = identity.actor;
    let mut tx = app.db.begin(actor.organization).await?;
    let seen = store::begin(&mut tx, &actor, &key, hash.as_bytes(), app.ctx.now()).await?;
    tx.commit().await?;
    let attempt = match seen {
        Seen::Mine(attempt) => attempt,
        Seen::Answered { status, body } => return Ok(replayed(status, body)),
        Seen::Other => return Err(Problem::reused(&format!("the Idempotency-Key `{key}`"))),
        Seen::Running { left } => return Err(Problem::running(left)),
        Seen::Unanswered => {
            let detail =
                "The first request with this key had its effect, and Patchbay was stopped before it could answer. Look at what it made; it is not done again.";
            return Err(Problem::conflict("unanswered", detail));
        }
    };
    let response = attempt.run(&actor, next.run(Request::from_parts(parts, Body::from(bytes)))).await;
    let status = response.status();
    let mut tx = app.db.begin(actor.organization).await?;
    // What was not valid had no effect: the key is free for the request as it was meant. So are secrets, which are not kept.
    let is_kept = status.is_success() && response.headers().get(header::CACHE_CONTROL).is_none_or(|value| value != "no-store")
        || status.is_server_error()
        || status == StatusCode::CONFLICT;
    if !is_kept {
        if status.is_success() {
            store::answer(&mut tx, &actor, &attempt, StatusCode::CONFLICT.as_u16(), SHOWN_ONCE).await?;
        } else {
            store::forget(&mut tx, &actor, &attempt).await?;
        }
        tx.commit().await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.map_err(|error| Problem::ours(&error))?;
    store::answer(&mut tx, &actor, &attempt, status.as_u16(), &bytes).await?;
    tx.commit().await?;
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

const SHOWN_ONCE: &[u8] = br#"{"type":"/problems/shown-once","title":"Shown once","status":409,"detail":"The first request with this key was answered with a secret, which is not kept. Revoke what it made and make another."}"#;

fn replayed(status: u16, body: Vec<u8>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
