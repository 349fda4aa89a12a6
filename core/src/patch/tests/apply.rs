//! What becomes of a plan, case by case; the laws that hold for all are in [`super::algebra`].

use serde_json::{Value, json};

use super::{gates, generate::applied, member, plan};
use crate::patch::{apply::Applied, plan::Plan};

fn apply(plan: &mut Plan, tasks: &Value) -> Applied {
    let checked = gates(plan, &member(), &json!({ "tasks": tasks })).expect("it passes the gates");
    applied(plan, &checked)
}

/// The references below a task, or the root tasks, in order.
fn below(plan: &Plan, parent: Option<&str>) -> Vec<String> {
    let parent = parent.and_then(|name| plan.find(name)).map(|task| task.id);
    plan.children(parent).iter().map(|id| plan.reference_of(*id)).collect()
}

#[test]
fn new_tasks_come_last_unless_a_place_is_given() {
    let mut plan = plan("simple");
    apply(
        &mut plan,
        &json!([
            { "op": "create", "task_id": "t1", "body": { "title": "Last" } },
            { "op": "create", "task_id": "t2", "body": { "title": "First", "after": null } },
            { "op": "create", "task_id": "t3", "body": { "title": "Second", "after": "WEB-1" } },
        ]),
    );
    assert_eq!(below(&plan, None), ["WEB-10", "WEB-1", "WEB-11", "WEB-8", "WEB-9"]);
}

#[test]
fn a_task_can_follow_one_that_comes_later_in_the_patch() {
    let mut plan = plan("simple");
    apply(
        &mut plan,
        &json!([
            { "op": "create", "task_id": "t1", "body": { "title": "Behind the new one", "after": "t2" } },
            { "op": "create", "task_id": "t2", "body": { "title": "The new one", "after": "WEB-1" } },
            { "op": "create", "task_id": "t3", "body": { "title": "Behind the moved one", "after": "WEB-2" } },
            { "op": "update", "task_id": "WEB-2", "body": { "parent_id": null, "after": null } },
        ]),
    );
    assert_eq!(below(&plan, None), ["WEB-2", "WEB-11", "WEB-1", "WEB-10", "WEB-9", "WEB-8"]);
}

#[test]
fn what_was_below_takes_the_place_of_a_deleted_task() {
    let mut plan = plan("simple");
    let applied = apply(&mut plan, &json!([{ "op": "delete", "task_id": "WEB-1", "body": { "subtasks_go": "up" } }]));
    assert_eq!(below(&plan, None), ["WEB-2", "WEB-3", "WEB-8"]);
    assert_eq!(applied.writes.len(), 3);
}

#[test]
fn what_waited_for_a_deleted_task_waits_no_more() {
    let mut plan = plan("simple");
    apply(&mut plan, &json!([{ "op": "delete", "task_id": "WEB-3", "body": {} }]));
    assert_eq!(plan.find("WEB-8").map(|task| task.depends_on.len()), Some(0));
    assert_eq!(plan.len(), 3);
}

#[test]
fn to_where_it_is_already_is_no_move() {
    let mut plan = plan("simple");
    let before = plan.clone();
    let applied = apply(
        &mut plan,
        &json!([
            { "op": "update", "task_id": "WEB-3", "body": { "after": "WEB-2" } },
            { "op": "update", "task_id": "WEB-8", "body": { "parent_id": null, "title": "Task 8" } },
        ]),
    );
    assert_eq!(applied.writes, []);
    assert_eq!(applied.inverse.tasks, []);
    assert_eq!(plan.walk(), before.walk());
}

#[test]
fn the_recorded_patch_has_references_and_ids() {
    let mut plan = plan("simple");
    let applied = apply(
        &mut plan,
        &json!([
            { "op": "update", "task_id": "web-4", "body": { "parent_id": "t1", "depends_on": { "add": ["t1"] } } },
            { "op": "create", "task_id": "t1", "body": { "title": "New", "depends_on": ["web-2"] } },
        ]),
    );
    assert_eq!(
        serde_json::to_value(&applied.patch).expect("a patch is JSON"),
        json!({
            "project_id": "WEB", "base_version": 12,
            "tasks": [
                { "op": "update", "task_id": "WEB-4", "body": { "parent_id": "WEB-9", "depends_on": ["WEB-9"] } },
                { "op": "create", "task_id": "WEB-9", "id": super::id(9), "body": { "title": "New", "depends_on": ["WEB-2"] } },
            ],
        })
    );
    assert_eq!(
        serde_json::to_value(&applied.inverse).expect("a patch is JSON"),
        json!({
            "project_id": "WEB", "base_version": 13,
            "tasks": [
                { "op": "delete", "task_id": "WEB-9", "body": { "subtasks_go": "with_it" } },
                { "op": "update", "task_id": "WEB-4", "body": { "parent_id": "WEB-3", "after": null, "depends_on": null } },
            ],
        })
    );
}
