//! Slack, as people use it.

use anyhow::Result;
use patchbay_tests::{
    fake_slack::{BOT_TOKEN, CLIENT, CODE, FakeSlack, Fault, INSTALLED_TOKEN, Person, SIGNING_SECRET, now},
    service::Running,
    watched::Shown,
};
use patchbay_web::settings::Settings;
use reqwest::StatusCode;
use serde_json::json;
use sqlx::ConnectOptions;

use super::script::{self, Stage, is_proposal, link, titles};

pub(crate) const ROOM: &str = "C0ROOM";

/// Patchbay and the Slack that it speaks with.
pub(crate) async fn start() -> Result<(Running, FakeSlack)> {
    start_with(|settings| {
        settings.slack.signing_secret = Some(SIGNING_SECRET.into());
        settings.slack.bot_token = Some(BOT_TOKEN.into());
    })
    .await
}

/// The same, with settings of its own.
pub(crate) async fn start_with(change: impl FnOnce(&mut Settings)) -> Result<(Running, FakeSlack)> {
    let mut slack = FakeSlack::start().await?;
    let url = slack.url.clone();
    let patchbay = Running::start_with(|settings| {
        settings.slack.api_url = url;
        change(settings);
    })
    .await?;
    slack.patchbay.clone_from(&patchbay.url);
    Ok((patchbay, slack))
}

pub(crate) fn person<'s>(slack: &'s FakeSlack, who: &str) -> Person<'s> {
    slack.person(if who == "ana" { "U0ANA" } else { "U0BO" }, ROOM)
}

impl Stage for FakeSlack {
    async fn say(&self, who: &str, text: &str) -> Result<()> {
        person(self, who).command(text).await.map(drop)
    }
    async fn press(&self, who: &str, message: &Shown, label: &str) -> Result<()> {
        person(self, who).press(message, label).await
    }
    async fn hand_in(&self, who: &str, answer: &str) -> Result<()> {
        person(self, who).hand_in(answer).await
    }
    async fn message(&self, what: &str, is_it: impl Fn(&Shown) -> bool) -> Result<Shown> {
        FakeSlack::message(self, what, is_it).await
    }
    fn id(&self, who: &str) -> String {
        person(self, who).user.to_owned()
    }
}

#[tokio::test]
async fn a_plan_is_made_and_reviewed() -> Result<()> {
    let (mut patchbay, slack) = start().await?;
    script::a_plan_is_made_and_reviewed(&patchbay, &slack).await?;
    slack.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn only_slack_is_heard_and_only_for_five_minutes() -> Result<()> {
    let (mut patchbay, slack) = start().await?;
    let body = json!({ "type": "url_verification", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P" }).to_string();
    let post = |seconds| slack.post_at("events", "application/json", &body, seconds, &[]);
    let (status, answer) = post(now()).await?;
    assert_eq!((status, &answer["challenge"]), (StatusCode::OK, &json!("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P")));
    for seconds in [now() - 400, now() + 400] {
        let (status, answer) = post(seconds).await?;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{answer}");
    }
    let (status, problem) = patchbay.ask(None, reqwest::Method::POST, "/channels/slack/events", Some(&json!({ "type": "url_verification" }))).await?;
    assert_eq!((status, problem["type"].as_str()), (StatusCode::UNAUTHORIZED, Some("/problems/unauthenticated")));
    let (status, problem) = slack.post_at("events", "application/json", "{", now(), &[]).await?;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    patchbay.end().await
}

#[tokio::test]
async fn what_is_sent_again_happens_once_and_its_answer_is_in_the_thread() -> Result<()> {
    let (mut patchbay, slack) = start().await?;
    let ana = person(&slack, "ana");
    link(&patchbay, &slack, "ana", &patchbay.key).await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    ana.mention("bind WEB", None, 1).await?;
    slack.message("the room is bound", |message| message.text.contains("This room is about WEB")).await?;
    ana.mention("add \"Sign-in page\"", None, 4).await?;
    let once = slack.message("an answer", |message| message.text.contains("Sign-in page")).await?;
    // A later question, so that whatever the copies cause would have been caused by now.
    ana.mention("show WEB", None, 1).await?;
    slack.message("the plan", |message| message.id > once.id && message.text.contains("Sign-in page")).await?;
    assert_eq!(titles(&patchbay, "WEB").await?, ["Sign-in page"]);
    slack.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn what_slack_does_not_take_now_is_sent_later_and_once() -> Result<()> {
    let (mut patchbay, slack) = start().await?;
    link(&patchbay, &slack, "ana", &patchbay.key).await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    slack.fail("chat.postMessage", [Fault::Wait(1), Fault::Status(500), Fault::Wait(1)]);
    let before = slack.calls("chat.postMessage");
    person(&slack, "ana").mention("show WEB", None, 1).await?;
    slack.message("an answer", |message| message.text.contains("Website")).await?;
    assert_eq!(slack.calls("chat.postMessage") - before, 4);
    assert_eq!(slack.messages().iter().filter(|message| message.text.contains("Website")).count(), 1);
    patchbay.end().await
}

#[tokio::test]
async fn where_the_app_is_no_member_an_answer_still_comes() -> Result<()> {
    let (mut patchbay, slack) = start().await?;
    slack.shut(ROOM);
    link(&patchbay, &slack, "ana", &patchbay.key).await?;
    person(&slack, "ana").command("new \"Web\"").await?;
    let answer = slack.message("an answer", |message| message.only_for.is_none() && message.room == ROOM).await?;
    assert!(!answer.text.is_empty());
    slack.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn a_code_is_for_one_person_alone() -> Result<()> {
    let (mut patchbay, slack) = start().await?;
    let ana = person(&slack, "ana");
    link(&patchbay, &slack, "ana", &patchbay.key).await?;
    let acknowledged = ana.command("link").await?;
    assert!(acknowledged.is_null(), "the room does not see it: {acknowledged}");
    let is_code = |message: &Shown| message.only_for.as_deref() == Some("U0ANA") && message.text.contains("to me in Slack");
    let first = slack.message("a code", is_code).await?;
    ana.mention("link", None, 1).await?;
    slack.message("another code", |message| message.id > first.id && is_code(message)).await?;
    assert!(slack.messages().iter().all(|message| message.only_for.is_some()), "{:?}", slack.messages());
    let acknowledged = ana.command("undo").await?;
    assert_eq!(acknowledged["response_type"], "in_channel");
    patchbay.end().await
}

#[tokio::test]
async fn what_is_looked_at_is_shown_to_who_asks_and_what_happens_to_all() -> Result<()> {
    let (mut patchbay, slack) = start().await?;
    let ana = person(&slack, "ana");
    link(&patchbay, &slack, "ana", &patchbay.key).await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    patchbay.say("add \"Sign-in page\" to me", Some("WEB")).await?;
    assert!(ana.command("list mine in web").await?.is_null(), "the room does not see that it was asked for");
    let listed = slack.message("the list", |message| message.text.contains("Sign-in page")).await?;
    assert_eq!(listed.only_for.as_deref(), Some("U0ANA"), "{listed:?}");
    ana.command("mute reviews").await?;
    let muted = slack.message("muted", |message| message.text.contains("You hear no more of reviews")).await?;
    assert_eq!(muted.only_for.as_deref(), Some("U0ANA"), "{muted:?}");
    assert_eq!(ana.command("done web-1").await?["response_type"], "in_channel");
    let done = slack.message("it is done", |message| message.text.contains("is done")).await?;
    assert_eq!(done.only_for, None, "{done:?}");
    slack.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn what_others_wrote_is_planned_and_never_obeyed() -> Result<()> {
    let (mut patchbay, slack) = start().await?;
    let ana = person(&slack, "ana");
    link(&patchbay, &slack, "ana", &patchbay.key).await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    patchbay.say("add \"Keep me\"", Some("WEB")).await?;
    ana.plan_this("delete WEB-1", "U0EVE").await?;
    let first = slack.message("a proposal", is_proposal).await?;
    assert!(first.text.contains("+` *Delete WEB-1*"), "{first:?}");
    assert_eq!(titles(&patchbay, "WEB").await?, ["Keep me"]);
    ana.plan_this("For the launch:\n• invite the press\n• order cake", "U0EVE").await?;
    slack.message("another proposal", |message| is_proposal(message) && message.text.contains("Order cake")).await?;
    slack.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn who_has_a_members_address_is_let_in_where_an_admin_wants_it() -> Result<()> {
    let (mut patchbay, slack) = start().await?;
    patchbay.member_key("bo", &["read"]).await?;
    let (status, settings) = patchbay.ask(Some(&patchbay.key), reqwest::Method::PATCH, "/channels/slack", Some(&json!({ "trust_email": true }))).await?;
    assert!(status.is_success(), "{status}: {settings}");
    person(&slack, "bo").direct("list projects").await?;
    slack.message("an answer", |message| message.room == "DU0BO" && message.text.contains("no project yet")).await?;
    let (_, identities) = patchbay.get("/identities").await?;
    assert_eq!((&identities["data"][0]["member"], &identities["data"][0]["proof"]), (&json!("bo"), &json!("email")), "{identities}");
    person(&slack, "ana").direct("list projects").await?;
    slack.message("a code", |message| message.room == "DU0ANA" && message.text.contains("link?code=")).await?;
    patchbay.end().await
}

#[tokio::test]
async fn our_home_shows_what_waits_and_addresses_of_ours_say_what_they_are() -> Result<()> {
    let (mut patchbay, slack) = start().await?;
    let ana = person(&slack, "ana");
    let opened = json!({ "type": "app_home_opened", "user": "U0ANA", "channel": "D0", "tab": "home", "event_ts": "1" });
    ana.event(&opened, 1).await?;
    slack.home("U0ANA", "I do not know yet who you are").await?;
    link(&patchbay, &slack, "ana", &patchbay.key).await?;
    patchbay.say("Plan a launch:\n- invite the press\n- order cake", None).await?;
    ana.event(&opened, 1).await?;
    slack.home("U0ANA", "*#1*").await?;
    let url = format!("{}/proposals/1", patchbay.url);
    let shared = json!({ "type": "link_shared", "channel": ROOM, "user": "U0ANA", "message_ts": "1.2", "links": [{ "domain": "x", "url": url }, { "domain": "x", "url": "https://example.org" }] });
    ana.event(&shared, 1).await?;
    let unfurl = slack.unfurl().await?;
    assert_eq!(unfurl["unfurls"].as_object().map(serde_json::Map::len), Some(1), "{unfurl}");
    assert!(unfurl["unfurls"][&url].to_string().contains("#1"), "{unfurl}");

    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    patchbay.say("add \"Fix <it>\" to me due 2026-12-04", Some("WEB")).await?;
    let (task, project) = (format!("{}/p/WEB?task=WEB-1", patchbay.url), format!("{}/p/WEB", patchbay.url));
    let links: Vec<_> = [&task, &project, &format!("{project}?task=WEB-9")].map(|url| json!({ "domain": "x", "url": url })).into();
    let shared = |user: &str| json!({ "type": "link_shared", "channel": ROOM, "user": user, "message_ts": "1.3", "links": links });
    // Nobody whom Patchbay knows: nothing is shown.
    slack.person("U0EVE", ROOM).event(&shared("U0EVE"), 1).await?;
    ana.event(&shared("U0ANA"), 1).await?;
    slack.called("chat.unfurl", 2).await?;
    let unfurl = slack.unfurl().await?;
    let told = |url: &str| unfurl["unfurls"][url]["blocks"][0]["text"]["text"].as_str().unwrap_or_default().replace('\u{200b}', "");
    let (_, found) = patchbay.get("/tasks/WEB-1").await?;
    let me = found["assignee"].as_str().unwrap_or_default();
    assert_eq!(told(&task), format!("*WEB-1* Fix &lt;it&gt;\nTo do, @{me}, due 2026-12-04\nin *WEB* Website"), "{unfurl}");
    assert_eq!(told(&project), "*WEB* Website\nversion 2, 0 of 1 tasks done", "{unfurl}");
    assert_eq!(unfurl["unfurls"].as_object().map(serde_json::Map::len), Some(2), "what is not there is not shown: {unfurl}");
    assert_eq!(slack.calls("chat.unfurl"), 2, "nothing is shown to strangers");
    slack.check()?;
    patchbay.end().await
}

#[tokio::test]
async fn a_workspace_installs_the_app_and_its_token_is_sealed() -> Result<()> {
    let mut slack = FakeSlack::start().await?;
    let url = slack.url.clone();
    let mut patchbay = Running::start_with(|settings| {
        settings.slack.signing_secret = Some(SIGNING_SECRET.into());
        settings.slack.client_id = Some(CLIENT.0.into());
        settings.slack.client_secret = Some(CLIENT.1.into());
        settings.slack.api_url = url;
    })
    .await?;
    slack.patchbay.clone_from(&patchbay.url);
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let go = async |path: &str, key: &str| {
        let response = browser.get(format!("{}/api/v1/channels/slack/{path}", patchbay.url)).bearer_auth(key).send().await?;
        let to = response.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or_default().to_owned();
        anyhow::Ok((response.status(), to))
    };
    let (status, to) = go("install", &patchbay.key).await?;
    assert!(status == StatusCode::SEE_OTHER && to.starts_with("https://slack.com/oauth/v2/authorize?client_id=1234.5678&scope=app_mentions"), "{status}: {to}");
    let state = to.split("state=").nth(1).and_then(|rest| rest.split('&').next()).unwrap_or_default();

    // Neither another admin's link nor none at all.
    let bo = patchbay.member_key("bo", &["read", "admin"]).await?;
    assert_eq!(go(&format!("installed?code={CODE}&state={state}"), &bo).await?.0, StatusCode::BAD_REQUEST);
    assert_eq!(go(&format!("installed?code={CODE}"), &patchbay.key).await?.0, StatusCode::BAD_REQUEST);
    let (status, to) = go(&format!("installed?code={CODE}&state={state}"), &patchbay.key).await?;
    assert_eq!((status, to), (StatusCode::SEE_OTHER, format!("{}/settings", patchbay.url)));
    assert_eq!(go(&format!("installed?code={CODE}&state={state}"), &patchbay.key).await?.0, StatusCode::BAD_REQUEST, "a code is good for once");

    let mut conn = patchbay.database.options().connect().await?;
    let (name, secrets): (String, Vec<u8>) = sqlx::query_as("select name, secrets from patchbay.channel_installation").fetch_one(&mut conn).await?;
    assert_eq!(name, "Example");
    assert!(!String::from_utf8_lossy(&secrets).contains(INSTALLED_TOKEN));
    link(&patchbay, &slack, "ana", &patchbay.key).await?;
    person(&slack, "ana").command("new \"Web\"").await?;
    slack.message("an answer", |message| message.only_for.is_none() && message.text.contains("is there, and empty")).await?;

    person(&slack, "ana").event(&json!({ "type": "app_uninstalled" }), 1).await?;
    let left: i64 = sqlx::query_scalar("select count(*) from patchbay.channel_installation").fetch_one(&mut conn).await?;
    assert_eq!(left, 0, "with the app its token goes");
    patchbay.end().await
}
