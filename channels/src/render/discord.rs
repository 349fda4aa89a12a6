//! What Discord shows: here a proposal, as embeds with buttons. Limits: <https://discord.com/developers/docs/resources/message#embed-object-embed-limits>.

pub mod reply;

use serde_json::{Value, json};

use super::{
    card::{Card, Choice, Chunk, Fit, Sheet},
    diff, escape,
    page::{Line, Mark, Span, Style},
};

/// A field's value has 1,024 characters. The embeds of a message have 6,000 together, ten embeds of 25 fields; title and footer take some.
const FIT: Fit = Fit { chunk: 1024, chunks: 250, page: 5600, beside: 40 };
const FIELDS: usize = 25;

/// The messages, in the order to send them. Only the last can be answered: its buttons accept what all have shown.
///
/// A button's `custom_id` is a [`Press`](super::card::Press).
pub fn messages(card: &Card<'_>) -> Vec<Value> {
    card.sheets(&FIT, line).iter().map(|sheet| message(card, sheet, None)).collect()
}

/// The messages of a proposal that cannot be decided here any more, and why: one line of our Markdown.
pub fn closed(card: &Card<'_>, why: &str) -> Vec<Value> {
    card.sheets(&FIT, line).iter().map(|sheet| message(card, sheet, Some(why))).collect()
}

fn message(card: &Card<'_>, sheet: &Sheet, closed: Option<&str>) -> Value {
    let (about, chunks) = match sheet.chunks.split_first() {
        Some((first, rest)) if first.number.is_none() && !first.is_continued => (Some(&first.text), rest),
        _ => (None, &sheet.chunks[..]),
    };
    let mut embeds: Vec<Value> = chunks.chunks(FIELDS).map(|chunks| json!({ "fields": chunks.iter().map(field).collect::<Vec<_>>() })).collect();
    if embeds.is_empty() {
        embeds.push(json!({}));
    }
    embeds[0]["title"] = format!("#{}: {}", card.number, diff::counts(&card.diff.counts)).into();
    if let Some(about) = about {
        embeds[0]["description"] = about.as_str().into();
    }
    let whereabouts = sheet.whereabouts().map(|whereabouts| match closed {
        None if !sheet.is_last() => format!("{whereabouts}. {}", card.goes_on()),
        _ => whereabouts,
    });
    // A footer is plain text.
    let why = closed.filter(|_| sheet.is_last()).map(super::plain);
    let footer: Vec<String> = whereabouts.into_iter().chain(why).collect();
    if let (false, Some(last)) = (footer.is_empty(), embeds.last_mut()) {
        last["footer"] = json!({ "text": footer.join(". ") });
    }
    let components = if sheet.is_last() && closed.is_none() {
        vec![json!({ "type": 1, "components": card.choices().iter().map(|choice| button(card, *choice)).collect::<Vec<_>>() })]
    } else {
        Vec::new()
    };
    json!({ "embeds": embeds, "components": components, "allowed_mentions": { "parse": [] } })
}

fn field(chunk: &Chunk) -> Value {
    let what = chunk.number.map_or_else(|| "Project".to_owned(), |number| format!("Operation {number}"));
    let name = if chunk.is_continued { format!("{what}, continued") } else { what };
    json!({ "name": name, "value": chunk.text })
}

fn button(card: &Card<'_>, choice: Choice) -> Value {
    let style = match choice {
        Choice::Accept => 3,
        Choice::Choose | Choice::Edit => 2,
        Choice::Reject => 4,
    };
    json!({ "type": 2, "style": style, "label": choice.label(), "custom_id": card.press(choice) })
}

fn line(line: &Line) -> String {
    match line {
        Line::Heading(spans) | Line::Text(spans) => inline(spans),
        Line::Item(item) => {
            let bullet = item.level.checked_sub(1).map_or_else(String::new, |level| format!("{}- ", "  ".repeat(level)));
            format!("{bullet}{}{}", sign(item.mark), inline(&item.spans))
        }
        Line::Quote { text, .. } => format!("> {}", escape::discord(text)).trim_end().to_owned(),
    }
}

const fn sign(mark: Mark) -> &'static str {
    match mark {
        Mark::None => "",
        Mark::Created => "**+** ",
        Mark::Changed => r"**\~** ",
        Mark::Moved => r"**\>** ",
        Mark::Deleted => "**−** ",
        Mark::Open => "☐ ",
        Mark::Active => "◐ ",
        Mark::Waiting => "⚠ ",
        Mark::Done => "☑ ",
    }
}

fn inline(spans: &[Span]) -> String {
    spans
        .iter()
        .map(|span| {
            let text = escape::padded(&span.text, escape::discord);
            match span.style {
                Style::Plain | Style::Faint => text,
                Style::Strong | Style::Added => escape::around(&text, "**", "**"),
                Style::Removed => escape::around(&text, "~~", "~~"),
                Style::Warning => escape::around(&text, "*", "*"),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
