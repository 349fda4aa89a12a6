//! What happened is kept, can be proved, and damage is found.

use anyhow::Result;
use patchbay_core::{
    db::{Db, PoolSize},
    workflow::{self, store},
};
use patchbay_tests::service::Running;
use reqwest::{Method, StatusCode};
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

#[tokio::test]
async fn a_deleted_project_comes_back_as_it_was() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let party = json!({ "title": "Party", "key": "PARTY" });
    let (_, made) = patchbay.post("/projects", &party).await?;
    patchbay.say("add \"Cake\"", Some("PARTY")).await?;
    let (_, before) = patchbay.get("/projects/PARTY/revisions").await?;
    let delete = async || patchbay.ask(Some(&patchbay.key), Method::DELETE, "/projects/PARTY", None).await;
    let restore = async |name: &str| patchbay.ask(Some(&patchbay.key), Method::POST, &format!("/projects/{name}/restore"), None).await;
    assert_eq!(restore("PARTY").await?.0, StatusCode::NOT_FOUND, "it is not deleted");
    delete().await?;
    assert_eq!(patchbay.get("/projects/PARTY").await?.0, StatusCode::NOT_FOUND);
    let (status, back) = restore("party").await?;
    assert_eq!((status, &back["id"]), (StatusCode::OK, &made["id"]), "{back}");
    assert_eq!(patchbay.get("/projects/PARTY/revisions").await?.1, before);
    assert_eq!(patchbay.get("/tasks/PARTY-1").await?.1["title"], "Cake");
    patchbay.until("/collab/events?project=PARTY", |events| events.to_string().contains("project.restored")).await?;

    // Its key was given to another meanwhile: that one goes first.
    delete().await?;
    patchbay.post("/projects", &json!({ "title": "Another party", "key": "PARTY" })).await?;
    let id = made["id"].as_str().unwrap_or_default();
    let (status, taken) = restore(id).await?;
    assert_eq!((status, taken["type"].as_str()), (StatusCode::CONFLICT, Some("/problems/key-taken")), "{taken}");
    assert!(taken["detail"].as_str().is_some_and(|detail| detail.contains("Another party")), "{taken}");
    delete().await?;
    assert_eq!(restore(id).await?.0, StatusCode::OK);
    assert_eq!(patchbay.get("/projects/PARTY").await?.1["title"], "Party");
    let (_, key) = patchbay.post("/keys", &json!({ "name": "no admin", "scopes": ["read", "apply"] })).await?;
    let (status, _) = patchbay.ask(key["key"].as_str(), Method::POST, "/projects/PARTY/restore", None).await?;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(findings(&patchbay).await?, Vec::<String>::new());
    patchbay.end().await
}

#[tokio::test]
async fn tasks_are_found_by_their_words_in_any_form() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    for (title, description) in
        [("The login form", "What people see first."), ("Reset passwords", "By mail, from the form."), ("The launch of the site", ""), ("Invoice", "")]
    {
        let body =
            json!({ "mode": "apply", "patch": { "tasks": [{ "op": "create", "task_id": "a", "body": { "title": title, "description": description } }] } });
        patchbay.post("/projects/WEB/patches", &body).await?;
    }
    let access = patchbay.database.access().await?;
    let db = Db::open(&access, PoolSize { service: 2, reader: 1 });
    let organization = db.organizations().await?[0];
    let mut tx = db.read(organization).await?;
    let row = store::find_project(&mut tx, "WEB").await?.expect("it is there");
    let plan = store::load(&mut tx, &row).await?;
    let sought: [(&str, &[&str]); 5] = [
        // The title says more than the description, and "the" and "of" say nothing.
        ("How do the forms of the thing look?", &["WEB-1", "WEB-2"]),
        ("resetting a password", &["WEB-2"]),
        ("launching & invoicing!", &["WEB-3", "WEB-4"]),
        ("the of and", &[]),
        ("", &[]),
    ];
    for (message, expected) in sought {
        let found = store::list_spoken_of(&mut tx, row.project.id, message, 12).await?;
        let mut found: Vec<String> = found.into_iter().map(|id| plan.reference_of(id)).collect();
        if message.contains('&') {
            found.sort();
        }
        assert_eq!(found, expected, "{message}");
    }
    tx.rollback().await?;
    db.close().await;
    for (words, expected) in [("forms", 2), ("logi", 1), ("launching site", 1), ("zebra", 0)] {
        let (_, found) = patchbay.get(&format!("/collab/tasks?text={words}")).await?;
        assert_eq!(found["data"].as_array().map(Vec::len), Some(expected), "{words}: {found}");
    }
    patchbay.end().await
}
