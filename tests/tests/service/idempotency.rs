//! A request that is sent again with its key, after whatever became of the first.

use anyhow::{Context as _, Result};
use patchbay_tests::service::{Answer, Running};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};

struct World {
    patchbay: Running,
    conn: PgConnection,
}

impl World {
    /// With a request that was made, and answered.
    async fn new() -> Result<Self> {
        let patchbay = Running::start().await?;
        patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
        let conn = patchbay.database.options().options([("search_path", "patchbay")]).connect().await?;
        let world = Self { patchbay, conn };
        let (status, answer) = world.send().await?;
        anyhow::ensure!(status == StatusCode::OK, "{answer}");
        Ok(world)
    }

    async fn send(&self) -> Result<Answer> {
        let body = json!({ "mode": "apply", "patch": { "tasks": [{ "op": "create", "task_id": "t", "body": { "title": "Once" } }] } });
        self.patchbay.send(Some(&self.patchbay.key), Method::POST, "/projects/WEB/patches", Some(&body), &[("idempotency-key", "it's one")]).await
    }

    /// As it is where the process died in the middle of the request.
    async fn cut_off(&mut self, has_effect: &str, left: &str) -> Result<()> {
        let sql = format!("update idempotency set status = null, body = null, has_effect = {has_effect}, claimed_until = now() + interval '{left}'");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.conn).await?;
        Ok(())
    }

    async fn tasks(&self) -> Result<usize> {
        let (_, tree) = self.patchbay.get("/projects/WEB/tree").await?;
        tree["tasks"].as_array().map(Vec::len).context("a tree has tasks")
    }
}

fn kind(answer: &Answer) -> (StatusCode, &Value) {
    (answer.0, &answer.1["type"])
}

#[tokio::test]
async fn what_was_cut_off_before_its_effect_is_done_by_who_asks_again() -> Result<()> {
    let mut world = World::new().await?;
    world.cut_off("false", "0").await?;
    let done = world.send().await?;
    assert_eq!((done.0, world.tasks().await?), (StatusCode::OK, 2), "{}", done.1);
    assert_eq!(world.send().await?, done, "and that is the answer from then on");
    let marked: (bool, i32) = sqlx::query_as("select has_effect, attempt from idempotency").fetch_one(&mut world.conn).await?;
    assert_eq!((marked, world.tasks().await?), ((true, 2), 2));
    world.patchbay.end().await
}

#[tokio::test]
async fn what_was_cut_off_behind_its_effect_is_not_done_again() -> Result<()> {
    let mut world = World::new().await?;
    // A release before this one did not say whether there was an effect.
    for has_effect in ["true", "null"] {
        world.cut_off(has_effect, "0").await?;
        assert_eq!(kind(&world.send().await?), (StatusCode::CONFLICT, &json!("/problems/unanswered")));
    }
    assert_eq!(world.tasks().await?, 1);
    world.patchbay.end().await
}

#[tokio::test]
async fn what_may_still_run_is_waited_for_and_what_comes_too_late_has_no_effect() -> Result<()> {
    let mut world = World::new().await?;
    world.cut_off("false", "90 seconds").await?;
    assert_eq!(kind(&world.send().await?), (StatusCode::CONFLICT, &json!("/problems/running")));
    // A process that only slept would find its request taken over.
    sqlx::raw_sql("update idempotency set attempt = 2").execute(&mut world.conn).await?;
    let late = sqlx::query("select mark_key(member_id, key, 1) from idempotency").execute(&mut world.conn).await;
    let code = late.err().and_then(|error| error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned)));
    assert_eq!((code.as_deref(), world.tasks().await?), (Some("PB001"), 1));
    world.patchbay.end().await
}

#[tokio::test]
async fn every_way_to_change_something_marks_its_key() -> Result<()> {
    let mut world = World::new().await?;
    let acquire = json!({ "resource": "task:WEB-1", "ttl_seconds": 60 });
    let headers = [("idempotency-key", "lease")];
    let (status, lease) = world.patchbay.send(Some(&world.patchbay.key), Method::POST, "/collab/leases/acquire", Some(&acquire), &headers).await?;
    assert_eq!(status, StatusCode::CREATED, "{lease}");
    let release = format!("/collab/leases/{}/release", lease["lock_id"].as_str().unwrap_or_default());
    world.patchbay.send(Some(&world.patchbay.key), Method::POST, &release, None, &[("idempotency-key", "release")]).await?;
    let unmarked: Vec<String> = sqlx::query_scalar("select key from idempotency where not has_effect").fetch_all(&mut world.conn).await?;
    assert_eq!(unmarked, Vec::<String>::new());
    world.patchbay.end().await
}
