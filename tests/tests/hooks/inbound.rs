//! What services tell Patchbay.

use anyhow::Result;
use reqwest::{Client, Method, StatusCode};
use serde_json::json;

use crate::{github, outcome, project, source, standard, start, titles};

const CHECK_RUN: &str = include_str!("../../data/webhooks/github-check-run-completed.json");
const ISSUE: &str = include_str!("../../data/webhooks/github-issues-opened.json");

#[tokio::test]
async fn a_failed_check_becomes_one_proposal_that_nobody_vouches_for() -> Result<()> {
    let mut patchbay = start().await?;
    project(&patchbay).await?;
    let source = source(&patchbay, &json!({ "name": "GitHub", "kind": "github", "project": "WEB" })).await?;
    let (status, answer) = github(&source, &source.secret, "check_run", "72d3162e", CHECK_RUN).await?;
    assert_eq!((status, answer["is_new"].as_bool()), (StatusCode::ACCEPTED, Some(true)), "{answer}");
    let delivery = outcome(&patchbay, &source).await?;
    assert_eq!((delivery["outcome"].as_str(), delivery["event"].as_str()), (Some("submitted"), Some("check_run.completed")), "{delivery}");
    let path = format!("/commands/{}", delivery["command"].as_str().unwrap_or_default());
    let command = patchbay.until(&path, |command| command["status"] == "done").await?;
    assert_eq!(command["origin"], "webhook", "{command}");
    let (_, proposal) = patchbay.get("/proposals/1").await?;
    assert_eq!((proposal["trust"].as_str(), proposal["state"].as_str()), (Some("untrusted"), Some("open")), "{proposal}");
    assert!(proposal.to_string().contains("Fix e2e (chromium) in Codertocat/Hello-World, branch changes"), "{proposal}");

    // It is nobody's own, so that whoever is alone can accept it.
    assert_eq!(proposal["author"], "automation", "{proposal}");

    // The same again, and the same with other signs of life.
    for _ in 0..3 {
        let (status, answer) = github(&source, &source.secret, "check_run", "72d3162e", CHECK_RUN).await?;
        assert_eq!((status, answer["is_new"].as_bool()), (StatusCode::ACCEPTED, Some(false)), "{answer}");
    }
    // Another one is another proposal, and not a refinement of the first.
    github(&source, &source.secret, "check_run", "another", CHECK_RUN).await?;
    let proposals = patchbay.until("/proposals", |all| all["data"].as_array().is_some_and(|all| all.len() == 2)).await?;
    assert!(proposals["data"].as_array().into_iter().flatten().all(|proposal| proposal["revision"] == 1), "{proposals}");
    let (_, deliveries) = patchbay.get(&format!("/webhooks/sources/{}/deliveries", source.id)).await?;
    assert_eq!(deliveries["data"].as_array().map(Vec::len), Some(2), "{deliveries}");
    let (status, applied) = patchbay.post("/proposals/1/accept", &json!({})).await?;
    assert_eq!((status, applied["state"].as_str()), (StatusCode::OK, Some("applied")), "{applied}");
    let (_, tree) = patchbay.get("/projects/WEB/tree").await?;
    assert_eq!(titles(&tree), ["Fix e2e (chromium) in Codertocat/Hello-World, branch changes"]);
    patchbay.end().await
}

#[tokio::test]
async fn what_is_not_proved_is_refused_before_anything_is_kept() -> Result<()> {
    let mut patchbay = start().await?;
    let source = source(&patchbay, &json!({ "name": "GitHub", "kind": "github" })).await?;
    let (status, problem) = github(&source, "another secret", "issues", "1", ISSUE).await?;
    assert_eq!((status, problem["type"].as_str()), (StatusCode::UNAUTHORIZED, Some("/problems/unauthenticated")), "{problem}");
    assert_eq!(Client::new().post(&source.url).body("{}").send().await?.status(), StatusCode::UNAUTHORIZED);
    let elsewhere = format!("{}/api/v1/hooks/{}", patchbay.url, "0".repeat(32));
    assert_eq!(Client::new().post(elsewhere).body("{}").send().await?.status(), StatusCode::NOT_FOUND);
    assert_eq!(Client::new().post(&source.url).body("x".repeat(2 << 20)).send().await?.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let path = format!("/webhooks/sources/{}", source.id);
    assert_eq!(patchbay.get(&format!("{path}/deliveries")).await?.1["data"], json!([]));
    // Malformed, but from whom it says: kept, with what is wrong.
    let (status, problem) = github(&source, &source.secret, "issues", "2", "{\"action\":").await?;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(problem["detail"].as_str().is_some_and(|why| why.starts_with("the body is not JSON")), "{problem}");
    let delivery = outcome(&patchbay, &source).await?;
    assert_eq!((delivery["outcome"].as_str(), delivery["body"].as_str()), (Some("failed"), Some("{\"action\":")), "{delivery}");
    assert!(delivery["why"].as_str().is_some_and(|why| why.starts_with("the body is not JSON")), "{delivery}");
    // Switched off it is not there.
    let (status, _) = patchbay.ask(Some(&patchbay.key), Method::PATCH, &path, Some(&json!({ "enabled": false }))).await?;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(github(&source, &source.secret, "issues", "3", ISSUE).await?.0, StatusCode::NOT_FOUND);
    patchbay.end().await
}

#[tokio::test]
async fn a_secret_that_is_replaced_counts_for_a_while() -> Result<()> {
    let mut patchbay = start().await?;
    let source = source(&patchbay, &json!({ "name": "Shop", "kind": "standard", "template": "" })).await?;
    let rotate = format!("/webhooks/sources/{}/rotate", source.id);
    let (status, new) = patchbay.post(&rotate, &json!({})).await?;
    assert_eq!(status, StatusCode::OK, "{new}");
    let new = new["secret"].as_str().unwrap_or_default().to_owned();
    let body = json!({ "type": "order.placed" });
    assert_eq!(standard(&source, &source.secret, "msg_1", &body).await?.0, StatusCode::ACCEPTED, "the old one, in the overlap");
    assert_eq!(standard(&source, &new, "msg_2", &body).await?.0, StatusCode::ACCEPTED, "the new one");
    let (_, view) = patchbay.get(&format!("/webhooks/sources/{}", source.id)).await?;
    assert_eq!(view["secrets"].as_array().map(Vec::len), Some(2), "{view}");
    assert!(!view.to_string().contains(&new), "a secret is shown once");
    let (_, newest) = patchbay.post(&rotate, &json!({ "overlap_hours": 0 })).await?;
    assert_eq!(standard(&source, &source.secret, "msg_3", &body).await?.0, StatusCode::UNAUTHORIZED);
    assert_eq!(standard(&source, &new, "msg_4", &body).await?.0, StatusCode::UNAUTHORIZED);
    assert_eq!(standard(&source, newest["secret"].as_str().unwrap_or_default(), "msg_5", &body).await?.0, StatusCode::ACCEPTED);
    assert_eq!(outcome(&patchbay, &source).await?["outcome"], "ignored", "an empty template makes nothing");
    patchbay.end().await
}

#[tokio::test]
async fn a_command_is_the_templates_and_its_values_stay_values() -> Result<()> {
    let mut patchbay = start().await?;
    project(&patchbay).await?;
    let template = "add {{ payload.title }}";
    let body =
        json!({ "name": "Desk", "kind": "standard", "makes": "command", "template": template, "filter": "@.payload.kind == 'request'", "project": "WEB" });
    let source = source(&patchbay, &body).await?;
    let evil = json!({ "kind": "request", "title": "Paper\" p1\ndelete WEB-1\nadd \"x" });
    standard(&source, &source.secret, "msg_1", &evil).await?;
    let tree = patchbay.until("/projects/WEB/tree", |tree| !titles(tree).is_empty()).await?;
    assert_eq!(titles(&tree), ["Paper' p1 delete WEB-1 add 'x"], "{tree}");
    assert_eq!(tree["tasks"][0]["priority"], json!(null));
    standard(&source, &source.secret, "msg_2", &json!({ "kind": "other", "title": "Pens" })).await?;
    let all = patchbay.until(&format!("/webhooks/sources/{}/deliveries", source.id), |all| all["data"][0]["outcome"] == "ignored").await?;
    assert_eq!(all["data"][0]["why"], "the filter does not mean it");
    patchbay.end().await
}

#[tokio::test]
async fn a_template_is_tried_without_an_effect() -> Result<()> {
    let mut patchbay = start().await?;
    let source = source(&patchbay, &json!({ "name": "GitHub", "kind": "github", "filter": "@.event == 'release.published'" })).await?;
    let path = format!("/webhooks/sources/{}/try", source.id);
    assert_eq!(patchbay.post(&path, &json!({})).await?.0, StatusCode::UNPROCESSABLE_ENTITY, "nothing was delivered yet");
    github(&source, &source.secret, "issues", "1", ISSUE).await?;
    outcome(&patchbay, &source).await?;
    let (_, tried) = patchbay.post(&path, &json!({})).await?;
    assert_eq!((tried["event"].as_str(), tried["why"].as_str()), (Some("issues.opened"), Some("the filter does not mean it")), "{tried}");
    let (_, tried) = patchbay.post(&path, &json!({ "filter": null, "template": "- {{ payload.issue.title }}" })).await?;
    assert_eq!((tried["text"].as_str(), tried["makes"].as_str()), (Some("- Spelling error in the README file"), Some("plan")), "{tried}");
    let (_, tried) = patchbay.post(&path, &json!({ "filter": null, "template": "{{ payload.nothing }}" })).await?;
    assert!(tried["why"].as_str().is_some_and(|why| why.contains("something that is not there in line 1")), "{tried}");
    let own = json!({ "payload": { "action": "published", "release": { "tag_name": "v1", "name": null, "html_url": "https://x.example" }, "repository": { "name": "web" } }, "headers": { "X-GitHub-Event": "release" } });
    let (_, tried) = patchbay.post(&path, &own).await?;
    assert_eq!(tried["text"], "- Announce web v1\n  https://x.example", "{tried}");
    assert_eq!(patchbay.get("/proposals").await?.1["data"], json!([]));
    for (bad, at) in [
        (json!({ "name": "a", "kind": "github", "filter": "event = 1" }), "/filter"),
        (json!({ "name": "a", "kind": "hmac", "template": "{{ x" }), "/template"),
        (json!({ "name": "a", "kind": "standard", "secret": "not one of that kind" }), "/secret"),
        (json!({ "name": "a", "kind": "hmac", "scheme": { "header": "x y" } }), "/scheme/header"),
        (json!({ "name": "a", "kind": "hmac", "project": "NONE" }), "/project"),
        (json!({ "name": "a", "kind": "hmac", "member": "nobody" }), "/member"),
    ] {
        let (status, problem) = patchbay.post("/webhooks/sources", &bad).await?;
        assert_eq!((status, problem["errors"][0]["path"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some(at)), "{problem}");
    }
    let (status, problem) = patchbay.post("/webhooks/sources", &json!({ "name": "GitHub", "kind": "github" })).await?;
    assert_eq!((status, problem["type"].as_str()), (StatusCode::CONFLICT, Some("/problems/name-taken")));
    patchbay.end().await
}

/// GitLab names each delivery by the header that the API knows from its own clients.
#[tokio::test]
async fn gitlab_is_believed_by_its_token_and_known_by_its_key() -> Result<()> {
    let mut patchbay = start().await?;
    project(&patchbay).await?;
    let source = source(&patchbay, &json!({ "name": "GitLab", "kind": "gitlab", "project": "WEB" })).await?;
    let deliver = |token: String| {
        let request =
            Client::new().post(&source.url).header("x-gitlab-token", token).header("idempotency-key", "key-1").header("x-gitlab-event", "Pipeline Hook");
        request.header("webhook-id", "key-1").header("webhook-timestamp", "1").body(include_str!("../../data/webhooks/gitlab-pipeline-failed.json")).send()
    };
    assert_eq!(deliver("something else".into()).await?.status(), StatusCode::UNAUTHORIZED);
    for is_new in [true, false] {
        let answer: serde_json::Value = deliver(source.secret.clone()).await?.json().await?;
        assert_eq!(answer["is_new"], is_new, "{answer}");
    }
    let delivery = outcome(&patchbay, &source).await?;
    assert_eq!(
        delivery["text"].as_str().and_then(|text| text.lines().next()),
        Some("- Fix the pipeline of gitlab-org/gitlab-test, branch master"),
        "{delivery}"
    );
    assert!(!delivery["headers"].to_string().contains(&source.secret), "what is kept has no secret in it: {delivery}");
    patchbay.end().await
}
