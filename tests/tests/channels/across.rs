//! One proposal on several platforms: wherever it is decided, every copy shows it.

use anyhow::Result;
use patchbay_tests::{
    fake_discord::{FakeDiscord, TOKEN},
    fake_slack::{BOT_TOKEN, FakeSlack, SIGNING_SECRET},
    service::Running,
};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::script::{Stage, is_proposal, link};

#[tokio::test]
async fn ana_proposes_in_slack_bo_accepts_elsewhere_and_cys_late_click_on_discord_is_explained() -> Result<()> {
    let (mut slack, mut discord) = (FakeSlack::start().await?, FakeDiscord::start().await?);
    let (slack_url, discord_url, key) = (slack.url.clone(), discord.url.clone(), discord.public_key());
    let mut patchbay = Running::start_with(|settings| {
        settings.slack.signing_secret = Some(SIGNING_SECRET.into());
        settings.slack.bot_token = Some(BOT_TOKEN.into());
        settings.slack.api_url = slack_url;
        settings.discord.public_key = Some(key);
        settings.discord.token = Some(TOKEN.into());
        settings.discord.api_url = discord_url;
    })
    .await?;
    slack.patchbay.clone_from(&patchbay.url);
    discord.patchbay.clone_from(&patchbay.url);
    let (bo, cy) =
        (patchbay.member_key("bo", &["read", "propose", "review", "apply"]).await?, patchbay.member_key("cy", &["read", "propose", "review", "apply"]).await?);
    link(&patchbay, &slack, "ana", &patchbay.key).await?;
    link(&patchbay, &discord, "cy", &cy).await?;

    slack.say("ana", "Plan a launch:\n- invite the press\n- order cake").await?;
    let in_slack = slack.message("a proposal", is_proposal).await?;
    discord.say("cy", "review #1").await?;
    let on_discord = discord.message("a copy", is_proposal).await?;
    assert!(on_discord.text.contains("Order cake"), "{on_discord:?}");

    let (status, accepted) = patchbay.ask(Some(&bo), Method::POST, "/proposals/1/accept", Some(&json!({}))).await?;
    assert_eq!(status, StatusCode::OK, "{accepted}");
    let decided = "by @bo as version 1";
    slack.message("the outcome", |message| message.id == in_slack.id && message.buttons.is_empty() && message.text.contains(decided)).await?;
    discord.message("the outcome", |message| message.id == on_discord.id && message.buttons.is_empty() && message.text.contains(decided)).await?;

    discord.press("cy", &on_discord, "Accept all").await?;
    let id = discord.id("cy");
    discord.message("an explanation", |message| message.only_for.as_ref() == Some(&id) && message.text.contains("already by bo")).await?;
    slack.check()?;
    discord.check()?;
    patchbay.end().await
}
