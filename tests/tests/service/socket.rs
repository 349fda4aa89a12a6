//! The WebSocket as its clients meet it: who gets in, what a lost connection costs, and what becomes of those who do not read.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use futures::{SinkExt as _, StreamExt as _};
use patchbay_tests::{service::Running, until::until};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _, handshake::client::Request, protocol::CloseFrame},
};

const PATIENCE: Duration = Duration::from_mins(1);

/// One connection of a client.
struct Socket(WebSocketStream<TcpStream>);

fn request(patchbay: &Running, headers: &[(&'static str, &str)]) -> Result<Request> {
    let mut request = format!("{}/api/v1/ws", patchbay.url.replacen("http", "ws", 1)).into_client_request()?;
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse()?);
    }
    Ok(request)
}

impl Socket {
    async fn open(patchbay: &Running) -> Result<Self> {
        Self::open_as(patchbay, &[("authorization", &format!("Bearer {}", patchbay.key))]).await
    }

    async fn open_as(patchbay: &Running, headers: &[(&'static str, &str)]) -> Result<Self> {
        let address = patchbay.url.strip_prefix("http://").context("an address")?.parse()?;
        let socket = TcpSocket::new_v4()?;
        // So that what is not read is soon felt by the other side.
        socket.set_recv_buffer_size(16 * 1024)?;
        let (stream, _) = client_async(request(patchbay, headers)?, socket.connect(address).await?).await?;
        Ok(Self(stream))
    }

    async fn send(&mut self, frame: &Value) -> Result<()> {
        Ok(self.0.send(Message::text(frame.to_string())).await?)
    }

    /// The next frame, or why there is none any more.
    async fn next(&mut self) -> Result<Result<Value, Option<CloseFrame>>> {
        loop {
            match tokio::time::timeout(PATIENCE, self.0.next()).await.context("a frame comes in time")?.context("the connection is there")?? {
                Message::Text(text) => return Ok(Ok(serde_json::from_str(text.as_str())?)),
                Message::Close(frame) => return Ok(Err(frame)),
                _ => {}
            }
        }
    }

    /// The next frame of a kind.
    async fn kind(&mut self, kind: &str) -> Result<Value> {
        loop {
            match self.next().await? {
                Ok(frame) if frame["type"] == kind => return Ok(frame),
                Ok(_) => {}
                Err(close) => bail!("{kind} is waited for, and the connection is closed: {close:?}"),
            }
        }
    }

    /// What is read until the connection is closed, and why that is.
    async fn read_all(&mut self) -> Result<(Vec<Value>, CloseFrame)> {
        let mut frames = Vec::new();
        loop {
            match self.next().await? {
                Ok(frame) => frames.push(frame),
                Err(close) => return Ok((frames, close.context("it says why")?)),
            }
        }
    }
}

/// A browser's cookie.
async fn cookie(patchbay: &Running) -> Result<String> {
    let (_, member) = patchbay.post("/members", &json!({ "name": "ana", "email": "ana@example.org", "role": "member" })).await?;
    let token = member["sign_in_link"].as_str().and_then(|link| link.rsplit_once('=')).map(|(_, token)| token).context("a link has a token")?;
    let body = json!({ "token": token, "name": "ana", "email": "ana@example.org", "password": "correct horse battery" });
    let answer = reqwest::Client::new().post(format!("{}/api/v1/session/welcome", patchbay.url)).json(&body).send().await?;
    let cookie = answer.headers().get("set-cookie").context("a cookie is set")?.to_str()?;
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_cookie_opens_it_only_for_our_own_page() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let cookie = cookie(&patchbay).await?;
    for origin in [Some("https://evil.example"), None] {
        let headers: Vec<_> = [("cookie", cookie.as_str())].into_iter().chain(origin.map(|origin| ("origin", origin))).collect();
        let refused = Socket::open_as(&patchbay, &headers).await.err().context("a strange page is refused")?;
        match refused.downcast::<Error>()? {
            Error::Http(answer) => assert_eq!(answer.status().as_u16(), StatusCode::FORBIDDEN.as_u16()),
            other => bail!("{other}"),
        }
    }
    let url = patchbay.url.clone();
    let mut socket = Socket::open_as(&patchbay, &[("cookie", &cookie), ("origin", &url)]).await?;
    socket.send(&json!({ "type": "ping" })).await?;
    socket.kind("pong").await?;
    patchbay.end().await
}

#[tokio::test]
async fn a_watcher_that_comes_back_misses_nothing_and_gets_nothing_twice() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let tell = async |n: usize| patchbay.post("/collab/events", &json!({ "event": "build.done", "details": { "n": n } })).await;
    tell(0).await?;
    let (mut since, mut seen) = (0, Vec::new());
    for round in 0..4 {
        let mut socket = Socket::open(&patchbay).await?;
        socket.send(&json!({ "type": "subscribe", "topics": ["*"], "since": since })).await?;
        for n in 0..5 {
            tell(1 + round * 5 + n).await?;
        }
        // Lost in the middle of what comes.
        while seen.len() < 3 + round * 5 {
            let event = socket.kind("event").await?;
            since = event["seq"].as_i64().context("an event has a seq")?;
            if event["event"] == "build.done" {
                seen.push(event["details"]["n"].clone());
            }
        }
        drop(socket);
    }
    let expected: Vec<Value> = (0..seen.len()).map(Value::from).collect();
    assert_eq!(seen, expected);

    let mut socket = Socket::open(&patchbay).await?;
    socket.send(&json!({ "type": "subscribe", "topics": ["*"], "since": 99_999_999_999_999_999_i64 })).await?;
    let error = socket.kind("error").await?;
    assert!(error["problem"]["detail"].as_str().is_some_and(|detail| detail.contains("The newest is ")), "{error}");
    tell(99).await?;
    while socket.kind("event").await?["details"]["n"] != 99 {}
    patchbay.end().await
}

#[tokio::test]
async fn an_id_that_comes_twice_acts_once_and_is_no_other_messages() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    let add = json!({ "type": "command", "id": "a", "text": "add \"One\"", "project": "WEB" });
    let mut commands = Vec::new();
    for _ in 0..2 {
        let mut socket = Socket::open(&patchbay).await?;
        socket.send(&add).await?;
        commands.push(socket.kind("reply").await?["command"]["id"].clone());
    }
    assert_eq!(commands[0], commands[1]);
    let mut socket = Socket::open(&patchbay).await?;
    socket.send(&json!({ "type": "command", "id": "a", "text": "add \"Two\"", "project": "WEB" })).await?;
    let error = socket.kind("error").await?;
    assert_eq!((&error["id"], &error["problem"]["errors"][0]["message"]), (&json!("a"), &json!("the id `a` came with another request before")), "{error}");
    let (_, tree) = patchbay.get("/projects/WEB/tree").await?;
    assert_eq!(tree["tasks"].as_array().map(Vec::len), Some(1), "{tree}");
    patchbay.end().await
}

#[tokio::test]
async fn who_does_not_read_is_closed_with_a_code_that_says_so() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let mut socket = Socket::open(&patchbay).await?;
    socket.send(&json!({ "type": "subscribe", "topics": ["*"], "since": 0 })).await?;
    socket.send(&json!({ "type": "ping" })).await?;
    socket.kind("pong").await?;
    // More than the two ends of a connection hold.
    let large = json!({ "event": "build.done", "details": { "text": "x".repeat(16_000) } });
    for _ in 0..600 {
        patchbay.post("/collab/events", &large).await?;
    }
    let metrics = format!("{}/metrics", patchbay.url);
    until("it is closed", async || Ok(reqwest::get(&metrics).await?.text().await?.contains("patchbay_websockets_closed_slow_total 1"))).await?;
    let (frames, close) = socket.read_all().await?;
    assert_eq!((u16::from(close.code), frames.len() < 600), (4008, true), "{close:?}");
    assert!(close.reason.as_str().contains("nothing was read for 10 seconds"), "{close:?}");
    let since = frames.iter().filter_map(|frame| frame["seq"].as_i64()).next_back().context("something had come")?;
    let mut again = Socket::open(&patchbay).await?;
    again.send(&json!({ "type": "subscribe", "topics": ["*"], "since": since })).await?;
    assert!(again.kind("event").await?["seq"].as_i64().is_some_and(|seq| seq > since), "and goes on where it was");
    patchbay.end().await
}

#[tokio::test]
async fn who_sends_too_much_is_told_to_wait_and_then_closed() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let mut socket = Socket::open(&patchbay).await?;
    for n in 0..1_000 {
        // It may have had enough already.
        if socket.send(&json!({ "type": "command", "id": n.to_string(), "text": "list projects" })).await.is_err() {
            break;
        }
    }
    let (frames, close) = socket.read_all().await?;
    let refused = frames.iter().find(|frame| frame["type"] == "error").context("it was told")?;
    ensure!(refused["retry_after"].as_u64().is_some_and(|seconds| seconds >= 1) && refused["problem"]["status"] == 429, "{refused}");
    assert_eq!(u16::from(close.code), 1008, "{close:?}");
    patchbay.end().await
}

#[tokio::test]
async fn whose_key_is_revoked_is_not_kept_connected() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let (_, made) = patchbay.post("/keys", &json!({ "name": "Watcher", "scopes": ["read"] })).await?;
    let (id, key) = (made["id"].as_str().context("it has an id")?, made["key"].as_str().context("it is shown once")?);
    let mut owners = Socket::open(&patchbay).await?;
    let mut socket = Socket::open_as(&patchbay, &[("authorization", &format!("Bearer {key}"))]).await?;
    socket.send(&json!({ "type": "subscribe", "topics": ["*"] })).await?;
    let stream = reqwest::Client::new().get(format!("{}/api/v1/collab/events/tail", patchbay.url)).bearer_auth(key).send().await?.error_for_status()?;

    let (status, _) = patchbay.ask(Some(&patchbay.key), Method::DELETE, &format!("/keys/{id}"), None).await?;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (frames, close) = socket.read_all().await?;
    assert!(frames.iter().any(|frame| frame["type"] == "error" && frame["problem"]["status"] == 401), "{frames:?}");
    assert_eq!(u16::from(close.code), 1008, "{close:?}");
    tokio::time::timeout(PATIENCE, stream.bytes()).await.context("the stream ends")??;

    owners.send(&json!({ "type": "ping" })).await?;
    owners.kind("pong").await?;
    patchbay.end().await
}

#[tokio::test]
async fn a_service_that_stops_says_come_back() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let mut socket = Socket::open(&patchbay).await?;
    socket.send(&json!({ "type": "ping" })).await?;
    socket.kind("pong").await?;
    let ((), (_, close)) = tokio::try_join!(patchbay.end(), socket.read_all())?;
    assert_eq!(u16::from(close.code), 1012, "{close:?}");
    Ok(())
}
