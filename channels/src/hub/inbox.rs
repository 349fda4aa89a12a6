//! What comes in on a channel: stored, then identified, admitted, and made a command.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use patchbay_core::{
    audit,
    channel::{
        Channel, Envelope, link, received,
        store::{self, Address},
    },
    command::{Reply, store as commands},
    db::{self, Tx},
    ids::{JobId, OrganizationId},
    jobs::{self, Failure, Held, Job, Work},
    tenancy::{Actor, Scopes},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Hub,
    grammar::{self, Command, Parsed},
    limits::{MOST_WAITING, behind},
    replies,
    thread::{self, Gathered},
};
use crate::adapter::{Adapter, Unread};

/// How often a thread is tried to be read before whoever asks for it is told that it cannot be.
const TRIES: i16 = 5;

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
    /// Read the threads that are asked for.
    pub adapters: Vec<Arc<dyn Adapter>>,
}

#[derive(Deserialize)]
struct Which {
    channel: String,
    key: String,
    /// Where it was put off: the job that it came with, by which it has its turn.
    turn: Option<JobId>,
}

#[async_trait]
impl Work for Inbox {
    async fn run(&self, job: &Job, _: &Held) -> Result<Value, Failure> {
        let which: Which = serde_json::from_value(job.payload.clone()).map_err(|error| Failure::Never { why: error.to_string() })?;
        let mut tx = self.hub.db.begin(job.organization).await?;
        let Some(envelope) = store::lock_envelope(&mut tx, &which.channel, &which.key).await? else { return Ok(Value::Null) };
        let settings = store::settings(&mut tx, envelope.channel.into()).await?;
        let who = link::identify(&mut tx, self.hub.ctx.as_ref(), job.organization, envelope.channel, &envelope.sender, settings.trust_email).await?;
        let queue = store::Queue { channel: envelope.channel, sender: &envelope.sender.id, turn: which.turn.unwrap_or(job.id) };
        let (waiting, elders) = store::in_line(&mut tx, job.organization, queue).await?;
        // Nobody overtakes what they said before.
        let wait = match elders {
            // A thread that could not be read at once was counted when it was first tried.
            _ if envelope.around.is_some() && job.attempt > 1 => None,
            0 => {
                let gate = self.hub.limits.gate(job.organization, envelope.channel.into(), &settings);
                gate.admit(&envelope.sender.id).map(|over| over.wait)
            }
            elders => Some(behind(elders, &settings)),
        };
        match (who, wait) {
            (who, Some(wait)) if which.turn.is_none() && waiting >= MOST_WAITING => {
                let wait = wait.max(behind(waiting, &settings));
                self.note(&mut tx, job.organization, who.as_ref(), &envelope, (wait, "turned_away")).await?;
                self.say(&mut tx, job.organization, &envelope, &replies::too_many(wait)).await?;
                store::turned_away(&mut tx, &envelope).await?;
            }
            (who, Some(wait)) => {
                if which.turn.is_none() {
                    self.note(&mut tx, job.organization, who.as_ref(), &envelope, (wait, "put_off")).await?;
                    self.say(&mut tx, job.organization, &envelope, &replies::waits_its_turn(wait)).await?;
                }
                store::put_off(&mut tx, self.hub.ctx.as_ref(), job.organization, &envelope, queue.turn, wait).await?;
            }
            (Some(actor), None) if envelope.around.is_some() => return self.gather(tx, job, &envelope, &actor).await,
            (Some(_), None) if thread::is_asked(&envelope.text) => return self.turn_away(tx, job, &envelope, &replies::no_thread(envelope.channel)).await,
            (Some(actor), None) => return self.take(tx, job, &envelope, &actor, None).await,
            (None, None) => {
                let reply = self.introduce(&mut tx, job.organization, &envelope).await?;
                return self.turn_away(tx, job, &envelope, &reply).await;
            }
        }
        self.end(tx, job).await
    }
}

impl Inbox {
    /// Answers what came in, and makes no command of it.
    async fn turn_away(&self, mut tx: Tx, job: &Job, envelope: &Envelope, reply: &Reply) -> Result<Value, Failure> {
        self.say(&mut tx, job.organization, envelope, reply).await?;
        store::took(&mut tx, envelope, None).await?;
        self.end(tx, job).await
    }

    /// Reads the thread that a known person asks for, and makes a command of what was said in it. No transaction is open meanwhile, so that all that is
    /// known of it is looked at again.
    async fn gather(&self, tx: Tx, job: &Job, envelope: &Envelope, actor: &Actor) -> Result<Value, Failure> {
        tx.commit().await?;
        let around = envelope.around.as_ref().unwrap_or(&Value::Null);
        let read = match self.adapters.iter().find(|adapter| adapter.channel() == envelope.channel) {
            Some(adapter) => adapter.thread(job.organization, around).await,
            None => Err(Unread::Never { why: format!("{} is not connected: its settings are missing", envelope.channel.title()) }),
        };
        let mut tx = self.hub.db.begin(job.organization).await?;
        if store::lock_envelope(&mut tx, envelope.channel.as_str(), &envelope.key).await?.is_none() {
            return Ok(Value::Null);
        }
        let is_asked = thread::is_asked(&envelope.text);
        let reply = match read {
            // What was pointed at is no thread: it is planned as what it is.
            Ok(thread) if thread.posts.len() < 2 && !is_asked => return self.take(tx, job, envelope, actor, None).await,
            Ok(thread) => {
                let handles = store::handles(&mut tx, envelope.channel, &thread::people(&thread)).await?;
                match thread::gathered(&thread, &handles) {
                    Some(gathered) => return self.take(tx, job, envelope, actor, Some(&gathered)).await,
                    None => replies::no_thread(envelope.channel),
                }
            }
            Err(Unread::Later { after, why }) if job.attempt < TRIES => return Err(Failure::Later { after, why }),
            Err(Unread::Later { why, .. } | Unread::Never { why }) => {
                tracing::warn!(why, channel = envelope.channel.as_str(), "a thread could not be read");
                replies::thread_unread(&why)
            }
        };
        self.turn_away(tx, job, envelope, &reply).await
    }

    /// Makes a command of what a known person wrote, or of the thread that they asked for, and begins to run it.
    async fn take(&self, mut tx: Tx, job: &Job, envelope: &Envelope, actor: &Actor, thread: Option<&Gathered>) -> Result<Value, Failure> {
        let (conversation, topic) = store::conversation(&mut tx, self.hub.ctx.as_ref(), job.organization, envelope).await?;
        let channel = envelope.channel.as_str();
        let client_id = format!("{channel}:{}", envelope.key);
        // Who is not sure to be who they say may propose, and nothing more.
        let actor = Actor { scopes: actor.scopes.and(Scopes::trusted(envelope.trust)), ..actor.clone() };
        let new = commands::NewCommand {
            conversation,
            origin: channel,
            client_id: Some(&client_id),
            text: thread.map_or(&envelope.text, |thread| &thread.text),
            topic,
            on_proposal: None,
            trust: envelope.trust,
            shown: envelope.shown.as_deref(),
            from_thread: thread.map(|thread| &thread.from),
            reply_to: Some((channel, &envelope.address)),
            request_hash: None,
        };
        let (id, is_new) = commands::insert(&mut tx, self.hub.ctx.as_ref(), &actor, &new).await?;
        if is_new {
            received::store::insert(&mut tx, self.hub.ctx.as_ref(), job.organization, id, &envelope.attached).await?;
        }
        store::took(&mut tx, envelope, Some(id)).await?;
        if self.close(tx, job).await? {
            // Should this process die now, the command is taken up by another.
            self.hub.start(job.organization, id);
        }
        Err(Failure::Over)
    }

    /// Ends the job with all that was done for it: the worker has nothing to end any more.
    async fn end(&self, tx: Tx, job: &Job) -> Result<Value, Failure> {
        self.close(tx, job).await?;
        Err(Failure::Over)
    }

    /// Whether the job was still ours to end.
    async fn close(&self, mut tx: Tx, job: &Job) -> db::Result<bool> {
        if !jobs::store::finish(&mut tx, job).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        tx.commit().await?;
        self.hub.bell.ring();
        Ok(true)
    }

    /// Answers where something came from, to whoever wrote it.
    async fn say(&self, conn: &mut db::Connection, organization: OrganizationId, envelope: &Envelope, reply: &Reply) -> db::Result<()> {
        let to = Address { channel: envelope.channel, thread: &envelope.thread, address: &envelope.address };
        store::send(conn, self.hub.ctx.as_ref(), organization, &to, reply, None, None).await.map(drop)
    }

    /// Notes that somebody said more than is taken at a time, and what became of it.
    async fn note(
        &self,
        conn: &mut db::Connection,
        organization: OrganizationId,
        who: Option<&Actor>,
        envelope: &Envelope,
        (wait, outcome): (Duration, &str),
    ) -> db::Result<()> {
        let details = json!({ "channel": envelope.channel, "sender": envelope.sender.id, "seconds": wait.as_secs(), "outcome": outcome });
        let (ctx, channel) = (self.hub.ctx.as_ref(), envelope.channel.as_str());
        match who {
            Some(actor) => audit::store::append(conn, ctx, actor, "channel.limited", channel, &details).await,
            None => audit::store::append_unknown(conn, ctx, organization, "channel.limited", channel, &details).await,
        }
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
