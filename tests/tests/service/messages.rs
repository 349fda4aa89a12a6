//! Messages over HTTP: which is which, how many, and what comes with them.

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use patchbay_core::{
    channel::{
        Channel,
        store::{self, Address},
    },
    command::Reply,
    db::{Db, PoolSize},
    ids::System,
};
use patchbay_tests::{
    service::{Answer, Running},
    until::found,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::ConnectOptions as _;

async fn keyed(patchbay: &Running, path: &str, key: &str, body: &Value) -> Result<Answer> {
    patchbay.send(Some(&patchbay.key), Method::POST, path, Some(body), &[("idempotency-key", key), ("prefer", "wait=20")]).await
}

#[tokio::test]
async fn a_key_is_one_messages_and_another_under_it_is_refused() -> Result<()> {
    let mut patchbay = Running::start().await?;
    for key in ["WEB", "ZOO"] {
        patchbay.post("/projects", &json!({ "title": key, "key": key })).await?;
    }
    let first = json!({ "text": "add \"One\"", "project": "ZOO" });
    let (status, command) = keyed(&patchbay, "/commands", "k1", &first).await?;
    assert_eq!((status, &command["status"]), (StatusCode::OK, &json!("done")), "{command}");
    let (_, again) = keyed(&patchbay, "/commands", "k1", &first).await?;
    assert_eq!(again, command, "the same again is the same message");
    for other in [json!({ "text": "add \"Two\"", "project": "ZOO" }), json!({ "text": "add \"One\"", "project": "WEB" }), json!({ "text": "add \"One\"" })] {
        let (status, problem) = keyed(&patchbay, "/commands", "k1", &other).await?;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{other}: {problem}");
        assert_eq!(problem["errors"][0]["message"], "the Idempotency-Key `k1` came with another request before", "{problem}");
    }
    patchbay.say("- a till\n- a bell", Some("ZOO")).await?;
    let (status, problem) = keyed(&patchbay, "/proposals/1/refine", "k1", &json!({ "text": "add a door" })).await?;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "of a refinement too: {problem}");
    assert_eq!(keyed(&patchbay, "/proposals/1/refine", "k2", &json!({ "text": "add a door" })).await?.0, StatusCode::OK);
    let (status, problem) = keyed(&patchbay, "/proposals/1/refine", "k2", &json!({ "text": "add a roof" })).await?;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let (_, tree) = patchbay.get("/projects/ZOO/tree").await?;
    assert_eq!(tree["tasks"].as_array().map(Vec::len), Some(1), "nothing else has had an effect: {tree}");
    patchbay.end().await
}

async fn channel(patchbay: &Running, name: &str) -> Result<Value> {
    let (_, channels) = patchbay.get("/channels").await?;
    let found = channels["data"].as_array().and_then(|channels| channels.iter().find(|channel| channel["channel"] == name));
    Ok(found.with_context(|| format!("{name} is listed: {channels}"))?.clone())
}

async fn set(patchbay: &Running, name: &str, change: Value) -> Result<Answer> {
    patchbay.ask(Some(&patchbay.key), Method::PATCH, &format!("/channels/{name}"), Some(&change)).await
}

#[tokio::test]
async fn a_change_of_a_channel_leaves_the_rest_as_it_is() -> Result<()> {
    let mut patchbay = Running::start().await?;
    set(&patchbay, "slack", json!({ "per_sender": 77 })).await?;
    set(&patchbay, "slack", json!({ "trust_email": true })).await?;
    let (status, view) = set(&patchbay, "slack", json!({ "per_channel": 500 })).await?;
    assert_eq!((status, &view["settings"]), (StatusCode::OK, &json!({ "trust_email": true, "per_sender": 77, "per_channel": 500 })), "{view}");
    assert_eq!(set(&patchbay, "slack", json!({})).await?.1["settings"], view["settings"]);
    let (status, problem) = set(&patchbay, "slack", json!({ "per_sender": 0 })).await?;
    assert_eq!((status, &problem["errors"][0]["path"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("/per_sender")), "{problem}");
    let (status, problem) = set(&patchbay, "api", json!({ "trust_email": true })).await?;
    assert_eq!((status, &problem["errors"][0]["path"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("/trust_email")), "{problem}");
    patchbay.end().await
}

#[tokio::test]
async fn who_writes_too_much_over_http_is_told_how_long_to_wait() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let api = channel(&patchbay, "api").await?;
    assert_eq!((&api["is_connected"], &api["settings"]["per_sender"]), (&json!(true), &json!(6000)), "{api}");
    assert_eq!(channel(&patchbay, "web").await?["settings"]["per_sender"], 600);
    let (status, view) = set(&patchbay, "api", json!({ "per_sender": 3 })).await?;
    assert_eq!((status, &view["settings"]["per_channel"]), (StatusCode::OK, &json!(60_000)), "{view}");
    for _ in 0..3 {
        assert_eq!(patchbay.say("list projects", None).await?["status"], "done");
    }
    let other = patchbay.member_key("bo", &["read", "propose"]).await?;
    let body = json!({ "text": "list projects" });
    let answer = reqwest::Client::new().post(format!("{}/api/v1/commands", patchbay.url)).bearer_auth(&patchbay.key).json(&body).send().await?;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = answer.headers().get("retry-after").context("it says when")?.to_str()?.parse()?;
    assert!((1..=21).contains(&wait), "{wait}");
    let problem: Value = answer.json().await?;
    let detail = format!("One sender may write 3 messages a minute here. Wait {wait} seconds and send this again: it was not taken.");
    assert_eq!(problem["detail"], json!(detail), "{problem}");
    let (status, _) = patchbay.ask(Some(&other), Method::POST, "/commands", Some(&body)).await?;
    assert!(status.is_success(), "another may go on: {status}");
    let (_, noted) = patchbay.get("/audit?action=channel.limited").await?;
    assert_eq!((noted["data"].as_array().map(Vec::len), &noted["data"][0]["target"]), (Some(1), &json!("api")), "{noted}");
    let used = channel(&patchbay, "api").await?["used"].clone();
    assert_eq!(used, json!({ "last_minute": 4, "busiest_sender": 3, "turned_away": 1 }));
    set(&patchbay, "api", json!({ "per_sender": 1000 })).await?;
    assert_eq!(patchbay.say("list projects", None).await?["status"], "done", "a change holds at once");
    patchbay.end().await
}

#[tokio::test]
async fn a_message_for_a_platform_that_is_missing_here_is_tried_again() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let db = Db::open(&patchbay.database.access().await?, PoolSize { service: 1, reader: 1 });
    let organization = *db.organizations().await?.first().context("there is one")?;
    let mut tx = db.begin(organization).await?;
    let to = Address { channel: Channel::Slack, thread: "C1", address: &json!({ "channel": "C1" }) };
    store::send(&mut tx, &System::default(), organization, &to, &Reply::new("Hello"), None, None).await?;
    tx.commit().await?;
    db.close().await;
    // Nobody sees it as long as it is tried.
    let mut conn = patchbay.database.options().options([("search_path", "patchbay")]).connect().await?;
    let job = found("it was tried", async || {
        let tried = "select to_json(j)::text from job j where kind = 'deliver' and attempt > 0 and leased_until is null";
        Ok(sqlx::query_scalar::<_, String>(tried).fetch_optional(&mut conn).await?.ok_or("not yet"))
    })
    .await?;
    let job: Value = serde_json::from_str(&job)?;
    assert_eq!(job["state"], "parked", "another process may have the settings: {job}");
    assert!(job.to_string().contains("Slack is not connected here: its settings are missing"), "{job}");
    patchbay.end().await
}

fn attachment(name: &str, media_type: &str, bytes: &[u8]) -> Value {
    json!({ "name": name, "media_type": media_type, "data": STANDARD.encode(bytes) })
}

#[tokio::test]
async fn what_comes_with_a_message_is_planned_from_and_kept() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Shop", "key": "SHOP" })).await?;
    let plan = attachment("plan.md", "text/Markdown", b"- a till\n- a bell\n");
    let image = attachment("../shots/front.png", "image/png", b"\x89PNG");
    let body = json!({ "text": "Open the shop with what is in the file", "project": "SHOP", "attachments": [plan, image] });
    let (status, command) = keyed(&patchbay, "/commands", "k1", &body).await?;
    assert_eq!((status, &command["proposal"]), (StatusCode::OK, &json!(1)), "{command}");
    let (_, proposal) = patchbay.get("/proposals/1").await?;
    let titles = proposal["operations"].to_string();
    assert!(titles.contains("Till") && titles.contains("Bell"), "{titles}");
    let path = format!("/commands/{}/files", command["id"].as_str().unwrap_or_default());
    let (_, files) = patchbay.get(&path).await?;
    let listed: Vec<_> = files["data"].as_array().context("a list")?.iter().map(|file| (&file["name"], &file["media_type"], &file["size_bytes"])).collect();
    assert_eq!(listed, [(&json!("plan.md"), &json!("text/markdown"), &json!(18)), (&json!("front.png"), &json!("image/png"), &json!(4))]);
    let url = format!("{}/api/v1/files/{}", patchbay.url, files["data"][1]["id"].as_str().unwrap_or_default());
    let bytes = reqwest::Client::new().get(url).bearer_auth(&patchbay.key).send().await?.bytes().await?;
    assert_eq!(&bytes[..], b"\x89PNG");

    let mut other = body.clone();
    other["attachments"][0] = attachment("plan.md", "text/markdown", b"- a door\n");
    assert_eq!(keyed(&patchbay, "/commands", "k1", &other).await?.0, StatusCode::UNPROCESSABLE_ENTITY, "other files are another message");
    assert_eq!(keyed(&patchbay, "/commands", "k1", &body).await?.1["id"], command["id"]);

    let list = json!({ "text": "list", "project": "SHOP", "attachments": [attachment("plan.md", "text/markdown", b"- a till\n")] });
    let (_, listed) = keyed(&patchbay, "/commands", "k2", &list).await?;
    assert_eq!((&listed["text"], &listed["proposal"]), (&json!("list"), &Value::Null), "a command says by itself all that it does");

    let wrong = json!({ "text": "Plan", "attachments": [{ "name": "/", "media_type": "text", "data": "?" }] });
    let (status, problem) = patchbay.post("/commands", &wrong).await?;
    let paths: Vec<_> = problem["errors"].as_array().context("faults")?.iter().map(|fault| fault["path"].as_str().unwrap_or_default()).collect();
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(paths, ["/attachments/0/name", "/attachments/0/media_type", "/attachments/0/data"], "{problem}");
    let many: Vec<_> = (0..11).map(|n| attachment(&format!("{n}.txt"), "text/plain", b"x")).collect();
    let (status, problem) = patchbay.post("/commands", &json!({ "text": "Plan", "attachments": many })).await?;
    assert_eq!((status, &problem["errors"][0]["path"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("/attachments")), "{problem}");
    patchbay.end().await
}
