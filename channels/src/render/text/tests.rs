use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::render::{escape, generate};

fn patch(value: Value) -> ProjectPatch {
    serde_json::from_value(value).unwrap()
}

/// The text, which gives the patch back.
fn shown(value: Value) -> String {
    let patch = patch(value);
    let text = render(&patch);
    assert_eq!(parse(&text), Ok(patch), "{text}");
    text
}

#[test]
fn a_patch_is_easy_to_read() {
    let text = shown(json!({
        "project_id": "WEB", "base_version": 7, "note": "Ana is away.",
        "meta_updates": { "summary": "The shop, and who may enter and leave it." },
        "tasks": [
            { "op": "create", "task_id": "t1", "body": { "title": "Fix flaky e2e test", "priority": "P1", "parent_id": "WEB-1", "assignee": "ana", "due_on": "2026-12-04",
                "description": "It fails one time in ten.\n\n- on CI only", "depends_on": ["WEB-4", "t2"], "after": null,
                "acceptance_criteria": [{ "text": "A hundred runs pass" }, { "id": "c2", "text": "It is \"fast\"", "done": true }], "estimate_minutes": 150 } },
            { "op": "create", "task_id": "t2", "id": "00000000-0000-0000-0000-000000000007", "body": { "title": "Documentation", "labels": ["docs", "to do", "a, b"],
                "subtasks": [{ "op": "create", "task_id": "t3", "body": { "title": "Guide", "metadata": { "pages": 3, "in print": { "a4": [true, null, 1.5] } },
                    "external_refs": { "github": "acme/web#12" } } }] } },
            { "op": "update", "task_id": "WEB-6", "body": { "title": "Pay by card or by invoice", "status": "doing", "blocker": null, "depends_on": { "add": ["WEB-2"] },
                "labels": { "add": ["ui"], "remove": ["docs"] }, "references": [], "external_refs": { "jira": null, "github": "none" },
                "acceptance_criteria": { "add": [{ "id": "c1", "text": "Errors are told" }], "remove": ["c2"] } } },
            { "op": "update", "task_id": "WEB-5", "body": { "subtasks": [{ "op": "delete", "task_id": "WEB-8" }] } },
            { "op": "delete", "task_id": "WEB-7" },
            { "op": "delete", "task_id": "WEB-9", "body": { "subtasks_go": "up" } },
        ],
    }));
    insta::assert_snapshot!(text);
}

#[test]
fn the_least_patch_is_one_line() {
    assert_eq!(shown(json!({})), "patch\n");
    assert_eq!(shown(json!({ "meta_updates": {} })), "patch\n\n* project\n");
}

#[test]
fn nothing_hides() {
    let text = shown(json!({
        "note": "a right-to-left override \u{202e}gnp.exe\u{202c}",
        "tasks": [
            { "op": "create", "task_id": "t 1", "body": { "title": "ad\u{200b}min \u{2067}x\u{2069} \u{feff}\u{7f}", "description": "", "status": "none", "kind": " padded ",
                "blocker": "C:\\temp\\new", "labels": ["שלום", "مرحبا", "👩\u{200d}💻", "", "none", "a\u{a0}b"], "references": ["\u{1b}[2J"] } },
            { "op": "update", "task_id": "WEB-1", "body": { "title": "שָׁלוֹם 👩\u{200d}💻 مَرْحَبًا", "description": "  two\u{2003}blanks  \n\\n is no line\r\n\"quoted\"\n\ttab\n", "blocker": "\"quoted\"",
                "metadata": { "": "\u{200d}", "a\u{202e}b": "\\" } } },
        ],
    }));
    insta::assert_snapshot!(text);
}

#[test]
fn a_fault_names_its_line_and_what_to_write() {
    fn check(text: &str, expected: &str) {
        assert_eq!(parse(text).unwrap_err().to_string(), expected, "{text}");
    }
    check("", "line 1: there is nothing here; a patch begins with the line `patch`");
    check("hello", "line 1: a patch begins with the line `patch`");
    check("patch\n  note: a\u{202e}b", r"line 2: something invisible stands in this line; written as an escape it is: note: a\u202eb");
    check("patch\n   note: a", "line 2: each level is two blanks further in, and there are at most 40");
    check("patch\n    note: a", "line 2: this line stands too far in");
    check("patch\n  note:", "line 2: the value is missing; nothing is written `none`, and an empty text `\"\"`");
    check("patch\n  note: a\n  note: b", "line 3: `note` is here twice");
    check("patch\n  colour: red", "line 2: there is no field `colour` in a patch");
    check("patch\n  base_version: seven", "line 2: a whole number was expected");
    check("patch\n\nhello", "line 3: an operation was expected here: `+ name \"Title\"`, `~ WEB-7` or `- WEB-9`");
    check("patch\n\n+ t1 Title", "line 3: a new task has a title in quotes: `+ t1 \"Title\"`");
    check("patch\n\n- WEB-9 now", "line 3: nothing was expected behind it, but there is `now`");
    check("patch\n\n~ WEB-9\n  priority: P9", "line 4: priority: unknown variant `P9`, expected one of `P0`, `P1`, `P2`, `P3`");
    check("patch\n\n~ WEB-9\n  due_on: tomorrow", "line 4: due_on: invalid value: string \"tomorrow\", expected a day as YYYY-MM-DD");
    check("patch\n\n~ WEB-9\n  labels: ui, web", "line 4: a list was expected: `[a, b]`, or `add [a], remove [b]`");
    check("patch\n\n~ WEB-9\n  title: C:\\temp", "line 4: a text with a backslash needs quotes");
    check("patch\n\n~ WEB-9\n  acceptance_criteria:\n    [ ] \"a\"\n    - c1", "line 5: criteria either replace all, or each has a `+` or a `-` before it");
    check("patch\n\n- WEB-9\n  + t1 \"Title\"", "line 4: a field was expected here: `name: value`");
}

#[test]
fn what_a_mail_program_does_to_a_text_does_no_harm() {
    let told = "patch\r\n\r\n\r\n+ t1 \"Title\"   \r\n  description:  \r\n    | a\r\n    |\r\n    | b\r\n\r\n";
    let expected = patch(json!({ "tasks": [{ "op": "create", "task_id": "t1", "body": { "title": "Title", "description": "a\n\nb" } }] }));
    assert_eq!(parse(told), Ok(expected));
}

proptest! {
    #[test]
    fn the_text_gives_the_patch_back(patch in generate::patch()) {
        let text = render(&patch);
        for line in text.lines() {
            prop_assert_eq!(escape::visible(line), line);
            prop_assert!(!line.ends_with(' '));
        }
        prop_assert_eq!(parse(&text), Ok(patch), "{}", text);
    }

    #[test]
    fn any_text_is_read_without_harm(text in any::<String>()) {
        let _ = parse(&text);
    }

    /// What is taken for a patch has one meaning: written again, it means the same.
    #[test]
    fn a_text_that_was_tampered_with_is_refused_or_means_what_it_shows(patch in generate::patch(), at in any::<prop::sample::Index>(), with in generate::text()) {
        let mut chars: Vec<char> = render(&patch).chars().collect();
        let at = at.index(chars.len());
        chars.splice(at..=at, with.chars());
        let text: String = chars.into_iter().collect();
        if let Ok(patch) = parse(&text) {
            prop_assert_eq!(parse(&render(&patch)), Ok(patch), "{}", text);
        }
    }
}
