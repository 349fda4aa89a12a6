//! The tool that calls an address of the outside.

use async_trait::async_trait;
use patchbay_core::jobs::{Failure, Held, Job, Work, tool};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::webhook::client::Client;

/// Posts JSON to an address. Each try of a job has the same `Idempotency-Key`.
pub struct WebhookCall {
    pub client: Client,
}

#[async_trait]
impl Work for WebhookCall {
    async fn run(&self, job: &Job, held: &Held) -> Result<Value, Failure> {
        let never = |why: String| Failure::Never { why };
        let input: tool::CallInput = tool::input(job)?;
        self.client.check(&input.url).map_err(never)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &input.headers {
            let name = HeaderName::try_from(name).map_err(|_| never(format!("`{name}` is no name of a header")))?;
            let value = HeaderValue::try_from(value).map_err(|_| never(format!("what `{name}` says cannot stand in a header")))?;
            headers.insert(name, value);
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Ok(key) = HeaderValue::from_str(&job.id.to_string()) {
            headers.insert(HeaderName::from_static("idempotency-key"), key);
        }
        let answer = self.client.post(&input.url, headers, input.body.to_string()).await.map_err(|why| Failure::Later { after: None, why })?;
        held.say(format!("The answer was {}.", answer.status));
        let result = json!({ "status": answer.status, "body": answer.body });
        match answer.status {
            200..=299 => Ok(result),
            408 | 425 | 429 | 500.. => Err(Failure::Later { after: None, why: format!("the answer was {}", answer.status) }),
            status => Err(never(format!("the answer was {status}: {}", answer.body.chars().take(200).collect::<String>()))),
        }
    }
}
