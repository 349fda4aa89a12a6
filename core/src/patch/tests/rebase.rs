//! Rebase, held against a second and naive implementation that merges states and not patches.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    super::{
        ProjectPatch, TaskPatch, Update, apply,
        check::{Checked, Rules},
        plan::{Plan, Task},
        rebase::{Base, Choice, Rebased, Way, rebase, settle},
    },
    algebra::part,
    generate::{World, applied, fitting, history, patch, patches, rules},
    id,
    meaning::update,
    plan,
};

/// A task as single values: what one person changes in one of them is no matter of the others.
fn cells(task: &Task) -> BTreeMap<String, Value> {
    let mut cells = BTreeMap::new();
    let detail = &task.detail;
    for (field, value) in [
        ("title", json!(task.title)),
        ("description", json!(detail.description)),
        ("status", json!(task.status)),
        ("priority", json!(task.priority)),
        ("kind", json!(detail.kind)),
        ("effort", json!(detail.effort)),
        ("estimate", json!(detail.estimate_minutes)),
        ("assignee", json!(task.assignee)),
        ("due", json!(task.due_on)),
        ("blocker", json!(detail.blocker)),
        ("parent", json!(task.parent)),
    ] {
        cells.insert(field.to_owned(), value);
    }
    let waits: Vec<String> = task.depends_on.iter().map(ToString::to_string).collect();
    for (field, list) in [("label", &detail.labels), ("reference", &detail.references), ("waits", &waits)] {
        cells.extend(list.iter().map(|item| (format!("{field}/{item}"), json!(true))));
    }
    cells.extend(detail.external_refs.iter().map(|(key, value)| (format!("external/{key}"), json!(value))));
    cells.extend(detail.metadata.iter().map(|(key, value)| (format!("metadata/{key}"), value.clone())));
    cells.extend(detail.acceptance_criteria.iter().map(|criterion| (format!("criterion/{}", criterion.id), json!([criterion.text, criterion.done]))));
    cells
}

/// The cells that a merge of three states has, or the names of those in which ours and theirs disagree.
fn merged(base: &BTreeMap<String, Value>, ours: &BTreeMap<String, Value>, theirs: &BTreeMap<String, Value>) -> (BTreeMap<String, Value>, BTreeSet<String>) {
    let names: BTreeSet<&String> = base.keys().chain(ours.keys()).chain(theirs.keys()).collect();
    let (mut merged, mut clash) = (BTreeMap::new(), BTreeSet::new());
    for name in names {
        let (was, mine, other) = (base.get(name), ours.get(name), theirs.get(name));
        let value = if was == other || mine == other {
            mine
        } else if was == mine {
            other
        } else {
            clash.insert(name.clone());
            continue;
        };
        if let Some(value) = value {
            merged.insert(name.clone(), value.clone());
        }
    }
    (merged, clash)
}

/// A criterion that both sides add gets an id from each: whose is whose is no matter of the merge.
fn is_shared(base: &Plan, task: &Task, cell: &str) -> bool {
    cell.strip_prefix("criterion/")
        .is_some_and(|id| base.get(task.id).is_none_or(|before| before.detail.acceptance_criteria.iter().all(|known| known.id != id)))
}

fn hold_against_states(base: &Plan, ours: &Checked, rules: &Rules, now: &Plan) -> Result<Rebased, TestCaseError> {
    let mut wanted = base.clone();
    // Both sides make tasks; theirs and ours are different ones.
    wanted.project.next_task += 100;
    let made = applied(&mut wanted, ours).touched;
    let rebased = rebase(base, &ours.flat.patch, now, rules);
    let mut after = now.clone();
    let touched: BTreeSet<_> = if rebased.is_empty() { BTreeSet::new() } else { applied(&mut after, &rebased.checked).touched.into_iter().collect() };
    let clashes: BTreeSet<&str> = rebased.conflicts.iter().map(|conflict| conflict.task.as_str()).collect();
    let is_clean = rebased.conflicts.is_empty();
    for task in after.tasks() {
        let reference = after.reference(task);
        let (Some(before), Some(theirs)) = (base.get(task.id), now.get(task.id)) else {
            prop_assert!(touched.contains(&task.id) || now.get(task.id).is_some(), "{} comes from nowhere", reference);
            continue;
        };
        let Some(mine) = wanted.get(task.id) else {
            prop_assert!(!is_clean, "{} was to be deleted", reference);
            continue;
        };
        let (expected, clash) = merged(&cells(before), &cells(mine), &cells(theirs));
        let is_new = |cell: &String| cell.strip_prefix("waits/").is_some_and(|id| id.parse().is_ok_and(|id| base.get(id).is_none()));
        // An id that both sides took away is free for a new one.
        let is_free = |cell: &String| cell.starts_with("criterion/") && !expected.contains_key(cell);
        let is_open = |cell: &String| is_free(cell) || clash.contains(cell) || cell == "description" || is_shared(base, task, cell) || is_new(cell);
        let got = cells(task);
        // Below a new task, or left by a parent that we delete: that is said by another operation.
        let lost_its_parent = [before.parent, theirs.parent].into_iter().flatten().any(|parent| base.get(parent).is_some() && wanted.get(parent).is_none());
        let hangs_on_others = lost_its_parent || mine.parent.is_some_and(|parent| base.get(parent).is_none());
        for cell in expected.keys().chain(got.keys()).filter(|cell| !(is_open(cell) || hangs_on_others && *cell == "parent")) {
            // Where something is in conflict, what others did stands and what we want waits.
            let waits = !is_clean && (cell == "parent" || got.get(cell) == cells(theirs).get(cell));
            prop_assert!(waits || got.get(cell) == expected.get(cell), "{} {}: {:?}, not {:?}", reference, cell, got.get(cell), expected.get(cell));
        }
        let real: Vec<&String> =
            clash.iter().filter(|cell| *cell != "description" && !(lost_its_parent && *cell == "parent") && !is_shared(base, task, cell)).collect();
        let told =
            rebased.conflicts.iter().filter(|conflict| conflict.task == reference && conflict.choices.contains(&Way::Ours) && conflict.path.contains("/body/"));
        for conflict in told {
            prop_assert!(!clash.is_empty(), "{} is told, and they do not disagree", conflict.path);
        }
        prop_assert!(real.is_empty() || clashes.contains(reference.as_str()), "{} disagrees in {:?} and nobody is told", reference, real);
    }
    if is_clean {
        for id in made.iter().filter(|id| base.get(**id).is_some() && wanted.get(**id).is_some()) {
            prop_assert!(after.get(*id).is_some(), "a task that is changed is there, or there is a conflict");
        }
        for gone in base.tasks().filter(|task| now.get(task.id).is_none()) {
            prop_assert!(after.get(gone.id).is_none() || rules.history, "{} was deleted by others", base.reference(gone));
        }
    }
    Ok(rebased)
}

proptest! {
    #![proptest_config(super::algebra::cases())]

    #[test]
    fn over_nothing_nothing_changes(before in patches(1..6), ours in patch()) {
        let base = World::grown(before).plan;
        let ours = fitting(&base, ours);
        let rebased = rebase(&base, &ours.flat.patch, &base, &rules());
        prop_assert_eq!(&rebased.conflicts, &Vec::new());
        prop_assert!(rebased.touched.is_empty());
        let patch = ProjectPatch { base_version: ours.flat.patch.base_version, ..rebased.checked.flat.patch };
        prop_assert_eq!(patch, ours.flat.patch);
    }

    #[test]
    fn two_patches_merge_as_their_states_do(before in patches(1..6), theirs in patches(1..3), ours in patch()) {
        let mut world = World::grown(before);
        let base = world.plan.clone();
        let ours = fitting(&base, ours);
        let known = world.revisions.len();
        for theirs in theirs {
            let theirs = fitting(&world.plan, theirs);
            world.apply(&theirs);
        }
        hold_against_states(&base, &ours, &rules(), &world.plan)
            .map_err(|error| TestCaseError::fail(format!("{error}\nours: {}\ntheirs: {}", json!(ours.flat.patch), json!(world.revisions[known..]))))?;
    }

    #[test]
    fn any_past_change_is_taken_back_or_what_hinders_is_told(before in patches(1..5), change in patch(), later in patches(1..4)) {
        let mut world = World::grown(before);
        let change = fitting(&world.plan, change);
        let inverse = world.apply(&change).inverse;
        let base = world.plan.clone();
        for later in later {
            let later = fitting(&world.plan, later);
            world.apply(&later);
        }
        let inverse = super::super::check::check(&base, super::generate::flat(inverse), &history()).map_err(|faults| TestCaseError::fail(super::told(&faults)))?;
        hold_against_states(&base, &inverse, &history(), &world.plan)?;
    }

    #[test]
    fn part_of_both_plans_is_enough(before in patches(1..6), theirs in patches(1..3), ours in patch()) {
        let mut world = World::grown(before);
        let base = world.plan.clone();
        let ours = fitting(&base, ours).flat.patch;
        for theirs in theirs {
            let theirs = fitting(&world.plan, theirs);
            world.apply(&theirs);
        }
        let seen = part(&base, &ours);
        let mut named = ours.clone();
        let name = |task: &Task| TaskPatch::Update(Update { task_id: base.reference(task), ..Update::default() });
        named.tasks.extend(seen.tasks().map(name));
        let now = part(&world.plan, &named);
        let of_parts = rebase(&Base::of(&seen).plan(&now), &ours, &now, &rules());
        let of_whole = rebase(&base, &ours, &world.plan, &rules());
        prop_assert_eq!(of_parts.conflicts, of_whole.conflicts);
        prop_assert_eq!(of_parts.origin, of_whole.origin);
        prop_assert_eq!(of_parts.touched, of_whole.touched);
    }

    #[test]
    fn conflicts_can_be_settled(before in patches(2..6), theirs in patches(1..3), ours in patch(), picks in any::<u32>()) {
        let mut world = World::grown(before);
        let base = world.plan.clone();
        let mut patch = fitting(&base, ours).flat.patch;
        for theirs in theirs {
            let theirs = fitting(&world.plan, theirs);
            world.apply(&theirs);
        }
        let now = &world.plan;
        let mut seen = Base::of(&base);
        for round in 0..100_u32 {
            let rebased = rebase(&seen.plan(now), &patch, now, &rules());
            let Some(conflict) = rebased.conflicts.first() else { return Ok(()) };
            prop_assert!(!conflict.choices.is_empty() || conflict.path.is_empty(), "{:?}", conflict);
            if conflict.choices.is_empty() {
                return Ok(());
            }
            let ours = conflict.choices.contains(&Way::Ours) && picks.rotate_right(round) & 1 == 1;
            let choice = if ours { Choice::Ours } else { Choice::Theirs };
            settle(&mut seen, &mut patch, now, conflict, &choice).map_err(|fault| TestCaseError::fail(format!("{conflict:?}: {fault}")))?;
            let again = rebase(&seen.plan(now), &patch, now, &rules());
            prop_assert!(!again.conflicts.iter().any(|other| other.path == conflict.path && other.why == conflict.why && other.task == conflict.task), "{:?} is settled", conflict);
        }
        prop_assert!(false, "there is no end of conflicts");
    }
}

/// Applies what was rebased; the ids of its new tasks tell whose patch made them, and not when it was applied.
fn apply_as(plan: &mut Plan, rebased: &Rebased, person: usize) {
    if rebased.is_empty() {
        return;
    }
    let tasks = rebased.checked.tasks().iter().zip(&rebased.origin);
    let mut made = tasks.filter(|(task, _)| matches!(task, TaskPatch::Create(create) if create.id.is_none())).map(|(_, origin)| *origin);
    apply::apply(plan, &rebased.checked, || id(i32::try_from(10_000 + person * 1_000 + made.next().expect("one for each new task")).expect("small")));
}

/// What people see of a plan, whatever the numbers of new tasks and the order among siblings; texts that are merged by lines aside.
fn content(plan: &Plan) -> BTreeMap<String, BTreeMap<String, Value>> {
    let mut content: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for task in plan.tasks() {
        let mut cells = cells(task);
        cells.retain(|cell, _| cell != "description" && !cell.starts_with("criterion/"));
        let texts: BTreeSet<_> = task.detail.acceptance_criteria.iter().map(|criterion| (&criterion.text, criterion.done)).collect();
        cells.insert("criteria".into(), json!(texts));
        content.insert(task.id.to_string(), cells);
    }
    let project = &plan.project;
    content.insert("project".into(), [("title".into(), json!(project.title)), ("zone".into(), json!(project.time_zone))].into());
    content
}

/// The patch with tasks named by their ids: in another history their numbers are others.
fn by_id(plan: &Plan, patch: &ProjectPatch) -> ProjectPatch {
    fn walk(plan: &Plan, value: &mut Value) {
        match value {
            Value::String(name) => {
                if let Some(task) = plan.find(name) {
                    *name = task.id.to_string();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| walk(plan, item)),
            Value::Object(entries) => entries.values_mut().for_each(|item| walk(plan, item)),
            _ => {}
        }
    }
    let mut value = json!(patch);
    for operation in value["tasks"].as_array_mut().into_iter().flatten() {
        if operation["op"] != "create" {
            walk(plan, &mut operation["task_id"]);
        }
        for field in ["parent_id", "after", "depends_on"] {
            if let Some(value) = operation["body"].get_mut(field) {
                walk(plan, value);
            }
        }
    }
    serde_json::from_value(value).expect("it is a patch still")
}

/// What one plan has and another has not.
fn difference(plan: &Plan, other: &Plan) -> String {
    let other = content(other);
    let differs = |id: &String, cell: &String, value: &Value| other.get(id).and_then(|cells| cells.get(cell)) != Some(value);
    let lines = content(plan).into_iter().flat_map(|(id, cells)| {
        cells.into_iter().filter(|(cell, value)| differs(&id, cell, value)).map(|(cell, value)| format!("{id} {cell}: {value}")).collect::<Vec<_>>()
    });
    lines.collect::<Vec<_>>().join(", ")
}

/// Accepts the patches of several people in an order, each rebased onto what was accepted before it; `None` at the first conflict.
fn accepted(base: &Plan, patches: &[(usize, ProjectPatch)]) -> Option<Plan> {
    let mut plan = base.clone();
    for (person, patch) in patches {
        let rebased = rebase(base, patch, &plan, &rules());
        if !rebased.conflicts.is_empty() {
            return None;
        }
        apply_as(&mut plan, &rebased, *person);
    }
    Some(plan)
}

proptest! {
    #![proptest_config(super::algebra::cases())]

    #[test]
    fn the_order_in_which_people_are_accepted_does_not_matter(before in patches(2..5), ours in patches(2..5), turn in any::<prop::sample::Index>()) {
        let base = World::grown(before).plan;
        let mut people: Vec<(usize, ProjectPatch)> = ours.into_iter().map(|patch| fitting(&base, patch).flat.patch).enumerate().collect();
        let one = accepted(&base, &people);
        let by = turn.index(people.len());
        people.rotate_left(by);
        people.reverse();
        let other = accepted(&base, &people);
        if let (Some(one), Some(other)) = (one, other) {
            prop_assert_eq!(content(&one), content(&other), "{}", json!(people));
        }
    }

    #[test]
    fn what_is_taken_back_is_as_if_it_had_never_been(before in patches(2..5), changes in patches(2..7), picks in any::<u32>()) {
        let start = World::grown(before).plan;
        // Each change is made on what was there, as people do.
        let mut plan = start.clone();
        let mut done = Vec::new();
        for (person, patch) in changes.into_iter().enumerate() {
            let patch = by_id(&plan, &fitting(&plan, patch).flat.patch);
            let base = plan.clone();
            let rebased = rebase(&base, &patch, &plan, &rules());
            let checked = rebased.checked.clone();
            let mut made = plan.clone();
            apply_as(&mut made, &rebased, person);
            let inverse = { let mut plan = plan.clone(); let mut next = checked.tasks().iter().enumerate().filter(|(_, task)| matches!(task, TaskPatch::Create(_))).map(|(at, _)| at);
                apply::apply(&mut plan, &checked, || id(i32::try_from(10_000 + person * 1_000 + next.next().expect("one for each new task")).expect("small"))).inverse };
            plan = made;
            done.push((person, patch, base, plan.clone(), inverse));
        }
        // A part of them is taken back, the last one first.
        let is_picked = |person: usize| picks.rotate_right(u32::try_from(person).expect("few")) & 1 == 1;
        let order: Vec<usize> = (0..done.len()).rev().filter(|person| is_picked(*person)).collect();
        for person in order {
            let (_, _, _, after, inverse) = &done[person];
            let rebased = rebase(after, &super::generate::flat(inverse.clone()).patch, &plan, &history());
            if !rebased.conflicts.is_empty() {
                return Ok(());
            }
            apply_as(&mut plan, &rebased, 0);
        }
        // The same history without them.
        let mut without = start;
        for (person, patch, base, _, _) in done.iter().filter(|(person, ..)| !is_picked(*person)) {
            let rebased = rebase(base, patch, &without, &rules());
            if !rebased.conflicts.is_empty() {
                return Ok(());
            }
            apply_as(&mut without, &rebased, *person);
        }
        let picked: Vec<usize> = (0..done.len()).filter(|person| is_picked(*person)).collect();
        let made: Vec<String> = done.iter().map(|(_, patch, ..)| json!(patch.tasks).to_string()).collect();
        prop_assert!(content(&plan) == content(&without), "{:?} of {}\nleft {}\nare {}", picked, made.join("\n"), difference(&plan, &without), difference(&without, &plan));
    }
}

/// What a reviewer is told, line by line: `2 WEB-3 /tasks/0/body/title: Before | Theirs | Ours: the title of WEB-3 was changed (ours, theirs or a value)`.
fn told(ours: &Value, theirs: &[Value]) -> (Plan, Rebased) {
    let base = plan("simple");
    let mut now = base.clone();
    for theirs in theirs {
        let checked = super::gates(&now, &rules(), &json!({ "tasks": [theirs] })).unwrap_or_else(|faults| panic!("{faults}"));
        applied(&mut now, &checked);
    }
    let ours = super::gates(&base, &rules(), &json!({ "tasks": ours })).unwrap_or_else(|faults| panic!("{faults}"));
    let rebased = rebase(&base, &ours.flat.patch, &now, &rules());
    (now, rebased)
}

fn conflicts(rebased: &Rebased) -> Vec<String> {
    rebased.conflicts.iter().map(|c| format!("{} {} {}: {} | {} | {}: {}", c.number, c.task, c.path, c.base, c.theirs, c.ours, c.why)).collect()
}

#[test]
fn the_same_field_to_another_value_is_a_conflict() {
    let (_, rebased) = told(&json!([update("WEB-1", json!({ "title": "Ours", "priority": "P1" }))]), &[update("WEB-1", json!({ "title": "Theirs" }))]);
    assert_eq!(conflicts(&rebased), [r#"1 WEB-1 /tasks/0/body/title: "Task 1" | "Theirs" | "Ours": the title of WEB-1 was changed"#]);
    assert_eq!(json!(rebased.checked.tasks()), json!([update("WEB-1", json!({ "priority": "P1" }))]), "what is not in conflict goes on");
}

#[test]
fn what_others_did_too_is_left_out() {
    let (_, rebased) = told(&json!([update("WEB-1", json!({ "title": "Same" }))]), &[update("WEB-1", json!({ "title": "Same" }))]);
    assert!(rebased.conflicts.is_empty() && rebased.is_empty());
}

#[test]
fn sets_are_united() {
    let (mut now, rebased) = told(&json!([update("WEB-1", json!({ "labels": ["ours"] }))]), &[update("WEB-1", json!({ "labels": ["theirs"] }))]);
    assert!(rebased.conflicts.is_empty());
    assert_eq!(rebased.touched, [0].into(), "the list that was shown is not the one there will be");
    applied(&mut now, &rebased.checked);
    assert_eq!(now.get(id(1)).expect("it is there").detail.labels, ["theirs", "ours"]);
}

#[test]
fn lines_of_a_description_are_merged() {
    let describe = |text: &str| update("WEB-1", json!({ "description": text }));
    let base = describe("One\nTwo\nThree\nFour");
    let ours = json!([describe("One\nTwo\nThree\nFour, ours")]);
    let before = {
        let mut plan = plan("simple");
        let checked = super::gates(&plan, &rules(), &json!({ "tasks": [base] })).expect("it fits");
        applied(&mut plan, &checked);
        plan
    };
    let mut now = before.clone();
    let theirs = super::gates(&now, &rules(), &json!({ "tasks": [describe("One, theirs\nTwo\nThree\nFour")] })).expect("it fits");
    applied(&mut now, &theirs);
    let checked = super::gates(&before, &rules(), &json!({ "tasks": ours })).expect("it fits");
    let rebased = rebase(&before, &checked.flat.patch, &now, &rules());
    assert!(rebased.conflicts.is_empty());
    assert_eq!(rebased.touched, [0].into(), "it asks again: this text was not shown to anybody");
    applied(&mut now, &rebased.checked);
    assert_eq!(now.get(id(1)).expect("it is there").detail.description, "One, theirs\nTwo\nThree\nFour, ours");
}

#[test]
fn what_was_deleted_cannot_be_changed() {
    let (_, rebased) = told(&json!([update("WEB-8", json!({ "title": "Ours" }))]), &[json!({ "op": "delete", "task_id": "WEB-8" })]);
    assert_eq!(conflicts(&rebased), [r#"1 WEB-8 /tasks/0: "Task 8" | null | {"title":"Ours"}: WEB-8 was deleted"#]);
}

#[test]
fn what_was_changed_is_not_deleted_unseen() {
    let gone = json!([{ "op": "delete", "task_id": "WEB-4" }]);
    let (_, rebased) = told(
        &gone,
        &[update("WEB-6", json!({ "title": "Theirs" })), json!({ "op": "create", "task_id": "t1", "body": { "title": "New", "parent_id": "WEB-5" } })],
    );
    let why = "WEB-4 changed since: the title of WEB-6 was changed; WEB-9 was added below it";
    assert_eq!(rebased.conflicts.iter().map(|conflict| conflict.why.as_str()).collect::<Vec<_>>(), [why]);
}

#[test]
fn a_new_task_below_a_deleted_one_waits_with_all_that_hangs_on_it() {
    let ours = json!([
        { "op": "create", "task_id": "a", "body": { "title": "A", "parent_id": "WEB-8" } },
        { "op": "create", "task_id": "b", "body": { "title": "B", "parent_id": "a" } },
        { "op": "create", "task_id": "c", "body": { "title": "C" } },
    ]);
    let (_, rebased) = told(&ours, &[json!({ "op": "delete", "task_id": "WEB-8" })]);
    assert_eq!(conflicts(&rebased), [r#"1 a /tasks/0/body/parent_id: "WEB-8" | null | "WEB-8": WEB-8, which it would be part of, was deleted"#]);
    assert_eq!(rebased.origin, [2]);
}

#[test]
fn two_harmless_moves_that_make_a_circle_are_a_conflict() {
    let (_, rebased) = told(&json!([update("WEB-2", json!({ "parent_id": "WEB-8" }))]), &[update("WEB-8", json!({ "parent_id": "WEB-2" }))]);
    assert_eq!(conflicts(&rebased), [r#"1 WEB-2 /tasks/0/body/parent_id: null | null | "WEB-8": WEB-2 would be below itself (WEB-2 → WEB-8 → WEB-2)"#]);
}

#[test]
fn order_is_no_conflict() {
    let (_, rebased) =
        told(&json!([{ "op": "create", "task_id": "a", "body": { "title": "A", "after": "WEB-1" } }]), &[update("WEB-8", json!({ "after": null }))]);
    assert!(rebased.conflicts.is_empty());
    let (_, rebased) =
        told(&json!([{ "op": "create", "task_id": "a", "body": { "title": "A", "after": "WEB-8" } }]), &[json!({ "op": "delete", "task_id": "WEB-8" })]);
    assert_eq!(json!(rebased.checked.tasks())[0]["body"]["after"], "WEB-1", "it comes where the one that went would have been");
}

#[test]
fn a_value_settles_a_conflict() {
    let base = plan("simple");
    let mut now = base.clone();
    let theirs = super::gates(&now, &rules(), &json!({ "tasks": [update("WEB-1", json!({ "title": "Theirs" }))] })).expect("it fits");
    applied(&mut now, &theirs);
    let mut patch = super::gates(&base, &rules(), &json!({ "tasks": [update("WEB-1", json!({ "title": "Ours" }))] })).expect("it fits").flat.patch;
    let mut seen = Base::of(&base);
    let conflict = rebase(&base, &patch, &now, &rules()).conflicts.remove(0);
    settle(&mut seen, &mut patch, &now, &conflict, &Choice::Value(json!("Both"))).expect("it can be settled");
    let rebased = rebase(&seen.plan(&now), &patch, &now, &rules());
    assert!(rebased.conflicts.is_empty());
    assert_eq!(json!(rebased.checked.tasks()), json!([update("WEB-1", json!({ "title": "Both" }))]));
}
