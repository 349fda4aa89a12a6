//! What agents share: leases, the tasks as one document, ready work, presence, and the log of events.

mod agents;
pub(super) mod events;
mod leases;
mod state;
mod tasks;
mod work;

use patchbay_core::{
    collab::{
        lease::{Guard, TTL_SECONDS, is_name},
        work::WorkError,
    },
    ids::LockId,
    patch::Fault,
};
use serde::Serialize;
use serde_json::Value;

use super::{Api, Page, op};
use crate::{extract::etag, problem::Problem};

pub(super) fn routes(api: Api) -> Api {
    let api = state::routes(api);
    let api = tasks::routes(api);
    let api = work::routes(api);
    let api = agents::routes(api);
    let api = leases::routes(api);
    events::routes(api)
}

/// JSON with one way to be written: members by name, no blanks.
fn canonical(value: &impl Serialize) -> Result<Vec<u8>, Problem> {
    let value: Value = serde_json::to_value(value).map_err(|error| Problem::ours(&error))?;
    serde_json::to_vec(&value).map_err(|error| Problem::ours(&error))
}

/// The strong tag of a value: of its canonical JSON.
fn tag(value: &impl Serialize) -> Result<String, Problem> {
    canonical(value).map(|bytes| etag(&bytes))
}

fn check_ttl(seconds: i32, faults: &mut Vec<Fault>) {
    if !TTL_SECONDS.contains(&seconds) {
        faults.push(Fault::new("/ttl_seconds", "it lasts one second to a day").found(seconds.to_string()).expected("1–86400"));
    }
}

fn check_name(path: &str, name: Option<&str>, faults: &mut Vec<Fault>) {
    if name.is_some_and(|name| !is_name(name)) {
        faults.push(Fault::new(path, "a name has 1–200 characters, without blanks at its ends"));
    }
}

fn check_text(path: &str, text: Option<&str>, faults: &mut Vec<Fault>) {
    if text.is_some_and(|text| text.chars().count() > 500) {
        faults.push(Fault::new(path, "this is too long").expected("at most 500 characters"));
    }
}

fn checked(faults: Vec<Fault>) -> Result<(), Problem> {
    if faults.is_empty() { Ok(()) } else { Err(Problem::invalid(faults)) }
}

/// The lease that a write is made under: both of its fields, or neither.
fn guard(lock_id: Option<LockId>, fencing_token: Option<i64>) -> Result<Option<Guard>, Problem> {
    match (lock_id, fencing_token) {
        (Some(lock_id), Some(fencing_token)) => Ok(Some(Guard { lock_id, fencing_token })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(Problem::fault("/fencing_token", "the lease's `lock_id` needs its `fencing_token` beside it")),
        (None, Some(_)) => Err(Problem::fault("/lock_id", "the lease's `fencing_token` needs its `lock_id` beside it")),
    }
}

/// What a change of a task is refused with.
fn problem(error: WorkError) -> Problem {
    match error {
        WorkError::NoTask(name) => Problem::not_found(format!("There is no task {name}.")),
        WorkError::Moved(task) => {
            let detail = format!("{} is not what If-Match names any more. `current` is what it is now: decide anew.", task.reference);
            let mut problem = Problem::moved(detail);
            problem.current = serde_json::to_value(task).ok();
            problem
        }
        WorkError::LeaseLost => Problem::lost(),
        WorkError::Held { resource, by } => Problem::held(&resource, by.as_deref(), None),
        WorkError::NotReady(why) => Problem::conflict("not-ready", why),
        WorkError::Apply(error) => error.into(),
    }
}
