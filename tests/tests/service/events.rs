//! The log of events, followed by many who come, go and come back: nobody misses one and nobody gets one twice.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use chrono::{Months, TimeDelta};
use patchbay_core::{
    collab::retention,
    db::{Db, PoolSize},
    ids::{Context as _, System},
    jobs::Bell,
};
use patchbay_tests::{service::Running, until::found};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody who follows the events.
struct Tail {
    response: Response,
    text: String,
}

impl Tail {
    async fn open(patchbay: &Running, query: &str, headers: &[(&str, &str)]) -> Result<Self> {
        let mut request = reqwest::Client::new().get(format!("{}/api/v1/collab/events/tail{query}", patchbay.url)).bearer_auth(&patchbay.key);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await?;
        anyhow::ensure!(response.status() == StatusCode::OK, "{}: {}", response.status(), response.text().await?);
        Ok(Self { response, text: String::new() })
    }

    /// The next event, in either form.
    async fn next(&mut self) -> Result<Value> {
        loop {
            while let Some(end) = self.text.find('\n') {
                let line: String = self.text.drain(..=end).collect();
                let event = line.trim_end().strip_prefix("data: ").unwrap_or(&line);
                if event.starts_with('{') {
                    return Ok(serde_json::from_str(event)?);
                }
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await.context("an event comes in time")??.context("the stream goes on")?;
            self.text.push_str(std::str::from_utf8(&chunk)?);
        }
    }
}

async fn tell(patchbay: &Running, body: Value) -> Result<Value> {
    let (status, event) = patchbay.post("/collab/events", &body).await?;
    anyhow::ensure!(status == StatusCode::CREATED, "{status}: {event}");
    Ok(event)
}

/// A connection that writes events as the service does, but takes its time.
async fn writer(patchbay: &Running) -> Result<PgConnection> {
    Ok(patchbay.database.options().options([("search_path", "patchbay")]).connect().await?)
}

const WRITE: &str = "insert into event (organization_id, seq, at, event, actor, target, details)
    select o.organization_id, event_seq(), now(), 'test.written', 'test', $1, '{}'
    from organization o returning seq";

#[tokio::test]
async fn a_reader_that_comes_back_goes_on_where_it_was() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let first = tell(&patchbay, json!({ "event": "build.started" })).await?;
    let mut tail = Tail::open(&patchbay, &format!("?since={}", first["seq"]), &[]).await?;
    assert_eq!(tail.response.headers()["content-type"], "text/event-stream");
    let second = tell(&patchbay, json!({ "event": "build.failed", "details": { "text": "no space" } })).await?;
    assert_eq!(tail.next().await?, second);
    drop(tail);
    let third = tell(&patchbay, json!({ "event": "build.started" })).await?;
    let mut tail = Tail::open(&patchbay, "?since=0", &[("last-event-id", &second["seq"].to_string())]).await?;
    assert_eq!(tail.next().await?, third, "what it has seen last goes before `since`");

    let mut lines = Tail::open(&patchbay, "?since=0&event=build", &[("accept", "application/x-ndjson"), ("accept-encoding", "gzip")]).await?;
    assert_eq!(lines.response.headers()["content-type"], "application/x-ndjson");
    for expected in [&first, &second, &third] {
        assert_eq!(lines.next().await?, *expected);
    }
    let (_, newest) = patchbay.get("/collab/events?newest=true&event=build&limit=2").await?;
    assert_eq!(newest["data"], json!([third, second]), "newest first");
    let older = format!("/collab/events?newest=true&event=build&cursor={}", newest["meta"]["next_cursor"].as_str().unwrap_or_default());
    assert_eq!(patchbay.get(&older).await?.1["data"], json!([first]), "and the cursor leads to older ones");
    let mut now = Tail::open(&patchbay, "", &[]).await?;
    let fourth = tell(&patchbay, json!({ "event": "build.done" })).await?;
    // What is told last may come once more: other transactions of the server can keep it back for a moment.
    let mut came = now.next().await?;
    while came == third {
        came = now.next().await?;
    }
    assert_eq!(came, fourth, "without a start it begins with what comes");
    patchbay.end().await
}

#[tokio::test]
async fn everybody_is_told_what_they_want_and_no_more() -> Result<()> {
    let mut patchbay = Running::start().await?;
    for key in ["WEB", "OPS"] {
        patchbay.post("/projects", &json!({ "title": key, "key": key })).await?;
        patchbay.say("add \"Task\"", Some(key)).await?;
    }
    let mut of_task = Tail::open(&patchbay, "?since=0&task=web-1", &[]).await?;
    assert_eq!(of_task.next().await?["event"], json!("project.changed"), "a change names its tasks");
    let (_, task) = patchbay.get("/tasks/WEB-1").await?;
    let path = format!("/collab/tasks/{}/transition", task["id"].as_str().unwrap_or_default());
    patchbay.post(&path, &json!({ "to": "doing" })).await?;
    assert_eq!(of_task.next().await?["details"]["tasks"], json!(["WEB-1"]), "however the task was called");
    patchbay.post("/collab/leases/acquire", &json!({ "resource": "task:OPS-1", "ttl_seconds": 60 })).await?;
    patchbay.post("/collab/leases/acquire", &json!({ "resource": "task:WEB-1", "ttl_seconds": 60 })).await?;
    let taken = of_task.next().await?;
    assert_eq!((&taken["event"], &taken["target"]), (&json!("lease.acquired"), &json!("task:WEB-1")));

    for (query, expected) in [
        ("?event=lease", vec!["task:OPS-1", "task:WEB-1"]),
        ("?event=lease&project=OPS", vec!["task:OPS-1"]),
        ("?event=lease&actor=nobody", vec![]),
        ("?target=task:WEB-1", vec!["task:WEB-1"]),
        ("?event=lease&limit=1", vec!["task:OPS-1"]),
    ] {
        let (status, page) = patchbay.get(&format!("/collab/events{query}")).await?;
        assert_eq!(status, StatusCode::OK, "{page}");
        let targets: Vec<&str> = page["data"].as_array().into_iter().flatten().filter_map(|event| event["target"].as_str()).collect();
        assert_eq!(targets, expected, "{query}");
    }
    let (_, page) = patchbay.get("/collab/events?event=lease&limit=1").await?;
    let (_, page) = patchbay.get(&format!("/collab/events?event=lease&limit=1&cursor={}", page["meta"]["next_cursor"].as_str().unwrap_or_default())).await?;
    assert_eq!((&page["data"][0]["target"], &page["meta"]["next_cursor"]), (&json!("task:WEB-1"), &Value::Null));

    let (_, key) = patchbay.post("/keys", &json!({ "name": "ops", "scopes": ["read", "propose"], "project": "OPS" })).await?;
    let key = key["key"].as_str();
    let (_, seen) = patchbay.ask(key, Method::GET, "/collab/events", None).await?;
    assert!(!seen.to_string().contains("WEB") && seen.to_string().contains("OPS"), "{seen}");
    let (status, _) = patchbay.ask(key, Method::GET, "/collab/events?project=WEB", None).await?;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, told) = patchbay.ask(key, Method::POST, "/collab/events", Some(&json!({ "event": "deploy.done" }))).await?;
    assert_eq!((status, &told["details"]["project"], &told["target"]), (StatusCode::CREATED, &json!("OPS"), &json!("OPS")));
    for (query, status) in [("?since=-1", 422), ("?since=x", 422), ("?limit=0", 422), ("?cursor=x", 400)] {
        assert_eq!(patchbay.get(&format!("/collab/events{query}")).await?.0.as_u16(), status, "{query}");
    }
    patchbay.end().await
}

#[tokio::test]
async fn nobody_forges_or_changes_what_was_told() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let (status, problem) = patchbay.post("/collab/events", &json!({ "event": "lease.expired" })).await?;
    assert_eq!((status, &problem["errors"][0]["path"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("/event")));
    let (_, lease) = patchbay.post("/collab/leases/acquire", &json!({ "resource": "ci", "ttl_seconds": 60 })).await?;
    let under = json!({ "event": "ci.done", "lock_id": lease["lock_id"], "fencing_token": lease["fencing_token"] });
    tell(&patchbay, under.clone()).await?;
    patchbay.post(&format!("/collab/leases/{}/release", lease["lock_id"].as_str().unwrap_or_default()), &json!({})).await?;
    let (status, problem) = patchbay.post("/collab/events", &under).await?;
    assert_eq!((status, &problem["type"]), (StatusCode::CONFLICT, &json!("/problems/lease-lost")));
    let mut conn = writer(&patchbay).await?;
    for role in ["patchbay_owner", "patchbay_service"] {
        for change in ["update event set actor = 'x'", "delete from event"] {
            let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("set role {role}; {change}"))).execute(&mut conn).await;
            assert!(refused.is_err(), "{role}: {change}");
        }
    }
    patchbay.end().await
}

#[tokio::test]
async fn a_poll_answers_at_once_or_when_something_comes() -> Result<()> {
    let patchbay = Arc::new(Running::start().await?);
    let event = tell(&patchbay, json!({ "event": "first" })).await?;
    let (_, page) = patchbay.get("/collab/events/tail?since=0&event=first&wait=30").await?;
    assert_eq!(page["data"], json!([event]));
    let waiting = {
        let (patchbay, cursor) = (patchbay.clone(), page["meta"]["next_cursor"].as_str().unwrap_or_default().to_owned());
        tokio::spawn(async move { patchbay.get(&format!("/collab/events/tail?since={cursor}&wait=30")).await })
    };
    let second = tell(&patchbay, json!({ "event": "second" })).await?;
    assert_eq!(waiting.await??.1["data"], json!([second]));
    let (_, both) = patchbay.get("/collab/events/tail?since=0&event=first,second&wait=0").await?;
    assert_eq!(both["data"], json!([event, second]), "what is there is not waited for");
    let (_, nothing) = patchbay.get(&format!("/collab/events/tail?since={}&wait=0", second["seq"])).await?;
    assert_eq!(nothing["data"], json!([]));
    Arc::into_inner(patchbay).expect("nobody waits any more").end().await
}

#[tokio::test]
async fn an_event_that_is_committed_late_is_not_passed_over() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let mut tail = Tail::open(&patchbay, "?event=test&since=0", &[]).await?;
    let (mut slow, mut quick) = (writer(&patchbay).await?, writer(&patchbay).await?);
    let mut late = slow.begin().await?;
    let first: i64 = sqlx::query_scalar(WRITE).bind("late").fetch_one(&mut *late).await?;
    let second: i64 = sqlx::query_scalar(WRITE).bind("quick").fetch_one(&mut quick).await?;
    assert!(first < second);
    let (_, page) = patchbay.get("/collab/events?event=test").await?;
    assert_eq!(page["data"], json!([]), "what is committed waits for what came before it");
    late.commit().await?;
    assert_eq!((tail.next().await?["target"].clone(), tail.next().await?["target"].clone()), (json!("late"), json!("quick")));
    patchbay.end().await
}

#[tokio::test]
async fn an_account_for_people_is_markdown() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    tell(&patchbay, json!({ "event": "deploy.done", "project": "WEB", "details": { "text": "to *production*" } })).await?;
    let ask = || reqwest::Client::new().get(format!("{}/api/v1/collab/log?project=WEB", patchbay.url)).bearer_auth(&patchbay.key).send();
    // Other transactions of the server can keep events back for a moment.
    found("what was done", async || {
        let response = ask().await?;
        assert_eq!(response.headers()["content-type"], "text/markdown; charset=utf-8");
        let text = response.text().await?;
        let tells_all = text.contains("made the project WEB") && text.contains("told `deploy.done` about WEB: to \\*production\\*");
        Ok(if tells_all { Ok(()) } else { Err(text) })
    })
    .await?;
    patchbay.end().await
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// The oracle is the table itself, in order of seq, once all is committed.
#[tokio::test]
async fn readers_that_come_and_go_see_each_event_once_and_in_order_whatever_order_they_are_committed_in() -> Result<()> {
    const WRITERS: u64 = 6;
    const EACH: usize = 40;
    let patchbay = Arc::new(Running::start().await?);
    let start = tell(&patchbay, json!({ "event": "start" })).await?["seq"].as_i64().context("a seq is a number")?;
    let total = usize::try_from(WRITERS)? * EACH;
    let writing: Vec<_> = (0..WRITERS)
        .map(|number| {
            let patchbay = patchbay.clone();
            tokio::spawn(async move {
                let (mut conn, mut dice) = (writer(&patchbay).await?, Dice(number + 1));
                let mut left = EACH;
                while left > 0 {
                    let size = usize::try_from(dice.roll(4))?.clamp(1, left);
                    let mut tx = conn.begin().await?;
                    for _ in 0..size {
                        sqlx::query_scalar::<_, i64>(WRITE).bind(format!("writer {number}")).fetch_one(&mut *tx).await?;
                        // Some take their time, in the database, while others overtake them.
                        sqlx::query("select pg_sleep($1)").bind(if dice.roll(5) == 0 { 0.02 } else { 0.0 }).execute(&mut *tx).await?;
                    }
                    if dice.roll(8) == 0 {
                        tx.rollback().await?;
                    } else {
                        tx.commit().await?;
                        left -= size;
                    }
                }
                anyhow::Ok(())
            })
        })
        .collect();
    let reading: Vec<_> = (0..8)
        .map(|number| {
            let patchbay = patchbay.clone();
            tokio::spawn(async move {
                let mut dice = Dice(1_000 + number);
                let form: &[(&str, &str)] = if number % 2 == 0 { &[] } else { &[("accept", "application/x-ndjson")] };
                let filter = if number < 4 { "" } else { "&event=test&actor=test" };
                let mut seen: Vec<i64> = Vec::new();
                let mut since = start;
                while seen.len() < total {
                    let mut tail = Tail::open(&patchbay, &format!("?since={since}{filter}"), form).await?;
                    let stay = 1 + dice.roll(60);
                    for _ in 0..stay {
                        if seen.len() == total {
                            break;
                        }
                        let event = tail.next().await?;
                        since = event["seq"].as_i64().context("a seq is a number")?;
                        seen.push(since);
                    }
                }
                anyhow::Ok(seen)
            })
        })
        .collect();
    // Months go by meanwhile.
    let access = patchbay.database.access().await?;
    let (mut now, mut begun) = (System::default().now(), 0);
    while writing.iter().any(|writer| !writer.is_finished()) {
        now = now + Months::new(1);
        // Where a writer takes too long, the next month begins an hour later.
        begun += retention::keep(&access, None, now).await.map_or(0, |kept| usize::from(kept.begun.is_some()));
    }
    assert!(begun > 0, "a part is begun while others write");
    for writer in writing {
        writer.await??;
    }
    let mut conn = writer(&patchbay).await?;
    let expected: Vec<i64> = sqlx::query_scalar("select seq from event where event = 'test.written' order by seq").fetch_all(&mut conn).await?;
    assert_eq!(expected.len(), total);
    let started = Instant::now();
    for reader in reading {
        assert_eq!(reader.await??, expected);
    }
    assert!(started.elapsed() < PATIENCE * 2);
    Arc::into_inner(patchbay).expect("nobody reads any more").end().await
}

/// Old events are dropped a part at a time, as the service does with a clock of its own.
#[tokio::test]
async fn what_is_too_old_is_dropped_and_whoever_comes_back_for_it_is_told() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let access = patchbay.database.access().await?;
    let now = System::default().now();
    let old = tell(&patchbay, json!({ "event": "test.old" })).await?;
    let mut tail = Tail::open(&patchbay, "?since=0&event=test", &[]).await?;
    assert_eq!(tail.next().await?, old);

    let begun = found("the next part", async || {
        let kept = retention::keep(&access, Some(30), now + TimeDelta::days(40)).await?;
        // Of two who look after the log at once, one leaves it to the other.
        Ok(kept.begun.map(|_| kept.clone()).ok_or(kept))
    })
    .await?;
    assert_eq!(begun.dropped, Vec::<i64>::new(), "what has just ended is kept");
    let again = retention::keep(&access, Some(30), now + TimeDelta::days(40)).await?;
    assert_eq!(again, retention::Kept::default(), "twice in a month is once");
    let new = tell(&patchbay, json!({ "event": "test.new" })).await?;
    assert!(new["seq"].as_i64() > old["seq"].as_i64(), "{old} {new}");
    assert_eq!(tail.next().await?, new, "who follows goes on");
    let (_, both) = patchbay.get("/collab/events?event=test").await?;
    assert_eq!(both["data"], json!([old, new]));

    let kept = found("the old part is dropped", async || {
        let kept = retention::keep(&access, Some(30), now + TimeDelta::days(80)).await?;
        Ok(if kept.dropped.is_empty() { Err(kept) } else { Ok(kept) })
    })
    .await?;
    assert_eq!(kept.dropped.len(), 1, "{kept:?}");
    let newest = tell(&patchbay, json!({ "event": "test.newest" })).await?;
    assert_eq!(tail.next().await?, newest);
    let left = patchbay.until("/collab/events?event=test", |page| page["data"].as_array().is_some_and(|all| all.len() > 1)).await?;
    assert_eq!(left["data"], json!([new, newest]), "from the beginning is from the first that there is");
    for path in ["/collab/events?since=", "/collab/events/tail?since=", "/collab/events/tail?wait=0&since="] {
        let (status, problem) = patchbay.get(&format!("{path}{}", old["seq"])).await?;
        assert_eq!((status, &problem["type"], &problem["errors"][0]["path"]), (StatusCode::GONE, &json!("/problems/forgotten"), &json!("/since")), "{path}");
    }
    assert_eq!(patchbay.get(&format!("/collab/events?since={}", new["seq"])).await?.0, StatusCode::OK);
    let (status, _) = patchbay.send(Some(&patchbay.key), Method::GET, "/collab/events/tail", None, &[("last-event-id", &old["seq"].to_string())]).await?;
    assert_eq!(status, StatusCode::GONE);

    // No part lets anybody change or look into it past its tenant.
    let mut conn = writer(&patchbay).await?;
    let parts: Vec<String> =
        sqlx::query_scalar("select inhrelid::regclass::text from pg_inherits where inhparent = 'event'::regclass").fetch_all(&mut conn).await?;
    assert!(parts.len() >= 3, "{parts:?}");
    for part in parts {
        for (role, statement) in [
            ("patchbay_service", format!("select from {part}")),
            ("patchbay_reader", format!("select from {part}")),
            ("patchbay_owner", format!("update {part} set actor = 'x'")),
            ("patchbay_owner", format!("delete from {part}")),
            ("patchbay_owner", format!("truncate {part}")),
        ] {
            let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("set role {role}; {statement}"))).execute(&mut conn).await;
            assert!(refused.is_err(), "{role}: {statement}");
            sqlx::raw_sql("reset role").execute(&mut conn).await?;
        }
    }
    patchbay.end().await
}

/// On another server transaction ids are small again, which is as if the base were.
#[tokio::test]
async fn what_is_told_after_a_restore_comes_after_what_was_told_before_it() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let before = tell(&patchbay, json!({ "event": "test.before" })).await?;
    let mut conn = writer(&patchbay).await?;
    sqlx::raw_sql("update event_part set reached = event_base(); update event_epoch set base = base - (1::bigint << 30)").execute(&mut conn).await?;
    patchbay.restart().await?;
    let after = tell(&patchbay, json!({ "event": "test.after" })).await?;
    assert!(after["seq"].as_i64() > before["seq"].as_i64(), "{before} {after}");
    let both = patchbay.until("/collab/events?event=test", |page| page["data"].as_array().is_some_and(|all| all.len() > 1)).await?;
    assert_eq!(both["data"], json!([before, after]));
    patchbay.end().await
}

/// No timer stands behind this one.
#[tokio::test]
async fn other_processes_are_told_after_the_commit() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let db = Db::open(&patchbay.database.access().await?, PoolSize { service: 2, reader: 1 });
    let organization = *db.organizations().await?.first().context("there is an organisation")?;
    let (bell, ctx, stopping) = (Bell::default(), System::default(), CancellationToken::new());
    let (tx, mut rx) = mpsc::unbounded_channel();
    let heard = |organization| tx.send(organization).expect("somebody waits for it");
    let telling = async {
        // What is told before the other listens is not heard.
        while rx.is_empty() {
            tell(&patchbay, json!({ "event": "test.told" })).await?;
        }
        stopping.cancel();
        anyhow::Ok(())
    };
    let (told, ()) = timeout(PATIENCE, async { tokio::join!(telling, bell.carry(&db, ctx.uuid(), &stopping, heard)) }).await?;
    told?;
    assert_eq!(rx.recv().await, Some(Some(organization)));
    patchbay.end().await
}
