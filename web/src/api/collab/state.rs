//! The shared state as documents: tasks, locks, agents. Their tags change with their content and with nothing else.

use axum::{extract::State, response::Response};
use patchbay_core::{
    collab::{
        agent::{self, Agent},
        lease::{self, Lease},
    },
    workflow::{
        store::{load_all, total_version},
        view::TaskView,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Api, canonical, op, tag, work::only};
use crate::{
    app::App,
    extract::{Query, Reader, json_bytes},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.get("/collab/state/tasks", tasks, op("collab", "All tasks as one document").query::<Of>().answer::<Tasks>(200).problem(404))
        .get("/collab/state/locks", locks, op("collab", "All leases that are held").query::<Of>().answer::<Locks>(200).problem(404))
        .get("/collab/state/agents", agents, op("collab", "All agents, with who is there").answer::<Agents>(200))
}

#[derive(Deserialize, JsonSchema)]
struct Of {
    /// Only of this project: its id or key.
    #[schemars(length(max = 100))]
    project: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Tasks {
    /// Grows with every change of a plan.
    version: i64,
    tasks: Vec<TaggedTask>,
}

/// A task with what `If-Match` takes.
#[derive(Serialize, JsonSchema)]
struct TaggedTask {
    #[serde(flatten)]
    task: TaskView,
    etag: String,
}

#[derive(Serialize, JsonSchema)]
struct Locks {
    /// Grows with every lease that is taken, kept, given back or runs out.
    version: i64,
    locks: Vec<Lease>,
}

#[derive(Serialize, JsonSchema)]
struct Agents {
    /// Grows with every word of an agent.
    version: i64,
    agents: Vec<Agent>,
}

fn answer(document: &impl Serialize) -> Result<Response, Problem> {
    canonical(document).map(json_bytes)
}

async fn tasks(State(app): State<App>, reader: Reader, Query(of): Query<Of>) -> Result<Response, Problem> {
    let mut tx = app.db.snapshot(reader.organization).await?;
    let only = only(&mut tx, &reader, of.project.as_deref()).await?;
    let version = total_version(&mut tx, only).await?;
    let plans = load_all(&mut tx, only).await?;
    tx.rollback().await?;
    let mut tasks = Vec::new();
    for plan in &plans {
        for (_, task) in plan.walk() {
            let task = TaskView::new(plan, task);
            tasks.push(TaggedTask { etag: tag(&task)?, task });
        }
    }
    answer(&Tasks { version, tasks })
}

async fn locks(State(app): State<App>, reader: Reader, Query(of): Query<Of>) -> Result<Response, Problem> {
    let mut tx = app.db.snapshot(reader.organization).await?;
    let only = only(&mut tx, &reader, of.project.as_deref()).await?;
    let (version, locks) = lease::store::list(&mut tx, only).await?;
    tx.rollback().await?;
    answer(&Locks { version, locks })
}

async fn agents(State(app): State<App>, reader: Reader) -> Result<Response, Problem> {
    let mut tx = app.db.snapshot(reader.organization).await?;
    let (version, agents) = agent::store::list(&mut tx).await?;
    tx.rollback().await?;
    answer(&Agents { version, agents })
}
