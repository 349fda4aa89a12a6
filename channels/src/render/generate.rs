//! Patches and diffs by chance, with the nastiest texts that people, machines and attackers write.

use std::fmt::Debug;

use chrono::{Days, NaiveDate};
use patchbay_core::patch::{
    Create, CreateBody, Delete, DeleteBody, Effort, Field, ListEdit, MetaUpdates, NewCriterion, Priority, ProjectPatch, SubtasksGo, TaskId, TaskPatch, Update,
    UpdateBody,
    diff::{Counts, Diff, Entry, FieldChange, Op, Word, WordKind},
};
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::select,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// For what takes longer; `PROPTEST_CASES` asks for as many as it says.
pub(super) fn fewer_cases() -> ProptestConfig {
    let usual = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_some() { usual } else { ProptestConfig { cases: 48, ..usual } }
}

pub(super) fn patch() -> impl Strategy<Value = ProjectPatch> {
    (option::of(name()), option::of(0..=i32::MAX), option::weighted(0.4, meta()), vec(operation(), 0..6), option::of(text()))
        .prop_map(|(project_id, base_version, meta_updates, tasks, note)| ProjectPatch { project_id, base_version, meta_updates, tasks, note })
}

const NASTY: &[&str] = &[
    "\u{202e}",
    "\u{202c}",
    "\u{2066}",
    "\u{2069}",
    "\u{200e}",
    "\u{200f}",
    "\u{61c}",
    "\u{200b}",
    "\u{200c}",
    "\u{200d}",
    "\u{2060}",
    "\u{feff}",
    "\u{ad}",
    "\u{fe0f}",
    "\u{20e3}",
    "\u{e0041}",
    "\u{301}",
    "\u{3164}",
    "\u{a0}",
    "\u{2003}",
    "\u{3000}",
    "\u{2028}",
    "\u{85}",
    "\0",
    "\u{1b}[2J",
    "\u{7f}",
    "\t",
    "\r",
    "\r\n",
    "\n",
    "\n\n",
    " ",
    "  ",
    "\"",
    "'",
    "\\",
    "\\n",
    "\\u0041",
    "|",
    "| a",
    ":",
    ": ",
    ",",
    "[",
    "]",
    "{}",
    "[]",
    "[x] ",
    "[ ] ",
    "+ ",
    "~ ",
    "- ",
    "* project",
    "patch",
    "none",
    "null",
    "add [",
    "], remove [",
    "#",
    "@",
    "👩\u{200d}💻",
    "❤\u{fe0f}\u{200d}🔥",
    "1\u{fe0f}\u{20e3}",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "👍🏽",
    "🇩🇪",
    "שָׁלוֹם",
    "مَرْحَبًا",
    "نمی\u{200c}خواهم",
    "日本",
    "ﷺ",
    "Zalgo\u{335}\u{321}\u{36f}",
    "\u{10ffff}",
    "title: x",
    "  title: x",
];

pub(super) fn text() -> impl Strategy<Value = String> {
    let nasty =
        || vec(prop_oneof![3 => select(NASTY).prop_map(str::to_owned), 2 => "[a-zA-Z]{1,6}", 1 => Just(" ".to_owned())], 0..8).prop_map(|parts| parts.concat());
    prop_oneof![
        4 => "[A-Z][a-z]{1,6}( [a-z]{1,8}){0,3}",
        8 => nasty(),
        2 => any::<String>(),
        1 => (nasty(), 1..400_usize).prop_map(|(part, times)| part.repeat(times)),
        1 => Just(String::new()),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![6 => (1..99).prop_map(|number| format!("WEB-{number}")), 3 => "t[0-9]", 2 => text()]
}

fn day() -> impl Strategy<Value = NaiveDate> {
    (0..1_000_000_u64).prop_map(|days| NaiveDate::from_ymd_opt(1, 1, 1).unwrap() + Days::new(days))
}

fn meta() -> impl Strategy<Value = MetaUpdates> {
    (option::of(text()), option::of(text()), option::of(name()), option::of(text()), option::of(text()))
        .prop_map(|(title, summary, key, process, time_zone)| MetaUpdates { title, summary, key, process, time_zone })
}

fn criterion() -> impl Strategy<Value = NewCriterion> {
    (option::of(prop_oneof!["c[1-9]", text()]), text(), any::<bool>()).prop_map(|(id, text, done)| NewCriterion { id, text, done })
}

fn metadata() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
    ];
    leaf.prop_recursive(3, 8, 3, |value| {
        prop_oneof![vec(value.clone(), 0..3).prop_map(Value::from), btree_map(text(), value, 0..3).prop_map(|map| Value::Object(map.into_iter().collect()))]
    })
}

fn field<T: Clone + Debug + 'static>(value: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Field<T>> {
    prop_oneof![6 => Just(Field::Absent), 1 => Just(Field::Clear), 2 => value.prop_map(Field::Set)].boxed()
}

fn given<T: Clone + Debug + 'static>(value: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Option<T>> {
    option::weighted(0.25, value).boxed()
}

fn edit<T: Clone + Debug + 'static>(member: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Field<ListEdit<T>>> {
    let member = member.boxed();
    field(prop_oneof![
        vec(member.clone(), 0..3).prop_map(ListEdit::Replace),
        (vec(member, 0..3), vec(text(), 0..3)).prop_map(|(add, remove)| ListEdit::Change { add, remove }),
    ])
}

fn operation() -> impl Strategy<Value = TaskPatch> {
    let delete =
        (name(), select(&SubtasksGo::ALL[..])).prop_map(|(task_id, subtasks_go)| TaskPatch::Delete(Delete { task_id, body: DeleteBody { subtasks_go } }));
    prop_oneof![5 => create(), 5 => update(), 1 => delete].prop_recursive(5, 12, 3, |below| {
        (prop_oneof![create(), update()], vec(below, 0..3)).prop_map(|(mut operation, below)| {
            match &mut operation {
                TaskPatch::Create(create) => create.body.subtasks = Some(below),
                TaskPatch::Update(update) => update.body.subtasks = Some(below),
                TaskPatch::Delete(_) => {}
            }
            operation
        })
    })
}

fn create() -> BoxedStrategy<TaskPatch> {
    let about = (text(), given(text()), given(text()), given(select(&Priority::ALL[..])), given(text()), given(select(&Effort::ALL[..])));
    let work = (given(any::<u32>()), given(text()), given(day()), given(vec(text(), 0..4)), given(vec(name(), 0..3)), given(text()));
    let rest = (given(vec(criterion(), 0..4)), given(vec(text(), 0..3)), given(btree_map(text(), text(), 0..3)), given(btree_map(text(), metadata(), 0..3)));
    let place = (given(name()), field(name()), given(any::<u128>()));
    (name(), about, work, rest, place)
        .prop_map(|(task_id, about, work, rest, place)| {
            let body = CreateBody {
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
                parent_id: place.0,
                after: place.1,
                subtasks: None,
            };
            TaskPatch::Create(Create { task_id, id: place.2.map(|id| TaskId(Uuid::from_u128(id))), body })
        })
        .boxed()
}

fn update() -> BoxedStrategy<TaskPatch> {
    let about = (field(text()), field(text()), field(text()), field(select(&Priority::ALL[..])), field(text()), field(select(&Effort::ALL[..])));
    let work = (field(any::<u32>()), field(text()), field(day()), edit(text()), edit(name()), field(text()));
    let rest = (edit(criterion()), edit(text()), field(btree_map(text(), option::of(text()), 0..3)), field(btree_map(text(), metadata(), 0..3)));
    (name(), about, work, rest, field(name()), field(name()))
        .prop_map(|(task_id, about, work, rest, parent_id, after)| {
            let body = UpdateBody {
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
            };
            TaskPatch::Update(Update { task_id, body })
        })
        .boxed()
}

/// A diff of texts, a few of them long, that no gate has looked at.
pub(super) fn diff() -> impl Strategy<Value = Diff> {
    (option::of(Just("WEB".to_owned())), text(), vec(change(), 0..3), vec(entry(), 0..60)).prop_map(|(project, project_title, project_changes, mut entries)| {
        entries.iter_mut().zip(1..).for_each(|(entry, index)| entry.index = index);
        Diff { project, project_title, base_version: 7, project_changes, counts: Counts { created: entries.len(), ..Counts::default() }, entries }
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    (select(&[Op::Create, Op::Update, Op::Delete][..]), name(), text(), option::of(name()), vec(change(), 0..3), vec(name(), 0..2)).prop_map(
        |(op, task, title, parent, changes, removes)| Entry {
            index: 0,
            op,
            task,
            title,
            parent,
            after: None,
            first: false,
            depth: 0,
            moved: None,
            changes,
            removes,
            needs: Vec::new(),
        },
    )
}

fn change() -> impl Strategy<Value = FieldChange> {
    let long = || prop_oneof![9 => text(), 1 => (text(), 1..30_usize).prop_map(|(part, times)| part.repeat(times))];
    let words = option::of(vec((select(&[WordKind::Same, WordKind::Added, WordKind::Removed][..]), text()).prop_map(|(kind, text)| Word { kind, text }), 1..4));
    let strings = (select(&["title", "description", "summary", "blocker"][..]), option::of(long()), option::of(long()), words)
        .prop_map(|(field, before, after, words)| FieldChange { field: field.into(), before: before.into(), after: after.into(), words });
    let lists = (select(&["labels", "references"][..]), vec(text(), 0..4), vec(text(), 0..4)).prop_map(|(field, before, after)| FieldChange {
        field: field.into(),
        before: before.into(),
        after: after.into(),
        words: None,
    });
    let maps = (metadata_map(), metadata_map()).prop_map(|(before, after)| FieldChange {
        field: "metadata".into(),
        before: before.into(),
        after: after.into(),
        words: None,
    });
    prop_oneof![4 => strings, 1 => lists, 1 => maps]
}

fn metadata_map() -> impl Strategy<Value = serde_json::Map<String, Value>> {
    btree_map(text(), metadata(), 0..3).prop_map(|map| map.into_iter().collect())
}
