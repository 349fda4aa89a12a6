//! From a place where reading stopped to what a person meant.

use std::ops::Range;

use super::{
    Parsed, read,
    stuck::{Expected, Stuck},
    table::{Entry, TABLE},
    token::{Kind, Token},
};

/// What is wrong with a line that was meant as a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The bytes of the word at fault; empty at the end where something is missing.
    pub at: Range<usize>,
    /// One or two sentences, in Markdown.
    pub message: String,
    /// Whole lines that would work, the likeliest first.
    pub suggestions: Vec<String>,
}

/// At most this many corrections are offered.
const MAX_SUGGESTIONS: usize = 3;

/// A line whose first word begins no command: is it nearly one?
pub(super) fn first_word(text: &str, tokens: &[Token<'_>], keys: &[&str], depth: usize) -> Option<Mistake> {
    let word = tokens.first().filter(|token| token.kind == Kind::Word)?;
    let mut near: Vec<(usize, &'static str)> = TABLE
        .iter()
        .flat_map(Entry::words)
        .filter_map(|name| Some((distance(word.text, name)?, name)))
        .filter(|(_, name)| tokens.len() > 1 || is_slip(word.text, name))
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    let suggestions = corrections(text, word, near.into_iter().map(|(_, name)| name.to_owned()), keys, depth);
    (!suggestions.is_empty()).then(|| Mistake { at: word.at.clone(), message: unknown(word.text), suggestions })
}

/// A line that begins with a command's word and could not be read to its end: `None` where it is likelier no command.
pub(super) fn explain(text: &str, tokens: &[Token<'_>], entry: &Entry, stuck: Stuck, keys: &[&str], depth: usize) -> Option<Mistake> {
    let Some(word) = tokens.len().checked_sub(stuck.left).and_then(|at| tokens.get(at)) else {
        let message = stuck.message.unwrap_or_else(|| unfinished(text, entry, &stuck.expected));
        return Some(Mistake { at: text.len()..text.len(), message, suggestions: Vec::new() });
    };
    if word.kind == Kind::Unclosed {
        let closed = format!("{}\"", text.trim_end());
        return Some(Mistake {
            at: word.at.clone(),
            message: stuck.message.unwrap_or_else(|| "This quotation mark is not closed.".to_owned()),
            suggestions: works(&closed, keys, depth).into_iter().collect(),
        });
    }
    if let Some(message) = stuck.message {
        return Some(Mistake { at: word.at.clone(), message, suggestions: Vec::new() });
    }
    let mut near: Vec<(usize, String)> = stuck.expected.iter().filter_map(|expected| replacement(word, *expected, stuck.left == 1)).collect();
    near.sort();
    let suggestions = corrections(text, word, near.into_iter().map(|(_, word)| word), keys, depth);
    (!suggestions.is_empty()).then(|| Mistake { at: word.at.clone(), message: unknown(word.text), suggestions })
}

/// The words that a command begins with, and others that may stand there, that one word can be meant by; the nearest first.
pub fn nearest<'a>(word: &str, others: impl Iterator<Item = &'a str>) -> Vec<String> {
    let own = TABLE.iter().flat_map(Entry::words).map(|name: &'static str| -> &'a str { name });
    let mut near: Vec<(usize, &str)> = own.chain(others).filter_map(|name| Some((distance(word, name)?, name))).collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(MAX_SUGGESTIONS).map(|(_, name)| name.to_owned()).collect()
}

fn unknown(word: &str) -> String {
    format!("I know no \"{}\".", crate::render::escape::markdown(word))
}

fn unfinished(text: &str, entry: &Entry, expected: &[Expected]) -> String {
    let mut ways: Vec<String> = Vec::new();
    for way in expected.iter().map(ToString::to_string) {
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    let line = crate::render::escape::code(text.trim());
    let next = match ways.split_last() {
        None => String::new(),
        Some((last, [])) => format!(" Next comes {last}."),
        Some((last, others)) => format!(" Next comes {} or {last}.", others.join(", ")),
    };
    format!("{line} is not finished.{next} For example `{}`.", entry.examples[0])
}

/// What was probably meant instead of a word, and how far from it that is.
fn replacement(word: &Token<'_>, expected: Expected, is_last: bool) -> Option<(usize, String)> {
    match expected {
        Expected::Word(name) => distance(word.text, name).map(|distance| (distance, name.to_owned())),
        // With words behind it the number may be an operation's: `edit 2: call it SSO`.
        Expected::Proposal if is_last => {
            let number = word.text.trim_start_matches(['#', '№']);
            super::argument::positive(number).map(|number| (1, format!("#{number}")))
        }
        Expected::Task => {
            // `WEB7`, `WEB_7`
            let digits = word.text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            let (key, number) = word.text.split_at(digits);
            let key = key.trim_end_matches(['_', '#', '/', '.']);
            let key_is_word = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric());
            (key_is_word && !number.is_empty()).then(|| (1, format!("{}-{number}", key.to_ascii_uppercase())))
        }
        _ => None,
    }
}

/// The lines that become commands when a word is replaced.
fn corrections(text: &str, word: &Token<'_>, replacements: impl Iterator<Item = String>, keys: &[&str], depth: usize) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for replacement in replacements {
        let line = format!("{}{replacement}{}", &text[..word.at.start], &text[word.at.end..]);
        for line in works(&line, keys, depth) {
            if !found.contains(&line) && found.len() < MAX_SUGGESTIONS {
                found.push(line);
            }
        }
    }
    found
}

/// The line itself where it is a command, or what it could be corrected to in its turn.
fn works(line: &str, keys: &[&str], depth: usize) -> Vec<String> {
    let line = line.trim();
    match read(line, keys, depth + 1) {
        Parsed::Command(_) => vec![line.to_owned()],
        Parsed::Mistake(mistake) => mistake.suggestions,
        Parsed::Several(_) | Parsed::Free => Vec::new(),
    }
}

/// How many slips of the finger lie between two words, where few enough do that one can be meant by the other.
fn distance(word: &str, name: &str) -> Option<usize> {
    let word = word.to_lowercase();
    let most = match name.len() {
        0..=2 => 0,
        3..=5 => 1,
        _ => 2,
    };
    if word.len().abs_diff(name.len()) > most {
        return None;
    }
    let distance = strsim::damerau_levenshtein(&word, name);
    (distance > 0 && distance <= most).then_some(distance)
}

/// Whether a message of one word is a mistyped command: the same first letter, and two letters exchanged, one twice or
/// one missing. `more` and `none` are words of their own, not `move` and `done`.
fn is_slip(word: &str, name: &str) -> bool {
    let word = word.to_lowercase();
    let same_length = word.len() == name.len();
    let letters = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    word.chars().next() == name.chars().next() && (!same_length || letters(&word) == letters(name))
}
