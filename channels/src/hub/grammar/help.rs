//! The help text, made from the table of commands.

use std::fmt::Write;

use super::table::{About, Entry, TABLE, find};

/// All commands, or one with its examples, as Markdown. A word that begins no command gets the whole list.
pub fn help(topic: Option<&str>) -> String {
    topic.and_then(find).map_or_else(all, one)
}

fn all() -> String {
    let mut text = String::from("Write what you want in your own words, or use a command. Nothing that I plan takes effect before somebody accepts it.\n");
    for about in About::ALL {
        let _ = write!(text, "\n**{}**\n\n", about.title());
        for entry in TABLE.iter().filter(|entry| entry.about == about) {
            let _ = writeln!(text, "- `{}`: {}", entry.form, entry.help);
        }
    }
    text.push_str("\nSeveral commands in one message, one a line, are one change of one project, or none where a line fails; `undo` takes all of it back.\n");
    text.push_str("\nDates: `friday`, `tomorrow 17:00`, `in 3 days`, `1 december`, `2026-12-01`. Small or capital letters make no difference.\n");
    text
}

fn one(entry: &'static Entry) -> String {
    let mut text = format!("`{}`\n\n{}\n\n", entry.form, entry.help);
    if !entry.aliases.is_empty() {
        let aliases: Vec<_> = entry.aliases.iter().map(|alias| format!("`{alias}`")).collect();
        let _ = write!(text, "Also: {}\n\n", aliases.join(", "));
    }
    for example in entry.examples {
        let _ = writeln!(text, "    {example}");
    }
    text
}
