//! How fast platforms are spoken to: as fast as they take it, in order, and one that asks to wait holds nothing else up.

use anyhow::{Context as _, Result};
use patchbay_core::{
    channel::{
        Channel,
        store::{self, Address},
    },
    command::Reply,
    db::{Db, PoolSize},
    ids::{CommandId, Context, System},
};
use patchbay_tests::{
    fake_discord,
    fake_slack::{self, BOT_TOKEN},
    service::Running,
    watched::Shown,
};
use serde_json::{Value, json};

use super::{
    discord,
    script::{Stage, is_proposal, link_muted},
    slack,
};

const COUNT: usize = 30;

/// Puts messages out, as answers to commands.
async fn put(patchbay: &Running, to: &Address<'_>, texts: impl IntoIterator<Item = String>) -> Result<()> {
    let (db, ctx) = (Db::open(&patchbay.database.access().await?, PoolSize { service: 1, reader: 1 }), System::default());
    let organization = *db.organizations().await?.first().context("an organisation")?;
    let mut tx = db.begin(organization).await?;
    for text in texts {
        store::send(&mut tx, &ctx, organization, to, &Reply::new(text), Some(CommandId(ctx.uuid())), None).await?;
    }
    tx.commit().await?;
    db.close().await;
    Ok(())
}

fn texts(room: &str) -> impl Iterator<Item = String> {
    (1..=COUNT).map(move |number| format!("{room} {number}."))
}

fn in_slack(room: &str) -> Value {
    json!({ "team": "T0TEAM", "channel": room, "thread": null, "user": "U0ANA", "response_url": null, "is_private": false })
}

fn said(messages: &[Shown], room: &str) -> Vec<String> {
    messages.iter().filter(|message| message.room == room).map(|message| message.text.trim().to_owned()).collect()
}

#[tokio::test]
async fn thirty_messages_to_a_room_in_slack_arrive_in_order_and_none_is_too_much() -> Result<()> {
    let (mut patchbay, slack) = slack::start().await?;
    slack.fail("chat.postMessage", [fake_slack::Fault::Wait(1)]);
    let address = in_slack("C0BUSY");
    put(&patchbay, &Address { channel: Channel::Slack, thread: "T0TEAM/C0BUSY/U0ANA", address: &address }, texts("Busy")).await?;
    slack.message("the last", |message| message.text.contains("Busy 30.")).await?;
    assert_eq!(said(&slack.messages(), "C0BUSY"), texts("Busy").collect::<Vec<_>>());
    assert_eq!((slack.exceeded(), slack.calls("chat.postMessage")), (0, COUNT + 1), "only the first had to be sent again");
    slack.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn thirty_messages_to_a_room_on_discord_arrive_in_order_and_none_is_too_much() -> Result<()> {
    let (mut patchbay, discord) = discord::start().await?;
    discord.fail([fake_discord::Fault::Wait(0.5)]);
    let address = json!({ "channel": "645", "application": "", "token": "", "is_awaited": false, "is_private": false });
    put(&patchbay, &Address { channel: Channel::Discord, thread: "645/1", address: &address }, texts("Busy")).await?;
    // Five within five seconds: that takes about as long as is waited for anything.
    discord.message("the half", |message| message.text.contains("Busy 15.")).await?;
    discord.message("the last", |message| message.text.contains("Busy 30.")).await?;
    assert_eq!(said(&discord.messages(), "645"), texts("Busy").collect::<Vec<_>>());
    assert_eq!(discord.exceeded(), 0);
    discord.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn a_room_that_has_to_wait_holds_no_other() -> Result<()> {
    let (mut patchbay, slack) = slack::start().await?;
    slack.fail("chat.postMessage", [fake_slack::Fault::Wait(12)]);
    let (busy, quiet) = (in_slack("C0BUSY"), in_slack("C0QUIET"));
    put(&patchbay, &Address { channel: Channel::Slack, thread: "T0TEAM/C0BUSY/U0ANA", address: &busy }, texts("Busy")).await?;
    slack.called("chat.postMessage", 1).await?;
    put(&patchbay, &Address { channel: Channel::Slack, thread: "T0TEAM/C0QUIET/U0ANA", address: &quiet }, ["Quiet.".to_owned()]).await?;
    slack.message("another room's", |message| message.text.contains("Quiet.")).await?;
    assert_eq!(said(&slack.messages(), "C0BUSY"), Vec::<String>::new());
    patchbay.end().await
}

#[tokio::test]
async fn what_all_of_discord_has_to_wait_for_is_waited_for_once() -> Result<()> {
    let (mut patchbay, discord) = discord::start().await?;
    discord.fail([fake_discord::Fault::WaitAll(1.0)]);
    for room in ["645", "646"] {
        let address = json!({ "channel": room, "application": "", "token": "", "is_awaited": false, "is_private": false });
        put(&patchbay, &Address { channel: Channel::Discord, thread: room, address: &address }, [format!("Hello {room}.")]).await?;
    }
    for room in ["645", "646"] {
        discord.message("it", |message| message.room == room && message.text.contains("Hello")).await?;
    }
    patchbay.end().await
}

#[tokio::test]
async fn a_long_proposal_goes_on_with_the_page_where_it_stopped() -> Result<()> {
    let (mut patchbay, slack) = slack::start().await?;
    link_muted(&patchbay, &slack, "ana", &patchbay.key).await?;
    // The first page is sent, the second must wait; meanwhile another process has to go on.
    slack.fail("chat.postMessage", [fake_slack::Fault::None, fake_slack::Fault::Wait(20)]);
    let before = slack.calls("chat.postMessage");
    let list: Vec<String> = (1..=120).map(|number| format!("- Task number {number} of many")).collect();
    slack.say("ana", &list.join("\n")).await?;
    slack.called("chat.postMessage", before + 2).await?;
    patchbay.end().await?;
    let url = slack.url.clone();
    patchbay
        .restart_with(|settings| {
            settings.slack.signing_secret = Some(fake_slack::SIGNING_SECRET.into());
            settings.slack.bot_token = Some(BOT_TOKEN.into());
            settings.slack.api_url = url;
        })
        .await?;
    slack.message("the last page", |message| is_proposal(message) && message.text.contains("Task number 120 ")).await?;
    for number in [1, 60, 120] {
        let count = slack.messages().iter().filter(|message| message.text.contains(&format!("Task number {number} "))).count();
        assert_eq!(count, 1, "{number} is shown once");
    }
    slack.check()?;
    patchbay.end().await
}
