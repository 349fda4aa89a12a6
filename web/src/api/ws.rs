//! The WebSocket: messages in, and everything live out.
//!
//! A message that comes twice (after a reconnect) acts once; a watcher that comes back says what it saw last and misses nothing.
//! Who does not read what is sent is closed: what they have missed is in the log, and nothing is gathered for them here.

use std::{collections::HashMap, num::NonZeroU32, sync::Arc, task::Poll, time::Duration};

use axum::{
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    },
    http::{HeaderMap, header},
    response::Response,
};
use futures::{FutureExt as _, SinkExt, future::poll_fn};
use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};
use patchbay_channels::hub::{About, Incoming, News, Progress};
use patchbay_core::{
    collab::Event,
    ids::CommandId,
    review,
    tenancy::{Actor, Scope},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{sync::broadcast, time::Instant};

use super::{collab::events, commands, proposals};
use crate::{
    app::App,
    auth::Pass,
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
/// How long the other side may take to make room for more.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it may take to be told why the connection is closed: shorter than the service takes to end.
const FAREWELL: Duration = Duration::from_secs(5);
/// The same while the service goes on: as long as who was slow may need for what was sent before.
const LAST_WORDS: Duration = Duration::from_secs(30);
/// The other side does not read. From the range that is left to applications (RFC 6455, section 7.4.2).
const SLOW: u16 = 4008;
/// How many commands of one connection may be on their way.
const MAX_RUNNING: usize = 32;
/// How often it is looked for those that have ended elsewhere, where more are sent.
const SETTLE: Duration = Duration::from_secs(1);
/// How many commands a second one connection may send, and how many at once; a sender's limits come on top.
const RATE: (NonZeroU32, NonZeroU32) = (NonZeroU32::new(10).expect("ten is not zero"), NonZeroU32::new(100).expect("a hundred is not zero"));
/// Who is refused so often without a pause does not listen.
const MAX_REFUSED: u32 = 100;

/// Why a connection ends.
enum End {
    /// The other side has left, or nothing reaches it.
    Gone,
    Slow,
    /// It does what is not allowed, in words for it.
    Violates(&'static str),
    /// What it watches cannot be read: it comes back.
    Broken,
}

type Step = Result<(), End>;

#[derive(Deserialize, JsonSchema)]
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
    let pass = Pass::of(&app, &headers);
    let ws = ws.max_frame_size(MAX_FRAME).max_message_size(MAX_FRAME).read_buffer_size(READ_BUFFER).write_buffer_size(WRITE_BUFFER);
    Ok(ws.on_upgrade(move |socket| async move {
        let stopping = app.stopping.clone();
        // Held until the other side was told: the service ends after that.
        let _tracked = app.hub.tracker.token();
        let mut connection = Connection { app, pass, actor: identity.actor, socket, sent: HashMap::new(), topics: None, rate: None, refused: 0, settled: None };
        let end = tokio::select! {
            () = stopping.cancelled() => None,
            Err(end) = connection.serve() => Some(end),
        };
        connection.close(end).await;
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
    pass: Pass,
    actor: Arc<Actor>,
    socket: WebSocket,
    /// The client's names for the commands that it sent over this connection.
    sent: HashMap<CommandId, String>,
    /// `None` before it has subscribed.
    topics: Option<Vec<String>>,
    /// Of those that send commands.
    rate: Option<Box<DefaultDirectRateLimiter>>,
    /// How many commands were refused one after the other because there were too many.
    refused: u32,
    /// When it was last looked at what has ended.
    settled: Option<Instant>,
}

impl Connection {
    async fn serve(&mut self) -> Step {
        let mut progress = self.app.hub.progress();
        // From the first subscription on.
        let mut events: Option<Reader> = None;
        loop {
            tokio::select! {
                message = self.socket.recv() => match message {
                    None | Some(Ok(Message::Close(_))) => return Err(End::Gone),
                    // Apart, so that an idle connection has no room for what it takes.
                    Some(Ok(Message::Text(text))) => Box::pin(self.frame(text.as_str(), &mut events)).await?,
                    Some(Ok(Message::Binary(_))) => self.problem(None, Problem::malformed("Frames are text.")).await?,
                    Some(Ok(_)) => {}
                    Some(Err(error)) => {
                        tracing::debug!(%error, "a WebSocket ended");
                        return Err(End::Violates("a message is text of at most 512 KiB"));
                    }
                },
                checked = self.pass.checked(&self.app) => match checked {
                    Ok(actor) => self.actor = actor,
                    Err(problem) => {
                        self.problem(None, problem).await?;
                        return Err(End::Violates("you are not let in any more: sign in again, or take another key"));
                    }
                },
                news = progress.recv() => match news {
                    Ok(news) => Box::pin(self.news(news)).await?,
                    // What is only shown may be missed; that something ended may not.
                    Err(broadcast::error::RecvError::Lagged(_)) => Box::pin(self.settle()).await?,
                    Err(broadcast::error::RecvError::Closed) => return Err(End::Broken),
                },
                handed = next(events.as_mut()) => match handed {
                    Ok(handed) => self.events(handed, events.as_mut()).await?,
                    // What is gone is said once; from here on it is what comes.
                    Err(error @ TailError::Forgotten(_)) => {
                        self.problem(None, error.into()).await?;
                        match self.subscribe(None).await {
                            Ok(reader) => events = Some(reader),
                            Err(problem) => return self.break_off(problem).await,
                        }
                    }
                    Err(error) => return self.break_off(error.into()).await,
                },
            }
        }
    }

    async fn subscribe(&mut self, since: Option<i64>) -> Result<Reader, Problem> {
        let visible = events::visible(&self.app, &self.actor).await?;
        Ok(self.app.live.tail(self.actor.organization, since, visible).await?)
    }

    /// Says why it cannot go on.
    async fn break_off(&mut self, problem: Problem) -> Step {
        self.problem(None, problem).await?;
        Err(End::Broken)
    }

    /// Tells the other side why the connection ends, as long as it can be told; `None`: the service stops.
    async fn close(&mut self, end: Option<End>) {
        let goes_on = end.is_some();
        let (code, reason) = match end {
            None => (close_code::RESTART, "Patchbay stops or starts anew: come back"),
            Some(End::Gone) => return,
            Some(End::Slow) => {
                self.app.metrics.slow_reader();
                (SLOW, "too slow: nothing was read for 10 seconds. Come back with the last seq that you have seen")
            }
            Some(End::Violates(what)) => (close_code::POLICY, what),
            Some(End::Broken) => (close_code::ERROR, "Patchbay cannot go on: come back"),
        };
        let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        let told = async {
            // Until the other side agrees: a connection with something left to read would be torn down before the reason arrives.
            if self.socket.send(frame).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        let stopping = self.app.stopping.clone();
        let limit = if goes_on { LAST_WORDS } else { FAREWELL };
        tokio::select! {
            _ = tokio::time::timeout(limit, told) => {}
            () = stopping.cancelled(), if goes_on => {}
        }
    }

    /// Waits until the socket can do something more, as long as we are patient. What can be done at once costs no timer.
    async fn patiently(&mut self, mut ready: impl FnMut(&mut WebSocket, &mut std::task::Context<'_>) -> Poll<Result<(), axum::Error>> + Send) -> Step {
        let socket = &mut self.socket;
        let done = match poll_fn(|cx| ready(socket, cx)).now_or_never() {
            Some(done) => done,
            None => tokio::time::timeout(PATIENCE, poll_fn(|cx| ready(socket, cx))).await.map_err(|_| End::Slow)?,
        };
        done.map_err(|_| End::Gone)
    }

    /// Puts a message with those that are written together.
    async fn feed(&mut self, message: Message) -> Step {
        self.patiently(SinkExt::poll_ready_unpin).await?;
        self.socket.start_send_unpin(message).map_err(|_| End::Gone)
    }

    async fn flush(&mut self) -> Step {
        self.patiently(SinkExt::poll_flush_unpin).await
    }

    async fn send(&mut self, value: &Value) -> Step {
        self.feed(Message::Text(value.to_string().into())).await?;
        self.flush().await
    }

    async fn problem(&mut self, id: Option<&str>, problem: Problem) -> Step {
        let mut frame = json!({ "type": "error", "id": id, "problem": problem });
        if let Some(seconds) = problem.retry_after() {
            frame["retry_after"] = seconds.into();
        }
        self.send(&frame).await
    }

    async fn frame(&mut self, text: &str, feed: &mut Option<Reader>) -> Step {
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
                        Err(problem) => {
                            self.problem(None, problem).await?;
                            // What is said to be seen and never was is said once; from here on it is what comes.
                            if let (true, Ok(reader)) = (since.is_some(), self.subscribe(None).await) {
                                *feed = Some(reader);
                            }
                        }
                    }
                }
                Ok(())
            }
        }
    }

    /// Whether one more command is too much of this connection; why.
    async fn too_much(&mut self) -> Result<Option<Problem>, End> {
        if self.sent.len() >= MAX_RUNNING && self.settled.is_none_or(|at| at.elapsed() >= SETTLE) {
            self.settle().await?;
        }
        if self.sent.len() >= MAX_RUNNING {
            let limit = format!("one connection may have {MAX_RUNNING} commands on their way");
            return Ok(Some(Problem::too_many_messages(&limit, Duration::from_secs(1))));
        }
        let rate = self.rate.get_or_insert_with(|| Box::new(RateLimiter::direct(Quota::per_second(RATE.0).allow_burst(RATE.1))));
        let Err(refused) = rate.check() else { return Ok(None) };
        let wait = Duration::from_secs(refused.wait_time_from(DefaultClock::default().now()).as_secs() + 1);
        let limit = format!("one connection may send {} commands a second, and {} at once", RATE.0, RATE.1);
        Ok(Some(Problem::too_many_messages(&limit, wait)))
    }

    async fn command(&mut self, id: String, text: String, about: About) -> Step {
        if !self.actor.may(Scope::Propose) {
            return self.problem(Some(&id), Problem::forbidden("You may read here, but not write.")).await;
        }
        if id.is_empty() || id.len() > 100 {
            return self.problem(None, Problem::fault("/id", "a message's id has 1–100 characters")).await;
        }
        if let Err(problem) = commands::check_text(&text) {
            return self.problem(Some(&id), problem).await;
        }
        if let Some(problem) = self.too_much().await? {
            self.refused += 1;
            self.problem(Some(&id), problem).await?;
            return if self.refused < MAX_REFUSED { Ok(()) } else { Err(End::Violates("too many commands after being told to wait")) };
        }
        self.refused = 0;
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

    /// Tells how the commands ended that have ended, where their news was missed or came to another process.
    async fn settle(&mut self) -> Step {
        self.settled = Some(Instant::now());
        let sent: Vec<(CommandId, String)> = self.sent.iter().map(|(command, id)| (*command, id.clone())).collect();
        for (command, id) in sent {
            self.outcome(command, &id).await?;
        }
        Ok(())
    }

    async fn news(&mut self, progress: Progress) -> Step {
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
    async fn outcome(&mut self, command: CommandId, id: &str) -> Step {
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
    async fn events(&mut self, first: Handed, reader: Option<&mut Reader>) -> Step {
        let more = reader.into_iter().flat_map(|reader| std::iter::from_fn(|| reader.ready()));
        for handed in std::iter::once(first).chain(more).take(MAX_TOGETHER) {
            for (event, message) in handed.messages() {
                if self.wants(event) {
                    self.feed(Message::Text(message.clone())).await?;
                }
            }
        }
        self.flush().await
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
