//! The plan that the tests of this package talk about.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use patchbay_core::patch::{
    Criterion, Priority, ProjectId, TaskId,
    plan::{Detail, Plan, Project, Task},
    process::Process,
    rank::Rank,
};
use uuid::Uuid;

/// Wednesday, 25 November 2026, 14:30 in Berlin.
pub(crate) fn now() -> DateTime<Utc> {
    "2026-11-25T13:30:00Z".parse().unwrap()
}

/// ```text
/// WEB-1 Sign-in        WEB-5 Shop           WEB-7 Launch
///   WEB-2 Schema         WEB-6 Pay by card
///   WEB-3 Form
///   WEB-4 Tests
/// ```
pub(crate) fn plan() -> Plan {
    let project = Project {
        id: ProjectId(Uuid::from_u128(1000)),
        key: "WEB".into(),
        title: "Website".into(),
        summary: "The shop, and who may enter it.".into(),
        version: 7,
        process: Process::find("simple").unwrap(),
        time_zone: "Europe/Berlin".into(),
        next_task: 8,
    };
    let mut tasks = [
        task(1, None, "Sign-in", "doing"),
        task(2, Some(1), "Schema", "done"),
        task(3, Some(1), "Form", "doing"),
        task(4, Some(1), "Tests", "todo"),
        task(5, None, "Shop", "todo"),
        task(6, Some(5), "Pay by card", "blocked"),
        task(7, None, "Launch", "todo"),
    ];
    tasks[1].assignee = Some("ana".into());
    tasks[2].assignee = Some("ana".into());
    tasks[2].priority = Some(Priority::P1);
    tasks[2].due_on = "2026-12-01".parse().ok();
    tasks[2].depends_on = vec![id(2)];
    tasks[2].detail.description = "Name and password, and **nothing** else.".into();
    tasks[2].detail.acceptance_criteria = vec![
        Criterion { id: "c1".into(), text: "It works without JavaScript".into(), done: true },
        Criterion { id: "c2".into(), text: "Errors are told".into(), done: false },
    ];
    tasks[3].assignee = Some("bo".into());
    tasks[3].priority = Some(Priority::P1);
    tasks[3].due_on = "2026-11-27".parse().ok();
    tasks[3].depends_on = vec![id(3)];
    tasks[5].detail.blocker = Some("the bank's answer".into());
    Plan::new(project, ["ana".to_owned(), "bo".to_owned()].into(), ranked(tasks))
}

pub(crate) fn id(number: u8) -> TaskId {
    TaskId(Uuid::from_u128(number.into()))
}

fn task(number: u8, parent: Option<u8>, title: &str, status: &str) -> Task {
    Task {
        id: id(number),
        number: number.into(),
        parent: parent.map(id),
        rank: Rank::default(),
        title: title.into(),
        status: status.into(),
        priority: None,
        assignee: None,
        due_on: None,
        depends_on: Vec::new(),
        detail: Detail::default(),
    }
}

/// Siblings stand in the order given.
fn ranked(tasks: impl IntoIterator<Item = Task>) -> Vec<Task> {
    let mut last: BTreeMap<Option<TaskId>, Rank> = BTreeMap::new();
    tasks
        .into_iter()
        .map(|mut task| {
            task.rank = Rank::between(last.get(&task.parent), None).expect("there is room at the end");
            last.insert(task.parent, task.rank.clone());
            task
        })
        .collect()
}
