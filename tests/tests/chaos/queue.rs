//! Workers are killed and stunned while they work off the queue: each job is ended once, and nobody takes one from a worker that lives.

use std::{
    collections::{HashMap, HashSet},
    env,
    io::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, Utc};
use patchbay_core::{
    db::{Db, PoolSize},
    ids::{Context, OrganizationId, System},
    jobs::{NewJob, store},
};
use patchbay_tests::{
    cluster::{Database, cluster},
    until::until,
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use reqwest::{Method, StatusCode};
use serde_json::json;
use sqlx::{ConnectOptions as _, FromRow, PgConnection};
use uuid::Uuid;

use crate::{Size, people::Client, program::Program};

const WORKERS: usize = 3;
/// How many jobs come between two blows.
const SHARE: usize = 100;
/// Of so many jobs one ends after its effect; the effect of the others ends them.
const TEXTS: usize = 5;
/// How many variants such a job makes, each in a transaction of its own.
const VARIANTS: u8 = 2;

/// What happened to jobs, noted by the database itself: whoever runs them has no hand in it.
const WITNESS: &str = "
    create table public.witness (n bigserial, at timestamptz not null, job_id uuid not null, token bigint not null, what text not null, worker uuid, program text);
    create function public.witness() returns trigger language plpgsql security definer as $$
        begin
            insert into public.witness (at, job_id, token, what, worker, program)
            select clock_timestamp(), old.job_id, coalesce(new.token, old.token), seen.what, coalesce(new.worker, old.worker), current_setting('test.program', true)
            from (select case when tg_op = 'DELETE' or new.state = 'done' then 'ended' when new.state <> old.state then new.state when new.token > old.token then 'taken' end) as seen (what)
            where seen.what is not null;
            return null;
        end
    $$;
    create trigger witness after update or delete on patchbay.job for each row when (old.kind in ('webhook-in', 'generate_text')) execute function public.witness();";

#[tokio::test]
async fn workers_killed_while_they_work_off_the_queue() -> Result<()> {
    let jobs = env::var("CHAOS_JOBS").ok().map_or(Ok(300), |text| text.parse())?;
    let seed = Size::of_environment()?.seed;
    writeln!(std::io::stderr(), "queue: CHAOS_SEED={seed}")?;
    let mut site = Site::new(StdRng::seed_from_u64(seed)).await?;
    let outcome = site.torment(jobs).await;
    outcome.with_context(|| format!("CHAOS_SEED={seed}; the programs said:\n{}", site.workers.iter().map(|worker| worker.program.said()).collect::<String>()))
}

struct Site {
    rng: StdRng,
    database: Arc<Database>,
    db: Db,
    ctx: System,
    /// Past everything that could mend or hide something.
    conn: PgConnection,
    workers: Vec<Worker>,
    blows: Vec<Blow>,
    organization: OrganizationId,
    /// Where the deliveries come from.
    source: Uuid,
    enqueued: HashSet<Uuid>,
}

struct Worker {
    program: Program,
    number: usize,
    /// How many processes it was so far.
    lives: usize,
}

/// What the database noted of a job.
#[derive(Debug, FromRow)]
struct Seen {
    job_id: Uuid,
    token: i64,
    /// `taken` or `ended`; anything else should not have happened.
    what: String,
    at: DateTime<Utc>,
    /// The process that did it.
    program: String,
}

/// When a process was struck, and when it went on, where it did.
struct Blow {
    program: String,
    at: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
}

impl Worker {
    fn name(&self) -> String {
        format!("worker-{}.{}", self.number, self.lives)
    }

    /// Starts a process that tells the database which one it is.
    fn spawn(&mut self, database: &Database) -> Result<()> {
        self.lives += 1;
        let mut url = database.options().to_url_lossy();
        url.query_pairs_mut().append_pair("options[test.program]", &self.name());
        self.program.setting("DATABASE_URL", url.as_str());
        self.program.spawn()
    }
}

impl Site {
    async fn new(rng: StdRng) -> Result<Self> {
        let database = Arc::new(cluster().await.database().await?);
        let db = Db::open(&database.access().await?, PoolSize { service: 2, reader: 1 });
        let mut first = Program::new(Some(database.clone()))?;
        first.spawn()?;
        first.ready().await?;
        let client = Client::new(first.key()?, first.url())?;
        let source = json!({ "name": "Chaos", "kind": "github", "template": "" });
        let (status, made) = client.ask(Method::POST, "/webhooks/sources", Some(&source), Some("source")).await?;
        ensure!(status == StatusCode::CREATED, "{made}");
        first.stop().await?;
        let mut conn: PgConnection = database.options().connect().await?;
        sqlx::raw_sql(WITNESS).execute(&mut conn).await?;
        sqlx::query("set search_path to patchbay").execute(&mut conn).await?;
        let mut workers = Vec::with_capacity(WORKERS);
        for number in 1..=WORKERS {
            let mut program = Program::new(Some(database.clone()))?;
            program.setting("PATCHBAY_SERVER__ROLES", "[worker]");
            workers.push(Worker { program, number, lives: 0 });
        }
        let organization = *db.organizations().await?.first().context("there is an organisation")?;
        let source = made["id"].as_str().context("a source has an id")?.parse()?;
        Ok(Self { rng, database, db, ctx: System::default(), conn, workers, blows: Vec::new(), organization, source, enqueued: HashSet::new() })
    }

    async fn torment(&mut self, jobs: usize) -> Result<()> {
        let begun = Instant::now();
        for worker in &mut self.workers {
            worker.spawn(&self.database)?;
            worker.program.ready().await?;
        }
        let mut left = jobs;
        while left > 0 {
            let share = left.min(SHARE);
            left -= share;
            self.enqueue(share).await?;
            let enough = self.rng.random_range(0..=share / 2);
            let dead = self.dead();
            until("enough jobs are ended for the next blow", async || Ok(self.open(&dead).await? + enough <= share)).await?;
            tokio::time::sleep(Duration::from_millis(self.rng.random_range(0..20))).await;
            self.strike().await?;
        }
        // Every lease of the dead has run out.
        let dead = self.dead();
        until("what dead workers left is taken up", async || {
            self.run_out(&dead).await?;
            Ok(self.open(&[]).await? == 0)
        })
        .await?;
        let taken_over = self.prove().await?;
        for worker in &mut self.workers {
            worker.program.stop().await?;
        }
        let stunned = self.blows.iter().filter(|blow| blow.until.is_some()).count();
        writeln!(
            std::io::stderr(),
            "{jobs} jobs through {} kills and {stunned} stuns of {WORKERS} workers in {:?}; {taken_over} were taken over",
            self.blows.len() - stunned,
            begun.elapsed(),
        )?;
        Ok(())
    }

    /// Enqueues jobs of two kinds: deliveries, whose effect ends them, and texts, which are ended after it.
    async fn enqueue(&mut self, count: usize) -> Result<()> {
        let ids: Vec<Uuid> = (0..count - count / TEXTS).map(|_| self.ctx.uuid()).collect();
        let stored: Vec<Uuid> = sqlx::query_scalar(
            r#"select * from receive_webhooks($1, $2, array_fill($3, array[cardinality($2)]), $2::text[],
                                              array_fill('{"x-github-event": "ping"}'::json, array[cardinality($2)]), array_fill('{}'::bytea, array[cardinality($2)]),
                                              array_fill(now(), array[cardinality($2)]))"#,
        )
        .bind(self.organization)
        .bind(&ids)
        .bind(self.source)
        .fetch_all(&mut self.conn)
        .await?;
        ensure!(stored.len() == ids.len(), "{} of {} deliveries were stored", stored.len(), ids.len());
        let texts = vec![json!({ "prompt": "Say that it is so.", "count": VARIANTS }); count / TEXTS];
        let mut tx = self.db.begin(self.organization).await?;
        store::enqueue_all(&mut tx, &self.ctx, self.organization, &NewJob::new("generate_text", json!(null)), &texts).await?;
        tx.commit().await?;
        sqlx::query("notify patchbay_jobs").execute(&mut self.conn).await?;
        self.enqueued.extend(ids);
        Ok(())
    }

    /// How many jobs are not ended, without those that some processes hold.
    async fn open(&mut self, held_by: &[String]) -> Result<usize> {
        let open: i64 = sqlx::query_scalar(
            "select count(*) from job where kind in ('webhook-in', 'generate_text') and state <> 'done'
             and not coalesce(leased_until > now() and worker in (select worker from public.witness where program = any ($1)), false)",
        )
        .bind(held_by)
        .fetch_one(&mut self.conn)
        .await?;
        Ok(usize::try_from(open)?)
    }

    /// The processes that were killed.
    fn dead(&self) -> Vec<String> {
        self.blows.iter().filter(|blow| blow.until.is_none()).map(|blow| blow.program.clone()).collect()
    }

    /// Lets the time run out for which processes hold jobs, as if they had been silent for so long; of those that are being ended right
    /// now nobody needs to.
    async fn run_out(&mut self, programs: &[String]) -> Result<()> {
        sqlx::query(
            "update job set leased_until = now() where job_id in (
                 select job_id from job where leased_until > now() and worker in (select worker from public.witness where program = any ($1)) for update skip locked)",
        )
        .bind(programs)
        .execute(&mut self.conn)
        .await?;
        Ok(())
    }

    async fn now(&mut self) -> Result<DateTime<Utc>> {
        Ok(sqlx::query_scalar("select clock_timestamp()").fetch_one(&mut self.conn).await?)
    }

    /// Kills a worker, or stuns it until others have its jobs.
    async fn strike(&mut self) -> Result<()> {
        let victim = self.rng.random_range(0..WORKERS);
        let name = self.workers[victim].name();
        let at = self.now().await?;
        if self.rng.random_bool(0.3) {
            self.workers[victim].program.stun().await?;
            let held: Vec<(Uuid, i64)> =
                sqlx::query_as("select job_id, token from job where leased_until > now() and worker in (select worker from public.witness where program = $1)")
                    .bind(&name)
                    .fetch_all(&mut self.conn)
                    .await?;
            self.run_out(std::slice::from_ref(&name)).await?;
            self.others_have(&held).await?;
            self.workers[victim].program.rouse().await?;
            let until = Some(self.now().await?);
            self.blows.push(Blow { program: name, at, until });
            return Ok(());
        }
        self.workers[victim].program.kill().await?;
        self.blows.push(Blow { program: name.clone(), at, until: None });
        // Others wait until its leases run out, or they have just run out.
        if self.rng.random_bool(0.5) {
            self.run_out(&[name]).await?;
        }
        // Now and then it does not come to life before it dies again.
        while self.rng.random_bool(0.2) {
            self.workers[victim].spawn(&self.database)?;
            let life = Duration::from_millis(self.rng.random_range(0..500));
            let _ = tokio::time::timeout(life, self.workers[victim].program.ready()).await;
            let (program, at) = (self.workers[victim].name(), self.now().await?);
            self.workers[victim].program.kill().await?;
            self.blows.push(Blow { program, at, until: None });
        }
        self.workers[victim].spawn(&self.database)?;
        self.workers[victim].program.ready().await
    }

    /// Waits until others have taken jobs that were held; those that are just being ended have a locked row, which nobody can take.
    async fn others_have(&mut self, held: &[(Uuid, i64)]) -> Result<()> {
        let (ids, tokens): (Vec<Uuid>, Vec<i64>) = held.iter().copied().unzip();
        until("jobs of a stunned worker are taken over", async || {
            let left: Vec<Uuid> = sqlx::query_scalar(
                "select j.job_id from job j join unnest($1, $2) as held (id, token) on j.job_id = held.id and j.token = held.token
                 where j.state = 'waiting' for update of j skip locked",
            )
            .bind(&ids)
            .bind(&tokens)
            .fetch_all(&mut self.conn)
            .await?;
            Ok(left.is_empty())
        })
        .await
    }

    /// Each job was ended once, by whoever took it last, had one effect, and was never taken from a worker that lived. How many were
    /// taken over.
    async fn prove(&mut self) -> Result<usize> {
        let told: Vec<(String, i64)> =
            sqlx::query_as("select details ->> 'delivery', count(*) from event where event = 'webhook.received' group by 1").fetch_all(&mut self.conn).await?;
        let told: HashMap<String, i64> = told.into_iter().collect();
        ensure!(told.len() == self.enqueued.len(), "{} of {} deliveries had their effect", told.len(), self.enqueued.len());
        for id in &self.enqueued {
            ensure!(told.get(&id.to_string()) == Some(&1), "delivery {id} had its effect {:?} times", told.get(&id.to_string()));
        }
        let texts: Vec<(Uuid, i64)> = sqlx::query_as(
            "select j.job_id, count(v.*) from job j left join variant v using (job_id) where j.kind = 'generate_text' and j.state = 'done' group by 1",
        )
        .fetch_all(&mut self.conn)
        .await?;
        ensure!(texts.iter().all(|(_, variants)| *variants == i64::from(VARIANTS)), "not each text has its variants: {texts:?}");
        let seen: Vec<Seen> =
            sqlx::query_as("select job_id, token, what, at, coalesce(program, '') as program from public.witness order by n").fetch_all(&mut self.conn).await?;
        let mut jobs: HashMap<Uuid, Vec<Seen>> = HashMap::new();
        for one in seen {
            jobs.entry(one.job_id).or_default().push(one);
        }
        ensure!(jobs.len() == self.enqueued.len() + texts.len(), "{} of {} jobs were seen", jobs.len(), self.enqueued.len() + texts.len());
        let mut taken_over = 0;
        for (id, seen) in &jobs {
            let (end, takes) = seen.split_last().context("something was seen")?;
            let is_ended = end.what == "ended" && takes.last().is_some_and(|last| (last.token, &last.program) == (end.token, &end.program));
            let is_taken = takes.iter().zip(1..).all(|(take, number)| take.what == "taken" && take.token == number);
            ensure!(is_ended && is_taken, "job {id} was not taken, and then ended once by whoever took it last: {seen:?}");
            for pair in takes.windows(2) {
                let [before, after] = pair else { continue };
                let was_struck = |blow: &Blow| blow.program == before.program && blow.at <= after.at && blow.until.is_none_or(|until| before.at <= until);
                ensure!(self.blows.iter().any(was_struck), "job {id} was taken from {}, which lived: {seen:?}", before.program);
            }
            taken_over += usize::from(takes.len() > 1);
        }
        ensure!(taken_over > 0, "nobody held a job when they were struck: CHAOS_JOBS is too small for this machine");
        Ok(taken_over)
    }
}
