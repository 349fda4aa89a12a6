//! A page as Markdown, and Markdown of ours as plain text.

use std::fmt::Write;

use super::{
    escape,
    page::{Line, Mark, Page, Span, Style},
};

pub(super) fn paint(page: &Page) -> String {
    let mut out = String::new();
    let mut was_list = false;
    for (at, line) in page.lines.iter().enumerate() {
        let next = page.lines.get(at + 1);
        let is_list = matches!(line, Line::Item(_) | Line::Quote { .. });
        if !out.is_empty() && (!was_list || !is_list) {
            out.push('\n');
        }
        was_list = is_list;
        match line {
            Line::Heading(spans) | Line::Text(spans) => out.push_str(&inline(spans)),
            Line::Item(item) => {
                out.push_str(&"  ".repeat(item.level));
                out.push_str("- ");
                if let Some(number) = item.number {
                    let _ = write!(out, "`{number}` ");
                }
                out.push_str(sign(item.mark));
                out.push_str(&inline(&item.spans));
            }
            Line::Quote { level, text: quoted } => {
                out.push_str(&"  ".repeat(*level));
                out.push_str("> ");
                out.push_str(&escape::markdown(quoted));
                // Each line of a quotation stays a line.
                if matches!(next, Some(Line::Quote { text: next, .. }) if !next.trim().is_empty()) && !quoted.trim().is_empty() {
                    out.push('\\');
                }
            }
        }
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
    out
}

const fn sign(mark: Mark) -> &'static str {
    match mark {
        Mark::None => "",
        Mark::Created => "**+** ",
        Mark::Changed => "**~** ",
        Mark::Moved => "**>** ",
        Mark::Deleted => "**−** ",
        Mark::Open | Mark::Active | Mark::Waiting => "[ ] ",
        Mark::Done => "[x] ",
    }
}

fn inline(spans: &[Span]) -> String {
    spans
        .iter()
        .map(|span| {
            let text = escape::padded(&span.text, escape::markdown);
            match span.style {
                Style::Plain | Style::Faint => text,
                Style::Strong | Style::Added | Style::Warning => escape::around(&text, "**", "**"),
                Style::Removed => escape::around(&text, "~~", "~~"),
            }
        })
        .collect()
}

/// Our Markdown as plain text: what [`escape::markdown`] made harmless is as it was, and signs of emphasis are gone.
pub fn plain(text: &str) -> String {
    let mut found = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut is_code = false;
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        match c {
            '`' => is_code = !is_code,
            _ if is_code => found.push(c),
            '\\' if next == Some('\n') => {}
            '\\' if next.is_some_and(|next| next.is_ascii_punctuation()) => found.extend(chars.next()),
            '~' if next == Some('~') => {
                chars.next();
            }
            // A star before a blank is a list's.
            '*' if next != Some(' ') || !(found.is_empty() || found.ends_with('\n')) => {}
            _ => found.push(c),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_of_ours_reads_as_plain_text() {
        let hostile = r"**a** \_b `c` <d> #1 ~~e~~";
        for text in [hostile, "# no heading", "1. no list", "snake_case _em_"] {
            assert_eq!(plain(&escape::markdown(text)), text);
        }
        assert_eq!(plain("**WEB-4** Tests is in *Done*. `undo WEB`\n\n* one\n- two"), "WEB-4 Tests is in Done. undo WEB\n\n* one\n- two");
    }
}
