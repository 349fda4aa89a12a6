//! `POST /channels/slack/…`: slash commands, events, buttons and windows.

use axum::{
    body::Bytes,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use patchbay_channels::slack::decode::{self, Malformed, Meaning};
use patchbay_core::channel::Channel;

use super::{Api, header, not_connected, public};
use crate::{app::App, extract::Json, problem::Problem};

const FORM: &str = "application/x-www-form-urlencoded";

pub(super) fn routes(api: Api) -> Api {
    let op = |summary, content| {
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
    api.post("/channels/slack/commands", commands, op("Slack: a slash command", FORM))
        .post("/channels/slack/events", events, op("Slack: an event", "application/json"))
        .post("/channels/slack/interactions", interactions, op("Slack: a button, a window, a shortcut", FORM))
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
    let listener = app.platforms.slack.as_ref().ok_or_else(|| not_connected(Channel::Slack, "slack.signing_secret and slack.bot_token"))?;
    let (timestamp, signature) = (header(headers, "x-slack-request-timestamp"), header(headers, "x-slack-signature"));
    listener.verify(timestamp, signature, body, app.ctx.now()).map_err(|error| Problem::unauthenticated(format!("Not from Slack: {error}.")))?;
    let meaning = read(body).map_err(|error| Problem::malformed(error.to_string()))?;
    let answer = listener.take(&app.hub, meaning).await?;
    Ok(answer.body().map_or_else(|| ().into_response(), |body| Json(body).into_response()))
}
