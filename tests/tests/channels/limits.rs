//! More than is taken at a time: what was acknowledged waits its turn and is done, and what is turned away is told.

use anyhow::Result;
use patchbay_tests::{until::until, watched::Shown};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{
    script::{link, titles},
    slack::{person, start},
};

#[tokio::test]
async fn what_is_too_much_waits_its_turn_and_what_is_far_too_much_is_turned_away() -> Result<()> {
    let (mut patchbay, slack) = start().await?;
    let ana = person(&slack, "ana");
    link(&patchbay, &slack, "ana", &patchbay.key).await?;
    let (_, channels) = patchbay.get("/channels").await?;
    let of_slack = channels["data"].as_array().into_iter().flatten().find(|channel| channel["channel"] == "slack").cloned().unwrap_or_default();
    assert_eq!(of_slack["used"]["turned_away"], 0, "who is asked who they are is not turned away: {of_slack}");
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    let (status, set) = patchbay.ask(Some(&patchbay.key), Method::PATCH, "/channels/slack", Some(&json!({ "per_sender": 6, "per_channel": 1000 }))).await?;
    assert_eq!(status, StatusCode::OK, "{set}");

    let before = slack.messages().len();
    for number in 1..=18 {
        ana.command(&format!("add \"Number {number}\" in WEB")).await?;
        // One after the other: what comes at the same moment has no order.
        until("each is answered", async || Ok(slack.messages().len() >= before + number)).await?;
    }
    let only_ana = |message: &Shown, words: &str| message.only_for.as_deref() == Some("U0ANA") && message.text.contains(words);
    slack.message("one that is put off", |message| only_ana(message, "waits its turn. I do it in about")).await?;
    slack.message("one that is turned away", |message| only_ana(message, "this one was not done")).await?;
    // Six at once; the next is done in its turn, without being said again.
    let done = slack.message("the seventh", |message| message.text.contains("Number 7") && message.only_for.is_none()).await?;
    assert!(done.text.contains("is added"), "{done:?}");
    let there = titles(&patchbay, "WEB").await?;
    assert!(there.len() >= 7 && there[..7] == ["Number 1", "Number 2", "Number 3", "Number 4", "Number 5", "Number 6", "Number 7"], "{there:?}");
    assert!(there.iter().all(|title| title != "Number 17" && title != "Number 18"), "{there:?}");
    let told = |words: &str| slack.messages().iter().filter(|message| only_ana(message, words)).count();
    until("each is told", async || Ok((told("waits its turn"), told("was not done")) == (10, 2))).await?;
    let (_, audited) = patchbay.get("/audit?action=channel.limited&limit=50").await?;
    let outcomes: Vec<_> = audited["data"].as_array().into_iter().flatten().map(|entry| entry["details"]["outcome"].as_str().unwrap_or_default()).collect();
    let count = |outcome: &str| outcomes.iter().filter(|other| **other == outcome).count();
    assert_eq!((count("put_off"), count("turned_away")), (10, 2), "{audited}");
    slack.check()?;
    patchbay.end().await
}
