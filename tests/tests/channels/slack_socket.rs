//! Slack in Socket Mode: the same, where Slack cannot reach us.

use anyhow::Result;
use patchbay_tests::{
    fake_slack::{APP_TOKEN, BOT_TOKEN, FakeSlack},
    service::Running,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _};

use super::{
    script::{self, Stage, link, titles},
    slack::{person, start_with},
};

/// Patchbay without a signing secret, and the Slack whose socket it opens.
async fn start() -> Result<(Running, FakeSlack)> {
    let (patchbay, mut slack) = start_with(|settings| {
        settings.slack.app_token = Some(APP_TOKEN.into());
        settings.slack.bot_token = Some(BOT_TOKEN.into());
    })
    .await?;
    slack.use_socket();
    Ok((patchbay, slack))
}

async fn connection(patchbay: &Running) -> Result<Value> {
    let (_, channel) = patchbay.get("/channels/slack").await?;
    Ok(channel["connection"].clone())
}

#[tokio::test]
async fn a_plan_is_made_and_reviewed() -> Result<()> {
    let (mut patchbay, slack) = start().await?;
    script::a_plan_is_made_and_reviewed(&patchbay, &slack).await?;
    let line = connection(&patchbay).await?;
    assert_eq!((&line["state"], &line["problem"]), (&json!("open"), &Value::Null));
    let (status, _) = patchbay.ask(None, Method::POST, "/channels/slack/events", Some(&json!({ "type": "url_verification", "challenge": "x" }))).await?;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "without a secret nothing is believed that is posted");
    slack.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn a_socket_that_ends_is_followed_by_another_and_nothing_is_lost() -> Result<()> {
    let (mut patchbay, slack) = start().await?;
    link(&patchbay, &slack, "ana", &patchbay.key).await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    let (reasons, mut opened) = (["warning", "refresh_requested"], 1);
    for (at, reason) in reasons.into_iter().enumerate() {
        // Said before the next socket is there: over whichever is.
        slack.close_sockets(reason);
        slack.say("ana", &format!("add \"Refreshed {at}\" in WEB")).await?;
        opened += 1;
        slack.sockets(opened).await?;
    }
    slack.cut_sockets();
    slack.say("ana", "add \"Cut off\" in WEB").await?;
    slack.sockets(opened + 1).await?;
    slack.message("an answer", |message| message.text.contains("Cut off")).await?;
    let mut titles = titles(&patchbay, "WEB").await?;
    titles.sort();
    assert_eq!(titles, ["Cut off", "Refreshed 0", "Refreshed 1"]);
    slack.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn an_envelope_is_acknowledged_when_it_is_stored_and_happens_once() -> Result<()> {
    let (mut patchbay, slack) = start().await?;
    link(&patchbay, &slack, "ana", &patchbay.key).await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    let mut conn = patchbay.database.options().connect().await?;
    let mut tx = conn.begin().await?;
    sqlx::query("lock table patchbay.inbox in access exclusive mode").execute(&mut *tx).await?;
    let ana = person(&slack, "ana");
    let saying = ana.mention("add \"Sign-in page\" in WEB", None, 2);
    tokio::pin!(saying);
    tokio::select! {
        said = &mut saying => anyhow::bail!("acknowledged before it was stored: {said:?}"),
        sent = slack.envelope_sent(1) => sent?,
    }
    // Slack sends it again over the next socket, while the first is being stored still.
    slack.cut_sockets();
    tokio::select! {
        said = &mut saying => anyhow::bail!("acknowledged before it was stored: {said:?}"),
        sent = slack.envelope_sent(2) => sent?,
    }
    tx.rollback().await?;
    saying.await?;
    slack.message("an answer", |message| message.text.contains("Sign-in page")).await?;
    slack.say("ana", "show WEB").await?;
    slack.message("the plan", |message| message.text.contains("Website")).await?;
    assert_eq!(titles(&patchbay, "WEB").await?, ["Sign-in page"]);
    slack.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn a_socket_that_cannot_be_opened_is_told_of() -> Result<()> {
    let (mut patchbay, _slack) = start_with(|settings| {
        settings.slack.app_token = Some("xoxb-not-one".into());
        settings.slack.bot_token = Some(BOT_TOKEN.into());
    })
    .await?;
    let line = loop {
        let line = connection(&patchbay).await?;
        if line["state"] != "unknown" {
            break line;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(line["state"], "closed");
    assert!(line["problem"].as_str().is_some_and(|why| why.contains("not_allowed_token_type")), "{line}");
    patchbay.end().await
}
