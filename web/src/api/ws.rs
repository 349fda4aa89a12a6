//! The WebSocket: messages in, and everything live out.
//!
//! A message that comes twice (after a reconnect) acts once; a watcher that comes back says what it saw last and misses nothing.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, header},
    response::Response,
};
use futures::SinkExt as _;
use patchbay_channels::hub::{About, Incoming, News, Progress};
use patchbay_core::{
    collab::Event,
    ids::CommandId,
    review,
    tenancy::{Actor, Scope},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use super::{collab::events, commands, proposals};
use crate::{
    app::App,
    extract::Identity,
    live::{Handed, Reader, TailError},
    problem::Problem,
};

/// The largest frame that is read.
const MAX_FRAME: usize = 512 * 1024;
/// Held by each connection, also by one that is idle: most of what is read is short.
const READ_BUFFER: usize = 4 * 1024;
/// How many batches of events are sent before the other side is listened to again.
const MAX_TOGETHER: usize = 16;
/// How much is gathered before it is written.
const WRITE_BUFFER: usize = 16 * 1024;

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Frame {
    Command {
        id: String,
        text: String,
        project: Option<String>,
        task: Option<String>,
        proposal: Option<i32>,
    },
    Subscribe {
        #[serde(default)]
        topics: Vec<String>,
        since: Option<i64>,
    },
    Cancel {
        id: String,
    },
    Ping,
}

pub(super) async fn upgrade(State(app): State<App>, headers: HeaderMap, identity: Identity, ws: WebSocketUpgrade) -> Result<Response, Problem> {
    // A cookie travels with any page's request; only our own page may use it here.
    if identity.session.is_some() && !is_same_origin(&app, &headers) {
        return Err(Problem::forbidden("A WebSocket with a cookie must come from Patchbay's own page (Origin)."));
    }
    if !identity.actor.may(Scope::Read) {
        return Err(Problem::forbidden("This key does not have the scope `read`."));
    }
    let ws = ws.max_frame_size(MAX_FRAME).max_message_size(MAX_FRAME).read_buffer_size(READ_BUFFER).write_buffer_size(WRITE_BUFFER);
    Ok(ws.on_upgrade(move |socket| async move {
        let tracker_token = app.stopping.clone();
        let mut connection = Connection { app, actor: identity.actor, socket, sent: HashMap::new(), topics: None };
        tokio::select! {
            () = tracker_token.cancelled() => {}
            result = connection.serve() => if let Err(error) = result { tracing::debug!(%error, "a WebSocket ended") },
        }
        // The other side sees that it is meant to come back.
        let _ = connection.socket.send(Message::Close(None)).await;
    }))
}

/// The next events, where somebody has subscribed.
async fn next(events: Option<&mut Reader>) -> Result<Handed, TailError> {
    match events {
        Some(events) => events.next().await,
        None => std::future::pending().await,
    }
}

fn is_same_origin(app: &App, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()) else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    origin == app.public_url || origin.split_once("://").is_some_and(|(_, origin_host)| origin_host == host)
}

struct Connection {
    app: App,
    actor: Arc<Actor>,
    socket: WebSocket,
    /// The client's names for the commands that it sent over this connection.
    sent: HashMap<CommandId, String>,
    /// `None` before it has subscribed.
    topics: Option<Vec<String>>,
}

impl Connection {
    async fn serve(&mut self) -> Result<(), axum::Error> {
        let mut progress = self.app.hub.progress();
        // From the first subscription on.
        let mut events: Option<Reader> = None;
        loop {
            tokio::select! {
                message = self.socket.recv() => match message {
                    None | Some(Ok(Message::Close(_))) => return Ok(()),
                    // Apart, so that an idle connection has no room for what it takes.
                    Some(Ok(Message::Text(text))) => Box::pin(self.frame(text.as_str(), &mut events)).await?,
                    Some(Ok(Message::Binary(_))) => self.problem(None, Problem::malformed("Frames are text.")).await?,
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error),
                },
                news = progress.recv() => match news {
                    Ok(news) => Box::pin(self.news(news)).await?,
                    // What is only shown may be missed; the outcome is an event.
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return Ok(()),
                },
                handed = next(events.as_mut()) => match handed {
                    Ok(handed) => self.events(handed, events.as_mut()).await?,
                    // What is gone is said once; from here on it is what comes.
                    Err(error @ TailError::Forgotten(_)) => {
                        self.problem(None, error.into()).await?;
                        match self.subscribe(None).await {
                            Ok(reader) => events = Some(reader),
                            Err(problem) => return self.problem(None, problem).await,
                        }
                    }
                    Err(error) => return self.problem(None, error.into()).await,
                },
            }
        }
    }

    async fn subscribe(&mut self, since: Option<i64>) -> Result<Reader, Problem> {
        let visible = events::visible(&self.app, &self.actor).await?;
        Ok(self.app.live.tail(self.actor.organization, since, visible).await?)
    }

    async fn send(&mut self, value: &Value) -> Result<(), axum::Error> {
        self.socket.send(Message::Text(value.to_string().into())).await
    }

    async fn problem(&mut self, id: Option<&str>, problem: Problem) -> Result<(), axum::Error> {
        self.send(&json!({ "type": "error", "id": id, "problem": problem })).await
    }

    async fn frame(&mut self, text: &str, feed: &mut Option<Reader>) -> Result<(), axum::Error> {
        let frame = match crate::extract::parse::<Frame>(text.as_bytes()) {
            Ok(frame) => frame,
            Err(problem) => {
                let id = serde_json::from_str::<Value>(text).ok().and_then(|value| value["id"].as_str().map(str::to_owned));
                return self.problem(id.as_deref(), problem).await;
            }
        };
        match frame {
            Frame::Ping => self.send(&json!({ "type": "pong" })).await,
            Frame::Command { id, text, project, task, proposal } => self.command(id, text, About { project, task, conversation: None, proposal }).await,
            Frame::Cancel { id } => {
                let command = self.sent.iter().find(|(_, name)| **name == id).map(|(command, _)| *command);
                if let Some(command) = command {
                    self.app.hub.cancel(command);
                }
                Ok(())
            }
            Frame::Subscribe { topics, since } => {
                self.topics = Some(topics);
                if feed.is_none() || since.is_some() {
                    match self.subscribe(since).await {
                        Ok(reader) => *feed = Some(reader),
                        Err(problem) => return self.problem(None, problem).await,
                    }
                }
                Ok(())
            }
        }
    }

    async fn command(&mut self, id: String, text: String, about: About) -> Result<(), axum::Error> {
        if !self.actor.may(Scope::Propose) {
            return self.problem(Some(&id), Problem::forbidden("You may read here, but not write.")).await;
        }
        if id.is_empty() || id.len() > 100 {
            return self.problem(None, Problem::fault("/id", "a message's id has 1–100 characters")).await;
        }
        if let Err(problem) = commands::check_text(&text) {
            return self.problem(Some(&id), problem).await;
        }
        let incoming = Incoming { text, about, client_id: Some(format!("ws:{id}")), origin: commands::origin(&self.actor), attached: Vec::new() };
        match self.app.hub.submit(&self.actor, incoming).await {
            Err(error) => self.problem(Some(&id), commands::problem(error, &format!("the id `{id}`"))).await,
            Ok(ticket) => {
                self.sent.insert(ticket.id, id.clone());
                self.send(&json!({ "type": "ack", "id": id, "command": ticket.id })).await?;
                // One that came before and is over has no more news.
                self.outcome(ticket.id, &id).await
            }
        }
    }

    async fn news(&mut self, progress: Progress) -> Result<(), axum::Error> {
        if progress.organization != self.actor.organization {
            return Ok(());
        }
        let Some(id) = self.sent.get(&progress.command).cloned() else { return Ok(()) };
        match progress.news {
            News::Operation(entry) => self.send(&json!({ "type": "op", "id": id, "operation": &*entry })).await,
            News::StartedOver => self.send(&json!({ "type": "restart", "id": id })).await,
            News::Text(text) => self.send(&json!({ "type": "token", "id": id, "text": text })).await,
            News::Finished => self.outcome(progress.command, &id).await,
        }
    }

    /// Tells how a command ended, where it has: the proposal it led to, and the reply.
    async fn outcome(&mut self, command: CommandId, id: &str) -> Result<(), axum::Error> {
        let view = match commands::load(&self.app, &self.actor, command).await {
            Ok(view) => view,
            Err(problem) => return self.problem(Some(id), problem).await,
        };
        if !view.status.is_final() {
            return Ok(());
        }
        self.sent.remove(&command);
        if let Some(number) = view.proposal {
            match self.proposal(number).await {
                Ok(Some(proposal)) => self.send(&json!({ "type": "proposal", "id": id, "proposal": proposal })).await?,
                Ok(None) => {}
                Err(problem) => self.problem(Some(id), problem).await?,
            }
        }
        self.send(&json!({ "type": "reply", "id": id, "command": view })).await
    }

    async fn proposal(&mut self, number: i32) -> Result<Option<review::view::ProposalView>, Problem> {
        let mut tx = self.app.db.begin(self.actor.organization).await?;
        let Some(proposal) = review::store::find(&mut tx, number).await? else { return Ok(None) };
        let view = proposals::view(&mut tx, proposal, None).await?;
        tx.rollback().await?;
        Ok(Some(view))
    }

    /// Sends events, and those that have come meanwhile: all of it together.
    async fn events(&mut self, first: Handed, reader: Option<&mut Reader>) -> Result<(), axum::Error> {
        let more = reader.into_iter().flat_map(|reader| std::iter::from_fn(|| reader.ready()));
        for handed in std::iter::once(first).chain(more).take(MAX_TOGETHER) {
            for (event, message) in handed.messages() {
                if self.wants(event) {
                    self.socket.feed(Message::Text(message.clone())).await?;
                }
            }
        }
        self.socket.flush().await
    }

    /// Whether an event is for a topic that was asked for: `*`, or `project:WEB`.
    fn wants(&self, event: &Event) -> bool {
        let Some(topics) = &self.topics else { return false };
        if topics.iter().any(|topic| topic == "*") {
            return true;
        }
        let project = event.details["project"].as_str();
        let about = |topic: &String| topic.strip_prefix("project:").is_some_and(|key| Some(key) == project);
        topics.iter().any(about) || (project.is_none() && !topics.is_empty())
    }
}
