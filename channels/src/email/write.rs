//! Our mails: an answer into the thread, as plain text and as HTML. Pure.

use std::time::SystemTime;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use lettre::{
    Message,
    address::Envelope,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use mail_auth::{
    common::{
        crypto::{Ed25519Key, RsaKey, Sha256},
        headers::HeaderWriter,
    },
    dkim::{Canonicalization, DkimSigner, Done},
};
use serde::{Deserialize, Serialize};
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, pem::PemObject};

use super::{command::reply_subject, read::Letter, thread};
use crate::render::email::Mail;

/// References that an answer repeats: the first, and the last of these.
const MAX_REFERENCES: usize = 20;
/// All that a reader may act on; what is named twice cannot be added later either.
const SIGNED: [&str; 14] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Auto-Submitted",
    "From",
    "To",
    "Subject",
    "Reply-To",
];

/// Where an answer goes: kept with the message until it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub to: String,
    pub name: Option<String>,
    /// Of the thread; without it the mail has its own.
    pub subject: Option<String>,
    /// The mail that is answered; without it nobody asked.
    pub in_reply_to: Option<String>,
    pub references: Vec<String>,
    /// What we call the thread.
    pub thread: String,
}

impl Address {
    /// The one of an answer to a mail. It goes to who wrote it, whatever else the mail asks for.
    pub fn answering(letter: &Letter, thread: String) -> Self {
        let mut references = letter.references.clone();
        references.extend(letter.message_id.clone());
        if references.len() > MAX_REFERENCES {
            references.drain(1..=references.len() - MAX_REFERENCES);
        }
        Self {
            to: letter.from.clone(),
            name: letter.name.clone(),
            subject: Some(reply_subject(&letter.subject)),
            in_reply_to: letter.message_id.clone(),
            references,
            thread,
        }
    }

    /// The one of a mail that answers none, to somebody about something.
    pub fn first(to: &str, about: &str) -> Self {
        let thread = thread::begun(to, about);
        Self { to: to.to_owned(), name: None, subject: None, in_reply_to: None, references: Vec::new(), thread }
    }

    /// The same behind a mail of ours that went there before.
    #[must_use]
    pub fn after(&self, message_id: Option<&str>) -> Self {
        let mut references = self.references.clone();
        references.extend(message_id.map(str::to_owned));
        Self { references, ..self.clone() }
    }
}

/// A mail, ready to be sent.
pub struct Written {
    pub envelope: Envelope,
    pub bytes: Vec<u8>,
}

/// Writes mails of one address.
pub struct Writer {
    from: Mailbox,
    signer: Option<Signer>,
}

impl Writer {
    /// `address` as in `Patchbay <plan@example.org>`, or only the address.
    pub fn new(address: &str) -> anyhow::Result<Self> {
        let mut from: Mailbox = address.parse().with_context(|| format!("{address} is no mail address"))?;
        from.name.get_or_insert_with(|| "Patchbay".to_owned());
        Ok(Self { from, signer: None })
    }

    /// Signs what it writes.
    pub fn signed(self, signer: Option<Signer>) -> Self {
        Self { signer, ..self }
    }

    /// The address alone, in small letters.
    pub fn address(&self) -> String {
        self.from.email.to_string().to_lowercase()
    }

    /// The domain that our Message-IDs end with.
    pub fn host(&self) -> &str {
        self.from.email.domain()
    }

    /// Writes one mail. `message_id` is without angle brackets.
    pub fn write(&self, address: &Address, message_id: &str, mail: Mail, now: DateTime<Utc>) -> anyhow::Result<Written> {
        let to = Mailbox::new(address.name.clone(), address.to.parse().with_context(|| format!("{} is no mail address", address.to))?);
        let kind = if address.in_reply_to.is_some() { "auto-replied" } else { "auto-generated" };
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(address.subject.clone().unwrap_or(mail.subject))
            .date(SystemTime::from(now))
            .message_id(Some(format!("<{message_id}>")))
            // RFC 3834, section 5: no program is to answer this; the second says the same to Exchange.
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), kind.to_owned()))
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("X-Auto-Response-Suppress"), "All".to_owned()));
        if let Some(id) = &address.in_reply_to {
            message = message.in_reply_to(format!("<{id}>"));
        }
        if !address.references.is_empty() {
            message = message.references(address.references.iter().map(|id| format!("<{id}>")).collect::<Vec<_>>().join(" "));
        }
        let message = message.multipart(MultiPart::alternative_plain_html(mail.text, mail.html)).context("a mail could not be put together")?;
        let formatted = message.formatted();
        let mut bytes = Vec::new();
        if let Some(signer) = &self.signer {
            bytes.extend(signer.sign(&formatted)?.into_bytes());
        }
        bytes.extend(formatted);
        Ok(Written { envelope: message.envelope().clone(), bytes })
    }
}

/// Signs our mails by DKIM (RFC 6376, RFC 8463).
pub enum Signer {
    Rsa(Box<DkimSigner<RsaKey<Sha256>, Done>>),
    Ed25519(Box<DkimSigner<Ed25519Key, Done>>),
}

impl Signer {
    /// With a private key in PEM: RSA as PKCS #1 or #8, or Ed25519 as PKCS #8, as openssl writes them.
    pub fn new(pem: &str, domain: &str, selector: &str) -> anyhow::Result<Self> {
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok().context("the DKIM key is no private key in PEM")?;
        if let PrivateKeyDer::Pkcs8(der) = &key
            && let Ok(key) = Ed25519Key::from_pkcs8_maybe_unchecked_der(der.secret_pkcs8_der())
        {
            return Ok(Self::Ed25519(Box::new(signer(DkimSigner::from_key(key).domain(domain).selector(selector).headers(SIGNED)))));
        }
        let key = RsaKey::<Sha256>::from_key_der(key).ok().context("the DKIM key is neither RSA of 2048 bits or more nor Ed25519")?;
        Ok(Self::Rsa(Box::new(signer(DkimSigner::from_key(key).domain(domain).selector(selector).headers(SIGNED)))))
    }

    fn sign(&self, message: &[u8]) -> anyhow::Result<String> {
        let signature = match self {
            Self::Rsa(signer) => signer.sign(message),
            Self::Ed25519(signer) => signer.sign(message),
        };
        Ok(signature.map_err(|error| anyhow::anyhow!("a mail could not be signed: {error}"))?.to_header())
    }
}

/// Relaxed, so that servers on the way may fold lines anew.
fn signer<K: mail_auth::common::crypto::SigningKey>(signer: DkimSigner<K, Done>) -> DkimSigner<K, Done> {
    signer.header_canonicalization(Canonicalization::Relaxed).body_canonicalization(Canonicalization::Relaxed)
}
