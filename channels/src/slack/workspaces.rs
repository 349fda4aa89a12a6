//! The workspaces that the app is installed in: one whose token is a setting, and those that installed it by OAuth v2, whose tokens are sealed in the
//! database. <https://docs.slack.dev/authentication/installing-with-oauth>

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use patchbay_core::{
    channel::{Channel, store},
    db::{self, Db},
    ids::OrganizationId,
    tenancy::Safe,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::client::{Client, Failure};

/// What a token is sealed for.
const PURPOSE: &str = "slack.token";
/// Where people agree to an installation.
const AUTHORIZE: &str = "https://slack.com/oauth/v2/authorize";
/// What the app may do, as the manifest has it.
const SCOPES: &str =
    "app_mentions:read,channels:history,chat:write,chat:write.public,commands,groups:history,im:history,links:read,links:write,users:read,users:read.email";

/// Finds who speaks for a workspace. Cheap to clone.
#[derive(Clone)]
pub struct Workspaces(Arc<Parts>);

/// What it works with.
pub struct Parts {
    pub db: Db,
    pub safe: Arc<Safe>,
    pub api_url: String,
    /// Speaks for a workspace that has no token of its own here.
    pub own: Option<Client>,
    /// For others to install the app.
    pub app: Option<AppCredentials>,
    pub known: Known,
}

/// Speakers that were made, each with what its token was sealed as.
pub type Known = Mutex<HashMap<String, (Vec<u8>, Client)>>;

/// What the app is known by when it is installed.
#[derive(Clone)]
pub struct AppCredentials {
    pub client_id: String,
    pub client_secret: SecretString,
}

/// A workspace that has installed the app.
#[derive(Clone, Debug)]
pub struct Installed {
    pub team: String,
    pub name: String,
    token: SecretString,
}

impl Workspaces {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Who speaks for a workspace; where none is named, for the organisation's first.
    pub async fn client(&self, organization: OrganizationId, team: &str) -> Result<Client, Failure> {
        let unreadable = |error: &dyn std::fmt::Display| Failure::Later { after: None, why: format!("the token of the workspace cannot be read: {error}") };
        let Some(sealed) = self.sealed(organization, team).await.map_err(|error| unreadable(&error))? else {
            return self.0.own.clone().ok_or_else(|| Failure::Refused { code: "not_installed".to_owned() });
        };
        let known = || self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = known().get(team).filter(|(of, _)| *of == sealed) {
            return Ok(client.clone());
        }
        let token = self.0.safe.open(organization, PURPOSE, &sealed).map_err(|error| unreadable(&error))?;
        let client = Client::new(&token, &self.0.api_url).map_err(|error| unreadable(&error))?;
        known().insert(team.to_owned(), (sealed, client.clone()));
        Ok(client)
    }

    async fn sealed(&self, organization: OrganizationId, team: &str) -> db::Result<Option<Vec<u8>>> {
        let mut tx = self.0.db.snapshot(organization).await?;
        let sealed = store::installation(&mut tx, Channel::Slack, team).await?;
        tx.rollback().await?;
        Ok(sealed)
    }

    /// Where somebody agrees to an installation; Slack sends them back to `redirect` with the same `state`. `None` where the app's credentials are not set.
    pub fn authorize_url(&self, state: &str, redirect: &str) -> Option<String> {
        let app = self.0.app.as_ref()?;
        let fields = [("client_id", app.client_id.as_str()), ("scope", SCOPES), ("state", state), ("redirect_uri", redirect)];
        Some(format!("{AUTHORIZE}?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()))
    }

    /// Takes what Slack gave for an agreement, and gets the workspace's token for it, once.
    pub async fn redeem(&self, code: &str, redirect: &str) -> Result<Installed, Failure> {
        let strange = || Failure::Refused { code: "an answer without team and token".to_owned() };
        let app = self.0.app.as_ref().ok_or_else(|| Failure::Refused { code: "not_installed".to_owned() })?;
        let answer = Client::new(&SecretString::default(), &self.0.api_url)
            .map_err(|error| Failure::Later { after: None, why: error.to_string() })?
            .redeem(&app.client_id, &app.client_secret, code, redirect)
            .await?;
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        Ok(Installed {
            team: text(&answer["team"]["id"]).ok_or_else(strange)?,
            name: text(&answer["team"]["name"]).unwrap_or_default(),
            token: text(&answer["access_token"]).ok_or_else(strange)?.into(),
        })
    }

    /// The workspace's token as it is kept.
    pub fn seal(&self, organization: OrganizationId, installed: &Installed) -> Vec<u8> {
        self.0.safe.seal(organization, PURPOSE, installed.token.expose_secret())
    }
}
