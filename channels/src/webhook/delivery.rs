//! A delivery as filters and templates see it: who sent it, what kind of event it is, and by which key it is known when it comes again.

use patchbay_core::integrations::inbound::{Headers, Kind, Scheme, Source};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::verify;

/// The longest key that is kept as it is; a longer one is kept as its digest.
const MAX_KEY: usize = 200;
/// The longest name of an event.
const MAX_EVENT: usize = 100;

/// Headers by their names in small letters. Of one that comes twice the first counts.
pub fn headers(map: &HeaderMap) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in map {
        headers.entry(name.as_str().to_owned()).or_insert_with(|| String::from_utf8_lossy(value.as_bytes()).replace('\0', "\u{fffd}"));
    }
    headers
}

/// The headers without those that carry secrets: what may be kept.
pub fn without_secrets(kind: Kind, scheme: &Scheme, mut headers: Headers) -> Headers {
    headers.retain(|name, _| !verify::is_secret(kind, scheme, name));
    headers
}

/// By what a delivery is known when it comes again: the sender's name for it, else a digest of what it says.
pub fn key(kind: Kind, scheme: &Scheme, headers: &Headers, body: &[u8]) -> String {
    let names: &[&str] = match kind {
        Kind::Standard => &["webhook-id"],
        Kind::Github => &["x-github-delivery"],
        // The first of them is the same on each try; the last is the same also for hooks that a hook caused.
        Kind::Gitlab => &["idempotency-key", "webhook-id", "x-gitlab-event-uuid"],
        Kind::Hmac | Kind::Bearer => &[],
    };
    let names = scheme.key_header.as_deref().into_iter().chain(names.iter().copied());
    let given = names.filter_map(|name| headers.get(name)).find(|value| !value.is_empty());
    match given {
        Some(given) if given.len() <= MAX_KEY => given.clone(),
        Some(given) => format!("sha256:{}", digest(given.as_bytes())),
        None => format!("sha256:{}", digest(body)),
    }
}

fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What kind of event it is, in one form for all senders: `issues.opened`, `merge_request.open`; empty where nothing says so.
pub fn event(kind: Kind, headers: &Headers, body: &Value) -> String {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let (name, action) = match kind {
        Kind::Github => (headers.get("x-github-event").map(String::as_str), text("/action")),
        Kind::Gitlab => (text("/object_kind").or_else(|| text("/event_type")), text("/object_attributes/action").or_else(|| text("/action"))),
        Kind::Standard => (text("/type"), None),
        Kind::Hmac | Kind::Bearer => {
            let named = headers.get("sentry-hook-resource").map(String::as_str);
            (named.or_else(|| text("/type")).or_else(|| text("/event")), named.and_then(|_| text("/action")))
        }
    };
    let event = [name, action].into_iter().flatten().collect::<Vec<_>>().join(".");
    event.chars().filter(|c| !c.is_control()).take(MAX_EVENT).collect()
}

/// What a filter and a template see of a delivery.
pub(super) fn document(source: &Source, headers: &Headers, event: &str, payload: Value) -> Value {
    let mut document = json!({
        "source": source.settings.name,
        "kind": source.settings.kind,
        "event": event,
        "headers": headers,
        "project": source.project_key,
    });
    document["payload"] = payload;
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(pairs: &[(&str, &str)]) -> Headers {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_delivery_is_known_by_its_senders_name_or_by_what_it_says() {
        let scheme = Scheme::default();
        assert_eq!(key(Kind::Standard, &scheme, &some(&[("webhook-id", "msg_1")]), b"x"), "msg_1");
        assert_eq!(key(Kind::Github, &scheme, &some(&[("x-github-delivery", "72d3162e")]), b"x"), "72d3162e");
        assert_eq!(key(Kind::Gitlab, &scheme, &some(&[("x-gitlab-event-uuid", "e"), ("idempotency-key", "i")]), b"x"), "i");
        assert_eq!(key(Kind::Gitlab, &scheme, &some(&[("x-gitlab-event-uuid", "e")]), b"x"), "e");
        let own = Scheme { key_header: Some("x-request".into()), ..Scheme::default() };
        assert_eq!(key(Kind::Hmac, &own, &some(&[("x-request", "7")]), b"x"), "7");
        let by_digest = key(Kind::Hmac, &own, &some(&[]), b"x");
        assert_eq!(by_digest, "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881");
        assert_ne!(by_digest, key(Kind::Hmac, &own, &some(&[]), b"y"));
        assert!(key(Kind::Standard, &scheme, &some(&[("webhook-id", &"x".repeat(300))]), b"x").len() < MAX_KEY);
    }

    #[test]
    fn events_of_all_senders_have_one_form() {
        let body = serde_json::json!({ "action": "opened", "object_kind": "merge_request", "object_attributes": { "action": "open" }, "type": "invoice.paid" });
        assert_eq!(event(Kind::Github, &some(&[("x-github-event", "issues")]), &body), "issues.opened");
        assert_eq!(event(Kind::Github, &some(&[("x-github-event", "ping")]), &Value::Null), "ping");
        assert_eq!(event(Kind::Gitlab, &some(&[]), &body), "merge_request.open");
        assert_eq!(event(Kind::Standard, &some(&[]), &body), "invoice.paid");
        assert_eq!(event(Kind::Hmac, &some(&[("sentry-hook-resource", "event_alert")]), &body), "event_alert.opened");
        assert_eq!(event(Kind::Bearer, &some(&[]), &Value::Null), "");
    }
}
