//! How often a request asks the database, whatever it asks for.

use std::sync::{Mutex, PoisonError};

use anyhow::{Result, ensure};
use patchbay_tests::service::{Answer, Running};
use patchbay_web::settings::Role;
use serde_json::{Value, json};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

/// The statements that requests sent, of which `begin` and `commit` are some.
static SENT: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Statements;

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        let asked = || ctx.event_scope(event).into_iter().flatten().any(|span| span.name() == "request");
        if event.metadata().target() == "sqlx::query" && asked() {
            event.record(&mut Summary);
        }
    }
}

struct Summary;

impl Visit for Summary {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "summary" {
            SENT.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{value:?}"));
        }
    }
}

/// The statements of a request: the fewest of some tries, because some of them only refresh what is kept for a while. `before` is not
/// counted, nor what the service does beside requests, as sealing the audit trail.
async fn statements(before: impl AsyncFn() -> Result<()>, ask: impl AsyncFn() -> Result<Answer>) -> Result<Vec<String>> {
    let mut fewest: Option<Vec<String>> = None;
    for _ in 0..5 {
        before().await?;
        SENT.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let (status, answer) = ask().await?;
        ensure!(status.is_success(), "{status}: {answer}");
        let sent = std::mem::take(&mut *SENT.lock().unwrap_or_else(PoisonError::into_inner));
        if fewest.as_ref().is_none_or(|fewest| sent.len() < fewest.len()) {
            fewest = Some(sent);
        }
    }
    Ok(fewest.unwrap_or_default())
}

async fn apply(patchbay: &Running, tasks: &[Value]) -> Result<Answer> {
    patchbay.post("/projects/WEB/patches", &json!({ "mode": "apply", "patch": { "tasks": tasks } })).await
}

fn create(n: usize, mut body: Value) -> Value {
    body["title"] = format!("Task {n}").into();
    json!({ "op": "create", "task_id": format!("t{n}"), "body": body })
}

/// A thousand tasks, six deep, each waiting for another.
async fn deep_project() -> Result<Running> {
    // No workers, which ask on their own.
    let patchbay = Running::start_with(|settings| settings.server.roles = vec![Role::Web]).await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    for from in (0..1_000).step_by(500) {
        let place = |n: usize| match n - from {
            0..6 => json!({}),
            n if n % 6 == 0 => json!({ "depends_on": [format!("t{}", from + n - 6)] }),
            n => json!({ "parent_id": format!("t{}", from + n - 1), "depends_on": [format!("t{}", from + n - 6)] }),
        };
        let tasks: Vec<_> = (from..from + 500).map(|n| create(n, place(n))).collect();
        let (status, answer) = apply(&patchbay, &tasks).await?;
        ensure!(status.is_success(), "{answer}");
    }
    Ok(patchbay)
}

#[tokio::test]
async fn a_request_asks_the_database_as_often_as_it_must_whatever_the_size() -> Result<()> {
    tracing_subscriber::registry().with(Statements).init();
    let mut patchbay = deep_project().await?;
    let change = async || apply(&patchbay, &[create(0, json!({}))]).await;
    let nothing = async || Ok(());

    let tree = statements(async || change().await.map(drop), async || patchbay.get("/projects/WEB/tree").await).await?;
    let queries = tree.iter().filter(|statement| statement.starts_with("\"select")).count();
    assert!((1..=3).contains(&queries), "a tree that is new takes {queries} queries: {tree:#?}");

    let known = statements(nothing, async || patchbay.get("/projects/WEB/tree").await).await?;
    assert_eq!(known.len(), 1, "a tree that is known takes its version: {known:#?}");

    let applied = statements(nothing, change).await?;
    assert!((1..=4).contains(&applied.len()), "an apply takes {} round trips: {applied:#?}", applied.len());

    let wide = [
        json!({ "op": "update", "task_id": "WEB-18", "body": { "parent_id": "WEB-403" } }),
        json!({ "op": "update", "task_id": "WEB-403", "body": { "labels": { "add": ["web"], "remove": [] } } }),
        create(0, json!({ "parent_id": "WEB-18", "depends_on": ["WEB-500"] })),
    ];
    let moved = async || {
        let back = [
            json!({ "op": "update", "task_id": "WEB-18", "body": { "parent_id": null } }),
            json!({ "op": "update", "task_id": "WEB-403", "body": { "labels": [] } }),
        ];
        apply(&patchbay, &back).await.map(drop)
    };
    let applied = statements(moved, async || apply(&patchbay, &wide).await).await?;
    assert!((1..=5).contains(&applied.len()), "one that looks around takes {} round trips: {applied:#?}", applied.len());
    patchbay.end().await
}
