//! Texts without a model: templates that are filled with what was given, and say that they are.

use async_trait::async_trait;
use minijinja::{Environment, context};
use patchbay_core::jobs::{
    Failure,
    tool::{Image, Maker, Text, Wish},
};

/// The layouts, which take turns where several variants are wanted.
const LAYOUTS: [&str; 3] = [
    "# {{ title }}\n\n{{ wish }}\n{% for name, value in facts|items %}\n- **{{ name }}:** {{ value }}{% endfor %}\n",
    "# {{ title }}\n\n> {{ wish }}\n{% for name, value in facts|items %}\n## {{ name }}\n\n{{ value }}\n{% endfor %}",
    "**{{ title }}**\n\n{% for name, value in facts|items %}{{ name }}: {{ value }}. {% endfor %}\n\n{{ wish }}\n",
];

/// What is said of each text that a template made.
const BY: &str = "a template, because no model is configured";

/// Fills templates.
pub struct Filler;

#[async_trait]
impl Maker for Filler {
    async fn text(&self, wish: &Wish) -> Result<Text, Failure> {
        let layout = LAYOUTS[usize::from(wish.number.saturating_sub(1)) % LAYOUTS.len()];
        let environment = Environment::new();
        let values = context! { title => &wish.title, wish => wish.prompt.trim(), facts => &wish.facts };
        let text = environment.render_str(layout, values).map_err(|error| Failure::Never { why: error.to_string() })?;
        Ok(Text { text: text.trim_end().to_owned() + "\n", by: BY.into() })
    }

    async fn image(&self, _: &Wish) -> Result<Image, Failure> {
        Err(Failure::Never { why: "a template makes no images".into() })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[tokio::test]
    async fn a_template_is_filled_with_what_is_known_and_says_what_it_is() {
        let facts = BTreeMap::from([("Date".to_owned(), "1 December".to_owned()), ("Place".to_owned(), "Kolkata".to_owned())]);
        let wish = Wish { prompt: "Invite everybody {{ to }} it.".into(), title: "The launch".into(), facts, size: None, number: 1, count: 3 };
        let text = Filler.text(&wish).await.unwrap();
        assert_eq!(text.text, "# The launch\n\nInvite everybody {{ to }} it.\n\n- **Date:** 1 December\n- **Place:** Kolkata\n");
        assert_eq!(text.by, BY);
        let second = Filler.text(&Wish { number: 2, ..wish }).await.unwrap();
        assert!(second.text.contains("## Place"), "{}", second.text);
    }
}
