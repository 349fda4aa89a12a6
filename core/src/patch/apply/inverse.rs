//! The patch that takes a change back: titles, order, parents, dependencies, criteria and deleted tasks, ids included.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::{
    super::{
        Create, CreateBody, Criterion, Delete, DeleteBody, Field, ListEdit, MetaUpdates, NewCriterion, ProjectPatch, SubtasksGo, TaskId, TaskPatch, Update,
        UpdateBody,
        plan::{Plan, Task},
        rank::Rank,
    },
    Write,
};

/// What was there before, copied when it is first touched.
#[derive(Default)]
pub(super) struct Before {
    /// `None` for a task that the patch makes.
    pub(super) tasks: HashMap<TaskId, Option<Task>>,
    /// In the order they were touched.
    order: Vec<TaskId>,
    lists: HashMap<Option<TaskId>, List>,
}

/// The tasks below one, as they stood.
struct List {
    /// The how manyeth list that was touched.
    turn: usize,
    ids: Vec<TaskId>,
}

impl Before {
    /// One plan as what was before another, whatever lies between them.
    pub(super) fn of(before: &Plan, now: &Plan) -> Self {
        let mut found = Self::default();
        let unmoved = unmoved(before, now);
        // What ranks say is how the plan came to its order, which may be another way each time; what counts is the order.
        let placed = |task: &Task| {
            let mut task = task.clone();
            if let Some(now) = now.get(task.id) {
                if unmoved.contains(&task.id) {
                    task.rank.clone_from(&now.rank);
                } else if task.rank == now.rank {
                    task.rank = Rank::between(Some(&now.rank), None).expect("there is room at the end");
                }
            }
            task
        };
        let ids: Vec<TaskId> = before.walk().into_iter().chain(now.walk()).map(|(_, task)| task.id).collect();
        for id in ids {
            let task = before.get(id).map(placed);
            if task.as_ref() == now.get(id) {
                continue;
            }
            if let Some(task) = &task {
                found.list(before, task.parent);
            }
            if found.tasks.insert(id, task).is_none() {
                found.order.push(id);
            }
        }
        found
    }

    pub(super) fn created(&mut self, id: TaskId) {
        self.tasks.insert(id, None);
        self.order.push(id);
    }

    pub(super) fn task(&mut self, plan: &Plan, id: TaskId) {
        self.tasks.entry(id).or_insert_with(|| {
            self.order.push(id);
            plan.get(id).cloned()
        });
    }

    pub(super) fn list(&mut self, plan: &Plan, parent: Option<TaskId>) {
        let turn = self.lists.len();
        self.lists.entry(parent).or_insert_with(|| List { turn, ids: plan.children(parent).to_vec() });
    }

    pub(super) fn writes(&self, plan: &Plan) -> Vec<Write> {
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

    /// Where a task stood: in which list, and at which place there.
    fn place(&self, task: &Task) -> Option<(&List, usize)> {
        let list = self.lists.get(&task.parent)?;
        Some((list, list.ids.iter().position(|id| *id == task.id)?))
    }

    fn previous(&self, task: &Task) -> Option<TaskId> {
        let (list, at) = self.place(task)?;
        at.checked_sub(1).map(|at| list.ids[at])
    }

    /// The patch back to what was: one operation a task, and siblings from the first to the last, so that each finds the
    /// one that it follows in its place.
    pub(super) fn inverse(&self, plan: &Plan, meta: Option<MetaUpdates>) -> ProjectPatch {
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
        placed.sort_by_cached_key(|task| self.place(task).map(|(list, at)| (list.turn, at)));
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

/// The tasks that stand below the same in both plans, and in the same order among each other: as many as can be.
fn unmoved(before: &Plan, now: &Plan) -> HashSet<TaskId> {
    let mut found = HashSet::new();
    let parents: HashSet<Option<TaskId>> = now.tasks().map(|task| task.parent).collect();
    for parent in parents {
        let places: HashMap<TaskId, usize> = now.children(parent).iter().enumerate().map(|(at, id)| (*id, at)).collect();
        let common: Vec<(TaskId, usize)> = before.children(parent).iter().filter_map(|id| Some((*id, *places.get(id)?))).collect();
        found.extend(rising(&common.iter().map(|(_, at)| *at).collect::<Vec<_>>()).into_iter().map(|index| common[index].0));
    }
    found
}

/// The indices of a longest rising series among different numbers.
fn rising(numbers: &[usize]) -> Vec<usize> {
    // The index of the least number that ends a series of each length, and what comes before each index.
    let mut ends: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = Vec::with_capacity(numbers.len());
    for (index, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|end| numbers[*end] < *number);
        previous.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        match ends.get_mut(length) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    std::iter::successors(ends.last().copied(), |index| previous[*index]).collect()
}

/// The update that makes `from` into `to`, but for its place.
fn field_changes(from: &Task, to: &Task, name: &impl Fn(TaskId) -> String) -> UpdateBody {
    fn change<T: PartialEq + Clone>(from: Option<&T>, to: Option<&T>) -> Field<T> {
        if from == to { Field::Absent } else { Field::to(to.cloned()) }
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
        priority: change(from.priority.as_ref(), to.priority.as_ref()),
        kind: change(a.kind.as_ref(), b.kind.as_ref()),
        effort: change(a.effort.as_ref(), b.effort.as_ref()),
        estimate_minutes: change(a.estimate_minutes.as_ref(), b.estimate_minutes.as_ref()),
        assignee: change(from.assignee.as_ref(), to.assignee.as_ref()),
        due_on: change(from.due_on.as_ref(), to.due_on.as_ref()),
        labels: list(&a.labels, &b.labels, || replace(&b.labels)),
        depends_on: list(&from.depends_on, &to.depends_on, || replace(&to.depends_on.iter().map(|id| name(*id)).collect::<Vec<_>>())),
        blocker: change(a.blocker.as_ref(), b.blocker.as_ref()),
        acceptance_criteria: if a.acceptance_criteria == b.acceptance_criteria {
            Field::Absent
        } else {
            Field::to(given_criteria(&b.acceptance_criteria).map(ListEdit::Replace))
        },
        references: list(&a.references, &b.references, || replace(&b.references)),
        external_refs: map_changes(&a.external_refs, &b.external_refs, Some, None),
        metadata: map_changes(&a.metadata, &b.metadata, |value| value, Value::Null),
        parent_id: Field::Absent,
        after: Field::Absent,
        subtasks: None,
    }
}

fn map_changes<T: PartialEq + Clone, E: Clone>(
    from: &BTreeMap<String, T>,
    to: &BTreeMap<String, T>,
    given: impl Fn(T) -> E,
    gone: E,
) -> Field<BTreeMap<String, E>> {
    if from == to {
        return Field::Absent;
    }
    let removed = from.keys().filter(|key| !to.contains_key(*key)).map(|key| (key.clone(), gone.clone()));
    let changed = to.iter().filter(|(key, value)| from.get(*key) != Some(value)).map(|(key, value)| (key.clone(), given(value.clone())));
    Field::Set(removed.chain(changed).collect())
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
