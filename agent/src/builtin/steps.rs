//! A task broken down into technical steps, by what its title says is to be done.

use patchbay_core::patch::{CreateBody, NewCriterion};

use super::{
    board::{Board, Target},
    subjects::{self, Trouble},
    text,
};
use crate::planner::Outcome;

type Step = (&'static str, &'static str);

/// The words that tell the kind of work, and its steps with what makes each done. The last is for everything else.
static WORK: [(&[&str], &[Step]); 9] = [
    (
        &["schema", "database", "table", "model", "migration", "data"],
        &[
            ("Write down the data and its rules", "Each field has a type, and is said to be required or not"),
            ("Write the migration", "It runs on a copy of the real data"),
            ("Test it with sample rows", "Rows that break a rule are refused"),
        ],
    ),
    (
        &["form", "page", "screen", "ui", "interface", "layout", "frontend", "dashboard", "view"],
        &[
            ("Sketch it, with its empty, loading and error states", "Somebody who will use it has seen the sketch"),
            ("Build it", "It works with the keyboard alone"),
            ("Check it on a phone and with a screen reader", "Nothing is cut off and every field has a name"),
        ],
    ),
    (
        &["mail", "email", "message", "notification", "newsletter", "reset"],
        &[
            ("Write the text", "A person outside the team understands it"),
            ("Send it when it is due", "Sending it twice is impossible"),
            ("Handle what does not arrive", "A failure is seen by somebody"),
        ],
    ),
    (
        &["test", "tests", "testing", "qa", "verify", "check"],
        &[
            ("List what must never break", "The list is agreed"),
            ("Write the tests", "Each fails when what it guards is broken"),
            ("Run them with every change", "A failure stops the change"),
        ],
    ),
    (
        &["document", "documentation", "docs", "guide", "readme", "write", "text", "article", "report", "manual"],
        &[
            ("Outline it", "The questions that readers come with are listed"),
            ("Write it", "Every question of the outline is answered"),
            ("Have it read by somebody new to it", "They got through without asking"),
        ],
    ),
    (
        &["deploy", "deployment", "launch", "release", "rollout", "ship", "publish", "production"],
        &[("Write down the way there and the way back", "Both were tried"), ("Do it", "What people see works"), ("Watch it", "A day without a new error")],
    ),
    (
        &["fix", "bug", "error", "crash", "broken", "flaky", "repair"],
        &[
            ("Reproduce it", "A test fails because of it"),
            ("Find and mend the cause", "The test passes"),
            ("Look for the same mistake elsewhere", "Each place found is mended or listed"),
        ],
    ),
    (
        &["research", "evaluate", "investigate", "compare", "choose", "decide", "find", "analyse", "analyze", "scope", "agree"],
        &[
            ("Write down the question and what decides it", "The criteria are ranked"),
            ("Look at the candidates", "Each has its facts beside the criteria"),
            ("Decide and record why", "The decision is written where people look"),
        ],
    ),
    (
        &[],
        &[
            ("Agree on what done means", "The criteria are written down"),
            ("Do the first part that works from end to end", "It can be shown"),
            ("Finish and check it", "Every criterion holds"),
        ],
    ),
];

/// Whether a message asks for a task to be broken down.
pub(super) fn is_asked(message: &str) -> bool {
    let plain = message.trim().trim_end_matches(['.', '!', '?']).to_lowercase();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let breaks = ["break", "split", "divide", "detail", "decompose", "plan", "elaborate", "expand", "refine"].iter().any(|verb| words.first() == Some(verb));
    let about = ["down", "up", "this", "it", "out", "into", "steps", "subtasks", "smaller", "parts", "task", "pieces", "tasks", "on", "that"];
    breaks && words[1..].iter().all(|word| about.contains(word) || ["the", "in", "a", "for", "me", "more", "some", "technical", "small"].contains(word))
        || [
            "how do i do this",
            "how do we do this",
            "what are the steps",
            "give me steps",
            "what steps",
            "next steps",
            "steps",
            "subtasks",
            "make subtasks",
            "add steps",
            "add subtasks",
            "create subtasks",
        ]
        .contains(&plain.as_str())
}

/// The task that a message wants broken down: `break SIGN-4 down`, `break down the login form`, `break 2 into steps`.
fn named(message: &str) -> Option<&str> {
    let plain = message.trim().trim_end_matches(['.', '!', '?']);
    let (rest, mut is_sure) = match ["break down ", "break up ", "decompose "].iter().find_map(|verb| text::strip(plain, verb)) {
        Some(rest) => (rest, true),
        None => (["break ", "split ", "divide "].iter().find_map(|verb| text::strip(plain, verb))?, false),
    };
    let rest = match text::cut_last(rest, &[" into "]) {
        Some((subject, into)) if is_pieces(into) => {
            is_sure = true;
            subject
        }
        // "break 4 into unit tests and browser tests" says which.
        Some(_) => return None,
        None => rest,
    };
    let lower = rest.to_ascii_lowercase();
    let front = [" down", " up"].iter().find_map(|end| lower.strip_suffix(end));
    let subject = front.map_or(rest, |front| &rest[..front.len()]).trim();
    (is_sure || front.is_some()).then_some(subject).filter(|subject| !subject.is_empty())
}

/// `steps`, `smaller tasks`: into no parts in particular.
fn is_pieces(into: &str) -> bool {
    let words: Vec<String> = into.split_whitespace().map(str::to_ascii_lowercase).collect();
    words.len() <= 2 && words.last().is_some_and(|last| ["steps", "subtasks", "tasks", "parts", "pieces"].contains(&last.as_str()))
}

/// Breaks the task down that a message names. `None`: it asks for no such thing, or for the task that the conversation is about.
pub(super) fn asked_of(board: &mut Board<'_>, message: &str) -> Option<Outcome> {
    let subject = named(message)?;
    let is_this = ["this", "it", "that", "this task", "that task", "the task", "this one", "that one"].contains(&subject.to_ascii_lowercase().as_str());
    if is_this && board.focus.is_none() {
        let example =
            board.context.plan.walk().first().map_or_else(String::new, |(_, task)| format!(", such as `break {} down`", board.context.plan.reference(task)));
        return Some(Outcome::Question(format!("Which task shall I break down? Say it by its reference or its title{example}.")));
    }
    if is_this {
        return None;
    }
    Some(match subjects::resolve_one(board, subject) {
        Ok(target) => {
            let say = put(board, &target);
            let focus = board.focus;
            std::mem::replace(board, Board::new(board.context, focus)).finish(say)
        }
        Err(Trouble::Ambiguous(question)) => Outcome::Question(question),
        Err(Trouble::Unknown(what)) => {
            super::not_understood(board.context, board.focus, format!("I find no task like \"{}\"; nothing has changed.", text::quoted(&what)))
        }
    })
}

/// Puts the steps of a task on the board.
pub(super) fn put(board: &mut Board<'_>, target: &Target) -> String {
    let (reference, title) = (board.name(target), board.title(target));
    let called = board.task(target).map_or_else(|| format!("*{}*", title.replace('*', "\\*")), |_| reference.clone());
    let words = text::stems(&title);
    let score = |(keys, _): &&(&[&str], &[Step])| keys.iter().filter(|key| words.contains(&text::stems(key).join(" "))).count();
    let (_, steps) = WORK[..WORK.len() - 1].iter().rev().max_by_key(score).filter(|work| score(work) > 0).unwrap_or(&WORK[WORK.len() - 1]);
    for (title, criterion) in *steps {
        let body = CreateBody {
            title: (*title).to_owned(),
            parent_id: Some(reference.clone()),
            acceptance_criteria: Some(vec![NewCriterion { text: (*criterion).to_owned(), ..NewCriterion::default() }]),
            ..CreateBody::default()
        };
        board.create(body, None);
    }
    format!(
        "{} steps for {called}, the usual ones for such work: I plan by rules and know only the title. Untick what you do not want, or tell me your own as a list.",
        steps.len()
    )
}
