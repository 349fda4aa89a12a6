//! Phrasings, and what the rules make of them.

use std::collections::BTreeSet;

use patchbay_core::patch::{
    Criterion, ProjectPatch, TaskId, check, diff, normalise,
    plan::{Detail, Plan, Project, Task},
    process::{Process, Role},
    rank::Rank,
};
use proptest::prelude::*;

use super::*;
use crate::planner::Draft;

/// Wednesday, 25 November 2026, 14:30 in Berlin.
fn context(plan: Plan) -> Context {
    Context {
        total_tasks: plan.len(),
        plan,
        found: Vec::new(),
        draft: None,
        conversation: Vec::new(),
        now: "2026-11-25T13:30:00Z".parse().unwrap(),
        zone: chrono_tz::Europe::Berlin,
        author: Some("bo".into()),
        rules: check::Rules::of(Role::Member),
        trusted: true,
    }
}

fn project(version: i32) -> Project {
    Project {
        id: "00000000-0000-7000-8000-000000001000".parse().unwrap(),
        key: if version > 0 { "WEB".into() } else { String::new() },
        title: if version > 0 { "Website".into() } else { String::new() },
        summary: String::new(),
        version,
        process: Process::find("simple").unwrap(),
        time_zone: "Europe/Berlin".into(),
        next_task: 9,
    }
}

fn id(number: i32) -> TaskId {
    format!("00000000-0000-7000-8000-{number:012}").parse().unwrap()
}

fn members() -> BTreeSet<String> {
    ["ana".to_owned(), "bo".to_owned()].into()
}

/// Nothing yet.
fn nothing() -> Context {
    context(Plan::new(project(0), members(), []))
}

/// ```text
/// WEB-1 Sign-in (doing)                      WEB-5 Shop
///   WEB-2 Database schema (done, ana)          WEB-6 Pay by card (blocked: the bank's answer)
///   WEB-3 Login form (doing, ana, due 1 Dec)   WEB-7 Invoice tests
///   WEB-4 Tests (bo, due 27 Nov, after 3)    WEB-8 Launch (after 5)
/// ```
fn website() -> Context {
    let mut rank = Rank::default();
    let mut task = |number: i32, parent: Option<i32>, title: &str, status: &str| {
        rank = Rank::between(Some(&rank), None).unwrap();
        Task {
            id: id(number),
            number,
            parent: parent.map(id),
            rank: rank.clone(),
            title: title.into(),
            status: status.into(),
            priority: None,
            assignee: None,
            due_on: None,
            depends_on: Vec::new(),
            detail: Detail::default(),
        }
    };
    let mut tasks = [
        task(1, None, "Sign-in", "doing"),
        task(2, Some(1), "Database schema", "done"),
        task(3, Some(1), "Login form", "doing"),
        task(4, Some(1), "Tests", "todo"),
        task(5, None, "Shop", "todo"),
        task(6, Some(5), "Pay by card", "blocked"),
        task(7, Some(5), "Invoice tests", "todo"),
        task(8, None, "Launch", "todo"),
    ];
    tasks[1].assignee = Some("ana".into());
    tasks[2].assignee = Some("ana".into());
    tasks[2].due_on = "2026-12-01".parse().ok();
    tasks[2].detail.estimate_minutes = Some(180);
    tasks[2].detail.acceptance_criteria = vec![Criterion { id: "c1".into(), text: "Errors are told".into(), done: false }];
    tasks[3].assignee = Some("bo".into());
    tasks[3].due_on = "2026-11-27".parse().ok();
    tasks[3].depends_on = vec![tasks[2].id];
    tasks[5].detail.blocker = Some("the bank's answer".into());
    tasks[7].depends_on = vec![tasks[4].id];
    context(Plan::new(project(7), members(), tasks))
}

/// `1 Schema, 2 Form, 3 Password reset by mail, 4 Tests` as a proposal for a new project.
fn proposal() -> Context {
    let mut context = nothing();
    let message = "Build a new sign-in flow. We need the schema, the form, password reset by mail, and tests.";
    let Outcome::Patch { patch, .. } = understand(Mode::Project, &context, message).outcome else { panic!("DAY's first words are understood") };
    context.draft = Some(Draft { number: 1, patch: *patch });
    context
}

/// The patch in short lines, through the real gates.
fn shown(context: &Context, patch: &ProjectPatch) -> String {
    let checked = check::check(&context.plan, normalise::flatten(patch.clone()), &context.rules).expect("the planner checks its patches");
    let diff = diff::diff(&context.plan, &checked);
    let mut lines = Vec::new();
    if let Some(title) = patch.meta_updates.as_ref().and_then(|meta| meta.title.as_ref()) {
        lines.push(format!("project: {title}"));
    }
    let names: std::collections::HashMap<&str, usize> =
        diff.entries.iter().filter(|entry| entry.op == diff::Op::Create).map(|entry| (entry.task.as_str(), entry.index)).collect();
    let name = |name: &str| names.get(name).map_or_else(|| name.to_owned(), |index| format!("[{index}]"));
    for entry in &diff.entries {
        let mut facts: Vec<String> = entry.parent.iter().filter(|_| entry.op == diff::Op::Create).map(|parent| format!("in {}", name(parent))).collect();
        facts.extend(entry.after.iter().map(|after| format!("behind {}", name(after))));
        if let Some(moved) = &entry.moved {
            facts.push(format!(
                "moves to {} behind {}",
                moved.to.parent.as_deref().map_or("top".into(), &name),
                moved.to.after.as_deref().map_or("nothing".into(), &name)
            ));
        }
        for change in entry.changes.iter().filter(|change| !(entry.op == diff::Op::Create && change.field == "title")) {
            let text = |value: &serde_json::Value| match value {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Array(list) => {
                    let list: Vec<_> =
                        list.iter().map(|value| value.as_str().map_or_else(|| value["text"].as_str().unwrap_or_default().to_owned(), &name)).collect();
                    list.join("; ")
                }
                serde_json::Value::Null => "none".into(),
                other => other.to_string(),
            };
            facts.push(format!("{}: {}", change.field, text(&change.after)));
        }
        let sign = match entry.op {
            diff::Op::Create => "+",
            diff::Op::Update => "~",
            diff::Op::Delete => "-",
        };
        let reference = if entry.op == diff::Op::Create { String::new() } else { format!("{} ", entry.task) };
        let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
        lines.push(format!("{} {sign} {reference}{}{facts}", entry.index, entry.title));
    }
    lines.join("\n")
}

fn told(context: &Context, mode: Mode, message: &str) -> String {
    match understand(mode, context, message).outcome {
        Outcome::Patch { patch, say } => format!("{say}\n{}", shown(context, &patch)),
        Outcome::Answer(text) => format!("answer: {text}"),
        Outcome::Question(text) => format!("question: {text}"),
        Outcome::NotUnderstood { say, examples } => format!("NOT UNDERSTOOD: {say} [{}]", examples.join(" | ")),
    }
}

/// The messages of a file: one a line, or several lines that begin with `| `.
fn messages(text: &str) -> Vec<String> {
    let mut messages: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        let part = line.strip_prefix("| ").or_else(|| (line == "|").then_some(""));
        match part {
            Some(part) if is_open => {
                let message = messages.last_mut().unwrap();
                message.push('\n');
                message.push_str(part);
            }
            Some(part) => messages.push(part.to_owned()),
            None if line.is_empty() => {}
            None => messages.push(line.to_owned()),
        }
        is_open = part.is_some();
    }
    messages
}

/// Every message with what it comes to, for people to read.
fn table(context: &Context, mode: Mode, text: &str) -> String {
    let rows: Vec<_> = messages(text).iter().map(|message| format!("> {}\n{}\n", message.replace('\n', "\n> "), told(context, mode, message))).collect();
    rows.join("\n")
}

#[test]
fn goals_and_lists_for_a_new_project() {
    insta::assert_snapshot!(table(&nothing(), Mode::Project, include_str!("phrasings/new.txt")));
}

#[test]
fn refinements_of_a_proposal() {
    insta::assert_snapshot!(table(&proposal(), Mode::Project, include_str!("phrasings/proposal.txt")));
}

#[test]
fn edits_and_questions_on_a_plan() {
    insta::assert_snapshot!(table(&website(), Mode::Project, include_str!("phrasings/plan.txt")));
}

#[test]
fn a_task_broken_down() {
    let mut context = website();
    let focus = id(3);
    context.rules.focus = Some(focus);
    insta::assert_snapshot!(table(&context, Mode::Task(focus), include_str!("phrasings/task.txt")));
}

#[test]
fn there_are_at_least_150_phrasings() {
    let phrasings =
        [include_str!("phrasings/new.txt"), include_str!("phrasings/proposal.txt"), include_str!("phrasings/plan.txt"), include_str!("phrasings/task.txt")];
    let count: usize = phrasings.iter().map(|text| messages(text).len()).sum();
    assert!(count >= 150, "{count}");
}

/// DAY, 08:57.
#[test]
fn the_words_of_the_day() {
    let mut context = proposal();
    let before = shown(&nothing(), &context.draft.as_ref().unwrap().patch);
    assert_eq!(before, "project: New sign-in flow\n1 + Schema\n2 + Form\n3 + Password reset by mail\n4 + Tests");
    let Outcome::Patch { patch, .. } = understand(Mode::Project, &context, "combine the first two, and add documentation after the tests").outcome else {
        panic!("it is understood")
    };
    assert_eq!(
        shown(&context, &patch),
        "project: New sign-in flow\n1 + Schema and form\n2 + Password reset by mail\n3 + Tests\n4 + Documentation (depends_on: [3])"
    );
    context.draft = Some(Draft { number: 1, patch: *patch });
    let again = understand(Mode::Project, &context, "2 should be friday instead").outcome;
    let Outcome::Patch { patch, .. } = again else { panic!("{again:?}") };
    assert!(shown(&context, &patch).contains("2 + Password reset by mail (due_on: 2026-11-27)"));
}

#[test]
fn too_much_is_told_and_not_read() {
    let long = "a".repeat(MAX_MESSAGE + 1);
    assert!(told(&nothing(), Mode::Project, &long).starts_with("NOT UNDERSTOOD: That is too long"));
    let many = "- task\n".repeat(MAX_TASKS + 1);
    assert!(told(&nothing(), Mode::Project, &many).starts_with("NOT UNDERSTOOD: That list has 201 tasks"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever people write, nothing breaks, and what is proposed passes the gates.
    #[test]
    fn any_words_are_survived(words in proptest::collection::vec(proptest::sample::select(vec![
        "combine", "the", "first", "two", "and", ",", "add", "rename", "split", "into", "after", "before", "under", "move", "1", "2", "3", "99", "WEB-3", "WEB-99", "it", "tests", "form", "to", "as", "done", "mark",
        "remove", "all", "friday", "due", "by", "a week", "push", "assign", "@ana", "me", "\"", "(", ")", "3h", "p1", "is", "depends on", "swap", "-", "\n- ", "\n", "?", "what", "Ümläut", "💥", ".", ";", "no longer", "last",
    ]), 0..14)) {
        let message = words.join(" ");
        for (context, mode) in [(nothing(), Mode::Project), (proposal(), Mode::Project), (website(), Mode::Project), (website(), Mode::Task(id(3)))] {
            if let Outcome::Patch { patch, .. } = understand(mode, &context, &message).outcome {
                prop_assert!(check(&context, &patch).is_ok(), "{message}");
            }
        }
    }

    #[test]
    fn any_text_is_survived(message in "\\PC{0,200}") {
        let _ = understand(Mode::Project, &website(), &message);
        let _ = understand(Mode::Project, &proposal(), &message);
    }
}
