//! A project as files, kept by the real program, edited as an agent would.

use std::{fs, path::PathBuf, process::Stdio};

use anyhow::{Context as _, Result};
use patchbay_tests::{
    service::Running,
    until::{found, until},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    sync::watch,
};

/// One address for a service that is started again elsewhere.
async fn door(to: watch::Receiver<String>) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            let address = to.borrow().trim_start_matches("http://").to_owned();
            tokio::spawn(async move {
                if let Ok(mut service) = TcpStream::connect(address).await {
                    let _ = tokio::io::copy_bidirectional(&mut from, &mut service).await;
                }
            });
        }
    });
    Ok(format!("http://{address}"))
}

/// A folder, and the program that keeps it.
struct Mirror {
    dir: TempDir,
    url: String,
    key: String,
    child: Option<Child>,
}

impl Mirror {
    fn start(&mut self) -> Result<()> {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path("said"))?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay-for-tests"));
        command.args(["collab", "mirror", "--project", "web", "--url", &self.url]).arg(self.dir.path().join("mirror"));
        command.current_dir(self.dir.path()).env("PATCHBAY_KEY", &self.key).kill_on_drop(true).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.child = Some(command.spawn()?);
        Ok(())
    }

    async fn kill(&mut self) -> Result<()> {
        Ok(self.child.take().context("it runs")?.kill().await?)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn said(&self) -> String {
        fs::read_to_string(self.path("said")).unwrap_or_default()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path("mirror").join(name)).unwrap_or_default()
    }

    /// A file of JSON, which nobody ever finds half written.
    fn json(&self, name: &str) -> Value {
        let text = self.read(name);
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect("it is whole") }
    }

    fn edit(&self, change: impl FnOnce(&mut Value)) -> Result<()> {
        let mut tasks = self.json("state/tasks.json");
        change(&mut tasks);
        // As most editors do.
        Ok(fs::write(self.path("mirror/state/tasks.json"), serde_json::to_vec_pretty(&tasks)?)?)
    }

    /// Waits until a file is as it should be.
    async fn until(&self, name: &str, is_so: impl Fn(&Value) -> bool) -> Result<Value> {
        found(name, async || {
            let file = self.json(name);
            Ok(if is_so(&file) { Ok(file) } else { Err((file, self.said())) })
        })
        .await
    }

    /// The titles of the tasks, as the file has them.
    async fn until_titles(&self, titles: &[&str]) -> Result<()> {
        let is_so = |file: &Value| {
            let found: Vec<&str> = file["tasks"].as_array().into_iter().flatten().filter_map(|task| task["title"].as_str()).collect();
            found == titles
        };
        self.until("state/tasks.json", is_so).await.map(drop)
    }

    fn events(&self) -> Vec<Value> {
        self.read("events/events.jsonl").lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

async fn apply(patchbay: &Running, tasks: Value) -> Result<()> {
    let (status, answer) = patchbay.post("/projects/WEB/patches", &json!({ "mode": "apply", "patch": { "tasks": tasks } })).await?;
    anyhow::ensure!(status == StatusCode::OK, "{status}: {answer}");
    Ok(())
}

#[tokio::test]
async fn files_follow_the_project_and_edits_become_proposals() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    patchbay.post("/projects", &json!({ "title": "Others", "key": "OPS" })).await?;
    apply(&patchbay, json!([{ "op": "create", "task_id": "a", "body": { "title": "One" } }, { "op": "create", "task_id": "b", "body": { "title": "Two" } }]))
        .await?;
    let (_, key) = patchbay.post("/keys", &json!({ "name": "files", "scopes": ["read", "propose"], "project": "WEB" })).await?;
    let (at, address) = watch::channel(patchbay.url.clone());
    let key = key["key"].as_str().context("a key")?.to_owned();
    let mut mirror = Mirror { dir: tempfile::tempdir()?, url: door(address).await?, key, child: None };
    mirror.start()?;
    mirror.until_titles(&["One", "Two"]).await?;

    // What happens is followed.
    apply(&patchbay, json!([{ "op": "create", "task_id": "c", "body": { "title": "Three" } }])).await?;
    patchbay.post("/collab/leases/acquire", &json!({ "resource": "task:WEB-1", "ttl_seconds": 600 })).await?;
    mirror.until_titles(&["One", "Two", "Three"]).await?;
    mirror.until("state/locks.json", |locks| locks["locks"][0]["resource"] == json!("task:WEB-1")).await?;
    until("the log for people", async || Ok(mirror.read("logs/log.md").contains("WEB-1"))).await?;

    // An edit is a proposal, and the file says what is so until it is accepted.
    mirror.edit(|file| {
        file["tasks"][0]["title"] = json!("Uno");
        file["tasks"].as_array_mut().expect("a list").push(json!({ "title": "Four", "parent_id": "WEB-2", "depends_on": ["WEB-1"] }));
    })?;
    let proposal = mirror.until("state/tasks.json.proposal", Value::is_object).await?;
    assert_eq!((&proposal["number"], &proposal["operations"]), (&json!(1), &json!(2)), "{}", mirror.said());
    mirror.until_titles(&["One", "Two", "Three"]).await?;
    let (_, proposed) = patchbay.get("/proposals/1").await?;
    assert_eq!((&proposed["state"], proposed["operations"].as_array().map(Vec::len)), (&json!("open"), Some(2)), "{proposed}");
    let (status, accepted) = patchbay.post("/proposals/1/accept", &json!({})).await?;
    assert_eq!(status, StatusCode::OK, "{accepted}");
    mirror.until_titles(&["Uno", "Two", "Four", "Three"]).await?;

    // One that cannot be taken is said beside it, and waits to be mended while everything else goes on.
    mirror.edit(|file| file["tasks"][3]["status"] = json!("nonsense"))?;
    let error = mirror.until("state/tasks.json.error", Value::is_object).await?;
    assert_eq!(error["errors"][0]["path"], json!("/tasks/3/status"), "{error}");
    assert!(mirror.said().contains("/tasks/3/status"), "{}", mirror.said());
    let before = mirror.events().len();
    apply(&patchbay, json!([{ "op": "update", "task_id": "WEB-2", "body": { "title": "Dos" } }])).await?;
    until("the event of it", async || Ok(mirror.events().len() > before)).await?;
    assert_eq!(mirror.json("state/tasks.json")["tasks"][3]["status"], json!("nonsense"), "it is not written over");
    mirror.edit(|file| file["tasks"][3]["status"] = json!("doing"))?;
    mirror.until("state/tasks.json.proposal", |proposal| proposal["number"] == json!(2)).await?;
    mirror.until_titles(&["Uno", "Dos", "Four", "Three"]).await?;
    assert!(!mirror.path("mirror/state/tasks.json.error").exists());

    // The service goes and comes back.
    patchbay.restart().await?;
    at.send_replace(patchbay.url.clone());
    apply(&patchbay, json!([{ "op": "update", "task_id": "WEB-3", "body": { "title": "Tres" } }])).await?;
    mirror.until_titles(&["Uno", "Dos", "Four", "Tres"]).await?;

    // So does the mirror; what was edited meanwhile is taken up, whatever has happened since.
    mirror.kill().await?;
    mirror.edit(|file| file["tasks"][1]["description"] = json!("By hand"))?;
    apply(&patchbay, json!([{ "op": "update", "task_id": "WEB-1", "body": { "title": "Eins" } }])).await?;
    let torn = [fs::read(mirror.path("mirror/events/events.jsonl"))?, b"{\"seq\": 1".to_vec()].concat();
    fs::write(mirror.path("mirror/events/events.jsonl"), torn)?;
    mirror.start()?;
    mirror.until("state/tasks.json.proposal", |proposal| proposal["number"] == json!(3)).await?;
    mirror.until_titles(&["Eins", "Dos", "Four", "Tres"]).await?;
    let (_, proposed) = patchbay.get("/proposals/3").await?;
    assert_eq!(proposed["operations"].as_array().map(Vec::len), Some(1), "{proposed}");

    // Each event of the project is there once, in order.
    found("all events", async || {
        let (_, page) = patchbay.ask(Some(&mirror.key), Method::GET, "/collab/events?since=0&limit=200", None).await?;
        let (expected, kept) = (page["data"].as_array().cloned().unwrap_or_default(), mirror.events());
        Ok(if expected == kept { Ok(()) } else { Err((expected, kept)) })
    })
    .await?;
    assert!(!mirror.read("events/events.jsonl").contains("OPS"));
    patchbay.end().await
}
