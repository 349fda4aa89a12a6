//! A variant as a file.

use comrak::{
    Arena, markdown_to_html,
    nodes::{Node, NodeValue},
    parse_document,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::VariantView;
use crate::jobs::tool::markdown as dialect;

/// The forms that a variant is written in. An image is written as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Format {
    #[default]
    Md,
    Html,
    Json,
    Txt,
}

impl Format {
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Md => "md",
            Self::Html => "html",
            Self::Json => "json",
            Self::Txt => "txt",
        }
    }

    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Md => "text/markdown; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
            Self::Json => "application/json",
            Self::Txt => "text/plain; charset=utf-8",
        }
    }

    /// The variant's text in this form.
    pub fn write(self, variant: &VariantView) -> String {
        match self {
            Self::Md => variant.content.clone(),
            Self::Html => html(&variant.title, &variant.content),
            Self::Json => serde_json::to_string_pretty(variant).unwrap_or_default() + "\n",
            Self::Txt => plain(&variant.content),
        }
    }
}

/// Markdown as a page. HTML that stands in it is left out: nobody has looked at what it does.
pub fn html(title: &str, markdown: &str) -> String {
    let title = title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let body = markdown_to_html(markdown, &dialect(0));
    format!("<!doctype html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n</head>\n<body>\n{body}</body>\n</html>\n")
}

/// Markdown as plain words: a paragraph, a heading, an item each on a line of its own.
pub fn plain(markdown: &str) -> String {
    let arena = Arena::new();
    let root = parse_document(&arena, markdown, &dialect(0));
    let mut text = String::new();
    for block in root.children() {
        if !text.is_empty() {
            text.push('\n');
        }
        write_block(block, "", &mut text);
    }
    text
}

fn write_block(node: Node<'_>, lead: &str, text: &mut String) {
    let mut line = |words: &str| {
        text.push_str(lead);
        text.push_str(words.trim_end());
        text.push('\n');
    };
    match &node.data().value {
        NodeValue::Paragraph | NodeValue::Heading(_) | NodeValue::TableCell => line(&words(node)),
        NodeValue::CodeBlock(code) => code.literal.lines().for_each(line),
        NodeValue::ThematicBreak => line("---"),
        NodeValue::Item(_) | NodeValue::TaskItem(_) => {
            let mut inner = String::new();
            node.children().for_each(|child| write_block(child, "", &mut inner));
            for (index, words) in inner.lines().enumerate() {
                line(&format!("{}{words}", if index == 0 { "- " } else { "  " }));
            }
        }
        NodeValue::TableRow(_) => {
            let cells: Vec<String> = node.children().map(words).collect();
            line(&cells.join("\t"));
        }
        _ => node.children().for_each(|child| write_block(child, lead, text)),
    }
}

fn words(node: Node<'_>) -> String {
    let mut text = String::new();
    for inner in node.descendants() {
        match &inner.data().value {
            NodeValue::Text(words) => text.push_str(words),
            NodeValue::Code(code) => text.push_str(&code.literal),
            NodeValue::SoftBreak | NodeValue::LineBreak => text.push(' '),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# A **title**\n\nSome `code` & <b>words</b>\nin two lines.\n\n- one\n- two\n  - three\n\n| a | b |\n| - | - |\n| 1 | 2 |\n";

    #[test]
    fn markdown_becomes_plain_words() {
        assert_eq!(plain(TEXT), "A title\n\nSome code & words in two lines.\n\n- one\n- two\n  - three\n\na\tb\n1\t2\n");
    }

    #[test]
    fn markdown_becomes_a_page_in_which_nothing_runs() {
        let page = html("A & <b>", "# T\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1))\n");
        assert!(page.contains("<title>A &amp; &lt;b&gt;</title>") && page.contains("<h1>T</h1>"), "{page}");
        assert!(!page.contains("alert(1)"), "{page}");
    }
}
