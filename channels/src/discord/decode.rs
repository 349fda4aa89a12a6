//! What an interaction means: <https://discord.com/developers/docs/interactions/receiving-and-responding>. What is new to us is
//! [`Meaning::Told`]; what is no interaction at all is [`Malformed`]. And what a message that mentions us says.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{commands, modal};
use crate::{
    hub::{
        looking::{concerns_only_asker, is_confidential, material},
        thread::is_asked,
    },
    render::{
        card::{Choice, Press},
        discord::reply,
    },
};

/// What is wrong with a body, in words for whoever sends it.
#[derive(Debug, thiserror::Error)]
#[error("the body is no interaction as Discord sends it: {0}")]
pub struct Malformed(#[source] serde_json::Error);

/// What an interaction means.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// The address is tried out.
    Ping,
    /// Somebody said something to us, or pressed what is as good as saying it.
    Said(Box<Said>),
    /// A window is to be opened as the answer; where it cannot be, `said` is said instead, which changes nothing.
    Open { press: Press, said: Box<Said> },
    /// Nothing happens, and the person is told why.
    Told(&'static str),
}

const UNKNOWN: Meaning = Meaning::Told("I do not know what that means.");

/// Something that somebody said or did.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The same again is the same.
    pub key: String,
    /// The server that it was said on; `None` between two people.
    pub guild: Option<String>,
    pub user: String,
    /// What Discord calls them.
    pub name: String,
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
    /// Whether it was done on a message, which then stays as it is until the outcome edits it.
    pub is_on_message: bool,
}

/// A thread that is to be read, or a message and those that answer it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Around {
    pub channel: String,
    /// Whether the channel is a thread; `None` where Discord did not say.
    pub is_thread: Option<bool>,
    /// The message that was pointed at.
    pub message: Option<String>,
    /// The message that asks for it, which is no part of it.
    pub asked: Option<String>,
}

/// Where an answer goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub channel: String,
    /// With its token the interaction can be answered for fifteen minutes, also where we may not speak.
    pub application: String,
    pub token: String,
    /// Whether the answer that Discord already shows as "thinking" is to become ours.
    pub is_awaited: bool,
    /// Whether only the person should see what is not a proposal.
    pub is_private: bool,
    /// Whom it is written to directly; the channel is then found when it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct: Option<String>,
    /// The message that is answered, where it is no interaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
}

/// A message to us. Unlike an interaction it has no answer that one person sees alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub message: String,
    pub user: String,
}

/// Reads a message; `None` where it is not to us, or no person's. `we` is what Discord calls the bot.
/// <https://discord.com/developers/docs/resources/message#message-object>
pub fn message(message: &Value, we: &str) -> Option<Said> {
    let message = Posted::deserialize(message).ok()?;
    let is_direct = message.guild_id.is_none();
    let is_to_us = is_direct || message.mentions.iter().any(|user| user.id == we);
    let is_of_a_person = !message.author.bot && message.webhook_id.is_none() && message.author.id != we;
    if !is_to_us || !is_of_a_person || !matches!(message.kind, DEFAULT | REPLY) {
        return None;
    }
    let mut text = message.content;
    for mark in [format!("<@{we}>"), format!("<@!{we}>")] {
        text = text.replacen(&mark, "", 1);
    }
    for user in &message.mentions {
        text = text.replace(&format!("<@{}>", user.id), &format!("@{}", user.username)).replace(&format!("<@!{}>", user.id), &format!("@{}", user.username));
    }
    let text = Some(text.trim().to_owned()).filter(|text| !text.is_empty()).unwrap_or_else(|| "help".to_owned());
    let nick = message.member.and_then(|member| member.nick);
    let Author { id: user, username, global_name, .. } = message.author;
    let channel = message.channel_id;
    let around = is_asked(&text).then(|| Around {
        channel: channel.clone(),
        is_thread: None,
        message: message.message_reference.and_then(|reference| reference.message_id),
        asked: Some(message.id.clone()),
    });
    Some(Said {
        name: nick.or(global_name).unwrap_or(username),
        thread: if is_direct { channel.clone() } else { format!("{channel}/{user}") },
        room: (!is_direct).then(|| channel.clone()),
        address: Address {
            channel,
            is_private: is_confidential(&text),
            asked: Some(Asked { message: message.id.clone(), user: user.clone() }),
            ..Address::default()
        },
        user,
        key: message.id,
        guild: message.guild_id,
        text,
        shown: None,
        around,
        is_on_message: false,
    })
}

/// The kinds of messages that people write.
const DEFAULT: u8 = 0;
const REPLY: u8 = 19;

#[derive(Deserialize)]
struct Posted {
    id: String,
    channel_id: String,
    guild_id: Option<String>,
    #[serde(rename = "type", default)]
    kind: u8,
    author: Author,
    member: Option<Nick>,
    #[serde(default)]
    content: String,
    #[serde(default)]
    mentions: Vec<Author>,
    webhook_id: Option<String>,
    message_reference: Option<Answered>,
}

#[derive(Deserialize)]
struct Answered {
    message_id: Option<String>,
}

#[derive(Deserialize)]
struct Nick {
    nick: Option<String>,
}

/// Reads an interaction.
pub fn interaction(body: &[u8]) -> Result<Meaning, Malformed> {
    let interaction: Interaction = serde_json::from_slice(body).map_err(Malformed)?;
    interaction.meaning().map_err(Malformed)
}

#[derive(Deserialize)]
struct Interaction {
    id: String,
    application_id: String,
    #[serde(rename = "type")]
    kind: u8,
    #[serde(default)]
    data: Value,
    guild_id: Option<String>,
    channel_id: Option<String>,
    #[serde(default)]
    channel: Room,
    member: Option<Member>,
    user: Option<User>,
    #[serde(default)]
    token: String,
}

/// The room that it was done in, as far as Discord says.
#[derive(Default, Deserialize)]
struct Room {
    #[serde(rename = "type", default)]
    kind: u8,
    /// Of a thread the room that it is in.
    parent_id: Option<String>,
}

/// Whether a kind of channel is a thread. <https://discord.com/developers/docs/resources/channel#channel-object-channel-types>
pub(super) const fn is_thread(kind: u64) -> bool {
    matches!(kind, 10..=12)
}

#[derive(Deserialize)]
struct Member {
    user: User,
    nick: Option<String>,
}

#[derive(Deserialize)]
struct User {
    id: String,
    username: String,
    global_name: Option<String>,
}

/// The kinds of interactions.
const PING: u8 = 1;
const COMMAND: u8 = 2;
const COMPONENT: u8 = 3;
const MODAL: u8 = 5;

#[derive(Deserialize)]
struct Command {
    name: String,
    #[serde(default)]
    options: Vec<CommandOption>,
    target_id: Option<String>,
    #[serde(default)]
    resolved: Resolved,
}

#[derive(Deserialize)]
struct CommandOption {
    name: String,
    #[serde(default)]
    value: Value,
}

#[derive(Default, Deserialize)]
struct Resolved {
    #[serde(default)]
    messages: std::collections::HashMap<String, Message>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: String,
    author: Author,
    /// The thread that began with it.
    thread: Option<Begun>,
}

#[derive(Deserialize)]
struct Begun {
    id: String,
}

#[derive(Deserialize)]
struct Author {
    id: String,
    #[serde(default)]
    username: String,
    global_name: Option<String>,
    #[serde(default)]
    bot: bool,
}

#[derive(Deserialize)]
struct Component {
    custom_id: String,
}

#[derive(Deserialize)]
struct Submission {
    custom_id: String,
    #[serde(default)]
    components: Value,
}

impl Interaction {
    fn meaning(self) -> Result<Meaning, serde_json::Error> {
        match self.kind {
            PING => Ok(Meaning::Ping),
            COMMAND => self.command(),
            COMPONENT => self.component(),
            MODAL => self.submission(),
            _ => Ok(UNKNOWN),
        }
    }

    fn command(mut self) -> Result<Meaning, serde_json::Error> {
        let command: Command = serde_json::from_value(self.data.take())?;
        let mut around = None;
        let text = match command.name.as_str() {
            commands::SLASH => {
                let text = command.options.iter().find(|option| option.name == commands::TEXT).and_then(|option| option.value.as_str());
                text.unwrap_or_default().trim().to_owned()
            }
            commands::PLAN => {
                let message = command.target_id.and_then(|target| command.resolved.messages.into_iter().find(|(id, _)| *id == target));
                let Some((target, message)) = message else { return Ok(UNKNOWN) };
                if message.content.trim().is_empty() {
                    return Ok(Meaning::Told("That message has no text to plan from."));
                }
                around = match message.thread {
                    Some(thread) => Some(Around { channel: thread.id, is_thread: Some(true), message: None, asked: None }),
                    None => self.channel_id.clone().map(|channel| Around {
                        channel,
                        is_thread: Some(is_thread(u64::from(self.channel.kind))),
                        message: Some(target),
                        asked: None,
                    }),
                };
                // Whoever points at their own words says them again.
                let is_own = self.person().is_some_and(|(user, _)| user.id == message.author.id);
                if is_own { message.content } else { material(&message.content) }
            }
            _ => return Ok(UNKNOWN),
        };
        let text = if text.is_empty() { "help".to_owned() } else { text };
        let said = self.said(text, None, false);
        Ok(said.map_or(UNKNOWN, |said| Meaning::Said(Box::new(Said { around, ..*said }))))
    }

    fn component(mut self) -> Result<Meaning, serde_json::Error> {
        let Component { custom_id } = serde_json::from_value(self.data.take())?;
        if let Some(command) = reply::command(&custom_id) {
            return Ok(self.said(command.to_owned(), None, true).map_or(UNKNOWN, Meaning::Said));
        }
        let Ok(press) = custom_id.parse::<Press>() else { return Ok(UNKNOWN) };
        Ok(match press.choice {
            Choice::Accept => self.said(press.command(None), Some(press.digest), true).map_or(UNKNOWN, Meaning::Said),
            Choice::Choose | Choice::Edit | Choice::Reject => {
                let said = self.said(press.look(), None, true);
                said.map_or(UNKNOWN, |said| Meaning::Open { press, said })
            }
        })
    }

    fn submission(mut self) -> Result<Meaning, serde_json::Error> {
        let Submission { custom_id, components } = serde_json::from_value(self.data.take())?;
        let Ok(press) = custom_id.parse::<Press>() else { return Ok(UNKNOWN) };
        let detail = modal::read(&components);
        if press.choice == Choice::Choose && detail.is_none() {
            return Ok(Meaning::Told("You chose nothing, so nothing was accepted."));
        }
        let text = press.command(detail.as_deref());
        Ok(self.said(text, Some(press.digest), true).map_or(UNKNOWN, Meaning::Said))
    }

    fn person(&self) -> Option<(&User, Option<&str>)> {
        match (&self.member, &self.user) {
            (Some(member), _) => Some((&member.user, member.nick.as_deref())),
            (None, Some(user)) => Some((user, None)),
            (None, None) => None,
        }
    }

    /// `None` where nobody said it, or nowhere.
    fn said(self, text: String, shown: Option<String>, is_on_message: bool) -> Option<Box<Said>> {
        let (user, nick) = self.person()?;
        let channel = self.channel_id.clone()?;
        let name = nick.or(user.global_name.as_deref()).unwrap_or(&user.username).to_owned();
        Some(Box::new(Said {
            user: user.id.clone(),
            name,
            thread: if self.guild_id.is_some() { format!("{channel}/{}", user.id) } else { channel.clone() },
            // What is said in a thread is said in its room.
            room: self
                .guild_id
                .is_some()
                .then(|| self.channel.parent_id.filter(|_| is_thread(u64::from(self.channel.kind))).unwrap_or_else(|| channel.clone())),
            address: Address {
                channel,
                application: self.application_id,
                token: self.token,
                is_awaited: !is_on_message,
                is_private: is_on_message || concerns_only_asker(&text),
                direct: None,
                asked: None,
            },
            key: self.id,
            guild: self.guild_id,
            text,
            shown,
            around: None,
            is_on_message,
        }))
    }
}

#[cfg(test)]
mod tests;
