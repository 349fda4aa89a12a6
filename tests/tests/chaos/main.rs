//! The program is killed again and again while many decide at once: nothing is done by half, lost, or done twice.
//!
//! `CHAOS_ACCEPTS` says how much there is to decide, and `CHAOS_SEED` repeats who does what and when the kills come; how all of it
//! falls together is up to the machine.

mod channels;
mod people;
mod planner;
mod program;
mod proof;
mod queue;

use std::{
    env,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io::Write as _,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use patchbay_tests::{
    cluster::{Database, cluster},
    until::until,
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use reqwest::Method;
use sqlx::{ConnectOptions as _, Connection as _};

use people::Client;
use program::Program;

/// A process dies after it has given some answers, so that it gets on on every machine: about so many,
const ANSWERS: u32 = 30;
/// and then at any moment: after about so long.
const MERCY: Duration = Duration::from_millis(100);

pub(crate) struct Size {
    pub(crate) projects: usize,
    pub(crate) accepts: usize,
    seed: u64,
}

impl Size {
    fn of_environment() -> Result<Self> {
        let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().with_context(|| format!("{name} is no number: {text}"))).transpose();
        let accepts = usize::try_from(number("CHAOS_ACCEPTS")?.unwrap_or(60))?;
        let seed = number("CHAOS_SEED")?.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        Ok(Self { projects: if accepts > 500 { 5 } else { 3 }, accepts, seed })
    }
}

#[tokio::test]
async fn killed_with_a_postgres_of_its_own() -> Result<()> {
    survive(None).await
}

#[tokio::test]
async fn killed_beside_a_postgres_that_lives_on() -> Result<()> {
    survive(Some(cluster().await.database().await?)).await
}

async fn survive(database: Option<Database>) -> Result<()> {
    let size = Size::of_environment()?;
    let whose = if database.is_some() { "given" } else { "own" };
    writeln!(std::io::stderr(), "{whose} Postgres: CHAOS_SEED={}", size.seed)?;
    let mut program = Program::new(database.map(Arc::new))?;
    let outcome = torment(&mut program, &size, whose).await;
    outcome.with_context(|| format!("CHAOS_SEED={}; the program said:\n{}", size.seed, program.said()))
}

async fn torment(program: &mut Program, size: &Size, whose: &str) -> Result<()> {
    let begun = Instant::now();
    let mut rng = StdRng::seed_from_u64(size.seed);
    // Also its very first start may be its last.
    program.spawn()?;
    tokio::time::sleep(Duration::from_millis(rng.random_range(0..1_000))).await;
    program.kill().await?;
    program.spawn()?;
    program.ready().await?;

    let client = Client::new(program.key()?, program.url())?;
    let planned = people::open(&client, size, &mut rng).await?;
    let mut deciding = tokio::spawn(people::decide(client.clone(), planned.clone(), StdRng::from_rng(&mut rng)));
    let deadline = tokio::time::sleep(Duration::from_mins(2) + Duration::from_millis(500) * u32::try_from(size.accepts)?);
    tokio::pin!(deadline);
    let mut answers = client.answers.subscribe();
    let mut kills = 0;
    loop {
        let (enough, mercy) = (*answers.borrow_and_update() + rng.random_range(0..=2 * ANSWERS), rng.random_range(Duration::ZERO..=2 * MERCY));
        let death = async {
            answers.wait_for(|answers| *answers >= enough).await?;
            tokio::time::sleep(mercy).await;
            anyhow::Ok(())
        };
        tokio::select! {
            decided = &mut deciding => break decided??,
            () = &mut deadline => anyhow::bail!("it is not decided in time"),
            dead = death => dead?,
        }
        if rng.random_bool(0.3) {
            program.kill_all().await?;
        } else {
            program.kill().await?;
        }
        kills += 1;
        // Now and then it does not come to life before it dies again.
        while rng.random_bool(0.2) {
            program.spawn()?;
            let _ = tokio::time::timeout(Duration::from_millis(rng.random_range(0..500)), program.ready()).await;
            program.kill().await?;
            kills += 1;
        }
        program.spawn()?;
        program.ready().await?;
        // Minutes pass: so long a dead process holds the keys of the requests that it was working on.
        let mut conn = program.superuser().await?.connect().await?;
        sqlx::query("update patchbay.idempotency set claimed_until = now() where claimed_until > now()").execute(&mut conn).await?;
        conn.close().await?;
    }
    ensure!(kills > 0, "everything was decided before the first kill: CHAOS_ACCEPTS is too small for this machine");

    finish(program, &client, &planned).await?;
    proof::prove(program, &client, &planned).await?;
    program.stop().await?;
    let tally = &client.tally;
    let count = |of: &std::sync::atomic::AtomicU32| of.load(Ordering::Relaxed);
    writeln!(
        std::io::stderr(),
        "{whose} Postgres: {} proposals decided through {kills} kills in {:?}; {} answers lost, {} given again, {} unknown; {} conflicts settled",
        planned.len(),
        begun.elapsed(),
        count(&tally.lost),
        count(&tally.replayed),
        count(&tally.unanswered),
        count(&tally.conflicts),
    )?;
    Ok(())
}

/// Lets the last process do what the dead ones left, and decides what nobody has decided.
async fn finish(program: &mut Program, client: &Client, planned: &[people::Planned]) -> Result<()> {
    let mut conn = program.superuser().await?.connect().await?;
    // Half a minute passes: so long a dead process holds the messages that it was working on.
    sqlx::query("update patchbay.command set claimed_until = now() where claimed_until > now()").execute(&mut conn).await?;
    // They are looked for at each start, and every few seconds.
    program.kill().await?;
    program.spawn()?;
    program.ready().await?;
    let mut conn = program.superuser().await?.connect().await?;
    let open = "select exists (select from patchbay.command where status in ('queued', 'running'))";
    until("messages of dead processes are taken up", async || Ok(!sqlx::query_scalar::<_, bool>(open).fetch_one(&mut conn).await?)).await?;
    for planned in planned {
        let (_, proposal) = client.ask(Method::GET, &format!("/proposals/{}", planned.number), None, None).await?;
        if proposal["state"] == "open" {
            client.accept(planned.number).await?;
        }
    }
    Ok(())
}
