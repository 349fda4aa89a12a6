//! Socket Mode: envelopes over the sockets that the app opens, each again until it is acknowledged.
//! <https://docs.slack.dev/apis/events-api/using-socket-mode>

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use anyhow::Result;
use axum::{
    extract::{
        Path, State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{APP_TOKEN, FakeSlack, Known, refused};
use crate::watched::Watched;

/// The sockets that are open, and what goes over them.
#[derive(Default)]
pub(super) struct Sockets {
    /// Each is good for one socket.
    tickets: HashSet<String>,
    open: BTreeMap<usize, Socket>,
    envelopes: Vec<Envelope>,
    opened: usize,
}

/// What the other side is to see next on a socket.
#[derive(Default)]
struct Socket {
    /// Told that it will be closed, with the reason.
    leaving: Option<&'static str>,
    is_told: bool,
    /// Cut, as a network cuts.
    is_cut: bool,
}

#[derive(Debug)]
struct Envelope {
    id: String,
    kind: &'static str,
    payload: Value,
    /// The socket that it went over, if that is open still.
    on: Option<usize>,
    sent: usize,
    acknowledged: Option<Value>,
}

impl Sockets {
    /// The newest socket that is not about to be closed.
    fn newest(&self) -> Option<usize> {
        self.open.iter().rev().find(|(_, socket)| socket.leaving.is_none()).map(|(number, _)| *number)
    }

    /// What one socket is to say next.
    fn next(&mut self, number: usize) -> Next {
        let Some(socket) = self.open.get_mut(&number) else { return Next::Cut };
        if socket.is_cut {
            return Next::Cut;
        }
        if let Some(reason) = socket.leaving {
            if !std::mem::replace(&mut socket.is_told, true) {
                return Next::Say(json!({ "type": "disconnect", "reason": reason, "debug_info": { "host": "wss-111.slack.example" } }));
            }
            // It is closed when the app has another, and has acknowledged what came over this one.
            let is_done = self.envelopes.iter().all(|envelope| envelope.on != Some(number) || envelope.acknowledged.is_some());
            return if is_done && self.newest().is_some() { Next::Close } else { Next::Wait };
        }
        if self.newest() != Some(number) {
            return Next::Wait;
        }
        let Some(envelope) = self.envelopes.iter_mut().find(|envelope| envelope.on.is_none() && envelope.acknowledged.is_none()) else { return Next::Wait };
        envelope.on = Some(number);
        envelope.sent += 1;
        let mut frame = json!({
            "type": envelope.kind, "envelope_id": envelope.id, "payload": envelope.payload, "accepts_response_payload": envelope.kind != "events_api",
        });
        if envelope.sent > 1 {
            frame["retry_attempt"] = (envelope.sent - 1).into();
            frame["retry_reason"] = "connection_lost".into();
        }
        Next::Say(frame)
    }

    /// A socket is gone: what was not acknowledged on it goes over the next.
    fn gone(&mut self, number: usize) {
        self.open.remove(&number);
        self.envelopes.iter_mut().filter(|envelope| envelope.on == Some(number)).for_each(|envelope| envelope.on = None);
    }
}

enum Next {
    Say(Value),
    Close,
    Cut,
    Wait,
}

/// `apps.connections.open`
pub(super) async fn open(State(known): State<Arc<Watched<Known>>>, headers: HeaderMap) -> Response {
    if headers.get(header::AUTHORIZATION).is_none_or(|value| value != format!("Bearer {APP_TOKEN}").as_str()) {
        return refused("not_allowed_token_type");
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let ticket = known.change(|known| {
        let ticket = format!("ticket{}", known.tick().replace('.', ""));
        known.sockets.tickets.insert(ticket.clone());
        ticket
    });
    axum::Json(json!({ "ok": true, "url": format!("ws://{host}/socket/{ticket}") })).into_response()
}

pub(super) async fn serve(State(known): State<Arc<Watched<Known>>>, Path(ticket): Path<String>, upgrade: WebSocketUpgrade) -> Response {
    if !known.change(|known| known.sockets.tickets.remove(&ticket)) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    upgrade.on_upgrade(move |socket| async move { hold(&known, socket).await })
}

async fn hold(known: &Watched<Known>, mut socket: WebSocket) {
    let hello = json!({ "type": "hello", "num_connections": 1, "connection_info": { "app_id": "A0APP" }, "debug_info": { "host": "wss-111.slack.example" } });
    if socket.send(Message::text(hello.to_string())).await.is_err() {
        return;
    }
    let number = known.change(|known| {
        known.sockets.opened += 1;
        known.sockets.open.insert(known.sockets.opened, Socket::default());
        known.sockets.opened
    });
    let mut news = known.changes();
    loop {
        news.mark_unchanged();
        let next = known.look().sockets.next(number);
        match next {
            Next::Say(frame) => {
                if socket.send(Message::text(frame.to_string())).await.is_err() {
                    break;
                }
                known.change(|_| ());
                continue;
            }
            Next::Close => {
                let _ = socket.send(Message::Close(Some(CloseFrame { code: 1000, reason: "".into() }))).await;
                break;
            }
            Next::Cut => break,
            Next::Wait => {}
        }
        tokio::select! {
            changed = news.changed() => if changed.is_err() { break },
            said = socket.recv() => match said {
                Some(Ok(Message::Text(text))) => known.change(|known| known.acknowledged(&text)),
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    known.change(|known| known.sockets.gone(number));
}

impl Known {
    fn acknowledged(&mut self, text: &str) {
        let answer: Value = serde_json::from_str(text).unwrap_or_default();
        match self.sockets.envelopes.iter_mut().find(|envelope| answer["envelope_id"] == envelope.id.as_str()) {
            Some(envelope) => envelope.acknowledged = Some(answer["payload"].clone()),
            None => self.refused.push(format!("an acknowledgement of nothing: {text}")),
        }
    }
}

impl FakeSlack {
    /// Sends what would be posted, and waits until it is acknowledged; `is_again`: the same was acknowledged before.
    pub(super) async fn envelope(&self, path: &str, body: &str, is_again: bool) -> Result<Value> {
        let fields: HashMap<String, String> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let (kind, payload) = match path {
            "commands" => ("slash_commands", json!(fields)),
            "interactions" => ("interactive", serde_json::from_str(&fields["payload"])?),
            _ => ("events_api", serde_json::from_str(body)?),
        };
        let id = self.next("envelope");
        let sent = usize::from(is_again);
        self.known.change(|known| known.sockets.envelopes.push(Envelope { id: id.clone(), kind, payload, on: None, sent, acknowledged: None }));
        let tell = |known: &Known| format!("{:?}", known.sockets.envelopes);
        let find = |known: &Known| known.sockets.envelopes.iter().find(|envelope| envelope.id == id)?.acknowledged.clone();
        self.known.find("an acknowledgement", tell, find).await
    }

    /// Waits until so many sockets were opened, all in all.
    pub async fn sockets(&self, count: usize) -> Result<()> {
        let find = |known: &Known| (known.sockets.opened >= count).then_some(());
        self.known.find(&format!("{count} sockets"), |known| format!("{}", known.sockets.opened), find).await
    }

    /// Says of every socket that it will be closed.
    pub fn close_sockets(&self, reason: &'static str) {
        self.known.change(|known| known.sockets.open.values_mut().for_each(|socket| socket.leaving = Some(reason)));
    }

    /// Cuts every socket without a word.
    pub fn cut_sockets(&self) {
        self.known.change(|known| known.sockets.open.values_mut().for_each(|socket| socket.is_cut = true));
    }

    /// Waits until the newest envelope was sent so often, and is not acknowledged.
    pub async fn envelope_sent(&self, times: usize) -> Result<()> {
        let find = |known: &Known| known.sockets.envelopes.last().filter(|envelope| envelope.sent >= times && envelope.acknowledged.is_none()).map(drop);
        self.known.find("an envelope", |known| format!("{:?}", known.sockets.envelopes), find).await
    }
}
