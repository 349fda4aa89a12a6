//! `POST /channels/discord/interactions`: commands, buttons, windows.

use axum::{body::Bytes, extract::State, http::HeaderMap};
use patchbay_channels::discord::decode;
use patchbay_core::channel::Channel;
use serde_json::Value;

use super::{Api, header, not_connected, public, unreadable};
use crate::{app::App, extract::Json, problem::Problem};

pub(super) fn routes(api: Api) -> Api {
    api.post(
        "/channels/discord/interactions",
        interactions,
        public("channels", "Discord: a command, a button, a window")
            .raw_body("application/json")
            .header("X-Signature-Ed25519", "What Discord signed the timestamp and the body with.")
            .header("X-Signature-Timestamp", "When.")
            .plain(200, "application/json")
            .problem(400)
            .problem(401)
            .problem(404)
            .problem(413),
    )
}

/// Stores what was said and answers at once; the rest follows.
async fn interactions(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Json<Value>, Problem> {
    let listener = app.platforms.discord.as_ref().ok_or_else(|| not_connected(Channel::Discord, "discord.public_key and discord.token"))?;
    let (timestamp, signature) = (header(&headers, "x-signature-timestamp"), header(&headers, "x-signature-ed25519"));
    listener.verify(timestamp, signature, &body).map_err(|error| Problem::unauthenticated(format!("Not from Discord: {error}.")))?;
    let meaning = match decode::interaction(&body) {
        Ok(meaning) => meaning,
        Err(error) => return Err(unreadable(&app, Channel::Discord, &error, &body).await),
    };
    Ok(Json(listener.take(&app.hub, meaning).await?))
}
