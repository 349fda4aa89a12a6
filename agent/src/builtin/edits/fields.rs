//! Edits of what is said of a task: title, step, person, dates, sizes, labels.

use chrono::{Days, NaiveDate};
use patchbay_core::patch::{CreateBody, Field, ListEdit, MetaUpdates, UpdateBody, process::StepKind};

use super::{
    Done, Stop, all_called, called,
    shape::{is_addition, retitle},
};
use crate::builtin::{
    attributes,
    board::{Board, Target},
    subjects, text,
};

fn behind<'t>(clause: &'t str, words: &[&str]) -> Option<&'t str> {
    words.iter().find_map(|word| text::strip(clause, word)).map(str::trim)
}

/// Sets a field of each target, in new tasks and in those that exist.
fn set(board: &mut Board<'_>, targets: &[Target], create: impl Fn(&mut CreateBody), update: impl Fn(&mut UpdateBody)) {
    for target in targets {
        match target {
            Target::New(name) => {
                if let Some(body) = board.new_body(name) {
                    create(body);
                }
            }
            Target::Task(id) | Target::Operation(id) => update(board.update(*id)),
        }
    }
    board.last = targets.to_vec();
}

/// `call the project Sign-in`
pub(super) fn project(board: &mut Board<'_>, clause: &str) -> Option<Done> {
    let title = behind(
        clause,
        &[
            "call the project ",
            "rename the project to ",
            "rename the project as ",
            "rename project to ",
            "name the project ",
            "the project is called ",
            "the project should be called ",
            "change the project title to ",
            "set the project title to ",
        ],
    )?;
    let title = text::title(title);
    if title.is_empty() {
        return Some(Err(Stop::Refused("tell me what the project is called".to_owned())));
    }
    board.meta.get_or_insert_with(MetaUpdates::default).title = Some(title.clone());
    Some(Ok(format!("the project is called *{title}*")))
}

/// `rename the login task to SSO`, `call 2 Design`, `2 should be called Design`
pub(super) fn rename(board: &mut Board<'_>, clause: &str) -> Option<Done> {
    if let Some((subject, title)) = text::cut(clause, &[" should be called ", " is called ", " should be named ", " should read "]) {
        return Some(renamed(board, subject, title));
    }
    let rest = behind(clause, &["rename ", "retitle ", "change the title of ", "change the name of ", "change title of ", "set the title of ", "replace "])
        .or_else(|| behind(clause, &["change "]).filter(|rest| text::cut(rest, &[" to "]).is_some_and(|(subject, to)| is_title_change(board, subject, to))));
    if let Some(rest) = rest {
        let (subject, title) = text::cut(rest, &[" to ", " as ", " into ", " with ", " by ", ": "])?;
        return Some(renamed(board, subject, title));
    }
    // "call 2 Design": the longest front that names one task.
    let rest = behind(clause, &["call ", "name "])?;
    let mut ends: Vec<usize> = rest.match_indices(' ').map(|(at, _)| at).collect();
    ends.reverse();
    let end = ends.into_iter().find(|end| subjects::resolve_one(board, &rest[..*end]).is_ok())?;
    Some(renamed(board, &rest[..end], &rest[end..]))
}

/// Not "change 2 to friday" or "change the status of 2 to done".
fn is_title_change(board: &Board<'_>, subject: &str, to: &str) -> bool {
    let is_field =
        ["status", "due", "date", "priority", "estimate", "assignee", "owner", "label"].iter().any(|field| subject.to_ascii_lowercase().contains(field));
    !is_field
        && attributes::day(board.context, to).is_none()
        && attributes::priority(to).is_none()
        && step(board, to).is_none()
        && subjects::resolve_one(board, subject).is_ok()
}

fn renamed(board: &mut Board<'_>, subject: &str, title: &str) -> Done {
    let target = subjects::resolve_one(board, subject)?;
    let title = text::title(title);
    if title.is_empty() {
        return Err(Stop::Refused("tell me the new title".to_owned()));
    }
    let told = called(board, &target);
    retitle(board, &target, &title);
    board.last = vec![target];
    Ok(format!("{told} is called *{title}*"))
}

/// `mark 2 and 3 as done`, `WEB-3 is done`, `start the form`, `block 4 because …`
pub(super) fn status(board: &mut Board<'_>, clause: &str) -> Option<Done> {
    if is_addition(clause) {
        return None;
    }
    let (clause, reason) = text::cut(clause, &[" because ", " since ", ": waiting for "]).map_or((clause, None), |(clause, reason)| (clause, Some(reason)));
    if let Some(rest) = behind(clause, &["mark ", "set ", "move ", "flag ", "put "]) {
        let rest = behind(rest, &["the status of ", "status of "]).unwrap_or(rest);
        let (subject, word) = text::cut_last(rest, &[" as ", " to "])?;
        let step = step(board, word)?;
        return Some(go(board, subject, &step, reason));
    }
    for (verbs, kind) in VERBS {
        let Some(subject) = behind(clause, verbs) else { continue };
        let subject = subject.strip_suffix(" off").or_else(|| subject.strip_suffix(" again")).unwrap_or(subject);
        // "finish the schema by monday" is about the day.
        if text::cut_last(subject, &[" by ", " until ", " on "]).is_some_and(|(_, when)| attributes::day(board.context, when).is_some()) {
            return None;
        }
        let step = step_of(board, *kind)?;
        return Some(go(board, subject, &step, reason));
    }
    for separator in [" is now ", " are now ", " is ", " are ", " was ", " were "] {
        if let Some((subject, word)) = text::cut(clause, &[separator]) {
            let step = step(board, word.trim_start_matches("already ").trim_end_matches(" already"))?;
            return Some(go(board, subject, &step, reason));
        }
    }
    None
}

const VERBS: &[(&[&str], StepKind)] = &[
    (&["finish ", "complete ", "close ", "tick off ", "tick ", "check off ", "i finished ", "i completed ", "we finished ", "done with "], StepKind::Done),
    (&["start with ", "start ", "begin with ", "begin ", "work on ", "i started ", "i am working on "], StepKind::Active),
    (&["reopen ", "unblock ", "reset "], StepKind::Open),
    (&["block "], StepKind::Waiting),
];

fn step_of(board: &Board<'_>, kind: StepKind) -> Option<String> {
    board.context.plan.project.process.steps.iter().find(|step| step.kind == kind).map(|step| step.name.clone())
}

/// The step that a word means.
fn step(board: &Board<'_>, word: &str) -> Option<String> {
    let word = word.trim().trim_end_matches(['.', '!']).to_ascii_lowercase();
    let name = word.replace([' ', '-'], "_");
    if let Some(step) = board.context.plan.project.process.steps.iter().find(|step| step.name == name || step.title.to_ascii_lowercase() == word) {
        return Some(step.name.clone());
    }
    let kind = match word.as_str() {
        "finished" | "complete" | "completed" | "closed" | "ready" | "ok" => StepKind::Done,
        "started" | "in progress" | "underway" | "active" | "being worked on" => StepKind::Active,
        "open" | "to do" | "not started" => StepKind::Open,
        "blocked" | "stuck" | "waiting" | "on hold" => StepKind::Waiting,
        "in review" => return board.context.plan.project.process.step("review").map(|step| step.name.clone()),
        _ => return None,
    };
    step_of(board, kind)
}

fn go(board: &mut Board<'_>, subject: &str, step: &str, reason: Option<&str>) -> Done {
    let targets = subjects::resolve(board, subject)?;
    let process = board.context.plan.project.process;
    let title = process.step(step).map_or_else(|| step.to_owned(), |step| step.title.clone());
    let is_waiting = process.step(step).is_some_and(|step| step.kind == StepKind::Waiting);
    set(board, &targets, |body| body.status = Some(step.to_owned()), |body| body.status = Field::Set(step.to_owned()));
    if let Some(reason) = reason.filter(|_| is_waiting) {
        set(board, &targets, |body| body.blocker = Some(reason.to_owned()), |body| body.blocker = Field::Set(reason.to_owned()));
    }
    Ok(format!("{} {} to *{title}*", all_called(board, &targets), if targets.len() == 1 { "goes" } else { "go" }))
}

/// `assign the tests to ana`, `give 2 to @bo`, `ana does 3`, `unassign 4`
pub(super) fn assign(board: &mut Board<'_>, clause: &str) -> Option<Done> {
    if is_addition(clause) {
        return None;
    }
    if let Some(subject) = behind(clause, &["unassign ", "take the assignee off ", "remove the assignee of ", "remove the assignee from "]) {
        return Some(subjects::resolve(board, subject).map_err(Stop::from).map(|targets| {
            set(board, &targets, |body| body.assignee = None, |body| body.assignee = Field::Clear);
            format!("nobody has {}", all_called(board, &targets))
        }));
    }
    if let Some(rest) = behind(clause, &["assign ", "give ", "hand ", "delegate "]) {
        let (subject, who) = text::cut_last(rest, &[" over to ", " to "]).or_else(|| rest.split_once(' ').map(|(who, subject)| (subject, who)))?;
        return Some(give(board, subject, who));
    }
    if let Some((who, subject)) =
        text::cut(clause, &[" does ", " takes ", " will do ", " should do ", " should take ", " handles ", " takes over ", " takes care of "])
    {
        let subject = text::strip(subject, "care of ").unwrap_or(subject);
        person(board, who).ok()?;
        return Some(give(board, subject, who));
    }
    let (subject, who) = text::cut(clause, &[" goes to ", " is for ", " should go to ", " is assigned to "])?;
    person(board, who).ok()?;
    Some(give(board, subject, who))
}

fn person(board: &Board<'_>, who: &str) -> Result<String, Stop> {
    let who = who.trim().trim_start_matches('@').trim_end_matches('.').to_ascii_lowercase();
    let handle = if ["me", "myself", "i"].contains(&who.as_str()) { board.context.author.clone().unwrap_or_default() } else { who.clone() };
    if board.context.plan.members.contains(&handle) {
        return Ok(handle);
    }
    let known: Vec<_> = board.context.plan.members.iter().take(8).map(|handle| format!("@{handle}")).collect();
    Err(Stop::Refused(format!("nobody here is called {who}; there are {}", known.join(", "))))
}

fn give(board: &mut Board<'_>, subject: &str, who: &str) -> Done {
    let targets = subjects::resolve(board, subject)?;
    let handle = person(board, who)?;
    set(board, &targets, |body| body.assignee = Some(handle.clone()), |body| body.assignee = Field::Set(handle.clone()));
    Ok(format!("{} {} for @{handle}", all_called(board, &targets), if targets.len() == 1 { "is" } else { "are" }))
}

/// `push everything by a week`, `3 two days later`
pub(super) fn shift(board: &mut Board<'_>, clause: &str) -> Option<Done> {
    if is_addition(clause) {
        return None;
    }
    let lower = clause.to_ascii_lowercase();
    let back = behind(clause, &["push back ", "push out ", "push ", "shift ", "delay ", "postpone ", "defer ", "move "]);
    let forward = behind(clause, &["bring forward ", "pull in ", "bring ", "pull "]);
    let (rest, mut is_later) = match (back, forward) {
        (Some(rest), _) => (rest, true),
        (None, Some(rest)) => (rest, false),
        (None, None) if lower.ends_with(" later") || lower.ends_with(" earlier") => (clause, true),
        (None, None) => return None,
    };
    let lower = rest.to_ascii_lowercase();
    let (rest, direction) = [(" later", true), (" earlier", false), (" back", true), (" forward", false), (" out", true)]
        .into_iter()
        .find_map(|(word, later)| lower.strip_suffix(word).map(|front| (&rest[..front.len()], Some(later))))
        .unwrap_or((rest, None));
    is_later = direction.unwrap_or(is_later);
    let (subject, amount) = match text::cut_last(rest, &[" back by ", " out by ", " forward by ", " by ", " back ", " forward "]) {
        Some((subject, amount)) => {
            if text::cut(rest, &[" forward"]).is_some() {
                is_later = false;
            }
            (subject, days(amount)?)
        }
        // "3 two days later": the longest end that is a time.
        None => rest.match_indices(' ').find_map(|(at, _)| Some((&rest[..at], days(&rest[at..])?)))?,
    };
    let subject = [" should be", " is", " can be", " forward", " back", " out"].iter().find_map(|word| subject.strip_suffix(word)).unwrap_or(subject);
    Some(shifted(board, subject, amount, is_later))
}

/// Whole days, of a calendar: a week has 7.
fn days(text: &str) -> Option<u64> {
    let words: Vec<String> = text.trim().to_ascii_lowercase().split_whitespace().map(str::to_owned).collect();
    let (count, unit) = match words.as_slice() {
        [unit] => (1, unit.as_str()),
        [count, unit] => (number(count)?, unit.as_str()),
        _ => return None,
    };
    let per = match unit.trim_end_matches('s') {
        "day" => 1,
        "week" => 7,
        "fortnight" => 14,
        "month" => 30,
        _ => return None,
    };
    (count <= 1_000).then_some(count * per)
}

fn number(word: &str) -> Option<u64> {
    const WORDS: [&str; 11] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    match word {
        "a" | "an" | "another" => Some(1),
        _ => word.parse().ok().or_else(|| WORDS.iter().position(|name| *name == word).and_then(|at| u64::try_from(at).ok())),
    }
}

fn shifted(board: &mut Board<'_>, subject: &str, by: u64, is_later: bool) -> Done {
    let targets = subjects::resolve(board, subject)?;
    let moved = |day: NaiveDate| if is_later { day.checked_add_days(Days::new(by)) } else { day.checked_sub_days(Days::new(by)) };
    let mut dated = Vec::new();
    for target in targets {
        let day = match &target {
            Target::New(name) => board.new_body(name).and_then(|body| body.due_on),
            Target::Task(id) | Target::Operation(id) => {
                let now = board.context.plan.get(*id).and_then(|task| task.due_on);
                match board.update(*id).due_on {
                    Field::Absent => now,
                    Field::Clear => None,
                    Field::Set(day) => Some(day),
                }
            }
        };
        if let Some(day) = day.and_then(moved) {
            set(board, std::slice::from_ref(&target), |body| body.due_on = Some(day), |body| body.due_on = Field::Set(day));
            dated.push(target);
        }
    }
    if dated.is_empty() {
        return Err(Stop::Refused(format!("nothing of \"{}\" has a due date to move", text::quoted(subject))));
    }
    board.last.clone_from(&dated);
    let days = if by == 1 { "a day".to_owned() } else { format!("{by} days") };
    Ok(format!("{} {} due {days} {}", all_called(board, &dated), if dated.len() == 1 { "is" } else { "are" }, if is_later { "later" } else { "earlier" }))
}

/// `2 is due friday`, `set the due date of 2 to friday`, `2 should be friday instead`
pub(super) fn due(board: &mut Board<'_>, clause: &str) -> Option<Done> {
    if is_addition(clause) {
        return None;
    }
    if let Some(subject) = behind(clause, &["remove the due date of ", "remove the due date from ", "clear the due date of ", "no due date for "]) {
        return Some(subjects::resolve(board, subject).map_err(Stop::from).map(|targets| {
            set(board, &targets, |body| body.due_on = None, |body| body.due_on = Field::Clear);
            format!("{} has no due date", all_called(board, &targets))
        }));
    }
    let clause = clause.strip_suffix(" instead").unwrap_or(clause);
    if let Some(day) =
        behind(clause, &["set the due date to ", "set due date to ", "due on ", "due by ", "due "]).and_then(|when| attributes::day(board.context, when))
    {
        return Some(due_on(board, "it", day));
    }
    let named = behind(
        clause,
        &[
            "set the due date of ",
            "set the due date for ",
            "set due date of ",
            "change the due date of ",
            "set the deadline of ",
            "set the deadline for ",
            "the due date of ",
            "due date of ",
            "reschedule ",
        ],
    );
    // With these words it may also be something else: then only what surely is a task counts.
    let loose = behind(clause, &["schedule ", "set ", "make ", "move ", "change ", "postpone ", "finish ", "complete ", "do "]).unwrap_or(clause);
    let words = [
        " should be done by ",
        " should be finished by ",
        " must be done by ",
        " has to be done by ",
        " needs to be done by ",
        " should be ready by ",
        " is due on ",
        " is due by ",
        " is due ",
        " are due ",
        " due on ",
        " due by ",
        " due ",
        " should be ",
        " must be ",
        " to ",
        " for ",
        " on ",
        " by ",
        " until ",
        ": ",
        " is ",
    ];
    for separator in words {
        let Some((subject, when)) = text::cut_last(named.unwrap_or(loose), &[separator]) else { continue };
        let Some(day) = attributes::day(board.context, when) else { continue };
        let subject = subject.trim_end_matches(" should be").trim_end_matches(" is").trim_end_matches(" are");
        let is_sure = named.is_some() || separator.contains("due") || separator.contains("should") || separator.contains("must");
        return match subjects::resolve(board, subject) {
            Err(subjects::Trouble::Unknown(_)) if !is_sure => None,
            _ => Some(due_on(board, subject, day)),
        };
    }
    None
}

fn due_on(board: &mut Board<'_>, subject: &str, day: NaiveDate) -> Done {
    let targets = subjects::resolve(board, subject)?;
    set(board, &targets, |body| body.due_on = Some(day), |body| body.due_on = Field::Set(day));
    Ok(format!("{} {} due {}", all_called(board, &targets), if targets.len() == 1 { "is" } else { "are" }, day.format("%A %-d %B")))
}

/// `estimate 2 at 3h`, `2 takes 3 hours`
pub(super) fn estimate(board: &mut Board<'_>, clause: &str) -> Option<Done> {
    if is_addition(clause) {
        return None;
    }
    let rest = behind(clause, &["estimate ", "set the estimate of ", "set the estimate for ", "the estimate of ", "the estimate for "]);
    let words: &[&str] = if rest.is_some() {
        &[" at ", " as ", " to ", " with ", " is ", ": ", " = ", " "]
    } else {
        &[" will take about ", " will take ", " takes about ", " takes ", " take ", " needs about ", " needs ", " is about "]
    };
    let rest = rest.unwrap_or(clause);
    let (subject, minutes) = words.iter().find_map(|word| {
        rest.to_ascii_lowercase().match_indices(word).find_map(|(at, word)| {
            let time = rest[at + word.len()..].trim_start_matches("about ").trim_end_matches('.');
            Some((&rest[..at], patchbay_core::dates::parse_duration(time)?))
        })
    })?;
    Some(subjects::resolve(board, subject).map_err(Stop::from).map(|targets| {
        set(board, &targets, |body| body.estimate_minutes = Some(minutes), |body| body.estimate_minutes = Field::Set(minutes));
        format!("{} takes {}", all_called(board, &targets), hours(minutes))
    }))
}

fn hours(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// `make 2 p1`, `3 is urgent`, `prioritise the form`
pub(super) fn priority(board: &mut Board<'_>, clause: &str) -> Option<Done> {
    if is_addition(clause) {
        return None;
    }
    let (subject, priority) = if let Some(subject) = behind(clause, &["prioritise ", "prioritize "]) {
        (subject, attributes::priority("high")?)
    } else if let Some(rest) = behind(clause, &["set the priority of ", "set priority of ", "change the priority of ", "the priority of ", "give "]) {
        let (subject, word) = text::cut_last(rest, &[" to ", " is ", " a ", " "])?;
        (subject, attributes::priority(word)?)
    } else {
        let rest = behind(clause, &["make ", "mark ", "set ", "flag "]).unwrap_or(clause);
        [" is more ", " is ", " are ", " has ", " as ", " to ", " "].iter().find_map(|word| {
            let lower = rest.to_ascii_lowercase();
            // Behind a bare blank only a mark is surely meant: "make 2 p1".
            lower.match_indices(word).find_map(|(at, word)| {
                let said = &rest[at + word.len()..];
                let priority = if word == " " { attributes::priority_mark(said) } else { attributes::priority(said) };
                Some((&rest[..at], priority?))
            })
        })?
    };
    Some(subjects::resolve(board, subject).map_err(Stop::from).map(|targets| {
        set(board, &targets, |body| body.priority = Some(priority), |body| body.priority = Field::Set(priority));
        format!("{} {} {}", all_called(board, &targets), if targets.len() == 1 { "is" } else { "are" }, priority.as_str())
    }))
}

/// `label 2 as backend`, `tag 3 and 4 ui`, `remove the label ui from 3`
pub(super) fn label(board: &mut Board<'_>, clause: &str) -> Option<Done> {
    if let Some(rest) = behind(clause, &["remove the label ", "remove label ", "remove the tag "]) {
        let (label, subject) = text::cut(rest, &[" from ", " of ", " off "])?;
        let label = label.trim_start_matches('#').to_owned();
        return Some(subjects::resolve(board, subject).map_err(Stop::from).map(|targets| {
            let edit = ListEdit::Change { add: Vec::new(), remove: vec![label.clone()] };
            set(
                board,
                &targets,
                |body| body.labels.iter_mut().for_each(|labels| labels.retain(|known| *known != label)),
                |body| body.labels = Field::Set(edit.clone()),
            );
            format!("{} has no label {label}", all_called(board, &targets))
        }));
    }
    let (subject, labels) = if let Some(rest) = behind(clause, &["add the label ", "add label ", "add the tag ", "add a label "]) {
        let (labels, subject) = text::cut_last(rest, &[" to "])?;
        (subject, labels)
    } else {
        let rest = behind(clause, &["label ", "tag "])?;
        text::cut_last(rest, &[" as ", " with ", " #"]).or_else(|| rest.rsplit_once(' '))?
    };
    let labels: Vec<String> = text::parts(labels).into_iter().map(|label| text::unquoted(label.trim_start_matches('#')).to_owned()).collect();
    Some(subjects::resolve(board, subject).map_err(Stop::from).map(|targets| {
        let edit = ListEdit::Change { add: labels.clone(), remove: Vec::new() };
        set(
            board,
            &targets,
            |body| {
                let own = body.labels.get_or_insert_default();
                own.extend(labels.iter().filter(|label| !own.contains(label)).cloned().collect::<Vec<_>>());
            },
            |body| body.labels = Field::Set(edit.clone()),
        );
        format!("{} {} labelled {}", all_called(board, &targets), if targets.len() == 1 { "is" } else { "are" }, labels.join(", "))
    }))
}

/// `describe 2 as …`, `note on 3: …`, `add a criterion to 2: …`
pub(super) fn describe(board: &mut Board<'_>, clause: &str) -> Option<Done> {
    let rest = behind(clause, &["describe ", "set the description of ", "the description of ", "note on ", "note for "])?;
    let (subject, words) = text::cut(rest, &[" as ", " to ", " is ", ": "])?;
    let words = text::unquoted(words).to_owned();
    Some(subjects::resolve(board, subject).map_err(Stop::from).map(|targets| {
        set(board, &targets, |body| body.description = Some(words.clone()), |body| body.description = Field::Set(words.clone()));
        format!("{} is described", all_called(board, &targets))
    }))
}
