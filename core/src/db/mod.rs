//! Postgres: how it is reached, by which role, and for which organisation.
//!
//! Invariants: nobody outside this folder holds a pool, so that every query runs in a transaction which names its organisation;
//! the service is never a superuser, because a superuser is not held by row-level security.

mod access;
pub mod embedded;
mod migrate;

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgPool, Postgres, Row, postgres::PgPoolOptions};

use crate::ids::OrganizationId;

pub use access::{Access, AccessError};
pub use migrate::{MigrateError, migrate, migrations_digest};

pub use sqlx::{Error, PgConnection as Connection, Result};

/// A transaction. Dropping it rolls back.
pub type Tx = sqlx::Transaction<'static, Postgres>;

tokio::task_local! {
    /// What each transaction of a request runs first.
    static FIRST: String;
}

/// Does work whose every transaction runs a statement first, in the same round trip, and ends where that fails.
///
/// It must be a text of ours with nothing in it but ids, hexadecimal digits and numbers. What only reads runs without it, and so
/// does what is spawned.
pub(crate) async fn each_after<T>(statement: String, work: impl Future<Output = T>) -> T {
    FIRST.scope(statement, work).await
}

/// How many connections each role may have.
#[derive(Clone, Copy, Debug)]
pub struct PoolSize {
    pub service: u32,
    pub reader: u32,
}

impl Default for PoolSize {
    fn default() -> Self {
        Self { service: 16, reader: 4 }
    }
}

/// The database of a running Patchbay.
#[derive(Clone, Debug)]
pub struct Db {
    service: PgPool,
    reader: PgPool,
}

impl Db {
    /// Opens the pools. Nothing is connected yet.
    pub fn open(access: &Access, size: PoolSize) -> Self {
        let pool = |role, connections| {
            PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(Duration::from_secs(10))
                // Each use would cost a round trip more. A dead connection shows as an error of its first query, and is replaced.
                .test_before_acquire(false)
                .connect_lazy_with(access.options(role))
        };
        Self { service: pool(access::Role::Service, size.service), reader: pool(access::Role::Reader, size.reader) }
    }

    /// Begins a transaction of an organisation, in one round trip.
    pub async fn begin(&self, organization: OrganizationId) -> Result<Tx> {
        begin(&self.service, "begin", "organization", &organization.to_string(), &first()).await
    }

    /// Begins a transaction and runs a statement in it, in the same round trip: to take a lock before anything is read.
    ///
    /// It must be a text of ours with nothing in it but ids, keys and numbers; its rows are dropped.
    pub(crate) async fn begin_after(&self, organization: OrganizationId, statement: &str) -> Result<Tx> {
        begin(&self.service, "begin", "organization", &organization.to_string(), &format!("{}{statement}", first())).await
    }

    /// Begins a transaction that can only read, as the role that can only read.
    pub async fn read(&self, organization: OrganizationId) -> Result<Tx> {
        begin(&self.reader, "begin isolation level repeatable read read only", "organization", &organization.to_string(), "").await
    }

    /// Begins a transaction that sees one snapshot and that the service's connections serve.
    pub async fn snapshot(&self, organization: OrganizationId) -> Result<Tx> {
        begin(&self.service, "begin isolation level repeatable read read only", "organization", &organization.to_string(), "").await
    }

    /// Begins a transaction before the organisation is known: it sees only rows whose secret is presented.
    ///
    /// `presented` must be a hash or an e-mail address that was checked to be one; anything that could end a literal is refused.
    pub async fn begin_presented(&self, presented: &str) -> Result<Tx> {
        if presented.contains(['\'', '\\', '\0']) {
            return Err(sqlx::Error::Protocol("a presented value has a quote in it".into()));
        }
        begin(&self.service, "begin", "presented", presented, "").await
    }

    /// All organisations, the first one first. Only their ids: what is in them needs [`Db::begin`].
    pub async fn organizations(&self) -> Result<Vec<OrganizationId>> {
        sqlx::query_scalar("select organization from installation order by created_at, organization").fetch_all(&self.service).await
    }

    /// Reads one row of one organisation in one round trip, where a transaction would take three.
    ///
    /// The statement goes by the simple protocol, whose messages are one transaction each; so it can have no parameters.
    /// It must be a text of ours with nothing in it but ids and numbers.
    pub(crate) async fn glance(&self, organization: OrganizationId, statement: &str) -> Result<Option<sqlx::postgres::PgRow>> {
        let sql = format!("select set_config('patchbay.organization', '{organization}', true), null, null; {statement}");
        let mut rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&self.service).await?;
        Ok(if rows.len() > 1 { rows.pop() } else { None })
    }

    /// For a statement that is a transaction of its own and enters its organisation by itself: a call of one of our functions
    /// that takes the organisation first. Not within [`each_after`], which [`is_held`] tells.
    pub(crate) fn entering(&self) -> &PgPool {
        &self.service
    }

    /// Tells those who listen on a channel. Nothing is lost if the server crashes right after: so nobody waits for the disk.
    ///
    /// `text` must have no quote in it.
    pub(crate) async fn notify(&self, channel: &'static str, text: &str) -> Result<()> {
        let sql = format!("begin; set local synchronous_commit = off; notify {channel}, '{text}'; commit");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&self.service).await.map(drop)
    }

    /// Listens on a channel, with a connection of the service's own.
    pub(crate) async fn listen(&self, channel: &'static str) -> Result<sqlx::postgres::PgListener> {
        let mut listener = sqlx::postgres::PgListener::connect_with(&self.service).await?;
        listener.listen(channel).await?;
        Ok(listener)
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        sqlx::query("select 1").execute(&self.service).await.map(drop)
    }

    /// The server's version, `15.8`.
    pub async fn version(&self) -> Result<String> {
        let row = sqlx::query("show server_version").fetch_one(&self.service).await?;
        row.try_get(0)
    }

    /// Connections in use and open, of the service.
    pub fn load(&self) -> (u32, u32) {
        let open = self.service.size();
        (open.saturating_sub(u32::try_from(self.service.num_idle()).unwrap_or(u32::MAX)), open)
    }

    /// Waits for what runs and closes everything.
    pub async fn close(&self) {
        tokio::join!(self.service.close(), self.reader.close());
    }
}

/// An error once more, for the next of those who waited for the same statement.
pub(crate) fn same(error: &sqlx::Error) -> sqlx::Error {
    match error {
        sqlx::Error::PoolTimedOut => sqlx::Error::PoolTimedOut,
        other => sqlx::Error::Io(std::io::Error::other(other.to_string())),
    }
}

/// Whether each transaction has to run something first: then nothing may be written but in one that [`Db::begin`] began.
pub(crate) fn is_held() -> bool {
    FIRST.try_with(|_| ()).is_ok()
}

/// The statement of [`each_after`], where there is one.
fn first() -> String {
    FIRST.try_with(|statement| format!("{statement};")).unwrap_or_default()
}

async fn begin(pool: &PgPool, begin: &str, setting: &str, value: &str, then: &str) -> Result<Tx> {
    // One message of the simple protocol. The value has been seen to hold no quote.
    begin_whole(pool, format!("{begin}; set local patchbay.{setting} = '{value}'; {then}")).await
}

/// Begins a transaction to the end, also where nobody waits for it any more.
///
/// A caller who hangs up while the transaction begins would leave it open on a pooled connection, with every lock that it took:
/// sqlx rolls back only what it knows to have begun. Begun in a task of its own it is known, and rolled back when dropped.
async fn begin_whole(pool: &PgPool, sql: String) -> Result<Tx> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with(AssertSqlSafe(sql)).await }).await;
    begun.unwrap_or_else(|error| Err(sqlx::Error::Protocol(format!("the transaction could not begin: {error}"))))
}

/// Goes from presenting a secret to the organisation that it belongs to, within the same transaction.
pub async fn enter(conn: &mut Connection, organization: OrganizationId) -> Result<()> {
    sqlx::query("select set_config('patchbay.organization', $1::text, true)").bind(organization.to_string()).execute(conn).await.map(drop)
}
