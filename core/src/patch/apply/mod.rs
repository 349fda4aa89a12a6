//! Applying a checked patch to a plan in memory: what is written, what is recorded, and what would take it back.

mod edit;
mod inverse;
mod settle;

use std::collections::{HashMap, HashSet};

use super::{
    Create, Field, ListEdit, MetaUpdates, ProjectPatch, Reference, SubtasksGo, TaskId, TaskPatch, Update,
    check::{Checked, Node, Resolved},
    plan::{Detail, Plan, Project, Task},
    rank::Rank,
};
use edit::set;
pub(super) use edit::{criteria, edit_detail};
use inverse::Before;
use settle::settle;

/// What became of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// The patch with every name settled: new tasks have their references and ids. Folding these from nothing gives the plan.
    pub patch: ProjectPatch,
    /// The patch that takes it back, ids and places included.
    pub inverse: ProjectPatch,
    pub writes: Vec<Write>,
    /// The id of the task that each operation touched, by operation.
    pub touched: Vec<TaskId>,
}

/// A row to write.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    Insert(TaskId),
    Update(TaskId),
    Delete(TaskId),
}

/// Applies a patch. The plan must be the one that it was checked against; its version goes up by one.
///
/// `new_id` gives the id of each new task that does not bring its own.
pub fn apply(plan: &mut Plan, checked: &Checked, mut new_id: impl FnMut() -> TaskId) -> Applied {
    let version = plan.project.version;
    let meta_inverse = checked.flat.patch.meta_updates.as_ref().and_then(|meta| apply_meta(&mut plan.project, meta));
    let mut ids: Vec<Option<(TaskId, i32)>> = vec![None; checked.resolved.len()];
    for (index, task) in checked.tasks().iter().enumerate() {
        if let TaskPatch::Create(create) = task {
            let restored = create.id.and_then(|id| Reference::parse(&create.task_id).map(|reference| (id, reference.number)));
            let (id, number) = restored.unwrap_or_else(|| (new_id(), plan.project.next_task));
            plan.project.next_task = plan.project.next_task.max(number + 1);
            ids[index] = Some((id, number));
        }
    }
    let movers = checked.resolved.iter().enumerate().filter_map(|(index, operation)| match operation.node {
        Node::Task(id) if operation.parent.is_some() || operation.after.is_some() => Some((id, index)),
        Node::Task(_) | Node::New(_) => None,
    });
    let mut run = Run { plan, checked, ids, moved_by: movers.collect(), is_done: vec![false; checked.resolved.len()], before: Before::default() };
    for index in 0..checked.resolved.len() {
        run.operation(index);
    }
    for index in 0..checked.resolved.len() {
        run.delete(index);
    }
    let Run { plan, ids, before, .. } = run;
    plan.project.version = version + 1;
    let touched = checked.resolved.iter().map(|operation| id_of(operation.node, &ids)).collect();
    Applied { patch: settle(plan, checked, &ids, &before), inverse: before.inverse(plan, meta_inverse), writes: before.writes(plan), touched }
}

/// The patch from one state of a project to another, as history writes it: with the ids and references of the tasks.
pub fn between(from: &Plan, to: &Plan) -> ProjectPatch {
    let mut meta = MetaUpdates::default();
    for (field, from, to) in [
        (&mut meta.title, &from.project.title, &to.project.title),
        (&mut meta.summary, &from.project.summary, &to.project.summary),
        (&mut meta.time_zone, &from.project.time_zone, &to.project.time_zone),
    ] {
        *field = (from != to).then(|| to.clone());
    }
    Before::of(to, from).inverse(from, (!meta.is_empty()).then_some(meta))
}

fn apply_meta(project: &mut Project, meta: &MetaUpdates) -> Option<MetaUpdates> {
    let mut inverse = MetaUpdates::default();
    let swap = |now: &mut String, new: &Option<String>, old: &mut Option<String>| {
        if let Some(new) = new
            && new != now
        {
            *old = Some(std::mem::replace(now, new.clone()));
        }
    };
    swap(&mut project.title, &meta.title, &mut inverse.title);
    swap(&mut project.summary, &meta.summary, &mut inverse.summary);
    swap(&mut project.time_zone, &meta.time_zone, &mut inverse.time_zone);
    // What a project had before its first revision is nothing that one could go back to.
    (project.version > 0 && !inverse.is_empty()).then_some(inverse)
}

fn id_of(node: Node, ids: &[Option<(TaskId, i32)>]) -> TaskId {
    match node {
        Node::Task(id) => id,
        Node::New(index) => ids[index].expect("every create has been given an id").0,
    }
}

struct Run<'a> {
    plan: &'a mut Plan,
    checked: &'a Checked,
    ids: Vec<Option<(TaskId, i32)>>,
    /// The operation that gives a task that exists another place.
    moved_by: HashMap<TaskId, usize>,
    is_done: Vec<bool>,
    before: Before,
}

impl Run<'_> {
    fn id(&self, node: Node) -> TaskId {
        id_of(node, &self.ids)
    }

    /// Dependencies are a set; it is kept in the order of the ids.
    fn dependencies(&self, nodes: &[Node]) -> Vec<TaskId> {
        let mut ids: Vec<_> = nodes.iter().map(|node| self.id(*node)).collect();
        ids.sort_unstable();
        ids
    }

    fn operation(&mut self, index: usize) {
        if std::mem::replace(&mut self.is_done[index], true) {
            return;
        }
        let checked = self.checked;
        let resolved = &checked.resolved[index];
        // What this one hangs on, or comes behind, takes its own place first, wherever it stands in the patch.
        for node in [resolved.parent, resolved.after].into_iter().flatten().flatten() {
            let needed = match node {
                Node::New(index) => Some(index),
                Node::Task(id) => self.moved_by.get(&id).copied(),
            };
            if let Some(needed) = needed {
                self.operation(needed);
            }
        }
        match &checked.tasks()[index] {
            TaskPatch::Create(create) => self.create(index, create, resolved),
            TaskPatch::Update(update) => self.update(update, resolved),
            TaskPatch::Delete(_) => {}
        }
    }

    /// Where a task comes below a parent: its place in the list, and the rank that puts it there.
    fn place(&self, parent: Option<TaskId>, resolved: &Resolved, moving: Option<TaskId>) -> (usize, Rank) {
        let siblings: Vec<TaskId> = self.plan.children(parent).iter().copied().filter(|id| Some(*id) != moving).collect();
        let at = match resolved.after {
            None => siblings.len(),
            Some(None) => 0,
            Some(Some(node)) => {
                let after = self.id(node);
                siblings.iter().position(|id| *id == after).map_or(siblings.len(), |at| at + 1)
            }
        };
        let rank = self.plan.rank_at(&siblings, at);
        (at, rank)
    }

    fn create(&mut self, index: usize, create: &Create, resolved: &Resolved) {
        let (id, number) = self.ids[index].expect("every create has been given an id");
        let body = &create.body;
        let parent = resolved.parent.flatten().map(|node| self.id(node));
        let (at, rank) = self.place(parent, resolved, None);
        let task = Task {
            id,
            number,
            parent,
            rank,
            title: body.title.clone(),
            status: body.status.clone().unwrap_or_else(|| self.plan.project.process.first().name.clone()),
            priority: body.priority,
            assignee: body.assignee.clone(),
            due_on: body.due_on,
            depends_on: self.dependencies(resolved.depends_on.as_deref().unwrap_or_default()),
            detail: Detail {
                description: body.description.clone().unwrap_or_default(),
                kind: body.kind.clone(),
                effort: body.effort,
                estimate_minutes: body.estimate_minutes,
                labels: body.labels.clone().unwrap_or_default(),
                blocker: body.blocker.clone(),
                acceptance_criteria: body
                    .acceptance_criteria
                    .as_ref()
                    .map(|list| criteria(&[], &Field::Set(ListEdit::Replace(list.clone()))))
                    .unwrap_or_default(),
                references: body.references.clone().unwrap_or_default(),
                external_refs: body.external_refs.clone().unwrap_or_default(),
                metadata: body.metadata.clone().unwrap_or_default(),
            },
        };
        self.before.list(self.plan, parent);
        self.before.created(id);
        self.plan.insert(task, at);
    }

    fn update(&mut self, update: &Update, resolved: &Resolved) {
        let Node::Task(id) = resolved.node else {
            return;
        };
        self.before.task(self.plan, id);
        let body = &update.body;
        let depends_on = resolved.depends_on.as_ref().map(|nodes| self.dependencies(nodes));
        let Some(task) = self.plan.get_mut(id) else {
            return;
        };
        if let Field::Set(title) = &body.title {
            task.title.clone_from(title);
        }
        if let Field::Set(status) = &body.status {
            task.status.clone_from(status);
        }
        set(&mut task.priority, &body.priority);
        set(&mut task.assignee, &body.assignee);
        set(&mut task.due_on, &body.due_on);
        if let Some(depends_on) = depends_on {
            task.depends_on = depends_on;
        }
        edit_detail(&mut task.detail, body);
        if resolved.parent.is_some() || resolved.after.is_some() {
            let from = task.parent;
            let to = resolved.parent.map_or(from, |parent| parent.map(|node| self.id(node)));
            let (at, rank) = self.place(to, resolved, Some(id));
            // To where it is already is no move.
            if from != to || self.plan.children(from).get(at) != Some(&id) {
                self.before.list(self.plan, from);
                self.before.list(self.plan, to);
                self.plan.relocate(id, to, at, rank);
            }
        }
    }

    fn delete(&mut self, index: usize) {
        let TaskPatch::Delete(delete) = &self.checked.tasks()[index] else {
            return;
        };
        let Node::Task(id) = self.checked.resolved[index].node else {
            return;
        };
        let Some(task) = self.plan.get(id) else {
            return;
        };
        let parent = task.parent;
        self.before.list(self.plan, parent);
        if delete.body.subtasks_go == SubtasksGo::Up {
            self.before.list(self.plan, Some(id));
            let behind = self.plan.children(parent).iter().position(|sibling| *sibling == id).map_or(0, |at| at + 1);
            for (at, child) in (behind..).zip(self.plan.children(Some(id)).to_vec()) {
                self.before.task(self.plan, child);
                let rank = self.plan.rank_at(self.plan.children(parent), at);
                self.plan.relocate(child, parent, at, rank);
            }
        }
        let gone: Vec<TaskId> = std::iter::once(id).chain(self.plan.descendants(id)).collect();
        let gone_set: HashSet<_> = gone.iter().copied().collect();
        let mut waiting: Vec<_> = self
            .plan
            .tasks()
            .filter(|task| !gone_set.contains(&task.id) && task.depends_on.iter().any(|id| gone_set.contains(id)))
            .map(|task| task.id)
            .collect();
        // The same patch gives the same result, and so the same bytes.
        waiting.sort_unstable();
        for id in waiting {
            self.before.task(self.plan, id);
            if let Some(task) = self.plan.get_mut(id) {
                task.depends_on.retain(|id| !gone_set.contains(id));
            }
        }
        for id in &gone {
            self.before.task(self.plan, *id);
            self.before.list(self.plan, Some(*id));
        }
        for id in gone.into_iter().rev() {
            self.plan.remove(id);
        }
    }
}
