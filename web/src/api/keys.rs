//! API keys: shown once, taken back at once. Everybody who is signed in has their own; admins look after all.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use patchbay_core::{
    audit,
    ids::{KeyId, MemberId},
    patch::{Fault, process::Role},
    tenancy::{
        Actor, Scope, Scopes,
        store::{self, Key, NewKey},
    },
};
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Api, Page, op, projects::find};
use crate::{
    app::App,
    extract::{Identity, Json, Path},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.get("/keys", list, op("keys", "List your keys; an admin's list is of all").answer::<Page<KeyView>>(200))
        .post("/keys", create, op("keys", "Make a key; its secret is in this answer and nowhere else").body::<CreateKey>().answer::<CreatedKey>(201))
        .delete("/keys/{id}", revoke, op("keys", "Take a key of yours back; an admin takes back any").plain(204, ""))
}

#[derive(Serialize, JsonSchema)]
struct KeyView {
    id: KeyId,
    name: String,
    /// Whose it is, by handle.
    member: String,
    /// Its first characters.
    hint: String,
    scopes: Vec<Scope>,
    /// The key of the only project that it sees; null for all.
    project: Option<String>,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
}

impl From<Key> for KeyView {
    fn from(key: Key) -> Self {
        Self {
            id: key.id,
            name: key.name,
            member: key.member,
            hint: key.hint,
            scopes: key.scopes.iter().collect(),
            project: key.project,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateKey {
    #[schemars(length(min = 1, max = 100))]
    name: String,
    #[schemars(length(min = 1))]
    scopes: Vec<Scope>,
    /// A project's id or key: the key sees only that one.
    #[schemars(length(max = 100))]
    project: Option<String>,
    /// The handle of the agent that it is for, which takes an admin; yours where nothing is said. People make their keys themselves.
    #[schemars(length(min = 1, max = 100))]
    member: Option<String>,
    expires_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, JsonSchema)]
struct CreatedKey {
    id: KeyId,
    /// Keep it: it is not shown again.
    key: String,
    name: String,
    scopes: Vec<Scope>,
}

/// Somebody who may have to do with keys.
struct Keeper(Arc<Actor>);

impl Keeper {
    /// A key that was lost must not be able to make others: without the scope `admin` it takes a session.
    fn new(identity: Identity) -> Result<Self, Problem> {
        if identity.session.is_none() && !identity.actor.may(Scope::Admin) {
            return Err(Problem::forbidden(
                "This key does not have the scope `admin`. Your own keys you make, see and revoke where you are signed in: Settings, Keys.",
            ));
        }
        Ok(Self(identity.actor))
    }

    /// Whose keys it is about: everybody's for an admin.
    fn of(&self) -> Option<MemberId> {
        (!self.0.may(Scope::Admin)).then_some(self.0.member)
    }
}

async fn list(State(app): State<App>, identity: Identity) -> Result<Json<Page<KeyView>>, Problem> {
    let keeper = Keeper::new(identity)?;
    let mut tx = app.db.begin(keeper.0.organization).await?;
    let keys = store::list_keys(&mut tx, keeper.of()).await?;
    tx.rollback().await?;
    Ok(Json(Page::whole(keys.into_iter().map(KeyView::from).collect())))
}

async fn create(State(app): State<App>, identity: Identity, Json(input): Json<CreateKey>) -> Result<Response, Problem> {
    let keeper = Keeper::new(identity)?;
    let maker = &keeper.0;
    let name = input.name.trim();
    let scopes: Scopes = input.scopes.iter().copied().collect();
    let mut faults = Vec::new();
    if name.is_empty() || input.name.chars().count() > 100 {
        faults.push(Fault::new("/name", "a name has 1–100 characters").found(format!("{} characters", name.chars().count())));
    }
    if scopes.iter().next().is_none() {
        faults.push(Fault::new("/scopes", "a key needs at least one scope").expected("read, propose, review, apply, admin"));
    }
    if scopes.and(maker.scopes) != scopes {
        let beyond = scopes.iter().filter(|scope| !maker.may(*scope)).map(Scope::as_str).collect::<Vec<_>>().join(", ");
        let own = maker.scopes.iter().map(Scope::as_str).collect::<Vec<_>>().join(", ");
        faults.push(Fault::new("/scopes", "a key cannot have more than its maker").found(beyond).expected(own));
    }
    if let Some(expires) = input.expires_at.filter(|expires| *expires <= app.ctx.now()) {
        faults.push(Fault::new("/expires_at", "this is over already").found(expires.to_rfc3339()));
    }
    if input.member.as_ref().is_some_and(|handle| *handle != maker.handle) && !maker.may(Scope::Admin) {
        faults.push(Fault::new("/member", "only an admin makes keys for agents").fix("leave it out: then the key is yours"));
    }
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    if maker.project.is_some() {
        return Err(Problem::forbidden("A key for one project makes no keys."));
    }
    let mut tx = app.db.begin(maker.organization).await?;
    let project = match &input.project {
        None => None,
        Some(name) => Some(find(&mut tx, maker, name).await.map_err(|problem| Problem::fault("/project", problem.detail))?.project.id),
    };
    let member = match &input.member {
        None => maker.member,
        Some(handle) if *handle == maker.handle => maker.member,
        Some(handle) => agent(&mut tx, handle).await?,
    };
    let new = NewKey { member, name, scopes, project, expires_at: input.expires_at };
    let (id, secret) = store::create_key(&mut tx, app.ctx.as_ref(), maker.organization, &new).await?;
    let details = json!({ "name": name, "scopes": input.scopes, "project": input.project, "member": input.member });
    audit::store::append(&mut tx, app.ctx.as_ref(), maker, "key.created", &secret.hint(), &details).await?;
    tx.commit().await?;
    let created = CreatedKey { id, key: secret.text.expose_secret().to_owned(), name: name.to_owned(), scopes: scopes.iter().collect() };
    let mut response = (StatusCode::CREATED, Json(created)).into_response();
    // Not for any cache, nor for the memory of idempotency keys.
    response.headers_mut().insert(axum::http::header::CACHE_CONTROL, axum::http::HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The agent with a handle.
async fn agent(conn: &mut sqlx::PgConnection, handle: &str) -> Result<MemberId, Problem> {
    let member = store::list_members(conn).await?.into_iter().find(|member| member.handle == handle);
    let member = member.ok_or_else(|| Problem::fault("/member", format!("there is no member {handle}")))?;
    if member.role != Role::Agent {
        return Err(Problem::fault("/member", format!("{handle} is no agent: people make their keys themselves")));
    }
    Ok(member.id)
}

async fn revoke(State(app): State<App>, identity: Identity, Path(id): Path<KeyId>) -> Result<StatusCode, Problem> {
    let keeper = Keeper::new(identity)?;
    let mut tx = app.db.begin(keeper.0.organization).await?;
    if store::revoke_key(&mut tx, id, keeper.of(), app.ctx.now()).await?.is_none() {
        return Err(Problem::not_found("There is no such key."));
    }
    audit::store::append(&mut tx, app.ctx.as_ref(), &keeper.0, "key.revoked", &id.to_string(), &json!({})).await?;
    tx.commit().await?;
    app.doors.forget();
    Ok(StatusCode::NO_CONTENT)
}
