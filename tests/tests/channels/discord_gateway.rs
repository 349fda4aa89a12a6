//! Discord's gateway: what people write where they mention Patchbay, also while it is not there.

use anyhow::Result;
use patchbay_tests::{fake_discord::FakeDiscord, service::Running};
use patchbay_web::settings::Settings;
use serde_json::{Value, json};

use super::{
    discord::{person, settings},
    script::{Stage, is_proposal, link, titles},
};

fn with_gateway(discord: &FakeDiscord) -> impl FnOnce(&mut Settings) + use<> {
    let set = settings(discord);
    move |settings| {
        set(settings);
        settings.discord.gateway = true;
    }
}

pub(crate) async fn start() -> Result<(Running, FakeDiscord)> {
    let mut discord = FakeDiscord::start().await?;
    let patchbay = Running::start_with(with_gateway(&discord)).await?;
    discord.patchbay.clone_from(&patchbay.url);
    discord.sessions(1, 0).await?;
    Ok((patchbay, discord))
}

async fn connection(patchbay: &Running) -> Result<Value> {
    let (_, channel) = patchbay.get("/channels/discord").await?;
    Ok(channel["connection"]["state"].clone())
}

#[tokio::test]
async fn a_mention_is_planned_and_reviewed_where_it_was_made() -> Result<()> {
    let (mut patchbay, discord) = start().await?;
    let ana = person(&discord, "ana");
    ana.chat();
    ana.mention("help");
    let told = discord.message("a code, directly", |message| message.room == format!("D{}", ana.user) && message.text.contains("link?code=")).await?;
    assert!(!discord.messages().iter().any(|message| message.room == ana.room), "the room sees no code: {told:?}");
    link(&patchbay, &discord, "ana", &patchbay.key).await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    ana.mention("bind WEB");
    discord.message("the room is bound", |message| message.room == ana.room && message.text.contains("This room is about WEB")).await?;
    ana.mention("- Sign-in page\n- Shop");
    let proposal = discord.message("a proposal", |message| message.room == ana.room && is_proposal(message)).await?;
    discord.press("ana", &proposal, "Accept all").await?;
    discord.message("the outcome", |message| message.id == proposal.id && message.buttons.is_empty()).await?;
    assert_eq!(titles(&patchbay, "WEB").await?, ["Sign-in page", "Shop"]);
    // What is written to the bot alone needs no mention.
    ana.direct("show WEB");
    discord.message("the plan", |message| message.room == format!("D{}", ana.user) && message.text.contains("Sign-in page")).await?;
    assert_eq!(connection(&patchbay).await?, "open");
    discord.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn who_takes_no_direct_messages_is_told_so_and_no_more() -> Result<()> {
    let (mut patchbay, discord) = start().await?;
    let ana = person(&discord, "ana");
    discord.shut(ana.user);
    ana.mention("link");
    let told = discord.message("an answer", |message| message.room == ana.room).await?;
    assert!(told.text.contains("for you alone") && !told.text.contains("link?code="), "{told:?}");
    discord.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn a_session_goes_on_whatever_becomes_of_the_connection_and_of_us() -> Result<()> {
    let (mut patchbay, discord) = start().await?;
    link(&patchbay, &discord, "ana", &patchbay.key).await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    let ana = person(&discord, "ana");
    let add = async |what: &str| {
        ana.mention(&format!("add \"{what}\" in WEB"));
        discord.message("an answer", |message| message.text.contains(what)).await
    };
    discord.want_beats(200);
    discord.ask_to_reconnect();
    add("Asked to come again").await?;
    discord.sessions(1, 1).await?;
    discord.cut();
    add("Cut off").await?;
    discord.sessions(1, 2).await?;
    discord.be_deaf(true);
    discord.beats(1).await?;
    discord.sessions(1, 3).await?;
    discord.be_deaf(false);
    add("Deaf").await?;

    patchbay.end().await?;
    ana.mention("add \"While nobody was there\" in WEB");
    patchbay.restart_with(with_gateway(&discord)).await?;
    discord.message("an answer", |message| message.text.contains("While nobody was there")).await?;
    discord.sessions(1, 4).await?;

    discord.forget_session();
    discord.sessions(2, 4).await?;
    add("Anew").await?;
    let mut titles = titles(&patchbay, "WEB").await?;
    titles.sort();
    assert_eq!(titles, ["Anew", "Asked to come again", "Cut off", "Deaf", "While nobody was there"], "each once");
    discord.check()?;
    patchbay.end().await
}
