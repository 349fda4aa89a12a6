//! A plan is made, refined and decided by mail.

use anyhow::Result;
use patchbay_tests::{letter::SIGNED, until::until, world::World};
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn a_plan_is_made_by_mail_refined_by_an_answer_and_decided_in_part() -> Result<()> {
    let mut world = World::start().await?;
    let ana = world.known("ana@example.org", &world.patchbay.key).await?;

    let proposal = world.answered(&ana, &ana.letter("Shop", "- a till\n- a door\n- a sign\n\n-- \nAna\n")).await?;
    assert_eq!(proposal.header("Auto-Submitted").as_deref(), Some("auto-replied"));
    assert_eq!(proposal.header("Subject").as_deref(), Some("Re: Shop"));
    assert!(proposal.text().contains("multipart/alternative") && proposal.text().contains("/proposals/1"), "{}", proposal.text());
    let (_, open) = world.patchbay.get("/proposals/1").await?;
    assert_eq!((open["state"].as_str(), open["operations"].as_array().map(Vec::len)), (Some("open"), Some(3)), "{open}");

    let refined = world.answered(&ana, &ana.reply(&proposal, "add a task for the lights")).await?;
    let (_, open) = world.patchbay.get("/proposals/1").await?;
    assert_eq!((open["revision"].as_i64(), open["operations"].as_array().map(Vec::len)), (Some(2), Some(4)), "{open}");

    // The first mail shows what is no longer proposed.
    let stale = world.answered(&ana, &ana.reply(&proposal, "accept 1,3")).await?;
    let (_, open) = world.patchbay.get("/proposals/1").await?;
    assert_eq!(open["state"], "open", "{}", stale.text());

    let accepted = world.answered(&ana, &ana.reply(&refined, "accept 1,3\n\nThanks!")).await?;
    let (_, decided) = world.patchbay.get("/proposals/1").await?;
    assert_eq!(decided["state"], "applied", "{decided}\n{}", accepted.text());
    let key = decided["project"].as_str().unwrap_or_default();
    let (_, tree) = world.patchbay.get(&format!("/projects/{key}/tree")).await?;
    let titles: Vec<_> = tree["tasks"].as_array().into_iter().flatten().map(|task| task["title"].as_str().unwrap_or_default().to_lowercase()).collect();
    assert_eq!(titles.len(), 2, "{tree}");
    assert!(titles[0].contains("till") && titles[1].contains("sign"), "{titles:?}");

    let ids: std::collections::HashSet<_> = world.smtp.sent().iter().map(|sent| sent.header("Message-ID")).collect();
    assert_eq!(ids.len(), world.smtp.sent().len(), "no mail went out twice");
    world.patchbay.end().await
}

#[tokio::test]
async fn a_decision_needs_the_mail_that_asked_for_it() -> Result<()> {
    let mut world = World::start().await?;
    let ana = world.known("ana@example.org", &world.patchbay.key).await?;
    let bo_key = world.patchbay.member_key("bo", &["read", "propose", "review", "apply"]).await?;
    let bo = world.known("bo@example.net", &bo_key).await?;
    let proposal = world.answered(&ana, &ana.letter("Shop", "- a till\n- a door")).await?;

    // Without a token, with somebody else's, and with one that is made up.
    let bare = ana.letter("accept #1", "");
    world.answered(&ana, &bare).await?;
    let theirs = bo.reply(&proposal, "accept #1");
    world.answered(&bo, &theirs).await?;
    let mut forged = proposal.clone();
    forged.raw = proposal.text().replace(".1.1.", ".1.2.").into_bytes();
    world.answered(&ana, &ana.reply(&forged, "accept #1")).await?;
    let (_, open) = world.patchbay.get("/proposals/1").await?;
    assert_eq!(open["state"], "open");

    world.answered(&ana, &ana.reply(&proposal, "accept")).await?;
    let (_, decided) = world.patchbay.get("/proposals/1").await?;
    assert_eq!(decided["state"], "applied", "{decided}");
    world.patchbay.end().await
}

#[tokio::test]
async fn an_answer_is_about_the_proposal_of_the_mail_that_it_answers() -> Result<()> {
    let mut world = World::start().await?;
    let ana = world.known("ana@example.org", &world.patchbay.key).await?;
    let shop = world.answered(&ana, &ana.letter("Shop", "- a till\n- a door")).await?;
    let garden = world.answered(&ana, &ana.reply(&shop, "new \"Garden\" dig, plant and water")).await?;
    let (_, open) = world.patchbay.get("/proposals/2").await?;
    assert_eq!(open["state"], "open", "{open}\n{}", garden.text());

    let refined = world.answered(&ana, &ana.reply(&shop, "add a task for the lights")).await?;
    assert_eq!(world.patchbay.get("/proposals/1").await?.1["revision"], 2, "{}", refined.text());
    let accepted = world.answered(&ana, &ana.reply(&refined, "accept")).await?;
    let (_, decided) = world.patchbay.get("/proposals/1").await?;
    assert_eq!(decided["state"], "applied", "{decided}\n{}", accepted.text());
    assert_eq!(world.patchbay.get("/proposals/2").await?.1["state"], "open");
    world.patchbay.end().await
}

#[tokio::test]
async fn a_decision_made_elsewhere_is_told_in_the_thread() -> Result<()> {
    let mut world = World::start().await?;
    let ana = world.known("ana@example.org", &world.patchbay.key).await?;
    let proposal = world.answered(&ana, &ana.letter("Shop", "- a till\n- a door")).await?;
    let (status, decided) = world.patchbay.post("/proposals/1/reject", &json!({ "reason": "too early" })).await?;
    assert_eq!(status, StatusCode::OK, "{decided}");
    let told = world.smtp.wait("the decision", |sent| sent.text().contains("too early")).await?;
    let first = proposal.header("Message-ID").unwrap_or_default();
    assert!(told.header("References").is_some_and(|references| references.contains(&first)), "{}", told.text());
    world.patchbay.end().await
}

#[tokio::test]
async fn a_command_stands_in_the_subject_in_html_and_in_json() -> Result<()> {
    let mut world = World::start().await?;
    world.patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    for title in ["one", "two", "three"] {
        world.patchbay.say(&format!("add \"{title}\""), Some("WEB")).await?;
    }
    let ana = world.known("ana@example.org", &world.patchbay.key).await?;
    world.answered(&ana, &ana.letter("[plans] done WEB-1", "")).await?;
    world.answered(&ana, &ana.letter("Please", "Hi,\n```json\n{\"command\": \"done WEB-2\"}\n```\n")).await?;
    let mut html = ana.letter("x", "");
    html.text = "<html><body><div>done WEB-3</div><blockquote>done WEB-1</blockquote></body></html>".to_owned();
    let raw = String::from_utf8(html.raw())?.replace("text/plain", "text/html");
    world.deliver(&ana.sign(raw.as_bytes(), &SIGNED)?)?;
    until("WEB-3 is done", async || Ok(world.patchbay.get("/tasks/WEB-3").await?.1["status"] == "done")).await?;
    for task in ["WEB-1", "WEB-2"] {
        let (_, task) = world.patchbay.get(&format!("/tasks/{task}")).await?;
        assert_eq!(task["status"], "done", "{task}");
    }
    let (status, _) = world.patchbay.ask(None, Method::GET, "/channels/email/quarantine", None).await?;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    world.patchbay.end().await
}

#[tokio::test]
async fn a_thread_is_planned_from_what_a_mail_quotes() -> Result<()> {
    let mut world = World::start().await?;
    world.patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    world.patchbay.say("add \"Keep me\"", Some("WEB")).await?;
    let ana = world.known("ana@example.org", &world.patchbay.key).await?;
    let quoted = "On Sat, 21 Nov 2026 at 10:00, Bo <bo@example.org> wrote:\n\n> - order cake\n>\n> On Fri, 20 Nov 2026 at 09:00, Cy <cy@example.org> wrote:\n>\n>> The launch:\n>> - invite the press\n>> done WEB-1";
    let asked = ana.letter("Re: Launch", &format!("Plan this thread, please.\n\nAna\n\n{quoted}")).with("References: <x@example.org>");
    let answer = world.answered(&ana, &asked).await?;
    let text = answer.text().replace("=\r\n", "");
    assert!(text.contains("from this thread (2 messages)") && text.contains("vouches for the words of Cy and Bo"), "{text}");
    let (_, open) = world.patchbay.get("/proposals/1").await?;
    let made: Vec<_> = open["operations"].as_array().into_iter().flatten().map(|operation| operation["summary"].as_str().unwrap_or_default()).collect();
    assert_eq!(made, ["Invite the press", "Order cake"], "{open}");
    let (_, task) = world.patchbay.get("/tasks/WEB-1").await?;
    assert_ne!(task["status"], "done", "what is quoted commands nothing");
    // Nothing is quoted that could be planned.
    let bare = world.answered(&ana, &ana.letter("Re: Launch", "plan this thread").with("References: <y@example.org>")).await?;
    assert!(bare.text().contains("Nobody says anything here"), "{}", bare.text());
    world.patchbay.end().await
}
