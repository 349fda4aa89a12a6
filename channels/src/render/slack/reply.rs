//! A reply of ours as Slack messages: Markdown becomes mrkdwn, what can be done next becomes buttons.

use comrak::{
    Arena, Options,
    nodes::{AstNode, ListType, NodeValue},
    parse_document,
};
use patchbay_core::command::{Action, Reply};
use serde_json::{Value, json};

use crate::render::{card::length, escape, markdown, pieces::pieces};

/// A section's text has 3,000 characters.
const SECTION: usize = 2900;
/// Sections of a message, of about 9,000 characters together.
const SECTIONS: usize = 3;
/// What a button can carry, and what can stand on it.
const VALUE: usize = 2000;
const LABEL: usize = 75;

/// How the `action_id` of a button begins whose value is a command.
pub const COMMAND: &str = "command.";

/// The messages, in the order to send them; the last has the buttons.
pub fn messages(reply: &Reply) -> Vec<Value> {
    let sections = sections(&reply.text);
    let mut messages: Vec<Value> = sections.chunks(SECTIONS).map(message).collect();
    if messages.is_empty() {
        messages.push(message(&[section("Done.")]));
    }
    let buttons: Vec<Value> = reply.actions.iter().filter(|action| length(&action.command) <= VALUE).take(25).enumerate().map(button).collect();
    if let (Some(blocks), false) = (messages.last_mut().and_then(|last| last["blocks"].as_array_mut()), buttons.is_empty()) {
        blocks.push(json!({ "type": "actions", "elements": buttons }));
    }
    messages
}

/// Our Markdown as sections.
pub fn sections(markdown: &str) -> Vec<Value> {
    pieces(&mrkdwn(markdown), SECTION).iter().map(|piece| section(piece)).collect()
}

fn section(mrkdwn: &str) -> Value {
    json!({ "type": "section", "text": super::text(mrkdwn) })
}

/// `text` is what notifications show.
fn message(sections: &[Value]) -> Value {
    let shown: Vec<&str> = sections.iter().filter_map(|section| section["text"]["text"].as_str()).collect();
    let text = pieces(&shown.join("\n"), 3000).into_iter().next().unwrap_or_default();
    json!({ "text": text, "blocks": sections })
}

fn button((at, action): (usize, &Action)) -> Value {
    let label = markdown::plain(&action.label);
    let label = pieces(&label, LABEL).into_iter().next().unwrap_or_else(|| action.command.chars().take(LABEL).collect());
    json!({ "type": "button", "action_id": format!("{COMMAND}{at}"), "text": { "type": "plain_text", "text": label, "emoji": false }, "value": action.command })
}

/// Our Markdown as mrkdwn; what was text stays text.
pub fn mrkdwn(markdown: &str) -> String {
    let arena = Arena::new();
    let mut options = Options::default();
    options.extension.strikethrough = true;
    let mut out = String::new();
    blocks(parse_document(&arena, markdown, &options), "", &mut out);
    out.trim_end().to_owned()
}

fn blocks<'a>(parent: &'a AstNode<'a>, indent: &str, out: &mut String) {
    let mut number = None;
    for node in parent.children() {
        let value = node.data.borrow().value.clone();
        match value {
            NodeValue::List(_) => {
                separate(parent, node, out);
                blocks(node, indent, out);
            }
            NodeValue::Item(item) => {
                let lead = match item.list_type {
                    ListType::Ordered => {
                        let at = number.map_or(item.start, |number| number + 1);
                        number = Some(at);
                        format!("{at}. ")
                    }
                    ListType::Bullet => "• ".to_owned(),
                };
                line(out);
                out.push_str(indent);
                out.push_str(&lead);
                // Blanks at the beginning of a line do not stay.
                blocks(node, &format!("{indent}\u{2003}"), out);
            }
            NodeValue::Heading(_) => {
                separate(parent, node, out);
                out.push_str(&escape::around(&inlines(node), "*", "*"));
            }
            NodeValue::CodeBlock(code) => {
                separate(parent, node, out);
                let literal = code.literal.trim_end().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace("```", "`\u{200b}``");
                out.extend(["```\n", &literal, "\n```"]);
            }
            NodeValue::BlockQuote => {
                separate(parent, node, out);
                let mut quoted = String::new();
                blocks(node, "", &mut quoted);
                let lines: Vec<_> = quoted.trim_end().lines().map(|line| format!("> {line}").trim_end().to_owned()).collect();
                out.push_str(&lines.join("\n"));
            }
            _ => {
                separate(parent, node, out);
                out.push_str(&inlines(node));
            }
        }
    }
}

/// An empty line between blocks; none around what stands in a list.
fn separate<'a>(parent: &'a AstNode<'a>, node: &'a AstNode<'a>, out: &mut String) {
    let is_in_item = matches!(parent.data.borrow().value, NodeValue::Item(_));
    if node.previous_sibling().is_none() || out.is_empty() {
        return;
    }
    line(out);
    if !is_in_item {
        out.push('\n');
    }
}

fn line(out: &mut String) {
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
}

fn inlines<'a>(parent: &'a AstNode<'a>) -> String {
    let mut out = String::new();
    let mut was_styled = false;
    for node in parent.children() {
        let (is_styled, text) = match &node.data.borrow().value {
            NodeValue::Text(text) => (false, escape::padded(text, escape::mrkdwn)),
            NodeValue::SoftBreak | NodeValue::LineBreak => (false, "\n".to_owned()),
            NodeValue::Strong => (true, escape::around(&inlines(node), "*", "*")),
            NodeValue::Emph => (true, escape::around(&inlines(node), "_", "_")),
            NodeValue::Strikethrough => (true, escape::around(&inlines(node), "~", "~")),
            NodeValue::Code(code) => (true, format!("`{}`", escape::mrkdwn(&code.literal).replace('`', "'"))),
            NodeValue::Link(link) => {
                let label = inlines(node);
                let address = link.url.replace('&', "&amp;").replace(['<', '>', '|'], "");
                (false, if link.url.starts_with("http") { format!("<{address}|{}>", label.replace('|', "¦")) } else { label })
            }
            NodeValue::HtmlInline(text) => (false, escape::padded(text, escape::mrkdwn)),
            _ => (false, inlines(node)),
        };
        // A sign counts only at the edge of a word.
        if (is_styled || was_styled) && !out.is_empty() && !out.ends_with([' ', '\n']) && !text.starts_with([' ', '\n']) {
            out.push(escape::BREAK);
        }
        was_styled = is_styled;
        out.push_str(&text);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_mrkdwn() {
        for (markdown, expected) in [
            ("**WEB-4** Tests is in *Done*. `undo WEB`", "*WEB-4* Tests is in _Done_|. `undo WEB`"),
            ("Open are:\n\n- `1` one\n- two\n  - three\n\nThat is all.", "Open are:\n\n• `1` one\n• two\n\u{2003}• three\n\nThat is all."),
            ("1. a\n2. b", "1. a\n2. b"),
            ("# Help\n\nUse ~~this~~ [docs](https://example.org/?a=1&b=2)", "*Help*\n\nUse ~this~ <https://example.org/?a=1&amp;b=2|docs>"),
            ("> said\n> more", "> said\n> more"),
            (r"\*\*bold\*\* \<!channel\> a & b [x](javascript:alert)", "|*||*|bold|*||*| &lt;!channel&gt; a &amp; b x"),
            ("```\na < b\n```", "```\na &lt; b\n```"),
            ("a**b**c", "a|*b*|c"),
            ("one\ntwo", "one\ntwo"),
        ] {
            assert_eq!(mrkdwn(markdown).replace(escape::BREAK, "|"), expected, "{markdown}");
        }
    }

    #[test]
    fn what_can_be_done_next_is_a_button() {
        let reply = Reply::new("Done.").action("Undo", "undo WEB 3").action("x".repeat(200), "show WEB");
        let messages = messages(&reply);
        assert_eq!(messages.len(), 1);
        let buttons = &messages[0]["blocks"][1]["elements"];
        assert_eq!((&buttons[0]["value"], &buttons[0]["action_id"]), (&json!("undo WEB 3"), &json!("command.0")));
        assert_eq!(buttons[1]["text"]["text"].as_str().unwrap().len(), 75);
    }

    #[test]
    fn long_words_are_several_messages() {
        let long: Vec<String> = (0..2000).map(|number| format!("- line number {number}")).collect();
        let messages = messages(&Reply::new(long.join("\n")).action("More", "list"));
        assert!(messages.len() > 1);
        for message in &messages {
            assert!(
                message["blocks"].as_array().unwrap().iter().all(|block| block["type"] != "section" || length(block["text"]["text"].as_str().unwrap()) <= 3000)
            );
        }
        assert_eq!(messages.iter().filter(|message| message["blocks"].as_array().unwrap().iter().any(|block| block["type"] == "actions")).count(), 1);
    }
}
