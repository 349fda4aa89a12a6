//! Taking deliveries in: who sends, whether it is true, and then durably down, many in one statement where many come at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use patchbay_core::{
    db::{self, Db},
    ids::{Context, OrganizationId},
    integrations::{
        inbound::{
            Headers, NewDelivery, Source,
            store::{self},
        },
        secret,
    },
    jobs::Bell,
    tenancy::Safe,
};
use secrecy::SecretString;
use serde::de::IgnoredAny;
use tokio::{sync::oneshot, time::Instant};

use super::{delivery, verify};

/// How long a source is believed without asking: as long a change by another process may take to be felt.
const MEMORY: Duration = Duration::from_secs(5);
/// How many sources are remembered.
const CAPACITY: usize = 1000;
/// How many statements are under way at once, and how many deliveries one takes.
const WRITERS: usize = 2;
const BATCH: usize = 64;

/// Why a delivery is not taken.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    #[error("there is no such source, or it is switched off")]
    NoSource,
    #[error(transparent)]
    Refused(#[from] verify::Refused),
    /// Why. It is kept among the deliveries, and nothing comes of it.
    #[error("the body is not JSON: {0}")]
    Malformed(#[source] serde_json::Error),
    #[error("the database failed")]
    Database(#[from] db::Error),
}

/// Takes deliveries in. Cheap to clone.
#[derive(Clone)]
pub struct Intake(Arc<Parts>);

struct Parts {
    db: Db,
    ctx: Arc<dyn Context>,
    safe: Arc<Safe>,
    bell: Bell,
    known: Mutex<HashMap<String, (Arc<Known>, Instant)>>,
    queue: Mutex<Queue>,
}

/// A source and the secrets of it that count.
struct Known {
    source: Source,
    secrets: Vec<SecretString>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Pending>,
    writers: usize,
}

struct Pending {
    organization: OrganizationId,
    delivery: NewDelivery,
    taken: oneshot::Sender<bool>,
}

impl Intake {
    pub fn new(db: Db, ctx: Arc<dyn Context>, safe: Arc<Safe>, bell: Bell) -> Self {
        Self(Arc::new(Parts { db, ctx, safe, bell, known: Mutex::default(), queue: Mutex::default() }))
    }

    /// Forgets what it knows of sources: after one was changed.
    pub fn forget(&self) {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Takes a delivery in. What is answered by `Ok` is not lost and has one effect; `false`: it had come before.
    pub async fn take(&self, address: &str, headers: Headers, body: Vec<u8>) -> Result<bool, IntakeError> {
        let known = self.find(address).await?;
        let settings = &known.source.settings;
        let now = self.0.ctx.now();
        verify::verify(settings.kind, &settings.scheme, &known.secrets, &headers, &body, now)?;
        let is_json = serde_json::from_slice::<IgnoredAny>(&body);
        let new = NewDelivery {
            id: self.0.ctx.uuid(),
            source: known.source.id,
            key: delivery::key(settings.kind, &settings.scheme, &headers, &body),
            headers: delivery::without_secrets(settings.kind, &settings.scheme, headers),
            body,
            at: now,
        };
        // The writer logged why, where there is no answer.
        let is_new = self.write(known.source.organization, new).await.map_err(|_| db::Error::WorkerCrashed)?;
        is_json.map(|_| is_new).map_err(IntakeError::Malformed)
    }

    async fn find(&self, address: &str) -> Result<Arc<Known>, IntakeError> {
        if address.len() != 32 || !address.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(IntakeError::NoSource);
        }
        let now = Instant::now();
        if let Some((known, _)) = self.0.known.lock().unwrap_or_else(PoisonError::into_inner).get(address).filter(|(_, until)| *until > now) {
            return Ok(known.clone());
        }
        let mut tx = self.0.db.begin_presented(address).await?;
        let source = store::at_address(&mut tx, address).await?.filter(|source| source.settings.enabled).ok_or(IntakeError::NoSource)?;
        let secrets = secret::store::open(&mut tx, &self.0.safe, source.organization, source.id.0).await?;
        tx.rollback().await?;
        let known = Arc::new(Known { source, secrets });
        let mut all = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= CAPACITY {
            all.clear();
        }
        all.insert(address.to_owned(), (known.clone(), now + MEMORY));
        Ok(known)
    }

    /// Waits until a delivery is durable.
    fn write(&self, organization: OrganizationId, delivery: NewDelivery) -> oneshot::Receiver<bool> {
        let (taken, answer) = oneshot::channel();
        let mut queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.waiting.push(Pending { organization, delivery, taken });
        if queue.writers < WRITERS {
            queue.writers += 1;
            let intake = self.clone();
            // In a task of its own: who hangs up takes nothing away from the others.
            tokio::spawn(async move { intake.drain().await });
        }
        answer
    }

    /// Writes until nothing waits. What comes while a statement is under way goes into the next one together.
    async fn drain(&self) {
        loop {
            let batch: Vec<Pending> = {
                let mut queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
                if queue.waiting.is_empty() {
                    queue.writers -= 1;
                    return;
                }
                let size = queue.waiting.len().min(BATCH);
                queue.waiting.drain(..size).collect()
            };
            let mut by_organization: HashMap<OrganizationId, Vec<(NewDelivery, oneshot::Sender<bool>)>> = HashMap::new();
            for Pending { organization, delivery, taken } in batch {
                by_organization.entry(organization).or_default().push((delivery, taken));
            }
            for (organization, pending) in by_organization {
                let (deliveries, taken): (Vec<_>, Vec<_>) = pending.into_iter().unzip();
                match store::receive(&self.0.db, organization, &deliveries).await {
                    Ok(new) => {
                        self.0.bell.ring();
                        for (delivery, taken) in deliveries.iter().zip(taken) {
                            // Who hung up comes again.
                            let _ = taken.send(new.contains(&delivery.id));
                        }
                    }
                    Err(error) => tracing::error!(%error, "deliveries could not be stored; their senders are told to come again"),
                }
            }
        }
    }
}
