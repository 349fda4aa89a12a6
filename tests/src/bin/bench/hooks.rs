//! Signed webhooks in: how many a second are durably acknowledged to 16 clients at once, and how soon.
//!
//! The clients write ready bytes and read no more than they must: they share the machine with what is measured.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{CLIENTS, Remote, SPAN};

const BODY: &str = include_str!("../../../data/webhooks/github-check-run-completed.json");

pub(super) async fn measure(remote: &Remote) -> Result<Value> {
    // Only triggers would see them: what is measured is the way in, beside the work on each.
    let made = remote.post("/webhooks/sources", &json!({ "name": "Bench", "kind": "github", "template": "" })).await?;
    let (url, secret) = (made["url"].as_str().context("a source has a URL")?, made["secret"].as_str().context("a source has a secret")?);
    let (host, path) = url.trim_start_matches("http://").split_once('/').context("a URL has a path")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
    mac.update(BODY.as_bytes());
    let mut signature = String::new();
    for byte in mac.finalize().into_bytes() {
        write!(signature, "{byte:02x}")?;
    }
    let head = format!(
        "POST /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nx-github-event: check_run\r\nx-hub-signature-256: sha256={signature}\r\n",
        BODY.len()
    );
    let begun = Instant::now();
    let clients: Vec<_> = (0..CLIENTS).map(|client| tokio::spawn(deliver(client, host.to_owned(), head.clone(), begun))).collect();
    let mut waits = Vec::new();
    for client in clients {
        waits.extend(client.await??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    waits.sort_unstable();
    let p99 = waits.get(waits.len() * 99 / 100).context("something was delivered")?;
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than three digits")]
    let per_second = (waits.len() as f64 / seconds).round();
    Ok(json!({ "hooks_per_second": per_second, "hooks_p99_ms": (p99.as_secs_f64() * 10_000.0).round() / 10.0 }))
}

/// Delivers over and over on one connection; how long each took.
async fn deliver(client: usize, host: String, head: String, begun: Instant) -> Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(&host).await?;
    stream.set_nodelay(true)?;
    let (mut waits, mut answer) = (Vec::new(), Vec::new());
    for round in 0_u64.. {
        if begun.elapsed() >= SPAN {
            break;
        }
        let request = format!("{head}x-github-delivery: {client}-{round}\r\n\r\n{BODY}");
        let sent = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        read(&mut stream, &mut answer).await?;
        waits.push(sent.elapsed());
    }
    Ok(waits)
}

/// Reads one answer, which must be 202.
async fn read(stream: &mut TcpStream, answer: &mut Vec<u8>) -> Result<()> {
    answer.clear();
    loop {
        ensure!(stream.read_buf(answer).await? > 0, "the connection was closed");
        let text = std::str::from_utf8(answer)?;
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        if !head.starts_with("HTTP/1.1 202") {
            bail!("{text}");
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).context("an answer has a length")?;
        if body.len() >= length.parse()? {
            return Ok(());
        }
    }
}
