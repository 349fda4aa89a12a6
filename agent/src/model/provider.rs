//! One model behind an OpenAI-compatible endpoint: asks, streams, retries, and remembers what the endpoint can do.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_openai::{Client, config::OpenAIConfig, error::OpenAIError, middleware::HttpRequestFactory};
use futures::StreamExt;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{Endpoint, wire};

/// How long until an endpoint takes the connection, says its first word, and is done.
const CONNECT: Duration = Duration::from_secs(10);
const FIRST_WORD: Duration = Duration::from_mins(1);
const WHOLE: Duration = Duration::from_mins(3);
/// How often a request is sent that failed in passing.
const TRIES: u32 = 3;
/// The longest wait that an endpoint may ask for; beyond it the next provider is asked.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// A model at an endpoint.
pub(super) struct Provider {
    pub(super) endpoint: Endpoint,
    client: Client<OpenAIConfig>,
    /// How structured its answers can be asked for, learnt from its refusals.
    format: AtomicU8,
    /// What it last asked to wait, in milliseconds; 0 for nothing.
    wait: Arc<AtomicU64>,
}

/// From the strictest to none at all.
const FORMATS: [fn() -> Option<Value>; 4] = [
    || Some(json!({ "type": "json_schema", "json_schema": { "name": "answer", "strict": true, "schema": wire::schema() } })),
    || Some(json!({ "type": "json_schema", "json_schema": { "name": "answer", "schema": wire::schema() } })),
    || Some(json!({ "type": "json_object" })),
    || None,
];

/// What came back.
#[derive(Clone, Debug, Default)]
pub(super) struct Reply {
    pub(super) text: String,
    pub(super) refusal: Option<String>,
    /// It stopped before it was done.
    pub(super) is_cut: bool,
    pub(super) input_tokens: Option<i64>,
    pub(super) output_tokens: Option<i64>,
}

/// A request with what came of it.
pub(super) struct Asked {
    pub(super) request: Value,
    pub(super) reply: Result<Reply, String>,
    pub(super) latency: Duration,
}

impl Provider {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        let key = endpoint.key.as_ref().map_or("none", |key| key.expose_secret());
        let config = OpenAIConfig::new().with_api_base(&endpoint.url).with_api_key(key);
        let http = reqwest::Client::builder().connect_timeout(CONNECT).redirect(reqwest::redirect::Policy::none()).build().unwrap_or_default();
        let wait = Arc::new(AtomicU64::new(0));
        let asked_to_wait = wait.clone();
        // Below the client, where the headers can be seen.
        let service = tower::service_fn(move |factory: HttpRequestFactory| {
            let (http, wait) = (http.clone(), asked_to_wait.clone());
            async move {
                let response = http.execute(factory.build().await?).await.map_err(OpenAIError::Reqwest)?;
                wait.store(retry_after(response.headers()), Ordering::Relaxed);
                Ok::<_, OpenAIError>(response)
            }
        });
        let client = Client::with_config(config).with_http_service(service);
        Self { endpoint, client, format: AtomicU8::new(0), wait }
    }

    /// Asks until there is an answer, or none to be had. `heard` is told the text so far, whenever there is more.
    pub(super) async fn ask(&self, messages: &[Value], mut heard: impl FnMut(&str)) -> Asked {
        let begun = Instant::now();
        let mut tries = 0;
        loop {
            let format = self.format.load(Ordering::Relaxed);
            let mut request = json!({ "model": self.endpoint.model, "messages": messages, "stream": true, "stream_options": { "include_usage": true } });
            if let Some(format) = FORMATS[usize::from(format)]() {
                request["response_format"] = format;
            }
            let outcome = tokio::time::timeout(WHOLE, self.stream(&request, &mut heard)).await;
            let done = |reply| Asked { request: request.clone(), reply, latency: begun.elapsed() };
            let error = match outcome {
                Ok(Ok(reply)) => return done(Ok(reply)),
                Ok(Err(error)) => error,
                Err(_) => return done(Err(format!("no whole answer within {} s", WHOLE.as_secs()))),
            };
            if error.is_format && usize::from(format) + 1 < FORMATS.len() {
                // It cannot do this; the next is asked for from now on.
                self.format.store(format + 1, Ordering::Relaxed);
                continue;
            }
            tries += 1;
            let wait = Duration::from_millis(self.wait.load(Ordering::Relaxed)).max(Duration::from_millis(300 << tries));
            if !error.is_passing || tries >= TRIES || wait > LONGEST_WAIT {
                return done(Err(error.text));
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn stream(&self, request: &Value, heard: &mut impl FnMut(&str)) -> Result<Reply, Trouble> {
        self.wait.store(0, Ordering::Relaxed);
        let first = tokio::time::timeout(FIRST_WORD, self.client.chat().create_stream_byot::<_, Value>(request.clone())).await;
        let mut stream = first.map_err(|_| Trouble::passing(format!("no word within {} s", FIRST_WORD.as_secs())))?.map_err(Trouble::of)?;
        let mut reply = Reply { is_cut: true, ..Reply::default() };
        loop {
            let chunk = tokio::time::timeout(FIRST_WORD, stream.next()).await.map_err(|_| Trouble::passing("it fell silent".to_owned()))?;
            let Some(chunk) = chunk else { break };
            let chunk = match chunk {
                Ok(chunk) => chunk,
                // What was said so far may be all there is.
                Err(_) if !reply.text.is_empty() => break,
                Err(error) => return Err(Trouble::of(error)),
            };
            if let Some(usage) = chunk.get("usage").filter(|usage| usage.is_object()) {
                reply.input_tokens = usage["prompt_tokens"].as_i64();
                reply.output_tokens = usage["completion_tokens"].as_i64();
            }
            let choice = &chunk["choices"][0];
            if let Some(reason) = choice["finish_reason"].as_str() {
                reply.is_cut = reason == "length";
            }
            if let Some(refusal) = choice["delta"]["refusal"].as_str() {
                reply.refusal.get_or_insert_default().push_str(refusal);
            }
            if let Some(text) = choice["delta"]["content"].as_str().filter(|text| !text.is_empty()) {
                reply.text.push_str(text);
                heard(&reply.text);
            }
        }
        Ok(reply)
    }
}

/// Why a request came to nothing.
struct Trouble {
    text: String,
    /// Trying again may help.
    is_passing: bool,
    /// It is the form of the answer that the endpoint does not know.
    is_format: bool,
}

impl Trouble {
    fn passing(text: String) -> Self {
        Self { text, is_passing: true, is_format: false }
    }

    fn of(error: OpenAIError) -> Self {
        match error {
            OpenAIError::ApiError(answer) => {
                let status = answer.status_code;
                let said = answer.api_error.message.to_lowercase();
                let is_format = status == 400
                    && (said.contains("response_format") || said.contains("json_schema") || said.contains("schema") || said.contains("stream_options"));
                let is_passing = status == 408 || status == 409 || status == 429 || status.is_server_error();
                Self { text: format!("{status}: {}", answer.api_error.message.chars().take(300).collect::<String>()), is_passing, is_format }
            }
            OpenAIError::Reqwest(error) => {
                let why = if error.is_connect() {
                    "it cannot be reached"
                } else if error.is_timeout() {
                    "it did not answer in time"
                } else {
                    "the connection broke"
                };
                Self::passing(why.to_owned())
            }
            other => Self::passing(other.to_string().chars().take(300).collect()),
        }
    }
}

/// `Retry-After` in milliseconds; 0 where there is none (RFC 9110, 10.2.3; only its seconds are in use).
fn retry_after(headers: &reqwest::header::HeaderMap) -> u64 {
    headers.get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok()).map_or(0, |seconds| seconds.saturating_mul(1000))
}
