//! A service with a mailbox, and people who write to it.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use patchbay_web::settings::Settings;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    dns::Dns,
    dovecot::Dovecot,
    letter::{Letter, Person},
    service::Running,
    smtp::{Sent, Smtp},
    until::until,
};

/// Where Patchbay reads.
pub const PLAN: &str = "plan@patchbay.example";

/// A service with a mailbox.
pub struct World {
    pub patchbay: Running,
    pub dovecot: Arc<Dovecot>,
    pub smtp: Smtp,
    pub dns: Dns,
}

impl World {
    pub async fn start() -> Result<Self> {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl Fn(&mut Settings)) -> Result<Self> {
        let dovecot = Arc::new(Dovecot::start().await?);
        let smtp = Smtp::start(Some(dovecot.clone())).await?;
        Self::with_servers(dovecot, smtp, change).await
    }

    /// With mail servers of its own kind.
    pub async fn with_servers(dovecot: Arc<Dovecot>, smtp: Smtp, change: impl Fn(&mut Settings)) -> Result<Self> {
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
    pub fn person(&self, address: &str) -> Result<Person> {
        Person::new(&self.dns, address, PLAN)
    }

    /// Somebody who is known: they write, are asked who they are, and say so where they are signed in.
    pub async fn known(&self, address: &str, key: &str) -> Result<Person> {
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
    pub fn deliver(&self, raw: &[u8]) -> Result<()> {
        self.dovecot.deliver(PLAN, raw)
    }

    /// Delivers a letter and waits for the answer to it.
    pub async fn answered(&self, person: &Person, letter: &Letter) -> Result<Sent> {
        self.deliver(&person.signed(letter)?)?;
        let id = format!("<{}>", letter.id);
        let address = person.address.clone();
        self.smtp
            .wait(&format!("an answer to {}", letter.subject), move |sent| sent.to.contains(&address) && sent.header("In-Reply-To").as_deref() == Some(&id))
            .await
    }

    /// Waits until all mails are marked as seen, and so many are there.
    pub async fn read(&self, count: usize) -> Result<()> {
        until(&format!("{count} mails are seen"), async || Ok(self.dovecot.seen(PLAN)? == (count, 0))).await
    }

    pub async fn held(&self) -> Result<Vec<Value>> {
        let (status, held) = self.patchbay.get("/channels/email/quarantine").await?;
        ensure!(status == StatusCode::OK, "{held}");
        Ok(held["data"].as_array().cloned().unwrap_or_default())
    }
}
