//! Applying a checked patch to a plan in memory: what is written, what is recorded, and what would take it back.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::{
    Create, CreateBody, Criterion, Delete, DeleteBody, Field, ListEdit, MetaUpdates, NewCriterion, ProjectPatch, SubtasksGo, TaskId, TaskPatch, Update,
    UpdateBody,
    check::{Checked, Node, Resolved},
    plan::{Detail, Plan, Project, Task},
};

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
            let restored = create.id.and_then(|id| super::Reference::parse(&create.task_id).map(|reference| (id, reference.number)));
            let (id, number) = restored.unwrap_or_else(|| (new_id(), plan.project.next_task));
            plan.project.next_task = plan.project.next_task.max(number + 1);
            ids[index] = Some((id, number));
        }
    }
    let mut run = Run { plan, checked, ids, placed: vec![false; checked.resolved.len()], before: Before::default() };
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
    placed: Vec<bool>,
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
        if std::mem::replace(&mut self.placed[index], true) {
            return;
        }
        let checked = self.checked;
        let resolved = &checked.resolved[index];
        // A new task that this one hangs on comes first, wherever it stands in the patch.
        for node in [resolved.parent, resolved.after].into_iter().flatten().flatten() {
            if let Node::New(needed) = node {
                self.operation(needed);
            }
        }
        match &checked.tasks()[index] {
            TaskPatch::Create(create) => self.create(index, create, resolved),
            TaskPatch::Update(update) => self.update(update, resolved),
            TaskPatch::Delete(_) => {}
        }
    }

    fn place(&self, parent: Option<TaskId>, after: Option<Option<Node>>, moving: Option<TaskId>) -> (usize, super::plan::Rank) {
        let siblings: Vec<TaskId> = self.plan.children(parent).iter().copied().filter(|id| Some(*id) != moving).collect();
        let at = match after {
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
        let (at, rank) = self.place(parent, resolved.after, None);
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
            let (at, rank) = self.place(to, resolved.after, Some(id));
            self.before.list(self.plan, from);
            self.before.list(self.plan, to);
            self.plan.relocate(id, to, at, rank);
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
            let mut at = self.plan.children(parent).iter().position(|sibling| *sibling == id).map_or(0, |at| at + 1);
            for child in self.plan.children(Some(id)).to_vec() {
                self.before.task(self.plan, child);
                let rank = self.plan.rank_at(self.plan.children(parent), at);
                self.plan.relocate(child, parent, at, rank);
                at += 1;
            }
        }
        let gone: Vec<TaskId> = std::iter::once(id).chain(self.plan.descendants(id)).collect();
        let gone_set: HashSet<_> = gone.iter().copied().collect();
        let waiting: Vec<_> = self
            .plan
            .tasks()
            .filter(|task| !gone_set.contains(&task.id) && task.depends_on.iter().any(|id| gone_set.contains(id)))
            .map(|task| task.id)
            .collect();
        for id in waiting {
            self.before.task(self.plan, id);
            if let Some(task) = self.plan.get_mut(id) {
                task.depends_on.retain(|id| !gone_set.contains(id));
            }
        }
        for id in gone.into_iter().rev() {
            self.before.task(self.plan, id);
            self.before.list(self.plan, Some(id));
            self.plan.remove(id);
        }
    }
}

/// The part of an update that needs no names resolved.
pub(super) fn edit_detail(detail: &mut Detail, body: &UpdateBody) {
    if let Some(text) = body.description.given() {
        detail.description = text.cloned().unwrap_or_default();
    }
    set(&mut detail.kind, &body.kind);
    set(&mut detail.effort, &body.effort);
    set(&mut detail.estimate_minutes, &body.estimate_minutes);
    set(&mut detail.blocker, &body.blocker);
    edit_list(&mut detail.labels, &body.labels);
    edit_list(&mut detail.references, &body.references);
    if !body.acceptance_criteria.is_absent() {
        detail.acceptance_criteria = criteria(&detail.acceptance_criteria, &body.acceptance_criteria);
    }
    match &body.external_refs {
        Field::Absent => {}
        Field::Clear => detail.external_refs.clear(),
        Field::Set(edit) => merge(&mut detail.external_refs, edit.iter().map(|(key, value)| (key, value.clone()))),
    }
    match &body.metadata {
        Field::Absent => {}
        Field::Clear => detail.metadata.clear(),
        Field::Set(edit) => merge(&mut detail.metadata, edit.iter().map(|(key, value)| (key, (!value.is_null()).then(|| value.clone())))),
    }
}

fn set<T: Clone>(now: &mut Option<T>, field: &Field<T>) {
    if let Some(value) = field.given() {
        *now = value.cloned();
    }
}

fn edit_list(now: &mut Vec<String>, edit: &Field<ListEdit<String>>) {
    match edit {
        Field::Absent => {}
        Field::Clear => now.clear(),
        Field::Set(ListEdit::Replace(list)) => now.clone_from(list),
        Field::Set(ListEdit::Change { add, remove }) => {
            now.retain(|item| !remove.contains(item));
            for item in add {
                if !now.contains(item) {
                    now.push(item.clone());
                }
            }
        }
    }
}

fn merge<'a, T>(now: &mut BTreeMap<String, T>, edit: impl Iterator<Item = (&'a String, Option<T>)>) {
    for (key, value) in edit {
        match value {
            Some(value) => now.insert(key.clone(), value),
            None => now.remove(key),
        };
    }
}

/// The criteria after an edit. One without an id gets the next free of `c1`, `c2`, …
pub(super) fn criteria(now: &[Criterion], edit: &Field<ListEdit<NewCriterion>>) -> Vec<Criterion> {
    let mut result: Vec<Criterion> = match edit {
        Field::Absent | Field::Set(ListEdit::Change { .. }) => now.to_vec(),
        Field::Clear | Field::Set(ListEdit::Replace(_)) => Vec::new(),
    };
    let (add, remove): (&[NewCriterion], &[String]) = match edit {
        Field::Set(ListEdit::Replace(list)) => (list, &[]),
        Field::Set(ListEdit::Change { add, remove }) => (add, remove),
        Field::Absent | Field::Clear => (&[], &[]),
    };
    result.retain(|criterion| !remove.contains(&criterion.id));
    let named: HashSet<&str> = add.iter().filter_map(|new| new.id.as_deref()).collect();
    let mut next = 1;
    for new in add {
        let id = new.id.clone().unwrap_or_else(|| {
            loop {
                let id = format!("c{next}");
                next += 1;
                // An id that was just removed is not given again: to whoever remembers it, it means the old one.
                let taken = named.contains(id.as_str()) || now.iter().chain(&result).any(|criterion| criterion.id == id);
                if !taken {
                    break id;
                }
            }
        });
        match result.iter_mut().find(|criterion| criterion.id == id) {
            Some(criterion) => {
                criterion.text.clone_from(&new.text);
                criterion.done = new.done;
            }
            None => result.push(Criterion { id, text: new.text.clone(), done: new.done }),
        }
    }
    result
}

/// What was there before, copied when it is first touched.
#[derive(Default)]
struct Before {
    /// `None` for a task that the patch makes.
    tasks: HashMap<TaskId, Option<Task>>,
    /// In the order they were touched.
    order: Vec<TaskId>,
    lists: HashMap<Option<TaskId>, Vec<TaskId>>,
}

impl Before {
    fn created(&mut self, id: TaskId) {
        self.tasks.insert(id, None);
        self.order.push(id);
    }

    fn task(&mut self, plan: &Plan, id: TaskId) {
        self.tasks.entry(id).or_insert_with(|| {
            self.order.push(id);
            plan.get(id).cloned()
        });
    }

    fn list(&mut self, plan: &Plan, parent: Option<TaskId>) {
        self.lists.entry(parent).or_insert_with(|| plan.children(parent).to_vec());
    }

    fn writes(&self, plan: &Plan) -> Vec<Write> {
        self.order
            .iter()
            .filter_map(|id| match (&self.tasks[id], plan.get(*id)) {
                (None, Some(_)) => Some(Write::Insert(*id)),
                (Some(before), Some(now)) => (before != now).then_some(Write::Update(*id)),
                (Some(_), None) => Some(Write::Delete(*id)),
                (None, None) => None,
            })
            .collect()
    }

    fn previous(&self, task: &Task) -> Option<TaskId> {
        let siblings = self.lists.get(&task.parent)?;
        let at = siblings.iter().position(|id| *id == task.id)?;
        at.checked_sub(1).map(|at| siblings[at])
    }

    /// The patch back to what was: one operation a task, parents before children and siblings from the first to the last,
    /// so that each finds the one that it follows in its place.
    fn inverse(&self, plan: &Plan, meta: Option<MetaUpdates>) -> ProjectPatch {
        let key = &plan.project.key;
        let name = |id: TaskId| {
            let number = self.tasks.get(&id).and_then(Option::as_ref).map(|task| task.number).or_else(|| plan.get(id).map(|task| task.number));
            format!("{key}-{}", number.unwrap_or_default())
        };
        let mut back = Vec::new();
        let mut placed: Vec<&Task> = Vec::new();
        for id in &self.order {
            match (&self.tasks[id], plan.get(*id)) {
                (Some(before), Some(now)) if before.parent == now.parent && before.rank == now.rank => {
                    let body = field_changes(now, before, &name);
                    if !body.is_empty() {
                        back.push(TaskPatch::Update(Update { task_id: name(*id), body }));
                    }
                }
                (Some(before), _) => placed.push(before),
                (None, Some(_)) => back.push(TaskPatch::Delete(Delete { task_id: name(*id), body: DeleteBody { subtasks_go: SubtasksGo::WithIt } })),
                (None, None) => {}
            }
        }
        placed.sort_by_key(|task| self.lists.get(&task.parent).and_then(|list| list.iter().position(|id| *id == task.id)));
        for before in placed {
            let after = Field::to(self.previous(before).map(name));
            back.push(match plan.get(before.id) {
                Some(now) => {
                    let mut body = field_changes(now, before, &name);
                    if before.parent != now.parent {
                        body.parent_id = Field::to(before.parent.map(name));
                    }
                    body.after = after;
                    TaskPatch::Update(Update { task_id: name(before.id), body })
                }
                None => TaskPatch::Create(Create { task_id: name(before.id), id: Some(before.id), body: whole(before, after, &name) }),
            });
        }
        ProjectPatch { project_id: Some(key.clone()), base_version: Some(plan.project.version), meta_updates: meta, tasks: back, note: None }
    }
}

/// The update that makes `from` into `to`, but for its place.
fn field_changes(from: &Task, to: &Task, name: &impl Fn(TaskId) -> String) -> UpdateBody {
    fn change<T: PartialEq + Clone>(from: &Option<T>, to: &Option<T>) -> Field<T> {
        if from == to { Field::Absent } else { Field::to(to.clone()) }
    }
    fn text(from: &str, to: &str) -> Field<String> {
        if from == to { Field::Absent } else { Field::to((!to.is_empty()).then(|| to.to_owned())) }
    }
    fn list<T: PartialEq>(from: &T, to: &T, edit: impl FnOnce() -> Option<ListEdit<String>>) -> Field<ListEdit<String>> {
        if from == to { Field::Absent } else { Field::to(edit()) }
    }
    fn replace(list: &[String]) -> Option<ListEdit<String>> {
        (!list.is_empty()).then(|| ListEdit::Replace(list.to_vec()))
    }
    let (a, b) = (&from.detail, &to.detail);
    UpdateBody {
        title: text(&from.title, &to.title),
        description: text(&a.description, &b.description),
        status: text(&from.status, &to.status),
        priority: change(&from.priority, &to.priority),
        kind: change(&a.kind, &b.kind),
        effort: change(&a.effort, &b.effort),
        estimate_minutes: change(&a.estimate_minutes, &b.estimate_minutes),
        assignee: change(&from.assignee, &to.assignee),
        due_on: change(&from.due_on, &to.due_on),
        labels: list(&a.labels, &b.labels, || replace(&b.labels)),
        depends_on: list(&from.depends_on, &to.depends_on, || replace(&to.depends_on.iter().map(|id| name(*id)).collect::<Vec<_>>())),
        blocker: change(&a.blocker, &b.blocker),
        acceptance_criteria: if a.acceptance_criteria == b.acceptance_criteria {
            Field::Absent
        } else {
            Field::to(given_criteria(&b.acceptance_criteria).map(ListEdit::Replace))
        },
        references: list(&a.references, &b.references, || replace(&b.references)),
        external_refs: map_changes(&a.external_refs, &b.external_refs, |value| value.cloned()),
        metadata: map_changes(&a.metadata, &b.metadata, |value| value.cloned().unwrap_or(Value::Null)),
        parent_id: Field::Absent,
        after: Field::Absent,
        subtasks: None,
    }
}

fn map_changes<T: PartialEq, E>(from: &BTreeMap<String, T>, to: &BTreeMap<String, T>, edit: impl Fn(Option<&T>) -> E) -> Field<BTreeMap<String, E>> {
    if from == to {
        return Field::Absent;
    }
    let keys = from.keys().chain(to.keys().filter(|key| !from.contains_key(*key)));
    Field::Set(keys.filter(|key| from.get(*key) != to.get(*key)).map(|key| (key.clone(), edit(to.get(key)))).collect())
}

fn given_criteria(criteria: &[Criterion]) -> Option<Vec<NewCriterion>> {
    (!criteria.is_empty())
        .then(|| criteria.iter().map(|criterion| NewCriterion { id: Some(criterion.id.clone()), text: criterion.text.clone(), done: criterion.done }).collect())
}

/// The create that brings a task back as it was.
fn whole(task: &Task, after: Field<String>, name: &impl Fn(TaskId) -> String) -> CreateBody {
    fn list<T: Clone>(list: &[T]) -> Option<Vec<T>> {
        (!list.is_empty()).then(|| list.to_vec())
    }
    let detail = &task.detail;
    CreateBody {
        title: task.title.clone(),
        description: (!detail.description.is_empty()).then(|| detail.description.clone()),
        status: Some(task.status.clone()),
        priority: task.priority,
        kind: detail.kind.clone(),
        effort: detail.effort,
        estimate_minutes: detail.estimate_minutes,
        assignee: task.assignee.clone(),
        due_on: task.due_on,
        labels: list(&detail.labels),
        depends_on: list(&task.depends_on.iter().map(|id| name(*id)).collect::<Vec<_>>()),
        blocker: detail.blocker.clone(),
        acceptance_criteria: given_criteria(&detail.acceptance_criteria),
        references: list(&detail.references),
        external_refs: (!detail.external_refs.is_empty()).then(|| detail.external_refs.clone()),
        metadata: (!detail.metadata.is_empty()).then(|| detail.metadata.clone()),
        parent_id: task.parent.map(name),
        after,
        subtasks: None,
    }
}

/// The patch as it is recorded: every task by its reference, new ones with their ids.
fn settle(plan: &Plan, checked: &Checked, ids: &[Option<(TaskId, i32)>], before: &Before) -> ProjectPatch {
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
