//! Those who decide while the program dies: they repeat what they have no answer to, and remember what they were answered.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use futures::future::try_join_all;
use rand::{Rng as _, rngs::StdRng, seq::SliceRandom as _};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::Size;

/// How many act at once.
const PEOPLE: usize = 16;

/// A proposal to create three tasks, and to set one label on a task that others may want to change too.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    /// Its label, and how its tasks begin.
    pub(crate) name: String,
    pub(crate) number: i64,
    pub(crate) project: String,
    pub(crate) target: String,
}

/// What one of them does.
#[derive(Clone, Debug)]
enum Deed {
    Accept(Planned),
    Reject(Planned),
    /// A message: the text, and the project it is about.
    Say {
        client_id: String,
        text: String,
        project: String,
    },
    /// A patch with one new task, applied without a proposal.
    Apply {
        title: String,
        project: String,
    },
}

/// What they were answered.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    /// Proposals, and the state that a 200 told.
    pub(crate) decided: Vec<(i64, Value)>,
    /// Client ids of messages, with the ids that they were given.
    pub(crate) said: Vec<(String, String)>,
    /// Titles of patches that were applied: a 200 told so, or that the answer was lost behind their effect.
    pub(crate) applied: Vec<String>,
}

/// Somebody with a key, who does not give up.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) key: String,
    pub(crate) url: watch::Receiver<Option<String>>,
    http: reqwest::Client,
    keys: Arc<AtomicU32>,
    /// How many answers there were that got somebody on.
    pub(crate) answers: watch::Sender<u32>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) witness: Arc<Mutex<Witness>>,
}

/// How often it came to what this test is about.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) lost: AtomicU32,
    pub(crate) replayed: AtomicU32,
    pub(crate) unanswered: AtomicU32,
    pub(crate) conflicts: AtomicU32,
}

type Answer = (StatusCode, Value);

impl Client {
    pub(crate) fn new(key: String, url: watch::Receiver<Option<String>>) -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(Duration::from_mins(1)).build()?;
        Ok(Self { key, url, http, keys: Arc::default(), answers: watch::Sender::new(0), tally: Arc::default(), witness: Arc::default() })
    }

    /// Asks until there is an answer, with the same key each time.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<&Value>, key: Option<&str>) -> Result<Answer> {
        let mut url = self.url.clone();
        loop {
            let base = url.wait_for(Option::is_some).await?.clone().unwrap_or_default();
            let mut request = self.http.request(method.clone(), format!("{base}/api/v1{path}")).bearer_auth(&self.key).header("prefer", "wait=10");
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = async {
                let response = request.send().await?;
                let (status, replayed) = (response.status(), response.headers().contains_key("idempotency-replayed"));
                Ok::<_, reqwest::Error>((status, replayed, response.bytes().await?))
            };
            match answer.await {
                Ok((status, replayed, bytes)) => {
                    self.tally.replayed.fetch_add(replayed.into(), Ordering::Relaxed);
                    ensure!(!status.is_server_error(), "{method} {path}: {status}: {}", String::from_utf8_lossy(&bytes));
                    let answer: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
                    if answer["type"] == "/problems/running" {
                        // Until those minutes have passed.
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        continue;
                    }
                    if answer["type"] == "/problems/unanswered" {
                        self.tally.unanswered.fetch_add(1, Ordering::Relaxed);
                    } else {
                        self.answers.send_modify(|answers| *answers += 1);
                    }
                    return Ok((status, answer));
                }
                Err(error) if error.is_timeout() => bail!("{method} {path}: {error:?}"),
                Err(_) => {
                    self.tally.lost.fetch_add(1, Ordering::Relaxed);
                    // Another process is another address.
                    url.wait_for(|url| url.as_ref() != Some(&base)).await?;
                }
            }
        }
    }

    /// Posts with a new key.
    async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        let key = format!("request {}", self.keys.fetch_add(1, Ordering::Relaxed));
        self.ask(Method::POST, path, Some(body), Some(&key)).await
    }

    /// Accepts until that is decided, and settles on the way what clashes.
    pub(crate) async fn accept(&self, number: i64) -> Result<()> {
        loop {
            let (status, answer) = self.post(&format!("/proposals/{number}/accept"), &json!({})).await?;
            match (status, answer["type"].as_str()) {
                (StatusCode::OK, _) => {
                    self.saw(|witness| witness.decided.push((number, answer)));
                    return Ok(());
                }
                (StatusCode::CONFLICT, Some("/problems/decided")) => return Ok(()),
                // Shown anew, or cut off: once more.
                (StatusCode::CONFLICT, Some("/problems/rebased" | "/problems/unanswered")) => {}
                (StatusCode::CONFLICT, Some("/problems/conflicted")) => {
                    self.tally.conflicts.fetch_add(1, Ordering::Relaxed);
                    let (status, answer) = self.post(&format!("/proposals/{number}/resolve"), &json!({ "conflict": 1, "take": "ours" })).await?;
                    // Somebody else may have settled it by now: then there is no such conflict.
                    ensure!(matches!(status, StatusCode::OK | StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY), "#{number}: {status}: {answer}");
                }
                _ => bail!("#{number}: {status}: {answer}"),
            }
        }
    }

    async fn reject(&self, number: i64) -> Result<()> {
        loop {
            let (status, answer) = self.post(&format!("/proposals/{number}/reject"), &json!({ "reason": "chaos" })).await?;
            match (status, answer["type"].as_str()) {
                (StatusCode::OK, _) => {
                    self.saw(|witness| witness.decided.push((number, answer)));
                    return Ok(());
                }
                (StatusCode::CONFLICT, Some("/problems/decided")) => return Ok(()),
                (StatusCode::CONFLICT, Some("/problems/unanswered")) => {}
                _ => bail!("#{number}: {status}: {answer}"),
            }
        }
    }

    async fn say(&self, client_id: String, text: &str, project: &str) -> Result<()> {
        let (status, answer) = self.ask(Method::POST, "/commands", Some(&json!({ "text": text, "project": project })), Some(&client_id)).await?;
        ensure!(status.is_success(), "{text}: {status}: {answer}");
        let id = answer["id"].as_str().context("a command has an id")?.to_owned();
        self.saw(|witness| witness.said.push((client_id, id)));
        Ok(())
    }

    /// Nothing but its key keeps such a patch from being applied twice, so that a new key is taken only for what surely had no effect.
    /// What was cut off before its effect is done by who asks again.
    async fn apply(&self, title: String, project: &str) -> Result<()> {
        let body = json!({ "mode": "apply", "patch": { "tasks": [create("a", &title)] } });
        loop {
            let (status, answer) = self.post(&format!("/projects/{project}/patches"), &body).await?;
            match (status, answer["type"].as_str()) {
                (StatusCode::OK, _) | (StatusCode::CONFLICT, Some("/problems/unanswered")) => {}
                (StatusCode::CONFLICT, Some("/problems/stale")) => continue,
                _ => bail!("{title}: {status}: {answer}"),
            }
            self.saw(|witness| witness.applied.push(title));
            return Ok(());
        }
    }

    async fn act(&self, deed: Deed) -> Result<()> {
        match deed {
            Deed::Accept(planned) => self.accept(planned.number).await,
            Deed::Reject(planned) => self.reject(planned.number).await,
            Deed::Say { client_id, text, project } => self.say(client_id, &text, &project).await,
            Deed::Apply { title, project } => self.apply(title, &project).await,
        }
    }

    fn saw(&self, tell: impl FnOnce(&mut Witness)) {
        tell(&mut self.witness.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Many who take one piece of work after the other.
    async fn crowd<T: Send, F: Future<Output = Result<()>>>(&self, work: Vec<T>, each: impl Fn(Self, T) -> F) -> Result<()> {
        let queue = Mutex::new(VecDeque::from(work));
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let person = async || {
            while let Some(piece) = next() {
                each(self.clone(), piece).await?;
            }
            anyhow::Ok(())
        };
        try_join_all((0..PEOPLE).map(|_| person())).await.map(drop)
    }
}

fn create(id: &str, title: &str) -> Value {
    json!({ "op": "create", "task_id": id, "body": { "title": title } })
}

/// Makes the projects and opens the proposals: half of them each for a task of its own, half for few tasks that all want.
pub(crate) async fn open(client: &Client, size: &Size, rng: &mut StdRng) -> Result<Vec<Planned>> {
    let each = size.accepts.div_ceil(size.projects);
    let hot = each.div_ceil(10);
    let mut patches = Vec::new();
    for project in (0..size.projects).map(|n| format!("CHAOS{n}")) {
        let (status, answer) = client.post("/projects", &json!({ "title": project, "key": project })).await?;
        ensure!(status == StatusCode::CREATED, "{status}: {answer}");
        let tasks: Vec<Value> = (0..each).map(|n| create(&format!("t{n}"), &format!("Target {n}"))).collect();
        let (status, answer) = client.post(&format!("/projects/{project}/patches"), &json!({ "mode": "apply", "patch": { "tasks": tasks } })).await?;
        ensure!(status == StatusCode::OK, "{status}: {answer}");
        for n in 0..each {
            let name = format!("{}-{n}", project.to_lowercase());
            let is_hot = rng.random_bool(0.5);
            let target = format!("{project}-{}", 1 + if is_hot { rng.random_range(0..hot) } else { n.max(hot) });
            let mut body = json!({ "labels": { "add": [name] } });
            if is_hot && rng.random_bool(0.5) {
                body["title"] = json!(format!("As {name} wants it"));
            }
            let mut tasks: Vec<Value> = ["a", "b", "c"].iter().map(|part| create(part, &format!("{name} {part}"))).collect();
            tasks.insert(rng.random_range(0..=3), json!({ "op": "update", "task_id": target, "body": body }));
            patches.push((Planned { name, number: 0, project: project.clone(), target }, json!({ "patch": { "tasks": tasks } })));
        }
    }
    patches.shuffle(rng);
    let opened = Mutex::new(Vec::new());
    let each = async |client: Client, (mut planned, patch): (Planned, Value)| {
        let (status, answer) = client.post(&format!("/projects/{}/patches", planned.project), &patch).await?;
        planned.number = answer["number"].as_i64().with_context(|| format!("{status}: {answer}"))?;
        opened.lock().unwrap_or_else(PoisonError::into_inner).push(planned);
        anyhow::Ok(())
    };
    client.crowd(patches, each).await?;
    let mut opened = opened.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Whoever came first got the lower number: that must not decide who does what.
    opened.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(opened)
}

/// Decides on every proposal, on some of them twice and not in agreement, and does other things between.
pub(crate) async fn decide(client: Client, planned: Vec<Planned>, mut rng: StdRng) -> Result<()> {
    let mut deeds = Vec::new();
    for (n, planned) in planned.into_iter().enumerate() {
        let project = planned.project.clone();
        if n % 4 == 0 {
            deeds.push(Deed::Say { client_id: format!("add {n}"), text: format!("add \"Said {n}\""), project: project.clone() });
        }
        if n % 4 == 1 {
            deeds.push(Deed::Apply { title: format!("Applied {n}"), project: project.clone() });
        }
        if rng.random_bool(0.2) {
            deeds.push(if rng.random() { Deed::Accept(planned.clone()) } else { Deed::Reject(planned.clone()) });
        }
        deeds.push(match rng.random_range(0..12) {
            0 => Deed::Reject(planned),
            1 | 2 => Deed::Say { client_id: format!("accept {n}"), text: format!("accept #{}", planned.number), project },
            _ => Deed::Accept(planned),
        });
    }
    deeds.shuffle(&mut rng);
    client.crowd(deeds, async |client, deed| client.act(deed).await).await
}
