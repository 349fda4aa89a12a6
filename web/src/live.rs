//! Events to those who watch: read from the log, so that what a process misses is in the log when it looks again.
//!
//! One task reads the log of each organisation that is watched and hands the events out in batches, written once for all.
//! A reader takes what is old from the log itself and goes over to the batches where they join without a gap; one that is too slow
//! for them goes back to the log. So nobody misses an event or gets one twice, and a slow reader costs nobody else anything.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::{body::Bytes, extract::ws::Utf8Bytes};
use patchbay_core::{
    collab::{
        event::{Event, Filter},
        store::{self, Stretch},
    },
    db::Db,
    ids::OrganizationId,
};
use tokio::sync::{Notify, broadcast};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How many batches a slow reader may lag behind before it has to read the log itself.
const BUFFER: usize = 64;
/// Other processes write events too; this is how long theirs may take to be seen.
const TICK: Duration = Duration::from_millis(500);
/// How soon is looked again for what was committed while an earlier transaction still ran.
const UNSETTLED: Duration = Duration::from_millis(2);

/// The watched organisations.
#[derive(Clone)]
pub struct Live {
    db: Db,
    tracker: TaskTracker,
    stopping: CancellationToken,
    feeds: Arc<Mutex<HashMap<OrganizationId, Feed>>>,
    /// Notified at each wake, whichever organisation it is for.
    pub woken: Arc<Notify>,
}

#[derive(Clone)]
struct Feed {
    batches: broadcast::Sender<Arc<Batch>>,
    /// Everything up to this seq was handed out.
    position: Arc<AtomicI64>,
    wake: Arc<Notify>,
}

/// Texts that stand one after the other.
struct Pieces {
    bytes: Bytes,
    ends: Vec<usize>,
}

impl Pieces {
    fn of(events: &[Event], write: impl Fn(&mut Vec<u8>, &Event)) -> Self {
        let mut bytes = Vec::with_capacity(events.len() * 256);
        let ends = events
            .iter()
            .map(|event| {
                write(&mut bytes, event);
                bytes.len()
            })
            .collect();
        Self { bytes: bytes.into(), ends }
    }

    fn start(&self, index: usize) -> usize {
        if index == 0 { 0 } else { self.ends[index - 1] }
    }

    fn pick(&self, picked: &Picked) -> Bytes {
        match picked {
            Picked::From(first) => self.bytes.slice(self.start(*first)..),
            Picked::These(indices) => {
                let pieces: Vec<&[u8]> = indices.iter().map(|index| &self.bytes[self.start(*index)..self.ends[*index]]).collect();
                pieces.concat().into()
            }
        }
    }
}

/// A form that events are sent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `text/event-stream`: <https://html.spec.whatwg.org/multipage/server-sent-events.html>
    Sse,
    /// `application/x-ndjson`: an object in each line.
    Lines,
}

/// Events that follow each other in the log, written once for all readers.
struct Batch {
    /// Whoever has everything up to here has missed nothing before it.
    after: i64,
    through: i64,
    events: Vec<Event>,
    lines: Pieces,
    sse: Pieces,
    /// As messages of the WebSocket, once somebody reads there.
    messages: OnceLock<Vec<Utf8Bytes>>,
}

impl Batch {
    fn new(after: i64, stretch: Stretch) -> Self {
        let events = stretch.events;
        let lines = Pieces::of(&events, |bytes, event| {
            serde_json::to_writer(&mut *bytes, event).expect("an event is JSON");
            bytes.push(b'\n');
        });
        let mut index = 0;
        let mut sse = Vec::with_capacity(lines.bytes.len() + events.len() * 32);
        let ends = events
            .iter()
            .map(|event| {
                sse.extend_from_slice(format!("id: {}\ndata: ", event.seq).as_bytes());
                sse.extend_from_slice(&lines.bytes[lines.start(index)..lines.ends[index]]);
                sse.push(b'\n');
                index += 1;
                sse.len()
            })
            .collect();
        Self { after, through: stretch.through, events, lines, sse: Pieces { bytes: sse.into(), ends }, messages: OnceLock::new() }
    }

    /// Each event's object, only given its type.
    fn messages(&self) -> &[Utf8Bytes] {
        self.messages.get_or_init(|| {
            let mut bytes = Vec::with_capacity(self.lines.bytes.len() + self.events.len() * 16);
            let write = |index| {
                bytes.extend_from_slice(br#"{"type":"event","#);
                // Without the brace that it begins with, and the end of its line.
                bytes.extend_from_slice(&self.lines.bytes[self.lines.start(index) + 1..self.lines.ends[index] - 1]);
                bytes.len()
            };
            let ends = (0..self.events.len()).map(write).collect();
            let messages = Pieces { bytes: bytes.into(), ends };
            let message = |index| Utf8Bytes::try_from(messages.bytes.slice(messages.start(index)..messages.ends[index])).expect("JSON is UTF-8");
            (0..self.events.len()).map(message).collect()
        })
    }
}

enum Picked {
    /// From an index on, all.
    From(usize),
    These(Vec<usize>),
}

/// What a reader is handed: events of one batch, at least one.
pub struct Handed {
    batch: Arc<Batch>,
    picked: Picked,
}

impl Handed {
    /// Their bytes; where all of a batch is wanted, the same for all readers.
    pub fn bytes(&self, form: Form) -> Bytes {
        match form {
            Form::Sse => self.batch.sse.pick(&self.picked),
            Form::Lines => self.batch.lines.pick(&self.picked),
        }
    }

    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.indices().map(|index| &self.batch.events[index])
    }

    /// Each event with its message for the WebSocket, which is the same for all readers.
    pub fn messages(&self) -> impl Iterator<Item = (&Event, &Utf8Bytes)> {
        let messages = self.batch.messages();
        self.indices().map(|index| (&self.batch.events[index], &messages[index]))
    }

    fn indices(&self) -> impl Iterator<Item = usize> {
        let (first, these) = match &self.picked {
            Picked::From(first) => (*first, [].as_slice()),
            Picked::These(these) => (self.batch.events.len(), these.as_slice()),
        };
        (first..self.batch.events.len()).chain(these.iter().copied())
    }
}

/// Somebody who reads the events of an organisation, from some point on.
pub struct Reader {
    live: Live,
    organization: OrganizationId,
    filter: Filter,
    /// Everything up to this seq was seen.
    position: i64,
    batches: broadcast::Receiver<Arc<Batch>>,
    /// Whether there may be more in the log than what the batches bring.
    is_behind: bool,
}

impl Reader {
    /// Everything up to this seq was seen, wanted or not.
    pub const fn position(&self) -> i64 {
        self.position
    }

    /// The next events. Nothing is lost where the waiting is given up.
    pub async fn next(&mut self) -> sqlx::Result<Handed> {
        loop {
            if let Some(handed) = self.old().await? {
                return Ok(handed);
            }
            match self.batches.recv().await {
                Ok(batch) => {
                    if let Some(handed) = self.take(batch) {
                        return Ok(handed);
                    }
                }
                Err(broadcast::error::RecvError::Lagged(_)) => self.is_behind = true,
                Err(broadcast::error::RecvError::Closed) => {
                    // The feed has ended, which it only does when the service stops.
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    /// What the log has after what was seen, where that may be more than the batches bring.
    pub async fn old(&mut self) -> sqlx::Result<Option<Handed>> {
        while self.is_behind {
            let stretch = self.live.read(self.organization, self.position, &self.filter).await?;
            self.is_behind = stretch.is_full;
            let batch = Batch::new(self.position, stretch);
            self.position = batch.through;
            if !batch.events.is_empty() {
                return Ok(Some(Handed { batch: Arc::new(batch), picked: Picked::From(0) }));
            }
        }
        Ok(None)
    }

    /// The next events, where they were handed out already: so that what came together is sent together.
    pub fn ready(&mut self) -> Option<Handed> {
        while !self.is_behind {
            match self.batches.try_recv() {
                Ok(batch) => {
                    if let Some(handed) = self.take(batch) {
                        return Some(handed);
                    }
                }
                Err(broadcast::error::TryRecvError::Lagged(_)) => self.is_behind = true,
                Err(_) => return None,
            }
        }
        None
    }

    /// What is wanted of a batch, where it joins what was seen.
    fn take(&mut self, batch: Arc<Batch>) -> Option<Handed> {
        if batch.through <= self.position {
            return None;
        }
        if batch.after > self.position {
            self.is_behind = true;
            return None;
        }
        let first = batch.events.partition_point(|event| event.seq <= self.position);
        self.position = batch.through;
        let picked = if self.filter.is_open() {
            Picked::From(first)
        } else {
            Picked::These((first..batch.events.len()).filter(|index| self.filter.wants(&batch.events[*index])).collect())
        };
        let is_empty = match &picked {
            Picked::From(first) => *first == batch.events.len(),
            Picked::These(indices) => indices.is_empty(),
        };
        (!is_empty).then_some(Handed { batch, picked })
    }
}

impl Live {
    pub fn new(db: Db, tracker: TaskTracker, stopping: CancellationToken) -> Self {
        Self { db, tracker, stopping, feeds: Arc::default(), woken: Arc::default() }
    }

    /// Something was committed for this organisation: look now instead of at the next tick.
    pub fn wake(&self, organization: OrganizationId) {
        if let Some(feed) = self.feeds.lock().unwrap_or_else(PoisonError::into_inner).get(&organization) {
            feed.wake.notify_one();
        }
        self.woken.notify_one();
    }

    /// Reads the events that come after a seq, or from now on. The first reader starts the feed, which ends after the last has gone.
    pub async fn tail(&self, organization: OrganizationId, since: Option<i64>, filter: Filter) -> sqlx::Result<Reader> {
        let (now, batches) = self.subscribe(organization).await?;
        Ok(Reader { live: self.clone(), organization, filter, position: since.unwrap_or(now), batches, is_behind: since.is_some() })
    }

    /// Where the feed is, and what it hands out from there on: the position is read first, so that what comes between shows as a gap.
    async fn subscribe(&self, organization: OrganizationId) -> sqlx::Result<(i64, broadcast::Receiver<Arc<Batch>>)> {
        let join = |feed: &Feed| (feed.position.load(Ordering::Acquire), feed.batches.subscribe());
        if let Some(feed) = self.feeds.lock().unwrap_or_else(PoisonError::into_inner).get(&organization) {
            return Ok(join(feed));
        }
        let mut tx = self.db.read(organization).await?;
        let newest = store::newest(&mut tx).await?;
        tx.rollback().await?;
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = feeds.get(&organization) {
            return Ok(join(feed));
        }
        let feed = Feed { batches: broadcast::channel(BUFFER).0, position: Arc::new(AtomicI64::new(newest)), wake: Arc::new(Notify::new()) };
        feeds.insert(organization, feed.clone());
        let joined = join(&feed);
        let live = self.clone();
        self.tracker.spawn(async move { live.follow(organization, feed).await });
        Ok(joined)
    }

    async fn read(&self, organization: OrganizationId, after: i64, filter: &Filter) -> sqlx::Result<Stretch> {
        let mut tx = self.db.read(organization).await?;
        let stretch = store::read_after(&mut tx, after, filter).await?;
        tx.rollback().await?;
        Ok(stretch)
    }

    async fn follow(&self, organization: OrganizationId, feed: Feed) {
        let everything = Filter::default();
        let mut pause = TICK;
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = feed.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
            {
                let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
                if feed.batches.receiver_count() == 0 {
                    feeds.remove(&organization);
                    return;
                }
            }
            let after = feed.position.load(Ordering::Acquire);
            match self.read(organization, after, &everything).await {
                Ok(stretch) => {
                    pause = match (stretch.is_full, stretch.is_unsettled) {
                        (true, _) => Duration::ZERO,
                        (false, true) => {
                            if pause < TICK {
                                (pause * 2).clamp(UNSETTLED, TICK / 4)
                            } else {
                                UNSETTLED
                            }
                        }
                        (false, false) => TICK,
                    };
                    if !stretch.events.is_empty() {
                        let batch = Batch::new(after, stretch);
                        let through = batch.through;
                        // Nobody there is no fault.
                        let _ = feed.batches.send(Arc::new(batch));
                        feed.position.store(through, Ordering::Release);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "events could not be read; trying again");
                    pause = TICK;
                }
            }
        }
    }
}
