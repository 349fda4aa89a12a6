//! A Slack that really serves, signs and remembers: its Web API on one side, people who write and press buttons on the other.
//! It holds Patchbay to what the documentation asks for: <https://docs.slack.dev/reference/methods>.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

mod socket;

use anyhow::{Context, Result};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use patchbay_channels::slack::signature;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::watched::{Shown, Watched};

pub const SIGNING_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
pub const BOT_TOKEN: &str = "xoxb-of-the-test";
/// What a socket is opened with.
pub const APP_TOKEN: &str = "xapp-of-the-test";
/// What the app is installed by, what Slack gives to whoever agrees, and what that is exchanged for.
pub const CLIENT: (&str, &str) = ("1234.5678", "client-secret-of-the-test");
pub const CODE: &str = "code-of-the-test";
pub const INSTALLED_TOKEN: &str = "xoxb-of-the-installation";
const TEAM: &str = "T0TEAM";
const BOT: &str = "U0BOT";
const PROGRAM: &str = "B0BOT";

/// What goes wrong with the next calls of a method.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Too many: come again after so many seconds.
    Wait(u64),
    Status(u16),
    /// Nothing: the call after it is meant.
    None,
}

/// What it takes of one app: <https://docs.slack.dev/apis/web-api/rate-limits>.
#[derive(Default)]
struct Limits {
    /// By room, how much may still be posted at once, and as of when.
    posts: HashMap<String, (f64, Option<Instant>)>,
    edits: VecDeque<Instant>,
    /// How often it was too much.
    exceeded: usize,
}

/// Messages of a room at once; one comes back each second.
const BURST: f64 = 6.0;
/// Edits a minute.
const EDITS: usize = 50;

impl Limits {
    /// Counts a call; `false` where it is too much.
    fn take(&mut self, method: &str, request: &Value) -> bool {
        let now = Instant::now();
        let is_within = match method {
            "chat.postMessage" => {
                let (left, at) = self.posts.entry(request["channel"].to_string()).or_insert((BURST, None));
                *left = BURST.min(*left + at.map_or(0.0, |at| (now - at).as_secs_f64()));
                *at = Some(now);
                let is_within = *left >= 1.0;
                *left -= f64::from(u8::from(is_within));
                is_within
            }
            "chat.update" | "chat.delete" => {
                self.edits.retain(|at| now - *at < Duration::from_mins(1));
                self.edits.push_back(now);
                self.edits.len() <= EDITS
            }
            _ => true,
        };
        self.exceeded += usize::from(!is_within);
        is_within
    }
}

/// All that it knows.
#[derive(Default)]
pub struct Known {
    messages: Vec<Message>,
    /// What people wrote.
    posts: Vec<Post>,
    /// Whether the app may not read what people wrote.
    is_blind: bool,
    /// The windows that are open, by user.
    views: HashMap<String, Value>,
    /// What people see when they look at the app's home.
    homes: HashMap<String, Value>,
    unfurls: Vec<Value>,
    /// Who holds a trigger, so who a window opens for.
    triggers: HashMap<String, String>,
    /// Where answers to what was said go: the room and who said it.
    answers: Vec<(String, String)>,
    users: HashMap<String, Value>,
    faults: HashMap<String, VecDeque<Fault>>,
    /// Requests that the real one would not take.
    refused: Vec<String>,
    /// Rooms that the app was not invited to.
    shut: Vec<String>,
    is_redeemed: bool,
    sockets: socket::Sockets,
    limits: Limits,
    clock: u64,
    calls: HashMap<String, usize>,
}

#[derive(Clone, Debug)]
struct Message {
    channel: String,
    ts: String,
    thread: Option<String>,
    only_for: Option<String>,
    body: Value,
    edits: usize,
}

#[derive(Clone, Debug)]
struct Post {
    channel: String,
    ts: String,
    thread: Option<String>,
    user: String,
    text: String,
}

impl Known {
    fn tick(&mut self) -> String {
        self.clock += 1;
        format!("1700000000.{:06}", self.clock)
    }

    fn tell(&self) -> String {
        self.messages.iter().fold(String::new(), |told, message| told + &format!("{:?}\n", shown(message)))
    }
}

fn shown(message: &Message) -> Shown {
    let mut text = String::new();
    let mut buttons = Vec::new();
    for block in message.body["blocks"].as_array().into_iter().flatten() {
        let elements = block["elements"].as_array().into_iter().flatten();
        for element in elements.chain([&block["text"], &block["accessory"]]) {
            if element["type"] == "button" {
                let label = element["text"]["text"].as_str().unwrap_or_default().to_owned();
                buttons.push((label, format!("{} {}", element["action_id"].as_str().unwrap_or_default(), element["value"].as_str().unwrap_or_default())));
            } else if let Some(words) = element["text"].as_str() {
                text.push_str(words);
                text.push('\n');
            }
        }
    }
    if text.is_empty() {
        message.body["text"].as_str().unwrap_or_default().clone_into(&mut text);
    }
    let text = text.replace('\u{200b}', "");
    Shown { id: message.ts.clone(), room: message.channel.clone(), text, buttons, only_for: message.only_for.clone(), edits: message.edits }
}

/// The running server.
pub struct FakeSlack {
    /// What to give as the API's address.
    pub url: String,
    /// Where Patchbay listens.
    pub patchbay: String,
    pub known: Arc<Watched<Known>>,
    /// Whether the app is switched to Socket Mode: then nothing is posted.
    is_on_socket: bool,
    http: reqwest::Client,
}

impl FakeSlack {
    pub async fn start() -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let known = Arc::new(Watched::default());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new()
            .route("/api/oauth.v2.access", get(exchange))
            .route("/api/apps.connections.open", post(socket::open))
            .route("/socket/{ticket}", get(socket::serve))
            .route("/api/{method}", post(call).get(call))
            .route("/answers/{number}", post(answer))
            .with_state(known.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url: format!("{url}/api"), patchbay: String::new(), known, is_on_socket: false, http: reqwest::Client::new() })
    }

    /// Switches the app to Socket Mode.
    pub fn use_socket(&mut self) {
        self.is_on_socket = true;
    }

    /// Somebody in a room.
    pub fn person<'s>(&'s self, user: &'s str, room: &'s str) -> Person<'s> {
        let name = user.trim_start_matches("U0").to_lowercase();
        let profile = json!({ "display_name": name, "email": format!("{name}@example.org") });
        self.known.change(|known| known.users.insert(user.to_owned(), json!({ "id": user, "name": name, "profile": profile })));
        Person { slack: self, user, room }
    }

    /// Lets the next calls of a method fail, one for each fault.
    pub fn fail(&self, method: &str, faults: impl IntoIterator<Item = Fault>) {
        self.known.change(|known| known.faults.entry(method.to_owned()).or_default().extend(faults));
    }

    /// Shuts a room, so that the app may not write there.
    pub fn shut(&self, room: &str) {
        self.known.change(|known| known.shut.push(room.to_owned()));
    }

    /// Takes from the app the right to read what people wrote.
    pub fn blind(&self) {
        self.known.change(|known| known.is_blind = true);
    }

    /// Waits for a message.
    pub async fn message(&self, what: &str, is_it: impl Fn(&Shown) -> bool) -> Result<Shown> {
        self.known.find(what, Known::tell, |known| known.messages.iter().map(shown).rev().find(&is_it)).await
    }

    /// Waits for the window of a user.
    pub async fn window(&self, user: &str) -> Result<Value> {
        self.known.find("a window", |known| format!("{:?}", known.views), |known| known.views.get(user).cloned()).await
    }

    /// Waits until somebody sees something at the app's home.
    pub async fn home(&self, user: &str, text: &str) -> Result<()> {
        let is_seen = |known: &Known| known.homes.get(user).filter(|home| home.to_string().contains(text)).map(drop);
        self.known.find("a home", |known| format!("{:?}", known.homes), is_seen).await
    }

    /// Waits for what is shown of addresses.
    pub async fn unfurl(&self) -> Result<Value> {
        self.known.find("an unfurl", |known| format!("{:?}", known.unfurls), |known| known.unfurls.last().cloned()).await
    }

    pub fn messages(&self) -> Vec<Shown> {
        self.known.look().messages.iter().map(shown).collect()
    }

    /// How often a method was called.
    pub fn calls(&self, method: &str) -> usize {
        self.known.look().calls.get(method).copied().unwrap_or_default()
    }

    /// How often it was asked for more than it takes.
    pub fn exceeded(&self) -> usize {
        self.known.look().limits.exceeded
    }

    /// Waits until a method was called so often.
    pub async fn called(&self, method: &str, times: usize) -> Result<()> {
        let find = |known: &Known| known.calls.get(method).filter(|calls| **calls >= times).map(drop);
        self.known.find(&format!("{times} calls of {method}"), |known| format!("{:?}", known.calls), find).await
    }

    /// Fails where a request was not one that Slack takes.
    pub fn check(&self) -> Result<()> {
        let known = self.known.look();
        anyhow::ensure!(known.refused.is_empty(), "Slack would not take: {:?}", known.refused);
        Ok(())
    }

    /// Posts to Patchbay, signed at a time.
    pub async fn post_at(&self, path: &str, content: &str, body: &str, seconds: i64, headers: &[(&str, &str)]) -> Result<(StatusCode, Value)> {
        let timestamp = seconds.to_string();
        let signature = signature::sign(&SIGNING_SECRET.into(), &timestamp, body.as_bytes());
        let mut request = self
            .http
            .post(format!("{}/api/v1/channels/slack/{path}", self.patchbay))
            .header("content-type", content)
            .header("x-slack-request-timestamp", timestamp)
            .header("x-slack-signature", signature)
            .body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await?;
        let status = response.status();
        Ok((status, serde_json::from_slice(&response.bytes().await?).unwrap_or_default()))
    }

    /// As people's words come to Patchbay: posted, or over the socket where the app is switched to it.
    async fn post(&self, path: &str, content: &str, body: &str, headers: &[(&str, &str)]) -> Result<Value> {
        if self.is_on_socket {
            return self.envelope(path, body, !headers.is_empty()).await;
        }
        let (status, answer) = self.post_at(path, content, body, now(), headers).await?;
        anyhow::ensure!(status == StatusCode::OK, "{status}: {answer}");
        Ok(answer)
    }

    fn next(&self, prefix: &str) -> String {
        self.known.change(|known| format!("{prefix}{}", known.tick().replace('.', "")))
    }

    fn address(&self, channel: &str, user: &str) -> String {
        let number = self.known.change(|known| {
            known.answers.push((channel.to_owned(), user.to_owned()));
            known.answers.len() - 1
        });
        self.url.replace("/api", &format!("/answers/{number}"))
    }

    fn trigger(&self, user: &str) -> String {
        let trigger = self.next("trigger.");
        self.known.change(|known| known.triggers.insert(trigger.clone(), user.to_owned()));
        trigger
    }
}

/// Now, in seconds.
pub fn now() -> i64 {
    use patchbay_core::ids::{Context, System};
    System::default().now().timestamp()
}

/// Somebody who writes and presses buttons.
#[derive(Clone, Copy)]
pub struct Person<'s> {
    slack: &'s FakeSlack,
    pub user: &'s str,
    pub room: &'s str,
}

impl Person<'_> {
    /// `/patchbay …`
    pub async fn command(&self, text: &str) -> Result<Value> {
        let (trigger, url) = (self.slack.trigger(self.user), self.slack.address(self.room, self.user));
        let name = self.user.to_lowercase();
        let fields = [
            ("token", "gIkuvaNzQIHg97ATvDxqgjtO"),
            ("team_id", TEAM),
            ("channel_id", self.room),
            ("user_id", self.user),
            ("user_name", &name),
            ("command", "/patchbay"),
            ("text", text),
            ("response_url", &url),
            ("trigger_id", &trigger),
        ];
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.slack.post("commands", "application/x-www-form-urlencoded", &body, &[]).await
    }

    /// Something that is not said to the app, in a thread where one is given; its `ts`.
    pub fn post(&self, text: &str, thread: Option<&str>) -> String {
        self.slack.known.change(|known| {
            let ts = known.tick();
            let (channel, thread, user) = (self.room.to_owned(), thread.map(str::to_owned), self.user.to_owned());
            known.posts.push(Post { channel, ts: ts.clone(), thread, user, text: text.to_owned() });
            ts
        })
    }

    /// `@patchbay …`, in a thread where one is given; sent so many times, as Slack does that hears nothing.
    pub async fn mention(&self, text: &str, thread: Option<&str>, times: usize) -> Result<()> {
        let text = format!("<@{BOT}> {text}");
        let ts = self.post(&text, thread);
        let mut event = json!({ "type": "app_mention", "user": self.user, "text": text, "ts": ts, "channel": self.room, "event_ts": ts });
        if let Some(thread) = thread {
            event["thread_ts"] = thread.into();
        }
        self.event(&event, times).await
    }

    /// A message to the app alone.
    pub async fn direct(&self, text: &str) -> Result<()> {
        let ts = self.slack.known.change(Known::tick);
        let channel = format!("D{}", self.user);
        self.event(&json!({ "type": "message", "channel_type": "im", "user": self.user, "text": text, "ts": ts, "channel": channel, "event_ts": ts }), 1).await
    }

    /// Any event, sent so many times.
    pub async fn event(&self, event: &Value, times: usize) -> Result<()> {
        let id = self.slack.next("Ev");
        let body = json!({
            "token": "XXYYZZ", "team_id": TEAM, "api_app_id": "A0APP", "event": event, "type": "event_callback", "event_id": id, "event_time": now(),
            "authorizations": [{ "team_id": TEAM, "user_id": BOT, "is_bot": true }],
        });
        for time in 0..times {
            let number = time.to_string();
            let headers = [("x-slack-retry-num", number.as_str()), ("x-slack-retry-reason", "http_timeout")];
            self.slack.post("events", "application/json", &body.to_string(), if time == 0 { &[] } else { &headers }).await?;
        }
        Ok(())
    }

    /// Presses a button as it was shown, though it may be gone by now.
    pub async fn press(&self, message: &Shown, label: &str) -> Result<()> {
        let (action_id, value) = message.button(label)?.split_once(' ').context("an action and its value")?;
        let thread = self.slack.known.look().messages.iter().find(|known| known.ts == message.id).and_then(|known| known.thread.clone());
        let action = json!({ "type": "button", "action_id": action_id, "block_id": "b", "value": value, "action_ts": "1548426417.840180" });
        let payload = json!({
            "type": "block_actions", "team": { "id": TEAM }, "user": self.me(), "api_app_id": "A0APP", "trigger_id": self.slack.trigger(self.user),
            "container": { "type": "message", "message_ts": message.id, "channel_id": message.room, "is_ephemeral": false },
            "channel": { "id": message.room, "name": "room" }, "message": { "type": "message", "user": BOT, "text": "", "ts": message.id, "thread_ts": thread },
            "response_url": self.slack.address(&message.room, self.user), "actions": [action],
        });
        self.interact(&payload).await.map(drop)
    }

    /// Fills in the window that is open, and hands it in. What is chosen of a list is given by its values.
    pub async fn hand_in(&self, answer: &str) -> Result<()> {
        let view = self.slack.window(self.user).await?;
        self.slack.known.change(|known| known.views.remove(self.user));
        let element = &view["blocks"][0]["element"];
        let field = if element["type"] == "multi_static_select" {
            let known: Vec<&str> = element["options"].as_array().into_iter().flatten().filter_map(|option| option["value"].as_str()).collect();
            let chosen: Vec<&str> = answer.split(',').collect();
            anyhow::ensure!(chosen.iter().all(|value| known.contains(value)), "{answer} can be chosen among {known:?}");
            json!({ "type": "multi_static_select", "selected_options": chosen.iter().map(|value| json!({ "value": value })).collect::<Vec<_>>() })
        } else {
            json!({ "type": "plain_text_input", "value": answer })
        };
        let (block, action) = (view["blocks"][0]["block_id"].as_str().context("a block")?, element["action_id"].as_str().context("a field")?);
        let payload = json!({
            "type": "view_submission", "team": { "id": TEAM }, "user": self.me(), "trigger_id": self.slack.trigger(self.user),
            "view": { "id": "V1", "type": "modal", "callback_id": view["callback_id"], "private_metadata": view["private_metadata"],
                "state": { "values": { block: { action: field } } } },
        });
        let answer = self.interact(&payload).await?;
        anyhow::ensure!(answer.is_null(), "the window closes: {answer}");
        Ok(())
    }

    /// The shortcut "Plan this" on what somebody wrote.
    pub async fn plan_this(&self, text: &str, author: &str) -> Result<()> {
        let payload = json!({
            "type": "message_action", "callback_id": "plan_this", "trigger_id": self.slack.trigger(self.user), "team": { "id": TEAM }, "user": self.me(),
            "channel": { "id": self.room, "name": "room" }, "message_ts": "1516229207.000133", "response_url": self.slack.address(self.room, self.user),
            "message": { "type": "message", "user": author, "ts": "1516229207.000133", "text": text },
        });
        self.interact(&payload).await.map(drop)
    }

    /// The same on a message that stands in a room, perhaps in a thread.
    pub async fn plan_post(&self, ts: &str) -> Result<()> {
        let message = {
            let known = self.slack.known.look();
            let post = known.posts.iter().find(|post| post.ts == ts).context("a message")?;
            let is_answered = known.posts.iter().any(|other| other.thread.as_deref() == Some(ts));
            let mut message = json!({ "type": "message", "user": post.user, "ts": ts, "text": post.text });
            if let Some(thread) = post.thread.clone().or_else(|| is_answered.then(|| ts.to_owned())) {
                message["thread_ts"] = thread.into();
            }
            message
        };
        let payload = json!({
            "type": "message_action", "callback_id": "plan_this", "trigger_id": self.slack.trigger(self.user), "team": { "id": TEAM }, "user": self.me(),
            "channel": { "id": self.room, "name": "room" }, "message_ts": ts, "response_url": self.slack.address(self.room, self.user), "message": message,
        });
        self.interact(&payload).await.map(drop)
    }

    fn me(&self) -> Value {
        json!({ "id": self.user, "username": self.user.to_lowercase(), "team_id": TEAM })
    }

    async fn interact(&self, payload: &Value) -> Result<Value> {
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
        self.slack.post("interactions", "application/x-www-form-urlencoded", &body, &[]).await
    }
}

/// A call of the Web API.
async fn call(State(known): State<Arc<Watched<Known>>>, Path(method): Path<String>, headers: HeaderMap, uri: axum::http::Uri, body: Bytes) -> Response {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if !given.is_some_and(|token| [BOT_TOKEN, INSTALLED_TOKEN].contains(&token)) {
        return refused("invalid_auth");
    }
    let request: Value = if body.is_empty() {
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect::<serde_json::Map<_, _>>()
            .into()
    } else {
        serde_json::from_slice(&body).unwrap_or_default()
    };
    known.change(|known| {
        *known.calls.entry(method.clone()).or_default() += 1;
        match known.faults.get_mut(&method).and_then(VecDeque::pop_front) {
            Some(Fault::Wait(seconds)) => return wait(seconds),
            Some(Fault::Status(status)) => return (StatusCode::from_u16(status).unwrap_or_default(), "oops").into_response(),
            Some(Fault::None) | None if !known.limits.take(&method, &request) => return wait(1),
            Some(Fault::None) | None => {}
        }
        if let Err(fault) = check(&request) {
            known.refused.push(format!("{method}: {fault}: {request}"));
            return refused("invalid_blocks");
        }
        known.done(&method, &request)
    })
}

/// Exchanges a code for the token of a workspace, once.
async fn exchange(State(known): State<Arc<Watched<Known>>>, headers: HeaderMap, Query(query): Query<HashMap<String, String>>) -> Response {
    let expected = reqwest::Client::new()
        .get("http://localhost")
        .basic_auth(CLIENT.0, Some(CLIENT.1))
        .build()
        .map(|request| request.headers()[header::AUTHORIZATION].clone());
    if !expected.is_ok_and(|expected| headers.get(header::AUTHORIZATION) == Some(&expected)) {
        return refused("bad_client_secret");
    }
    let is_first = known.change(|known| !std::mem::replace(&mut known.is_redeemed, true));
    if !is_first || query.get("code").is_none_or(|code| code != CODE) {
        return refused("invalid_code");
    }
    axum::Json(json!({ "ok": true, "access_token": INSTALLED_TOKEN, "token_type": "bot", "app_id": "A0APP", "team": { "id": TEAM, "name": "Example" } }))
        .into_response()
}

fn wait(seconds: u64) -> Response {
    let body = json!({ "ok": false, "error": "ratelimited" }).to_string();
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds.to_string()), (header::CONTENT_TYPE, "application/json".into())], body).into_response()
}

fn refused(code: &str) -> Response {
    axum::Json(json!({ "ok": false, "error": code })).into_response()
}

impl Known {
    fn done(&mut self, method: &str, request: &Value) -> Response {
        let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
        let done = |more: Value| {
            let mut answer = json!({ "ok": true });
            for (name, value) in more.as_object().into_iter().flatten() {
                answer[name] = value.clone();
            }
            axum::Json(answer).into_response()
        };
        match method {
            "chat.postMessage" | "chat.postEphemeral" => {
                let mut channel = text("channel");
                if self.shut.contains(&channel) {
                    return refused("not_in_channel");
                }
                if channel.starts_with('U') {
                    channel = format!("D{channel}");
                }
                let ts = self.tick();
                let only_for = (method == "chat.postEphemeral").then(|| text("user"));
                let thread = request["thread_ts"].as_str().map(str::to_owned);
                self.messages.push(Message { channel: channel.clone(), ts: ts.clone(), thread, only_for, body: request.clone(), edits: 0 });
                done(json!({ "channel": channel, "ts": ts, "message_ts": ts }))
            }
            "chat.update" => {
                let (channel, ts) = (text("channel"), text("ts"));
                let Some(message) = self.messages.iter_mut().find(|message| message.channel == channel && message.ts == ts && message.only_for.is_none())
                else {
                    return refused("message_not_found");
                };
                message.body = request.clone();
                message.edits += 1;
                done(json!({ "channel": channel, "ts": ts }))
            }
            "chat.delete" => {
                let ts = text("ts");
                self.messages.retain(|message| message.ts != ts);
                done(json!({ "ts": ts }))
            }
            "views.open" => {
                let Some(user) = self.triggers.remove(&text("trigger_id")) else { return refused("expired_trigger_id") };
                self.views.insert(user, request["view"].clone());
                done(json!({ "view": { "id": "V1" } }))
            }
            "views.publish" => {
                self.homes.insert(text("user_id"), request["view"].clone());
                done(json!({ "view": { "id": "V2" } }))
            }
            "chat.unfurl" => {
                self.unfurls.push(request.clone());
                done(json!({}))
            }
            "auth.test" => done(json!({ "user_id": BOT, "bot_id": PROGRAM, "team_id": TEAM })),
            "conversations.replies" => self.replies(request, done),
            "users.info" => match self.users.get(&text("user")) {
                Some(user) => done(json!({ "user": user })),
                None => refused("user_not_found"),
            },
            _ => refused("unknown_method"),
        }
    }
}

impl Known {
    /// A page of a thread: <https://docs.slack.dev/reference/methods/conversations.replies>. Its first message stands on each.
    fn replies(&self, request: &Value, done: impl Fn(Value) -> Response) -> Response {
        let text = |name: &str| request[name].as_str().unwrap_or_default();
        let (channel, thread) = (text("channel"), text("ts"));
        if self.is_blind {
            return refused("missing_scope");
        }
        if self.shut.iter().any(|room| room == channel) {
            return refused("not_in_channel");
        }
        let belongs = |room: &str, ts: &str, of: Option<&str>| room == channel && (ts == thread || of == Some(thread));
        let posts = self.posts.iter().filter(|post| belongs(&post.channel, &post.ts, post.thread.as_deref())).map(|post| {
            let mut message = json!({ "type": "message", "user": post.user, "ts": post.ts, "text": post.text, "thread_ts": thread });
            if post.ts == thread {
                message["reply_count"] = self.posts.iter().filter(|post| post.thread.as_deref() == Some(thread)).count().into();
            }
            message
        });
        let ours = self.messages.iter().filter(|message| message.only_for.is_none() && belongs(&message.channel, &message.ts, message.thread.as_deref()));
        let ours = ours
            .map(|message| json!({ "type": "message", "user": BOT, "bot_id": PROGRAM, "ts": message.ts, "text": message.body["text"], "thread_ts": thread }));
        let mut all: Vec<Value> = posts.chain(ours).collect();
        all.sort_by_key(|message| message["ts"].as_str().unwrap_or_default().to_owned());
        if all.is_empty() {
            return refused("thread_not_found");
        }
        let first = all.remove(0);
        let limit = text("limit").parse::<usize>().unwrap_or(1000).clamp(1, 1000);
        let from = match text("cursor").strip_prefix("next:") {
            None if text("cursor").is_empty() => 0,
            cursor => match cursor.and_then(|from| from.parse().ok()) {
                Some(from) => from,
                None => return refused("invalid_cursor"),
            },
        };
        let page: Vec<Value> = std::iter::once(first).chain(all.iter().skip(from).take(limit - 1).cloned()).collect();
        let next = from + limit - 1;
        let cursor = if next < all.len() { format!("next:{next}") } else { String::new() };
        done(json!({ "messages": page, "has_more": !cursor.is_empty(), "response_metadata": { "next_cursor": cursor } }))
    }
}

/// An answer to what was said, where the app may be no member.
async fn answer(State(known): State<Arc<Watched<Known>>>, Path(number): Path<usize>, axum::Json(body): axum::Json<Value>) -> Response {
    known.change(|known| {
        let Some((channel, user)) = known.answers.get(number).cloned() else { return StatusCode::NOT_FOUND.into_response() };
        if let Err(fault) = check(&body) {
            known.refused.push(format!("an answer: {fault}: {body}"));
            return StatusCode::BAD_REQUEST.into_response();
        }
        let ts = known.tick();
        let only_for = (body["response_type"] != "in_channel").then_some(user);
        known.messages.push(Message { channel, ts, thread: None, only_for, body, edits: 0 });
        "ok".into_response()
    })
}

/// What Block Kit takes: <https://docs.slack.dev/reference/block-kit/blocks>.
fn check(request: &Value) -> Result<()> {
    let long = |value: &Value, most: usize| value.as_str().is_some_and(|text| text.is_empty() || text.encode_utf16().count() > most);
    let view = &request["view"];
    anyhow::ensure!(!long(&view["title"]["text"], 24) && !long(&view["submit"]["text"], 24), "the title of a window");
    anyhow::ensure!(view["private_metadata"].as_str().unwrap_or_default().len() <= 3000, "what a window keeps");
    let blocks: Vec<&Value> = request["blocks"].as_array().into_iter().chain(view["blocks"].as_array()).flatten().collect();
    anyhow::ensure!(blocks.len() <= 100 && (blocks.len() <= 50 || !view.is_null()), "{} blocks", blocks.len());
    for block in blocks {
        anyhow::ensure!(!long(&block["text"]["text"], if block["type"] == "header" { 150 } else { 3000 }), "the text of a block");
        let elements: Vec<&Value> = block["elements"].as_array().into_iter().flatten().chain([&block["element"], &block["accessory"]]).collect();
        anyhow::ensure!(elements.len() <= 27, "{} elements", elements.len());
        let mut names: Vec<&str> = elements.iter().filter_map(|element| element["action_id"].as_str()).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        anyhow::ensure!(names.len() == all, "two fields of one name");
        for element in elements {
            anyhow::ensure!(!long(&element["value"], 2000) && !long(&element["action_id"], 255), "a button's value");
            anyhow::ensure!(element["type"] != "button" || !long(&element["text"]["text"], 75), "a button's label");
            let options: Vec<&Value> = element["options"].as_array().into_iter().flatten().collect();
            anyhow::ensure!(options.len() <= 100 && options.iter().all(|option| !long(&option["text"]["text"], 75)), "options");
        }
    }
    Ok(())
}
