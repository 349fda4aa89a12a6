//! Commands about projects and what is in them: begin, look, go back, help.

use chrono_tz::Tz;
use winnow::{
    Parser,
    combinator::{alt, opt, preceded},
    error::ErrMode,
    stream::Stream,
};

use super::super::{
    argument::{date, lone_project, mark, one, person, phrase, positive, priority, project, proposal, target, task, text, title, version, word},
    command::{Command, Due, Filter, Person, Shown},
    stuck::{Expected, Input, Read, Stuck, wrong},
    table,
};
use crate::render::escape;

/// `new "Title" [goal]`
pub(in super::super) fn new(input: &mut Input<'_, '_>) -> Read<Command> {
    (title, opt(mark(&[":"])), opt(text)).map(|(title, _, goal)| Command::New { title, goal }).parse_next(input)
}

/// `plan WEB|WEB-7 [how]`
pub(in super::super) fn plan(input: &mut Input<'_, '_>) -> Read<Command> {
    (target, opt(mark(&[":"])), opt(text)).map(|(target, _, how)| Command::Plan { target, how }).parse_next(input)
}

/// `show [WEB [@5]|WEB-7|#12]`
pub(in super::super) fn show(input: &mut Input<'_, '_>) -> Read<Command> {
    if input.is_empty() {
        return Ok(Command::Show(Shown::Here));
    }
    preceded(opt(word(&["me"])), alt((proposal.map(Shown::Proposal), at_version, target.map(Shown::Target)))).map(Command::Show).parse_next(input)
}

/// `WEB @5`
fn at_version(input: &mut Input<'_, '_>) -> Read<Shown> {
    let project = project(input)?;
    let version = one(input, &[Expected::Versions], |token| token.text.strip_prefix('@').and_then(positive))?;
    Ok(Shown::Version { project, version })
}

/// `list [filter…]`, `list projects`, `list proposals`
pub(in super::super) fn list(input: &mut Input<'_, '_>) -> Read<Command> {
    if let Some(other) = opt(alt((
        phrase(&["projects"]).map(|()| Command::ListProjects),
        phrase(&["proposals"]).map(|()| Command::Review(None)),
        phrase(&["open", "proposals"]).map(|()| Command::Review(None)),
    )))
    .parse_next(input)?
    {
        return Ok(other);
    }
    let (mut filters, mut within) = (Vec::new(), None);
    while !input.is_empty() {
        if opt(word(&["tasks", "all", "my", ","])).parse_next(input)?.is_some_and(|word| word == "my") {
            filters.push(Filter::Mine);
        } else if within.is_none() && opt(word(&["in"])).parse_next(input)?.is_some() {
            within = Some(project(input)?);
        } else if !input.is_empty() && input.first().is_some_and(|token| !token.is("tasks")) {
            filters.push(filter(input)?);
        }
    }
    Ok(Command::List { filters, project: within })
}

fn filter(input: &mut Input<'_, '_>) -> Read<Filter> {
    alt((
        word(&["mine", "unassigned", "open", "active", "doing", "blocked", "done", "overdue"]).map(|word| match word {
            "mine" => Filter::Mine,
            "unassigned" => Filter::Unassigned,
            "open" => Filter::Open,
            "blocked" => Filter::Blocked,
            "done" => Filter::Done,
            "overdue" => Filter::Overdue,
            _ => Filter::Active,
        }),
        preceded(word(&["due"]), due).map(Filter::Due),
        preceded(word(&["under"]), task).map(Filter::Under),
        label.map(Filter::Label),
        person.map(|person| match person {
            Person::Me => Filter::Mine,
            Person::Handle(handle) => Filter::Assignee(handle),
        }),
        priority.map(Filter::Priority),
    ))
    .parse_next(input)
}

fn due(input: &mut Input<'_, '_>) -> Read<Due> {
    alt((
        phrase(&["this", "week"]).map(|()| Due::ThisWeek),
        phrase(&["next", "week"]).map(|()| Due::NextWeek),
        preceded(word(&["by", "before", "until"]), date).map(Due::By),
        date.map(Due::On),
    ))
    .parse_next(input)
}

/// `label:x`
pub(super) fn label(input: &mut Input<'_, '_>) -> Read<String> {
    one(input, &[Expected::Word("label:…")], |token| token.text.strip_prefix("label:").filter(|label| !label.is_empty()).map(str::to_owned))
}

/// `history [WEB|WEB-7]`
pub(in super::super) fn history(input: &mut Input<'_, '_>) -> Read<Command> {
    if input.is_empty() {
        return Ok(Command::History(None));
    }
    preceded(opt(word(&["of"])), target).map(|target| Command::History(Some(target))).parse_next(input)
}

/// `diff [WEB] 3..9`, `diff WEB 3..`, `diff WEB 9` for what version 9 brought, `diff #12`
pub(in super::super) fn diff(input: &mut Input<'_, '_>) -> Read<Command> {
    if let Some(number) = opt(proposal).parse_next(input)? {
        return Ok(Command::Review(Some(number)));
    }
    let project = opt(lone_project).parse_next(input)?;
    let read = one(input, &[Expected::Versions], |token| versions(token.text));
    match read {
        Ok((from, Some(to))) if from >= to => wrong(input, "The first of the two versions is the older one."),
        Ok((from, to)) => Ok(Command::Diff { project, from, to }),
        Err(_) if project.is_some() && !input.is_empty() => wrong(input, "Versions look like `3..9`, `3..` or `9`."),
        Err(stuck) => Err(stuck),
    }
}

fn versions(text: &str) -> Option<(i32, Option<i32>)> {
    if let Some(to) = positive(text) {
        return Some((to - 1, Some(to)));
    }
    let (from, to) = text.split_once("..").or_else(|| text.split_once('-'))?;
    let from = if from == "0" { 0 } else { positive(from)? };
    Some((from, if to.is_empty() { None } else { Some(positive(to)?) }))
}

/// `undo [WEB] [N]`, `undo the last change`
pub(in super::super) fn undo(input: &mut Input<'_, '_>) -> Read<Command> {
    let last = alt((
        phrase(&["that"]),
        phrase(&["it"]),
        phrase(&["this"]),
        phrase(&["the", "last", "change"]),
        phrase(&["last", "change"]),
        phrase(&["the", "last"]),
        phrase(&["last"]),
    ));
    if opt(last).parse_next(input)?.is_some() {
        return Ok(Command::Undo { project: None, version: None });
    }
    let project = opt(lone_project).parse_next(input)?;
    let version = opt(preceded(opt(word(&["version"])), version)).parse_next(input)?;
    Ok(Command::Undo { project, version })
}

/// `redo [WEB]`
pub(in super::super) fn redo(input: &mut Input<'_, '_>) -> Read<Command> {
    opt(alt((phrase(&["that"]), phrase(&["it"])))).parse_next(input)?;
    opt(lone_project).map(|project| Command::Redo { project }).parse_next(input)
}

/// `revert [WEB] N`
pub(in super::super) fn revert(input: &mut Input<'_, '_>) -> Read<Command> {
    (opt(lone_project), opt(word(&["version"])), version).map(|(project, _, version)| Command::Revert { project, version }).parse_next(input)
}

/// `help [command]`
pub(in super::super) fn help(input: &mut Input<'_, '_>) -> Read<Command> {
    let Some(token) = input.first().filter(|token| !token.is("?") || input.len() > 1) else {
        input.next_token();
        return Ok(Command::Help(None));
    };
    let word = token.text.trim_start_matches('/');
    if let Some(entry) = table::find(word) {
        input.next_token();
        return Ok(Command::Help(Some(entry.name)));
    }
    // Of one word it is asked for help with it, and of more for help: `help me plan a launch`.
    let message = (input.len() == 1).then(|| format!("There is no command \"{}\". `help` shows all of them.", escape::markdown(word)));
    let stuck = Stuck { left: input.len(), expected: table::TABLE.iter().map(|entry| Expected::Word(entry.name)).collect(), message };
    Err(if stuck.message.is_some() { ErrMode::Cut(stuck) } else { ErrMode::Backtrack(stuck) })
}

/// An IANA name.
pub(super) fn zone(input: &mut Input<'_, '_>) -> Read<Tz> {
    let read = one(input, &[Expected::Text], |token| token.text.parse().ok());
    if read.is_err() && input.len() == 1 { wrong(input, "A time zone looks like `Europe/Berlin` or `UTC`.") } else { read }
}
