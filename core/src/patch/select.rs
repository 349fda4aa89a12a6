//! Choosing operations: which ones need which, and the patch that is left.

use std::collections::{BTreeSet, HashMap};

use super::{
    Fault, Field, ProjectPatch, SubtasksGo, TaskPatch,
    check::{Checked, Node},
    plan::Plan,
};

/// For each operation the others (from 0) that it cannot do without: the new tasks that it hangs on or waits for, and,
/// for a delete that takes what is below with it, the moves that bring something into safety first.
pub fn needs(plan: &Plan, checked: &Checked) -> Vec<BTreeSet<usize>> {
    checked
        .resolved
        .iter()
        .enumerate()
        .map(|(index, operation)| {
            let names = operation.parent.flatten().into_iter().chain(operation.depends_on.iter().flatten().copied());
            let mut needs: BTreeSet<usize> = names
                .filter_map(|node| match node {
                    Node::New(needed) => Some(needed),
                    Node::Task(_) => None,
                })
                .collect();
            if let (TaskPatch::Delete(delete), Node::Task(id)) = (&checked.tasks()[index], operation.node)
                && delete.body.subtasks_go == SubtasksGo::WithIt
            {
                needs.extend(checked.resolved.iter().enumerate().filter_map(|(other, moved)| match moved.node {
                    Node::Task(task) if moved.parent.is_some() && plan.ancestors(task).any(|above| above.id == id) => Some(other),
                    _ => None,
                }));
            }
            needs.remove(&index);
            needs
        })
        .collect()
}

/// Keeps the chosen operations (from 0) of a flat patch, or lists what they need that was not chosen.
///
/// Order is no reason to refuse: a task that followed a dropped one follows what that one followed.
pub fn choose(patch: &ProjectPatch, needs: &[BTreeSet<usize>], kept: &BTreeSet<usize>) -> Result<ProjectPatch, Vec<Fault>> {
    let mut faults: Vec<Fault> = kept
        .iter()
        .filter(|index| **index >= patch.tasks.len())
        .map(|index| Fault::new("/ops", format!("there is no operation {}", index + 1)).expected(format!("1–{}", patch.tasks.len())))
        .collect();
    for index in kept.iter().filter(|index| **index < needs.len()) {
        for needed in needs[*index].difference(kept) {
            faults.push(
                Fault::new(
                    "/ops",
                    format!("operation {} ({}) needs operation {} ({})", index + 1, title(&patch.tasks[*index]), needed + 1, title(&patch.tasks[*needed])),
                )
                .fix(format!("accept {} too, or leave out {}", needed + 1, index + 1)),
            );
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let dropped: HashMap<&str, &Field<String>> = patch
        .tasks
        .iter()
        .enumerate()
        .filter(|(index, _)| !kept.contains(index))
        .filter_map(|(_, task)| match task {
            TaskPatch::Create(create) => Some((create.task_id.as_str(), &create.body.after)),
            _ => None,
        })
        .collect();
    let tasks = patch
        .tasks
        .iter()
        .enumerate()
        .filter(|(index, _)| kept.contains(index))
        .map(|(_, task)| {
            let mut task = task.clone();
            let after = match &mut task {
                TaskPatch::Create(create) => &mut create.body.after,
                TaskPatch::Update(update) => &mut update.body.after,
                TaskPatch::Delete(_) => return task,
            };
            while let Field::Set(name) = &*after
                && let Some(next) = dropped.get(name.as_str())
            {
                *after = (*next).clone();
            }
            task
        })
        .collect();
    Ok(ProjectPatch { tasks, ..patch.clone() })
}

fn title(task: &TaskPatch) -> &str {
    match task {
        TaskPatch::Create(create) => &create.body.title,
        TaskPatch::Update(_) | TaskPatch::Delete(_) => task.task_id(),
    }
}
