//! The gateway: what people write, to whoever has opened a session and goes on with it. <https://discord.com/developers/docs/events/gateway>

use std::sync::Arc;

use anyhow::Result;
use axum::{
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{APPLICATION, FakeDiscord, Known, Person, SERVER, TOKEN};
use crate::watched::Watched;

/// How often a client is to say that it is there, in milliseconds, unless a test wants it otherwise.
const BEAT: u64 = 41_250;
/// Messages on servers and to the bot alone; what is privileged was not allowed.
const ALLOWED: u64 = (1 << 9) | (1 << 12);

/// The one session of the bot, and what happened in it.
#[derive(Default)]
pub(super) struct Gateway {
    session: Option<String>,
    /// All events so far: what one missed is sent when it resumes.
    events: Vec<Value>,
    /// Which connection speaks for the session.
    on: Option<usize>,
    /// Connections that were told to go, and how.
    orders: Vec<(usize, Order)>,
    connections: usize,
    identified: usize,
    resumed: usize,
    beats: usize,
    is_deaf: bool,
    beat: Option<u64>,
}

#[derive(Clone, Copy)]
enum Order {
    Reconnect,
    Cut,
    Forget,
}

/// `GET /gateway/bot`
pub(super) async fn find(State(known): State<Arc<Watched<Known>>>, headers: HeaderMap) -> Response {
    if let Some(refusal) = known.change(|known| known.admit(Some(&headers), &Value::Null)) {
        return refusal;
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let limit = json!({ "total": 1000, "remaining": 999, "reset_after": 14_400_000, "max_concurrency": 1 });
    axum::Json(json!({ "url": format!("ws://{host}/gateway"), "shards": 1, "session_start_limit": limit })).into_response()
}

pub(super) async fn serve(State(known): State<Arc<Watched<Known>>>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    upgrade.on_upgrade(move |socket| async move {
        let number = known.change(|known| {
            known.gateway.connections += 1;
            known.gateway.connections
        });
        let mut connection = Connection { known: &known, socket, number, host, at: None };
        // A connection that breaks off is a connection that breaks off.
        let _ = connection.hold().await;
        known.change(|known| {
            if known.gateway.on == Some(number) {
                known.gateway.on = None;
            }
        });
    })
}

struct Connection<'k> {
    known: &'k Watched<Known>,
    socket: WebSocket,
    number: usize,
    host: String,
    /// How many events it was sent, once it speaks for the session.
    at: Option<usize>,
}

impl Connection<'_> {
    async fn hold(&mut self) -> Result<()> {
        let beat = self.known.look().gateway.beat.unwrap_or(BEAT);
        self.say(10, None, None, &json!({ "heartbeat_interval": beat })).await?;
        let mut news = self.known.changes();
        loop {
            news.mark_unchanged();
            let order = self.known.look().gateway.orders.iter().find(|(number, _)| *number == self.number).map(|(_, order)| *order);
            match order {
                Some(Order::Cut) => return Ok(()),
                Some(Order::Reconnect) => {
                    self.say(7, None, None, &Value::Null).await?;
                    self.known.change(|known| known.gateway.orders.clear());
                    self.at = None;
                }
                Some(Order::Forget) => {
                    self.known.change(|known| {
                        known.gateway.session = None;
                        known.gateway.orders.clear();
                    });
                    self.say(9, None, None, &Value::Bool(false)).await?;
                    self.at = None;
                }
                None => {}
            }
            self.tell().await?;
            tokio::select! {
                changed = news.changed() => changed?,
                said = self.socket.recv() => match said {
                    Some(Ok(Message::Text(text))) => self.heard(&serde_json::from_str(&text)?).await?,
                    Some(Ok(Message::Close(frame))) => {
                        // By these a client says that it will not go on.
                        if frame.is_some_and(|frame| matches!(frame.code, 1000 | 1001)) {
                            self.known.change(|known| known.gateway.session = None);
                        }
                        return Ok(());
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Ok(()),
                },
            }
        }
    }

    /// Sends what happened since.
    async fn tell(&mut self) -> Result<()> {
        while let Some(at) = self.at {
            let event = self.known.look().gateway.events.get(at).cloned();
            let Some(event) = event else { break };
            self.say(0, Some(at + 2), Some("MESSAGE_CREATE"), &event).await?;
            self.at = Some(at + 1);
        }
        Ok(())
    }

    async fn heard(&mut self, frame: &Value) -> Result<()> {
        let d = &frame["d"];
        match frame["op"].as_u64() {
            Some(1) => {
                let is_deaf = self.known.change(|known| {
                    known.gateway.beats += 1;
                    known.gateway.is_deaf
                });
                if !is_deaf {
                    self.say(11, None, None, &Value::Null).await?;
                }
            }
            Some(2 | 6) if d["token"] != TOKEN => return self.close(4004, "Authentication failed.").await,
            Some(2) => {
                if d["intents"].as_u64().is_none_or(|intents| intents & !ALLOWED != 0) {
                    return self.close(4014, "Disallowed intent(s).").await;
                }
                if !["os", "browser", "device"].iter().all(|name| d["properties"][name].is_string()) {
                    return self.close(4002, "Error while decoding payload.").await;
                }
                let (number, session) = (self.number, format!("session{}", self.number));
                let missed = self.known.change(|known| {
                    known.gateway.identified += 1;
                    known.gateway.on = Some(number);
                    known.gateway.session = Some(session.clone());
                    known.gateway.events.len()
                });
                let user = json!({ "id": APPLICATION, "username": "Patchbay", "bot": true });
                let ready = json!({
                    "v": 10, "user": user, "guilds": [], "session_id": session, "resume_gateway_url": format!("ws://{}/gateway", self.host),
                    "application": { "id": APPLICATION, "flags": 0 },
                });
                self.say(0, Some(missed + 1), Some("READY"), &ready).await?;
                // What was written before the session began is nobody's any more.
                self.at = Some(missed);
            }
            Some(6) => {
                let seq = d["seq"].as_u64().and_then(|seq| usize::try_from(seq).ok()).unwrap_or_default();
                let number = self.number;
                let is_known = self.known.change(|known| {
                    let is_known = known.gateway.session.is_some() && d["session_id"].as_str() == known.gateway.session.as_deref() && seq > 0;
                    if is_known {
                        known.gateway.resumed += 1;
                        known.gateway.on = Some(number);
                    }
                    is_known
                });
                if !is_known {
                    return self.say(9, None, None, &Value::Bool(false)).await;
                }
                self.at = Some(seq - 1);
                self.tell().await?;
                self.say(0, Some(seq), Some("RESUMED"), &json!({})).await?;
            }
            _ => return self.close(4001, "Unknown opcode.").await,
        }
        Ok(())
    }

    async fn say(&mut self, op: u8, s: Option<usize>, t: Option<&str>, d: &Value) -> Result<()> {
        self.socket.send(Message::text(json!({ "op": op, "d": d, "s": s, "t": t }).to_string())).await.map_err(Into::into)
    }

    async fn close(&mut self, code: u16, reason: &'static str) -> Result<()> {
        self.known.change(|known| known.refused.push(format!("{code}: {reason}")));
        self.socket.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await?;
        anyhow::bail!("closed")
    }
}

impl Person<'_> {
    /// `@Patchbay …` in the room.
    pub fn mention(&self, text: &str) {
        self.write(&format!("<@{APPLICATION}> {text}"), &[APPLICATION], Some(SERVER), self.room);
    }

    /// A message to the bot alone.
    pub fn direct(&self, text: &str) {
        self.write(text, &[], None, &format!("D{}", self.user));
    }

    /// Something that is not said to the bot: then its content is for those who have the privileged intent.
    pub fn chat(&self) {
        self.write("", &[], Some(SERVER), self.room);
    }

    fn write(&self, content: &str, mentions: &[&str], guild: Option<&str>, channel: &str) {
        let mentions: Vec<Value> = mentions.iter().map(|id| json!({ "id": id, "username": "Patchbay", "bot": true })).collect();
        self.discord.known.change(|known| {
            let id = known.tick();
            let mut message = json!({
                "id": id, "type": 0, "channel_id": channel, "content": content, "mentions": mentions, "mention_everyone": false, "embeds": [], "attachments": [],
                "author": { "id": self.user, "username": self.name.to_lowercase(), "global_name": self.name, "discriminator": "0" },
                "timestamp": "2026-11-25T13:30:00.000000+00:00", "tts": false, "pinned": false,
            });
            if let Some(guild) = guild {
                message["guild_id"] = guild.into();
                message["member"] = json!({ "nick": null, "roles": [] });
            }
            known.posts.push(message.clone());
            known.gateway.events.push(message);
        });
    }
}

impl FakeDiscord {
    fn order(&self, order: Order) {
        self.known.change(|known| known.gateway.orders = known.gateway.on.map(|on| (on, order)).into_iter().collect());
    }

    /// Asks the client to come again and to go on.
    pub fn ask_to_reconnect(&self) {
        self.order(Order::Reconnect);
    }

    /// Cuts the connection without a word.
    pub fn cut(&self) {
        self.order(Order::Cut);
    }

    /// Forgets the session, and says so.
    pub fn forget_session(&self) {
        self.order(Order::Forget);
    }

    /// Wants heartbeats so often, in milliseconds, on connections that are opened from now on.
    pub fn want_beats(&self, every: u64) {
        self.known.change(|known| known.gateway.beat = Some(every));
    }

    /// Answers no heartbeat, or does again.
    pub fn be_deaf(&self, is_deaf: bool) {
        self.known.change(|known| known.gateway.is_deaf = is_deaf);
    }

    /// Waits until so many sessions were begun and so many gone on with.
    pub async fn sessions(&self, identified: usize, resumed: usize) -> Result<()> {
        let tell = |known: &Known| format!("{} begun, {} gone on with", known.gateway.identified, known.gateway.resumed);
        let find = |known: &Known| (known.gateway.identified == identified && known.gateway.resumed >= resumed && known.gateway.on.is_some()).then_some(());
        self.known.find(&format!("{identified} sessions, {resumed} times gone on with"), tell, find).await
    }

    /// Waits for so many heartbeats.
    pub async fn beats(&self, count: usize) -> Result<()> {
        self.known.find("heartbeats", |known| format!("{}", known.gateway.beats), |known| (known.gateway.beats >= count).then_some(())).await
    }
}
