//! Texts and images from models, for people to choose from.

use std::time::Duration;

use async_trait::async_trait;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use patchbay_core::{
    jobs::{
        Failure,
        tool::{Image, Maker, Text, Wish},
    },
    tenancy::Secret,
};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Limits, Provider, SetupError,
    fence::Fence,
    prompt::{self, Prompts},
    provider::{self, Form},
    talk::{self, Answer},
};
use crate::filler::Filler;

/// The largest answer of an images endpoint, in bytes.
const MAX_IMAGE: usize = 40 << 20;

/// Writes with a model where there is one, and fills templates where there is none.
pub struct Writer {
    /// In the order in which they are tried.
    providers: Vec<provider::Provider>,
    limits: Limits,
    prompts: Prompts,
    images: Option<Images>,
}

/// An endpoint that makes images, as `OpenAI`'s `/images/generations` does.
struct Images {
    endpoint: Provider,
    http: reqwest::Client,
}

impl Writer {
    /// Without providers it fills templates; without `images` there are none, and that is what it says.
    pub fn new(providers: Vec<Provider>, images: Option<Provider>, limits: Limits) -> Result<Self, SetupError> {
        let providers = providers.into_iter().map(|options| provider::Provider::new(options, limits.connect)).collect::<Result<_, _>>()?;
        let images = match images {
            None => None,
            Some(endpoint) => {
                let http = reqwest::Client::builder()
                    .connect_timeout(limits.connect)
                    .timeout(limits.total)
                    .redirect(reqwest::redirect::Policy::none())
                    .build()
                    .map_err(|error| super::Unusable { provider: endpoint.name.clone(), why: error.to_string() })?;
                Some(Images { endpoint, http })
            }
        };
        Ok(Self { providers, limits, prompts: Prompts::load()?, images })
    }

    fn messages(&self, wish: &Wish) -> Result<Vec<Value>, Failure> {
        let fence = Fence::new(Secret::generate("").text.expose_secret()[..16].to_owned());
        let facts: Vec<String> = wish.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let parameters =
            prompt::Write { mark: fence.mark().to_owned(), number: wish.number, count: wish.count, facts: facts.join("\n"), wish: wish.prompt.clone() };
        let text = self.prompts.render(&parameters, &fence).map_err(|error| Failure::Never { why: error.to_string() })?;
        Ok(vec![json!({ "role": "user", "content": text })])
    }
}

#[async_trait]
impl Maker for Writer {
    async fn text(&self, wish: &Wish) -> Result<Text, Failure> {
        if self.providers.is_empty() {
            return Filler.text(wish).await;
        }
        let messages = self.messages(wish)?;
        let label = self.prompts.label("write");
        let mut troubles = Vec::new();
        let mut wait = None;
        for provider in &self.providers {
            let (answer, _) = talk::once(provider, Form::Text, &messages, label.clone(), &self.limits, &mut |_: &str| {}).await;
            let why = match answer {
                Answer::Text { text, .. } if !text.trim().is_empty() => return Ok(Text { text: text.trim().to_owned() + "\n", by: provider.model.clone() }),
                Answer::Text { .. } => "it said nothing".to_owned(),
                Answer::Refusal(why) => return Err(Failure::Never { why: format!("the model will not write this: {why}") }),
                Answer::FormRefused => "it does not take plain words".to_owned(),
                Answer::Again { why, after } => {
                    wait = wait.max(after);
                    why
                }
                Answer::Never { why } => why,
            };
            troubles.push(format!("{} ({}): {}", provider.name, provider.model, provider.scrub(&why)));
        }
        Err(Failure::Later { after: wait, why: format!("no model answered: {}", troubles.join("; ")) })
    }

    async fn image(&self, wish: &Wish) -> Result<Image, Failure> {
        let Some(images) = &self.images else {
            let why = "no endpoint for images is configured: set PATCHBAY_MODEL__IMAGE_NAME to the name of a model that makes them (docs/guides/jobs.md)";
            return Err(Failure::Never { why: why.into() });
        };
        images.make(wish).await
    }
}

#[derive(Deserialize)]
struct Made {
    data: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    b64_json: Option<String>,
}

impl Images {
    async fn make(&self, wish: &Wish) -> Result<Image, Failure> {
        let later = |after: Option<Duration>, why: String| Failure::Later { after, why };
        let base = self.endpoint.base_url.as_deref().unwrap_or(async_openai::config::OPENAI_API_BASE).trim_end_matches('/');
        let mut body = json!({ "model": self.endpoint.model, "prompt": wish.prompt, "n": 1, "response_format": "b64_json" });
        if let Some(size) = &wish.size {
            body["size"] = size.as_str().into();
        }
        // The newest of OpenAI's models answer so always, and refuse to be asked for it.
        if self.endpoint.model.starts_with("gpt-image")
            && let Some(body) = body.as_object_mut()
        {
            body.remove("response_format");
        }
        let mut request = self.http.post(format!("{base}/images/generations")).json(&body);
        if let Some(key) = &self.endpoint.api_key {
            request = request.bearer_auth(key.expose_secret());
        }
        let mut response = request.send().await.map_err(|error| later(None, format!("the images endpoint does not answer: {}", error.without_url())))?;
        let status = response.status();
        let after = response.headers().get(reqwest::header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok()).map(Duration::from_secs);
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| later(None, error.without_url().to_string()))? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > MAX_IMAGE {
                return Err(Failure::Never { why: "the images endpoint sent more than 40 MiB".into() });
            }
        }
        if !status.is_success() {
            let said: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            let why = format!("the images endpoint says {status}: {}", said["error"]["message"].as_str().unwrap_or("and nothing more"));
            let again = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
            return Err(if again { later(after, why) } else { Failure::Never { why } });
        }
        let made: Made = serde_json::from_slice(&bytes).map_err(|error| later(None, format!("the images endpoint answered something else: {error}")))?;
        let image = made.data.into_iter().find_map(|one| one.b64_json).ok_or_else(|| later(None, "the images endpoint sent no image".into()))?;
        let bytes = BASE64_STANDARD.decode(image.trim()).map_err(|error| later(None, format!("the image is not readable: {error}")))?;
        let media_type = media_type(&bytes).ok_or_else(|| later(None, "what the images endpoint sent is no image".into()))?;
        Ok(Image { bytes, media_type, by: self.endpoint.model.clone() })
    }
}

/// What an image is, by how it begins.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}
