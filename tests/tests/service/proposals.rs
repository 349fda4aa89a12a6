//! From a message to a reviewed, applied, undoable change.

use anyhow::Result;
use patchbay_tests::{
    fake_model::{FakeModel, Turn, create, patch},
    service::Running,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

fn titles(tree: &Value) -> Vec<&str> {
    tree["tasks"].as_array().map(|tasks| tasks.iter().filter_map(|task| task["title"].as_str()).collect()).unwrap_or_default()
}

#[tokio::test]
async fn a_goal_is_proposed_refined_accepted_in_part_and_survives_a_restart() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let command = patchbay.say("Build a new sign-in flow. We need the schema, the form, password reset by mail, and tests.", None).await?;
    assert_eq!((command["status"].as_str(), command["proposal"].as_i64()), (Some("done"), Some(1)), "{command}");
    let (_, projects) = patchbay.get("/projects").await?;
    assert_eq!(projects["data"], json!([]), "a proposal changes nothing");

    patchbay.say("combine the first two, and add documentation after the tests", None).await?;
    let (_, proposal) = patchbay.get("/proposals/1").await?;
    assert_eq!((proposal["revision"].as_i64(), proposal["operations"].as_array().map(Vec::len)), (Some(2), Some(4)));

    let (status, refused) = patchbay.post("/proposals/1/accept", &json!({ "ops": [1, 4] })).await?;
    assert_eq!(status, StatusCode::CONFLICT, "operation 4 waits for 3: {refused}");
    let (status, accepted) = patchbay.post("/proposals/1/accept", &json!({ "ops": [1, 3, 4], "digest": proposal["digest"] })).await?;
    assert_eq!((status, accepted["applied_as"].as_i64(), accepted["project"].as_str()), (StatusCode::OK, Some(1), Some("SIGN")), "{accepted}");
    let decided: Vec<_> = accepted["operations"].as_array().into_iter().flatten().map(|operation| operation["state"].as_str().unwrap_or_default()).collect();
    assert_eq!(decided, ["accepted", "rejected", "accepted", "accepted"]);

    patchbay.restart().await?;
    let (_, tree) = patchbay.get("/projects/SIGN/tree").await?;
    assert_eq!(titles(&tree), ["Schema and form", "Tests", "Documentation"]);
    let (_, conversation) = patchbay.get("/commands?project=SIGN").await?;
    assert_eq!(conversation["data"].as_array().map(Vec::len), Some(2), "the talk that led to the project is the project's");

    let undone = patchbay.say("undo", Some("SIGN")).await?;
    assert_eq!(undone["revision"].as_i64(), Some(2), "{undone}");
    let (_, tree) = patchbay.get("/projects/SIGN/tree").await?;
    assert_eq!(titles(&tree), Vec::<&str>::new());
    patchbay.end().await
}

#[tokio::test]
async fn a_stale_base_is_refused_with_what_changed_since() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    let create = |title: &str, base: i64| json!({ "mode": "apply", "patch": { "base_version": base, "tasks": [{ "op": "create", "task_id": "a", "body": { "title": title } }] } });
    let (status, _) = patchbay.post("/projects/WEB/patches", &create("First", 1)).await?;
    assert_eq!(status, StatusCode::OK);
    let (status, problem) = patchbay.post("/projects/WEB/patches", &create("Second", 1)).await?;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(problem["type"].as_str().is_some_and(|kind| kind.ends_with("/stale")), "{problem}");
    assert_eq!((problem["since"][0]["revision"].as_i64(), problem["since"][0]["tasks"][0].as_str()), (Some(2), Some("WEB-1")), "{problem}");
    assert!(problem.get("conflicts").is_none() && problem["detail"].as_str().is_some_and(|text| text.contains("clashes with nothing")), "{problem}");

    let rename = |title: &str, base: i64| json!({ "mode": "apply", "patch": { "base_version": base, "tasks": [{ "op": "update", "task_id": "WEB-1", "body": { "title": title } }] } });
    assert_eq!(patchbay.post("/projects/WEB/patches", &rename("Theirs", 2)).await?.0, StatusCode::OK);
    let (status, problem) = patchbay.post("/projects/WEB/patches", &rename("Ours", 2)).await?;
    assert_eq!(status, StatusCode::CONFLICT);
    let conflict = &problem["conflicts"][0];
    assert_eq!([&conflict["base"], &conflict["theirs"], &conflict["ours"]], ["First", "Theirs", "Ours"], "{problem}");
    assert_eq!(problem["errors"][0]["path"], "/patch/tasks/0/body/title", "{problem}");
    patchbay.end().await
}

#[tokio::test]
async fn every_fault_of_a_patch_is_told_at_its_place() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    let patch = json!({ "mode": "apply", "patch": { "tasks": [
        { "op": "create", "task_id": "a", "body": { "title": "", "parent_id": "WEB-9" } },
        { "op": "update", "task_id": "WEB-8", "body": { "title": "x" } },
    ] } });
    let (status, problem) = patchbay.post("/projects/WEB/patches", &patch).await?;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let paths: Vec<_> = problem["errors"].as_array().into_iter().flatten().map(|fault| fault["path"].as_str().unwrap_or_default()).collect();
    assert_eq!(paths, ["/patch/tasks/0/body/title", "/patch/tasks/0/body/parent_id", "/patch/tasks/1/task_id"], "{problem}");
    patchbay.end().await
}

#[tokio::test]
async fn the_same_key_answers_the_same_and_acts_once() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let body = json!({ "title": "Website", "key": "WEB" });
    let headers = [("idempotency-key", "once")];
    let first = patchbay.send(Some(&patchbay.key), Method::POST, "/projects", Some(&body), &headers).await?;
    let again = patchbay.send(Some(&patchbay.key), Method::POST, "/projects", Some(&body), &headers).await?;
    assert_eq!((first.0, &first), (StatusCode::CREATED, &again));
    let other = patchbay.send(Some(&patchbay.key), Method::POST, "/projects", Some(&json!({ "title": "Other" })), &headers).await?;
    assert_eq!(other.0, StatusCode::UNPROCESSABLE_ENTITY, "another body under the same key: {}", other.1);
    let (_, projects) = patchbay.get("/projects").await?;
    assert_eq!(projects["data"].as_array().map(Vec::len), Some(1));
    patchbay.end().await
}

#[tokio::test]
async fn two_who_decide_at_once_decide_once() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    patchbay.say("- one\n- two", Some("WEB")).await?;
    let accept = json!({});
    let decisions = futures::future::join_all((0..8).map(|_| patchbay.post("/proposals/1/accept", &accept))).await;
    let applied: Vec<_> =
        decisions.into_iter().filter_map(Result::ok).filter(|(status, _)| status.is_success()).map(|(_, view)| view["applied_as"].clone()).collect();
    assert!(!applied.is_empty() && applied.iter().all(|version| *version == json!(2)), "{applied:?}");
    let (_, tree) = patchbay.get("/projects/WEB/tree").await?;
    assert_eq!(titles(&tree), ["one", "two"].map(|title| if title == "one" { "One" } else { "Two" }));
    patchbay.end().await
}

#[tokio::test]
async fn what_the_rules_do_not_settle_a_model_proposes_and_the_talk_is_kept() -> Result<()> {
    let operations = json!([create("t1", "Pick a venue", &json!({})), create("t2", "Invite speakers", &json!({ "depends_on": ["t1"] }))]);
    let model = FakeModel::start([Turn::Say(patch(Some("Conference"), &operations)), Turn::Status(400, None, "no".into())]).await?;
    let url = model.url.clone();
    let mut patchbay = Running::start_with(|settings| settings.model.base_url = Some(url)).await?;
    let command = patchbay.say("Organise the yearly conference", None).await?;
    assert_eq!(command["proposal"].as_i64(), Some(1), "{command}");
    let (_, proposal) = patchbay.get("/proposals/1").await?;
    assert_eq!(proposal["operations"][1]["summary"].as_str().map(|summary| summary.contains("Invite speakers")), Some(true), "{proposal}");
    let mut conn = sqlx::ConnectOptions::connect(&patchbay.database.options()).await?;
    let kept: (i64, String) = sqlx::query_as("select count(*), min(prompt) from patchbay.planner_exchange").fetch_one(&mut conn).await?;
    assert_eq!(kept, (1, "project@1".to_owned()));

    let path = format!("/commands/{}/exchanges", command["id"].as_str().unwrap_or_default());
    let (_, talk) = patchbay.get(&path).await?;
    let one = &talk["data"][0];
    assert_eq!((&one["prompt"], &one["problem"]), (&json!("project@1"), &Value::Null), "{talk}");
    assert!(one["answer"].as_str().is_some_and(|answer| answer.contains("Invite speakers")), "as it came: {one}");
    assert!(one["request"].to_string().contains("Organise the yearly conference"), "{one}");
    let (_, key) = patchbay.post("/keys", &json!({ "name": "all but that", "scopes": ["read", "propose", "review", "apply"] })).await?;
    assert_eq!(patchbay.ask(key["key"].as_str(), Method::GET, &path, None).await?.0, StatusCode::FORBIDDEN);

    let failed = patchbay.say("Make the whole thing feel more welcoming to newcomers somehow", None).await?;
    assert_eq!(failed["status"], "failed", "{failed}");
    assert!(failed["reply"]["text"].as_str().is_some_and(|text| text.contains("model")), "it says that no model answered: {failed}");
    patchbay.end().await
}

#[tokio::test]
async fn what_is_remembered_of_a_project_is_not_believed_when_it_is_overtaken() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let website = json!({ "title": "Website", "key": "WEB" });
    let add = |title: &str| json!({ "mode": "apply", "patch": { "tasks": [{ "op": "create", "task_id": "a", "body": { "title": title } }] } });
    patchbay.post("/projects", &website).await?;
    patchbay.post("/projects/WEB/patches", &add("One")).await?;
    // Another way into the same project, which the short one does not see.
    patchbay.say("add \"Two\"", Some("WEB")).await?;
    patchbay.say("move WEB-1 to bottom", Some("WEB")).await?;
    let (status, answer) = patchbay.post("/projects/WEB/patches", &add("Three")).await?;
    assert_eq!((status, answer["version"].as_i64()), (StatusCode::OK, Some(5)), "{answer}");
    assert_eq!(titles(&patchbay.get("/projects/WEB/tree").await?.1), ["Two", "One", "Three"]);

    let (status, _) = patchbay.ask(Some(&patchbay.key), Method::DELETE, "/projects/WEB", None).await?;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(patchbay.post("/projects/WEB/patches", &add("Nowhere")).await?.0, StatusCode::NOT_FOUND);
    patchbay.post("/projects", &website).await?;
    let (status, answer) = patchbay.post("/projects/WEB/patches", &add("Anew")).await?;
    assert_eq!((status, answer["version"].as_i64()), (StatusCode::OK, Some(2)), "{answer}");
    assert_eq!(titles(&patchbay.get("/projects/WEB/tree").await?.1), ["Anew"]);
    patchbay.end().await
}
