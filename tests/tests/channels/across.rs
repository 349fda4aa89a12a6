//! One proposal on several platforms: wherever it is decided, every copy shows it.

use std::sync::Arc;

use anyhow::Result;
use patchbay_tests::{
    dovecot::Dovecot,
    fake_discord::{FakeDiscord, TOKEN},
    fake_slack::{BOT_TOKEN, FakeSlack, SIGNING_SECRET},
    smtp::Smtp,
    world::World,
};

use super::script::{Stage, is_proposal, link_muted, titles};

#[tokio::test]
async fn ana_proposes_in_slack_bo_accepts_by_mail_and_cys_late_click_on_discord_is_explained() -> Result<()> {
    let (mut slack, mut discord) = (FakeSlack::start().await?, FakeDiscord::start().await?);
    let (slack_url, discord_url, key) = (slack.url.clone(), discord.url.clone(), discord.public_key());
    let dovecot = Arc::new(Dovecot::start().await?);
    let smtp = Smtp::start(Some(dovecot.clone())).await?;
    let mut world = World::with_servers(dovecot, smtp, |settings| {
        settings.slack.signing_secret = Some(SIGNING_SECRET.into());
        settings.slack.bot_token = Some(BOT_TOKEN.into());
        settings.slack.api_url.clone_from(&slack_url);
        settings.discord.public_key = Some(key.clone());
        settings.discord.token = Some(TOKEN.into());
        settings.discord.api_url.clone_from(&discord_url);
    })
    .await?;
    slack.patchbay.clone_from(&world.patchbay.url);
    discord.patchbay.clone_from(&world.patchbay.url);
    let scopes = ["read", "propose", "review", "apply"];
    let (bo, cy) = (world.patchbay.member_key("bo", &scopes).await?, world.patchbay.member_key("cy", &scopes).await?);
    link_muted(&world.patchbay, &slack, "ana", &world.patchbay.key).await?;
    let bo = world.known("bo@example.org", &bo).await?;
    link_muted(&world.patchbay, &discord, "cy", &cy).await?;

    slack.say("ana", "Plan a launch:\n- invite the press\n- order cake").await?;
    let in_slack = slack.message("a proposal", is_proposal).await?;
    discord.say("cy", "review #1").await?;
    let on_discord = discord.message("a copy", is_proposal).await?;
    assert!(on_discord.text.contains("Order cake"), "{on_discord:?}");

    let asked = world.answered(&bo, &bo.letter("review #1", "")).await?;
    assert!(asked.text().contains("Order cake"), "{}", asked.text());
    let accepted = world.answered(&bo, &bo.reply(&asked, "accept\n\nBo")).await?;
    assert!(accepted.text().contains("is at version 1"), "{}", accepted.text());
    let decided = "by @bo as version 1";
    slack.message("the outcome", |message| message.id == in_slack.id && message.buttons.is_empty() && message.text.contains(decided)).await?;
    discord.message("the outcome", |message| message.id == on_discord.id && message.buttons.is_empty() && message.text.contains(decided)).await?;

    discord.press("cy", &on_discord, "Accept all").await?;
    let id = discord.id("cy");
    discord.message("an explanation", |message| message.only_for.as_ref() == Some(&id) && message.text.contains("already by bo")).await?;
    let (_, proposal) = world.patchbay.get("/proposals/1").await?;
    let project = proposal["project"].as_str().unwrap_or_default();
    assert_eq!(titles(&world.patchbay, project).await?, ["Invite the press", "Order cake"]);
    slack.check()?;
    discord.check()?;
    world.patchbay.end().await
}
