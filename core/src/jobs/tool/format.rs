//! Markdown in one form.

use async_trait::async_trait;
use comrak::{Options, markdown_to_commonmark};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::jobs::{Failure, Held, Job, Work};

/// The longest text that is worked on.
pub(super) const MAX_TEXT: u32 = 500_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// Markdown.
    #[schemars(length(max = MAX_TEXT))]
    text: String,
    /// How wide its lines may be; 0 leaves them as long as they are.
    #[serde(default)]
    #[schemars(range(max = 200))]
    width: usize,
}

/// Puts Markdown into one form.
pub struct FormatMarkdown;

#[async_trait]
impl Work for FormatMarkdown {
    async fn run(&self, job: &Job, held: &Held) -> Result<Value, Failure> {
        let input: Input = super::input(job)?;
        let text = markdown_to_commonmark(&input.text, &markdown(input.width));
        held.say(if text == input.text { "It was in this form already." } else { "Its form has changed." });
        Ok(json!({ "text": text, "changed": text != input.text }))
    }
}

/// Markdown as it is commonly written, with what GitHub adds.
pub(in super::super) fn markdown(width: usize) -> Options<'static> {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.autolink = true;
    options.render.width = width;
    options
}
