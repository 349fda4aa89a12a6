//! Gate 1, as the author of a patch reads it.

use serde_json::{Value, json};

use super::{gate, told};

/// Holds a patch with these operations against the schema.
#[track_caller]
fn refused(tasks: &Value, expected: &str) {
    text_is_refused(&json!({ "project_id": "WEB", "tasks": tasks }).to_string(), expected);
}

#[track_caller]
fn text_is_refused(text: &str, expected: &str) {
    let faults = gate::parse(text.as_bytes()).expect_err("it is refused");
    assert_eq!(told(&faults), expected);
}

fn create(body: Value) -> Value {
    operation(json!({ "op": "create", "task_id": "t1" }), body)
}

fn update(body: Value) -> Value {
    operation(json!({ "op": "update", "task_id": "WEB-7" }), body)
}

fn operation(mut operation: Value, body: Value) -> Value {
    operation["body"] = body;
    json!([operation])
}

#[test]
fn an_unknown_field_is_refused_with_the_nearest() {
    refused(&create(json!({ "title": "A", "prioritty": "P1" })), "/tasks/0/body/prioritty: there is no field `prioritty`; did you mean `priority`?");
}

#[test]
fn every_unknown_field_is_told() {
    refused(
        &create(json!({ "title": "A", "colour": "red", "weight": 1 })),
        "/tasks/0/body/colour: there is no field `colour`; expected acceptance_criteria, after, assignee, blocker, depends_on, description, due_on, effort, estimate_minutes, external_refs, kind, labels, metadata, parent_id, priority, references, status, subtasks or title\n\
         /tasks/0/body/weight: there is no field `weight`; expected acceptance_criteria, after, assignee, blocker, depends_on, description, due_on, effort, estimate_minutes, external_refs, kind, labels, metadata, parent_id, priority, references, status, subtasks or title",
    );
}

#[test]
fn a_field_beside_the_body_is_sent_there() {
    refused(
        &json!([{ "op": "create", "task_id": "t1", "title": "A", "body": { "title": "A" } }]),
        "/tasks/0/title: there is no field `title`; it belongs into `body`",
    );
}

#[test]
fn an_unknown_field_of_the_patch_is_refused() {
    text_is_refused(
        r#"{"task": [], "meta_updates": {"titel": "A"}}"#,
        "/meta_updates/titel: there is no field `titel`; did you mean `title`?\n\
         /task: there is no field `task`; did you mean `tasks`?",
    );
}

#[test]
fn an_unknown_field_of_a_delete_is_refused() {
    refused(
        &json!([{ "op": "delete", "task_id": "WEB-7", "body": { "subtasks": "up" } }]),
        "/tasks/0/body/subtasks: there is no field `subtasks`; did you mean `subtasks_go`?",
    );
}

#[test]
fn wrong_types_are_told_all_at_once() {
    refused(
        &create(json!({ "title": 5, "estimate_minutes": "an hour", "labels": "web", "due_on": 20_261_201 })),
        "/tasks/0/body/due_on: this has the wrong type (found 20261201); expected text or null\n\
         /tasks/0/body/estimate_minutes: this has the wrong type (found \"an hour\"); expected a whole number or null\n\
         /tasks/0/body/labels: this has the wrong type (found \"web\"); expected a list or null\n\
         /tasks/0/body/title: this has the wrong type (found 5); expected text",
    );
}

#[test]
fn a_title_is_needed() {
    refused(&create(json!({ "description": "Something" })), "/tasks/0/body: `title` is missing");
}

#[test]
fn a_wrong_word_is_told_the_right_ones() {
    refused(
        &create(json!({ "title": "A", "priority": "p1" })),
        "/tasks/0/body/priority: this is none of the values it can have (found \"p1\"); expected P0, P1, P2, P3 or null; did you mean `P1`?",
    );
    refused(
        &create(json!({ "title": "A", "effort": "huge" })),
        "/tasks/0/body/effort: this is none of the values it can have (found \"huge\"); expected S, M, L or null",
    );
    refused(
        &json!([{ "op": "delete", "task_id": "WEB-7", "body": { "subtasks_go": "away" } }]),
        "/tasks/0/body/subtasks_go: this is none of the values it can have (found \"away\"); expected with_it or up",
    );
}

#[test]
fn a_day_that_is_not_in_the_calendar_is_refused() {
    refused(
        &create(json!({ "title": "A", "due_on": "2026-02-30" })),
        "/tasks/0/body/due_on: this is not a date (found \"2026-02-30\"); expected a day of the calendar as YYYY-MM-DD",
    );
    refused(
        &update(json!({ "due_on": "tomorrow" })),
        "/tasks/0/body/due_on: this is not a date (found \"tomorrow\"); expected a day of the calendar as YYYY-MM-DD",
    );
}

#[test]
fn numbers_have_bounds() {
    refused(&create(json!({ "title": "A", "estimate_minutes": -5 })), "/tasks/0/body/estimate_minutes: this is too small (found -5); expected at least 0");
    refused(
        &create(json!({ "title": "A", "estimate_minutes": 5_000_000_000_u64 })),
        "/tasks/0/body/estimate_minutes: this is too large (found 5000000000); expected at most 4294967295",
    );
    refused(
        &create(json!({ "title": "A", "estimate_minutes": 1.5 })),
        "/tasks/0/body/estimate_minutes: this has the wrong type (found 1.5); expected a whole number or null",
    );
    assert!(gate::parse(json!({ "tasks": create(json!({ "title": "A", "estimate_minutes": 30.0 })) }).to_string().as_bytes()).is_ok());
}

#[test]
fn a_list_edit_is_told_at_its_own_path() {
    refused(&update(json!({ "labels": { "ad": ["x"] } })), "/tasks/0/body/labels/ad: there is no field `ad`; did you mean `add`?");
    refused(
        &update(json!({ "labels": "x" })),
        "/tasks/0/body/labels: this has the wrong type (found \"x\"); expected a list, {\"add\": […], \"remove\": […]} or null",
    );
    refused(&update(json!({ "labels": [1] })), "/tasks/0/body/labels/0: this has the wrong type (found 1); expected text");
    refused(
        &update(json!({ "acceptance_criteria": [{ "txt": "It works" }] })),
        "/tasks/0/body/acceptance_criteria/0/txt: there is no field `txt`; did you mean `text`?\n\
         /tasks/0/body/acceptance_criteria/0: `text` is missing",
    );
    refused(
        &update(json!({ "acceptance_criteria": { "add": [{ "text": "It works", "done": "no" }] } })),
        "/tasks/0/body/acceptance_criteria/add/0/done: this has the wrong type (found \"no\"); expected true or false",
    );
}

#[test]
fn an_operation_is_one_of_three() {
    refused(
        &json!([{ "op": "move", "task_id": "WEB-7", "body": {} }]),
        "/tasks/0/op: there is no such operation (found \"move\"); expected create, update or delete",
    );
    refused(
        &json!([{ "task_id": "WEB-7", "body": {} }, "WEB-7"]),
        "/tasks/0: `op` is missing; expected create, update or delete\n\
         /tasks/1: an operation is an object (found \"WEB-7\"); expected {\"op\": …, \"task_id\": …, \"body\": {…}}",
    );
    refused(
        &json!([{ "op": { "create": null }, "task_id": "t1", "body": { "title": "A" } }]),
        "/tasks/0/op: there is no such operation (found {\"create\":null}); expected create, update or delete",
    );
}

#[test]
fn nested_operations_are_told_at_their_own_path() {
    refused(
        &create(
            json!({ "title": "A", "subtasks": [{ "op": "update", "task_id": "WEB-7", "body": { "subtasks": [{ "op": "create", "task_id": "t2", "body": {} }] } }] }),
        ),
        "/tasks/0/body/subtasks/0/body/subtasks/0/body: `title` is missing",
    );
}

#[test]
fn an_array_is_no_object() {
    refused(&json!([{ "op": "update", "task_id": "WEB-7", "body": [] }]), "/tasks/0/body: this has the wrong type (found []); expected an object");
    text_is_refused(
        r#"{"meta_updates": ["Website", null, null, null, null]}"#,
        "/meta_updates: this has the wrong type (found [\"Website\",null,null,null,null]); expected an object or null",
    );
    text_is_refused("[]", "this has the wrong type (found []); expected an object");
}

#[test]
fn a_field_that_comes_twice_is_refused() {
    text_is_refused(r#"{"tasks": [{"op": "update", "op": "delete", "task_id": "WEB-7", "body": {}}]}"#, "duplicate field `op` at line 1 column 32");
}

#[test]
fn what_is_not_json_is_refused() {
    text_is_refused("Sure! Here is the patch:", "this cannot be read as JSON: expected value at line 1 column 1");
    text_is_refused(r#"{"tasks": ["#, "this cannot be read as JSON: EOF while parsing a list at line 1 column 11");
    text_is_refused("", "this cannot be read as JSON: EOF while parsing a value at line 1 column 0");
}

#[test]
fn a_large_patch_is_refused() {
    refused(
        &create(json!({ "title": "A", "description": "x".repeat(gate::MAX_BYTES) })),
        "the patch is too large (found 257 KiB); expected at most 256 KiB; send it as several patches",
    );
}

#[test]
fn many_operations_are_refused() {
    let tasks: Vec<_> = (0..=gate::MAX_OPERATIONS).map(|n| json!({ "op": "create", "task_id": format!("t{n}"), "body": { "title": "A" } })).collect();
    refused(&json!(tasks), "/tasks: the patch has too many operations (found 501); expected at most 500; send it as several patches");
    let (first, rest) = tasks.split_first().expect("there are some");
    let mut first = first.clone();
    first["body"]["subtasks"] = json!(rest);
    refused(&json!([first]), "/tasks: the patch has too many operations (found 501); expected at most 500; send it as several patches");
}

#[test]
fn deep_nesting_is_refused() {
    let nested =
        |levels| (0..levels).fold(json!([]), |below, n| json!([{ "op": "create", "task_id": format!("t{n}"), "body": { "title": "A", "subtasks": below } }]));
    assert!(gate::parse(json!({ "tasks": nested(gate::MAX_NESTING) }).to_string().as_bytes()).is_ok());
    refused(
        &nested(gate::MAX_NESTING + 1),
        "/tasks: operations are nested too deep (found 7 levels); expected at most 6; name the parent with parent_id instead",
    );
    let bottomless = format!(r#"{{"tasks":{}"#, r#"[{"op":"update","task_id":"WEB-1","body":{"subtasks":"#.repeat(100));
    text_is_refused(&bottomless, "this cannot be read as JSON: recursion limit exceeded at line 1 column 2236");
}

#[test]
fn an_id_is_not_for_the_author_to_give() {
    refused(
        &json!([{ "op": "create", "task_id": "WEB-9", "id": super::id(9), "body": { "title": "A" } }]),
        "/tasks/0/id: a new task gets its id from Patchbay; leave `id` out, and give a temporary name in `task_id`",
    );
}

#[test]
fn one_operation_alone_is_read_the_same_way() {
    let told_of = |value: &Value| told(&gate::parse_task(value.to_string().as_bytes()).expect_err("it is refused"));
    assert_eq!(
        told_of(&json!({ "op": "create", "task_id": "t1", "body": { "titel": "A" } })),
        "/body/titel: there is no field `titel`; did you mean `title`?\n\
         /body: `title` is missing"
    );
    assert_eq!(told_of(&json!([])), "an operation is an object (found []); expected {\"op\": …, \"task_id\": …, \"body\": {…}}");
}
