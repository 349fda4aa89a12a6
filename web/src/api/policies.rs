//! The policy of the organisation: who has to approve what.

use axum::{extract::State, http::HeaderMap};
use chrono::{DateTime, Utc};
use patchbay_core::{
    patch::Fault,
    review::policy::{
        self, Policy, Rule,
        preview::{self, Preview},
        store::{self, Version, VersionLine},
    },
    tenancy::Actor,
    workflow,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;

use super::{Api, op};
use crate::{
    app::App,
    extract::{Admin, Json, Query, Reader, check_if_match},
    problem::Problem,
};

/// How many of the newest versions are told of.
const VERSIONS: i64 = 100;

pub(super) fn routes(api: Api) -> Api {
    api.get(
        "/policies",
        read,
        op("policies", "Read the policy, and which versions there were").query::<VersionQuery>().answer::<PolicyView>(200).problem(400).problem(404),
    )
    .put(
        "/policies",
        replace,
        op("policies", "Put other rules in their place, as a new version")
            .header("If-Match", "The ETag of the policy that the rules are meant to replace: another one answers 412.")
            .body::<NewPolicy>()
            .answer::<PolicyView>(200)
            .problem(412),
    )
    .post(
        "/policies/preview",
        look_ahead,
        op("policies", "See what other rules would have done to the last 500 proposals").body::<Rules>().answer::<Preview>(200),
    )
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VersionQuery {
    /// 0 is the built-in one. Absent: the active one.
    #[schemars(range(min = 0))]
    version: Option<i32>,
}

/// A policy: its rules, and those that stand beside every policy.
#[derive(Serialize, JsonSchema)]
struct PolicyView {
    /// 0 is the built-in one; the organisation's own are numbered from 1.
    version: i32,
    /// All that are for a proposal must be satisfied.
    rules: Vec<Rule>,
    /// The rules that stand beside every policy.
    always: Vec<Rule>,
    is_active: bool,
    /// Who decided it; null for the built-in one.
    by: Option<String>,
    at: Option<DateTime<Utc>>,
    /// Why.
    note: String,
    /// The organisation's versions, newest first.
    versions: Vec<VersionLine>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewPolicy {
    #[schemars(with = "Vec<Rule>", length(max = 50))]
    rules: Value,
    /// The version that these rules are meant to replace, where no If-Match says so: another active one answers 412.
    #[schemars(range(min = 0))]
    base_version: Option<i32>,
    /// Why.
    #[serde(default)]
    #[schemars(length(max = 500))]
    note: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rules {
    #[schemars(with = "Vec<Rule>", length(max = 50))]
    rules: Value,
}

async fn view(conn: &mut PgConnection, shown: Version) -> Result<PolicyView, Problem> {
    let versions = store::list_versions(conn, VERSIONS).await?;
    let newest = versions.first().map_or(store::BUILT_IN, |line| line.version);
    let (by, at, note) = shown.change.map_or_else(|| (None, None, String::new()), |line| (Some(line.by), Some(line.at), line.note));
    Ok(PolicyView {
        version: shown.number,
        rules: shown.policy.rules,
        always: policy::always().to_vec(),
        is_active: shown.number == newest,
        by,
        at,
        note,
        versions,
    })
}

/// A key for one project knows nothing of the others, which a policy may name.
fn for_all(actor: &Actor) -> Result<(), Problem> {
    match actor.project {
        Some(_) => Err(Problem::forbidden("The policy is the whole organisation's, and this key is for one project.")),
        None => Ok(()),
    }
}

/// The rules as a policy, where they are one.
async fn parse(conn: &mut PgConnection, rules: &Value) -> Result<Policy, Problem> {
    let policy = policy::read(rules).map_err(Problem::invalid)?;
    let faults = policy::unknown_projects(&policy, &workflow::store::keys(conn, None).await?);
    if faults.is_empty() { Ok(policy) } else { Err(Problem::invalid(faults)) }
}

async fn read(State(app): State<App>, reader: Reader, Query(query): Query<VersionQuery>) -> Result<Json<PolicyView>, Problem> {
    for_all(&reader)?;
    let mut tx = app.db.begin(reader.organization).await?;
    let shown = match query.version {
        None => store::active(&mut tx).await?,
        Some(version) => store::find(&mut tx, version).await?.ok_or_else(|| Problem::not_found(format!("There is no version {version} of the policy.")))?,
    };
    let view = view(&mut tx, shown).await?;
    tx.rollback().await?;
    Ok(Json(view))
}

async fn replace(State(app): State<App>, admin: Admin, headers: HeaderMap, Json(input): Json<NewPolicy>) -> Result<Json<PolicyView>, Problem> {
    for_all(&admin)?;
    let note = input.note.trim();
    if note.chars().count() > 500 {
        return Err(Problem::fault("/note", "a note has at most 500 characters"));
    }
    let mut tx = app.db.begin(admin.organization).await?;
    store::lock(&mut tx, admin.organization).await?;
    let active = store::active(&mut tx).await?;
    match input.base_version {
        Some(base) if base != active.number => {
            return Err(Problem::moved(format!(
                "The rules are for version {base} of the policy, which is at version {}. Read it again and decide anew.",
                active.number
            )));
        }
        None if !headers.contains_key(axum::http::header::IF_MATCH) => {
            let fault = Fault::new("/base_version", "which version these rules replace is not said").expected(active.number.to_string());
            return Err(Problem::invalid(vec![fault.fix("look at that version first; or send its ETag as If-Match")]));
        }
        _ => {}
    }
    let now = view(&mut tx, active.clone()).await?;
    check_if_match(&headers, &now)?;
    let policy = parse(&mut tx, &input.rules).await?;
    let changed = policy::change(&mut tx, app.ctx.as_ref(), &admin, active, policy, note).await?;
    let view = view(&mut tx, changed).await?;
    tx.commit().await?;
    app.committed(admin.organization);
    Ok(Json(view))
}

async fn look_ahead(State(app): State<App>, admin: Admin, Json(input): Json<Rules>) -> Result<Json<Preview>, Problem> {
    for_all(&admin)?;
    let mut tx = app.db.begin(admin.organization).await?;
    let policy = parse(&mut tx, &input.rules).await?;
    let preview = preview::preview(&mut tx, &policy).await?;
    tx.rollback().await?;
    Ok(Json(preview))
}
