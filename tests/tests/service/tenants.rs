//! Tenants never see each other, whatever they ask for.

use anyhow::Result;
use patchbay_core::{
    db::{Db, PoolSize},
    ids::{Context, OrganizationId, System},
    patch::process::Role,
    tenancy::{
        Scopes,
        store::{self, NewKey},
    },
};
use patchbay_tests::{cluster::cluster, service::Running};
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sqlx::ConnectOptions;

/// A second organisation with its owner's key.
pub(crate) async fn second(patchbay: &Running) -> Result<String> {
    let access = patchbay.database.access().await?;
    let db = Db::open(&access, PoolSize { service: 2, reader: 1 });
    let ctx = System::default();
    let organization = OrganizationId(ctx.uuid());
    let mut tx = db.begin(organization).await?;
    let owner = store::create_organization(&mut tx, &ctx, organization, "Other").await?;
    let key = NewKey { member: owner, name: "other", scopes: Scopes::of(Role::Owner), project: None, expires_at: None };
    let (_, secret) = store::create_key(&mut tx, &ctx, organization, &key).await?;
    tx.commit().await?;
    db.close().await;
    Ok(secret.text.expose_secret().to_owned())
}

#[tokio::test]
async fn no_route_shows_or_changes_what_belongs_to_another_organisation() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    patchbay.say("add \"Secret plan\"", Some("WEB")).await?;
    let command = patchbay.say("- hidden one\n- hidden two", Some("WEB")).await?;
    let (_, key) = patchbay.post("/keys", &json!({ "name": "mine", "scopes": ["read"] })).await?;
    let (_, members) = patchbay.get("/members").await?;
    let (_, task) = patchbay.get("/tasks/WEB-1").await?;
    let stranger = second(&patchbay).await?;
    // As if a model had been asked.
    let mut conn = patchbay.database.options().connect().await?;
    sqlx::query(
        "insert into patchbay.planner_exchange (organization_id, exchange_id, command_id, provider, model, prompt, request, response, latency_ms, at)
         select organization_id, gen_random_uuid(), command_id, 'p', 'm', 'project@1', '{}'::json, 'hidden answer', 1, now() from patchbay.command where command_id::text = $1",
    )
    .bind(command["id"].as_str())
    .execute(&mut conn)
    .await?;
    let (_, exchanges) = patchbay.get(&format!("/commands/{}/exchanges", command["id"].as_str().unwrap_or_default())).await?;
    assert_eq!(exchanges["data"][0]["answer"], "hidden answer");

    let (_, document) = patchbay.get("/openapi.json").await?;
    let before = everything(&patchbay).await?;
    let mut tried = 0;
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            if path.contains("/session") || operation["security"] == json!([]) {
                continue;
            }
            let ids = if path.contains("/keys/") {
                key["id"].as_str()
            } else if path.contains("/members/") {
                members["data"][0]["id"].as_str()
            } else {
                command["id"].as_str()
            };
            for name in ["WEB-1", task["id"].as_str().unwrap_or_default()] {
                let path = path
                    .replace("/api/v1", "")
                    .replace("{project}", "WEB")
                    .replace("{task}", name)
                    .replace("{number}", "1")
                    .replace("{id}", ids.unwrap_or_default())
                    .replace("{delivery}", ids.unwrap_or_default())
                    .replace("{name}", "project-patch.json")
                    // Otherwise it never ends.
                    .replace("/events/tail", "/events/tail?since=0&wait=0");
                let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes())?;
                let body = (method != Method::GET && method != Method::DELETE).then(|| likely_body(&path));
                let (status, answer) = patchbay.ask(Some(&stranger), method.clone(), &path, body.as_ref()).await?;
                tried += 1;
                let text = answer.to_string();
                assert!(!text.contains("Secret plan") && !text.contains("hidden") && !text.contains("Website"), "{method} {path} shows it: {text}");
                assert!(!status.is_server_error(), "{method} {path}: {status} {text}");
            }
        }
    }
    assert!(tried > 60, "only {tried} requests were tried");
    assert_eq!(everything(&patchbay).await?, before, "nothing of ours has changed");
    patchbay.end().await
}

/// A body that would do something, where it were allowed.
fn likely_body(path: &str) -> Value {
    match path.rsplit('/').next().unwrap_or_default() {
        "patches" => json!({ "mode": "apply", "patch": { "project_id": "WEB", "tasks": [{ "op": "delete", "task_id": "WEB-1" }] } }),
        "commands" => json!({ "text": "delete WEB-1", "project": "WEB" }),
        "accept" | "withdraw" | "undo" => json!({}),
        "reject" => json!({ "reason": "no" }),
        "refine" | "comments" => json!({ "text": "remove 1" }),
        "edit" => json!({ "operations": [{ "index": 1, "body": { "title": "taken" } }] }),
        "revert" => json!({ "revision": 1 }),
        "transition" => json!({ "to": "done" }),
        "acquire" => json!({ "resource": "task:WEB-1", "ttl_seconds": 60 }),
        "claim" => json!({ "task": "WEB-1" }),
        "steal" => json!({ "reason": "mine", "ttl_seconds": 60 }),
        "tasks" => json!({ "project": "WEB", "title": "taken" }),
        "me" => json!({ "role": "spy" }),
        "notifications" => json!({ "muted": true }),
        "events" => json!({ "event": "spied", "task": "WEB-1" }),
        "time" => json!({ "minutes": 5 }),
        "keys" => json!({ "name": "k", "scopes": ["read"], "project": "WEB" }),
        "schedule" => json!({ "rule": "daily", "action": { "kind": "command", "text": "list in WEB" } }),
        "jobs" => json!({ "tool": "format_markdown", "input": { "text": "a" } }),
        "policies" | "preview" => json!({ "rules": [], "base_version": 0 }),
        "members" => json!({ "name": "m", "role": "member" }),
        _ => json!({ "title": "taken", "role": "viewer" }),
    }
}

async fn everything(patchbay: &Running) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for path in [
        "/projects",
        "/projects/WEB/tree",
        "/projects/WEB/revisions",
        "/proposals",
        "/members",
        "/keys",
        "/commands?project=WEB",
        "/policies",
        "/members/me/notifications",
        "/collab/state/locks",
        "/collab/state/tasks",
        "/collab/state/agents",
        "/collab/events",
    ] {
        let (_, mut answer) = patchbay.get(path).await?;
        // When a key was last used is told as it happens.
        for row in answer["data"].as_array_mut().into_iter().flatten() {
            if let Some(row) = row.as_object_mut() {
                row.remove("last_used_at");
            }
        }
        all.push(answer);
    }
    Ok(all)
}

/// All but the list of organisations, and what belongs to nobody.
#[tokio::test]
async fn every_tenant_table_is_held_by_a_forced_policy() -> Result<()> {
    let database = cluster().await.database().await?;
    let _roles = database.access().await?;
    let mut conn = database.options().connect().await?;
    let tables: Vec<(String, bool, bool, i64)> = sqlx::query_as(
        "select c.relname::text, c.relrowsecurity, c.relforcerowsecurity, (select count(*) from pg_policy p where p.polrelid = c.oid)
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'patchbay' and c.relkind in ('r', 'p') and c.relname not in ('_sqlx_migrations', 'installation', 'event_epoch', 'event_part')",
    )
    .fetch_all(&mut conn)
    .await?;
    assert!(tables.len() > 10, "{tables:?}");
    let bare: Vec<_> = tables.iter().filter(|(_, is_on, is_forced, policies)| !(*is_on && *is_forced && *policies > 0)).collect();
    assert_eq!(bare, Vec::<&(String, bool, bool, i64)>::new(), "these tables have no forced policy");
    Ok(())
}

#[tokio::test]
async fn without_an_organisation_nothing_is_seen_and_the_reader_cannot_write() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    let mut conn = patchbay.database.options().connect().await?;
    sqlx::raw_sql("set role patchbay_service").execute(&mut conn).await?;
    let seen: i64 = sqlx::query_scalar("select count(*) from patchbay.project").fetch_one(&mut conn).await?;
    assert_eq!(seen, 0);
    sqlx::raw_sql("reset role; set role patchbay_reader").execute(&mut conn).await?;
    let refused = sqlx::query("update patchbay.project set title = 'x'").execute(&mut conn).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("permission denied")));
    patchbay.end().await
}

#[tokio::test]
async fn a_key_for_one_project_knows_no_other() -> Result<()> {
    let mut patchbay = Running::start().await?;
    for key in ["WEB", "OPS"] {
        patchbay.post("/projects", &json!({ "title": key, "key": key })).await?;
    }
    let (_, key) = patchbay.post("/keys", &json!({ "name": "web", "scopes": ["read", "propose", "apply"], "project": "WEB" })).await?;
    let key = key["key"].as_str().unwrap_or_default();
    let (status, _) = patchbay.ask(Some(key), Method::GET, "/projects/WEB", None).await?;
    assert_eq!(status, StatusCode::OK);
    for (method, path, body) in [
        (Method::GET, "/projects/OPS", None),
        (Method::GET, "/projects/OPS/tree", None),
        (
            Method::POST,
            "/projects/OPS/patches",
            Some(json!({ "mode": "apply", "patch": { "tasks": [{ "op": "create", "task_id": "a", "body": { "title": "x" } }] } })),
        ),
    ] {
        let (status, answer) = patchbay.ask(Some(key), method, path, body.as_ref()).await?;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {answer}");
    }
    let (_, projects) = patchbay.ask(Some(key), Method::GET, "/projects", None).await?;
    assert_eq!(projects["data"].as_array().map(Vec::len), Some(1));
    patchbay.end().await
}
