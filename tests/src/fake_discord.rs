//! A Discord that really serves, signs and remembers: its HTTP API on one side, people who write and press buttons on the other.
//! It holds Patchbay to what the documentation asks for: <https://discord.com/developers/docs/resources/message>.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

mod gateway;

use anyhow::{Context, Result};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get, patch, post, put},
};
use ed25519_dalek::{Signer, SigningKey};
use patchbay_core::review::view::hex;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    fake_slack::now,
    watched::{Shown, Watched},
};

pub const TOKEN: &str = "discord-token-of-the-test";
pub const APPLICATION: &str = "775799577604522054";
const SERVER: &str = "290926798626357999";

/// What goes wrong with the next requests.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Too many: come again after so many seconds.
    Wait(f64),
    /// Too many of all routes together.
    WaitAll(f64),
    Status(u16),
}

/// All that it knows.
#[derive(Default)]
pub struct Known {
    messages: Vec<Message>,
    /// What people wrote, as Discord gives it.
    posts: Vec<Value>,
    /// Rooms that are threads.
    threads: HashSet<String>,
    /// Whether the application has no right to see what messages say.
    is_blind: bool,
    /// How many pages of messages were given.
    pages: usize,
    /// By token: the room, who may be answered, and whether "thinking" is shown, to that person alone.
    interactions: HashMap<String, Interaction>,
    /// Tokens whose fifteen minutes are over.
    expired: HashSet<String>,
    windows: HashMap<String, Value>,
    commands: Value,
    gateway: gateway::Gateway,
    /// By route: when its window began, and how many requests came in it.
    windows_of: HashMap<String, (Instant, u32)>,
    exceeded: usize,
    /// People who take no messages of the bot alone.
    shut: HashSet<String>,
    faults: VecDeque<Fault>,
    refused: Vec<String>,
    clock: u64,
}

#[derive(Clone, Debug)]
struct Interaction {
    channel: String,
    user: String,
    awaited: Option<bool>,
}

#[derive(Clone, Debug)]
struct Message {
    id: String,
    channel: String,
    only_for: Option<String>,
    token: Option<String>,
    nonce: Option<String>,
    body: Value,
    edits: usize,
}

impl Known {
    fn tick(&mut self) -> String {
        self.clock += 1;
        format!("11{:016}", self.clock)
    }

    fn tell(&self) -> String {
        self.messages.iter().fold(String::new(), |told, message| told + &format!("{:?}\n", shown(message)))
    }
}

fn shown(message: &Message) -> Shown {
    let mut text = message.body["content"].as_str().unwrap_or_default().to_owned();
    for embed in message.body["embeds"].as_array().into_iter().flatten() {
        let fields = embed["fields"].as_array().into_iter().flatten().flat_map(|field| [&field["name"], &field["value"]]);
        for part in [&embed["title"], &embed["description"]].into_iter().chain(fields).chain([&embed["footer"]["text"]]) {
            if let Some(part) = part.as_str() {
                text.push('\n');
                text.push_str(part);
            }
        }
    }
    let rows = message.body["components"].as_array().into_iter().flatten();
    let buttons = rows.flat_map(|row| row["components"].as_array().into_iter().flatten());
    let buttons = buttons.map(|button| (button["label"].as_str().unwrap_or_default().to_owned(), button["custom_id"].as_str().unwrap_or_default().to_owned()));
    Shown { id: message.id.clone(), room: message.channel.clone(), buttons: buttons.collect(), text, only_for: message.only_for.clone(), edits: message.edits }
}

/// The running server.
pub struct FakeDiscord {
    /// What to give as the API's address.
    pub url: String,
    /// Where Patchbay listens.
    pub patchbay: String,
    pub known: Arc<Watched<Known>>,
    key: SigningKey,
    http: reqwest::Client,
}

impl FakeDiscord {
    pub async fn start() -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let known = Arc::new(Watched::default());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new()
            .route("/api/v10/users/@me", get(me))
            .route("/api/v10/users/@me/channels", post(direct))
            .route("/api/v10/channels/{channel}", get(room))
            .route("/api/v10/channels/{channel}/messages", post(say).get(page))
            .route("/api/v10/channels/{channel}/messages/{id}", any(change))
            .route("/api/v10/webhooks/{application}/{token}", post(follow))
            .route("/api/v10/webhooks/{application}/{token}/messages/@original", patch(original).delete(original))
            .route("/api/v10/applications/{application}/commands", put(register))
            .route("/api/v10/gateway/bot", get(gateway::find))
            .route("/gateway/", get(gateway::serve))
            .with_state(known.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let key = SigningKey::from_bytes(&[7; 32]);
        Ok(Self { url, patchbay: String::new(), known, key, http: reqwest::Client::new() })
    }

    /// What the application's page shows.
    pub fn public_key(&self) -> String {
        hex(self.key.verifying_key().as_bytes())
    }

    /// Somebody in a room.
    pub fn person<'d>(&'d self, user: &'d str, name: &'d str, room: &'d str) -> Person<'d> {
        Person { discord: self, user, name, room }
    }

    /// Lets the next requests fail, one for each fault.
    pub fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.known.change(|known| known.faults.extend(faults));
    }

    /// Somebody takes no messages of the bot alone any more.
    pub fn shut(&self, user: &str) {
        self.known.change(|known| known.shut.insert(format!("D{user}")));
    }

    /// Makes a room a thread.
    pub fn thread(&self, room: &str) {
        self.known.change(|known| known.threads.insert(room.to_owned()));
    }

    /// Takes from the application the right to see what messages say.
    pub fn blind(&self) {
        self.known.change(|known| known.is_blind = true);
    }

    /// How many pages of messages it gave.
    pub fn pages(&self) -> usize {
        self.known.look().pages
    }

    /// Lets the fifteen minutes pass of every interaction so far.
    pub fn let_time_pass(&self) {
        self.known.change(|known| known.expired.extend(known.interactions.keys().cloned()));
    }

    pub async fn message(&self, what: &str, is_it: impl Fn(&Shown) -> bool) -> Result<Shown> {
        self.known.find(what, Known::tell, |known| known.messages.iter().map(shown).rev().find(&is_it)).await
    }

    pub fn messages(&self) -> Vec<Shown> {
        self.known.look().messages.iter().map(shown).collect()
    }

    /// How often it was asked for more than it takes.
    pub fn exceeded(&self) -> usize {
        self.known.look().exceeded
    }

    /// The commands that it was told.
    pub fn commands(&self) -> Value {
        self.known.look().commands.clone()
    }

    /// Fails where a request was not one that Discord takes.
    pub fn check(&self) -> Result<()> {
        let known = self.known.look();
        anyhow::ensure!(known.refused.is_empty(), "Discord would not take: {:?}", known.refused);
        Ok(())
    }

    /// A request to a Patchbay, signed.
    pub fn request(&self, patchbay: &str, body: &Value) -> reqwest::RequestBuilder {
        self.request_signed(patchbay, body, &self.key)
    }

    fn request_signed(&self, patchbay: &str, body: &Value, key: &SigningKey) -> reqwest::RequestBuilder {
        let (timestamp, body) = (now().to_string(), body.to_string());
        let signature = hex(&key.sign(format!("{timestamp}{body}").as_bytes()).to_bytes());
        let request = self.http.post(format!("{patchbay}/api/v1/channels/discord/interactions")).header("content-type", "application/json");
        request.header("x-signature-ed25519", signature).header("x-signature-timestamp", timestamp).body(body)
    }

    /// Posts to Patchbay, signed by a key.
    pub async fn post_signed(&self, body: &Value, key: &SigningKey) -> Result<(StatusCode, Value)> {
        let response = self.request_signed(&self.patchbay, body, key).send().await?;
        let status = response.status();
        Ok((status, serde_json::from_slice(&response.bytes().await?).unwrap_or_default()))
    }

    pub async fn post(&self, body: &Value) -> Result<Value> {
        let (status, answer) = self.post_signed(body, &self.key).await?;
        anyhow::ensure!(status == StatusCode::OK, "{status}: {answer}");
        Ok(answer)
    }
}

/// Somebody who writes and presses buttons.
#[derive(Clone, Copy)]
pub struct Person<'d> {
    discord: &'d FakeDiscord,
    pub user: &'d str,
    name: &'d str,
    pub room: &'d str,
}

impl Person<'_> {
    /// `/patchbay text:…`, sent so many times.
    pub async fn command(&self, text: &str, times: usize) -> Result<()> {
        self.interact(2, &slash(text), times).await
    }

    /// Presses a button as it was shown, though it may be gone by now.
    pub async fn press(&self, message: &Shown, label: &str) -> Result<()> {
        let data = json!({ "component_type": 2, "custom_id": message.button(label)? });
        self.interact(3, &data, 1).await
    }

    /// "Plan this" on what somebody wrote.
    pub async fn plan_this(&self, text: &str, author: &str) -> Result<()> {
        let message = json!({ "id": "9", "type": 0, "content": text, "author": { "id": author, "username": "someone" } });
        self.interact(2, &json!({ "id": "2", "name": "Plan this", "type": 3, "target_id": "9", "resolved": { "messages": { "9": message } } }), 1).await
    }

    /// Something that is not said to the bot, perhaps in answer to a message; its id.
    pub fn post(&self, text: &str, answers: Option<&str>) -> String {
        self.discord.known.change(|known| {
            let id = known.tick();
            let mut message = json!({
                "id": id, "type": if answers.is_some() { 19 } else { 0 }, "channel_id": self.room, "content": text, "mentions": [], "embeds": [], "attachments": [],
                "author": { "id": self.user, "username": self.name.to_lowercase(), "global_name": self.name },
            });
            if let Some(answered) = answers {
                message["message_reference"] = json!({ "message_id": answered, "channel_id": self.room, "guild_id": SERVER });
            }
            known.posts.push(message);
            id
        })
    }

    /// "Plan this" on a message that stands in the room.
    pub async fn plan_post(&self, id: &str) -> Result<()> {
        let message = self.discord.known.look().posts.iter().find(|post| post["id"] == id).cloned().context("a message")?;
        let data = json!({ "id": "2", "name": "Plan this", "type": 3, "target_id": id, "resolved": { "messages": { id: message } } });
        self.interact(2, &data, 1).await
    }

    /// Fills in the window that is open, and hands it in. What is chosen of a list is given by its values.
    pub async fn hand_in(&self, answer: &str) -> Result<()> {
        let window = self.discord.known.find("a window", |known| format!("{:?}", known.windows), |known| known.windows.get(self.user).cloned()).await?;
        self.discord.known.change(|known| known.windows.remove(self.user));
        let field = &window["components"][0]["component"];
        let filled = if field["type"] == 3 {
            let known: Vec<&str> = field["options"].as_array().into_iter().flatten().filter_map(|option| option["value"].as_str()).collect();
            let chosen: Vec<&str> = answer.split(',').collect();
            anyhow::ensure!(chosen.iter().all(|value| known.contains(value)), "{answer} can be chosen among {known:?}");
            json!({ "type": 3, "custom_id": field["custom_id"], "values": chosen })
        } else {
            json!({ "type": 4, "custom_id": field["custom_id"], "value": answer })
        };
        self.interact(5, &json!({ "custom_id": window["custom_id"], "components": [{ "type": 18, "component": filled }] }), 1).await
    }

    async fn interact(&self, kind: u8, data: &Value, times: usize) -> Result<()> {
        let (body, token) = self.interaction(kind, data);
        for _ in 0..times {
            let answer = self.discord.post(&body).await?;
            self.answered(&token, &answer)?;
        }
        Ok(())
    }

    /// `/patchbay text:…` as it is sent, and its token: for who sends it in their own way, and says what was answered.
    pub fn slash(&self, text: &str) -> (Value, String) {
        self.interaction(2, &slash(text))
    }

    /// What Discord does with the answer to an interaction.
    pub fn answered(&self, token: &str, answer: &Value) -> Result<()> {
        self.discord.known.change(|known| known.answered(token, self.user, answer))
    }

    fn interaction(&self, kind: u8, data: &Value) -> (Value, String) {
        let (id, token) = self.discord.known.change(|known| {
            let id = known.tick();
            let token = format!("token{id}");
            known.interactions.insert(token.clone(), Interaction { channel: self.room.to_owned(), user: self.user.to_owned(), awaited: None });
            (id, token)
        });
        let is_thread = self.discord.known.look().threads.contains(self.room);
        let room = json!({ "id": self.room, "type": if is_thread { 11 } else { 0 } });
        let body = json!({
            "type": kind, "token": token, "id": id, "guild_id": SERVER, "channel_id": self.room, "channel": room, "application_id": APPLICATION, "version": 1,
            "member": { "user": { "id": self.user, "username": self.name.to_lowercase(), "global_name": self.name }, "nick": null }, "data": data,
        });
        (body, token)
    }
}

fn slash(text: &str) -> Value {
    json!({ "id": "1", "name": "patchbay", "type": 1, "options": [{ "type": 3, "name": "text", "value": text }] })
}

impl Known {
    /// What Discord does with the answer to an interaction.
    fn answered(&mut self, token: &str, user: &str, answer: &Value) -> Result<()> {
        let id = self.tick();
        let interaction = self.interactions.get_mut(token).context("an interaction")?;
        match answer["type"].as_u64() {
            Some(4) => {
                let only_for = (answer["data"]["flags"] == 64).then(|| user.to_owned());
                let message = Message { id, channel: interaction.channel.clone(), only_for, token: None, nonce: None, body: answer["data"].clone(), edits: 0 };
                self.messages.push(message);
            }
            Some(5) => interaction.awaited = Some(answer["data"]["flags"] == 64),
            Some(6) => {}
            Some(9) => {
                let window = &answer["data"];
                let fields: Vec<&Value> = window["components"].as_array().into_iter().flatten().collect();
                anyhow::ensure!((1..=5).contains(&fields.len()) && fields.iter().all(|field| field["type"] == 18), "the fields of a window: {window}");
                anyhow::ensure!(window["title"].as_str().is_some_and(|title| title.len() <= 45), "the title of a window: {window}");
                self.windows.insert(user.to_owned(), window.clone());
            }
            _ => anyhow::bail!("Discord takes no such answer: {answer}"),
        }
        Ok(())
    }

    /// What stands before any request: faults, the bot's token, and what a message may be.
    fn admit(&mut self, headers: Option<&HeaderMap>, body: &Value) -> Option<Response> {
        match self.faults.pop_front() {
            Some(Fault::Wait(seconds)) => return Some(wait(seconds, false)),
            Some(Fault::WaitAll(seconds)) => return Some(wait(seconds, true)),
            Some(Fault::Status(status)) => return Some(StatusCode::from_u16(status).unwrap_or_default().into_response()),
            None => {}
        }
        if headers.is_some_and(|headers| headers.get(header::AUTHORIZATION).is_none_or(|value| value != format!("Bot {TOKEN}").as_str())) {
            return Some(refused(StatusCode::UNAUTHORIZED, 0, "401: Unauthorized"));
        }
        if let Err(fault) = check(body) {
            self.refused.push(format!("{fault}: {body}"));
            return Some(refused(StatusCode::BAD_REQUEST, 50035, "Invalid Form Body"));
        }
        None
    }
}

/// What a route of a channel takes within a window: <https://discord.com/developers/docs/topics/rate-limits>.
const LIMIT: u32 = 5;
const WINDOW: Duration = Duration::from_secs(5);

impl Known {
    /// Counts a request of a route, and says with the answer what it takes still.
    fn counted(&mut self, route: &str, answer: impl FnOnce(&mut Self) -> Response) -> Response {
        let now = Instant::now();
        let window = self.windows_of.entry(route.to_owned()).or_insert((now, 0));
        if now - window.0 >= WINDOW {
            *window = (now, 0);
        }
        window.1 += 1;
        let (left, reset) = (LIMIT.checked_sub(window.1), WINDOW.saturating_sub(now - window.0).as_secs_f64());
        let mut response = if left.is_some() {
            answer(self)
        } else {
            self.exceeded += 1;
            wait(reset, false)
        };
        for (name, value) in [
            ("x-ratelimit-limit", LIMIT.to_string()),
            ("x-ratelimit-remaining", left.unwrap_or_default().to_string()),
            ("x-ratelimit-reset-after", reset.to_string()),
        ] {
            if let Ok(value) = value.parse() {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

fn wait(seconds: f64, is_global: bool) -> Response {
    let body = json!({ "message": "You are being rate limited.", "retry_after": seconds, "global": is_global });
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds.to_string())], axum::Json(body)).into_response()
}

fn refused(status: StatusCode, code: u64, message: &str) -> Response {
    (status, axum::Json(json!({ "message": message, "code": code }))).into_response()
}

fn read(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

fn named(message: &Message) -> Response {
    axum::Json(json!({ "id": message.id, "channel_id": message.channel })).into_response()
}

async fn say(State(known): State<Arc<Watched<Known>>>, Path(channel): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let body = read(&body);
    let said = |known: &mut Known| {
        if let Some(refusal) = known.admit(Some(&headers), &body) {
            return refusal;
        }
        if known.shut.contains(&channel) {
            return refused(StatusCode::FORBIDDEN, 50007, "Cannot send messages to this user");
        }
        let nonce = body["nonce"].as_str().map(str::to_owned);
        if let Some(same) = known.messages.iter().find(|message| nonce.is_some() && body["enforce_nonce"] == true && message.nonce == nonce) {
            return named(same);
        }
        let message = Message { id: known.tick(), channel: channel.clone(), only_for: None, token: None, nonce, body: body.clone(), edits: 0 };
        let answer = named(&message);
        known.messages.push(message);
        answer
    };
    known.change(|known| known.counted(&format!("POST {channel}"), said))
}

async fn me(State(known): State<Arc<Watched<Known>>>, headers: HeaderMap) -> Response {
    known.change(|known| {
        known
            .admit(Some(&headers), &Value::Null)
            .unwrap_or_else(|| axum::Json(json!({ "id": APPLICATION, "username": "Patchbay", "bot": true })).into_response())
    })
}

async fn room(State(known): State<Arc<Watched<Known>>>, Path(channel): Path<String>, headers: HeaderMap) -> Response {
    known.change(|known| {
        let kind = if known.threads.contains(&channel) { 11 } else { 0 };
        known.admit(Some(&headers), &Value::Null).unwrap_or_else(|| axum::Json(json!({ "id": channel, "type": kind })).into_response())
    })
}

impl Known {
    /// What stands in a room, oldest first, as far as it may be seen: <https://discord.com/developers/docs/resources/message#get-channel-messages>.
    fn stands(&self, channel: &str) -> Vec<Value> {
        let ours = self.messages.iter().filter(|message| message.channel == channel && message.only_for.is_none());
        let ours = ours.map(|message| {
            let author = json!({ "id": APPLICATION, "username": "Patchbay", "bot": true });
            json!({ "id": message.id, "type": 0, "channel_id": channel, "content": message.body["content"].as_str().unwrap_or_default(), "author": author, "mentions": [] })
        });
        let mut all: Vec<Value> = self.posts.iter().filter(|post| post["channel_id"] == channel).cloned().chain(ours).collect();
        all.sort_by_key(|message| message["id"].as_str().unwrap_or_default().to_owned());
        for message in &mut all {
            if self.is_blind && message["author"]["id"] != APPLICATION {
                message["content"] = "".into();
            }
        }
        all
    }
}

/// A page of what stands in a room, the newest first.
async fn page(
    State(known): State<Arc<Watched<Known>>>,
    Path(channel): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let paged = |known: &mut Known| {
        if let Some(refusal) = known.admit(Some(&headers), &Value::Null) {
            return refusal;
        }
        let limit = query.get("limit").and_then(|limit| limit.parse::<usize>().ok()).unwrap_or(50);
        if !(1..=100).contains(&limit) || (query.contains_key("before") && query.contains_key("after")) {
            known.refused.push(format!("a page of {query:?}"));
            return refused(StatusCode::BAD_REQUEST, 50035, "Invalid Form Body");
        }
        let mut all = known.stands(&channel);
        let id = |message: &Value| message["id"].as_str().unwrap_or_default().to_owned();
        if let Some(before) = query.get("before") {
            all.retain(|message| id(message) < *before);
        }
        if let Some(after) = query.get("after") {
            all.retain(|message| id(message) > *after);
            all.truncate(limit);
        }
        let older = all.len().saturating_sub(limit);
        let mut page = all.split_off(older);
        page.reverse();
        known.pages += 1;
        axum::Json(page).into_response()
    };
    known.change(|known| known.counted(&format!("GET {channel}"), paged))
}

/// The channel of one person alone.
async fn direct(State(known): State<Arc<Watched<Known>>>, headers: HeaderMap, body: Bytes) -> Response {
    let body = read(&body);
    known.change(|known| {
        known
            .admit(Some(&headers), &Value::Null)
            .unwrap_or_else(|| axum::Json(json!({ "id": format!("D{}", body["recipient_id"].as_str().unwrap_or_default()), "type": 1 })).into_response())
    })
}

async fn change(
    State(known): State<Arc<Watched<Known>>>,
    Path((channel, id)): Path<(String, String)>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = read(&body);
    let changed = |known: &mut Known| {
        if let Some(refusal) = known.admit(Some(&headers), &body) {
            return refusal;
        }
        if method == Method::GET {
            let found = known.stands(&channel).into_iter().find(|message| message["id"] == id.as_str());
            return found.map_or_else(|| refused(StatusCode::NOT_FOUND, 10008, "Unknown Message"), |message| axum::Json(message).into_response());
        }
        let Some(at) = known.messages.iter().position(|message| message.channel == channel && message.id == id && message.only_for.is_none()) else {
            return refused(StatusCode::NOT_FOUND, 10008, "Unknown Message");
        };
        if method == Method::DELETE {
            known.messages.remove(at);
            return StatusCode::NO_CONTENT.into_response();
        }
        let message = &mut known.messages[at];
        message.body = body.clone();
        message.edits += 1;
        named(message)
    };
    known.change(|known| known.counted(&format!("{method} {channel}"), changed))
}

async fn follow(
    State(known): State<Arc<Watched<Known>>>,
    Path((_, token)): Path<(String, String)>,
    Query(query): Query<HashMap<String, String>>,
    body: Bytes,
) -> Response {
    let body = read(&body);
    known.change(|known| {
        if let Some(refusal) = known.admit(None, &body) {
            return refusal;
        }
        let Some(interaction) = known.interactions.get(&token).filter(|_| !known.expired.contains(&token)).cloned() else {
            return refused(StatusCode::UNAUTHORIZED, 50027, "Invalid Webhook Token");
        };
        let only_for = (body["flags"] == 64).then_some(interaction.user);
        let message = Message { id: known.tick(), channel: interaction.channel, only_for, token: None, nonce: None, body, edits: 0 };
        let answer = if query.get("wait").is_some_and(|wait| wait == "true") { named(&message) } else { StatusCode::NO_CONTENT.into_response() };
        known.messages.push(message);
        answer
    })
}

async fn original(State(known): State<Arc<Watched<Known>>>, Path((_, token)): Path<(String, String)>, method: Method, body: Bytes) -> Response {
    let body = read(&body);
    known.change(|known| {
        if let Some(refusal) = known.admit(None, &body) {
            return refusal;
        }
        if known.expired.contains(&token) {
            return refused(StatusCode::UNAUTHORIZED, 50027, "Invalid Webhook Token");
        }
        if let Some(message) = known.messages.iter_mut().find(|message| message.token.as_ref() == Some(&token)) {
            message.body = body;
            message.edits += 1;
            return named(message);
        }
        let id = known.tick();
        let Some(interaction) = known.interactions.get_mut(&token) else { return refused(StatusCode::NOT_FOUND, 10015, "Unknown Webhook") };
        let Some(is_private) = interaction.awaited.take() else { return refused(StatusCode::NOT_FOUND, 10008, "Unknown Message") };
        if method == Method::DELETE {
            return StatusCode::NO_CONTENT.into_response();
        }
        let only_for = is_private.then(|| interaction.user.clone());
        let message = Message { id, channel: interaction.channel.clone(), only_for, token: Some(token), nonce: None, body, edits: 0 };
        let answer = named(&message);
        known.messages.push(message);
        answer
    })
}

async fn register(State(known): State<Arc<Watched<Known>>>, Path(application): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let body = read(&body);
    known.change(|known| {
        if let Some(refusal) = known.admit(Some(&headers), &Value::Null) {
            return refusal;
        }
        if application != APPLICATION {
            return refused(StatusCode::FORBIDDEN, 20012, "You are not authorized to perform this action on this application");
        }
        known.commands = body.clone();
        axum::Json(body).into_response()
    })
}

/// What a message may be.
fn check(body: &Value) -> Result<()> {
    let length = |value: &Value| value.as_str().map_or(0, |text| text.encode_utf16().count());
    anyhow::ensure!(length(&body["content"]) <= 2000, "the content is too long");
    anyhow::ensure!(length(&body["nonce"]) <= 25, "the nonce is too long");
    let embeds: Vec<&Value> = body["embeds"].as_array().into_iter().flatten().collect();
    let mut all = 0;
    for embed in &embeds {
        let fields: Vec<&Value> = embed["fields"].as_array().into_iter().flatten().collect();
        anyhow::ensure!(fields.len() <= 25, "{} fields", fields.len());
        for field in fields {
            anyhow::ensure!((1..=256).contains(&length(&field["name"])) && (1..=1024).contains(&length(&field["value"])), "a field");
            all += length(&field["name"]) + length(&field["value"]);
        }
        all += length(&embed["title"]) + length(&embed["description"]) + length(&embed["footer"]["text"]);
    }
    anyhow::ensure!(embeds.len() <= 10 && all <= 6000, "the embeds are too long: {all}");
    let rows: Vec<&Value> = body["components"].as_array().into_iter().flatten().collect();
    anyhow::ensure!(rows.len() <= 5, "{} rows", rows.len());
    let mut names = HashSet::new();
    for row in rows {
        let buttons: Vec<&Value> = row["components"].as_array().into_iter().flatten().collect();
        anyhow::ensure!((1..=5).contains(&buttons.len()), "{} buttons in a row", buttons.len());
        for button in buttons {
            anyhow::ensure!((1..=100).contains(&length(&button["custom_id"])) && (1..=80).contains(&length(&button["label"])), "a button");
            anyhow::ensure!(names.insert(button["custom_id"].as_str()), "two buttons are the same");
        }
    }
    Ok(())
}
