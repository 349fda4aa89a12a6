//! Running a trigger: its template makes a command or a message of the event.

use async_trait::async_trait;
use patchbay_core::{
    db::{Connection, Result as Stored},
    integrations::{
        cursor,
        trigger::{
            Outcome, Run, Trigger,
            store::{self, Ended},
        },
    },
    jobs::{self, Failure, Held, Job, Work},
};
use serde_json::Value;
use uuid::Uuid;

use super::{
    follow,
    make::{self, Made},
    submit::{self, Submission},
};
use crate::hub::Hub;

/// A job of this kind runs a trigger: `{"run"}`.
pub const FIRE: &str = "trigger";

/// Runs triggers.
pub struct Firing {
    pub hub: Hub,
}

#[async_trait]
impl Work for Firing {
    async fn run(&self, job: &Job, _: &Held) -> Result<Value, Failure> {
        let id: Uuid = serde_json::from_value(job.payload["run"].clone()).map_err(|error| Failure::Never { why: error.to_string() })?;
        let mut tx = self.hub.db.begin(job.organization).await?;
        let Some(run) = store::find_run(&mut tx, id).await?.filter(|run| run.outcome == Outcome::Waiting) else { return Ok(Value::Null) };
        let mut command = None;
        let (outcome, why, text) = match self.made(&mut tx, &run).await? {
            Err((outcome, why)) => (outcome, Some(why), None),
            Ok((trigger, text)) => {
                let cause = format!("trigger:{id}");
                let submission = Submission {
                    organization: job.organization,
                    member: trigger.settings.member,
                    project: trigger.settings.project,
                    text: &text,
                    makes: trigger.settings.makes,
                    origin: "trigger",
                    cause: &cause,
                    depth: run.depth + 1,
                };
                command = submit::store(&self.hub, &mut tx, &submission).await?;
                match command {
                    Some(_) => (Outcome::Submitted, None, Some(text)),
                    None => (Outcome::Failed, Some(submit::gone(&trigger.member)), Some(text)),
                }
            }
        };
        let ended = Ended { outcome, why: why.as_deref(), text: text.as_deref(), command };
        store::finish_run(&mut tx, id, &ended, self.hub.ctx.now()).await?;
        if !jobs::store::finish(&mut tx, job).await? {
            tx.rollback().await?;
            return Err(Failure::Over);
        }
        tx.commit().await?;
        if let Some(command) = command {
            self.hub.start(job.organization, command);
        }
        Err(Failure::Over)
    }
}

impl Firing {
    /// The text that the trigger makes of its event; else what became of the run, and why.
    async fn made(&self, conn: &mut Connection, run: &Run) -> Stored<Result<(Trigger, String), (Outcome, String)>> {
        let skipped = |why: &str| Ok(Err((Outcome::Skipped, why.to_owned())));
        match store::find(&mut *conn, run.trigger).await? {
            Some(now) if now.settings.enabled => {}
            _ => return skipped("it was switched off"),
        }
        let (Some(trigger), Some(event)) = (store::version_of(&mut *conn, run).await?, cursor::store::find(&mut *conn, run.seq).await?) else {
            return skipped("what it was to run for is gone");
        };
        let deliveries = follow::deliveries(conn, &[&event]).await?;
        let document = follow::document(&event, &deliveries);
        Ok(match make::make(None, &trigger.settings.template, trigger.settings.makes, &document) {
            Err(why) => Err((Outcome::Failed, why)),
            Ok(Made::Nothing(why)) => Err((Outcome::Skipped, why.to_owned())),
            Ok(Made::Text { text, .. }) => Ok((trigger, text)),
        })
    }
}
