//! Measures one thing and prints it as a line of JSON. `tests/bench/run` calls it.

use std::{
    collections::BTreeSet,
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use patchbay_core::patch::{
    ProjectPatch, TaskId,
    check::{self, Rules},
    diff, normalise,
    plan::{Detail, Plan, Project, Task},
    process::{Process, Role},
    rank::Rank,
    shape,
};
use serde_json::{Value, json};

/// The allocator of `patchbay`, whose parts are measured here.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long each rate is measured.
const SPAN: Duration = Duration::from_secs(8);
const CLIENTS: usize = 16;

#[tokio::main]
async fn main() -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let measured = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["patch"] => patch()?,
        ["apply", url, key] => Remote::new(url, key).apply().await?,
        ["hot", url, key] => Remote::new(url, key).hot().await?,
        ["size", url, key] => Remote::new(url, key).size().await?,
        ["command", url, key] => Remote::new(url, key).command().await?,
        ["tree", url, key] => Remote::new(url, key).tree().await?,
        other => bail!("bench patch | apply URL KEY | hot URL KEY | size URL KEY | command URL KEY | tree URL KEY, not {other:?}"),
    };
    writeln!(std::io::stdout(), "{measured}")?;
    Ok(())
}

fn id(number: i32) -> TaskId {
    format!("00000000-0000-7000-8000-{number:012}").parse().expect("a uuid")
}

fn plan(tasks: i32) -> Plan {
    let project = Project {
        id: "00000000-0000-7000-8000-999999999999".parse().expect("a uuid"),
        key: "WEB".into(),
        title: "Website".into(),
        summary: String::new(),
        version: 1,
        process: Process::find("simple").expect("a built-in process"),
        time_zone: "UTC".into(),
        next_task: tasks + 1,
    };
    let mut rank = Rank::default();
    let tasks: Vec<Task> = (1..=tasks)
        .map(|number| {
            rank = Rank::between(Some(&rank), None).expect("there is room at the end");
            Task {
                id: id(number),
                number,
                parent: (number > 10).then(|| id(number % 10 + 1)),
                rank: rank.clone(),
                title: format!("Task number {number}"),
                status: "todo".into(),
                priority: None,
                assignee: None,
                due_on: None,
                depends_on: if number > 20 { vec![id(number - 10)] } else { Vec::new() },
                detail: Detail::default(),
            }
        })
        .collect();
    Plan::new(project, BTreeSet::from(["ana".to_owned()]), tasks)
}

/// Six new tasks with what tasks usually have: about 2.3 KB.
fn creates() -> Value {
    let task = |n: usize| {
        json!({ "op": "create", "task_id": format!("t{n}"), "body": {
            "title": format!("Write the part number {n} of the new sign-in flow"),
            "description": "It has to work without JavaScript, and tell people what was wrong in words that they understand. Nothing is logged that is secret.",
            "priority": "P1", "labels": ["web", "sign-in"], "estimate_minutes": 180, "due_on": "2026-12-01",
            "acceptance_criteria": [{ "text": "A person outside of the team has done it alone" }, { "text": "Errors are told at their field" }] } })
    };
    json!({ "tasks": (1..=6).map(task).collect::<Vec<_>>() })
}

/// Pure: from bytes to checked and diffed, and a large patch against a large plan.
fn patch() -> Result<Value> {
    let empty = plan(0);
    let rules = Rules::of(Role::Member);
    let once = |bytes: &[u8]| {
        let patch = shape::parse(bytes).expect("it is a patch");
        let checked = check::check(&empty, normalise::flatten(patch), &rules).expect("it fits");
        diff::diff(&empty, &checked).entries.len()
    };
    // As it is published and as most write it; what sorts its keys writes `body` before `op`, which tells what it is.
    let sorted = serde_json::to_vec(&creates())?;
    let bytes = serde_json::to_vec(&serde_json::from_value::<ProjectPatch>(creates())?)?;
    let (rate, sorted_rate) = (rate(|| once(&bytes)), rate(|| once(&sorted)));
    let large = plan(1_000);
    let fifty = json!({ "tasks": (1..=50).map(|n| match n % 5 {
        0 => json!({ "op": "create", "task_id": format!("t{n}"), "body": { "title": "New", "parent_id": "WEB-3", "depends_on": ["WEB-900"] } }),
        1 => json!({ "op": "update", "task_id": format!("WEB-{}", 100 + n), "body": { "parent_id": "WEB-5" } }),
        2 => json!({ "op": "update", "task_id": format!("WEB-{}", 100 + n), "body": { "depends_on": { "add": [format!("WEB-{}", 50 + n)], "remove": [] } } }),
        3 => json!({ "op": "update", "task_id": format!("WEB-{}", 100 + n), "body": { "status": "doing", "title": "Changed" } }),
        _ => json!({ "op": "delete", "task_id": format!("WEB-{}", 900 + n), "body": {} }),
    }).collect::<Vec<_>>() });
    let fifty = serde_json::to_vec(&fifty)?;
    let gates = || {
        let patch = shape::parse(&fifty).expect("it is a patch");
        check::check(&large, normalise::flatten(patch), &rules).map_or_else(|faults| panic!("{faults:?}"), |checked| checked.tasks().len())
    };
    let gate_rate = self::rate(gates);
    Ok(
        json!({ "patch_bytes": bytes.len(), "parsed_checked_diffed_per_second": rate.round(), "parsed_checked_diffed_with_sorted_keys_per_second": sorted_rate.round(), "check_50_operations_on_1000_tasks_ms": (100_000.0 / gate_rate).round() / 100.0 }),
    )
}

/// How often it runs in a second, on one core.
fn rate(mut once: impl FnMut() -> usize) -> f64 {
    let mut done = 0_u32;
    let mut sum = 0;
    let begun = Instant::now();
    while begun.elapsed() < SPAN / 2 {
        for _ in 0..50 {
            sum += std::hint::black_box(once());
        }
        done += 50;
    }
    assert!(sum > 0, "it did something");
    f64::from(done) / begun.elapsed().as_secs_f64()
}

struct Remote {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl Remote {
    fn new(url: &str, key: &str) -> Self {
        Self { http: reqwest::Client::new(), url: format!("{url}/api/v1"), key: key.to_owned() }
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let response = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.key).json(body).send().await?;
        let status = response.status();
        let answer: Value = response.json().await?;
        if !status.is_success() {
            bail!("{path}: {status}: {answer}");
        }
        Ok(answer)
    }

    async fn project(&self, title: &str) -> Result<String> {
        let made = self.post("/projects", &json!({ "title": title })).await?;
        Ok(made["key"].as_str().context("a project has a key")?.to_owned())
    }

    /// Requests a second of 16 clients, each doing what it is told over and over.
    async fn load<F, Fut>(self: &Arc<Self>, work: F) -> Result<f64>
    where
        F: Fn(Arc<Self>, usize, u64) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send,
    {
        let work = Arc::new(work);
        let done = Arc::new(AtomicU64::new(0));
        let begun = Instant::now();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (remote, work, done) = (self.clone(), work.clone(), done.clone());
                tokio::spawn(async move {
                    let mut round = 0;
                    while begun.elapsed() < SPAN {
                        work(remote.clone(), client, round).await?;
                        round += 1;
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        for client in clients {
            client.await??;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than three digits")]
        let done = done.load(Ordering::Relaxed) as f64;
        Ok((done / begun.elapsed().as_secs_f64()).round())
    }

    /// Patches of six creates, each client on its own projects.
    async fn apply(self) -> Result<Value> {
        let remote = Arc::new(self);
        let mut keys = Vec::new();
        for client in 0..CLIENTS {
            keys.push(remote.project(&format!("Apply {client}")).await?);
        }
        let body = Arc::new(json!({ "mode": "apply", "patch": creates() }));
        let per_second = remote
            .load(move |remote, client, _| {
                let (path, body) = (format!("/projects/{}/patches", keys[client]), body.clone());
                async move { remote.post(&path, &body).await.map(drop) }
            })
            .await?;
        Ok(json!({ "apply_six_creates_per_second": per_second }))
    }

    /// The same on one project.
    async fn hot(self) -> Result<Value> {
        let remote = Arc::new(self);
        let key = remote.project("Hot").await?;
        let body = Arc::new(json!({ "mode": "apply", "patch": creates() }));
        let per_second = remote
            .load(move |remote, _, _| {
                let (path, body) = (format!("/projects/{key}/patches"), body.clone());
                async move { remote.post(&path, &body).await.map(drop) }
            })
            .await?;
        Ok(json!({ "apply_on_one_hot_project_per_second": per_second }))
    }

    /// The same patch on a small project and on a large one.
    async fn size(self) -> Result<Value> {
        let small = self.project("Small").await?;
        let large = self.project("Large").await?;
        let tasks: Vec<_> = (0..500).map(|n| json!({ "op": "create", "task_id": format!("t{n}"), "body": { "title": format!("Task {n}") } })).collect();
        let many = json!({ "mode": "apply", "patch": { "tasks": tasks } });
        for _ in 0..200 {
            self.post(&format!("/projects/{large}/patches"), &many).await?;
        }
        self.post(&format!("/projects/{small}/patches"), &json!({ "mode": "apply", "patch": { "tasks": tasks[..10] } })).await?;
        let body = json!({ "mode": "apply", "patch": creates() });
        let mut medians = Vec::new();
        for key in [&small, &large] {
            let mut times = Vec::new();
            for _ in 0..200 {
                let begun = Instant::now();
                self.post(&format!("/projects/{key}/patches"), &body).await?;
                times.push(begun.elapsed());
            }
            medians.push(median(times));
        }
        Ok(json!({ "apply_on_10_tasks_ms": medians[0], "apply_on_100000_tasks_ms": medians[1], "ratio": (medians[1] / medians[0] * 100.0).round() / 100.0 }))
    }

    /// An explicit command, end to end.
    async fn command(self) -> Result<Value> {
        let key = self.project("Commands").await?;
        let mut times = Vec::new();
        for n in 0..300 {
            let body = json!({ "text": format!("add \"Task {n}\""), "project": key });
            let begun = Instant::now();
            let answer = self.http.post(format!("{}/commands", self.url)).bearer_auth(&self.key).header("prefer", "wait=10").json(&body).send().await?;
            let answer: Value = answer.json().await?;
            times.push(begun.elapsed());
            if answer["status"] != "done" {
                bail!("{answer}");
            }
        }
        Ok(json!({ "explicit_command_median_ms": median(times) }))
    }

    /// Trees of 50 tasks, read by all clients.
    async fn tree(self) -> Result<Value> {
        let remote = Arc::new(self);
        let mut keys = Vec::new();
        let tasks: Vec<_> = (0..50).map(|n| json!({ "op": "create", "task_id": format!("t{n}"), "body": { "title": format!("Task {n}") } })).collect();
        for client in 0..CLIENTS {
            let key = remote.project(&format!("Tree {client}")).await?;
            remote.post(&format!("/projects/{key}/patches"), &json!({ "mode": "apply", "patch": { "tasks": tasks } })).await?;
            keys.push(key);
        }
        let per_second = remote
            .load(move |remote, client, _| {
                let url = format!("{}/projects/{}/tree", remote.url, keys[client]);
                async move {
                    let response = remote.http.get(url).bearer_auth(&remote.key).send().await?;
                    anyhow::ensure!(response.status().is_success(), "{}", response.status());
                    response.bytes().await?;
                    Ok(())
                }
            })
            .await?;
        Ok(json!({ "trees_of_50_tasks_per_second": per_second }))
    }
}

/// In milliseconds, with two digits.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    (times[times.len() / 2].as_secs_f64() * 100_000.0).round() / 100.0
}
