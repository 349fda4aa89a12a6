//! Somebody whom Patchbay tells things: a real HTTP server that checks each signature and answers as a test tells it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use chrono::{DateTime, Utc};
use patchbay_channels::webhook::{delivery, verify};
use patchbay_core::{
    ids::{Context, System},
    integrations::inbound::{Kind, Scheme},
};
use secrecy::SecretString;
use serde_json::Value;
use tokio::{net::TcpListener, sync::Notify};

/// What it got.
#[derive(Clone, Debug)]
pub struct Got {
    pub id: String,
    /// How many signatures there were.
    pub signatures: usize,
    /// With which of its secrets, counted from 0, a signature was right.
    pub fits: Vec<usize>,
    pub body: Value,
    pub at: DateTime<Utc>,
}

/// A status, and a header.
type Answer = (u16, Option<(&'static str, String)>);

#[derive(Default)]
struct Shared {
    secrets: Mutex<Vec<SecretString>>,
    answers: Mutex<VecDeque<Answer>>,
    got: Mutex<Vec<Got>>,
    news: Notify,
}

/// A receiver; it ends with the test.
pub struct Receiver {
    pub url: String,
    shared: Arc<Shared>,
}

impl Receiver {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/hook", listener.local_addr()?);
        let shared = Arc::<Shared>::default();
        let router = Router::new().route("/hook", post(take)).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, shared })
    }

    /// A secret that it knows beside those before.
    pub fn knows(&self, secret: &str) {
        lock(&self.shared.secrets).push(secret.into());
    }

    /// What it answers next; after all of them, 204.
    pub fn answers(&self, status: u16, header: Option<(&'static str, &str)>) {
        lock(&self.shared.answers).push_back((status, header.map(|(name, value)| (name, value.to_owned()))));
    }

    /// Waits until it got so much.
    pub async fn got(&self, count: usize) -> Result<Vec<Got>> {
        let enough = async {
            loop {
                let news = self.shared.news.notified();
                let got = lock(&self.shared.got).clone();
                if got.len() >= count {
                    return got;
                }
                news.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), enough).await.with_context(|| format!("only this came: {:?}", lock(&self.shared.got)))
    }

    /// What it got so far.
    pub fn so_far(&self) -> Vec<Got> {
        lock(&self.shared.got).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let at = System::default().now();
    let headers = delivery::headers(&headers);
    let fits = lock(&shared.secrets)
        .iter()
        .enumerate()
        .filter(|(_, secret)| verify::verify(Kind::Standard, &Scheme::default(), &[(*secret).clone()], &headers, &body, at).is_ok())
        .map(|(index, _)| index)
        .collect();
    let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
    lock(&shared.got).push(Got {
        id: header("webhook-id"),
        signatures: header("webhook-signature").split(' ').count(),
        fits,
        body: serde_json::from_slice(&body).unwrap_or_default(),
        at,
    });
    shared.news.notify_waiters();
    let (status, header) = lock(&shared.answers).pop_front().unwrap_or((204, None));
    let mut response = StatusCode::from_u16(status).unwrap_or(StatusCode::NO_CONTENT).into_response();
    if let Some((name, value)) = header
        && let Ok(value) = HeaderValue::from_str(&value)
    {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    response
}
