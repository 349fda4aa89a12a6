//! The HTTP API, one file for each resource. Every route stands here with its description.

mod audit;
mod channels;
mod collab;
mod commands;
mod documents;
mod exchanges;
mod files;
mod health;
mod jobs;
mod keys;
mod members;
mod notifications;
mod patches;
mod policies;
mod presets;
mod processes;
mod projects;
mod proposals;
mod quarantine;
mod schedules;
mod schemas;
mod session;
mod tasks;
mod triggers;
mod variants;
mod webhooks;
mod ws;

use std::{sync::LazyLock, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, OriginalUri, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tower_http::{
    compression::{
        CompressionLayer,
        predicate::{DefaultPredicate, NotForContentType, Predicate},
    },
    set_header::SetResponseHeaderLayer,
};

use crate::{
    app::App,
    extract::json_bytes,
    idempotency,
    openapi::{Api, op, public},
    problem::{Problem, REQUEST_ID},
};

/// The largest body that is read.
const MAX_BODY: usize = 1 << 20;

/// A page of a list.
#[derive(Serialize, JsonSchema)]
pub struct Page<T> {
    pub data: Vec<T>,
    pub meta: Meta,
}

#[derive(Serialize, JsonSchema)]
pub struct Meta {
    /// For the next page; null on the last.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A list that is never so long that it needs pages.
    pub fn whole(data: Vec<T>) -> Self {
        Self { data, meta: Meta { next_cursor: None } }
    }

    /// A page of rows of which one more than `size` was asked for; the cursor is made from the last that is shown.
    pub fn of<R>(mut rows: Vec<R>, size: i64, cursor: impl Fn(&R) -> String, view: impl Fn(R) -> T) -> Self {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let next_cursor = if more { rows.last().map(cursor) } else { None };
        Self { data: rows.into_iter().map(view).collect(), meta: Meta { next_cursor } }
    }
}

/// The routes and the `OpenAPI` document.
fn describe() -> (Router<App>, Value) {
    let api = Api::default();
    let api = session::routes(api);
    let api = commands::routes(api);
    let api = exchanges::routes(api);
    let api = projects::routes(api);
    let api = patches::routes(api);
    let api = tasks::routes(api);
    let api = proposals::routes(api);
    let api = collab::routes(api);
    let api = policies::routes(api);
    let api = members::routes(api);
    let api = notifications::routes(api);
    let api = keys::routes(api);
    let api = processes::routes(api);
    let api = webhooks::routes(api);
    let api = triggers::routes(api);
    let api = schemas::routes(api);
    let api = channels::routes(api);
    let api = jobs::routes(api);
    let api = presets::routes(api);
    let api = schedules::routes(api);
    let api = variants::routes(api);
    let api = documents::routes(api);
    let api = audit::routes(api);
    let api = quarantine::routes(api);
    let api = files::routes(api);
    api.finish()
}

/// The `OpenAPI` document.
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| describe().1);
    &DOCUMENT
}

/// Everything under `/api`, and the health of the service.
pub fn router(app: &App) -> Router<App> {
    let (routes, _) = describe();
    let v1 = routes
        .route("/ws", get(ws::upgrade))
        .route("/openapi.json", get(openapi))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(middleware::from_fn_with_state(app.clone(), idempotency::replay));
    Router::new()
        .nest("/api/v1", v1)
        .route("/api/docs", get(docs))
        .merge(health_router())
        .layer(middleware::from_fn(conditional))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

/// How the process is, whatever it does.
pub fn health_router() -> Router<App> {
    Router::new().route("/healthz", get(health::live)).route("/readyz", get(health::ready)).route("/metrics", get(health::metrics))
}

/// Of a process that leaves requests to others.
pub async fn no_role() -> Problem {
    Problem::not_found(
        "This process has not the role `web`: it answers /healthz, /readyz and /metrics. The API and the console are where `--roles` names `web`.",
    )
}

/// What stands around everything: request ids, the log, compression, headers.
pub fn surround(router: Router<App>, app: &App) -> Router<App> {
    let header = |name: HeaderName, value: &'static str| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    router
        .layer(CompressionLayer::new().gzip(true).compress_when(DefaultPredicate::new().and(NotForContentType::const_new("application/x-ndjson"))))
        .layer(header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(header::REFERRER_POLICY, "same-origin"))
        .layer(header(header::X_FRAME_OPTIONS, "DENY"))
        .layer(middleware::from_fn_with_state(app.clone(), trace))
}

async fn openapi() -> Response {
    static BYTES: LazyLock<axum::body::Bytes> = LazyLock::new(|| serde_json::to_vec_pretty(document()).unwrap_or_default().into());
    json_bytes(BYTES.clone())
}

async fn docs() -> Response {
    static PAGE: LazyLock<String> = LazyLock::new(|| crate::openapi::page(document()));
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], PAGE.as_str()).into_response()
}

async fn no_route(OriginalUri(uri): OriginalUri) -> Problem {
    Problem::not_found(format!("There is nothing at {}. All that there is stands in /api/v1/openapi.json.", uri.path()))
}

async fn no_method(method: Method, OriginalUri(uri): OriginalUri) -> Problem {
    let detail = format!("{method} is not possible at {}.", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "no-method", "Not in this way", detail)
}

/// Gives each request an id, logs it and tells its problems by that id.
async fn trace(State(app): State<App>, request: Request, next: Next) -> Response {
    const NAME: HeaderName = HeaderName::from_static("x-request-id");
    let given = request
        .headers()
        .get(&NAME)
        .and_then(|value| value.to_str().ok())
        .filter(|id| (1..=100).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)));
    let id = given.map_or_else(|| app.ctx.uuid().to_string(), str::to_owned);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!("request", id, %method, path);
    let started = tokio::time::Instant::now();
    let mut response = REQUEST_ID.scope(id.clone(), tracing::Instrument::instrument(next.run(request), span.clone())).await;
    let elapsed: Duration = started.elapsed();
    let _entered = span.enter();
    app.metrics.record(&method, response.status(), elapsed);
    tracing::debug!(status = response.status().as_u16(), micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX), "answered");
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(NAME, value);
    }
    response
}

/// Answers 304 where the caller has these bytes already.
async fn conditional(request: Request, next: Next) -> Response {
    let known = if request.method() == Method::GET { request.headers().get(header::IF_NONE_MATCH).cloned() } else { None };
    let mut response = next.run(request).await;
    if let (Some(known), Some(tag)) =
        (known.as_ref().and_then(|known| known.to_str().ok()), response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()))
        && known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag)
    {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = axum::body::Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    response
}
