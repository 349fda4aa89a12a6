//! What goes out to Slack: messages where they were asked for, edited when their proposal becomes something else.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use patchbay_core::{channel::Channel, command::Reply, ids::MessageId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    client::{Client, Failure},
    decode::Address,
    workspaces::Workspaces,
};
use crate::{
    adapter::{Adapter, Delivery, Direct, Shows, Undelivered},
    render::slack::{self, reply},
};

/// Speaks in Slack.
pub struct Speaker {
    workspaces: Workspaces,
    /// What was sent of a message that was not sent as a whole: the rest comes with the next try.
    begun: Mutex<HashMap<MessageId, Sent>>,
}

/// What Slack calls a message of ours: several where it is long, none where only one person saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sent {
    channel: String,
    ts: Vec<String>,
}

impl Speaker {
    pub fn new(workspaces: Workspaces) -> Self {
        Self { workspaces, begun: Mutex::default() }
    }
}

#[async_trait]
impl Adapter for Speaker {
    fn channel(&self) -> Channel {
        Channel::Slack
    }

    async fn deliver(&self, delivery: &Delivery<'_>) -> Result<Value, Undelivered> {
        let never = |error: serde_json::Error| Undelivered::Never { why: format!("an address that is not ours: {error}") };
        let address: Address = serde_json::from_value(delivery.address.clone()).map_err(never)?;
        let messages = messages(delivery.reply, &delivery.shows);
        let is_for_one = delivery.is_private || address.is_private && matches!(delivery.shows, Shows::Nothing);
        let client = self.workspaces.client(delivery.organization, &address.team).await.map_err(undelivered)?;
        let sent = match delivery.sent {
            Some(sent) => edit(&client, serde_json::from_value(sent.clone()).map_err(never)?, address.thread.as_deref(), &messages).await,
            None if is_for_one => whisper(&client, &address, &messages).await,
            None => self.post(&client, delivery.id, &address, &messages).await,
        };
        sent.map(|sent| json!(sent)).map_err(undelivered)
    }

    fn direct(&self, external_id: &str, _: &str) -> Direct {
        // Names in our books begin with the workspace.
        let (team, user) = external_id.split_once('.').unwrap_or(("", external_id));
        let address = Address { team: team.to_owned(), channel: None, thread: None, user: user.to_owned(), response_url: None, is_private: false };
        Direct { thread: format!("direct/{external_id}"), address: json!(address) }
    }
}

impl Speaker {
    async fn post(&self, client: &Client, id: MessageId, address: &Address, messages: &[Value]) -> Result<Sent, Failure> {
        let begun = || self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sent = begun().remove(&id).unwrap_or_default();
        let to = address.channel.as_deref().unwrap_or(&address.user);
        for message in &messages[sent.ts.len().min(messages.len())..] {
            let posted = match client.post(to, address.thread.as_deref(), message).await {
                // Where we are no member, what was said to us can still be answered.
                Err(Failure::Refused { code }) if sent.ts.is_empty() && is_shut(&code) => match &address.response_url {
                    Some(url) => {
                        client.respond(url, false, message).await?;
                        continue;
                    }
                    None => Err(Failure::Refused { code }),
                },
                posted => posted,
            };
            match posted {
                Ok((channel, ts)) => {
                    sent.channel = channel;
                    sent.ts.push(ts);
                }
                Err(failure) => {
                    if matches!(failure, Failure::Later { .. }) {
                        begun().insert(id, sent);
                    }
                    return Err(failure);
                }
            }
        }
        Ok(sent)
    }
}

/// Says it to the person alone.
async fn whisper(client: &Client, address: &Address, messages: &[Value]) -> Result<Sent, Failure> {
    for message in messages {
        if let Some(url) = &address.response_url {
            match client.respond(url, true, message).await {
                Err(Failure::Refused { .. }) => {}
                other => {
                    other?;
                    continue;
                }
            }
        }
        match &address.channel {
            Some(channel) if !channel.starts_with('D') => match client.whisper(channel, &address.user, address.thread.as_deref(), message).await {
                Err(Failure::Refused { .. }) => client.post(&address.user, None, message).await.map(drop)?,
                other => other?,
            },
            channel => client.post(channel.as_deref().unwrap_or(&address.user), None, message).await.map(drop)?,
        }
    }
    Ok(Sent::default())
}

/// Makes what was sent into these messages; what is gone stays gone.
async fn edit(client: &Client, mut sent: Sent, thread: Option<&str>, messages: &[Value]) -> Result<Sent, Failure> {
    if sent.ts.is_empty() {
        return Ok(sent);
    }
    for (ts, message) in sent.ts.iter().zip(messages) {
        is_gone(client.update(&sent.channel, ts, message).await)?;
    }
    for ts in sent.ts.drain(messages.len().min(sent.ts.len())..) {
        is_gone(client.delete(&sent.channel, &ts).await)?;
    }
    for message in &messages[sent.ts.len()..] {
        sent.ts.push(client.post(&sent.channel, thread, message).await?.1);
    }
    Ok(sent)
}

/// Words of ours stand above what they are about.
fn messages(words: &Reply, shows: &Shows<'_>) -> Vec<Value> {
    let mut cards = match shows {
        Shows::Nothing => return reply::messages(words),
        Shows::Open(card) => slack::messages(card),
        Shows::Superseded(card) => slack::closed(card, "A later message shows it as it is now."),
        Shows::Decided(card, how) => slack::closed(card, how),
    };
    let mut sections = reply::sections(&words.text);
    if let (Some(last), Some(blocks)) = (sections.pop(), cards.first_mut().and_then(|first| first["blocks"].as_array_mut())) {
        blocks.insert(0, last);
    }
    let above = sections.into_iter().map(|section| json!({ "text": section["text"]["text"], "blocks": [section] }));
    above.chain(cards).collect()
}

/// Whether a room is not open to us.
fn is_shut(code: &str) -> bool {
    matches!(code, "not_in_channel" | "channel_not_found" | "is_archived" | "restricted_action" | "no_permission")
}

fn is_gone(done: Result<(), Failure>) -> Result<(), Failure> {
    match done {
        Err(Failure::Refused { code }) if matches!(code.as_str(), "message_not_found" | "cant_update_message" | "edit_window_closed") || is_shut(&code) => {
            Ok(())
        }
        other => other,
    }
}

fn undelivered(failure: Failure) -> Undelivered {
    match failure {
        Failure::Later { after, why } => Undelivered::Later { after, why },
        Failure::Refused { code } => Undelivered::Never {
            why: match code.as_str() {
                "not_in_channel" | "channel_not_found" => "Patchbay is not in that channel: say /invite @Patchbay there".to_owned(),
                "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive" => {
                    format!("Slack does not take the bot token ({code}): set PATCHBAY_SLACK__BOT_TOKEN to the one that the app's page shows")
                }
                "not_installed" => "the app is not installed in that workspace: an admin installs it at /api/v1/channels/slack/install".to_owned(),
                "missing_scope" => "the app lacks a scope: compare it with the manifest in docs/guides/slack.md".to_owned(),
                _ => format!("Slack refused: {code}"),
            },
        },
    }
}
