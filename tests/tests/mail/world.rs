//! A service with a mailbox, and people who write to it.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use mail_auth::{
    common::{crypto::Ed25519Key, headers::HeaderWriter},
    dkim::{Canonicalization, DkimSigner},
};
use patchbay_core::ids::{Context as _, System};
use patchbay_tests::{
    dns::Dns,
    dovecot::Dovecot,
    service::Running,
    smtp::{Sent, Smtp},
    until::until,
};
use patchbay_web::settings::Settings;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Where Patchbay reads.
pub(crate) const PLAN: &str = "plan@patchbay.example";
const SELECTOR: &str = "s1";
/// What an honest mail program signs.
pub(crate) const SIGNED: [&str; 7] = ["From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References"];

/// A service with a mailbox.
pub(crate) struct World {
    pub(crate) patchbay: Running,
    pub(crate) dovecot: Arc<Dovecot>,
    pub(crate) smtp: Smtp,
    pub(crate) dns: Dns,
}

impl World {
    pub(crate) async fn start() -> Result<Self> {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl Fn(&mut Settings)) -> Result<Self> {
        let dovecot = Arc::new(Dovecot::start().await?);
        let smtp = Smtp::start(Some(dovecot.clone())).await?;
        let dns = Dns::start().await?;
        let email = |settings: &mut Settings| {
            settings.email.imap_url = Some(dovecot.url(PLAN).into());
            settings.email.smtp_url = Some(smtp.url().into());
            settings.email.address = Some(PLAN.to_owned());
            settings.email.dns = Some(dns.address);
            change(settings);
        };
        let patchbay = Running::start_with(email).await?;
        Ok(Self { patchbay, dovecot, smtp, dns })
    }

    /// Somebody with an address whose domain signs what they write.
    pub(crate) fn person(&self, address: &str) -> Result<Person> {
        let der = Ed25519Key::generate_pkcs8().map_err(|error| anyhow::anyhow!("{error}"))?;
        let person = Person {
            address: address.to_owned(),
            der,
            domain: address.rsplit_once('@').context("an address has a domain")?.1.to_owned(),
            written: AtomicU32::new(0),
        };
        self.dns.txt(&format!("{SELECTOR}._domainkey.{}", person.domain), &person.record()?);
        self.dns.txt(&format!("_dmarc.{}", person.domain), "v=DMARC1; p=reject; adkim=r");
        Ok(person)
    }

    /// Somebody who is known: they write, are asked who they are, and say so where they are signed in.
    pub(crate) async fn known(&self, address: &str, key: &str) -> Result<Person> {
        let person = self.person(address)?;
        let hello = person.letter("hello", "");
        let answer = self.answered(&person, &hello).await?;
        let text = answer.text().replace("=\r\n", "");
        let code: String = text
            .split_once("code=")
            .map(|(_, code)| code.trim_start_matches("3D").chars().take(9).collect())
            .with_context(|| format!("there is a code: {text}"))?;
        let headers = [("prefer", "wait=20")];
        let (status, said) = self.patchbay.send(Some(key), Method::POST, "/commands", Some(&json!({ "text": format!("link {code}") })), &headers).await?;
        ensure!(status.is_success() && said["status"] == "done", "{status}: {said}");
        Ok(person)
    }

    /// Puts a mail into the mailbox.
    pub(crate) fn deliver(&self, raw: &[u8]) -> Result<()> {
        self.dovecot.deliver(PLAN, raw)
    }

    /// Delivers a letter and waits for the answer to it.
    pub(crate) async fn answered(&self, person: &Person, letter: &Letter) -> Result<Sent> {
        self.deliver(&person.signed(letter)?)?;
        let id = format!("<{}>", letter.id);
        let address = person.address.clone();
        self.smtp
            .wait(&format!("an answer to {}", letter.subject), move |sent| sent.to.contains(&address) && sent.header("In-Reply-To").as_deref() == Some(&id))
            .await
    }

    /// Waits until all mails are marked as seen, and so many are there.
    pub(crate) async fn read(&self, count: usize) -> Result<()> {
        until(&format!("{count} mails are seen"), async || Ok(self.dovecot.seen(PLAN)? == (count, 0))).await
    }

    pub(crate) async fn held(&self) -> Result<Vec<Value>> {
        let (status, held) = self.patchbay.get("/channels/email/quarantine").await?;
        ensure!(status == StatusCode::OK, "{held}");
        Ok(held["data"].as_array().cloned().unwrap_or_default())
    }
}

/// Somebody who writes.
pub(crate) struct Person {
    pub(crate) address: String,
    der: Vec<u8>,
    domain: String,
    written: AtomicU32,
}

/// A mail before it is signed.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) id: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) date: DateTime<Utc>,
    /// Header lines beside the usual.
    pub(crate) more: Vec<String>,
    pub(crate) text: String,
}

impl Letter {
    /// As it is sent.
    pub(crate) fn raw(&self) -> Vec<u8> {
        let more = self.more.iter().map(String::as_str).chain(["Content-Type: text/plain; charset=utf-8"]).collect::<Vec<_>>().join("\r\n");
        let text = self.text.replace('\n', "\r\n");
        format!(
            "From: {}\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <{}>\r\n{more}\r\n\r\n{text}\r\n",
            self.from,
            self.to,
            self.subject,
            self.date.to_rfc2822(),
            self.id
        )
        .into_bytes()
    }

    #[must_use]
    pub(crate) fn with(mut self, header: &str) -> Self {
        self.more.push(header.to_owned());
        self
    }
}

impl Person {
    /// A first mail.
    pub(crate) fn letter(&self, subject: &str, text: &str) -> Letter {
        let number = self.written.fetch_add(1, Ordering::SeqCst);
        Letter {
            id: format!("{number}.{}", self.address),
            from: format!("Somebody <{}>", self.address),
            to: PLAN.to_owned(),
            subject: subject.to_owned(),
            date: System::default().now(),
            more: Vec::new(),
            text: text.to_owned(),
        }
    }

    /// An answer to a mail of ours, as a mail program writes it: above the quote.
    pub(crate) fn reply(&self, sent: &Sent, text: &str) -> Letter {
        let id = sent.header("Message-ID").unwrap_or_default();
        let references = sent.header("References").unwrap_or_default();
        let quote = sent.text().replace("\r\n", "\n> ");
        let letter =
            self.letter(&sent.header("Subject").unwrap_or_default(), &format!("{text}\n\nOn Sat, 21 Nov 2026 at 10:00, Patchbay <{PLAN}> wrote:\n\n> {quote}"));
        letter.with(&format!("In-Reply-To: {id}")).with(&format!("References: {references} {id}"))
    }

    /// A letter with the signature of the person's domain.
    pub(crate) fn signed(&self, letter: &Letter) -> Result<Vec<u8>> {
        self.sign(&letter.raw(), &SIGNED)
    }

    /// A mail with a signature over these headers.
    pub(crate) fn sign(&self, raw: &[u8], headers: &[&str]) -> Result<Vec<u8>> {
        self.sign_with(raw, headers, false)
    }

    /// A mail with a signature, which may give the length that it covers.
    pub(crate) fn sign_with(&self, raw: &[u8], headers: &[&str], with_length: bool) -> Result<Vec<u8>> {
        let key = Ed25519Key::from_pkcs8_maybe_unchecked_der(&self.der).map_err(|error| anyhow::anyhow!("{error}"))?;
        let signer = DkimSigner::from_key(key).domain(&self.domain).selector(SELECTOR).headers(headers.iter().copied());
        let signer = signer.header_canonicalization(Canonicalization::Relaxed).body_canonicalization(Canonicalization::Relaxed).body_length(with_length);
        let signature = signer.sign(raw).map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok([signature.to_header().into_bytes(), raw.to_vec()].concat())
    }

    /// The public key as DNS has it.
    pub(crate) fn record(&self) -> Result<String> {
        let key = Ed25519Key::from_pkcs8_maybe_unchecked_der(&self.der).map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(format!("v=DKIM1; k=ed25519; p={}", BASE64_STANDARD.encode(key.public_key())))
    }

    /// The private key as a file has it.
    pub(crate) fn pem(&self) -> String {
        let kind = "PRIVATE KEY";
        format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", BASE64_STANDARD.encode(&self.der))
    }
}
