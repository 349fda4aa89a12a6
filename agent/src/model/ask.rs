//! Asks until somebody answers: again with growing waits, in a looser form where the stricter is not taken, and the next provider.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use serde_json::Value;

use super::{
    Exchange, Limits,
    provider::Provider,
    stream::Partial,
    talk::{self, Answer},
};
use crate::planner::{Progress, ProgressSender};

/// What came of asking everybody.
pub(super) enum Asked {
    Text {
        text: String,
        is_cut: bool,
    },
    Refusal(String),
    /// Nobody answered; why, for people.
    Nobody(String),
}

/// A talk with whoever answers.
pub(super) struct Asking<'a> {
    providers: &'a [Provider],
    limits: &'a Limits,
    progress: &'a ProgressSender,
    pub(super) exchanges: Vec<Exchange>,
}

impl<'a> Asking<'a> {
    pub(super) const fn new(providers: &'a [Provider], limits: &'a Limits, progress: &'a ProgressSender) -> Self {
        Self { providers, limits, progress, exchanges: Vec::new() }
    }

    /// Goes on with the provider that answered last: those before it did not.
    pub(super) async fn ask(&mut self, messages: &[Value], label: &str) -> Asked {
        let mut troubles = Vec::new();
        while let Some((provider, others)) = self.providers.split_first() {
            match self.one(provider, messages, label).await {
                Ok(asked) => return asked,
                Err(why) => {
                    let why = provider.scrub(&why);
                    tracing::warn!(provider = provider.name, model = provider.model, why, "a model does not answer");
                    troubles.push(format!("{} ({}): {why}", provider.name, provider.model));
                }
            }
            // The last stays, for whoever asks again.
            if others.is_empty() {
                break;
            }
            self.providers = others;
        }
        Asked::Nobody(troubles.join("; "))
    }

    async fn one(&mut self, provider: &Provider, messages: &[Value], label: &str) -> Result<Asked, String> {
        let backoff = ExponentialBuilder::default().with_min_delay(self.limits.backoff).with_max_delay(self.limits.longest_wait);
        let mut waits = backoff.with_max_times(self.limits.retries).with_jitter().build();
        loop {
            let form = provider.form();
            let mut partial = Partial::default();
            let mut has_shown = false;
            let progress = self.progress;
            let mut tell = |piece: &str| {
                for news in partial.push(piece) {
                    has_shown = true;
                    // Nobody may listen any more; the outcome counts.
                    let _ = progress.send(news);
                }
            };
            let (answer, exchange) = talk::once(provider, form, messages, label.to_owned(), self.limits, &mut tell).await;
            self.exchanges.push(exchange);
            let wait = match answer {
                Answer::Text { text, is_cut } => return Ok(Asked::Text { text, is_cut }),
                Answer::Refusal(why) => return Ok(Asked::Refusal(why)),
                Answer::FormRefused if provider.give_up(form) => Duration::ZERO,
                Answer::FormRefused => return Err("it takes no form of answer".to_owned()),
                Answer::Again { why, after } => {
                    self.start_over(has_shown);
                    // It said itself when it can answer, at the earliest.
                    let wait = waits.next().map(|wait| after.unwrap_or_default().max(wait));
                    wait.filter(|wait| *wait <= self.limits.longest_wait * 2).ok_or(why)?
                }
                Answer::Never { why } => {
                    self.start_over(has_shown);
                    return Err(why);
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    fn start_over(&self, has_shown: bool) {
        if has_shown {
            let _ = self.progress.send(Progress::StartedOver);
        }
    }
}
