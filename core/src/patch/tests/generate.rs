//! Patches by chance: names from a small pool, so that they meet, and now and then something that does not fit.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};

use super::{
    super::{
        Create, CreateBody, Delete, DeleteBody, Effort, Field, ListEdit, MetaUpdates, NewCriterion, Priority, ProjectPatch, SubtasksGo, TaskPatch, Update,
        UpdateBody,
        apply::{self, Applied},
        check::{self, Checked, Rules},
        normalise::{self, Flat},
        plan::Plan,
        process::Role,
    },
    id, project,
};

/// How many tasks names are made for.
const TASKS: i32 = 12;

/// A plan that grew by patches, and the patches as they were recorded.
pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) revisions: Vec<ProjectPatch>,
}

pub(super) fn rules() -> Rules {
    Rules::of(Role::Owner)
}

pub(super) fn history() -> Rules {
    Rules { history: true, ..rules() }
}

impl World {
    pub(super) fn blank() -> Self {
        let mut project = project("simple");
        project.version = 0;
        project.title = String::new();
        Self { plan: Plan::new(project, ["ana".into(), "bob".into()].into(), []), revisions: Vec::new() }
    }

    /// Grows by as much of each patch as fits.
    pub(super) fn grown(patches: Vec<ProjectPatch>) -> Self {
        let mut world = Self::blank();
        let founded = ProjectPatch { meta_updates: Some(MetaUpdates { title: Some("Website".into()), ..MetaUpdates::default() }), ..ProjectPatch::default() };
        for patch in [founded].into_iter().chain(patches) {
            let checked = fitting(&world.plan, patch);
            world.apply(&checked);
        }
        world
    }

    pub(super) fn apply(&mut self, checked: &Checked) -> Applied {
        let applied = applied(&mut self.plan, checked);
        self.revisions.push(applied.patch.clone());
        applied
    }
}

/// Applies a patch; new tasks have the ids that go with their numbers.
pub(super) fn applied(plan: &mut Plan, checked: &Checked) -> Applied {
    let mut number = plan.project.next_task - 1;
    apply::apply(plan, checked, || {
        number += 1;
        id(number)
    })
}

/// As much of a patch as fits a plan: its operations one after the other, with the names of tasks that are there.
pub(super) fn fitting(plan: &Plan, patch: ProjectPatch) -> Checked {
    let mut flat = normalise::flatten(patch).patch;
    if plan.project.version > 0
        && let Some(meta) = &mut flat.meta_updates
    {
        (meta.key, meta.process) = (None, None);
    }
    let offered = std::mem::take(&mut flat.tasks);
    if fits(plan, flat.clone()).is_err() {
        flat.meta_updates = None;
    }
    for operation in offered {
        let operation = named(plan, &flat.tasks, operation);
        let fitting = less(operation).find(|operation| {
            let mut flat = flat.clone();
            flat.tasks.push(operation.clone());
            fits(plan, flat).is_ok()
        });
        flat.tasks.extend(fitting);
    }
    fits(plan, flat).expect("what did not fit is gone")
}

/// Gives an operation that comes behind others names of tasks that are there, in place of those that are not.
fn named(plan: &Plan, others: &[TaskPatch], mut operation: TaskPatch) -> TaskPatch {
    let new: Vec<_> = others.iter().filter(|other| matches!(other, TaskPatch::Create(_))).map(|other| other.task_id().to_owned()).collect();
    let tasks: Vec<_> = plan.walk().into_iter().map(|(_, task)| plan.reference(task)).collect();
    let any: Vec<_> = new.iter().chain(&tasks).cloned().collect();
    let untouched: Vec<_> = tasks.iter().filter(|task| others.iter().all(|other| plan.find(other.task_id()) != plan.find(task))).cloned().collect();
    let pick = |name: &str, from: &[String]| {
        let is_known = new.iter().any(|new| new == name) || plan.find(name).is_some();
        let chance: usize = name.bytes().map(usize::from).sum();
        if is_known || from.is_empty() { name.to_owned() } else { from[chance % from.len()].clone() }
    };
    let repaired = |name: &mut String, from: &[String]| *name = pick(name, from);
    // Siblings as they are now; where one moves in the same patch, the check tells.
    let siblings = |parent: Option<&str>| {
        let below = plan.children(parent.and_then(|name| plan.find(name)).map(|task| task.id)).iter().map(|id| plan.reference_of(*id));
        let beside = others
            .iter()
            .filter(|other| matches!(other, TaskPatch::Create(create) if create.body.parent_id.as_deref() == parent))
            .map(|other| other.task_id().to_owned());
        below.chain(beside).collect::<Vec<_>>()
    };
    match &mut operation {
        TaskPatch::Create(Create { task_id, body, .. }) => {
            if any.contains(task_id) || plan.find(task_id).is_some() {
                *task_id = format!("n{}", others.len());
            }
            body.parent_id.iter_mut().for_each(|name| repaired(name, &any));
            body.depends_on.iter_mut().flatten().for_each(|name| repaired(name, &any));
            if let Field::Set(after) = &mut body.after {
                *after = pick("?".repeat(after.len()).as_str(), &siblings(body.parent_id.as_deref()));
            }
        }
        TaskPatch::Update(Update { task_id, body }) => {
            if !untouched.contains(task_id) {
                *task_id = pick("?".repeat(task_id.len()).as_str(), &untouched);
            }
            if let Field::Set(name) = &mut body.parent_id {
                repaired(name, &any);
            }
            match &mut body.depends_on {
                Field::Set(ListEdit::Replace(list)) => list.iter_mut().for_each(|name| repaired(name, &any)),
                Field::Set(ListEdit::Change { add, remove }) => add.iter_mut().chain(remove).for_each(|name| repaired(name, &any)),
                Field::Absent | Field::Clear => {}
            }
            if let Field::Set(after) = &mut body.after {
                let now = plan.find(task_id).and_then(|task| task.parent).map(|id| plan.reference_of(id));
                let parent = match body.parent_id.given() {
                    Some(given) => given.cloned(),
                    None => now,
                };
                *after = pick("?".repeat(after.len()).as_str(), &siblings(parent.as_deref()));
            }
        }
        TaskPatch::Delete(Delete { task_id, .. }) => {
            if !untouched.contains(task_id) {
                *task_id = pick("?".repeat(task_id.len()).as_str(), &untouched);
            }
        }
    }
    operation
}

/// An operation, and less and less of it.
fn less(operation: TaskPatch) -> impl Iterator<Item = TaskPatch> {
    (0..4).map(move |step| {
        let mut operation = operation.clone();
        match &mut operation {
            TaskPatch::Create(Create { body, .. }) => {
                if step > 0 {
                    (body.after, body.depends_on) = (Field::Absent, None);
                }
                if step > 1 {
                    (body.status, body.assignee, body.acceptance_criteria) = (None, None, None);
                }
                if step > 2 {
                    (body.parent_id, body.title) = (None, "A task".into());
                }
            }
            TaskPatch::Update(Update { body, .. }) => {
                if step > 0 {
                    (body.after, body.depends_on) = (Field::Absent, Field::Absent);
                }
                if step > 1 {
                    (body.status, body.assignee, body.acceptance_criteria, body.title) = (Field::Absent, Field::Absent, Field::Absent, Field::Absent);
                }
                if step > 2 {
                    body.parent_id = Field::Absent;
                }
            }
            TaskPatch::Delete(_) => {}
        }
        operation
    })
}

fn fits(plan: &Plan, patch: ProjectPatch) -> Result<Checked, Vec<super::Fault>> {
    check::check(plan, normalise::flatten(patch), &rules())
}

pub(super) fn flat(patch: ProjectPatch) -> Flat {
    normalise::flatten(patch)
}

pub(super) fn patches(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<ProjectPatch>> {
    vec(patch(), count)
}

pub(super) fn patch() -> impl Strategy<Value = ProjectPatch> {
    (option::weighted(0.2, meta()), vec(operation(), 0..10), option::of(text())).prop_map(|(meta_updates, tasks, note)| ProjectPatch {
        project_id: None,
        base_version: None,
        meta_updates,
        tasks,
        note,
    })
}

fn meta() -> impl Strategy<Value = MetaUpdates> {
    (
        option::of(title()),
        option::of(text()),
        option::weighted(0.1, word()),
        option::weighted(0.1, word()),
        option::weighted(0.2, select(&["UTC", "Europe/Berlin"][..])),
    )
        .prop_map(|(title, summary, key, process, zone)| MetaUpdates { title, summary, key, process, time_zone: zone.map(str::to_owned) })
}

/// A task that may be there, by one of its names.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => (1..=TASKS).prop_map(|number| format!("WEB-{number}")),
        8 => temporary(),
        2 => (1..=TASKS).prop_map(|number| format!("web-{number}")),
        2 => (1..=TASKS).prop_map(|number| id(number).to_string()),
        1 => select(&["WEB-99", "API-1", "", "?", "WEB-0", "00000000-0000-0000-0000-000000000000"][..]).prop_map(str::to_owned),
    ]
}

fn temporary() -> impl Strategy<Value = String> {
    (0..8).prop_map(|number| format!("t{number}"))
}

fn word() -> impl Strategy<Value = String> {
    select(&["web", "api", "urgent", "BUG", "later", " padded ", ""][..]).prop_map(str::to_owned)
}

fn title() -> impl Strategy<Value = String> {
    prop_oneof![8 => "[A-Z][a-z]{1,6} [a-zäß→]{1,8}( [a-z]{1,4})?", 1 => " [a-z]{1,3} ", 1 => Just(String::new())]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![6 => "[A-Z][a-z ]{0,20}", 2 => any::<String>(), 1 => Just(String::new())]
}

fn day() -> impl Strategy<Value = NaiveDate> {
    (0..3_000_i32).prop_map(|days| NaiveDate::default() + chrono::Days::new(days.unsigned_abs().into()))
}

fn criterion() -> impl Strategy<Value = NewCriterion> {
    (option::of("c[1-5]"), "[a-z]{1,8}", any::<bool>()).prop_map(|(id, text, done)| NewCriterion { id, text, done })
}

fn metadata() -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::from), word().prop_map(Value::from), Just(json!({ "deep": [1, null, { "er": true }] }))]
}

fn field<T: Clone + std::fmt::Debug + 'static>(value: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Field<T>> {
    prop_oneof![7 => Just(Field::Absent), 1 => Just(Field::Clear), 2 => value.prop_map(Field::Set)].boxed()
}

fn given<T: Clone + std::fmt::Debug + 'static>(value: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Option<T>> {
    option::weighted(0.25, value).boxed()
}

fn edit<T: Clone + std::fmt::Debug + 'static>(
    item: impl Strategy<Value = T> + 'static,
    removed: impl Strategy<Value = String> + 'static,
) -> BoxedStrategy<Field<ListEdit<T>>> {
    let item = item.boxed();
    field(prop_oneof![
        vec(item.clone(), 0..4).prop_map(ListEdit::Replace),
        (vec(item, 0..3), vec(removed, 0..2)).prop_map(|(add, remove)| ListEdit::Change { add, remove }),
    ])
}

fn step() -> impl Strategy<Value = String> {
    select(&["todo", "doing", "review", "done", "blocked"][..]).prop_map(str::to_owned)
}

fn member() -> impl Strategy<Value = String> {
    prop_oneof![9 => select(&["ana", "@bob"][..]), 1 => Just("zoe")].prop_map(str::to_owned)
}

pub(super) fn operation() -> impl Strategy<Value = TaskPatch> {
    prop_oneof![
        5 => (temporary(), create_body()).prop_map(|(task_id, body)| TaskPatch::Create(Create { task_id, id: None, body })),
        5 => (name(), update_body()).prop_map(|(task_id, body)| TaskPatch::Update(Update { task_id, body })),
        1 => (name(), select(&[SubtasksGo::WithIt, SubtasksGo::Up][..])).prop_map(|(task_id, subtasks_go)| TaskPatch::Delete(Delete { task_id, body: DeleteBody { subtasks_go } })),
    ]
    .prop_recursive(3, 12, 3, |below| {
        (prop_oneof![
            (temporary(), create_body()).prop_map(|(task_id, body)| TaskPatch::Create(Create { task_id, id: None, body })),
            (name(), prop_oneof![update_body().boxed(), Just(UpdateBody::default()).boxed()]).prop_map(|(task_id, body)| TaskPatch::Update(Update { task_id, body })),
        ], vec(below, 0..3))
            .prop_map(|(mut task, below)| {
                match &mut task {
                    TaskPatch::Create(create) => create.body.subtasks = Some(below),
                    TaskPatch::Update(update) => update.body.subtasks = Some(below),
                    TaskPatch::Delete(_) => {}
                }
                task
            })
    })
}

fn create_body() -> impl Strategy<Value = CreateBody> {
    let about = (title(), given(text()), given(step()), given(select(&Priority::ALL[..])), given(word()), given(select(&Effort::ALL[..])));
    let work = (given(0..10_000_000_u32), given(member()), given(day()), given(vec(word(), 0..4)), given(vec(name(), 0..3)), given(word()));
    let rest = (given(vec(criterion(), 0..4)), given(vec(word(), 0..3)), given(map(word())), given(map(metadata())));
    (about, work, rest, option::weighted(0.6, name()), field(name())).prop_map(|(about, work, rest, parent_id, after)| CreateBody {
        title: about.0,
        description: about.1,
        status: about.2,
        priority: about.3,
        kind: about.4,
        effort: about.5,
        estimate_minutes: work.0,
        assignee: work.1,
        due_on: work.2,
        labels: work.3,
        depends_on: work.4,
        blocker: work.5,
        acceptance_criteria: rest.0,
        references: rest.1,
        external_refs: rest.2,
        metadata: rest.3,
        parent_id,
        after,
        subtasks: None,
    })
}

fn update_body() -> impl Strategy<Value = UpdateBody> {
    let about = (field(title()), field(text()), field(step()), field(select(&Priority::ALL[..])), field(word()), field(select(&Effort::ALL[..])));
    let work = (field(0..10_000_000_u32), field(member()), field(day()), edit(word(), word()), edit(name(), name()), field(word()));
    let rest = (edit(criterion(), "c[1-5]"), edit(word(), word()), field(map(option::of(word()))), field(map(metadata())));
    (about, work, rest, field(name()), field(name())).prop_map(|(about, work, rest, parent_id, after)| UpdateBody {
        title: about.0,
        description: about.1,
        status: about.2,
        priority: about.3,
        kind: about.4,
        effort: about.5,
        estimate_minutes: work.0,
        assignee: work.1,
        due_on: work.2,
        labels: work.3,
        depends_on: work.4,
        blocker: work.5,
        acceptance_criteria: rest.0,
        references: rest.1,
        external_refs: rest.2,
        metadata: rest.3,
        parent_id,
        after,
        subtasks: None,
    })
}

fn map<T: Clone + std::fmt::Debug + 'static>(value: impl Strategy<Value = T> + 'static) -> BoxedStrategy<BTreeMap<String, T>> {
    proptest::collection::btree_map("[a-d]", value, 0..4).boxed()
}
