//! Mails out, over SMTP.

use std::time::Duration;

use anyhow::Context as _;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    transport::smtp::{Error, client::Tls},
};
use secrecy::{ExposeSecret, SecretString};

use super::{
    tls::{Authorities, distrust},
    write::Written,
};

/// A server that takes longer is tried again later.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Hands mails to one server.
pub struct Sender(AsyncSmtpTransport<Tokio1Executor>);

/// Why a mail was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Unsent {
    /// Whoever answers is not the server that is meant, as far as can be told.
    #[error("the mail server is not trusted: {0}")]
    Untrusted(String),
    /// It may be taken later.
    #[error("the mail server did not take it")]
    Later(#[source] Error),
    /// It never will be.
    #[error("the mail server refuses it")]
    Never(#[source] Error),
}

impl Sender {
    /// `smtps://user:password@host`, `smtp://host?tls=required` for STARTTLS, `smtp://localhost:2525` without TLS.
    pub fn new(url: &SecretString, authorities: &Authorities) -> anyhow::Result<Self> {
        const UNREADABLE: &str = "the address of the SMTP server cannot be read";
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret()).context(UNREADABLE)?;
        let url = reqwest::Url::parse(url.expose_secret()).context(UNREADABLE)?;
        let parameters = || authorities.parameters(url.host_str().unwrap_or_default());
        let wanted = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
        let tls = match (url.scheme(), wanted.as_deref()) {
            ("smtps", _) => Tls::Wrapper(parameters()?),
            (_, Some("required")) => Tls::Required(parameters()?),
            (_, Some("opportunistic")) => Tls::Opportunistic(parameters()?),
            _ => Tls::None,
        };
        let transport = transport.tls(tls);
        Ok(Self(transport.timeout(Some(TIMEOUT)).build()))
    }

    /// Sends one mail. What the server took is its own to deliver.
    pub async fn send(&self, mail: &Written) -> Result<(), Unsent> {
        match self.0.send_raw(&mail.envelope, &mail.bytes).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() && !is_about_us(&error) => Err(Unsent::Never(error)),
            Err(error) => Err(unsent(error)),
        }
    }

    /// Looks whether the server is there and lets us in.
    pub(super) async fn check(&self) -> anyhow::Result<()> {
        match self.0.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => anyhow::bail!("the server answers, but takes no mails"),
            Err(error) => match unsent(error) {
                Unsent::Later(error) | Unsent::Never(error) => Err(anyhow::Error::new(error).context("the server does not let us in")),
                untrusted @ Unsent::Untrusted(_) => Err(untrusted.into()),
            },
        }
    }
}

fn unsent(error: Error) -> Unsent {
    match distrust(&error) {
        Some(why) => Unsent::Untrusted(why),
        None => Unsent::Later(error),
    }
}

/// Wrong credentials, or none where some are wanted (RFC 4954, section 6): the operator's to mend, not the mail's fault.
fn is_about_us(error: &Error) -> bool {
    error.status().is_some_and(|code| matches!(u16::from(code), 530 | 534 | 535 | 538))
}
