//! A project as files, for agents that work on files: `state/*.json`, `events/events.jsonl`, `logs/log.md`.
//!
//! Invariants: what stands in the files was the service's, whole, at some moment; an edit of `state/tasks.json` becomes a proposal or
//! is refused beside it, and is never written over before one of both; an event stands in `events.jsonl` once, in order, however
//! often the mirror or the service is started again.

mod edit;
mod folder;

use std::{collections::HashMap, io, path::Path, time::Duration};

use anyhow::{Context as _, Result, bail};
use reqwest::{Client, Method, Response, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use edit::{Edit, Fault, compare, place_in_file};
use folder::{Folder, TASKS};

/// How often the file is looked at. What somebody writes counts once it has stayed the same from one look to the next.
const LOOK: Duration = Duration::from_millis(250);
/// How often all is read again without an event: a heartbeat is told of by none.
const ALL: Duration = Duration::from_secs(10);
/// The service says something every 15 seconds.
const SILENCE: Duration = Duration::from_secs(45);
/// Between two tries to reach the service.
const PAUSE: Duration = Duration::from_secs(1);

const ERROR: &str = "state/tasks.json.error";
const PROPOSAL: &str = "state/tasks.json.proposal";

/// What to mirror, and as whom.
pub(crate) struct Source {
    /// Where the service is, without a slash at the end.
    pub(crate) url: String,
    pub(crate) key: SecretString,
    /// The project's key.
    pub(crate) project: String,
}

/// Keeps a folder until `stop`. `say` is what people read.
pub(crate) async fn run(source: Source, root: &Path, say: fn(&str), stop: impl Future<Output = ()>) -> Result<()> {
    let folder = Folder::open(root).with_context(|| format!("cannot keep {}", root.display()))?;
    let http = Client::builder().connect_timeout(Duration::from_secs(5)).build().context("no HTTP client")?;
    let mut mirror = Mirror { source, http, folder, say, tags: HashMap::new(), base: None, seen: None, refused: None };
    mirror.take_up()?;
    tokio::select! {
        () = stop => Ok(()),
        ended = mirror.keep() => ended,
    }
}

/// Why following the service came to an end.
enum Stopped {
    /// It will be there again.
    Away(String),
    /// It will not become better by itself.
    For(anyhow::Error),
}

impl From<reqwest::Error> for Stopped {
    fn from(error: reqwest::Error) -> Self {
        Self::Away(error.without_url().to_string())
    }
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::For(anyhow::Error::new(error).context("the folder cannot be written"))
    }
}

struct Mirror {
    source: Source,
    http: Client,
    folder: Folder,
    say: fn(&str),
    /// The tags of what was read last, by file.
    tags: HashMap<&'static str, String>,
    /// The tasks as they were last written here.
    base: Option<Vec<u8>>,
    /// What the file was at the last look, where that is an edit.
    seen: Option<Vec<u8>>,
    /// The edit that was refused last: it is not tried again.
    refused: Option<Vec<u8>>,
}

impl Mirror {
    /// Goes on with what is in the folder.
    fn take_up(&mut self) -> Result<()> {
        self.base = self.folder.base()?;
        if self.base.is_none() && self.folder.read(TASKS)?.is_some() {
            bail!("{} is there and no mirror wrote it: move it away", self.folder.path(TASKS).display());
        }
        if !self.is_edited()? {
            self.folder.remove(ERROR)?;
        }
        Ok(())
    }

    async fn keep(&mut self) -> Result<()> {
        let mut is_away = false;
        loop {
            match self.follow(&mut is_away).await {
                Stopped::For(error) => return Err(error),
                Stopped::Away(why) => {
                    if !std::mem::replace(&mut is_away, true) {
                        (self.say)(&format!("{} does not answer ({why}); trying again until it does", self.source.url));
                    }
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// Follows the service until that is no longer possible.
    async fn follow(&mut self, was_away: &mut bool) -> Stopped {
        match self.follow_on(was_away).await {
            Ok(never) => match never {},
            Err(stopped) => stopped,
        }
    }

    async fn follow_on(&mut self, was_away: &mut bool) -> Result<std::convert::Infallible, Stopped> {
        // An edit that was made meanwhile is one of what was known then.
        self.look().await?;
        let mut tail = self.tail().await?;
        self.refresh().await?;
        let how = if std::mem::take(was_away) { "again kept" } else { "kept" };
        (self.say)(&format!("{} is {how} in {}", self.source.project, self.folder.path("").display()));
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut heard, mut refreshed, mut has_news) = (Instant::now(), Instant::now(), false);
        let mut part = Vec::new();
        loop {
            tokio::select! {
                chunk = tail.chunk() => {
                    let chunk = chunk?.ok_or_else(|| Stopped::Away("it ended the stream of events".into()))?;
                    heard = Instant::now();
                    has_news |= self.take_events(&mut part, &chunk)?;
                }
                _ = looks.tick() => {
                    self.look().await?;
                    if has_news || refreshed.elapsed() >= ALL {
                        (has_news, refreshed) = (false, Instant::now());
                        self.refresh().await?;
                    }
                    if heard.elapsed() >= SILENCE {
                        return Err(Stopped::Away("it is silent".into()));
                    }
                }
            }
        }
    }

    /// Keeps the whole lines of what came. Whether there were events.
    fn take_events(&self, part: &mut Vec<u8>, chunk: &[u8]) -> io::Result<bool> {
        part.extend_from_slice(chunk);
        let Some(end) = part.iter().rposition(|byte| *byte == b'\n') else { return Ok(false) };
        let whole: Vec<u8> = part.drain(..=end).collect();
        // An empty line says that the service is still there.
        let events: Vec<u8> = whole.split_inclusive(|byte| *byte == b'\n').filter(|line| line.len() > 1).flatten().copied().collect();
        if !events.is_empty() {
            self.folder.append_events(&events)?;
        }
        Ok(!events.is_empty())
    }

    /// The events after the last that is kept, without an end.
    async fn tail(&self) -> Result<Response, Stopped> {
        let mut since = self.folder.last_seq()?;
        loop {
            let path = format!("/collab/events/tail?project={}&since={since}", self.source.project);
            let request = self.request(Method::GET, &path).header(header::ACCEPT, "application/x-ndjson");
            // The answer begins at once, and has no end.
            let response = timeout(SILENCE, request.send()).await.map_err(|_| Stopped::Away("it does not answer in time".into()))??;
            if response.status() == StatusCode::GONE {
                (self.say)("some events are no longer kept by the service and are missing here; going on with the first that there is");
                since = 0;
                continue;
            }
            return Self::checked(response).await;
        }
    }

    /// Reads what has changed.
    async fn refresh(&mut self) -> Result<(), Stopped> {
        let project = self.source.project.clone();
        for (name, path) in [
            ("state/locks.json", format!("/collab/state/locks?project={project}")),
            ("state/agents.json", "/collab/state/agents".to_owned()),
            ("logs/log.md", format!("/collab/log?project={project}&limit=200")),
        ] {
            if let Some((bytes, tag)) = self.changed(name, &path).await? {
                self.folder.write(name, &bytes)?;
                self.tags.extend(tag.map(|tag| (name, tag)));
            }
        }
        // An edit that is yet to be taken, or to be mended, is not written over.
        if self.is_edited()? {
            return Ok(());
        }
        if let Some((bytes, tag)) = self.changed(TASKS, &format!("/collab/state/tasks?project={project}")).await? {
            let bytes = pretty(&bytes);
            if self.base.as_ref() != Some(&bytes) || self.folder.read(TASKS)?.is_none() {
                if self.is_edited()? {
                    return Ok(());
                }
                self.folder.write_tasks(&bytes)?;
                self.base = Some(bytes);
            }
            self.tags.extend(tag.map(|tag| (TASKS, tag)));
        }
        Ok(())
    }

    /// A resource and its tag, where it is another than the last time.
    async fn changed(&self, name: &str, path: &str) -> Result<Option<(Vec<u8>, Option<String>)>, Stopped> {
        let mut request = self.request(Method::GET, path).timeout(SILENCE);
        if let Some(tag) = self.tags.get(name) {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        let response = request.send().await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        let response = Self::checked(response).await?;
        let tag = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        Ok(Some((response.bytes().await?.to_vec(), tag)))
    }

    fn is_edited(&self) -> io::Result<bool> {
        Ok(self.base.is_some() && self.folder.read(TASKS)?.is_some_and(|bytes| Some(&bytes) != self.base.as_ref()))
    }

    /// Looks whether somebody has edited the tasks, and takes that once it stays as it is.
    async fn look(&mut self) -> Result<(), Stopped> {
        if self.base.is_none() {
            return Ok(());
        }
        let Some(bytes) = self.folder.read(TASKS)? else {
            // A file that was deleted is no edit: it comes back.
            self.tags.remove(TASKS);
            return Ok(());
        };
        if Some(&bytes) == self.base.as_ref() {
            self.seen = None;
            if self.refused.take().is_some() {
                self.folder.remove(ERROR)?;
            }
            return Ok(());
        }
        if self.refused.as_ref() == Some(&bytes) {
            return Ok(());
        }
        if self.seen.as_ref() != Some(&bytes) {
            self.seen = Some(bytes);
            return Ok(());
        }
        self.take_edit(bytes).await
    }

    async fn take_edit(&mut self, bytes: Vec<u8>) -> Result<(), Stopped> {
        let base: Value = self.base.as_deref().and_then(|base| serde_json::from_slice(base).ok()).unwrap_or_default();
        let after: Value = match serde_json::from_slice(&bytes) {
            Ok(after) => after,
            Err(error) => return self.refuse(bytes, "This is not JSON.", &[Fault { path: String::new(), message: error.to_string() }]),
        };
        let edit = match compare(&base, &after) {
            Ok(edit) => edit,
            Err(faults) => return self.refuse(bytes, "Not all of it can be taken.", &faults),
        };
        if !edit.operations.is_empty() {
            let body = json!({
                "mode": "propose",
                "message": format!("Edited in {TASKS}"),
                "patch": { "base_version": base["version"], "tasks": edit.operations },
            });
            let response = self
                .request(Method::POST, &format!("/projects/{}/patches", self.source.project))
                .header("Idempotency-Key", self.name_of(&bytes)?)
                .json(&body)
                .timeout(SILENCE)
                .send()
                .await?;
            let status = response.status();
            if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
                return Err(Stopped::Away(format!("it answers {status}")));
            }
            let answer: Value = response.json().await?;
            if status != StatusCode::CREATED {
                let (detail, faults) = told(&answer, &edit);
                return self.refuse(bytes, &detail, &faults);
            }
            let proposal =
                json!({ "number": answer["number"], "title": answer["title"], "operations": edit.operations.len(), "conflicts": answer["conflicts"] });
            self.folder.write(PROPOSAL, &pretty(proposal.to_string().as_bytes()))?;
            (self.say)(&format!(
                "{TASKS} was edited: proposal #{} ({}). {}/proposals/{}",
                answer["number"],
                answer["title"].as_str().unwrap_or_default(),
                self.source.url,
                answer["number"]
            ));
        }
        // What was proposed is not so yet: the file says again what is. What was saved meanwhile is the next edit.
        if self.folder.read(TASKS)?.as_ref() == Some(&bytes)
            && let Some(base) = self.base.take()
        {
            self.folder.write_tasks(&base)?;
            self.base = Some(base);
        }
        self.tags.remove(TASKS);
        self.seen = None;
        self.refused = None;
        self.folder.remove(ERROR)?;
        Ok(())
    }

    /// Names an edit, so that it becomes one proposal although its answer may be lost: by what was edited, and what was proposed last.
    fn name_of(&self, bytes: &[u8]) -> io::Result<String> {
        let mut hasher = blake3::Hasher::new();
        for part in [self.base.as_deref().unwrap_or_default(), &self.folder.read(PROPOSAL)?.unwrap_or_default(), bytes] {
            hasher.update(blake3::hash(part).as_bytes());
        }
        Ok(format!("mirror-{}", hasher.finalize().to_hex()))
    }

    /// Says why an edit cannot be taken, beside the file and on the terminal. The file stays as it is, to be mended.
    fn refuse(&mut self, bytes: Vec<u8>, detail: &str, faults: &[Fault]) -> Result<(), Stopped> {
        let report = json!({ "detail": detail, "errors": faults });
        self.folder.write(ERROR, &pretty(report.to_string().as_bytes()))?;
        (self.say)(&format!("{TASKS} cannot be taken: {detail}"));
        for fault in faults {
            (self.say)(&format!("  {} {}", fault.path, fault.message));
        }
        self.refused = Some(bytes);
        Ok(())
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}/api/v1{path}", self.source.url)).bearer_auth(self.source.key.expose_secret())
    }

    /// An answer that is one. What the caller has to mend ends the mirror.
    async fn checked(response: Response) -> Result<Response, Stopped> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS {
            let problem: Value = response.json().await.unwrap_or_default();
            return Err(Stopped::For(anyhow::anyhow!("{}", problem["detail"].as_str().unwrap_or(status.as_str()))));
        }
        Err(Stopped::Away(format!("it answers {status}")))
    }
}

/// What a problem says of an edit.
fn told(problem: &Value, edit: &Edit) -> (String, Vec<Fault>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fault = |fault: &Value| {
        let mut message = text(&fault["message"]);
        for (lead, field) in [("expected", "expected"), ("found", "found"), ("fix", "fix")] {
            if let Some(more) = fault[field].as_str() {
                message = format!("{message}; {lead}: {more}");
            }
        }
        Fault { path: place_in_file(edit, &text(&fault["path"])), message }
    };
    (text(&problem["detail"]), problem["errors"].as_array().into_iter().flatten().map(fault).collect())
}

/// JSON as people edit it.
fn pretty(bytes: &[u8]) -> Vec<u8> {
    let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let mut bytes = serde_json::to_vec_pretty(&value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
