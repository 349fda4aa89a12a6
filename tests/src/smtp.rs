//! An SMTP server that keeps what it is sent (RFC 5321), refuses what a test tells it to, and delivers into dovecot's mailboxes.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
    sync::watch,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::{authority::Certificate, dovecot::Dovecot};

/// How long a mail may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A mail as it was taken.
#[derive(Clone, Debug)]
pub struct Sent {
    pub from: String,
    pub to: Vec<String>,
    pub raw: Vec<u8>,
}

impl Sent {
    /// The mail as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }

    /// A header of it, unfolded.
    pub fn header(&self, name: &str) -> Option<String> {
        let text = self.text();
        let head = text.split("\r\n\r\n").next()?.replace("\r\n ", " ").replace("\r\n\t", " ");
        head.lines().find_map(|line| line.split_once(':').filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned()))
    }
}

#[derive(Default)]
struct Shared {
    sent: Mutex<Vec<Sent>>,
    refusals: Mutex<VecDeque<String>>,
    asked: watch::Sender<usize>,
    dovecot: Option<Arc<Dovecot>>,
}

/// The running server.
pub struct Smtp {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
    tls: Option<When>,
}

/// When a connection becomes a secure one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    FromTheStart,
    /// By STARTTLS, and nothing is taken before.
    Upgraded,
}

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

impl Smtp {
    /// Starts one. With dovecot, what it takes is delivered there.
    pub async fn start(dovecot: Option<Arc<Dovecot>>) -> Result<Self> {
        Self::start_with(dovecot, None).await
    }

    /// The same over TLS.
    pub async fn start_with(dovecot: Option<Arc<Dovecot>>, tls: Option<(&Certificate, When)>) -> Result<Self> {
        let acceptor = tls.map(|(certificate, when)| anyhow::Ok((certificate.acceptor()?, when))).transpose()?;
        let shared = Arc::new(Shared { dovecot, ..Shared::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let ours = shared.clone();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (shared, acceptor) = (ours.clone(), acceptor.clone());
                // A client that leaves in the middle is no fault here.
                tokio::spawn(async move {
                    match acceptor {
                        None => talk(Box::new(stream), None, &shared).await,
                        Some((acceptor, When::Upgraded)) => talk(Box::new(stream), Some(acceptor), &shared).await,
                        Some((acceptor, When::FromTheStart)) => talk(Box::new(acceptor.accept(stream).await?), None, &shared).await,
                    }
                });
            }
        });
        Ok(Self { address, shared, serving, tls: tls.map(|(_, when)| when) })
    }

    /// What to give as the server's address.
    pub fn url(&self) -> String {
        let port = self.address.port();
        match self.tls {
            None => format!("smtp://{}", self.address),
            Some(When::FromTheStart) => format!("smtps://localhost:{port}"),
            Some(When::Upgraded) => format!("smtp://localhost:{port}?tls=required"),
        }
    }

    /// Refuses the next mails with these answers, as in `451 4.3.0 Try again later`.
    pub fn refuse(&self, answers: impl IntoIterator<Item = &'static str>) {
        locked(&self.shared.refusals).extend(answers.into_iter().map(str::to_owned));
    }

    /// Everything taken so far.
    pub fn sent(&self) -> Vec<Sent> {
        locked(&self.shared.sent).clone()
    }

    /// Waits for the first mail that is meant.
    pub async fn wait(&self, what: &str, is_meant: impl Fn(&Sent) -> bool) -> Result<Sent> {
        let mut asked = self.shared.asked.subscribe();
        let found = async {
            loop {
                if let Some(found) = self.sent().into_iter().find(&is_meant) {
                    return Ok(found);
                }
                asked.changed().await.context("the mail server is gone")?;
            }
        };
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(found) => found,
            Err(_) => bail!("no mail came: {what}; these did: {:#?}", self.sent().iter().map(Sent::text).collect::<Vec<_>>()),
        }
    }

    /// Waits until mails were offered so many times, refused ones included.
    pub async fn offered(&self, times: usize) -> Result<()> {
        let mut asked = self.shared.asked.subscribe();
        tokio::time::timeout(PATIENCE, asked.wait_for(|asked| *asked >= times)).await.with_context(|| format!("no mail was offered {times} times"))??;
        Ok(())
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Speaks with one client. With an acceptor nothing is taken before STARTTLS.
async fn talk(mut stream: Box<dyn Wire>, mut acceptor: Option<TlsAcceptor>, shared: &Shared) -> Result<()> {
    stream.write_all(b"220 sink.example.org ESMTP\r\n").await?;
    loop {
        let (reader, mut writer) = tokio::io::split(stream);
        let mut reader = BufReader::new(reader);
        if !session(&mut reader, &mut writer, acceptor.is_some(), shared).await? {
            return Ok(());
        }
        let Some(acceptor) = acceptor.take() else { return Ok(()) };
        stream = Box::new(acceptor.accept(reader.into_inner().unsplit(writer)).await?);
    }
}

/// Until the client leaves, or asks for TLS.
async fn session(reader: &mut (impl AsyncBufReadExt + Unpin), writer: &mut (impl AsyncWrite + Unpin), must_upgrade: bool, shared: &Shared) -> Result<bool> {
    let (mut from, mut to) = (String::new(), Vec::new());
    let mut line = String::new();
    loop {
        line.clear();
        // A line of a command has at most 512 octets (RFC 5321, section 4.5.3.1.4).
        if (&mut *reader).take(1024).read_line(&mut line).await? == 0 {
            return Ok(false);
        }
        let upper = line.trim_end().to_ascii_uppercase();
        let answer = if upper.starts_with("EHLO") && must_upgrade {
            "250-sink.example.org\r\n250 STARTTLS".to_owned()
        } else if upper == "STARTTLS" && must_upgrade {
            writer.write_all(b"220 2.0.0 Go on\r\n").await?;
            return Ok(true);
        } else if must_upgrade && upper != "QUIT" {
            "530 5.7.0 STARTTLS first".to_owned()
        } else if upper.starts_with("EHLO") {
            "250-sink.example.org\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 20000000".to_owned()
        } else if upper.starts_with("MAIL FROM:") {
            from = path(&line);
            to.clear();
            "250 2.1.0 OK".to_owned()
        } else if upper.starts_with("RCPT TO:") {
            let refusal = locked(&shared.refusals).pop_front();
            if refusal.is_none() {
                to.push(path(&line));
            } else {
                shared.asked.send_modify(|asked| *asked += 1);
            }
            refusal.unwrap_or_else(|| "250 2.1.5 OK".to_owned())
        } else if upper == "DATA" && to.is_empty() {
            "503 5.5.1 Nobody to send it to".to_owned()
        } else if upper == "DATA" {
            writer.write_all(b"354 Go on\r\n").await?;
            let raw = data(reader).await?;
            for address in &to {
                if let Some(dovecot) = &shared.dovecot {
                    dovecot.deliver(address, &raw)?;
                }
            }
            locked(&shared.sent).push(Sent { from: from.clone(), to: std::mem::take(&mut to), raw });
            shared.asked.send_modify(|asked| *asked += 1);
            "250 2.0.0 Taken".to_owned()
        } else if upper == "QUIT" {
            writer.write_all(b"221 2.0.0 Bye\r\n").await?;
            return Ok(false);
        } else if matches!(upper.as_str(), "RSET" | "NOOP") {
            to.clear();
            "250 2.0.0 OK".to_owned()
        } else {
            "502 5.5.1 Not here".to_owned()
        };
        writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

/// The address between angle brackets.
fn path(line: &str) -> String {
    line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or_else(String::new, |(path, _)| path.to_lowercase())
}

async fn data(reader: &mut (impl AsyncBufReadExt + Unpin)) -> Result<Vec<u8>> {
    let mut raw = Vec::new();
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line).await? == 0 {
            bail!("the client left in the middle of a mail");
        }
        if line == b".\r\n" {
            return Ok(raw);
        }
        raw.extend(line.strip_prefix(b".").unwrap_or(&line));
    }
}
