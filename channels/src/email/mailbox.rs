//! A mailbox, read over IMAP (RFC 3501, RFC 2177): every mail is handed on once it is there, and marked as seen once it is kept.

use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow, bail, ensure};
use async_imap::{Client, Session, types::UnsolicitedResponse};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt;
use patchbay_core::channel::mail::Place;
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};
use tokio_util::sync::CancellationToken;

use super::{
    read::MAX_BYTES,
    tls::{Authorities, distrust},
};

/// For one exchange with the server.
const TIMEOUT: Duration = Duration::from_mins(1);
/// IDLE is begun anew after this time, which also shows that the connection lives.
const IDLE: Duration = Duration::from_mins(5);
/// Without IDLE, and where a mail waits to be tried again.
const POLL: Duration = Duration::from_secs(30);
/// How long a server may take to let us go.
const GRACE: Duration = Duration::from_secs(2);
/// An unseen mail that has lain there for longer is not a new one; a day more than a command may be old.
const MAX_AGE: TimeDelta = TimeDelta::days(8);
/// Between attempts to connect: the first wait, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(5));

/// Where a mailbox is, and how to get in.
pub struct Access {
    tls: Tls,
    host: String,
    port: u16,
    user: String,
    password: SecretString,
    folder: String,
    config: Arc<ClientConfig>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tls {
    FromTheStart,
    /// By STARTTLS, and not without.
    Upgraded,
    /// Only to this machine.
    None,
}

/// A mail as the server gives it.
pub struct Delivered<'m> {
    pub place: Place,
    /// When the server got it.
    pub at: DateTime<Utc>,
    /// Only its head, where it is larger than what is read.
    pub raw: &'m [u8],
    pub is_whole: bool,
}

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is stored: the server may mark it as seen.
    Stored,
    /// It is to be given again later.
    Later,
}

/// Who takes the mails.
#[async_trait]
pub trait Keeper: Send + Sync {
    fn now(&self) -> DateTime<Utc>;
    /// How far the mailbox was read.
    async fn place(&self) -> anyhow::Result<Option<Place>>;
    /// Stores a mail with its place. Given the same again it has no second effect.
    async fn keep(&self, mail: Delivered<'_>) -> anyhow::Result<Kept>;
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}:{} in {}", self.user, self.host, self.port, self.folder)
    }
}

impl Access {
    /// Reads `imaps://user:password@host/Folder`, or `imap://…`: with STARTTLS, and without TLS only to this machine, unless
    /// `?tls=required` says otherwise.
    pub fn parse(url: &SecretString, authorities: &Authorities) -> anyhow::Result<Self> {
        let url = reqwest::Url::parse(url.expose_secret()).context("the address of the IMAP server cannot be read")?;
        let host = url.host_str().context("the address of the IMAP server has no host")?.trim_matches(['[', ']']).to_owned();
        let is_here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let (tls, port) = match url.scheme() {
            "imaps" => (Tls::FromTheStart, 993),
            "imap" if is_here && !url.query_pairs().any(|pair| pair == ("tls".into(), "required".into())) => (Tls::None, 143),
            "imap" => (Tls::Upgraded, 143),
            other => bail!("the address of the IMAP server begins with imaps:// or imap://, not {other}://"),
        };
        let folder = decoded(url.path().trim_matches('/'))?;
        Ok(Self {
            tls,
            host,
            port: url.port().unwrap_or(port),
            user: decoded(url.username())?,
            password: decoded(url.password().unwrap_or_default())?.into(),
            folder: if folder.is_empty() { "INBOX".to_owned() } else { folder },
            config: authorities.client()?,
        })
    }
}

/// What `%40` means in an address.
fn decoded(text: &str) -> anyhow::Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next(), rest.next()].into_iter().flatten().collect::<Vec<_>>();
            let code = std::str::from_utf8(&digits).ok().filter(|digits| digits.len() == 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
            bytes.push(code.context("a % in the address of the IMAP server is followed by two digits")?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).context("the address of the IMAP server is not UTF-8")
}

trait Wire: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug> Wire for T {}
type Connection = Session<Box<dyn Wire>>;

/// Reads a mailbox until it is to stop; connects again whenever the connection is lost.
pub async fn watch(access: &Access, keeper: &dyn Keeper, stopping: &CancellationToken) {
    let mut wait = BACKOFF.0;
    while !stopping.is_cancelled() {
        let mut has_worked = false;
        let late = async {
            stopping.cancelled().await;
            sleep(GRACE).await;
        };
        // What is cut off was not kept, and is not marked.
        let ended = tokio::select! {
            ended = stay(access, keeper, stopping, &mut has_worked) => ended,
            () = late => return,
        };
        match ended {
            Ok(()) => return,
            Err(error) => tracing::warn!(error = format!("{error:#}"), mailbox = ?access, "the mailbox cannot be read; trying again"),
        }
        if has_worked {
            wait = BACKOFF.0;
        }
        tokio::select! {
            () = stopping.cancelled() => {}
            () = sleep(wait) => {}
        }
        wait = (wait * 2).min(BACKOFF.1);
    }
}

/// One connection: reads what is there, then waits for more.
async fn stay(access: &Access, keeper: &dyn Keeper, stopping: &CancellationToken, has_worked: &mut bool) -> anyhow::Result<()> {
    let mut session = in_time(connect(access)).await?;
    let can_idle = in_time(async { Ok(session.capabilities().await?) }).await?.has_str("IDLE");
    let mailbox = in_time(async { Ok(session.select(&access.folder).await?) }).await.with_context(|| format!("there is no folder {}", access.folder))?;
    let uid_validity = mailbox.uid_validity.context("the server gives no UIDVALIDITY")?;
    tracing::info!(mailbox = ?access, can_idle, "the mailbox is read");
    loop {
        let waits = round(&mut session, uid_validity, keeper, stopping).await?;
        *has_worked = true;
        if stopping.is_cancelled() {
            // Its answer is of no use any more.
            let _ = session.logout().await;
            return Ok(());
        }
        // What came while the round was on is not announced again.
        let mut has_news = false;
        while let Ok(news) = session.unsolicited_responses.try_recv() {
            has_news |= matches!(news, UnsolicitedResponse::Exists(_) | UnsolicitedResponse::Recent(_));
        }
        if has_news {
            continue;
        }
        let wait = if waits || !can_idle { POLL } else { IDLE };
        session = if can_idle { idle(session, wait, stopping).await? } else { poll(session, wait, stopping).await? };
    }
}

async fn idle(session: Connection, wait: Duration, stopping: &CancellationToken) -> anyhow::Result<Connection> {
    let mut idle = session.idle();
    in_time(async { Ok(idle.init().await?) }).await?;
    {
        let (news, interrupt) = idle.wait_with_timeout(wait);
        tokio::select! {
            news = news => drop(news.context("waiting for mails failed")?),
            () = stopping.cancelled() => drop(interrupt),
        }
    }
    in_time(async { Ok(idle.done().await?) }).await
}

async fn poll(mut session: Connection, wait: Duration, stopping: &CancellationToken) -> anyhow::Result<Connection> {
    tokio::select! {
        () = stopping.cancelled() => {}
        () = sleep(wait) => in_time(async { Ok(session.noop().await?) }).await?,
    }
    Ok(session)
}

/// Hands on all that is new; whether one of them is to be given again.
async fn round(session: &mut Connection, uid_validity: u32, keeper: &dyn Keeper, stopping: &CancellationToken) -> anyhow::Result<bool> {
    let known = keeper.place().await.context("it is not known how far the mailbox was read")?.filter(|place| place.uid_validity == uid_validity);
    let mut last = known.map_or(0, |place| place.last_uid);
    // Unseen ones that are not from before our time, and those that somebody else marked as seen before we read them.
    let unseen = format!("UNSEEN SINCE {}", (keeper.now() - MAX_AGE).format("%-d-%b-%Y"));
    let mut uids: BTreeSet<u32> = in_time(async { Ok(session.uid_search(unseen).await?) }).await?.into_iter().collect();
    if known.is_some() {
        let newer = in_time(async { Ok(session.uid_search(format!("UID {}:*", last.saturating_add(1))).await?) }).await?;
        uids.extend(newer.into_iter().filter(|uid| *uid > last));
    }
    let mut waits = false;
    for uid in uids {
        if stopping.is_cancelled() {
            break;
        }
        let Some((raw, at, is_whole)) = in_time(fetch(session, uid)).await? else { continue };
        last = last.max(uid);
        let place = Place { uid_validity, last_uid: last };
        match keeper.keep(Delivered { place, at, raw: &raw, is_whole }).await.context("a mail could not be stored")? {
            Kept::Stored => in_time(seen(session, uid)).await?,
            Kept::Later => waits = true,
        }
    }
    Ok(waits)
}

/// A mail, without marking it; `None` where it is gone.
async fn fetch(session: &mut Connection, uid: u32) -> anyhow::Result<Option<(Vec<u8>, DateTime<Utc>, bool)>> {
    let found: Vec<_> = session.uid_fetch(uid.to_string(), "(UID RFC822.SIZE INTERNALDATE)").await?.try_collect().await?;
    let Some(about) = found.iter().find(|found| found.uid == Some(uid)) else { return Ok(None) };
    let at = about.internal_date().map(|at| at.to_utc()).context("the server does not say when it got a mail")?;
    let is_whole = about.size.is_some_and(|size| size as usize <= MAX_BYTES);
    let part = if is_whole { "(UID BODY.PEEK[])" } else { "(UID BODY.PEEK[HEADER])" };
    let found: Vec<_> = session.uid_fetch(uid.to_string(), part).await?.try_collect().await?;
    let Some(mail) = found.iter().find(|found| found.uid == Some(uid)) else { return Ok(None) };
    let raw = if is_whole { mail.body() } else { mail.header() };
    Ok(raw.map(|raw| (raw.to_vec(), at, is_whole)))
}

async fn seen(session: &mut Connection, uid: u32) -> anyhow::Result<()> {
    let _: Vec<_> = session.uid_store(uid.to_string(), "+FLAGS.SILENT (\\Seen)").await?.try_collect().await?;
    Ok(())
}

async fn connect(access: &Access) -> anyhow::Result<Connection> {
    let stream = TcpStream::connect((access.host.as_str(), access.port)).await.context("no connection")?;
    stream.set_nodelay(true)?;
    let wire: Box<dyn Wire> = match access.tls {
        Tls::None => Box::new(stream),
        Tls::FromTheStart => Box::new(encrypted(access, stream).await?),
        Tls::Upgraded => {
            let mut client = Client::new(stream);
            greeted(client.read_response().await?.is_some())?;
            client.run_command_and_check_ok("STARTTLS", None).await.context("the server does not offer STARTTLS")?;
            let wire: Box<dyn Wire> = Box::new(encrypted(access, client.into_inner()).await?);
            return login(access, Client::new(wire)).await;
        }
    };
    let mut client = Client::new(wire);
    greeted(client.read_response().await?.is_some())?;
    login(access, client).await
}

fn greeted(is_there: bool) -> anyhow::Result<()> {
    ensure!(is_there, "the server hung up");
    Ok(())
}

async fn login(access: &Access, client: Client<Box<dyn Wire>>) -> anyhow::Result<Connection> {
    client.login(&access.user, access.password.expose_secret()).await.map_err(|(error, _)| error).context("the server does not let us in")
}

async fn encrypted(access: &Access, stream: TcpStream) -> anyhow::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let name = ServerName::try_from(access.host.clone()).context("the server's name is none that a certificate could have")?;
    let secured = TlsConnector::from(access.config.clone()).connect(name, stream).await;
    secured.map_err(|error| match distrust(&error) {
        Some(why) => anyhow!("{} is not trusted: {why}", access.host),
        None => anyhow!(error).context("no secure connection"),
    })
}

/// Looks whether the mailbox is there and lets us in.
pub(super) async fn check(access: &Access) -> anyhow::Result<()> {
    let mut session = in_time(connect(access)).await?;
    in_time(async { Ok(session.examine(&access.folder).await?) }).await.with_context(|| format!("there is no folder {}", access.folder))?;
    in_time(async { Ok(session.logout().await?) }).await
}

async fn in_time<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    timeout(TIMEOUT, work).await.context("the server does not answer")?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read() {
        let parse = |url: &str| Access::parse(&url.into(), &Authorities::default());
        let access = parse("imaps://ana%40example.org:p%2Fw@imap.example.org/Plans%20here").unwrap();
        assert_eq!(
            (access.tls, access.port, access.user.as_str(), access.password.expose_secret(), access.folder.as_str()),
            (Tls::FromTheStart, 993, "ana@example.org", "p/w", "Plans here")
        );
        let here = parse("imap://plan@127.0.0.1:1143").unwrap();
        assert_eq!((here.tls, here.port, here.folder.as_str()), (Tls::None, 1143, "INBOX"));
        for upgraded in ["imap://plan@mail.example.org", "imap://plan@localhost?tls=required"] {
            assert_eq!(parse(upgraded).unwrap().tls, Tls::Upgraded);
        }
        for wrong in ["http://example.org", "example.org", "imaps://%zz@example.org"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(!format!("{access:?}").contains("p/w"));
    }
}
