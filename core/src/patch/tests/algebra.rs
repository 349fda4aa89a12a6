//! The laws of the patch, on plans and patches made by chance.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{
    super::{
        Field, ListEdit, ProjectPatch, TaskId, TaskPatch,
        apply::Write,
        check::{self, Checked},
        diff, normalise,
        plan::{Plan, Task},
        rank::Rank,
        select,
    },
    gate,
    generate::{World, applied, fitting, flat, history, operation, patch, patches, rules},
};

/// A plan as people see it: the project's fields, and the tasks in the order of the tree. Ranks count by the order alone.
fn seen(plan: &Plan) -> (String, String, String, Vec<(usize, Task)>) {
    let tasks = plan.walk().into_iter().map(|(depth, task)| (depth, Task { rank: Rank::default(), ..task.clone() })).collect();
    (plan.project.title.clone(), plan.project.summary.clone(), plan.project.time_zone.clone(), tasks)
}

/// A recorded patch, read back from its bytes and held against the plan that it was made for.
fn recorded(plan: &Plan, patch: &ProjectPatch) -> Checked {
    let text = serde_json::to_string(patch).expect("a patch is JSON");
    let read: ProjectPatch = serde_json::from_str(&text).expect("what is recorded can be read");
    assert_eq!(&read, patch, "nothing is lost in {text}");
    check::check(plan, normalise::flatten(read), &history()).unwrap_or_else(|faults| panic!("{text} does not fit: {}", super::told(&faults)))
}

/// As much of the plan as [`Plan`] says that a patch needs.
pub(super) fn part(plan: &Plan, patch: &ProjectPatch) -> Plan {
    let find = |name: &String| plan.find(name).map(|task| task.id);
    let mut named: BTreeSet<TaskId> = BTreeSet::new();
    let mut structural = Vec::new();
    let (mut depends, mut is_first) = (false, false);
    for task in &patch.tasks {
        named.extend(plan.find(task.task_id()).map(|task| task.id));
        let after = match task {
            TaskPatch::Create(create) => {
                named.extend(create.body.parent_id.iter().chain(create.body.depends_on.iter().flatten()).filter_map(find));
                depends |= create.body.depends_on.is_some();
                &create.body.after
            }
            TaskPatch::Update(update) => {
                named.extend(update.body.parent_id.set().and_then(find));
                match update.body.depends_on.set() {
                    Some(ListEdit::Replace(list)) => named.extend(list.iter().filter_map(find)),
                    Some(ListEdit::Change { add, remove }) => named.extend(add.iter().chain(remove).filter_map(find)),
                    None => {}
                }
                depends |= !update.body.depends_on.is_absent();
                if !update.body.parent_id.is_absent() || !update.body.after.is_absent() {
                    structural.extend(find(&update.task_id));
                }
                &update.body.after
            }
            TaskPatch::Delete(delete) => {
                structural.extend(find(&delete.task_id));
                &Field::Absent
            }
        };
        is_first |= matches!(after, Field::Clear);
        named.extend(after.set().and_then(find));
    }
    let mut picked: BTreeSet<TaskId> = plan.children(None).last().copied().into_iter().collect();
    if !named.is_empty() || is_first {
        let below: Vec<TaskId> = structural.iter().flat_map(|id| plan.descendants(*id).into_iter().chain([*id])).collect();
        let above = named.iter().filter_map(|id| plan.get(*id)).map(|task| task.parent);
        for parent in named.iter().map(|id| Some(*id)).chain(above).chain([None]) {
            picked.extend([plan.children(parent).first(), plan.children(parent).last()].into_iter().flatten());
        }
        for id in &named {
            picked.extend(plan.ancestors(*id).map(|task| task.id));
            let siblings = plan.children(plan.get(*id).and_then(|task| task.parent));
            let at = siblings.iter().position(|sibling| sibling == id).expect("it is among its siblings");
            picked.extend(&siblings[at.saturating_sub(1)..(at + 2).min(siblings.len())]);
        }
        if depends {
            let mut ahead: Vec<TaskId> = named.iter().copied().collect();
            while let Some(id) = ahead.pop() {
                ahead.extend(plan.get(id).into_iter().flat_map(|task| &task.depends_on).filter(|id| picked.insert(**id)));
            }
        }
        picked.extend(below.iter().flat_map(|id| plan.dependents(*id)).map(|task| task.id));
        picked.extend(below);
        picked.extend(named);
        let ahead: Vec<_> = picked.iter().filter_map(|id| plan.get(*id)).flat_map(|task| task.depends_on.clone()).collect();
        picked.extend(ahead);
    }
    Plan::new(plan.project.clone(), plan.members.clone(), picked.into_iter().filter_map(|id| plan.get(id).cloned()))
}

/// A case is a plan and its patches: fewer than usual are enough for every day; `PROPTEST_CASES` asks for more.
pub(super) fn cases() -> ProptestConfig {
    let usual = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_some() { usual } else { ProptestConfig { cases: 48, ..usual } }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn apply_then_inverse_is_the_identity(before in patches(1..5), next in patch()) {
        let mut world = World::grown(before);
        let was = seen(&world.plan);
        let next = fitting(&world.plan, next);
        let forth = applied(&mut world.plan, &next);
        let is = seen(&world.plan);
        let back = recorded(&world.plan, &forth.inverse);
        let back = applied(&mut world.plan, &back);
        prop_assert_eq!(seen(&world.plan), was, "back by {:?}", forth.inverse);
        let again = recorded(&world.plan, &back.inverse);
        applied(&mut world.plan, &again);
        prop_assert_eq!(seen(&world.plan), is, "forth again by {:?}", back.inverse);
    }

    #[test]
    fn folding_the_revisions_gives_the_plan(before in patches(1..6), undone in patch()) {
        let mut world = World::grown(before);
        let undone = fitting(&world.plan, undone);
        let inverse = world.apply(&undone).inverse;
        let inverse = recorded(&world.plan, &inverse);
        world.apply(&inverse);
        let mut folded = World::blank().plan;
        for revision in &world.revisions {
            let checked = recorded(&folded, revision);
            let again = applied(&mut folded, &checked);
            prop_assert_eq!(&again.patch, revision, "what is recorded is settled");
        }
        prop_assert_eq!(seen(&folded), seen(&world.plan));
        prop_assert_eq!(folded.project, world.plan.project);
    }

    #[test]
    fn what_lies_between_two_states_leads_from_one_to_the_other(before in patches(1..5), later in patches(0..4)) {
        let mut world = World::grown(before);
        let from = world.plan.clone();
        for later in later {
            let later = fitting(&world.plan, later);
            world.apply(&later);
        }
        for (a, b) in [(&from, &world.plan), (&world.plan, &from)] {
            let mut plan = a.clone();
            let checked = recorded(&plan, &super::super::apply::between(a, b));
            applied(&mut plan, &checked);
            prop_assert_eq!(seen(&plan), seen(b));
        }
    }

    #[test]
    fn part_of_the_plan_is_enough(before in patches(1..7), next in patch()) {
        let world = World::grown(before);
        let mut whole = world.plan;
        let next = fitting(&whole, next);
        let mut part = part(&whole, &next.flat.patch);
        let checked = check::check(&part, next.flat.clone(), &rules()).unwrap_or_else(|faults| panic!("{}", super::told(&faults)));
        prop_assert_eq!(&checked, &next);
        prop_assert_eq!(diff::diff(&part, &checked), diff::diff(&whole, &next));
        prop_assert_eq!(select::needs(&part, &checked), select::needs(&whole, &next));
        let (of_part, of_whole) = (applied(&mut part, &checked), applied(&mut whole, &next));
        prop_assert_eq!(&of_part, &of_whole);
        for write in &of_whole.writes {
            if let Write::Insert(id) | Write::Update(id) = write {
                let outline: Vec<String> = whole.walk().iter().map(|(depth, task)| format!("{}{}", "  ".repeat(*depth), whole.reference(task))).collect();
                prop_assert_eq!(part.get(*id), whole.get(*id), "{}\n{}", serde_json::json!(next.flat.patch), outline.join("\n"));
            }
        }
    }

    #[test]
    fn part_of_the_plan_tells_the_same_faults(before in patches(1..7), next in patch()) {
        let whole = World::grown(before).plan;
        let flat = flat(next);
        let of_whole = check::check(&whole, flat.clone(), &rules());
        prop_assert_eq!(check::check(&part(&whole, &flat.patch), flat, &rules()), of_whole);
    }

    #[test]
    fn a_nested_patch_is_its_flat_form(before in patches(1..4), next in patch()) {
        let plan = World::grown(before).plan;
        let written = serde_json::to_value(&next).expect("a patch is JSON");
        let flat = normalise::flatten(next);
        let again = normalise::flatten(flat.patch.clone());
        prop_assert_eq!(&again.patch, &flat.patch, "flat is flat");
        // Every operation is found where its author wrote it, and a create hangs on what it stood in.
        for (index, task) in flat.patch.tasks.iter().enumerate() {
            let path = flat.path(index);
            prop_assert_eq!(written.pointer(&path).map(|found| &found["task_id"]), Some(&task.task_id().into()), "{}", path);
            if let (TaskPatch::Create(create), Some(above)) = (task, path.strip_suffix(&format!("/{}", path.rsplit('/').next().unwrap_or_default())).and_then(|path| path.strip_suffix("/body/subtasks"))) {
                let own = &written.pointer(&path).expect("it is there")["body"]["parent_id"];
                let expected = if own.is_string() { own } else { &written.pointer(above).expect("it is there")["task_id"] };
                prop_assert_eq!(create.body.parent_id.as_deref(), expected.as_str());
            }
        }
        let faults = |flat| check::check(&plan, flat, &rules()).map(|checked| checked.resolved).map_err(|faults| faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>());
        prop_assert_eq!(faults(flat), faults(again));
    }

    #[test]
    fn chosen_operations_have_what_they_need(before in patches(1..5), next in patch(), kept in any::<u64>()) {
        let mut plan = World::grown(before).plan;
        let next = fitting(&plan, next);
        let needs = select::needs(&plan, &next);
        let kept: BTreeSet<usize> = (0..next.tasks().len()).filter(|index| kept.rotate_right(u32::try_from(*index).expect("a few")) & 1 == 1).collect();
        let missing: usize = kept.iter().map(|index| needs[*index].difference(&kept).count()).sum();
        match select::choose(&next.flat.patch, &needs, &kept) {
            Err(faults) => prop_assert_eq!(faults.len(), missing, "{}", super::told(&faults)),
            Ok(chosen) => {
                prop_assert_eq!(missing, 0);
                prop_assert_eq!(chosen.tasks.len(), kept.len());
                let moves_nothing = kept.len() == next.tasks().len() || next.resolved.iter().zip(next.tasks()).all(|(resolved, task)| match task {
                    TaskPatch::Create(_) => true,
                    TaskPatch::Update(update) => resolved.parent.is_none() && resolved.after.is_none() && resolved.depends_on.is_none() && update.body.status.is_absent(),
                    TaskPatch::Delete(_) => false,
                });
                match check::check(&plan, normalise::flatten(chosen), &rules()) {
                    Ok(checked) => prop_assert_eq!(applied(&mut plan, &checked).touched.len(), kept.len()),
                    // A move that made room for another, say, was left out.
                    Err(faults) => prop_assert!(!moves_nothing, "{}", super::told(&faults)),
                }
            }
        }
    }

    #[test]
    fn a_closed_choice_of_all_is_the_patch(before in patches(1..3), next in patch()) {
        let plan = World::grown(before).plan;
        let next = fitting(&plan, next);
        let all = (0..next.tasks().len()).collect();
        let chosen = select::choose(&next.flat.patch, &select::needs(&plan, &next), &all);
        prop_assert_eq!(chosen, Ok(next.flat.patch));
    }

    #[test]
    fn whatever_passes_the_gates_can_be_shown_and_applied(before in patches(0..4), next in patch()) {
        let mut plan = World::grown(before).plan;
        if let Ok(checked) = check::check(&plan, normalise::flatten(next), &rules()) {
            let diff = diff::diff(&plan, &checked);
            prop_assert_eq!(diff.entries.len(), checked.tasks().len());
            let before = plan.len();
            applied(&mut plan, &checked);
            prop_assert_eq!(plan.len() + diff.counts.removed, before + diff.counts.created);
        }
    }

    #[test]
    fn a_patch_survives_the_wire(next in patch()) {
        let text = serde_json::to_string(&next).expect("a patch is JSON");
        prop_assert_eq!(gate::parse(text.as_bytes()), Ok(next.clone()));
        prop_assert_eq!(serde_json::from_str::<ProjectPatch>(&text).ok(), Some(next.clone()));
        let value = serde_json::to_value(&next).expect("a patch is JSON");
        prop_assert_eq!(serde_json::from_value::<ProjectPatch>(value).ok(), Some(next.clone()));
    }

    #[test]
    fn one_operation_survives_the_wire(operation in operation()) {
        let text = serde_json::to_string(&operation).expect("an operation is JSON");
        prop_assert_eq!(gate::parse_task(text.as_bytes()), Ok(operation));
    }
}
