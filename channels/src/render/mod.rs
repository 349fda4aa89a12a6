//! What people see of patches and plans: one [`Page`] each, painted for every kind of surface. Pure.
//!
//! A page holds other people's text as it is; the painters make it harmless ([`escape`]).

pub mod card;
pub mod clash;
pub mod diff;
pub mod discord;
pub mod email;
pub mod escape;
pub mod page;
pub mod plan;
pub mod slack;
pub mod text;
pub mod words;

mod html;
mod log;
mod markdown;
mod pieces;
mod terminal;

#[cfg(test)]
mod generate;

use patchbay_core::{patch::diff::Diff, review::Revision};

pub use log::{log, sentence};
pub use markdown::plain;
pub use page::Page;
pub use terminal::Terminal;

/// A revision of a proposal as a page: what it clashes with, then what it would change.
pub fn revision(number: i32, revision: &Revision) -> Page {
    let mut page = diff::page(&revision.diff);
    page.lines.splice(1..1, clash::lines(number, &revision.conflicts));
    page
}

/// A diff as plain text.
pub fn text(diff: &Diff) -> String {
    diff::page(diff).text()
}

/// A diff as Markdown.
pub fn markdown(diff: &Diff) -> String {
    diff::page(diff).markdown()
}

/// A diff as a fragment of HTML.
pub fn html(diff: &Diff) -> String {
    diff::page(diff).html()
}

/// A reply of ours, which is Markdown, for a terminal of so many columns.
pub fn reply(markdown: &str, width: usize) -> String {
    terminal::wrap(&plain(markdown), width)
}

/// A diff for a terminal of so many columns.
pub fn terminal(diff: &Diff, colour: bool, width: usize) -> String {
    diff::page(diff).terminal(Terminal { colour, width })
}
