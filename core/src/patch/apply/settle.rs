//! The patch as it is recorded.

use super::{
    super::{
        Field, ListEdit, ProjectPatch, TaskId, TaskPatch,
        check::{Checked, Node},
        plan::Plan,
    },
    id_of,
    inverse::Before,
};

/// Every task by its reference, new ones with their ids.
pub(super) fn settle(plan: &Plan, checked: &Checked, ids: &[Option<(TaskId, i32)>], before: &Before) -> ProjectPatch {
    let key = &plan.project.key;
    let reference = |node: Node| {
        let number = match node {
            Node::New(index) => ids[index].map(|(_, number)| number),
            Node::Task(id) => plan.get(id).map(|task| task.number).or_else(|| before.tasks.get(&id).and_then(Option::as_ref).map(|task| task.number)),
        };
        format!("{key}-{}", number.unwrap_or_default())
    };
    let patch = &checked.flat.patch;
    let tasks = checked
        .resolved
        .iter()
        .zip(&patch.tasks)
        .map(|(resolved, task)| {
            let mut task = task.clone();
            let task_id = reference(resolved.node);
            let names = || resolved.depends_on.as_ref().map(|nodes| nodes.iter().map(|node| reference(*node)).collect::<Vec<_>>());
            match &mut task {
                TaskPatch::Create(create) => {
                    create.id = Some(id_of(resolved.node, ids));
                    create.task_id = task_id;
                    create.body.parent_id = resolved.parent.flatten().map(reference);
                    create.body.depends_on = names();
                    if let Some(after) = resolved.after {
                        create.body.after = Field::to(after.map(reference));
                    }
                }
                TaskPatch::Update(update) => {
                    update.task_id = task_id;
                    if let Some(parent) = resolved.parent {
                        update.body.parent_id = Field::to(parent.map(reference));
                    }
                    if let Some(after) = resolved.after {
                        update.body.after = Field::to(after.map(reference));
                    }
                    if let Some(names) = names() {
                        update.body.depends_on = Field::to((!names.is_empty()).then_some(ListEdit::Replace(names)));
                    }
                }
                TaskPatch::Delete(delete) => delete.task_id = task_id,
            }
            task
        })
        .collect();
    ProjectPatch {
        project_id: Some(key.clone()),
        base_version: Some(plan.project.version - 1),
        meta_updates: patch.meta_updates.clone(),
        tasks,
        note: patch.note.clone(),
    }
}
