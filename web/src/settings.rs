//! Settings: flag over environment over `patchbay.toml` over default.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use figment::{
    Figment, Profile, Provider,
    providers::{Env, Format, Serialized, Toml},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// All settings. The names are those of `patchbay.toml`, and of `PATCHBAY_<SECTION>__<FIELD>`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub server: Server,
    pub data: Data,
    pub database: Database,
    pub postgres: Postgres,
    pub model: Model,
    pub slack: Slack,
    pub discord: Discord,
    pub email: patchbay_channels::email::Settings,
    pub webhooks: Webhooks,
    pub events: Events,
    pub files: patchbay_core::documents::files::Settings,
    /// What `run_program` may run, by name; nothing where nothing is named.
    pub programs: BTreeMap<String, patchbay_core::jobs::tool::Program>,
    pub log: Log,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: SocketAddr,
    /// How people reach it, where that is not `http://<listen>`: behind a proxy with TLS. Cookies are `Secure` where it is https.
    pub public_url: Option<String>,
    /// What this process does: at least one of them.
    #[serde(deserialize_with = "roles")]
    pub roles: Vec<Role>,
}

impl Server {
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// A part of the service that a process can do for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Answers requests: the API and the console.
    Web,
    /// Does the jobs of the queue, and sends what goes out.
    Worker,
    /// Holds the connections that other platforms are heard by, and reads the mailbox.
    Channels,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Web, Self::Worker, Self::Channels];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Worker => "worker",
            Self::Channels => "channels",
        }
    }
}

/// A list, or words with commas between, as a variable of the environment has them. What is misspelt would be a process that does nothing.
fn roles<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Role>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected some of web, worker, channels")]
    enum Given {
        Line(String),
        List(Vec<String>),
    }
    let words = match Given::deserialize(deserializer)? {
        Given::Line(line) => line.split(',').map(str::to_owned).collect(),
        Given::List(list) => list,
    };
    let mut roles = Vec::new();
    for word in words.iter().map(|word| word.trim()).filter(|word| !word.is_empty()) {
        let role = Role::ALL.into_iter().find(|role| role.as_str() == word);
        roles.push(role.ok_or_else(|| serde::de::Error::custom(format!("there is no role `{word}`: take some of web, worker, channels")))?);
    }
    if roles.is_empty() {
        return Err(serde::de::Error::custom("a process without a role does nothing: take some of web, worker, channels"));
    }
    Ok(roles)
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    pub dir: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Your own Postgres. Without it Patchbay keeps one in the data directory.
    pub url: Option<SecretString>,
    pub connections: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Postgres {
    /// The folder of `postgres` and `initdb`, where it is not found by itself.
    pub bin: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    pub api_key: Option<SecretString>,
    /// Any OpenAI-compatible endpoint.
    pub base_url: Option<String>,
    pub name: String,
    /// A model at the same endpoint that makes images; none where it is not set.
    pub image_name: Option<String>,
    /// Tried in this order when the first does not answer: names of models at the same endpoint.
    pub fallbacks: Vec<String>,
    /// Tried after those: models at other endpoints, `[[model.providers]]`.
    pub providers: Vec<OtherModel>,
    /// What a million tokens cost, by the model's name: `[model.prices."gpt-5-mini"]`.
    pub prices: BTreeMap<String, Price>,
    /// About how much of the plan and the talk a model is told.
    pub context_tokens: usize,
    pub connect_timeout_s: u64,
    /// Until the first piece of the answer, and between one piece and the next.
    pub first_byte_timeout_s: u64,
    /// For one whole answer.
    pub total_timeout_s: u64,
    /// How often a model that does not answer is asked again before the next one is.
    pub retries: usize,
}

/// A model at an endpoint of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherModel {
    pub base_url: String,
    pub api_key: Option<SecretString>,
    pub name: String,
}

/// In the currency of the price list.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    pub input: f64,
    pub output: f64,
}

impl Model {
    /// Whether a model is to be asked at all.
    pub const fn is_configured(&self) -> bool {
        self.api_key.is_some() || self.base_url.is_some() || !self.providers.is_empty()
    }
}

/// Slack is connected where the signing secret or the app-level token is set, and a token or what the app is installed by.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slack {
    /// Proves that a request comes from Slack.
    pub signing_secret: Option<SecretString>,
    /// With it Slack is heard over a socket that we open (Socket Mode): it need not reach us.
    pub app_token: Option<SecretString>,
    /// Of the one workspace that the app is made in.
    pub bot_token: Option<SecretString>,
    /// With the secret beside it, other workspaces can install the app.
    #[serde(default, deserialize_with = "text")]
    pub client_id: Option<String>,
    pub client_secret: Option<SecretString>,
    pub api_url: String,
}

/// Discord is connected where the key and the token are set.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discord {
    /// Proves that a request comes from Discord.
    pub public_key: Option<String>,
    /// The bot's.
    pub token: Option<SecretString>,
    /// For `patchbay channels discord register`.
    #[serde(default, deserialize_with = "text")]
    pub application_id: Option<String>,
    /// Whether we hold a connection to Discord's gateway, to hear mentions and what is written to the bot alone.
    pub gateway: bool,
    pub api_url: String,
}

/// A text that a variable of the environment may have made a number of.
fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Text {
        Text(String),
        Number(u64),
    }
    Ok(Option::<Text>::deserialize(deserializer)?.map(|text| match text {
        Text::Text(text) => text,
        Text::Number(number) => number.to_string(),
    }))
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// Whether endpoints may have private addresses and no TLS: inside a network of your own.
    pub allow_private: bool,
    /// How long to wait after each failed attempt; after as many and one more a delivery is given up.
    pub retries_s: Vec<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// Days after which events may be dropped, a month of them at a time; without it they are kept.
    pub keep_days: Option<u32>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// As `RUST_LOG` has it: `info`, `patchbay=debug`.
    pub level: String,
    /// `text` or `json`.
    pub format: String,
}

/// What flags set.
#[derive(Debug, Default)]
pub struct Flags {
    pub config: Option<PathBuf>,
    pub data_dir: Option<PathBuf>,
    pub listen: Option<SocketAddr>,
    pub roles: Option<Vec<String>>,
}

/// A setting with where it came from, for people.
pub struct Shown {
    pub name: String,
    pub value: String,
    pub source: String,
}

/// Reads the settings. The error says which one is wrong, what was found and where.
pub fn load(flags: &Flags) -> Result<(Settings, Figment), Box<figment::Error>> {
    let figment = figment(flags);
    let settings = figment.extract()?;
    Ok((settings, figment))
}

fn figment(flags: &Flags) -> Figment {
    let defaults = serde_json::json!({
        "server": { "listen": "127.0.0.1:8080", "public_url": null, "roles": ["web", "worker", "channels"] },
        "data": { "dir": patchbay_core::db::embedded::default_data_dir(Path::new("./data")) },
        "database": { "url": null, "connections": 16 },
        "postgres": { "bin": null },
        "model": { "api_key": null, "base_url": null, "name": "gpt-5-mini", "image_name": null, "fallbacks": [], "providers": [], "prices": {},
            "context_tokens": 16_000, "connect_timeout_s": 5, "first_byte_timeout_s": 60, "total_timeout_s": 180, "retries": 2 },
        "slack": { "signing_secret": null, "app_token": null, "bot_token": null, "client_id": null, "client_secret": null,
            "api_url": patchbay_channels::slack::client::API_URL },
        "discord": { "public_key": null, "token": null, "application_id": null, "gateway": false, "api_url": patchbay_channels::discord::client::API_URL },
        "email": { "imap_url": null, "smtp_url": null, "address": null, "aliases": [], "authserv_id": null, "ca_file": null, "dkim_key": null,
            "dkim_selector": "patchbay", "per_minute": 60, "dns": null },
        "webhooks": { "allow_private": false, "retries_s": patchbay_channels::webhook::send::WAITS_S },
        "events": { "keep_days": null },
        "files": { "bucket": null, "endpoint": null, "region": "us-east-1", "access_key_id": null, "secret_access_key": null, "prefix": "" },
        "programs": {},
        "log": { "level": "info", "format": "text" },
    });
    let file = flags.config.clone().unwrap_or_else(|| PathBuf::from("patchbay.toml"));
    let toml = if flags.config.is_some() { Toml::file_exact(&file) } else { Toml::file(&file) };
    let well_known = Env::raw().only(&["DATABASE_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "PATCHBAY_MODEL"]).filter(|key| !empty(key.as_str())).map(|key| {
        match key.as_str().to_ascii_uppercase().as_str() {
            "DATABASE_URL" => "database.url",
            "OPENAI_API_KEY" => "model.api_key",
            "OPENAI_BASE_URL" => "model.base_url",
            _ => "model.name",
        }
        .into()
    });
    let sections = Env::prefixed("PATCHBAY_").filter(|key| key.as_str().contains("__")).split("__");
    let mut figment = Figment::from(Serialized::defaults(defaults)).merge(toml).merge(well_known).merge(sections);
    let mut given = |name: &str, value: Option<serde_json::Value>| {
        if let Some(value) = value {
            figment = std::mem::take(&mut figment).merge(Flag { name: name.to_owned(), value });
        }
    };
    given("server.listen", flags.listen.map(|listen| listen.to_string().into()));
    given("server.roles", flags.roles.clone().map(Into::into));
    given("data.dir", flags.data_dir.as_ref().map(|dir| dir.to_string_lossy().into_owned().into()));
    figment
}

/// A variable that is set to nothing counts as not set.
fn empty(name: &str) -> bool {
    std::env::var(name.to_ascii_uppercase()).is_ok_and(|value| value.is_empty())
}

/// A flag of the command line, named as such where its value is wrong.
struct Flag {
    name: String,
    value: serde_json::Value,
}

impl Provider for Flag {
    fn metadata(&self) -> figment::Metadata {
        figment::Metadata::named("a flag of the command line")
    }
    fn data(&self) -> Result<figment::value::Map<Profile, figment::value::Dict>, figment::Error> {
        Serialized::default(&self.name, &self.value).data()
    }
}

/// Every setting with its value and source; secrets masked.
pub fn shown(settings: &Settings, figment: &Figment) -> Vec<Shown> {
    let secret = |secret: &Option<SecretString>| secret.as_ref().map_or_else(String::new, mask);
    let list = [
        ("server.listen", settings.server.listen.to_string()),
        ("server.public_url", settings.server.public_url.clone().unwrap_or_default()),
        ("server.roles", settings.server.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ")),
        ("data.dir", settings.data.dir.display().to_string()),
        ("database.url", settings.database.url.as_ref().map_or_else(String::new, |url| mask_url(url.expose_secret()))),
        ("database.connections", settings.database.connections.to_string()),
        ("postgres.bin", settings.postgres.bin.as_deref().map(Path::display).map_or_else(String::new, |bin| bin.to_string())),
        ("model.api_key", secret(&settings.model.api_key)),
        ("model.base_url", settings.model.base_url.clone().unwrap_or_default()),
        ("model.name", settings.model.name.clone()),
        ("model.image_name", settings.model.image_name.clone().unwrap_or_default()),
        ("model.fallbacks", settings.model.fallbacks.join(", ")),
        (
            "model.providers",
            settings.model.providers.iter().map(|other| format!("{} at {}", other.name, mask_url(&other.base_url))).collect::<Vec<_>>().join(", "),
        ),
        ("model.prices", settings.model.prices.keys().cloned().collect::<Vec<_>>().join(", ")),
        ("model.context_tokens", settings.model.context_tokens.to_string()),
        ("model.connect_timeout_s", settings.model.connect_timeout_s.to_string()),
        ("model.first_byte_timeout_s", settings.model.first_byte_timeout_s.to_string()),
        ("model.total_timeout_s", settings.model.total_timeout_s.to_string()),
        ("model.retries", settings.model.retries.to_string()),
        ("slack.signing_secret", secret(&settings.slack.signing_secret)),
        ("slack.app_token", secret(&settings.slack.app_token)),
        ("slack.bot_token", secret(&settings.slack.bot_token)),
        ("slack.client_id", settings.slack.client_id.clone().unwrap_or_default()),
        ("slack.client_secret", secret(&settings.slack.client_secret)),
        ("slack.api_url", settings.slack.api_url.clone()),
        ("discord.public_key", settings.discord.public_key.clone().unwrap_or_default()),
        ("discord.token", secret(&settings.discord.token)),
        ("discord.application_id", settings.discord.application_id.clone().unwrap_or_default()),
        ("discord.gateway", settings.discord.gateway.to_string()),
        ("discord.api_url", settings.discord.api_url.clone()),
        ("email.imap_url", settings.email.imap_url.as_ref().map_or_else(String::new, |url| mask_url(url.expose_secret()))),
        ("email.smtp_url", settings.email.smtp_url.as_ref().map_or_else(String::new, |url| mask_url(url.expose_secret()))),
        ("email.address", settings.email.address.clone().unwrap_or_default()),
        ("email.aliases", settings.email.aliases.join(", ")),
        ("email.authserv_id", settings.email.authserv_id.clone().unwrap_or_default()),
        ("email.ca_file", settings.email.ca_file.as_deref().map(Path::display).map_or_else(String::new, |path| path.to_string())),
        ("email.dkim_key", settings.email.dkim_key.as_deref().map(Path::display).map_or_else(String::new, |path| path.to_string())),
        ("email.dkim_selector", settings.email.dkim_selector.clone()),
        ("email.per_minute", settings.email.per_minute.map_or_else(String::new, |mails| mails.to_string())),
        ("email.dns", settings.email.dns.map_or_else(String::new, |dns| dns.to_string())),
        ("webhooks.allow_private", settings.webhooks.allow_private.to_string()),
        ("webhooks.retries_s", settings.webhooks.retries_s.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
        ("events.keep_days", settings.events.keep_days.map_or_else(|| "all".to_owned(), |days| days.to_string())),
        ("files.bucket", settings.files.bucket.clone().unwrap_or_default()),
        ("files.endpoint", settings.files.endpoint.clone().unwrap_or_default()),
        ("files.region", settings.files.region.clone()),
        ("files.access_key_id", settings.files.access_key_id.clone().unwrap_or_default()),
        ("files.secret_access_key", secret(&settings.files.secret_access_key)),
        ("files.prefix", settings.files.prefix.clone()),
        ("programs", settings.programs.iter().map(|(name, program)| format!("{name}: {}", program.command.join(" "))).collect::<Vec<_>>().join("; ")),
        ("log.level", settings.log.level.clone()),
        ("log.format", settings.log.format.clone()),
    ];
    list.into_iter()
        .map(|(name, value)| {
            let source = figment.find_metadata(name).map_or_else(
                || "default".to_owned(),
                |metadata| match &metadata.source {
                    Some(figment::Source::File(path)) => path.display().to_string(),
                    _ if metadata.name.contains("Value") || metadata.name.contains("serde_json") => "default".to_owned(),
                    _ => metadata.name.to_string(),
                },
            );
            Shown { name: name.to_owned(), value, source }
        })
        .collect()
}

/// The last characters, enough to recognise it.
fn mask(secret: &SecretString) -> String {
    let text = secret.expose_secret();
    let tail: String = if text.chars().count() > 12 { text.chars().skip(text.chars().count() - 4).collect() } else { String::new() };
    format!("••••{tail}")
}

/// An address without the password in it.
fn mask_url(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            let user = url[scheme + 3..at].split(':').next().unwrap_or_default();
            format!("{}://{user}:••••@{}", &url[..scheme], &url[at + 1..])
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_masked() {
        assert_eq!(mask_url("postgres://ana:secret@db.example/patchbay"), "postgres://ana:••••@db.example/patchbay");
        assert_eq!(mask_url("postgres:///patchbay"), "postgres:///patchbay");
    }

    #[test]
    fn a_role_that_there_is_not_is_named_with_those_that_there_are() {
        let check = |roles: &[&str]| {
            let flags = Flags { roles: Some(roles.iter().map(|role| (*role).to_owned()).collect()), ..Flags::default() };
            load(&flags).map(|(settings, _)| settings.server.roles).map_err(|error| error.to_string())
        };
        assert_eq!(check(&["worker", " web"]).unwrap(), [Role::Worker, Role::Web]);
        let wrong = check(&["web", "wroker"]).unwrap_err();
        assert!(wrong.contains("there is no role `wroker`: take some of web, worker, channels") && wrong.contains("a flag of the command line"), "{wrong}");
        assert!(check(&[""]).unwrap_err().contains("a process without a role does nothing"));
        let line = |text: &str| serde_json::from_value::<Server>(serde_json::json!({ "listen": "127.0.0.1:1", "public_url": null, "roles": text }));
        assert_eq!(line("web,worker").unwrap().roles, [Role::Web, Role::Worker], "as a variable of the environment has it");
    }

    #[test]
    fn a_flag_stands_over_the_default() {
        let flags = Flags { listen: Some(([127, 0, 0, 1], 9).into()), ..Flags::default() };
        let (settings, _) = load(&flags).unwrap();
        assert_eq!(settings.server.listen.port(), 9);
    }
}
