//! Errors as the outside sees them: one type for all (RFC 9457), with every fault listed.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use patchbay_core::{
    collab::lease::{Lease, PLACE_SECONDS},
    patch::{Fault, rebase::Conflict},
    review::{DecideError, Draft},
    workflow::{ApplyError, Since},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

tokio::task_local! {
    /// The id of the request that is being answered.
    pub static REQUEST_ID: String;
}

/// A problem. `type` is stable and may be switched on; the rest is for people.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Problem {
    /// `/problems/not-found` and the like.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// What happened and how to mend it.
    pub detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<FaultSchema>")]
    pub errors: Vec<Fault>,
    /// What changed in the plan since the version that a patch was made for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub since: Vec<Since>,
    /// Where a proposal, or taking a change back, clashes with what others did since.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
    /// What is there now: the task or proposal that has changed, the lease that is in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<Value>,
    /// The place in the queue, from 1, of who waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_position: Option<i64>,
    /// Names the log line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    #[serde(skip)]
    retry_after: Option<u64>,
}

/// One fault of a request.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Fault")]
struct FaultSchema {
    /// JSON Pointer into the request's body, or `/` and the name of a query's parameter; empty for the whole.
    path: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Problem {
    pub fn new(status: StatusCode, kind: &str, title: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("/problems/{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            since: Vec::new(),
            conflicts: Vec::new(),
            current: None,
            queue_position: None,
            request_id: None,
            retry_after: None,
        }
    }

    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", "The request cannot be read", detail)
    }

    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Who are you?", detail)
    }

    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "You may not do this", detail)
    }

    pub fn not_found(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing", what)
    }

    pub fn conflict(kind: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, kind, "The present state does not allow this", detail)
    }

    /// A reader comes back for events that were dropped.
    pub fn forgotten(kept_from: i64) -> Self {
        let detail = format!(
            "Events below {kept_from} are no longer kept, so some that you have not seen are gone. Read the state anew, then go on from `since={kept_from}`, or from the first that there is: `since=0`."
        );
        let mut problem = Self::new(StatusCode::GONE, "forgotten", "No longer kept", detail);
        problem.errors = vec![Fault::new("/since", "this is older than what is kept").expected(format!("0, or at least {kept_from}"))];
        problem
    }

    /// A proposal that the plan has moved on from: its conflicts, or that it is to be looked at again.
    pub fn clash(draft: &Draft) -> Self {
        let (number, revision) = (draft.proposal.number, draft.proposal.revision);
        if draft.revision.conflicts.is_empty() {
            let detail = format!("The plan has changed, and what #{number} would do is not what you looked at. Look at revision {revision} and decide again.");
            return Self::conflict("rebased", detail);
        }
        let detail = format!("#{number} clashes with what others did since. Settle each conflict with POST /proposals/{number}/resolve.");
        Self::clashing(&draft.revision.conflicts, detail)
    }

    /// A patch for an older version, with what it clashes with.
    #[must_use]
    pub fn stale_with(self, conflicts: &[Conflict]) -> Self {
        let what = if conflicts.is_empty() {
            "It clashes with nothing that was done since: proposed, it is merged."
        } else {
            "It clashes with what was done since: proposed, each conflict can be settled."
        };
        let detail = format!("{} {what}", self.detail);
        Self { errors: conflicts.iter().map(clash_fault).collect(), conflicts: conflicts.to_vec(), detail, ..self }
    }

    /// A revision that cannot be taken back at once.
    pub fn harms(key: &str, number: i32, conflicts: &[Conflict]) -> Self {
        let detail = format!(
            "Version {number} of {key} cannot be taken back without harming what was done later. POST /projects/{key}/revert proposes it, and there it can be settled."
        );
        Self::clashing(conflicts, detail)
    }

    fn clashing(conflicts: &[Conflict], detail: String) -> Self {
        Self { errors: conflicts.iter().map(clash_fault).collect(), conflicts: conflicts.to_vec(), ..Self::conflict("conflicted", detail) }
    }

    /// A resource that somebody else holds, or waits for.
    pub fn held(resource: &str, by: Option<&Lease>, place: Option<i64>) -> Self {
        let detail = match (by, place) {
            (Some(lease), _) => {
                format!("{resource} is held by {} until {}, if there is no heartbeat before.", lease.holder, lease.expires_at.format("%H:%M:%S UTC"))
            }
            (None, _) => format!("{resource} is free, but others wait for it."),
        };
        let detail = place.map_or_else(
            || detail.clone(),
            |place| format!("{detail} You are number {place} in the queue; ask again within {PLACE_SECONDS} seconds to keep your place."),
        );
        Self { current: by.and_then(|lease| serde_json::to_value(lease).ok()), queue_position: place, ..Self::conflict("held", detail) }
    }

    /// A lease that ended, or was never the caller's.
    pub fn lost() -> Self {
        Self::conflict(
            "lease-lost",
            "This lease is not yours, has run out or was taken from you. What it protected may have changed: look before you ask for it again.",
        )
    }

    /// The first request with a key is still being worked on.
    pub fn running(left: Duration) -> Self {
        let detail = "The first request with this Idempotency-Key is still being worked on. Ask again, with the same key, for its answer.";
        Self { retry_after: Some(left.as_secs().max(1)), ..Self::conflict("running", detail) }
    }

    pub fn moved(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "moved", "It has changed since you looked", detail)
    }

    pub fn invalid(errors: Vec<Fault>) -> Self {
        let detail = told(&errors);
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The request is not valid", detail) }
    }

    pub fn fault(path: &str, message: impl Into<String>) -> Self {
        Self::invalid(vec![Fault::new(path, message)])
    }

    pub fn too_many(seconds: u64) -> Self {
        let detail = format!("Wait {seconds} seconds and try again.");
        Self { retry_after: Some(seconds), ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many", "Too many attempts", detail) }
    }

    /// Somebody writes more than is taken; `limit` says how much that is.
    pub fn too_many_messages(limit: &dyn std::fmt::Display, wait: Duration) -> Self {
        let limit = limit.to_string();
        let (first, rest) = limit.split_at(limit.chars().next().map_or(0, char::len_utf8));
        let seconds = wait.as_secs().max(1);
        let detail = format!("{}{rest}. Wait {seconds} seconds and send this again: it was not taken.", first.to_uppercase());
        Self { retry_after: Some(seconds), ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many", "Too many messages", detail) }
    }

    /// In how many seconds it is worth trying again.
    pub const fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }

    /// A client's name for a request was given to another one before.
    pub fn reused(name: &str) -> Self {
        Self::invalid(vec![Fault::new("", format!("{name} came with another request before")).fix("take a new one for a new request")])
    }

    /// A reader says that it has seen what was not told yet.
    pub fn ahead(since: i64, newest: i64) -> Self {
        let fault = Fault::new("/since", "nothing so new was told yet: of what comes until then you would hear nothing").found(since.to_string());
        let mut problem = Self::invalid(vec![fault.expected(format!("at most {newest}, the newest"))]);
        problem.detail =
            format!("Nothing so new as `since={since}` was told yet. The newest is {newest}: read the state anew, then go on from `since={newest}`.");
        problem
    }

    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self { retry_after: Some(5), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available now", detail) }
    }

    /// A bug or an outage of ours: logged here with all its causes, told only by its id.
    pub fn ours(error: &dyn std::error::Error) -> Self {
        let mut chain = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            chain.push_str(": ");
            chain.push_str(&cause.to_string());
            source = cause.source();
        }
        tracing::error!(error = %chain, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side", "The request id finds the reason in the log.")
    }

    /// With what is there now, as its own address answers it.
    #[must_use]
    pub fn with_current(self, current: &impl Serialize) -> Self {
        Self { current: serde_json::to_value(current).ok(), ..self }
    }

    /// Puts every fault's path below a field of the request.
    #[must_use]
    pub fn below(self, field: &str) -> Self {
        self.relocated(|path| format!("{field}{path}"))
    }

    /// Tells every fault where the caller wrote what is at fault: `place` makes that path of the one that the fault has.
    #[must_use]
    pub fn relocated(mut self, place: impl Fn(&str) -> String) -> Self {
        for fault in &mut self.errors {
            fault.path = place(&fault.path);
        }
        if self.kind == INVALID {
            self.detail = told(&self.errors);
        }
        self
    }

    /// Both, or the faults of both.
    pub fn both<A, B>(one: Result<A, Self>, other: Result<B, Self>) -> Result<(A, B), Self> {
        match (one, other) {
            (Ok(one), Ok(other)) => Ok((one, other)),
            (Err(one), Err(other)) if one.kind == INVALID && other.kind == INVALID => Err(Self::invalid([one.errors, other.errors].concat())),
            (Err(problem), _) | (_, Err(problem)) => Err(problem),
        }
    }

    /// Faults of a patch with one update, as faults of that task's fields.
    #[must_use]
    pub fn of_one_task(self) -> Self {
        self.relocated(|path| path.strip_prefix("/tasks/0/body").unwrap_or(path).to_owned())
    }
}

const INVALID: &str = "/problems/invalid";

/// What is wrong, in one line.
fn told(errors: &[Fault]) -> String {
    match errors {
        [one] => one.to_string(),
        many => format!("{} faults were found; nothing was changed.", many.len()),
    }
}

fn clash_fault(conflict: &Conflict) -> Fault {
    Fault::new(conflict.path.clone(), conflict.why.clone()).found(conflict.theirs.to_string()).expected(conflict.ours.to_string())
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) | sqlx::Error::PoolClosed => {
                tracing::warn!(%error, "the database does not answer");
                Self::unavailable("The database does not answer in time. Nothing was changed; try again.")
            }
            // `mark_key`: this request was given up, and another attempt at it goes on.
            sqlx::Error::Database(error) if error.code().as_deref() == Some("PB001") => Self::running(Duration::from_secs(1)),
            error => Self::ours(&error),
        }
    }
}

impl From<ApplyError> for Problem {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::NoProject(name) => Self::not_found(format!("There is no project {name}.")),
            ApplyError::Stale { ref project, base, version, .. } => {
                let detail = format!(
                    "The patch is for version {base} of {project}, which is at version {version}. Look at what changed since and send the patch for that version."
                );
                let mut problem = Self::conflict("stale", detail);
                if let ApplyError::Stale { since, .. } = error {
                    problem.since = since;
                }
                problem
            }
            ApplyError::Faults(faults) => Self::invalid(faults),
            ApplyError::Database(error) => error.into(),
        }
    }
}

impl From<DecideError> for Problem {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::NotFound(number) => Self::not_found(format!("There is no proposal #{number}.")),
            DecideError::Decided(proposal) => {
                let by = proposal.decided.as_ref().map_or_else(String::new, |decided| format!(" by {}", decided.by));
                Self::conflict("decided", format!("#{} is {} already{by}.", proposal.number, proposal.state.as_str()))
            }
            DecideError::Refined { number, revision } => {
                Self::conflict("refined", format!("#{number} was refined since you looked: it is at revision {revision}. Look at it and decide again."))
            }
            DecideError::Conflicted(draft) => Self::clash(&draft),
            DecideError::NotAllowed(why) => Self::forbidden(why),
            DecideError::Choice(faults) => {
                let detail = format!("Nothing was changed: {}.", faults.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>().join("; "));
                Self { errors: faults, ..Self::conflict("choice", detail) }
            }
            DecideError::Invalid(faults) => Self::invalid(faults),
            DecideError::Apply(error) => error.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        self.request_id = REQUEST_ID.try_with(Clone::clone).ok();
        let body = serde_json::to_vec(&self).expect("a problem is JSON");
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == 401 {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"patchbay\""));
        }
        response
    }
}
