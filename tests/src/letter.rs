//! People who write mails from real addresses: their domains sign what they write.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use mail_auth::{
    common::{crypto::Ed25519Key, headers::HeaderWriter},
    dkim::{Canonicalization, DkimSigner},
};
use patchbay_core::ids::{Context as _, System};

use crate::{dns::Dns, smtp::Sent};

const SELECTOR: &str = "s1";
/// What an honest mail program signs.
pub const SIGNED: [&str; 7] = ["From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References"];

/// Somebody who writes.
pub struct Person {
    pub address: String,
    /// Whom they write to.
    to: String,
    der: Vec<u8>,
    domain: String,
    written: AtomicU32,
}

/// A mail before it is signed.
#[derive(Clone, Debug)]
pub struct Letter {
    pub id: String,
    pub from: String,
    pub to: String,
    pub subject: String,
    pub date: DateTime<Utc>,
    /// Header lines beside the usual.
    pub more: Vec<String>,
    /// Its Content-Type.
    pub kind: String,
    pub text: String,
}

impl Letter {
    /// As it is sent.
    pub fn raw(&self) -> Vec<u8> {
        let kind = format!("Content-Type: {}", self.kind);
        let more = self.more.iter().map(String::as_str).chain([kind.as_str()]).collect::<Vec<_>>().join("\r\n");
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
    pub fn with(mut self, header: &str) -> Self {
        self.more.push(header.to_owned());
        self
    }
}

impl Person {
    /// Somebody with an address, whose domain says in DNS how it signs.
    pub fn new(dns: &Dns, address: &str, to: &str) -> Result<Self> {
        let der = Ed25519Key::generate_pkcs8().map_err(|error| anyhow::anyhow!("{error}"))?;
        let domain = address.rsplit_once('@').context("an address has a domain")?.1.to_owned();
        let person = Self { address: address.to_owned(), to: to.to_owned(), der, domain, written: AtomicU32::new(0) };
        dns.txt(&format!("{SELECTOR}._domainkey.{}", person.domain), &person.record()?);
        dns.txt(&format!("_dmarc.{}", person.domain), "v=DMARC1; p=reject; adkim=r");
        Ok(person)
    }

    /// A first mail.
    pub fn letter(&self, subject: &str, text: &str) -> Letter {
        let number = self.written.fetch_add(1, Ordering::SeqCst);
        Letter {
            id: format!("{number}.{}", self.address),
            from: format!("Somebody <{}>", self.address),
            to: self.to.clone(),
            subject: subject.to_owned(),
            date: System::default().now(),
            more: Vec::new(),
            kind: "text/plain; charset=utf-8".to_owned(),
            text: text.to_owned(),
        }
    }

    /// An answer to a mail of ours, as a mail program writes it: above the quote.
    pub fn reply(&self, sent: &Sent, text: &str) -> Letter {
        let id = sent.header("Message-ID").unwrap_or_default();
        let references = sent.header("References").unwrap_or_default();
        let quote = sent.text().replace("\r\n", "\n> ");
        let letter = self.letter(
            &sent.header("Subject").unwrap_or_default(),
            &format!("{text}\n\nOn Sat, 21 Nov 2026 at 10:00, Patchbay <{}> wrote:\n\n> {quote}", self.to),
        );
        letter.with(&format!("In-Reply-To: {id}")).with(&format!("References: {references} {id}"))
    }

    /// A letter with the signature of the person's domain.
    pub fn signed(&self, letter: &Letter) -> Result<Vec<u8>> {
        self.sign(&letter.raw(), &SIGNED)
    }

    /// A mail with a signature over these headers.
    pub fn sign(&self, raw: &[u8], headers: &[&str]) -> Result<Vec<u8>> {
        self.sign_with(raw, headers, false)
    }

    /// A mail with a signature, which may give the length that it covers.
    pub fn sign_with(&self, raw: &[u8], headers: &[&str], with_length: bool) -> Result<Vec<u8>> {
        let key = Ed25519Key::from_pkcs8_maybe_unchecked_der(&self.der).map_err(|error| anyhow::anyhow!("{error}"))?;
        let signer = DkimSigner::from_key(key).domain(&self.domain).selector(SELECTOR).headers(headers.iter().copied());
        let signer = signer.header_canonicalization(Canonicalization::Relaxed).body_canonicalization(Canonicalization::Relaxed).body_length(with_length);
        let signature = signer.sign(raw).map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok([signature.to_header().into_bytes(), raw.to_vec()].concat())
    }

    /// The public key as DNS has it.
    pub fn record(&self) -> Result<String> {
        let key = Ed25519Key::from_pkcs8_maybe_unchecked_der(&self.der).map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(format!("v=DKIM1; k=ed25519; p={}", BASE64_STANDARD.encode(key.public_key())))
    }

    /// The private key as a file has it.
    pub fn pem(&self) -> String {
        let kind = "PRIVATE KEY";
        format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", BASE64_STANDARD.encode(&self.der))
    }
}
