//! Leases against an oracle that anybody can read: random asking, keeping, giving back, stealing and running out, with the clock in the test's hand.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Duration, Utc};
use patchbay_core::{
    collab::lease::{
        Acquired, Ask, Lease, PLACE_SECONDS, Resource,
        store::{self, expire},
    },
    db::{Db, PoolSize},
    ids::{Context, LockId, OrganizationId, System},
    tenancy::{self, Actor},
};
use patchbay_tests::cluster::cluster;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use sqlx::ConnectOptions;

#[derive(Clone, Debug)]
enum Step {
    Ask {
        resource: usize,
        holder: usize,
        ttl: i32,
        waits: bool,
    },
    /// With the lease that was taken so many before the last.
    Keep {
        back: usize,
        ttl: Option<i32>,
    },
    GiveBack {
        back: usize,
    },
    Steal {
        back: usize,
        holder: usize,
        ttl: i32,
    },
    Expire,
    Wait {
        millis: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let (resource, holder, ttl, back) = (0..3_usize, 0..4_usize, 1..8_i32, 0..4_usize);
    prop_oneof![
        8 => (resource, holder.clone(), ttl.clone(), any::<bool>()).prop_map(|(resource, holder, ttl, waits)| Step::Ask { resource, holder, ttl, waits }),
        3 => (back.clone(), proptest::option::of(ttl.clone())).prop_map(|(back, ttl)| Step::Keep { back, ttl }),
        3 => back.clone().prop_map(|back| Step::GiveBack { back }),
        1 => (back, holder, ttl).prop_map(|(back, holder, ttl)| Step::Steal { back, holder, ttl }),
        2 => Just(Step::Expire),
        6 => (1..4_000_i64).prop_map(|millis| Step::Wait { millis }),
    ]
}

#[derive(Clone, Debug, PartialEq)]
struct Held {
    lock: LockId,
    holder: String,
    ttl: i32,
    until: DateTime<Utc>,
}

/// What is known of one resource.
#[derive(Debug, Default)]
struct Known {
    token: i64,
    held: Option<Held>,
    queue: Vec<(String, DateTime<Utc>)>,
    told: Vec<String>,
}

impl Known {
    fn ask(&mut self, now: DateTime<Utc>, lock: LockId, holder: &str, ttl: i32, waits: bool) -> Result<i64, Option<usize>> {
        let until = now + Duration::seconds(i64::from(PLACE_SECONDS));
        let is_free = self.held.as_ref().is_none_or(|held| held.until <= now);
        let first = self.queue.iter().find(|(_, until)| *until > now).map(|(holder, _)| holder.as_str());
        if !is_free || first.is_some_and(|first| first != holder) {
            if !waits {
                return Err(None);
            }
            self.queue.retain(|(_, until)| *until > now);
            match self.queue.iter_mut().find(|(known, _)| known == holder) {
                Some(place) => place.1 = until,
                None => self.queue.push((holder.to_owned(), until)),
            }
            return Err(self.queue.iter().position(|(known, _)| known == holder).map(|index| index + 1));
        }
        self.queue.retain(|(known, until)| *until > now && known != holder);
        if self.held.is_some() {
            self.told.push("lease.expired".into());
        }
        self.token += 1;
        self.held = Some(Held { lock, holder: holder.to_owned(), ttl, until: now + Duration::seconds(ttl.into()) });
        self.told.push("lease.acquired".into());
        Ok(self.token)
    }
}

struct World {
    db: Db,
    ctx: System,
    actor: Actor,
    now: DateTime<Utc>,
    known: BTreeMap<String, Known>,
    /// Every lease that was ever taken, with its resource.
    taken: Vec<(String, LockId)>,
}

impl World {
    /// What holds a lock now, and the resource that it is on.
    fn holding(&mut self, back: usize) -> Option<(LockId, &mut Known, bool)> {
        let (resource, lock) = self.taken.iter().rev().nth(back)?.clone();
        let known = self.known.get_mut(&resource)?;
        let holds = known.held.as_ref().is_some_and(|held| held.lock == lock && held.until > self.now);
        Some((lock, known, holds))
    }

    async fn step(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::Wait { millis } => self.now += Duration::milliseconds(*millis),
            Step::Ask { resource, holder, ttl, waits } => {
                let (name, holder, lock) = (format!("resource {resource}"), format!("holder {holder}"), LockId(self.ctx.uuid()));
                let ask = Ask { holder: &holder, ttl_seconds: *ttl, waits: *waits, is_claim: false };
                let found = store::acquire(&self.db, &self.actor, lock, &Resource::named(&name), ask, Some(self.now)).await?;
                let known = self.known.entry(name.clone()).or_default();
                match (known.ask(self.now, lock, &holder, *ttl, *waits), found) {
                    (Ok(token), Acquired::Taken(lease)) => {
                        check(&lease, known, self.now)?;
                        anyhow::ensure!(lease.fencing_token == token);
                        self.taken.push((name, lock));
                    }
                    (Err(place), Acquired::Held { by, place: found }) => {
                        anyhow::ensure!(found == place.map(i64::try_from).transpose()?, "the place is {place:?}, not {found:?}");
                        let holding = known.held.as_ref().filter(|held| held.until > self.now).map(|held| held.lock);
                        anyhow::ensure!(holding.is_none_or(|lock| by.as_ref().is_some_and(|by| by.lock_id == lock)), "{by:?} is in the way");
                    }
                    (expected, found) => anyhow::bail!("{expected:?} was expected, and it was {found:?}"),
                }
            }
            Step::Keep { back, ttl } => {
                let (now, ttl) = (self.now, *ttl);
                let Some((lock, known, holds)) = self.holding(*back) else { return Ok(()) };
                if let Some(held) = known.held.as_mut().filter(|_| holds) {
                    held.ttl = ttl.unwrap_or(held.ttl);
                    held.until = now + Duration::seconds(held.ttl.into());
                }
                let found = store::heartbeat(&self.db, &self.actor, lock, ttl, Some(now)).await?;
                anyhow::ensure!(found.is_some() == holds, "a heartbeat finds {found:?}");
            }
            Step::GiveBack { back } => {
                let now = self.now;
                let Some((lock, known, holds)) = self.holding(*back) else { return Ok(()) };
                if holds {
                    known.held = None;
                    known.told.push("lease.released".into());
                }
                let found = store::release(&self.db, &self.actor, lock, None, Some(now)).await?;
                anyhow::ensure!(found.is_some() == holds, "a release finds {found:?}");
            }
            Step::Steal { back, holder, ttl } => {
                let (now, new, holder) = (self.now, LockId(self.ctx.uuid()), format!("holder {holder}"));
                let Some((lock, known, holds)) = self.holding(*back) else { return Ok(()) };
                if holds {
                    known.token += 1;
                    known.held = Some(Held { lock: new, holder: holder.clone(), ttl: *ttl, until: now + Duration::seconds(i64::from(*ttl)) });
                    known.told.push("lease.stolen".into());
                }
                let ask = Ask { holder: &holder, ttl_seconds: *ttl, waits: false, is_claim: false };
                let mut tx = self.db.begin(self.actor.organization).await?;
                let found = store::steal(&mut tx, &self.actor, lock, new, ask, "because", Some(now)).await?;
                tx.commit().await?;
                anyhow::ensure!(found.is_some() == holds, "who steals finds {found:?}");
                if let Some(stolen) = found {
                    self.taken.push((stolen.lease.resource, new));
                }
            }
            Step::Expire => {
                let mut expected = 0;
                for known in self.known.values_mut() {
                    if known.held.as_ref().is_some_and(|held| held.until <= self.now) {
                        known.held = None;
                        known.told.push("lease.expired".into());
                        expected += 1;
                    }
                }
                let found = expire(&self.db, self.actor.organization, Some(self.now)).await?;
                anyhow::ensure!(found == expected, "{found} ran out, and not {expected}");
            }
        }
        Ok(())
    }
}

fn check(lease: &Lease, known: &Known, now: DateTime<Utc>) -> Result<()> {
    let held = known.held.as_ref().context("it is held")?;
    anyhow::ensure!((lease.lock_id, &lease.holder, lease.ttl_seconds) == (held.lock, &held.holder, held.ttl), "{lease:?} is not {held:?}");
    anyhow::ensure!((lease.acquired_at, lease.heartbeat_at, lease.expires_at) == (now, now, held.until), "{lease:?} is not of {now}");
    Ok(())
}

#[test]
fn leases_do_what_the_oracle_says() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let (database, db) = runtime.block_on(async {
        let database = cluster().await.database().await?;
        let access = database.access().await?;
        patchbay_core::db::migrate(&access).await?;
        anyhow::Ok((database, Db::open(&access, PoolSize { service: 2, reader: 1 })))
    })?;
    let ctx = System::default();
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    runner.run(&proptest::collection::vec(step(), 1..120), |steps| {
        let ran: Result<()> = runtime.block_on(async {
            let organization = OrganizationId(ctx.uuid());
            let mut tx = db.begin(organization).await?;
            let owner = tenancy::store::create_organization(&mut tx, &ctx, organization, "Model").await?;
            let actor = tenancy::store::act_as(&mut tx, organization, owner).await?.context("the owner acts")?;
            tx.commit().await?;
            let mut world = World { db: db.clone(), ctx: System::default(), actor, now: ctx.now(), known: BTreeMap::new(), taken: Vec::new() };
            for step in &steps {
                world.step(step).await?;
            }
            let mut conn = database.options().connect().await?;
            for (resource, known) in &world.known {
                let told: Vec<String> = sqlx::query_scalar("select event from patchbay.event where organization_id = $1 and target = $2 order by seq")
                    .bind(organization)
                    .bind(resource)
                    .fetch_all(&mut conn)
                    .await?;
                anyhow::ensure!(told == known.told, "{resource}: {told:?} was told, and not {:?}", known.told);
            }
            Ok(())
        });
        ran.map_err(|error| TestCaseError::fail(format!("{error:#}")))
    })?;
    runtime.block_on(db.close());
    Ok(())
}
