//! `/channels/slack/…`: slash commands, events, buttons and windows; and the installation in a workspace.

use axum::{
    body::Bytes,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
};
use chrono::TimeDelta;
use patchbay_channels::slack::{
    decode::{self, Malformed, Meaning},
    receive::Listener,
    workspaces::Workspaces,
};
use patchbay_core::{
    audit,
    channel::{Channel, store},
    review::view::hex,
    tenancy::Actor,
};
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;

use super::{Api, header, not_connected, op, public, unreadable};
use crate::{
    app::App,
    extract::{Admin, Json, Query},
    problem::Problem,
};

const FORM: &str = "application/x-www-form-urlencoded";

pub(super) fn routes(api: Api) -> Api {
    let signed = |summary, content| {
        public("channels", summary)
            .raw_body(content)
            .header("X-Slack-Signature", "What Slack signed the body with.")
            .header("X-Slack-Request-Timestamp", "When, in seconds; at most five minutes ago.")
            .plain(200, "application/json")
            .problem(400)
            .problem(401)
            .problem(404)
            .problem(413)
    };
    api.post("/channels/slack/commands", commands, signed("Slack: a slash command", FORM))
        .post("/channels/slack/events", events, signed("Slack: an event", "application/json"))
        .post("/channels/slack/interactions", interactions, signed("Slack: a button, a window, a shortcut", FORM))
        .get("/channels/slack/install", install, op("channels", "Slack: install the app in a workspace").plain(303, "").problem(404))
        .get(
            "/channels/slack/installed",
            installed,
            op("channels", "Slack: where whoever agreed comes back to").query::<Agreed>().plain(303, "").problem(400).problem(404).problem(409),
        )
}

async fn commands(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    take(&app, &headers, &body, decode::command).await
}

async fn events(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    take(&app, &headers, &body, decode::event).await
}

async fn interactions(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    take(&app, &headers, &body, decode::interaction).await
}

/// Stores what was said and acknowledges it; the answer follows.
async fn take(app: &App, headers: &HeaderMap, body: &[u8], read: fn(&[u8]) -> Result<Meaning, Malformed>) -> Result<Response, Problem> {
    let listener = app.platforms.slack.as_ref().ok_or_else(|| not_connected(Channel::Slack, "slack.signing_secret or slack.app_token, and slack.bot_token"))?;
    let (timestamp, signature) = (header(headers, "x-slack-request-timestamp"), header(headers, "x-slack-signature"));
    listener.verify(timestamp, signature, body, app.ctx.now()).map_err(|error| Problem::unauthenticated(format!("Not from Slack: {error}.")))?;
    let meaning = match read(body) {
        Ok(meaning) => meaning,
        Err(error) => return Err(unreadable(app, Channel::Slack, &error, body).await),
    };
    let answer = listener.take(&app.hub, meaning).await?;
    Ok(answer.body().map_or_else(|| ().into_response(), |body| Json(body).into_response()))
}

/// How long somebody may take to agree to an installation.
const AGREEING: TimeDelta = TimeDelta::minutes(15);

/// What the state of an installation is sealed for: one admin's. So it is short enough for a query.
fn purpose(actor: &Actor) -> String {
    format!("slack.install/{}", actor.member)
}

/// What Slack hands back with whoever agreed.
#[derive(Deserialize, JsonSchema)]
struct Agreed {
    /// Good for one exchange.
    #[serde(default)]
    code: String,
    /// What [`install`] gave along.
    #[serde(default)]
    state: String,
    /// Why there is no code.
    error: Option<String>,
}

fn workspaces(app: &App) -> Result<&Workspaces, Problem> {
    let listener = app.platforms.slack.as_ref();
    listener.map(Listener::workspaces).ok_or_else(|| not_connected(Channel::Slack, "slack.signing_secret, slack.client_id and slack.client_secret"))
}

fn back(app: &App) -> String {
    format!("{}/api/v1/channels/slack/installed", app.public_url)
}

/// Sends an admin to Slack, to choose a workspace and to agree.
async fn install(State(app): State<App>, Admin(actor): Admin) -> Result<Redirect, Problem> {
    let until = (app.ctx.now() + AGREEING).timestamp();
    let state = hex(&app.safe.seal(actor.organization, &purpose(&actor), &until.to_string()));
    let url = workspaces(&app)?.authorize_url(&state, &back(&app)).ok_or_else(|| not_connected(Channel::Slack, "slack.client_id and slack.client_secret"))?;
    Ok(Redirect::to(&url))
}

/// Takes them back: the state says that it is they who left, and the code becomes the workspace's token.
async fn installed(State(app): State<App>, Admin(actor): Admin, Query(agreed): Query<Agreed>) -> Result<Redirect, Problem> {
    let workspaces = workspaces(&app)?;
    if let Some(error) = agreed.error {
        return Err(Problem::malformed(format!("Slack did not install the app: {error}.")));
    }
    let state = unhex(&agreed.state).and_then(|sealed| app.safe.open(actor.organization, &purpose(&actor), &sealed).ok());
    let is_theirs = state.is_some_and(|until| until.expose_secret().parse().is_ok_and(|until: i64| until >= app.ctx.now().timestamp()));
    if !is_theirs {
        return Err(Problem::malformed("This installation was not begun here in the last 15 minutes. Begin it at /api/v1/channels/slack/install."));
    }
    let installed = workspaces.redeem(&agreed.code, &back(&app)).await.map_err(|error| Problem::malformed(format!("{error}. Begin again.")))?;
    let mut tx = app.db.begin(actor.organization).await?;
    let sealed = workspaces.seal(actor.organization, &installed);
    if !store::install(&mut tx, actor.organization, Channel::Slack, &installed.team, &installed.name, &sealed, app.ctx.now()).await? {
        return Err(Problem::conflict("taken", "That workspace speaks for another organisation."));
    }
    audit::store::append(&mut tx, app.ctx.as_ref(), &actor, "channel.installed", "slack", &json!({ "team": installed.team, "name": installed.name })).await?;
    tx.commit().await?;
    Ok(Redirect::to(&format!("{}/settings", app.public_url)))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()).flatten()
}
