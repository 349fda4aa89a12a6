//! The log of events: telling, reading, following.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::stream;
use patchbay_channels::render;
use patchbay_core::{
    collab::{
        event::{Event, Filter, name_fault},
        lease,
        store::{append_seq, list_newest},
    },
    ids::LockId,
    patch::Fault,
    tenancy::Actor,
    workflow::store::{find_project, locate},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{Api, Page, check_name, checked, guard, op};
use crate::{
    api::Meta,
    app::App,
    auth::Pass,
    extract::{Json, Proposer, Query, Reader, page_size},
    live::{self, Form},
    problem::Problem,
};

/// How long a stream is silent before it says that it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The longest that a request waits for events, in seconds.
const MAX_WAIT: u32 = 60;
/// The most that an event's details may be, in bytes.
const MAX_DETAILS: usize = 16 * 1024;

pub(super) fn routes(api: Api) -> Api {
    api.post("/collab/events", tell, op("collab", "Tell of something").body::<Tell>().answer::<Event>(201).problem(404).problem(409))
        .get(
            "/collab/events",
            list,
            op("collab", "Events, oldest first, or newest first").query::<ListQuery>().answer::<Page<Event>>(200).problem(400).problem(410).problem(422),
        )
        .get(
            "/collab/events/tail",
            tail,
            op("collab", "Follow the events: as server-sent events, as lines of JSON (`Accept: application/x-ndjson`), or by long poll (`wait`)")
                .query::<TailQuery>()
                .header("Last-Event-ID", "The last event that you have; goes before `since`.")
                .plain(200, "text/event-stream")
                .plain(200, "application/x-ndjson")
                .answer::<Page<Event>>(200)
                .problem(400)
                .problem(410)
                .problem(422),
        )
        .get(
            "/collab/log",
            log,
            op("collab", "The newest events that are chosen, as an account for people")
                .query::<LogQuery>()
                .plain(200, "text/markdown")
                .problem(400)
                .problem(422),
        )
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Tell {
    /// In parts of small letters: `build.failed`. Not one of Patchbay's own subjects.
    #[schemars(length(min = 1, max = 100), regex(pattern = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$"))]
    event: String,
    /// What it happened to; the task or the project where nothing is said.
    #[schemars(length(min = 1, max = 200))]
    target: Option<String>,
    /// The task that it is about: its id or reference.
    #[schemars(length(min = 1, max = 100))]
    task: Option<String>,
    /// The project that it is about: its id or key.
    #[schemars(length(min = 1, max = 100))]
    project: Option<String>,
    /// At most 16 KiB.
    #[serde(default)]
    details: Map<String, Value>,
    /// The lease that it is told under, with its token: where that has ended, nothing is told.
    lock_id: Option<LockId>,
    fencing_token: Option<i64>,
}

/// Which events somebody wants.
#[derive(Deserialize, JsonSchema)]
struct Wanted {
    /// Names (`lease.expired`) or subjects (`lease`), with commas between.
    #[schemars(length(max = 100))]
    event: Option<String>,
    /// About this task: its reference.
    #[schemars(length(max = 100))]
    task: Option<String>,
    /// By this member: a handle.
    #[schemars(length(max = 100))]
    actor: Option<String>,
    #[schemars(length(max = 100))]
    target: Option<String>,
    /// About this project: its key.
    #[schemars(length(max = 100))]
    project: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct ListQuery {
    #[serde(flatten)]
    wanted: Wanted,
    /// After this seq; from the first on where nothing is said.
    #[schemars(with = "Option<i64>", range(min = 0))]
    since: Option<String>,
    /// `meta.next_cursor` of the page before.
    #[schemars(length(max = 20))]
    cursor: Option<String>,
    #[schemars(with = "Option<u32>", range(min = 1, max = 200))]
    limit: Option<String>,
    /// The newest first; the cursor leads to older ones.
    #[schemars(with = "Option<bool>")]
    newest: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct TailQuery {
    #[serde(flatten)]
    wanted: Wanted,
    /// After this seq; from now on where nothing is said.
    #[schemars(with = "Option<i64>", range(min = 0))]
    since: Option<String>,
    /// Answer as one page of JSON: at once where there is something, otherwise within so many seconds.
    #[schemars(with = "Option<u32>", range(max = 60))]
    wait: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct LogQuery {
    #[serde(flatten)]
    wanted: Wanted,
    /// After this seq.
    #[schemars(with = "Option<i64>", range(min = 0))]
    since: Option<String>,
    /// How many of the newest.
    #[schemars(with = "Option<u32>", range(min = 1, max = 200))]
    limit: Option<String>,
}

/// A number or a truth value of a query. A flattened query has only texts.
fn number<T: std::str::FromStr>(name: &str, text: Option<&String>) -> Result<Option<T>, Problem> {
    let read = |text: &String| text.parse().ok().filter(|_| text.len() <= 20);
    text.map(|text| {
        read(text).ok_or_else(|| match name {
            // One of ours, which nobody makes up.
            "cursor" => Problem::malformed("The cursor is not one of ours."),
            _ => Problem::invalid(vec![
                Fault::new(format!("/{name}"), "this is no number in its range, nor `true` or `false` where that is asked for").found(text.clone()),
            ]),
        })
    })
    .transpose()
}

fn seq(name: &str, text: Option<&String>) -> Result<Option<i64>, Problem> {
    match number(name, text)? {
        Some(seq @ ..0) => Err(Problem::invalid(vec![Fault::new(format!("/{name}"), "a seq is not negative").found(seq.to_string())])),
        seq => Ok(seq),
    }
}

/// What a caller may see of the events: all, or what is about the project that its key is for.
pub(in crate::api) async fn visible(app: &App, actor: &Actor) -> sqlx::Result<Filter> {
    let Some(project) = actor.project else { return Ok(Filter::default()) };
    let mut tx = app.db.begin(actor.organization).await?;
    let row = find_project(&mut tx, &project.to_string()).await?;
    tx.rollback().await?;
    // One that is gone has a key that no project ever has.
    Ok(Filter { project: Some(row.map_or_else(String::new, |row| row.project.key)), ..Filter::default() })
}

/// What is wanted, of what the caller may see.
async fn filter(app: &App, actor: &Actor, wanted: Wanted) -> Result<Filter, Problem> {
    let visible = visible(app, actor).await?;
    let project = wanted.project.map(|project| project.to_ascii_uppercase());
    if let (Some(asked), Some(only)) = (&project, &visible.project)
        && asked != only
    {
        return Err(Problem::not_found(format!("There is no project {asked}.")));
    }
    Ok(Filter {
        kinds: wanted.event.iter().flat_map(|kinds| kinds.split(',')).map(str::trim).filter(|kind| !kind.is_empty()).map(str::to_owned).collect(),
        task: wanted.task.map(|task| task.to_ascii_uppercase()),
        actor: wanted.actor,
        target: wanted.target,
        project: project.or(visible.project),
    })
}

async fn tell(State(app): State<App>, actor: Proposer, Json(input): Json<Tell>) -> Result<Response, Problem> {
    let mut faults = Vec::new();
    if let Some(why) = name_fault(&input.event) {
        faults.push(Fault::new("/event", why).found(input.event.clone()));
    }
    check_name("/target", input.target.as_deref(), &mut faults);
    let mut details = input.details;
    if serde_json::to_vec(&details).map_or(usize::MAX, |bytes| bytes.len()) > MAX_DETAILS {
        faults.push(Fault::new("/details", "this is too long").expected("at most 16 KiB"));
    }
    checked(faults)?;
    let guard = guard(input.lock_id, input.fencing_token)?;
    let mut tx = app.db.begin(actor.organization).await?;
    let mut about = None;
    if let Some(name) = &input.task {
        let found = locate(&mut tx, name).await?.filter(|found| actor.sees(found.project));
        let found = found.ok_or_else(|| Problem::not_found(format!("There is no task {name}.")))?;
        about = Some(found.reference());
        details.insert("task".into(), found.reference().into());
        details.insert("project".into(), found.key.into());
    } else if let Some(name) = input.project.or_else(|| actor.project.map(|id| id.to_string())) {
        let found = find_project(&mut tx, &name).await?.filter(|row| actor.sees(row.project.id));
        let key = found.ok_or_else(|| Problem::not_found(format!("There is no project {name}.")))?.project.key;
        about = Some(key.clone());
        details.insert("project".into(), key.into());
    }
    if let Some(guard) = guard
        && !lease::store::is_held(&mut tx, actor.member, guard).await?
    {
        return Err(Problem::lost());
    }
    let target = input.target.or(about).unwrap_or_else(|| actor.handle.clone());
    let (ts, details) = (app.ctx.now(), Value::Object(details));
    let seq = append_seq(&mut tx, actor.organization, ts, &input.event, &actor.handle, &target, &details).await?;
    tx.commit().await?;
    app.live.wake(actor.organization);
    let event = Event { seq, ts, event: input.event, actor: actor.handle.clone(), target, details };
    Ok((StatusCode::CREATED, Json(event)).into_response())
}

async fn list(State(app): State<App>, reader: Reader, Query(query): Query<ListQuery>) -> Result<Json<Page<Event>>, Problem> {
    let limit = usize::try_from(page_size(number("limit", query.limit.as_ref())?)?).unwrap_or_default();
    let (cursor, since) = (seq("cursor", query.cursor.as_ref())?, seq("since", query.since.as_ref())?);
    let filter = filter(&app, &reader, query.wanted).await?;
    if number("newest", query.newest.as_ref())? == Some(true) {
        let size = i64::try_from(limit).unwrap_or_default();
        let mut tx = app.db.begin(reader.organization).await?;
        let found = list_newest(&mut tx, (since.unwrap_or(0), cursor), &filter, size + 1).await?;
        tx.rollback().await?;
        return Ok(Json(Page::of(found, size, |event| event.seq.to_string(), |event| event)));
    }
    let since = cursor.or(since).unwrap_or(0);
    let mut reader = app.live.tail(reader.organization, Some(since), filter).await?;
    let mut data: Vec<Event> = Vec::new();
    while data.len() <= limit
        && let Some(handed) = reader.old().await?
    {
        data.extend(handed.events().cloned());
    }
    let next_cursor = if data.len() > limit { Some(data[limit - 1].seq.to_string()) } else { None };
    data.truncate(limit);
    Ok(Json(Page { data, meta: Meta { next_cursor } }))
}

async fn tail(State(app): State<App>, reader: Reader, headers: HeaderMap, Query(query): Query<TailQuery>) -> Result<Response, Problem> {
    let wait: Option<u32> = number("wait", query.wait.as_ref())?;
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let since = seq("Last-Event-ID", last.as_ref())?.or(seq("since", query.since.as_ref())?);
    let filter = filter(&app, &reader, query.wanted).await?;
    let reader = app.live.tail(reader.organization, since, filter).await?;
    if let Some(wait) = wait {
        if wait > MAX_WAIT {
            return Err(Problem::invalid(vec![Fault::new("/wait", "one request waits for at most a minute").expected("0–60")]));
        }
        return poll(&app, reader, Duration::from_secs(wait.into())).await;
    }
    let wants_lines = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("application/x-ndjson"));
    let form = if wants_lines { Form::Lines } else { Form::Sse };
    // Before anything is answered, so that it can still be said that it is no longer there.
    let mut reader = reader;
    let old = reader.old().await?;
    Ok(follow(&app, Pass::of(&app, &headers), reader, old.map(|handed| handed.bytes(form)), form))
}

/// One page as soon as there is one. Its cursor is where the next poll goes on, whatever was wanted.
async fn poll(app: &App, mut reader: live::Reader, wait: Duration) -> Result<Response, Problem> {
    let deadline = Instant::now() + wait;
    // What is there already is not waited for.
    let mut handed = reader.old().await?;
    if handed.is_none() {
        handed = tokio::select! {
            handed = reader.next() => Some(handed?),
            () = tokio::time::sleep_until(deadline) => None,
            () = app.stopping.cancelled() => None,
        };
    }
    let data = handed.iter().flat_map(|handed| handed.events().cloned()).collect();
    Ok(Json(Page { data, meta: Meta { next_cursor: Some(reader.position().to_string()) } }).into_response())
}

/// A stream that ends only when its reader is not let in any more. What a slow connection cannot take waits in the log, not in memory.
fn follow(app: &App, pass: Pass, reader: live::Reader, old: Option<Bytes>, form: Form) -> Response {
    let (hello, beat, kind): (&'static [u8], &'static [u8], _) = match form {
        Form::Sse => (b"retry: 1000\n\n", b":\n\n", "text/event-stream"),
        Form::Lines => (b"\n", b"\n", "application/x-ndjson"),
    };
    let hello = old.map_or_else(|| Bytes::from_static(hello), |old| [hello, &old].concat().into());
    let beat = Bytes::from_static(beat);
    let events = stream::unfold((app.clone(), pass, reader, Some(hello)), move |(app, mut pass, mut reader, mut hello)| {
        let beat = beat.clone();
        async move {
            if let Some(hello) = hello.take() {
                return Some((Ok::<_, Infallible>(hello), (app, pass, reader, None)));
            }
            let bytes = tokio::select! {
                () = app.stopping.cancelled() => return None,
                () = shut_out(&mut pass, &app) => return None,
                handed = reader.next() => match handed {
                    Ok(handed) => handed.bytes(form),
                    Err(error) => {
                        tracing::warn!(%error, "a stream of events ends; its reader comes back");
                        return None;
                    }
                },
                () = tokio::time::sleep(KEEP_ALIVE) => beat,
            };
            Some((Ok(bytes), (app, pass, reader, None)))
        }
    });
    let mut response = Response::new(Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies must not gather what is to be seen at once.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Waits until the reader is not let in any more.
async fn shut_out(pass: &mut Pass, app: &App) {
    while pass.checked(app).await.is_ok() {}
}

async fn log(State(app): State<App>, reader: Reader, Query(query): Query<LogQuery>) -> Result<Response, Problem> {
    let limit = page_size(number("limit", query.limit.as_ref())?)?;
    let since = seq("since", query.since.as_ref())?.unwrap_or(0);
    let filter = filter(&app, &reader, query.wanted).await?;
    let mut tx = app.db.begin(reader.organization).await?;
    let mut events = list_newest(&mut tx, (since, None), &filter, limit).await?;
    tx.rollback().await?;
    events.reverse();
    let text = render::log(&events, &reader.time_zone);
    Ok(([(header::CONTENT_TYPE, "text/markdown; charset=utf-8")], text).into_response())
}
