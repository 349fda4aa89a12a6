//! Texts and images that are made to be chosen from: each becomes a variant.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    db::Db,
    documents::files::Files,
    ids::Context,
    jobs::{
        self, Failure, Held, Job, Work,
        variant::{self, NewVariant},
    },
};

/// The most variants of one job.
const MAX_VARIANTS: u8 = 10;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TextInput {
    /// What is to be written.
    #[schemars(length(min = 1, max = 4000))]
    prompt: String,
    /// What it is called.
    #[serde(default)]
    #[schemars(length(max = 200))]
    title: Option<String>,
    /// What is known, by name.
    #[serde(default)]
    facts: BTreeMap<String, String>,
    /// How many variants.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = MAX_VARIANTS))]
    count: u8,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ImageInput {
    /// What is to be seen.
    #[schemars(length(min = 1, max = 4000))]
    prompt: String,
    #[serde(default)]
    #[schemars(length(max = 200))]
    title: Option<String>,
    /// As the endpoint knows it: `1024x1024`.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9]{2,5}x[0-9]{2,5}$"))]
    size: Option<String>,
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = MAX_VARIANTS))]
    count: u8,
}

const fn three() -> u8 {
    3
}

const fn one() -> u8 {
    1
}

/// What is wanted of a maker, once for each variant.
#[derive(Clone, Debug)]
pub struct Wish {
    pub prompt: String,
    pub title: String,
    pub facts: BTreeMap<String, String>,
    /// Of an image.
    pub size: Option<String>,
    /// Which of how many variants, from 1.
    pub number: u8,
    pub count: u8,
}

/// A text that was made.
#[derive(Clone, Debug)]
pub struct Text {
    /// Markdown.
    pub text: String,
    /// Who or what made it, for people.
    pub by: String,
}

/// An image that was made.
#[derive(Clone, Debug)]
pub struct Image {
    pub bytes: Vec<u8>,
    pub media_type: &'static str,
    pub by: String,
}

/// What makes texts and images: a model, or what stands in where none is configured.
#[async_trait]
pub trait Maker: Send + Sync {
    async fn text(&self, wish: &Wish) -> Result<Text, Failure>;
    async fn image(&self, wish: &Wish) -> Result<Image, Failure>;
}

/// Makes variants.
pub struct Generate {
    pub db: Db,
    pub ctx: Arc<dyn Context>,
    pub maker: Arc<dyn Maker>,
    pub files: Files,
    pub what: What,
}

/// What is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Text,
    Image,
}

#[async_trait]
impl Work for Generate {
    async fn run(&self, job: &Job, held: &Held) -> Result<Value, Failure> {
        let wish = self.wish(job)?;
        let title = wish.title.clone();
        let mut tx = self.db.begin(job.organization).await?;
        // Made by an earlier try, they stay as they are.
        let known: Vec<i16> = variant::store::of_job(&mut tx, job.id).await?.iter().map(|variant| variant.number).collect();
        tx.rollback().await?;
        for number in (1..=wish.count).filter(|number| !known.contains(&i16::from(*number))) {
            if held.cancelled.is_cancelled() {
                return Err(Failure::Later { after: None, why: format!("it was stopped after {} of {} variants", number - 1, wish.count) });
            }
            let wish = Wish { number, ..wish.clone() };
            let (content, file, media_type, by) = match self.what {
                What::Text => {
                    let made = self.maker.text(&wish).await?;
                    (made.text, None, "text/markdown", made.by)
                }
                What::Image => {
                    let made = self.maker.image(&wish).await?;
                    let file = self.files.put(job.organization, made.bytes).await.map_err(|error| Failure::Later { after: None, why: error.to_string() })?;
                    (wish.prompt.clone(), Some(file), made.media_type, made.by)
                }
            };
            let mut tx = self.db.begin(job.organization).await?;
            let new = NewVariant {
                job: job.id,
                number: number.into(),
                title: &title,
                content: &content.replace('\0', "\u{fffd}"),
                file: file.as_deref(),
                media_type,
                made_by: &by,
            };
            variant::store::insert(&mut tx, self.ctx.as_ref(), job.organization, &job.actor, &new).await?;
            jobs::store::progress(&mut tx, job, &json!({ "done": number, "of": wish.count })).await?;
            tx.commit().await?;
            held.say(format!("Variant {number} of {}: {by}.", wish.count));
        }
        let mut tx = self.db.begin(job.organization).await?;
        let ids: Vec<_> = variant::store::of_job(&mut tx, job.id).await?.iter().map(|variant| variant.id).collect();
        tx.rollback().await?;
        Ok(json!({ "variants": ids }))
    }
}

impl Generate {
    fn wish(&self, job: &Job) -> Result<Wish, Failure> {
        let short = |prompt: &str| prompt.lines().next().unwrap_or_default().chars().take(80).collect::<String>();
        Ok(match self.what {
            What::Text => {
                let input: TextInput = super::input(job)?;
                let title = input.title.unwrap_or_else(|| short(&input.prompt));
                Wish { prompt: input.prompt, title, facts: input.facts, size: None, number: 1, count: input.count }
            }
            What::Image => {
                let input: ImageInput = super::input(job)?;
                let title = input.title.unwrap_or_else(|| short(&input.prompt));
                Wish { prompt: input.prompt, title, facts: BTreeMap::new(), size: input.size, number: 1, count: input.count }
            }
        })
    }
}
