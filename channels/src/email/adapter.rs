//! Speaks by mail: every message is a mail in its thread, and what changes later is another one.

use std::sync::Arc;

use async_trait::async_trait;
use patchbay_core::{
    channel::{Channel, mail::store},
    command::Reply,
    db::Db,
    ids::{Context, OrganizationId},
};
use serde_json::{Value, json};

use super::{
    send::{Sender, Unsent},
    thread::{Showed, Threads},
    write::{Address, Writer},
};
use crate::{
    adapter::{Adapter, Delivered, Delivery, Direct, Shows, Thread, Undelivered, Unread},
    pace::Pace,
    render::{card::Card, email},
};

/// The adapter.
pub struct Speaker {
    pub(super) db: Db,
    pub(super) ctx: Arc<dyn Context>,
    pub(super) writer: Writer,
    pub(super) sender: Sender,
    /// The mails that its server takes.
    pub(super) pace: Pace,
    pub(super) threads: Arc<Threads>,
    /// Where people reach the console, without a slash at the end.
    pub(super) public_url: String,
}

#[async_trait]
impl Adapter for Speaker {
    fn channel(&self) -> Channel {
        Channel::Email
    }

    async fn deliver(&self, delivery: &Delivery<'_>) -> Result<Delivered, Undelivered> {
        let address: Address = serde_json::from_value(delivery.address.clone()).map_err(|error| never(format!("its address cannot be read: {error}")))?;
        let before = delivery.sent.and_then(|sent| sent["message_id"].as_str());
        let (reply, card) = match (delivery.shows, delivery.sent) {
            (Shows::Working, _) => return Ok(Delivered::Nothing),
            (Shows::Nothing, _) | (Shows::Superseded(_), None) => (delivery.reply.clone(), None),
            (Shows::Open(card), None) => (delivery.reply.clone(), Some(card)),
            (Shows::Open(card), Some(_)) => (Reply::new(format!("#{} is another one now.", card.number)), Some(card)),
            (Shows::Decided(_, line), None) => (Reply::new(format!("{}\n\n{line}.", delivery.reply.text)), None),
            // The thread has a later mail with it.
            (Shows::Superseded(_), Some(sent)) => return Ok(Delivered::Whole(sent.clone())),
            (Shows::Decided(card, line), Some(sent)) => {
                if self.is_told(delivery, &address, &card).await? {
                    return Ok(Delivered::Whole(sent.clone()));
                }
                (Reply::new(format!("#{}: {line}.", card.number)), None)
            }
        };
        let showed = card.map(|card| Showed { number: card.number, revision: card.revision });
        let message_id = self.threads.message_id(delivery.id.0, &address.thread, showed, &address.to);
        let link = card.map(|card| format!("{}/proposals/{}", self.public_url, card.number));
        let mail = email::answer(&reply, card.as_ref(), link.as_deref());
        let written = self.writer.write(&address.after(before), &message_id, mail, self.ctx.now()).map_err(|error| never(format!("{error:#}")))?;
        self.pace.take("").map_err(|after| Undelivered::NotYet { after })?;
        match self.sender.send(&written).await {
            Ok(()) => Ok(Delivered::Whole(json!({ "message_id": message_id }))),
            Err(error @ (Unsent::Later(_) | Unsent::Untrusted(_))) => Err(Undelivered::Later { why: chain(&error) }),
            Err(error @ Unsent::Never(_)) => Err(never(chain(&error))),
        }
    }

    /// A mail brings its thread with it.
    async fn thread(&self, _: OrganizationId, around: &Value) -> Result<Thread, Unread> {
        let posts = serde_json::from_value(around.clone()).map_err(|error| Unread::Never { why: format!("it is nothing that a mail quotes ({error})") })?;
        Ok(Thread { posts, is_cut: false })
    }

    fn direct(&self, external_id: &str, about: &str) -> Direct {
        let address = Address::first(external_id, about);
        Direct { thread: address.thread.clone(), address: json!(address) }
    }
}

impl Speaker {
    /// Whether the answer to the decision went into the same thread.
    async fn is_told(&self, delivery: &Delivery<'_>, address: &Address, card: &Card<'_>) -> Result<bool, Undelivered> {
        let asked = async {
            let mut tx = self.db.read(delivery.organization).await?;
            let is_told = store::is_told(&mut tx, delivery.id.0, &address.thread, card.number).await?;
            tx.rollback().await?;
            Ok::<_, patchbay_core::db::Error>(is_told)
        };
        asked.await.map_err(|error| Undelivered::Later { why: error.to_string() })
    }
}

fn never(why: String) -> Undelivered {
    Undelivered::Never { why }
}

fn chain(error: &Unsent) -> String {
    let source = std::error::Error::source(error).map_or_else(String::new, |source| format!(": {source}"));
    format!("{error}{source}")
}
