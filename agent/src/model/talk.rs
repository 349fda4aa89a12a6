//! One request to one provider, and its streamed answer.

use std::time::{Duration, Instant};

use async_openai::error::OpenAIError;
use futures::StreamExt;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

use super::{
    options::Limits,
    provider::{Form, Provider, Refused},
};
use crate::planner::Exchange;

/// A piece of an answer. Only what is needed: compatible servers leave out much of the rest.
#[derive(Debug, Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
    /// Some servers report a failure in the midst of an answer.
    error: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Delta {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Usage {
    prompt_tokens: i64,
    completion_tokens: i64,
}

/// What came of a request.
pub(super) enum Answer {
    /// The words of the model, to the end; `is_cut` where it reached the limit of its length.
    Text { text: String, is_cut: bool },
    /// It will not.
    Refusal(String),
    /// The server does not take this form of answer.
    FormRefused,
    /// Nothing this time.
    Again { why: String, after: Option<Duration> },
    /// Nothing from this provider.
    Never { why: String },
}

/// Asks once. What is known so far goes to `tell` piece by piece. Dropping the future ends the request at the provider.
pub(super) async fn once(
    provider: &Provider,
    form: Form,
    messages: &[Value],
    prompt: String,
    limits: &Limits,
    tell: &mut (dyn FnMut(&str) + Send),
) -> (Answer, Exchange) {
    let started = Instant::now();
    let mut exchange = Exchange {
        provider: provider.name.clone(),
        model: provider.model.clone(),
        prompt,
        request: provider.request(form, messages),
        response: String::new(),
        input_tokens: None,
        output_tokens: None,
        cost_micros: None,
        latency: Duration::ZERO,
        problem: None,
    };
    let answer = match timeout(limits.total, streamed(provider, form, limits, &mut exchange, tell)).await {
        Ok(answer) => answer,
        Err(_) => Answer::Never { why: format!("it took longer than {} s", limits.total.as_secs_f32()) },
    };
    exchange.latency = started.elapsed();
    exchange.response = provider.scrub(&exchange.response);
    if let (Some(price), Some(input), Some(output)) = (provider.price, exchange.input_tokens, exchange.output_tokens) {
        exchange.cost_micros = Some(price.micros(input, output));
    }
    exchange.problem = match &answer {
        Answer::Text { is_cut: false, .. } => None,
        Answer::Text { is_cut: true, .. } => Some("the answer is cut off: it reached the limit of its length".to_owned()),
        Answer::Refusal(_) => Some("the model refused".to_owned()),
        Answer::FormRefused => Some(format!("the server does not take the form {form:?}")),
        Answer::Again { why, .. } | Answer::Never { why } => Some(provider.scrub(why)),
    };
    (answer, exchange)
}

async fn streamed(provider: &Provider, form: Form, limits: &Limits, exchange: &mut Exchange, tell: &mut (dyn FnMut(&str) + Send)) -> Answer {
    let silent = || Answer::Again { why: format!("it was silent for {} s", limits.first_byte.as_secs_f32()), after: None };
    let chat = provider.client.chat();
    let opened = timeout(limits.first_byte, chat.create_stream_byot::<_, Chunk>(&exchange.request)).await;
    let mut stream = match opened {
        Err(_) => return silent(),
        Ok(Err(error)) => {
            if let Some(refused) = refused(&error) {
                refused.body.clone_into(&mut exchange.response);
            }
            return failed(&error, form);
        }
        Ok(Ok(stream)) => stream,
    };
    let mut refusal = String::new();
    let mut finish = None;
    loop {
        let chunk = match timeout(limits.first_byte, stream.next()).await {
            Err(_) => return silent(),
            Ok(None) => break,
            Ok(Some(Err(error))) => return Answer::Again { why: format!("its answer broke off: {error}"), after: None },
            Ok(Some(Ok(chunk))) => chunk,
        };
        if let Some(error) = chunk.error {
            return Answer::Again { why: format!("it failed in the midst of its answer: {error}"), after: None };
        }
        if let Some(usage) = chunk.usage {
            exchange.input_tokens = Some(usage.prompt_tokens);
            exchange.output_tokens = Some(usage.completion_tokens);
        }
        for choice in chunk.choices {
            if let Some(text) = choice.delta.content {
                exchange.response.push_str(&text);
                tell(&text);
            }
            refusal.push_str(choice.delta.refusal.as_deref().unwrap_or_default());
            finish = choice.finish_reason.or(finish);
        }
    }
    if !refusal.is_empty() {
        exchange.response.push_str(&refusal);
        return Answer::Refusal(refusal);
    }
    match finish.as_deref() {
        None => Answer::Again { why: "its answer broke off".to_owned(), after: None },
        Some("content_filter") => Answer::Refusal("its provider's filter stopped the answer.".to_owned()),
        Some(reason) => Answer::Text { text: exchange.response.clone(), is_cut: reason == "length" },
    }
}

fn refused(error: &OpenAIError) -> Option<&Refused> {
    match error {
        OpenAIError::Boxed(boxed) => boxed.downcast_ref(),
        _ => None,
    }
}

/// Sorts failures: what may pass, what the form is to blame for, and what stays.
fn failed(error: &OpenAIError, form: Form) -> Answer {
    let Some(refused) = refused(error) else {
        return match error {
            OpenAIError::Reqwest(error) => Answer::Again { why: chain(error), after: None },
            other => Answer::Never { why: other.to_string() },
        };
    };
    let why = format!("{}: {}", refused.status, message(&refused.body));
    let says = |words: &[&str]| words.iter().any(|word| refused.body.contains(word));
    match refused.status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::NOT_IMPLEMENTED
            if form != Form::Text && says(&["response_format", "json_schema", "json_object", "schema", "structured"]) =>
        {
            Answer::FormRefused
        }
        StatusCode::TOO_MANY_REQUESTS if says(&["insufficient_quota"]) => Answer::Never { why },
        StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            Answer::Again { why, after: refused.retry_after }
        }
        status if status.is_server_error() => Answer::Again { why, after: refused.retry_after },
        _ => Answer::Never { why },
    }
}

/// The sentence in an error's body, where there is one.
fn message(body: &str) -> String {
    let said = serde_json::from_str::<Value>(body).ok().and_then(|value| {
        let error = value.get("error").unwrap_or(&value);
        error.get("message").unwrap_or(error).as_str().map(str::to_owned)
    });
    said.unwrap_or_else(|| body.to_owned()).chars().take(300).collect()
}

/// An error with what it came from: reqwest says only "error sending request".
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
