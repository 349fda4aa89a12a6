//! Two who change the same plan at once, and taking back what has others on top.

use anyhow::Result;
use patchbay_tests::service::Running;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::history::findings;

async fn website(tasks: &[&str]) -> Result<Running> {
    let patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    for title in tasks {
        patchbay.say(&format!("add \"{title}\""), Some("WEB")).await?;
    }
    Ok(patchbay)
}

/// Proposes operations and answers the proposal's number.
async fn propose(patchbay: &Running, tasks: Value) -> Result<i64> {
    let (status, proposal) = patchbay.post("/projects/WEB/patches", &json!({ "patch": { "tasks": tasks } })).await?;
    anyhow::ensure!(status == StatusCode::CREATED, "{status}: {proposal}");
    Ok(proposal["number"].as_i64().unwrap_or_default())
}

#[expect(clippy::needless_pass_by_value, reason = "it reads better where it is called")]
fn update(task: &str, body: Value) -> Value {
    json!({ "op": "update", "task_id": task, "body": body })
}

async fn task(patchbay: &Running, reference: &str) -> Result<Value> {
    Ok(patchbay.get(&format!("/tasks/{reference}")).await?.1)
}

#[tokio::test]
async fn two_proposals_for_one_plan_are_both_accepted() -> Result<()> {
    let mut patchbay = website(&["One", "Two"]).await?;
    let first =
        propose(&patchbay, json!([update("WEB-1", json!({ "title": "First" })), { "op": "create", "task_id": "a", "body": { "title": "New" } }])).await?;
    let second = propose(&patchbay, json!([update("WEB-1", json!({ "due_on": "2026-12-01" })), update("WEB-2", json!({ "labels": ["web"] }))])).await?;
    for number in [first, second] {
        let (status, accepted) = patchbay.post(&format!("/proposals/{number}/accept"), &json!({})).await?;
        assert_eq!(status, StatusCode::OK, "{accepted}");
    }
    let one = task(&patchbay, "WEB-1").await?;
    assert_eq!((one["title"].as_str(), one["due_on"].as_str()), (Some("First"), Some("2026-12-01")));
    let (_, proposal) = patchbay.get(&format!("/proposals/{second}")).await?;
    assert_eq!((proposal["revision"].as_i64(), proposal["revisions"][1]["message"].as_str()), (Some(2), Some("rebased onto version 4")), "{proposal}");
    assert_eq!(findings(&patchbay).await?, Vec::<String>::new());
    patchbay.end().await
}

#[tokio::test]
async fn a_true_conflict_is_told_with_its_three_values_and_settled() -> Result<()> {
    let mut patchbay = website(&["One", "Two"]).await?;
    patchbay.say("set WEB-1 due 2026-12-01", Some("WEB")).await?;
    let number = propose(&patchbay, json!([update("WEB-1", json!({ "due_on": "2026-11-28" })), update("WEB-2", json!({ "priority": "P1" }))])).await?;
    patchbay.say("set WEB-1 due 2026-12-04", Some("WEB")).await?;

    let (status, problem) = patchbay.post(&format!("/proposals/{number}/accept"), &json!({})).await?;
    assert_eq!((status, problem["type"].as_str()), (StatusCode::CONFLICT, Some("/problems/conflicted")), "{problem}");
    let (_, proposal) = patchbay.get(&format!("/proposals/{number}")).await?;
    let conflict = &proposal["conflicts"][0];
    assert_eq!(
        (conflict["path"].as_str(), &conflict["base"], &conflict["theirs"], &conflict["ours"]),
        (Some("/tasks/0/body/due_on"), &json!("2026-12-01"), &json!("2026-12-04"), &json!("2026-11-28")),
        "{proposal}"
    );
    assert_eq!((conflict["by"]["actor"].as_str(), conflict["by"]["revision"].as_i64()), (Some("owner"), Some(5)), "{proposal}");
    assert_eq!(proposal["operations"].as_array().map(Vec::len), Some(1), "what is not in conflict goes on");

    let told = patchbay.say(&format!("accept #{number}"), Some("WEB")).await?;
    let text = told["reply"]["text"].as_str().unwrap_or_default();
    assert!(
        text.contains("**WEB-1** due: it was Tue 1 Dec 2026; owner made it Fri 4 Dec 2026 in version 5, ")
            && text.contains(" UTC; the proposal wants Sat 28 Nov 2026."),
        "{text}"
    );

    let settled = patchbay.say(&format!("resolve #{number} 1 ours"), Some("WEB")).await?;
    assert_eq!(settled["status"], "done", "{settled}");
    let (status, accepted) = patchbay.post(&format!("/proposals/{number}/accept"), &json!({})).await?;
    assert_eq!(status, StatusCode::OK, "{accepted}");
    assert_eq!(task(&patchbay, "WEB-1").await?["due_on"], "2026-11-28");
    assert_eq!(task(&patchbay, "WEB-2").await?["priority"], "P1");
    patchbay.end().await
}

#[tokio::test]
async fn a_conflict_is_settled_by_the_other_side_or_by_another_value() -> Result<()> {
    let mut patchbay = website(&["One", "Two"]).await?;
    let number = propose(&patchbay, json!([update("WEB-1", json!({ "title": "Ours" })), update("WEB-2", json!({ "title": "Ours too" }))])).await?;
    patchbay.say("set WEB-1 title Theirs", Some("WEB")).await?;
    patchbay.say("set WEB-2 title Theirs too", Some("WEB")).await?;
    let (_, proposal) = patchbay.post(&format!("/proposals/{number}/rebase"), &json!({})).await?;
    assert_eq!(proposal["conflicts"].as_array().map(Vec::len), Some(2), "{proposal}");

    let (status, problem) = patchbay.post(&format!("/proposals/{number}/resolve"), &json!({ "conflict": 7, "take": "ours" })).await?;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert!(problem["errors"][0]["message"].as_str().is_some_and(|message| message.contains("no conflict 7")), "{problem}");
    let (_, proposal) = patchbay.post(&format!("/proposals/{number}/resolve"), &json!({ "conflict": 1, "take": "theirs" })).await?;
    assert_eq!(proposal["conflicts"].as_array().map(Vec::len), Some(1), "{proposal}");
    let (_, proposal) = patchbay.post(&format!("/proposals/{number}/resolve"), &json!({ "conflict": 1, "value": "Both" })).await?;
    assert_eq!(proposal["conflicts"], json!([]), "{proposal}");
    let (status, accepted) = patchbay.post(&format!("/proposals/{number}/accept"), &json!({ "digest": proposal["digest"] })).await?;
    assert_eq!(status, StatusCode::OK, "{accepted}");
    assert_eq!((task(&patchbay, "WEB-1").await?["title"].as_str(), task(&patchbay, "WEB-2").await?["title"].as_str()), (Some("Theirs"), Some("Both")));
    patchbay.end().await
}

#[tokio::test]
async fn what_would_be_applied_is_what_was_shown_or_it_is_shown_again() -> Result<()> {
    let mut patchbay = website(&["One"]).await?;
    let describe = |text: &str| json!({ "mode": "apply", "patch": { "tasks": [update("WEB-1", json!({ "description": text }))] } });
    patchbay.post("/projects/WEB/patches", &describe("First line\nSecond line\nThird line")).await?;
    let number = propose(&patchbay, json!([update("WEB-1", json!({ "description": "First line\nSecond line\nThird line, ours" }))])).await?;
    patchbay.post("/projects/WEB/patches", &describe("First line, theirs\nSecond line\nThird line")).await?;

    let (status, problem) = patchbay.post(&format!("/proposals/{number}/accept"), &json!({})).await?;
    assert_eq!((status, problem["type"].as_str()), (StatusCode::CONFLICT, Some("/problems/rebased")), "nobody has seen the merged text: {problem}");
    let (status, accepted) = patchbay.post(&format!("/proposals/{number}/accept"), &json!({})).await?;
    assert_eq!(status, StatusCode::OK, "{accepted}");
    assert_eq!(task(&patchbay, "WEB-1").await?["description"], "First line, theirs\nSecond line\nThird line, ours");
    patchbay.end().await
}

#[tokio::test]
async fn a_change_with_a_hundred_on_top_is_taken_back_and_made_again() -> Result<()> {
    let mut patchbay = website(&["One", "Two", "Three"]).await?;
    patchbay.say("move WEB-2 under WEB-1", Some("WEB")).await?;
    let deleted = patchbay.say("delete WEB-1", Some("WEB")).await?;
    let version = deleted["revision"].as_i64().unwrap_or_default();
    for n in 0..100 {
        let patch = json!({ "mode": "apply", "patch": { "tasks": [update("WEB-3", json!({ "title": format!("Title {n}") }))] } });
        let (status, answer) = patchbay.post("/projects/WEB/patches", &patch).await?;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    let undone = patchbay.say(&format!("undo WEB {version}"), Some("WEB")).await?;
    assert_eq!(undone["revision"].as_i64(), Some(version + 101), "{undone}");
    let (one, two) = (task(&patchbay, "WEB-1").await?, task(&patchbay, "WEB-2").await?);
    assert_eq!((one["title"].as_str(), &two["parent_id"]), (Some("One"), &one["id"]), "{two}");
    assert_eq!(task(&patchbay, "WEB-3").await?["title"], "Title 99", "later changes stay");

    let (_, diff) = patchbay.get(&format!("/projects/WEB/diff?from={version}&to={}", version + 101)).await?;
    assert_eq!(diff["counts"], json!({ "created": 2, "changed": 1, "removed": 0, "moved": 0 }), "{diff}");
    let (_, tree) = patchbay.get(&format!("/projects/WEB/tree?version={version}")).await?;
    assert_eq!(tree["tasks"].as_array().map(Vec::len), Some(1), "{tree}");
    let shown = patchbay.say(&format!("show WEB @{version}"), None).await?;
    assert!(shown["reply"]["text"].as_str().is_some_and(|text| text.contains("Three") && !text.contains("One")), "{shown}");

    let again = patchbay.say("redo", Some("WEB")).await?;
    assert_eq!(again["status"], "done", "{again}");
    assert_eq!(patchbay.get("/tasks/WEB-1").await?.0, StatusCode::NOT_FOUND);
    assert_eq!(findings(&patchbay).await?, Vec::<String>::new());
    patchbay.end().await
}

#[tokio::test]
async fn what_cannot_be_taken_back_without_harm_is_listed() -> Result<()> {
    let mut patchbay = website(&["One"]).await?;
    patchbay.say("set WEB-1 title First", Some("WEB")).await?;
    patchbay.say("set WEB-1 title Second", Some("WEB")).await?;
    let (status, problem) = patchbay.post("/projects/WEB/undo", &json!({ "revision": 3 })).await?;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(problem["errors"][0]["message"], "the title of WEB-1 was changed", "{problem}");
    let told = patchbay.say("undo WEB 3", Some("WEB")).await?;
    assert_eq!((told["status"].as_str(), told["proposal"].as_i64()), (Some("done"), Some(1)), "{told}");
    assert!(
        told["reply"]["text"]
            .as_str()
            .is_some_and(|text| text.contains("it was First; owner made it Second in version 4, ") && text.contains("; the proposal wants One")),
        "{told}"
    );
    patchbay.end().await
}

#[tokio::test]
async fn each_takes_back_what_is_theirs() -> Result<()> {
    let mut patchbay = website(&["One"]).await?;
    let ana = patchbay.member_key("ana", &["read", "propose", "review", "apply"]).await?;
    let rename = json!({ "mode": "apply", "patch": { "tasks": [update("WEB-1", json!({ "priority": "P1" }))] } });
    let (status, answer) = patchbay.ask(Some(&ana), Method::POST, "/projects/WEB/patches", Some(&rename)).await?;
    assert_eq!(status, StatusCode::OK, "{answer}");
    patchbay.say("set WEB-1 title First", Some("WEB")).await?;
    let (status, undone) = patchbay.ask(Some(&ana), Method::POST, "/projects/WEB/undo", Some(&json!({}))).await?;
    assert_eq!(status, StatusCode::OK, "{undone}");
    let one = task(&patchbay, "WEB-1").await?;
    assert_eq!((one["title"].as_str(), &one["priority"]), (Some("First"), &Value::Null));
    patchbay.end().await
}

#[tokio::test]
async fn sixteen_who_accept_at_once_lose_nothing() -> Result<()> {
    let mut patchbay = website(&["One"]).await?;
    let mut numbers = Vec::new();
    for n in 0..16 {
        numbers.push(propose(&patchbay, json!([{ "op": "create", "task_id": "a", "body": { "title": format!("Task of {n}") } }, update("WEB-1", json!({ "labels": { "add": [format!("l{n}")] } }))])).await?);
    }
    let accept = json!({});
    let paths: Vec<String> = numbers.iter().map(|number| format!("/proposals/{number}/accept")).collect();
    let answers = futures::future::join_all(paths.iter().map(|path| patchbay.post(path, &accept))).await;
    for answer in answers {
        let (status, accepted) = answer?;
        assert_eq!(status, StatusCode::OK, "{accepted}");
    }
    let (_, tree) = patchbay.get("/projects/WEB/tree").await?;
    assert_eq!(tree["tasks"].as_array().map(Vec::len), Some(17), "{tree}");
    assert_eq!(task(&patchbay, "WEB-1").await?["labels"].as_array().map(Vec::len), Some(16));
    assert_eq!(findings(&patchbay).await?, Vec::<String>::new());
    patchbay.end().await
}

#[tokio::test]
async fn a_proposal_as_text_can_be_sent_back() -> Result<()> {
    let mut patchbay = website(&["One"]).await?;
    let operations = json!([
        { "op": "create", "task_id": "a", "body": { "title": "A title with \"quotes\" and 🌊", "description": "Two\nlines", "labels": ["web"] } },
        update("WEB-1", json!({ "title": "First", "due_on": null, "labels": { "add": ["x"], "remove": [] } })),
    ]);
    let number = propose(&patchbay, operations).await?;
    let url = format!("{}/api/v1/proposals/{number}/diff?format=patch", patchbay.url);
    let text = reqwest::Client::new().get(url).bearer_auth(&patchbay.key).send().await?.text().await?;
    let (status, again) = patchbay.post("/projects/WEB/patches", &json!({ "text": text })).await?;
    assert_eq!(status, StatusCode::CREATED, "{text}\n{again}");
    let (_, first) = patchbay.get(&format!("/proposals/{number}")).await?;
    assert_eq!(again["patch"], first["patch"], "{text}");

    let (status, problem) = patchbay.post("/projects/WEB/patches", &json!({ "text": text.replace("~ WEB-1", "? WEB-1") })).await?;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem["errors"][0]["message"].as_str().is_some_and(|message| message.starts_with("line ")), "{problem}");
    patchbay.end().await
}
