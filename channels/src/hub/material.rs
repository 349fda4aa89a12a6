//! What a message is planned from: its words, and the texts that came with it. Pure.

use patchbay_core::channel::received::Brought;

use super::grammar::{self, Parsed};

/// As long as a command may be in any channel, in bytes.
pub(crate) const MAX: usize = 100_000;

/// Words with the texts that came with them, where they are for the planner. A command says by itself all that it does.
pub fn with_material(words: &str, brought: &[Brought]) -> String {
    if brought.is_empty() || !matches!(grammar::parse(words, &[]), Parsed::Free) {
        return words.to_owned();
    }
    let mut text = joined(std::iter::once(words).chain(texts(brought)));
    // What somebody writes is taken as long as it is; what they add only as far as there is room.
    text.truncate(text.floor_char_boundary(MAX.max(words.len())));
    clean(&text)
}

/// The texts that can be planned from.
pub(crate) fn texts(brought: &[Brought]) -> impl Iterator<Item = &str> {
    brought.iter().filter_map(Brought::text)
}

/// The parts that say something, each apart from the next.
pub(crate) fn joined<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    parts.map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// As the inbox takes it: bounded, and without what no keyboard writes; `None` where nothing is left.
pub(crate) fn bounded(text: &str) -> Option<String> {
    let text = clean(&text[..text.floor_char_boundary(MAX)]);
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// A name without folders, as long as file systems take it.
pub fn file_name(name: &str) -> String {
    let line = crate::render::escape::line(name);
    let last = line.rsplit(['/', '\\']).next().unwrap_or_default();
    last[..last.floor_char_boundary(200)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_the_planner_gets_the_texts_that_came_with_it_and_a_command_does_not() {
        let brought = |name: &str, media_type: &str, bytes: &[u8]| Brought { name: name.into(), media_type: media_type.into(), bytes: bytes.to_vec() };
        let all = [
            brought("plan.md", "text/markdown", b"- a till\n"),
            brought("a.png", "image/png", b"\x89PNG"),
            brought("notes.txt", "application/octet-stream", b"  and a bell\r\n"),
        ];
        assert_eq!(with_material("Open a shop with this", &all), "Open a shop with this\n\n- a till\n\nand a bell");
        assert_eq!(with_material("list projects", &all), "list projects");
        let long = [brought("long.txt", "text/plain", "ä".repeat(100_000).as_bytes())];
        assert_eq!(with_material("Plan this", &long).len(), MAX - 1, "what is added is cut off between two letters");
        assert_eq!(with_material(&"x".repeat(MAX + 1), &long).len(), MAX + 1);
    }
}
