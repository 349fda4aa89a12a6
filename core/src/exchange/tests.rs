use super::{document::Form, *};
use crate::patch::{Effort, Priority};

const TODO: &str = include_str!("../../../tests/data/TODO.md");
const TASKS: &str = include_str!("../../../tests/data/tasks.md");
const BACKLOG: &str = include_str!("../../../tests/data/backlog.yaml");

fn bytes(document: &Document) -> String {
    let mut text: String = document.items.iter().map(|item| item.before.clone() + &item.text).collect();
    text.push_str(&document.after);
    text
}

/// The tree of titles, for people to read.
fn outline(document: &Document) -> String {
    let mut depths = Vec::new();
    let mut text = String::new();
    for item in &document.items {
        let depth = item.parent.map_or(0, |parent| depths[parent] + 1);
        depths.push(depth);
        let words: Vec<&str> = item.name.as_deref().into_iter().chain([item.body.title.as_str()]).collect();
        text.extend(["  ".repeat(depth), words.join(" "), "\n".to_owned()]);
    }
    text
}

#[test]
fn not_a_byte_is_lost() {
    for (name, text) in [("TODO.md", TODO), ("tasks.md", TASKS), ("backlog.yaml", BACKLOG)] {
        assert_eq!(bytes(&read(name, text)), text, "{name}");
    }
}

#[test]
fn records_are_read_with_all_their_fields() {
    let document = read("TODO.md", TODO);
    let records: Vec<_> = document.items.iter().filter(|item| item.form == Form::Record).collect();
    assert_eq!(records.len(), 63);
    assert_eq!(document.notes, []);
    let first = records[0];
    assert_eq!((first.line, first.name.as_deref()), (36, Some("T-042")));
    assert_eq!(first.body.priority, Some(Priority::P0));
    assert_eq!(first.body.effort, Some(Effort::M));
    assert_eq!(first.status.as_deref(), Some("BLOCKED"));
    assert_eq!(first.body.acceptance_criteria.as_ref().map(Vec::len), Some(6));
    assert_eq!(first.body.references.as_ref().map(Vec::len), Some(3));
    assert_eq!(records[1].waits_for, ["T-042"]);
    assert!(outline(&document).starts_with(
        "Active tasks\n  Phase 0 — Production readiness blockers (P0)\n    T-042 Document deployment platform and rollback procedures\n  Phase 1 — Security and tenant isolation (P1/P3)\n    P1 — High impact (do within 7 days)\n      T-050 Create incident response runbooks\n      T-051 "
    ));
}

#[test]
fn check_boxes_keep_their_names_and_tags() {
    let document = read("tasks.md", TASKS);
    let boxes: Vec<_> = document.items.iter().filter(|item| item.form == Form::Checkbox).collect();
    assert_eq!(boxes.len(), TASKS.lines().filter(|line| line.starts_with("- [")).count());
    let second = boxes[1];
    assert_eq!(second.name.as_deref(), Some("T002"));
    assert_eq!(second.body.labels.as_deref(), Some(["P".to_owned()].as_slice()));
    assert_eq!(second.body.title, "Create research.md placeholder at specs/002-autonomous-workflow-system/research.md");
    assert!(boxes.iter().any(|item| item.status.as_deref() == Some("done")));
}

#[test]
fn a_backlog_keeps_what_has_no_field() {
    let document = read("backlog.yaml", BACKLOG);
    assert_eq!((document.items.len(), document.notes.as_slice()), (11, [].as_slice()));
    let first = &document.items[0];
    assert_eq!((first.line, first.name.as_deref()), (2, Some("T-100")));
    let metadata = first.body.metadata.as_ref().unwrap();
    assert_eq!(metadata["owned_paths"], serde_json::json!(["services/orchestrator/**", "collaboration/**"]));
    assert_eq!(first.body.acceptance_criteria.as_ref().unwrap()[0].text, "Endpoints return expected shapes; SSE tail works in dev");
}

#[test]
fn a_bad_record_is_told_with_its_line_and_stops_nothing() {
    let text = "# List\n\n### T-1: Good\nPriority: P9\nEffort: huge\n\n### T-2\nPriority: P1\n\n### T-1: Again\nPriority: P1\n- [ ]\n";
    let document = read("a.md", text);
    assert_eq!(bytes(&document), text);
    assert_eq!(outline(&document), "T-1 Good\nAgain\n");
    let notes: Vec<_> = document.notes.iter().map(|note| format!("{}: {}: {}", note.line, note.task, note.what)).collect();
    insta::assert_snapshot!(notes.join("\n"), @r#"
    4: T-1: Priority "P9" is none of P0, P1, P2, P3; it stays in the metadata
    5: T-1: Effort "huge" is none of S, M, L; it stays in the metadata
    7: T-2: a record begins with `### T-2: Title`; this one has no title and is left as text
    11: T-1: Priority "P1" is none of P0, P1, P2, P3; it stays in the metadata
    10: T-1: the name stands on line 3 already; this one is kept without it
    "#);

    let text = "tasks:\n  - id: A-1\n    title: Good\n  - id: A-2\n    title: [\n  - just words\n  - id: A-3\n  - id: A-4\n    title: Also good\n    priority: P7\nother: 1\n";
    let document = read("a.yml", text);
    assert_eq!(bytes(&document), text);
    assert_eq!(outline(&document), "A-1 Good\nA-4 Also good\n");
    let notes: Vec<_> = document.notes.iter().map(|note| format!("{}: {}: {}", note.line, note.task, note.what)).collect();
    insta::assert_snapshot!(notes.join("\n"), @r#"
    4: : this record is not YAML and is left as text: unclosed bracket '['
    6: : this is no record: it needs fields such as `id` and `title`; it is left as text
    7: A-3: this record has no `title` and is left as text
    8: A-4: `priority` cannot be "P7"; it stays in the metadata
    "#);
}
