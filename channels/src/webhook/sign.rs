//! Signing what goes out, as Standard Webhooks says: <https://www.standardwebhooks.com>.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use patchbay_core::tenancy::Secret;
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use standardwebhooks::{Webhook, WebhookError};

/// A new secret, `whsec_…`: 64 bytes, the most that the specification allows.
pub fn new_secret() -> SecretString {
    format!("whsec_{}", STANDARD.encode(Secret::generate("").text.expose_secret())).into()
}

/// Whether a text can be such a secret: 24 to 64 bytes in base 64 after `whsec_`.
pub fn is_secret(text: &str) -> bool {
    text.strip_prefix("whsec_").and_then(|text| STANDARD.decode(text).ok()).is_some_and(|bytes| (24..=64).contains(&bytes.len()))
}

/// The headers of a message: its id, the time, and a signature for each secret that counts.
pub fn headers(id: &str, at: DateTime<Utc>, body: &str, secrets: &[SecretString]) -> Result<HeaderMap, WebhookError> {
    let signatures: Result<Vec<String>, WebhookError> =
        secrets.iter().map(|secret| Webhook::new(secret.expose_secret())?.sign(id, at.timestamp(), body.as_bytes())).collect();
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    put("content-type", "application/json");
    put("webhook-id", id);
    put("webhook-timestamp", &at.timestamp().to_string());
    put("webhook-signature", &signatures?.join(" "));
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use patchbay_core::integrations::inbound::{Kind, Scheme};

    use super::{
        super::{delivery, verify::verify},
        *,
    };

    #[test]
    fn what_is_signed_with_several_secrets_is_believed_by_whoever_has_one() {
        let (old, new) = (new_secret(), new_secret());
        let at = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let sent = delivery::headers(&headers("msg_1", at, "{}", &[new.clone(), old.clone()]).unwrap());
        for secret in [old, new] {
            assert!(is_secret(secret.expose_secret()));
            assert_eq!(verify(Kind::Standard, &Scheme::default(), &[secret], &sent, b"{}", at), Ok(()));
        }
        assert!(verify(Kind::Standard, &Scheme::default(), &[new_secret()], &sent, b"{}", at).is_err());
        assert!(!is_secret("whsec_AAAA") && !is_secret("secret"));
    }
}
