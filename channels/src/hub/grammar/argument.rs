//! The arguments that commands share: words, tasks, titles, dates, people, text.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use patchbay_core::{
    dates,
    patch::{Priority, Reference},
};
use winnow::{
    Parser,
    combinator::{alt, opt, preceded},
    error::ErrMode,
    stream::Stream,
    token::any,
};

use super::{
    command::{DatePhrase, Person, Target},
    stuck::{Expected, Input, Read, expected},
    token::{Kind, Token},
};

/// One of the words; which one.
pub(super) fn word<'t, 'a: 't>(words: &'static [&'static str]) -> impl FnMut(&mut Input<'t, 'a>) -> Read<&'static str> {
    move |input| match input.first().and_then(|token| words.iter().find(|word| token.is(word))) {
        Some(word) => {
            input.next_token();
            Ok(word)
        }
        None => expected(input, &words.iter().map(|word| Expected::Word(word)).collect::<Vec<_>>()),
    }
}

/// Several words that must stand together.
pub(super) fn phrase<'t, 'a: 't>(words: &'static [&'static str]) -> impl FnMut(&mut Input<'t, 'a>) -> Read<()> {
    move |input| {
        for text in words {
            match input.first() {
                Some(token) if token.is(text) => input.next_token(),
                _ => return expected(input, &[Expected::Word(text)]),
            };
        }
        Ok(())
    }
}

pub(super) fn mark<'t, 'a: 't>(signs: &'static [&'static str]) -> impl FnMut(&mut Input<'t, 'a>) -> Read<()> {
    move |input| one(input, &[], |token| signs.iter().any(|sign| token.is(sign)).then_some(()))
}

pub(super) fn task(input: &mut Input<'_, '_>) -> Read<Reference> {
    one(input, &[Expected::Task], |token| token.task.clone())
}

/// `WEB-4`, `WEB-4, WEB-5 and WEB-6`
pub(super) fn tasks(input: &mut Input<'_, '_>) -> Read<Vec<Reference>> {
    list(task, input)
}

/// At least one, as people write lists.
pub(super) fn list<'t, 'a: 't, T>(mut member: impl FnMut(&mut Input<'t, 'a>) -> Read<T>, input: &mut Input<'t, 'a>) -> Read<Vec<T>> {
    let mut found = vec![member(input)?];
    loop {
        let before = input.checkpoint();
        and(input)?;
        match member(input) {
            Ok(next) => found.push(next),
            Err(ErrMode::Backtrack(_)) => {
                input.reset(&before);
                return Ok(found);
            }
            Err(cut) => return Err(cut),
        }
    }
}

/// What stands between the members of a list: `,`, `and`, both, or nothing but a blank.
pub(super) fn and(input: &mut Input<'_, '_>) -> Read<()> {
    (opt(mark(&[",", "&"])), opt(word(&["and"]))).void().parse_next(input)
}

pub(super) fn project(input: &mut Input<'_, '_>) -> Read<String> {
    one(input, &[Expected::Project], |token| token.project.clone())
}

/// A project in capitals, or in small letters where no sentence can follow it.
pub(super) fn lone_project(input: &mut Input<'_, '_>) -> Read<String> {
    let ends = input.get(1).is_none_or(|next| next.kind == Kind::Mark || next.text.starts_with(|c: char| c.is_ascii_digit()));
    one(input, &[Expected::Project], |token| token.project.clone().filter(|_| token.in_capitals() || ends))
}

pub(super) fn target(input: &mut Input<'_, '_>) -> Read<Target> {
    alt((task.map(Target::Task), lone_project.map(Target::Project))).parse_next(input)
}

/// `#12`
pub(super) fn proposal(input: &mut Input<'_, '_>) -> Read<i32> {
    one(input, &[Expected::Proposal], |token| token.text.strip_prefix('#').and_then(positive))
}

/// A whole number from 1.
pub(super) fn version(input: &mut Input<'_, '_>) -> Read<i32> {
    one(input, &[Expected::Versions], |token| positive(token.text))
}

pub(super) fn title(input: &mut Input<'_, '_>) -> Read<String> {
    one(input, &[Expected::Title], |token| (token.kind == Kind::Quoted).then(|| token.text.trim().to_owned()).filter(|title| !title.is_empty()))
}

/// `@ana`, `me`
pub(super) fn person(input: &mut Input<'_, '_>) -> Read<Person> {
    one(input, &[Expected::Person], |token| match token.text.strip_prefix('@') {
        Some(handle) => is_handle(handle).then(|| Person::Handle(handle.to_lowercase())),
        None => (token.is("me") || token.is("myself")).then_some(Person::Me),
    })
}

/// A person also without the sign, where nobody else can be meant.
pub(super) fn plain_person(input: &mut Input<'_, '_>) -> Read<Person> {
    let plain =
        |token: &Token<'_>| (token.kind == Kind::Word && is_handle(token.text) && token.task.is_none()).then(|| Person::Handle(token.text.to_lowercase()));
    alt((person, |input: &mut Input<'_, '_>| one(input, &[Expected::Person], plain))).parse_next(input)
}

pub(super) fn nobody(input: &mut Input<'_, '_>) -> Read<()> {
    word(&["nobody", "none", "noone", "no-one"]).void().parse_next(input)
}

/// `p1`, `high`
pub(super) fn priority(input: &mut Input<'_, '_>) -> Read<Priority> {
    one(input, &[], |token| match token.text.to_ascii_lowercase().as_str() {
        "p0" | "urgent" | "critical" => Some(Priority::P0),
        "p1" | "high" => Some(Priority::P1),
        "p2" | "medium" | "normal" => Some(Priority::P2),
        "p3" | "low" => Some(Priority::P3),
        _ => None,
    })
}

pub(super) fn date(input: &mut Input<'_, '_>) -> Read<DatePhrase> {
    // How far a date reaches does not depend on the time that it is read at.
    taken(input, Expected::Date, |text| {
        let (_, rest) = dates::parse_front(text, DateTime::<Utc>::UNIX_EPOCH, Tz::UTC)?;
        Some((DatePhrase(text[..text.len() - rest.len()].trim_end().trim_end_matches([',', ';', ')']).to_owned()), rest))
    })
}

pub(super) fn duration(input: &mut Input<'_, '_>) -> Read<u32> {
    taken(input, Expected::Duration, dates::parse_duration_front)
}

/// A single word or a quotation.
pub(super) fn name(input: &mut Input<'_, '_>) -> Read<String> {
    one(input, &[Expected::Text], |token| matches!(token.kind, Kind::Word | Kind::Quoted).then(|| token.text.to_owned()))
}

/// All that is left, as written. A lone quotation loses its quotes.
pub(super) fn text(input: &mut Input<'_, '_>) -> Read<String> {
    let Some(first) = input.first() else { return expected(input, &[Expected::Text]) };
    let text = if first.kind == Kind::Quoted && input.len() == 1 { first.text } else { first.tail };
    while input.next_token().is_some() {}
    Ok(text.trim().to_owned())
}

/// A reason: words behind a colon, a dash or `because`.
pub(super) fn reason(input: &mut Input<'_, '_>) -> Read<String> {
    let lead = alt((mark(&[":", "-", "–", "—"]), word(&["because", "since"]).void()));
    preceded(lead, text).parse_next(input)
}

/// Takes the next token where the function makes something of it.
pub(super) fn one<T>(input: &mut Input<'_, '_>, wanted: &[Expected], read: impl FnOnce(&Token<'_>) -> Option<T>) -> Read<T> {
    match input.first().and_then(read) {
        Some(value) => {
            any::<_, ErrMode<super::stuck::Stuck>>.parse_next(input)?;
            Ok(value)
        }
        None => expected(input, wanted),
    }
}

/// Takes what a reader of plain text takes off the front.
fn taken<T>(input: &mut Input<'_, '_>, wanted: Expected, read: impl FnOnce(&str) -> Option<(T, &str)>) -> Read<T> {
    let Some(first) = input.first() else { return expected(input, &[wanted]) };
    let Some((value, rest)) = read(first.tail).filter(|_| first.kind == Kind::Word) else { return expected(input, &[wanted]) };
    let end = first.at.start + first.tail.len() - rest.len();
    while input.first().is_some_and(|token| token.at.start < end) {
        input.next_token();
    }
    Ok(value)
}

pub(super) fn positive(text: &str) -> Option<i32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?.filter(|number| *number > 0)
}

fn is_handle(text: &str) -> bool {
    text.starts_with(char::is_alphanumeric) && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}
