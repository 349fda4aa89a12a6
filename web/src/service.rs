//! From settings to a running service, and from there to an orderly end.

use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use axum::Router;
use patchbay_agent::planner::Planner;
use patchbay_channels::{
    adapter::Adapter,
    email,
    hub::{self, Hub, Runs, inbox::Inbox, limits::Limits, outbox::Outbox, postman::Postman, schedule::Scheduled},
    webhook::{client::Client, intake::Intake},
};
use patchbay_core::{
    audit, channel,
    collab::retention,
    db::{
        self, Access, Db, PoolSize,
        embedded::{self, Discovery, Installation, Server},
    },
    documents::{self, files::Files},
    idempotency,
    ids::{Context, OrganizationId},
    integrations,
    jobs::{self, Bell, Kind, Workers, schedule, variant},
    notify,
    tenancy::{
        Actor, Safe, Scopes,
        store::{self, NewKey},
    },
    workflow::snapshot,
};
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    api,
    app::{App, Parts, PlannerInfo},
    auth, console,
    live::Live,
    mcp, platforms,
    settings::{Role, Settings},
    webhooks,
};

/// How long what runs may take to end when the service stops.
const GRACE: Duration = Duration::from_secs(8);

/// A database that can be used, and the Postgres behind it where it is ours.
pub struct Data {
    pub access: Access,
    /// Ours to stop.
    pub server: Option<Server>,
    /// What it is and why, for people.
    pub what: String,
    pub why: String,
}

/// How long messages are kept that came in and went out, so that what comes again is known.
const KEPT: chrono::TimeDelta = chrono::TimeDelta::days(8);

/// How many messages are being sent at once: most of them wait for their turn or for an answer.
const SENDING: usize = 64;

/// Who may use the data directory beside us.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// Nobody: the service itself.
    Alone,
    /// A command works beside a running service.
    Shared,
}

impl Data {
    /// Finds the database that the settings mean, and starts one where none is given.
    pub async fn open(settings: &Settings, beside: Beside) -> Result<Self> {
        if let Some(url) = &settings.database.url {
            let options: sqlx::postgres::PgConnectOptions =
                url.expose_secret().parse().context("DATABASE_URL is no address of a Postgres (postgres://user:password@host/database)")?;
            let access = Access::prepare(options).await?;
            let what = if access.has_roles() { "yours (DATABASE_URL)" } else { "yours (DATABASE_URL), without roles of its own" };
            return Ok(Self { access, server: None, what: what.into(), why: "DATABASE_URL is set".into() });
        }
        let dir = &settings.data.dir;
        if beside == Beside::Shared
            && let Some(address) = embedded::attach(dir).await?
        {
            let access = Access::prepare_own(&address).await?;
            return Ok(Self {
                access,
                server: None,
                what: format!("that of the Patchbay running on {}", dir.display()),
                why: "it holds the data directory".into(),
            });
        }
        let installation = discover(settings)?;
        let server = Server::start(dir, &installation, &embedded::Options::default()).await?;
        let access = Access::prepare_own(server.address()).await?;
        let what = format!("its own Postgres {} in {}", installation.major, dir.display());
        Ok(Self { access, server: Some(server), what, why: installation.why })
    }

    /// Stops the Postgres that was started.
    pub async fn close(self) {
        if let Some(server) = self.server {
            server.stop().await;
        }
    }
}

/// The Postgres binaries that would be used.
pub fn discover(settings: &Settings) -> Result<Installation> {
    let discovery =
        Discovery { data_dir: settings.data.dir.clone(), bin: settings.postgres.bin.clone(), npm_dirs: vec![PathBuf::from("target/postgres/node_modules")] };
    Ok(embedded::discover(&discovery)?)
}

/// What the first start made.
pub struct First {
    pub organization: OrganizationId,
    /// Where the owner's key was written, where this start was the first.
    pub owner_key: Option<PathBuf>,
}

/// Makes the organisation and its owner on an empty database, and writes the owner's key beside the data.
pub async fn ensure_first(db: &Db, ctx: &dyn Context, data_dir: &Path) -> Result<First> {
    if let Some(organization) = db.organizations().await?.first() {
        return Ok(First { organization: *organization, owner_key: None });
    }
    let organization = OrganizationId(ctx.uuid());
    let mut tx = db.begin(organization).await?;
    let Some(owner) = store::create_first(&mut tx, ctx, organization, "Patchbay").await? else {
        tx.rollback().await?;
        let organization = *db.organizations().await?.first().context("another process made the first organisation, which is not there")?;
        return Ok(First { organization, owner_key: None });
    };
    let key = NewKey { member: owner, name: "owner.key", scopes: Scopes::of(patchbay_core::patch::process::Role::Owner), project: None, expires_at: None };
    let (_, secret) = store::create_key(&mut tx, ctx, organization, &key).await?;
    // Before the commit: a key that is written and not known is made again, one that is known and not written would be lost.
    let path = data_dir.join("owner.key");
    write_secret(&path, secret.text.expose_secret()).with_context(|| format!("cannot write {}", path.display()))?;
    tx.commit().await?;
    Ok(First { organization, owner_key: Some(path) })
}

fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    let beside = path.with_extension("key.new");
    let _ = fs::remove_file(&beside);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// The owner as whom the program's own commands act: whoever can read the data directory is the owner.
pub async fn owner(db: &Db) -> Result<Actor> {
    let organization = *db.organizations().await?.first().context("the database is empty: start `patchbay serve` once")?;
    let mut tx = db.begin(organization).await?;
    let owner = store::first_owner(&mut tx).await?.context("the organisation has no owner")?;
    let actor = store::act_as(&mut tx, organization, owner.id).await?.context("the owner is no longer a member")?;
    tx.rollback().await?;
    Ok(actor)
}

/// A running service.
pub struct Service {
    pub app: App,
    pub data: Data,
    tracker: TaskTracker,
    /// Whether it answers requests.
    is_web: bool,
}

/// What works the queue.
fn workers(app: &App, settings: &Settings, adapters: Vec<Arc<dyn Adapter>>) -> Result<Workers> {
    let (db, ctx) = (app.db.clone(), app.ctx.clone());
    let inbox = Inbox { hub: app.hub.clone(), adapters: adapters.clone() };
    let outbox = Outbox { db: db.clone(), ctx: ctx.clone(), adapters };
    let workers = Workers::new(db, ctx, app.bell.clone())
        .kind(Kind::new(channel::INBOX), Arc::new(inbox))
        .kind(Kind { concurrency: SENDING, ..Kind::new(channel::DELIVER) }, Arc::new(outbox))
        .kind(Kind::new(schedule::KIND), Arc::new(Scheduled { hub: app.hub.clone() }));
    Ok(webhooks::kinds(crate::tools::kinds(workers, app, settings)?, app, &settings.webhooks))
}

/// Mail, where the settings have it: it speaks for the first organisation.
async fn mail(settings: &Settings, hub: &Hub, files: &Files) -> Result<Option<email::Connected>> {
    let Some(organization) = hub.db.organizations().await?.first().copied() else { return Ok(None) };
    email::connect(&settings.email, hub, files, organization).await.context("the settings of e-mail")
}

/// The planner that the settings ask for.
pub fn planner(settings: &Settings) -> Result<(Arc<dyn Planner>, PlannerInfo)> {
    let (planner, kind) = crate::planner::choose(&settings.model)?;
    let info = PlannerInfo { kind, name: planner.name().to_owned() };
    Ok((planner, info))
}

impl Service {
    /// Opens the database, brings the schema up to date, and starts what runs beside requests.
    pub async fn start(settings: &Settings, ctx: Arc<dyn Context>, data: Data, public_url: String) -> Result<Self> {
        db::migrate(&data.access).await?;
        let connections = settings.database.connections.max(2);
        let db = Db::open(&data.access, PoolSize { service: connections, reader: connections.div_ceil(4) });
        if data.server.is_some() {
            // The database was down until now: who held a command is dead, and it need not wait for the claim to run out.
            for organization in db.organizations().await? {
                let mut tx = db.begin(organization).await?;
                patchbay_core::command::store::release_all(&mut tx).await?;
                idempotency::store::release_all(&mut tx).await?;
                tx.commit().await?;
            }
            jobs::store::give_all_back(&db).await?;
        }
        // Before anything is told: on a server that a copy was restored on, it would come before what was told already.
        look_after_events(&data.access, settings.events.keep_days, ctx.as_ref()).await;
        let tracker = TaskTracker::new();
        let stopping = CancellationToken::new();
        let bell = Bell::default();
        let live = Live::new(db.clone(), bell.clone(), tracker.clone(), stopping.clone());
        let (planner, info) = planner(settings)?;
        let waking = live.clone();
        let ringing = bell.clone();
        let hub = Hub::new(hub::Parts {
            db: db.clone(),
            ctx: ctx.clone(),
            planner,
            committed: Box::new(move |organization| {
                waking.wake(organization);
                ringing.ring();
            }),
            bell: bell.clone(),
            public_url: public_url.clone(),
            tracker: tracker.clone(),
            stopping: stopping.clone(),
            runs: Runs::default(),
            limits: Limits::default(),
        });
        let safe = Arc::new(Safe::open_or_create(&settings.data.dir.join("secrets.key"))?);
        let (platforms, mut adapters) = platforms::connect(settings, &db, &safe, &public_url)?;
        let mut receiver = None;
        let files = Files::open(&settings.files, &settings.data.dir).context("the settings of files")?;
        if let Some(mail) = mail(settings, &hub, &files).await? {
            adapters.extend(mail.speaker.map(|speaker| -> Arc<dyn Adapter> { speaker }));
            receiver = mail.receiver;
        }
        let intake = Intake::new(db.clone(), ctx.clone(), safe.clone(), bell.clone());
        let app = App::new(Parts {
            safe,
            intake,
            client: Client::new(settings.webhooks.allow_private)?,
            lanes: patchbay_core::workflow::Lanes::new(db.clone(), ctx.clone()),
            leases: patchbay_core::collab::lease::Leases::new(db.clone(), ctx.clone()),
            db,
            ctx,
            hub,
            live,
            bell,
            platforms,
            files,
            doors: auth::Doors::default(),
            trees: patchbay_core::workflow::Trees::default(),
            metrics: crate::metrics::Metrics::default(),
            receipts: crate::receipts::Receipts::default(),
            public_url,
            planner: info,
            channels: adapters.iter().map(|adapter| adapter.channel()).collect(),
            stopping,
        });
        tracker.spawn(auth::keep_doors(app.clone()));
        tracker.spawn(keep_house(app.clone()));
        tracker.spawn(crate::reclaim::reclaim(app.clone()));
        tracker.spawn(keep_events(app.clone(), data.access.clone(), settings.events.keep_days));
        tracker.spawn(keep_snapshots(app.clone()));
        tracker.spawn(keep_sealed(app.clone()));
        tracker.spawn(keep_deadlines(app.clone()));
        let hub = app.hub.clone();
        tracker.spawn(async move { hub.take_over().await });
        let carrying = app.clone();
        tracker.spawn(async move {
            let heard = |organization| carrying.live.heard(organization);
            carrying.bell.carry(&carrying.db, carrying.ctx.uuid(), &carrying.stopping, heard).await;
        });
        if settings.server.has(Role::Worker) {
            let postman = Postman { hub: app.hub.clone(), adapters: adapters.as_slice().into() };
            let follower = webhooks::follower(&app, postman.clone());
            // Before anything can happen that somebody is to hear of.
            follower.begin().await?;
            tracker.spawn(follower.run());
            tracker.spawn(postman.run());
            tracker.spawn(crate::schedules::keep(app.clone()));
            let workers = workers(&app, settings, adapters)?;
            tracker.spawn(workers.run(app.stopping.clone()));
        }
        if settings.server.has(Role::Channels) {
            app.platforms.listen(&app.hub).await?;
            if let Some(receiver) = receiver {
                tracker.spawn(receiver.run());
            }
        }
        Ok(Self { app, data, tracker, is_web: settings.server.has(Role::Web) })
    }

    /// The routes of the API and the console; of a process that has another role, those that tell how it is.
    pub fn router(&self) -> Router {
        let router = if self.is_web {
            api::router(&self.app).merge(mcp::router(&self.app)).fallback(console::serve)
        } else {
            api::health_router().fallback(api::no_role)
        };
        api::surround(router, &self.app).with_state(self.app.clone())
    }

    /// Ends in order a service that did not listen.
    pub async fn end(self) {
        self.app.stopping.cancel();
        self.tracker.close();
        let _ = tokio::time::timeout(GRACE, self.tracker.wait()).await;
        self.app.db.close().await;
        self.data.close().await;
    }

    /// Serves until `stop` says so, then ends in order within ten seconds.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let router = self.router();
        let Self { app, data, tracker, .. } = self;
        let stopping = app.stopping.clone();
        let told = stopping.clone();
        // Made ready once: a router that is served as it is makes all its routes anew for each connection, which holds 260 KiB for them.
        let router = router.into_make_service();
        let mut serving = tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(told.cancelled_owned()).await });
        let postgres_ended = async {
            match &data.server {
                Some(server) => server.ended().await,
                None => std::future::pending().await,
            }
        };
        let broken = tokio::select! {
            () = stop => None,
            status = postgres_ended => Some(format!("the embedded Postgres ended by itself ({status}); its log is postgres.log in the data directory")),
            served = &mut serving => Some(format!("the server ended: {served:?}")),
        };
        stopping.cancel();
        tracker.close();
        // Requests that wait for a planner get their answer from the row when they ask again.
        let ended = tokio::time::timeout(GRACE, async {
            tracker.wait().await;
            if !serving.is_finished() {
                let _ = (&mut serving).await;
            }
        });
        if ended.await.is_err() {
            tracing::warn!("something did not end in time and was cut off; what was acknowledged is in the database");
            serving.abort();
        }
        app.db.close().await;
        data.close().await;
        if let Some(what) = broken {
            bail!(what);
        }
        Ok(())
    }
}

/// Drops what is only kept for a while.
async fn keep_house(app: App) {
    loop {
        let swept: sqlx::Result<()> = async {
            for organization in app.db.organizations().await? {
                let mut tx = app.db.begin(organization).await?;
                let now = app.ctx.now();
                idempotency::store::sweep(&mut tx, now).await?;
                channel::store::sweep(&mut tx, now - KEPT, now).await?;
                channel::mail::store::sweep(&mut tx, now - KEPT * 4).await?;
                channel::malformed::store::sweep(&mut tx, now - KEPT * 4).await?;
                schedule::store::sweep(&mut tx, now - KEPT * 4).await?;
                variant::store::sweep(&mut tx, now - KEPT * 4).await?;
                let files = documents::store::sweep(&mut tx, now, now - KEPT * 4).await?;
                jobs::store::sweep(&mut tx, organization, now - KEPT * 4).await?;
                integrations::sweep(&mut tx, now).await?;
                notify::store::sweep(&mut tx, now - KEPT * 8).await?;
                tx.commit().await?;
                for file in files {
                    if let Err(error) = app.files.delete(organization, &file).await {
                        tracing::warn!(%error, file, "a file that nothing names any more could not be dropped");
                    }
                }
            }
            Ok(())
        }
        .await;
        if let Err(error) = swept {
            tracing::warn!(%error, "what is too old could not be dropped; trying again later");
        }
        tokio::select! {
            () = app.stopping.cancelled() => return,
            () = tokio::time::sleep(Duration::from_hours(1)) => {}
        }
    }
}

/// Begins a part of the log of events each month, and drops those that are too old.
async fn keep_events(app: App, access: Access, keep_days: Option<u32>) {
    loop {
        tokio::select! {
            () = app.stopping.cancelled() => return,
            () = tokio::time::sleep(Duration::from_hours(1)) => {}
        }
        look_after_events(&access, keep_days, app.ctx.as_ref()).await;
    }
}

async fn look_after_events(access: &Access, keep_days: Option<u32>, ctx: &dyn Context) {
    match retention::keep(access, keep_days, ctx.now()).await {
        Ok(kept) if kept == retention::Kept::default() => {}
        Ok(kept) => tracing::info!(begun = kept.begun, dropped = ?kept.dropped, "the log of events was looked after"),
        Err(error) => tracing::warn!(%error, "the log of events could not be looked after; trying again later"),
    }
}

/// Reminds people of proposals, and lets them expire, as the policy says: in days, so that an hour more does not matter.
async fn keep_deadlines(app: App) {
    loop {
        let kept: sqlx::Result<()> = async {
            for organization in app.db.organizations().await? {
                app.hub.watch_deadlines(organization).await?;
            }
            Ok(())
        }
        .await;
        if let Err(error) = kept {
            tracing::warn!(%error, "the deadlines of proposals could not be looked at; trying again later");
        }
        tokio::select! {
            () = app.stopping.cancelled() => return,
            () = tokio::time::sleep(Duration::from_hours(1)) => {}
        }
    }
}

/// Seals the audit trail behind those who write it.
async fn keep_sealed(app: App) {
    loop {
        let sealed: sqlx::Result<()> = async {
            for organization in app.db.organizations().await? {
                if let Some(receipt) = audit::seal(&app.db, app.ctx.as_ref(), organization).await? {
                    app.receipts.note(organization, receipt);
                }
            }
            Ok(())
        }
        .await;
        if let Err(error) = sealed {
            tracing::warn!(%error, "the audit trail could not be sealed; trying again");
        }
        tokio::select! {
            () = app.stopping.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
}

/// Keeps old versions cheap to read.
async fn keep_snapshots(app: App) {
    loop {
        let kept: sqlx::Result<()> = tokio::select! {
            () = app.stopping.cancelled() => return,
            kept = async {
                for organization in app.db.organizations().await? {
                    snapshot::keep(&app.db, app.ctx.as_ref(), organization).await?;
                }
                Ok(())
            } => kept,
        };
        if let Err(error) = kept {
            tracing::warn!(%error, "snapshots could not be taken; old versions are read more slowly until they are");
        }
        tokio::select! {
            () = app.stopping.cancelled() => return,
            () = tokio::time::sleep(Duration::from_mins(1)) => {}
        }
    }
}
