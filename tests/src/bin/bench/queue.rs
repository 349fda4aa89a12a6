//! The queue: how fast it drains, how soon an idle one begins, and what a million waiting jobs cost; beside bare SQL and
//! the queues of others on the same Postgres.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use patchbay_core::{
    db::{Db, PoolSize},
    ids::{Context, OrganizationId, System},
    jobs::{Bell, Failure, Held, Job, Kind, NewJob, Work, Workers, store},
};
use patchbay_web::{
    service::{Beside, Data},
    settings::{Flags, load},
};
use serde_json::{Value, json};
use sqlx::{postgres::PgPoolOptions, types::Json};
use tokio::{process::Command, sync::Notify};
use tokio_util::sync::CancellationToken;

const JOBS: usize = 20_000;

/// Does nothing, and tells when it began.
#[derive(Default)]
struct Nothing {
    begun: AtomicUsize,
    at: Mutex<Option<Instant>>,
    told: Notify,
}

#[async_trait]
impl Work for Nothing {
    async fn run(&self, _: &Job, _: &Held) -> Result<Value, Failure> {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.told.notify_one();
        Ok(Value::Null)
    }
}

struct Bench {
    db: Db,
    ctx: Arc<dyn Context>,
    organization: OrganizationId,
    bell: Bell,
}

pub(super) async fn measure(data: &str, compare: &str) -> Result<Value> {
    let others = Others { data, compare };
    let flags = Flags { data_dir: Some(PathBuf::from(data)), ..Flags::default() };
    let data = Data::open(&load(&flags)?.0, Beside::Shared).await?;
    let db = Db::open(&data.access, PoolSize { service: 8, reader: 1 });
    let organization = *db.organizations().await?.first().context("the database has an organisation")?;
    let bench = Bench { db, ctx: Arc::new(System::default()), organization, bell: Bell::default() };
    let bare = PgPoolOptions::new().max_connections(4).connect_with(data.access.owner().options([("patchbay.queue", "on")])).await?;
    let (mut ours, mut theirs, mut graphile, mut boss) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        theirs.push(drain_bare(&bare).await?);
        ours.push(bench.drain(&bare).await?);
        graphile.push(others.drain("graphile-worker").await?);
        boss.push(others.drain("pg-boss").await?);
    }
    let (p50, p95) = bench.latency().await?;
    let few = bench.take_one().await?;
    bench.enqueue("waits", 1_000_000).await?;
    // As where they have waited for a while.
    sqlx::query("vacuum analyze job").execute(&bare).await?;
    let many = bench.take_one().await?;
    sqlx::query("alter table job disable row level security").execute(&bare).await?;
    sqlx::query("truncate job").execute(&bare).await?;
    sqlx::query("alter table job enable row level security").execute(&bare).await?;
    Ok(json!({
        "queue_jobs_per_second": median(ours), "queue_bare_sql_50_at_a_time_per_second": median(theirs),
        "queue_graphile_worker_per_second": median(graphile), "queue_pg_boss_batches_of_100_per_second": median(boss),
        "queue_start_p50_ms": p50, "queue_start_p95_ms": p95, "queue_one_ms": few, "queue_one_beside_a_million_ms": many,
    }))
}

/// What others make of as many jobs on the same Postgres.
struct Others<'a> {
    data: &'a str,
    /// The folder of the comparison programs.
    compare: &'a str,
}

impl Others<'_> {
    async fn drain(&self, name: &str) -> Result<f64> {
        let output = Command::new("node")
            .args([&format!("{}/queue.mjs", self.compare), name, &JOBS.to_string()])
            .envs([("PGHOST", format!("{}/pgdata", self.data)), ("PGUSER", "postgres".into()), ("PGDATABASE", "patchbay".into())])
            .output()
            .await?;
        ensure!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).trim().parse()?)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    (values[values.len() / 2] * 100.0).round() / 100.0
}

#[expect(clippy::cast_precision_loss, reason = "counts of jobs are small")]
fn per_second(count: usize, since: Instant) -> f64 {
    (count as f64 / since.elapsed().as_secs_f64()).round()
}

impl Bench {
    async fn enqueue(&self, kind: &str, count: usize) -> Result<()> {
        let payloads = vec![Value::Null; 10_000.min(count)];
        for _ in 0..count.div_ceil(payloads.len()) {
            let mut tx = self.db.begin(self.organization).await?;
            store::enqueue_all(&mut tx, self.ctx.as_ref(), self.organization, &NewJob::new(kind, Value::Null), &payloads).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    fn work(&self, kind: Kind) -> (Arc<Nothing>, CancellationToken, tokio::task::JoinHandle<()>) {
        let (nothing, stopping) = (Arc::new(Nothing::default()), CancellationToken::new());
        let workers = Workers::new(self.db.clone(), self.ctx.clone(), self.bell.clone()).kind(kind, nothing.clone());
        let task = tokio::spawn(workers.run(stopping.clone()));
        (nothing, stopping, task)
    }

    /// Jobs a second, with leases, priorities, retries and dead letters on, until the last is ended in the database. Looking whether
    /// it is costs next to nothing, as with the others.
    async fn drain(&self, owner: &sqlx::PgPool) -> Result<f64> {
        self.enqueue("nothing", JOBS).await?;
        let begun = Instant::now();
        let (_, stopping, task) = self.work(Kind { concurrency: 1000, ..Kind::new("nothing") });
        while sqlx::query_scalar("select exists (select from job where state = 'waiting' and kind = 'nothing')").fetch_one(owner).await? {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let rate = per_second(JOBS, begun);
        stopping.cancel();
        task.await?;
        Ok(rate)
    }

    /// From the commit that enqueues to the beginning of the work, in an idle queue.
    async fn latency(&self) -> Result<(f64, f64)> {
        let (nothing, stopping, task) = self.work(Kind::new("soon"));
        let mut waits = Vec::new();
        for _ in 0..300 {
            let mut tx = self.db.begin(self.organization).await?;
            store::enqueue(&mut tx, self.ctx.as_ref(), self.organization, &NewJob::new("soon", Value::Null)).await?;
            tx.commit().await?;
            let committed = Instant::now();
            self.bell.ring();
            nothing.told.notified().await;
            let at = nothing.at.lock().unwrap_or_else(PoisonError::into_inner).context("it began")?;
            waits.push(at.saturating_duration_since(committed).as_secs_f64() * 1000.0);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stopping.cancel();
        task.await?;
        waits.sort_by(f64::total_cmp);
        Ok((round(waits[waits.len() / 2]), round(waits[waits.len() * 95 / 100])))
    }

    /// How long it takes to have one job of a kind done, which waits among others of another kind.
    async fn take_one(&self) -> Result<f64> {
        let (nothing, stopping, task) = self.work(Kind { concurrency: 1, ..Kind::new("one") });
        let mut took = Vec::new();
        for _ in 0..50 {
            let mut tx = self.db.begin(self.organization).await?;
            store::enqueue(&mut tx, self.ctx.as_ref(), self.organization, &NewJob::new("one", Value::Null)).await?;
            tx.commit().await?;
            let begun = Instant::now();
            self.bell.ring();
            nothing.told.notified().await;
            took.push(begun.elapsed().as_secs_f64() * 1000.0);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stopping.cancel();
        task.await?;
        Ok(median(took))
    }
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// The same number of rows, 50 at a time on four connections: claimed by one statement and ended by another, as between them the work
/// would be done.
async fn drain_bare(pool: &sqlx::PgPool) -> Result<f64> {
    sqlx::raw_sql(
        "drop table if exists bare_job;
         create table bare_job (id bigserial primary key, payload json not null, state text not null default 'waiting', claimed_at timestamptz);
         create index bare_job_waiting on bare_job (id) where state = 'waiting';
         insert into bare_job (payload) select 'null' from generate_series(1, 20000); analyze bare_job",
    )
    .execute(pool)
    .await?;
    let begun = Instant::now();
    let drain = |pool: sqlx::PgPool| async move {
        loop {
            let claimed: Vec<(i64, Json<Value>)> = sqlx::query_as(
                "update bare_job set state = 'running', claimed_at = now()
                 where id = any (array(select id from bare_job where state = 'waiting' order by id limit 50 for update skip locked)) returning id, payload",
            )
            .fetch_all(&pool)
            .await?;
            if claimed.is_empty() {
                return anyhow::Ok(());
            }
            let ids: Vec<_> = claimed.into_iter().map(|(id, _)| id).collect();
            sqlx::query("delete from bare_job where id = any ($1)").bind(ids).execute(&pool).await?;
        }
    };
    tokio::try_join!(drain(pool.clone()), drain(pool.clone()), drain(pool.clone()), drain(pool.clone()))?;
    let rate = per_second(JOBS, begun);
    sqlx::query("drop table bare_job").execute(pool).await?;
    Ok(rate)
}
