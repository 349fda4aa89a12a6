//! Events to a thousand readers at once: how many are delivered a second, how soon, and what a reader costs; beside Node and bare axum.
//!
//! The readers only count: they share the machine with what is measured. Whatever serves them is a process of its own.

use std::{
    convert::Infallible,
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{self, State},
    http::header,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use futures::{StreamExt as _, future::try_join_all, stream};
use patchbay_core::{
    db::{Db, PoolSize},
    ids::{Context as _, OrganizationId, System},
    jobs::Bell,
};
use patchbay_web::{
    service::{Beside, Data},
    settings::{Flags, load},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    sync::broadcast,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::Remote;

const READERS: usize = 1000;
/// How many events each of them gets, at full rate.
const EVENTS: usize = 5_000;
/// How many are committed together.
const TOGETHER: usize = 250;
/// How many messages the others broadcast: they are measured for as long, and make fewer.
const MESSAGES: usize = 2_000;
/// How many are told one after the other, and the pause between.
const TOLD: usize = 200;
const PAUSE: Duration = Duration::from_millis(50);
/// How long readers may take for what they are sent.
const DEADLINE: Duration = Duration::from_mins(2);
/// What an event's details are filled up with: about as much as those of a command that was done.
const DETAILS: &str = r#"{"project":"WEB","command":"00000000-0000-7000-8000-000000000000","operations":6}"#;

/// How events are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Ws,
    Sse,
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::Ws => "ws",
            Self::Sse => "sse",
        }
    }
}

/// A service that runs, and where its data lies.
pub(super) struct Site<'a> {
    pub(super) remote: &'a Remote,
    pub(super) process: &'a str,
    pub(super) data: &'a str,
    /// The folder of the comparison programs.
    pub(super) compare: &'a str,
}

pub(super) async fn measure(way: Way, site: &Site<'_>) -> Result<Value> {
    let name = way.name();
    let before = rss_kib(site.process)?;
    let mut readers = Readers::connect(way, &site.remote.url, Some(&site.remote.key)).await?;
    let each = (rss_kib(site.process)? - before) / f64::from(u32::try_from(READERS)?);
    let writer = Writer::open(site.data).await?;
    let p99 = readers
        .told_one_by_one(
            async || writer.write(1).await,
            async || {
                writer.ring();
                Ok(())
            },
        )
        .await?;
    let rate = readers.at_full_rate(&writer).await?;
    drop(readers);
    writer.close().await?;
    let mut result = json!({
        format!("live_{name}_deliveries_per_second"): rate, format!("live_{name}_p99_ms"): p99, format!("live_{name}_kib_per_idle_reader"): round(each),
    });
    let node = ["node", &format!("{}/live.mjs", site.compare), name];
    let mut beside = |other: &str, (rate, p99): (f64, f64)| {
        result[format!("live_{name}_{other}_deliveries_per_second")] = rate.into();
        result[format!("live_{name}_{other}_p99_ms")] = p99.into();
    };
    beside("node", broadcast_by(way, &node).await?);
    if way == Way::Sse {
        let bench = std::env::current_exe()?;
        beside("bare_axum", broadcast_by(way, &[&bench.to_string_lossy(), "bare-sse"]).await?);
    }
    Ok(result)
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn rss_kib(process: &str) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS")).context("a process has memory")?;
    Ok(line.split_whitespace().nth(1).context("it is a number")?.parse()?)
}

/// Deliveries a second of `EVENTS` events or messages.
fn rate(count: usize, since: Instant) -> Result<f64> {
    Ok((f64::from(u32::try_from(count * READERS)?) / since.elapsed().as_secs_f64()).round())
}

/// Starts a program that says where it listens, lets it broadcast to readers, and ends it: deliveries a second, and the milliseconds in
/// which 99 in 100 receipts come when there is little to tell.
async fn broadcast_by(way: Way, command: &[&str]) -> Result<(f64, f64)> {
    let mut child: Child = Command::new(command[0]).args(&command[1..]).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("it is piped")?).lines();
    let url = lines.next_line().await?.context("it says where it listens")?;
    let mut readers = Readers::connect(way, &url, None).await?;
    let http = reqwest::Client::new();
    let p99 = readers.told_one_by_one(async || Ok(()), async || Ok(http.post(format!("{url}/go/1")).send().await?.error_for_status().map(drop)?)).await?;
    let begun = Instant::now();
    let answer = http.post(format!("{url}/go/{MESSAGES}")).send();
    let (answer, read) = tokio::join!(answer, readers.read(MESSAGES));
    answer?.error_for_status()?;
    read?;
    let rate = rate(MESSAGES, begun)?;
    child.kill().await?;
    Ok((rate, p99))
}

/// Commits events as another process of the service does, and says so.
struct Writer {
    db: Db,
    organization: OrganizationId,
    bell: Bell,
    stopping: CancellationToken,
    carrying: JoinHandle<()>,
}

impl Writer {
    async fn open(data: &str) -> Result<Self> {
        let flags = Flags { data_dir: Some(PathBuf::from(data)), ..Flags::default() };
        let data = Data::open(&load(&flags)?.0, Beside::Shared).await?;
        let db = Db::open(&data.access, PoolSize { service: 2, reader: 1 });
        let organization = *db.organizations().await?.first().context("the database has an organisation")?;
        let (bell, stopping) = (Bell::default(), CancellationToken::new());
        let carrying = tokio::spawn({
            let (db, bell, stopping, process) = (db.clone(), bell.clone(), stopping.clone(), System::default().uuid());
            async move { bell.carry(&db, process, &stopping, |_| {}).await }
        });
        Ok(Self { db, organization, bell, stopping, carrying })
    }

    async fn write(&self, count: usize) -> Result<()> {
        let mut tx = self.db.begin(self.organization).await?;
        sqlx::query(
            "insert into event (organization_id, seq, at, event, actor, target, details)
             select $1, event_base.seq + n, now(), 'bench.told', 'owner', 'WEB', $3::json from (select event_base() as seq) event_base, generate_series(0, $2 - 1) n",
        )
        .bind(self.organization)
        .bind(i32::try_from(count)?)
        .bind(DETAILS)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    fn ring(&self) {
        self.bell.told(self.organization);
    }

    async fn close(self) -> Result<()> {
        self.stopping.cancel();
        self.carrying.await?;
        self.db.close().await;
        Ok(())
    }
}

struct Readers {
    all: Vec<Reader>,
    told: Arc<Told>,
}

#[derive(Default)]
struct Told {
    sent: Mutex<Vec<Instant>>,
    waits: Mutex<Vec<Duration>>,
}

impl Readers {
    async fn connect(way: Way, url: &str, key: Option<&str>) -> Result<Self> {
        let mut all = Vec::with_capacity(READERS);
        // A few at a time, so that none is turned away.
        while all.len() < READERS {
            all.extend(try_join_all((0..50).map(|_| Reader::connect(way, url, key))).await?);
        }
        Ok(Self { all, told: Arc::default() })
    }

    /// Lets each read so many events.
    async fn read(&mut self, count: usize) -> Result<()> {
        let reading = std::mem::take(&mut self.all).into_iter().map(|mut reader| {
            tokio::spawn(async move {
                reader.read(count, |_| {}).await?;
                anyhow::Ok(reader)
            })
        });
        let read = tokio::time::timeout(DEADLINE, try_join_all(reading)).await.context("not all was read in time")??;
        self.all = read.into_iter().collect::<Result<_>>()?;
        Ok(())
    }

    /// Events are committed as fast as that goes, while everybody reads.
    async fn at_full_rate(&mut self, writer: &Writer) -> Result<f64> {
        let begun = Instant::now();
        let commit = async {
            let mut left = EVENTS;
            while left > 0 {
                let count = left.min(TOGETHER);
                left -= count;
                writer.write(count).await?;
                writer.ring();
            }
            anyhow::Ok(())
        };
        tokio::try_join!(commit, self.read(EVENTS))?;
        rate(EVENTS, begun)
    }

    /// Events are told 20 times a second: how many milliseconds it took from the end of the commit to 99 in 100 receipts.
    async fn told_one_by_one(&mut self, commit: impl AsyncFn() -> Result<()>, hand_out: impl AsyncFn() -> Result<()>) -> Result<f64> {
        let told = self.told.clone();
        let reading = std::mem::take(&mut self.all).into_iter().map(|mut reader| {
            let told = told.clone();
            tokio::spawn(async move {
                let mut waits = Vec::with_capacity(TOLD);
                reader
                    .read(TOLD, |number| {
                        let now = Instant::now();
                        // One that looked by itself may have been faster than who noted the commit.
                        let sent = told.sent.lock().unwrap_or_else(PoisonError::into_inner).get(number).copied();
                        waits.push(sent.map_or(Duration::ZERO, |sent| now.saturating_duration_since(sent)));
                    })
                    .await?;
                told.waits.lock().unwrap_or_else(PoisonError::into_inner).extend(waits);
                anyhow::Ok(reader)
            })
        });
        let reading = tokio::spawn(try_join_all(reading));
        let mut tick = tokio::time::interval(PAUSE);
        for _ in 0..TOLD {
            tick.tick().await;
            commit().await?;
            self.told.sent.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
            hand_out().await?;
        }
        let read = tokio::time::timeout(DEADLINE, reading).await.context("not all was read in time")???;
        self.all = read.into_iter().collect::<Result<_>>()?;
        self.told.sent.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let mut waits = std::mem::take(&mut *self.told.waits.lock().unwrap_or_else(PoisonError::into_inner));
        waits.sort_unstable();
        ensure!(waits.len() == TOLD * READERS, "each has read each");
        Ok(round(waits[waits.len() * 99 / 100].as_secs_f64() * 1000.0))
    }
}

/// One connection, of which only is known how many events have come.
struct Reader {
    way: Way,
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Of a frame whose beginning was read, how much is still to come; of a stream, whether a line had just ended.
    rest: usize,
    /// Bytes of a frame's head that was cut in two.
    head: Vec<u8>,
}

impl Reader {
    async fn connect(way: Way, url: &str, key: Option<&str>) -> Result<Self> {
        let address = url.trim_start_matches("http://");
        let (host, base) = address.split_once('/').map_or((address, String::new()), |(host, base)| (host, format!("/{base}")));
        let mut stream = TcpStream::connect(host).await?;
        let key = key.map(|key| format!("authorization: Bearer {key}\r\n")).unwrap_or_default();
        let request = match way {
            Way::Ws => format!(
                "GET {base}/ws HTTP/1.1\r\nhost: {host}\r\n{key}connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            ),
            Way::Sse => format!("GET {base}/collab/events/tail HTTP/1.1\r\nhost: {host}\r\n{key}accept: text/event-stream\r\n\r\n"),
        };
        stream.write_all(request.as_bytes()).await?;
        let mut reader = Self { way, stream, buffer: Vec::new(), rest: 0, head: Vec::new() };
        match way {
            Way::Ws => {
                reader.skip_past(b"\r\n\r\n").await?;
                // What comes after the subscription is answered after it.
                reader.say(r#"{"type":"subscribe","topics":["*"]}"#).await?;
                reader.say(r#"{"type":"ping"}"#).await?;
                reader.skip_past(br#"{"type":"pong"}"#).await?;
            }
            // Each says hello when it is there.
            Way::Sse => reader.skip_past(b"retry: 1000\n\n\r\n").await?,
        }
        reader.buffer.resize(32 * 1024, 0);
        Ok(reader)
    }

    /// Sends a short text frame, masked with nothing.
    async fn say(&mut self, text: &str) -> Result<()> {
        let mut frame = vec![0x81, 0x80 | u8::try_from(text.len())?, 0, 0, 0, 0];
        frame.extend_from_slice(text.as_bytes());
        Ok(self.stream.write_all(&frame).await?)
    }

    /// Reads byte by byte, because what comes after is counted.
    async fn skip_past(&mut self, end: &[u8]) -> Result<()> {
        let mut read = Vec::new();
        while !read.ends_with(end) {
            ensure!(read.len() < 4096, "{}", String::from_utf8_lossy(&read));
            read.push(self.stream.read_u8().await?);
        }
        Ok(())
    }

    /// Reads events until there were so many, and tells the number of each.
    async fn read(&mut self, count: usize, mut each: impl FnMut(usize)) -> Result<()> {
        let mut read = 0;
        while read < count {
            let size = self.stream.read(&mut self.buffer).await?;
            ensure!(size > 0, "the connection was closed after {read} of {count} events");
            let some = match self.way {
                Way::Ws => self.frames(size),
                Way::Sse => self.blocks(size),
            };
            (read..read + some).for_each(&mut each);
            read += some;
        }
        ensure!(read == count, "{read} events instead of {count}");
        Ok(())
    }

    /// Counts text frames whose head is there: <https://www.rfc-editor.org/rfc/rfc6455#section-5.2>
    fn frames(&mut self, size: usize) -> usize {
        let mut count = 0;
        let mut at = 0;
        while at < size {
            if self.rest > 0 {
                let some = self.rest.min(size - at);
                self.rest -= some;
                at += some;
                continue;
            }
            self.head.push(self.buffer[at]);
            at += 1;
            let length = self.head.get(1).map(|byte| byte & 0x7f);
            let wanted = match length {
                Some(126) => 4,
                Some(127) => 10,
                _ => 2,
            };
            if self.head.len() == wanted {
                self.rest = match wanted {
                    2 => usize::from(length.unwrap_or_default()),
                    _ => self.head[2..].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
                };
                count += usize::from(self.head[0] & 0x0f == 1);
                self.head.clear();
            }
        }
        count
    }

    /// Counts empty lines, which end an event each. Lines of the chunks around them end otherwise.
    fn blocks(&mut self, size: usize) -> usize {
        let mut count = usize::from(self.rest == 1 && self.buffer[0] == b'\n');
        count += self.buffer[..size].iter().zip(&self.buffer[1..size]).filter(|(one, next)| **one == b'\n' && **next == b'\n').count();
        self.rest = usize::from(self.buffer[size - 1] == b'\n');
        count
    }
}

/// What a broadcast costs in axum with nothing around it: server-sent events, as many in a chunk as there are.
pub(super) async fn bare_sse() -> Result<()> {
    let router =
        Router::new().route("/collab/events/tail", get(bare_tail)).route("/go/{count}", post(bare_go)).with_state(broadcast::channel::<Bytes>(MESSAGES).0);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let said = format!("http://{}\n", listener.local_addr()?);
    tokio::io::stdout().write_all(said.as_bytes()).await?;
    tokio::io::stdout().flush().await?;
    Ok(axum::serve(listener, router).await?)
}

async fn bare_tail(State(sender): State<broadcast::Sender<Bytes>>) -> Response {
    let hello = stream::once(async { Ok::<_, Infallible>(Bytes::from_static(b"retry: 1000\n\n")) });
    let messages = stream::unfold(sender.subscribe(), |mut receiver| async move {
        let first = receiver.recv().await.ok()?;
        let Ok(second) = receiver.try_recv() else { return Some((Ok(first), receiver)) };
        let mut chunk = [first, second].concat();
        while chunk.len() < 64 * 1024
            && let Ok(message) = receiver.try_recv()
        {
            chunk.extend_from_slice(&message);
        }
        Some((Ok(chunk.into()), receiver))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(hello.chain(messages))).into_response()
}

async fn bare_go(State(sender): State<broadcast::Sender<Bytes>>, extract::Path(count): extract::Path<usize>) {
    for seq in 0..count {
        let event = format!(r#"{{"seq":{seq},"ts":"2026-11-21T14:00:00.000000Z","event":"bench.told","actor":"owner","target":"WEB","details":{DETAILS}}}"#);
        let message = format!("id: {seq}\ndata: {event}\n\n");
        // Nobody there is no fault.
        let _ = sender.send(message.into());
        tokio::task::yield_now().await;
    }
}
