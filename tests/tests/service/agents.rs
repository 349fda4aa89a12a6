//! Agents on the plan: what is ready, taking it, changing it under a lease, and what happens when one falls silent.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use patchbay_tests::{service::Running, until::found};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::ConnectOptions;

/// A project under the process of agents, with tasks given by title, priority and the numbers of what they wait for.
async fn project(patchbay: &Running, tasks: &[(&str, Option<&str>, &[u8])]) -> Result<()> {
    let (status, answer) = patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB", "process": "agents" })).await?;
    anyhow::ensure!(status == StatusCode::CREATED, "{answer}");
    for (title, priority, waits_for) in tasks {
        let depends_on: Vec<String> = waits_for.iter().map(|number| format!("WEB-{number}")).collect();
        let body = json!({ "project": "WEB", "title": title, "priority": priority, "depends_on": depends_on });
        let (status, answer) = patchbay.post("/collab/tasks", &body).await?;
        anyhow::ensure!(status == StatusCode::CREATED, "{answer}");
    }
    Ok(())
}

/// An agent's key.
async fn agent(patchbay: &Running, name: &str) -> Result<String> {
    let (_, member) = patchbay.post("/members", &json!({ "name": name, "role": "agent" })).await?;
    let body = json!({ "name": name, "scopes": ["read", "propose", "apply"], "member": member["handle"] });
    let (status, key) = patchbay.post("/keys", &body).await?;
    anyhow::ensure!(status == StatusCode::CREATED, "{key}");
    key["key"].as_str().map(str::to_owned).context("a key is shown once")
}

async fn claim(patchbay: &Running, key: &str, body: Value) -> Result<(StatusCode, Value)> {
    patchbay.ask(Some(key), Method::POST, "/collab/claim", Some(&body)).await
}

async fn transition(patchbay: &Running, key: &str, task: &str, body: Value) -> Result<(StatusCode, Value)> {
    patchbay.ask(Some(key), Method::POST, &format!("/collab/tasks/{task}/transition"), Some(&body)).await
}

#[tokio::test]
async fn ready_work_comes_by_priority_and_only_when_nothing_is_in_its_way() -> Result<()> {
    let mut patchbay = Running::start().await?;
    project(&patchbay, &[("low", Some("P3"), &[]), ("urgent", Some("P0"), &[]), ("waits", Some("P0"), &[2]), ("unsaid", None, &[])]).await?;
    let one = agent(&patchbay, "one").await?;
    let titles =
        |page: &Value| -> Vec<String> { page["data"].as_array().into_iter().flatten().filter_map(|task| task["title"].as_str().map(str::to_owned)).collect() };
    let (_, ready) = patchbay.get("/collab/ready?project=WEB").await?;
    assert_eq!(titles(&ready), ["urgent", "low", "unsaid"]);

    let (status, claimed) = claim(&patchbay, &one, json!({})).await?;
    assert_eq!(status, StatusCode::CREATED, "{claimed}");
    assert_eq!((&claimed["task"]["title"], &claimed["task"]["status"], &claimed["task"]["assignee"]), (&json!("urgent"), &json!("claimed"), &json!("one")));
    assert_eq!(claimed["lease"]["resource"], json!("task:WEB-2"));
    let (_, ready) = patchbay.get("/collab/ready").await?;
    assert_eq!(titles(&ready), ["low", "unsaid"]);

    let two = agent(&patchbay, "two").await?;
    let (status, held) = claim(&patchbay, &two, json!({ "task": "WEB-2" })).await?;
    assert_eq!((status, &held["current"]["holder"]), (StatusCode::CONFLICT, &json!("one")), "{held}");
    let (status, waits) = claim(&patchbay, &two, json!({ "task": "WEB-3" })).await?;
    assert_eq!((status, &waits["detail"]), (StatusCode::CONFLICT, &json!("WEB-3 waits for WEB-2.")));
    patchbay.end().await
}

#[tokio::test]
async fn who_gives_a_task_back_or_falls_silent_leaves_it_for_others() -> Result<()> {
    let mut patchbay = Running::start().await?;
    project(&patchbay, &[("only", None, &[])]).await?;
    let (one, two) = (agent(&patchbay, "one").await?, agent(&patchbay, "two").await?);
    let (_, claimed) = claim(&patchbay, &one, json!({})).await?;
    let lock = claimed["lease"]["lock_id"].as_str().unwrap_or_default();
    let (status, _) = claim(&patchbay, &two, json!({})).await?;
    assert_eq!(status, StatusCode::NO_CONTENT, "nothing is ready");
    let body = json!({ "reason": "I do not know Rust" });
    let (status, answer) = patchbay.ask(Some(&one), Method::POST, &format!("/collab/leases/{lock}/release"), Some(&body)).await?;
    assert_eq!(status, StatusCode::NO_CONTENT, "{answer}");
    let (_, task) = patchbay.get("/tasks/WEB-1").await?;
    assert_eq!((&task["status"], &task["assignee"]), (&json!("queued"), &Value::Null));
    let (_, history) = patchbay.get("/tasks/WEB-1/history").await?;
    assert!(history.to_string().contains("I do not know Rust"), "{history}");

    let (_, claimed) = claim(&patchbay, &two, json!({ "holder": "two, on the laptop" })).await?;
    assert_eq!(claimed["lease"]["fencing_token"], json!(2));
    transition(&patchbay, &two, "WEB-1", json!({ "to": "in_progress" })).await?;
    let mut conn = patchbay.database.options().connect().await?;
    sqlx::query("update patchbay.lease set expires_at = now()").execute(&mut conn).await?;
    let ready = patchbay.until("/collab/ready", |ready| ready["data"][0]["ref"] == json!("WEB-1")).await?;
    assert_eq!((&ready["data"][0]["status"], &ready["data"][0]["assignee"]), (&json!("queued"), &Value::Null));
    patchbay.end().await
}

#[tokio::test]
async fn a_late_holders_write_is_refused() -> Result<()> {
    let mut patchbay = Running::start().await?;
    project(&patchbay, &[("only", None, &[])]).await?;
    let (one, two) = (agent(&patchbay, "one").await?, agent(&patchbay, "two").await?);
    let (_, claimed) = claim(&patchbay, &one, json!({})).await?;
    let lease = &claimed["lease"];
    let guarded = |to: &str, lease: &Value| json!({ "to": to, "reason": "because", "lock_id": lease["lock_id"], "fencing_token": lease["fencing_token"] });
    let (status, moved) = transition(&patchbay, &one, "WEB-1", guarded("in_progress", lease)).await?;
    assert_eq!((status, &moved["old"]["status"], &moved["new"]["status"]), (StatusCode::OK, &json!("claimed"), &json!("in_progress")), "{moved}");

    let body = json!({ "reason": "it hangs", "ttl_seconds": 60 });
    let (_, stolen) = patchbay.post(&format!("/collab/leases/{}/steal", lease["lock_id"].as_str().unwrap_or_default()), &body).await?;
    let (status, problem) = transition(&patchbay, &one, "WEB-1", guarded("review", lease)).await?;
    assert_eq!((status, &problem["type"]), (StatusCode::CONFLICT, &json!("/problems/lease-lost")));
    let (status, _) = transition(&patchbay, &two, "WEB-1", guarded("review", &stolen)).await?;
    assert_eq!(status, StatusCode::CONFLICT, "a token is its holder's alone");
    let mut half = guarded("review", lease);
    half.as_object_mut().context("it is an object")?.remove("fencing_token");
    let (status, problem) = transition(&patchbay, &one, "WEB-1", half).await?;
    assert_eq!((status, &problem["errors"][0]["path"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("/fencing_token")));
    let (_, task) = patchbay.get("/tasks/WEB-1").await?;
    assert_eq!(task["status"], json!("in_progress"));
    patchbay.end().await
}

#[tokio::test]
async fn a_change_is_made_to_what_was_read_or_not_at_all() -> Result<()> {
    let mut patchbay = Running::start().await?;
    project(&patchbay, &[("first title", None, &[]), ("other", None, &[])]).await?;
    let (_, state) = patchbay.get("/collab/state/tasks?project=WEB").await?;
    let tag = state["tasks"][0]["etag"].as_str().unwrap_or_default().to_owned();
    let patch =
        async |body: Value, headers: &[(&str, &str)]| patchbay.send(Some(&patchbay.key), Method::PATCH, "/collab/tasks/WEB-1", Some(&body), headers).await;
    let (status, _) = patch(json!({ "title": "blind" }), &[]).await?;
    assert_eq!(status, StatusCode::PRECONDITION_REQUIRED);
    // What happens beside a task does not touch it.
    patchbay.post("/tasks/WEB-2/transition", &json!({ "to": "claimed" })).await?;
    let (status, changed) = patch(json!({ "title": "second title" }), &[("if-match", &tag)]).await?;
    assert_eq!((status, &changed["title"]), (StatusCode::OK, &json!("second title")), "{changed}");
    let (status, problem) = patch(json!({ "title": "third title" }), &[("if-match", &tag)]).await?;
    assert_eq!((status, &problem["current"]["title"]), (StatusCode::PRECONDITION_FAILED, &json!("second title")), "{problem}");
    let (status, problem) = patch(json!({ "title": "" }), &[("if-match", "*")]).await?;
    assert_eq!((status, &problem["errors"][0]["path"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("/title")));

    let (_, after) = patchbay.get("/collab/state/tasks").await?;
    assert!(after["version"].as_i64() > state["version"].as_i64());
    let (_, read) = patchbay.get("/collab/tasks/WEB-1").await?;
    let mut entry = after["tasks"][0].clone();
    entry.as_object_mut().context("it is an object")?.remove("etag");
    assert_eq!(entry, read);
    patchbay.end().await
}

#[tokio::test]
async fn a_document_keeps_its_tag_while_nothing_in_it_changes() -> Result<()> {
    let mut patchbay = Running::start().await?;
    project(&patchbay, &[("only", None, &[])]).await?;
    let tag = async |name: &str| -> Result<String> {
        let response = reqwest::Client::new().get(format!("{}/api/v1/collab/state/{name}", patchbay.url)).bearer_auth(&patchbay.key).send().await?;
        let tag = response.headers().get("etag").context("there is a tag")?.to_str()?.to_owned();
        let text = response.text().await?;
        let canonical = serde_json::to_string(&serde_json::from_str::<std::collections::BTreeMap<String, Value>>(&text)?)?;
        assert_eq!(text, canonical, "members stand by name");
        Ok(tag)
    };
    let before = (tag("tasks").await?, tag("locks").await?, tag("agents").await?);
    assert_eq!(before, (tag("tasks").await?, tag("locks").await?, tag("agents").await?));
    patchbay.post("/collab/leases/acquire", &json!({ "resource": "x", "ttl_seconds": 60 })).await?;
    assert_eq!(before.0, tag("tasks").await?);
    assert_ne!(before.1, tag("locks").await?);
    patchbay.end().await
}

#[tokio::test]
async fn agents_say_what_they_are_and_count_as_gone_when_they_are_silent() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let one = agent(&patchbay, "one").await?;
    let beat = async || patchbay.ask(Some(&one), Method::POST, "/collab/agents/me/heartbeat", None).await;
    let (status, _) = beat().await?;
    assert_eq!(status, StatusCode::CONFLICT, "it has not said what it is");
    let body = json!({ "role": "developer", "skills": ["rust"], "ttl_seconds": 1 });
    let (status, registered) = patchbay.ask(Some(&one), Method::PUT, "/collab/agents/me", Some(&body)).await?;
    assert_eq!((status, &registered["is_present"], &registered["agent"]), (StatusCode::OK, &json!(true), &json!("one")), "{registered}");
    patchbay.until("/collab/state/agents", |agents| agents["agents"][0]["is_present"] == json!(false)).await?;
    let mut conn = patchbay.database.options().connect().await?;
    found("its going is told once", async || {
        let told: Vec<String> = sqlx::query_scalar("select event from patchbay.event where event like 'agent.%' order by seq").fetch_all(&mut conn).await?;
        Ok(if told == ["agent.registered", "agent.gone"] { Ok(()) } else { Err(told) })
    })
    .await?;
    beat().await?;
    let told: i64 = sqlx::query_scalar("select count(*) from patchbay.event where event = 'agent.appeared'").fetch_one(&mut conn).await?;
    assert_eq!(told, 1);
    patchbay.end().await
}

#[tokio::test]
async fn many_agents_work_a_backlog_to_its_end_and_never_two_on_one_task() -> Result<()> {
    let patchbay = Arc::new(Running::start().await?);
    project(&patchbay, &[("a", Some("P1"), &[]), ("b", None, &[1]), ("c", Some("P0"), &[]), ("d", None, &[2, 3]), ("e", None, &[]), ("f", None, &[4])]).await?;
    let mut working = Vec::new();
    for name in ["one", "two", "three"] {
        let key = agent(&patchbay, name).await?;
        let patchbay = patchbay.clone();
        working.push(tokio::spawn(async move {
            let mut done = Vec::new();
            let deadline = Instant::now() + Duration::from_mins(1);
            loop {
                let (status, claimed) = claim(&patchbay, &key, json!({})).await?;
                if status == StatusCode::NO_CONTENT {
                    let (_, state) = patchbay.get("/collab/state/tasks").await?;
                    if state["tasks"].as_array().is_some_and(|tasks| tasks.iter().all(|task| task["status"] == json!("done"))) {
                        return anyhow::Ok(done);
                    }
                    anyhow::ensure!(Instant::now() < deadline, "the backlog is worked to its end: {state}");
                    continue;
                }
                anyhow::ensure!(status == StatusCode::CREATED, "{status}: {claimed}");
                let reference = claimed["task"]["ref"].as_str().unwrap_or_default().to_owned();
                let lease = &claimed["lease"];
                for to in ["in_progress", "review", "approved", "merging", "done"] {
                    // A person approves.
                    let key = if to == "approved" { &patchbay.key } else { &key };
                    let mut body = json!({ "to": to });
                    if to != "approved" {
                        body["lock_id"] = lease["lock_id"].clone();
                        body["fencing_token"] = lease["fencing_token"].clone();
                    }
                    let (status, answer) = transition(&patchbay, key, &reference, body).await?;
                    anyhow::ensure!(status == StatusCode::OK, "{reference} to {to}: {answer}");
                }
                let path = format!("/collab/leases/{}/release", lease["lock_id"].as_str().unwrap_or_default());
                let (status, answer) = patchbay.ask(Some(&key), Method::POST, &path, None).await?;
                anyhow::ensure!(status == StatusCode::NO_CONTENT, "{answer}");
                done.push(reference);
            }
        }));
    }
    let mut all = Vec::new();
    for agent in working {
        all.extend(agent.await??);
    }
    assert_eq!(all.len(), 6, "each was done once: {all:?}");
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 6);
    Arc::into_inner(patchbay).expect("nobody works any more").end().await
}
