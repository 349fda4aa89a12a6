//! From a place where reading stopped to what a person meant.

use std::ops::Range;

use super::{
    MAX_DEPTH, Parsed, read,
    stuck::{Expected, Stuck},
    table::{About, Entry, TABLE},
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
    let mut near: Vec<(usize, String)> = stuck.expected.iter().filter_map(|expected| replacement(word, *expected, stuck.left == 1)).collect();
    near.sort();
    let suggestions = corrections(text, word, near.into_iter().map(|(_, word)| word), keys, depth);
    if stuck.message.is_some() || !suggestions.is_empty() {
        return Some(Mistake { at: word.at.clone(), message: stuck.message.unwrap_or_else(|| unknown(word.text)), suggestions });
    }
    if depth == 0 { slip(text, tokens, entry, &stuck, keys) } else { None }
}

/// Words that a sentence goes on with: whoever writes one of them does not mean a command.
const OF_SENTENCES: &str = " a an the this that these those my our his her its their it them me us \
    and or but so then because since as if when once while until after before with without for from of in on at by to into up out over aside \
    is are be was not also all every each some any no what which who whoever how why where everything something nothing ";

/// A line that names what only commands name, of which one word does not fit: what may stand there instead.
fn slip(text: &str, tokens: &[Token<'_>], entry: &Entry, stuck: &Stuck, keys: &[&str]) -> Option<Mistake> {
    let at = tokens.len() - stuck.left;
    let word = tokens.get(at).filter(|word| word.kind == Kind::Word && !OF_SENTENCES.contains(&format!(" {} ", word.text.to_lowercase())))?;
    let is_known = |key: &str| keys.contains(&key);
    let names = |token: &Token<'_>| {
        token.task.as_ref().is_some_and(|task| is_known(&task.key))
            || (token.in_capitals() && token.project.as_deref().is_some_and(is_known))
            || (token.kind == Kind::Quoted && entry.name == "add")
            || token.text.strip_prefix('#').is_some_and(|number| super::argument::positive(number).is_some())
    };
    if !tokens.iter().enumerate().any(|(index, token)| index != at && names(token)) {
        return None;
    }
    let is_command = |replacement: &str| {
        let line =
            format!("{}{replacement}{}", &text[..word.at.start], text[word.at.end..].trim_start_matches(if replacement.is_empty() { ' ' } else { '\0' }));
        matches!(read(line.trim(), keys, MAX_DEPTH), Parsed::Command(_)).then(|| line.trim().to_owned())
    };
    // What changes a task may be said in many ways; where something is only shown, a word too many is one.
    let without = if entry.about == About::Tasks { None } else { is_command("") };
    let is_short = match &tokens[at + 1..] {
        [_] => true,
        [lead, _] => lead.is("to") || lead.kind == Kind::Mark,
        _ => false,
    };
    let mut words = stuck.expected.iter().filter_map(|expected| match expected {
        Expected::Word("because" | "since") => None,
        Expected::Word(word) => Some(*word),
        _ => None,
    });
    if without.is_none() && !(is_short && words.any(|word| is_command(word).is_some())) {
        return None;
    }
    let how = match ways(&stuck.expected) {
        Some(ways) => format!("There may stand {ways}."),
        None => format!("It is written `{}`.", entry.form),
    };
    Some(Mistake { at: word.at.clone(), message: format!("{} {how}", unknown(word.text)), suggestions: without.into_iter().collect() })
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
    let line = crate::render::escape::code(text.trim());
    let next = ways(expected).map_or_else(String::new, |ways| format!(" Next comes {ways}."));
    format!("{line} is not finished.{next} For example `{}`.", entry.examples[0])
}

/// `a`, `b` or `c`
fn ways(expected: &[Expected]) -> Option<String> {
    let mut ways: Vec<String> = Vec::new();
    for way in expected.iter().map(ToString::to_string) {
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways.split_last().map(|(last, others)| if others.is_empty() { last.clone() } else { format!("{} or {last}", others.join(", ")) })
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
