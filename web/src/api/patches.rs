//! Patches as programs send them: proposed, or applied at once.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use patchbay_channels::render;
use patchbay_core::{
    patch::{
        Fault, ProjectPatch,
        check::{self, Rules},
        normalise, shape,
    },
    review::{self, NewProposal, Proposed, view::ProposalView},
    tenancy::{Scope, Trust},
    workflow::{self, ApplyError, Origin},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;
use sqlx::PgConnection;

use super::{
    Api, op,
    projects::{Applied, find},
};
use crate::{
    app::App,
    extract::{Json, Path, Proposer},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.post(
        "/projects/{project}/patches",
        send,
        op("patches", "Propose a patch, or apply it at once").body::<SentPatch>().answer::<Applied>(200).answer::<ProposalView>(201).problem(409),
    )
    .post(
        "/patches",
        send_new,
        op("patches", "Propose or make a new project by a patch").body::<SentPatch>().answer::<Applied>(200).answer::<ProposalView>(201).problem(409),
    )
}

const MAX_MESSAGE: usize = 10_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SentPatch {
    #[schemars(with = "Option<ProjectPatch>")]
    patch: Option<Box<RawValue>>,
    /// The patch as text, in place of `patch`: as `GET /proposals/{number}/diff?format=patch` writes it.
    text: Option<String>,
    #[serde(default)]
    mode: Mode,
    /// Words for the reviewer, where it is proposed.
    #[serde(default)]
    #[schemars(length(max = MAX_MESSAGE))]
    message: String,
}

impl SentPatch {
    /// Tells faults of the patch where it stands in the request; within a text there are no paths, only operations.
    fn as_sent(&self, mut problem: Problem) -> Problem {
        if self.text.is_none() {
            return problem.below("/patch");
        }
        for fault in &mut problem.errors {
            let operation = fault.path.strip_prefix("/tasks/").and_then(|rest| rest.split('/').next()?.parse::<usize>().ok());
            if let Some(at) = operation {
                fault.message.insert_str(0, &format!("operation {}: ", at + 1));
            }
        }
        problem.relocated(|_| "/text".to_owned())
    }
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Mode {
    #[default]
    Propose,
    Apply,
}

async fn send(State(app): State<App>, proposer: Proposer, Path(name): Path<String>, Json(input): Json<SentPatch>) -> Result<Response, Problem> {
    let patch = read(&input)?;
    // Only a patch that names it otherwise than the address does costs a look of its own.
    if let Some(given) = patch.project_id.as_ref().filter(|given| !given.eq_ignore_ascii_case(&name)) {
        let mut tx = app.db.begin(proposer.organization).await?;
        let row = find(&mut tx, &proposer, &name).await?;
        tx.rollback().await?;
        if !given.eq_ignore_ascii_case(&row.project.key) && *given != row.project.id.to_string() {
            let fault = Fault::new("/patch/project_id", "the patch is for another project than the address").found(given.clone()).expected(row.project.key);
            return Err(Problem::invalid(vec![fault]));
        }
    }
    take(&app, &proposer, ProjectPatch { project_id: Some(name), ..patch }, &input).await
}

async fn send_new(State(app): State<App>, proposer: Proposer, Json(input): Json<SentPatch>) -> Result<Response, Problem> {
    let patch = read(&input)?;
    if proposer.project.is_some() {
        return Err(Problem::forbidden("This key is for one project and cannot make others."));
    }
    if let Some(given) = patch.project_id {
        let fault = Fault::new("/patch/project_id", "this address is for new projects").found(given).fix("send it to /api/v1/projects/{project}/patches");
        return Err(Problem::invalid(vec![fault]));
    }
    take(&app, &proposer, patch, &input).await
}

fn read(input: &SentPatch) -> Result<ProjectPatch, Problem> {
    if input.message.chars().count() > MAX_MESSAGE {
        return Err(Problem::fault("/message", format!("a message has at most {MAX_MESSAGE} characters")));
    }
    match (&input.patch, &input.text) {
        (Some(patch), None) => shape::parse(patch.get().as_bytes()).map_err(|faults| Problem::invalid(faults).below("/patch")),
        (None, Some(text)) => {
            let patch = render::text::parse(text).map_err(|fault| Problem::fault("/text", format!("line {}: {}", fault.line, fault.what)))?;
            // What was written by hand is held to the same sizes.
            let bytes = serde_json::to_vec(&patch).map_err(|error| Problem::ours(&error))?;
            shape::parse(&bytes).map_err(|faults| input.as_sent(Problem::invalid(faults)))
        }
        _ => Err(Problem::invalid(vec![Fault::new("", "give either `patch` or `text`")])),
    }
}

async fn take(app: &App, proposer: &Proposer, patch: ProjectPatch, input: &SentPatch) -> Result<Response, Problem> {
    match input.mode {
        Mode::Apply if !proposer.may(Scope::Apply) => {
            Err(Problem::forbidden("To apply at once takes the scope `apply`; send it with `\"mode\": \"propose\"`."))
        }
        Mode::Apply => {
            let origin = if proposer.key.is_some() { Origin::Key } else { Origin::Form };
            let kept = patch.base_version.is_some().then(|| patch.clone());
            let change = match (app.apply(proposer, patch, origin).await, kept) {
                (Ok(change), _) => change,
                (Err(problem), Some(patch)) if problem.kind == "/problems/stale" => {
                    return Err(input.as_sent(stale(app, proposer, patch, problem).await?));
                }
                (Err(problem), _) => return Err(input.as_sent(problem)),
            };
            Ok((app.receipts.of(proposer.organization), Json(Applied::of(&change))).into_response())
        }
        Mode::Propose => {
            // Under the lock, so that what it was and what it is are of one moment.
            let mut tx = workflow::begin(&app.db, proposer.organization, patch.project_id.as_deref()).await?;
            let prepared = propose(&mut tx, app, proposer, patch).await.map_err(|error| input.as_sent(error.into()))?;
            let new = NewProposal { actor: proposer, proposed: &prepared, message: &input.message, origin: "api", trust: Trust::Verified, conversation: None };
            let draft = review::open(&mut tx, app.ctx.as_ref(), &new).await?;
            let view = super::proposals::view(&mut tx, draft.proposal, Some(draft.revision)).await?;
            tx.commit().await?;
            app.committed(proposer.organization);
            Ok((StatusCode::CREATED, Json(view)).into_response())
        }
    }
}

/// A patch that is not applied, because it was made for an older version: what it clashes with, were it proposed.
async fn stale(app: &App, who: &Proposer, patch: ProjectPatch, problem: Problem) -> Result<Problem, Problem> {
    let mut tx = app.db.begin(who.organization).await?;
    let merged = match propose(&mut tx, app, who, patch).await {
        Ok(merged) => merged,
        Err(ApplyError::Database(error)) => return Err(error.into()),
        // It would not do as a proposal either, and is stale all the same.
        Err(_) => return Ok(problem),
    };
    tx.rollback().await?;
    Ok(problem.stale_with(&merged.conflicts))
}

/// A patch that was made for an older version is merged with what others did since.
async fn propose(conn: &mut PgConnection, app: &App, proposer: &Proposer, mut patch: ProjectPatch) -> Result<Proposed, ApplyError> {
    let rules = Rules::of(proposer.role);
    if let (Some(name), Some(base)) = (&patch.project_id, patch.base_version)
        && let Some(row) = workflow::store::find_project(conn, name).await?.filter(|row| proposer.sees(row.project.id))
        && (1..row.project.version).contains(&base)
    {
        let seen = workflow::at(conn, &row, base).await?;
        patch.base_version = None;
        // What it never fitted is told as a fault, and not as a conflict.
        check::check(&seen, normalise::flatten(patch.clone()), &rules).map_err(ApplyError::Faults)?;
        return review::merge_from(conn, &seen, patch, &rules).await;
    }
    Ok(workflow::check(conn, app.ctx.as_ref(), proposer, patch, &rules).await?.into())
}
