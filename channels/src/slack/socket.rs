//! Socket Mode: what Slack has to say, over a WebSocket that we open, where Slack cannot reach us. <https://docs.slack.dev/apis/events-api/using-socket-mode>
//!
//! Invariants: an envelope is acknowledged when it is stored, so that Slack sends again what is lost before; a socket that Slack is about to close is
//! read until it is closed, while the next one is open already.
//!
//! Not by slack-morphism's listener: it hands out its own models of the payloads, in which what Slack adds is an error and what we decode by HTTP is
//! lost, and takes one envelope after the other; here an envelope is decoded by the code that decodes requests, and many are stored at once.
//! Each process with the role `channels` holds a socket of its own. Slack allows ten, gives each envelope to one of them, and what comes twice is known by
//! its key in the inbox.

use std::{sync::Arc, time::Duration};

use futures::{
    SinkExt as _, StreamExt as _,
    future::BoxFuture,
    stream::{FuturesUnordered, SplitSink, SplitStream},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::Instant};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::{
    client::{Client, Failure},
    decode,
    receive::Listener,
};
use crate::{
    hub::Hub,
    line::{Line, Patience},
};

/// How long an open connection is waited for.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often we ask whether the other side is there, and how long it may be silent. Slack asks us as well, every few seconds.
const BEAT: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(30);
/// How long a socket is still read that Slack said it would close.
const LEAVING: Duration = Duration::from_mins(1);
/// How many envelopes of one socket are stored at once.
const MANY: usize = 64;

/// Hears Slack over a socket. Cheap to clone.
#[derive(Clone)]
pub struct Socket(Arc<Parts>);

struct Parts {
    hub: Hub,
    listener: Listener,
    /// Speaks with the app-level token.
    app: Client,
    line: Line,
}

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What stands in a frame, as far as it matters.
#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "type", default)]
    kind: String,
    envelope_id: Option<String>,
    #[serde(default)]
    payload: Value,
    #[serde(default)]
    accepts_response_payload: bool,
    /// Why it is to be closed: `warning`, `refresh_requested`, `link_disabled`.
    #[serde(default)]
    reason: String,
}

/// An open socket.
struct Open {
    reader: SplitStream<Stream>,
    writer: SplitSink<Stream, Message>,
    /// Envelopes that are being stored; each becomes its acknowledgement, or nothing.
    taking: FuturesUnordered<BoxFuture<'static, Option<Value>>>,
    heard_at: Instant,
}

/// Why a socket is listened to no more.
enum End {
    /// Slack will close it soon.
    Leaving,
    Closed(String),
    Stopping,
}

impl Socket {
    pub fn new(hub: Hub, listener: Listener, app: Client, line: Line) -> Self {
        Self(Arc::new(Parts { hub, listener, app, line }))
    }

    /// Listens until the service stops, whatever becomes of the connection.
    pub async fn run(self) {
        let (hub, line) = (&self.0.hub, &self.0.line);
        let mut patience = Patience::default();
        loop {
            let opened = tokio::select! {
                () = hub.stopping.cancelled() => return,
                opened = self.open() => opened,
            };
            let (why, wait) = match opened {
                Ok(mut open) => match self.listen(&mut open, true, &mut patience).await {
                    End::Stopping => return open.leave().await,
                    End::Leaving => {
                        let rest = self.clone();
                        hub.tracker.spawn(async move { rest.part(open).await });
                        continue;
                    }
                    End::Closed(why) => (why, patience.wait()),
                },
                Err(Failure::Later { after, why }) => (why, after.unwrap_or_else(|| patience.wait())),
                Err(refused) => (format!("{refused}: is slack.app_token an app-level token with connections:write?"), Duration::from_mins(1)),
            };
            line.closed(why.clone(), hub.ctx.now());
            tracing::warn!(why, ?wait, "the socket to Slack is closed; it is opened again");
            tokio::select! {
                () = hub.stopping.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn open(&self) -> Result<Open, Failure> {
        let later = |why: String| Failure::Later { after: None, why };
        let url = self.0.app.socket().await?;
        // Without the address in what is said of it: who has it can listen.
        let connected = tokio::time::timeout(PATIENCE, connect_async(url)).await.map_err(|_| later("Slack's socket did not open in time".to_owned()))?;
        let (stream, _) = connected.map_err(|error| later(format!("Slack's socket did not open: {error}")))?;
        let (writer, reader) = stream.split();
        Ok(Open { reader, writer, taking: FuturesUnordered::new(), heard_at: Instant::now() })
    }

    /// Listens to a socket until it ends; `is_newest` where it is the one that is told of.
    async fn listen(&self, open: &mut Open, is_newest: bool, patience: &mut Patience) -> End {
        let hub = &self.0.hub;
        let mut beat = tokio::time::interval(BEAT);
        loop {
            let said = tokio::select! {
                () = hub.stopping.cancelled() => return End::Stopping,
                said = open.reader.next(), if open.taking.len() < MANY => said,
                Some(acknowledgement) = open.taking.next() => {
                    if let Some(acknowledgement) = acknowledgement
                        && let Err(error) = open.writer.send(Message::text(acknowledgement.to_string())).await
                    {
                        return End::Closed(error.to_string());
                    }
                    continue;
                }
                _ = beat.tick() => {
                    if open.heard_at.elapsed() > SILENCE {
                        return End::Closed(format!("Slack was silent for {} s", SILENCE.as_secs()));
                    }
                    if let Err(error) = open.writer.send(Message::Ping(Vec::new().into())).await {
                        return End::Closed(error.to_string());
                    }
                    continue;
                }
            };
            open.heard_at = Instant::now();
            let text = match said {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(_))) | None => return End::Closed("Slack closed it".to_owned()),
                // What asks whether we are there was answered by the library.
                Some(Ok(_)) => continue,
                Some(Err(error)) => return End::Closed(error.to_string()),
            };
            let Ok(frame) = serde_json::from_str::<Frame>(&text) else {
                tracing::warn!("Slack said something over its socket that is no JSON object");
                continue;
            };
            match (frame.kind.as_str(), frame.envelope_id) {
                ("hello", _) if is_newest => {
                    patience.went_well();
                    self.0.line.opened(hub.ctx.now());
                }
                ("disconnect", _) if frame.reason == "link_disabled" => return End::Closed("Socket Mode is switched off at the app's page".to_owned()),
                ("disconnect", _) if is_newest => return End::Leaving,
                (kind, Some(id)) => open.taking.push(Box::pin(self.clone().take(id, kind.to_owned(), frame.payload, frame.accepts_response_payload))),
                _ => {}
            }
        }
    }

    /// Takes an envelope; the acknowledgement. `None` where it could not be stored: then Slack sends it again.
    async fn take(self, id: String, kind: String, payload: Value, is_answered: bool) -> Option<Value> {
        let body = match decode::envelope(&kind, payload) {
            Ok(meaning) => match self.0.listener.take(&self.0.hub, meaning).await {
                Ok(answer) => answer.body().filter(|_| is_answered),
                Err(error) => {
                    tracing::error!(%error, "what came from Slack could not be stored; it comes again");
                    return None;
                }
            },
            Err(error) => {
                // It would not be understood the next time either.
                tracing::warn!(%error, kind, "an envelope of Slack's was not understood");
                None
            }
        };
        let mut acknowledgement = json!({ "envelope_id": id });
        if let Some(body) = body {
            acknowledgement["payload"] = body;
        }
        Some(acknowledgement)
    }

    /// Reads a socket to its end that Slack is about to close.
    async fn part(&self, mut open: Open) {
        // Who is not listened to any more may not say how the line stands.
        let _ = tokio::time::timeout(LEAVING, self.listen(&mut open, false, &mut Patience::default())).await;
        open.leave().await;
    }
}

impl Open {
    /// Acknowledges what is stored, and closes.
    async fn leave(mut self) {
        let left = async {
            while let Some(acknowledgement) = self.taking.next().await {
                if let Some(acknowledgement) = acknowledgement {
                    self.writer.send(Message::text(acknowledgement.to_string())).await?;
                }
            }
            self.writer.close().await
        };
        // What is not acknowledged comes again.
        let _ = tokio::time::timeout(PATIENCE, left).await;
    }
}
