//! Endpoints: what Patchbay tells whom, and how that went.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use chrono::{DateTime, Utc};
use patchbay_channels::webhook::send;
use patchbay_core::{
    audit,
    ids::EndpointId,
    integrations::{
        cursor, is_pattern,
        outbound::{Attempt, Endpoint, Message, Settings, State as Standing, store},
        secret::{self, SecretHint},
    },
    patch::Fault,
};
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{NewSecret, PageQuery, Rotate, for_all, once};
use crate::{
    api::{Api, Page},
    app::App,
    extract::{Admin, Json, Path, Query, check_if_match, page_size},
    openapi::op,
    problem::Problem,
};

/// How many patterns one endpoint may have.
const MAX_PATTERNS: usize = 50;

pub(super) fn routes(api: Api) -> Api {
    api.get("/webhooks/endpoints", list, op("webhooks", "List the endpoints").answer::<Page<EndpointView>>(200))
        .post(
            "/webhooks/endpoints",
            create,
            op("webhooks", "Add an endpoint; its secret is in this answer and nowhere else").body::<NewEndpoint>().answer::<CreatedEndpoint>(201),
        )
        .get("/webhooks/endpoints/{id}", get, op("webhooks", "Read an endpoint").answer::<EndpointView>(200))
        .patch(
            "/webhooks/endpoints/{id}",
            update,
            op("webhooks", "Change an endpoint, or switch one on again that was switched off").body::<EndpointUpdate>().answer::<EndpointView>(200),
        )
        .delete("/webhooks/endpoints/{id}", delete, op("webhooks", "Take an endpoint away, with its deliveries").plain(204, ""))
        .get(
            "/webhooks/endpoints/{id}/deliveries",
            deliveries,
            op("webhooks", "What an endpoint was sent, newest first, with every attempt")
                .query::<PageQuery>()
                .answer::<Page<SentView>>(200)
                .problem(400)
                .problem(422),
        )
        .post(
            "/webhooks/endpoints/{id}/deliveries/{delivery}/resend",
            resend,
            op("webhooks", "Send a delivery again, under the same id").plain(202, "").problem(409),
        )
        .post(
            "/webhooks/endpoints/{id}/rotate",
            rotate,
            op("webhooks", "Give an endpoint a new secret; for a while deliveries are signed with both").body::<Rotate>().answer::<NewSecret>(200),
        )
}

#[derive(Serialize, JsonSchema)]
struct EndpointView {
    id: EndpointId,
    url: String,
    description: String,
    /// Patterns: `*`, `proposal.*`, `proposal.opened`.
    events: Vec<String>,
    enabled: bool,
    /// Why Patchbay itself switched it off.
    disabled_why: Option<String>,
    /// Since when nothing has got through.
    failing_since: Option<DateTime<Utc>>,
    /// The secrets that deliveries are signed with, the newest first.
    secrets: Vec<SecretHint>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Serialize, JsonSchema)]
struct CreatedEndpoint {
    #[serde(flatten)]
    endpoint: EndpointView,
    /// Keep it: it is not shown again.
    secret: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewEndpoint {
    #[schemars(length(min = 1, max = 2000))]
    url: String,
    #[schemars(length(max = 500))]
    description: Option<String>,
    /// Patterns: `*`, `proposal.*`, `proposal.opened`. Absent: all events.
    #[schemars(length(min = 1, max = 50))]
    events: Option<Vec<String>>,
    /// `whsec_` and 24–64 bytes in base 64. Absent: Patchbay makes one.
    #[schemars(length(min = 16, max = 200))]
    secret: Option<String>,
    enabled: Option<bool>,
}

/// What is absent stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EndpointUpdate {
    #[schemars(length(min = 1, max = 2000))]
    url: Option<String>,
    #[schemars(length(max = 500))]
    description: Option<String>,
    #[schemars(length(min = 1, max = 50))]
    events: Option<Vec<String>>,
    enabled: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
struct SentView {
    id: Uuid,
    /// The `webhook-id`: the same on each attempt.
    webhook_id: String,
    event: String,
    body: String,
    state: Standing,
    attempts: Vec<Attempt>,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

fn view(endpoint: Endpoint, secrets: &[SecretHint]) -> EndpointView {
    let Settings { url, description, events, enabled } = endpoint.settings;
    EndpointView {
        id: endpoint.id,
        url,
        description,
        events,
        enabled,
        disabled_why: endpoint.disabled_why,
        failing_since: endpoint.failing_since,
        secrets: secrets.iter().filter(|secret| secret.owner == endpoint.id.0).cloned().collect(),
        created_at: endpoint.created_at,
        updated_at: endpoint.updated_at,
    }
}

async fn one(conn: &mut PgConnection, endpoint: Endpoint) -> Result<EndpointView, Problem> {
    let secrets = secret::store::list(conn, &[endpoint.id.0]).await?;
    Ok(view(endpoint, &secrets))
}

fn no_endpoint() -> Problem {
    Problem::not_found("There is no such endpoint.")
}

fn check(app: &App, settings: &Settings, faults: &mut Vec<Fault>) {
    if settings.url.chars().count() > 2000 {
        faults.push(Fault::new("/url", "a URL has at most 2000 characters"));
    } else if let Err(why) = app.client.check(&settings.url) {
        faults.push(Fault::new("/url", why));
    }
    if settings.description.chars().count() > 500 {
        faults.push(Fault::new("/description", "a description has at most 500 characters"));
    }
    if settings.events.is_empty() || settings.events.len() > MAX_PATTERNS {
        faults.push(Fault::new("/events", format!("an endpoint wants 1–{MAX_PATTERNS} patterns of events; `*` is all")));
    }
    for (index, pattern) in settings.events.iter().enumerate().filter(|(_, pattern)| !is_pattern(pattern)) {
        faults.push(Fault::new(format!("/events/{index}"), "this is no pattern of events").found(pattern.clone()).expected("*, proposal.*, proposal.opened"));
    }
}

async fn list(State(app): State<App>, admin: Admin) -> Result<Json<Page<EndpointView>>, Problem> {
    for_all(&admin)?;
    let mut tx = app.db.begin(admin.organization).await?;
    let endpoints = store::list(&mut tx).await?;
    let secrets = secret::store::list(&mut tx, &endpoints.iter().map(|endpoint| endpoint.id.0).collect::<Vec<_>>()).await?;
    tx.rollback().await?;
    Ok(Json(Page::whole(endpoints.into_iter().map(|endpoint| view(endpoint, &secrets)).collect())))
}

async fn get(State(app): State<App>, admin: Admin, Path(id): Path<EndpointId>) -> Result<Json<EndpointView>, Problem> {
    for_all(&admin)?;
    let mut tx = app.db.begin(admin.organization).await?;
    let endpoint = store::find(&mut tx, id).await?.ok_or_else(no_endpoint)?;
    let view = one(&mut tx, endpoint).await?;
    tx.rollback().await?;
    Ok(Json(view))
}

async fn create(State(app): State<App>, admin: Admin, Json(input): Json<NewEndpoint>) -> Result<Response, Problem> {
    for_all(&admin)?;
    let mut faults = Vec::new();
    let secret = super::secret(input.secret.as_deref(), true).map_err(|fault| faults.push(fault));
    let settings = Settings {
        url: input.url.trim().to_owned(),
        description: input.description.unwrap_or_default().trim().to_owned(),
        events: input.events.unwrap_or_else(|| vec!["*".into()]),
        enabled: input.enabled.unwrap_or(true),
    };
    check(&app, &settings, &mut faults);
    let Ok(secret) = secret else { return Err(Problem::invalid(faults)) };
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let mut tx = app.db.begin(admin.organization).await?;
    cursor::store::begin(&mut tx, admin.organization).await?;
    let endpoint = store::insert(&mut tx, app.ctx.as_ref(), admin.organization, &settings).await?;
    secret::store::replace(&mut tx, app.ctx.as_ref(), &app.safe, admin.organization, endpoint.id.0, &secret, chrono::TimeDelta::zero()).await?;
    let details = json!({ "id": endpoint.id, "events": settings.events });
    audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "webhook.endpoint_added", &settings.url, &details).await?;
    let endpoint = one(&mut tx, endpoint).await?;
    tx.commit().await?;
    Ok(once(StatusCode::CREATED, CreatedEndpoint { endpoint, secret: secret.expose_secret().to_owned() }))
}

async fn update(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<EndpointId>,
    headers: HeaderMap,
    Json(input): Json<EndpointUpdate>,
) -> Result<Json<EndpointView>, Problem> {
    for_all(&admin)?;
    let mut tx = app.db.begin(admin.organization).await?;
    let endpoint = store::lock(&mut tx, id).await?.ok_or_else(no_endpoint)?;
    check_if_match(&headers, &one(&mut tx, endpoint.clone()).await?)?;
    let was = endpoint.settings;
    let settings = Settings {
        url: input.url.map_or(was.url, |url| url.trim().to_owned()),
        description: input.description.map_or(was.description, |text| text.trim().to_owned()),
        events: input.events.unwrap_or(was.events),
        enabled: input.enabled.unwrap_or(was.enabled),
    };
    let mut faults = Vec::new();
    check(&app, &settings, &mut faults);
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let endpoint = store::update(&mut tx, id, &settings, app.ctx.now()).await?.ok_or_else(no_endpoint)?;
    let details = json!({ "id": id, "events": settings.events, "enabled": settings.enabled });
    audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "webhook.endpoint_changed", &settings.url, &details).await?;
    let view = one(&mut tx, endpoint).await?;
    tx.commit().await?;
    Ok(Json(view))
}

async fn delete(State(app): State<App>, admin: Admin, Path(id): Path<EndpointId>) -> Result<StatusCode, Problem> {
    for_all(&admin)?;
    let mut tx = app.db.begin(admin.organization).await?;
    let endpoint = store::lock(&mut tx, id).await?.ok_or_else(no_endpoint)?;
    store::delete(&mut tx, id).await?;
    secret::store::forget(&mut tx, id.0).await?;
    audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "webhook.endpoint_removed", &endpoint.settings.url, &json!({ "id": id })).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn deliveries(State(app): State<App>, admin: Admin, Path(id): Path<EndpointId>, Query(query): Query<PageQuery>) -> Result<Json<Page<SentView>>, Problem> {
    for_all(&admin)?;
    let size = page_size(query.limit)?;
    let mut tx = app.db.begin(admin.organization).await?;
    store::find(&mut tx, id).await?.ok_or_else(no_endpoint)?;
    let messages = store::list_messages(&mut tx, id, query.cursor, size + 1).await?;
    let attempts = store::list_attempts(&mut tx, &messages.iter().map(|message| message.id).collect::<Vec<_>>()).await?;
    tx.rollback().await?;
    Ok(Json(Page::of(
        messages,
        size,
        |message| message.id.to_string(),
        |message: Message| SentView {
            id: message.id,
            webhook_id: message.webhook_id(),
            attempts: attempts.iter().filter(|attempt| attempt.message == message.id).cloned().collect(),
            event: message.event,
            body: message.body,
            state: message.state,
            created_at: message.created_at,
            finished_at: message.finished_at,
        },
    )))
}

async fn resend(State(app): State<App>, admin: Admin, Path((id, delivery)): Path<(EndpointId, Uuid)>) -> Result<StatusCode, Problem> {
    for_all(&admin)?;
    let mut tx = app.db.begin(admin.organization).await?;
    let message = store::find_message(&mut tx, delivery).await?.filter(|message| message.endpoint == id);
    let message = message.ok_or_else(|| Problem::not_found("There is no such delivery."))?;
    if !send::resend(&mut tx, app.ctx.as_ref(), admin.organization, message.id).await? {
        return Err(Problem::conflict("waiting", "This delivery is still being sent."));
    }
    audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "webhook.resent", &message.webhook_id(), &json!({ "endpoint": id })).await?;
    tx.commit().await?;
    app.bell.ring();
    Ok(StatusCode::ACCEPTED)
}

async fn rotate(State(app): State<App>, admin: Admin, Path(id): Path<EndpointId>, Json(input): Json<Rotate>) -> Result<Response, Problem> {
    for_all(&admin)?;
    let overlap = input.overlap().map_err(|fault| Problem::invalid(vec![fault]))?;
    let secret = super::secret(input.secret.as_deref(), true).map_err(|fault| Problem::invalid(vec![fault]))?;
    let mut tx = app.db.begin(admin.organization).await?;
    let endpoint = store::lock(&mut tx, id).await?.ok_or_else(no_endpoint)?;
    secret::store::replace(&mut tx, app.ctx.as_ref(), &app.safe, admin.organization, id.0, &secret, overlap).await?;
    let details = json!({ "id": id, "overlap_hours": overlap.num_hours() });
    audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "webhook.secret_rotated", &endpoint.settings.url, &details).await?;
    tx.commit().await?;
    Ok(once(StatusCode::OK, NewSecret { secret: secret.expose_secret().to_owned() }))
}
