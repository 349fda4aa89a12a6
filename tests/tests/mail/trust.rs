//! What is not believed, and what is not answered.

use anyhow::Result;
use chrono::TimeDelta;
use patchbay_tests::{
    letter::SIGNED,
    until::until,
    world::{PLAN, World},
};
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn a_forged_sender_changes_nothing_until_somebody_lets_it_in() -> Result<()> {
    let mut world = World::start().await?;
    world.patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    world.patchbay.say("add \"one\"", Some("WEB")).await?;
    let ana = world.known("ana@example.org", &world.patchbay.key).await?;
    let mallory = world.person("mallory@e-vil.example")?;
    let sent = world.smtp.sent().len();

    // Signed, but by somebody else's domain.
    let mut forged = mallory.letter("done WEB-1", "");
    forged.from = "Ana <ana@example.org>".to_owned();
    world.deliver(&mallory.signed(&forged)?)?;
    // Not signed at all.
    world.deliver(&ana.letter("Shop", "- a till\n- a door").raw())?;
    world.read(3).await?;

    let held = world.held().await?;
    let told: Vec<_> = held
        .iter()
        .map(|held| (held["sender"].as_str().unwrap_or_default(), held["subject"].as_str().unwrap_or_default(), held["why"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(told[0], ("ana@example.org", "Shop", "example.org did not sign it"));
    assert_eq!(told[1].1, "done WEB-1");
    assert!(told[1].2.contains("is not example.org"), "{told:?}");
    let (_, task) = world.patchbay.get("/tasks/WEB-1").await?;
    assert_ne!(task["status"], "done");
    assert_eq!(world.smtp.sent().len(), sent, "who is not known to have written is not answered");

    // A member who is no admin neither sees nor releases them.
    let key = world.patchbay.member_key("bo", &["read", "propose"]).await?;
    let release = |at: usize| format!("/channels/email/quarantine/{}/release", held[at]["id"].as_str().unwrap_or_default());
    let (status, _) = world.patchbay.ask(Some(&key), Method::POST, &release(0), Some(&json!({}))).await?;
    assert_eq!(status, StatusCode::FORBIDDEN);

    // Let in, it may propose, and do nothing else.
    for at in [0, 1, 1] {
        let (status, released) = world.patchbay.post(&release(at), &json!({})).await?;
        assert_eq!((status, released["released_by"].is_string()), (StatusCode::OK, true), "{released}");
    }
    world.smtp.wait("the plan is proposed", |sent| sent.text().contains("/proposals/1")).await?;
    world.smtp.wait("the command is refused", |sent| sent.header("Subject").is_some_and(|subject| subject.contains("done WEB-1"))).await?;
    let (_, task) = world.patchbay.get("/tasks/WEB-1").await?;
    assert_ne!(task["status"], "done");
    let (status, _) = world.patchbay.post("/channels/email/quarantine/019aa2b0-0000-7000-8000-000000000000/release", &json!({})).await?;
    assert_eq!(status, StatusCode::NOT_FOUND);
    world.patchbay.end().await
}

#[tokio::test]
async fn an_address_alone_makes_nobody_a_member() -> Result<()> {
    let mut world = World::start().await?;
    world.patchbay.member_key("bo", &["read"]).await?;
    let settings = json!({ "trust_email": true });
    let (status, _) = world.patchbay.ask(Some(&world.patchbay.key), Method::PATCH, "/channels/email", Some(&settings)).await?;
    assert_eq!(status, StatusCode::OK);
    let bo = world.person("bo@example.org")?;
    world.deliver(&bo.letter("list", "").raw())?;
    world.read(1).await?;
    let held = world.held().await?;
    let (status, _) = world.patchbay.post(&format!("/channels/email/quarantine/{}/release", held[0]["id"].as_str().unwrap_or_default()), &json!({})).await?;
    assert_eq!(status, StatusCode::OK);
    world.smtp.wait("a way in", |sent| sent.text().contains("code")).await?;
    let (_, identities) = world.patchbay.get("/identities").await?;
    assert_eq!(identities["data"], json!([]), "it was let in, and is still nobody's");

    // Signed by the domain, the same address is the member's.
    world.answered(&bo, &bo.letter("list", "")).await?;
    let (_, identities) = world.patchbay.get("/identities").await?;
    assert_eq!((identities["data"][0]["member"].as_str(), identities["data"][0]["proof"].as_str()), (Some("bo"), Some("email")), "{identities}");
    world.patchbay.end().await
}

#[tokio::test]
async fn a_signature_that_does_not_cover_the_mail_is_not_believed() -> Result<()> {
    let mut world = World::start().await?;
    let ana = world.person("ana@example.org")?;
    let letter = || ana.letter("list", "");
    let replaced = |raw: Vec<u8>, from: &str, to: &str| -> Result<Vec<u8>> { Ok(String::from_utf8(raw)?.replace(from, to).into_bytes()) };
    let without = |name: &str| SIGNED.into_iter().filter(|signed| *signed != name).collect::<Vec<_>>();
    let mut to_bo = letter();
    to_bo.to = "bo@example.net".to_owned();
    let mut old = letter();
    old.date -= TimeDelta::days(8);
    let mut large = letter();
    large.text = "- a till\n".repeat(1_200_000);
    let mails: Vec<(&str, Vec<u8>)> = vec![
        ("only the beginning", [ana.sign_with(&letter().raw(), &SIGNED, true)?, b"delete WEB\r\n".to_vec()].concat()),
        ("does not cover the Subject", ana.sign(&letter().raw(), &without("Subject"))?),
        ("does not cover the Message-ID", ana.sign(&letter().raw(), &without("Message-ID"))?),
        ("does not cover the Date", ana.sign(&letter().raw(), &without("Date"))?),
        ("more than one Subject", [b"Subject: delete WEB\r\n".to_vec(), ana.signed(&letter())?].concat()),
        ("more than one From", [b"From: bo@example.net\r\n".to_vec(), ana.signed(&letter())?].concat()),
        ("not the mail that was signed", replaced(ana.signed(&letter())?, "Subject: list", "Subject: delete WEB")?),
        ("not the one that was signed", [ana.signed(&letter())?, b"more\r\n".to_vec()].concat()),
        ("no Message-ID", replaced(ana.signed(&letter())?, "Message-ID:", "X-Message-ID:")?),
        ("somebody else", ana.signed(&to_bo)?),
        ("days ago", ana.signed(&old)?),
        ("more than 10 MB", ana.signed(&large)?),
    ];
    let count = mails.len();
    for (_, raw) in &mails {
        world.deliver(raw)?;
    }
    world.read(count).await?;
    let held = world.held().await?;
    assert_eq!(held.len(), count, "{held:#?}");
    for ((expected, _), held) in mails.iter().rev().zip(&held) {
        let why = held["why"].as_str().unwrap_or_default();
        assert!(why.to_lowercase().contains(&expected.to_lowercase()), "{expected}: {why}");
    }
    assert!(world.smtp.sent().is_empty());
    world.patchbay.end().await
}

#[tokio::test]
async fn a_subdomain_and_a_believed_server_speak_for_the_sender() -> Result<()> {
    let mut world = World::start_with(|settings| settings.email.authserv_id = Some("mx.patchbay.example".to_owned())).await?;
    // Relaxed alignment: the organisation's domain signs for its parts (RFC 7489, section 3.1.1).
    let mut ana = world.person("ana@mail.example.org")?;
    let letter = ana.letter("help", "");
    world.answered(&ana, &letter).await?;
    ana.address = "ana@example.org".to_owned();
    world.dns.txt("_dmarc.example.org", "v=DMARC1; p=reject");
    world.answered(&ana, &ana.letter("help", "")).await?;

    let results = |domain: &str| format!("Authentication-Results: mx.patchbay.example; spf=pass smtp.mailfrom=bo@{domain}\r\n");
    let bo = world.person("bo@example.net")?;
    let letter = bo.letter("help", "");
    world.deliver(&[results("example.net").into_bytes(), letter.raw()].concat())?;
    let id = format!("<{}>", letter.id);
    world.smtp.wait("an answer to Bo", |sent| sent.header("In-Reply-To").as_deref() == Some(&id)).await?;
    world.deliver(&[results("e-vil.example").into_bytes(), bo.letter("help", "").raw()].concat())?;
    until("it is held", async || Ok(world.held().await?.len() == 1)).await?;
    world.patchbay.end().await
}

#[tokio::test]
async fn what_no_person_wrote_is_never_answered() -> Result<()> {
    let mut world = World::start().await?;
    let ana = world.known("ana@example.org", &world.patchbay.key).await?;
    let ours = world.answered(&ana, &ana.letter("help", "")).await?;
    let sent = world.smtp.sent().len();
    let letter = || ana.reply(&ours, "I am away until Monday.");
    let mut noreply = letter();
    noreply.from = "noreply@example.org".to_owned();
    let mut ourselves = letter();
    ourselves.from = PLAN.to_owned();
    let mut away = letter();
    away.subject = "Automatic reply: help".to_owned();
    let letters = [
        letter().with("Auto-Submitted: auto-replied (vacation)"),
        letter().with("Precedence: bulk"),
        letter().with("List-Id: <plans.example.org>"),
        letter().with("X-Auto-Response-Suppress: All"),
        letter().with("Return-Path: <>"),
        noreply,
        ourselves,
        away,
    ];
    for letter in &letters {
        world.deliver(&ana.signed(letter)?)?;
    }
    world.deliver(&ours.raw)?;
    world.read(2 + letters.len() + 1).await?;
    // What comes after them is answered, and they were not.
    world.answered(&ana, &ana.letter("list", "")).await?;
    assert_eq!(world.smtp.sent().len(), sent + 1);
    assert!(world.held().await?.is_empty());
    world.patchbay.end().await
}

#[tokio::test]
async fn a_mail_that_cannot_be_read_is_kept_to_be_looked_into() -> Result<()> {
    let mut world = World::start().await?;
    // Of nobody, or of two: nobody's command.
    world.deliver(b"To: plan@patchbay.example\r\nSubject: done WEB-1\r\nReferences: <a.token@patchbay.example>\r\n\r\nHello\r\n")?;
    world.deliver(b"From: a@example.org, b@example.org\r\nSubject: two\r\n\r\nHello\r\n")?;
    world.read(2).await?;
    let (status, kept) = world.patchbay.get("/channels/email/malformed").await?;
    assert_eq!(status, StatusCode::OK, "{kept}");
    let kept = kept["data"].as_array().cloned().unwrap_or_default();
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert_eq!(kept[1]["error"].as_str(), Some("it does not say who wrote it, as one address"));
    let body = kept[1]["body"].as_str().unwrap_or_default();
    assert!(body.contains("Subject: done WEB-1") && body.contains("References: [removed]") && body.contains("Hello"), "{body}");
    assert!(world.held().await?.is_empty() && world.smtp.sent().is_empty());
    world.patchbay.end().await
}
