//! Following the event log: what endpoints and members are to be told, and which triggers are to run.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use chrono::TimeDelta;
use patchbay_core::{
    db::{self, Connection},
    ids::{OrganizationId, TriggerId},
    integrations::{
        cursor::{self, Happened},
        inbound::{self, Delivery},
        is_meant, outbound,
        trigger::{
            self, Outcome, Trigger,
            store::{self, NewRun},
        },
    },
    jobs::{self, NewJob},
};
use serde_json::{Value, json};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{filter::Filter, fire::FIRE, send};
use crate::hub::{Hub, postman::Postman};

/// Other processes write events too; this is how long theirs may take to be seen.
const TICK: Duration = Duration::from_millis(500);
const BATCH: i64 = 200;
/// After something was followed, so long is waited for more: under load many events are one transaction, and whoever is told
/// of the first of them is told at once.
const GATHER: Duration = Duration::from_millis(100);

/// Follows the event log of every organisation. Several processes may: one at a time moves a cursor.
pub struct Follower {
    pub hub: Hub,
    pub postman: Postman,
    /// Told after each commit.
    pub wake: Arc<Notify>,
}

impl Follower {
    /// Begins to follow, from now on, those organisations that are not followed yet.
    pub async fn begin(&self) -> db::Result<Vec<OrganizationId>> {
        let organizations = self.hub.db.organizations().await?;
        for organization in &organizations {
            let mut tx = self.hub.db.begin(*organization).await?;
            cursor::store::begin(&mut tx, *organization).await?;
            tx.commit().await?;
        }
        Ok(organizations)
    }

    /// Follows until the service stops.
    pub async fn run(self) {
        let mut known = HashSet::new();
        loop {
            let followed: db::Result<bool> = async {
                let organizations = self.hub.db.organizations().await?;
                if organizations.iter().any(|organization| !known.contains(organization)) {
                    known.extend(self.begin().await?);
                }
                let mut some = false;
                for organization in organizations {
                    loop {
                        let count = self.step(organization).await?;
                        some |= count > 0;
                        if count < BATCH {
                            break;
                        }
                    }
                }
                Ok(some)
            }
            .await;
            let pause = match followed {
                Ok(true) => GATHER,
                Ok(false) => Duration::ZERO,
                Err(error) => {
                    tracing::warn!(%error, "the event log could not be followed; trying again");
                    GATHER
                }
            };
            let woken = async {
                tokio::time::sleep(pause).await;
                tokio::select! {
                    () = self.wake.notified() => {}
                    () = tokio::time::sleep(TICK) => {}
                }
            };
            tokio::select! {
                () = self.hub.stopping.cancelled() => return,
                () = woken => {}
            }
        }
    }

    /// Reads on in one transaction: how many events, at most [`BATCH`].
    async fn step(&self, organization: OrganizationId) -> db::Result<i64> {
        let mut tx = self.hub.db.begin(organization).await?;
        let events = cursor::store::unread(&mut tx, BATCH).await?;
        let Some(last) = events.last() else {
            tx.rollback().await?;
            return Ok(0);
        };
        let told = self.tell(&mut tx, organization, &events).await?;
        let triggered = self.trigger(&mut tx, organization, &events).await?;
        let written = self.postman.follow(&mut tx, organization, &events).await?;
        cursor::store::advance(&mut tx, last.seq).await?;
        tx.commit().await?;
        if told || triggered || written {
            self.hub.bell.ring();
        }
        Ok(i64::try_from(events.len()).unwrap_or(i64::MAX))
    }

    /// Stores the messages that endpoints are to get. Whether there are any.
    async fn tell(&self, conn: &mut Connection, organization: OrganizationId, events: &[Happened]) -> db::Result<bool> {
        let endpoints = outbound::store::list(&mut *conn).await?;
        let mut messages = Vec::new();
        for event in events {
            let wants =
                |endpoint: &&outbound::Endpoint| endpoint.settings.enabled && endpoint.settings.events.iter().any(|pattern| is_meant(pattern, &event.event));
            messages.extend(endpoints.iter().filter(wants).map(|endpoint| send::message(self.hub.ctx.uuid(), endpoint, event)));
        }
        if messages.is_empty() {
            return Ok(false);
        }
        send::enqueue(conn, self.hub.ctx.as_ref(), organization, &messages).await?;
        Ok(true)
    }

    /// Stores the runs of triggers whose event has come and whose condition holds. Whether there are any.
    async fn trigger(&self, conn: &mut Connection, organization: OrganizationId, events: &[Happened]) -> db::Result<bool> {
        let triggers: Vec<Trigger> = store::list(&mut *conn).await?.into_iter().filter(|trigger| trigger.settings.enabled).collect();
        let meant = |event: &Happened| triggers.iter().any(|trigger| is_meant(&trigger.settings.event, &event.event));
        let events: Vec<&Happened> = events.iter().filter(|event| meant(event)).collect();
        if events.is_empty() {
            return Ok(false);
        }
        let deliveries = deliveries(&mut *conn, &events).await?;
        let now = self.hub.ctx.now();
        let ids: Vec<TriggerId> = triggers.iter().map(|trigger| trigger.id).collect();
        let mut counts: HashMap<TriggerId, i64> = store::count_runs(&mut *conn, &ids, now - TimeDelta::hours(1)).await?.into_iter().collect();
        let mut runs = Vec::new();
        for event in events {
            let document = document(event, &deliveries);
            for trigger in triggers.iter().filter(|trigger| is_meant(&trigger.settings.event, &event.event)) {
                let count = counts.entry(trigger.id).or_default();
                let Some((outcome, why)) = judge(trigger, event, &document, *count) else { continue };
                if outcome == Outcome::Waiting {
                    *count += 1;
                }
                let id = self.hub.ctx.uuid();
                runs.push(NewRun { id, trigger: trigger.id, version: trigger.version, seq: event.seq, event: &event.event, depth: event.depth, outcome, why });
            }
        }
        if runs.is_empty() {
            return Ok(false);
        }
        store::insert_runs(&mut *conn, organization, &runs, now).await?;
        let payloads: Vec<Value> = runs.iter().filter(|run| run.outcome == Outcome::Waiting).map(|run| json!({ "run": run.id })).collect();
        jobs::store::enqueue_all(conn, self.hub.ctx.as_ref(), organization, &NewJob::new(FIRE, Value::Null), &payloads).await?;
        Ok(true)
    }
}

/// What becomes of a trigger for an event that it means; `None` where its condition does not hold.
fn judge(trigger: &Trigger, event: &Happened, document: &Value, count: i64) -> Option<(Outcome, Option<String>)> {
    let trigger::Settings { condition, max_depth, max_per_hour, .. } = &trigger.settings;
    match condition.as_deref().map(Filter::parse) {
        Some(Err(error)) => return Some((Outcome::Failed, Some(error.to_string()))),
        Some(Ok(condition)) if !condition.is_met(document) => return None,
        _ => {}
    }
    Some(if event.depth >= *max_depth {
        (Outcome::Skipped, Some(format!("the event follows from {} triggers one after the other: this looks like a loop", event.depth)))
    } else if count >= i64::from(*max_per_hour) {
        (Outcome::Skipped, Some(format!("it has run {count} times in an hour already")))
    } else {
        (Outcome::Waiting, None)
    })
}

/// The deliveries that events tell of.
pub(super) async fn deliveries(conn: &mut Connection, events: &[&Happened]) -> db::Result<BTreeMap<Uuid, Delivery>> {
    let ids: Vec<Uuid> = events.iter().filter_map(|event| delivery_of(event)).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    Ok(inbound::store::list_by_id(conn, &ids).await?.into_iter().map(|delivery| (delivery.id, delivery)).collect())
}

fn delivery_of(event: &Happened) -> Option<Uuid> {
    event.details.get("delivery")?.as_str()?.parse().ok()
}

/// What a condition and a template see of an event; of one that tells of a delivery also what was delivered.
pub(super) fn document(event: &Happened, deliveries: &BTreeMap<Uuid, Delivery>) -> Value {
    let mut document = json!({ "event": event.event, "at": event.at, "actor": event.actor, "target": event.target, "details": event.details });
    if let Some(delivery) = delivery_of(event).and_then(|id| deliveries.get(&id)) {
        document["headers"] = json!(delivery.headers);
        document["payload"] = serde_json::from_slice(&delivery.body).unwrap_or_default();
    }
    document
}
