//! `patchbay channels`

use anyhow::{Context as _, Result};
use patchbay_channels::discord::commands;

use super::look;
use crate::{platforms, settings::Settings};

/// Tells Discord our commands, in place of those that it had.
pub(super) async fn register(settings: &Settings) -> Result<()> {
    let application =
        settings.discord.application_id.as_deref().context("discord.application_id is not set: it stands on the application's page at Discord")?;
    let home = settings.server.public_url.clone().unwrap_or_else(|| format!("http://{}", settings.server.listen));
    let count = platforms::discord_client(&settings.discord, &home)?.register(application, &commands::all()).await?;
    look::say(&format!("Discord knows {count} commands of ours: /{} and \"{}\" in a message's menu.", commands::SLASH, commands::PLAN));
    look::say(&format!("Interactions endpoint of the application: {}/api/v1/channels/discord/interactions", home.trim_end_matches('/')));
    Ok(())
}
