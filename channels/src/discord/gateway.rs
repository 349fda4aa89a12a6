//! The gateway: what people write to us that is no interaction, over a WebSocket that we open. <https://discord.com/developers/docs/events/gateway>
//!
//! Invariants: the session goes on behind the last event that was dealt with, a mention after it was stored, also in another process after this one
//! died; of all processes one holds the connection.
//!
//! Not by serenity's client, of which the words of the protocol are: its sessions cannot be kept beyond a process, so that what is written while one
//! starts is lost, it counts an event as heard before anybody was given it, and it would bring a second TLS. Mentions of the bot and messages to it alone
//! have their content without the privileged intent.

use std::time::Duration;

use futures::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use patchbay_core::{
    channel::{Channel, store},
    db,
    ids::OrganizationId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use serenity::{
    all::GatewayIntents,
    constants::{GATEWAY_VERSION, Opcode, close_codes},
};
use tokio::{net::TcpStream, time::Instant};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, protocol::CloseFrame},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    client::{Client, Failure},
    decode, receive,
};
use crate::{
    hub::Hub,
    line::{Line, Patience},
};

/// How long the right to the connection lasts, and how often it is renewed.
const HOLD: (f64, Duration) = (15.0, Duration::from_secs(5));
/// How long an open connection is waited for, and its first word.
const PATIENCE: Duration = Duration::from_secs(15);
/// How a connection is closed whose session goes on: by 1000 and 1001 it would end.
const COME_BACK: u16 = 4000;
/// How long Discord wants us to wait before a session begins anew that it did not know: between one and five seconds.
const ANEW: Duration = Duration::from_secs(2);

/// Hears Discord over its gateway.
pub struct Gateway {
    hub: Hub,
    organization: OrganizationId,
    client: Client,
    line: Line,
    holder: Uuid,
}

/// Where a connection goes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Session {
    id: String,
    /// Where it is resumed.
    url: String,
    /// The last event that was dealt with.
    seq: u64,
    /// What Discord calls the bot.
    we: String,
}

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What stands in a frame.
#[derive(Deserialize)]
struct Frame {
    op: Opcode,
    #[serde(default)]
    d: Value,
    s: Option<u64>,
    #[serde(default)]
    t: Option<String>,
}

#[derive(Deserialize)]
struct Ready {
    session_id: String,
    resume_gateway_url: String,
    user: Ourselves,
}

#[derive(Deserialize)]
struct Ourselves {
    id: String,
}

/// Why a connection is over.
enum End {
    Stopping,
    /// It is opened again, and its session goes on, or not.
    Again {
        why: String,
        after: Option<Duration>,
    },
    /// Opening it again would not help before somebody has changed something.
    Never {
        why: String,
    },
}

fn again(why: impl Into<String>) -> End {
    End::Again { why: why.into(), after: None }
}

/// An open connection.
struct Open {
    reader: SplitStream<Stream>,
    writer: SplitSink<Stream, Message>,
    beat: Duration,
}

impl Open {
    async fn say(&mut self, op: Opcode, d: Value) -> Result<(), End> {
        let text = json!({ "op": op, "d": d }).to_string();
        self.writer.send(Message::text(text)).await.map_err(|error| again(error.to_string()))
    }

    async fn hear(&mut self) -> Result<Frame, End> {
        loop {
            match self.reader.next().await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).map_err(|error| again(format!("Discord said what is no frame: {error}"))),
                Some(Ok(Message::Close(frame))) => return Err(closed(frame.as_ref())),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(again(error.to_string())),
                None => return Err(again("Discord closed it")),
            }
        }
    }
}

/// What follows from how Discord closed the connection. <https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes>
fn closed(frame: Option<&CloseFrame>) -> End {
    let Some(frame) = frame else { return again("Discord closed it") };
    let code = u16::from(frame.code);
    let why = format!("Discord closed it: {} ({code})", frame.reason);
    match code {
        close_codes::AUTHENTICATION_FAILED
        | close_codes::INVALID_SHARD
        | close_codes::SHARDING_REQUIRED
        | close_codes::INVALID_GATEWAY_INTENTS
        | close_codes::DISALLOWED_GATEWAY_INTENTS => End::Never { why },
        _ => again(why),
    }
}

impl Gateway {
    /// Speaks for the organisation that has what no installation says is another's.
    pub fn new(hub: Hub, organization: OrganizationId, client: Client, line: Line) -> Self {
        let holder = hub.ctx.uuid();
        Self { hub, organization, client, line, holder }
    }

    /// Listens until the service stops, whenever no other process does.
    pub async fn run(self) {
        let stopping = self.hub.stopping.clone();
        while !stopping.is_cancelled() {
            if self.hold().await {
                let listening = stopping.child_token();
                tokio::join!(self.listen(&listening), self.keep_hold(&listening));
                self.line.unknown();
                continue;
            }
            tokio::select! {
                () = stopping.cancelled() => {}
                () = tokio::time::sleep(HOLD.1) => {}
            }
        }
        if let Err(error) = self.let_go().await {
            tracing::warn!(%error, "the connection to Discord could not be given back; it is free in {} seconds", HOLD.0);
        }
    }

    async fn hold(&self) -> bool {
        let held = async {
            let mut tx = self.hub.db.begin(self.organization).await?;
            let held = store::hold_line(&mut tx, self.organization, Channel::Discord, self.holder, HOLD.0).await?;
            tx.commit().await?;
            Ok::<_, db::Error>(held)
        };
        held.await.unwrap_or_else(|error| {
            tracing::warn!(%error, "whether the connection to Discord may be held is not known");
            false
        })
    }

    /// Renews the right; ends the listening when it is lost or the service stops.
    async fn keep_hold(&self, listening: &CancellationToken) {
        loop {
            tokio::select! {
                () = listening.cancelled() => return,
                () = tokio::time::sleep(HOLD.1) => {}
            }
            if !self.hold().await {
                listening.cancel();
            }
        }
    }

    async fn let_go(&self) -> db::Result<()> {
        let mut tx = self.hub.db.begin(self.organization).await?;
        store::let_go_line(&mut tx, Channel::Discord, self.holder).await?;
        tx.commit().await
    }

    async fn kept(&self) -> db::Result<Option<Session>> {
        let mut tx = self.hub.db.snapshot(self.organization).await?;
        let session = store::line_session(&mut tx, Channel::Discord).await?;
        tx.rollback().await?;
        Ok(session.and_then(|session| serde_json::from_value(session).ok()))
    }

    async fn keep(&self, session: Option<&Session>) {
        let kept = async {
            let mut tx = self.hub.db.begin(self.organization).await?;
            let session = session.map(|session| json!(session));
            store::keep_line_session(&mut tx, Channel::Discord, self.holder, session.as_ref()).await?;
            tx.commit().await
        };
        if let Err(error) = kept.await {
            // What was heard since would be heard again, which has no second effect.
            tracing::warn!(%error, "where the connection to Discord goes on could not be kept");
        }
    }

    /// Opens the connection again and again, until `listening` ends.
    async fn listen(&self, listening: &CancellationToken) {
        let mut session = self.kept().await.unwrap_or_default();
        let mut patience = Patience::default();
        loop {
            let opened = tokio::select! {
                () = listening.cancelled() => return,
                opened = self.open(session.as_ref()) => opened,
            };
            let end = match opened {
                Ok(mut open) => {
                    let end = self.converse(&mut open, &mut session, &mut patience, listening).await;
                    self.keep(session.as_ref()).await;
                    let frame = CloseFrame { code: COME_BACK.into(), reason: "".into() };
                    let _ = tokio::time::timeout(PATIENCE, open.writer.send(Message::Close(Some(frame)))).await;
                    end
                }
                Err(end) => end,
            };
            let (why, wait) = match end {
                End::Stopping => return,
                End::Again { why, after } => (why, after.unwrap_or_else(|| patience.wait())),
                End::Never { why } => (why, Duration::from_mins(10)),
            };
            self.line.closed(why.clone(), self.hub.ctx.now());
            tracing::warn!(why, ?wait, "the connection to Discord is closed; it is opened again");
            tokio::select! {
                () = listening.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn open(&self, session: Option<&Session>) -> Result<Open, End> {
        let url = match session {
            Some(session) => session.url.clone(),
            None => match self.client.gateway().await {
                Ok((url, wait)) if wait.is_zero() => url,
                Ok((_, wait)) => return Err(End::Again { why: "too many sessions were begun today".to_owned(), after: Some(wait) }),
                Err(Failure::Later { after, why }) => return Err(End::Again { why, after }),
                Err(refused) => return Err(End::Never { why: format!("{refused}: is discord.token the bot's?") }),
            },
        };
        let url = format!("{}/?v={GATEWAY_VERSION}&encoding=json", url.trim_end_matches('/'));
        let begin = async {
            let (stream, _) = connect_async(url).await.map_err(|error| again(format!("Discord's gateway did not open: {error}")))?;
            let (writer, reader) = stream.split();
            let mut open = Open { reader, writer, beat: Duration::ZERO };
            let hello = open.hear().await?;
            let beat = hello.d["heartbeat_interval"].as_u64().filter(|_| hello.op == Opcode::Hello);
            open.beat = Duration::from_millis(beat.ok_or_else(|| again("Discord did not begin with hello"))?.max(1));
            let token = self.client.token();
            if let Some(session) = session {
                open.say(Opcode::Resume, json!({ "token": token, "session_id": session.id, "seq": session.seq })).await?;
            } else {
                let intents = GatewayIntents::GUILD_MESSAGES | GatewayIntents::DIRECT_MESSAGES;
                let properties = json!({ "os": std::env::consts::OS, "browser": "patchbay", "device": "patchbay" });
                open.say(Opcode::Identify, json!({ "token": token, "intents": intents.bits(), "properties": properties })).await?;
            }
            Ok(open)
        };
        tokio::time::timeout(PATIENCE, begin).await.unwrap_or_else(|_| Err(again("Discord's gateway did not open in time")))
    }

    /// Hears and beats until the connection is over.
    async fn converse(&self, open: &mut Open, session: &mut Option<Session>, patience: &mut Patience, listening: &CancellationToken) -> End {
        // The first beat comes somewhere within the first interval, so that not all beat at once after an outage.
        let first = open.beat.mul_f64(f64::from(self.holder.as_bytes()[15]) / 255.0);
        let mut beats = tokio::time::interval_at(Instant::now() + first, open.beat);
        beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut is_answered = true;
        loop {
            let heard = tokio::select! {
                () = listening.cancelled() => return End::Stopping,
                _ = beats.tick() => {
                    if !std::mem::replace(&mut is_answered, false) {
                        return again("Discord does not answer any more");
                    }
                    self.keep(session.as_ref()).await;
                    open.say(Opcode::Heartbeat, json!(session.as_ref().map(|session| session.seq))).await.map(|()| None)
                }
                heard = open.hear() => heard.map(Some),
            };
            let frame = match heard {
                Ok(Some(frame)) => frame,
                Ok(None) => continue,
                Err(end) => return end,
            };
            let dealt_with = match frame.op {
                Opcode::Dispatch => self.deal_with(frame, session, patience).await,
                Opcode::Heartbeat => open.say(Opcode::Heartbeat, json!(session.as_ref().map(|session| session.seq))).await,
                Opcode::HeartbeatAck => {
                    is_answered = true;
                    Ok(())
                }
                Opcode::Reconnect => Err(End::Again { why: "Discord asks us to come again".to_owned(), after: Some(Duration::ZERO) }),
                Opcode::InvalidSession => {
                    if frame.d != true {
                        *session = None;
                    }
                    Err(End::Again { why: "Discord does not know the session".to_owned(), after: Some(ANEW) })
                }
                _ => Ok(()),
            };
            if let Err(end) = dealt_with {
                return end;
            }
        }
    }

    /// Deals with an event; the session is behind it afterwards.
    async fn deal_with(&self, frame: Frame, session: &mut Option<Session>, patience: &mut Patience) -> Result<(), End> {
        let seq = frame.s.unwrap_or_default();
        match frame.t.as_deref() {
            Some("READY") => {
                let ready: Ready = serde_json::from_value(frame.d).map_err(|error| again(format!("Discord said what is no READY: {error}")))?;
                *session = Some(Session { id: ready.session_id, url: ready.resume_gateway_url, seq, we: ready.user.id });
                self.keep(session.as_ref()).await;
                self.opened(patience);
            }
            Some("RESUMED") => self.opened(patience),
            Some("MESSAGE_CREATE") => {
                let Some(we) = session.as_ref().map(|session| session.we.clone()) else { return Ok(()) };
                if let Some(said) = decode::message(&frame.d, &we) {
                    // Not behind what could not be stored: it comes again.
                    receive::store(&self.hub, said).await.map_err(|error| again(format!("what was said could not be stored: {error}")))?;
                }
            }
            _ => {}
        }
        if let Some(session) = session {
            session.seq = seq.max(session.seq);
        }
        Ok(())
    }

    fn opened(&self, patience: &mut Patience) {
        patience.went_well();
        self.line.opened(self.hub.ctx.now());
    }
}
