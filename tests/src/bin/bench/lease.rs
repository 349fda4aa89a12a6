//! Leases on resources that nobody holds yet, taken by 32 clients at once: over HTTP, and by the statement alone.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};
use patchbay_core::{
    collab::lease::{Acquired, Ask, Leases, Resource},
    db::{Db, PoolSize},
    ids::{Context, System},
    tenancy,
};
use patchbay_web::{
    service::{Beside, Data},
    settings::{Flags, load},
};
use serde_json::{Value, json};

use super::{Remote, SPAN, load as http};

const CLIENTS: usize = 32;
const TTL_SECONDS: i32 = 600;

pub(super) async fn measure(remote: &Remote, data: &str) -> Result<Value> {
    let (url, key) = (format!("{}/collab/leases/acquire", remote.url), remote.key.clone());
    // What an earlier run holds is held still.
    let run = System::default().uuid().simple().to_string();
    let over_http = http::rate_of(CLIENTS, {
        let run = run.clone();
        move |client, round| {
            let body = json!({ "resource": format!("http-{run}-{client}-{round}"), "ttl_seconds": TTL_SECONDS }).to_string();
            http::request("POST", &url, &key, &body).map(Box::new)
        }
    })
    .await?;
    let flags = Flags { data_dir: Some(PathBuf::from(data)), ..Flags::default() };
    let data = Data::open(&load(&flags)?.0, Beside::Shared).await?;
    let db = Db::open(&data.access, PoolSize { service: u32::try_from(CLIENTS)?, reader: 1 });
    let alone = by_the_statement(&db, &run).await?;
    db.close().await;
    Ok(json!({ "leases_over_http_per_second": over_http, "leases_per_second": alone }))
}

async fn by_the_statement(db: &Db, run: &str) -> Result<f64> {
    let organization = *db.organizations().await?.first().context("the database has an organisation")?;
    let mut tx = db.begin(organization).await?;
    let owner = tenancy::store::first_owner(&mut tx).await?.context("it has an owner")?;
    let actor = Arc::new(tenancy::store::act_as(&mut tx, organization, owner.id).await?.context("who is a member")?);
    tx.rollback().await?;
    let run: Arc<str> = run.into();
    let (leases, done) = (Arc::new(Leases::new(db.clone(), Arc::new(System::default()))), Arc::new(AtomicU64::new(0)));
    let begun = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (leases, actor, run, done) = (leases.clone(), actor.clone(), run.clone(), done.clone());
            tokio::spawn(async move {
                for round in 0_u64.. {
                    if begun.elapsed() >= SPAN {
                        break;
                    }
                    let resource = Resource::named(format!("alone-{run}-{client}-{round}"));
                    let ask = Ask { holder: &actor.handle, ttl_seconds: TTL_SECONDS, waits: false, is_claim: false };
                    let taken = leases.acquire(&actor, &resource, ask).await?;
                    ensure!(matches!(taken, Acquired::Taken(_)), "nobody holds it");
                    done.fetch_add(1, Ordering::Relaxed);
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for client in clients {
        client.await??;
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than three digits")]
    let rate = done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64();
    Ok(rate.round())
}
