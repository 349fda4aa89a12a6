//! What Patchbay tells services.

use anyhow::{Context as _, Result};
use patchbay_tests::{service::Running, webhook_receiver::Receiver};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{near, project, start};

async fn endpoint(patchbay: &Running, receiver: &Receiver, events: &[&str]) -> Result<String> {
    let (status, made) = patchbay.post("/webhooks/endpoints", &json!({ "url": receiver.url, "events": events })).await?;
    anyhow::ensure!(status == StatusCode::CREATED, "{status}: {made}");
    receiver.knows(made["secret"].as_str().context("a secret is shown once")?);
    Ok(made["id"].as_str().context("an endpoint has an id")?.to_owned())
}

async fn sent(patchbay: &Running, endpoint: &str, is_so: impl Fn(&Value) -> bool) -> Result<Value> {
    patchbay.until(&format!("/webhooks/endpoints/{endpoint}/deliveries"), |all| is_so(&all["data"][0])).await
}

#[tokio::test]
async fn an_endpoint_is_told_of_what_it_wants_and_signed_with_every_secret_that_counts() -> Result<()> {
    let mut patchbay = start().await?;
    let receiver = Receiver::start().await?;
    let id = endpoint(&patchbay, &receiver, &["proposal.*"]).await?;
    project(&patchbay).await?;
    patchbay.say("- one\n- two", Some("WEB")).await?;
    let got = receiver.got(1).await?;
    assert_eq!((got.len(), got[0].fits.as_slice(), got[0].signatures), (1, [0].as_slice(), 1), "{got:?}");
    assert_eq!((got[0].body["type"].as_str(), got[0].body["data"]["details"]["number"].as_i64()), (Some("proposal.opened"), Some(1)), "{got:?}");

    let (_, new) = patchbay.post(&format!("/webhooks/endpoints/{id}/rotate"), &json!({})).await?;
    receiver.knows(new["secret"].as_str().context("a secret is shown once")?);
    patchbay.post("/proposals/1/reject", &json!({ "reason": "no" })).await?;
    let got = receiver.got(2).await?;
    assert_eq!((got[1].fits.as_slice(), got[1].signatures), ([0, 1].as_slice(), 2), "{got:?}");

    let log = sent(&patchbay, &id, |newest| newest["state"] == "delivered").await?;
    assert_eq!(log["data"].as_array().map(Vec::len), Some(2), "{log}");
    assert_eq!((log["data"][1]["webhook_id"].as_str(), log["data"][1]["attempts"][0]["status"].as_i64()), (Some(got[0].id.as_str()), Some(204)), "{log}");
    // Once more, under the same id.
    let again = format!("/webhooks/endpoints/{id}/deliveries/{}/resend", log["data"][1]["id"].as_str().unwrap_or_default());
    assert_eq!(patchbay.ask(Some(&patchbay.key), Method::POST, &again, None).await?.0, StatusCode::ACCEPTED);
    let resent = receiver.got(3).await?;
    assert_eq!((&resent[2].id, &resent[2].body), (&got[0].id, &got[0].body));
    patchbay.end().await
}

#[tokio::test]
async fn nothing_is_lost_or_told_twice_over_a_restart() -> Result<()> {
    let mut patchbay = start().await?;
    let receiver = Receiver::start().await?;
    endpoint(&patchbay, &receiver, &["project.created", "project.changed"]).await?;
    project(&patchbay).await?;
    for round in 0..3 {
        patchbay.say(&format!("add \"Task {round}\""), Some("WEB")).await?;
        patchbay.restart_with(near).await?;
    }
    patchbay.say("add \"Last\"", Some("WEB")).await?;
    let (_, revisions) = patchbay.get("/projects/WEB/revisions").await?;
    let count = revisions["data"].as_array().map_or(0, Vec::len);
    receiver.got(count).await?;
    let mut ids: Vec<String> = receiver.so_far().into_iter().map(|got| got.id).collect();
    let told = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((told, ids.len()), (count, count), "each change once");
    patchbay.end().await
}

#[tokio::test]
async fn an_endpoint_may_ask_for_time_and_is_asked_under_the_same_id() -> Result<()> {
    let mut patchbay = start().await?;
    let receiver = Receiver::start().await?;
    let id = endpoint(&patchbay, &receiver, &["*"]).await?;
    receiver.answers(503, Some(("retry-after", "3")));
    project(&patchbay).await?;
    let got = receiver.got(2).await?;
    assert_eq!(got[0].id, got[1].id);
    assert!((got[1].at - got[0].at).num_milliseconds() >= 3000, "{got:?}");
    let log = sent(&patchbay, &id, |newest| newest["state"] == "delivered").await?;
    let statuses: Vec<i64> = log["data"][0]["attempts"].as_array().into_iter().flatten().filter_map(|attempt| attempt["status"].as_i64()).collect();
    assert_eq!(statuses, [503, 204], "{log}");
    let (_, view) = patchbay.get(&format!("/webhooks/endpoints/{id}")).await?;
    assert_eq!(view["failing_since"], json!(null), "{view}");
    patchbay.end().await
}

#[tokio::test]
async fn an_endpoint_that_is_gone_or_silent_is_switched_off_with_a_notice() -> Result<()> {
    let mut patchbay = start().await?;
    let (gone, silent, watcher) = (Receiver::start().await?, Receiver::start().await?, Receiver::start().await?);
    let gone_id = endpoint(&patchbay, &gone, &["project.created", "project.changed"]).await?;
    let silent_id = endpoint(&patchbay, &silent, &["project.created", "project.changed"]).await?;
    endpoint(&patchbay, &watcher, &["webhook.disabled"]).await?;
    gone.answers(410, None);
    for _ in 0..3 {
        silent.answers(302, Some(("location", "http://127.0.0.1:1/elsewhere")));
    }
    project(&patchbay).await?;
    let notices = watcher.got(2).await?;
    let mut whys: Vec<&str> = notices.iter().filter_map(|got| got.body["data"]["details"]["why"].as_str()).collect();
    whys.sort_unstable();
    assert_eq!(whys, ["it answered 410: it wants no more messages", "nothing got through to it for as long as messages are tried"]);
    assert_eq!((gone.so_far().len(), silent.so_far().len()), (1, 3), "a redirect is no success, and is not followed");
    let log = sent(&patchbay, &silent_id, |newest| newest["state"] == "failed").await?;
    assert_eq!(log["data"][0]["attempts"][2]["problem"], "it answered 302: a redirect is not followed", "{log}");
    for id in [&gone_id, &silent_id] {
        let path = format!("/webhooks/endpoints/{id}");
        let (_, view) = patchbay.get(&path).await?;
        assert_eq!((view["enabled"].as_bool(), view["disabled_why"].is_string()), (Some(false), true), "{view}");
        let (_, view) = patchbay.ask(Some(&patchbay.key), Method::PATCH, &path, Some(&json!({ "enabled": true }))).await?;
        assert_eq!((view["enabled"].as_bool(), &view["disabled_why"], &view["failing_since"]), (Some(true), &Value::Null, &Value::Null), "{view}");
    }
    patchbay.say("add \"One\"", Some("WEB")).await?;
    assert_eq!(gone.got(2).await?[1].body["type"], "project.changed");
    patchbay.end().await
}

#[tokio::test]
async fn an_address_inside_is_not_called() -> Result<()> {
    let mut patchbay = Running::start_with(|settings| settings.webhooks.retries_s = vec![]).await?;
    for bad in ["https://127.0.0.1/", "https://[::1]:8080/", "https://169.254.169.254/latest", "http://example.com/", "https://0x7f.1/"] {
        let (status, problem) = patchbay.post("/webhooks/endpoints", &json!({ "url": bad })).await?;
        assert_eq!((status, problem["errors"][0]["path"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("/url")), "{bad}: {problem}");
    }
    // A name is only known to lead inside when it is about to be called.
    let (_, made) = patchbay.post("/webhooks/endpoints", &json!({ "url": "https://localhost/hook", "events": ["project.created", "project.changed"] })).await?;
    project(&patchbay).await?;
    let log = sent(&patchbay, made["id"].as_str().unwrap_or_default(), |newest| newest["state"] == "failed").await?;
    assert_eq!(log["data"][0]["attempts"][0]["problem"], "localhost leads to a private address, which is not called", "{log}");
    patchbay.end().await
}
