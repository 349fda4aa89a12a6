//! Discord, as people use it.

use anyhow::Result;
use ed25519_dalek::SigningKey;
use patchbay_channels::discord::commands;
use patchbay_tests::{
    fake_discord::{APPLICATION, FakeDiscord, Fault, Person, TOKEN},
    service::Running,
    watched::Shown,
};
use patchbay_web::settings::Settings;
use reqwest::StatusCode;
use serde_json::json;

use super::script::{self, Stage, link, titles};

const ROOM: &str = "645027906669510667";

/// What connects Patchbay with it.
pub(crate) fn settings(discord: &FakeDiscord) -> impl FnOnce(&mut Settings) + use<> {
    let (url, key) = (discord.url.clone(), discord.public_key());
    move |settings| {
        settings.discord.public_key = Some(key);
        settings.discord.token = Some(TOKEN.into());
        settings.discord.api_url = url;
    }
}

/// Patchbay and the Discord that it speaks with.
pub(crate) async fn start() -> Result<(Running, FakeDiscord)> {
    let mut discord = FakeDiscord::start().await?;
    let patchbay = Running::start_with(settings(&discord)).await?;
    discord.patchbay.clone_from(&patchbay.url);
    Ok((patchbay, discord))
}

pub(crate) fn person<'d>(discord: &'d FakeDiscord, who: &str) -> Person<'d> {
    match who {
        "ana" => discord.person("53908232506183680", "Ana", ROOM),
        "bo" => discord.person("53908232506183681", "Bo", ROOM),
        _ => discord.person("53908232506183682", "Cy", ROOM),
    }
}

impl Stage for FakeDiscord {
    async fn say(&self, who: &str, text: &str) -> Result<()> {
        person(self, who).command(text, 1).await
    }
    async fn press(&self, who: &str, message: &Shown, label: &str) -> Result<()> {
        person(self, who).press(message, label).await
    }
    async fn hand_in(&self, who: &str, answer: &str) -> Result<()> {
        person(self, who).hand_in(answer).await
    }
    async fn message(&self, what: &str, is_it: impl Fn(&Shown) -> bool) -> Result<Shown> {
        FakeDiscord::message(self, what, is_it).await
    }
    fn id(&self, who: &str) -> String {
        person(self, who).user.to_owned()
    }
}

#[tokio::test]
async fn a_plan_is_made_and_reviewed() -> Result<()> {
    let (mut patchbay, discord) = start().await?;
    script::a_plan_is_made_and_reviewed(&patchbay, &discord).await?;
    discord.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn only_discord_is_heard() -> Result<()> {
    let (mut patchbay, discord) = start().await?;
    let ping = json!({ "type": 1, "id": "1", "application_id": APPLICATION, "token": "t", "version": 1 });
    assert_eq!(discord.post(&ping).await?, json!({ "type": 1 }));
    let (status, problem) = discord.post_signed(&ping, &SigningKey::from_bytes(&[8; 32])).await?;
    assert_eq!((status, problem["type"].as_str()), (StatusCode::UNAUTHORIZED, Some("/problems/unauthenticated")));
    let (status, _) = patchbay.ask(None, reqwest::Method::POST, "/channels/discord/interactions", Some(&ping)).await?;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    patchbay.end().await
}

#[tokio::test]
async fn what_is_sent_again_happens_once() -> Result<()> {
    let (mut patchbay, discord) = start().await?;
    link(&patchbay, &discord, "ana", &patchbay.key).await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    let ana = person(&discord, "ana");
    ana.command("bind WEB", 1).await?;
    discord.message("the room is bound", |message| message.text.contains("This room is about WEB")).await?;
    ana.command("add \"Sign-in page\"", 3).await?;
    let once = discord.message("an answer", |message| message.text.contains("Sign-in page")).await?;
    // A later question, so that whatever the copies cause would have been caused by now.
    ana.command("show WEB", 1).await?;
    discord.message("the plan", |message| message.id > once.id && message.text.contains("Sign-in page")).await?;
    assert_eq!(titles(&patchbay, "WEB").await?, ["Sign-in page"]);
    discord.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn an_answer_comes_later_where_discord_asks_for_it_and_in_the_room_where_it_is_too_late() -> Result<()> {
    let (mut patchbay, discord) = start().await?;
    link(&patchbay, &discord, "ana", &patchbay.key).await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    discord.fail([Fault::Wait(0.2), Fault::Status(502), Fault::Wait(0.5)]);
    person(&discord, "ana").command("add \"Website\" in WEB", 1).await?;
    discord.let_time_pass();
    discord.message("an answer", |message| message.text.contains("Website")).await?;
    assert_eq!(discord.messages().iter().filter(|message| message.text.contains("Website")).count(), 1);
    discord.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn discord_is_told_our_commands() -> Result<()> {
    let discord = FakeDiscord::start().await?;
    let flags = patchbay_web::settings::Flags::default();
    let (mut settings, _) = patchbay_web::settings::load(&flags)?;
    settings.discord.token = Some(TOKEN.into());
    settings.discord.api_url.clone_from(&discord.url);
    let client = patchbay_web::platforms::discord_client(&settings.discord, "http://localhost")?;
    assert_eq!(client.register(APPLICATION, &commands::all()).await?, 2);
    assert_eq!(discord.commands()[0]["name"], "patchbay");
    assert!(client.register("1", &commands::all()).await.is_err());
    Ok(())
}
