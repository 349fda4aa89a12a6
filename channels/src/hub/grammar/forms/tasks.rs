//! Commands that change tasks.

use patchbay_core::patch::Effort;
use winnow::{
    Parser,
    combinator::{alt, opt, preceded},
    stream::Stream,
};

use super::{
    super::{
        argument::{
            date, duration, list, mark, name, nobody, one, person, phrase, plain_person, priority, project, reason, target, task, tasks, text, title, word,
        },
        command::{Add, Command, DatePhrase, Person, Place, ProjectSetting, Setting, Verb},
        stuck::{Expected, Input, Read, expected, wrong},
        token::Kind,
    },
    looking::{label, zone},
};

/// `add "Title" [under|after|before WEB-7] [in WEB] [due friday] [to @ana] [p1] [label:x] [needs WEB-3] [estimate 2h]`
pub(in super::super) fn add(input: &mut Input<'_, '_>) -> Read<Command> {
    if input.first().is_some_and(|token| token.kind == Kind::Unclosed) {
        return wrong(input, "The title's quotation mark is not closed.");
    }
    let mut add = Add { title: title(input)?, ..Add::default() };
    while !input.is_empty() {
        option(&mut add, input)?;
    }
    Ok(Command::Add(Box::new(add)))
}

fn option(add: &mut Add, input: &mut Input<'_, '_>) -> Read<()> {
    enum One {
        Place(Place),
        In(String),
        Due(DatePhrase),
        To(Person),
        Priority(patchbay_core::patch::Priority),
        Labels(Vec<String>),
        Needs(Vec<patchbay_core::patch::Reference>),
        Estimate(u32),
        Nothing,
    }
    let read = alt((
        mark(&[","]).map(|()| One::Nothing),
        place.map(One::Place),
        preceded(word(&["in"]), project).map(One::In),
        preceded(word(&["due", "by"]), due).map(One::Due),
        preceded(opt(word(&["to", "for"])), person).map(One::To),
        preceded(opt(word(&["priority"])), priority).map(One::Priority),
        label.map(|label| One::Labels(vec![label])),
        preceded(alt((word(&["needs"]).void(), phrase(&["depends", "on"]))), tasks).map(One::Needs),
        preceded(word(&["estimate"]), duration).map(One::Estimate),
    ))
    .parse_next(input)?;
    match read {
        One::Place(place) => add.place = Some(place),
        One::In(project) => add.project = Some(project),
        One::Due(due) => add.due = Some(due),
        One::To(person) => add.assignee = Some(person),
        One::Priority(priority) => add.priority = Some(priority),
        One::Labels(labels) => add.labels.extend(labels),
        One::Needs(tasks) => add.depends_on.extend(tasks),
        One::Estimate(minutes) => add.estimate_minutes = Some(minutes),
        One::Nothing => {}
    }
    Ok(())
}

/// Behind a quoted title `due` is followed by a date, or by a mistake.
fn due(input: &mut Input<'_, '_>) -> Read<DatePhrase> {
    let read = date(input);
    match input.first() {
        Some(token) if read.is_err() && !token.is("to") => wrong(input, format!("\"{}\" is no date that I know: {DATES}.", token.text)),
        _ => read,
    }
}

const DATES: &str = "`friday`, `tomorrow`, `in 3 days`, `1 december` and `2026-12-01` are";

fn place(input: &mut Input<'_, '_>) -> Read<Place> {
    alt((
        preceded(word(&["under", "below"]), target).map(Place::Under),
        preceded(word(&["before"]), task).map(Place::Before),
        preceded(word(&["after", "behind"]), task).map(Place::After),
    ))
    .parse_next(input)
}

/// `done|start|block|reopen [WEB-7] [why]`
fn step(verb: Verb, input: &mut Input<'_, '_>) -> Read<Command> {
    if input.is_empty() {
        return Ok(Command::Step { verb, tasks: Vec::new(), why: None });
    }
    if verb == Verb::Done {
        opt(word(&["with"])).parse_next(input)?;
    }
    let tasks = tasks(input)?;
    if input.is_empty() {
        return Ok(Command::Step { verb, tasks, why: None });
    }
    let why = match verb {
        // `start WEB-3 after WEB-2` asks for something else: what follows must be written as a reason.
        Verb::Done | Verb::Start => reason(input)?,
        Verb::Block | Verb::Reopen => {
            let goes_on = |word: &str| {
                ["and", "then", "but", "or", "after", "before", "when", "once", "if", ",", ";"].iter().any(|other| word.eq_ignore_ascii_case(other))
            };
            if input.first().is_some_and(|token| goes_on(token.text)) {
                return expected(input, &[]);
            }
            alt((reason, preceded(opt(word(&["by", "on", "for"])), text))).parse_next(input)?
        }
    };
    Ok(Command::Step { verb, tasks, why: Some(why) })
}

pub(in super::super) fn done(input: &mut Input<'_, '_>) -> Read<Command> {
    step(Verb::Done, input)
}

pub(in super::super) fn start(input: &mut Input<'_, '_>) -> Read<Command> {
    step(Verb::Start, input)
}

pub(in super::super) fn block(input: &mut Input<'_, '_>) -> Read<Command> {
    step(Verb::Block, input)
}

pub(in super::super) fn reopen(input: &mut Input<'_, '_>) -> Read<Command> {
    step(Verb::Reopen, input)
}

/// `set WEB-7 field value`, `set WEB field value`
pub(in super::super) fn set(input: &mut Input<'_, '_>) -> Read<Command> {
    if let Some(tasks) = opt(tasks).parse_next(input)? {
        return setting(input).map(|setting| Command::Set { tasks, setting });
    }
    let project = project(input)?;
    let field = word(&["title", "summary", "zone"])(input)?;
    to(input)?;
    let setting = match field {
        "title" => text.map(ProjectSetting::Title).parse_next(input),
        "summary" => text.map(ProjectSetting::Summary).parse_next(input),
        _ => zone.map(ProjectSetting::TimeZone).parse_next(input),
    }?;
    Ok(Command::SetProject { project, setting })
}

fn to(input: &mut Input<'_, '_>) -> Read<()> {
    opt(alt((word(&["to"]).void(), mark(&["=", ":"])))).void().parse_next(input)
}

const FIELDS: &[&str] = &["title", "description", "status", "priority", "kind", "effort", "estimate", "assignee", "due", "labels", "label", "blocker", "step"];

fn setting(input: &mut Input<'_, '_>) -> Read<Setting> {
    let field = word(FIELDS)(input)?;
    if field == "due" {
        opt(word(&["date"])).parse_next(input)?;
    }
    to(input)?;
    let clear = |input: &mut Input<'_, '_>| {
        let none = input.len() == 1 && input.first().is_some_and(|token| ["none", "nothing", "nobody", "-"].iter().any(|word| token.is(word)));
        if none { one(input, &[], |_| Some(())) } else { expected(input, &[]) }
    };
    if opt(clear).parse_next(input)?.is_some() {
        return match field {
            "description" => Ok(Setting::Description(None)),
            "priority" => Ok(Setting::Priority(None)),
            "kind" => Ok(Setting::Kind(None)),
            "effort" => Ok(Setting::Effort(None)),
            "estimate" => Ok(Setting::Estimate(None)),
            "assignee" => Ok(Setting::Assignee(None)),
            "due" => Ok(Setting::Due(None)),
            "labels" | "label" => Ok(Setting::Labels(Vec::new())),
            "blocker" => Ok(Setting::Blocker(None)),
            _ => wrong(input, format!("The {field} of a task cannot be nothing.")),
        };
    }
    // A short value that does not fit is a mistake; a long one is a sentence for the planner.
    let short = input.len() <= 2;
    let checked = |read: Read<Setting>, input: &Input<'_, '_>, how: &str| if read.is_err() && short && !input.is_empty() { wrong(input, how) } else { read };
    match field {
        "title" => text.map(Setting::Title).parse_next(input),
        "description" => text.map(|text| Setting::Description(Some(text))).parse_next(input),
        "status" | "step" => text.map(Setting::Status).parse_next(input),
        "kind" => name.map(|kind| Setting::Kind(Some(kind))).parse_next(input),
        "blocker" => text.map(|text| Setting::Blocker(Some(text))).parse_next(input),
        "labels" | "label" => (|input: &mut Input<'_, '_>| list(name, input)).map(Setting::Labels).parse_next(input),
        "assignee" => plain_person.map(|person| Setting::Assignee(Some(person))).parse_next(input),
        "priority" => {
            let read = priority.map(|priority| Setting::Priority(Some(priority))).parse_next(input);
            checked(read, input, "A priority is `P0`, `P1`, `P2`, `P3` or `none`.")
        }
        "effort" => {
            let size = |input: &mut Input<'_, '_>| one(input, &[], |token| Effort::ALL.into_iter().find(|effort| token.is(effort.as_str())));
            let read = size.map(|effort| Setting::Effort(Some(effort))).parse_next(input);
            checked(read, input, "An effort is `S`, `M`, `L` or `none`.")
        }
        "estimate" => {
            let read = duration.map(|minutes| Setting::Estimate(Some(minutes))).parse_next(input);
            checked(read, input, "An estimate looks like `90m`, `2h`, `1.5 days` or `none`.")
        }
        _ => {
            let read = date.map(|date| Setting::Due(Some(date))).parse_next(input);
            checked(read, input, &format!("That is no date that I know: {DATES}, or `none`."))
        }
    }
}

/// `move WEB-7 under|after|before WEB-3`, `move WEB-7 to top`
pub(in super::super) fn move_(input: &mut Input<'_, '_>) -> Read<Command> {
    let end = preceded(
        (word(&["to"]), opt(word(&["the"]))),
        word(&["top", "front", "start", "bottom", "end"]).map(|end| if matches!(end, "bottom" | "end") { Place::Last } else { Place::First }),
    );
    (tasks, alt((place, end))).map(|(tasks, place)| Command::Move { tasks, place }).parse_next(input)
}

/// `split WEB-7 into a; b; c`
pub(in super::super) fn split(input: &mut Input<'_, '_>) -> Read<Command> {
    let (task, _) = (task, word(&["into"])).parse_next(input)?;
    if input.iter().all(|token| token.kind == Kind::Quoted || token.is(",") || token.is("and") || token.is(";")) && !input.is_empty() {
        let mut into = Vec::new();
        while let Some(token) = input.next_token() {
            if token.kind == Kind::Quoted {
                into.push(token.text.trim().to_owned());
            }
        }
        return parts(task, into, input);
    }
    let before = input.checkpoint();
    let written = text(input)?;
    // Commas stand in ordinary sentences (`into small, clear steps`), semicolons do not.
    let into: Vec<_> = written.split([';', '\n']).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    if into.len() < 2 {
        input.reset(&before);
    }
    parts(task, into, input)
}

fn parts(task: patchbay_core::patch::Reference, into: Vec<String>, input: &Input<'_, '_>) -> Read<Command> {
    if into.len() < 2 { expected(input, &[]) } else { Ok(Command::Split { task, into }) }
}

/// `delete WEB-7 [keep subtasks]`
pub(in super::super) fn delete(input: &mut Input<'_, '_>) -> Read<Command> {
    let tasks = tasks(input)?;
    opt(word(&["and", "but"])).parse_next(input)?;
    let keep = opt((word(&["keep", "keeping"]), opt(word(&["its", "the", "their"])), word(&["subtasks"]))).parse_next(input)?;
    Ok(Command::Delete { tasks, keep_subtasks: keep.is_some() })
}

/// `assign WEB-7 to @ana`
pub(in super::super) fn assign(input: &mut Input<'_, '_>) -> Read<Command> {
    let to = |input: &mut Input<'_, '_>| preceded(opt(word(&["to"])), alt((nobody.map(|()| None), plain_person.map(Some)))).parse_next(input);
    alt((
        (tasks, to).map(|(tasks, to)| Command::Assign { tasks, to }),
        (person, opt(word(&["to"])), tasks).map(|(to, _, tasks)| Command::Assign { tasks, to: Some(to) }),
    ))
    .parse_next(input)
}

/// `unassign WEB-7`
pub(in super::super) fn unassign(input: &mut Input<'_, '_>) -> Read<Command> {
    tasks.map(|tasks| Command::Assign { tasks, to: None }).parse_next(input)
}

/// `label WEB-7 backend, +urgent, -later`
pub(in super::super) fn label_(input: &mut Input<'_, '_>) -> Read<Command> {
    let tasks = tasks(input)?;
    opt(word(&["as", "with"])).parse_next(input)?;
    let (mut add, mut remove) = (Vec::new(), Vec::new());
    let mut first = true;
    while !input.is_empty() {
        // Between plain words a comma or `and` is needed, else any sentence would be labels.
        let parted = opt(alt((mark(&[","]), word(&["and"]).void()))).parse_next(input)?.is_some();
        let written = name(input)?;
        match (written.strip_prefix('+'), written.strip_prefix('-')) {
            (Some(label), _) if !label.is_empty() => add.push(label.to_owned()),
            (_, Some(label)) if !label.is_empty() => remove.push(label.to_owned()),
            _ if first || parted => add.push(written),
            _ => return expected(input, &[]),
        }
        first = false;
    }
    if first { expected(input, &[Expected::Text]) } else { Ok(Command::Label { tasks, add, remove }) }
}

/// `depend WEB-7 on WEB-3`, `depend WEB-7 not on WEB-3`
pub(in super::super) fn depend(input: &mut Input<'_, '_>) -> Read<Command> {
    let negation = alt((phrase(&["not"]), phrase(&["no", "longer"])));
    (tasks, opt(negation), word(&["on"]), tasks).map(|(tasks, negation, _, on)| Command::Depend { tasks, on, no_longer: negation.is_some() }).parse_next(input)
}

/// `log 2h [WEB-7] [note]`
pub(in super::super) fn log(input: &mut Input<'_, '_>) -> Read<Command> {
    let on = |input: &mut Input<'_, '_>| preceded(opt(word(&["on", "for", "to"])), task).parse_next(input);
    let (minutes, task) = match opt(task).parse_next(input)? {
        Some(_) if input.is_empty() => return expected(input, &[Expected::Duration]),
        Some(task) => match duration(input) {
            Ok(minutes) => (minutes, Some(task)),
            Err(_) => return wrong(input, "How long? A time looks like `2h`, `90m` or `1.5 days`."),
        },
        None => {
            let minutes = duration(input)?;
            (minutes, if input.is_empty() { None } else { Some(on(input)?) })
        }
    };
    let note = opt(preceded(opt(mark(&[":", "-", "–", "—"])), text)).parse_next(input)?;
    Ok(Command::Log { minutes, task, note })
}
