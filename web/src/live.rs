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
    jobs::Bell,
};
use tokio::{
    sync::{Notify, broadcast},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::problem::Problem;

/// Why events cannot be handed on.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    #[error("events below {0} are no longer kept")]
    Forgotten(i64),
    #[error("nothing so new as {since} was told yet: the newest is {newest}")]
    Ahead { since: i64, newest: i64 },
    #[error("the log of events cannot be read")]
    Database(#[from] sqlx::Error),
}

impl From<TailError> for Problem {
    fn from(error: TailError) -> Self {
        match error {
            TailError::Forgotten(kept_from) => Self::forgotten(kept_from),
            TailError::Ahead { since, newest } => Self::ahead(since, newest),
            TailError::Database(error) => error.into(),
        }
    }
}

/// How many batches a slow reader may lag behind before it has to read the log itself.
const BUFFER: usize = 64;
/// Other processes say when they have told something; where that is lost, this is how long it may take to be seen.
const TICK: Duration = Duration::from_millis(500);
/// What handing a batch to one reader takes. Meanwhile events are gathered, and go out together.
const HANDING: Duration = Duration::from_micros(10);
/// The longest that events are gathered.
const GATHERED: Duration = Duration::from_millis(20);
/// How soon is looked again for what was committed while an earlier transaction still ran.
const UNSETTLED: Duration = Duration::from_millis(2);

/// The watched organisations.
#[derive(Clone)]
pub struct Live {
    db: Db,
    bell: Bell,
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

    fn since(&self, first: usize) -> Bytes {
        self.bytes.slice(self.start(first)..)
    }

    fn these(&self, indices: &[usize]) -> Bytes {
        let pieces: Vec<&[u8]> = indices.iter().map(|index| &self.bytes[self.start(*index)..self.ends[*index]]).collect();
        pieces.concat().into()
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
    /// What those get who do not want everything, by what they want: made by the first of them.
    selections: Mutex<HashMap<Arc<Filter>, Arc<Selection>>>,
    /// As messages of the WebSocket, once somebody reads there.
    messages: OnceLock<Vec<Utf8Bytes>>,
}

/// Some events of a batch.
#[derive(Default)]
struct Selection {
    indices: Vec<usize>,
    lines: OnceLock<Bytes>,
    sse: OnceLock<Bytes>,
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
        Self {
            after,
            through: stretch.through,
            events,
            lines,
            sse: Pieces { bytes: sse.into(), ends },
            selections: Mutex::default(),
            messages: OnceLock::new(),
        }
    }

    /// What a filter wants, of the events from an index on.
    fn select(&self, filter: &Arc<Filter>, first: usize) -> Arc<Selection> {
        let wanted = || (first..self.events.len()).filter(|index| filter.wants(&self.events[*index])).collect();
        if first > 0 {
            return Arc::new(Selection { indices: wanted(), ..Selection::default() });
        }
        let mut selections = self.selections.lock().unwrap_or_else(PoisonError::into_inner);
        let selection = selections.entry(filter.clone()).or_insert_with(|| Arc::new(Selection { indices: wanted(), ..Selection::default() }));
        selection.clone()
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
    These(Arc<Selection>),
}

/// What a reader is handed: events of one batch, at least one.
pub struct Handed {
    batch: Arc<Batch>,
    picked: Picked,
}

impl Handed {
    /// Their bytes, the same for all readers who want the same.
    pub fn bytes(&self, form: Form) -> Bytes {
        let pieces = match form {
            Form::Sse => &self.batch.sse,
            Form::Lines => &self.batch.lines,
        };
        match &self.picked {
            Picked::From(first) => pieces.since(*first),
            Picked::These(selection) => {
                let bytes = match form {
                    Form::Sse => &selection.sse,
                    Form::Lines => &selection.lines,
                };
                bytes.get_or_init(|| pieces.these(&selection.indices)).clone()
            }
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
            Picked::These(these) => (self.batch.events.len(), these.indices.as_slice()),
        };
        (first..self.batch.events.len()).chain(these.iter().copied())
    }
}

/// Somebody who reads the events of an organisation, from some point on.
pub struct Reader {
    live: Live,
    organization: OrganizationId,
    filter: Arc<Filter>,
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
    pub async fn next(&mut self) -> Result<Handed, TailError> {
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
    pub async fn old(&mut self) -> Result<Option<Handed>, TailError> {
        while self.is_behind {
            let stretch = self.live.read(self.organization, self.position, &self.filter).await?;
            // From the very beginning is from the first that there is.
            if (1..stretch.kept_from).contains(&self.position) {
                return Err(TailError::Forgotten(stretch.kept_from));
            }
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
        let picked = if self.filter.is_open() { Picked::From(first) } else { Picked::These(batch.select(&self.filter, first)) };
        let is_empty = match &picked {
            Picked::From(first) => *first == batch.events.len(),
            Picked::These(selection) => selection.indices.is_empty(),
        };
        (!is_empty).then_some(Handed { batch, picked })
    }
}

impl Live {
    pub fn new(db: Db, bell: Bell, tracker: TaskTracker, stopping: CancellationToken) -> Self {
        Self { db, bell, tracker, stopping, feeds: Arc::default(), woken: Arc::default() }
    }

    /// Something was committed for this organisation: look now instead of at the next tick, here and in other processes.
    pub fn wake(&self, organization: OrganizationId) {
        self.heard(Some(organization));
        self.bell.told(organization);
    }

    /// Something was committed for an organisation, or for any, perhaps by another process: look now.
    pub fn heard(&self, organization: Option<OrganizationId>) {
        let feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        match organization {
            Some(organization) => feeds.get(&organization).iter().for_each(|feed| feed.wake.notify_one()),
            None => feeds.values().for_each(|feed| feed.wake.notify_one()),
        }
        self.woken.notify_one();
    }

    /// Reads the events that come after a seq, or from now on. The first reader starts the feed, which ends after the last has gone.
    pub async fn tail(&self, organization: OrganizationId, since: Option<i64>, filter: Filter) -> Result<Reader, TailError> {
        let (now, batches) = self.subscribe(organization).await?;
        if let Some(since) = since.filter(|since| *since > now) {
            let mut tx = self.db.read(organization).await?;
            let newest = store::newest_told(&mut tx).await?;
            tx.rollback().await?;
            if since > newest {
                return Err(TailError::Ahead { since, newest });
            }
        }
        Ok(Reader { live: self.clone(), organization, filter: Arc::new(filter), position: since.unwrap_or(now), batches, is_behind: since.is_some() })
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
        let mut handed = Instant::now();
        loop {
            let woken = async {
                tokio::select! {
                    () = feed.wake.notified() => {}
                    () = tokio::time::sleep(pause) => {}
                }
                // A batch for each event would be a write to each reader for each.
                if handed.saturating_duration_since(Instant::now()) >= Duration::from_millis(1) {
                    tokio::time::sleep_until(handed).await;
                }
            };
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = woken => {}
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
                        let readers = feed.batches.send(Arc::new(batch)).unwrap_or(0);
                        handed = Instant::now() + (HANDING * u32::try_from(readers).unwrap_or(u32::MAX)).min(GATHERED);
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
