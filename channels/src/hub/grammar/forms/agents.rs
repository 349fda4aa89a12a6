//! Commands about who works on what just now.

use winnow::{
    Parser,
    combinator::{alt, opt, preceded},
};

use super::super::{
    argument::{duration, reason, task, word},
    command::{Command, Leasing},
    stuck::{Input, Read, wrong},
};

/// `agents`
pub(in super::super) fn agents(input: &mut Input<'_, '_>) -> Read<Command> {
    opt(word(&["all"])).map(|_| Command::Agents).parse_next(input)
}

/// `lease`, `lease WEB-7 [for 30m]`, `lease release WEB-7 [because …]`, `lease steal WEB-7 because …`
pub(in super::super) fn lease(input: &mut Input<'_, '_>) -> Read<Command> {
    if input.is_empty() {
        return Ok(Command::Lease(Leasing::List));
    }
    let release = (preceded(word(&["release", "free", "return"]), task), opt(reason)).map(|(task, why)| Leasing::Release { task, why });
    let take = (preceded(opt(word(&["take"])), task), opt(preceded(opt(word(&["for"])), duration))).map(|(task, minutes)| Leasing::Take { task, minutes });
    alt((release, steal, take)).map(Command::Lease).parse_next(input)
}

fn steal(input: &mut Input<'_, '_>) -> Read<Leasing> {
    let task = preceded(word(&["steal"]), task).parse_next(input)?;
    if input.is_empty() {
        return wrong(input, "Say why: `lease steal WEB-7 because …`.");
    }
    reason(input).map(|why| Leasing::Steal { task, why })
}
