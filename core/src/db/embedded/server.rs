//! A server: started, asked, stopped.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::ExitStatus,
    time::{Duration, Instant},
};

use sqlx::postgres::PgConnectOptions;

use super::{
    create::{create, secure},
    discover::Installation,
    error::{Error, io_at},
    files::{self, Lock, Log},
    launch::Launcher,
    orphan, pidfile,
    process::Process,
    socket::{Address, PORT, SocketDir},
};

/// What a start may do differently.
#[derive(Clone, Debug)]
pub struct Options {
    /// Settings of Postgres, by their names, that win over ours and over `postgresql.conf`.
    pub settings: Vec<(String, String)>,
    /// How long a start may take. Repairing after a crash takes its time, so this is generous.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { settings: Vec::new(), patience: Duration::from_mins(5) }
    }
}

/// A running Postgres that is ours alone. Dropping it stops it too, while blocking.
#[derive(Debug)]
pub struct Server {
    address: Address,
    version: String,
    // The order matters: the process ends, then the folder of its socket goes, then others may have the data directory.
    process: Process,
    _socket: SocketDir,
    _lock: Lock,
}

impl Server {
    /// Starts the cluster in a data directory, creating both where they are not there.
    ///
    /// Returns when connections are accepted: about a second at the first start, a fifth of that later. Given up while starting, it leaves
    /// nothing running behind.
    pub async fn start(data_dir: &Path, installation: &Installation, options: &Options) -> Result<Self, Error> {
        files::create_private(data_dir)?;
        let data_dir = &fs::canonicalize(data_dir).map_err(io_at("find", data_dir))?;
        let lock = Lock::acquire(data_dir).await?;
        let pgdata = files::pgdata(data_dir);
        let launcher = Launcher::prepare(data_dir, &pgdata, installation)?;
        match files::cluster_major(&pgdata)? {
            Some(made_by) if made_by != installation.major => {
                let bin_dir = installation.bin_dir.clone();
                return Err(Error::OtherMajor { pgdata, made_by, bin_dir, found: installation.major });
            }
            Some(_) => {}
            None => {
                let is_durable = !options.settings.iter().any(|(name, value)| name == "fsync" && value == "off");
                create(&launcher, data_dir, &pgdata, is_durable).await?;
            }
        }
        secure(&launcher, &pgdata)?;
        // It may be a link to another disk; its processes know where they really are.
        let pgdata = fs::canonicalize(&pgdata).map_err(io_at("find", &pgdata))?;
        orphan::clear(&pgdata).await?;

        let socket = SocketDir::choose(&pgdata, launcher.account.as_ref())?;
        let process = launcher.run("postgres", |command| {
            command.arg("-D").arg(&pgdata).arg("-k").arg(socket.argument()).arg("-p").arg(PORT.to_string());
            for (name, value) in settings().into_iter().chain(options.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()))) {
                command.arg("-c").arg(format!("{name}={value}"));
            }
        })?;
        ready(&process, &pgdata, &launcher.log, options.patience).await?;
        let address = Address::new(socket.path.clone());
        Ok(Self { address, version: installation.version.clone(), process, _socket: socket, _lock: lock })
    }

    /// How to connect as a role to a database; see [`Address::options`].
    pub fn options(&self, user: &str, database: &str) -> PgConnectOptions {
        self.address.options(user, database)
    }

    /// Its door.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Its version, `15.8`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.process.pid().as_raw_nonzero().get()
    }

    /// Waits until it ends without having been asked to by us.
    pub async fn ended(&self) -> ExitStatus {
        self.process.ended().await
    }

    /// Ends it in order: what runs is rolled back, clients are disconnected, everything is written. About a tenth of a second.
    pub async fn stop(self) {
        self.process.stop().await;
    }
}

/// What we ask of every server, whatever its `postgresql.conf` says.
fn settings() -> [(&'static str, &'static str); 11] {
    [
        ("listen_addresses", ""),
        ("unix_socket_permissions", "0700"),
        ("dynamic_shared_memory_type", if has_shared_memory() { "posix" } else { "mmap" }),
        ("cluster_name", "patchbay"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("log_destination", "stderr"),
        ("logging_collector", "off"),
        ("log_checkpoints", "off"),
        // Nobody replicates; the launcher would only take memory.
        ("max_logical_replication_workers", "0"),
        // Short statements only: compiling them costs more than it saves.
        ("jit", "off"),
    ]
}

/// Whether `/dev/shm` is there and not full. Other systems have their own shared memory without a folder for it.
fn has_shared_memory() -> bool {
    const NEEDED_BYTES: u64 = 8 << 20;
    let is_open = || fs::metadata("/dev/shm").is_ok_and(|folder| folder.permissions().mode() & 0o003 == 0o003);
    let has_room = || rustix::fs::statvfs("/dev/shm").is_ok_and(|space| space.f_bavail.saturating_mul(space.f_frsize) >= NEEDED_BYTES);
    !cfg!(target_os = "linux") || (is_open() && has_room())
}

/// Waits until the server says that it is ready. Connecting to see would fill its log with refusals.
async fn ready(process: &Process, pgdata: &Path, log: &Log, patience: Duration) -> Result<(), Error> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(status) = process.exit() {
            return Err(Error::Ended { status: status.to_string(), log: log.path.clone(), tail: log.tail() });
        }
        if pidfile::read(pgdata)?.is_some_and(|file| file.pid == process.pid() && file.is_ready) {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Error::Slow { waited: patience, log: log.path.clone(), tail: log.tail() });
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
