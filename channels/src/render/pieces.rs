//! A long text in pieces that a platform takes.

use super::card::length;

/// The text in pieces of at most so many UTF-16 units each, broken where it hurts least: between paragraphs, lines, words, letters.
pub(super) fn pieces(text: &str, most: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text.trim();
    while length(rest) > most {
        let mut room = most;
        let fits: usize = rest
            .chars()
            .map_while(|c| {
                room = room.checked_sub(c.len_utf16())?;
                Some(c.len_utf8())
            })
            .sum();
        let head = &rest[..fits];
        let end = ["\n\n", "\n", " "].iter().find_map(|gap| head.rfind(gap).filter(|at| *at > fits / 4)).unwrap_or(fits);
        let (head, tail) = rest.split_at(end);
        pieces.push(head.trim_end().to_owned());
        rest = tail.trim_start();
    }
    if !rest.is_empty() {
        pieces.push(rest.to_owned());
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_broken_where_it_hurts_least() {
        assert_eq!(pieces("short", 10), ["short"]);
        assert_eq!(pieces("one two\n\nthree four", 14), ["one two", "three four"]);
        assert_eq!(pieces("one two three four", 14), ["one two three", "four"]);
        assert_eq!(pieces("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(pieces("😀😀😀", 4), ["😀😀", "😀"]);
        assert!(pieces(" \n", 4).is_empty());
    }
}
