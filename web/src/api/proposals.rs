//! Proposals: read them, see their diff, decide on them, talk about them.

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use patchbay_channels::{
    hub::{About, Incoming},
    render,
};
use patchbay_core::{
    command::CommandView,
    patch::{Fault, ProjectPatch, check::Rules, rebase::Choice, shape},
    review::{
        self, Comment, DecideError, Draft, Proposal, Resolved, Revision, State as ProposalState, Verdict,
        store::{self, Filter},
        view::{DiffView, ProposalView},
    },
    tenancy::Actor,
    workflow,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};
use sqlx::PgConnection;

use super::{Api, Page, commands, op, projects::find};
use crate::{
    app::App,
    extract::{Json, Path, Proposer, Query, Reader, Reviewer, page_size},
    problem::Problem,
    receipts::Receipted,
};

pub(super) fn routes(api: Api) -> Api {
    api.get(
        "/proposals",
        list,
        op("proposals", "List proposals, newest first").query::<ListQuery>().answer::<Page<ProposalView>>(200).problem(400).problem(404).problem(422),
    )
    .get("/proposals/{number}", read, op("proposals", "Read a proposal").query::<RevisionQuery>().answer::<ProposalView>(200).problem(400))
    .get(
        "/proposals/{number}/diff",
        diff,
        op("proposals", "See what a proposal would change")
            .query::<DiffQuery>()
            .answer::<DiffView>(200)
            .plain(200, "text/plain; charset=utf-8")
            .plain(200, "text/markdown; charset=utf-8")
            .plain(200, "text/html; charset=utf-8")
            .problem(400),
    )
    .post("/proposals/{number}/accept", accept, op("proposals", "Accept all, or chosen operations").body::<Accept>().answer::<ProposalView>(200).problem(409))
    .post("/proposals/{number}/reject", reject, op("proposals", "Turn a proposal down").body::<Reject>().answer::<ProposalView>(200).problem(409))
    .post(
        "/proposals/{number}/refine",
        refine,
        op("proposals", "Refine by saying how").body::<Refine>().answer::<CommandView>(200).answer::<CommandView>(202).problem(409).problem(429),
    )
    .post(
        "/proposals/{number}/edit",
        edit,
        op("proposals", "Change the patch itself, or single operations").body::<Edit>().answer::<ProposalView>(200).problem(409),
    )
    .post("/proposals/{number}/rebase", rebase, op("proposals", "Bring it to the plan as it is now").answer::<ProposalView>(200).problem(409))
    .post(
        "/proposals/{number}/resolve",
        resolve,
        op("proposals", "Settle a conflict with what others did").body::<Resolve>().answer::<ProposalView>(200).problem(409),
    )
    .post("/proposals/{number}/withdraw", withdraw, op("proposals", "Take a proposal back").answer::<ProposalView>(200).problem(409))
    .post("/proposals/{number}/comments", comment, op("proposals", "Say something about it").body::<NewComment>().answer::<Comment>(201).problem(409))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    state: Option<Listed>,
    /// A project's id or key.
    #[schemars(length(max = 100))]
    project: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// `meta.next_cursor` of the page before.
    #[schemars(length(max = 100))]
    cursor: Option<String>,
}

/// A state of proposals, or those open ones that clash with what others did since.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Listed {
    Draft,
    Open,
    Accepted,
    Applied,
    Rejected,
    Withdrawn,
    Expired,
    Conflicted,
}

impl Listed {
    const fn state(self) -> ProposalState {
        match self {
            Self::Draft => ProposalState::Draft,
            Self::Open | Self::Conflicted => ProposalState::Open,
            Self::Accepted => ProposalState::Accepted,
            Self::Applied => ProposalState::Applied,
            Self::Rejected => ProposalState::Rejected,
            Self::Withdrawn => ProposalState::Withdrawn,
            Self::Expired => ProposalState::Expired,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RevisionQuery {
    /// Absent: the newest.
    #[schemars(range(min = 1))]
    revision: Option<i32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DiffQuery {
    /// Absent: the newest.
    #[schemars(range(min = 1))]
    revision: Option<i32>,
    /// The revision that `refined` compares with. Absent: the one before.
    #[schemars(range(min = 1))]
    against: Option<i32>,
    #[serde(default)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Format {
    #[default]
    Json,
    Text,
    Markdown,
    Html,
    /// The patch itself as text, which can be sent back to `POST /projects/{project}/patches`.
    Patch,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Accept {
    /// The operations to accept, by their index from 1. Absent: all.
    #[schemars(length(max = 500))]
    ops: Option<Vec<i32>>,
    /// The digest of the revision that was looked at: another one answers 409.
    #[schemars(length(max = 100))]
    digest: Option<String>,
}

/// Either a side to take, or another value.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Resolve {
    /// The conflict's number, from 1.
    #[schemars(range(min = 1))]
    conflict: usize,
    take: Option<Side>,
    /// As the patch would give it.
    #[serde(default, deserialize_with = "given")]
    value: Option<Value>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Side {
    /// As the proposal wants it.
    Ours,
    /// As it is now.
    Theirs,
}

/// A value that is given, also where it is null.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reject {
    #[schemars(length(max = 2000))]
    reason: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Refine {
    #[schemars(length(min = 1, max = 20000))]
    text: String,
}

/// Either a whole patch, or new fields for single operations.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Edit {
    #[schemars(with = "Option<ProjectPatch>")]
    patch: Option<Box<RawValue>>,
    #[schemars(length(max = 500))]
    operations: Option<Vec<EditOperation>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EditOperation {
    /// From 1.
    #[schemars(range(min = 1))]
    index: usize,
    /// The fields of the operation's body that change. Null clears a field of a task that is there, and takes one away from a new task.
    body: Map<String, Value>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewComment {
    /// Markdown.
    #[schemars(length(min = 1, max = 10000))]
    text: String,
    /// An operation, from 1; absent: the whole.
    #[schemars(range(min = 1))]
    operation: Option<i32>,
}

/// A proposal as the API shows it, at its newest revision where none is given.
pub(super) async fn view(conn: &mut PgConnection, proposal: Proposal, revision: Option<Revision>) -> Result<ProposalView, Problem> {
    let revision = match revision {
        Some(revision) => revision,
        None => store::revision(&mut *conn, proposal.id, proposal.revision).await?,
    };
    let comments = store::list_comments(&mut *conn, proposal.id).await?;
    let revisions = store::list_revisions(&mut *conn, proposal.id).await?;
    let standing = review::standing(conn, &proposal, &revision).await?;
    Ok(ProposalView { standing: Some(standing), ..ProposalView::new(proposal, revision, comments, revisions) })
}

/// The proposal as it is now, to be looked at: that it clashes, or that it would not do what was shown.
async fn look_again(conn: &mut PgConnection, draft: Draft) -> Result<Problem, Problem> {
    let problem = Problem::clash(&draft);
    Ok(problem.with_current(&view(conn, draft.proposal, Some(draft.revision)).await?))
}

/// Why a decision has no effect; where the proposal is not what was looked at, with the proposal as it is now.
async fn refusal(conn: &mut PgConnection, error: DecideError) -> Problem {
    let number = match &error {
        DecideError::Refined { number, .. } => *number,
        DecideError::Conflicted(draft) => draft.proposal.number,
        _ => return error.into(),
    };
    let problem = Problem::from(error);
    let current = async {
        match store::find(&mut *conn, number).await? {
            Some(proposal) => view(conn, proposal, None).await.map(Some),
            None => Ok(None),
        }
    };
    match current.await {
        Ok(Some(current)) => problem.with_current(&current),
        Ok(None) => problem,
        Err(failed) => failed,
    }
}

/// The proposal that a path names, where the caller may see it.
pub(super) async fn load(conn: &mut PgConnection, actor: &Actor, number: i32) -> Result<Proposal, Problem> {
    let proposal = store::find(conn, number).await?;
    proposal
        .filter(|proposal| actor.project.is_none() || actor.project == proposal.project)
        .ok_or_else(|| Problem::not_found(format!("There is no proposal #{number}.")))
}

async fn list(State(app): State<App>, reader: Reader, Query(query): Query<ListQuery>) -> Result<Json<Page<ProposalView>>, Problem> {
    let size = page_size(query.limit)?;
    let below = match query.cursor.as_deref().map(str::parse) {
        None => None,
        Some(Ok(below)) => Some(below),
        Some(Err(_)) => return Err(Problem::malformed("The cursor is not one of ours.")),
    };
    let mut tx = app.db.begin(reader.organization).await?;
    let project = match &query.project {
        Some(name) => Some(find(&mut tx, &reader, name).await?.project.id),
        None => reader.project,
    };
    let conflicted = matches!(query.state, Some(Listed::Conflicted));
    let rows = store::list(&mut tx, Filter { state: query.state.map(Listed::state), conflicted, project, below }, size + 1).await?;
    tx.rollback().await?;
    Ok(Json(Page::of(
        rows,
        size,
        |(proposal, _)| proposal.number.to_string(),
        |(proposal, revision)| ProposalView::new(proposal, revision, Vec::new(), Vec::new()),
    )))
}

async fn read(State(app): State<App>, reader: Reader, Path(number): Path<i32>, Query(query): Query<RevisionQuery>) -> Result<Json<ProposalView>, Problem> {
    let mut tx = app.db.begin(reader.organization).await?;
    let proposal = load(&mut tx, &reader, number).await?;
    let revision = find_revision(&mut tx, &proposal, query.revision).await?;
    let view = view(&mut tx, proposal, Some(revision)).await?;
    tx.rollback().await?;
    Ok(Json(view))
}

async fn find_revision(conn: &mut PgConnection, proposal: &Proposal, revision: Option<i32>) -> Result<Revision, Problem> {
    let wanted = revision.unwrap_or(proposal.revision);
    let found = store::find_revision(conn, proposal.id, wanted).await?;
    found.ok_or_else(|| Problem::not_found(format!("#{} has no revision {wanted}; the newest is {}.", proposal.number, proposal.revision)))
}

async fn diff(State(app): State<App>, reader: Reader, Path(number): Path<i32>, Query(query): Query<DiffQuery>) -> Result<Response, Problem> {
    let mut tx = app.db.begin(reader.organization).await?;
    let proposal = load(&mut tx, &reader, number).await?;
    let revision = find_revision(&mut tx, &proposal, query.revision).await?;
    let before = match query.against {
        Some(against) => Some(find_revision(&mut tx, &proposal, Some(against)).await?),
        None if revision.revision > 1 => store::find_revision(&mut tx, proposal.id, revision.revision - 1).await?,
        None => None,
    };
    tx.rollback().await?;
    let (kind, text) = match query.format {
        Format::Json => return Ok(Json(DiffView::new(&proposal, revision, before.as_ref().map(|before| &before.diff))).into_response()),
        Format::Text => ("text/plain; charset=utf-8", render::revision(number, &revision).text()),
        Format::Patch => ("text/plain; charset=utf-8", render::text::render(&revision.patch)),
        Format::Markdown => ("text/markdown; charset=utf-8", render::revision(number, &revision).markdown()),
        Format::Html => ("text/html; charset=utf-8", render::revision(number, &revision).html()),
    };
    let mut response = text.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(response)
}

async fn accept(
    State(app): State<App>,
    reviewer: Reviewer,
    Path(number): Path<i32>,
    Json(input): Json<Accept>,
) -> Result<(Receipted, Json<ProposalView>), Problem> {
    let mut tx = app.db.begin(reviewer.organization).await?;
    let verdict = match review::accept(&mut tx, app.ctx.as_ref(), &reviewer, number, input.ops.as_deref(), input.digest.as_deref()).await {
        Ok(verdict) => verdict,
        Err(error) => return Err(refusal(&mut tx, error).await),
    };
    let answer = match verdict {
        Verdict::Applied(accepted) => Ok(Json(view(&mut tx, accepted.proposal, Some(accepted.revision)).await?)),
        // Its `standing` says what is needed still.
        Verdict::Waits(waiting) => Ok(Json(view(&mut tx, waiting.proposal, Some(waiting.revision)).await?)),
        // What it is now is kept, to be looked at.
        Verdict::LookAgain(draft) => Err(look_again(&mut tx, draft).await?),
    };
    tx.commit().await?;
    app.committed(reviewer.organization);
    answer.map(|view| (app.receipts.of(reviewer.organization), view))
}

async fn rebase(State(app): State<App>, proposer: Proposer, Path(number): Path<i32>) -> Result<Json<ProposalView>, Problem> {
    let mut tx = app.db.begin(proposer.organization).await?;
    let draft = review::rebase(&mut tx, app.ctx.as_ref(), &proposer, number).await?;
    let view = view(&mut tx, draft.proposal, Some(draft.revision)).await?;
    tx.commit().await?;
    app.committed(proposer.organization);
    Ok(Json(view))
}

async fn resolve(State(app): State<App>, proposer: Proposer, Path(number): Path<i32>, Json(input): Json<Resolve>) -> Result<Json<ProposalView>, Problem> {
    let choice = match (input.take, input.value) {
        (Some(Side::Ours), None) => Choice::Ours,
        (Some(Side::Theirs), None) => Choice::Theirs,
        (None, Some(value)) => Choice::Value(value),
        _ => return Err(Problem::invalid(vec![Fault::new("", "give either `take` or `value`")])),
    };
    let mut tx = app.db.begin(proposer.organization).await?;
    let resolved = match review::resolve(&mut tx, app.ctx.as_ref(), &proposer, number, input.conflict, &choice).await {
        Ok(resolved) => resolved,
        Err(error) => return Err(refusal(&mut tx, error).await),
    };
    let answer = match resolved {
        Resolved::Settled(draft) => Ok(Json(view(&mut tx, draft.proposal, Some(draft.revision)).await?)),
        Resolved::LookAgain(draft) => Err(look_again(&mut tx, draft).await?),
    };
    tx.commit().await?;
    app.committed(proposer.organization);
    answer
}

async fn reject(State(app): State<App>, reviewer: Reviewer, Path(number): Path<i32>, Json(input): Json<Reject>) -> Result<Json<ProposalView>, Problem> {
    let reason = input.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
    if reason.is_some_and(|reason| reason.chars().count() > 2000) {
        return Err(Problem::fault("/reason", "a reason has at most 2000 characters"));
    }
    let mut tx = app.db.begin(reviewer.organization).await?;
    let proposal = review::reject(&mut tx, app.ctx.as_ref(), &reviewer, number, reason).await?;
    let view = view(&mut tx, proposal, None).await?;
    tx.commit().await?;
    app.committed(reviewer.organization);
    Ok(Json(view))
}

async fn withdraw(State(app): State<App>, proposer: Proposer, Path(number): Path<i32>) -> Result<Json<ProposalView>, Problem> {
    let mut tx = app.db.begin(proposer.organization).await?;
    let proposal = review::withdraw(&mut tx, app.ctx.as_ref(), &proposer, number).await?;
    let view = view(&mut tx, proposal, None).await?;
    tx.commit().await?;
    app.committed(proposer.organization);
    Ok(Json(view))
}

async fn refine(
    State(app): State<App>,
    proposer: Proposer,
    headers: axum::http::HeaderMap,
    Path(number): Path<i32>,
    Json(input): Json<Refine>,
) -> Result<Response, Problem> {
    let mut tx = app.db.begin(proposer.organization).await?;
    let proposal = load(&mut tx, &proposer, number).await?;
    tx.rollback().await?;
    if proposal.state != ProposalState::Open {
        return Err(Problem::conflict("decided", format!("#{number} is {} already.", proposal.state.as_str())));
    }
    commands::check_text(&input.text)?;
    let about = About { proposal: Some(number), conversation: proposal.conversation, ..About::default() };
    let client_id = commands::client_id(&headers);
    commands::take(&app, &proposer, &headers, Incoming { text: input.text, about, client_id, origin: commands::origin(&proposer), attached: Vec::new() }).await
}

async fn edit(State(app): State<App>, proposer: Proposer, Path(number): Path<i32>, Json(input): Json<Edit>) -> Result<Json<ProposalView>, Problem> {
    let mut tx = app.db.begin(proposer.organization).await?;
    let draft = review::rebase(&mut tx, app.ctx.as_ref(), &proposer, number).await?;
    let places: Option<Vec<usize>> = input.operations.as_ref().map(|operations| operations.iter().map(|edit| edit.index).collect());
    let as_sent = |problem: Problem| match &places {
        None => problem.below("/patch"),
        Some(places) => problem.relocated(|path| place_of(places, path)),
    };
    let mut patch = match (input.patch, input.operations) {
        (Some(patch), None) => shape::parse(patch.get().as_bytes()).map_err(|faults| Problem::invalid(faults).below("/patch"))?,
        (None, Some(_)) if !draft.revision.conflicts.is_empty() => {
            let problem = look_again(&mut tx, draft).await?;
            tx.commit().await?;
            app.committed(proposer.organization);
            return Err(problem);
        }
        (None, Some(operations)) => {
            let patch = edited(&draft.revision.patch, &operations)?;
            shape::parse(&patch).map_err(|faults| as_sent(Problem::invalid(faults)))?
        }
        _ => return Err(Problem::invalid(vec![Fault::new("", "give either `patch` or `operations`")])),
    };
    let proposal = draft.proposal;
    patch.project_id = proposal.project.map(|project| project.to_string());
    patch.base_version = None;
    let rules = Rules { history: proposal.origin == review::REVERT, ..Rules::of(proposer.role) };
    let prepared = workflow::check(&mut tx, app.ctx.as_ref(), &proposer, patch, &rules).await.map_err(|error| as_sent(error.into()))?.into();
    let draft = review::refine(&mut tx, app.ctx.as_ref(), &proposer, &proposal, &prepared, "edited").await?;
    let view = view(&mut tx, draft.proposal, Some(draft.revision)).await?;
    tx.commit().await?;
    app.committed(proposer.organization);
    Ok(Json(view))
}

/// Where in the request a fault of the edited patch was written: `/tasks/2/body/title` by whichever edit is of operation 3.
fn place_of(edits: &[usize], path: &str) -> String {
    let inner = path.strip_prefix("/tasks/").map(|rest| rest.split_once('/').unwrap_or((rest, "")));
    let edit = inner.and_then(|(index, field)| {
        let number = index.parse::<usize>().ok()? + 1;
        Some((edits.iter().rposition(|edit| *edit == number)?, field))
    });
    match edit {
        Some((at, "")) => format!("/operations/{at}"),
        Some((at, field)) => format!("/operations/{at}/{field}"),
        // An operation that was left as it is no longer fits the others.
        None => "/operations".to_owned(),
    }
}

/// The patch with the given fields put into its operations, as it would be sent.
fn edited(patch: &ProjectPatch, operations: &[EditOperation]) -> Result<Vec<u8>, Problem> {
    let mut value = serde_json::to_value(patch).map_err(|error| Problem::ours(&error))?;
    let count = patch.tasks.len();
    let mut faults = Vec::new();
    for (at, edit) in operations.iter().enumerate() {
        let task = edit.index.checked_sub(1).and_then(|index| value["tasks"].get_mut(index));
        let is_new = task.as_ref().is_some_and(|task| task["op"] == "create");
        let Some(body) = task.and_then(|task| task["body"].as_object_mut()) else {
            faults.push(Fault::new(format!("/operations/{at}/index"), format!("there is no operation {}", edit.index)).expected(format!("1–{count}")));
            continue;
        };
        for (field, new) in &edit.body {
            if is_new && new.is_null() {
                body.remove(field);
            } else {
                body.insert(field.clone(), new.clone());
            }
        }
    }
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    serde_json::to_vec(&value).map_err(|error| Problem::ours(&error))
}

async fn comment(State(app): State<App>, proposer: Proposer, Path(number): Path<i32>, Json(input): Json<NewComment>) -> Result<Response, Problem> {
    let text = input.text.trim();
    if text.is_empty() || input.text.chars().count() > 10_000 {
        return Err(Problem::invalid(vec![Fault::new("/text", "a comment has 1–10000 characters")]));
    }
    let mut tx = app.db.begin(proposer.organization).await?;
    let (_, comment) = review::comment(&mut tx, app.ctx.as_ref(), &proposer, number, text, input.operation).await?;
    tx.commit().await?;
    app.committed(proposer.organization);
    Ok((StatusCode::CREATED, Json(comment)).into_response())
}
