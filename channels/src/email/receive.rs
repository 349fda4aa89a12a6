//! From the mailbox to the inbox: a mail is let in, held back, or left alone.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use anyhow::Context as _;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt as _;
use patchbay_core::{
    channel::{
        self, Channel, Envelope, Sender, link,
        mail::{self, Held, Place},
        malformed::{self, Unread},
        received::{self, Attached, Brought},
    },
    db::{self, Tx},
    documents::files::Files,
    ids::OrganizationId,
    review::{self, view::hex},
    tenancy::Trust as Believed,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    automatic::{Automatic, automatic, is_ours},
    command::{asked, decides, thread_asked},
    fresh::fresh,
    mailbox::{self, Access, Delivered, Keeper, Kept},
    read::{self, Letter, MAX_BYTES},
    thread::{self, Showed, Threads},
    trust::{Trust, Verdict},
    write::Address,
};
use crate::hub::Hub;

/// How long the right to read a mailbox lasts, and how often it is renewed.
const HOLD: (f64, Duration) = (15.0, Duration::from_secs(5));
/// Mails an hour of one sender that are answered: two programs that answer each other stop here.
const MAX_AN_HOUR: i64 = 60;
/// A mail whose sender cannot be asked about for so long is held back.
const PATIENCE: TimeDelta = TimeDelta::days(1);
/// Characters of a held mail that are shown.
const PREVIEW: usize = 500;

/// Reads the mailbox of an organisation.
pub struct Receiver {
    pub(super) hub: Hub,
    pub(super) files: Files,
    pub(super) organization: OrganizationId,
    pub(super) access: Access,
    /// Our addresses; the first names the mailbox.
    pub(super) ours: Vec<String>,
    pub(super) trust: Trust,
    pub(super) threads: Arc<Threads>,
}

/// What is to become of a mail.
enum Fate {
    In(Box<Envelope>),
    Held(Box<Held>),
    /// It cannot be read; why.
    Unreadable(String),
    /// A program's: nothing comes of it.
    Ignored,
    Later,
}

impl Receiver {
    /// Reads until the service stops. Of all processes one reads at a time.
    pub async fn run(self) {
        let holder = self.hub.ctx.uuid();
        let stopping = self.hub.stopping.clone();
        while !stopping.is_cancelled() {
            if self.hold(holder).await {
                let reading = stopping.child_token();
                tokio::join!(mailbox::watch(&self.access, &self, &reading), self.keep_hold(holder, &reading));
                continue;
            }
            tokio::select! {
                () = stopping.cancelled() => {}
                () = tokio::time::sleep(HOLD.1) => {}
            }
        }
        if let Err(error) = self.let_go(holder).await {
            tracing::warn!(%error, "the mailbox could not be given back; it is free in {} seconds", HOLD.0);
        }
    }

    /// Renews the right to read; stops the reading when it is lost or the service stops.
    async fn keep_hold(&self, holder: Uuid, reading: &CancellationToken) {
        loop {
            tokio::select! {
                () = reading.cancelled() => return,
                () = tokio::time::sleep(HOLD.1) => {}
            }
            if !self.hold(holder).await {
                reading.cancel();
            }
        }
    }

    async fn hold(&self, holder: Uuid) -> bool {
        let held = async {
            let mut tx = self.hub.db.begin(self.organization).await?;
            let held = mail::store::hold(&mut tx, self.mailbox(), holder, HOLD.0).await?;
            tx.commit().await?;
            Ok::<_, db::Error>(held)
        };
        held.await.unwrap_or_else(|error| {
            tracing::warn!(%error, "whether the mailbox may be read is not known");
            false
        })
    }

    async fn let_go(&self, holder: Uuid) -> db::Result<()> {
        let mut tx = self.hub.db.begin(self.organization).await?;
        mail::store::let_go(&mut tx, self.mailbox(), holder).await?;
        tx.commit().await
    }

    /// Stores what is to become of a mail, with its place.
    async fn store(&self, delivered: &Delivered<'_>) -> anyhow::Result<Kept> {
        let ctx = self.hub.ctx.as_ref();
        let mut tx = self.hub.db.begin(self.organization).await?;
        match self.judge(&mut tx, delivered).await? {
            Fate::Later => {
                tx.rollback().await?;
                return Ok(Kept::Later);
            }
            Fate::Ignored => {}
            Fate::In(envelope) => {
                channel::store::receive(&mut tx, ctx, self.organization, &envelope).await?;
            }
            Fate::Held(held) => {
                tracing::info!(sender = held.sender, why = held.why, "a mail is held back");
                mail::store::quarantine(&mut tx, ctx, self.organization, &held).await?;
            }
            Fate::Unreadable(why) => {
                tracing::warn!(why, "a mail that cannot be read is kept");
                malformed::store::keep(&mut tx, ctx, self.organization, &Unread::new(Channel::Email, why, delivered.raw)).await?;
            }
        }
        mail::store::keep_place(&mut tx, self.mailbox(), delivered.place).await?;
        tx.commit().await?;
        self.hub.bell.ring();
        Ok(Kept::Stored)
    }

    /// Keeps what cannot be stored as what it is.
    async fn put_aside(&self, delivered: &Delivered<'_>) -> anyhow::Result<Kept> {
        let mut tx = self.hub.db.begin(self.organization).await?;
        let unread = Unread::new(Channel::Email, "it could not be read to its end", delivered.raw);
        malformed::store::keep(&mut tx, self.hub.ctx.as_ref(), self.organization, &unread).await?;
        mail::store::keep_place(&mut tx, self.mailbox(), delivered.place).await?;
        tx.commit().await?;
        Ok(Kept::Stored)
    }

    fn mailbox(&self) -> &str {
        self.ours.first().map_or("", String::as_str)
    }

    /// Decides about a mail.
    async fn judge(&self, tx: &mut Tx, delivered: &Delivered<'_>) -> anyhow::Result<Fate> {
        let raw = delivered.raw;
        let message = match read::parse(raw) {
            Ok(message) => message,
            Err(error) => return Ok(Fate::Unreadable(error.to_string())),
        };
        let mut letter = match read::letter(&message) {
            Ok(letter) => letter,
            Err(error) => return Ok(Fate::Unreadable(error.to_string())),
        };
        let is_own = letter.message_id.as_deref().is_some_and(|id| self.threads.is_ours(id));
        if let Some(why) = automatic(&message, &letter, &self.ours).or(is_own.then_some(Automatic::Ours)) {
            tracing::info!(sender = letter.from, %why, "a mail is not answered");
            return Ok(Fate::Ignored);
        }
        let now = self.hub.ctx.now();
        if !delivered.is_whole {
            let why = format!("it has more than {} MB", MAX_BYTES / 1024 / 1024);
            return Ok(Fate::Held(Box::new(Held { why, ..shown(&letter, raw) })));
        }
        let envelope = self.envelope(tx, &letter, raw).await?;
        let brought = brought(&mut letter);
        let why = match self.trust.judge(raw, &message, &letter, now).await {
            Verdict::Aligned if mail::store::count_since(tx, &letter.from, now - TimeDelta::hours(1)).await? >= MAX_AN_HOUR => {
                format!("{} sent more than {MAX_AN_HOUR} mails in an hour", letter.from)
            }
            Verdict::Aligned => {
                let attached = self.attached(tx, &envelope.sender, brought).await?;
                return Ok(Fate::In(Box::new(Envelope { attached, ..envelope })));
            }
            Verdict::Unknown(why) if delivered.at > now - PATIENCE => {
                tracing::warn!(sender = letter.from, why, "whose a mail is cannot be told now; it waits");
                return Ok(Fate::Later);
            }
            Verdict::Unknown(why) | Verdict::Refused(why) => why,
        };
        // Of whom it is not known that they wrote, nothing but words is kept.
        let attached = received::keep(&self.files, self.organization, brought, false, 0).await?;
        let envelope = Some(Envelope { attached, ..envelope });
        Ok(Fate::Held(Box::new(Held { why, envelope, ..shown(&letter, raw) })))
    }

    /// Keeps what a sender brought, if they are known.
    async fn attached(&self, tx: &mut Tx, sender: &Sender, brought: Vec<Brought>) -> anyhow::Result<Vec<Attached>> {
        if brought.is_empty() {
            return Ok(Vec::new());
        }
        let settings = channel::store::settings(tx, Channel::Email.into()).await?;
        let who = link::identify(tx, self.hub.ctx.as_ref(), self.organization, Channel::Email, sender, settings.trust_email).await?;
        let total = received::store::total(tx).await?;
        received::keep(&self.files, self.organization, brought, who.is_some(), total).await.context("what came with a mail could not be kept")
    }

    /// A letter as the hub takes it, as if it were its sender's.
    async fn envelope(&self, tx: &mut Tx, letter: &Letter, raw: &[u8]) -> anyhow::Result<Envelope> {
        let key = read::key(letter, raw);
        let known = self.threads.known(letter);
        let quoted = thread_asked(letter, |by| self.ours.iter().any(|ours| by.to_lowercase().contains(ours)));
        let text = match &quoted {
            // It stands below the words that ask for it.
            Some(_) => "plan this thread".to_owned(),
            None => asked(letter).unwrap_or_else(|| "help".to_owned()),
        };
        let thread = known.as_ref().map_or_else(|| thread::name(letter, &key), |known| known.thread.clone());
        let showed = known.as_ref().and_then(|known| known.showed);
        let shown = match showed {
            Some(showed) => digest(tx, showed).await?,
            None => None,
        };
        Ok(Envelope {
            channel: Channel::Email,
            key,
            sender: Sender { id: letter.from.clone(), name: letter.name.clone().unwrap_or_else(|| letter.from.clone()), email: Some(letter.from.clone()) },
            // To decide, one answers the mail that asks for it.
            trust: if decides(&text) && showed.is_none() { Believed::Linked } else { Believed::Verified },
            place: letter.to.iter().find(|to| self.ours.iter().any(|ours| is_ours(to, ours))).cloned(),
            address: serde_json::to_value(Address::answering(letter, thread.clone())).context("an address is JSON")?,
            thread,
            text,
            shown,
            around: quoted.map(serde_json::to_value).transpose().context("what a mail quotes is JSON")?,
            attached: Vec::new(),
        })
    }
}

/// What came with a letter and is no text that can be planned from.
fn brought(letter: &mut Letter) -> Vec<Brought> {
    std::mem::take(&mut letter.attachments).into_iter().filter(|attachment| attachment.text().is_none()).collect()
}

/// Whether the database is there and refuses what it is given (`SQLSTATE` class 22, data exceptions).
fn is_about_data(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(db::Error::Database(error)) if error.code().is_some_and(|code| code.starts_with("22")))
}

/// Names exactly what a mail of ours showed.
async fn digest(tx: &mut Tx, showed: Showed) -> anyhow::Result<Option<String>> {
    let Some(proposal) = review::store::find(tx, showed.number).await? else { return Ok(None) };
    let revision = review::store::find_revision(tx, proposal.id, showed.revision).await?;
    Ok(revision.map(|revision| hex(&revision.digest)))
}

/// A mail that is not believed, for people.
fn shown(letter: &Letter, raw: &[u8]) -> Held {
    let preview: String = fresh(&letter.text).text.chars().filter(|c| *c != '\0').take(PREVIEW).collect();
    let name = letter.name.clone().unwrap_or_default();
    Held { key: read::digest(raw), sender: letter.from.clone(), name, subject: letter.subject.clone(), preview, why: String::new(), envelope: None }
}

#[async_trait]
impl Keeper for Receiver {
    fn now(&self) -> DateTime<Utc> {
        self.hub.ctx.now()
    }

    async fn place(&self) -> anyhow::Result<Option<Place>> {
        let mut tx = self.hub.db.begin(self.organization).await?;
        let place = mail::store::place(&mut tx, self.mailbox()).await?;
        tx.rollback().await?;
        Ok(place)
    }

    async fn keep(&self, delivered: Delivered<'_>) -> anyhow::Result<Kept> {
        match AssertUnwindSafe(self.store(&delivered)).catch_unwind().await {
            Ok(Ok(kept)) => Ok(kept),
            // The database is there and does not take it: whatever is in this mail must not keep the others out.
            Ok(Err(error)) if is_about_data(&error) => {
                tracing::error!(error = format!("{error:#}"), "a mail could not be stored");
                self.put_aside(&delivered).await
            }
            Ok(Err(error)) => Err(error),
            Err(_) => self.put_aside(&delivered).await,
        }
    }
}
