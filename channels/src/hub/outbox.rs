//! What goes out on a channel: each message as it is to stand there now, and again when its proposal becomes something else.

use std::sync::Arc;

use async_trait::async_trait;
use patchbay_core::{
    channel::{Outgoing, store},
    db::{self, Db},
    ids::{Context, MessageId, OrganizationId},
    jobs::{Failure, Held, Job, Work},
    review::{self, Proposal, Revision, State, view::hex},
};
use serde::Deserialize;
use serde_json::Value;

use super::replies;
use crate::{
    adapter::{Adapter, Delivery, Shows, Undelivered},
    render::card::Card,
};

/// How often a proposal may change under a message while it is sent before the rest is left to the next job.
const LOOKS: usize = 4;

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
}

struct Shown {
    proposal: Proposal,
    revision: Revision,
    digest: String,
    is_superseded: bool,
}

impl Look {
    /// Names what is to be shown: while it is the same there is nothing to do.
    fn mark(&self) -> Option<String> {
        let shown = self.proposal.as_ref()?;
        let state = if shown.proposal.state == State::Open && shown.is_superseded { "superseded" } else { shown.proposal.state.as_str() };
        Some(format!("{state}.{}", shown.proposal.revision))
    }

    fn is_done(&self) -> bool {
        self.outgoing.sent.is_some() && self.outgoing.shows == self.mark()
    }
}

#[async_trait]
impl Work for Outbox {
    async fn run(&self, job: &Job, held: &Held) -> Result<Value, Failure> {
        let which: Which = serde_json::from_value(job.payload.clone()).map_err(|error| Failure::Never { why: error.to_string() })?;
        for _ in 0..LOOKS {
            let Some(look) = self.look(job.organization, which.message).await? else { return Ok(Value::Null) };
            if look.is_done() {
                return Ok(Value::Null);
            }
            match self.deliver(&look).await {
                Ok(sent) => {
                    let mut tx = self.db.begin(job.organization).await?;
                    store::was_sent(&mut tx, which.message, &sent, look.mark().as_deref(), self.ctx.now()).await?;
                    tx.commit().await?;
                }
                Err(Undelivered::Later { after, why }) => {
                    held.say(why.clone());
                    return Err(Failure::Later { after, why });
                }
                Err(Undelivered::Never { why }) => {
                    let mut tx = self.db.begin(job.organization).await?;
                    store::was_given_up(&mut tx, which.message, &why).await?;
                    tx.commit().await?;
                    return Err(Failure::Never { why });
                }
            }
            // Its proposal may have changed meanwhile, and another job may have sent an older state over a newer: so look again.
        }
        Ok(Value::Null)
    }
}

impl Outbox {
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
        tx.rollback().await?;
        Ok(Some(Look { outgoing, proposal }))
    }

    async fn deliver(&self, look: &Look) -> Result<Value, Undelivered> {
        let outgoing = &look.outgoing;
        let Some(adapter) = self.adapters.iter().find(|adapter| adapter.channel() == outgoing.channel) else {
            return Err(Undelivered::Never { why: format!("{} is not connected: its settings are missing", outgoing.channel.title()) });
        };
        let line;
        let shows = match &look.proposal {
            None => Shows::Nothing,
            Some(shown) => {
                let card = Card {
                    number: shown.proposal.number,
                    revision: shown.proposal.revision,
                    digest: &shown.digest,
                    title: &shown.proposal.title,
                    author: &shown.proposal.author,
                    diff: &shown.revision.diff,
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
            reply: &reply,
            shows,
            // What is said to somebody whose words did not become a command.
            is_private: outgoing.command.is_none() && outgoing.proposal.is_none(),
        };
        adapter.deliver(&delivery).await
    }
}
