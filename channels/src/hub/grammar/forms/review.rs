//! Commands about proposals.

use std::collections::BTreeSet;

use winnow::{
    Parser,
    combinator::{alt, delimited, opt, preceded},
    stream::Stream,
};

use super::super::{
    argument::{list, mark, one, positive, proposal, reason, text, word},
    command::{Command, Operations, Settlement},
    stuck::{Expected, Input, Read, wrong},
    token::Token,
};

/// `review [#12]`
pub(in super::super) fn review(input: &mut Input<'_, '_>) -> Read<Command> {
    if input.is_empty() {
        return Ok(Command::Review(None));
    }
    proposal.map(|number| Command::Review(Some(number))).parse_next(input)
}

/// `accept [#12] [1,3-5]`, `accept all but 2`, `accept 1 and 3, 2 should be friday instead`
pub(in super::super) fn accept(input: &mut Input<'_, '_>) -> Read<Command> {
    let before = input.checkpoint();
    let read = chosen(input);
    if let Ok((proposal, operations)) = read
        && input.is_empty()
    {
        return Ok(Command::Accept { proposal, operations, rest: None });
    }
    input.reset(&before);
    if let Some(command) = in_part(input) {
        while input.next_token().is_some() {}
        return Ok(command);
    }
    // What does not fit is told by how far this comes.
    chosen(input).map(|(proposal, operations)| Command::Accept { proposal, operations, rest: None })
}

/// Which of a proposal is accepted.
fn chosen(input: &mut Input<'_, '_>) -> Read<(Option<i32>, Operations)> {
    let proposal = opt(proposal).parse_next(input)?;
    opt(mark(&[":"])).parse_next(input)?;
    if input.is_empty() {
        return Ok((proposal, Operations::All));
    }
    let all = opt(word(&["all", "everything"])).parse_next(input)?.is_some();
    if all && input.is_empty() {
        return Ok((proposal, Operations::All));
    }
    let except = word(&["but", "except", "without"]);
    let operations = if all {
        preceded(except, numbers).map(Operations::Except).parse_next(input)?
    } else {
        alt((preceded(except, numbers).map(Operations::Except), preceded(opt(word(&["only"])), numbers).map(Operations::Only))).parse_next(input)?
    };
    Ok((proposal, operations))
}

/// An acceptance with words behind it about what is left. They begin at the last comma, stop or `but` before which all reads as
/// operations: `1, 3, 2 should be friday` accepts two of three.
fn in_part(tokens: &[Token<'_>]) -> Option<Command> {
    let parts = |token: &Token<'_>| [",", ";", ".", "but"].iter().any(|sign| token.is(sign));
    let gap = |at: usize| {
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        before.map_or("", |before| &before.tail[..tokens[at].at.start - before.at.start])
    };
    (0..tokens.len()).rev().filter(|at| parts(&tokens[*at]) || gap(*at).contains('\n')).find_map(|at| {
        let mut front = Input::new(&tokens[..at]);
        let (proposal, operations) = chosen(&mut front).ok().filter(|_| front.is_empty())?;
        let behind = at + tokens[at..].iter().position(|token| !parts(token) && !token.is("and"))?;
        let is_apart = gap(behind).contains("\n\n");
        let (operations, rest) = left(operations, &tokens[behind..], is_apart)?;
        Some(Command::Accept { proposal, operations, rest })
    })
}

/// What is accepted after all, and the words about the others; `None` where the words are about none of them.
fn left(operations: Operations, behind: &[Token<'_>], is_apart: bool) -> Option<(Operations, Option<String>)> {
    let first = behind.first()?;
    let begins = |tokens: &[Token<'_>]| {
        let mut input = Input::new(tokens);
        numbers(&mut input).ok().map(|found| (found, input.is_empty()))
    };
    // `1 but not 2`
    if first.is("not") {
        return match (operations, begins(&behind[1..])?) {
            (_, (_, false)) => None,
            (Operations::All, (named, true)) => Some((Operations::Except(named), None)),
            (some, _) => Some((some, None)),
        };
    }
    let named = begins(behind);
    // Behind an empty line there is a signature, or thanks.
    if (is_apart && named.is_none()) || first.is("thanks") || first.is("thank") {
        return Some((operations, None));
    }
    let operations = match (operations, named) {
        // Nothing but numbers: they are said to be accepted, and something else is wrong.
        (_, Some((_, true))) | (Operations::All, None) => return None,
        (Operations::All, Some((named, _))) => Operations::Except(named),
        (some, _) => some,
    };
    let text = first.tail.split("\n\n").next().unwrap_or_default().trim();
    let text = match &operations {
        // `all but 2, which should be friday`
        Operations::Except(left) if ["which", "that", "it", "they", "those"].iter().any(|word| first.is(word)) => {
            let left: Vec<String> = left.iter().map(ToString::to_string).collect();
            format!("{} {}", left.join(" and "), text[first.text.len()..].trim_start())
        }
        _ => text.to_owned(),
    };
    Some((operations, Some(text)))
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
