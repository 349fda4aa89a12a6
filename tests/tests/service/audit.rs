//! The audit trail as a chain: what is changed, taken out or put in behind Patchbay's back is named.

use std::process::Output;

use anyhow::{Context as _, Result};
use patchbay_core::{
    audit::{self, Proof},
    db::{Db, PoolSize},
    ids::{OrganizationId, System},
};
use patchbay_tests::{service::Running, until::found};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio::process::Command;

/// A service with a sealed trail of a few entries, and ways to look behind it.
struct Trail {
    patchbay: Running,
    db: Db,
    organization: OrganizationId,
}

impl Trail {
    async fn new() -> Result<Self> {
        let patchbay = Running::start().await?;
        for name in ["one", "two", "three", "four"] {
            let (status, key) = patchbay.post("/keys", &json!({ "name": name, "scopes": ["read"] })).await?;
            anyhow::ensure!(status == StatusCode::CREATED, "{key}");
        }
        let db = Db::open(&patchbay.database.access().await?, PoolSize { service: 2, reader: 1 });
        let organization = *db.organizations().await?.first().context("there is an organisation")?;
        let trail = Self { patchbay, db, organization };
        trail.sealed().await?;
        Ok(trail)
    }

    async fn proof(&self) -> Result<Proof> {
        let mut tx = self.db.snapshot(self.organization).await?;
        Ok(audit::verify(&mut tx, self.organization).await?)
    }

    /// The proof once all is sealed, which transactions of other tests can put off.
    async fn sealed(&self) -> Result<Proof> {
        found("a sealed trail", async || {
            audit::seal(&self.db, &System::default(), self.organization).await?;
            let proof = self.proof().await?;
            Ok(if proof.unsealed == 0 || proof.misfit.is_some() { Ok(proof) } else { Err(proof) })
        })
        .await
    }

    /// Somebody with the superuser's password, whom no trigger stops.
    async fn intruder(&self) -> Result<PgConnection> {
        let mut conn = self.patchbay.database.options().options([("search_path", "patchbay")]).connect().await?;
        sqlx::raw_sql("set session_replication_role = replica").execute(&mut conn).await?;
        Ok(conn)
    }

    /// The program itself, beside the service.
    async fn verify(&self, receipts: &[&str]) -> Result<Output> {
        let dir = tempfile::tempdir()?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay-for-tests"));
        command.args(["verify", "--audit", "--data-dir"]).arg(dir.path()).current_dir(dir.path());
        command.args(receipts.iter().flat_map(|receipt| ["--receipt", receipt]));
        command.env("DATABASE_URL", self.patchbay.database.options().to_url_lossy().as_str());
        Ok(command.output().await?)
    }
}

#[tokio::test]
async fn the_entry_that_does_not_fit_is_named() -> Result<()> {
    const PUT_IN: &str = "insert into audit (organization_id, audit_id, at, actor, action, target, details, seq)
        select organization_id, '01980000-0000-7000-8000-00000000beef', at, 'owner', 'key.created', 'x', '{}', seq from audit order by seq offset 2 limit 1";
    for (damage, is_put_in, what) in [
        ("update audit set actor = 'nobody' where audit_id = $", false, "it was changed after it was sealed, and says now"),
        ("update audit set details = '{\"scopes\": []}' where audit_id = $", false, "it was changed after it was sealed"),
        ("delete from audit where audit_id = $", false, "it was taken out after it was sealed"),
        (PUT_IN, true, "it was put in after this stretch was sealed"),
    ] {
        let mut trail = Trail::new().await?;
        let mut intruder = trail.intruder().await?;
        let third: uuid::Uuid = sqlx::query_scalar("select audit_id from audit order by seq, audit_id offset 2 limit 1").fetch_one(&mut intruder).await?;
        sqlx::raw_sql(AssertSqlSafe(damage.replace('$', &format!("'{third}'")))).execute(&mut intruder).await?;
        let misfit = trail.proof().await?.misfit.with_context(|| format!("`{damage}` shows"))?;
        let expected = if is_put_in { "01980000-0000-7000-8000-00000000beef".to_owned() } else { third.to_string() };
        assert_eq!(misfit.place, format!("audit entry {expected}"), "{damage}");
        assert!(misfit.what.starts_with(what), "{damage}: {}", misfit.what);
        let said = trail.verify(&[]).await?;
        assert_eq!(said.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&said.stdout).contains(&expected), "{said:?}");
        trail.patchbay.end().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_trail_that_was_made_anew_does_not_fit_the_receipts_that_people_have() -> Result<()> {
    let mut trail = Trail::new().await?;
    trail.patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    trail.sealed().await?;
    let command = trail.patchbay.say("add \"Task\"", Some("WEB")).await?;
    let receipt = command["reply"]["receipt"].as_str().with_context(|| format!("a change is answered with a receipt: {command}"))?.to_owned();
    let command = trail.patchbay.say("show WEB", None).await?;
    assert_eq!(command["reply"]["receipt"], Value::Null, "where nothing was changed there is none");
    let patch = json!({ "mode": "apply", "patch": { "tasks": [{ "op": "create", "task_id": "t", "body": { "title": "Another" } }] } });
    let applied = found("a receipt with what is applied", async || {
        Ok(trail.patchbay.header("/projects/WEB/patches", &patch, "patchbay-receipt").await?.ok_or("the service has yet to see its trail"))
    })
    .await?;
    trail.patchbay.say("- One more", Some("WEB")).await?;
    let accepted = trail.patchbay.header("/proposals/1/accept", &json!({}), "patchbay-receipt").await?.context("an accept is answered with one")?;
    trail.sealed().await?;
    for receipt in [applied, accepted] {
        let (_, checked) = trail.patchbay.get(&format!("/audit/receipts/{receipt}")).await?;
        assert_eq!(checked["fits"], json!(true), "{checked}");
    }

    let (_, checked) = trail.patchbay.get(&format!("/audit/receipts/{receipt}")).await?;
    assert_eq!((&checked["fits"], checked["sealed_at"].is_string()), (&json!(true), true), "{checked}");
    let (_, head) = trail.patchbay.get("/audit/head").await?;
    let newest = head["receipt"].as_str().context("there is a head")?.to_owned();
    let said = trail.verify(&[&receipt, &newest]).await?;
    assert!(said.status.success(), "{said:?}");
    assert_eq!(trail.patchbay.get("/audit/receipts/12-x").await?.0, StatusCode::UNPROCESSABLE_ENTITY);

    // Somebody changes an entry and makes all seals anew, as Patchbay would.
    let mut intruder = trail.intruder().await?;
    trail.patchbay.end().await?;
    sqlx::raw_sql("update audit set actor = 'nobody' where action = 'key.created'; delete from audit_seal").execute(&mut intruder).await?;
    let proof = trail.sealed().await?;
    assert_eq!(proof.misfit, None, "by itself it fits");
    let said = trail.verify(&[&receipt]).await?;
    assert_eq!(said.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&said.stdout).contains(&format!("receipt {receipt}: no trail has this head")), "{said:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_committed_late_is_sealed_in_its_place() -> Result<()> {
    const WRITE: &str = "insert into audit (organization_id, audit_id, at, actor, action, target, details)
        select organization_id, gen_random_uuid(), now(), 'test', 'test', $1, '{}' from organization";
    let mut trail = Trail::new().await?;
    let (mut slow, mut quick) = (trail.intruder().await?, trail.intruder().await?);
    let mut late = slow.begin().await?;
    sqlx::query(WRITE).bind("late").execute(&mut *late).await?;
    sqlx::query(WRITE).bind("quick").execute(&mut quick).await?;
    audit::seal(&trail.db, &System::default(), trail.organization).await?;
    assert_eq!(trail.proof().await?.unsealed, 1, "what is committed waits for what came before it");
    late.commit().await?;
    let proof = trail.sealed().await?;
    assert_eq!(proof.misfit, None);
    let (_, page) = trail.patchbay.get("/audit?limit=2").await?;
    assert_eq!((&page["data"][0]["target"], &page["data"][1]["target"]), (&json!("quick"), &json!("late")));
    let (_, next) = trail.patchbay.get(&format!("/audit?limit=2&cursor={}", page["meta"]["next_cursor"].as_str().unwrap_or_default())).await?;
    assert_eq!(next["data"][0]["action"], json!("key.created"), "{next}");
    assert_eq!(trail.patchbay.get("/audit?cursor=x").await?.0, StatusCode::BAD_REQUEST);
    trail.patchbay.end().await
}

#[tokio::test]
async fn several_processes_seal_one_chain() -> Result<()> {
    let mut trail = Trail::new().await?;
    let (db, organization) = (&trail.db, trail.organization);
    for name in ["five", "six", "seven"] {
        trail.patchbay.post("/keys", &json!({ "name": name, "scopes": ["read"] })).await?;
        let ctx = System::default();
        let seal = || audit::seal(db, &ctx, organization);
        tokio::try_join!(seal(), seal(), seal(), seal())?;
    }
    let proof = trail.sealed().await?;
    assert_eq!(proof.misfit, None);
    assert!(proof.entries >= 7, "{proof:?}");
    let mut conn = trail.intruder().await?;
    sqlx::raw_sql("set session_replication_role = origin").execute(&mut conn).await?;
    for role in ["patchbay_owner", "patchbay_service"] {
        for change in ["update audit_seal set head = ''", "delete from audit_seal", "truncate audit_seal", "truncate audit", "delete from audit"] {
            let refused = sqlx::raw_sql(AssertSqlSafe(format!("set role {role}; {change}"))).execute(&mut conn).await;
            assert!(refused.is_err(), "{role}: {change}");
        }
    }
    trail.patchbay.end().await
}
