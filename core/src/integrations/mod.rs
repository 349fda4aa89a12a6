//! Other services: what they tell Patchbay, what it tells them, and what is to follow from what happens.
//!
//! Invariants: what a service sent is stored before it is acknowledged, and the same again has no second effect; what it is to be
//! told, and what is to follow, is stored in the transaction that moves the reader of the event log past the event.

pub mod cursor;
pub mod inbound;
pub mod outbound;
pub mod secret;
pub mod trigger;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

/// What a text that was made from a template is taken for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Makes {
    /// One command a line. What stands in the template is meant; what comes from outside only fills its quoted places.
    Command,
    /// A message to the planner, who makes a proposal of it that is marked as from outside.
    #[default]
    Plan,
}

impl Makes {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Plan => "plan",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Command, Self::Plan].into_iter().find(|makes| makes.as_str() == text)
    }
}

/// Whether an event is one of those that a pattern means: `*`, `proposal.*`, `proposal.opened`.
pub fn is_meant(pattern: &str, event: &str) -> bool {
    match pattern.strip_suffix('*') {
        None => pattern == event,
        Some(start) => event.starts_with(start),
    }
}

/// Whether a text can be a pattern of events: words of small letters, digits, `_` and `-` with dots between, perhaps a star as the last.
pub fn is_pattern(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte));
    let (words, last) = text.rsplit_once('.').map_or((None, text), |(words, last)| (Some(words), last));
    text.len() <= 100 && (last == "*" || is_word(last)) && words.is_none_or(|words| words.split('.').all(is_word))
}

/// Drops what is too old to be looked at or to come again.
pub async fn sweep(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<()> {
    inbound::store::sweep(&mut *conn, now).await?;
    outbound::store::sweep(&mut *conn, now).await?;
    trigger::store::sweep(conn, now).await?;
    Ok(())
}

/// A word of the database that is none of ours.
pub(crate) fn unknown(word: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("{word} is not known").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_one_event_or_all_that_begin_so() {
        assert!(is_meant("*", "proposal.opened"));
        assert!(is_meant("proposal.*", "proposal.opened"));
        assert!(is_meant("proposal.opened", "proposal.opened"));
        assert!(!is_meant("proposal.*", "project.changed"));
        assert!(!is_meant("proposal", "proposal.opened"));
    }

    #[test]
    fn a_star_stands_at_the_end_and_alone() {
        for good in ["*", "proposal.*", "webhook.received", "a-b.c_d"] {
            assert!(is_pattern(good), "{good}");
        }
        for bad in ["", "pro*", "*.opened", "Proposal.opened", "a..b", ".", "a b"] {
            assert!(!is_pattern(bad), "{bad}");
        }
    }
}
