//! Measures one thing and prints it as a line of JSON. `tests/bench/run` calls it.

mod bare;
mod hooks;
mod lease;
mod live;
mod load;
mod queue;

use std::{
    collections::BTreeSet,
    io::Write as _,
    sync::Arc,
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
/// How many proposals each of them accepts.
const EACH: usize = 20;

#[tokio::main]
async fn main() -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let measured = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["patch"] => patch()?,
        ["sample"] => serde_json::to_value(serde_json::from_value::<ProjectPatch>(creates())?)?,
        ["apply", url, key] => Remote::new(url, key).apply().await?,
        ["hot", url, key] => Remote::new(url, key).hot().await?,
        ["size", url, key] => Remote::new(url, key).size().await?,
        ["command", url, key] => Remote::new(url, key).command().await?,
        ["tree", url, key] => Remote::new(url, key).tree().await?,
        ["rebase", url, key] => Remote::new(url, key).rebase().await?,
        ["accept", url, key] => Remote::new(url, key).accept().await?,
        ["old", url, key] => Remote::new(url, key).old().await?,
        ["kept", url, key] => Remote::new(url, key).kept().await?,
        ["revisions", url, key] => Remote::new(url, key).revisions().await?,
        ["plain", name, url] => plain(name, url).await?,
        ["bare", socket, port] => return bare::serve(socket, port.parse()?).await,
        ["lease", url, key, data] => lease::measure(&Remote::new(url, key), data).await?,
        ["hooks", url, key] => hooks::measure(&Remote::new(url, key)).await?,
        ["live", way @ ("ws" | "sse"), url, key, process, data, compare] => {
            let way = if *way == "ws" { live::Way::Ws } else { live::Way::Sse };
            live::measure(way, &live::Site { remote: &Remote::new(url, key), process, data, compare }).await?
        }
        ["bare-sse"] => return live::bare_sse().await,
        ["queue", data, compare] => queue::measure(data, compare).await?,
        ["verify", patchbay, data] => verify(patchbay, data).await?,
        other => {
            bail!(
                "bench patch | sample | (apply | hot | size | command | tree | rebase | accept | old | kept | revisions | hooks) URL KEY | lease URL KEY DATA | verify PATCHBAY DATA | queue DATA COMPARE | live (ws | sse) URL KEY PID DATA COMPARE | bare SOCKET PORT | bare-sse | plain NAME URL, not {other:?}"
            )
        }
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
            "description": "It works without JavaScript.",
            "priority": "P1", "labels": ["web", "sign-in"], "estimate_minutes": 180, "due_on": "2026-12-01",
            "acceptance_criteria": [{ "text": "A person outside of the team has done it alone" }, { "text": "Errors are told at their field" }] } })
    };
    json!({ "tasks": (1..=6).map(task).collect::<Vec<_>>() })
}

/// What is sent to apply them.
fn applied() -> Value {
    json!({ "mode": "apply", "patch": creates() })
}

/// The same load on a yardstick: `POST /apply/{client}` and `GET /tree/{client}`.
async fn plain(name: &str, url: &str) -> Result<Value> {
    let body = applied().to_string();
    let applies = (0..CLIENTS).map(|client| load::request("POST", &format!("{url}/apply/{client}"), "", &body)).collect::<Result<_>>()?;
    let applies = load::rate(applies).await?;
    let trees = (0..CLIENTS).map(|client| load::request("GET", &format!("{url}/tree/{client}"), "", "")).collect::<Result<_>>()?;
    Ok(json!({ format!("{name}_applies_per_second"): applies, format!("{name}_trees_per_second"): load::rate(trees).await? }))
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

    /// Patches of six creates, each client on its own projects.
    async fn apply(self) -> Result<Value> {
        let mut requests = Vec::new();
        for client in 0..CLIENTS {
            let key = self.project(&format!("Apply {client}")).await?;
            requests.push(self.apply_to(&key)?);
        }
        Ok(json!({ "apply_six_creates_per_second": load::rate(requests).await? }))
    }

    /// The same on one project.
    async fn hot(self) -> Result<Value> {
        let key = self.project("Hot").await?;
        let requests = (0..CLIENTS).map(|_| self.apply_to(&key)).collect::<Result<_>>()?;
        Ok(json!({ "apply_on_one_hot_project_per_second": load::rate(requests).await? }))
    }

    fn apply_to(&self, key: &str) -> Result<load::Request> {
        load::request("POST", &format!("{}/projects/{key}/patches", self.url), &self.key, &applied().to_string())
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
        let body = applied();
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

    /// A project with a key and tasks that have only a title.
    async fn project_of(&self, title: &str, key: Option<&str>, tasks: usize) -> Result<String> {
        let made = self.post("/projects", &json!({ "title": title, "key": key })).await?;
        let key = made["key"].as_str().context("a project has a key")?.to_owned();
        for from in (0..tasks).step_by(500) {
            let tasks: Vec<_> = (from..tasks.min(from + 500))
                .map(|n| json!({ "op": "create", "task_id": format!("t{n}"), "body": { "title": format!("Task {n}") } }))
                .collect();
            self.post(&format!("/projects/{key}/patches"), &json!({ "mode": "apply", "patch": { "tasks": tasks } })).await?;
        }
        Ok(key)
    }

    /// Applies or proposes operations whose tasks are of the project `KEY`.
    async fn patch(&self, mode: &str, key: &str, tasks: &[Value]) -> Result<Value> {
        let patch = json!({ "mode": mode, "patch": { "tasks": tasks } }).to_string().replace("KEY-", &format!("{key}-"));
        self.post(&format!("/projects/{key}/patches"), &serde_json::from_str(&patch)?).await
    }

    /// Proposals of 50 operations, rebased over 200 revisions of which some change the same tasks.
    async fn rebase(self) -> Result<Value> {
        let key = self.project_of("Rebase", None, 1_000).await?;
        let mut proposals = Vec::new();
        for round in 0..20 {
            let operations: Vec<_> = (0..50)
                .map(|n| match n % 5 {
                    0 => json!({ "op": "create", "task_id": format!("t{n}"), "body": { "title": "New", "parent_id": format!("KEY-{}", 900 + n) } }),
                    1 => update(n * 10 + 1, &json!({ "priority": "P1" })),
                    2 => update(n * 10 + 1, &json!({ "labels": { "add": [format!("l{round}")], "remove": [] } })),
                    3 => update(n * 10 + 1, &json!({ "after": format!("KEY-{}", n * 10 + 5) })),
                    _ => update(n * 10 + 1, &json!({ "description": "It has to work without JavaScript" })),
                })
                .collect();
            let proposal = self.patch("propose", &key, &operations).await?;
            proposals.push(proposal["number"].as_i64().context("a proposal has a number")?);
        }
        for round in 0..200 {
            let change = update(round * 5 + 1, &json!({ "status": "doing", "due_on": "2026-12-01" }));
            self.patch("apply", &key, &[change]).await?;
        }
        let mut times = Vec::new();
        for number in proposals {
            let begun = Instant::now();
            let rebased = self.post(&format!("/proposals/{number}/rebase"), &json!({})).await?;
            times.push(begun.elapsed());
            anyhow::ensure!(rebased["conflicts"] == json!([]) && rebased["operations"].as_array().is_some_and(|all| all.len() == 50), "{rebased}");
        }
        Ok(json!({ "rebase_50_operations_over_200_revisions_ms": median(times) }))
    }

    /// Accepts by 16 people: each on a project of their own, then all on one.
    async fn accept(self) -> Result<Value> {
        let remote = Arc::new(self);
        let mut own = Vec::new();
        for client in 0..CLIENTS {
            own.push(remote.project_of(&format!("Accept {client}"), None, CLIENTS * EACH + 100).await?);
        }
        let one = remote.project_of("Accept together", None, CLIENTS * EACH + 100).await?;
        let alone = remote.accepts(own).await?;
        let together = remote.accepts(vec![one; CLIENTS]).await?;
        Ok(json!({
            "accepts_on_16_projects_per_second": alone.round(), "accepts_on_one_project_per_second": together.round(),
            "accepts_on_one_of_16": (together / alone * 100.0).round() / 100.0,
        }))
    }

    /// Accepts a second: those of each client, all made before the first is accepted.
    async fn accepts(self: &Arc<Self>, keys: Vec<String>) -> Result<f64> {
        let mut proposals: Vec<Vec<i64>> = vec![Vec::new(); keys.len()];
        for round in 0..EACH {
            for (client, key) in keys.iter().enumerate() {
                let turn = client * EACH + round;
                let own = update(turn + 1, &json!({ "title": format!("Title {turn}") }));
                let shared = update(CLIENTS * EACH + turn % 100 + 1, &json!({ "labels": { "add": [format!("l{turn}")], "remove": [] } }));
                let operations = [own, create("New"), shared];
                let proposal = self.patch("propose", key, &operations).await?;
                proposals[client].push(proposal["number"].as_i64().context("a proposal has a number")?);
            }
        }
        let begun = Instant::now();
        let clients: Vec<_> = proposals
            .into_iter()
            .map(|numbers| {
                let remote = self.clone();
                tokio::spawn(async move {
                    for number in numbers {
                        remote.post(&format!("/proposals/{number}/accept"), &json!({})).await?;
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        let total = clients.len() * EACH;
        for client in clients {
            client.await??;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than three digits")]
        let total = total as f64;
        Ok(total / begun.elapsed().as_secs_f64())
    }

    /// A project of 5,000 tasks with 2,000 changes, as it was 1,000 versions ago, before there are snapshots of it.
    async fn old(self) -> Result<Value> {
        self.project_of("Old", Some(OLD), 5_000).await?;
        for round in 0..2_200 {
            self.patch("apply", OLD, &[change(round, 5_000)]).await?;
        }
        Ok(json!({ "version_1000_back_without_snapshots_ms": self.read_back().await? }))
    }

    /// The same once the service has had a minute to take snapshots.
    async fn kept(self) -> Result<Value> {
        Ok(json!({ "version_1000_back_ms": self.read_back().await? }))
    }

    async fn read_back(&self) -> Result<f64> {
        let project: Value = self.http.get(format!("{}/projects/{OLD}", self.url)).bearer_auth(&self.key).send().await?.json().await?;
        let version = project["version"].as_i64().context("a project has a version")? - 1_000;
        let mut times = Vec::new();
        for _ in 0..15 {
            let begun = Instant::now();
            let url = format!("{}/projects/{OLD}/tree?version={version}", self.url);
            let answer = self.http.get(url).bearer_auth(&self.key).send().await?.error_for_status()?.bytes().await?;
            times.push(begun.elapsed());
            anyhow::ensure!(answer.len() > 500_000, "it has 5,000 tasks");
        }
        Ok(median(times))
    }

    /// 100,000 revisions of 16 projects, for `verify`.
    async fn revisions(self) -> Result<Value> {
        let remote = Arc::new(self);
        let begun = Instant::now();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let remote = remote.clone();
                tokio::spawn(async move {
                    let key = remote.project_of(&format!("History {client}"), None, 1_000).await?;
                    for round in 0..100_000 / CLIENTS {
                        remote.patch("apply", &key, &[change(round, 1_000)]).await?;
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        for client in clients {
            client.await??;
        }
        Ok(json!({ "small_patches_per_second": (100_000.0 / begun.elapsed().as_secs_f64()).round() }))
    }

    /// Trees of 50 tasks, read by all clients.
    async fn tree(self) -> Result<Value> {
        let mut requests = Vec::new();
        for client in 0..CLIENTS {
            let key = self.project_of(&format!("Tree {client}"), None, 50).await?;
            requests.push(load::request("GET", &format!("{}/projects/{key}/tree", self.url), &self.key, "")?);
        }
        Ok(json!({ "trees_of_50_tasks_per_second": load::rate(requests).await? }))
    }
}

/// A key of the project that is read as it was.
const OLD: &str = "OLD";

fn create(title: &str) -> Value {
    json!({ "op": "create", "task_id": "t", "body": { "title": title } })
}

fn update(task: usize, body: &Value) -> Value {
    json!({ "op": "update", "task_id": format!("KEY-{task}"), "body": body })
}

/// One of the changes that people make all day, to a project of so many tasks.
fn change(round: usize, tasks: usize) -> Value {
    let task = round * 7 % tasks + 1;
    match round % 8 {
        0 => create(&format!("Another task, {round}")),
        1 => update(task, &json!({ "status": if (round / tasks).is_multiple_of(2) { "doing" } else { "todo" } })),
        2 => update(task, &json!({ "title": format!("A title that was found wanting {round} times") })),
        3 => update(task, &json!({ "priority": "P1", "due_on": "2026-12-01", "labels": ["web", format!("sprint-{round}")] })),
        4 => update(
            task,
            &json!({ "description": format!("It has to work without JavaScript, and tell people what was wrong in words they understand. {round}") }),
        ),
        5 => update(task, &json!({ "after": null })),
        6 => update(task, &json!({ "acceptance_criteria": [{ "text": format!("{round} people outside of the team have done it alone") }] })),
        _ => update(task, &json!({ "estimate_minutes": round + 1 })),
    }
}

/// Proves the whole database with the program itself, whose peak memory is watched.
async fn verify(patchbay: &str, data: &str) -> Result<Value> {
    let begun = Instant::now();
    let mut child = tokio::process::Command::new(patchbay).args(["verify", "--data-dir", data]).stdout(std::process::Stdio::piped()).spawn()?;
    let status = format!("/proc/{}/status", child.id().context("it runs")?);
    let mut peak_kib = 0;
    let ended = loop {
        if let Ok(text) = std::fs::read_to_string(&status)
            && let Some(line) = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))
        {
            peak_kib = line.trim().trim_end_matches(" kB").parse::<u64>()?;
        }
        tokio::select! {
            ended = child.wait() => break ended?,
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
    };
    let seconds = begun.elapsed().as_secs_f64();
    let mut told = String::new();
    if let Some(mut out) = child.stdout.take() {
        tokio::io::AsyncReadExt::read_to_string(&mut out, &mut told).await?;
    }
    if !ended.success() {
        bail!("verify found something: {told}");
    }
    let revisions: u64 = told.split(", ").nth(1).and_then(|part| part.split(' ').next()).context("it says how many revisions")?.parse()?;
    Ok(json!({ "verified_revisions": revisions, "verify_seconds": (seconds * 10.0).round() / 10.0, "verify_peak_kib": peak_kib }))
}

/// In milliseconds, with two digits.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    (times[times.len() / 2].as_secs_f64() * 100_000.0).round() / 100.0
}
