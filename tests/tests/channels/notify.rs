//! Who hears of what, where: told unasked, decided where it was told, and silent where somebody wants it so.

use anyhow::{Context, Result};
use patchbay_tests::{
    fake_discord::{FakeDiscord, TOKEN},
    service::Running,
    until::found,
    watched::Shown,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    script::{Stage, is_proposal, link, titles},
    slack,
};

const SCOPES: [&str; 4] = ["read", "propose", "review", "apply"];

fn is_told(message: &Shown, words: &str) -> bool {
    message.room.starts_with('D') && message.text.contains(words)
}

async fn told(patchbay: &Running, key: &str) -> Result<Vec<Value>> {
    let (status, told) = patchbay.ask(Some(key), Method::GET, "/notifications", None).await?;
    anyhow::ensure!(status == StatusCode::OK, "{status}: {told}");
    Ok(told["data"].as_array().cloned().unwrap_or_default())
}

/// Waits until somebody was told so many things.
async fn told_of(patchbay: &Running, key: &str, count: usize) -> Result<Vec<Value>> {
    found(&format!("{count} things that were told"), async || {
        let all = told(patchbay, key).await?;
        Ok(if all.len() >= count { Ok(all) } else { Err(all) })
    })
    .await
}

async fn command(patchbay: &Running, key: &str, text: &str) -> Result<String> {
    let body = json!({ "text": text, "project": null });
    let (status, command) = patchbay.send(Some(key), Method::POST, "/commands", Some(&body), &[("prefer", "wait=20")]).await?;
    anyhow::ensure!(status.is_success() && command["status"] == "done", "{status}: {command}");
    Ok(command["reply"]["text"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_review_is_asked_for_directly_decided_there_and_those_who_muted_hear_nothing() -> Result<()> {
    let (mut patchbay, slack) = slack::start().await?;
    let (bo, cy) = (patchbay.member_key("bo", &SCOPES).await?, patchbay.member_key("cy", &SCOPES).await?);
    link(&patchbay, &slack, "bo", &bo).await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    assert_eq!(command(&patchbay, &cy, "mute WEB").await?, "You hear no more of WEB.");

    patchbay.say("- Sign-in page\n- Shop", Some("WEB")).await?;
    let asked = slack.message("the question", |message| is_proposal(message) && is_told(message, "asks you to review")).await?;
    assert!(asked.text.contains("Sign-in page") && asked.text.contains("/proposals/1"), "{asked:?}");
    let told_bo = told_of(&patchbay, &bo, 1).await?;
    assert_eq!((&told_bo[0]["kind"], &told_bo[0]["target"], &told_bo[0]["read_at"]), (&json!("review"), &json!("#1"), &Value::Null));

    slack.press("bo", &asked, "Accept all").await?;
    slack.message("the outcome", |message| message.id == asked.id && message.buttons.is_empty() && message.text.contains("by @bo as version")).await?;
    assert_eq!(titles(&patchbay, "WEB").await?, ["Sign-in page", "Shop"]);

    // Its author hears what became of it, and of nothing of their own.
    let told_ana = told_of(&patchbay, &patchbay.key, 1).await?;
    assert_eq!((told_ana.len(), &told_ana[0]["kind"], &told_ana[0]["actor"]), (1, &json!("decided"), &json!("bo")));
    // That was later: whatever the others were to hear, they have heard. What was decided need not be looked at any more.
    assert_eq!(told(&patchbay, &cy).await?, Vec::<Value>::new());
    let told_bo = told(&patchbay, &bo).await?;
    assert_eq!(told_bo.len(), 1, "{told_bo:?}");
    assert!(told_bo[0]["read_at"].is_string(), "{told_bo:?}");

    // Assigned waits for the digest; a mention does not, and is told once.
    command(&patchbay, &patchbay.key, "assign WEB-1 to @bo").await?;
    command(&patchbay, &patchbay.key, "set WEB-2 description ask @bo first").await?;
    slack.message("the mention", |message| is_told(message, "mentioned you in")).await?;
    let kinds: Vec<Value> = told_of(&patchbay, &bo, 3).await?.iter().map(|note| note["kind"].clone()).collect();
    assert_eq!(kinds, ["mentioned", "assigned", "review"]);
    assert!(!slack.messages().iter().any(|message| is_told(message, "assigned you")), "{:?}", slack.messages());

    let (status, read) = patchbay.ask(Some(&bo), Method::POST, "/notifications/read", Some(&json!({ "ids": [told_bo[0]["id"]] }))).await?;
    assert_eq!((status, &read["unread"]), (StatusCode::OK, &json!(2)));
    let (_, unread) = patchbay.ask(Some(&bo), Method::GET, "/notifications?unread=true&limit=1", None).await?;
    assert_eq!((&unread["data"][0]["kind"], unread["meta"]["next_cursor"].is_string()), (&json!("mentioned"), true));
    let (_, read) = patchbay.ask(Some(&bo), Method::POST, "/notifications/read", None).await?;
    assert_eq!(read["unread"], 0);
    slack.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn how_somebody_is_told_is_theirs_to_say() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let bo = patchbay.member_key("bo", &SCOPES).await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    command(&patchbay, &bo, "subscribe to WEB").await?;
    command(&patchbay, &bo, "mute reviews").await?;
    let (_, preferences) = patchbay.ask(Some(&bo), Method::GET, "/members/me/notifications", None).await?;
    assert_eq!((&preferences["kinds"]["review"], &preferences["subscriptions"]), (&json!("off"), &json!(["WEB"])));

    patchbay.say("- Sign-in page", Some("WEB")).await?;
    // What came before may be told of too: it is followed a moment later, by who has subscribed then.
    let mut told = told_of(&patchbay, &bo, 1).await?;
    while told[0]["words"] == "@owner changed" {
        told = told_of(&patchbay, &bo, told.len() + 1).await?;
    }
    assert_eq!((&told[0]["kind"], &told[0]["words"]), (&json!("subscribed"), &json!("@owner proposed")), "what is off is told as something else, if at all");

    let mut wanted = preferences.clone();
    wanted["quiet"] = json!({ "from": "22:00", "to": "07:00" });
    let (status, set) = patchbay.ask(Some(&bo), Method::PUT, "/members/me/notifications", Some(&wanted)).await?;
    assert_eq!((status, &set), (StatusCode::OK, &wanted));
    wanted["quiet"] = json!({ "from": "22:00", "to": "22:00" });
    wanted["mutes"] = json!(["WEB-7"]);
    let (status, problem) = patchbay.ask(Some(&bo), Method::PUT, "/members/me/notifications", Some(&wanted)).await?;
    let paths: Vec<&str> = problem["errors"].as_array().into_iter().flatten().filter_map(|fault| fault["path"].as_str()).collect();
    assert_eq!((status, paths.as_slice()), (StatusCode::UNPROCESSABLE_ENTITY, ["/quiet/to", "/mutes/0"].as_slice()), "{problem}");
    command(&patchbay, &bo, "unmute").await?;
    let (_, after) = patchbay.ask(Some(&bo), Method::GET, "/members/me/notifications", None).await?;
    assert_eq!((&after["kinds"]["review"], &after["quiet"]["to"]), (&json!("now"), &json!("07:00")));
    patchbay.end().await
}

#[tokio::test]
async fn on_discord_it_is_a_direct_message_too() -> Result<()> {
    let mut discord = FakeDiscord::start().await?;
    let (url, key) = (discord.url.clone(), discord.public_key());
    let mut patchbay = Running::start_with(|settings| {
        settings.discord.public_key = Some(key);
        settings.discord.token = Some(TOKEN.into());
        settings.discord.api_url = url;
    })
    .await?;
    discord.patchbay.clone_from(&patchbay.url);
    let bo = patchbay.member_key("bo", &SCOPES).await?;
    link(&patchbay, &discord, "bo", &bo).await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    patchbay.say("- Sign-in page", Some("WEB")).await?;
    let asked = discord.message("the question", |message| is_proposal(message) && is_told(message, "asks you to review")).await?;
    let (status, _) = patchbay.post("/proposals/1/reject", &json!({ "reason": "later" })).await?;
    assert_eq!(status, StatusCode::OK);
    discord.message("the outcome", |message| message.id == asked.id && message.buttons.is_empty()).await.context("the copy is kept")?;
    discord.check()?;
    patchbay.end().await
}
