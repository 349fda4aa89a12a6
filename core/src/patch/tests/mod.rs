//! What the patch promises, on one small plan and on generated ones.

mod algebra;
mod apply;
mod generate;
mod meaning;
mod rebase;
mod shape;

use serde_json::Value;
use uuid::Uuid;

use super::{
    Criterion, Fault, ProjectId, TaskId,
    check::{self, Checked, Rules},
    normalise,
    plan::{Detail, Plan, Project, Task},
    process::{Process, Role},
    rank::Rank,
    shape as gate,
};

pub(super) fn id(number: i32) -> TaskId {
    TaskId(Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000 + u128::try_from(number).expect("numbers are from 1")))
}

pub(super) fn project(process: &str) -> Project {
    Project {
        id: ProjectId(Uuid::from_u128(1)),
        key: "WEB".into(),
        title: "Website".into(),
        summary: String::new(),
        version: 12,
        process: Process::find(process).expect("a built-in process"),
        time_zone: "UTC".into(),
        next_task: 1,
    }
}

/// A plan from lines of `number parent status`, in order.
fn plan_of(process: &str, tasks: &[(i32, i32, &str)]) -> Plan {
    let mut project = project(process);
    let mut rank = Rank::default();
    let tasks: Vec<_> = tasks
        .iter()
        .map(|(number, parent, status)| {
            project.next_task = project.next_task.max(number + 1);
            rank = Rank::between(Some(&rank), None).expect("there is room at the end");
            Task {
                id: id(*number),
                number: *number,
                parent: (*parent > 0).then(|| id(*parent)),
                rank: rank.clone(),
                title: format!("Task {number}"),
                status: (*status).into(),
                priority: None,
                assignee: None,
                due_on: None,
                depends_on: Vec::new(),
                detail: Detail::default(),
            }
        })
        .collect();
    Plan::new(project, ["ana".into(), "bob".into()].into(), tasks)
}

/// ```text
/// WEB-1
///   WEB-2          doing, one criterion (c1) is open
///   WEB-3          waits for WEB-2
///     WEB-4
///       WEB-5
///         WEB-6
///           WEB-7  as deep as it goes
/// WEB-8            waits for WEB-3
/// ```
fn plan(process: &str) -> Plan {
    let (first, second) = if process == "agents" { ("queued", "in_progress") } else { ("todo", "doing") };
    let mut plan = plan_of(process, &[(1, 0, first), (2, 1, second), (3, 1, first), (4, 3, first), (5, 4, first), (6, 5, first), (7, 6, first), (8, 0, first)]);
    let mut change = |number, change: &dyn Fn(&mut Task)| change(plan.get_mut(id(number)).expect("it is there"));
    change(2, &|task| task.detail.acceptance_criteria = vec![Criterion { id: "c1".into(), text: "Ana likes it".into(), done: false }]);
    change(3, &|task| task.depends_on = vec![id(2)]);
    change(8, &|task| task.depends_on = vec![id(3)]);
    plan
}

fn member() -> Rules {
    Rules::of(Role::Member)
}

/// What passes all gates, or what a person is told.
fn gates(plan: &Plan, rules: &Rules, patch: &Value) -> Result<Checked, String> {
    let patch = gate::parse(patch.to_string().as_bytes()).map_err(|faults| told(&faults))?;
    check::check(plan, normalise::flatten(patch), rules).map_err(|faults| told(&faults))
}

fn told(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
