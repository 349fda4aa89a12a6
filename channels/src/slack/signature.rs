//! Whether a request comes from Slack: <https://docs.slack.dev/authentication/verifying-requests-from-slack>.

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// How far the clock of a request may be from ours, either way: what is older may be a replay.
const MAX_AGE: TimeDelta = TimeDelta::minutes(5);

/// Why a request is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFromSlack {
    #[error("the headers X-Slack-Signature and X-Slack-Request-Timestamp are needed")]
    Missing,
    #[error("the signature is wrong")]
    Signature,
    #[error("slack.signing_secret is not set: this Patchbay hears Slack over a socket")]
    NoSecret,
    #[error("the request was signed more than five minutes ago, or by a clock that is ahead")]
    Age,
}

/// Checks the signature of a body as it came, before anything reads it; in constant time.
pub fn verify(secret: &SecretString, timestamp: Option<&str>, signature: Option<&str>, body: &[u8], now: DateTime<Utc>) -> Result<(), NotFromSlack> {
    let (timestamp, signature) = timestamp.zip(signature).ok_or(NotFromSlack::Missing)?;
    let signature = signature.strip_prefix("v0=").and_then(bytes).ok_or(NotFromSlack::Signature)?;
    mac(secret, timestamp, body).verify_slice(&signature).map_err(|_| NotFromSlack::Signature)?;
    let signed_at = timestamp.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0)).ok_or(NotFromSlack::Age)?;
    if (now - signed_at).abs() > MAX_AGE { Err(NotFromSlack::Age) } else { Ok(()) }
}

/// The signature that Slack puts on a body.
pub fn sign(secret: &SecretString, timestamp: &str, body: &[u8]) -> String {
    use std::fmt::Write;
    let mac = mac(secret, timestamp, body).finalize().into_bytes();
    mac.iter().fold("v0=".to_owned(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn mac(secret: &SecretString, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).expect("a key may have any length");
    for part in [b"v0:", timestamp.as_bytes(), b":", body] {
        mac.update(part);
    }
    mac
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let pair = |pair: &[u8]| Some(nibble(pair[0])? << 4 | nibble(pair[1])?);
    hex.len().is_multiple_of(2).then(|| hex.as_bytes().chunks(2).map(pair).collect()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the documentation.
    const BODY: &[u8] = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    const TIMESTAMP: &str = "1531420618";

    fn check(timestamp: Option<&str>, signature: Option<&str>, body: &[u8], now: i64) -> Result<(), NotFromSlack> {
        let secret = "8f742231b10e8888abcd99yyyzzz85a5".into();
        verify(&secret, timestamp, signature, body, DateTime::from_timestamp(now, 0).unwrap())
    }

    #[test]
    fn what_slack_signed_is_believed_for_five_minutes() {
        let signed = |now| check(Some(TIMESTAMP), Some(SIGNATURE), BODY, now);
        assert_eq!(signed(1_531_420_618), Ok(()));
        assert_eq!(signed(1_531_420_918), Ok(()));
        assert_eq!(signed(1_531_420_919), Err(NotFromSlack::Age));
        assert_eq!(signed(1_531_420_317), Err(NotFromSlack::Age));
        assert_eq!(sign(&"8f742231b10e8888abcd99yyyzzz85a5".into(), TIMESTAMP, BODY), SIGNATURE);
    }

    #[test]
    fn anything_else_is_not_believed() {
        let now = 1_531_420_618;
        assert_eq!(check(None, Some(SIGNATURE), BODY, now), Err(NotFromSlack::Missing));
        assert_eq!(check(Some(TIMESTAMP), None, BODY, now), Err(NotFromSlack::Missing));
        assert_eq!(check(Some("1531420619"), Some(SIGNATURE), BODY, now), Err(NotFromSlack::Signature));
        assert_eq!(check(Some(TIMESTAMP), Some(SIGNATURE), b"token=other", now), Err(NotFromSlack::Signature));
        for signature in ["", "v0=", "v0=a", "v0=zz", "v1=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503", &SIGNATURE[..65], "v0=éé"] {
            assert_eq!(check(Some(TIMESTAMP), Some(signature), BODY, now), Err(NotFromSlack::Signature), "{signature}");
        }
    }
}
