//! The whole service on a database of its own, spoken to over HTTP.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use patchbay_core::{
    db::{Db, PoolSize},
    ids::System,
};
use patchbay_web::{
    service::{Data, Service, ensure_first},
    settings::{Flags, Settings, load},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{
    cluster::{Database, cluster},
    until::found,
};

/// A running service and a client that is its owner.
pub struct Running {
    pub url: String,
    /// The owner's key.
    pub key: String,
    pub database: Database,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<Result<()>>,
    http: reqwest::Client,
    /// Where the key was written.
    dir: TempDir,
}

/// A browser's session.
pub struct SignedIn {
    cookie: String,
    csrf: String,
}

/// An answer: its status and its JSON, null where there is none.
pub type Answer = (StatusCode, Value);

impl Running {
    /// Starts on an empty database.
    pub async fn start() -> Result<Self> {
        Self::start_with(|_| {}).await
    }

    /// Starts with settings of its own.
    pub async fn start_with(change: impl FnOnce(&mut Settings)) -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let database = cluster().await.database().await?;
        let dir = tempfile::tempdir()?;
        let data = data(&database).await?;
        let db = Db::open(&data.access, PoolSize { service: 2, reader: 1 });
        ensure_first(&db, &System::default(), dir.path()).await?;
        db.close().await;
        let key = std::fs::read_to_string(dir.path().join("owner.key"))?.trim().to_owned();
        let mut settings = settings(&dir)?;
        change(&mut settings);
        let (url, stop, serving) = serve(&settings, data).await?;
        Ok(Self { url, key, database, stop: Some(stop), serving, http: reqwest::Client::new(), dir })
    }

    /// Ends it and starts it again on the same database.
    pub async fn restart(&mut self) -> Result<()> {
        self.restart_with(|_| {}).await
    }

    /// The same, with settings of its own.
    pub async fn restart_with(&mut self, change: impl FnOnce(&mut Settings)) -> Result<()> {
        self.end().await?;
        let mut settings = settings(&self.dir)?;
        change(&mut settings);
        let (url, stop, serving) = serve(&settings, data(&self.database).await?).await?;
        (self.url, self.stop, self.serving) = (url, Some(stop), serving);
        Ok(())
    }

    /// Ends it in order, if it has not ended.
    pub async fn end(&mut self) -> Result<()> {
        let Some(stop) = self.stop.take() else { return Ok(()) };
        let _ = stop.send(());
        (&mut self.serving).await?
    }

    /// A request of somebody, with a key of theirs or none.
    pub async fn ask(&self, key: Option<&str>, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        self.send(key, method, path, body, &[]).await
    }

    /// A request with headers of its own.
    pub async fn send(&self, key: Option<&str>, method: Method, path: &str, body: Option<&Value>, headers: &[(&str, &str)]) -> Result<Answer> {
        let mut request = self.http.request(method, format!("{}/api/v1{path}", self.url));
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await?;
        let status = response.status();
        let bytes = response.bytes().await?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    /// A header of the owner's answer to a POST.
    pub async fn header(&self, path: &str, body: &Value, name: &str) -> Result<Option<String>> {
        let response = self.http.post(format!("{}/api/v1{path}", self.url)).bearer_auth(&self.key).json(body).send().await?.error_for_status()?;
        Ok(response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned))
    }

    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.ask(Some(&self.key), Method::GET, path, None).await
    }

    /// Asks until the answer is as it should be.
    pub async fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Result<Value> {
        found(path, async || {
            let (_, answer) = self.get(path).await?;
            Ok(if is_so(&answer) { Ok(answer) } else { Err(answer) })
        })
        .await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.ask(Some(&self.key), Method::POST, path, Some(body)).await
    }

    /// Another person, who was added with a role, has come in by their link and is signed in.
    pub async fn signed_in(&self, name: &str, role: &str) -> Result<SignedIn> {
        let email = format!("{name}@example.org");
        let (status, member) = self.post("/members", &json!({ "name": name, "email": email, "role": role })).await?;
        anyhow::ensure!(status == StatusCode::CREATED, "{status}: {member}");
        let token = member["sign_in_link"].as_str().and_then(|link| link.rsplit_once('=')).map(|(_, token)| token).context("a link has a token")?;
        let body = json!({ "token": token, "name": name, "email": email, "password": "correct horse battery" });
        let response = self.http.post(format!("{}/api/v1/session/welcome", self.url)).json(&body).send().await?;
        let cookie = response.headers().get("set-cookie").context("a cookie is set")?.to_str()?.split(';').next().unwrap_or_default().to_owned();
        let session: Value = response.json().await?;
        let csrf = session["csrf_token"].as_str().unwrap_or_default().to_owned();
        Ok(SignedIn { cookie, csrf })
    }

    /// A request of somebody who is signed in.
    pub async fn ask_as(&self, who: &SignedIn, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        self.send(None, method, path, body, &[("cookie", who.cookie.as_str()), ("x-csrf-token", who.csrf.as_str())]).await
    }

    /// A key of another person, who is an admin.
    pub async fn member_key(&self, name: &str, scopes: &[&str]) -> Result<String> {
        let who = self.signed_in(name, "admin").await?;
        let (status, key) = self.ask_as(&who, Method::POST, "/keys", Some(&json!({ "name": name, "scopes": scopes }))).await?;
        anyhow::ensure!(status == StatusCode::CREATED, "{status}: {key}");
        Ok(key["key"].as_str().context("a key is shown once")?.to_owned())
    }

    /// Says something and waits for what comes of it.
    pub async fn say(&self, text: &str, project: Option<&str>) -> Result<Value> {
        let body = json!({ "text": text, "project": project });
        let (status, command) = self.send(Some(&self.key), Method::POST, "/commands", Some(&body), &[("prefer", "wait=20")]).await?;
        anyhow::ensure!(status.is_success(), "{status}: {command}");
        Ok(command)
    }
}

async fn data(database: &Database) -> Result<Data> {
    Ok(Data { access: database.access().await?, server: None, what: "a test's".into(), why: "a test asked for it".into() })
}

fn settings(dir: &TempDir) -> Result<Settings> {
    let flags = Flags { data_dir: Some(dir.path().to_owned()), ..Flags::default() };
    Ok(load(&flags)?.0)
}

async fn serve(settings: &Settings, data: Data) -> Result<(String, oneshot::Sender<()>, JoinHandle<Result<()>>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let service = Service::start(settings, Arc::new(System::default()), data, url.clone()).await.context("the service starts")?;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(service.serve(listener, async {
        let _ = stopped.await;
    }));
    Ok((url, stop, serving))
}
