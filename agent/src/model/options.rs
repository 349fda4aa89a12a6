//! What the model planner is set up with.

use std::time::Duration;

use secrecy::SecretString;

/// A model at an endpoint.
#[derive(Clone, Debug)]
pub struct Provider {
    /// For people, and for what is kept of the talk.
    pub name: String,
    /// Up to and without `/chat/completions`; `None`: `OpenAI`'s.
    pub base_url: Option<String>,
    pub api_key: Option<SecretString>,
    pub model: String,
    pub price: Option<Price>,
}

/// Prices of a million tokens, in the price list's currency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    pub input: f64,
    pub output: f64,
}

impl Price {
    /// Millionths of the currency: what a token costs is the price of a million, in millionths.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a talk has far fewer tokens than a float holds exactly")]
    pub fn micros(self, input: i64, output: i64) -> i64 {
        (self.input * input as f64 + self.output * output as f64).round() as i64
    }
}

/// How long to wait, how often to try, how much to tell.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connect: Duration,
    /// From the request to the first piece of the answer, and from one piece to the next.
    pub first_byte: Duration,
    /// For one whole answer.
    pub total: Duration,
    /// How often a provider is asked again that did not answer, before the next one is.
    pub retries: usize,
    /// The first wait before asking again; it doubles, with jitter.
    pub backoff: Duration,
    /// The longest wait; a provider that wants a longer one is passed over.
    pub longest_wait: Duration,
    /// About how many tokens the plan and the talk may take in a request.
    pub context_tokens: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_mins(1),
            total: Duration::from_mins(3),
            retries: 2,
            backoff: Duration::from_millis(500),
            longest_wait: Duration::from_secs(20),
            context_tokens: 16_000,
        }
    }
}

/// A provider cannot be used as it is set up.
#[derive(Debug, thiserror::Error)]
#[error("the model provider `{provider}` cannot be used: {why}")]
pub struct Unusable {
    pub(super) provider: String,
    pub(super) why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_of_a_million_tokens_gives_millionths_of_one() {
        assert_eq!(Price { input: 0.25, output: 2.0 }.micros(1_000, 500), 1_250);
    }
}
