//! Webhooks: sources that tell Patchbay things, and endpoints that it tells things.

mod endpoints;
mod inbound;
mod sources;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use patchbay_channels::webhook::{filter::Filter, sign, template};
use patchbay_core::{
    audit,
    ids::{MemberId, ProjectId},
    patch::{Fault, process::Role},
    tenancy::{
        Actor,
        store::{NewMember, add_member, list_members},
    },
    workflow,
};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Api;
use crate::{app::App, extract::Json, problem::Problem};

/// How long the secret before counts beside a new one, in hours: where nothing is said, and at most.
const OVERLAP_H: u32 = 24;
const MAX_OVERLAP_H: u32 = 24 * 30;
/// As whom webhooks and triggers act where nothing else is said.
const AUTOMATION: &str = "Automation";

pub(super) fn routes(api: Api) -> Api {
    let api = inbound::routes(api);
    let api = sources::routes(api);
    endpoints::routes(api)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    #[schemars(range(min = 1, max = 200))]
    pub(super) limit: Option<u32>,
    /// `meta.next_cursor` of the page before.
    pub(super) cursor: Option<Uuid>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rotate {
    /// Absent: Patchbay makes one.
    #[schemars(length(min = 16, max = 200))]
    secret: Option<String>,
    /// How long the one before counts beside it.
    #[schemars(range(min = 0, max = 720))]
    overlap_hours: Option<u32>,
}

impl Rotate {
    fn overlap(&self) -> Result<chrono::TimeDelta, Fault> {
        match self.overlap_hours.unwrap_or(OVERLAP_H) {
            hours @ 0..=MAX_OVERLAP_H => Ok(chrono::TimeDelta::hours(hours.into())),
            hours => Err(Fault::new("/overlap_hours", "secrets overlap for 30 days at most").found(hours.to_string()).expected("0–720")),
        }
    }
}

#[derive(Serialize, JsonSchema)]
struct NewSecret {
    /// Keep it: it is not shown again.
    secret: String,
}

/// An answer with a secret in it: not for any cache, nor for the memory of idempotency keys.
fn once(status: StatusCode, body: impl Serialize) -> Response {
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A key for one project sees nothing of what is the whole organisation's.
pub(super) fn for_all(actor: &Actor) -> Result<(), Problem> {
    match actor.project {
        Some(_) => Err(Problem::forbidden("Webhooks and triggers are the whole organisation's, and this key is for one project.")),
        None => Ok(()),
    }
}

/// The given secret, or a new one. `is_standard`: it signs as Standard Webhooks do, which wants its own form.
fn secret(given: Option<&str>, is_standard: bool) -> Result<SecretString, Fault> {
    match given {
        None => Ok(sign::new_secret()),
        Some(given) if is_standard && !sign::is_secret(given) => {
            Err(Fault::new("/secret", "this is no secret of Standard Webhooks").expected("whsec_ and 24–64 bytes in base 64"))
        }
        Some(given) if !(16..=200).contains(&given.chars().count()) => Err(Fault::new("/secret", "a secret has 16–200 characters")),
        Some(given) => Ok(given.into()),
    }
}

pub(super) fn check_name(name: &str, faults: &mut Vec<Fault>) {
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        faults.push(Fault::new("/name", "a name has 1–100 characters on one line"));
    }
}

pub(super) fn check_filter(path: &str, filter: Option<&str>, faults: &mut Vec<Fault>) {
    if let Some(Err(error)) = filter.map(Filter::parse) {
        faults.push(Fault::new(path, error.to_string()));
    }
}

pub(super) fn check_template(text: Option<&str>, faults: &mut Vec<Fault>) {
    if let Some(Err(error)) = text.map(template::check) {
        faults.push(Fault::new("/template", error.to_string()));
    }
}

/// As whom something acts: the organisation's automation where nothing is said, whoever sets it up, or another program, never another person.
///
/// Not whoever sets it up by default: nobody accepts alone what came from outside in their own name.
pub(super) async fn acting(app: &App, conn: &mut PgConnection, author: &Actor, handle: Option<&str>) -> Result<MemberId, Problem> {
    let members = list_members(&mut *conn).await?;
    let Some(handle) = handle.map(|handle| handle.trim_start_matches('@')) else {
        return match members.into_iter().find(|member| member.role == Role::Agent && member.name == AUTOMATION) {
            Some(member) => Ok(member.id),
            None => automation(app, conn, author).await,
        };
    };
    match members.into_iter().find(|member| member.handle == handle) {
        Some(member) if member.id == author.member || member.role == Role::Agent => Ok(member.id),
        Some(_) => Err(Problem::fault("/member", "it acts as you, or as a member whose role is `agent`")),
        None => Err(Problem::fault("/member", format!("there is no member @{handle}"))),
    }
}

/// Adds the member as whom webhooks and triggers act.
async fn automation(app: &App, conn: &mut PgConnection, author: &Actor) -> Result<MemberId, Problem> {
    let new = NewMember { name: AUTOMATION, handle: Some("automation"), email: None, role: Role::Agent, time_zone: &author.time_zone };
    let id = add_member(&mut *conn, app.ctx.as_ref(), author.organization, &new).await?.expect("only an address can be taken");
    audit::store::append(conn, app.ctx.as_ref(), author, "member.added", AUTOMATION, &serde_json::json!({ "role": Role::Agent.as_str() })).await?;
    Ok(id)
}

/// The project that something is about.
pub(super) async fn about(conn: &mut PgConnection, name: Option<&str>) -> Result<Option<ProjectId>, Problem> {
    let Some(name) = name else { return Ok(None) };
    let row = workflow::store::find_project(conn, name).await?;
    row.map(|row| Some(row.project.id)).ok_or_else(|| Problem::fault("/project", format!("there is no project {name}")))
}
