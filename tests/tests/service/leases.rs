//! Leases over HTTP: one holder at a time, a queue, a token, an end.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use patchbay_tests::{service::Running, until::found};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::ConnectOptions;

async fn acquire(patchbay: &Running, resource: &str, holder: &str, wait: Option<u32>) -> Result<(StatusCode, Value)> {
    let mut body = json!({ "resource": resource, "holder": holder, "ttl_seconds": 30 });
    if let Some(wait) = wait {
        body["wait"] = wait.into();
    }
    patchbay.post("/collab/leases/acquire", &body).await
}

/// What was told about a resource, oldest first.
async fn told(patchbay: &Running, resource: &str) -> Result<Vec<(String, Value)>> {
    let mut conn = patchbay.database.options().connect().await?;
    Ok(sqlx::query_as("select event, details::jsonb from patchbay.event where target = $1 order by seq").bind(resource).fetch_all(&mut conn).await?)
}

/// Lets what is held run out, by the database's own clock.
async fn run_out(patchbay: &Running, resource: &str) -> Result<()> {
    let mut conn = patchbay.database.options().connect().await?;
    sqlx::query("update patchbay.lease set expires_at = now() where resource = $1").bind(resource).execute(&mut conn).await?;
    Ok(())
}

fn id(lease: &Value) -> &str {
    lease["lock_id"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_resource_has_one_holder_and_its_token_grows_with_each() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let (status, first) = acquire(&patchbay, "repo:main", "one", None).await?;
    assert_eq!(status, StatusCode::CREATED, "{first}");
    assert_eq!((&first["fencing_token"], &first["holder"], &first["ttl_seconds"]), (&json!(1), &json!("one"), &json!(30)));

    let (status, refused) = acquire(&patchbay, "repo:main", "two", None).await?;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!((&refused["type"], &refused["current"]["holder"]), (&json!("/problems/held"), &json!("one")));
    assert_eq!(refused["queue_position"], Value::Null, "who does not wait stands in no queue");

    let (status, kept) = patchbay.ask(Some(&patchbay.key), Method::POST, &format!("/collab/leases/{}/heartbeat", id(&first)), None).await?;
    assert_eq!(status, StatusCode::OK, "{kept}");
    assert!(kept["heartbeat_at"].as_str() > first["heartbeat_at"].as_str() && kept["acquired_at"] == first["acquired_at"]);

    let (status, _) = patchbay.post(&format!("/collab/leases/{}/release", id(&first)), &json!({ "reason": "done" })).await?;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, again) = patchbay.post(&format!("/collab/leases/{}/release", id(&first)), &json!({})).await?;
    assert_eq!((status, &again["type"]), (StatusCode::CONFLICT, &json!("/problems/lease-lost")));

    let (_, second) = acquire(&patchbay, "repo:main", "two", None).await?;
    assert_eq!(second["fencing_token"], json!(2));
    let told = told(&patchbay, "repo:main").await?;
    assert_eq!(told.iter().map(|(event, _)| event.as_str()).collect::<Vec<_>>(), ["lease.acquired", "lease.released", "lease.acquired"]);
    assert_eq!((&told[1].1["holder"], &told[1].1["reason"]), (&json!("one"), &json!("done")));
    patchbay.end().await
}

#[tokio::test]
async fn of_many_who_ask_at_once_one_gets_it() -> Result<()> {
    let patchbay = Arc::new(Running::start().await?);
    let asking: Vec<_> = (0..24)
        .map(|number| {
            let patchbay = patchbay.clone();
            tokio::spawn(async move { acquire(&patchbay, "one", &format!("agent {number}"), None).await })
        })
        .collect();
    let mut taken = 0;
    for asked in asking {
        let (status, answer) = asked.await??;
        match status {
            StatusCode::CREATED => taken += 1,
            status => assert_eq!(status, StatusCode::CONFLICT, "{answer}"),
        }
    }
    assert_eq!(taken, 1);
    Arc::into_inner(patchbay).expect("nobody asks any more").end().await
}

#[tokio::test]
async fn those_who_ask_at_once_for_different_things_all_get_theirs() -> Result<()> {
    let patchbay = Arc::new(Running::start().await?);
    let asking: Vec<_> = (0..200)
        .map(|number| {
            let patchbay = patchbay.clone();
            // Each fourth wants what the one before it wants.
            let resource = format!("thing {}", number - usize::from(number % 4 == 3));
            tokio::spawn(async move { acquire(&patchbay, &resource, &format!("agent {number}"), None).await })
        })
        .collect();
    let (mut taken, mut refused) = (Vec::new(), 0);
    for asked in asking {
        match asked.await?? {
            (StatusCode::CREATED, lease) => taken.push(lease),
            (status, answer) => {
                assert_eq!((status, answer["current"]["resource"] != json!(null)), (StatusCode::CONFLICT, true), "{answer}");
                refused += 1;
            }
        }
    }
    assert_eq!((taken.len(), refused), (150, 50));
    for lease in taken {
        assert_eq!(lease["fencing_token"], json!(1), "{lease}");
        let resource = lease["resource"].as_str().unwrap_or_default();
        let told = told(&patchbay, resource).await?;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!((told[0].0.as_str(), &told[0].1["lock_id"]), ("lease.acquired", &lease["lock_id"]));
    }
    Arc::into_inner(patchbay).expect("nobody asks any more").end().await
}

#[tokio::test]
async fn who_waits_is_served_in_order() -> Result<()> {
    let patchbay = Arc::new(Running::start().await?);
    let (_, held) = acquire(&patchbay, "door", "first", None).await?;
    let (_, second) = acquire(&patchbay, "door", "second", Some(0)).await?;
    let (_, third) = acquire(&patchbay, "door", "third", Some(0)).await?;
    assert_eq!((&second["queue_position"], &third["queue_position"]), (&json!(1), &json!(2)));

    let waiting = {
        let patchbay = patchbay.clone();
        tokio::spawn(async move { acquire(&patchbay, "door", "second", Some(30)).await })
    };
    patchbay.post(&format!("/collab/leases/{}/release", id(&held)), &json!({})).await?;
    let started = Instant::now();
    let (status, lease) = waiting.await??;
    assert_eq!((status, &lease["holder"]), (StatusCode::CREATED, &json!("second")), "{lease}");
    assert!(started.elapsed() < Duration::from_secs(20), "who waits is woken");

    patchbay.post(&format!("/collab/leases/{}/release", id(&lease)), &json!({})).await?;
    let (status, jumped) = acquire(&patchbay, "door", "fourth", None).await?;
    assert_eq!(status, StatusCode::CONFLICT, "it is free, but third waits for it: {jumped}");
    assert_eq!(jumped["current"], Value::Null);
    let (status, _) = acquire(&patchbay, "door", "third", Some(0)).await?;
    assert_eq!(status, StatusCode::CREATED);
    Arc::into_inner(patchbay).expect("nobody asks any more").end().await
}

#[tokio::test]
async fn what_runs_out_is_taken_back_and_told() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let (_, lease) = acquire(&patchbay, "repo:main", "silent", None).await?;
    run_out(&patchbay, "repo:main").await?;
    let (status, _) = patchbay.post(&format!("/collab/leases/{}/heartbeat", id(&lease)), &json!({})).await?;
    assert_eq!(status, StatusCode::CONFLICT, "a heartbeat that comes too late does not bring it back");
    let details = found("the end of the lease is told", async || {
        let told = told(&patchbay, "repo:main").await?;
        Ok(told.iter().find(|(event, _)| event == "lease.expired").map(|(_, details)| details.clone()).ok_or(told))
    })
    .await?;
    assert_eq!((&details["holder"], &details["fencing_token"]), (&json!("silent"), &json!(1)));
    let (_, next) = acquire(&patchbay, "repo:main", "next", None).await?;
    assert_eq!(next["fencing_token"], json!(2));
    assert_eq!(told(&patchbay, "repo:main").await?.iter().filter(|(event, _)| event == "lease.expired").count(), 1);
    patchbay.end().await
}

#[tokio::test]
async fn an_admin_steals_with_a_reason_and_the_late_holder_finds_out() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let (_, lease) = acquire(&patchbay, "repo:main", "stuck", None).await?;
    let path = format!("/collab/leases/{}/steal", id(&lease));
    let (status, problem) = patchbay.post(&path, &json!({ "reason": " ", "ttl_seconds": 60 })).await?;
    assert_eq!((status, &problem["errors"][0]["path"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("/reason")));
    let other = patchbay.member_key("ben", &["read", "propose", "apply"]).await?;
    let body = json!({ "reason": "it hangs", "ttl_seconds": 60 });
    let (status, _) = patchbay.ask(Some(&other), Method::POST, &path, Some(&body)).await?;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, _) = patchbay.ask(Some(&other), Method::POST, &format!("/collab/leases/{}/release", id(&lease)), None).await?;
    assert_eq!(status, StatusCode::CONFLICT, "only its holder gives it back");

    let (status, stolen) = patchbay.post(&path, &body).await?;
    assert_eq!((status, &stolen["fencing_token"]), (StatusCode::CREATED, &json!(2)), "{stolen}");
    let (status, _) = patchbay.post(&format!("/collab/leases/{}/heartbeat", id(&lease)), &json!({})).await?;
    assert_eq!(status, StatusCode::CONFLICT);
    let (_, audit) = patchbay.get("/audit").await?;
    assert_eq!((&audit["data"][0]["action"], &audit["data"][0]["details"]["reason"]), (&json!("lease.stolen"), &json!("it hangs")));
    patchbay.end().await
}

#[tokio::test]
async fn a_task_is_held_and_freed_by_talking() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    patchbay.say("add \"Task\"", Some("WEB")).await?;
    let said = async |text: &str| -> Result<String> { Ok(patchbay.say(text, Some("WEB")).await?["reply"]["text"].as_str().unwrap_or_default().to_owned()) };
    assert_eq!(said("lease").await?, "Nobody holds anything.");
    assert!(said("lease WEB-1 for 2h").await?.starts_with("**WEB-1** is yours until "));
    assert!(said("lease").await?.starts_with("- **task:WEB-1** "));
    assert!(said("lease WEB-1").await?.contains(" holds **WEB-1** until "));
    assert!(said("lease steal WEB-1 because it hangs").await?.starts_with("**WEB-1** is yours, and no longer "));
    assert_eq!(said("lease release WEB-1").await?, "**WEB-1** is free.");
    assert_eq!(said("lease release WEB-1").await?, "Nobody holds **WEB-1**.");
    assert_eq!(said("agents").await?, "No agent has registered yet.");
    patchbay.end().await
}

#[tokio::test]
async fn a_task_has_one_name_and_a_key_for_one_project_holds_no_other() -> Result<()> {
    let mut patchbay = Running::start().await?;
    for key in ["WEB", "OPS"] {
        patchbay.post("/projects", &json!({ "title": key, "key": key })).await?;
        patchbay.say("add \"Task\"", Some(key)).await?;
    }
    let (_, task) = patchbay.get("/tasks/WEB-1").await?;
    let (status, lease) = acquire(&patchbay, "task:web-1", "one", None).await?;
    assert_eq!((status, &lease["resource"]), (StatusCode::CREATED, &json!("task:WEB-1")), "{lease}");
    let (status, _) = acquire(&patchbay, &format!("task:{}", task["id"].as_str().unwrap_or_default()), "two", None).await?;
    assert_eq!(status, StatusCode::CONFLICT);
    let (status, _) = acquire(&patchbay, "task:WEB-99", "two", None).await?;
    assert_eq!(status, StatusCode::NOT_FOUND);

    let (_, key) = patchbay.post("/keys", &json!({ "name": "ops", "scopes": ["read", "propose"], "project": "OPS" })).await?;
    let key = key["key"].as_str();
    for (resource, expected) in [
        ("task:OPS-1", StatusCode::CREATED),
        ("project:OPS/deploy", StatusCode::CREATED),
        ("task:WEB-1", StatusCode::NOT_FOUND),
        ("project:WEB/deploy", StatusCode::NOT_FOUND),
        ("anything", StatusCode::FORBIDDEN),
    ] {
        let body = json!({ "resource": resource, "ttl_seconds": 30 });
        let (status, answer) = patchbay.ask(key, Method::POST, "/collab/leases/acquire", Some(&body)).await?;
        assert_eq!(status, expected, "{resource}: {answer}");
    }
    patchbay.end().await
}
