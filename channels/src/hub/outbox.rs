//! What goes out on a channel: each message as it is to stand there now, and again when its proposal becomes something else.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use patchbay_core::{
    channel::{DELIVER, Outgoing, Sending, store},
    db::{self, Db},
    ids::{Context, MessageId, OrganizationId},
    jobs::{self, Failure, Held, Job, NewJob, URGENT, Work},
    review::{self, Proposal, Revision, State, view::hex},
};
use serde::Deserialize;
use serde_json::Value;

use super::replies;
use crate::{
    adapter::{Adapter, Delivered, Delivery, Shows, Undelivered},
    render::card::Card,
};

/// How often a proposal may change under a message while it is sent before the rest is left to the next job.
const LOOKS: usize = 4;

/// How long a turn is waited for where one stands; who waits longer makes room for others.
const PATIENCE: Duration = Duration::from_secs(4);
/// About how long a message is waited for that is to come before another of its conversation, and for how many at most.
const TURN: Duration = Duration::from_millis(250);
const MANY: u32 = 120;
/// How the mark of a message begins that says how far its command is.
const WORKING: &str = "working.";

/// Sends messages and edits them.
pub struct Outbox {
    pub db: Db,
    pub ctx: Arc<dyn Context>,
    pub adapters: Vec<Arc<dyn Adapter>>,
}

#[derive(Deserialize)]
struct Which {
    message: MessageId,
}

/// A message and what it is to show.
struct Look {
    outgoing: Outgoing,
    proposal: Option<Shown>,
    /// How many older ones of the conversation wait.
    elders: i64,
}

struct Shown {
    proposal: Proposal,
    revision: Revision,
    digest: String,
    is_superseded: bool,
}

impl Look {
    /// Names what is to be shown: while it is the same there is nothing to do.
    fn mark(&self) -> String {
        if let Some(changes) = self.outgoing.working {
            return format!("{WORKING}{changes}");
        }
        let Some(shown) = self.proposal.as_ref() else { return String::new() };
        let state = if shown.proposal.state == State::Open && shown.is_superseded { "superseded" } else { shown.proposal.state.as_str() };
        format!("{state}.{}", shown.proposal.revision)
    }

    fn is_done(&self) -> bool {
        self.outgoing.state == Sending::Sent && self.outgoing.part.is_none() && self.outgoing.shows.as_deref().unwrap_or_default() == self.mark()
    }

    /// How long the others of the conversation that wait may take to be sent.
    fn wait(&self) -> Option<Duration> {
        let elders = u32::try_from(self.elders).unwrap_or(u32::MAX).min(MANY);
        (elders > 0).then(|| TURN * elders)
    }
}

#[async_trait]
impl Work for Outbox {
    async fn run(&self, job: &Job, held: &Held) -> Result<Value, Failure> {
        let which: Which = serde_json::from_value(job.payload.clone()).map_err(|error| Failure::Never { why: error.to_string() })?;
        let (mut looks, mut patience) = (0, PATIENCE);
        while looks < LOOKS {
            let Some(look) = self.look(job.organization, which.message).await? else { return Ok(Value::Null) };
            if look.is_done() {
                return Ok(Value::Null);
            }
            let mark = look.mark();
            let delivered = match look.wait() {
                Some(after) => Err(Undelivered::NotYet { after }),
                None => self.deliver(&look, &mark).await,
            };
            if let Err(Undelivered::NotYet { after }) = delivered {
                let Some(left) = patience.checked_sub(after) else { return self.put_off(job, which.message, after).await };
                patience = left;
                tokio::time::sleep(after).await;
                continue;
            }
            let mut tx = self.db.begin(job.organization).await?;
            match &delivered {
                Ok(Delivered::Whole(sent)) => {
                    store::was_sent(&mut tx, which.message, sent, Some(mark.as_str()).filter(|mark| !mark.is_empty()), self.ctx.now()).await?;
                    looks += 1;
                }
                Ok(Delivered::Part(sent)) => store::was_begun(&mut tx, which.message, sent, &mark).await?,
                Ok(Delivered::Nothing) | Err(Undelivered::NotYet { .. }) => {}
                Err(Undelivered::Later { why }) => store::was_put_off(&mut tx, which.message, why).await?,
                Err(Undelivered::Never { why }) => store::was_given_up(&mut tx, which.message, why).await?,
            }
            tx.commit().await?;
            match delivered {
                Ok(Delivered::Nothing) => return Ok(Value::Null),
                // Its proposal may have changed meanwhile, and another job may have sent an older state over a newer: so look again.
                Ok(Delivered::Whole(_) | Delivered::Part(_)) | Err(Undelivered::NotYet { .. }) => {}
                Err(Undelivered::Later { why }) => {
                    held.say(why.clone());
                    return Err(Failure::Later { after: None, why });
                }
                Err(Undelivered::Never { why }) => return Err(Failure::Never { why }),
            }
        }
        Ok(Value::Null)
    }
}

impl Outbox {
    /// Ends the job and has another go on after a while: to wait for one's turn is no failed try, and holds nobody else up.
    async fn put_off(&self, job: &Job, message: MessageId, after: Duration) -> Result<Value, Failure> {
        let mut tx = self.db.begin(job.organization).await?;
        if !jobs::store::finish(&mut tx, job).await? {
            tx.rollback().await?;
            return Err(Failure::Over);
        }
        let key = message.to_string();
        let again = NewJob {
            priority: URGENT,
            run_at: Some(self.ctx.now() + after),
            unique_key: Some(&key),
            max_attempts: job.max_attempts - job.attempt + 1,
            ..NewJob::new(DELIVER, job.payload.clone())
        };
        jobs::store::enqueue(&mut tx, self.ctx.as_ref(), job.organization, &again).await?;
        tx.commit().await?;
        Err(Failure::Over)
    }

    async fn look(&self, organization: OrganizationId, id: MessageId) -> db::Result<Option<Look>> {
        let mut tx = self.db.snapshot(organization).await?;
        let Some(outgoing) = store::find_outgoing(&mut tx, id).await? else { return Ok(None) };
        let found = match outgoing.proposal {
            Some(number) => review::store::find(&mut tx, number).await?,
            None => None,
        };
        let proposal = match found {
            None => None,
            Some(proposal) => {
                let revision = review::store::revision(&mut tx, proposal.id, proposal.revision).await?;
                let is_superseded = store::is_superseded(&mut tx, &outgoing).await?;
                Some(Shown { digest: hex(&revision.digest), proposal, revision, is_superseded })
            }
        };
        let is_new = outgoing.state == Sending::Waiting && outgoing.sent.is_none() && outgoing.working.is_none();
        let elders = if is_new { store::elders(&mut tx, &outgoing).await? } else { 0 };
        tx.rollback().await?;
        Ok(Some(Look { outgoing, proposal, elders }))
    }

    async fn deliver(&self, look: &Look, mark: &str) -> Result<Delivered, Undelivered> {
        let outgoing = &look.outgoing;
        let Some(adapter) = self.adapters.iter().find(|adapter| adapter.channel() == outgoing.channel) else {
            // Another process may have them, or this one after a restart: so it is tried again as when the platform is away.
            return Err(Undelivered::Later { why: format!("{} is not connected here: its settings are missing", outgoing.channel.title()) });
        };
        let line;
        let shows = match &look.proposal {
            None if outgoing.working.is_some() => Shows::Working,
            None => Shows::Nothing,
            Some(shown) => {
                let card = Card {
                    number: shown.proposal.number,
                    revision: shown.proposal.revision,
                    digest: &shown.digest,
                    title: &shown.proposal.title,
                    author: &shown.proposal.author,
                    trust: shown.proposal.trust,
                    diff: &shown.revision.diff,
                    conflicts: &shown.revision.conflicts,
                };
                match shown.proposal.state {
                    State::Open | State::Draft if shown.is_superseded => Shows::Superseded(card),
                    State::Open | State::Draft => Shows::Open(card),
                    _ => {
                        line = replies::decided(&shown.proposal, shown.revision.diff.entries.len());
                        Shows::Decided(card, &line)
                    }
                }
            }
        };
        let reply = replies::with_receipt(&outgoing.reply);
        let delivery = Delivery {
            organization: outgoing.organization,
            id: outgoing.id,
            address: &outgoing.address,
            sent: outgoing.sent.as_ref(),
            is_begun: outgoing.part.as_deref() == Some(mark),
            was_working: outgoing.shows.as_deref().is_some_and(|shows| shows.starts_with(WORKING)),
            reply: &reply,
            shows,
            // What is said to somebody whose words did not become a command.
            is_private: outgoing.command.is_none() && outgoing.proposal.is_none(),
        };
        adapter.deliver(&delivery).await
    }
}
