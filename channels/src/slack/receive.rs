//! What comes in from Slack: stored, then acknowledged. Everything that is not kept is done beside the answer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use patchbay_core::{
    channel::{Channel, Envelope, Sender},
    db,
    ids::OrganizationId,
    tenancy::Trust,
};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{
    client::Person,
    decode::{Meaning, Said, Window},
    home, modal,
    signature::{self, NotFromSlack},
    workspaces::Workspaces,
};
use crate::hub::Hub;

/// How long a name is waited for: Slack wants its answer within three seconds.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How long a name is believed.
const KNOWN: TimeDelta = TimeDelta::hours(1);
/// How long nobody asks again where Slack did not say: what comes meanwhile does not wait.
const UNKNOWN: TimeDelta = TimeDelta::minutes(1);
/// How many names are kept.
const MANY: usize = 10_000;

/// Listens to Slack. Cheap to clone.
#[derive(Clone)]
pub struct Listener(Arc<Parts>);

/// What Slack said when it was asked who somebody is; `None` where it did not say.
struct Asked {
    at: DateTime<Utc>,
    person: Option<Person>,
}

struct Parts {
    secret: Option<SecretString>,
    workspaces: Workspaces,
    people: Mutex<HashMap<String, Asked>>,
}

/// What Slack is told at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Challenge(String),
    /// It was taken.
    Taken,
    /// It was taken, and the room may see what was written.
    TakenInPublic,
}

impl Answer {
    /// The body to answer with; `None` for an empty one.
    pub fn body(&self) -> Option<Value> {
        match self {
            Self::Challenge(challenge) => Some(json!({ "challenge": challenge })),
            Self::Taken => None,
            Self::TakenInPublic => Some(json!({ "response_type": "in_channel" })),
        }
    }
}

/// Somebody's name in our books: of two workspaces each may have a user of the same name.
pub(super) fn sender(team: &str, user: &str) -> String {
    format!("{team}.{user}")
}

impl Listener {
    /// Without the secret nothing is believed that comes by HTTP.
    pub fn new(secret: Option<SecretString>, workspaces: Workspaces) -> Self {
        Self(Arc::new(Parts { secret, workspaces, people: Mutex::default() }))
    }

    /// Where the app is installed.
    pub fn workspaces(&self) -> &Workspaces {
        &self.0.workspaces
    }

    /// Checks that a body comes from Slack, before anything reads it.
    pub fn verify(&self, timestamp: Option<&str>, signature: Option<&str>, body: &[u8], now: DateTime<Utc>) -> Result<(), NotFromSlack> {
        signature::verify(self.0.secret.as_ref().ok_or(NotFromSlack::NoSecret)?, timestamp, signature, body, now)
    }

    /// Takes what was said. What is answered by `Ok` is not lost.
    pub async fn take(&self, hub: &Hub, meaning: Meaning) -> db::Result<Answer> {
        match meaning {
            Meaning::Challenge(challenge) => Ok(Answer::Challenge(challenge)),
            Meaning::Said(said) => self.hear(hub, *said).await,
            Meaning::Open { trigger, window } => self.open(hub, trigger, window).await,
            Meaning::Home { team, user } => {
                let (workspaces, hub) = (self.0.workspaces.clone(), hub.clone());
                Self::beside(&hub.clone(), async move { home::publish(&hub, &workspaces, &team, &user).await });
                Ok(Answer::Taken)
            }
            Meaning::Links(links) => {
                let (workspaces, hub) = (self.0.workspaces.clone(), hub.clone());
                Self::beside(&hub.clone(), async move { home::unfurl(&hub, &workspaces, &links).await });
                Ok(Answer::Taken)
            }
            Meaning::Gone { team } => {
                hub.uninstalled(Channel::Slack, &team).await?;
                Ok(Answer::Taken)
            }
            Meaning::Nothing(why) => {
                tracing::debug!(why, "nothing to do for Slack");
                Ok(Answer::Taken)
            }
        }
    }

    async fn hear(&self, hub: &Hub, said: Said) -> db::Result<Answer> {
        let Some(organization) = hub.organization_of(Channel::Slack, &said.team).await? else { return Ok(Answer::Taken) };
        let is_command = said.address.response_url.is_some() && said.address.thread.is_none();
        let is_public = is_command && !said.address.is_private;
        self.store(hub, organization, said).await?;
        Ok(if is_public { Answer::TakenInPublic } else { Answer::Taken })
    }

    async fn store(&self, hub: &Hub, organization: OrganizationId, said: Said) -> db::Result<()> {
        let person = self.person(organization, &said.team, &said.user, hub.ctx.now()).await;
        let name = person.as_ref().and_then(|person| person.name.clone()).or(said.name).unwrap_or_else(|| said.user.clone());
        let envelope = Envelope {
            channel: Channel::Slack,
            key: said.key,
            sender: Sender { id: sender(&said.team, &said.user), name, email: person.and_then(|person| person.email) },
            trust: Trust::Verified,
            thread: format!("{}/{}", said.team, said.thread),
            place: said.room.map(|room| format!("{}/{room}", said.team)),
            address: json!(said.address),
            text: said.text,
            shown: said.shown,
            around: said.around.map(|around| json!(around)),
            attached: Vec::new(),
        };
        hub.receive(organization, &envelope).await.map(drop)
    }

    async fn open(&self, hub: &Hub, trigger: String, window: Window) -> db::Result<Answer> {
        let team = match &window {
            Window::Ask { team } => team.clone(),
            Window::Answer { said, .. } => said.team.clone(),
        };
        let Some(organization) = hub.organization_of(Channel::Slack, &team).await? else { return Ok(Answer::Taken) };
        let view = match window {
            Window::Ask { .. } => modal::ask(),
            Window::Answer { press, said } => {
                let sender = sender(&said.team, &said.user);
                match hub.pressed(organization, Channel::Slack, &sender, &press).await? {
                    Some(diff) => modal::answer(&press, &diff, &said.thread, &said.address),
                    None => return self.hear(hub, *said).await,
                }
            }
        };
        let workspaces = self.0.workspaces.clone();
        Self::beside(hub, async move { Ok(workspaces.client(organization, &team).await?.open(&trigger, &view).await?) });
        Ok(Answer::Taken)
    }

    /// Does something that is not worth keeping, after the answer.
    fn beside(hub: &Hub, work: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        hub.tracker.spawn(async move {
            if let Err(error) = work.await {
                tracing::warn!(error = format!("{error:#}"), "Slack did not do what it was asked to");
            }
        });
    }

    /// Who somebody is; `None` where Slack does not say in time.
    async fn person(&self, organization: OrganizationId, team: &str, user: &str, now: DateTime<Utc>) -> Option<Person> {
        let sender = sender(team, user);
        let people = || self.0.people.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |asked: &&Asked| now - asked.at < if asked.person.is_some() { KNOWN } else { UNKNOWN };
        if let Some(asked) = people().get(&sender).filter(is_fresh) {
            return asked.person.clone();
        }
        let asked = async { self.0.workspaces.client(organization, team).await?.user(user).await };
        let person = tokio::time::timeout(PATIENCE, asked).await.ok().and_then(Result::ok);
        let mut people = people();
        if people.len() >= MANY {
            people.clear();
        }
        people.insert(sender, Asked { at: now, person: person.clone() });
        person
    }
}
