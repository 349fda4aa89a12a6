//! Snapshots make old versions cheap to read, and nothing else.

use anyhow::Result;
use patchbay_core::{
    db::{Db, PoolSize},
    ids::System,
    workflow::snapshot,
};
use patchbay_tests::service::Running;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection};

use crate::history::findings;

const NEWEST: i32 = snapshot::EVERY + 12;

/// A project with a snapshot in its past, around which it went through every kind of change.
async fn old_project() -> Result<Running> {
    let patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    for version in 2..=NEWEST {
        let create = json!({ "op": "create", "task_id": "a", "body": { "title": format!("Task of {version}") } });
        let operation = match version {
            2..20 => create,
            ..snapshot::EVERY => json!({ "op": "update", "task_id": "WEB-1", "body": { "title": format!("Title {version}") } }),
            _ => match version % 6 {
                0 => create,
                1 => json!({ "op": "update", "task_id": "WEB-5", "body": { "after": null } }),
                2 => json!({ "op": "delete", "task_id": format!("WEB-{}", 7 + version % 10), "body": { "subtasks_go": "up" } }),
                3 => json!({ "op": "update", "task_id": "WEB-4", "body": { "parent_id": "WEB-3", "depends_on": { "add": ["WEB-2"], "remove": [] } } }),
                4 => json!({ "op": "update", "task_id": "WEB-5", "body": { "after": "WEB-3", "labels": [format!("l{version}")] } }),
                _ => json!({ "op": "update", "task_id": "WEB-4", "body": { "parent_id": null, "due_on": "2026-12-01" } }),
            },
        };
        let (status, answer) = patchbay.post("/projects/WEB/patches", &json!({ "mode": "apply", "patch": { "tasks": [operation] } })).await?;
        anyhow::ensure!(status == StatusCode::OK, "{version}: {answer}");
    }
    Ok(patchbay)
}

async fn keep(patchbay: &Running) -> Result<()> {
    let db = Db::open(&patchbay.database.access().await?, PoolSize { service: 2, reader: 1 });
    for organization in db.organizations().await? {
        snapshot::keep(&db, &System::default(), organization).await?;
    }
    db.close().await;
    Ok(())
}

/// All that anybody gets to see of the old versions around the snapshot.
async fn answers(patchbay: &Running) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    for version in [0, 1, 2, 19, 240, 260].into_iter().chain(snapshot::EVERY - 4..=NEWEST) {
        let (status, tree) = patchbay.get(&format!("/projects/WEB/tree?version={version}")).await?;
        anyhow::ensure!(status == StatusCode::OK && tree["project"]["version"].as_i64() == Some(version.into()), "{version}: {status} {tree}");
        let (status, diff) = patchbay.get(&format!("/projects/WEB/diff?from={version}&to={NEWEST}")).await?;
        anyhow::ensure!(status == StatusCode::OK, "{version}: {diff}");
        let (status, step) = patchbay.get(&format!("/projects/WEB/diff?from={}&to={version}", (version - 1).max(0))).await?;
        anyhow::ensure!(status == StatusCode::OK, "{version}: {step}");
        found.extend([tree, diff, step]);
    }
    Ok(found)
}

#[tokio::test]
async fn without_snapshots_every_answer_is_the_same_and_a_damaged_one_is_found() -> Result<()> {
    let mut patchbay = old_project().await?;
    keep(&patchbay).await?;
    let mut conn = patchbay.database.options().connect().await?;
    let kept: Vec<i32> = sqlx::query_scalar("select version from patchbay.plan_snapshot").fetch_all(&mut conn).await?;
    assert_eq!(kept, [snapshot::EVERY]);
    let with = answers(&patchbay).await?;
    assert_eq!(findings(&patchbay).await?, Vec::<String>::new());

    sqlx::query("delete from patchbay.plan_snapshot").execute(&mut conn).await?;
    let without = answers(&patchbay).await?;
    for (with, without) in with.iter().zip(&without) {
        assert_eq!(with, without);
    }
    keep(&patchbay).await?;

    sqlx::query("update patchbay.plan_snapshot set plan = replace(plan::text, 'Task of 3', 'Forged')::json").execute(&mut conn).await?;
    assert_eq!(findings(&patchbay).await?, ["WEB snapshot 500: WEB-2: not what the revisions made it: title"]);
    sqlx::query("update patchbay.plan_snapshot set plan = '[]'").execute(&mut conn).await?;
    assert!(findings(&patchbay).await?[0].starts_with("WEB snapshot 500: cannot be read: "));
    sqlx::query("update patchbay.plan_snapshot set version = 10000").execute(&mut conn).await?;
    assert_eq!(findings(&patchbay).await?, ["WEB snapshot 10000: there is no such version"]);
    conn.close().await?;
    patchbay.end().await
}
