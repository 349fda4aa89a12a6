//! The shortest way for the commonest change: tasks added at the end.
//!
//! Such a patch needs nothing of the plan but the project's row and its last root task. Both are remembered from the change
//! before, and what was made by them is only written if the project is still at that version: so one round trip is enough,
//! and nothing is believed that is not so. Those who change one project in this process wait for each other here, where that is
//! cheap, and not in the database; and those who wait at the same time are written together, each a revision of its own, with one
//! wait for the disk.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::oneshot;
use tracing::Instrument as _;

use super::{
    ProjectRow,
    apply::{self, Apply, ApplyError, Cause, Change, Composed, Prepared},
    store, write,
};
use crate::{
    db::{self, Db},
    ids::{Context, OrganizationId},
    patch::{
        Create, Reference, TaskId, TaskPatch,
        check::{self, Rules},
        normalise::{self, Flat},
        plan::{Plan, Task},
    },
    tenancy::Actor,
};

/// How many projects are remembered.
const CAPACITY: usize = 2_000;
/// The most changes that are written together: an event's seq has room for a thousand in one transaction.
const TOGETHER: usize = 32;

/// A project that is changed, and who waits to change it.
#[derive(Default)]
struct Lane {
    head: tokio::sync::Mutex<Option<Head>>,
    waiting: Mutex<Vec<Waiting>>,
}

/// A project and its last root task, as they were when it was last looked at.
#[derive(Clone)]
struct Head {
    row: ProjectRow,
    last: Option<Task>,
}

struct Waiting {
    wish: Wish,
    answer: oneshot::Sender<Answer>,
}

/// What somebody wants to be applied.
struct Wish {
    actor: Actor,
    flat: Flat,
    rules: Rules,
    cause: Cause,
}

enum Answer {
    Done(Box<Result<Change, ApplyError>>),
    /// It has to be looked at with the plan around it.
    LookAround(Box<Flat>),
}

/// The projects that were changed lately.
pub struct Lanes {
    db: Db,
    ctx: Arc<dyn Context>,
    lately: Mutex<HashMap<(OrganizationId, String), Arc<Lane>>>,
}

impl Lanes {
    pub fn new(db: Db, ctx: Arc<dyn Context>) -> Self {
        Self { db, ctx, lately: Mutex::default() }
    }

    /// Applies a patch in a transaction of its own.
    pub async fn apply(&self, request: Apply<'_>) -> Result<Change, ApplyError> {
        let Apply { actor, patch, rules, origin, proposal, reverts } = request;
        let cause = Cause { origin, proposal, reverts };
        let mut flat = normalise::flatten(patch);
        if let Some(name) = flat.patch.project_id.clone().filter(|_| !db::is_held() && only_appends(&flat)) {
            apply::refuse_ids(&flat, &rules)?;
            match self.append(name, Wish { actor: actor.clone(), flat, rules, cause }).await? {
                Answer::Done(done) => return *done,
                Answer::LookAround(again) => flat = *again,
            }
        }
        let mut tx = self.db.begin(actor.organization).await?;
        let change = apply::apply_flat(&mut tx, self.ctx.as_ref(), actor, flat, &rules, cause).await?;
        tx.commit().await?;
        Ok(change)
    }

    async fn append(&self, name: String, wish: Wish) -> Result<Answer, ApplyError> {
        let organization = wish.actor.organization;
        let lane = self.lane(organization, &name);
        let (answer, answered) = oneshot::channel();
        lane.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(Waiting { wish, answer });
        let (db, ctx) = (self.db.clone(), self.ctx.clone());
        // Not in the request itself: it may be dropped by who asked, and others wait for the same write.
        tokio::spawn(async move { lane.turn(&db, ctx.as_ref(), organization, &name).await }.in_current_span());
        answered.await.map_err(|_| ApplyError::Database(sqlx::Error::WorkerCrashed))
    }

    fn lane(&self, organization: OrganizationId, name: &str) -> Arc<Lane> {
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        if lately.len() >= CAPACITY {
            // Those that somebody waits in are held by who waits.
            lately.clear();
        }
        lately.entry((organization, name.to_ascii_uppercase())).or_default().clone()
    }
}

impl Lane {
    /// Waits for the turn, and writes whatever waits by then. Each who waits has asked for a turn: so nobody is left over.
    async fn turn(&self, db: &Db, ctx: &dyn Context, organization: OrganizationId, name: &str) {
        let mut head = self.head.lock().await;
        let mut waiting = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let count = waiting.len().min(TOGETHER);
            waiting.drain(..count).collect::<Vec<_>>()
        };
        // What is remembered may have been overtaken; then it is looked at once more.
        for _ in 0..2 {
            if waiting.is_empty() {
                return;
            }
            let known = match head.take() {
                Some(known) => Ok(Some(known)),
                None => store::read_head(db, organization, name).await.map(|read| read.map(|(row, last)| Head { row, last })),
            };
            match known {
                Ok(Some(known)) => waiting = write_together(db, ctx, &mut head, known, waiting).await,
                Ok(None) => return waiting.into_iter().for_each(|one| one.fail(ApplyError::NoProject(name.to_owned()))),
                Err(error) => return fail_all(waiting, &error),
            }
        }
        for one in waiting {
            one.look_around();
        }
    }
}

/// Writes what can be written as additions to a project as it is known, answers those for whom there is an answer, and gives
/// back the others: what is known was overtaken.
async fn write_together(db: &Db, ctx: &dyn Context, head: &mut Option<Head>, known: Head, waiting: Vec<Waiting>) -> Vec<Waiting> {
    let mut at = known;
    let mut composed = Vec::new();
    let mut refusals = Vec::new();
    for one in &waiting {
        refusals.push(match one.wish.compose(ctx, &mut at) {
            Ok(change) => {
                composed.push(change);
                None
            }
            Err(refusal) => Some(refusal),
        });
    }
    let written = write::store::append(db, &composed).await;
    let changes: Vec<Change> = composed.into_iter().map(Composed::written).collect();
    let (accepted, others): (Vec<_>, Vec<_>) = waiting.into_iter().zip(refusals).partition(|(_, refusal)| refusal.is_none());
    for (one, refusal) in others {
        match refusal {
            Some(Refusal::Error(error)) => one.fail(error),
            _ => one.look_around(),
        }
    }
    let accepted: Vec<Waiting> = accepted.into_iter().map(|(one, _)| one).collect();
    match written {
        Ok(true) => {
            *head = Some(at);
            for (one, change) in accepted.into_iter().zip(changes) {
                one.done(Ok(change));
            }
            Vec::new()
        }
        Ok(false) => accepted,
        Err(error) => {
            fail_all(accepted, &error);
            Vec::new()
        }
    }
}

/// Why a wish is not written as an addition.
enum Refusal {
    Error(ApplyError),
    LookAround,
}

impl Wish {
    /// Makes the change in memory, on what is known, which is then what the change makes of it.
    fn compose(&self, ctx: &dyn Context, at: &mut Head) -> Result<Composed<'_>, Refusal> {
        let project = &at.row.project;
        if !self.actor.sees(project.id) {
            return Err(Refusal::Error(ApplyError::NoProject(self.flat.patch.project_id.clone().unwrap_or_default())));
        }
        if self.flat.patch.base_version.is_some_and(|base| base != project.version) {
            return Err(Refusal::LookAround);
        }
        let plan = Plan::new(project.clone(), BTreeSet::new(), at.last.clone());
        let checked = check::check(&plan, self.flat.clone(), &self.rules).map_err(|faults| Refusal::Error(ApplyError::Faults(faults)))?;
        let prepared = Prepared { project: Some(at.row.clone()), plan, checked };
        let change = apply::compose(ctx, &self.actor, prepared, self.cause).map_err(Refusal::Error)?;
        *at = Head { row: change.row(), last: change.plan.children(None).last().and_then(|id| change.plan.get(*id)).cloned() };
        Ok(change)
    }
}

impl Waiting {
    /// Who asked may have gone.
    fn done(self, result: Result<Change, ApplyError>) {
        let _ = self.answer.send(Answer::Done(Box::new(result)));
    }

    fn fail(self, error: ApplyError) {
        self.done(Err(error));
    }

    fn look_around(self) {
        let _ = self.answer.send(Answer::LookAround(Box::new(self.wish.flat)));
    }
}

fn fail_all(waiting: Vec<Waiting>, error: &sqlx::Error) {
    for one in waiting {
        one.fail(ApplyError::Database(db::same(error)));
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
