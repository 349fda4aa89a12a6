//! Commands: the same words in every channel.
//!
//! A line is a command only where all of it reads as one. What begins like a command and is nearly one is a mistake, told
//! with its correction; everything else is free text for the planner. `add documentation after the tests` is free,
//! `add "Documentation" after WEB-3` is a command, `add "Documentation" aftr WEB-3` is a mistake.

mod argument;
mod command;
mod forms;
mod help;
mod mistake;
mod several;
mod stuck;
mod table;
mod token;

use winnow::error::ErrMode;

pub use command::{
    Add, Command, DatePhrase, Due, Filter, Leasing, Noise, Operations, Person, Place, ProjectSetting, Scheduling, Setting, Settlement, Shown, Target, Verb,
    Working,
};
pub use help::help;
pub use mistake::{Mistake, nearest};
pub use several::{Line, MAX_LINES, is_evident};
pub use table::{About, Entry, TABLE, find};

use stuck::{Input, Stuck};
use token::{Kind, Token};

/// What a message is.
#[derive(Clone, Debug, PartialEq)]
pub enum Parsed {
    Command(Command),
    /// Several commands, one a line, that change one plan together, or that decide about proposals together.
    Several(Vec<Line>),
    /// Meant as a command, and wrong.
    Mistake(Mistake),
    /// For the planner.
    Free,
}

/// Reads a message. `keys` are the keys of the projects that its author may see: only they are read in small letters.
pub fn parse(text: &str, keys: &[&str]) -> Parsed {
    several::several(text, keys).unwrap_or_else(|| read(text, keys, 0))
}

/// Corrections of corrections go this deep: two slips in a line are found, three are a sentence.
const MAX_DEPTH: usize = 2;

fn read(text: &str, keys: &[&str], depth: usize) -> Parsed {
    let (text, slash) = match slashed(text) {
        Some(rest) => (rest, text.len() - rest.len()),
        None => (text, 0),
    };
    let mut parsed = unslashed(text, keys, depth);
    if slash > 0 {
        match &mut parsed {
            Parsed::Mistake(mistake) => mistake.at = mistake.at.start + slash..mistake.at.end + slash,
            Parsed::Free => parsed = Parsed::Mistake(not_one(text, slash)),
            Parsed::Command(_) | Parsed::Several(_) => {}
        }
    }
    parsed
}

fn unslashed(text: &str, keys: &[&str], depth: usize) -> Parsed {
    let all = token::tokens(text, keys);
    let tokens = without_politeness(&all);
    let Some(first) = tokens.first() else { return Parsed::Free };
    let free_or = |mistake: Option<Mistake>| mistake.map_or(Parsed::Free, Parsed::Mistake);
    if depth > MAX_DEPTH {
        return Parsed::Free;
    }
    let entry = if first.is("?") { find("help") } else { find(first.text).filter(|_| first.kind == Kind::Word) };
    let Some(entry) = entry else { return free_or(mistake::first_word(text, tokens, keys, depth)) };
    let mut input = Input::new(&tokens[1..]);
    let stuck = match (entry.read)(&mut input) {
        Ok(command) if input.is_empty() => return Parsed::Command(command),
        Ok(_) => Stuck { left: input.len(), expected: Vec::new(), message: None },
        Err(ErrMode::Backtrack(stuck) | ErrMode::Cut(stuck)) => stuck,
        Err(ErrMode::Incomplete(_)) => return Parsed::Free,
    };
    free_or(mistake::explain(text, tokens, entry, stuck, keys, depth))
}

/// What stands behind the slash of `/list`; a path is no command.
fn slashed(text: &str) -> Option<&str> {
    let rest = text.trim_start().strip_prefix('/')?;
    let word = rest.split(char::is_whitespace).next()?;
    (!word.is_empty() && word.bytes().all(|b| b.is_ascii_alphabetic())).then_some(rest)
}

fn not_one(text: &str, slash: usize) -> Mistake {
    let word = text.split(char::is_whitespace).next().unwrap_or_default();
    let message = match find(word) {
        Some(entry) => format!("I cannot read this. It is written `{}`, for example `{}`.", entry.form, entry.examples[0]),
        None => format!("I know no \"{}\". `help` shows what I know.", crate::render::escape::markdown(word)),
    };
    Mistake { at: slash..slash + word.len(), message, suggestions: Vec::new() }
}

/// The words without `please` and the signs that end a sentence.
fn without_politeness<'s, 'a>(mut tokens: &'s [Token<'a>]) -> &'s [Token<'a>] {
    while let [rest @ .., last] = tokens {
        let polite = !rest.is_empty() && (last.is("please") || (last.kind == Kind::Mark && matches!(last.text, "." | "!" | ",")));
        if !polite {
            break;
        }
        tokens = rest;
    }
    match tokens {
        [first, rest @ ..] if first.is("please") && !rest.is_empty() => rest,
        _ => tokens,
    }
}

#[cfg(test)]
mod tests;
