//! Schedules on a real Postgres, with the clock in the test's hand.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use anyhow::{Context as _, Result};
use chrono::{DateTime, TimeDelta, Utc};
use patchbay_core::{
    db::{self, Db, PoolSize},
    ids::{Context, OrganizationId, ScheduleId, System},
    jobs::{
        self,
        schedule::{self, Action, Draft, Missed, Overlap, RunState, RunView, State, pass, store},
    },
    patch::process::Role,
    tenancy::{self, Actor, Trust},
};
use patchbay_tests::cluster::{Database, cluster};
use uuid::Uuid;

/// The test's clock.
struct Clock {
    now: Mutex<DateTime<Utc>>,
    system: System,
}

impl Context for Clock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().expect("nobody broke off")
    }

    fn uuid(&self) -> Uuid {
        self.system.uuid()
    }
}

impl Clock {
    fn set(&self, now: DateTime<Utc>) {
        *self.now.lock().expect("nobody broke off") = now;
    }
}

struct World {
    db: Db,
    clock: Arc<Clock>,
    organization: OrganizationId,
    owner: Actor,
    /// Dropped with the world.
    _database: Database,
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

impl World {
    async fn new(now: &str) -> Result<Self> {
        let database = cluster().await.database().await?;
        let access = database.access().await?;
        db::migrate(&access).await?;
        let db = Db::open(&access, PoolSize { service: 8, reader: 1 });
        let clock = Arc::new(Clock { now: Mutex::new(at(now)), system: System::default() });
        let organization = OrganizationId(clock.uuid());
        let mut tx = db.begin(organization).await?;
        let owner = tenancy::store::create_first(&mut tx, clock.as_ref(), organization, "Test").await?.context("it is the first")?;
        let owner = tenancy::store::act_as(&mut tx, organization, owner).await?.context("the owner is a member")?;
        tx.commit().await?;
        Ok(Self { db, clock, organization, owner, _database: database })
    }

    async fn schedule(&self, zone: &str, draft: Draft) -> Result<ScheduleId> {
        let plan = Draft { zone: Some(zone.to_owned()), ..draft }.plan("UTC", self.clock.now()).map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
        let mut tx = self.db.begin(self.organization).await?;
        let id = store::create(&mut tx, self.clock.as_ref(), &self.owner, Trust::Verified, &plan).await?.context("there is room")?;
        tx.commit().await?;
        Ok(id)
    }

    async fn pass_at(&self, now: DateTime<Utc>) -> Result<()> {
        self.clock.set(now);
        pass(&self.db, self.clock.as_ref()).await?;
        Ok(())
    }

    /// Oldest first.
    async fn runs(&self, id: ScheduleId) -> Result<Vec<RunView>> {
        let mut tx = self.db.begin(self.organization).await?;
        let mut runs = store::runs(&mut tx, id, None, 10_000).await?;
        tx.rollback().await?;
        runs.sort_by_key(|run| run.due_at);
        Ok(runs)
    }

    async fn due_times(&self, id: ScheduleId, state: RunState) -> Result<Vec<String>> {
        Ok(self.runs(id).await?.into_iter().filter(|run| run.state == state).map(|run| run.due_at.format("%m-%dT%H:%M").to_string()).collect())
    }

    /// Cancels the oldest job that waits, which ends the run that it is.
    async fn end_oldest(&self) -> Result<()> {
        let mut tx = self.db.begin(self.organization).await?;
        let jobs = jobs::store::list(&mut tx, self.organization, jobs::store::Filter { state: Some(jobs::State::Queued), ..Default::default() }, 200).await?;
        let oldest = jobs.last().context("one waits")?;
        assert!(jobs::store::cancel(&mut tx, oldest.id).await?);
        tx.commit().await?;
        Ok(())
    }
}

fn job() -> Action {
    Action::Job { tool: "format_markdown".into(), input: serde_json::json!({ "text": "a" }) }
}

#[tokio::test]
async fn through_a_year_in_four_zones_each_day_has_its_run() -> Result<()> {
    let world = World::new("2026-11-20T00:00:00Z").await?;
    let mut schedules = BTreeMap::new();
    for zone in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"] {
        let draft = Draft { missed: Missed::CatchUp, overlap: Overlap::Allow, ..Draft::new("15 2 * * *", job()) };
        schedules.insert(zone, world.schedule(zone, draft).await?);
    }
    let end = at("2027-11-20T00:00:00Z");
    let mut now = world.clock.now();
    while now < end {
        now += TimeDelta::hours(7);
        world.pass_at(now.min(end)).await?;
    }
    for (zone, id) in schedules {
        let clock: chrono_tz::Tz = zone.parse()?;
        let runs = world.runs(id).await?;
        let mut days: Vec<_> = runs.iter().map(|run| run.due_at.with_timezone(&clock).date_naive()).collect();
        assert_eq!(days.len(), 365, "{zone}");
        days.dedup();
        assert_eq!(days.len(), 365, "{zone}: a day came twice");
        let odd: Vec<String> = runs
            .iter()
            .map(|run| run.due_at.with_timezone(&clock))
            .filter(|local| local.format("%H:%M").to_string() != "02:15")
            .map(|local| local.format("%Y-%m-%d %H:%M").to_string())
            .collect();
        let expected: &[&str] = match zone {
            "Europe/Berlin" => &["2027-03-28 03:00"],
            "America/New_York" => &["2027-03-14 03:00"],
            "Australia/Lord_Howe" => &["2027-10-03 02:30"],
            _ => &[],
        };
        assert_eq!(odd, expected, "{zone}: what the clock skips runs right after it");
    }
    Ok(())
}

#[tokio::test]
async fn what_was_missed_is_left_out_made_up_for_once_or_caught_up_with() -> Result<()> {
    let world = World::new("2026-11-20T00:00:00Z").await?;
    let with = |missed, catch_up_limit| Draft { missed, catch_up_limit, overlap: Overlap::Allow, ..Draft::new("0 9 * * *", job()) };
    let skip = world.schedule("UTC", with(Missed::Skip, 10)).await?;
    let once = world.schedule("UTC", with(Missed::Once, 10)).await?;
    let catch_up = world.schedule("UTC", with(Missed::CatchUp, 3)).await?;
    world.pass_at(at("2026-11-25T12:00:00Z")).await?;
    assert_eq!(world.due_times(skip, RunState::Running).await?, [""; 0]);
    assert_eq!(world.due_times(skip, RunState::Skipped).await?, ["11-25T09:00"]);
    assert_eq!(world.runs(skip).await?[0].why.as_deref(), Some("6 times passed while Patchbay was not running"));
    assert_eq!(world.due_times(once, RunState::Running).await?, ["11-25T09:00"]);
    assert_eq!(world.due_times(catch_up, RunState::Running).await?, ["11-23T09:00", "11-24T09:00", "11-25T09:00"]);
    world.pass_at(at("2026-11-26T09:00:00Z")).await?;
    for id in [skip, once, catch_up] {
        assert_eq!(world.due_times(id, RunState::Running).await?.last().map(String::as_str), Some("11-26T09:00"), "what is on time runs");
    }
    Ok(())
}

#[tokio::test]
async fn a_run_whose_predecessor_is_not_over_is_left_out_waits_or_runs_beside_it() -> Result<()> {
    let world = World::new("2026-11-20T00:00:30Z").await?;
    let with = |overlap| Draft { overlap, ..Draft::new("* * * * *", job()) };
    let forbid = world.schedule("UTC", with(Overlap::Forbid)).await?;
    for minute in 1..=3 {
        world.pass_at(at("2026-11-20T00:00:00Z") + TimeDelta::minutes(minute)).await?;
    }
    assert_eq!(world.due_times(forbid, RunState::Running).await?, ["11-20T00:01"]);
    assert_eq!(world.due_times(forbid, RunState::Skipped).await?, ["11-20T00:02", "11-20T00:03"]);
    world.end_oldest().await?;
    world.pass_at(at("2026-11-20T00:04:00Z")).await?;
    assert_eq!(world.due_times(forbid, RunState::Running).await?, ["11-20T00:04"]);
    let mut tx = world.db.begin(world.organization).await?;
    store::delete(&mut tx, forbid).await?;
    tx.commit().await?;
    world.end_oldest().await?;

    let (queue, allow) = (world.schedule("UTC", with(Overlap::Queue)).await?, world.schedule("UTC", with(Overlap::Allow)).await?);
    for minute in 5..=7 {
        world.pass_at(at("2026-11-20T00:00:00Z") + TimeDelta::minutes(minute)).await?;
    }
    assert_eq!(world.due_times(allow, RunState::Running).await?.len(), 3);
    assert_eq!(world.due_times(queue, RunState::Running).await?, ["11-20T00:05"]);
    assert_eq!(world.due_times(queue, RunState::Waiting).await?, ["11-20T00:06", "11-20T00:07"]);
    let mut tx = world.db.begin(world.organization).await?;
    store::delete(&mut tx, allow).await?;
    let first = world.runs(queue).await?[0].job.context("it is a job")?;
    jobs::store::cancel(&mut tx, first).await?;
    tx.commit().await?;
    world.pass_at(at("2026-11-20T00:07:10Z")).await?;
    assert_eq!(world.due_times(queue, RunState::Running).await?, ["11-20T00:06"], "in their order, one at a time");
    assert_eq!(world.due_times(queue, RunState::Waiting).await?, ["11-20T00:07"]);
    Ok(())
}

#[tokio::test]
async fn many_at_it_and_some_that_die_neither_lose_nor_double_a_run() -> Result<()> {
    let world = World::new("2026-11-20T00:00:30Z").await?;
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(world.schedule("UTC", Draft { missed: Missed::CatchUp, overlap: Overlap::Allow, ..Draft::new("* * * * *", job()) }).await?);
    }
    for minute in 1..=10 {
        world.clock.set(at("2026-11-20T00:00:00Z") + TimeDelta::minutes(minute));
        let passes = (0..6).map(|index| {
            let (db, clock) = (world.db.clone(), world.clock.clone());
            let task = tokio::spawn(async move { pass(&db, clock.as_ref()).await.map(drop) });
            async move {
                if index % 2 == 0 {
                    // It dies wherever it is.
                    tokio::task::yield_now().await;
                    task.abort();
                }
                task.await
            }
        });
        for ended in futures::future::join_all(passes).await {
            match ended {
                Ok(outcome) => outcome?,
                Err(error) => assert!(error.is_cancelled(), "{error}"),
            }
        }
    }
    world.pass_at(world.clock.now()).await?;
    for id in ids {
        let expected: Vec<String> = (1..=10).map(|minute| format!("11-20T00:{minute:02}")).collect();
        assert_eq!(world.due_times(id, RunState::Running).await?, expected);
    }
    let mut tx = world.db.begin(world.organization).await?;
    let jobs = jobs::store::list(&mut tx, world.organization, jobs::store::Filter::default(), 1000).await?;
    assert_eq!(jobs.len(), 200, "each run is one job");
    Ok(())
}

#[tokio::test]
async fn a_schedule_that_may_not_run_any_more_is_paused_and_says_why() -> Result<()> {
    let world = World::new("2026-11-20T00:00:30Z").await?;
    let id = world.schedule("UTC", Draft::new("* * * * *", Action::Command { text: "list".into(), project: None })).await?;
    let mut tx = world.db.begin(world.organization).await?;
    assert!(tenancy::store::set_role(&mut tx, world.owner.member, Role::Viewer).await?);
    tx.commit().await?;
    world.pass_at(at("2026-11-20T00:01:00Z")).await?;
    let mut tx = world.db.begin(world.organization).await?;
    let schedule: schedule::ScheduleView = store::find(&mut tx, &world.owner, id).await?.context("it is there")?;
    assert_eq!((schedule.state, schedule.problem.as_deref()), (State::Paused, Some("its owner may not do this any more")));
    Ok(())
}
