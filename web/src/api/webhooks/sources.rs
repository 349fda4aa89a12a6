//! Sources: services that tell Patchbay things, and what they delivered.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode},
    response::Response,
};
use chrono::{DateTime, Utc};
use patchbay_channels::webhook::{
    make::{self, Made},
    recipe,
};
use patchbay_core::{
    audit,
    ids::{CommandId, SourceId},
    integrations::{
        Makes,
        inbound::{
            Delivery, Headers, Kind, Outcome, Recipe, Scheme, Settings, Source,
            store::{self},
        },
        secret::{self, SecretHint},
    },
    patch::{Fault, Field},
};
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{NewSecret, PageQuery, Rotate, about, acting, check_filter, check_name, check_template, for_all, once};
use crate::{
    api::{Api, Page},
    app::App,
    extract::{Admin, Json, Path, Query, check_if_match, page_size},
    openapi::op,
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.get(
        "/webhooks/recipes",
        recipes,
        op("webhooks", "What is made of deliveries where a source has no template of its own").answer::<Page<RecipeView>>(200),
    )
    .get("/webhooks/sources", list, op("webhooks", "List the sources").answer::<Page<SourceView>>(200))
    .post(
        "/webhooks/sources",
        create,
        op("webhooks", "Add a source; its secret is in this answer and nowhere else").body::<NewSource>().answer::<CreatedSource>(201).problem(409),
    )
    .get("/webhooks/sources/{id}", get, op("webhooks", "Read a source").answer::<SourceView>(200))
    .patch("/webhooks/sources/{id}", update, op("webhooks", "Change a source").body::<SourceUpdate>().answer::<SourceView>(200).problem(409))
    .delete("/webhooks/sources/{id}", delete, op("webhooks", "Take a source away, with what it delivered").plain(204, ""))
    .get(
        "/webhooks/sources/{id}/deliveries",
        deliveries,
        op("webhooks", "What a source delivered, newest first").query::<PageQuery>().answer::<Page<DeliveryView>>(200).problem(400).problem(422),
    )
    .post(
        "/webhooks/sources/{id}/try",
        attempt,
        op("webhooks", "See what a filter and a template would make of a delivery; nothing is done").body::<Try>().answer::<Tried>(200),
    )
    .post(
        "/webhooks/sources/{id}/rotate",
        rotate,
        op("webhooks", "Give a source a new secret; the one before counts for a while").body::<Rotate>().answer::<NewSecret>(200),
    )
}

#[derive(Serialize, JsonSchema)]
struct RecipeView {
    recipe: Recipe,
    template: &'static str,
}

#[derive(Serialize, JsonSchema)]
struct SourceView {
    id: SourceId,
    name: String,
    kind: Kind,
    /// Where it delivers to. Whoever knows it still needs the secret.
    url: String,
    scheme: Scheme,
    recipe: Recipe,
    filter: Option<String>,
    /// Null: the recipe's.
    template: Option<String>,
    makes: Makes,
    /// A project's key.
    project: Option<String>,
    /// As whom its commands run, by handle.
    member: String,
    enabled: bool,
    /// The secrets that count, the newest first.
    secrets: Vec<SecretHint>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Serialize, JsonSchema)]
struct CreatedSource {
    #[serde(flatten)]
    source: SourceView,
    /// Keep it: it is not shown again.
    secret: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewSource {
    #[schemars(length(min = 1, max = 100))]
    name: String,
    kind: Kind,
    /// What the service signs with. Absent: Patchbay makes one.
    #[schemars(length(min = 16, max = 200))]
    secret: Option<String>,
    scheme: Option<Scheme>,
    /// Absent: the one for the kind.
    recipe: Option<Recipe>,
    /// Which deliveries are meant: `@.event == 'issues.opened'`.
    #[schemars(length(max = 2000))]
    filter: Option<String>,
    /// What they are made into. An empty one makes nothing: then only triggers see them.
    #[schemars(length(max = 10_000))]
    template: Option<String>,
    makes: Option<Makes>,
    /// A project's id or key.
    #[schemars(length(max = 100))]
    project: Option<String>,
    /// As whom its commands run: yourself, or a member whose role is `agent`. Absent: the organisation's automation.
    #[schemars(length(max = 100))]
    member: Option<String>,
    enabled: Option<bool>,
}

/// What is absent stays; null clears.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SourceUpdate {
    #[schemars(length(min = 1, max = 100))]
    name: Option<String>,
    scheme: Option<Scheme>,
    recipe: Option<Recipe>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(with = "Option<String>", length(max = 2000))]
    filter: Field<String>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(with = "Option<String>", length(max = 10_000))]
    template: Field<String>,
    makes: Option<Makes>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(with = "Option<String>", length(max = 100))]
    project: Field<String>,
    #[schemars(length(max = 100))]
    member: Option<String>,
    enabled: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
struct DeliveryView {
    id: Uuid,
    /// By which it is known when it comes again.
    key: String,
    event: String,
    headers: Headers,
    body: String,
    outcome: Outcome,
    /// Why it was ignored or failed.
    why: Option<String>,
    /// What the template made of it.
    text: Option<String>,
    command: Option<CommandId>,
    received_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id,
            key: delivery.key,
            event: delivery.event,
            headers: delivery.headers,
            body: String::from_utf8_lossy(&delivery.body).into_owned(),
            outcome: delivery.outcome,
            why: delivery.why,
            text: delivery.text,
            command: delivery.command,
            received_at: delivery.received_at,
            finished_at: delivery.finished_at,
        }
    }
}

/// What is absent is as the source has it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Try {
    /// A stored delivery; absent: the newest, or what `payload` and `headers` say.
    delivery: Option<Uuid>,
    payload: Option<Value>,
    headers: Option<Headers>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(with = "Option<String>", length(max = 2000))]
    filter: Field<String>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(with = "Option<String>", length(max = 10_000))]
    template: Field<String>,
    makes: Option<Makes>,
}

#[derive(Serialize, JsonSchema)]
struct Tried {
    event: String,
    /// The text that would be submitted; null where nothing would.
    text: Option<String>,
    makes: Option<Makes>,
    /// Why nothing would be submitted.
    why: Option<String>,
}

async fn recipes(_: Admin) -> Json<Page<RecipeView>> {
    Json(Page::whole(Recipe::ALL.into_iter().map(|recipe| RecipeView { recipe, template: recipe::template(recipe) }).collect()))
}

async fn views(app: &App, conn: &mut PgConnection, sources: Vec<Source>) -> Result<Vec<SourceView>, Problem> {
    let ids: Vec<Uuid> = sources.iter().map(|source| source.id.0).collect();
    let secrets = secret::store::list(conn, &ids).await?;
    Ok(sources.into_iter().map(|source| view(app, source, &secrets)).collect())
}

fn view(app: &App, source: Source, secrets: &[SecretHint]) -> SourceView {
    let Settings { name, kind, scheme, recipe, filter, template, makes, enabled, .. } = source.settings;
    SourceView {
        id: source.id,
        name,
        kind,
        url: format!("{}/api/v1/hooks/{}", app.public_url, source.address),
        scheme,
        recipe,
        filter,
        template,
        makes,
        project: source.project_key,
        member: source.member,
        enabled,
        secrets: secrets.iter().filter(|secret| secret.owner == source.id.0).cloned().collect(),
        created_at: source.created_at,
        updated_at: source.updated_at,
    }
}

async fn one(app: &App, conn: &mut PgConnection, source: Source) -> Result<SourceView, Problem> {
    let secrets = secret::store::list(conn, &[source.id.0]).await?;
    Ok(view(app, source, &secrets))
}

fn no_source() -> Problem {
    Problem::not_found("There is no such source.")
}

fn name_taken(name: &str) -> Problem {
    Problem::conflict("name-taken", format!("There is a source called {name} already."))
}

/// Names of headers in small letters; what a header cannot be called is a fault.
fn clean(scheme: Scheme, faults: &mut Vec<Fault>) -> Scheme {
    let mut name = |path: &str, name: Option<String>| {
        let name = name.map(|name| name.to_ascii_lowercase());
        if let Some(name) = &name
            && (name.len() > 100 || name.parse::<HeaderName>().is_err())
        {
            faults.push(Fault::new(path, "this is no name of a header").found(name.clone()));
        }
        name
    };
    let (header, key_header) = (name("/scheme/header", scheme.header), name("/scheme/key_header", scheme.key_header));
    Scheme { header, key_header, ..scheme }
}

fn changed(field: Field<String>, was: Option<String>) -> Option<String> {
    match field {
        Field::Absent => was,
        Field::Clear => None,
        Field::Set(value) => Some(value),
    }
}

fn check(settings: &Settings, faults: &mut Vec<Fault>) {
    check_name(&settings.name, faults);
    check_filter("/filter", settings.filter.as_deref(), faults);
    check_template(settings.template.as_deref(), faults);
    if settings.scheme.prefix.as_ref().is_some_and(|prefix| prefix.chars().count() > 100) {
        faults.push(Fault::new("/scheme/prefix", "a prefix has at most 100 characters"));
    }
}

async fn list(State(app): State<App>, admin: Admin) -> Result<Json<Page<SourceView>>, Problem> {
    for_all(&admin)?;
    let mut tx = app.db.begin(admin.organization).await?;
    let sources = store::list(&mut tx).await?;
    let views = views(&app, &mut tx, sources).await?;
    tx.rollback().await?;
    Ok(Json(Page::whole(views)))
}

async fn get(State(app): State<App>, admin: Admin, Path(id): Path<SourceId>) -> Result<Json<SourceView>, Problem> {
    for_all(&admin)?;
    let mut tx = app.db.begin(admin.organization).await?;
    let source = store::find(&mut tx, id).await?.ok_or_else(no_source)?;
    let view = one(&app, &mut tx, source).await?;
    tx.rollback().await?;
    Ok(Json(view))
}

async fn create(State(app): State<App>, admin: Admin, Json(input): Json<NewSource>) -> Result<Response, Problem> {
    for_all(&admin)?;
    let mut faults = Vec::new();
    let secret = super::secret(input.secret.as_deref(), input.kind == Kind::Standard).map_err(|fault| faults.push(fault));
    let mut tx = app.db.begin(admin.organization).await?;
    let settings = Settings {
        name: input.name.trim().to_owned(),
        kind: input.kind,
        scheme: clean(input.scheme.unwrap_or_default(), &mut faults),
        recipe: input.recipe.unwrap_or(Recipe::of(input.kind)),
        filter: input.filter,
        template: input.template,
        makes: input.makes.unwrap_or_default(),
        project: about(&mut tx, input.project.as_deref()).await?,
        member: acting(&app, &mut tx, &admin, input.member.as_deref()).await?,
        enabled: input.enabled.unwrap_or(true),
    };
    check(&settings, &mut faults);
    let Ok(secret) = secret else { return Err(Problem::invalid(faults)) };
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let source = store::insert(&mut tx, app.ctx.as_ref(), admin.organization, &settings).await?.ok_or_else(|| name_taken(&settings.name))?;
    secret::store::replace(&mut tx, app.ctx.as_ref(), &app.safe, admin.organization, source.id.0, &secret, chrono::TimeDelta::zero()).await?;
    let details = json!({ "id": source.id, "kind": settings.kind, "makes": settings.makes, "member": source.member });
    audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "webhook.source_added", &settings.name, &details).await?;
    let source = one(&app, &mut tx, source).await?;
    tx.commit().await?;
    Ok(once(StatusCode::CREATED, CreatedSource { source, secret: secret.expose_secret().to_owned() }))
}

async fn update(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<SourceId>,
    headers: HeaderMap,
    Json(input): Json<SourceUpdate>,
) -> Result<Json<SourceView>, Problem> {
    for_all(&admin)?;
    let mut tx = app.db.begin(admin.organization).await?;
    let source = store::lock(&mut tx, id).await?.ok_or_else(no_source)?;
    check_if_match(&headers, &one(&app, &mut tx, source.clone()).await?)?;
    let mut faults = Vec::new();
    let mut settings = source.settings;
    if let Some(name) = input.name {
        name.trim().clone_into(&mut settings.name);
    }
    if let Some(scheme) = input.scheme {
        settings.scheme = clean(scheme, &mut faults);
    }
    settings.recipe = input.recipe.unwrap_or(settings.recipe);
    settings.makes = input.makes.unwrap_or(settings.makes);
    settings.enabled = input.enabled.unwrap_or(settings.enabled);
    settings.filter = changed(input.filter, settings.filter);
    settings.template = changed(input.template, settings.template);
    if let Some(project) = input.project.given() {
        settings.project = about(&mut tx, project.map(String::as_str)).await?;
    }
    if let Some(member) = &input.member {
        settings.member = acting(&app, &mut tx, &admin, Some(member)).await?;
    }
    check(&settings, &mut faults);
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    if !store::update(&mut tx, id, &settings, app.ctx.now()).await? {
        return Err(name_taken(&settings.name));
    }
    let details = json!({ "id": id, "enabled": settings.enabled, "makes": settings.makes });
    audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "webhook.source_changed", &settings.name, &details).await?;
    let source = store::find(&mut tx, id).await?.ok_or_else(no_source)?;
    let view = one(&app, &mut tx, source).await?;
    tx.commit().await?;
    app.intake.forget();
    Ok(Json(view))
}

async fn delete(State(app): State<App>, admin: Admin, Path(id): Path<SourceId>) -> Result<StatusCode, Problem> {
    for_all(&admin)?;
    let mut tx = app.db.begin(admin.organization).await?;
    let source = store::lock(&mut tx, id).await?.ok_or_else(no_source)?;
    store::delete(&mut tx, id).await?;
    secret::store::forget(&mut tx, id.0).await?;
    audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "webhook.source_removed", &source.settings.name, &json!({ "id": id })).await?;
    tx.commit().await?;
    app.intake.forget();
    Ok(StatusCode::NO_CONTENT)
}

async fn deliveries(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<SourceId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<DeliveryView>>, Problem> {
    for_all(&admin)?;
    let size = page_size(query.limit)?;
    let mut tx = app.db.begin(admin.organization).await?;
    store::find(&mut tx, id).await?.ok_or_else(no_source)?;
    let deliveries = store::list_deliveries(&mut tx, id, query.cursor, size + 1).await?;
    tx.rollback().await?;
    Ok(Json(Page::of(deliveries, size, |delivery| delivery.id.to_string(), DeliveryView::from)))
}

async fn attempt(State(app): State<App>, admin: Admin, Path(id): Path<SourceId>, Json(input): Json<Try>) -> Result<Json<Tried>, Problem> {
    for_all(&admin)?;
    let mut tx = app.db.begin(admin.organization).await?;
    let mut source = store::find(&mut tx, id).await?.ok_or_else(no_source)?;
    let (headers, body) = match (input.payload, input.delivery) {
        (Some(payload), None) => {
            (input.headers.unwrap_or_default().into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect(), payload.to_string().into_bytes())
        }
        (Some(_), Some(_)) => return Err(Problem::fault("/delivery", "a stored delivery has its own payload: give one of the two")),
        (None, wanted) => {
            let delivery = match wanted {
                Some(wanted) => store::find_delivery(&mut tx, wanted).await?.filter(|delivery| delivery.source == id),
                None => store::list_deliveries(&mut tx, id, None, 1).await?.pop(),
            };
            let delivery = delivery.ok_or_else(|| Problem::fault("/delivery", "there is no such delivery: give a payload"))?;
            (delivery.headers, delivery.body)
        }
    };
    tx.rollback().await?;
    source.settings.filter = changed(input.filter, source.settings.filter);
    source.settings.template = changed(input.template, source.settings.template);
    source.settings.makes = input.makes.unwrap_or(source.settings.makes);
    let (event, made) = make::of_delivery(&source, &headers, &body);
    Ok(Json(match made {
        Ok(Made::Text { text, makes }) => Tried { event, text: Some(text), makes: Some(makes), why: None },
        Ok(Made::Nothing(why)) => Tried { event, text: None, makes: None, why: Some(why.to_owned()) },
        Err(why) => Tried { event, text: None, makes: None, why: Some(why) },
    }))
}

async fn rotate(State(app): State<App>, admin: Admin, Path(id): Path<SourceId>, Json(input): Json<Rotate>) -> Result<Response, Problem> {
    for_all(&admin)?;
    let overlap = input.overlap().map_err(|fault| Problem::invalid(vec![fault]))?;
    let mut tx = app.db.begin(admin.organization).await?;
    let source = store::lock(&mut tx, id).await?.ok_or_else(no_source)?;
    let secret = super::secret(input.secret.as_deref(), source.settings.kind == Kind::Standard).map_err(|fault| Problem::invalid(vec![fault]))?;
    secret::store::replace(&mut tx, app.ctx.as_ref(), &app.safe, admin.organization, id.0, &secret, overlap).await?;
    let details = json!({ "id": id, "overlap_hours": overlap.num_hours() });
    audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "webhook.secret_rotated", &source.settings.name, &details).await?;
    tx.commit().await?;
    app.intake.forget();
    Ok(once(StatusCode::OK, NewSecret { secret: secret.expose_secret().to_owned() }))
}
