//! What a request of Slack means. What is new to us is [`Meaning::Nothing`]; what is no request of Slack's at all is [`Malformed`].

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    modal::{self, Handed},
    text,
};
use crate::{
    hub::{
        looking::{concerns_only_asker, is_confidential, material},
        thread::is_asked,
    },
    render::{
        card::{Choice, Press},
        slack::reply::COMMAND,
    },
};

/// What is wrong with a body, in words for whoever sends it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

impl Malformed {
    fn json(what: &str) -> impl FnOnce(serde_json::Error) -> Self {
        move |error| Self(format!("the body is no {what} as Slack sends it: {error}"))
    }
}

/// What a request means.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// The address is tried out: this is to be said back.
    Challenge(String),
    /// Somebody said something to us.
    Said(Box<Said>),
    /// A window is to be opened; the trigger is good for three seconds.
    Open { trigger: String, window: Window },
    /// Somebody looks at our home.
    Home { team: String, user: String },
    /// Addresses were posted, perhaps ours.
    Links(Links),
    /// The app was taken out of a workspace.
    Gone { team: String },
    /// Nothing for us, and why.
    Nothing(&'static str),
}

/// Something that somebody said or did.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The same again is the same.
    pub key: String,
    pub team: String,
    pub user: String,
    /// What Slack calls them, where it says so.
    pub name: Option<String>,
    /// What is one conversation.
    pub thread: String,
    /// The room that it was said in.
    pub room: Option<String>,
    pub address: Address,
    /// What they said; of a button, the command that it stands for.
    pub text: String,
    /// The digest of the proposal that they looked at.
    pub shown: Option<String>,
    /// The thread that they ask to plan.
    pub around: Option<Around>,
}

/// A thread that is to be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Around {
    pub team: String,
    pub channel: String,
    /// Its first message.
    pub thread: String,
    /// The message that asks for it, which is no part of it.
    pub asked: Option<String>,
}

/// Where an answer goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub team: String,
    /// `None`: to the person alone.
    pub channel: Option<String>,
    pub thread: Option<String>,
    pub user: String,
    /// Good for five answers within half an hour, also where we are no member.
    pub response_url: Option<String>,
    /// Whether only the person should see what is not a proposal.
    pub is_private: bool,
}

/// A window that is to be opened.
#[derive(Clone, Debug, PartialEq)]
pub enum Window {
    /// For the answer to a proposal; where it cannot be opened, `said` is said instead, which changes nothing.
    Answer { press: Press, said: Box<Said> },
    /// For something to plan.
    Ask { team: String },
}

/// Addresses that somebody posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    pub team: String,
    pub user: String,
    pub channel: String,
    /// Names the message, also before it is sent.
    pub unfurl: Unfurl,
    pub urls: Vec<String>,
}

/// A message with addresses in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfurl {
    Sent { ts: String },
    Composed { unfurl_id: String, source: String },
}

/// A slash command: <https://docs.slack.dev/interactivity/implementing-slash-commands>.
pub fn command(body: &[u8]) -> Result<Meaning, Malformed> {
    slash(form(body))
}

/// What comes over a socket: the same, in JSON. <https://docs.slack.dev/apis/events-api/using-socket-mode#events>
pub fn envelope(kind: &str, payload: Value) -> Result<Meaning, Malformed> {
    match kind {
        "slash_commands" => slash(|name| payload[name].as_str().unwrap_or_default().to_owned()),
        "events_api" => serde_json::from_value(payload).map(Outer::meaning).map_err(Malformed::json("event")),
        "interactive" => serde_json::from_value(payload).map_err(Malformed::json("interaction")).and_then(Interaction::meaning),
        _ => Ok(Meaning::Nothing("a kind of envelope that we do not know")),
    }
}

fn slash(fields: impl Fn(&str) -> String) -> Result<Meaning, Malformed> {
    if !fields("ssl_check").is_empty() {
        return Ok(Meaning::Nothing("a check of the certificate"));
    }
    let needed = |name: &str| match fields(name) {
        value if value.is_empty() => Err(Malformed(format!("the field {name} of a slash command is missing"))),
        value => Ok(value),
    };
    let (team, channel, user, trigger) = (needed("team_id")?, needed("channel_id")?, needed("user_id")?, needed("trigger_id")?);
    let said = or_help(text::plain(&fields("text")));
    Ok(Meaning::Said(Box::new(Said {
        key: trigger,
        name: Some(fields("user_name")).filter(|name| !name.is_empty()),
        thread: format!("{channel}/{user}"),
        room: Some(channel.clone()),
        address: Address {
            team: team.clone(),
            channel: Some(channel),
            thread: None,
            user: user.clone(),
            response_url: response_url(fields("response_url")),
            is_private: concerns_only_asker(&said),
        },
        team,
        user,
        text: said,
        shown: None,
        around: None,
    })))
}

/// An event: <https://docs.slack.dev/apis/events-api>.
pub fn event(body: &[u8]) -> Result<Meaning, Malformed> {
    serde_json::from_slice(body).map(Outer::meaning).map_err(Malformed::json("event"))
}

/// A button, a window or a shortcut: <https://docs.slack.dev/reference/interaction-payloads>.
pub fn interaction(body: &[u8]) -> Result<Meaning, Malformed> {
    let payload = form(body)("payload");
    if payload.is_empty() {
        return Err(Malformed("the field payload of an interaction is missing".to_owned()));
    }
    serde_json::from_str(&payload).map_err(Malformed::json("interaction")).and_then(Interaction::meaning)
}

fn form(body: &[u8]) -> impl Fn(&str) -> String {
    let fields: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    move |name| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone()).unwrap_or_default()
}

fn or_help(text: String) -> String {
    if text.is_empty() { "help".to_owned() } else { text }
}

fn response_url(url: String) -> Option<String> {
    Some(url).filter(|url| !url.is_empty())
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Outer {
    UrlVerification {
        challenge: String,
    },
    EventCallback(Box<Callback>),
    #[serde(other)]
    Unknown,
}

impl Outer {
    fn meaning(self) -> Meaning {
        match self {
            Self::UrlVerification { challenge } => Meaning::Challenge(challenge),
            Self::EventCallback(callback) => callback.meaning(),
            Self::Unknown => Meaning::Nothing("a kind of request that we do not know"),
        }
    }
}

#[derive(Deserialize)]
struct Callback {
    team_id: String,
    event_id: String,
    #[serde(default)]
    authorizations: Vec<Authorization>,
    event: Event,
}

#[derive(Deserialize)]
struct Authorization {
    user_id: Option<String>,
    #[serde(default)]
    is_bot: bool,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    AppMention(Message),
    Message(Message),
    AppHomeOpened {
        user: String,
        #[serde(default)]
        tab: String,
    },
    LinkShared(LinkShared),
    AppUninstalled,
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
struct Message {
    user: Option<String>,
    #[serde(default)]
    text: String,
    ts: String,
    channel: String,
    channel_type: Option<String>,
    thread_ts: Option<String>,
    bot_id: Option<String>,
    subtype: Option<String>,
}

#[derive(Deserialize)]
struct LinkShared {
    user: String,
    channel: String,
    message_ts: String,
    unfurl_id: Option<String>,
    source: Option<String>,
    links: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    url: String,
}

impl Callback {
    fn meaning(self) -> Meaning {
        let ourselves = self.authorizations.into_iter().find(|authorization| authorization.is_bot).and_then(|authorization| authorization.user_id);
        let (message, is_direct) = match self.event {
            Event::AppMention(message) => (message, false),
            Event::Message(message) if message.channel_type.as_deref() == Some("im") => (message, true),
            Event::Message(_) => return Meaning::Nothing("a message that is not to us"),
            Event::AppHomeOpened { user, tab } if tab == "home" => return Meaning::Home { team: self.team_id, user },
            Event::AppHomeOpened { .. } => return Meaning::Nothing("another tab of ours was opened"),
            Event::AppUninstalled => return Meaning::Gone { team: self.team_id },
            Event::LinkShared(shared) => return shared.meaning(self.team_id),
            Event::Unknown => return Meaning::Nothing("a kind of event that we do not know"),
        };
        let Some(user) = message.user else { return Meaning::Nothing("a message of nobody") };
        if message.bot_id.is_some() || ourselves.as_ref() == Some(&user) {
            return Meaning::Nothing("a message of a program");
        }
        // Edits, deletions, people who come and go.
        if message.subtype.is_some_and(|subtype| !matches!(subtype.as_str(), "file_share" | "thread_broadcast")) {
            return Meaning::Nothing("a message about messages");
        }
        let said = ourselves.map_or_else(|| message.text.clone(), |ourselves| text::without_mention(&message.text, &ourselves));
        let said = or_help(text::plain(&said));
        let around = message.thread_ts.clone().filter(|_| is_asked(&said)).map(|thread| Around {
            team: self.team_id.clone(),
            channel: message.channel.clone(),
            thread,
            asked: Some(message.ts.clone()),
        });
        // In a room an answer begins a thread; between two people it follows.
        let thread = message.thread_ts.or_else(|| (!is_direct).then_some(message.ts));
        Meaning::Said(Box::new(Said {
            key: self.event_id,
            name: None,
            thread: conversation(&message.channel, thread.as_deref()),
            room: (!is_direct).then(|| message.channel.clone()),
            address: Address {
                team: self.team_id.clone(),
                channel: Some(message.channel),
                thread,
                user: user.clone(),
                response_url: None,
                is_private: is_confidential(&said),
            },
            team: self.team_id,
            user,
            text: said,
            shown: None,
            around,
        }))
    }
}

impl LinkShared {
    fn meaning(self, team: String) -> Meaning {
        let unfurl = match (self.unfurl_id, self.source) {
            (Some(unfurl_id), Some(source)) if source == "composer" => Unfurl::Composed { unfurl_id, source },
            _ => Unfurl::Sent { ts: self.message_ts },
        };
        Meaning::Links(Links { team, user: self.user, channel: self.channel, unfurl, urls: self.links.into_iter().map(|link| link.url).collect() })
    }
}

/// What Slack lets us see of a conversation.
fn conversation(channel: &str, thread: Option<&str>) -> String {
    thread.map_or_else(|| channel.to_owned(), |thread| format!("{channel}/{thread}"))
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Interaction {
    BlockActions(BlockActions),
    ViewSubmission(ViewSubmission),
    MessageAction(MessageAction),
    Shortcut {
        trigger_id: String,
        user: User,
        team: Option<Id>,
    },
    #[serde(other)]
    Unknown,
}

impl Interaction {
    fn meaning(self) -> Result<Meaning, Malformed> {
        match self {
            Self::BlockActions(actions) => Ok(actions.meaning()),
            Self::ViewSubmission(submission) => submission.meaning(),
            Self::MessageAction(action) => Ok(action.meaning()),
            Self::Shortcut { trigger_id, user, team } => {
                let team = team.map(|team| team.id).or(user.team_id).unwrap_or_default();
                Ok(Meaning::Open { trigger: trigger_id, window: Window::Ask { team } })
            }
            Self::Unknown => Ok(Meaning::Nothing("a kind of interaction that we do not know")),
        }
    }
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct BlockActions {
    user: User,
    team: Option<Id>,
    channel: Option<Id>,
    container: Option<Container>,
    message: Option<Shown>,
    trigger_id: String,
    #[serde(default)]
    response_url: String,
    #[serde(default)]
    actions: Vec<Action>,
}

/// Whoever did it.
#[derive(Deserialize)]
struct User {
    id: String,
    username: Option<String>,
    name: Option<String>,
    team_id: Option<String>,
}

#[derive(Deserialize)]
struct Container {
    channel_id: Option<String>,
    thread_ts: Option<String>,
}

#[derive(Deserialize)]
struct Shown {
    ts: Option<String>,
    thread_ts: Option<String>,
    user: Option<String>,
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct Action {
    #[serde(default)]
    action_id: String,
    value: Option<String>,
}

impl BlockActions {
    fn meaning(self) -> Meaning {
        let Some(Action { action_id, value: Some(value) }) = self.actions.into_iter().next() else { return Meaning::Nothing("nothing was chosen") };
        let team = self.team.map(|team| team.id).or(self.user.team_id).unwrap_or_default();
        let channel = self.channel.map(|channel| channel.id).or_else(|| self.container.as_ref().and_then(|container| container.channel_id.clone()));
        let message = self.message.unwrap_or(Shown { ts: None, thread_ts: None, user: None, text: String::new() });
        let thread = message.thread_ts.or_else(|| self.container.and_then(|container| container.thread_ts));
        let user = self.user.id;
        let place = match (&channel, &thread) {
            (Some(channel), None) if !channel.starts_with('D') => format!("{channel}/{user}"),
            (Some(channel), thread) => conversation(channel, thread.as_deref()),
            (None, _) => user.clone(),
        };
        let said = |text, shown| {
            Box::new(Said {
                key: self.trigger_id.clone(),
                name: self.user.username.or(self.user.name),
                thread: place,
                room: channel.clone().filter(|channel| !channel.starts_with('D')),
                address: Address { team: team.clone(), channel, thread, user: user.clone(), response_url: response_url(self.response_url), is_private: true },
                team,
                user,
                text,
                shown,
                around: None,
            })
        };
        if action_id.starts_with(COMMAND) {
            return Meaning::Said(said(value, None));
        }
        let Ok(press) = value.parse::<Press>() else { return Meaning::Nothing("a button that is not ours") };
        let trigger = self.trigger_id.clone();
        match press.choice {
            Choice::Accept => Meaning::Said(said(press.command(None), Some(press.digest.clone()))),
            Choice::Choose | Choice::Edit | Choice::Reject => {
                let said = said(press.look(), None);
                Meaning::Open { trigger, window: Window::Answer { press, said } }
            }
        }
    }
}

#[derive(Deserialize)]
struct ViewSubmission {
    user: User,
    team: Option<Id>,
    trigger_id: String,
    view: View,
}

#[derive(Deserialize)]
struct View {
    #[serde(default)]
    callback_id: String,
    #[serde(default)]
    private_metadata: String,
    state: Option<State>,
}

#[derive(Deserialize)]
struct State {
    #[serde(default)]
    values: Value,
}

impl ViewSubmission {
    fn meaning(self) -> Result<Meaning, Malformed> {
        let values = self.view.state.map(|state| state.values).unwrap_or_default();
        let handed = modal::read(&self.view.callback_id, &self.view.private_metadata, &values).map_err(Malformed::json("window of ours"))?;
        let user = self.user.id;
        let team = self.team.map(|team| team.id).or(self.user.team_id).unwrap_or_default();
        let (thread, address, text, shown) = match handed {
            None => return Ok(Meaning::Nothing("a window that is not ours")),
            Some(Handed::Answer { press, detail, thread, address }) => (thread, address, press.command(detail.as_deref()), Some(press.digest)),
            Some(Handed::Asked(text)) => {
                let address = Address { team: team.clone(), channel: None, thread: None, user: user.clone(), response_url: None, is_private: false };
                (user.clone(), address, text, None)
            }
        };
        let room = address.channel.clone().filter(|channel| !channel.starts_with('D'));
        let name = self.user.username.or(self.user.name);
        Ok(Meaning::Said(Box::new(Said { key: self.trigger_id, team, user, name, thread, room, address, text, shown, around: None })))
    }
}

#[derive(Deserialize)]
struct MessageAction {
    callback_id: String,
    trigger_id: String,
    user: User,
    team: Option<Id>,
    channel: Id,
    message: Shown,
    message_ts: Option<String>,
    #[serde(default)]
    response_url: String,
}

impl MessageAction {
    fn meaning(self) -> Meaning {
        if self.callback_id != PLAN {
            return Meaning::Nothing("a shortcut that is not ours");
        }
        let text = text::plain(&self.message.text);
        let user = self.user.id;
        let team = self.team.map(|team| team.id).or(self.user.team_id).unwrap_or_default();
        let channel = self.channel.id;
        // Of a message that nobody answered yet Slack names no thread.
        let around = self.message.thread_ts.clone().map(|thread| Around { team: team.clone(), channel: channel.clone(), thread, asked: None });
        let thread = self.message.thread_ts.or(self.message.ts).or(self.message_ts);
        // Whoever points at their own words says them again.
        let text = if self.message.user.as_ref() == Some(&user) { or_help(text) } else { material(&text) };
        Meaning::Said(Box::new(Said {
            key: self.trigger_id,
            name: self.user.username.or(self.user.name),
            thread: conversation(&channel, thread.as_deref()),
            room: Some(channel.clone()).filter(|channel| !channel.starts_with('D')),
            address: Address {
                team: team.clone(),
                channel: Some(channel),
                thread,
                user: user.clone(),
                response_url: response_url(self.response_url),
                is_private: false,
            },
            team,
            user,
            text,
            shown: None,
            around,
        }))
    }
}

/// The shortcut "Plan this", as the app's manifest names it.
pub const PLAN: &str = "plan_this";

#[cfg(test)]
mod tests;
