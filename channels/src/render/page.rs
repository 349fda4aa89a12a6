//! A page before it is painted: lines of spans that know what they are, not how they look.

use super::{Terminal, escape, html, markdown, terminal};

/// Something to read, for any surface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    Heading(Vec<Span>),
    Text(Vec<Span>),
    Item(Item),
    /// A line of somebody's longer text, below the item of the level before.
    Quote {
        level: usize,
        text: String,
    },
}

/// A line of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// From 0.
    pub level: usize,
    /// What people call it: an operation's number.
    pub number: Option<usize>,
    pub mark: Mark,
    pub spans: Vec<Span>,
}

/// What an item stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    #[default]
    None,
    Created,
    Changed,
    Moved,
    Deleted,
    /// Something still to do.
    Open,
    Active,
    Waiting,
    Done,
}

/// Text of one style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub style: Style,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    /// What the line is about.
    Strong,
    Added,
    Removed,
    /// Less important.
    Faint,
    /// Something to look at: it is late, it is blocked.
    Warning,
}

impl Page {
    /// Plain text, as wide as it comes.
    pub fn text(&self) -> String {
        terminal::paint(self, Terminal { colour: false, width: usize::MAX })
    }

    /// `CommonMark` with strike-through and task lists.
    pub fn markdown(&self) -> String {
        markdown::paint(self)
    }

    /// A fragment of HTML that needs no style sheet.
    pub fn html(&self) -> String {
        html::paint(self)
    }

    /// Wrapped, and coloured where that is wanted.
    pub fn terminal(&self, terminal: Terminal) -> String {
        terminal::paint(self, terminal)
    }

    /// The page with what nobody would see of other people's texts written out, for someone who answers for all of it.
    pub(super) fn seen(mut self) -> Self {
        for line in &mut self.lines {
            match line {
                Line::Heading(spans) | Line::Text(spans) | Line::Item(Item { spans, .. }) => {
                    for span in spans {
                        span.text = escape::seen(&span.text);
                    }
                }
                Line::Quote { text, .. } => *text = escape::seen(text),
            }
        }
        self
    }

    pub(super) fn item(&mut self, level: usize, mark: Mark, spans: Vec<Span>) {
        self.lines.push(Line::Item(Item { level, number: None, mark, spans }));
    }

    /// Somebody's text, line by line; blank lines at its ends go.
    pub(super) fn quote(&mut self, level: usize, text: &str) {
        self.lines.extend(text.trim().lines().map(|line| Line::Quote { level, text: line.to_owned() }));
    }
}

/// Spans of the style.
pub(super) fn span(style: Style, text: impl Into<String>) -> Span {
    Span { style, text: text.into() }
}

pub(super) fn plain(text: impl Into<String>) -> Span {
    span(Style::Plain, text)
}

pub(super) fn strong(text: impl Into<String>) -> Span {
    span(Style::Strong, text)
}

pub(super) fn faint(text: impl Into<String>) -> Span {
    span(Style::Faint, text)
}
