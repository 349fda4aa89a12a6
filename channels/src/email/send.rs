//! Mails out, over SMTP.

use std::time::Duration;

use anyhow::Context as _;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor, transport::smtp::Error};
use secrecy::{ExposeSecret, SecretString};

use super::write::Written;

/// A server that takes longer is tried again later.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Hands mails to one server.
pub struct Sender(AsyncSmtpTransport<Tokio1Executor>);

/// Why a mail was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Unsent {
    /// It may be taken later.
    #[error("the mail server did not take it")]
    Later(#[source] Error),
    /// It never will be.
    #[error("the mail server refuses it")]
    Never(#[source] Error),
}

impl Sender {
    /// `smtps://user:password@host`, `smtp://host?tls=required` for STARTTLS, `smtp://localhost:2525` without TLS.
    pub fn new(url: &SecretString) -> anyhow::Result<Self> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret()).context("the address of the SMTP server cannot be read")?;
        Ok(Self(transport.timeout(Some(TIMEOUT)).build()))
    }

    /// Sends one mail. What the server took is its own to deliver.
    pub async fn send(&self, mail: &Written) -> Result<(), Unsent> {
        match self.0.send_raw(&mail.envelope, &mail.bytes).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() && !is_about_us(&error) => Err(Unsent::Never(error)),
            Err(error) => Err(Unsent::Later(error)),
        }
    }
}

/// Wrong credentials, or none where some are wanted (RFC 4954, section 6): the operator's to mend, not the mail's fault.
fn is_about_us(error: &Error) -> bool {
    error.status().is_some_and(|code| matches!(u16::from(code), 530 | 534 | 535 | 538))
}
