//! Commands about who somebody is on a channel, and what its rooms are about.

use winnow::{
    Parser,
    combinator::{alt, opt, preceded},
};

use super::super::{
    argument::{lone_project, one, word},
    command::Command,
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

/// `bind WEB|none`
pub(in super::super) fn bind(input: &mut Input<'_, '_>) -> Read<Command> {
    preceded(opt(word(&["to"])), alt((word(&["none", "nothing"]).map(|_| None), lone_project.map(Some))))
        .map(|project| Command::Bind { project })
        .parse_next(input)
}
