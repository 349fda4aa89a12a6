//! What goes out to Discord: the answer that is awaited, messages in a room, edits of both.

use async_trait::async_trait;
use patchbay_core::{
    channel::Channel,
    command::Reply,
    ids::{MessageId, OrganizationId},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    client::{Client, Failure, Place},
    decode::{Address, Around},
    thread,
};
use crate::{
    adapter::{Adapter, Delivered, Delivery, Direct, Shows, Thread, Undelivered, Unread},
    render::discord::{self, reply},
};

/// What Discord calls a message that is gone, and a room that we cannot see, or not speak in.
pub(super) const UNKNOWN_MESSAGE: u64 = 10008;
const UNKNOWN_CHANNEL: u64 = 10003;
const MISSING_ACCESS: u64 = 50001;
const MISSING_PERMISSIONS: u64 = 50013;
/// Somebody takes no direct messages.
const CANNOT_SEND: u64 = 50007;

/// What a room reads in place of what one person alone may read.
const ALONE: &str = "The answer is for you alone, and I may not write to you directly. Ask me by `/patchbay`, then only you see it.";

/// Speaks on Discord.
pub struct Speaker {
    client: Client,
}

/// What Discord calls a message of ours: several where it is long, none where only one person saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sent {
    channel: String,
    ids: Vec<String>,
    /// How many pages are as they are to be, while it is being brought there.
    #[serde(default)]
    at: usize,
}

/// What a page is sent with.
struct Page {
    id: MessageId,
    address: Address,
    is_for_one: bool,
    was_working: bool,
}

impl Speaker {
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl Adapter for Speaker {
    fn channel(&self) -> Channel {
        Channel::Discord
    }

    async fn deliver(&self, delivery: &Delivery<'_>) -> Result<Delivered, Undelivered> {
        let never = |error: serde_json::Error| Undelivered::Never { why: format!("an address that is not ours: {error}") };
        let address: Address = serde_json::from_value(delivery.address.clone()).map_err(never)?;
        let sent: Option<Sent> = delivery.sent.map(|sent| serde_json::from_value(sent.clone())).transpose().map_err(never)?;
        if matches!(delivery.shows, Shows::Working) {
            return self.work(delivery.id, address, sent, delivery.reply).await.map_err(undelivered);
        }
        if sent.as_ref().is_some_and(|sent| sent.ids.is_empty() && !delivery.is_begun) {
            // What one person saw stays as it is.
            return Ok(Delivered::Whole(json!(sent)));
        }
        let mut sent = sent.unwrap_or_default();
        if !delivery.is_begun {
            sent.at = 0;
        }
        let is_for_one = address.direct.is_none() && (delivery.is_private || address.is_private && matches!(delivery.shows, Shows::Nothing));
        let messages = messages(delivery.reply, &delivery.shows);
        let mut page = Page { id: delivery.id, address, is_for_one, was_working: delivery.was_working };
        let done = match &page.address.asked {
            Some(asked) if is_for_one => {
                let user = asked.user.clone();
                self.tell(&mut page, &user, &mut sent, &messages).await
            }
            _ => self.page(&mut page, &mut sent, &messages).await,
        };
        done.map_err(undelivered)?;
        let is_whole = sent.at >= messages.len() && sent.ids.len() <= messages.len();
        Ok(if is_whole { Delivered::Whole(json!(Sent { at: 0, ..sent })) } else { Delivered::Part(json!(sent)) })
    }

    async fn thread(&self, _: OrganizationId, around: &Value) -> Result<Thread, Unread> {
        let around: Around =
            serde_json::from_value(around.clone()).map_err(|error| Unread::Never { why: format!("it is named by nothing of ours ({error})") })?;
        thread::read(&self.client, &around).await
    }

    fn direct(&self, external_id: &str, _: &str) -> Direct {
        let address = Address { direct: Some(external_id.to_owned()), ..Address::default() };
        Direct { thread: format!("direct/{external_id}"), address: json!(address) }
    }
}

impl Speaker {
    /// Answers a message of which the answer is for its author alone: directly, and where they do not take that, by saying so.
    async fn tell(&self, page: &mut Page, user: &str, sent: &mut Sent, messages: &[Value]) -> Result<(), Failure> {
        let asked = page.address.clone();
        page.is_for_one = false;
        page.address = Address { direct: Some(user.to_owned()), asked: None, ..asked.clone() };
        match self.page(page, sent, messages).await {
            Err(Failure::Refused { code: CANNOT_SEND, .. }) => {
                page.address = asked;
                self.page(page, sent, &reply::messages(&Reply::new(ALONE))).await?;
                // That is all there is to say.
                sent.at = messages.len();
                Ok(())
            }
            told => told,
        }
    }

    /// Brings one page more to what it is to be, and takes back what is too much; `sent` says what stands there then.
    async fn page(&self, page: &mut Page, sent: &mut Sent, messages: &[Value]) -> Result<(), Failure> {
        let Some(message) = messages.get(sent.at) else {
            if let Some(id) = sent.ids.last().cloned() {
                is_gone(self.client.delete(&sent.channel, &id).await)?;
                sent.ids.pop();
            }
            return Ok(());
        };
        if page.was_working && page.address.is_awaited && sent.at == 0 && !sent.ids.is_empty() {
            // As long as the interaction can be answered, also where we may not speak.
            let Address { application, token, .. } = &page.address;
            match self.client.post(Place::Awaited { application, token }, "", message).await {
                Err(Failure::Expired) => {}
                edited => {
                    edited?;
                    sent.at = 1;
                    return Ok(());
                }
            }
        }
        if let Some(id) = sent.ids.get(sent.at) {
            let is_gone = is_gone(self.client.edit(&sent.channel, id, message).await)?;
            if !(is_gone && page.was_working && sent.at == 0) {
                sent.at += 1;
                return Ok(());
            }
            // Nobody saw more of it than that it is worked on.
            *sent = Sent::default();
        }
        if let (Some(user), true) = (&page.address.direct, sent.ids.is_empty()) {
            page.address.channel = self.client.direct(user).await?;
        } else if !sent.channel.is_empty() {
            page.address.channel.clone_from(&sent.channel);
        }
        let (channel, id) = self.post(page, sent.at, message).await?;
        // What one person sees cannot be edited by us later.
        if !page.is_for_one {
            sent.channel = channel;
            sent.ids.push(id);
        }
        sent.at += 1;
        Ok(())
    }

    async fn post(&self, page: &Page, at: usize, message: &Value) -> Result<(String, String), Failure> {
        let Address { application, token, channel, .. } = &page.address;
        let nonce = nonce(page.id, at);
        let further = Place::Further { application, token, is_private: page.is_for_one };
        let in_room = Place::Channel(channel);
        let awaited = page.address.is_awaited && at == 0;
        if page.is_for_one {
            if awaited && page.address.is_private {
                return self.client.post(Place::Awaited { application, token }, &nonce, message).await;
            }
            if awaited {
                // Everybody sees that an answer is awaited, and would see the answer.
                match self.client.take_back(application, token).await {
                    Ok(()) | Err(Failure::Refused { .. }) => {}
                    Err(failure) => return Err(failure),
                }
            }
            return self.client.post(further, &nonce, message).await;
        }
        if awaited {
            match self.client.post(Place::Awaited { application, token }, &nonce, message).await {
                Err(Failure::Expired) => {}
                other => return other,
            }
        }
        let mut message = message.clone();
        if let Some(asked) = page.address.asked.as_ref().filter(|_| at == 0) {
            message["message_reference"] = json!({ "message_id": asked.message, "fail_if_not_exists": false });
        }
        // In the room first: there a message that is sent twice is one.
        match self.client.post(in_room, &nonce, &message).await {
            Err(Failure::Refused { code, .. }) if is_shut(code) && !token.is_empty() => self.client.post(further, &nonce, &message).await,
            other => other,
        }
    }

    /// Says how far we are, where everybody sees it and it can be edited; what has no turn now is said the next time.
    async fn work(&self, id: MessageId, address: Address, sent: Option<Sent>, words: &Reply) -> Result<Delivered, Failure> {
        let messages = reply::messages(words);
        let (false, Some(message)) = (address.is_private, messages.first()) else { return Ok(Delivered::Nothing) };
        let Address { application, token, channel, .. } = &address;
        let said = match &sent {
            _ if address.is_awaited => self.client.post(Place::Awaited { application, token }, "", message).await,
            Some(Sent { channel, ids, .. }) if !ids.is_empty() => {
                is_gone(self.client.edit(channel, &ids[0], message).await)?;
                return Ok(Delivered::Whole(json!(sent)));
            }
            _ => {
                let mut message = message.clone();
                if let Some(asked) = &address.asked {
                    message["message_reference"] = json!({ "message_id": asked.message, "fail_if_not_exists": false });
                }
                self.client.post(Place::Channel(channel), &nonce(id, 0), &message).await
            }
        };
        match said {
            Ok((channel, id)) => Ok(Delivered::Whole(json!(Sent { channel, ids: vec![id], at: 0 }))),
            Err(Failure::Later { after: Some(_), .. } | Failure::Expired) => Ok(Delivered::Nothing),
            Err(Failure::Refused { code, .. }) if is_shut(code) => Ok(Delivered::Nothing),
            Err(failure) => Err(failure),
        }
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
        Shows::Nothing | Shows::Working => return reply::messages(words),
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
pub(super) const fn is_shut(code: u64) -> bool {
    matches!(code, UNKNOWN_CHANNEL | MISSING_ACCESS | MISSING_PERMISSIONS)
}

/// Whether there is nothing any more to edit: what is gone stays gone.
fn is_gone(done: Result<(), Failure>) -> Result<bool, Failure> {
    match done {
        Ok(()) => Ok(false),
        Err(Failure::Refused { code, .. }) if code == UNKNOWN_MESSAGE || is_shut(code) => Ok(true),
        Err(failure) => Err(failure),
    }
}

fn undelivered(failure: Failure) -> Undelivered {
    match failure {
        Failure::Later { after: Some(after), .. } => Undelivered::NotYet { after },
        Failure::Later { after: None, why } => Undelivered::Later { why },
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
