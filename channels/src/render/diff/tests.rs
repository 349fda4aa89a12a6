use patchbay_core::patch::{ProjectPatch, check, diff, normalise, plan::Plan, process::Role};
use serde_json::{Value, json};

use super::*;
use crate::{example, render::Terminal};

/// The diff of a patch on the example plan, through the real gates.
fn shown(operations: Value, meta: Value) -> Diff {
    on(&example::plan(), json!({ "project_id": "WEB", "meta_updates": meta, "tasks": operations }))
}

fn on(plan: &Plan, patch: Value) -> Diff {
    let patch: ProjectPatch = serde_json::from_value(patch).unwrap();
    let checked = check::check(plan, normalise::flatten(patch), &check::Rules::of(Role::Member)).unwrap_or_else(|faults| panic!("{faults:?}"));
    diff::diff(plan, &checked)
}

fn everything() -> Diff {
    shown(
        json!([
            { "op": "create", "task_id": "t1", "body": { "title": "Fix flaky e2e test", "priority": "P1", "parent_id": "WEB-1", "assignee": "ana", "due_on": "2026-12-04",
                "description": "It fails one time in ten.\n\n- on CI only", "depends_on": ["WEB-4", "t2"],
                "acceptance_criteria": [{ "text": "A hundred runs pass" }], "estimate_minutes": 150 } },
            { "op": "create", "task_id": "t2", "body": { "title": "Documentation", "labels": ["docs", "later"],
                "subtasks": [{ "op": "create", "task_id": "t3", "body": { "title": "Guide", "metadata": { "pages": 3 } } }] } },
            { "op": "update", "task_id": "WEB-3", "body": { "due_on": "2026-11-28" } },
            { "op": "update", "task_id": "WEB-4", "body": { "parent_id": "WEB-5", "after": "WEB-6" } },
            { "op": "update", "task_id": "WEB-6", "body": { "title": "Pay by card or by invoice", "status": "doing", "blocker": null, "depends_on": { "add": ["WEB-2"] } } },
            { "op": "delete", "task_id": "WEB-7" },
        ]),
        json!({ "summary": "The shop, and who may enter and leave it." }),
    )
}

#[test]
fn plain_text_tells_everything() {
    insta::assert_snapshot!(page(&everything()).text(), @"");
}

#[test]
fn markdown_tells_everything() {
    insta::assert_snapshot!(page(&everything()).markdown(), @"");
}

#[test]
fn html_tells_everything() {
    insta::assert_snapshot!(page(&everything()).html(), @"");
}

#[test]
fn a_terminal_wraps_and_colours() {
    let text = page(&everything()).terminal(Terminal { colour: true, width: 60 });
    insta::assert_snapshot!(text.replace('\x1b', "ESC"), @"");
}

#[test]
fn a_new_project_is_called_new() {
    let mut plan = example::plan();
    plan = Plan::new(patchbay_core::patch::plan::Project { version: 0, ..plan.project }, plan.members, []);
    let diff = on(&plan, json!({ "meta_updates": { "title": "Sign-in flow" }, "tasks": [{ "op": "create", "task_id": "t1", "body": { "title": "Schema" } }] }));
    insta::assert_snapshot!(page(&diff).text(), @"");
}

#[test]
fn criteria_are_compared_one_by_one() {
    let diff = shown(
        json!([{ "op": "update", "task_id": "WEB-3", "body": {
            "description": "Name and password, and **something** else.",
            "acceptance_criteria": { "add": [{ "id": "c2", "text": "Errors are told", "done": true }, { "text": "It is fast" }], "remove": ["c1"] } } }]),
        Value::Null,
    );
    insta::assert_snapshot!(page(&diff).text(), @"");
}

#[test]
fn an_operation_has_a_line_of_its_own() {
    let diff = everything();
    let lines: Vec<_> = diff.entries.iter().map(|entry| summary(&diff, entry)).collect();
    insta::assert_snapshot!(lines.join("\n"), @"");
    assert_eq!(counts(&diff.counts), "3 new, 2 changed, 1 moved, 1 removed");
}

#[test]
fn hostile_text_stays_text_everywhere() {
    let title = "\u{1b}[2J<script>alert(1)</script> **x** [y](javascript:z) `rm`\nnext \u{202e}gnp.exe";
    let description = "</blockquote><img src=x onerror=y>\n# Heading\n1. item\n\u{1b}]0;title\u{7}";
    let patch = json!([{ "op": "create", "task_id": "t1", "body": { "title": title, "description": description, "labels": ["<b>"] } }]);
    let page = page(&shown(patch, Value::Null));
    let terminal = page.terminal(Terminal { colour: true, width: 200 });
    assert!(!terminal.contains("\x1b[2J") && !terminal.contains("\x1b]") && !terminal.contains('\u{7}') && !terminal.contains('\u{202e}'), "{terminal:?}");
    let html = page.html();
    assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("<b>&lt;b&gt;"), "{html}");
    assert_eq!(html.matches("</blockquote>").count(), 1, "{html}");
    insta::assert_snapshot!(page.markdown(), @"");
}
