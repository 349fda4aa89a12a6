//! Reapplying what was recorded, one revision after the other.

use std::collections::BTreeSet;

use crate::patch::{
    ProjectPatch, TaskId, apply,
    check::{self, Checked, Rules},
    normalise,
    plan::{Plan, Project},
    process::{Process, Role},
};

/// A project before its first revision.
pub(super) fn blank(project: &Project, members: BTreeSet<String>) -> Plan {
    let project = Project { version: 0, title: String::new(), summary: String::new(), next_task: 1, time_zone: "UTC".into(), ..project.clone() };
    Plan::new(project, members, [])
}

/// Applies a recorded patch to the plan that it was made for. The version goes up by one.
pub(super) fn step(plan: &mut Plan, patch: &str) -> Result<(), String> {
    let patch: ProjectPatch = serde_json::from_str(patch).map_err(|error| format!("its patch cannot be read: {error}"))?;
    if let Some(meta) = patch.meta_updates.as_ref().filter(|_| plan.project.version == 0) {
        plan.project.process = meta.process.as_deref().and_then(Process::find).unwrap_or(plan.project.process);
    }
    let checked = recorded(plan, patch).map_err(|why| format!("its patch does not fit what was before: {why}"))?;
    // Every create in history brings its id.
    apply::apply(plan, &checked, || TaskId(uuid::Uuid::nil()));
    Ok(())
}

/// A patch that was checked when it was made.
pub(super) fn recorded(plan: &Plan, patch: ProjectPatch) -> Result<Checked, String> {
    let rules = Rules { history: true, ..Rules::of(Role::Owner) };
    check::check(plan, normalise::flatten(patch), &rules).map_err(|faults| faults.first().map(ToString::to_string).unwrap_or_default())
}
