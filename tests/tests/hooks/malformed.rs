//! What proved itself and could not be read.

use anyhow::Result;
use ed25519_dalek::SigningKey;
use patchbay_tests::{
    fake_discord::{self, FakeDiscord},
    fake_slack::{BOT_TOKEN, FakeSlack, SIGNING_SECRET, now},
    service::Running,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn kept(patchbay: &Running, channel: &str) -> Result<Vec<Value>> {
    let (status, kept) = patchbay.get(&format!("/channels/{channel}/malformed")).await?;
    anyhow::ensure!(status == StatusCode::OK, "{kept}");
    Ok(kept["data"].as_array().cloned().unwrap_or_default())
}

#[tokio::test]
async fn what_is_signed_and_cannot_be_read_is_told_kept_and_discarded() -> Result<()> {
    let mut slack = FakeSlack::start().await?;
    let mut discord = FakeDiscord::start().await?;
    let (slack_url, discord_url, public_key) = (slack.url.clone(), discord.url.clone(), discord.public_key());
    let mut patchbay = Running::start_with(|settings| {
        settings.slack.signing_secret = Some(SIGNING_SECRET.into());
        settings.slack.bot_token = Some(BOT_TOKEN.into());
        settings.slack.api_url = slack_url;
        settings.discord.public_key = Some(public_key);
        settings.discord.token = Some(fake_discord::TOKEN.into());
        settings.discord.api_url = discord_url;
    })
    .await?;
    slack.patchbay.clone_from(&patchbay.url);
    discord.patchbay.clone_from(&patchbay.url);

    // Slack sends what was not taken again: it is there once.
    let event = r#"{"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl","type":"event_callback","team_id":"T0TEAM","event":{"#;
    for _ in 0..3 {
        let (status, problem) = slack.post_at("events", "application/json", event, now(), &[]).await?;
        assert_eq!((status, problem["type"].as_str()), (StatusCode::BAD_REQUEST, Some("/problems/malformed")), "{problem}");
    }
    let form = "token=Jhj5dZrVaK7ZwHHjRyZWjbDl&team_id=T0TEAM&user_id=U0ANA&text=done+WEB-1&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2F1";
    let (status, problem) = slack.post_at("commands", "application/x-www-form-urlencoded", form, now(), &[]).await?;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    let found = kept(&patchbay, "slack").await?;
    assert_eq!((found.len(), found[1]["times"].as_i64(), found[1]["size_bytes"].as_u64()), (2, Some(3), Some(event.len() as u64)), "{found:?}");
    assert_eq!(found[1]["body"].as_str(), Some(event.replace("Jhj5dZrVaK7ZwHHjRyZWjbDl", "[removed]").as_str()));
    assert_eq!(found[0]["body"].as_str(), Some("token=[removed]\nteam_id=T0TEAM\nuser_id=U0ANA\ntext=done WEB-1\nresponse_url=[removed]"));
    assert_eq!(found[0]["error"].as_str(), Some("the field channel_id of a slash command is missing"));

    let (status, problem) = discord.post_signed(&json!({ "type": 2, "token": "aW50ZXJhY3Rpb24", "data": {} }), &SigningKey::from_bytes(&[7; 32])).await?;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    let found = kept(&patchbay, "discord").await?;
    assert!(found.len() == 1 && found[0]["body"].as_str().is_some_and(|body| body.contains(r#""token":"[removed]""#)), "{found:?}");

    // What nobody signed leaves nothing behind.
    for path in ["/channels/slack/events", "/channels/discord/interactions"] {
        let (status, _) = patchbay.ask(None, Method::POST, path, Some(&json!({ "type": 99 }))).await?;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!((kept(&patchbay, "slack").await?.len(), kept(&patchbay, "discord").await?.len()), (2, 1));

    // Only an admin looks at them, and discards them.
    let (status, _) = patchbay.ask(None, Method::GET, "/channels/discord/malformed", None).await?;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let reader = patchbay.member_key("bo", &["read", "propose"]).await?;
    let path = format!("/channels/discord/malformed/{}", found[0]["id"].as_str().unwrap_or_default());
    for (method, path) in [(Method::GET, "/channels/discord/malformed"), (Method::DELETE, path.as_str())] {
        let (status, _) = patchbay.ask(Some(&reader), method, path, None).await?;
        assert_eq!(status, StatusCode::FORBIDDEN);
    }
    for expected in [StatusCode::NO_CONTENT, StatusCode::NOT_FOUND] {
        let (status, _) = patchbay.ask(Some(&patchbay.key), Method::DELETE, &path, None).await?;
        assert_eq!(status, expected);
    }
    assert!(kept(&patchbay, "discord").await?.is_empty());

    // Never more than a hundred of a channel: the oldest go.
    for number in 0..105 {
        slack.post_at("events", "application/json", &format!("{{{number}"), now(), &[]).await?;
    }
    let found = kept(&patchbay, "slack").await?;
    assert_eq!((found.len(), found[0]["body"].as_str(), found[99]["body"].as_str()), (100, Some("{104"), Some("{5")));
    patchbay.end().await
}
