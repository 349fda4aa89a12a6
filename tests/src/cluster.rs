//! One throw-away Postgres for a test binary, and a migrated database for each test that asks.

use std::{
    env, fs,
    fs::{File, Permissions},
    io,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
};

use anyhow::{Context, Result};
use patchbay_core::db::{
    self, Access,
    embedded::{self, Discovery, Options, Server},
};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, postgres::PgConnectOptions};
use tokio::sync::OnceCell;

/// A running cluster that nobody will miss.
#[derive(Debug)]
pub struct Cluster {
    server: Server,
    template: OnceCell<String>,
    databases: AtomicU32,
    dropped: mpsc::Sender<String>,
    /// Its open standard input says that we live.
    _undertaker: Child,
}

/// The cluster of this test binary, started at the first call.
///
/// It is faster than it is safe, in memory where there is enough, and goes with the process, however that ends.
pub async fn cluster() -> &'static Cluster {
    static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();
    CLUSTER.get_or_init(async || Cluster::start().await.expect("the throw-away cluster starts")).await
}

/// A database of one test, with the schema. Dropped in the background when this is.
#[derive(Debug)]
pub struct Database {
    name: String,
    cluster: &'static Cluster,
}

impl Database {
    /// How to connect as the super-user, who makes the roles of the service.
    pub fn options(&self) -> PgConnectOptions {
        self.cluster.options(&self.name)
    }

    /// With its roles.
    pub async fn access(&self) -> Result<Access> {
        Ok(Access::prepare(self.options()).await?)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The cluster goes soon anyway when nobody listens any more.
        let _ = self.cluster.dropped.send(std::mem::take(&mut self.name));
    }
}

impl Cluster {
    /// How to connect as the super-user.
    pub fn options(&self, database: &str) -> PgConnectOptions {
        self.server.options("postgres", database)
    }

    /// A database of its own, copied from one that was migrated once.
    pub async fn database(&'static self) -> Result<Database> {
        let template = self.template.get_or_try_init(|| self.make_template()).await?;
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        // Copying files is three times as fast as writing everything to the log, as long as nothing is synced.
        self.execute(format!("create database {name} template {template} strategy file_copy")).await?;
        Ok(Database { name, cluster: self })
    }

    /// A database of its own with nothing in it.
    pub async fn empty_database(&'static self) -> Result<Database> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.execute(format!("create database {name}")).await?;
        Ok(Database { name, cluster: self })
    }

    async fn make_template(&self) -> Result<String> {
        let name = format!("template_{}", db::migrations_digest());
        self.execute(format!("create database {name}")).await?;
        let access = Access::prepare(self.options(&name)).await?;
        db::migrate(&access).await?;
        Ok(name)
    }

    async fn execute(&self, sql: String) -> Result<()> {
        let mut conn: PgConnection = self.options("postgres").connect().await?;
        sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut conn).await.with_context(|| sql)?;
        Ok(())
    }

    async fn start() -> Result<Self> {
        let data_dir = claim(&place())?;
        let installation = embedded::discover(&Discovery { data_dir: data_dir.clone(), ..Discovery::default() })?;
        let settings = [
            ("fsync", "off"),
            ("synchronous_commit", "off"),
            ("full_page_writes", "off"),
            ("max_connections", "200"),
            ("shared_buffers", "64MB"),
            // The copy of a template waits for one, and there is nothing to spread over time.
            ("checkpoint_timeout", "1h"),
            ("autovacuum", "off"),
        ];
        let options = Options { settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(), ..Options::default() };
        let server = Server::start(&data_dir, &installation, &options).await?;
        let undertaker = undertaker(&data_dir)?;
        let (dropped, to_drop) = mpsc::channel();
        let postgres = server.options("postgres", "postgres");
        thread::Builder::new().name("drop databases".to_owned()).spawn(move || drop_databases(&postgres, &to_drop))?;
        Ok(Self { server, template: OnceCell::new(), databases: AtomicU32::new(0), dropped, _undertaker: undertaker })
    }
}

/// The memory of the machine where it has room for some hundred databases, else where temporary files go.
fn place() -> PathBuf {
    const ROOM_KIB: u64 = 1 << 20;
    let free = Command::new("df").args(["-Pk", "/dev/shm"]).stderr(Stdio::null()).output().ok().and_then(|output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok()
    });
    if free.is_some_and(|kib| kib >= ROOM_KIB) { PathBuf::from("/dev/shm") } else { env::temp_dir() }
}

const PREFIX: &str = "patchbay-test-";

/// Makes a folder of our own, and takes away those whose makers are gone.
fn claim(place: &Path) -> io::Result<PathBuf> {
    for entry in fs::read_dir(place)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX)
            && let Ok(alive) = File::open(entry.path().join("alive"))
            && alive.try_lock().is_ok()
        {
            // A server that still runs there ends by itself when it misses its files. What another user left is that user's to remove.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    // It gets its name when its lock is taken, so that nobody takes it for a dead one's.
    let unborn = place.join(format!("patchbay-unborn-{}", process::id()));
    fs::create_dir(&unborn)?;
    fs::set_permissions(&unborn, Permissions::from_mode(0o711))?;
    let alive = File::create(unborn.join("alive"))?;
    alive.lock()?;
    // Open, and so locked, until the process ends.
    std::mem::forget(alive);
    let folder = place.join(format!("{PREFIX}{}", process::id()));
    fs::rename(unborn, &folder)?;
    Ok(folder)
}

/// A shell that reads until we are gone, then sees to it that the server goes, and its folder.
///
/// A `static` is never dropped, and a killed process drops nothing.
fn undertaker(data_dir: &Path) -> io::Result<Child> {
    const SCRIPT: &str = r#"
        read -r _
        kill -QUIT "$(head -n 1 "$1/pgdata/postmaster.pid")"
        until rm -rf -- "$1"; do sleep 0.05; done
    "#;
    let mut command = Command::new("sh");
    command.args(["-c", SCRIPT, "sh"]).arg(data_dir);
    // Ctrl-C is not for it.
    command.process_group(0).current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

fn drop_databases(postgres: &PgConnectOptions, names: &mpsc::Receiver<String>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    for name in names {
        let drop = async {
            let mut conn = postgres.connect().await?;
            sqlx::raw_sql(AssertSqlSafe(format!("drop database {name} with (force)"))).execute(&mut conn).await
        };
        // A database that stays costs memory until the end, and nothing else.
        let _ = runtime.block_on(drop);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_test_has_a_migrated_database_of_its_own() -> Result<()> {
        let (one, other) = tokio::try_join!(cluster().await.database(), cluster().await.database())?;
        assert_ne!(one.name, other.name);
        for database in [&one, &other] {
            let mut conn = database.access().await?.owner().connect().await?;
            let tables: i64 = sqlx::query_scalar("select count(*) from pg_tables where schemaname = 'patchbay'").fetch_one(&mut conn).await?;
            assert!(tables > 10, "{tables}");
        }
        Ok(())
    }
}
