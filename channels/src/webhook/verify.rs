//! Whether a delivery comes from whom it says: signatures and tokens, compared in constant time, before anything is parsed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use patchbay_core::integrations::inbound::{Encoding, Headers, Kind, Scheme};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use standardwebhooks::Webhook;

/// How old or how far ahead a signed time may be, in seconds, as the Standard Webhooks specification advises.
const TOLERANCE_S: i64 = 5 * 60;

/// Why a delivery is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the header `{0}` is missing")]
    Missing(String),
    #[error("the header `{0}` cannot be read")]
    Unreadable(String),
    #[error("it was signed too long ago, or too far ahead: more than {TOLERANCE_S} seconds")]
    Stale,
    #[error("no secret of this source fits")]
    Wrong,
}

/// Checks a delivery with each of the secrets that count: one that fits is enough.
pub fn verify(kind: Kind, scheme: &Scheme, secrets: &[SecretString], headers: &Headers, body: &[u8], now: DateTime<Utc>) -> Result<(), Refused> {
    match kind {
        Kind::Standard => standard(secrets, headers, body, now),
        Kind::Github => {
            let given = header(headers, "x-hub-signature-256")?;
            let given = given.strip_prefix("sha256=").ok_or_else(|| Refused::Unreadable("x-hub-signature-256".into()))?;
            any(secrets, |secret| is_mac(secret, body, given, Encoding::Hex))
        }
        // Newer ones sign as Standard Webhooks do. They send its id and time also where no signing token is set: only the signature tells.
        Kind::Gitlab if headers.contains_key("webhook-signature") => standard(secrets, headers, body, now),
        Kind::Gitlab => {
            let given = header(headers, "x-gitlab-token")?;
            any(secrets, |secret| is_same(secret, given))
        }
        Kind::Hmac => {
            let name = scheme.header.as_deref().unwrap_or("x-signature");
            let given = header(headers, name)?;
            let given = given.strip_prefix(scheme.prefix.as_deref().unwrap_or_default()).ok_or_else(|| Refused::Unreadable(name.into()))?;
            any(secrets, |secret| is_mac(secret, body, given, scheme.encoding))
        }
        Kind::Bearer => {
            let name = scheme.header.as_deref().unwrap_or("authorization");
            let given = header(headers, name)?;
            let token = match name {
                "authorization" => given.split_once(' ').filter(|(word, _)| word.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim()),
                _ => Some(given),
            };
            let token = token.ok_or_else(|| Refused::Unreadable(name.into()))?;
            any(secrets, |secret| is_same(secret, token))
        }
    }
}

/// The headers that carry a secret itself, which is not for the eyes of whoever inspects a delivery.
pub(super) fn is_secret(kind: Kind, scheme: &Scheme, name: &str) -> bool {
    matches!(name, "authorization" | "cookie" | "proxy-authorization" | "x-gitlab-token") || (kind == Kind::Bearer && scheme.header.as_deref() == Some(name))
}

fn standard(secrets: &[SecretString], headers: &Headers, body: &[u8], now: DateTime<Utc>) -> Result<(), Refused> {
    let (id, time, signatures) = (header(headers, "webhook-id")?, header(headers, "webhook-timestamp")?, header(headers, "webhook-signature")?);
    let time: i64 = time.parse().map_err(|_| Refused::Unreadable("webhook-timestamp".into()))?;
    if now.timestamp().abs_diff(time) > TOLERANCE_S.unsigned_abs() {
        return Err(Refused::Stale);
    }
    // The crate's own check asks the machine for the time, which is handed in here.
    any(secrets, |secret| {
        let Some(ours) = Webhook::new(secret.expose_secret()).ok().and_then(|webhook| webhook.sign(id, time, body).ok()) else { return false };
        let ours: SecretString = ours.into();
        signatures.split_ascii_whitespace().any(|signature| is_same(&ours, signature))
    })
}

fn header<'a>(headers: &'a Headers, name: &str) -> Result<&'a str, Refused> {
    headers.get(name).map(String::as_str).ok_or_else(|| Refused::Missing(name.to_owned()))
}

fn any(secrets: &[SecretString], fits: impl FnMut(&SecretString) -> bool) -> Result<(), Refused> {
    if secrets.iter().any(fits) { Ok(()) } else { Err(Refused::Wrong) }
}

fn mac(secret: &SecretString, text: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).expect("HMAC takes a key of any length");
    mac.update(text);
    mac
}

fn is_mac(secret: &SecretString, body: &[u8], given: &str, encoding: Encoding) -> bool {
    let given = match encoding {
        Encoding::Hex => from_hex(given),
        Encoding::Base64 => STANDARD.decode(given).ok(),
    };
    given.is_some_and(|given| mac(secret, body).verify_slice(&given).is_ok())
}

/// Whether two texts are the same, told in a time that depends on neither: their MACs under a key of this comparison are compared.
fn is_same(secret: &SecretString, given: &str) -> bool {
    mac(secret, given.as_bytes()).verify(&mac(secret, secret.expose_secret().as_bytes()).finalize().into_bytes()).is_ok()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn secrets(texts: &[&str]) -> Vec<SecretString> {
        texts.iter().map(|text| SecretString::from(*text)).collect()
    }

    fn check(kind: Kind, scheme: &Scheme, with: &[&str], pairs: &[(&str, &str)], body: &str, expected: &Result<(), Refused>) {
        let now = DateTime::from_timestamp(1_614_265_330, 0).unwrap();
        assert_eq!(&verify(kind, scheme, &secrets(with), &headers(pairs), body.as_bytes(), now), expected, "{kind:?} {pairs:?}");
    }

    /// The examples are those of the specification and of its reference libraries.
    #[test]
    fn standard_webhooks_are_believed_by_any_signature_that_fits_and_in_time_only() {
        let scheme = Scheme::default();
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let body = r#"{"test": 2432232314}"#;
        let good = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let sent = |signature: &'static str, time: &'static str| {
            [("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"), ("webhook-timestamp", time), ("webhook-signature", signature)]
        };
        check(Kind::Standard, &scheme, &[secret], &sent(good, "1614265330"), body, &Ok(()));
        check(Kind::Standard, &scheme, &[secret], &sent("v1,AAAA v2,x v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "1614265330"), body, &Ok(()));
        check(Kind::Standard, &scheme, &["whsec_AAAA", secret], &sent(good, "1614265330"), body, &Ok(()));
        check(Kind::Standard, &scheme, &["whsec_AAAA"], &sent(good, "1614265330"), body, &Err(Refused::Wrong));
        check(Kind::Standard, &scheme, &[], &sent(good, "1614265330"), body, &Err(Refused::Wrong));
        check(Kind::Standard, &scheme, &[secret], &sent(good, "1614265330"), "{}", &Err(Refused::Wrong));
        check(Kind::Standard, &scheme, &[secret], &sent(good, "1614265029"), body, &Err(Refused::Stale));
        check(Kind::Standard, &scheme, &[secret], &sent(good, "1614265631"), body, &Err(Refused::Stale));
        check(Kind::Standard, &scheme, &[secret], &sent(good, "soon"), body, &Err(Refused::Unreadable("webhook-timestamp".into())));
        check(Kind::Standard, &scheme, &[secret], &sent(good, "1614265330")[..2], body, &Err(Refused::Missing("webhook-signature".into())));
        // GitLab signs in the same way, and sends id and time also where it does not sign.
        check(Kind::Gitlab, &scheme, &[secret], &sent(good, "1614265330"), body, &Ok(()));
        let token = [("webhook-id", "x"), ("webhook-timestamp", "1"), ("x-gitlab-token", "open sesame")];
        check(Kind::Gitlab, &scheme, &["open sesame"], &token, body, &Ok(()));
        check(Kind::Gitlab, &scheme, &["open sesame!"], &token, body, &Err(Refused::Wrong));
    }

    /// The example is GitHub's own, for those who test their implementation.
    #[test]
    fn github_signs_the_body_with_the_secret_as_it_is() {
        let scheme = Scheme::default();
        let good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let secret = "It's a Secret to Everybody";
        check(Kind::Github, &scheme, &[secret], &[("x-hub-signature-256", good)], "Hello, World!", &Ok(()));
        check(Kind::Github, &scheme, &["new", secret], &[("x-hub-signature-256", good)], "Hello, World!", &Ok(()));
        check(Kind::Github, &scheme, &[secret], &[("x-hub-signature-256", good)], "Hello, World?", &Err(Refused::Wrong));
        check(Kind::Github, &scheme, &[secret], &[("x-hub-signature-256", &good[..20])], "Hello, World!", &Err(Refused::Wrong));
        check(
            Kind::Github,
            &scheme,
            &[secret],
            &[("x-hub-signature-256", "sha1=ab")],
            "Hello, World!",
            &Err(Refused::Unreadable("x-hub-signature-256".into())),
        );
        check(Kind::Github, &scheme, &[secret], &[("x-hub-signature", good)], "Hello, World!", &Err(Refused::Missing("x-hub-signature-256".into())));
    }

    #[test]
    fn an_hmac_stands_where_and_how_the_source_says() {
        let secret = "It's a Secret to Everybody";
        let hex = Scheme { header: Some("sentry-hook-signature".into()), ..Scheme::default() };
        let good = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        check(Kind::Hmac, &hex, &[secret], &[("sentry-hook-signature", good)], "Hello, World!", &Ok(()));
        check(Kind::Hmac, &hex, &[secret], &[("sentry-hook-signature", "zz")], "Hello, World!", &Err(Refused::Wrong));
        let base64 = Scheme { prefix: Some("v0=".into()), encoding: Encoding::Base64, ..Scheme::default() };
        let good = "v0=dXEH6g6yUJ/CESIczphLijdXC211hsIsRvQ3nIsEPhc=";
        check(Kind::Hmac, &base64, &[secret], &[("x-signature", good)], "Hello, World!", &Ok(()));
        check(Kind::Hmac, &base64, &[secret], &[("x-signature", &good[3..])], "Hello, World!", &Err(Refused::Unreadable("x-signature".into())));
    }

    #[test]
    fn a_bearer_brings_the_token_itself() {
        let scheme = Scheme::default();
        check(Kind::Bearer, &scheme, &["old", "new"], &[("authorization", "bearer new")], "", &Ok(()));
        check(Kind::Bearer, &scheme, &["old"], &[("authorization", "Bearer new")], "", &Err(Refused::Wrong));
        check(Kind::Bearer, &scheme, &["old"], &[("authorization", "old")], "", &Err(Refused::Unreadable("authorization".into())));
        let named = Scheme { header: Some("x-token".into()), ..Scheme::default() };
        check(Kind::Bearer, &named, &["old"], &[("x-token", "old")], "", &Ok(()));
        assert!(is_secret(Kind::Bearer, &named, "x-token") && is_secret(Kind::Github, &scheme, "authorization") && !is_secret(Kind::Hmac, &named, "x-token"));
    }
}
