//! One endpoint that speaks `OpenAI`'s chat completions, and what it has been found to understand.

use std::{
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll},
    time::Duration,
};

use async_openai::{
    Client,
    config::{Config as _, OPENAI_API_BASE, OpenAIConfig},
    error::OpenAIError,
    middleware::HttpRequestFactory,
};
use reqwest::{Response, StatusCode, header::RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::{options, schema};

/// How a server is told to answer with JSON, the strictest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Bound to the schema, word by word.
    Strict,
    /// Shown the schema.
    Schema,
    Object,
    /// Asked for in words alone.
    Text,
}

impl Form {
    const ALL: [Self; 4] = [Self::Strict, Self::Schema, Self::Object, Self::Text];

    fn response_format(self) -> Option<Value> {
        match self {
            Self::Strict => Some(json!({ "type": "json_schema", "json_schema": { "name": "patch", "strict": true, "schema": schema::answer() } })),
            Self::Schema => Some(json!({ "type": "json_schema", "json_schema": { "name": "patch", "schema": schema::answer() } })),
            Self::Object => Some(json!({ "type": "json_object" })),
            Self::Text => None,
        }
    }
}

/// A model at an endpoint.
pub(super) struct Provider {
    pub(super) name: String,
    pub(super) model: String,
    pub(super) price: Option<options::Price>,
    pub(super) client: Client<OpenAIConfig>,
    api_key: Option<SecretString>,
    /// The place in [`Form::ALL`]: it only grows, when the server refuses one.
    form: AtomicUsize,
}

impl Provider {
    pub(super) fn new(options: options::Provider, connect: Duration) -> Result<Self, options::Unusable> {
        let unusable = |why: String| options::Unusable { provider: options.name.clone(), why };
        let base = options.base_url.as_deref().unwrap_or(OPENAI_API_BASE).trim_end_matches('/').to_owned();
        if reqwest::Url::parse(&base).map_or(true, |url| !matches!(url.scheme(), "http" | "https")) {
            return Err(unusable(format!("`{base}` is no address: give one that begins with http:// or https://")));
        }
        let key = options.api_key.as_ref().map_or("", |key| key.expose_secret());
        // The client would panic over it, request by request.
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(unusable("its key has characters that no key has; was it copied with a line break?".to_owned()));
        }
        let http = reqwest::Client::builder()
            .connect_timeout(connect)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| unusable(error.to_string()))?;
        let config = OpenAIConfig::new().with_api_base(base).with_api_key(key);
        tracing::debug!(provider = options.name, url = config.api_base(), "a provider is set up");
        // Its own executor retries by itself, in ways that nobody sees; here each request is one exchange.
        let client = Client::with_config(config).with_http_service(Once(http));
        Ok(Self { name: options.name, model: options.model, price: options.price, client, api_key: options.api_key, form: AtomicUsize::new(0) })
    }

    pub(super) fn form(&self) -> Form {
        Form::ALL[self.form.load(Ordering::Relaxed).min(Form::ALL.len() - 1)]
    }

    /// Remembers that the server does not take a form. False where there is none below.
    pub(super) fn give_up(&self, form: Form) -> bool {
        let next = Form::ALL.iter().position(|other| *other == form).map_or(Form::ALL.len(), |at| at + 1);
        self.form.fetch_max(next.min(Form::ALL.len() - 1), Ordering::Relaxed);
        next < Form::ALL.len()
    }

    /// The body of a request.
    pub(super) fn request(&self, form: Form, messages: &[Value]) -> Value {
        let mut request = json!({ "model": self.model, "messages": messages, "stream": true, "stream_options": { "include_usage": true } });
        if let Some(format) = form.response_format() {
            request["response_format"] = format;
        }
        request
    }

    /// Text without the key, which some servers repeat when they refuse it.
    pub(super) fn scrub(&self, text: &str) -> String {
        match self.api_key.as_ref().map(SecretString::expose_secret).filter(|key| !key.is_empty()) {
            Some(key) => text.replace(key, "••••"),
            None => text.to_owned(),
        }
    }
}

/// What a server said that is no success.
#[derive(Debug, thiserror::Error)]
#[error("{status}: {body}")]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: String,
}

/// Sends a request once.
#[derive(Clone)]
struct Once(reqwest::Client);

/// The most of an error's body that is read.
const MAX_ERROR: usize = 4_096;

impl tower::Service<HttpRequestFactory> for Once {
    type Response = Response;
    type Error = OpenAIError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, OpenAIError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequestFactory) -> Self::Future {
        let http = self.0.clone();
        Box::pin(async move {
            let mut response = http.execute(request.build().await?).await?;
            let status = response.status();
            if status.is_success() {
                return Ok(response);
            }
            let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok()).map(Duration::from_secs);
            let mut body = Vec::new();
            while body.len() < MAX_ERROR
                && let Some(bytes) = response.chunk().await?
            {
                body.extend_from_slice(&bytes);
            }
            body.truncate(MAX_ERROR);
            Err(OpenAIError::Boxed(Box::new(Refused { status, retry_after, body: String::from_utf8_lossy(&body).into_owned() })))
        })
    }
}
