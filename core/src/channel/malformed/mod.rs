//! What a channel brought and nobody could read: kept for a while, so that it can be looked into.
//!
//! Invariants: only what proved where it comes from is kept; nothing that opens anything is kept with it; there is never more than
//! [`MAX_KEPT`] of a channel, of [`MAX_BODY`] bytes each.

mod fields;
pub mod store;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::Channel;
use crate::ids::MalformedId;
use fields::values;

/// How much of a body is kept, in bytes.
pub const MAX_BODY: usize = 64 * 1024;
/// How many are kept of a channel; the oldest go first.
pub const MAX_KEPT: i64 = 100;

/// Something that could not be read, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Malformed {
    pub id: MalformedId,
    pub channel: Channel,
    /// What is wrong with it.
    pub error: String,
    /// How it begins, without what was secret in it.
    pub body: String,
    /// Of all of it, as it came.
    pub size_bytes: i64,
    /// How often it came.
    pub times: i32,
    pub first_at: DateTime<Utc>,
    pub last_at: DateTime<Utc>,
}

/// Something that could not be read, to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Unread<'a> {
    pub channel: Channel,
    /// For people.
    pub error: String,
    /// The bytes as they came.
    pub raw: &'a [u8],
    /// What a person can read of them; secrets go when it is kept.
    pub text: String,
}

impl<'a> Unread<'a> {
    /// Bytes that are nearly text.
    pub fn new(channel: Channel, error: impl Into<String>, raw: &'a [u8]) -> Self {
        let text = String::from_utf8_lossy(&raw[..raw.len().min(MAX_BODY)]).into_owned();
        Self { channel, error: error.into(), raw, text }
    }

    /// The value of a field, wherever it stands.
    pub fn field(&self, name: &str) -> Option<&str> {
        values(&self.text, |other| other == name).next().map(|value| &self.text[value])
    }

    fn body(&self) -> String {
        let end = self.text.floor_char_boundary(MAX_BODY.min(self.text.len()));
        without_secrets(&self.text[..end])
    }
}

/// What stands where something was secret.
const REMOVED: &str = "[removed]";

/// A text without the values of fields that are secret by their name, and without words that are secret by their look.
fn without_secrets(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    for value in values(text, is_secret).filter(|value| !value.is_empty()) {
        kept.push_str(&text[at..value.start]);
        kept.push_str(REMOVED);
        at = value.end;
    }
    kept.push_str(&text[at..]);
    let mut clean = String::with_capacity(kept.len());
    for piece in kept.split_inclusive(is_edge) {
        let word = piece.trim_end_matches(is_edge);
        clean.push_str(if opens_something(word) { REMOVED } else { word });
        clean.push_str(&piece[word.len()..]);
    }
    // Postgres has no text with a NUL in it.
    clean.replace('\0', "\u{fffd}")
}

fn is_edge(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '<' | '>' | ',' | ';' | '&' | '(' | ')' | '=' | '\\')
}

fn is_secret(name: &str) -> bool {
    const PARTS: [&str; 10] = ["token", "secret", "passw", "authorization", "apikey", "signature", "cookie", "credential", "responseurl", "triggerid"];
    // The ids of mails of ours carry the right to decide.
    const WHOLE: [&str; 3] = ["references", "inreplyto", "messageid"];
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    PARTS.iter().any(|part| plain.contains(part)) || WHOLE.contains(&plain.as_str())
}

fn opens_something(word: &str) -> bool {
    const BEGINS: [&str; 8] = ["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxe", "xapp-", "pb_", "eyJ"];
    let is_long = word.len() > 12;
    is_long && (BEGINS.iter().any(|begin| word.starts_with(begin)) || word.contains("hooks.slack.com/") || word.contains("/api/webhooks/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(without_secrets(text), expected, "{text}");
    }

    #[test]
    fn secrets_go_and_the_rest_stays() {
        check(
            r#"{"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl","team_id":"T1","event":{"text":"the token is lost"}}"#,
            r#"{"token":"[removed]","team_id":"T1","event":{"text":"the token is lost"}}"#,
        );
        check(r#"{"token" : "a\"b", "response_url": "https://x/1", "n": 1"#, r#"{"token" : "[removed]", "response_url": "[removed]", "n": 1"#);
        check(r#"{"payload":"{\"trigger_id\":\"12.3\",\"user\":\"U1\"}"}"#, r#"{"payload":"{\"trigger_id\":\"[removed]\",\"user\":\"U1\"}"}"#);
        check(r#"{"token":"never closed"#, r#"{"token":"[removed]"#);
        // In two parts, so that nobody takes it for one that was let out.
        check(&[r#"{"tokens": {"a": "xoxb"#, r#"-1234567890-abc"}, "token": null}"#].concat(), r#"{"tokens": {"a": "[removed]"}, "token": [removed]}"#);
        check("token=abc&team_id=T1&text=done", "token=[removed]&team_id=T1&text=done");
        check("Authorization: Bearer abc def\nSubject: x", "Authorization: [removed]\nSubject: x");
        check("References: <a@b>\r\n <c@d>\r\nSubject: x", "References: [removed]\r\nSubject: x");
        check("see https://hooks.slack.com/commands/T1/2/x and xapp-1-A0123-2-b", "see [removed] and [removed]");
        check("a\0b", "a\u{fffd}b");
    }

    #[test]
    fn a_field_is_found_wherever_it_stands() {
        let field = |text: &'static str, name| Unread::new(Channel::Slack, "", text.as_bytes()).field(name).map(str::to_owned);
        assert_eq!(field(r#"{"a":{"team_id": "T1"}}"#, "team_id").as_deref(), Some("T1"));
        assert_eq!(field("x=1&team_id=T2&y", "team_id").as_deref(), Some("T2"));
        assert_eq!(field(r#"{"guild_id": 42, "team_id"#, "guild_id").as_deref(), Some("42"));
        assert_eq!(field("{}", "team_id"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_loses_its_tokens(before in "\\PC{0,30}", secret in "[a-z]{14,20}", after in "[\", &}]\\PC{0,30}") {
            let text = format!("{before}&token={secret}{after}");
            proptest::prop_assert!(!without_secrets(&text).contains(&secret) || before.contains(&secret) || after.contains(&secret));
        }
    }
}
