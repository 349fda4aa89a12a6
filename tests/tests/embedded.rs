//! The embedded Postgres: what its start, its stop and their accidents promise.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use anyhow::Result;
use patchbay_core::db::embedded::{self, Discovery, Installation, Options, Server};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

/// A folder that other accounts may pass through, as data directories of root must allow.
fn scratch() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("patchbay-embedded-").permissions(fs::Permissions::from_mode(0o755)).tempdir()?)
}

fn installation(data_dir: &Path) -> Result<Installation> {
    Ok(embedded::discover(&Discovery { data_dir: data_dir.to_owned(), ..Discovery::default() })?)
}

/// Durability costs seconds here and proves nothing.
fn quick() -> Options {
    let settings = [("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off")];
    Options { settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(), ..Options::default() }
}

async fn start(data_dir: &Path) -> Result<Server> {
    Ok(Server::start(data_dir, &installation(data_dir)?, &quick()).await?)
}

async fn ask(server: &Server, sql: &'static str) -> Result<String> {
    let mut conn = PgConnection::connect_with(&server.options("postgres", "postgres")).await?;
    let answer = sqlx::query_scalar(sql).fetch_one(&mut conn).await?;
    conn.close().await?;
    Ok(answer)
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() -> Result<()> {
    let dir = scratch()?;
    let data = dir.path().join("data");
    let server = start(&data).await?;
    let mut conn = PgConnection::connect_with(&server.options("postgres", "postgres")).await?;
    sqlx::query("create table kept as select 'here'::text as word").execute(&mut conn).await?;
    conn.close().await?;
    assert!(ask(&server, "show server_version").await?.starts_with(server.version()));
    server.stop().await;

    let server = start(&data).await?;
    assert_eq!(ask(&server, "select word from kept").await?, "here");
    server.stop().await;
    assert!(!data.join("pgdata/postmaster.pid").exists());
    Ok(())
}
