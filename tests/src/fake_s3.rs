//! A bucket that speaks as much of S3 as files need: a real HTTP server that holds every request against its signature.
//!
//! Signatures are those of <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result, ensure};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

/// The bucket's name.
pub const BUCKET: &str = "patchbay";
/// Who may use it.
pub const ACCESS_KEY: &str = "AKIDPATCHBAY";
pub const SECRET_KEY: &str = "a secret of the bucket";
pub const REGION: &str = "eu-central-1";

#[derive(Default)]
struct Shared {
    objects: Mutex<BTreeMap<String, Bytes>>,
    refused: Mutex<Vec<String>>,
}

/// The server, for as long as this lives.
pub struct FakeS3 {
    pub url: String,
    shared: Arc<Shared>,
    serving: tokio::task::JoinHandle<()>,
}

impl FakeS3 {
    pub async fn start() -> Result<Self> {
        let shared = Arc::<Shared>::default();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let serving = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, shared, serving })
    }

    /// What lies in the bucket, by name.
    pub fn objects(&self) -> BTreeMap<String, Bytes> {
        self.shared.objects.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why requests were refused.
    pub fn refused(&self) -> Vec<String> {
        self.shared.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for FakeS3 {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(error) = verify(&method, &uri, &headers, &body) {
        shared.refused.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{error:#}"));
        return failed(StatusCode::FORBIDDEN, "SignatureDoesNotMatch");
    }
    let Some(name) = uri.path().strip_prefix(&format!("/{BUCKET}/")).map(str::to_owned) else { return failed(StatusCode::NOT_FOUND, "NoSuchBucket") };
    let mut objects = shared.objects.lock().unwrap_or_else(PoisonError::into_inner);
    match method {
        Method::PUT => {
            objects.insert(name, body);
            ([(header::ETAG, "\"1\"")], "").into_response()
        }
        Method::GET => match objects.get(&name) {
            Some(bytes) => ([(header::ETAG, "\"1\""), (header::LAST_MODIFIED, "Mon, 30 Nov 2026 12:00:00 GMT")], bytes.clone()).into_response(),
            None => failed(StatusCode::NOT_FOUND, "NoSuchKey"),
        },
        Method::DELETE => {
            objects.remove(&name);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => failed(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
    }
}

fn failed(status: StatusCode, code: &str) -> Response {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{code}</Message></Error>");
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}

/// Holds a request against its signature.
fn verify(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<()> {
    let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).with_context(|| format!("there is no {name}"));
    let authorization = value("authorization")?;
    let part = |name: &str| {
        let found = authorization.split([' ', ',']).find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
        found.with_context(|| format!("{authorization} has no {name}"))
    };
    let (credential, signed, signature) = (part("Credential")?, part("SignedHeaders")?, part("Signature")?);
    let (key, scope) = credential.split_once('/').context("a credential has a scope")?;
    let moment = value("x-amz-date")?;
    let day = moment.split('T').next().unwrap_or_default();
    ensure!(key == ACCESS_KEY, "nobody has the key {key}");
    ensure!(scope == format!("{day}/{REGION}/s3/aws4_request"), "{scope} is not the scope of this bucket");
    let digest = value("x-amz-content-sha256")?;
    ensure!(digest == hex(&Sha256::digest(body)), "the body is not the one that was signed");
    let mut canonical = format!("{method}\n{}\n{}\n", uri.path(), uri.query().unwrap_or_default());
    for name in signed.split(';') {
        writeln!(canonical, "{name}:{}", value(name)?.trim())?;
    }
    write!(canonical, "\n{signed}\n{digest}")?;
    let text = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let mut secret = format!("AWS4{SECRET_KEY}").into_bytes();
    for step in scope.split('/').chain([text.as_str()]) {
        let mut mac = Hmac::<Sha256>::new_from_slice(&secret)?;
        mac.update(step.as_bytes());
        secret = mac.finalize().into_bytes().to_vec();
    }
    ensure!(hex(&secret) == signature, "the signature does not fit");
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
