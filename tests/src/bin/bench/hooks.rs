//! Signed webhooks in: how many a second are durably acknowledged to 16 clients at once, and how soon; and how soon a slash command
//! of Slack is, meanwhile.
//!
//! The clients write ready bytes and read no more than they must: they share the machine with what is measured.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use hmac::{Hmac, KeyInit, Mac};
use patchbay_core::ids::{Context as _, System};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{CLIENTS, Remote, SPAN};

/// The secret that Slack signs with, where the service has been given this one.
const SLACK_SECRET: &str = "PATCHBAY_SLACK__SIGNING_SECRET";
/// The pause between slash commands.
const PAUSE: Duration = Duration::from_millis(25);
const BODY: &str = include_str!("../../../data/webhooks/github-check-run-completed.json");

pub(super) async fn measure(remote: &Remote) -> Result<Value> {
    // Only triggers would see them: what is measured is the way in, beside the work on each.
    let made = remote.post("/webhooks/sources", &json!({ "name": "Bench", "kind": "github", "template": "" })).await?;
    let (url, secret) = (made["url"].as_str().context("a source has a URL")?, made["secret"].as_str().context("a source has a secret")?);
    let (host, path) = url.trim_start_matches("http://").split_once('/').context("a URL has a path")?;
    let signature = sign(secret, BODY)?;
    let head = format!(
        "POST /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nx-github-event: check_run\r\nx-hub-signature-256: sha256={signature}\r\n",
        BODY.len()
    );
    let begun = Instant::now();
    let clients: Vec<_> = (0..CLIENTS).map(|client| tokio::spawn(deliver(client, host.to_owned(), head.clone(), begun))).collect();
    let slash = tokio::spawn(slash(host.to_owned(), std::env::var(SLACK_SECRET).context(SLACK_SECRET)?, begun));
    let mut waits = Vec::new();
    for client in clients {
        waits.extend(client.await??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let slash = p99(slash.await??)?;
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than three digits")]
    let per_second = (waits.len() as f64 / seconds).round();
    Ok(json!({ "hooks_per_second": per_second, "hooks_p99_ms": p99(waits)?, "slash_command_p99_ms_under_that_load": slash }))
}

/// In milliseconds, with one digit.
fn p99(mut waits: Vec<Duration>) -> Result<f64> {
    waits.sort_unstable();
    let p99 = waits.get(waits.len() * 99 / 100).context("something was acknowledged")?;
    Ok((p99.as_secs_f64() * 10_000.0).round() / 10.0)
}

fn sign(secret: &str, text: &str) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
    mac.update(text.as_bytes());
    let mut signature = String::new();
    for byte in mac.finalize().into_bytes() {
        write!(signature, "{byte:02x}")?;
    }
    Ok(signature)
}

/// Slash commands one after the other, as Slack signs them; how long each took to be acknowledged.
async fn slash(host: String, secret: String, begun: Instant) -> Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(&host).await?;
    stream.set_nodelay(true)?;
    let (mut waits, mut answer) = (Vec::new(), Vec::new());
    let clock = System::default();
    let mut tick = tokio::time::interval(PAUSE);
    for round in 0_u64.. {
        if begun.elapsed() >= SPAN {
            break;
        }
        tick.tick().await;
        let body = format!(
            "token=t&team_id=T0BENCH&channel_id=C0BENCH&user_id=U0BENCH&user_name=bench&command=%2Fpatchbay&text=help&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2F1&trigger_id={round}"
        );
        let moment = clock.now().timestamp();
        let signature = sign(&secret, &format!("v0:{moment}:{body}"))?;
        let request = format!(
            "POST /api/v1/channels/slack/commands HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\nx-slack-request-timestamp: {moment}\r\nx-slack-signature: v0={signature}\r\n\r\n{body}",
            body.len()
        );
        let sent = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        read(&mut stream, &mut answer, "HTTP/1.1 200").await?;
        waits.push(sent.elapsed());
    }
    Ok(waits)
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
        read(&mut stream, &mut answer, "HTTP/1.1 202").await?;
        waits.push(sent.elapsed());
    }
    Ok(waits)
}

/// Reads one answer, which must begin so.
async fn read(stream: &mut TcpStream, answer: &mut Vec<u8>, wanted: &str) -> Result<()> {
    answer.clear();
    loop {
        ensure!(stream.read_buf(answer).await? > 0, "the connection was closed");
        let text = std::str::from_utf8(answer)?;
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        if !head.starts_with(wanted) {
            bail!("{text}");
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).context("an answer has a length")?;
        if body.len() >= length.parse()? {
            return Ok(());
        }
    }
}
