//! Schedules over HTTP and in words, and what they do on a real Postgres.

use anyhow::{Context as _, Result};
use patchbay_tests::service::Running;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn a_command_a_message_and_a_job_run_when_they_are_due() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    let actions = [
        json!({ "kind": "command", "text": "add \"Water the plants\" in WEB" }),
        json!({ "kind": "message", "text": "- first thing\n- second thing", "project": "WEB" }),
        json!({ "kind": "job", "tool": "format_markdown", "input": { "text": "* a\n* b\n" } }),
    ];
    let mut ids = Vec::new();
    for action in actions {
        let body = json!({ "rule": "* * * * * *", "zone": "Asia/Kolkata", "action": action });
        let (status, schedule) = patchbay.post("/schedule", &body).await?;
        assert_eq!(status, StatusCode::CREATED, "{schedule}");
        ids.push(schedule["id"].as_str().context("it has an id")?.to_owned());
    }
    for id in &ids {
        let runs = patchbay
            .until(&format!("/schedule/{id}/runs"), |runs| {
                runs["data"].as_array().is_some_and(|runs| runs.iter().filter(|run| run["state"] == "done").count() >= 2)
            })
            .await?;
        let (status, paused) = patchbay.post(&format!("/schedule/{id}/pause"), &json!({})).await?;
        assert_eq!((status, &paused["state"]), (StatusCode::OK, &json!("paused")), "{runs}");
    }
    let (_, tree) = patchbay.get("/projects/WEB/tree").await?;
    assert!(tree["tasks"].as_array().is_some_and(|tasks| tasks.iter().any(|task| task["title"] == "Water the plants")), "{tree}");
    let (_, proposals) = patchbay.get("/proposals").await?;
    assert!(proposals.to_string().contains("Second thing"), "the planner was asked: {proposals}");
    let (_, jobs) = patchbay.get("/jobs?kind=format_markdown&state=done").await?;
    assert_eq!(jobs["data"][0]["result"], json!({ "text": "- a\n- b\n", "changed": true }), "{jobs}");
    patchbay.end().await
}

#[tokio::test]
async fn a_schedule_is_looked_ahead_changed_and_dropped() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    let (status, preview) = patchbay.post("/schedule/preview", &json!({ "rule": "every weekday at 9:00", "zone": "Europe/Berlin", "count": 7 })).await?;
    assert_eq!((status, &preview["plain_rule"]), (StatusCode::OK, &json!("0 9 * * 1-5")), "{preview}");
    assert!(
        preview["times"]
            .as_array()
            .is_some_and(|times| times.len() == 7 && times.iter().all(|time| time["local"].as_str().is_some_and(|local| local.contains("T09:00:00"))))
    );

    let faulty = json!({ "rule": "soon", "zone": "Mars/Olympus", "action": { "kind": "command", "text": "let us see" } });
    let (status, problem) = patchbay.post("/schedule", &faulty).await?;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let paths: Vec<_> = problem["errors"].as_array().into_iter().flatten().map(|fault| fault["path"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(paths, ["/zone", "/action/text"], "{problem}");
    let unknown = json!({ "rule": "daily", "action": { "kind": "job", "tool": "deliver", "input": {} } });
    let (status, problem) = patchbay.post("/schedule", &unknown).await?;
    assert_eq!(
        (status, &problem["errors"][0]["path"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("/action/tool")),
        "the service's own jobs are not for people: {problem}"
    );
    let wrong = json!({ "rule": "daily", "action": { "kind": "job", "tool": "format_markdown", "input": { "txt": 1 } } });
    let (status, _) = patchbay.post("/schedule", &wrong).await?;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);

    let (_, made) =
        patchbay.post("/schedule", &json!({ "rule": "daily", "zone": "Europe/Berlin", "action": { "kind": "command", "text": "list in WEB" } })).await?;
    let path = format!("/schedule/{}", made["id"].as_str().context("it has an id")?);
    let change = json!({ "zone": "America/New_York", "missed": "catch_up" });
    let (status, _) = patchbay.send(Some(&patchbay.key), Method::PATCH, &path, Some(&change), &[("if-match", "\"old\"")]).await?;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
    let (status, changed) = patchbay.ask(Some(&patchbay.key), Method::PATCH, &path, Some(&change)).await?;
    assert_eq!((status, &changed["rule"], &changed["zone"]), (StatusCode::OK, &json!("daily"), &json!("America/New_York")), "{changed}");
    assert_ne!(changed["next_run_at"], made["next_run_at"]);
    let other = patchbay.member_key("ana", &["read", "propose"]).await?;
    let (status, _) = patchbay.ask(Some(&other), Method::DELETE, &path, None).await?;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, _) = patchbay.ask(Some(&patchbay.key), Method::DELETE, &path, None).await?;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(patchbay.get(&path).await?.0, StatusCode::NOT_FOUND);
    patchbay.end().await
}

#[tokio::test]
async fn schedules_are_made_and_looked_after_in_words() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    let said = |command: Value| command["reply"]["text"].as_str().unwrap_or_default().to_owned();
    let made = said(patchbay.say("schedule \"every weekday 9:00\" plan WEB with tests", Some("WEB")).await?);
    assert!(made.starts_with("Schedule 1: **plan WEB with tests**, every weekday 9:00. Next:"), "{made}");
    let wrong = patchbay.say("schedule \"every blue moon\" plan WEB", Some("WEB")).await?;
    assert_eq!((&wrong["status"], &wrong["problem"]["errors"][0]["path"]), (&json!("failed"), &json!("/rule")), "{wrong}");
    let nested = patchbay.say("schedule \"daily\" schedule \"daily\" list", Some("WEB")).await?;
    assert_eq!(nested["status"], "failed", "a schedule makes no schedules");
    assert!(said(patchbay.say("schedule list", None).await?).contains("1. **plan WEB with tests**"));
    assert_eq!(said(patchbay.say("schedule pause 1", None).await?), "Schedule 1 is paused.");
    assert!(said(patchbay.say("schedule", None).await?).contains("(paused)"));
    assert!(said(patchbay.say("schedule resume 1", None).await?).contains("Next:"));
    assert!(said(patchbay.say("schedule delete 1", None).await?).contains("is gone"));
    assert_eq!(patchbay.say("schedule pause 1", None).await?["status"], "failed");
    patchbay.end().await
}
