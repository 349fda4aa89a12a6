//! What the commands that need the data have in common, and the smallest of them.

use anyhow::Result;
use patchbay_core::{
    db::{self, Db, PoolSize},
    ids::System,
    tenancy::store,
};
use secrecy::ExposeSecret;

use super::look;
use crate::{
    address,
    service::{self, Beside, Data},
    settings::Settings,
};

/// The data, open beside a running service or alone, with the schema up to date and an organisation in it.
pub(super) struct Open {
    pub(super) db: Db,
    pub(super) ctx: System,
    data: Data,
}

impl Open {
    pub(super) async fn new(settings: &Settings) -> Result<Self> {
        let data = Data::open(settings, Beside::Shared).await?;
        db::migrate(&data.access).await?;
        let db = Db::open(&data.access, PoolSize { service: 4, reader: 2 });
        let ctx = System::default();
        service::ensure_first(&db, &ctx, &settings.data.dir).await?;
        Ok(Self { db, ctx, data })
    }

    pub(super) async fn close(self) {
        self.db.close().await;
        self.data.close().await;
    }
}

/// `patchbay migrate`
pub(super) async fn migrate(settings: &Settings) -> Result<()> {
    let data = Data::open(settings, Beside::Shared).await?;
    let count = db::migrate(&data.access).await?;
    look::say(&format!("The schema is up to date ({count} migration{}).", if count == 1 { "" } else { "s" }));
    data.close().await;
    Ok(())
}

/// `patchbay sign-in`
pub(super) async fn sign_in(settings: &Settings) -> Result<()> {
    let open = Open::new(settings).await?;
    let owner = service::owner(&open.db).await?;
    let mut tx = open.db.begin(owner.organization).await?;
    let secret = store::create_link(&mut tx, &open.ctx, owner.organization, owner.member).await?;
    tx.commit().await?;
    look::say(&format!("Sign in (once, 15 minutes)   {}/welcome?t={}", address::url(settings), secret.text.expose_secret()));
    open.close().await;
    Ok(())
}
