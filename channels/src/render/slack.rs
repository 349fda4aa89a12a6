//! What Slack shows, in Block Kit: here a proposal. Limits: <https://docs.slack.dev/reference/block-kit/blocks>.

pub mod reply;

use serde_json::{Value, json};

use super::{
    card::{Card, Choice, Fit, Sheet},
    diff, escape,
    page::{Line, Mark, Span, Style},
};

/// A message has 50 blocks; three stand around the operations, and words of ours may stand above them. A section's text has 3,000 characters, and its first line says what is continued.
/// Together the blocks may have about 12,000, which is written nowhere: <https://github.com/slackapi/bolt-js/issues/2509>.
const FIT: Fit = Fit { chunk: 2900, chunks: 46, page: 9000, beside: 40 };

/// The messages, in the order to send them. Only the last can be answered: its buttons accept what all have shown.
///
/// A button's value is a [`Press`](super::card::Press).
pub fn messages(card: &Card<'_>) -> Vec<Value> {
    card.sheets(&FIT, line).iter().map(|sheet| message(card, sheet, None)).collect()
}

/// The messages of a proposal that cannot be decided here any more, and why: one line of our Markdown.
pub fn closed(card: &Card<'_>, why: &str) -> Vec<Value> {
    card.sheets(&FIT, line).iter().map(|sheet| message(card, sheet, Some(why))).collect()
}

fn message(card: &Card<'_>, sheet: &Sheet, closed: Option<&str>) -> Value {
    let whereabouts = sheet.whereabouts();
    let headline = format!("#{}: {}", card.number, diff::counts(&card.diff.counts));
    let fallback = whereabouts.as_ref().map_or_else(|| headline.clone(), |whereabouts| format!("{headline} ({whereabouts})"));
    let mut blocks = vec![json!({ "type": "header", "text": { "type": "plain_text", "text": headline, "emoji": false } })];
    if let Some(whereabouts) = whereabouts {
        blocks.push(json!({ "type": "context", "elements": [text(&whereabouts)] }));
    }
    for chunk in &sheet.chunks {
        let shown = match chunk.number {
            _ if !chunk.is_continued => text(&chunk.text),
            Some(number) => text(&format!("`{number}` _continued_\n{}", chunk.text)),
            None => text(&format!("_continued_\n{}", chunk.text)),
        };
        blocks.push(json!({ "type": "section", "text": shown }));
    }
    if let Some(why) = closed {
        if sheet.is_last() {
            blocks.push(json!({ "type": "context", "elements": [text(&reply::mrkdwn(why))] }));
        }
    } else if sheet.is_last() {
        let block = format!("proposal.{}.{}", card.number, card.revision);
        blocks.push(json!({ "type": "actions", "block_id": block, "elements": card.choices().iter().map(|choice| button(card, *choice)).collect::<Vec<_>>() }));
    } else {
        blocks.push(json!({ "type": "context", "elements": [text(card.goes_on())] }));
    }
    json!({ "text": fallback, "blocks": blocks })
}

/// `verbatim`: addresses and names stay text.
fn text(mrkdwn: &str) -> Value {
    json!({ "type": "mrkdwn", "text": mrkdwn, "verbatim": true })
}

fn button(card: &Card<'_>, choice: Choice) -> Value {
    let mut button = json!({
        "type": "button",
        "action_id": format!("proposal.{}", choice.as_str()),
        "text": { "type": "plain_text", "text": choice.label(), "emoji": false },
        "value": card.press(choice),
    });
    match choice {
        Choice::Accept => button["style"] = "primary".into(),
        Choice::Reject => button["style"] = "danger".into(),
        Choice::Choose | Choice::Edit => {}
    }
    button
}

fn line(line: &Line) -> String {
    match line {
        Line::Heading(spans) | Line::Text(spans) => inline(spans),
        Line::Item(item) => {
            // Blanks at the beginning of a line do not stay.
            let indent = "\u{2003}".repeat(item.level);
            let lead = match (item.number, sign(item.mark)) {
                (Some(number), sign) => format!("`{number} {sign}` "),
                (None, "") if item.level > 0 => "• ".to_owned(),
                (None, "") => String::new(),
                (None, sign) => format!("{sign} "),
            };
            format!("{indent}{lead}{}", inline(&item.spans))
        }
        Line::Quote { text, .. } => format!("> {}", escape::mrkdwn(text)).trim_end().to_owned(),
    }
}

const fn sign(mark: Mark) -> &'static str {
    match mark {
        Mark::None => "",
        Mark::Created => "+",
        Mark::Changed => "~",
        // Within code, so as Slack writes a greater sign.
        Mark::Moved => "&gt;",
        Mark::Deleted => "−",
        Mark::Open => "☐",
        Mark::Active => "◐",
        Mark::Waiting => "⚠",
        Mark::Done => "☑",
    }
}

fn inline(spans: &[Span]) -> String {
    let mut out = String::new();
    let mut was_styled = false;
    for span in spans {
        let text = escape::padded(&span.text, escape::mrkdwn);
        let (is_styled, text) = match span.style {
            Style::Plain | Style::Faint => (false, text),
            Style::Strong | Style::Added => (true, escape::around(&text, "*", "*")),
            Style::Removed => (true, escape::around(&text, "~", "~")),
            Style::Warning => (true, escape::around(&text, "_", "_")),
        };
        // A sign counts only at the edge of a word.
        if (is_styled || was_styled) && !out.is_empty() && !out.ends_with(' ') && !text.starts_with(' ') {
            out.push(escape::BREAK);
        }
        out.push_str(&text);
        was_styled = is_styled;
    }
    out
}

#[cfg(test)]
mod tests;
