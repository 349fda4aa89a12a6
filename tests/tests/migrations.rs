//! Each migration on rows that were there before it.

use std::path::Path;

use anyhow::{Context as _, Result};
use patchbay_tests::cluster::cluster;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};

/// The migrations in their order, each with the rows that those after it must carry on.
fn steps() -> Result<Vec<(String, Option<String>)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> =
        std::fs::read_dir(root.join("../migrations"))?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<Result<_>>()?;
    names.sort();
    let read = |name: &String| {
        let sql = std::fs::read_to_string(root.join("../migrations").join(name)).with_context(|| name.clone())?;
        Ok((sql, std::fs::read_to_string(root.join("data/migrations").join(name)).ok()))
    };
    names.iter().map(read).collect()
}

#[tokio::test]
async fn rows_of_every_release_are_carried_on() -> Result<()> {
    let database = cluster().await.empty_database().await?;
    let mut conn = database.options().connect().await?;
    sqlx::raw_sql("create schema patchbay; set search_path to patchbay").execute(&mut conn).await?;
    for (migration, rows) in steps()? {
        sqlx::raw_sql(AssertSqlSafe(migration)).execute(&mut conn).await?;
        if let Some(rows) = rows {
            sqlx::raw_sql(AssertSqlSafe(rows)).execute(&mut conn).await?;
        }
    }
    let places: Vec<(i32, bool)> =
        sqlx::query_as("select number, below_id = coalesce(parent_id, project_id) from task order by number").fetch_all(&mut conn).await?;
    assert_eq!(places, [(1, true), (2, true)], "0002: each task has the place below which it stands");
    let revision = sqlx::query("select source is null, conflicts::text from proposal_revision").fetch_one(&mut conn).await?;
    assert_eq!((revision.try_get::<bool, _>(0)?, revision.try_get::<String, _>(1)?.as_str()), (true, "[]"), "0003: what was proposed before has no conflicts");
    let locked: (i32, Option<i32>) =
        sqlx::query_as("select (l.head).version, l.last_number from lock_project(null, 'WEB', true) l").fetch_one(&mut conn).await?;
    assert_eq!(locked, (2, Some(1)), "0002: the last root task is found");
    let head: (i32, Option<i32>) =
        sqlx::query_as("select (h.head).version, h.last_number from read_head('01980000-0000-7000-8000-000000000001', null, 'WEB') h")
            .fetch_one(&mut conn)
            .await?;
    assert_eq!(head, locked, "0006 finds the same");
    let trail: Vec<String> = sqlx::query_scalar("select target from audit order by seq, audit_id").fetch_all(&mut conn).await?;
    assert_eq!(trail, ["one", "two"], "0023: what was there before is in the order of its ids");
    sqlx::raw_sql(
        "insert into event (organization_id, seq, at, event, actor, target, details)
         values ('01980000-0000-7000-8000-000000000001', event_seq(), now(), 'test', 'ana', 'new', '{}')",
    )
    .execute(&mut conn)
    .await?;
    let events: Vec<(String, String)> = sqlx::query_as("select target, tableoid::regclass::text from event order by seq").fetch_all(&mut conn).await?;
    assert_eq!(events.iter().map(|event| event.0.as_str()).collect::<Vec<_>>(), ["old", "newer", "new"]);
    assert!(events.iter().all(|event| event.1 == events[0].1), "0024: what was told before is in the part that is told into: {events:?}");
    conn.close().await?;
    Ok(())
}
