//! What goes out to Discord: the answer that is awaited, messages in a room, edits of both.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use patchbay_core::{channel::Channel, command::Reply, ids::MessageId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    client::{Client, Failure, Place},
    decode::Address,
};
use crate::{
    adapter::{Adapter, Delivery, Shows, Undelivered},
    render::discord::{self, reply},
};

/// What Discord calls a message that is gone, and a room that we cannot see, or not speak in.
const UNKNOWN_MESSAGE: u64 = 10008;
const UNKNOWN_CHANNEL: u64 = 10003;
const MISSING_ACCESS: u64 = 50001;
const MISSING_PERMISSIONS: u64 = 50013;

/// Speaks on Discord.
pub struct Speaker {
    client: Client,
    /// What was sent of a message that was not sent as a whole: the rest comes with the next try.
    begun: Mutex<HashMap<MessageId, Sent>>,
}

/// What Discord calls a message of ours: several where it is long, none where only one person saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sent {
    channel: String,
    ids: Vec<String>,
}

impl Speaker {
    pub fn new(client: Client) -> Self {
        Self { client, begun: Mutex::default() }
    }
}

#[async_trait]
impl Adapter for Speaker {
    fn channel(&self) -> Channel {
        Channel::Discord
    }

    async fn deliver(&self, delivery: &Delivery<'_>) -> Result<Value, Undelivered> {
        let never = |error: serde_json::Error| Undelivered::Never { why: format!("an address that is not ours: {error}") };
        let address: Address = serde_json::from_value(delivery.address.clone()).map_err(never)?;
        let messages = messages(delivery.reply, &delivery.shows);
        let is_for_one = delivery.is_private || address.is_private && matches!(delivery.shows, Shows::Nothing);
        let sent = match delivery.sent {
            Some(sent) => self.edit(serde_json::from_value(sent.clone()).map_err(never)?, delivery.id, &messages).await,
            None => self.post(delivery.id, &address, is_for_one, &messages).await,
        };
        sent.map(|sent| json!(sent)).map_err(undelivered)
    }
}

impl Speaker {
    async fn post(&self, id: MessageId, address: &Address, is_for_one: bool, messages: &[Value]) -> Result<Sent, Failure> {
        let begun = || self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sent = begun().remove(&id).unwrap_or_default();
        for (at, message) in messages.iter().enumerate().skip(sent.ids.len()) {
            match self.post_one(address, is_for_one, at == 0, &nonce(id, at), message).await {
                Ok((channel, id)) => {
                    sent.channel = channel;
                    sent.ids.push(id);
                }
                Err(failure) => {
                    if matches!(failure, Failure::Later { .. }) {
                        begun().insert(id, sent);
                    }
                    return Err(failure);
                }
            }
        }
        // What one person sees cannot be edited by us later.
        Ok(if is_for_one { Sent::default() } else { sent })
    }

    async fn post_one(&self, address: &Address, is_for_one: bool, is_first: bool, nonce: &str, message: &Value) -> Result<(String, String), Failure> {
        let Address { application, token, channel, .. } = address;
        let further = Place::Further { application, token, is_private: is_for_one };
        let in_room = Place::Channel(channel);
        let awaited = address.is_awaited && is_first;
        if is_for_one {
            if awaited && address.is_private {
                return self.client.post(Place::Awaited { application, token }, nonce, message).await;
            }
            if awaited {
                // Everybody sees that an answer is awaited, and would see the answer.
                match self.client.take_back(application, token).await {
                    Ok(()) | Err(Failure::Refused { .. }) => {}
                    Err(failure) => return Err(failure),
                }
            }
            return self.client.post(further, nonce, message).await;
        }
        if awaited {
            match self.client.post(Place::Awaited { application, token }, nonce, message).await {
                Err(Failure::Expired) => {}
                other => return other,
            }
        }
        // In the room first: there a message that is sent twice is one.
        match self.client.post(in_room, nonce, message).await {
            Err(Failure::Refused { code, .. }) if is_shut(code) => self.client.post(further, nonce, message).await,
            other => other,
        }
    }

    /// Makes what was sent into these messages; what is gone stays gone.
    async fn edit(&self, mut sent: Sent, id: MessageId, messages: &[Value]) -> Result<Sent, Failure> {
        if sent.ids.is_empty() {
            return Ok(sent);
        }
        for (id, message) in sent.ids.iter().zip(messages) {
            is_gone(self.client.edit(&sent.channel, id, message).await)?;
        }
        for id in sent.ids.drain(messages.len().min(sent.ids.len())..) {
            is_gone(self.client.delete(&sent.channel, &id).await)?;
        }
        for (at, message) in messages.iter().enumerate().skip(sent.ids.len()) {
            let (_, id) = self.client.post(Place::Channel(&sent.channel), &nonce(id, at), message).await?;
            sent.ids.push(id);
        }
        Ok(sent)
    }
}

/// At most 25 characters that name a message and its place among several.
fn nonce(id: MessageId, at: usize) -> String {
    let id = id.0.simple().to_string();
    format!("{}.{at}", &id[id.len() - 20..])
}

/// Words of ours stand above what they are about.
fn messages(words: &Reply, shows: &Shows<'_>) -> Vec<Value> {
    let mut cards = match shows {
        Shows::Nothing => return reply::messages(words),
        Shows::Open(card) => discord::messages(card),
        Shows::Superseded(card) => discord::closed(card, "A later message shows it as it is now."),
        Shows::Decided(card, how) => discord::closed(card, how),
    };
    let mut contents = reply::contents(&words.text);
    if let (Some(last), Some(first)) = (contents.pop(), cards.first_mut()) {
        first["content"] = last.into();
    }
    let above = contents.into_iter().map(|content| json!({ "content": content, "embeds": [], "components": [], "allowed_mentions": { "parse": [] } }));
    above.chain(cards).collect()
}

/// Whether a room is not open to us.
const fn is_shut(code: u64) -> bool {
    matches!(code, UNKNOWN_CHANNEL | MISSING_ACCESS | MISSING_PERMISSIONS)
}

fn is_gone(done: Result<(), Failure>) -> Result<(), Failure> {
    match done {
        Err(Failure::Refused { code, .. }) if code == UNKNOWN_MESSAGE || is_shut(code) => Ok(()),
        other => other,
    }
}

fn undelivered(failure: Failure) -> Undelivered {
    match failure {
        Failure::Later { after, why } => Undelivered::Later { after, why },
        Failure::Expired => Undelivered::Never { why: "the answer came later than Discord takes it, fifteen minutes".to_owned() },
        Failure::Refused { code, message } => Undelivered::Never {
            why: match code {
                _ if is_shut(code) => "Patchbay may not speak in that channel: give its role the right to see it and to send messages there".to_owned(),
                _ => format!("Discord refused: {message} ({code})"),
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_fits() {
        let id = MessageId(uuid::Uuid::from_u128(u128::MAX));
        assert!(nonce(id, 999).len() <= 25);
        assert_ne!(nonce(id, 0), nonce(id, 1));
    }
}
