//! Commands about work in the background.

use patchbay_core::jobs::{State, preset};
use winnow::{
    Parser,
    combinator::{alt, opt, preceded},
};

use super::super::{
    argument::{mark, one, word},
    command::{Command, Working},
    stuck::{Expected, Input, Read, expected},
    token::Kind,
};

/// `jobs`, `jobs running`, `jobs 3f2a91c4`
pub(in super::super) fn jobs(input: &mut Input<'_, '_>) -> Read<Command> {
    if input.is_empty() {
        return Ok(Command::Jobs(Working::List(None)));
    }
    let state = word(&["all", "running", "queued", "waiting", "scheduled", "done", "dead", "failed", "cancelled"]).map(|word| {
        Working::List(match word {
            "running" => Some(State::Running),
            "queued" | "waiting" => Some(State::Queued),
            "scheduled" => Some(State::Scheduled),
            "done" => Some(State::Done),
            "dead" | "failed" => Some(State::Dead),
            "cancelled" => Some(State::Cancelled),
            _ => None,
        })
    });
    alt((state, job.map(Working::Show))).map(Command::Jobs).parse_next(input)
}

/// `retry 3f2a91c4`
pub(in super::super) fn retry(input: &mut Input<'_, '_>) -> Read<Command> {
    preceded(opt(word(&["job"])), job).map(|job| Command::Jobs(Working::Retry(job))).parse_next(input)
}

/// `stop 3f2a91c4`
pub(in super::super) fn stop(input: &mut Input<'_, '_>) -> Read<Command> {
    preceded(opt(word(&["job"])), job).map(|job| Command::Jobs(Working::Stop(job))).parse_next(input)
}

/// `run`, `run release-notes project=WEB from=3`
pub(in super::super) fn run(input: &mut Input<'_, '_>) -> Read<Command> {
    if input.is_empty() {
        return Ok(Command::Jobs(Working::Run { preset: None, given: Vec::new() }));
    }
    let name = one(input, &[Expected::Preset], |token| {
        (token.kind == Kind::Word && token.task.is_none() && preset::is_name(token.text)).then(|| token.text.to_owned())
    })?;
    let mut fields = Vec::new();
    while !input.is_empty() {
        opt(mark(&[","])).parse_next(input)?;
        fields.push(given(input)?);
    }
    Ok(Command::Jobs(Working::Run { preset: Some(name), given: fields }))
}

/// `count=3`, `title="The release"`
fn given(input: &mut Input<'_, '_>) -> Read<(String, String)> {
    let is_field = |text: &str| text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    // Without the sign it is a word of a sentence: `run the tests`.
    let has_value = input.get(1).is_some_and(|sign| sign.is("="));
    let field = one(input, &[Expected::Given], |token| (has_value && token.kind == Kind::Word && is_field(token.text)).then(|| token.text.to_owned()))?;
    mark(&["="]).parse_next(input)?;
    let Some(first) = input.first().cloned() else { return expected(input, &[Expected::Text]) };
    if first.kind == Kind::Quoted {
        return one(input, &[], |token| Some((field.clone(), token.text.to_owned())));
    }
    // A value reaches up to the next blank, whatever signs are in it: `url=https://example.org/?a=b`.
    let value = first.tail.split(char::is_whitespace).next().unwrap_or_default();
    let end = first.at.start + value.len();
    while input.first().is_some_and(|token| token.at.start < end) {
        one(input, &[], |_| Some(()))?;
    }
    Ok((field, value.trim_end_matches(',').to_owned()))
}

/// The end of a job's id as it is shown, or all of it.
fn job(input: &mut Input<'_, '_>) -> Read<String> {
    let is_job = |text: &str| match text.len() {
        8 => text.bytes().all(|b| b.is_ascii_hexdigit()),
        36 => text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-'),
        _ => false,
    };
    one(input, &[Expected::Job], |token| (token.kind == Kind::Word && is_job(token.text)).then(|| token.text.to_ascii_lowercase()))
}
