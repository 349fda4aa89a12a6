//! Sending a message to an endpoint, again and again until it is taken, and what an endpoint's silence means.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use patchbay_core::{
    collab,
    db::{self, Connection, Db},
    ids::{Context, OrganizationId},
    integrations::{
        cursor::Happened,
        outbound::{
            Attempt, Endpoint, Message, State,
            store::{self, NewMessage},
        },
        secret,
    },
    jobs::{self, Failure, Held, Job, NewJob, Work},
    tenancy::Safe,
};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    client::{Answer, Client},
    sign,
};

/// A job of this kind sends a message: `{"message"}`.
pub const SEND: &str = "webhook-out";
/// How long to wait after each failed attempt, in seconds, as the Standard Webhooks specification advises: over three days in all.
pub const WAITS_S: [u64; 9] = [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600];
/// The longest that an endpoint may ask to be left alone.
const MAX_WAIT: Duration = Duration::from_hours(24);
/// Jobs are tried as often as messages are, and some more for what goes wrong here.
const MAX_TRIES: i16 = 100;

/// Sends messages.
pub struct Sender {
    pub db: Db,
    pub ctx: Arc<dyn Context>,
    pub safe: Arc<Safe>,
    pub client: Client,
    /// How long to wait after each failed attempt; after as many and one more a message is given up.
    pub waits: Vec<Duration>,
    /// Told after each commit of an organisation that wrote an event.
    pub committed: Box<dyn Fn(OrganizationId) + Send + Sync>,
}

/// The job that sends a message: without its payload.
fn job() -> NewJob<'static> {
    NewJob { max_attempts: MAX_TRIES, ..NewJob::new(SEND, Value::Null) }
}

fn payload(message: Uuid) -> Value {
    json!({ "message": message })
}

/// Enqueues the job that sends a message again. Whether the message was not waiting to be sent already.
pub async fn resend(conn: &mut Connection, ctx: &dyn Context, organization: OrganizationId, message: Uuid) -> db::Result<bool> {
    if !store::resend(&mut *conn, message).await? {
        return Ok(false);
    }
    jobs::store::enqueue(conn, ctx, organization, &NewJob { payload: payload(message), ..job() }).await?;
    Ok(true)
}

/// The message that tells an endpoint of an event.
pub(super) fn message<'a>(id: Uuid, endpoint: &Endpoint, event: &'a Happened) -> NewMessage<'a> {
    let body = json!({
        "type": event.event,
        "timestamp": event.at,
        "data": { "seq": event.seq, "actor": event.actor, "target": event.target, "details": event.details },
    });
    NewMessage { id, endpoint: endpoint.id, seq: event.seq, event: &event.event, body: body.to_string() }
}

/// What an attempt means for the message.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Delivered,
    /// The endpoint wants no more messages.
    Gone,
    Again(Duration),
    GivenUp,
}

#[async_trait]
impl Work for Sender {
    async fn run(&self, job: &Job, _: &Held) -> Result<Value, Failure> {
        let id: Uuid = serde_json::from_value(job.payload["message"].clone()).map_err(|error| Failure::Never { why: error.to_string() })?;
        let mut tx = self.db.begin(job.organization).await?;
        let Some(message) = store::find_message(&mut tx, id).await?.filter(|message| message.state == State::Waiting) else { return Ok(Value::Null) };
        let Some(endpoint) = store::find(&mut tx, message.endpoint).await? else { return Ok(Value::Null) };
        let secrets = secret::store::open(&mut tx, &self.safe, job.organization, endpoint.id.0).await?;
        tx.rollback().await?;

        let at = self.ctx.now();
        let started = Instant::now();
        let answered = if endpoint.settings.enabled {
            let headers = sign::headers(&message.webhook_id(), at, &message.body, &secrets).map_err(|error| Failure::Never { why: error.to_string() })?;
            self.client.post(&endpoint.settings.url, headers, message.body.clone()).await
        } else {
            Err("the endpoint is switched off".into())
        };
        let verdict = if endpoint.settings.enabled { self.judge(&message, answered.as_ref().ok(), at) } else { Verdict::GivenUp };
        let attempt = Attempt {
            message: id,
            at,
            status: answered.as_ref().ok().and_then(|answer| i16::try_from(answer.status).ok()),
            duration_ms: i32::try_from(started.elapsed().as_millis()).unwrap_or(i32::MAX),
            response: answered.as_ref().map(|answer| answer.body.clone()).unwrap_or_default(),
            problem: problem(&answered),
        };
        self.note(job.organization, &endpoint, &attempt, &verdict).await?;
        match verdict {
            Verdict::Again(after) => Err(Failure::Later { after: Some(after), why: attempt.problem.unwrap_or_default() }),
            Verdict::Delivered | Verdict::Gone | Verdict::GivenUp => Ok(Value::Null),
        }
    }
}

impl Sender {
    fn judge(&self, message: &Message, answer: Option<&Answer>, now: DateTime<Utc>) -> Verdict {
        match answer {
            Some(answer) if (200..300).contains(&answer.status) => return Verdict::Delivered,
            Some(answer) if answer.status == 410 => return Verdict::Gone,
            _ => {}
        }
        let attempt = usize::try_from(message.attempts).unwrap_or_default();
        let Some(wait) = self.waits.get(attempt) else { return Verdict::GivenUp };
        let asked = answer.and_then(|answer| retry_after(answer, now)).unwrap_or_default();
        Verdict::Again(jittered(*wait, message.id).max(asked).min(MAX_WAIT))
    }

    /// Writes an attempt down with what follows from it for the endpoint.
    async fn note(&self, organization: OrganizationId, endpoint: &Endpoint, attempt: &Attempt, verdict: &Verdict) -> Result<(), Failure> {
        let now = self.ctx.now();
        let state = match verdict {
            Verdict::Delivered => State::Delivered,
            Verdict::Again(_) => State::Waiting,
            Verdict::Gone | Verdict::GivenUp => State::Failed,
        };
        let mut tx = self.db.begin(organization).await?;
        store::attempted(&mut tx, self.ctx.as_ref(), organization, attempt, state, now).await?;
        let why = match verdict {
            Verdict::Gone => Some("it answered 410: it wants no more messages"),
            // Nothing else got through either, for as long as this message was tried.
            Verdict::GivenUp
                if endpoint.failing_since.is_some_and(|since| (attempt.at - since).to_std().unwrap_or_default() >= self.waits.iter().sum::<Duration>()) =>
            {
                Some("nothing got through to it for as long as messages are tried")
            }
            _ => None,
        };
        let mut is_disabled = false;
        if let Some(why) = why
            && store::disable(&mut tx, endpoint.id, why, now).await?
        {
            let details = json!({ "endpoint": endpoint.id, "url": endpoint.settings.url, "why": why });
            collab::store::append(&mut tx, organization, now, "webhook.disabled", "patchbay", &endpoint.settings.url, &details).await?;
            is_disabled = true;
        }
        tx.commit().await?;
        if is_disabled {
            (self.committed)(organization);
        }
        Ok(())
    }
}

/// Up to a tenth longer, so that what failed together does not come again together; the same for each message, so that a test holds it.
fn jittered(wait: Duration, message: Uuid) -> Duration {
    let draw = f64::from(u16::try_from(message.as_u128() & 0xffff).unwrap_or_default()) / f64::from(u16::MAX);
    wait.mul_f64(1.0 + draw / 10.0)
}

/// How long an endpoint asks to be left alone: seconds, or a date.
fn retry_after(answer: &Answer, now: DateTime<Utc>) -> Option<Duration> {
    let text = answer.headers.get("retry-after")?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    (DateTime::parse_from_rfc2822(text).ok()?.to_utc() - now).to_std().ok()
}

fn problem(answered: &Result<Answer, String>) -> Option<String> {
    match answered {
        Err(why) => Some(why.clone()),
        Ok(answer) if (200..300).contains(&answer.status) => None,
        Ok(answer) if (300..400).contains(&answer.status) => Some(format!("it answered {}: a redirect is not followed", answer.status)),
        Ok(answer) => Some(format!("it answered {}", answer.status)),
    }
}

/// Stores messages and the jobs that send them.
pub(super) async fn enqueue(conn: &mut Connection, ctx: &dyn Context, organization: OrganizationId, messages: &[NewMessage<'_>]) -> db::Result<()> {
    store::insert_messages(&mut *conn, organization, messages, ctx.now()).await?;
    let payloads: Vec<Value> = messages.iter().map(|message| payload(message.id)).collect();
    jobs::store::enqueue_all(conn, ctx, organization, &job(), &payloads).await
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    fn answer(status: u16, retry_after: &str) -> Answer {
        let mut headers = HeaderMap::new();
        if !retry_after.is_empty() {
            headers.insert("retry-after", retry_after.parse().unwrap());
        }
        Answer { status, headers, body: String::new() }
    }

    #[test]
    fn an_endpoint_says_how_long_to_wait_in_seconds_or_by_a_date() {
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        assert_eq!(retry_after(&answer(503, "120"), now), Some(Duration::from_mins(2)));
        assert_eq!(retry_after(&answer(503, "Sat, 21 Nov 2026 12:01:00 GMT"), now), Some(Duration::from_mins(1)));
        assert_eq!(retry_after(&answer(503, "Sat, 21 Nov 2026 11:01:00 GMT"), now), None);
        assert_eq!(retry_after(&answer(503, "soon"), now), None);
        assert_eq!(retry_after(&answer(503, ""), now), None);
    }

    #[test]
    fn the_advised_attempts_take_over_three_days() {
        assert!(WAITS_S.iter().sum::<u64>() > 3 * 24 * 3600);
        let wait = Duration::from_secs(100);
        assert!((wait..=wait.mul_f64(1.1)).contains(&jittered(wait, Uuid::from_u128(7))));
    }

    #[test]
    fn what_is_no_success_is_told() {
        assert_eq!(problem(&Ok(answer(204, ""))), None);
        assert_eq!(problem(&Ok(answer(302, ""))).as_deref(), Some("it answered 302: a redirect is not followed"));
        assert_eq!(problem(&Ok(answer(500, ""))).as_deref(), Some("it answered 500"));
    }
}
