//! Gate 2, as the author of a patch reads it.

use serde_json::{Value, json};

use super::{gates, id, member, plan};
use crate::patch::{check::Rules, plan::Plan, process::Role};

/// Holds operations against the plan, as a member of a `simple` project.
#[track_caller]
fn refused(tasks: &Value, expected: &str) {
    refused_by(&plan("simple"), &member(), &json!({ "tasks": tasks }), expected);
}

#[track_caller]
fn refused_by(plan: &Plan, rules: &Rules, patch: &Value, expected: &str) {
    assert_eq!(gates(plan, rules, patch).expect_err("it is refused"), expected);
}

#[track_caller]
fn accepted(tasks: &Value) {
    accepted_by(&plan("simple"), &member(), &json!({ "tasks": tasks }));
}

#[track_caller]
fn accepted_by(plan: &Plan, rules: &Rules, patch: &Value) {
    if let Err(faults) = gates(plan, rules, patch) {
        panic!("{patch} is refused: {faults}");
    }
}

fn create(name: &str, mut body: Value) -> Value {
    if body.get("title").is_none() {
        body["title"] = json!("A");
    }
    operation("create", name, body)
}

pub(super) fn update(name: &str, body: Value) -> Value {
    operation("update", name, body)
}

fn operation(op: &str, name: &str, body: Value) -> Value {
    let mut operation = json!({ "op": op, "task_id": name });
    operation["body"] = body;
    operation
}

fn delete(name: &str, subtasks_go: &str) -> Value {
    json!({ "op": "delete", "task_id": name, "body": { "subtasks_go": subtasks_go } })
}

#[test]
fn a_task_that_is_not_there_is_refused() {
    refused(
        &json!([update("WEB-99", json!({ "title": "A" }))]),
        "/tasks/0/task_id: there is no task WEB-99 in WEB (found WEB-99); name a task of the project by its reference, or a new one by its temporary name",
    );
    refused(
        &json!([delete("API-1", "up")]),
        "/tasks/0/task_id: there is no task API-1 in WEB (found API-1); name a task of the project by its reference, or a new one by its temporary name",
    );
    refused(
        &json!([create("t1", json!({ "parent_id": "t11", "after": "WEB-98", "depends_on": ["WEB-99", "WEB-1"] }))]),
        "/tasks/0/body/parent_id: there is no task t11 in WEB (found t11); did you mean `t1`?\n\
         /tasks/0/body/after: there is no task WEB-98 in WEB (found WEB-98); name a task of the project by its reference, or a new one by its temporary name\n\
         /tasks/0/body/depends_on: there is no task WEB-99 in WEB (found WEB-99); name a task of the project by its reference, or a new one by its temporary name",
    );
}

#[test]
fn a_fault_does_not_hide_the_next() {
    refused(
        &json!([update("WEB-99", json!({ "title": "A" })), update("WEB-2", json!({ "depends_on": ["WEB-8"], "title": "" }))]),
        "/tasks/0/task_id: there is no task WEB-99 in WEB (found WEB-99); name a task of the project by its reference, or a new one by its temporary name\n\
         /tasks/1/body/title: a task needs a title; expected 1–200 characters\n\
         /tasks/1/body/depends_on: tasks would wait for each other (found WEB-2 → WEB-8 → WEB-3 → WEB-2); leave out one of these dependencies",
    );
}

#[test]
fn a_task_is_named_by_reference_in_any_case_or_by_id() {
    accepted(&json!([update("web-4", json!({ "title": "A" })), update(&id(5).to_string(), json!({ "title": "B" }))]));
    refused(
        &json!([update("web-4", json!({ "title": "A" })), update(&id(4).to_string(), json!({ "title": "B" }))]),
        "/tasks/1/task_id: WEB-4 is changed twice; put both changes into operation 1",
    );
}

#[test]
fn a_task_is_changed_once() {
    refused(
        &json!([update("WEB-4", json!({ "title": "A" })), update("WEB-4", json!({ "status": "doing" }))]),
        "/tasks/1/task_id: WEB-4 is changed twice; put both changes into operation 1",
    );
    refused(
        &json!([update("WEB-4", json!({ "title": "A" })), delete("WEB-4", "up")]),
        "/tasks/1/task_id: WEB-4 is changed twice; put both changes into operation 1",
    );
}

#[test]
fn a_temporary_name_is_unique_and_no_tasks() {
    refused(
        &json!([create("t1", json!({})), create("t1", json!({}))]),
        "/tasks/1/task_id: two new tasks are called `t1`; operation 1 has the name already; take another",
    );
    refused(
        &json!([create("WEB-4", json!({}))]),
        "/tasks/0/task_id: WEB-4 is the name of a task that exists; give the new task a temporary name such as `t1`, or use op `update`",
    );
    refused(
        &json!([create("", json!({})), create(&"t".repeat(61), json!({})), create("t\n1", json!({}))]),
        "/tasks/0/task_id: this cannot be a temporary name (found \"\"); expected 1–60 characters on one line; call it `t1`, or the like\n\
         /tasks/1/task_id: this cannot be a temporary name (found 61 characters); expected 1–60 characters on one line; call it `t1`, or the like\n\
         /tasks/2/task_id: this cannot be a temporary name (found \"t\\n1\"); expected 1–60 characters on one line; call it `t1`, or the like",
    );
    refused(
        &json!([create("t1", json!({})), update("t1", json!({ "title": "B" }))]),
        "/tasks/1/task_id: `t1` is made by operation 1 of this patch; put these fields into that operation",
    );
}

#[test]
fn parents_make_no_circle() {
    refused(
        &json!([update("WEB-3", json!({ "parent_id": "WEB-5" }))]),
        "/tasks/0/body/parent_id: WEB-3 would be below itself (found WEB-3 → WEB-5 → WEB-4 → WEB-3)",
    );
    refused(&json!([update("WEB-3", json!({ "parent_id": "WEB-3" }))]), "/tasks/0/body/parent_id: WEB-3 would be below itself (found WEB-3 → WEB-3)");
    refused(
        &json!([create("t1", json!({ "parent_id": "t2" })), create("t2", json!({ "parent_id": "t1" })), create("t3", json!({ "parent_id": "t2" }))]),
        "/tasks/0/body/parent_id: `t1` would be below itself (found `t1` → `t2` → `t1`)\n\
         /tasks/1/body/parent_id: `t2` would be below itself (found `t2` → `t1` → `t2`)",
    );
}

#[test]
fn two_harmless_moves_can_make_a_circle() {
    accepted(&json!([update("WEB-8", json!({ "parent_id": "WEB-2" }))]));
    accepted(&json!([update("WEB-2", json!({ "parent_id": "WEB-8" }))]));
    refused(
        &json!([update("WEB-8", json!({ "parent_id": "WEB-2" })), update("WEB-2", json!({ "parent_id": "WEB-8" }))]),
        "/tasks/0/body/parent_id: WEB-8 would be below itself (found WEB-8 → WEB-2 → WEB-8)\n\
         /tasks/1/body/parent_id: WEB-2 would be below itself (found WEB-2 → WEB-8 → WEB-2)",
    );
}

#[test]
fn a_plan_has_six_levels() {
    accepted(&json!([create("t1", json!({ "parent_id": "WEB-6" }))]));
    refused(
        &json!([create("t1", json!({ "parent_id": "WEB-7" }))]),
        "/tasks/0/body/parent_id: this is too deep (found level 6); expected at most level 5, where root tasks are level 0",
    );
    refused(
        &json!([update("WEB-3", json!({ "parent_id": "WEB-2" }))]),
        "/tasks/0/body/parent_id: this is too deep (found level 6); expected at most level 5, where root tasks are level 0",
    );
    refused(
        &json!([
            create("t1", json!({ "parent_id": "WEB-6" })),
            update("WEB-5", json!({ "parent_id": "WEB-8" })),
            create("t2", json!({ "parent_id": "t1" })),
            create("t3", json!({ "parent_id": "t2" })),
            create("t4", json!({ "parent_id": "t3" }))
        ]),
        "/tasks/4/body/parent_id: this is too deep (found level 6); expected at most level 5, where root tasks are level 0",
    );
    // What moves out from below does not count.
    accepted(&json!([update("WEB-3", json!({ "parent_id": "WEB-2" })), update("WEB-7", json!({ "parent_id": null }))]));
    accepted(&json!([update("WEB-3", json!({ "parent_id": "WEB-2" })), delete("WEB-7", "with_it")]));
}

#[test]
fn dependencies_make_no_circle() {
    refused(
        &json!([update("WEB-2", json!({ "depends_on": { "add": ["WEB-8"] } }))]),
        "/tasks/0/body/depends_on: tasks would wait for each other (found WEB-2 → WEB-8 → WEB-3 → WEB-2); leave out one of these dependencies",
    );
    refused(
        &json!([update("WEB-2", json!({ "depends_on": ["WEB-2"] }))]),
        "/tasks/0/body/depends_on: tasks would wait for each other (found WEB-2 → WEB-2); leave out one of these dependencies",
    );
    refused(
        &json!([
            create("t1", json!({ "depends_on": ["t2"] })),
            create("t2", json!({ "depends_on": ["t1"] })),
            update("WEB-4", json!({ "depends_on": ["WEB-4"] }))
        ]),
        "/tasks/1/body/depends_on: tasks would wait for each other (found `t2` → `t1` → `t2`); leave out one of these dependencies\n\
         /tasks/2/body/depends_on: tasks would wait for each other (found WEB-4 → WEB-4); leave out one of these dependencies",
    );
    // The circle is opened elsewhere in the same patch.
    accepted(&json!([update("WEB-2", json!({ "depends_on": ["WEB-8"] })), update("WEB-3", json!({ "depends_on": null }))]));
}

#[test]
fn what_is_deleted_is_not_used() {
    refused(
        &json!([
            delete("WEB-3", "with_it"),
            update("WEB-5", json!({ "title": "A" })),
            create("t1", json!({ "parent_id": "WEB-4" })),
            create("t2", json!({ "depends_on": ["WEB-6"] }))
        ]),
        "/tasks/1/task_id: WEB-5 is deleted by operation 1; leave out one of the two, or move it elsewhere with parent_id\n\
         /tasks/2/body/parent_id: `t1` would go with what operation 1 deletes; put it elsewhere\n\
         /tasks/3/body/depends_on: WEB-6 is deleted by operation 1; leave out one of the two",
    );
    // Out of there in time; and what waits for it forgets it.
    accepted(&json!([
        delete("WEB-3", "with_it"),
        update("WEB-5", json!({ "parent_id": null })),
        update("WEB-8", json!({ "depends_on": { "add": ["WEB-2"] } }))
    ]));
    accepted(&json!([delete("WEB-3", "up"), update("WEB-5", json!({ "title": "A" }))]));
}

#[test]
fn a_place_is_behind_a_sibling() {
    refused(
        &json!([update("WEB-2", json!({ "after": "WEB-8" }))]),
        "/tasks/0/body/after: WEB-2 cannot follow WEB-8, which has another parent; name a sibling, or give parent_id too",
    );
    refused(
        &json!([create("t1", json!({ "after": "WEB-2" }))]),
        "/tasks/0/body/after: `t1` cannot follow WEB-2, which has another parent; name a sibling, or give parent_id too",
    );
    accepted(&json!([create("t1", json!({ "after": "WEB-2", "parent_id": "WEB-1" }))]));
    refused(&json!([update("WEB-2", json!({ "after": "WEB-2" }))]), "/tasks/0/body/after: WEB-2 would follow itself (found WEB-2 → WEB-2)");
    refused(
        &json!([create("t1", json!({ "after": "t2" })), create("t2", json!({ "after": "t1" }))]),
        "/tasks/0/body/after: `t1` would follow itself (found `t1` → `t2` → `t1`)\n\
         /tasks/1/body/after: `t2` would follow itself (found `t2` → `t1` → `t2`)",
    );
    refused(
        &json!([update("WEB-2", json!({ "after": "WEB-3" })), update("WEB-3", json!({ "after": "WEB-2" }))]),
        "/tasks/0/body/after: WEB-2 would follow itself (found WEB-2 → WEB-3 → WEB-2)\n\
         /tasks/1/body/after: WEB-3 would follow itself (found WEB-3 → WEB-2 → WEB-3)",
    );
}

#[test]
fn a_forbidden_move_is_told_where_it_can_go() {
    let mut plan = plan("simple");
    plan.get_mut(id(4)).expect("it is there").status = "blocked".into();
    refused_by(
        &plan,
        &member(),
        &json!({ "tasks": [update("WEB-4", json!({ "status": "done" }))] }),
        "/tasks/0/body/status: WEB-4 cannot go from blocked to done (found done); expected todo or doing",
    );
    accepted_by(&plan, &member(), &json!({ "tasks": [update("WEB-4", json!({ "status": "doing" }))] }));
    accepted_by(&plan, &member(), &json!({ "tasks": [update("WEB-4", json!({ "status": "blocked" }))] }));
}

#[test]
fn a_step_is_one_of_the_process() {
    refused(
        &json!([update("WEB-4", json!({ "status": "dooing" })), create("t1", json!({ "status": "shipped" })), update("WEB-5", json!({ "status": null }))]),
        "/tasks/0/body/status: the process `simple` has no step `dooing` (found dooing); expected todo, doing, review, done or blocked; did you mean `doing`?\n\
         /tasks/1/body/status: the process `simple` has no step `shipped` (found shipped); expected todo, doing, review, done or blocked\n\
         /tasks/2/body/status: a task is always at some step; expected todo, doing, review, done or blocked",
    );
}

#[test]
fn a_transition_can_ask_for_more() {
    let plan = plan("agents");
    let moved = |name: &str, status: &str| json!({ "tasks": [update(name, json!({ "status": status }))] });
    refused_by(&plan, &member(), &moved("WEB-3", "claimed"), "/tasks/0/body/status: WEB-3 waits for WEB-2, which is not done");
    accepted_by(&plan, &member(), &moved("WEB-1", "claimed"));
    refused_by(&plan, &member(), &moved("WEB-2", "review"), "/tasks/0/body/status: WEB-2 has a criterion that is not done (found Ana likes it)");
    refused_by(&plan, &member(), &moved("WEB-2", "queued"), "/tasks/0/body/status: moving WEB-2 from in_progress to queued needs a reason; say why in `note`");
    accepted_by(&plan, &member(), &json!({ "note": "It is too early", "tasks": [update("WEB-2", json!({ "status": "queued" }))] }));
    accepted_by(
        &plan,
        &member(),
        &json!({ "tasks": [update("WEB-2", json!({ "status": "review", "acceptance_criteria": { "add": [{ "id": "c1", "text": "Ana likes it", "done": true }] } }))] }),
    );
}

#[test]
fn a_transition_can_be_for_others() {
    let mut plan = plan("agents");
    plan.get_mut(id(4)).expect("it is there").status = "review".into();
    let patch = json!({ "tasks": [update("WEB-4", json!({ "status": "approved" }))] });
    refused_by(
        &plan,
        &Rules::of(Role::Agent),
        &patch,
        "/tasks/0/body/status: it is not for you to move WEB-4 to approved (found agent); expected owner, admin or member",
    );
    accepted_by(&plan, &member(), &patch);
}

#[test]
fn a_title_has_one_to_two_hundred_characters() {
    accepted(&json!([create("t1", json!({ "title": "ä".repeat(200) }))]));
    refused(
        &json!([
            create("t1", json!({ "title": "ä".repeat(201) })),
            create("t2", json!({ "title": "  " })),
            update("WEB-2", json!({ "title": null })),
            update("WEB-3", json!({ "title": "A\nB" }))
        ]),
        "/tasks/0/body/title: this is too long (found 201 characters); expected at most 200\n\
         /tasks/1/body/title: a task needs a title; expected 1–200 characters\n\
         /tasks/2/body/title: a task needs a title; expected 1–200 characters\n\
         /tasks/3/body/title: a title is one line; put the rest into the description",
    );
}

#[test]
fn texts_have_bounds() {
    refused(
        &json!([create(
            "t1",
            json!({
                "description": "x".repeat(20_001), "kind": "x".repeat(61), "blocker": "x".repeat(501), "estimate_minutes": 10_000_001,
                "labels": ["x".repeat(61)], "references": ["x".repeat(501)], "external_refs": { "": "1" }, "metadata": { "big": "x".repeat(20_000) },
                "acceptance_criteria": [{ "text": " " }, { "text": "x".repeat(501) }, { "id": "a b", "text": "A" }, { "id": "a", "text": "A" }, { "id": "a", "text": "A" }],
            })
        )]),
        "/tasks/0/body/description: this is too long (found 20001 characters); expected at most 20000\n\
         /tasks/0/body/kind: this is too long (found 61 characters); expected at most 60\n\
         /tasks/0/body/blocker: this is too long (found 501 characters); expected at most 500\n\
         /tasks/0/body/estimate_minutes: this is more than a person can work (found 10000001); expected at most 10000000\n\
         /tasks/0/body/labels: this is too long (found 61 characters); expected at most 60\n\
         /tasks/0/body/references: this is too long (found 501 characters); expected at most 500\n\
         /tasks/0/body/acceptance_criteria/0/text: a criterion needs a text\n\
         /tasks/0/body/acceptance_criteria/1/text: this is too long (found 501 characters); expected at most 500\n\
         /tasks/0/body/acceptance_criteria/2/id: this cannot be a criterion's id (found \"a b\"); expected 1–40 of a-z, A-Z, 0-9, - and _; leave it out: Patchbay gives one\n\
         /tasks/0/body/acceptance_criteria/4/id: two criteria have the id `a`; leave it out of one\n\
         /tasks/0/body/external_refs: this cannot be a name here (found \"\"); expected 1–60 characters on one line\n\
         /tasks/0/body/metadata: this is too much metadata (found 20005 bytes); expected at most 20000",
    );
    let many: Vec<_> = (0..101).map(|n| n.to_string()).collect();
    refused(
        &json!([create("t1", json!({ "labels": many })), update("WEB-2", json!({ "labels": { "add": many } }))]),
        "/tasks/0/body/labels: these are too many (found 101); expected at most 100\n\
         /tasks/1/body/labels: these are too many (found 101); expected at most 100",
    );
}

#[test]
fn the_one_character_that_postgres_cannot_keep_is_refused() {
    refused(
        &json!([create("t1", json!({ "title": "A\0", "metadata": { "a": ["\0"], "b": "\\u0000" } }))]),
        "/tasks/0/body/title: this has a character that cannot be kept (found U+0000); leave it out\n\
         /tasks/0/body/metadata: this has a character that cannot be kept (found U+0000); leave it out",
    );
}

#[test]
fn a_criterion_is_removed_by_its_id() {
    refused(
        &json!([update("WEB-2", json!({ "acceptance_criteria": { "remove": ["c2"] } }))]),
        "/tasks/0/body/acceptance_criteria/remove/0: WEB-2 has no criterion `c2`; expected c1",
    );
    refused(
        &json!([update("WEB-3", json!({ "acceptance_criteria": { "remove": ["c1"] } }))]),
        "/tasks/0/body/acceptance_criteria/remove/0: WEB-3 has no criterion `c1`",
    );
}

#[test]
fn an_assignee_is_a_member() {
    accepted(&json!([create("t1", json!({ "assignee": "@ana" })), update("WEB-2", json!({ "assignee": "bob" }))]));
    refused(
        &json!([create("t1", json!({ "assignee": "anna" })), update("WEB-2", json!({ "assignee": "charlotte" }))]),
        "/tasks/0/body/assignee: `anna` is not a member (found anna); expected ana or bob; did you mean `ana`?\n\
         /tasks/1/body/assignee: `charlotte` is not a member (found charlotte); expected ana or bob",
    );
}

#[test]
fn a_model_makes_six_deliverables_at_most() {
    let rules = Rules { max_new_roots: Some(crate::patch::check::MAX_MODEL_ROOTS), ..member() };
    let roots = |count| json!({ "tasks": (0..count).map(|n| create(&format!("t{n}"), json!({ "subtasks": [create(&format!("s{n}"), json!({}))] }))).collect::<Vec<_>>() });
    accepted_by(&plan("simple"), &rules, &roots(6));
    refused_by(&plan("simple"), &rules, &roots(7), "/tasks: too many new tasks at the top (found 7); expected at most 6; group them under fewer deliverables");
}

#[test]
fn task_mode_stays_below_its_task() {
    let rules = Rules { focus: Some(id(3)), ..member() };
    let plan = plan("simple");
    accepted_by(
        &plan,
        &rules,
        &json!({ "tasks": [update("WEB-3", json!({ "title": "A", "subtasks": [create("t1", json!({})), update("WEB-4", json!({ "parent_id": "t1" })), delete("WEB-7", "up")] }))] }),
    );
    refused_by(
        &plan,
        &rules,
        &json!({
            "meta_updates": { "title": "B" },
            "tasks": [create("t1", json!({})), update("WEB-8", json!({ "title": "A" })), update("WEB-4", json!({ "parent_id": "WEB-2" })), delete("WEB-3", "up")],
        }),
        "/meta_updates: only WEB-3 and what is below it may change here; ask in the project's conversation\n\
         /tasks/0/body/parent_id: only WEB-3 and what is below it may change here; put new tasks below WEB-3 with parent_id, or ask in the project's conversation\n\
         /tasks/1/task_id: only WEB-3 and what is below it may change here; put new tasks below WEB-3 with parent_id, or ask in the project's conversation\n\
         /tasks/2/body/parent_id: only WEB-3 and what is below it may change here; put new tasks below WEB-3 with parent_id, or ask in the project's conversation\n\
         /tasks/3/task_id: only WEB-3 and what is below it may change here; put new tasks below WEB-3 with parent_id, or ask in the project's conversation",
    );
}

#[test]
fn a_projects_fields_are_held_too() {
    let mut plan = plan("simple");
    let meta = json!({ "meta_updates": { "title": " ", "key": "web", "process": "scrum", "time_zone": "Europe/Atlantis", "summary": "x".repeat(20_001) } });
    refused_by(
        &plan,
        &member(),
        &meta,
        "/meta_updates/title: a project needs a title; expected 1–200 characters\n\
         /meta_updates/summary: this is too long (found 20001 characters); expected at most 20000\n\
         /meta_updates/key: the key of a project never changes; leave it out\n\
         /meta_updates/process: the process of a project never changes; leave it out\n\
         /meta_updates/time_zone: there is no such time zone (found Europe/Atlantis); expected an IANA name such as Europe/Berlin",
    );
    plan.project.version = 0;
    refused_by(
        &plan,
        &member(),
        &meta,
        "/meta_updates/title: a project needs a title; expected 1–200 characters\n\
         /meta_updates/summary: this is too long (found 20001 characters); expected at most 20000\n\
         /meta_updates/key: this cannot be a project's key (found web); expected 1–10 capital letters and digits, a letter first, such as WEB\n\
         /meta_updates/process: there is no such process (found scrum); expected simple or agents\n\
         /meta_updates/time_zone: there is no such time zone (found Europe/Atlantis); expected an IANA name such as Europe/Berlin",
    );
    refused_by(&plan, &member(), &json!({ "tasks": [create("t1", json!({}))] }), "/meta_updates/title: a project needs a title; expected 1–200 characters");
}

#[test]
fn a_fault_is_told_where_the_author_wrote_it() {
    refused(
        &json!([update("WEB-3", json!({ "subtasks": [create("t1", json!({ "subtasks": [create("t2", json!({ "assignee": "zoe" }))] }))] }))]),
        "/tasks/0/body/subtasks/0/body/subtasks/0/body/assignee: `zoe` is not a member (found zoe); expected ana or bob",
    );
}

#[test]
fn criteria_added_twice_under_one_id_are_told() {
    refused(
        &json!([update("WEB-2", json!({ "acceptance_criteria": { "add": [{ "id": "c1", "text": "A" }, { "id": "c1", "text": "B" }] } }))]),
        "/tasks/0/body/acceptance_criteria/add/1/id: two criteria have the id `c1`; leave it out of one",
    );
}
