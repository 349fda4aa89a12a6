//! Signing in and out: a one-time link, then a password; a cookie with a CSRF token.

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use patchbay_core::{
    audit,
    ids::{MemberId, OrganizationId},
    patch::Fault,
    tenancy::{PasswordError, Secret, check_password, hash_password, hash_secret, store, verify_password},
};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Api, op, public};
use crate::{
    app::App,
    auth::COOKIE,
    extract::{Identity, Json, Query},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.get("/session", read, op("session", "Who is signed in").answer::<SessionView>(200))
        .post("/session", sign_in, public("session", "Sign in with a password").body::<SignIn>().answer::<SessionView>(200).problem(401).problem(429))
        .delete("/session", sign_out, op("session", "Sign out").plain(204, ""))
        .delete("/session/all", sign_out_everywhere, op("session", "Sign out everywhere").plain(204, ""))
        .get(
            "/session/welcome",
            look_at_link,
            public("session", "What a sign-in link is for; changes nothing").query::<LinkQuery>().answer::<LinkView>(200).problem(400).problem(410),
        )
        .post(
            "/session/welcome",
            use_link,
            public("session", "Sign in by a link, once").body::<UseLink>().answer::<SessionView>(200).problem(409).problem(410).problem(429),
        )
        .put("/session/password", change_password, op("session", "Change the password").body::<ChangePassword>().plain(204, "").problem(429))
}

#[derive(Serialize, JsonSchema)]
struct SessionView {
    member: Me,
    organization: Organization,
    /// For the header `X-CSRF-Token`; empty for a key, which needs none.
    csrf_token: String,
    planner: Planner,
    /// Of Patchbay.
    version: &'static str,
}

#[derive(Serialize, JsonSchema)]
struct Me {
    id: MemberId,
    handle: String,
    name: String,
    email: Option<String>,
    role: patchbay_core::patch::process::Role,
    time_zone: String,
}

#[derive(Serialize, JsonSchema)]
struct Organization {
    id: OrganizationId,
    name: String,
}

#[derive(Serialize, JsonSchema)]
struct Planner {
    /// `builtin` or `model`.
    kind: &'static str,
    name: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    #[schemars(length(max = 320))]
    email: String,
    #[schemars(with = "String", length(max = 200))]
    password: SecretString,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LinkQuery {
    /// The token of the link.
    #[schemars(length(max = 100))]
    t: String,
}

#[derive(Serialize, JsonSchema)]
struct LinkView {
    organization: String,
    member: Invited,
    /// Whether a name, an address and a password are to be chosen first.
    needs_password: bool,
}

#[derive(Serialize, JsonSchema)]
struct Invited {
    name: String,
    email: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UseLink {
    #[schemars(with = "String", length(max = 200))]
    token: SecretString,
    #[schemars(length(max = 100))]
    name: Option<String>,
    #[schemars(length(max = 320))]
    email: Option<String>,
    #[schemars(with = "Option<String>", length(max = 200))]
    password: Option<SecretString>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChangePassword {
    #[schemars(with = "String", length(max = 200))]
    current: SecretString,
    #[schemars(with = "String", length(max = 200))]
    new: SecretString,
}

async fn read(State(app): State<App>, identity: Identity) -> Result<Json<SessionView>, Problem> {
    let csrf = identity.session.as_ref().map(|(_, csrf)| csrf.clone()).unwrap_or_default();
    view(&app, identity.actor.organization, identity.actor.member, csrf).await.map(Json)
}

async fn view(app: &App, organization: OrganizationId, member: MemberId, csrf_token: String) -> Result<SessionView, Problem> {
    let mut tx = app.db.begin(organization).await?;
    let member = store::find_member(&mut tx, member).await?.ok_or_else(|| Problem::unauthenticated("You are no longer a member."))?;
    let name = store::organization_name(&mut tx, organization).await?;
    tx.rollback().await?;
    Ok(SessionView {
        member: Me { id: member.id, handle: member.handle, name: member.name, email: member.email, role: member.role, time_zone: member.time_zone },
        organization: Organization { id: organization, name },
        csrf_token,
        planner: Planner { kind: app.planner.kind, name: app.planner.name.clone() },
        version: env!("CARGO_PKG_VERSION"),
    })
}

async fn sign_in(State(app): State<App>, Json(input): Json<SignIn>) -> Result<Response, Problem> {
    let wrong = || Problem::unauthenticated("This address and password do not belong together.");
    let email = input.email.trim().to_lowercase();
    app.doors.attempt(&email)?;
    // It stands inside a setting, so what could end the literal is no address.
    if !is_address(&email) {
        return Err(wrong());
    }
    let mut tx = app.db.begin_presented(&email).await?;
    let account = store::find_account(&mut tx, &email).await?;
    tx.rollback().await?;
    let (account, hash) = account.map_or((None, None), |(account, hash)| (Some(account), hash));
    let is_right = tokio::task::spawn_blocking(move || verify_password(&input.password, hash.as_deref())).await.map_err(|error| Problem::ours(&error))?;
    let account = account.filter(|_| is_right).ok_or_else(wrong)?;
    let mut tx = app.db.begin_presented(&account.to_string()).await?;
    let memberships = store::list_memberships(&mut tx, account).await?;
    tx.rollback().await?;
    let (organization, member) = *memberships.first().ok_or_else(wrong)?;
    begin(&app, organization, member, "session.signed_in").await
}

async fn look_at_link(State(app): State<App>, Query(query): Query<LinkQuery>) -> Result<Json<LinkView>, Problem> {
    let mut tx = app.db.begin_presented(&hash_secret(&query.t)).await?;
    let (organization, member) = store::find_link(&mut tx, &query.t).await?.ok_or_else(gone)?;
    let name = store::organization_name(&mut tx, organization).await?;
    let needs_password = !store::has_password(&mut tx, member.id).await?;
    tx.rollback().await?;
    Ok(Json(LinkView { organization: name, member: Invited { name: member.name, email: member.email }, needs_password }))
}

fn gone() -> Problem {
    let detail =
        "This link was used before, or its 15 minutes are over. `patchbay serve` prints a new one when it starts; `patchbay sign-in` prints one at any time.";
    Problem::new(StatusCode::GONE, "link-gone", "The link no longer works", detail)
}

async fn use_link(State(app): State<App>, Json(input): Json<UseLink>) -> Result<Response, Problem> {
    let token = input.token.expose_secret();
    if let Some(password) = &input.password {
        check_password(password).map_err(|error| Problem::fault("/password", error.to_string()))?;
    }
    app.doors.attempt(&hash_secret(token))?;
    let mut tx = app.db.begin_presented(&hash_secret(token)).await?;
    let (organization, member) = store::find_link(&mut tx, token).await?.ok_or_else(gone)?;
    if !store::has_password(&mut tx, member.id).await? {
        let (name, email, password) = chosen(&input)?;
        let hash = hashed(password).await?;
        match store::complete_member(&mut tx, app.ctx.as_ref(), &member, &name, &email, &hash).await {
            Ok(()) => {}
            Err(store::AccountError::AddressTaken) => return Err(Problem::conflict("address-taken", format!("{email} belongs to another account."))),
            Err(store::AccountError::Database(error)) => return Err(error.into()),
        }
    }
    if !store::use_link(&mut tx, token, app.ctx.now()).await? {
        return Err(gone());
    }
    tx.commit().await?;
    begin(&app, organization, member.id, "session.signed_in_by_link").await
}

/// Name, address and password, all three, with every fault listed.
fn chosen(input: &UseLink) -> Result<(String, String, SecretString), Problem> {
    let mut faults = Vec::new();
    let given = input.name.as_deref().unwrap_or_default();
    let name = given.trim();
    if name.is_empty() || given.chars().count() > 100 {
        faults.push(Fault::new("/name", "a name has 1–100 characters"));
    }
    let email = input.email.as_deref().map(str::trim).unwrap_or_default();
    if !is_address(email) {
        faults.push(Fault::new("/email", "this is no e-mail address").expected("name@example.com"));
    }
    match &input.password {
        Some(password) if faults.is_empty() => Ok((name.to_owned(), email.to_owned(), password.clone())),
        Some(_) => Err(Problem::invalid(faults)),
        None => {
            faults.push(Fault::new("/password", "choose a password"));
            Err(Problem::invalid(faults))
        }
    }
}

/// Whether a text can be an address; that it works is only known when a mail arrives.
pub(super) fn is_address(text: &str) -> bool {
    let plain = text.len() <= 320 && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "'\"\\<>,;".contains(c));
    plain && text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
}

async fn hashed(password: SecretString) -> Result<String, Problem> {
    let hashed = tokio::task::spawn_blocking(move || hash_password(&password)).await.map_err(|error| Problem::ours(&error))?;
    hashed.map_err(|error: PasswordError| Problem::fault("/password", error.to_string()))
}

/// Makes the session and its cookie.
async fn begin(app: &App, organization: OrganizationId, member: MemberId, action: &str) -> Result<Response, Problem> {
    let mut tx = app.db.begin(organization).await?;
    let (secret, session) = store::create_session(&mut tx, app.ctx.as_ref(), organization, member).await?;
    let session = session.ok_or_else(|| Problem::unauthenticated("You are no longer a member."))?;
    audit::store::append(&mut tx, app.ctx.as_ref(), &session.actor, action, &session.actor.handle, &json!({})).await?;
    tx.commit().await?;
    let mut response = Json(view(app, organization, member, session.csrf_token).await?).into_response();
    set_cookie(app, &mut response, Some(&secret))?;
    Ok(response)
}

fn set_cookie(app: &App, response: &mut Response, secret: Option<&Secret>) -> Result<(), Problem> {
    let value = secret.map(|secret| secret.text.expose_secret().to_owned()).unwrap_or_default();
    let age = if secret.is_some() { store::SESSION_DAYS * 86_400 } else { 0 };
    let secure = if app.is_secure() { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}");
    let value = HeaderValue::from_str(&cookie).map_err(|error| Problem::ours(&error))?;
    response.headers_mut().append(header::SET_COOKIE, value);
    Ok(())
}

async fn sign_out(State(app): State<App>, identity: Identity) -> Result<Response, Problem> {
    if let Some((session, _)) = &identity.session {
        let mut tx = app.db.begin(identity.actor.organization).await?;
        store::delete_session(&mut tx, *session).await?;
        tx.commit().await?;
    }
    signed_out(&app)
}

async fn sign_out_everywhere(State(app): State<App>, identity: Identity) -> Result<Response, Problem> {
    let mut tx = app.db.begin(identity.actor.organization).await?;
    store::delete_sessions(&mut tx, identity.actor.member).await?;
    audit::store::append(&mut tx, app.ctx.as_ref(), &identity.actor, "session.signed_out_everywhere", &identity.actor.handle, &json!({})).await?;
    tx.commit().await?;
    signed_out(&app)
}

fn signed_out(app: &App) -> Result<Response, Problem> {
    app.doors.forget();
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(app, &mut response, None)?;
    Ok(response)
}

async fn change_password(State(app): State<App>, identity: Identity, Json(input): Json<ChangePassword>) -> Result<StatusCode, Problem> {
    let actor = &identity.actor;
    if actor.key.is_some() {
        return Err(Problem::forbidden("A key cannot change a password; sign in for that."));
    }
    app.doors.attempt(&actor.member.to_string())?;
    let mut tx = app.db.begin(actor.organization).await?;
    let hash = store::password_hash(&mut tx, actor.member).await?;
    tx.rollback().await?;
    let current = input.current;
    let is_right = tokio::task::spawn_blocking(move || verify_password(&current, hash.as_deref())).await.map_err(|error| Problem::ours(&error))?;
    if !is_right {
        return Err(Problem::fault("/current", "this is not your present password"));
    }
    let hash = hashed(input.new).await.map_err(|problem| problem.relocated(|_| "/new".to_owned()))?;
    let mut tx = app.db.begin(actor.organization).await?;
    store::set_password(&mut tx, actor.member, &hash).await?;
    audit::store::append(&mut tx, app.ctx.as_ref(), actor, "member.password_changed", &actor.handle, &json!({})).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
