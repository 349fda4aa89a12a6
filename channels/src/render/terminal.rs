//! A page as plain text, and on a terminal: with colours and wrapped.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::{
    escape,
    page::{Line, Mark, Page, Span, Style},
};

/// What a terminal can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// ANSI escape sequences.
    pub colour: bool,
    /// Columns.
    pub width: usize,
}

/// Narrower than this nothing is wrapped: it would only get worse.
const MIN_WIDTH: usize = 30;

pub(super) fn paint(page: &Page, terminal: Terminal) -> String {
    let most = page.lines.iter().filter_map(number).max();
    let gutter = most.map_or(0, |number| number.to_string().len() + 1);
    let mut text = String::new();
    for (at, line) in page.lines.iter().enumerate() {
        let is_list = |line: &Line| matches!(line, Line::Item(_) | Line::Quote { .. });
        if at > 0 && (matches!(line, Line::Heading(_)) || is_list(line) != is_list(&page.lines[at - 1])) {
            text.push('\n');
        }
        let mut out = Wrapped::new(terminal, &mut text);
        match line {
            Line::Heading(spans) | Line::Text(spans) => spans.iter().for_each(|span| out.span(span)),
            Line::Item(item) => {
                let number = item.number.map_or_else(String::new, |number| number.to_string());
                let width = gutter.saturating_sub(1);
                let lead = if gutter == 0 { String::new() } else { format!("{number:>width$} ") };
                out.raw(&format!("{lead}{}", "  ".repeat(item.level)));
                let (sign, code) = sign(item.mark);
                if !sign.is_empty() {
                    out.styled(sign, code);
                    out.raw(" ");
                }
                out.hang();
                item.spans.iter().for_each(|span| out.span(span));
            }
            Line::Quote { level, text: quoted } => {
                out.raw(&format!("{}{}", " ".repeat(gutter), "  ".repeat(*level)));
                out.styled("|", FAINT);
                out.raw(" ");
                out.hang();
                out.words(&escape::line(quoted), "");
            }
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    text
}

/// Text broken between words to so many columns; a line's own indent stays.
pub(super) fn wrap(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let bare = line.trim_start();
        let mut wrapped = Wrapped::new(Terminal { colour: false, width }, &mut out);
        wrapped.raw(&line[..line.len() - bare.len()]);
        if let Some(item) = bare.strip_prefix("- ") {
            wrapped.raw("- ");
            wrapped.hang();
            wrapped.words(item, "");
        } else {
            wrapped.hang();
            wrapped.words(bare, "");
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out
}

fn number(line: &Line) -> Option<usize> {
    match line {
        Line::Item(item) => item.number,
        _ => None,
    }
}

const FAINT: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

const fn sign(mark: Mark) -> (&'static str, &'static str) {
    match mark {
        Mark::None => ("", ""),
        Mark::Created => ("+", GREEN),
        Mark::Changed => ("~", YELLOW),
        Mark::Moved => (">", "36"),
        Mark::Deleted => ("-", RED),
        Mark::Open => ("[ ]", ""),
        Mark::Active => ("[~]", YELLOW),
        Mark::Waiting => ("[!]", RED),
        Mark::Done => ("[x]", GREEN),
    }
}

/// A line that is being written, and broken where it gets too long.
struct Wrapped<'o> {
    terminal: Terminal,
    out: &'o mut String,
    column: usize,
    indent: usize,
}

impl<'o> Wrapped<'o> {
    fn new(terminal: Terminal, out: &'o mut String) -> Self {
        Self { terminal, out, column: 0, indent: 0 }
    }

    /// What follows is broken to this column.
    fn hang(&mut self) {
        self.indent = self.column;
    }

    fn raw(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.width();
    }

    fn styled(&mut self, text: &str, code: &str) {
        if self.terminal.colour && !code.is_empty() {
            let _ = write!(self.out, "\x1b[{code}m{text}\x1b[0m");
        } else {
            self.out.push_str(text);
        }
        self.column += text.width();
    }

    fn span(&mut self, span: &Span) {
        let text = escape::inline(&span.text);
        let code = match span.style {
            Style::Plain => "",
            Style::Strong => "1",
            Style::Added => GREEN,
            Style::Removed => "31;9",
            Style::Faint => FAINT,
            Style::Warning => YELLOW,
        };
        match span.style {
            // Without colours the words themselves must tell.
            Style::Added if !self.terminal.colour => self.words(&escape::around(&text, "{+", "+}"), ""),
            Style::Removed if !self.terminal.colour => self.words(&escape::around(&text, "[-", "-]"), ""),
            _ => self.words(&text, code),
        }
    }

    fn words(&mut self, text: &str, code: &str) {
        let width = if self.terminal.width < MIN_WIDTH { usize::MAX } else { self.terminal.width };
        for word in text.split_inclusive(' ') {
            let length = word.trim_end().width();
            if self.column > self.indent && self.column + length > width {
                self.out.truncate(self.out.trim_end_matches(' ').len());
                self.out.push('\n');
                self.out.push_str(&" ".repeat(self.indent));
                self.column = self.indent;
                if length == 0 {
                    continue;
                }
            }
            self.styled(word, code);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_not_broken_and_items_hang() {
        let text = "one two three four five six seven eight nine ten\n- one two three four five six seven eight nine ten";
        assert_eq!(wrap(text, 40), "one two three four five six seven eight\nnine ten\n- one two three four five six seven\n  eight nine ten");
        let long = "a".repeat(50);
        assert_eq!(wrap(&format!("{long} and more"), 40), format!("{long}\nand more"));
    }
}
