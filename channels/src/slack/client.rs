//! Slack's Web API, as far as it is in use: <https://docs.slack.dev/reference/methods>.

use std::{sync::Arc, time::Duration};

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use slack_morphism::{
    SlackApiToken, SlackClient, SlackClientApiCallContext, SlackClientHttpConnector, errors::SlackClientError, hyper_tokio::SlackClientHyperConnector,
};

/// Where Slack is.
pub const API_URL: &str = "https://slack.com/api";

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// How many messages of a thread are asked for at once, as Slack recommends.
const REPLIES: &str = "200";

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It may work later; Slack may say when.
    #[error("{why}")]
    Later { after: Option<Duration>, why: String },
    /// It will not work: Slack's name for the reason.
    #[error("Slack refused: {code}")]
    Refused { code: String },
}

/// Speaks for one workspace. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    slack: Arc<SlackClient<SlackClientHyperConnector<HttpsConnector<HttpConnector>>>>,
    token: SlackApiToken,
}

impl Client {
    /// Fails where this machine has no certificates to trust.
    pub fn new(token: &SecretString, api_url: &str) -> std::io::Result<Self> {
        // An address without TLS is one that somebody set, to stand in for Slack.
        let https = HttpsConnectorBuilder::new().with_native_roots()?.https_or_http().enable_http1().build();
        let connector = SlackClientHyperConnector::with_connector(https).with_slack_api_url(api_url.trim_end_matches('/'));
        Ok(Self { slack: Arc::new(SlackClient::new(connector)), token: SlackApiToken::new(token.expose_secret().into()) })
    }

    /// Sends a message; what names it.
    pub async fn post(&self, channel: &str, thread: Option<&str>, message: &Value) -> Result<(String, String), Failure> {
        let mut request = message.clone();
        request["channel"] = channel.into();
        if let Some(thread) = thread {
            request["thread_ts"] = thread.into();
        }
        quiet(&mut request);
        let answer = self.call("chat.postMessage", &request).await?;
        match (answer["channel"].as_str(), answer["ts"].as_str()) {
            (Some(channel), Some(ts)) => Ok((channel.to_owned(), ts.to_owned())),
            _ => Err(Failure::Refused { code: "an answer without channel and ts".to_owned() }),
        }
    }

    /// Sends a message that one person of a room sees, until they reload.
    pub async fn whisper(&self, channel: &str, user: &str, thread: Option<&str>, message: &Value) -> Result<(), Failure> {
        let mut request = message.clone();
        request["channel"] = channel.into();
        request["user"] = user.into();
        if let Some(thread) = thread {
            request["thread_ts"] = thread.into();
        }
        self.call("chat.postEphemeral", &request).await.map(drop)
    }

    pub async fn update(&self, channel: &str, ts: &str, message: &Value) -> Result<(), Failure> {
        let mut request = message.clone();
        request["channel"] = channel.into();
        request["ts"] = ts.into();
        self.call("chat.update", &request).await.map(drop)
    }

    pub async fn delete(&self, channel: &str, ts: &str) -> Result<(), Failure> {
        self.call("chat.delete", &json!({ "channel": channel, "ts": ts })).await.map(drop)
    }

    /// Answers where something was said, to the person alone or to the room. Works within half an hour, five times, also where we are no member.
    pub async fn respond(&self, response_url: &str, is_private: bool, message: &Value) -> Result<(), Failure> {
        let mut request = message.clone();
        request["response_type"] = if is_private { "ephemeral" } else { "in_channel" }.into();
        request["replace_original"] = false.into();
        quiet(&mut request);
        let url = response_url.parse().map_err(|_| Failure::Refused { code: "no address".to_owned() })?;
        let span = tracing::debug_span!("slack");
        let context = SlackClientApiCallContext { rate_control_params: None, token: None, tracing_span: &span, is_sensitive_url: true };
        let sending = self.slack.http_api.connector.http_post_uri::<_, Value>(url, &request, context);
        within(sending).await.map(drop)
    }

    /// Opens a window; the trigger is good for three seconds.
    pub async fn open(&self, trigger: &str, view: &Value) -> Result<(), Failure> {
        self.call("views.open", &json!({ "trigger_id": trigger, "view": view })).await.map(drop)
    }

    /// Shows somebody their home.
    pub async fn publish(&self, user: &str, view: &Value) -> Result<(), Failure> {
        self.call("views.publish", &json!({ "user_id": user, "view": view })).await.map(drop)
    }

    /// Shows what stands behind addresses; `message` names where they stand.
    pub async fn unfurl(&self, message: &Value, unfurls: &Value) -> Result<(), Failure> {
        let mut request = message.clone();
        request["unfurls"] = unfurls.clone();
        self.call("chat.unfurl", &request).await.map(drop)
    }

    /// Somebody's name and address.
    pub async fn user(&self, user: &str) -> Result<Person, Failure> {
        let api = self.slack.open_session(&self.token);
        let params = [("user", Some(user))];
        let answer: Value = within(api.http_session_api.http_get("users.info", &params, None)).await?;
        let profile = &answer["user"]["profile"];
        let named = |name: &Value| name.as_str().filter(|name| !name.is_empty()).map(str::to_owned);
        Ok(Person {
            name: named(&profile["display_name"]).or_else(|| named(&answer["user"]["real_name"])).or_else(|| named(&answer["user"]["name"])),
            email: named(&profile["email"]),
        })
    }

    /// Who speaks with this token: as a user, and as a program.
    pub async fn me(&self) -> Result<(String, String), Failure> {
        let answer = self.call("auth.test", &json!({})).await?;
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Ok((text("user_id"), text("bot_id")))
    }

    /// A page of a thread's messages, and what the next is asked for by.
    pub async fn replies(&self, channel: &str, thread: &str, cursor: Option<&str>) -> Result<(Vec<Value>, Option<String>), Failure> {
        let api = self.slack.open_session(&self.token);
        let params = [("channel", Some(channel)), ("ts", Some(thread)), ("limit", Some(REPLIES)), ("cursor", cursor)];
        let mut answer: Value = within(api.http_session_api.http_get("conversations.replies", &params, None)).await?;
        let next = answer["response_metadata"]["next_cursor"].as_str().filter(|cursor| !cursor.is_empty()).map(str::to_owned);
        match answer["messages"].take() {
            Value::Array(messages) => Ok((messages, next)),
            _ => Err(Failure::Refused { code: "an answer without messages".to_owned() }),
        }
    }

    /// Exchanges what Slack gave for an agreement to an installation.
    pub(super) async fn redeem(&self, client_id: &str, client_secret: &SecretString, code: &str, redirect: &str) -> Result<Value, Failure> {
        let connector = &self.slack.http_api.connector;
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs([("code", code), ("redirect_uri", redirect)]).finish();
        let url = connector.create_method_uri_path(&format!("oauth.v2.access?{query}")).map_err(failure)?;
        let (id, secret) = (client_id.into(), client_secret.expose_secret().into());
        within(connector.http_get_with_client_secret(url, &id, &secret)).await
    }

    /// Where a socket can be opened, once and soon; only for who speaks with an app-level token.
    pub async fn socket(&self) -> Result<String, Failure> {
        let answer = self.call("apps.connections.open", &json!({})).await?;
        answer["url"].as_str().map(str::to_owned).ok_or_else(|| Failure::Refused { code: "an answer without url".to_owned() })
    }

    async fn call(&self, method: &str, request: &Value) -> Result<Value, Failure> {
        let session = self.slack.open_session(&self.token);
        within(session.http_session_api.http_post(method, request, None)).await
    }
}

/// Somebody as Slack knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub name: Option<String>,
    /// Only where the app may see addresses.
    pub email: Option<String>,
}

/// Addresses in our messages show nothing of what stands behind them.
fn quiet(message: &mut Value) {
    message["unfurl_links"] = false.into();
    message["unfurl_media"] = false.into();
}

async fn within<T>(sending: impl Future<Output = Result<T, SlackClientError>>) -> Result<T, Failure> {
    match tokio::time::timeout(PATIENCE, sending).await {
        Ok(sent) => sent.map_err(failure),
        Err(_) => Err(Failure::Later { after: None, why: format!("Slack did not answer within {} s", PATIENCE.as_secs()) }),
    }
}

/// Without the bodies that the errors carry: they hold what people wrote.
fn failure(error: SlackClientError) -> Failure {
    let later = |why: String| Failure::Later { after: None, why };
    match error {
        SlackClientError::RateLimitError(limit) => Failure::Later { after: limit.retry_after, why: "Slack asks to wait".to_owned() },
        SlackClientError::ApiError(error) => match error.code.as_str() {
            "ratelimited" | "rate_limited" | "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" | "team_added_to_org" => {
                later(format!("Slack said {}", error.code))
            }
            _ => Failure::Refused { code: error.code },
        },
        SlackClientError::HttpError(error) if error.status_code.is_client_error() => Failure::Refused { code: error.status_code.to_string() },
        SlackClientError::HttpError(error) => later(format!("Slack answered {}", error.status_code)),
        SlackClientError::ProtocolError(error) => later(format!("Slack answered something unexpected: {}", error.json_error)),
        other => later(format!("Slack was not reached: {other}")),
    }
}
