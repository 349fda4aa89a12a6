//! Agents: saying what one is, and that one is there.

use axum::extract::State;
use patchbay_core::{
    collab::agent::{Agent, Availability, Registration, store},
    patch::Fault,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Api, check_name, check_ttl, checked, op};
use crate::{
    app::App,
    extract::{Json, MaybeJson, Proposer},
    problem::Problem,
};

/// How long an agent counts as present after a word of it, where it says nothing, in seconds.
const TTL_SECONDS: i32 = 60;
const MAX_SKILLS: usize = 50;

pub(super) fn routes(api: Api) -> Api {
    api.put("/collab/agents/me", register, op("collab", "Register as an agent, or change what you registered with").body::<Register>().answer::<Agent>(200))
        .post("/collab/agents/me/heartbeat", heartbeat, op("collab", "Say that you are there").maybe_body::<Heartbeat>().answer::<Agent>(200).problem(409))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Register {
    /// What it is for: `developer`, `reviewer`.
    #[schemars(length(min = 1, max = 200))]
    role: String,
    #[serde(default)]
    #[schemars(length(max = 50), inner(length(min = 1, max = 200)))]
    skills: Vec<String>,
    #[serde(default)]
    availability: Availability,
    /// How long you count as present after a heartbeat; a minute where nothing is said.
    #[schemars(range(min = 1, max = 86400))]
    ttl_seconds: Option<i32>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Heartbeat {
    availability: Option<Availability>,
}

async fn register(State(app): State<App>, actor: Proposer, Json(input): Json<Register>) -> Result<Json<Agent>, Problem> {
    let ttl_seconds = input.ttl_seconds.unwrap_or(TTL_SECONDS);
    let mut faults = Vec::new();
    check_name("/role", Some(&input.role), &mut faults);
    if input.skills.len() > MAX_SKILLS {
        faults.push(Fault::new("/skills", "these are too many").expected("at most 50"));
    }
    for (index, skill) in input.skills.iter().enumerate() {
        check_name(&format!("/skills/{index}"), Some(skill), &mut faults);
    }
    check_ttl(ttl_seconds, &mut faults);
    checked(faults)?;
    let new = Registration { role: &input.role, skills: &input.skills, availability: input.availability, ttl_seconds };
    let mut tx = app.db.begin(actor.organization).await?;
    let agent = store::register(&mut tx, &actor, &new).await?;
    tx.commit().await?;
    app.live.wake(actor.organization);
    Ok(Json(agent))
}

async fn heartbeat(State(app): State<App>, actor: Proposer, MaybeJson(input): MaybeJson<Heartbeat>) -> Result<Json<Agent>, Problem> {
    let mut tx = app.db.begin(actor.organization).await?;
    let agent = store::heartbeat(&mut tx, &actor, input.availability).await?;
    let agent = agent.ok_or_else(|| Problem::conflict("not-registered", "Say first what you are: PUT /api/v1/collab/agents/me."))?;
    tx.commit().await?;
    app.live.wake(actor.organization);
    Ok(Json(agent))
}
