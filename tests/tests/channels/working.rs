//! While a planner works, the message of the conversation says how far it is, and becomes the answer.

use std::sync::Arc;

use anyhow::Result;
use patchbay_tests::{
    fake_discord::FakeDiscord,
    fake_model::{FakeModel, Turn, create, patch},
    fake_slack::{BOT_TOKEN, FakeSlack, SIGNING_SECRET},
    service::Running,
    watched::Shown,
};
use patchbay_web::settings::Settings;
use serde_json::json;
use tokio::sync::Notify;

use super::{
    discord,
    script::{Stage, is_proposal, link_muted, settled},
    slack,
};

const MESSAGE: &str = "Something that no rule can settle, so that the model has to";

/// What the model says before it pauses, and after.
fn halves() -> (String, String) {
    let whole = patch(
        Some("Onboarding"),
        &json!([create("a", "Write a welcome", &json!({})), create("b", "Shorten the form", &json!({})), create("c", "Measure it", &json!({}))]),
    );
    let at = whole.find("Measure it").expect("it is said");
    (whole[..at].to_owned(), whole[at..].to_owned())
}

fn with_model(settings: &mut Settings, model: &FakeModel) {
    settings.model.base_url = Some(model.url.clone());
    settings.model.name = "fake".into();
    settings.model.retries = 0;
}

fn in_slack(slack: &FakeSlack, model: &FakeModel) -> impl FnOnce(&mut Settings) {
    let url = slack.url.clone();
    move |settings| {
        settings.slack.signing_secret = Some(SIGNING_SECRET.into());
        settings.slack.bot_token = Some(BOT_TOKEN.into());
        settings.slack.api_url = url;
        with_model(settings, model);
    }
}

fn is_working(message: &Shown) -> bool {
    message.text.contains("working on it")
}

fn open_ends(messages: &[Shown]) -> Vec<&Shown> {
    messages.iter().filter(|message| is_working(message)).collect()
}

/// It is said how far the planner is, and that becomes the proposal.
async fn becomes_the_proposal(stage: &impl Stage, gate: &Notify) -> Result<()> {
    stage.say("ana", MESSAGE).await?;
    let working = stage.message("how far it is", |message| is_working(message) && message.text.contains("2 changes")).await?;
    assert!(working.text.contains("Write a welcome") && working.text.contains("Shorten the form") && working.only_for.is_none(), "{working:?}");
    gate.notify_one();
    let proposal = stage.message("the proposal", is_proposal).await?;
    assert_eq!(proposal.id, working.id, "it takes the place of what was said");
    assert!(proposal.text.contains("Measure it") && proposal.edits <= 10, "{proposal:?}");
    Ok(())
}

#[tokio::test]
async fn in_slack_the_message_says_how_far_it_is_and_becomes_the_proposal() -> Result<()> {
    let (gate, (first, rest)) = (Arc::new(Notify::new()), halves());
    let (mut slack, model) = (FakeSlack::start().await?, FakeModel::start([Turn::Pause(first, gate.clone(), rest)]).await?);
    let mut patchbay = Running::start_with(in_slack(&slack, &model)).await?;
    slack.patchbay.clone_from(&patchbay.url);
    link_muted(&patchbay, &slack, "ana", &patchbay.key).await?;
    becomes_the_proposal(&slack, &gate).await?;
    assert!(open_ends(&slack.messages()).is_empty());
    settled(&patchbay).await?;
    slack.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn on_discord_it_takes_the_place_of_thinking_and_becomes_the_proposal() -> Result<()> {
    let (gate, (first, rest)) = (Arc::new(Notify::new()), halves());
    let (mut discord, model) = (FakeDiscord::start().await?, FakeModel::start([Turn::Pause(first, gate.clone(), rest)]).await?);
    let set = discord::settings(&discord);
    let mut patchbay = Running::start_with(|settings| {
        set(settings);
        with_model(settings, &model);
    })
    .await?;
    discord.patchbay.clone_from(&patchbay.url);
    link_muted(&patchbay, &discord, "ana", &patchbay.key).await?;
    becomes_the_proposal(&discord, &gate).await?;
    assert!(open_ends(&discord.messages()).is_empty());
    discord.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn what_fails_after_all_is_explained_in_its_place() -> Result<()> {
    let (gate, (first, _)) = (Arc::new(Notify::new()), halves());
    let (mut slack, model) = (FakeSlack::start().await?, FakeModel::start([Turn::Pause(first, gate.clone(), "and nothing that fits}".into())]).await?);
    let mut patchbay = Running::start_with(in_slack(&slack, &model)).await?;
    slack.patchbay.clone_from(&patchbay.url);
    link_muted(&patchbay, &slack, "ana", &patchbay.key).await?;
    slack.say("ana", MESSAGE).await?;
    let working = slack.message("how far it is", is_working).await?;
    gate.notify_one();
    let explained = slack.message("an explanation", |message| message.id == working.id && !is_working(message)).await?;
    assert!(!is_proposal(&explained) && !explained.text.trim().is_empty(), "{explained:?}");
    settled(&patchbay).await?;
    patchbay.end().await
}

#[tokio::test]
async fn another_process_goes_on_in_the_same_message() -> Result<()> {
    let (never, (first, rest)) = (Arc::new(Notify::new()), halves());
    let turns = [Turn::Pause(first.clone(), never, rest.clone()), Turn::Say(first + &rest)];
    let (mut slack, model) = (FakeSlack::start().await?, FakeModel::start(turns).await?);
    let mut patchbay = Running::start_with(in_slack(&slack, &model)).await?;
    slack.patchbay.clone_from(&patchbay.url);
    link_muted(&patchbay, &slack, "ana", &patchbay.key).await?;
    slack.say("ana", MESSAGE).await?;
    let working = slack.message("how far it is", is_working).await?;
    patchbay.end().await?;
    patchbay.restart_with(in_slack(&slack, &model)).await?;
    let proposal = slack.message("the proposal", is_proposal).await?;
    assert_eq!(proposal.id, working.id, "it takes the place of what was said");
    assert!(open_ends(&slack.messages()).is_empty());
    slack.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn where_it_cannot_be_edited_nothing_is_said_before_the_answer() -> Result<()> {
    let (gate, (first, rest)) = (Arc::new(Notify::new()), halves());
    let (mut slack, model) = (FakeSlack::start().await?, FakeModel::start([Turn::Pause(first, gate.clone(), rest)]).await?);
    let mut patchbay = Running::start_with(in_slack(&slack, &model)).await?;
    slack.patchbay.clone_from(&patchbay.url);
    link_muted(&patchbay, &slack, "ana", &patchbay.key).await?;
    slack.shut(slack::ROOM);
    let before = slack.calls("chat.postMessage");
    slack.say("ana", MESSAGE).await?;
    slack.called("chat.postMessage", before + 1).await?;
    gate.notify_one();
    slack.message("the proposal", is_proposal).await?;
    assert!(open_ends(&slack.messages()).is_empty());
    patchbay.end().await
}
