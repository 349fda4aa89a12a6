//! `patchbay doctor`

use std::process::ExitCode;

use anyhow::Result;
use figment::Figment;
use patchbay_channels::email;
use patchbay_core::{db::embedded, documents::files::Files};

use super::look;
use crate::{
    service,
    settings::{self, Settings},
};

pub(super) async fn doctor(settings: &Settings, figment: &Figment) -> Result<ExitCode> {
    look::say(&look::bold(&format!("Patchbay {}", env!("CARGO_PKG_VERSION"))));
    look::say("");
    look::say(&look::bold("Settings"));
    let rows: Vec<Vec<String>> = settings::shown(settings, figment)
        .into_iter()
        .map(|shown| vec![format!("  {}", shown.name), if shown.value.is_empty() { "–".into() } else { shown.value }, look::faint(&shown.source)])
        .collect();
    look::table(&rows);
    look::say("");
    look::say(&look::bold("Database"));
    let is_well = database(settings).await;
    look::say("");
    look::say(&look::bold("Planner"));
    match service::planner(settings) {
        Ok((_, info)) => look::say(&format!("  {} ({})", info.name, info.kind)),
        Err(error) => look::say(&format!("  not usable: {error:#}")),
    }
    let mail = email::check(&settings.email).await;
    if !mail.is_empty() {
        look::say("");
        look::say(&look::bold("Mail"));
    }
    for (server, found) in &mail {
        match found {
            Ok(()) => look::say(&format!("  {server}: lets us in")),
            Err(error) => look::say(&format!("  {server}: not usable: {error:#}")),
        }
    }
    let is_well = is_well && mail.iter().all(|(_, found)| found.is_ok());
    look::say("");
    look::say(&look::bold("Files"));
    let is_well = files(settings).await && is_well;
    look::say("");
    look::say(&look::bold("Channels"));
    channels(settings).await;
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Says where files lie, and tries the bucket with one.
async fn files(settings: &Settings) -> bool {
    let Some(bucket) = &settings.files.bucket else {
        look::say(&format!("  in {}", settings.data.dir.join("files").display()));
        return true;
    };
    let tried = match Files::open(&settings.files, &settings.data.dir) {
        Ok(files) => files.check().await.map_err(anyhow::Error::from),
        Err(error) => Err(error.into()),
    };
    match tried {
        Ok(()) => look::say(&format!("  in the bucket {bucket}, which takes them, gives them back and drops them")),
        Err(error) => {
            look::say(&format!("  the bucket {bucket} is not usable: {error:#}"));
            return false;
        }
    }
    true
}

/// Says how each platform is heard, and asks Slack whether it takes the token that its socket is opened with.
async fn channels(settings: &Settings) {
    let slack = &settings.slack;
    let heard = match (crate::platforms::slack_app(slack), slack.signing_secret.is_some()) {
        (Err(error), _) => format!("not usable: {error:#}"),
        (Ok(Some(app)), _) => match app.socket().await {
            Ok(_) => "heard over a socket (Socket Mode): Slack takes the app-level token".to_owned(),
            Err(error) => format!("not heard: the socket cannot be opened: {error}"),
        },
        (Ok(None), true) => "posts to us, signed".to_owned(),
        (Ok(None), false) => "not connected".to_owned(),
    };
    let discord = match (settings.discord.public_key.is_some(), settings.discord.gateway) {
        (true, true) => "posts to us, signed; mentions over the gateway",
        (true, false) => "posts to us, signed",
        (false, _) => "not connected",
    };
    let mailbox = if settings.email.imap_url.is_some() { "its mailbox is read" } else { "not connected" };
    let rows = [("Slack", heard.as_str()), ("Discord", discord), ("E-mail", mailbox)];
    look::table(&rows.map(|(name, heard)| vec![format!("  {name}"), heard.to_owned()]));
}

/// Says what would be used and why. Starts nothing.
async fn database(settings: &Settings) -> bool {
    if settings.database.url.is_some() {
        return match service::Data::open(settings, service::Beside::Shared).await {
            Ok(data) => {
                look::say(&format!("  {}: reachable", data.what));
                look::say(if data.access.has_roles() {
                    "  roles: owner, service and reader are separate"
                } else {
                    "  roles: one user does everything (it may not make roles)"
                });
                true
            }
            Err(error) => {
                look::say(&format!("  not usable: {error:#}"));
                false
            }
        };
    }
    match embedded::attach(&settings.data.dir).await {
        Ok(Some(address)) => look::say(&format!("  running: a Patchbay uses {} (socket in {})", settings.data.dir.display(), address.socket_dir().display())),
        Ok(None) => look::say(&format!("  not running: `patchbay serve` starts it in {}", settings.data.dir.display())),
        Err(error) => look::say(&format!("  {error}")),
    }
    match service::discover(settings) {
        Ok(installation) => {
            look::say(&format!("  binaries: Postgres {} in {}", installation.version, installation.bin_dir.display()));
            look::say(&format!("  chosen because {}", installation.why));
            for place in &installation.looked_at {
                look::say(&look::faint(&format!("    passed over: {place}")));
            }
            true
        }
        Err(error) => {
            look::say(&format!("  {error:#}"));
            false
        }
    }
}
