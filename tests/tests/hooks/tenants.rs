//! Tenants do not see each other's sources, endpoints and triggers, nor what becomes of them.

use anyhow::Result;
use patchbay_core::{
    db::{Db, PoolSize},
    ids::{Context, OrganizationId, System},
    patch::process::Role,
    tenancy::{
        Scopes,
        store::{self, NewKey},
    },
};
use patchbay_tests::{service::Running, webhook_receiver::Receiver};
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::{outcome, project, source, standard, start};

async fn stranger(patchbay: &Running) -> Result<String> {
    let db = Db::open(&patchbay.database.access().await?, PoolSize { service: 2, reader: 1 });
    let ctx = System::default();
    let organization = OrganizationId(ctx.uuid());
    let mut tx = db.begin(organization).await?;
    let owner = store::create_organization(&mut tx, &ctx, organization, "Other").await?;
    let key = NewKey { member: owner, name: "other", scopes: Scopes::of(Role::Owner), project: None, expires_at: None };
    let (_, secret) = store::create_key(&mut tx, &ctx, organization, &key).await?;
    tx.commit().await?;
    db.close().await;
    Ok(secret.text.expose_secret().to_owned())
}

#[tokio::test]
async fn nothing_of_one_tenant_reaches_another() -> Result<()> {
    let mut patchbay = start().await?;
    let stranger = stranger(&patchbay).await?;
    project(&patchbay).await?;
    let source = source(&patchbay, &json!({ "name": "Ours", "kind": "standard", "project": "WEB" })).await?;
    let (_, endpoint) = patchbay.post("/webhooks/endpoints", &json!({ "url": "https://example.com/ours", "events": ["nothing.at_all"] })).await?;
    let (_, trigger) = patchbay.post("/triggers", &json!({ "name": "Ours", "event": "webhook.received", "template": "- ours" })).await?;
    // Theirs hears of everything that happens, of theirs.
    let theirs = Receiver::start().await?;
    let (status, made) = patchbay.ask(Some(&stranger), Method::POST, "/webhooks/endpoints", Some(&json!({ "url": theirs.url }))).await?;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let (_, their_trigger) =
        patchbay.ask(Some(&stranger), Method::POST, "/triggers", Some(&json!({ "name": "Theirs", "event": "*", "template": "- theirs" }))).await?;

    standard(&source, &source.secret, "msg_1", &json!({ "text": "Secret plan" })).await?;
    assert_eq!(outcome(&patchbay, &source).await?["outcome"], "submitted");
    for path in ["/webhooks/sources", "/triggers", "/webhooks/endpoints"] {
        let (_, all) = patchbay.ask(Some(&stranger), Method::GET, path, None).await?;
        assert!(!all.to_string().contains("urs\"") || path != "/webhooks/sources", "{path}: {all}");
        assert!(!all.to_string().contains("Ours") && !all.to_string().contains("example.com"), "{path}: {all}");
    }
    let ids = [
        ("/webhooks/sources", source.id.as_str()),
        ("/webhooks/endpoints", endpoint["id"].as_str().unwrap_or_default()),
        ("/triggers", trigger["id"].as_str().unwrap_or_default()),
    ];
    for (path, id) in ids {
        let path = format!("{path}/{id}");
        assert_eq!(patchbay.get(&path).await?.0, StatusCode::OK, "{path} is there for us");
        for below in ["", "/deliveries", "/runs"] {
            let (status, answer) = patchbay.ask(Some(&stranger), Method::GET, &format!("{path}{below}"), None).await?;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}{below}: {answer}");
        }
        assert_eq!(patchbay.ask(Some(&stranger), Method::DELETE, &path, None).await?.0, StatusCode::NOT_FOUND);
    }
    // Something of theirs comes after all of ours: whatever was to reach them has.
    patchbay.ask(Some(&stranger), Method::POST, "/projects", Some(&json!({ "title": "Theirs", "key": "THEIRS" }))).await?;
    let got = theirs.got(1).await?;
    assert!(got.iter().all(|got| got.body["data"]["target"].as_str().is_some_and(|target| !target.contains("WEB") && !target.contains("Ours"))), "{got:?}");
    let path = format!("/triggers/{}/runs", their_trigger["id"].as_str().unwrap_or_default());
    let (_, runs) = patchbay.ask(Some(&stranger), Method::GET, &path, None).await?;
    assert!(runs["data"].as_array().into_iter().flatten().all(|run| run["event"] != "webhook.received"), "{runs}");
    patchbay.end().await
}
