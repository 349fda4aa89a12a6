//! The queue on a real Postgres: what is enqueued is done, once, whatever happens to workers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use patchbay_core::{
    collab,
    db::{self, Db, PoolSize},
    ids::{Context, JobId, OrganizationId, System},
    jobs::{Bell, Failure, Held, Job, Kind, NewJob, Retry, State, Work, Workers, store},
    tenancy,
};
use patchbay_tests::{
    cluster::{Database, cluster},
    until::{found, until},
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// A queue with an organisation, and workers as a test wants them.
struct Queue {
    db: Db,
    ctx: Arc<dyn Context>,
    organization: OrganizationId,
    bell: Bell,
    /// Dropped with the queue.
    database: Database,
}

impl Queue {
    async fn new() -> Result<Self> {
        let database = cluster().await.database().await?;
        let access = database.access().await?;
        db::migrate(&access).await?;
        let db = Db::open(&access, PoolSize { service: 8, reader: 1 });
        let ctx: Arc<dyn Context> = Arc::new(System::default());
        let organization = OrganizationId(ctx.uuid());
        let mut tx = db.begin(organization).await?;
        tenancy::store::create_first(&mut tx, ctx.as_ref(), organization, "Test").await?;
        tx.commit().await?;
        Ok(Self { db, ctx, organization, bell: Bell::default(), database })
    }

    async fn enqueue(&self, new: NewJob<'_>) -> Result<Option<JobId>> {
        let mut tx = self.db.begin(self.organization).await?;
        let id = store::enqueue(&mut tx, self.ctx.as_ref(), self.organization, &new).await?;
        tx.commit().await?;
        self.bell.ring();
        Ok(id)
    }

    fn work(&self, kind: Kind, work: Arc<dyn Work>) -> Worker {
        let stopping = CancellationToken::new();
        let workers = Workers::new(self.db.clone(), self.ctx.clone(), self.bell.clone()).kind(kind, work);
        Worker { task: tokio::spawn(workers.run(stopping.clone())), stopping }
    }

    async fn look(&self, id: JobId) -> Result<Option<patchbay_core::jobs::JobView>> {
        let mut tx = self.db.begin(self.organization).await?;
        let job = store::find(&mut tx, id).await?;
        tx.rollback().await?;
        Ok(job)
    }

    /// Waits until a job is as it should be.
    async fn until(&self, id: JobId, what: &str, is: impl Fn(Option<&patchbay_core::jobs::JobView>) -> bool) -> Result<()> {
        found(what, async || {
            let job = self.look(id).await?;
            Ok(if is(job.as_ref()) { Ok(()) } else { Err(job) })
        })
        .await
    }
}

struct Worker {
    task: JoinHandle<()>,
    stopping: CancellationToken,
}

impl Worker {
    async fn stop(self) -> Result<()> {
        self.stopping.cancel();
        Ok(self.task.await?)
    }
}

/// Does what a closure says.
struct Do<F>(F);

#[async_trait]
impl<F, R> Work for Do<F>
where
    F: Fn(Job) -> R + Send + Sync,
    R: Future<Output = Result<Value, Failure>> + Send,
{
    async fn run(&self, job: &Job, _: &Held) -> Result<Value, Failure> {
        (self.0)(job.clone()).await
    }
}

fn quick(name: &'static str) -> Kind {
    Kind { retry: Retry { first: Duration::from_millis(1), longest: Duration::from_millis(5) }, ..Kind::new(name) }
}

#[tokio::test]
async fn a_job_is_done_and_what_it_gave_is_kept() -> Result<()> {
    let queue = Queue::new().await?;
    let worker =
        queue.work(Kind { keep: true, ..quick("double") }, Arc::new(Do(|job: Job| async move { Ok(json!(job.payload["n"].as_i64().unwrap_or(0) * 2)) })));
    let id = queue.enqueue(NewJob { visible: true, ..NewJob::new("double", json!({ "n": 21 })) }).await?.context("it is enqueued")?;
    queue.until(id, "done", |job| job.is_some_and(|job| job.state == State::Done && job.result == Some(json!(42)))).await?;
    worker.stop().await
}

#[tokio::test]
async fn what_fails_is_tried_again_and_then_kept_for_a_person_who_mends_it() -> Result<()> {
    let queue = Queue::new().await?;
    let tries = Arc::new(AtomicUsize::new(0));
    let counting = tries.clone();
    let work = Do(move |job: Job| {
        counting.fetch_add(1, Ordering::SeqCst);
        async move { if job.payload["good"] == true { Ok(Value::Null) } else { Err(Failure::Later { after: None, why: "the other side is away".into() }) } }
    });
    let worker = queue.work(quick("call"), Arc::new(work));
    let id = queue.enqueue(NewJob { max_attempts: 3, ..NewJob::new("call", json!({ "good": false })) }).await?.context("it is enqueued")?;
    queue.until(id, "dead", |job| job.is_some_and(|job| job.state == State::Dead)).await?;
    assert_eq!(tries.load(Ordering::SeqCst), 3);
    let job = queue.look(id).await?.context("a dead letter is kept")?;
    assert_eq!(job.problem.as_deref(), Some("the other side is away"));
    assert_eq!(job.log.as_array().map(Vec::len), Some(3), "each try said how it ended: {}", job.log);
    let mut tx = queue.db.begin(queue.organization).await?;
    let listed = store::list(&mut tx, queue.organization, store::Filter { state: Some(State::Dead), ..store::Filter::default() }, 10).await?;
    assert_eq!(listed.iter().map(|job| job.id).collect::<Vec<_>>(), [id], "a dead letter is seen, though its kind is the service's own");
    let events = collab::store::read_after(&mut tx, 0, &collab::event::Filter::default()).await?.events;
    assert!(events.iter().any(|event| event.event == "job.failed" && event.target == id.to_string()), "{events:?}");
    assert_eq!(store::retry(&mut tx, &[id], Some(&json!({ "good": true }))).await?, [id]);
    tx.commit().await?;
    queue.bell.ring();
    queue.until(id, "done and gone", |job| job.is_none()).await?;
    worker.stop().await
}

#[tokio::test]
async fn who_lost_a_job_cannot_end_it() -> Result<()> {
    let queue = Queue::new().await?;
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (telling, waiting) = (begun.clone(), go_on.clone());
    let slow = Do(move |_: Job| {
        let (telling, waiting) = (telling.clone(), waiting.clone());
        async move {
            telling.notify_one();
            waiting.notified().await;
            Ok(json!("the first"))
        }
    });
    // A lease shorter than the first heartbeat; one at a time, so that its holder does not take it again itself.
    let kind = Kind { lease: Duration::from_millis(1), keep: true, concurrency: 1, ..quick("slow") };
    let first = queue.work(kind, Arc::new(slow));
    let id = queue.enqueue(NewJob::new("slow", Value::Null)).await?.context("it is enqueued")?;
    begun.notified().await;
    let second = queue.work(Kind { lease: Duration::from_mins(1), ..kind }, Arc::new(Do(|job: Job| async move { Ok(json!(format!("try {}", job.attempt))) })));
    queue.until(id, "taken over", |job| job.is_some_and(|job| job.state == State::Done)).await?;
    go_on.notify_one();
    first.stop().await?;
    let job = queue.look(id).await?.context("it is kept")?;
    assert_eq!(job.result, Some(json!("try 2")), "the late one changed nothing");
    second.stop().await
}

#[tokio::test]
async fn a_worker_that_stops_gives_back_what_it_cannot_end() -> Result<()> {
    let queue = Queue::new().await?;
    let begun = Arc::new(Notify::new());
    let telling = begun.clone();
    let endless = Do(move |_: Job| {
        telling.notify_one();
        std::future::pending::<Result<Value, Failure>>()
    });
    let kind = Kind { keep: true, ..quick("endless") };
    let first = queue.work(kind, Arc::new(endless));
    let id = queue.enqueue(NewJob::new("endless", Value::Null)).await?.context("it is enqueued")?;
    begun.notified().await;
    first.stop().await?;
    let job = queue.look(id).await?.context("it is there")?;
    assert_eq!((job.state, job.attempt), (State::Queued, 0), "it waits again, and the try does not count");
    let second = queue.work(kind, Arc::new(Do(|job: Job| async move { Ok(json!(job.attempt)) })));
    queue.until(id, "done by another", |job| job.is_some_and(|job| job.result == Some(json!(1)))).await?;
    second.stop().await
}

/// Stops when it is asked to.
struct Polite(Arc<Notify>);
#[async_trait]
impl Work for Polite {
    async fn run(&self, _: &Job, held: &Held) -> Result<Value, Failure> {
        self.0.notify_one();
        held.cancelled.cancelled().await;
        Err(Failure::Later { after: None, why: "stopped in the middle".into() })
    }
}

#[tokio::test]
async fn a_person_cancels_what_waits_and_what_runs() -> Result<()> {
    let queue = Queue::new().await?;
    let waiting = queue.enqueue(NewJob::new("cancelled", Value::Null)).await?.context("it is enqueued")?;
    let mut tx = queue.db.begin(queue.organization).await?;
    assert!(store::cancel(&mut tx, waiting).await?);
    assert!(!store::cancel(&mut tx, waiting).await?, "there is nothing left to cancel");
    tx.commit().await?;
    let begun = Arc::new(Notify::new());
    let running = queue.enqueue(NewJob::new("cancelled", Value::Null)).await?.context("it is enqueued")?;
    let worker = queue.work(quick("cancelled"), Arc::new(Polite(begun.clone())));
    begun.notified().await;
    let mut tx = queue.db.begin(queue.organization).await?;
    assert!(store::cancel(&mut tx, running).await?);
    tx.commit().await?;
    queue.until(running, "cancelled", |job| job.is_some_and(|job| job.state == State::Cancelled)).await?;
    assert_eq!(queue.look(waiting).await?.map(|job| job.state), Some(State::Cancelled));
    worker.stop().await
}

#[tokio::test]
async fn a_fault_of_the_program_is_a_failed_try_and_later_ones_wait_for_their_time() -> Result<()> {
    let queue = Queue::new().await?;
    let is_first = AtomicBool::new(true);
    let work = Do(move |_: Job| {
        let is_first = is_first.swap(false, Ordering::SeqCst);
        async move {
            assert!(!is_first, "the first try breaks");
            Ok(Value::Null)
        }
    });
    let late = queue
        .enqueue(NewJob { run_at: Some(queue.ctx.now() + chrono::TimeDelta::hours(1)), ..NewJob::new("breaks", Value::Null) })
        .await?
        .context("it is enqueued")?;
    let id = queue.enqueue(NewJob { unique_key: Some("one"), ..NewJob::new("breaks", Value::Null) }).await?.context("it is enqueued")?;
    assert_eq!(queue.enqueue(NewJob { unique_key: Some("one"), ..NewJob::new("breaks", Value::Null) }).await?, None, "one with this key waits already");
    let worker = queue.work(quick("breaks"), Arc::new(work));
    queue.until(id, "done at the second try", |job| job.is_none()).await?;
    assert_eq!(queue.look(late).await?.map(|job| job.state), Some(State::Scheduled));
    assert!(
        queue.enqueue(NewJob { unique_key: Some("one"), ..NewJob::new("breaks", Value::Null) }).await?.is_some(),
        "the first is done: there may be another"
    );
    worker.stop().await
}

#[tokio::test]
async fn an_organisation_with_few_jobs_does_not_wait_for_one_with_many() -> Result<()> {
    let queue = Queue::new().await?;
    let other = OrganizationId(queue.ctx.uuid());
    let mut tx = queue.db.begin(other).await?;
    tenancy::store::create_organization(&mut tx, queue.ctx.as_ref(), other, "Other").await?;
    tx.commit().await?;
    let mut tx = queue.db.begin(queue.organization).await?;
    store::enqueue_all(&mut tx, queue.ctx.as_ref(), queue.organization, &NewJob::new("fair", Value::Null), &vec![Value::Null; 1000]).await?;
    tx.commit().await?;
    let mut tx = queue.db.begin(other).await?;
    store::enqueue_all(&mut tx, queue.ctx.as_ref(), other, &NewJob::new("fair", Value::Null), &vec![Value::Null; 5]).await?;
    tx.commit().await?;
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let noting = order.clone();
    let work = Do(move |job: Job| {
        noting.lock().expect("nobody broke off").push(job.organization);
        async { Ok(Value::Null) }
    });
    let worker = queue.work(Kind { concurrency: 10, ..quick("fair") }, Arc::new(work));
    until("all are done", async || Ok(order.lock().expect("nobody broke off").len() == 1005)).await?;
    let last = order.lock().expect("nobody broke off").iter().rposition(|organization| *organization == other).context("the other's are done")?;
    assert!(last < 30, "the last of the few was number {last} of 1005");
    worker.stop().await
}

#[tokio::test]
async fn what_is_to_be_done_at_once_is_not_parked() -> Result<()> {
    let queue = Queue::new().await?;
    // Its transaction has begun before it is said to be due.
    let id = queue.enqueue(NewJob::new("soon", Value::Null)).await?.context("it is enqueued")?;
    assert_eq!(queue.look(id).await?.map(|job| job.state), Some(State::Queued));
    Ok(())
}

#[tokio::test]
async fn ending_a_few_jobs_reads_a_few_rows_whatever_the_planner_knows() -> Result<()> {
    let queue = Queue::new().await?;
    let many = || async {
        let mut tx = queue.db.begin(queue.organization).await?;
        store::enqueue_all(&mut tx, queue.ctx.as_ref(), queue.organization, &NewJob::new("many", Value::Null), &vec![Value::Null; 5000]).await?;
        anyhow::Ok(tx.commit().await?)
    };
    let settings = [("enable_seqscan", "off"), ("enable_bitmapscan", "off"), ("plan_cache_mode", "force_generic_plan"), ("patchbay.queue", "on")];
    let mut conn = queue.database.access().await?.owner().options(settings).connect().await?;
    // A queue that was as good as empty when it was looked at: what the planner mostly takes it for.
    many().await?;
    sqlx::raw_sql("delete from job where job_id <> (select job_id from job limit 1); analyze job").execute(&mut conn).await?;
    many().await?;
    for call in [
        "end_jobs(ids, tokens, array_fill(false, array[10]), array_fill(null::text, array[10]), array_fill(null::text, array[10]))",
        "end_jobs(ids, tokens, array_fill(true, array[10]), array_fill('1'::text, array[10]), array_fill('[]'::text, array[10]))",
        "(select count(*)::integer from hold_jobs(ids, tokens, array_fill(60::float, array[10])))",
        "(select 10 from give_jobs_back(ids, tokens))",
    ] {
        let mut tx = conn.begin().await?;
        sqlx::raw_sql("create temporary table taken as select array_agg(job_id) as ids, array_agg(token) as tokens from take_jobs('{many}', '{10}', '{60}', gen_random_uuid())")
            .execute(&mut *tx)
            .await?;
        let read = "select idx_tup_fetch from pg_stat_xact_user_tables where relname = 'job'";
        let before: i64 = sqlx::query_scalar(read).fetch_one(&mut *tx).await?;
        let ended: i32 = sqlx::query_scalar(AssertSqlSafe(format!("select {call} from taken"))).fetch_one(&mut *tx).await?;
        let after: i64 = sqlx::query_scalar(read).fetch_one(&mut *tx).await?;
        assert_eq!(ended, 10, "{call}");
        assert!(after - before <= 50, "{call} read {} rows for 10", after - before);
        tx.rollback().await?;
    }
    Ok(())
}
