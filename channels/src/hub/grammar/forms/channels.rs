//! Commands about who somebody is on a channel, and what its rooms are about.

use patchbay_core::notify::Kind;
use winnow::{
    Parser,
    combinator::{alt, opt, preceded},
};

use super::super::{
    argument::{lone_project, one, proposal, word},
    command::{Command, Noise},
    stuck::{Expected, Input, Read},
};

/// `link [CODE]`
pub(in super::super) fn link(input: &mut Input<'_, '_>) -> Read<Command> {
    if input.is_empty() {
        return Ok(Command::Link { code: None });
    }
    let is_code = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).count() == 8 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    one(input, &[Expected::Code], |token| is_code(token.text).then(|| token.text.to_owned())).map(|code| Command::Link { code: Some(code) })
}

/// `mute [WEB|#12|reviews]`
pub(in super::super) fn mute(input: &mut Input<'_, '_>) -> Read<Command> {
    noise(input).map(Command::Mute)
}

/// `unmute [WEB|#12|reviews]`
pub(in super::super) fn unmute(input: &mut Input<'_, '_>) -> Read<Command> {
    noise(input).map(Command::Unmute)
}

fn noise(input: &mut Input<'_, '_>) -> Read<Option<Noise>> {
    if input.is_empty() {
        return Ok(None);
    }
    let kind = |input: &mut Input<'_, '_>| {
        let words = [Expected::Word("reviews"), Expected::Word("mentions"), Expected::Word("assignments"), Expected::Word("decisions")];
        one(input, &words, |token| kind(&token.text.to_lowercase()))
    };
    alt((proposal.map(Noise::Proposal), kind.map(Noise::Kind), lone_project.map(Noise::Project))).map(Some).parse_next(input)
}

/// A kind of notification, by its name or as people say it.
fn kind(word: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| word == kind.title() || word == kind.as_str())
}

/// `subscribe WEB`
pub(in super::super) fn subscribe(input: &mut Input<'_, '_>) -> Read<Command> {
    preceded(opt(word(&["to"])), lone_project).map(|project| Command::Subscribe { project, no_longer: false }).parse_next(input)
}

/// `unsubscribe WEB`
pub(in super::super) fn unsubscribe(input: &mut Input<'_, '_>) -> Read<Command> {
    preceded(opt(word(&["from"])), lone_project).map(|project| Command::Subscribe { project, no_longer: true }).parse_next(input)
}

/// `bind WEB|none`
pub(in super::super) fn bind(input: &mut Input<'_, '_>) -> Read<Command> {
    preceded(opt(word(&["to"])), alt((word(&["none", "nothing"]).map(|_| None), lone_project.map(Some))))
        .map(|project| Command::Bind { project })
        .parse_next(input)
}
