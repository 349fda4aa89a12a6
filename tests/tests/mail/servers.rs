//! Servers that are slow, refuse, forget and go away, and processes that die.

use anyhow::{Context as _, Result};
use mail_auth::{
    AuthenticatedMessage, DkimResult, MessageAuthenticator,
    hickory_resolver::config::{ConnectionConfig, NameServerConfig, ProtocolConfig, ResolverConfig, ResolverOpts},
};
use patchbay_tests::{
    until::until,
    world::{PLAN, World},
};
use serde_json::json;
use sqlx::ConnectOptions;

#[tokio::test]
async fn a_mail_that_was_stored_and_not_marked_has_one_effect() -> Result<()> {
    let mut world = World::start().await?;
    world.patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    let ana = world.known("ana@example.org", &world.patchbay.key).await?;
    world.answered(&ana, &ana.letter("add \"one\" in WEB", "")).await?;
    world.read(2).await?;
    let sent = world.smtp.sent().len();

    // As after a kill between the two; and as after a server that lost what it knew.
    world.dovecot.mark_unseen(PLAN)?;
    world.dovecot.cut()?;
    world.read(2).await?;
    world.dovecot.mark_unseen(PLAN)?;
    world.dovecot.forget(PLAN)?;
    world.dovecot.cut()?;
    world.read(2).await?;

    world.answered(&ana, &ana.letter("list", "")).await?;
    let (_, tree) = world.patchbay.get("/projects/WEB/tree").await?;
    assert_eq!(tree["tasks"].as_array().map(Vec::len), Some(1), "{tree}");
    assert_eq!(world.smtp.sent().len(), sent + 1);
    world.patchbay.end().await
}

#[tokio::test]
async fn a_server_that_says_later_is_asked_later_and_one_that_says_never_is_not() -> Result<()> {
    let mut world = World::start().await?;
    let ana = world.known("ana@example.org", &world.patchbay.key).await?;
    world.smtp.refuse(["451 4.3.0 Try again later", "421 4.3.2 Not now"]);
    let letter = ana.letter("list", "");
    world.answered(&ana, &letter).await?;
    let id = format!("<{}>", letter.id);
    assert_eq!(world.smtp.sent().iter().filter(|sent| sent.header("In-Reply-To").as_deref() == Some(&id)).count(), 1);

    world.smtp.refuse(["550 5.1.1 No such person"]);
    let letter = ana.letter("list", "");
    world.deliver(&ana.signed(&letter)?)?;
    let mut conn = world.patchbay.database.options().connect().await?;
    let conn = tokio::sync::Mutex::new(&mut conn);
    until("the answer is a dead letter", async || {
        let dead: Option<Option<String>> =
            sqlx::query_scalar("select problem from patchbay.outbox where state = 'dead'").fetch_optional(&mut **conn.lock().await).await?;
        Ok(dead.flatten().is_some_and(|why| why.contains("No such person")))
    })
    .await?;
    world.patchbay.end().await
}

#[tokio::test]
async fn a_mailbox_that_goes_away_is_read_again() -> Result<()> {
    let mut world = World::start().await?;
    let ana = world.known("ana@example.org", &world.patchbay.key).await?;
    for subject in ["list", "help"] {
        world.dovecot.cut()?;
        world.answered(&ana, &ana.letter(subject, "")).await?;
    }
    // Somebody else looked at it first.
    world.read(3).await?;
    world.patchbay.end().await
}

#[tokio::test]
async fn our_mails_are_signed() -> Result<()> {
    let keys = tempfile::tempdir()?;
    let path = keys.path().join("dkim.pem");
    let world = World::start().await?;
    let us = world.person(PLAN)?;
    std::fs::write(&path, us.pem())?;
    let World { patchbay: mut first, .. } = world;
    first.end().await?;

    let mut world = World::start_with(|settings| {
        settings.email.dkim_key = Some(path.clone());
        settings.email.dkim_selector = "s1".to_owned();
    })
    .await?;
    world.dns.txt("s1._domainkey.patchbay.example", &us.record()?);
    let ana = world.person("ana@example.org")?;
    let answer = world.answered(&ana, &ana.letter("help", "")).await?;
    let connection = |protocol| {
        let mut connection = ConnectionConfig::new(protocol);
        connection.port = world.dns.address.port();
        connection
    };
    let server = NameServerConfig::new(world.dns.address.ip(), true, vec![connection(ProtocolConfig::Udp)]);
    let authenticator = MessageAuthenticator::new(ResolverConfig::from_parts(None, Vec::new(), vec![server]), ResolverOpts::default())?;
    let message = AuthenticatedMessage::parse(&answer.raw).context("it is a mail")?;
    let results = authenticator.verify_dkim(&message).await;
    assert_eq!(results.iter().map(|result| result.result().clone()).collect::<Vec<_>>(), [DkimResult::Pass], "{}", answer.text());
    world.patchbay.end().await
}
