//! What is wrong with a request, as its author reads it: every fault, where it is, and what would be right.

use anyhow::Result;
use patchbay_tests::service::{Answer, Running};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// The faults in one line each, without their fixes.
fn told((status, problem): &Answer) -> (u16, Vec<String>) {
    let text = |value: &Value| value.as_str().unwrap_or("–").to_owned();
    let fault = |fault: &Value| format!("{} | {} | {} | {}", text(&fault["path"]), text(&fault["message"]), text(&fault["found"]), text(&fault["expected"]));
    let mut faults: Vec<String> = problem["errors"].as_array().into_iter().flatten().map(fault).collect();
    faults.sort();
    (status.as_u16(), faults)
}

#[tokio::test]
async fn every_fault_of_a_body_is_told_in_our_words() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    patchbay.say("add \"Form\"", Some("WEB")).await?;

    let body = json!({ "due_on": "x", "priority": "P9", "colour": 1 });
    let answer = patchbay.ask(Some(&patchbay.key), Method::PATCH, "/tasks/WEB-1", Some(&body)).await?;
    let (status, faults) = told(&answer);
    assert_eq!(status, 422);
    assert_eq!(faults.len(), 3, "{faults:#?}");
    assert!(faults[0].starts_with("/colour | there is no field `colour` | – | acceptance_criteria, "), "{faults:#?}");
    assert_eq!(faults[1], "/due_on | this is not a date | \"x\" | a day of the calendar as YYYY-MM-DD");
    assert_eq!(faults[2], "/priority | this is none of the values it can have | \"P9\" | P0, P1, P2, P3 or null");

    let body = json!({ "name": "", "role": "boss", "email": 5 });
    let answer = patchbay.post("/members", &body).await?;
    insta::assert_debug_snapshot!(told(&answer), @r#"
    (
        422,
        [
            "/email | this has the wrong type | 5 | text or null",
            "/name | this is empty | \"\" | at least 1 character",
            "/role | this is none of the values it can have | \"boss\" | owner, admin, member, viewer or agent",
        ],
    )
    "#);

    // A list is no object, and what is within a patch is told as well.
    let answer = patchbay.post("/projects/WEB/patches", &json!([])).await?;
    assert_eq!(told(&answer), (422, vec![" | this has the wrong type | [] | an object".into()]));
    let body = json!({ "mode": "now", "patch": { "tasks": [{ "op": "move", "task_id": "WEB-1", "body": {} }] } });
    let answer = patchbay.post("/projects/WEB/patches", &body).await?;
    assert_eq!(
        told(&answer),
        (
            422,
            vec![
                "/mode | this is none of the values it can have | \"now\" | propose or apply".into(),
                "/patch/tasks/0/op | this is none of the values it can have | \"move\" | create, update or delete".into()
            ]
        )
    );

    // What the schema does not know, reading it does.
    let answer = patchbay.post("/tasks/WEB-1/time", &json!({ "minutes": 1.0 })).await?;
    assert_eq!(told(&answer), (422, vec!["/minutes | this does not fit | floating point `1.0` | a whole number, written without a point".into()]));
    patchbay.end().await
}

#[tokio::test]
async fn a_query_is_held_to_its_words_and_an_address_is_named_whole() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let answer = patchbay.get("/proposals?state=zzz&limit=x&colour=red").await?;
    let (status, faults) = told(&answer);
    assert_eq!(status, 422, "{faults:#?}");
    assert!(faults[0].starts_with("/colour | there is no field `colour`"), "{faults:#?}");
    assert_eq!(faults[1], "/limit | this has the wrong type | \"x\" | a whole number");
    assert!(faults[2].starts_with("/state | this is none of the values it can have | \"zzz\" | draft, open, "), "{faults:#?}");
    assert_eq!(patchbay.get("/proposals?limit=0").await?.0, StatusCode::UNPROCESSABLE_ENTITY);
    for (method, path) in [(Method::GET, "/nowhere"), (Method::PUT, "/projects"), (Method::GET, "/keys/x")] {
        let (_, problem) = patchbay.ask(Some(&patchbay.key), method, path, None).await?;
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(&format!("/api/v1{path}"))), "{problem}");
    }
    patchbay.end().await
}

#[tokio::test]
async fn a_fault_is_told_where_it_was_written() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    patchbay.say("add \"Form\"", Some("WEB")).await?;
    let (_, problem) = patchbay.ask(Some(&patchbay.key), Method::PATCH, "/tasks/WEB-1", Some(&json!({ "title": "" }))).await?;
    assert_eq!(problem["errors"][0]["path"], "/title");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.starts_with("/title: ")), "{problem}");
    let patch = json!({ "patch": { "tasks": [{ "op": "create", "task_id": "a", "body": { "title": "" } }] } });
    let (_, problem) = patchbay.post("/projects/WEB/patches", &patch).await?;
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.starts_with("/patch/tasks/0/body/title: ")), "{problem}");
    let text = json!({ "text": "patch\n\n~ WEB-99\n  priority: P1" });
    let (_, problem) = patchbay.post("/projects/WEB/patches", &text).await?;
    assert_eq!(problem["errors"][0]["path"], "/text", "{problem}");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.starts_with("/text: operation 1: ")), "{problem}");

    patchbay.say("- one\n- two\n- three", Some("WEB")).await?;
    let edit = json!({ "operations": [{ "index": 3, "body": { "title": "" } }] });
    let (_, problem) = patchbay.post("/proposals/1/edit", &edit).await?;
    assert_eq!(problem["errors"][0]["path"], "/operations/0/body/title", "{problem}");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.starts_with("/operations/0/body/title: ")), "{problem}");
    patchbay.end().await
}
