//! What follows from what happens.

use anyhow::{Context as _, Result};
use patchbay_tests::service::Running;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{github, project, source, start, titles};

const CHECK_RUN: &str = include_str!("../../data/webhooks/github-check-run-completed.json");

async fn trigger(patchbay: &Running, body: &Value) -> Result<String> {
    let (status, made) = patchbay.post("/triggers", body).await?;
    anyhow::ensure!(status == StatusCode::CREATED, "{status}: {made}");
    Ok(made["id"].as_str().context("a trigger has an id")?.to_owned())
}

#[tokio::test]
async fn a_failed_check_is_planned_for_and_a_passed_one_is_not() -> Result<()> {
    let mut patchbay = start().await?;
    project(&patchbay).await?;
    let source = source(&patchbay, &json!({ "name": "GitHub", "kind": "github", "template": "" })).await?;
    let body = json!({
        "name": "Red builds", "event": "webhook.received", "project": "WEB",
        "condition": "@.details.event == 'check_run.completed' && @.payload.check_run.conclusion == 'failure'",
        "template": "- Fix flaky {{ payload.check_run.name }} test",
    });
    let id = trigger(&patchbay, &body).await?;
    github(&source, &source.secret, "check_run", "1", &CHECK_RUN.replace("\"failure\"", "\"success\"")).await?;
    github(&source, &source.secret, "check_run", "2", CHECK_RUN).await?;
    let proposals = patchbay.until("/proposals", |all| all["data"].as_array().is_some_and(|all| !all.is_empty())).await?;
    assert_eq!(
        (proposals["data"][0]["trust"].as_str(), proposals["data"][0]["operations"][0]["summary"].as_str()),
        (Some("untrusted"), Some("Fix flaky e2e (chromium) test")),
        "{proposals}"
    );
    let (_, runs) = patchbay.get(&format!("/triggers/{id}/runs")).await?;
    assert_eq!(runs["data"].as_array().map(Vec::len), Some(1), "{runs}");
    let run = &runs["data"][0];
    assert_eq!(
        (run["outcome"].as_str(), run["version"].as_i64(), run["text"].as_str()),
        (Some("submitted"), Some(1), Some("- Fix flaky e2e (chromium) test")),
        "{run}"
    );

    // A change is a version; switched off it does nothing.
    let mut off = body.clone();
    off["enabled"] = json!(false);
    let (_, changed) = patchbay.ask(Some(&patchbay.key), Method::PUT, &format!("/triggers/{id}"), Some(&off)).await?;
    assert_eq!((changed["version"].as_i64(), changed["enabled"].as_bool()), (Some(2), Some(false)), "{changed}");
    github(&source, &source.secret, "check_run", "3", CHECK_RUN).await?;
    patchbay
        .until(&format!("/webhooks/sources/{}/deliveries", source.id), |all| {
            all["data"].as_array().is_some_and(|all| all.len() == 3 && all[0]["outcome"] == "ignored")
        })
        .await?;
    let marker = trigger(&patchbay, &json!({ "name": "Marker", "event": "webhook.received", "template": "- {{ event }}" })).await?;
    github(&source, &source.secret, "check_run", "4", CHECK_RUN).await?;
    patchbay.until(&format!("/triggers/{marker}/runs"), |runs| runs["data"][0]["outcome"] == "submitted").await?;
    assert_eq!(patchbay.get(&format!("/triggers/{id}/runs")).await?.1["data"].as_array().map(Vec::len), Some(1), "the log was read past both");
    patchbay.end().await
}

#[tokio::test]
async fn a_loop_is_stopped_by_its_depth_and_by_its_rate() -> Result<()> {
    let mut patchbay = start().await?;
    project(&patchbay).await?;
    let body = json!({ "name": "Echo", "event": "project.changed", "makes": "command", "template": "add {{ \"Echo of \" ~ target }}", "project": "WEB" });
    let id = trigger(&patchbay, &body).await?;
    patchbay.say("add \"First\"", Some("WEB")).await?;
    let path = format!("/triggers/{id}/runs");
    let runs = patchbay.until(&path, |runs| runs["data"][0]["outcome"] == "skipped").await?;
    let depths: Vec<(i64, &str)> =
        runs["data"].as_array().into_iter().flatten().map(|run| (run["depth"].as_i64().unwrap_or(-1), run["outcome"].as_str().unwrap_or_default())).collect();
    assert_eq!(depths, [(3, "skipped"), (2, "submitted"), (1, "submitted"), (0, "submitted")], "{runs}");
    assert!(runs["data"][0]["why"].as_str().is_some_and(|why| why.contains("looks like a loop")), "{runs}");
    let (_, tree) = patchbay.get("/projects/WEB/tree").await?;
    assert_eq!(titles(&tree), ["First", "Echo of WEB", "Echo of WEB", "Echo of WEB"]);

    let mut seldom = body;
    seldom["max_per_hour"] = json!(4);
    patchbay.ask(Some(&patchbay.key), Method::PUT, &format!("/triggers/{id}"), Some(&seldom)).await?;
    patchbay.say("add \"Second\"", Some("WEB")).await?;
    let runs = patchbay.until(&path, |runs| runs["data"].as_array().is_some_and(|all| all.len() == 6 && all[0]["outcome"] == "skipped")).await?;
    assert_eq!(runs["data"][0]["why"], "it has run 4 times in an hour already", "{runs}");
    patchbay.end().await
}

#[tokio::test]
async fn a_failing_command_that_triggers_itself_ends_too() -> Result<()> {
    let mut patchbay = start().await?;
    project(&patchbay).await?;
    let id = trigger(&patchbay, &json!({ "name": "Bad", "event": "command.finished", "makes": "command", "template": "done WEB-999" })).await?;
    patchbay.say("list", None).await?;
    let runs = patchbay.until(&format!("/triggers/{id}/runs"), |runs| runs["data"][0]["outcome"] == "skipped").await?;
    assert_eq!(runs["data"].as_array().map(Vec::len), Some(4), "{runs}");
    patchbay.end().await
}

#[tokio::test]
async fn what_is_no_trigger_is_told() -> Result<()> {
    let mut patchbay = start().await?;
    for (bad, at) in [
        (json!({ "name": "a", "event": "pro*", "template": "x" }), "/event"),
        (json!({ "name": "a", "event": "*", "template": "{{" }), "/template"),
        (json!({ "name": "a", "event": "*", "template": "" }), "/template"),
        (json!({ "name": "a", "event": "*", "template": "x", "condition": "a b" }), "/condition"),
        (json!({ "name": "a", "event": "*", "template": "x", "max_depth": 11 }), "/max_depth"),
        (json!({ "name": "", "event": "*", "template": "x" }), "/name"),
    ] {
        let (status, problem) = patchbay.post("/triggers", &bad).await?;
        assert_eq!((status, problem["errors"][0]["path"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some(at)), "{problem}");
    }
    patchbay.end().await
}

#[tokio::test]
async fn a_trigger_is_tried_on_what_happened_and_remembers_what_it_was() -> Result<()> {
    let mut patchbay = start().await?;
    project(&patchbay).await?;
    let wish = json!({ "event": "project.*", "condition": "@.details.project == 'WEB'", "makes": "command", "template": "add {{ target }}" });
    // An event is looked at once no earlier one can come any more.
    patchbay.until("/collab/events?newest=true&event=project", |newest| newest["data"][0].is_object()).await?;
    let (_, page) = patchbay.post("/triggers/try", &wish).await?;
    let tried = &page["data"][0];
    assert_eq!((&tried["event"], &tried["text"], &tried["why"]), (&json!("project.created"), &json!("add \"WEB\""), &Value::Null), "{tried}");
    let mut never = wish.clone();
    never["condition"] = json!("@.details.project == 'NONE'");
    let (_, page) = patchbay.post("/triggers/try", &never).await?;
    let tried = &page["data"][0];
    assert_eq!((&tried["text"], &tried["why"]), (&Value::Null, &json!("the condition does not hold")), "{tried}");
    let (status, problem) = patchbay.post("/triggers/try", &json!({ "event": "*", "template": "{{" })).await?;
    assert_eq!((status, &problem["errors"][0]["path"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("/template")), "{problem}");

    let mut body = json!({ "name": "Once", "event": "project.*", "template": "x", "enabled": false });
    let id = trigger(&patchbay, &body).await?;
    body["name"] = json!("Twice");
    patchbay.ask(Some(&patchbay.key), Method::PUT, &format!("/triggers/{id}"), Some(&body)).await?;
    let (_, versions) = patchbay.get(&format!("/triggers/{id}/versions")).await?;
    let names: Vec<_> = versions["data"].as_array().into_iter().flatten().map(|version| (&version["version"], &version["name"], &version["author"])).collect();
    assert_eq!(names, [(&json!(2), &json!("Twice"), &json!("owner")), (&json!(1), &json!("Once"), &json!("owner"))]);
    patchbay.end().await
}
