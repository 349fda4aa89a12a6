//! The tools: what each takes, and which request it is.

use std::sync::Arc;

use axum::http::Method;
use patchbay_core::jobs;
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

/// A tool.
pub(super) struct Spec {
    pub(super) name: &'static str,
    description: &'static str,
    schema: fn() -> Value,
    effect: Effect,
    /// Makes a request of the arguments, or says what is wrong with them.
    pub(super) call: fn(Value) -> Result<Call, String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    Reads,
    Writes,
}

/// A request to our own API.
pub(super) struct Call {
    pub(super) method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
    /// What an empty answer means.
    pub(super) nothing: Value,
}

impl Call {
    fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), query: Vec::new(), body: None, nothing: json!({}) }
    }

    fn post(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::POST, path: path.into(), query: Vec::new(), body: Some(body), nothing: json!({ "done": true }) }
    }

    fn ask(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    fn or(mut self, nothing: Value) -> Self {
        self.nothing = nothing;
        self
    }

    pub(super) fn uri(&self) -> String {
        let query: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.query).finish();
        format!("/api/v1{}?{query}", self.path)
    }
}

impl Spec {
    const fn new<T: Input>(name: &'static str, description: &'static str, effect: Effect) -> Self {
        Self { name, description, schema: schema::<T>, effect, call: call::<T> }
    }

    pub(super) fn tool(&self) -> Tool {
        let schema: JsonObject = match (self.schema)() {
            Value::Object(schema) => schema,
            _ => JsonObject::new(),
        };
        let hints = ToolAnnotations::new().read_only(self.effect == Effect::Reads).destructive(false);
        Tool::new(self.name, self.description, Arc::new(schema)).with_annotations(hints)
    }
}

/// The arguments of a tool.
trait Input: DeserializeOwned + JsonSchema {
    fn call(self) -> Call;
}

fn schema<T: Input>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    if let Some(object) = schema.as_object_mut() {
        object.remove("title");
        object.entry("properties").or_insert_with(|| json!({}));
    }
    schema
}

fn call<T: Input>(arguments: Value) -> Result<Call, String> {
    serde_path_to_error::deserialize::<_, T>(arguments).map(Input::call).map_err(|error| error.to_string())
}

/// A part of a path, whatever was written for it.
fn part(text: &str) -> String {
    form_urlencoded::byte_serialize(text.trim().as_bytes()).collect::<String>().replace('+', "%20")
}

/// The members that were given.
fn given(members: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Value {
    Value::Object(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>())
}

/// All tools, in the order in which they are learnt.
pub(super) fn all() -> &'static [Spec] {
    use Effect::{Reads, Writes};
    const ALL: &[Spec] = &[
        Spec::new::<ListProjects>("list_projects", "List the projects, with how many of their tasks are done.", Reads),
        Spec::new::<GetProject>("get_project", "Read a project with all of its tasks, as a tree.", Reads),
        Spec::new::<GetTask>("get_task", "Read a task, with the steps that it can go to.", Reads),
        Spec::new::<SearchTasks>("search_tasks", "Look for tasks by words, step, assignee or label.", Reads),
        Spec::new::<ProposePatch>(
            "propose_patch",
            "Propose changes of a project's plan: people review the proposal. With apply, they take effect at once, which needs a key with the scope `apply`.",
            Writes,
        ),
        Spec::new::<GetProposal>("get_proposal", "Read a proposal: its state, its operations, its comments.", Reads),
        Spec::new::<Comment>("comment", "Comment on a proposal, or on one of its operations.", Writes),
        Spec::new::<ClaimTask>(
            "claim_task",
            "Take a task with its lease: the one that is named, or the most urgent that is ready. Answers {task, lease}; task is null where nothing is ready.",
            Writes,
        ),
        Spec::new::<Heartbeat>("heartbeat", "Keep a lease, before its ttl_seconds are over.", Writes),
        Spec::new::<ReleaseTask>(
            "release_task",
            "End a lease. A task that is still being worked on goes back to where others find it; one that was handed on stays.",
            Writes,
        ),
        Spec::new::<TransitionTask>(
            "transition_task",
            "Move a task to another step. With the lease's lock_id and fencing_token it is refused where the lease has ended.",
            Writes,
        ),
        Spec::new::<AppendEvent>("append_event", "Tell of something, for all who follow the events.", Writes),
        Spec::new::<TailEvents>(
            "tail_events",
            "Events after a seq, oldest first; waits for the next where there are none. Go on from meta.next_cursor.",
            Reads,
        ),
        Spec::new::<ListJobs>("list_jobs", "What waits in the queue, runs, was done or given up.", Reads),
    ];
    ALL
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListProjects {
    /// `meta.next_cursor` of the page before.
    cursor: Option<String>,
}

impl Input for ListProjects {
    fn call(self) -> Call {
        Call::get("/projects").ask("cursor", self.cursor)
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetProject {
    /// Its key (`WEB`) or id.
    project: String,
}

impl Input for GetProject {
    fn call(self) -> Call {
        Call::get(format!("/projects/{}/tree", part(&self.project)))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetTask {
    /// Its reference (`WEB-7`) or id.
    task: String,
}

impl Input for GetTask {
    fn call(self) -> Call {
        Call::get(format!("/tasks/{}", part(&self.task)))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchTasks {
    /// Words of the title or the description.
    text: Option<String>,
    /// A project's key.
    project: Option<String>,
    /// A step: `queued`, `doing`.
    status: Option<String>,
    /// A member's handle.
    assignee: Option<String>,
    label: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// `meta.next_cursor` of the page before.
    cursor: Option<String>,
}

impl Input for SearchTasks {
    fn call(self) -> Call {
        Call::get("/collab/tasks")
            .ask("text", self.text)
            .ask("project", self.project)
            .ask("status", self.status)
            .ask("assignee", self.assignee)
            .ask("label", self.label)
            .ask("limit", self.limit)
            .ask("cursor", self.cursor)
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProposePatch {
    /// The project's key or id.
    project: String,
    /// `{"tasks": [{"op": "create", "task_id": "t1", "body": {"title": "…"}}, {"op": "update", "task_id": "WEB-7", "body": {"priority": "P1"}}, {"op": "delete", "task_id": "WEB-8"}]}`.
    /// Fields of a body: `title`, `description`, `status`, `priority` (P0–P3), `effort` (S, M, L), `estimate_minutes`, `assignee`, `due_on`, `labels`, `depends_on`, `acceptance_criteria`, `parent_id`, `after`.
    patch: Map<String, Value>,
    /// Why, for those who review it.
    message: Option<String>,
    /// Whether it takes effect at once, without a review.
    #[serde(default)]
    apply: bool,
}

impl Input for ProposePatch {
    fn call(self) -> Call {
        let mode = if self.apply { "apply" } else { "propose" };
        let body = json!({ "patch": self.patch, "mode": mode, "message": self.message.unwrap_or_default() });
        Call::post(format!("/projects/{}/patches", part(&self.project)), body)
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetProposal {
    #[schemars(range(min = 1))]
    number: i32,
}

impl Input for GetProposal {
    fn call(self) -> Call {
        Call::get(format!("/proposals/{}", self.number))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Comment {
    /// The proposal's number.
    #[schemars(range(min = 1))]
    number: i32,
    text: String,
    /// An operation, from 1; absent: the whole.
    operation: Option<i32>,
}

impl Input for Comment {
    fn call(self) -> Call {
        let body = given([("text", Some(self.text.into())), ("operation", self.operation.map(Into::into))]);
        Call::post(format!("/proposals/{}/comments", self.number), body)
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ClaimTask {
    /// This one: its reference or id. Without it, the best that is ready.
    task: Option<String>,
    /// Only of this project: its key.
    project: Option<String>,
    /// Only with this label.
    label: Option<String>,
    /// The name that you go by, where several work with one key.
    holder: Option<String>,
    /// How long the lease lasts without a heartbeat; 5 minutes where nothing is said.
    #[schemars(range(min = 1, max = 86400))]
    ttl_seconds: Option<i32>,
}

impl Input for ClaimTask {
    fn call(self) -> Call {
        let body = given([
            ("task", self.task.map(Into::into)),
            ("project", self.project.map(Into::into)),
            ("label", self.label.map(Into::into)),
            ("holder", self.holder.map(Into::into)),
            ("ttl_seconds", self.ttl_seconds.map(Into::into)),
        ]);
        Call::post("/collab/claim", body).or(json!({ "task": null, "lease": null }))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Heartbeat {
    /// The lease's.
    lock_id: String,
    /// How long it lasts from now on; as before where nothing is said.
    #[schemars(range(min = 1, max = 86400))]
    ttl_seconds: Option<i32>,
}

impl Input for Heartbeat {
    fn call(self) -> Call {
        Call::post(format!("/collab/leases/{}/heartbeat", part(&self.lock_id)), given([("ttl_seconds", self.ttl_seconds.map(Into::into))]))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReleaseTask {
    /// The lease's.
    lock_id: String,
    /// Why, for those who find the task.
    reason: Option<String>,
}

impl Input for ReleaseTask {
    fn call(self) -> Call {
        let body = given([("reason", self.reason.map(Into::into))]);
        Call::post(format!("/collab/leases/{}/release", part(&self.lock_id)), body).or(json!({ "released": true }))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TransitionTask {
    /// Its reference or id.
    task: String,
    /// A step that it can go to.
    to: String,
    /// Why; some transitions ask for it.
    reason: Option<String>,
    /// The lease's.
    lock_id: Option<String>,
    /// The lease's.
    fencing_token: Option<i64>,
}

impl Input for TransitionTask {
    fn call(self) -> Call {
        let body = given([
            ("to", Some(self.to.into())),
            ("reason", self.reason.map(Into::into)),
            ("lock_id", self.lock_id.map(Into::into)),
            ("fencing_token", self.fencing_token.map(Into::into)),
        ]);
        Call::post(format!("/collab/tasks/{}/transition", part(&self.task)), body)
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AppendEvent {
    /// In parts of small letters: `build.failed`. Not one of Patchbay's own subjects (project, task, lease, …).
    event: String,
    /// The task that it is about: its reference.
    task: Option<String>,
    /// The project that it is about: its key.
    project: Option<String>,
    target: Option<String>,
    #[serde(default)]
    details: Map<String, Value>,
}

impl Input for AppendEvent {
    fn call(self) -> Call {
        let body = given([
            ("event", Some(self.event.into())),
            ("task", self.task.map(Into::into)),
            ("project", self.project.map(Into::into)),
            ("target", self.target.map(Into::into)),
            ("details", Some(self.details.into())),
        ]);
        Call::post("/collab/events", body)
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TailEvents {
    /// The last seq that you have seen; 0 for all that there are; absent: from now on.
    #[schemars(range(min = 0))]
    since: Option<i64>,
    /// Seconds to wait where there is nothing new; 0 where nothing is said.
    #[schemars(range(max = 50))]
    wait: Option<u32>,
    /// Names (`lease.expired`) or subjects (`lease`), with commas between.
    event: Option<String>,
    /// About this task: its reference.
    task: Option<String>,
    /// By this member: a handle.
    actor: Option<String>,
    /// About this project: its key.
    project: Option<String>,
}

impl Input for TailEvents {
    fn call(self) -> Call {
        Call::get("/collab/events/tail")
            .ask("wait", Some(self.wait.unwrap_or(0)))
            .ask("since", self.since)
            .ask("event", self.event)
            .ask("task", self.task)
            .ask("actor", self.actor)
            .ask("project", self.project)
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListJobs {
    /// `scheduled` waits for its time, `queued` for a worker; `dead` was given up.
    #[schemars(schema_with = "job_states")]
    #[serde(default)]
    state: Option<jobs::State>,
    kind: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
}

fn job_states(_: &mut SchemaGenerator) -> Schema {
    let states: Vec<Value> = jobs::State::ALL.map(jobs::State::as_str).into_iter().map(Value::from).chain([Value::Null]).collect();
    json_schema!({ "type": ["string", "null"], "enum": states })
}

impl Input for ListJobs {
    fn call(self) -> Call {
        Call::get("/jobs").ask("state", self.state.map(jobs::State::as_str)).ask("kind", self.kind).ask("limit", self.limit)
    }
}
