//! The platforms that post to us and that the settings connect: Slack and Discord.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use patchbay_channels::{
    adapter::Adapter,
    discord,
    slack::{
        self,
        workspaces::{AppCredentials, Known, Parts, Workspaces},
    },
};
use patchbay_core::{db::Db, tenancy::Safe};
use secrecy::SecretString;

use crate::settings::{self, Settings};

/// What listens to them.
#[derive(Default)]
pub struct Platforms {
    pub slack: Option<slack::receive::Listener>,
    pub discord: Option<discord::receive::Listener>,
}

/// What listens and what speaks, as far as the settings have what it needs; `public_url` is where people reach us.
pub fn connect(settings: &Settings, db: &Db, safe: &Arc<Safe>, public_url: &str) -> Result<(Platforms, Vec<Arc<dyn Adapter>>)> {
    let (mut platforms, mut adapters) = (Platforms::default(), Vec::<Arc<dyn Adapter>>::new());
    if let Some((secret, workspaces)) = slack(&settings.slack, db, safe)? {
        adapters.push(Arc::new(slack::adapter::Speaker::new(workspaces.clone())));
        platforms.slack = Some(slack::receive::Listener::new(secret, workspaces));
    }
    if let Some((verifier, client)) = discord(&settings.discord, public_url)? {
        adapters.push(Arc::new(discord::adapter::Speaker::new(client)));
        platforms.discord = Some(discord::receive::Listener::new(verifier));
    }
    Ok((platforms, adapters))
}

fn slack(settings: &settings::Slack, db: &Db, safe: &Arc<Safe>) -> Result<Option<(SecretString, Workspaces)>> {
    let app = match (&settings.client_id, &settings.client_secret) {
        (Some(client_id), Some(client_secret)) => Some(AppCredentials { client_id: client_id.clone(), client_secret: client_secret.clone() }),
        (None, None) => None,
        _ => anyhow::bail!("slack.client_id and slack.client_secret are needed together"),
    };
    let secret = match (&settings.signing_secret, settings.bot_token.is_some() || app.is_some()) {
        (Some(secret), true) => secret.clone(),
        (None, false) => return Ok(None),
        (None, true) => anyhow::bail!("slack.signing_secret is not set: without it nobody can tell whether a request comes from Slack"),
        (Some(_), false) => anyhow::bail!("slack.bot_token is not set: without it, or a client_id and a client_secret, nothing can be said in Slack"),
    };
    let client = |token| slack::client::Client::new(token, &settings.api_url).context("no certificates to trust Slack by were found on this machine");
    let own = settings.bot_token.as_ref().map(client).transpose()?;
    let parts = Parts { db: db.clone(), safe: safe.clone(), api_url: settings.api_url.clone(), own, app, known: Known::default() };
    Ok(Some((secret, Workspaces::new(parts))))
}

fn discord(settings: &settings::Discord, public_url: &str) -> Result<Option<(discord::signature::Verifier, discord::client::Client)>> {
    let key = match (&settings.public_key, &settings.token) {
        (Some(key), Some(_)) => key,
        (None, None) => return Ok(None),
        (None, _) => anyhow::bail!("discord.public_key is not set: without it nobody can tell whether a request comes from Discord"),
        (_, None) => anyhow::bail!("discord.token is not set: without it nothing can be said on Discord"),
    };
    let verifier = discord::signature::Verifier::new(key).context("discord.public_key")?;
    Ok(Some((verifier, discord_client(settings, public_url)?)))
}

/// Speaks for the application that the settings name.
pub fn discord_client(settings: &settings::Discord, public_url: &str) -> Result<discord::client::Client> {
    let token = settings.token.clone().context("discord.token is not set")?;
    Ok(discord::client::Client::new(token, &settings.api_url, public_url)?)
}
