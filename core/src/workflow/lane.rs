//! The shortest way for the commonest change: tasks added at the end.
//!
//! Such a patch needs nothing of the plan but the project's row and its last root task. Both are remembered from the change
//! before, and what was made by them is only written if the project is still at that version: so one round trip is enough,
//! and nothing is believed that is not so. Those who change one project in this process wait for each other here, where that is
//! cheap, and not in the database.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    ProjectRow,
    apply::{self, Apply, ApplyError, Cause, Change, Prepared},
    store,
};
use crate::{
    db::Db,
    ids::{Context, OrganizationId},
    patch::{
        Create, Reference, TaskId, TaskPatch, check,
        normalise::{self, Flat},
        plan::{Plan, Task},
    },
};

/// How many projects are remembered.
const CAPACITY: usize = 2_000;

type Lane = Arc<tokio::sync::Mutex<Option<Head>>>;

/// A project and its last root task, as they were when it was last looked at.
#[derive(Clone, Debug)]
struct Head {
    row: ProjectRow,
    last: Option<Task>,
}

/// The projects that were changed lately.
#[derive(Debug, Default)]
pub struct Lanes {
    lanes: Mutex<HashMap<(OrganizationId, String), Lane>>,
}

impl Lanes {
    /// Applies a patch in a transaction of its own.
    pub async fn apply(&self, db: &Db, ctx: &dyn Context, request: Apply<'_>) -> Result<Change, ApplyError> {
        let Apply { actor, patch, rules, origin, proposal, reverts } = request;
        let cause = Cause { origin, proposal, reverts };
        let flat = normalise::flatten(patch);
        if let Some(name) = flat.patch.project_id.as_deref().filter(|_| only_appends(&flat)) {
            apply::refuse_ids(&flat, &rules)?;
            let lane = self.lane(actor.organization, name);
            let mut head = lane.lock().await;
            // What is remembered may have been overtaken; then it is looked at once more.
            for _ in 0..2 {
                let known = match head.take() {
                    Some(known) => known,
                    None => match store::read_head(db, actor.organization, name).await? {
                        Some((row, last)) => Head { row, last },
                        None => return Err(ApplyError::NoProject(name.to_owned())),
                    },
                };
                let project = &known.row.project;
                if !actor.sees(project.id) {
                    return Err(ApplyError::NoProject(name.to_owned()));
                }
                if flat.patch.base_version.is_some_and(|base| base != project.version) {
                    break;
                }
                let plan = Plan::new(project.clone(), BTreeSet::new(), known.last);
                let checked = check::check(&plan, flat.clone(), &rules).map_err(ApplyError::Faults)?;
                let composed = apply::compose(ctx, actor, Prepared { project: Some(known.row), plan, checked }, cause)?;
                if store::append(db, &composed).await? {
                    let change = composed.written();
                    let last = change.plan.children(None).last().and_then(|id| change.plan.get(*id)).cloned();
                    *head = Some(Head { row: change.project.clone(), last });
                    return Ok(change);
                }
            }
        }
        let mut tx = db.begin(actor.organization).await?;
        let change = apply::apply_flat(&mut tx, ctx, actor, flat, &rules, cause).await?;
        tx.commit().await?;
        Ok(change)
    }

    fn lane(&self, organization: OrganizationId, name: &str) -> Lane {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if lanes.len() >= CAPACITY {
            // Those that somebody waits in are held by who waits.
            lanes.clear();
        }
        lanes.entry((organization, name.to_ascii_uppercase())).or_default().clone()
    }
}

/// Whether nothing of the plan matters but where it ends.
fn only_appends(flat: &Flat) -> bool {
    let new: HashSet<&str> = flat.patch.tasks.iter().map(TaskPatch::task_id).collect();
    let is_new = |name: &String| new.contains(name.as_str());
    flat.patch.meta_updates.is_none()
        && !flat.patch.tasks.is_empty()
        && flat.patch.tasks.iter().all(|task| match task {
            TaskPatch::Create(Create { task_id, id, body }) => {
                // A temporary name that could be a task's has to be looked for.
                let is_plain = id.is_none() && Reference::parse(task_id).is_none() && task_id.parse::<TaskId>().is_err();
                let needs_members = body.assignee.is_some() || body.depends_on.is_some();
                is_plain && !needs_members && body.parent_id.iter().all(is_new) && (body.after.is_absent() || body.after.set().is_some_and(is_new))
            }
            TaskPatch::Update(_) | TaskPatch::Delete(_) => false,
        })
}
