//! A task broken down into technical steps, by what its title says is to be done.

use patchbay_core::patch::{CreateBody, NewCriterion, TaskId};

use super::{board::Board, text};

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

/// Puts the steps of a task on the board.
pub(super) fn put(board: &mut Board<'_>, id: TaskId) -> String {
    let Some(task) = board.context.plan.get(id) else { return String::new() };
    let reference = board.context.plan.reference(task);
    let words = text::stems(&task.title);
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
        "{} steps for {reference}, the usual ones for such work: I plan by rules and know only the title. Untick what you do not want, or tell me your own as a list.",
        steps.len()
    )
}
