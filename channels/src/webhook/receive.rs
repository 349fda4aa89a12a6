//! Working on a delivery: it becomes an event, and what its source makes of it.

use async_trait::async_trait;
use patchbay_core::{
    collab,
    integrations::inbound::{
        Outcome,
        store::{self, Ended},
    },
    jobs::{self, Failure, Held, Job, Work},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    make::{self, Made},
    submit::{self, Submission},
};
use crate::hub::Hub;

/// A job of this kind works on a delivery: `{"delivery"}`.
pub const RECEIVE: &str = "webhook-in";

/// Works on deliveries.
pub struct Receiver {
    pub hub: Hub,
}

#[async_trait]
impl Work for Receiver {
    async fn run(&self, job: &Job, _: &Held) -> Result<Value, Failure> {
        let id: Uuid = serde_json::from_value(job.payload["delivery"].clone()).map_err(|error| Failure::Never { why: error.to_string() })?;
        let mut tx = self.hub.db.begin(job.organization).await?;
        let Some(delivery) = store::find_delivery(&mut tx, id).await?.filter(|delivery| delivery.outcome == Outcome::Waiting) else { return Ok(Value::Null) };
        let Some(source) = store::find(&mut tx, delivery.source).await? else { return Ok(Value::Null) };
        let now = self.hub.ctx.now();
        let (event, made) = make::of_delivery(&source, &delivery.headers, &delivery.body);
        let details = json!({ "source": source.settings.name, "kind": source.settings.kind, "event": event, "delivery": id });
        collab::store::append(&mut tx, job.organization, now, "webhook.received", &source.member, &source.settings.name, &details).await?;
        let mut command = None;
        let (outcome, why, text) = match made {
            Err(why) => (Outcome::Failed, Some(why), None),
            Ok(Made::Nothing(why)) => (Outcome::Ignored, Some(why.to_owned()), None),
            Ok(Made::Text { text, makes }) => {
                let cause = format!("delivery:{id}");
                let submission = Submission {
                    organization: job.organization,
                    member: source.settings.member,
                    project: source.settings.project,
                    text: &text,
                    makes,
                    origin: "webhook",
                    cause: &cause,
                    depth: 0,
                };
                command = submit::store(&self.hub, &mut tx, &submission).await?;
                match command {
                    Some(_) => (Outcome::Submitted, None, Some(text)),
                    None => (Outcome::Failed, Some(submit::gone(&source.member)), Some(text)),
                }
            }
        };
        let ended = Ended { event: &event, outcome, why: why.as_deref(), text: text.as_deref(), command };
        store::finish(&mut tx, id, &ended, now).await?;
        if !jobs::store::finish(&mut tx, job).await? {
            tx.rollback().await?;
            return Err(Failure::Over);
        }
        tx.commit().await?;
        (self.hub.committed)(job.organization);
        // Should this process die now, the command is taken up by another.
        if let Some(command) = command {
            self.hub.start(job.organization, command);
        }
        Err(Failure::Over)
    }
}
