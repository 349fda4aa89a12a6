//! `patchbay list` in a terminal, beside a running service.

use std::process::Stdio;

use anyhow::{Context as _, Result};
use patchbay_core::db::embedded::{self, Discovery};
use patchbay_tests::service::Running;
use serde_json::json;
use sqlx::ConnectOptions as _;
use tokio::process::Command;

/// What the program says, with its exit code.
async fn run(patchbay: &Running, key: Option<&str>, arguments: &[&str]) -> Result<(i32, String)> {
    let dir = tempfile::tempdir()?;
    let found = embedded::discover(&Discovery { data_dir: dir.path().to_owned(), ..Discovery::default() })?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay-for-tests"));
    command.args(["--data-dir".as_ref(), dir.path().as_os_str()]).args(arguments).current_dir(dir.path()).kill_on_drop(true).stdin(Stdio::null());
    for name in ["OPENAI_API_KEY", "OPENAI_BASE_URL", "PATCHBAY_KEY"] {
        command.env_remove(name);
    }
    command.env("DATABASE_URL", patchbay.database.options().to_url_lossy().as_str()).env("PATCHBAY_POSTGRES__BIN", found.bin_dir);
    if let Some(key) = key {
        command.env("PATCHBAY_KEY", key);
    }
    let output = command.output().await?;
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Ok((output.status.code().context("it was not killed")?, text))
}

#[tokio::test]
async fn a_command_of_the_chat_is_one_of_the_shell() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    let (code, said) = run(&patchbay, None, &["add", "Fix the login", "in", "WEB"]).await?;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("WEB-1"), "{said}");
    let (code, said) = run(&patchbay, None, &["list", "open", "--project", "WEB"]).await?;
    assert!(code == 0 && said.contains("Fix the login"), "{code} {said}");
    let (code, said) = run(&patchbay, None, &["done", "WEB-9"]).await?;
    assert!(code == 1 && said.contains("WEB-9"), "{code} {said}");
    let (code, said) = run(&patchbay, None, &["lst"]).await?;
    assert!(code == 2 && said.contains("Is `patchbay list` meant?"), "{code} {said}");
    let (code, said) = run(&patchbay, None, &["serve", "--roles", "web,wroker"]).await?;
    assert!(code == 2 && said.contains("there is no role `wroker`: take some of web, worker, channels"), "{code} {said}");

    let bo = patchbay.member_key("bo", &["read", "propose", "apply"]).await?;
    let (code, said) = run(&patchbay, Some(&bo), &["start", "WEB-1"]).await?;
    assert_eq!(code, 0, "{said}");
    let (_, history) = patchbay.get("/projects/WEB/revisions").await?;
    assert!(history["data"].as_array().is_some_and(|all| all.iter().any(|revision| revision["author"] == "bo")), "{history}");
    let (_, commands) = patchbay.get("/commands?project=WEB").await?;
    assert!(commands["data"].as_array().is_some_and(|all| all.iter().all(|command| command["origin"] == "terminal")), "{commands}");
    let reads = patchbay.member_key("cy", &["read"]).await?;
    let (code, said) = run(&patchbay, Some(&reads), &["list"]).await?;
    assert!(code == 1 && said.contains("does not have the scope `propose`"), "{code} {said}");
    patchbay.end().await
}
