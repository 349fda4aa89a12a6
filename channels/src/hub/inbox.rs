//! What comes in on a channel: stored, then identified, admitted, and made a command.

use async_trait::async_trait;
use patchbay_core::{
    audit,
    channel::{
        Channel, Envelope, link, received,
        store::{self, Address},
    },
    command::{Reply, store as commands},
    db::{self, Tx},
    ids::OrganizationId,
    jobs::{self, Failure, Held, Job, Work},
    tenancy::{Actor, Scopes},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Hub,
    grammar::{self, Command, Parsed},
    replies,
};

impl Hub {
    /// Stores what came in. What is answered by `Ok` is not lost and has one effect; `false`: it had come before.
    pub async fn receive(&self, organization: OrganizationId, envelope: &Envelope) -> db::Result<bool> {
        let mut tx = self.db.begin(organization).await?;
        let is_new = store::receive(&mut tx, self.ctx.as_ref(), organization, envelope).await?;
        tx.commit().await?;
        if is_new {
            self.bell.ring();
        }
        Ok(is_new)
    }
}

/// Handles what came in.
pub struct Inbox {
    pub hub: Hub,
}

#[derive(Deserialize)]
struct Which {
    channel: String,
    key: String,
}

#[async_trait]
impl Work for Inbox {
    async fn run(&self, job: &Job, _: &Held) -> Result<Value, Failure> {
        let which: Which = serde_json::from_value(job.payload.clone()).map_err(|error| Failure::Never { why: error.to_string() })?;
        let mut tx = self.hub.db.begin(job.organization).await?;
        let Some(envelope) = store::lock_envelope(&mut tx, &which.channel, &which.key).await? else { return Ok(Value::Null) };
        let settings = store::settings(&mut tx, envelope.channel.into()).await?;
        let who = link::identify(&mut tx, self.hub.ctx.as_ref(), job.organization, envelope.channel, &envelope.sender, settings.trust_email).await?;
        let over = self.hub.limits.gate(job.organization, envelope.channel.into(), &settings).admit(&envelope.sender.id);
        let reply = match (who, over) {
            (who, Some(over)) => {
                if over.is_first {
                    let details = json!({ "channel": envelope.channel, "sender": envelope.sender.id, "seconds": over.wait.as_secs() });
                    let ctx = self.hub.ctx.as_ref();
                    match &who {
                        Some(actor) => audit::store::append(&mut tx, ctx, actor, "channel.limited", envelope.channel.as_str(), &details).await?,
                        None => audit::store::append_unknown(&mut tx, ctx, job.organization, "channel.limited", envelope.channel.as_str(), &details).await?,
                    }
                }
                over.is_first.then(|| replies::too_many(over.wait))
            }
            (Some(actor), None) => return self.take(tx, job, &envelope, &actor).await,
            (None, None) => Some(self.introduce(&mut tx, job.organization, &envelope).await?),
        };
        if let Some(reply) = reply {
            let to = Address { channel: envelope.channel, thread: &envelope.thread, address: &envelope.address };
            store::send(&mut tx, self.hub.ctx.as_ref(), job.organization, &to, &reply, None, None).await?;
        }
        store::took(&mut tx, &envelope, None).await?;
        self.end(tx, job).await
    }
}

impl Inbox {
    /// Makes a command of what a known person wrote, and begins to run it.
    async fn take(&self, mut tx: Tx, job: &Job, envelope: &Envelope, actor: &Actor) -> Result<Value, Failure> {
        let (conversation, topic) = store::conversation(&mut tx, self.hub.ctx.as_ref(), job.organization, envelope).await?;
        let channel = envelope.channel.as_str();
        let client_id = format!("{channel}:{}", envelope.key);
        // Who is not sure to be who they say may propose, and nothing more.
        let actor = Actor { scopes: actor.scopes.and(Scopes::trusted(envelope.trust)), ..actor.clone() };
        let new = commands::NewCommand {
            conversation,
            origin: channel,
            client_id: Some(&client_id),
            text: &envelope.text,
            topic,
            on_proposal: None,
            trust: envelope.trust,
            shown: envelope.shown.as_deref(),
            reply_to: Some((channel, &envelope.address)),
            request_hash: None,
        };
        let (id, is_new) = commands::insert(&mut tx, self.hub.ctx.as_ref(), &actor, &new).await?;
        if is_new {
            received::store::insert(&mut tx, self.hub.ctx.as_ref(), job.organization, id, &envelope.attached).await?;
        }
        store::took(&mut tx, envelope, Some(id)).await?;
        self.end(tx, job).await?;
        // Should this process die now, the command is taken up by another.
        self.hub.start(job.organization, id);
        Err(Failure::Over)
    }

    /// Ends the job with all that was done for it.
    async fn end(&self, mut tx: Tx, job: &Job) -> Result<Value, Failure> {
        if !jobs::store::finish(&mut tx, job).await? {
            tx.rollback().await?;
            return Err(Failure::Over);
        }
        tx.commit().await?;
        self.hub.bell.ring();
        Ok(Value::Null)
    }

    /// Answers somebody whom the organisation does not know yet: their code pairs them, or they get one.
    async fn introduce(&self, conn: &mut db::Connection, organization: OrganizationId, envelope: &Envelope) -> db::Result<Reply> {
        let ctx = self.hub.ctx.as_ref();
        let (channel, sender): (Channel, _) = (envelope.channel, &envelope.sender);
        if let Parsed::Command(Command::Link { code: Some(code) }) = grammar::parse(&envelope.text, &[]) {
            return Ok(match link::said_on_channel(conn, ctx, organization, channel, sender, &code).await? {
                Some(actor) => replies::linked(&actor.handle, channel),
                None => replies::no_such_code(),
            });
        }
        let code = link::make(conn, ctx, organization, link::Maker::Sender(channel, sender)).await?;
        Ok(replies::introduce_yourself(channel, &code, &self.hub.public_url))
    }
}
