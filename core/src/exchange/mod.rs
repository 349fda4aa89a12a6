//! Files in and out: other people's task lists become plans, and plans become files.
//!
//! What a file says is never lost: each task keeps the bytes that it was read from, what has no field goes to its metadata,
//! and as long as a task is as it was read, writing it gives those bytes again.

mod backlog;
mod document;
mod export;
mod import;
mod markdown;
mod record;
mod source;

pub use document::{Document, Note};
pub use export::{calendar, csv, markdown};
pub use import::{Imported, import};

/// Reads a file's text; `name` tells the format by its ending: YAML, else Markdown.
pub fn read(name: &str, text: &str) -> Document {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    if ["yaml", "yml"].iter().any(|yaml| ending.eq_ignore_ascii_case(yaml)) { backlog::read(text) } else { markdown::read(text) }
}

#[cfg(test)]
mod tests;
