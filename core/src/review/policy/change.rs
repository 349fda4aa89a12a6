//! Changing the policy of an organisation: a new version, never another text of an old one.

use serde_json::json;
use sqlx::PgConnection;

use super::{
    Policy,
    store::{self, Version, VersionLine},
};
use crate::{audit, collab, ids::Context, tenancy::Actor};

/// Puts a policy in the place of the active one, which the caller has locked and looked at. The same rules again change nothing.
pub async fn change(conn: &mut PgConnection, ctx: &dyn Context, actor: &Actor, active: Version, policy: Policy, note: &str) -> sqlx::Result<Version> {
    if active.policy == policy {
        return Ok(active);
    }
    let line = VersionLine { version: active.number + 1, by: actor.handle.clone(), at: ctx.now(), note: note.to_owned() };
    store::insert(conn, actor, &policy, &line).await?;
    let target = format!("policy {}", line.version);
    let details = json!({ "version": line.version, "note": note, "before": active.policy, "after": policy });
    audit::store::append(conn, ctx, actor, "policy.changed", &target, &details).await?;
    collab::store::append(conn, actor.organization, line.at, "policy.changed", &actor.handle, &target, &json!({ "version": line.version })).await?;
    Ok(Version { number: line.version, policy, change: Some(line) })
}
