//! The platforms that the settings connect and that post to us, or whose sockets we open: Slack and Discord.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context as _, Result};
use patchbay_channels::{
    adapter::Adapter,
    discord::{self, gateway::Gateway},
    hub::Hub,
    line::Line,
    slack::{
        self,
        socket::Socket,
        workspaces::{AppCredentials, Known, Parts, Workspaces},
    },
};
use patchbay_core::{
    channel::Channel,
    db::{self, Db},
    tenancy::Safe,
};

use secrecy::SecretString;

use crate::settings::{self, Settings};

/// What listens to them.
#[derive(Default)]
pub struct Platforms {
    pub slack: Option<slack::receive::Listener>,
    pub discord: Option<discord::receive::Listener>,
    /// Opens sockets to Slack.
    pub slack_app: Option<slack::client::Client>,
    /// Opens connections to Discord's gateway.
    pub discord_gateway: Option<discord::client::Client>,
    /// The connections that are held to hear from them.
    pub lines: BTreeMap<Channel, Line>,
}

impl Platforms {
    /// Opens what is to be held open, until the service stops. What no installation says is another's is the first organisation's.
    pub async fn listen(&self, hub: &Hub) -> db::Result<()> {
        if let (Some(listener), Some(app), Some(line)) = (&self.slack, &self.slack_app, self.lines.get(&Channel::Slack)) {
            hub.tracker.spawn(Socket::new(hub.clone(), listener.clone(), app.clone(), line.clone()).run());
        }
        if let (Some(client), Some(line)) = (&self.discord_gateway, self.lines.get(&Channel::Discord))
            && let Some(organization) = hub.db.organizations().await?.first()
        {
            hub.tracker.spawn(Gateway::new(hub.clone(), *organization, client.clone(), line.clone()).run());
        }
        Ok(())
    }
}

/// What listens and what speaks, as far as the settings have what it needs; `public_url` is where people reach us.
pub fn connect(settings: &Settings, db: &Db, safe: &Arc<Safe>, public_url: &str) -> Result<(Platforms, Vec<Arc<dyn Adapter>>)> {
    let (mut platforms, mut adapters) = (Platforms::default(), Vec::<Arc<dyn Adapter>>::new());
    if let Some(workspaces) = slack(&settings.slack, db, safe)? {
        adapters.push(Arc::new(slack::adapter::Speaker::new(workspaces.clone())));
        platforms.slack = Some(slack::receive::Listener::new(settings.slack.signing_secret.clone(), workspaces));
        platforms.slack_app = slack_app(&settings.slack)?;
        platforms.lines.extend(platforms.slack_app.is_some().then(|| (Channel::Slack, Line::default())));
    }
    if let Some((verifier, client)) = discord(&settings.discord, public_url)? {
        adapters.push(Arc::new(discord::adapter::Speaker::new(client.clone())));
        platforms.discord = Some(discord::receive::Listener::new(verifier));
        if settings.discord.gateway {
            platforms.discord_gateway = Some(client);
            platforms.lines.insert(Channel::Discord, Line::default());
        }
    }
    Ok((platforms, adapters))
}

fn slack(settings: &settings::Slack, db: &Db, safe: &Arc<Safe>) -> Result<Option<Workspaces>> {
    let app = match (&settings.client_id, &settings.client_secret) {
        (Some(client_id), Some(client_secret)) => Some(AppCredentials { client_id: client_id.clone(), client_secret: client_secret.clone() }),
        (None, None) => None,
        _ => anyhow::bail!("slack.client_id and slack.client_secret are needed together"),
    };
    match (settings.signing_secret.is_some() || settings.app_token.is_some(), settings.bot_token.is_some() || app.is_some()) {
        (true, true) => {}
        (false, false) => return Ok(None),
        (false, true) => anyhow::bail!(
            "slack.signing_secret is not set: without it nobody can tell whether a request comes from Slack. Where Slack cannot reach this Patchbay, set slack.app_token"
        ),
        (true, false) => anyhow::bail!("slack.bot_token is not set: without it, or a client_id and a client_secret, nothing can be said in Slack"),
    }
    let own = settings.bot_token.as_ref().map(|token| slack_client(settings, token)).transpose()?;
    let parts = Parts { db: db.clone(), safe: safe.clone(), api_url: settings.api_url.clone(), own, app, known: Known::default() };
    Ok(Some(Workspaces::new(parts)))
}

fn slack_client(settings: &settings::Slack, token: &SecretString) -> Result<slack::client::Client> {
    slack::client::Client::new(token, &settings.api_url).context("no certificates to trust Slack by were found on this machine")
}

/// Opens sockets to Slack, where the settings have the token for it.
pub fn slack_app(settings: &settings::Slack) -> Result<Option<slack::client::Client>> {
    settings.app_token.as_ref().map(|token| slack_client(settings, token)).transpose()
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
