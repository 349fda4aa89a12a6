//! What happened is kept, can be proved, and damage is found.

use anyhow::Result;
use patchbay_core::{
    db::{Db, PoolSize},
    workflow::{self, store},
};
use patchbay_tests::service::Running;
use serde_json::json;
use sqlx::{ConnectOptions, Connection};

pub(crate) async fn findings(patchbay: &Running) -> Result<Vec<String>> {
    let access = patchbay.database.access().await?;
    let db = Db::open(&access, PoolSize { service: 2, reader: 1 });
    let mut found = Vec::new();
    for organization in db.organizations().await? {
        let mut tx = db.snapshot(organization).await?;
        for project in store::all_projects(&mut tx).await? {
            found.extend(workflow::verify(&mut tx, &project, |_| {}).await?.into_iter().map(|finding| format!("{}: {}", finding.place, finding.what)));
        }
        tx.rollback().await?;
    }
    db.close().await;
    Ok(found)
}

#[tokio::test]
async fn history_folds_to_the_present_and_a_damaged_row_is_found() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    for text in ["add \"One\"", "add \"Two\" under WEB-1", "move WEB-2 before WEB-1", "done WEB-2", "set WEB-1 title First", "delete WEB-2", "undo"] {
        let command = patchbay.say(text, Some("WEB")).await?;
        assert_eq!(command["status"], "done", "{text}: {command}");
    }
    assert_eq!(findings(&patchbay).await?, Vec::<String>::new());

    let mut conn = patchbay.database.options().connect().await?;
    sqlx::query("update patchbay.task set title = 'Forged' where number = 1").execute(&mut conn).await?;
    let found = findings(&patchbay).await?;
    assert!(found.iter().any(|finding| finding.contains("WEB-1") && finding.contains("title")), "{found:?}");

    sqlx::query("update patchbay.task set title = 'First' where number = 1").execute(&mut conn).await?;
    assert_eq!(findings(&patchbay).await?, Vec::<String>::new());
    // Only who owns the server can do this at all.
    sqlx::raw_sql("alter table patchbay.revision disable trigger user").execute(&mut conn).await?;
    sqlx::query("update patchbay.revision set patch = replace(patch::text, 'One', 'Won')::json where number = 2").execute(&mut conn).await?;
    assert!(!findings(&patchbay).await?.is_empty(), "a forged revision is found by its digest");
    conn.close().await?;
    patchbay.end().await
}

#[tokio::test]
async fn a_caller_who_hangs_up_leaves_no_lock_behind() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    let access = patchbay.database.access().await?;
    let db = Db::open(&access, PoolSize { service: 4, reader: 1 });
    let organization = db.organizations().await?[0];
    for _ in 0..100 {
        // Polled once: the statement is on its way, and nobody waits for the answer.
        let mut begin = Box::pin(workflow::begin(&db, organization, Some("WEB")));
        let _ = futures::poll!(begin.as_mut());
        tokio::task::yield_now().await;
        drop(begin);
    }
    let change = tokio::time::timeout(std::time::Duration::from_secs(10), patchbay.say("add \"One\"", Some("WEB"))).await??;
    assert_eq!(change["status"], "done", "{change}");
    db.close().await;
    patchbay.end().await
}
