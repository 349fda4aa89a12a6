//! Workers: they take jobs, run them, keep them held, and end them.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::FutureExt as _;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde_json::{Value, json};
use sqlx::PgConnection;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use super::{
    Bell, Failure, Job, Kind,
    store::{self, Ended, Room},
};
use crate::{
    collab,
    db::{self, Db},
    ids::{Context, JobId},
};

/// How often the queue is looked at when nobody rings.
const TICK: Duration = Duration::from_secs(1);
/// How often held jobs are said to be held still: often enough for the shortest lease.
const BEAT: Duration = Duration::from_secs(4);
/// How long a cancelled job may take to stop by itself, and running ones when the service stops.
const GRACE: Duration = Duration::from_secs(4);
/// The most that is taken or ended in one statement.
const BATCH: usize = 500;

/// What is done with the jobs of a kind. It may be done twice, if a process dies: an effect is repeatable, or is made in the
/// transaction that ends the job ([`store::finish`], then [`Failure::Over`]).
#[async_trait]
pub trait Work: Send + Sync {
    /// Runs one; what it gives is kept where the kind says so.
    async fn run(&self, job: &Job, held: &Held) -> Result<Value, Failure>;
}

/// What a running job knows of itself.
#[derive(Default)]
pub struct Held {
    /// Somebody wants it to stop, or the service does.
    pub cancelled: CancellationToken,
    /// It is to be dropped where it stands.
    cut_off: CancellationToken,
    /// It is a person who wants that, and not the service that stops.
    by_person: AtomicBool,
    /// It has ended, however.
    ended: CancellationToken,
    log: Mutex<Vec<String>>,
}

impl Held {
    /// Writes a line into the job's log.
    pub fn say(&self, line: impl Into<String>) {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(line.into());
    }

    /// Ends a job of a kind that is kept in the transaction of its effect, as the last thing in it, as [`store::finish`] does for
    /// others.
    pub async fn finish(&self, conn: &mut PgConnection, ctx: &dyn Context, job: &Job, result: &Value) -> sqlx::Result<bool> {
        let before = if job.attempt > 1 { store::log(conn, job.id).await? } else { Value::Null };
        store::finish_kept(conn, job, result, &self.log_of(ctx, job, before, None)).await
    }

    /// The job's log with what this try said at its end.
    fn log_of(&self, ctx: &dyn Context, job: &Job, before: Value, last: Option<&str>) -> Value {
        let mut said = std::mem::take(&mut *self.log.lock().unwrap_or_else(PoisonError::into_inner));
        said.extend(last.map(str::to_owned));
        let mut lines = if let Value::Array(lines) = before { lines } else { Vec::new() };
        let now = ctx.now();
        lines.extend(said.into_iter().map(|text| json!({ "at": now, "attempt": job.attempt, "text": text })));
        // The newest are the ones that are asked for.
        let surplus = lines.len().saturating_sub(200);
        lines.drain(..surplus);
        lines.into()
    }
}

/// The workers of a process.
pub struct Workers {
    db: Db,
    ctx: Arc<dyn Context>,
    bell: Bell,
    id: Uuid,
    desks: Vec<Desk>,
    /// A desk has room again.
    freed: Notify,
    running: Mutex<HashMap<JobId, Running>>,
    tracker: TaskTracker,
}

/// Where jobs of one kind are done.
struct Desk {
    kind: Kind,
    work: Arc<dyn Work>,
    room: Arc<Semaphore>,
    pace: Option<DefaultDirectRateLimiter>,
}

struct Running {
    token: i64,
    lease: Duration,
    held: Arc<Held>,
}

impl Workers {
    pub fn new(db: Db, ctx: Arc<dyn Context>, bell: Bell) -> Self {
        let id = ctx.uuid();
        Self { db, ctx, bell, id, desks: Vec::new(), freed: Notify::new(), running: Mutex::default(), tracker: TaskTracker::new() }
    }

    /// Takes on a kind of job.
    #[must_use]
    pub fn kind(mut self, kind: Kind, work: Arc<dyn Work>) -> Self {
        let pace = kind.per_second.and_then(std::num::NonZeroU32::new).map(|limit| RateLimiter::direct(Quota::per_second(limit)));
        self.desks.push(Desk { kind, work, room: Arc::new(Semaphore::new(kind.concurrency)), pace });
        self
    }

    /// Works until told to stop; then lets what runs end, and gives back what does not.
    pub async fn run(self, stopping: CancellationToken) {
        let workers = Arc::new(self);
        let (done, ended) = mpsc::channel(4 * BATCH);
        let ending = tokio::spawn(workers.clone().end(ended));
        tokio::select! {
            // Ends between two looks, so that nothing is taken that nobody has.
            () = workers.take(&done, &stopping) => {}
            () = workers.hold() => {}
            () = workers.watch_times() => {}
        }
        workers.stop().await;
        drop(done);
        let _ = ending.await;
    }

    async fn take(self: &Arc<Self>, done: &mpsc::Sender<Ended>, stopping: &CancellationToken) {
        while !stopping.is_cancelled() {
            let is_full = self.desks.iter().any(|desk| desk.room.available_permits() == 0);
            match self.take_some(done).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "jobs could not be taken; trying again"),
            }
            tokio::select! {
                () = stopping.cancelled() => {}
                () = self.bell.rung() => {}
                () = self.freed.notified(), if is_full => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Takes what there is room for. Whether there may be more.
    async fn take_some(self: &Arc<Self>, done: &mpsc::Sender<Ended>) -> db::Result<bool> {
        let room: Vec<Room> = self
            .desks
            .iter()
            .map(|desk| Room { kind: desk.kind.name, count: desk.room.available_permits().min(BATCH), lease: desk.kind.lease })
            .filter(|room| room.count > 0)
            .collect();
        if room.is_empty() {
            return Ok(false);
        }
        let taken = store::take(&self.db, self.id, &room).await?;
        let some = !taken.is_empty();
        for job in taken {
            let Some(at) = self.desks.iter().position(|desk| desk.kind.name == job.kind) else { continue };
            // Only this loop takes permits, so there is one for each job that was asked for.
            let Ok(permit) = self.desks[at].room.clone().try_acquire_owned() else { continue };
            let held = Arc::new(Held::default());
            let entry = Running { token: job.token, lease: self.desks[at].kind.lease, held: held.clone() };
            let before = self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(job.id, entry);
            if let Some(lost) = before {
                // It could not be kept held here, and came back: what runs of it cannot end it any more.
                lost.held.cut_off.cancel();
            }
            self.tracker.spawn(self.clone().work(at, job, held, permit, done.clone()));
        }
        Ok(some)
    }

    async fn work(self: Arc<Self>, at: usize, job: Job, held: Arc<Held>, permit: OwnedSemaphorePermit, done: mpsc::Sender<Ended>) {
        let desk = &self.desks[at];
        let result = self.attempt(desk, &job, &held).await;
        match result {
            // It is told as done before it is no longer held, so that it cannot be given back in between.
            Ok(result) => {
                let log = if desk.kind.keep { self.log_of(&job, &held, None).await.unwrap_or_default() } else { Value::Null };
                // The receiver lives until the last sender is gone.
                let _ = done.send(Ended { id: job.id, token: job.token, keep: desk.kind.keep, result, log }).await;
            }
            Err(Failure::Over) => {}
            Err(failure) => self.fail(desk, &job, &held, failure).await,
        }
        held.ended.cancel();
        {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            if running.get(&job.id).is_some_and(|running| running.token == job.token) {
                running.remove(&job.id);
            }
        }
        drop(permit);
        self.freed.notify_one();
    }

    async fn attempt(&self, desk: &Desk, job: &Job, held: &Held) -> Result<Value, Failure> {
        if job.attempt > job.max_attempts {
            return Err(Failure::Never { why: format!("its worker died {} times while it ran", job.max_attempts) });
        }
        if let Some(pace) = &desk.pace {
            pace.until_ready().await;
        }
        let running = AssertUnwindSafe(desk.work.run(job, held)).catch_unwind();
        tokio::select! {
            ended = tokio::time::timeout(desk.kind.timeout, running) => match ended {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => Err(Failure::Later { after: None, why: "the program has a fault: the work broke off; the log has more".into() }),
                Err(_) => Err(Failure::Later { after: None, why: format!("it took longer than {} seconds", desk.kind.timeout.as_secs()) }),
            },
            () = held.cut_off.cancelled() => {
                // Given back or lost, if not cancelled: not ours to end.
                if held.by_person.load(Ordering::Relaxed) { Err(Failure::Never { why: "it was cancelled".into() }) } else { Err(Failure::Over) }
            }
        }
    }

    async fn fail(&self, desk: &Desk, job: &Job, held: &Held, failure: Failure) {
        let why = failure.to_string();
        let again = match failure {
            Failure::Later { after, .. } if job.attempt < job.max_attempts => Some(after.unwrap_or_else(|| desk.kind.retry.after(job.attempt, draw(job)))),
            _ => None,
        };
        let failed: db::Result<()> = async {
            let log = self.log_of(job, held, Some(&why)).await?;
            let mut tx = self.db.begin(job.organization).await?;
            if again.is_none() {
                let details = json!({ "job": job.id, "kind": job.kind, "problem": why });
                let event = if held.by_person.load(Ordering::Relaxed) { "job.cancelled" } else { "job.failed" };
                collab::store::append(&mut tx, job.organization, self.ctx.now(), event, &job.actor, &job.id.to_string(), &details).await?;
            }
            if store::fail(&mut tx, job, again, &why, &log).await? { tx.commit().await } else { tx.rollback().await }
        }
        .await;
        match (failed, again) {
            (Err(error), _) => tracing::warn!(%error, job = %job.id, "a failed try could not be written down; it counts when its lease runs out"),
            (Ok(()), None) => tracing::warn!(job = %job.id, kind = job.kind, %why, "a job was given up"),
            (Ok(()), Some(again)) => tracing::info!(job = %job.id, kind = job.kind, %why, ?again, "a job is tried again"),
        }
    }

    async fn log_of(&self, job: &Job, held: &Held, last: Option<&str>) -> db::Result<Value> {
        let mut before = Value::Null;
        if job.attempt > 1 {
            let mut tx = self.db.begin(job.organization).await?;
            before = store::log(&mut tx, job.id).await?;
            tx.rollback().await?;
        }
        Ok(held.log_of(self.ctx.as_ref(), job, before, last))
    }

    /// Writes down what was done, many at a time.
    async fn end(self: Arc<Self>, mut done: mpsc::Receiver<Ended>) {
        let mut ended = Vec::with_capacity(BATCH);
        while done.recv_many(&mut ended, BATCH).await > 0 {
            match store::end(&self.db, &ended).await {
                Ok(count) if usize::try_from(count).is_ok_and(|count| count == ended.len()) => {}
                Ok(count) => tracing::warn!(done = ended.len(), written = count, "some jobs were taken over by others while they ran"),
                Err(error) => tracing::warn!(%error, "what was done could not be written down; it is done again when its lease runs out"),
            }
            ended.clear();
        }
    }

    /// Keeps what runs held, and cuts off what is not ours any more or is to be cancelled.
    async fn hold(&self) {
        loop {
            tokio::time::sleep(BEAT).await;
            let ours: Vec<(JobId, i64, Duration)> = {
                let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
                running.iter().map(|(id, running)| (*id, running.token, running.lease)).collect()
            };
            if ours.is_empty() {
                continue;
            }
            let held = match store::hold(&self.db, &ours).await {
                Ok(held) => held,
                Err(error) => {
                    tracing::warn!(%error, "running jobs could not be kept held; trying again");
                    continue;
                }
            };
            let held: HashMap<JobId, bool> = held.into_iter().collect();
            let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            for (id, token, _) in ours {
                let Some(running) = running.get(&id).filter(|running| running.token == token) else { continue };
                match held.get(&id) {
                    Some(false) => {}
                    Some(true) => self.cancel(id, &running.held),
                    // What ended meanwhile is not held either; cutting it off is too late and does nothing.
                    None => running.held.cut_off.cancel(),
                }
            }
        }
    }

    /// Asks a job to stop, and cuts it off when it does not.
    fn cancel(&self, id: JobId, held: &Arc<Held>) {
        if held.cancelled.is_cancelled() {
            return;
        }
        held.by_person.store(true, Ordering::Relaxed);
        held.cancelled.cancel();
        let held = held.clone();
        self.tracker.spawn(async move {
            if tokio::time::timeout(GRACE, held.ended.cancelled()).await.is_err() {
                tracing::info!(job = %id, "a cancelled job did not stop by itself and is cut off");
                held.cut_off.cancel();
            }
        });
    }

    /// Wakes what was parked when its time comes, and tells of what is late.
    async fn watch_times(&self) {
        loop {
            let pause = match self.look_at_times().await {
                Ok(next) => next.map_or(TICK, |next| next.clamp(Duration::from_millis(10), TICK)),
                Err(error) => {
                    tracing::warn!(%error, "waiting jobs could not be looked through; trying again");
                    TICK
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn look_at_times(&self) -> db::Result<Option<Duration>> {
        let (woken, next) = store::wake(&self.db).await?;
        if woken > 0 {
            self.bell.ring();
        }
        for job in store::late(&self.db).await? {
            let mut tx = self.db.begin(job.organization).await?;
            let details = json!({ "job": job.id, "kind": job.kind });
            collab::store::append(&mut tx, job.organization, self.ctx.now(), "job.late", &job.actor, &job.id.to_string(), &details).await?;
            tx.commit().await?;
        }
        Ok(next)
    }

    /// Waits for what runs, and gives back what does not end.
    async fn stop(&self) {
        self.tracker.close();
        {
            let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            running.values().for_each(|running| running.held.cancelled.cancel());
        }
        if tokio::time::timeout(GRACE, self.tracker.wait()).await.is_ok() {
            return;
        }
        let left: Vec<(JobId, i64)> = {
            let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            running.values().for_each(|running| running.held.cut_off.cancel());
            running.iter().map(|(id, running)| (*id, running.token)).collect()
        };
        if let Err(error) = store::give_back(&self.db, &left).await {
            tracing::warn!(%error, "running jobs could not be given back; others take them when their lease runs out");
        }
    }
}

/// Something between 0 and 1 that differs from job to job and from try to try: the end of an id is random.
fn draw(job: &Job) -> f64 {
    let bytes = job.id.0.as_bytes();
    f64::from(bytes[10 + usize::from(job.attempt.unsigned_abs()) % 6]) / 255.0
}
