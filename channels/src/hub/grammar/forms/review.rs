//! Commands about proposals.

use std::collections::BTreeSet;

use winnow::{
    Parser,
    combinator::{alt, delimited, opt, preceded},
};

use super::super::{
    argument::{list, mark, one, positive, proposal, reason, text, word},
    command::{Command, Operations, Settlement},
    stuck::{Expected, Input, Read, wrong},
};

/// `review [#12]`
pub(in super::super) fn review(input: &mut Input<'_, '_>) -> Read<Command> {
    if input.is_empty() {
        return Ok(Command::Review(None));
    }
    proposal.map(|number| Command::Review(Some(number))).parse_next(input)
}

/// `accept [#12] [1,3-5]`, `accept all but 2`
pub(in super::super) fn accept(input: &mut Input<'_, '_>) -> Read<Command> {
    let proposal = opt(proposal).parse_next(input)?;
    opt(mark(&[":"])).parse_next(input)?;
    if input.is_empty() {
        return Ok(Command::Accept { proposal, operations: Operations::All });
    }
    let all = opt(word(&["all", "everything"])).parse_next(input)?.is_some();
    if all && input.is_empty() {
        return Ok(Command::Accept { proposal, operations: Operations::All });
    }
    let except = word(&["but", "except", "without"]);
    let operations = if all {
        preceded(except, numbers).map(Operations::Except).parse_next(input)?
    } else {
        alt((preceded(except, numbers).map(Operations::Except), preceded(opt(word(&["only"])), numbers).map(Operations::Only))).parse_next(input)?
    };
    Ok(Command::Accept { proposal, operations })
}

/// `1,3-5`, `1 and 3`, `[1, 3–5]`
fn numbers(input: &mut Input<'_, '_>) -> Read<BTreeSet<usize>> {
    let members = |input: &mut Input<'_, '_>| list(range, input);
    let found =
        if input.first().is_some_and(|token| token.is("[")) { delimited(mark(&["["]), members, mark(&["]"])).parse_next(input)? } else { members(input)? };
    Ok(found.into_iter().flatten().collect())
}

fn range(input: &mut Input<'_, '_>) -> Read<std::ops::RangeInclusive<usize>> {
    let number = |text: &str| positive(text).and_then(|number| usize::try_from(number).ok()).filter(|number| *number <= 500);
    let dashed = |text: &str| {
        let (from, to) = text.split_once("..").or_else(|| text.split_once('-'))?;
        Some((number(from)?, number(to)?))
    };
    let shape = |text: &str| text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().all(|b| b.is_ascii_digit() || b == b'-' || b == b'.');
    let Some(text) = input.first().map(|token| token.text).filter(|text| shape(text)) else {
        return one(input, &[Expected::Operations], |_| None);
    };
    let Some((from, to)) = number(text).map(|only| (only, only)).or_else(|| dashed(text)).filter(|(from, to)| from <= to) else {
        return wrong(input, "Operations are numbers from 1 to 500 such as `1,3-5`.");
    };
    one(input, &[], |_| Some(()))?;
    // `3–5` and `3 - 5` come as three words.
    let end =
        opt(preceded(mark(&["–", "—", "-"]), |input: &mut Input<'_, '_>| one(input, &[Expected::Operations], |token| number(token.text)))).parse_next(input)?;
    Ok(from..=end.filter(|end| *end >= to).unwrap_or(to))
}

/// `reject [#12] [why]`
pub(in super::super) fn reject(input: &mut Input<'_, '_>) -> Read<Command> {
    let number = opt(proposal).parse_next(input)?;
    if input.is_empty() {
        return Ok(Command::Reject { proposal: number, why: None });
    }
    // Without a number only a reason that is written as one: `reject the second` is for the planner.
    let why = if number.is_some() { alt((reason, text)).parse_next(input)? } else { reason(input)? };
    Ok(Command::Reject { proposal: number, why: Some(why) })
}

/// `edit #12 what to change`
pub(in super::super) fn edit(input: &mut Input<'_, '_>) -> Read<Command> {
    (proposal, opt(mark(&[":"])), text).map(|(proposal, _, text)| Command::Edit { proposal, text }).parse_next(input)
}

/// `comment #12 [2] text`
pub(in super::super) fn comment(input: &mut Input<'_, '_>) -> Read<Command> {
    let number = |input: &mut Input<'_, '_>| one(input, &[Expected::Operations], |token| positive(token.text).and_then(|number| usize::try_from(number).ok()));
    let operation = opt(delimited(mark(&["["]), number, mark(&["]"])));
    preceded(opt(word(&["on"])), (proposal, operation, opt(mark(&[":"])), text))
        .map(|(proposal, operation, _, text)| Command::Comment { proposal, operation, text })
        .parse_next(input)
}

/// `resolve [#12] 2 ours|theirs|value`
pub(in super::super) fn resolve(input: &mut Input<'_, '_>) -> Read<Command> {
    let proposal = opt(proposal).parse_next(input)?;
    opt(word(&["conflict"])).parse_next(input)?;
    let conflict = one(input, &[Expected::Conflict], |token| positive(token.text).and_then(|number| usize::try_from(number).ok()))?;
    opt(alt((mark(&[":", "="]), word(&["as", "to", "with", "take"]).void()))).parse_next(input)?;
    let last = input.len() == 1;
    let side = opt(word(&["ours", "mine", "theirs"])).parse_next(input)?.filter(|_| last);
    let settlement = match side {
        Some("theirs") => Settlement::Theirs,
        Some(_) => Settlement::Ours,
        None => Settlement::Value(text(input)?),
    };
    Ok(Command::Resolve { proposal, conflict, settlement })
}

/// `rebase [#12]`
pub(in super::super) fn rebase(input: &mut Input<'_, '_>) -> Read<Command> {
    opt(proposal).map(|proposal| Command::Rebase { proposal }).parse_next(input)
}

/// `withdraw [#12]`
pub(in super::super) fn withdraw(input: &mut Input<'_, '_>) -> Read<Command> {
    if input.is_empty() {
        return Ok(Command::Withdraw { proposal: None });
    }
    proposal.map(|number| Command::Withdraw { proposal: Some(number) }).parse_next(input)
}
