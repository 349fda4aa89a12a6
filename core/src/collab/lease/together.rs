//! Leases that are asked for at the same time are taken together: in one statement, with one wait for the disk.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Semaphore, oneshot};
use tracing::Instrument as _;

use super::{Acquired, Ask, Lease, Resource, store};
use crate::{
    db::{self, Db},
    ids::{Context, LockId},
    tenancy::Actor,
};

/// The most that are taken in one statement: an event's seq has room for 512 of a transaction.
const TOGETHER: usize = 64;
/// How many statements are under way: while one waits for the disk, the other is worked at.
const AT_ONCE: usize = 2;

/// Those who ask for leases.
pub struct Leases {
    db: Db,
    ctx: Arc<dyn Context>,
    waiting: Arc<Mutex<Vec<Waiting>>>,
    turns: Arc<Semaphore>,
}

struct Waiting {
    wish: Wish,
    answer: oneshot::Sender<sqlx::Result<Option<Acquired>>>,
}

/// What somebody asks for.
pub(super) struct Wish {
    pub(super) actor: Actor,
    pub(super) lock: LockId,
    pub(super) resource: Resource,
    pub(super) holder: String,
    pub(super) ttl_seconds: i32,
    pub(super) waits: bool,
    pub(super) is_claim: bool,
}

impl Wish {
    const fn ask(&self) -> Ask<'_> {
        Ask { holder: self.holder.as_str(), ttl_seconds: self.ttl_seconds, waits: self.waits, is_claim: self.is_claim }
    }
}

impl Leases {
    pub fn new(db: Db, ctx: Arc<dyn Context>) -> Self {
        Self { db, ctx, waiting: Arc::default(), turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Takes a resource, or says who is in the way.
    pub async fn acquire(&self, actor: &Actor, resource: &Resource, ask: Ask<'_>) -> sqlx::Result<Acquired> {
        let lock = LockId(self.ctx.uuid());
        if !db::is_held() {
            let Ask { holder, ttl_seconds, waits, is_claim } = ask;
            let wish = Wish { actor: actor.clone(), lock, resource: resource.clone(), holder: holder.to_owned(), ttl_seconds, waits, is_claim };
            let (answer, answered) = oneshot::channel();
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(Waiting { wish, answer });
            let (db, waiting, turns) = (self.db.clone(), self.waiting.clone(), self.turns.clone());
            // Not in the request itself: it may be dropped by who asked, and others wait for the same statement.
            let turn = async move {
                // Each who waits has asked for a turn: so nobody is left over.
                let _turn = turns.acquire().await;
                take(&db, next(&waiting)).await;
            };
            tokio::spawn(turn.in_current_span());
            if let Some(acquired) = answered.await.map_err(|_| sqlx::Error::WorkerCrashed)?? {
                return Ok(acquired);
            }
        }
        store::acquire(&self.db, actor, lock, resource, ask, None).await
    }
}

/// Those of one organisation who have waited longest, without those who have gone.
fn next(waiting: &Mutex<Vec<Waiting>>) -> Vec<Waiting> {
    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    waiting.retain(|one| !one.answer.is_closed());
    let Some(organization) = waiting.first().map(|one| one.wish.actor.organization) else { return Vec::new() };
    let mut count = 0;
    waiting
        .extract_if(.., |one| {
            let is_next = one.wish.actor.organization == organization && count < TOGETHER;
            count += usize::from(is_next);
            is_next
        })
        .collect()
}

/// Takes what is free of what is asked for. The others are answered `None`: they ask alone.
async fn take(db: &Db, mut waiting: Vec<Waiting>) {
    let Some(last) = waiting.pop() else { return };
    let organization = last.wish.actor.organization;
    if waiting.is_empty() {
        let Wish { actor, lock, resource, .. } = &last.wish;
        let acquired = store::acquire(db, actor, *lock, resource, last.wish.ask(), None).await;
        return last.answer(acquired.map(Some));
    }
    waiting.push(last);
    let wishes: Vec<&Wish> = waiting.iter().map(|one| &one.wish).collect();
    match store::acquire_all(db, organization, &wishes).await {
        Ok(taken) => {
            let mut taken: HashMap<LockId, Lease> = taken.into_iter().map(|lease| (lease.lock_id, lease)).collect();
            for one in waiting {
                let acquired = taken.remove(&one.wish.lock).map(Acquired::Taken);
                one.answer(Ok(acquired));
            }
        }
        // Nothing was taken. What is wrong with one is not to harm the others.
        Err(sqlx::Error::Database(_)) => waiting.into_iter().for_each(|one| one.answer(Ok(None))),
        Err(error) => waiting.into_iter().for_each(|one| one.answer(Err(db::same(&error)))),
    }
}

impl Waiting {
    /// Who asked may have gone.
    fn answer(self, acquired: sqlx::Result<Option<Acquired>>) {
        let _ = self.answer.send(acquired);
    }
}
