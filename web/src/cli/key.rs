//! `patchbay key`

use anyhow::{Context as _, Result, bail};
use chrono::Duration;
use patchbay_core::{
    audit,
    ids::{Context, KeyId, MemberId},
    patch::process::Role,
    tenancy::{
        Actor, Scope, Scopes,
        store::{self, NewKey, NewMember},
    },
    workflow,
};
use secrecy::ExposeSecret;
use serde_json::json;

use super::{Key, data::Open, look};
use crate::{service, settings::Settings};

pub(super) async fn run(settings: &Settings, key: Key) -> Result<()> {
    let open = Open::new(settings).await?;
    let done = match key {
        Key::Create { scopes, project, agent, name, expires } => create(&open, &scopes, project.as_deref(), agent.as_deref(), &name, expires).await,
        Key::List => list(&open).await,
        Key::Revoke { id } => revoke(&open, &id).await,
    };
    open.close().await;
    done
}

/// A scope by its name, for the command line.
pub(super) fn scope(word: &str) -> Result<Scope, String> {
    Scope::parse(word.trim()).ok_or_else(|| "take read, propose, review, apply or admin".to_owned())
}

async fn create(open: &Open, scopes: &[Scope], project: Option<&str>, agent: Option<&str>, name: &str, expires: Option<u32>) -> Result<()> {
    let owner = service::owner(&open.db).await?;
    let mut tx = open.db.begin(owner.organization).await?;
    let project_id = match project {
        None => None,
        Some(name) => Some(workflow::store::find_project(&mut tx, name).await?.with_context(|| format!("there is no project {name}"))?.project.id),
    };
    let member = match agent {
        None => owner.member,
        Some(name) => find_or_add(open, &mut tx, &owner, name).await?,
    };
    let expires_at = expires.map(|days| open.ctx.now() + Duration::days(days.into()));
    let new = NewKey { member, name, scopes: scopes.iter().copied().collect::<Scopes>(), project: project_id, expires_at };
    let (id, secret) = store::create_key(&mut tx, &open.ctx, owner.organization, &new).await?;
    let details = json!({ "name": name, "scopes": scopes, "project": project, "member": agent });
    audit::store::append(&mut tx, &open.ctx, &owner, "key.created", &secret.hint(), &details).await?;
    tx.commit().await?;
    look::say(secret.text.expose_secret());
    look::note(&format!("Keep it: it is not shown again. `patchbay key revoke {id}` takes it back."));
    Ok(())
}

/// The agent that goes by a name.
async fn find_or_add(open: &Open, conn: &mut sqlx::PgConnection, owner: &Actor, name: &str) -> Result<MemberId> {
    if let Some(member) = store::list_members(conn).await?.into_iter().find(|member| member.handle == name || member.name == name) {
        if member.role != Role::Agent {
            bail!("{name} is no agent: people make their keys themselves");
        }
        return Ok(member.id);
    }
    let new = NewMember { name, handle: None, email: None, role: Role::Agent, time_zone: "UTC" };
    let added = store::add_member(conn, &open.ctx, owner.organization, &new).await?.context("a member without an address is always new")?;
    audit::store::append(conn, &open.ctx, owner, "member.added", name, &json!({ "role": Role::Agent })).await?;
    Ok(added)
}

async fn list(open: &Open) -> Result<()> {
    let owner = service::owner(&open.db).await?;
    let mut tx = open.db.begin(owner.organization).await?;
    let keys = store::list_keys(&mut tx, None).await?;
    tx.rollback().await?;
    let mut rows = vec![["ID", "NAME", "KEY", "SCOPES", "PROJECT", "EXPIRES", "LAST USED"].map(str::to_owned).to_vec()];
    rows.extend(keys.into_iter().map(|key| {
        vec![
            key.id.to_string(),
            key.name,
            format!("{}…", key.hint),
            key.scopes.iter().map(Scope::as_str).collect::<Vec<_>>().join(","),
            key.project.unwrap_or_else(|| "all".into()),
            key.expires_at.map_or_else(|| "never".into(), |at| at.format("%Y-%m-%d").to_string()),
            key.last_used_at.map_or_else(|| "never".into(), |at| at.format("%Y-%m-%d %H:%M").to_string()),
        ]
    }));
    look::table(&rows);
    Ok(())
}

async fn revoke(open: &Open, id: &str) -> Result<()> {
    // Why it is none says nothing to people: an id is copied from the list, or not.
    let Ok(id) = id.parse::<KeyId>() else { bail!("`{id}` is no key's id: `patchbay key list` shows them") };
    let owner = service::owner(&open.db).await?;
    let mut tx = open.db.begin(owner.organization).await?;
    if store::revoke_key(&mut tx, id, None, open.ctx.now()).await?.is_none() {
        bail!("there is no such key, or it was revoked before: `patchbay key list` shows those that work");
    }
    audit::store::append(&mut tx, &open.ctx, &owner, "key.revoked", &id.to_string(), &json!({})).await?;
    tx.commit().await?;
    look::say("Revoked. A running service forgets it within 5 seconds.");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_one_of_five() {
        assert_eq!(scope(" read"), Ok(Scope::Read));
        assert_eq!(scope("fly"), Err("take read, propose, review, apply or admin".to_owned()));
    }
}
