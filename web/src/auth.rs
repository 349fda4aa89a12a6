//! From a key or a cookie to an actor, with a short memory so that each request does not ask the database again.

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, StatusCode, header};
use axum_extra::extract::CookieJar;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use patchbay_core::{
    ids::{KeyId, OrganizationId, SessionId},
    tenancy::{Actor, Scope, hash_secret, store},
};
use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};

use crate::{app::App, extract::Identity, problem::Problem};

/// The cookie of a signed-in browser.
pub(crate) const COOKIE: &str = "patchbay_session";

/// How long a key or a session is believed without asking: as long a revocation in another process may take to be felt.
const MEMORY: Duration = Duration::from_secs(5);
/// How many are remembered.
const CAPACITY: usize = 10_000;

/// Who came in lately, and who tries too often.
pub struct Doors {
    known: Mutex<HashMap<String, (Identity, Instant)>>,
    used: Mutex<HashSet<(OrganizationId, KeyId)>>,
    attempts: DefaultKeyedRateLimiter<String>,
    /// Told when those who stay connected are to be looked at again.
    again: watch::Sender<()>,
    /// Those who are look one after the other: all are told at once, and requests need the database, too.
    turns: Semaphore,
}

impl Default for Doors {
    fn default() -> Self {
        let quota =
            Quota::with_period(Duration::from_secs(6)).expect("six seconds is more than none").allow_burst(NonZeroU32::new(10).expect("ten is not zero"));
        Self { known: Mutex::default(), used: Mutex::default(), attempts: RateLimiter::keyed(quota), again: watch::Sender::default(), turns: Semaphore::new(1) }
    }
}

impl Doors {
    /// Forgets everybody: after a revocation, a sign-out or a change of role.
    pub fn forget(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.again.send_replace(());
    }

    fn find(&self, hash: &str) -> Option<Identity> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(hash).filter(|(_, until)| *until > Instant::now()).map(|(identity, _)| identity.clone())
    }

    fn remember(&self, hash: String, identity: Identity) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CAPACITY {
            let now = Instant::now();
            known.retain(|_, (_, until)| *until > now);
            if known.len() >= CAPACITY {
                known.clear();
            }
        }
        known.insert(hash, (identity, Instant::now() + MEMORY));
    }

    /// One more attempt to sign in, by an address or a link. Refused where there were too many.
    pub fn attempt(&self, who: &str) -> Result<(), Problem> {
        if self.attempts.len() > CAPACITY {
            self.attempts.retain_recent();
        }
        self.attempts.check_key(&who.to_owned()).map_err(|_| Problem::too_many(6))
    }

    /// The keys that were used since the last call.
    pub fn take_used(&self) -> HashSet<(OrganizationId, KeyId)> {
        std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note_use(&self, actor: &Actor) {
        if let Some(key) = actor.key {
            self.used.lock().unwrap_or_else(PoisonError::into_inner).insert((actor.organization, key));
        }
    }
}

/// What somebody showed who stays connected: they are looked at again when somebody was shut out here, and now and then, as that may
/// have happened in another process.
pub(crate) struct Pass {
    shown: HeaderMap,
    again: watch::Receiver<()>,
    is_due: bool,
}

impl Pass {
    pub(crate) fn of(app: &App, headers: &HeaderMap) -> Self {
        let mut shown = HeaderMap::new();
        for name in [header::AUTHORIZATION, header::COOKIE] {
            for value in headers.get_all(&name) {
                shown.append(&name, value.clone());
            }
        }
        Self { shown, again: app.doors.again.subscribe(), is_due: false }
    }

    /// Waits until it was looked at again: who they are now, or why they are not let in any more. Nothing is lost where the waiting is
    /// given up.
    pub(crate) async fn checked(&mut self, app: &App) -> Result<Arc<Actor>, Problem> {
        loop {
            if !self.is_due && self.again.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            self.is_due = true;
            // Apart, so that who only waits has no room for it.
            let identity = Box::pin(async {
                let _turn = app.doors.turns.acquire().await;
                identify(app, &self.shown).await
            })
            .await;
            self.is_due = false;
            match identity {
                Ok(identity) if identity.actor.may(Scope::Read) => return Ok(identity.actor),
                Ok(_) => return Err(Problem::forbidden("This key does not have the scope `read`.")),
                Err(problem) if problem.status == StatusCode::UNAUTHORIZED => return Err(problem),
                Err(problem) => tracing::debug!(problem = problem.detail, "who is connected could not be looked at again; later"),
            }
        }
    }
}

/// Who sends these headers.
pub(crate) async fn identify(app: &App, headers: &HeaderMap) -> Result<Identity, Problem> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = value.to_str().unwrap_or_default();
        let token = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        let Some(token) = token else { return Err(Problem::unauthenticated("The header must be `Authorization: Bearer pb_…`.")) };
        let identity = identify_key(app, token).await?.ok_or_else(|| Problem::unauthenticated("This key is not known, was revoked or has run out."))?;
        app.doors.note_use(&identity.actor);
        return Ok(identity);
    }
    if let Some(cookie) = CookieJar::from_headers(headers).get(COOKIE) {
        return identify_session(app, cookie.value()).await?.ok_or_else(|| Problem::unauthenticated("You are signed out. Sign in again."));
    }
    Err(Problem::unauthenticated("Send an API key as `Authorization: Bearer pb_…`, or sign in."))
}

async fn identify_key(app: &App, token: &str) -> Result<Option<Identity>, Problem> {
    let hash = hash_secret(token);
    if let Some(identity) = app.doors.find(&hash) {
        return Ok(Some(identity));
    }
    let mut tx = app.db.begin_presented(&hash).await?;
    let actor = store::authenticate_key(&mut tx, &hash).await?;
    tx.rollback().await?;
    Ok(actor.map(|actor| {
        let identity = Identity { actor: Arc::new(actor), session: None };
        app.doors.remember(hash, identity.clone());
        identity
    }))
}

async fn identify_session(app: &App, cookie: &str) -> Result<Option<Identity>, Problem> {
    let hash = hash_secret(cookie);
    if let Some(identity) = app.doors.find(&hash) {
        return Ok(Some(identity));
    }
    let mut tx = app.db.begin_presented(&hash).await?;
    let session = store::authenticate_session(&mut tx, &hash).await?;
    tx.rollback().await?;
    Ok(session.map(|session| {
        let identity = identity_of(session);
        app.doors.remember(hash, identity.clone());
        identity
    }))
}

fn identity_of(session: store::Session) -> Identity {
    let id: SessionId = session.id;
    Identity { actor: Arc::new(session.actor), session: Some((id, session.csrf_token)) }
}

/// Now and then looks at those again who stay connected, and writes down which keys were used, once more at the end.
pub(crate) async fn keep_doors(app: App) {
    loop {
        let is_last = tokio::select! {
            () = app.stopping.cancelled() => true,
            () = tokio::time::sleep(Duration::from_secs(30)) => false,
        };
        if !is_last {
            app.doors.again.send_replace(());
        }
        let mut by_organization: HashMap<OrganizationId, Vec<uuid::Uuid>> = HashMap::new();
        for (organization, key) in app.doors.take_used() {
            by_organization.entry(organization).or_default().push(key.0);
        }
        for (organization, keys) in by_organization {
            if let Err(error) = touch(&app, organization, &keys).await {
                tracing::warn!(%error, "the last use of keys could not be written down");
            }
        }
        if is_last {
            return;
        }
    }
}

async fn touch(app: &App, organization: OrganizationId, keys: &[uuid::Uuid]) -> sqlx::Result<()> {
    let mut tx = app.db.begin(organization).await?;
    store::touch_keys(&mut tx, keys, app.ctx.now()).await?;
    tx.commit().await
}
