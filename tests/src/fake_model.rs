//! A model that says what a test told it to: a real HTTP server that speaks the chat completions protocol, well or badly, and makes images.

use std::{
    collections::VecDeque,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::Result;
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify};

/// What it does with one request.
#[derive(Clone, Debug)]
pub enum Turn {
    /// Says this, in small pieces.
    Say(String),
    /// Says this, and then nothing more: the connection stays open until the client leaves.
    Hang(String),
    /// Says this, waits until the test lets it go on, and says that.
    Pause(String, Arc<Notify>, String),
    /// Says this and breaks the connection.
    Break(String),
    /// Says this and stops because it may say no more.
    Length(String),
    /// Refuses, in these words.
    Refuse(String),
    /// Answers with this status, after which a client is to wait so many seconds.
    Status(u16, Option<u32>, String),
    /// Answers with something that is no stream of events at all.
    Garbage(String),
    /// Makes this image, where one is asked for.
    Image(Vec<u8>),
}

/// A patch with these operations, as a model says it.
pub fn patch(title: Option<&str>, operations: &Value) -> String {
    let meta = title.map(|title| json!({ "title": title, "summary": null, "key": null, "process": null, "time_zone": null }));
    json!({ "kind": "patch", "say": "Here is a plan.", "meta_updates": meta, "tasks": operations }).to_string()
}

/// A new task; what is not given is left out, as servers without strict schemas have it.
pub fn create(task_id: &str, title: &str, more: &Value) -> Value {
    let mut body = json!({ "title": title });
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    json!({ "op": "create", "task_id": task_id, "body": body })
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<Turn>>,
    requests: Mutex<Vec<Value>>,
    faults: Mutex<Vec<String>>,
    left: AtomicUsize,
}

/// The running server.
pub struct FakeModel {
    /// What to give as the endpoint.
    pub url: String,
    shared: Arc<Shared>,
}

impl FakeModel {
    /// Starts with the turns that it takes, in order. A request beyond them is answered with 500.
    pub async fn start(script: impl IntoIterator<Item = Turn>) -> Result<Self> {
        let shared = Arc::new(Shared { script: Mutex::new(script.into_iter().collect()), ..Shared::default() });
        let router = Router::new().route("/v1/chat/completions", post(complete)).route("/v1/images/generations", post(paint)).with_state(shared.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/v1", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, shared })
    }

    /// All requests so far. Panics where one was not a valid one.
    pub fn requests(&self) -> Vec<Value> {
        let faults = self.shared.faults.lock().expect("nobody panicked with it");
        assert!(faults.is_empty(), "requests that no real endpoint would take: {faults:?}");
        self.shared.requests.lock().expect("nobody panicked with it").clone()
    }

    /// How many clients left before it had said all.
    pub fn left(&self) -> usize {
        self.shared.left.load(Ordering::SeqCst)
    }
}

/// The part of a chat completions request that is in use (the reference of the protocol, "Create chat completion").
fn request_schema() -> &'static jsonschema::Validator {
    static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let schema = json!({
            "type": "object", "required": ["model", "messages"], "additionalProperties": false,
            "properties": {
                "model": { "type": "string", "minLength": 1 },
                "stream": { "type": "boolean" },
                "stream_options": { "type": "object", "properties": { "include_usage": { "type": "boolean" } }, "additionalProperties": false },
                "messages": { "type": "array", "minItems": 1, "items": {
                    "type": "object", "required": ["role", "content"], "additionalProperties": false,
                    "properties": { "role": { "enum": ["system", "user", "assistant"] }, "content": { "type": "string", "minLength": 1 } } } },
                "response_format": { "oneOf": [
                    { "type": "object", "required": ["type"], "additionalProperties": false, "properties": { "type": { "const": "json_object" } } },
                    { "type": "object", "required": ["type", "json_schema"], "additionalProperties": false, "properties": { "type": { "const": "json_schema" }, "json_schema": {
                        "type": "object", "required": ["name", "schema"], "additionalProperties": false,
                        "properties": { "name": { "pattern": "^[a-zA-Z0-9_-]{1,64}$" }, "strict": { "type": "boolean" }, "schema": { "type": "object" } } } } },
                ] },
            },
        });
        jsonschema::validator_for(&schema).expect("the schema is one")
    });
    &SCHEMA
}

/// The part of an images request that is in use (the reference of the protocol, "Create image").
fn image_schema() -> &'static jsonschema::Validator {
    static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let schema = json!({
            "type": "object", "required": ["model", "prompt"], "additionalProperties": false,
            "properties": {
                "model": { "type": "string", "minLength": 1 },
                "prompt": { "type": "string", "minLength": 1 },
                "n": { "const": 1 },
                "size": { "type": "string" },
                "response_format": { "const": "b64_json" },
            },
        });
        jsonschema::validator_for(&schema).expect("the schema is one")
    });
    &SCHEMA
}

/// Notes a request, and whether it is one; what is next in the script.
fn next(shared: &Shared, schema: &jsonschema::Validator, body: &[u8]) -> Turn {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let faults: Vec<String> = schema.iter_errors(&request).map(|error| format!("{}: {error}", error.instance_path())).collect();
    shared.faults.lock().expect("nobody panicked with it").extend(faults);
    shared.requests.lock().expect("nobody panicked with it").push(request);
    let turn = shared.script.lock().expect("nobody panicked with it").pop_front();
    turn.unwrap_or_else(|| Turn::Status(500, None, "the script is over".into()))
}

async fn paint(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    match next(&shared, image_schema(), &body) {
        Turn::Image(bytes) => Json(json!({ "created": 0, "data": [{ "b64_json": BASE64_STANDARD.encode(bytes) }] })).into_response(),
        Turn::Status(status, wait, message) => refusal(status, wait, &message),
        other => refusal(500, None, &format!("the script has {other:?}, and an image is asked for")),
    }
}

/// A status with an error as endpoints say it.
fn refusal(status: u16, wait: Option<u32>, message: &str) -> Response {
    let body = json!({ "error": { "message": message, "type": "error", "param": null, "code": null } }).to_string();
    let mut response = (StatusCode::from_u16(status).unwrap_or_default(), [(header::CONTENT_TYPE, "application/json")], body).into_response();
    if let Some(seconds) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

async fn complete(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    match next(&shared, request_schema(), &body) {
        Turn::Status(status, wait, message) => refusal(status, wait, &message),
        Turn::Image(_) => refusal(500, None, "the script has an image, and words are asked for"),
        Turn::Garbage(text) => ([(header::CONTENT_TYPE, "text/event-stream")], format!("data: {text}\n\n")).into_response(),
        Turn::Say(text) => say(&shared, &text, End::Finished("stop")),
        Turn::Length(text) => say(&shared, &text, End::Finished("length")),
        Turn::Hang(text) => say(&shared, &text, End::Hang),
        Turn::Break(text) => say(&shared, &text, End::Break),
        Turn::Pause(text, gate, rest) => {
            let mut chunks = pieces(&text);
            let at = chunks.len();
            chunks.extend(pieces(&rest));
            events(&shared, chunks, End::Finished("stop"), Some((at, gate)))
        }
        Turn::Refuse(why) => {
            let chunk = json!({ "choices": [{ "index": 0, "delta": { "refusal": why }, "finish_reason": null }] });
            events(&shared, vec![chunk], End::Finished("stop"), None)
        }
    }
}

#[derive(Clone, Copy)]
enum End {
    Finished(&'static str),
    Hang,
    Break,
}

/// Counts a client who leaves before the end.
struct Leaving {
    shared: Arc<Shared>,
    is_done: bool,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if !self.is_done {
            self.shared.left.fetch_add(1, Ordering::SeqCst);
        }
    }
}

fn say(shared: &Arc<Shared>, text: &str, end: End) -> Response {
    events(shared, pieces(text), end, None)
}

fn pieces(text: &str) -> Vec<Value> {
    let letters: Vec<char> = text.chars().collect();
    letters
        .chunks(7)
        .map(|piece| json!({ "choices": [{ "index": 0, "delta": { "content": piece.iter().collect::<String>() }, "finish_reason": null }] }))
        .collect()
}

/// `pause`: before which chunk it waits, and for what.
fn events(shared: &Arc<Shared>, mut chunks: Vec<Value>, end: End, pause: Option<(usize, Arc<Notify>)>) -> Response {
    if let End::Finished(reason) = end {
        chunks.push(json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] }));
        chunks.push(json!({ "choices": [], "usage": { "prompt_tokens": 120, "completion_tokens": 34, "total_tokens": 154 } }));
    }
    let mut lines: Vec<std::io::Result<String>> = chunks.into_iter().map(|chunk| Ok(format!("data: {chunk}\n\n"))).collect();
    match end {
        End::Finished(_) => lines.push(Ok("data: [DONE]\n\n".into())),
        End::Break => lines.push(Err(std::io::Error::other("the connection breaks"))),
        End::Hang => {}
    }
    let hangs = matches!(end, End::Hang);
    let leaving = Leaving { shared: shared.clone(), is_done: false };
    let spoken = stream::iter(lines.into_iter().enumerate()).then(move |(at, line)| {
        let gate = pause.as_ref().filter(|(before, _)| *before == at).map(|(_, gate)| gate.clone());
        async move {
            if let Some(gate) = gate {
                gate.notified().await;
            }
            line
        }
    });
    let spoken = spoken.chain(stream::once(async move { if hangs { std::future::pending().await } else { Ok(String::new()) } }));
    // Dropped with the body, so that a client who leaves is counted.
    let body = stream::unfold((Box::pin(spoken), leaving), |(mut spoken, mut leaving)| async move {
        let next = spoken.next().await;
        leaving.is_done |= next.is_none();
        next.map(|next| (next, (spoken, leaving)))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(body)).into_response()
}
