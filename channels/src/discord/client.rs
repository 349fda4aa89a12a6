//! Discord's HTTP API, as far as it is in use: <https://discord.com/developers/docs/reference>.
//!
//! Not by serenity's client: with an address of one's own it has no rate limiter, and without one it does not say how long to wait.
//!
//! How fast: fifty requests a second, and what the headers of each route's answers say; before the first of them, five at once and one a second.
//! <https://discord.com/developers/docs/topics/rate-limits>

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use governor::Quota;
use reqwest::{Method, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::pace::Pace;

/// Where Discord is.
pub const API_URL: &str = "https://discord.com";

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(15);
/// As many messages as Discord gives at once.
pub(super) const PAGE: usize = 100;
/// What Discord calls a token of an interaction that has run out.
const INVALID_WEBHOOK_TOKEN: u64 = 50027;
const UNKNOWN_WEBHOOK: u64 = 10015;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It may work later; Discord may say when.
    #[error("{why}")]
    Later { after: Option<Duration>, why: String },
    /// The time in which an interaction can be answered is over.
    #[error("the interaction can be answered no more")]
    Expired,
    /// It will not work: Discord's words for the reason.
    #[error("Discord refused: {message} ({code})")]
    Refused { code: u64, message: String },
}

/// Speaks for one application. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    token: SecretString,
    api_url: String,
    paces: Arc<Paces>,
}

/// What Discord counts.
struct Paces {
    /// All requests with the bot's token.
    all: Pace,
    /// By method and route, with what the route is about.
    routes: Pace,
}

/// All requests with the bot's token, in a second.
const ALL: NonZeroU32 = NonZeroU32::new(50).expect("it is not zero");
/// Requests of a route at once, of which no answer has said yet what it takes; then one a second.
const ROUTE: NonZeroU32 = NonZeroU32::new(5).expect("it is not zero");

/// Where a message goes.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// The answer that is awaited in place of "thinking".
    Awaited {
        application: &'a str,
        token: &'a str,
    },
    /// A further answer to an interaction, perhaps for the person alone.
    Further {
        application: &'a str,
        token: &'a str,
        is_private: bool,
    },
    Channel(&'a str),
}

impl Client {
    /// `home` is where this Patchbay is: Discord asks for it.
    pub fn new(token: SecretString, api_url: &str, home: &str) -> reqwest::Result<Self> {
        let agent = format!("DiscordBot ({home}, {})", env!("CARGO_PKG_VERSION"));
        let http = reqwest::Client::builder().user_agent(agent).timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build()?;
        let paces = Paces { all: Pace::new(Quota::per_second(ALL)), routes: Pace::new(Quota::per_second(NonZeroU32::MIN).allow_burst(ROUTE)) };
        Ok(Self { http, token, api_url: format!("{}/api/v10", api_url.trim_end_matches('/')), paces: Arc::new(paces) })
    }

    /// Sends a message; its channel and its id. `nonce` names it: sent again within minutes it is the same message, where Discord can tell.
    pub async fn post(&self, place: Place<'_>, nonce: &str, message: &Value) -> Result<(String, String), Failure> {
        let mut message = message.clone();
        let sending = match place {
            Place::Awaited { application, token } => {
                let path = format!("/webhooks/{application}/{token}/messages/@original");
                self.call(Method::PATCH, &path, false, Some(&message)).await
            }
            Place::Further { application, token, is_private } => {
                if is_private {
                    message["flags"] = 64.into();
                }
                self.call(Method::POST, &format!("/webhooks/{application}/{token}?wait=true"), false, Some(&message)).await
            }
            Place::Channel(channel) => {
                message["nonce"] = nonce.into();
                message["enforce_nonce"] = true.into();
                self.call(Method::POST, &format!("/channels/{channel}/messages"), true, Some(&message)).await
            }
        };
        let answer = sending?;
        match (answer["channel_id"].as_str(), answer["id"].as_str()) {
            (Some(channel), Some(id)) => Ok((channel.to_owned(), id.to_owned())),
            _ => Err(Failure::Refused { code: 0, message: "an answer without channel_id and id".to_owned() }),
        }
    }

    /// The channel in which somebody alone reads what is written: Discord makes it, or finds the one that there is.
    pub async fn direct(&self, user: &str) -> Result<String, Failure> {
        let answer = self.call(Method::POST, "/users/@me/channels", true, Some(&json!({ "recipient_id": user }))).await?;
        answer["id"].as_str().map(str::to_owned).ok_or_else(|| Failure::Refused { code: 0, message: "an answer without id".to_owned() })
    }

    pub async fn edit(&self, channel: &str, id: &str, message: &Value) -> Result<(), Failure> {
        self.call(Method::PATCH, &format!("/channels/{channel}/messages/{id}"), true, Some(message)).await.map(drop)
    }

    pub async fn delete(&self, channel: &str, id: &str) -> Result<(), Failure> {
        self.call(Method::DELETE, &format!("/channels/{channel}/messages/{id}"), true, None).await.map(drop)
    }

    /// Takes back the answer that is awaited, so that another can be for one person alone.
    pub async fn take_back(&self, application: &str, token: &str) -> Result<(), Failure> {
        self.call(Method::DELETE, &format!("/webhooks/{application}/{token}/messages/@original"), false, None).await.map(drop)
    }

    /// Where the gateway is, and how long to wait before a new session may begin there.
    pub async fn gateway(&self) -> Result<(String, Duration), Failure> {
        let answer = self.call(Method::GET, "/gateway/bot", true, None).await?;
        let limit = &answer["session_start_limit"];
        let wait = if limit["remaining"] == 0 { limit["reset_after"].as_u64().unwrap_or_default() } else { 0 };
        let url = answer["url"].as_str().map(str::to_owned).ok_or_else(|| Failure::Refused { code: 0, message: "an answer without url".to_owned() })?;
        Ok((url, Duration::from_millis(wait)))
    }

    /// What Discord calls the bot.
    pub async fn me(&self) -> Result<String, Failure> {
        let answer = self.call(Method::GET, "/users/@me", true, None).await?;
        answer["id"].as_str().map(str::to_owned).ok_or_else(|| Failure::Refused { code: 0, message: "an answer without id".to_owned() })
    }

    /// The kind of a channel.
    pub async fn kind(&self, channel: &str) -> Result<u64, Failure> {
        Ok(self.call(Method::GET, &format!("/channels/{channel}"), true, None).await?["type"].as_u64().unwrap_or_default())
    }

    /// One message.
    pub async fn message(&self, channel: &str, id: &str) -> Result<Value, Failure> {
        self.call(Method::GET, &format!("/channels/{channel}/messages/{id}"), true, None).await
    }

    /// At most a hundred messages of a channel, the newest first: those before or after one, or the last. `which` is `before`, or `after`.
    pub async fn messages(&self, channel: &str, which: Option<(&str, &str)>) -> Result<Vec<Value>, Failure> {
        let which = which.map_or_else(String::new, |(which, id)| format!("&{which}={id}"));
        match self.call(Method::GET, &format!("/channels/{channel}/messages?limit={PAGE}{which}"), true, None).await? {
            Value::Array(messages) => Ok(messages),
            _ => Err(Failure::Refused { code: 0, message: "an answer without messages".to_owned() }),
        }
    }

    /// The bot's token.
    pub(super) fn token(&self) -> &str {
        self.token.expose_secret()
    }

    /// Tells Discord all commands of an application, in place of those that it had.
    pub async fn register(&self, application: &str, commands: &Value) -> Result<usize, Failure> {
        let answer = self.call(Method::PUT, &format!("/applications/{application}/commands"), true, Some(commands)).await?;
        Ok(answer.as_array().map_or(0, Vec::len))
    }

    /// `is_ours`: with the bot's token; what is called with an interaction's needs none.
    async fn call(&self, method: Method, path: &str, is_ours: bool, body: Option<&Value>) -> Result<Value, Failure> {
        let later = |why: String| Failure::Later { after: None, why };
        let route = route(&method, path);
        let not_yet = |after| Failure::Later { after: Some(after), why: "it waits for its turn".to_owned() };
        self.paces.routes.take(&route).map_err(not_yet)?;
        if is_ours {
            self.paces.all.take("").map_err(not_yet)?;
        }
        let mut request = self.http.request(method, format!("{}{path}", self.api_url));
        if is_ours {
            request = request.header(header::AUTHORIZATION, format!("Bot {}", self.token.expose_secret()));
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        // Without the address, which has the interaction's token.
        let response = request.send().await.map_err(|error| later(format!("Discord was not reached: {}", error.without_url())))?;
        let status = response.status();
        let told = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()?.parse::<f64>().ok());
        let retry_after = told(header::RETRY_AFTER.as_str());
        if told("x-ratelimit-remaining") == Some(0.0)
            && let Some(wait) = told("x-ratelimit-reset-after").and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        {
            self.paces.routes.hold(&route, wait);
        }
        let body = response.bytes().await.map_err(|error| later(format!("Discord broke off: {}", error.without_url())))?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() {
            return Ok(answer);
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            let seconds = answer["retry_after"].as_f64().or(retry_after);
            let after = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            if let Some(after) = after {
                if answer["global"] == true { self.paces.all.hold("", after) } else { self.paces.routes.hold(&route, after) }
            }
            return Err(Failure::Later { after, why: "Discord asks to wait".to_owned() });
        }
        if status.is_server_error() {
            return Err(later(format!("Discord answered {status}")));
        }
        match answer["code"].as_u64().unwrap_or_default() {
            INVALID_WEBHOOK_TOKEN | UNKNOWN_WEBHOOK => Err(Failure::Expired),
            code => Err(Failure::Refused { code, message: answer["message"].as_str().map_or_else(|| json!(status.as_u16()).to_string(), str::to_owned) }),
        }
    }
}

/// What Discord counts requests by: the method and the path, in which only the channel, the application and the token say what it is about.
fn route(method: &Method, path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let named = match parts.as_slice() {
        ["channels", channel, "messages", _] => format!("channels/{channel}/messages/*"),
        parts => parts.join("/"),
    };
    format!("{method} {named}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_what_discord_counts_by() {
        assert_eq!(route(&Method::PATCH, "/channels/1/messages/2"), route(&Method::PATCH, "/channels/1/messages/3"));
        assert_ne!(route(&Method::DELETE, "/channels/1/messages/2"), route(&Method::PATCH, "/channels/1/messages/2"));
        assert_ne!(route(&Method::POST, "/channels/1/messages"), route(&Method::POST, "/channels/2/messages"));
        assert_eq!(route(&Method::POST, "/webhooks/1/token?wait=true"), "POST webhooks/1/token");
    }
}
