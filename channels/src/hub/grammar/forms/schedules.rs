//! Commands about what is to be done at times to come.

use winnow::{
    Parser,
    combinator::{alt, opt, preceded},
};

use super::super::{
    argument::{mark, one, positive, text, word},
    command::{Command, Scheduling},
    stuck::{Expected, Input, Read},
    token::Kind,
};

/// `schedule "every weekday 9:00" plan WEB-7`, `schedule list`, `schedule pause|resume|delete 3`
pub(in super::super) fn schedule(input: &mut Input<'_, '_>) -> Read<Command> {
    if input.is_empty() {
        return Ok(Command::Schedule(Scheduling::List));
    }
    if let Some(rule) = input.first().filter(|token| token.kind == Kind::Quoted).map(|token| token.text.trim().to_owned()) {
        one(input, &[Expected::Rule], |_| Some(()))?;
        opt(mark(&[":", ","])).parse_next(input)?;
        return text.map(|text| Command::Schedule(Scheduling::Make { rule: rule.clone(), text })).parse_next(input);
    }
    let quoted = |input: &mut Input<'_, '_>| one(input, &[Expected::Rule], |_| None);
    let verb = alt((word(&["list", "pause", "resume", "delete"]), quoted)).parse_next(input)?;
    if verb == "list" {
        return Ok(Command::Schedule(Scheduling::List));
    }
    let make = match verb {
        "pause" => Scheduling::Pause,
        "resume" => Scheduling::Resume,
        _ => Scheduling::Delete,
    };
    number.map(|number| Command::Schedule(make(number))).parse_next(input)
}

/// `pause 3`
pub(in super::super) fn pause(input: &mut Input<'_, '_>) -> Read<Command> {
    preceded(opt(word(&["schedule"])), number).map(|number| Command::Schedule(Scheduling::Pause(number))).parse_next(input)
}

/// `resume 3`
pub(in super::super) fn resume(input: &mut Input<'_, '_>) -> Read<Command> {
    preceded(opt(word(&["schedule"])), number).map(|number| Command::Schedule(Scheduling::Resume(number))).parse_next(input)
}

/// What a schedule is called.
fn number(input: &mut Input<'_, '_>) -> Read<i32> {
    one(input, &[Expected::Number], |token| positive(token.text.trim_start_matches('#')))
}
