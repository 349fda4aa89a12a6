//! `patchbay serve`

use std::io::IsTerminal as _;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use patchbay_core::{
    channel::Channel,
    db::{Db, PoolSize, migrate},
    ids::{Context, System},
    tenancy::store,
};
use secrecy::ExposeSecret;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::EnvFilter;

use super::look;
use crate::{
    address::Left,
    app::App,
    service::{self, Beside, Data, Service},
    settings::{Log, Settings},
};

pub(super) async fn serve(settings: &Settings) -> Result<()> {
    start_log(&settings.log)?;
    let stop = stop_signal()?;
    // Before the database, so that a port that is taken is told at once.
    let listener = TcpListener::bind(settings.server.listen)
        .await
        .with_context(|| format!("cannot listen on {}: take another port with --listen, or stop what uses this one", settings.server.listen))?;
    let address = listener.local_addr()?;
    let local_url = format!("http://{address}");
    let public_url = settings.server.public_url.as_deref().map_or_else(|| local_url.clone(), |url| url.trim_end_matches('/').to_owned());
    let ctx: Arc<dyn Context> = Arc::new(System::default());
    let data = Data::open(settings, Beside::Alone).await?;
    migrate(&data.access).await?;
    let db = Db::open(&data.access, PoolSize { service: 2, reader: 1 });
    let first = service::ensure_first(&db, ctx.as_ref(), &settings.data.dir).await?;
    let link = first_link(&db, ctx.as_ref(), &public_url).await?;
    db.close().await;
    let what = data.what.clone();
    let service = Service::start(settings, ctx, data, public_url.clone()).await?;
    let left = Left::leave(&settings.data.dir, address).context("the address cannot be left in the data directory")?;
    banner(&public_url, link.as_deref(), &what, &service.app, first.owner_key.as_deref());
    let served = service.serve(listener, stop).await;
    drop(left);
    served
}

/// A link for the owner as long as there is no password to sign in with.
async fn first_link(db: &Db, ctx: &dyn Context, public_url: &str) -> Result<Option<String>> {
    let owner = service::owner(db).await?;
    let mut tx = db.begin(owner.organization).await?;
    if store::has_password(&mut tx, owner.member).await? {
        return Ok(None);
    }
    let secret = store::create_link(&mut tx, ctx, owner.organization, owner.member).await?;
    tx.commit().await?;
    Ok(Some(format!("{public_url}/welcome?t={}", secret.text.expose_secret())))
}

fn banner(url: &str, link: Option<&str>, database: &str, app: &App, owner_key: Option<&std::path::Path>) {
    let (planner, channels) = (&app.planner, &app.channels);
    let head = format!("Patchbay {} is ready", env!("CARGO_PKG_VERSION"));
    look::say(&format!("{}      {url}", look::bold(&head)));
    if let Some(link) = link {
        look::say(&format!("Sign in (once, 15 minutes)   {link}"));
    }
    let hint = |text: &str| look::faint(text);
    look::say(&format!("Database   {database:<33} {}", hint("(DATABASE_URL uses yours)")));
    look::say(&format!(
        "Planner    {:<33} {}",
        planner.name,
        hint(if planner.kind == "builtin" { "(OPENAI_API_KEY, or OPENAI_BASE_URL for a local model, adds one)" } else { "" })
    ));
    let named = ["web", "API", "MCP", "terminal"].into_iter().chain(channels.iter().map(|channel| channel.title())).collect::<Vec<_>>().join(", ");
    let others = Channel::ALL.into_iter().filter(|channel| !channels.contains(channel)).map(Channel::title);
    let others = others.chain(["webhooks"]).collect::<Vec<_>>().join(", ");
    look::say(&format!("Channels   {named:<33} {}", hint(&format!("(docs/guides: {others})"))));
    if let Some(path) = owner_key {
        look::say(&format!("API key    {:<33} {}", path.display().to_string(), hint("(the owner's; keep it to yourself)")));
    }
}

pub(super) fn start_log(log: &Log) -> Result<()> {
    // Postgres remarks on every `if not exists`, and on the rollback behind a commit that nobody waited for.
    let filter = EnvFilter::try_new(format!("sqlx::postgres::notice=error,{}", log.level))
        .with_context(|| format!("log.level `{}` is no filter such as `info` or `patchbay_web=debug`", log.level))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    if log.format == "json" {
        builder.json().init();
    } else {
        builder.with_target(false).compact().init();
    }
    Ok(())
}

/// Ctrl-C, or the supervisor's SIGTERM.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
