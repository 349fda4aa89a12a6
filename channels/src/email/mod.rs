//! The e-mail commander: a mailbox that is read over IMAP, and answers that go out over SMTP.
//!
//! Invariants: a mail acts as its sender only where the sender's domain signed for it; what nobody wrote by hand is never
//! answered; a mail is marked as seen only after it is stored.

pub mod adapter;
pub mod automatic;
pub mod command;
pub mod fresh;
pub mod mailbox;
mod quoted;
pub mod read;
pub mod receive;
pub mod send;
pub mod thread;
mod tls;
pub mod trust;
pub mod write;

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf, sync::Arc};

use anyhow::Context as _;
use governor::Quota;
use patchbay_core::{channel::mail, documents::files::Files, ids::OrganizationId};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use crate::{hub::Hub, pace::Pace};
use adapter::Speaker;
use mailbox::Access;
use receive::Receiver;
use send::Sender;
use thread::Threads;
use tls::Authorities;
use trust::Trust;
use write::{Signer, Writer};

/// How mail is reached.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `imaps://user:password@host/Folder`.
    pub imap_url: Option<SecretString>,
    /// `smtps://user:password@host`.
    pub smtp_url: Option<SecretString>,
    /// Who we are: `plan@example.org`, or `Plans <plan@example.org>`.
    pub address: Option<String>,
    /// Other addresses whose mails come into the mailbox.
    pub aliases: Vec<String>,
    /// The server whose topmost Authentication-Results are believed about SPF.
    pub authserv_id: Option<String>,
    /// A private key in PEM that our mails are signed with.
    pub dkim_key: Option<PathBuf>,
    #[serde(deserialize_with = "text")]
    pub dkim_selector: String,
    /// Certificates in PEM of authorities that are trusted beside the machine's.
    pub ca_file: Option<PathBuf>,
    /// How many mails a minute the SMTP server is given; as many as there are where it is not set.
    pub per_minute: Option<NonZeroU32>,
    /// A name server of its own.
    pub dns: Option<SocketAddr>,
}

/// A text that a variable of the environment may have made a number of.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Text {
        Text(String),
        Number(u64),
    }
    Ok(match Text::deserialize(deserializer)? {
        Text::Text(text) => text,
        Text::Number(number) => number.to_string(),
    })
}

/// Mail as the settings have it.
pub struct Connected {
    pub speaker: Option<Arc<Speaker>>,
    pub receiver: Option<Receiver>,
}

/// Reads the settings and gets ready; connects to nothing yet. `None` where there is no address.
pub async fn connect(settings: &Settings, hub: &Hub, files: &Files, organization: OrganizationId) -> anyhow::Result<Option<Connected>> {
    let Some(address) = &settings.address else { return Ok(None) };
    let writer = Writer::new(address)?;
    let host = writer.host().to_owned();
    let signer = match &settings.dkim_key {
        None => None,
        Some(path) => {
            let pem = std::fs::read_to_string(path).with_context(|| format!("the DKIM key {} cannot be read", path.display()))?;
            Some(Signer::new(&pem, &host, &settings.dkim_selector)?)
        }
    };
    let authorities = Authorities::read(settings.ca_file.as_deref())?;
    let ours: Vec<String> = std::iter::once(writer.address()).chain(settings.aliases.iter().map(|alias| alias.to_lowercase())).collect();
    let mut tx = hub.db.begin(organization).await?;
    let key = mail::token_key(&mut tx, organization, &ours[0]).await?;
    tx.commit().await?;
    let threads = Arc::new(Threads::new(key, host));
    let speaker = match &settings.smtp_url {
        None => None,
        Some(url) => Some(Arc::new(Speaker {
            db: hub.db.clone(),
            ctx: hub.ctx.clone(),
            writer: writer.signed(signer),
            sender: Sender::new(url, &authorities)?,
            pace: Pace::new(Quota::per_minute(settings.per_minute.unwrap_or(NonZeroU32::MAX))),
            threads: threads.clone(),
            public_url: hub.public_url.clone(),
        })),
    };
    let receiver = match &settings.imap_url {
        None => None,
        Some(url) => Some(Receiver {
            hub: hub.clone(),
            files: files.clone(),
            organization,
            access: Access::parse(url, &authorities)?,
            trust: Trust::new(settings.dns, settings.authserv_id.clone(), ours.clone())?,
            ours,
            threads,
        }),
    };
    Ok(Some(Connected { speaker, receiver }))
}

/// Looks whether the servers of the settings can be reached and let us in: each by its name, with what is wrong. Changes nothing.
pub async fn check(settings: &Settings) -> Vec<(&'static str, anyhow::Result<()>)> {
    let authorities = Authorities::read(settings.ca_file.as_deref());
    let mut checked = Vec::new();
    if let Some(url) = &settings.imap_url {
        let found = async { mailbox::check(&Access::parse(url, authorities.as_ref().map_err(again)?)?).await };
        checked.push(("IMAP", found.await));
    }
    if let Some(url) = &settings.smtp_url {
        let found = async { Sender::new(url, authorities.as_ref().map_err(again)?)?.check().await };
        checked.push(("SMTP", found.await));
    }
    checked
}

/// The same for each server that it keeps from being reached.
fn again(error: &anyhow::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}
