//! Many who change one project at the same moment.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use futures::future::join_all;
use patchbay_tests::service::Running;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::ConnectOptions;

use crate::history::findings;

fn adds(titles: &[String]) -> Value {
    let tasks: Vec<_> = titles.iter().map(|title| json!({ "op": "create", "task_id": title.replace(' ', "-"), "body": { "title": title } })).collect();
    json!({ "mode": "apply", "patch": { "tasks": tasks } })
}

#[tokio::test]
async fn each_gets_a_revision_of_its_own_and_what_is_wrong_with_one_hurts_no_other() -> Result<()> {
    let patchbay = Arc::new(Running::start().await?);
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    let asked = (0..120).map(|n| {
        let patchbay = patchbay.clone();
        tokio::spawn(async move {
            let mut body = adds(&[format!("First of {n}"), format!("Second of {n}")]);
            match n % 10 {
                3 => body["patch"]["tasks"][1]["body"]["status"] = json!("nowhere"),
                // Nobody has seen the project at this version.
                7 => body["patch"]["base_version"] = json!(10_000),
                _ => {}
            }
            let (status, answer) = patchbay.post("/projects/WEB/patches", &body).await?;
            anyhow::Ok((n, status, answer))
        })
    });
    let mut versions = BTreeSet::new();
    for asked in join_all(asked).await {
        let (n, status, answer) = asked??;
        if matches!(n % 10, 3 | 7) {
            ensure!(status == StatusCode::UNPROCESSABLE_ENTITY, "{n}: {status}: {answer}");
        } else {
            ensure!(status == StatusCode::OK, "{n}: {status}: {answer}");
            let version = answer["version"].as_i64().with_context(|| format!("a version: {answer}"))?;
            assert!(versions.insert(version), "two are version {version}");
        }
    }
    assert_eq!(versions, (2..98).collect(), "one after the other, none left out");

    let mut conn = patchbay.database.options().connect().await?;
    let told: Vec<i32> = sqlx::query_scalar("select (details ->> 'version')::integer from patchbay.event where event = 'project.changed' order by seq")
        .fetch_all(&mut conn)
        .await?;
    assert_eq!(told, (2..98).collect::<Vec<_>>(), "each is told once, in their order");
    let audited: i64 = sqlx::query_scalar("select count(*) from patchbay.audit where action = 'project.changed'").fetch_one(&mut conn).await?;
    assert_eq!(audited, 96);
    let apart: i64 = sqlx::query_scalar(
        "select count(*) from patchbay.task a join patchbay.task b on b.number = a.number + 1 where a.title like 'First of %' and b.title = replace(a.title, 'First', 'Second')",
    )
    .fetch_one(&mut conn)
    .await?;
    assert_eq!(apart, 96, "what came together stands together");
    assert_eq!(findings(&patchbay).await?, Vec::<String>::new(), "folding the revisions gives what is there");
    Arc::into_inner(patchbay).context("nobody asks any more")?.end().await
}
