//! Load from clients that cost little, so that the service is measured and not they.

use std::{
    ops::Deref,
    str::from_utf8,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::SPAN;

/// A connection that is kept.
struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    /// Sends a request as it is and reads the answer to its end.
    async fn ask(&mut self, request: &[u8]) -> Result<()> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let head = loop {
            if let Some(end) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            ensure!(self.stream.read_buf(&mut self.received).await? > 0, "the connection was closed");
        };
        let text = from_utf8(&self.received[..head])?;
        let length: usize = text
            .lines()
            .find_map(|line| line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length")))
            .context("an answer says how long it is")?
            .1
            .trim()
            .parse()?;
        let is_success = text.as_bytes().get(9) == Some(&b'2');
        while self.received.len() < head + length {
            ensure!(self.stream.read_buf(&mut self.received).await? > 0, "the connection was closed");
        }
        ensure!(is_success, "{}", String::from_utf8_lossy(&self.received));
        Ok(())
    }
}

/// A request as it goes over the wire. `url` is of plain HTTP.
pub(crate) fn request(method: &str, url: &str, key: &str, body: &str) -> Result<Request> {
    let (address, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).with_context(|| format!("{url} is not http://HOST:PORT/PATH"))?;
    let length = body.len();
    let bytes = format!(
        "{method} /{path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    Ok(Request { address: address.to_owned(), bytes: bytes.into_bytes() })
}

/// What one client asks over and over.
pub(crate) struct Request {
    address: String,
    bytes: Vec<u8>,
}

/// Answers a second while each client repeats its request. An answer that is not a success ends it.
pub(crate) async fn rate(requests: Vec<Request>) -> Result<f64> {
    let requests: Vec<Arc<Request>> = requests.into_iter().map(Arc::new).collect();
    rate_of(requests.len(), move |client, _| Ok(requests[client].clone())).await
}

/// The same with what each client asks in each round.
pub(crate) async fn rate_of<R: Deref<Target = Request> + Send>(
    count: usize,
    request: impl Fn(usize, usize) -> Result<R> + Send + Sync + 'static,
) -> Result<f64> {
    let (done, request) = (Arc::new(AtomicU64::new(0)), Arc::new(request));
    let mut clients = Vec::new();
    let begun = Instant::now();
    for client in 0..count {
        let (done, request) = (done.clone(), request.clone());
        clients.push(tokio::spawn(async move {
            let mut connection = Connection { stream: TcpStream::connect(&request(client, 0)?.address).await?, received: Vec::new() };
            connection.stream.set_nodelay(true)?;
            for round in 0.. {
                if begun.elapsed() >= SPAN {
                    break;
                }
                connection.ask(&request(client, round)?.bytes).await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        }));
    }
    for client in clients {
        client.await??;
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than three digits")]
    let done = done.load(Ordering::Relaxed) as f64;
    Ok((done / begun.elapsed().as_secs_f64()).round())
}
