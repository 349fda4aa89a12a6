//! What is accepted in words is what was shown where they are said.

use anyhow::Result;
use patchbay_tests::service::{Answer, Running};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// A project of three tasks, and the key of somebody else.
async fn website() -> Result<(Running, String)> {
    let patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    for title in ["One", "Two", "Three"] {
        patchbay.say(&format!("add \"{title}\""), Some("WEB")).await?;
    }
    let ana = patchbay.member_key("ana", &["read", "propose", "review", "apply"]).await?;
    Ok((patchbay, ana))
}

fn update(task: &str, body: &Value) -> Value {
    json!({ "op": "update", "task_id": task, "body": body })
}

async fn by(patchbay: &Running, key: &str, path: &str, body: &Value) -> Result<Answer> {
    patchbay.ask(Some(key), Method::POST, path, Some(body)).await
}

/// Ana proposes operations; the proposal's number.
async fn propose(patchbay: &Running, ana: &str, tasks: Value) -> Result<i64> {
    let (status, proposal) = by(patchbay, ana, "/projects/WEB/patches", &json!({ "patch": { "tasks": tasks } })).await?;
    anyhow::ensure!(status == StatusCode::CREATED, "{proposal}");
    Ok(proposal["number"].as_i64().unwrap_or_default())
}

fn text(command: &Value) -> &str {
    command["reply"]["text"].as_str().unwrap_or_default()
}

fn commands(command: &Value) -> Vec<&str> {
    command["reply"]["actions"].as_array().into_iter().flatten().filter_map(|action| action["command"].as_str()).collect()
}

async fn state(patchbay: &Running, number: i64) -> Result<Value> {
    Ok(patchbay.get(&format!("/proposals/{number}")).await?.1["state"].clone())
}

#[tokio::test]
async fn a_revision_that_nobody_showed_is_shown_and_not_applied() -> Result<()> {
    let (mut patchbay, ana) = website().await?;
    let number = propose(&patchbay, &ana, json!([update("WEB-1", &json!({ "title": "Try me" }))])).await?;
    let shown = patchbay.say(&format!("review #{number}"), Some("WEB")).await?;
    assert!(text(&shown).contains("Try me"), "{shown}");
    let edit = json!({ "operations": [{ "index": 1, "body": { "title": "Something else" } }] });
    let (status, edited) = by(&patchbay, &ana, &format!("/proposals/{number}/edit"), &edit).await?;
    assert_eq!(status, StatusCode::OK, "{edited}");

    let refused = patchbay.say(&format!("accept #{number}"), Some("WEB")).await?;
    assert!(text(&refused).contains("is not what you looked at any more: ana changed it, and it is at revision 2"), "{refused}");
    assert!(text(&refused).contains("Something else"), "with the new diff: {refused}");
    assert_eq!(state(&patchbay, number).await?, "open");
    assert_eq!(patchbay.get("/tasks/WEB-1").await?.1["title"], "One");

    // That was shown now.
    let accepted = patchbay.say(&format!("accept #{number}"), Some("WEB")).await?;
    assert_eq!((accepted["status"].as_str(), state(&patchbay, number).await?.as_str()), (Some("done"), Some("applied")), "{accepted}");
    assert_eq!(patchbay.get("/tasks/WEB-1").await?.1["title"], "Something else");
    patchbay.end().await
}

#[tokio::test]
async fn a_proposal_that_was_never_shown_here_is_shown_first() -> Result<()> {
    let (mut patchbay, ana) = website().await?;
    let number = propose(&patchbay, &ana, json!([update("WEB-1", &json!({ "title": "Theirs" }))])).await?;
    let refused = patchbay.say(&format!("accept #{number}"), Some("WEB")).await?;
    assert!(text(&refused).contains("was not shown here yet") && text(&refused).contains("Theirs"), "{refused}");
    assert!(commands(&refused).contains(&format!("accept #{number}").as_str()), "{refused}");
    assert_eq!(state(&patchbay, number).await?, "open");
    // Elsewhere it was not shown.
    let elsewhere = patchbay.say(&format!("accept #{number}"), None).await?;
    assert!(text(&elsewhere).contains("was not shown here yet"), "{elsewhere}");
    patchbay.say(&format!("accept #{number}"), Some("WEB")).await?;
    assert_eq!(state(&patchbay, number).await?, "applied");

    // A program that says no digest knows what it does.
    let number = propose(&patchbay, &ana, json!([update("WEB-2", &json!({ "title": "Other" }))])).await?;
    let (status, accepted) = patchbay.post(&format!("/proposals/{number}/accept"), &json!({})).await?;
    assert_eq!(status, StatusCode::OK, "{accepted}");
    patchbay.end().await
}

#[tokio::test]
async fn who_made_it_and_where_it_was_made_accept_it_at_once() -> Result<()> {
    let (mut patchbay, ana) = website().await?;
    let planned = patchbay.say("- Four\n- Five", Some("WEB")).await?;
    let number = planned["proposal"].as_i64().unwrap_or_default();
    let accepted = patchbay.say("accept", Some("WEB")).await?;
    assert_eq!((accepted["status"].as_str(), state(&patchbay, number).await?.as_str()), (Some("done"), Some("applied")), "{accepted}");

    let (_, made) = patchbay.post("/projects/WEB/patches", &json!({ "patch": { "tasks": [update("WEB-1", &json!({ "title": "Mine" }))] } })).await?;
    let number = made["number"].as_i64().unwrap_or_default();
    patchbay.say(&format!("accept #{number}"), Some("WEB")).await?;
    assert_eq!(state(&patchbay, number).await?, "applied");
    // But not once somebody else has changed it.
    let (_, made) = patchbay.post("/projects/WEB/patches", &json!({ "patch": { "tasks": [update("WEB-1", &json!({ "title": "Mine too" }))] } })).await?;
    let number = made["number"].as_i64().unwrap_or_default();
    by(&patchbay, &ana, &format!("/proposals/{number}/edit"), &json!({ "operations": [{ "index": 1, "body": { "title": "Ana's" } }] })).await?;
    let refused = patchbay.say(&format!("accept #{number}"), Some("WEB")).await?;
    assert!(text(&refused).contains("Ana's"), "{refused}");
    assert_eq!(state(&patchbay, number).await?, "open");
    patchbay.end().await
}

/// A proposal of Ana's with one operation that clashes with what the owner did, and one that does not.
async fn clash(patchbay: &Running, ana: &str) -> Result<i64> {
    patchbay.say("set WEB-1 due 2026-12-01", Some("WEB")).await?;
    let tasks = json!([update("WEB-1", &json!({ "due_on": "2026-11-28" })), update("WEB-2", &json!({ "priority": "P1" }))]);
    let number = propose(patchbay, ana, tasks).await?;
    patchbay.say("set WEB-1 due 2026-12-04", Some("WEB")).await?;
    by(patchbay, ana, &format!("/proposals/{number}/rebase"), &json!({})).await?;
    Ok(number)
}

const CLASH: &str = "it was Tue 1 Dec 2026; owner made it Fri 4 Dec 2026 in version 6, ";

#[tokio::test]
async fn a_proposal_with_conflicts_is_shown_with_them_and_without_accept() -> Result<()> {
    let (mut patchbay, ana) = website().await?;
    let number = clash(&patchbay, &ana).await?;
    for words in [format!("review #{number}"), format!("show #{number}")] {
        let shown = patchbay.say(&words, Some("WEB")).await?;
        assert!(text(&shown).contains(CLASH) && text(&shown).contains("the proposal wants Sat 28 Nov 2026."), "{shown}");
        assert!(text(&shown).contains("WEB-2 Two"), "what is not in conflict is shown too: {shown}");
        let offered = commands(&shown);
        assert!(
            offered.contains(&format!("resolve #{number} 1 ours").as_str()) && offered.contains(&format!("resolve #{number} 1 theirs").as_str()),
            "{shown}"
        );
        assert!(!offered.iter().any(|command| command.starts_with("accept")), "{shown}");
    }
    for format in ["text", "markdown", "html"] {
        let url = format!("{}/api/v1/proposals/{number}/diff?format={format}", patchbay.url);
        let diff = reqwest::Client::new().get(url).bearer_auth(&patchbay.key).send().await?.text().await?;
        assert!(diff.contains(CLASH) && diff.contains(&format!("resolve #{number} 1 ours")), "{format}: {diff}");
    }
    let (_, listed) = patchbay.get("/proposals?state=conflicted").await?;
    let numbers: Vec<_> = listed["data"].as_array().into_iter().flatten().map(|proposal| proposal["number"].as_i64().unwrap_or_default()).collect();
    assert_eq!(numbers, [number], "{listed}");
    patchbay.end().await
}

#[tokio::test]
async fn a_proposal_with_conflicts_is_in_nobodys_way() -> Result<()> {
    let (mut patchbay, _) = website().await?;
    patchbay.say("set WEB-1 due 2026-12-01", Some("WEB")).await?;
    let planned = patchbay.say("Set the due date of WEB-1 to 2026-11-28.", Some("WEB")).await?;
    let number = planned["proposal"].as_i64().unwrap_or_default();
    assert_ne!(number, 0, "{planned}");
    patchbay.say("set WEB-1 due 2026-12-04", Some("WEB")).await?;

    let other = patchbay.say("- Flyers\n- Posters", Some("WEB")).await?;
    assert_eq!((other["status"].as_str(), other["proposal"].as_i64()), (Some("done"), Some(number + 1)), "{other}");
    assert!(text(&other).contains(&format!("**#{number}** waits: it has 1 conflict")), "{other}");
    patchbay.say(&format!("reject #{}", number + 1), Some("WEB")).await?;
    let lost = patchbay.say("foo bar", Some("WEB")).await?;
    assert!(text(&lost).contains(&format!("**#{number}** waits: it has 1 conflict")), "{lost}");
    assert!(!text(&lost).starts_with(&format!("**#{number}**")), "{lost}");

    // What names it is refused, and says whose change it clashes with.
    let refused = patchbay.say(&format!("edit #{number} make it P1"), Some("WEB")).await?;
    assert_eq!(refused["status"], "failed", "{refused}");
    assert!(text(&refused).contains("owner made it Fri 4 Dec 2026 in version 6, "), "{refused}");
    patchbay.end().await
}

#[tokio::test]
async fn a_refusal_comes_with_the_proposal_as_it_is_now() -> Result<()> {
    let (mut patchbay, ana) = website().await?;
    let number = propose(&patchbay, &ana, json!([update("WEB-3", &json!({ "title": "Try me" }))])).await?;
    let (_, looked_at) = patchbay.get(&format!("/proposals/{number}")).await?;
    by(&patchbay, &ana, &format!("/proposals/{number}/edit"), &json!({ "operations": [{ "index": 1, "body": { "title": "Other" } }] })).await?;
    let (status, problem) = patchbay.post(&format!("/proposals/{number}/accept"), &json!({ "digest": looked_at["digest"] })).await?;
    assert_eq!((status, problem["type"].as_str()), (StatusCode::CONFLICT, Some("/problems/refined")), "{problem}");
    let (_, now) = patchbay.get(&format!("/proposals/{number}")).await?;
    assert_eq!(problem["current"], now);

    let number = clash(&patchbay, &ana).await?;
    let (status, problem) = patchbay.post(&format!("/proposals/{number}/accept"), &json!({})).await?;
    assert_eq!((status, problem["type"].as_str()), (StatusCode::CONFLICT, Some("/problems/conflicted")), "{problem}");
    let (_, now) = patchbay.get(&format!("/proposals/{number}")).await?;
    assert_eq!((&problem["current"], &problem["conflicts"]), (&now, &now["conflicts"]));
    let conflict = &problem["conflicts"][0];
    assert_eq!(
        (&conflict["number"], &conflict["base"], &conflict["by"]["actor"], &conflict["choices"]),
        (&json!(1), &json!("2026-12-01"), &json!("owner"), &json!(["ours", "theirs", "value"])),
        "{problem}"
    );
    patchbay.end().await
}

#[tokio::test]
async fn what_is_not_there_is_not_valid() -> Result<()> {
    let (mut patchbay, ana) = website().await?;
    let number = propose(&patchbay, &ana, json!([update("WEB-1", &json!({ "title": "Mine" }))])).await?;
    for (path, body) in [
        ("accept", json!({ "ops": [9] })),
        ("accept", json!({ "ops": [0] })),
        ("accept", json!({ "ops": [] })),
        ("comments", json!({ "text": "Why?", "operation": 9 })),
        ("resolve", json!({ "conflict": 0, "take": "ours" })),
        ("resolve", json!({ "conflict": 1, "take": "ours" })),
    ] {
        let (status, problem) = patchbay.post(&format!("/proposals/{number}/{path}"), &body).await?;
        assert_eq!((status, problem["type"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("/problems/invalid")), "{path} {body}: {problem}");
    }
    assert_eq!(state(&patchbay, number).await?, "open");
    patchbay.end().await
}

#[tokio::test]
async fn an_edit_clears_a_field_and_risks_are_counted() -> Result<()> {
    let (mut patchbay, ana) = website().await?;
    patchbay.say("set WEB-1 due 2026-12-01", Some("WEB")).await?;
    let number = propose(&patchbay, &ana, json!([update("WEB-1", &json!({ "due_on": "2026-12-10", "assignee": "owner" }))])).await?;
    let (_, proposal) = patchbay.get(&format!("/proposals/{number}")).await?;
    let risks = |proposal: &Value| -> Vec<(String, i64, String)> {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let risks = proposal["risks"].as_array().into_iter().flatten();
        risks.map(|risk| (word(&risk["kind"]), risk["count"].as_i64().unwrap_or_default(), word(&risk["text"]))).collect()
    };
    let told = |kind: &str, count: i64, text: &str| (kind.to_owned(), count, text.to_owned());
    assert_eq!(risks(&proposal), [told("dates", 1, "one date moves by 9 days"), told("people", 1, "touches owner"), told("changes", 1, "1 changed")]);
    let shown = patchbay.say(&format!("review #{number}"), Some("WEB")).await?;
    assert!(text(&shown).contains("1 changed · **one date moves by 9 days** · **touches owner**"), "{shown}");

    let edit = json!({ "operations": [{ "index": 1, "body": { "due_on": null } }] });
    let (status, edited) = by(&patchbay, &ana, &format!("/proposals/{number}/edit"), &edit).await?;
    assert_eq!((status, edited["patch"]["tasks"][0]["body"].get("due_on")), (StatusCode::OK, Some(&Value::Null)), "{edited}");
    assert_eq!(risks(&edited)[0], told("dates_cleared", 1, "one date is taken away"));
    patchbay.post(&format!("/proposals/{number}/accept"), &json!({})).await?;
    assert_eq!(patchbay.get("/tasks/WEB-1").await?.1["due_on"], Value::Null);
    patchbay.end().await
}

#[tokio::test]
async fn a_history_says_what_changed() -> Result<()> {
    let (mut patchbay, ana) = website().await?;
    patchbay.say("done WEB-2", Some("WEB")).await?;
    patchbay.say("undo", Some("WEB")).await?;
    patchbay.say("redo", Some("WEB")).await?;
    let number = propose(&patchbay, &ana, json!([update("WEB-1", &json!({ "title": "First" })), { "op": "delete", "task_id": "WEB-3" }])).await?;
    patchbay.post(&format!("/proposals/{number}/accept"), &json!({})).await?;
    let told = patchbay.say("history WEB", None).await?;
    let lines: Vec<&str> = text(&told).lines().filter(|line| line.starts_with("- ")).collect();
    let says = |at: usize, parts: &[&str]| {
        for part in parts {
            assert!(lines[at].contains(part), "{part}: {told}");
        }
    };
    says(0, &["**Version 8**", &format!("ana's #{number}, accepted by owner: "), "title: ~~One~~ → **First**; **−** **WEB-3 Three**"]);
    says(1, &["**Version 7**", "owner: redo of version 5: ", "status: ~~todo~~ → **done**"]);
    says(2, &["**Version 6**", "owner: undo of version 5: ", "status: ~~done~~ → **todo**"]);
    says(3, &["**Version 5**", "**~** **WEB-2 Two**: status: ~~todo~~ → **done**"]);
    says(4, &["**Version 4**", "**+** **WEB-3 Three**"]);
    says(7, &["**Version 1**", "the project is made"]);
    assert!(!text(&told).contains("revision"), "{told}");
    patchbay.end().await
}
