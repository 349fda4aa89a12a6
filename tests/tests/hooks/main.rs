//! Webhooks in and out, and triggers between them: the service against real senders and receivers.

mod inbound;
mod malformed;
mod outbound;
mod tenants;
mod triggers;

use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};
use hmac::{Hmac, KeyInit, Mac};
use patchbay_channels::webhook::sign;
use patchbay_core::ids::{Context, System};
use patchbay_tests::service::Running;
use patchbay_web::settings::Settings;
use reqwest::{Client, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use sha2::Sha256;

/// A service that may call this machine, and that does not wait long between attempts.
pub(crate) async fn start() -> Result<Running> {
    Running::start_with(near).await
}

/// The settings of such a service.
pub(crate) fn near(settings: &mut Settings) {
    settings.webhooks.allow_private = true;
    settings.webhooks.retries_s = vec![1, 1];
}

/// A source, its URL and its secret.
pub(crate) struct Source {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) secret: String,
}

pub(crate) async fn source(patchbay: &Running, body: &Value) -> Result<Source> {
    let (status, made) = patchbay.post("/webhooks/sources", body).await?;
    ensure!(status == StatusCode::CREATED, "{status}: {made}");
    let text = |name: &str| made[name].as_str().map(str::to_owned).with_context(|| format!("{name} in {made}"));
    Ok(Source { id: text("id")?, url: text("url")?, secret: text("secret")? })
}

/// Delivers as GitHub does.
pub(crate) async fn github(source: &Source, secret: &str, event: &str, delivery: &str, body: &str) -> Result<(StatusCode, Value)> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
    mac.update(body.as_bytes());
    let mut signature = String::from("sha256=");
    for byte in mac.finalize().into_bytes() {
        write!(signature, "{byte:02x}")?;
    }
    let request = Client::new()
        .post(&source.url)
        .header("x-github-event", event)
        .header("x-github-delivery", delivery)
        .header("x-hub-signature-256", signature)
        .header("content-type", "application/json")
        .body(body.to_owned());
    let response = request.send().await?;
    let status = response.status();
    Ok((status, response.json().await?))
}

/// Delivers as Standard Webhooks say.
pub(crate) async fn standard(source: &Source, secret: &str, id: &str, body: &Value) -> Result<(StatusCode, Value)> {
    let body = body.to_string();
    let headers: HeaderMap = sign::headers(id, System::default().now(), &body, &[secret.into()])?;
    let response = Client::new().post(&source.url).headers(headers).body(body).send().await?;
    let status = response.status();
    Ok((status, response.json().await?))
}

/// Waits for what became of a source's newest delivery.
pub(crate) async fn outcome(patchbay: &Running, source: &Source) -> Result<Value> {
    let path = format!("/webhooks/sources/{}/deliveries", source.id);
    let all = patchbay.until(&path, |all| all["data"][0]["outcome"].as_str().is_some_and(|outcome| outcome != "waiting")).await?;
    Ok(all["data"][0].clone())
}

pub(crate) async fn project(patchbay: &Running) -> Result<()> {
    let (status, made) = patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    ensure!(status.is_success(), "{made}");
    Ok(())
}

/// The titles of a project's tasks.
pub(crate) fn titles(tree: &Value) -> Vec<&str> {
    tree["tasks"].as_array().into_iter().flatten().filter_map(|task| task["title"].as_str()).collect()
}
