//! `patchbay mcp`: the tools for a program that starts us and speaks over standard input and output.

use std::sync::Arc;

use anyhow::Result;
use secrecy::SecretString;

use super::{
    say::identity,
    serve::{start_log, stop_signal},
};
use crate::{
    mcp,
    service::{self, Beside, Data, Service},
    settings::Settings,
};

/// Serves until the client closes its side. With a key it may what the key may; without one it is the owner, as is whoever can read
/// the data directory.
pub(super) async fn mcp(settings: &Settings, key: Option<SecretString>) -> Result<()> {
    start_log(&settings.log)?;
    let stop = stop_signal()?;
    let data = Data::open(settings, Beside::Shared).await?;
    let ctx: Arc<dyn patchbay_core::ids::Context> = Arc::new(patchbay_core::ids::System::default());
    let url = crate::address::url(settings);
    let service = Service::start(settings, ctx.clone(), data, url).await?;
    service::ensure_first(&service.app.db, ctx.as_ref(), &settings.data.dir).await?;
    let identity = identity(&service.app, key).await?;
    let done = tokio::select! {
        done = mcp::serve_stdio(&service.app, identity) => done,
        () = stop => Ok(()),
    };
    service.end().await;
    done
}
