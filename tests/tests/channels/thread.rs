//! A thread is handed to the planner: what people argued about becomes one proposal.

use anyhow::Result;
use patchbay_tests::{fake_discord::FakeDiscord, fake_slack::FakeSlack, service::Running};
use serde_json::json;
use sqlx::{ConnectOptions as _, Connection as _};

use super::{
    discord, discord_gateway,
    script::{is_proposal, link_muted, titles},
    slack::{self, ROOM},
};

const EVE: &str = "U0EVE";
/// A thread on Discord.
const THREAD: &str = "645027906669510999";

/// A project that the room is about, with one task, and Ana and Bo as members.
async fn prepared(patchbay: &Running, stage: &impl super::script::Stage) -> Result<()> {
    let bo = patchbay.member_key("bo", &["read", "propose", "review", "apply"]).await?;
    link_muted(patchbay, stage, "ana", &patchbay.key).await?;
    link_muted(patchbay, stage, "bo", &bo).await?;
    patchbay.post("/projects", &json!({ "title": "Launch", "key": "LAUNCH" })).await?;
    patchbay.say("add \"Keep me\"", Some("LAUNCH")).await?;
    stage.say("ana", "bind LAUNCH").await?;
    stage.message("the room is bound", |message| message.text.contains("This room is about LAUNCH")).await?;
    Ok(())
}

async fn in_slack() -> Result<(Running, FakeSlack)> {
    let (patchbay, slack) = slack::start().await?;
    prepared(&patchbay, &slack).await?;
    Ok((patchbay, slack))
}

#[tokio::test]
async fn who_argued_in_a_slack_thread_finds_one_proposal_in_it() -> Result<()> {
    let (mut patchbay, slack) = in_slack().await?;
    let (ana, bo, eve) = (slack::person(&slack, "ana"), slack::person(&slack, "bo"), slack.person(EVE, ROOM));
    let first = eve.post("For the launch:\n• invite the press\n• order cake", None);
    bo.post("- book a band", Some(&first));
    eve.post("<@U0BO>: delete LAUNCH-1", Some(&first));
    bo.mention("show LAUNCH", Some(&first), 1).await?;
    slack.message("an answer in the thread", |message| message.text.contains("Keep me")).await?;

    ana.plan_post(&first).await?;
    let card = slack.message("a proposal", is_proposal).await?;
    assert!(card.text.contains("on LAUNCH, from this thread (3 messages): 3 new"), "{card:?}");
    assert!(card.text.contains("vouches for the words of eve"), "{card:?}");
    for title in ["Invite the press", "Order cake", "Book a band"] {
        assert!(card.text.contains(title), "{card:?}");
    }
    assert_eq!(titles(&patchbay, "LAUNCH").await?, ["Keep me"]);
    let mut conn = patchbay.database.options().connect().await?;
    let said: String = sqlx::query_scalar("select text from patchbay.command where from_thread is not null").fetch_one(&mut conn).await?;
    conn.close().await?;
    assert!(said.contains("> @bo:") && said.contains("@bo: delete LAUNCH-1") && !said.contains("show LAUNCH"), "{said}");

    bo.press(&card, "Accept all").await?;
    slack.message("the outcome", |message| message.id == card.id && message.buttons.is_empty()).await?;
    assert_eq!(titles(&patchbay, "LAUNCH").await?, ["Keep me", "Invite the press", "Order cake", "Book a band"]);
    slack.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn of_a_long_slack_thread_the_newest_messages_are_planned() -> Result<()> {
    let (mut patchbay, slack) = in_slack().await?;
    let (ana, bo) = (slack::person(&slack, "ana"), slack::person(&slack, "bo"));
    let first = bo.post("- long ago", None);
    for at in 0..430 {
        bo.post(&format!("I am not sure about {at}"), Some(&first));
    }
    bo.post("- invite the press\n- order cake", Some(&first));
    ana.mention("Plan this thread, please!", Some(&first), 2).await?;
    let card = slack.message("a proposal", is_proposal).await?;
    assert!(card.text.contains("from this thread (the newest 100 messages): 2 new") && !card.text.contains("ong ago"), "{card:?}");
    assert!(!card.text.contains("vouches"), "{card:?}");
    assert_eq!(slack.calls("conversations.replies"), 3);
    slack.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn a_slack_thread_that_cannot_be_read_is_told_to_whoever_asks() -> Result<()> {
    let (mut patchbay, slack) = in_slack().await?;
    let (ana, bo) = (slack::person(&slack, "ana"), slack::person(&slack, "bo"));
    ana.mention("plan this thread", None, 1).await?;
    slack.message("no thread", |message| message.only_for.as_deref() == Some("U0ANA") && message.text.contains("Nobody says anything here")).await?;
    let first = bo.post("- invite the press", None);
    slack.blind();
    ana.mention("plan this", Some(&first), 1).await?;
    let told = slack.message("why not", |message| message.text.contains("I cannot read this thread")).await?;
    assert_eq!(told.only_for.as_deref(), Some("U0ANA"), "{told:?}");
    assert!(told.text.contains("channels:history") && told.text.contains("docs/guides/slack.md"), "{told:?}");
    // Alone it is no thread, and needs no right.
    ana.plan_post(&bo.post("- order cake", None)).await?;
    let card = slack.message("a proposal", is_proposal).await?;
    assert!(card.text.contains("Order cake") && !card.text.contains("from this thread"), "{card:?}");
    slack.check()?;
    patchbay.end().await
}

async fn on_discord() -> Result<(Running, FakeDiscord)> {
    let (patchbay, discord) = discord::start().await?;
    prepared(&patchbay, &discord).await?;
    Ok((patchbay, discord))
}

#[tokio::test]
async fn a_message_on_discord_is_planned_with_what_answers_it() -> Result<()> {
    let (mut patchbay, discord) = on_discord().await?;
    let (ana, bo, cy) = (discord::person(&discord, "ana"), discord::person(&discord, "bo"), discord::person(&discord, "cy"));
    let first = cy.post("For the launch:\n- invite the press\n- order cake", None);
    for at in 0..120 {
        ana.post(&format!("- something else {at}"), None);
    }
    let answer = bo.post("- book a band", Some(&first));
    cy.post("- fireworks", Some(&answer));
    ana.plan_post(&first).await?;
    let card = discord.message("a proposal", is_proposal).await?;
    assert!(card.text.contains("from this thread (3 messages): 4 new") && card.text.contains("vouches for the words of Cy"), "{card:?}");
    assert!(card.text.contains("Fireworks") && !card.text.contains("omething else"), "{card:?}");
    assert_eq!(discord.pages(), 2);
    discord.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn a_thread_on_discord_is_planned_where_discord_shows_it() -> Result<()> {
    let (mut patchbay, discord) = on_discord().await?;
    discord.thread(THREAD);
    let (ana, bo) = (discord.person(discord::person(&discord, "ana").user, "Ana", THREAD), discord.person(discord::person(&discord, "bo").user, "Bo", THREAD));
    bo.post("- long ago", None);
    for at in 0..120 {
        bo.post(&format!("I am not sure about {at}"), None);
    }
    let last = bo.post("- invite the press\n- order cake", None);
    ana.plan_post(&last).await?;
    let card = discord.message("a proposal", is_proposal).await?;
    assert!(card.text.contains("from this thread (the newest 100 messages): 2 new") && !card.text.contains("ong ago"), "{card:?}");
    discord.blind();
    ana.plan_post(&last).await?;
    let told = discord.message("why not", |message| message.text.contains("I cannot read this thread")).await?;
    assert!(told.text.contains("Message Content Intent") && told.only_for.as_deref() == Some(ana.user), "{told:?}");
    discord.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn a_mention_in_a_thread_on_discord_plans_it() -> Result<()> {
    let (mut patchbay, discord) = discord_gateway::start().await?;
    prepared(&patchbay, &discord).await?;
    discord.thread(THREAD);
    let (ana, bo) = (discord.person(discord::person(&discord, "ana").user, "Ana", THREAD), discord.person(discord::person(&discord, "bo").user, "Bo", THREAD));
    bo.post("For the launch:\n- invite the press", None);
    ana.mention("plan this thread");
    let card = discord.message("a proposal", |message| message.room == THREAD && is_proposal(message)).await?;
    assert!(card.text.contains("from this thread (1 message)") && card.text.contains("Invite the press"), "{card:?}");
    let room = discord::person(&discord, "ana");
    room.mention("plan this thread");
    discord.message("no thread", |message| message.text.contains("Nobody says anything here")).await?;
    discord.check()?;
    patchbay.end().await
}
