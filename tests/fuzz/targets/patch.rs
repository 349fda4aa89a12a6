//! Bytes from anybody: they are a patch that reads back as itself, or faults that say where.

#![no_main]

use std::{collections::BTreeSet, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use patchbay_core::patch::{
    apply,
    check::{self, Rules},
    diff, normalise,
    plan::{Plan, Project},
    process::{Process, Role},
    shape,
};

static EMPTY: LazyLock<Plan> = LazyLock::new(|| {
    let project = Project {
        id: "00000000-0000-7000-8000-999999999999".parse().expect("a uuid"),
        key: "WEB".into(),
        title: "Website".into(),
        summary: String::new(),
        version: 1,
        process: Process::find("simple").expect("a built-in process"),
        time_zone: "UTC".into(),
        next_task: 1,
    };
    Plan::new(project, BTreeSet::from(["ana".to_owned()]), Vec::new())
});

fuzz_target!(|bytes: &[u8]| {
    let patch = match shape::parse(bytes) {
        Ok(patch) => patch,
        Err(faults) => return assert!(!faults.is_empty(), "what is no patch says why"),
    };
    let again = shape::parse(&serde_json::to_vec(&patch).expect("a patch is JSON"));
    assert_eq!(again.as_ref(), Ok(&patch), "a patch reads back as itself");
    let Ok(checked) = check::check(&EMPTY, normalise::flatten(patch), &Rules::of(Role::Member)) else { return };
    let shown = diff::diff(&EMPTY, &checked).entries.len();
    assert_eq!(shown, checked.tasks().len(), "each operation is shown");
    let mut number = 0_u128;
    let applied = apply::apply(&mut EMPTY.clone(), &checked, || {
        number += 1;
        format!("00000000-0000-7000-8000-{number:012}").parse().expect("a uuid")
    });
    assert_eq!(applied.patch.tasks.len(), shown);
});
