//! Starting and stopping the server.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::{Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use sqlx::postgres::PgConnectOptions;

use super::{
    account::{self, Account},
    discover::Installation,
    error::{Error, io_at},
    files::{self, Lock, Log},
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

/// A running Postgres that is ours alone.
#[derive(Debug)]
pub struct Server {
    address: Address,
    version: String,
    // The order matters: the process ends, then the folder of its socket goes, then others may have the data directory.
    process: Guard,
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
        let account = account::choose(data_dir, &pgdata)?;
        if let Some(account) = &account {
            account::let_through(data_dir)?;
            account.check_reach(data_dir)?;
            account.check_reach(&installation.bin_dir)?;
        }
        match files::cluster_major(&pgdata)? {
            Some(made_by) if made_by != installation.major => {
                let bin_dir = installation.bin_dir.clone();
                return Err(Error::OtherMajor { pgdata, made_by, bin_dir, found: installation.major });
            }
            Some(_) => {}
            None => create(data_dir, &pgdata, installation, account.as_ref(), options).await?,
        }
        secure(&pgdata, account.as_ref())?;
        orphan::clear(&pgdata).await?;
        let socket = SocketDir::choose(&pgdata, account.as_ref())?;
        let log = Log::open(data_dir)?;

        let command = command(installation, account.as_ref(), &pgdata, &socket, options, &log)?;
        let process = Process::spawn(command).await.map_err(io_at("run", &installation.bin_dir.join("postgres")))?;
        let process = Guard(process);
        ready(&process.0, &pgdata, &log, options.patience).await?;
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
        self.process.0.pid().as_raw_nonzero().get()
    }

    /// Waits until it ends without having been asked to by us.
    pub async fn ended(&self) -> ExitStatus {
        self.process.0.ended().await
    }

    /// Ends it in order: what runs is rolled back, clients are disconnected, everything is written. About a tenth of a second.
    pub async fn stop(self) {
        self.process.0.stop().await;
    }
}

/// Ends the process when dropped, in case nobody did before.
#[derive(Debug)]
struct Guard(Process);

impl Drop for Guard {
    fn drop(&mut self) {
        if self.0.exit().is_none() {
            self.0.stop_blocking();
        }
    }
}

/// What the folder of an unfinished cluster is called, before the process id of its maker.
const UNFINISHED: &str = "pgdata.new.";

/// Creates a cluster whole or not at all: it gets its name when it is complete.
async fn create(data_dir: &Path, pgdata: &Path, installation: &Installation, account: Option<&Account>, options: &Options) -> Result<(), Error> {
    if fs::read_dir(pgdata).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::NotADatabase { pgdata: pgdata.to_owned() });
    }
    for entry in fs::read_dir(data_dir).map_err(io_at("list", data_dir))? {
        let entry = entry.map_err(io_at("list", data_dir))?;
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            fs::remove_dir_all(entry.path()).map_err(io_at("remove", &entry.path()))?;
        }
    }
    let new = data_dir.join(format!("{UNFINISHED}{}", std::process::id()));
    files::create_private(&new)?;
    if let Some(account) = account {
        account.take(&new)?;
    }

    let initdb = installation.bin_dir.join("initdb");
    let mut command = as_account(Command::new(&initdb), account);
    command.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--data-checksums", "--no-instructions", "-D"]).arg(&new);
    // initdb makes everything durable at its end, unless nothing is to be durable anyway.
    if options.settings.iter().any(|(name, value)| name == "fsync" && value == "off") {
        command.arg("--no-sync");
    }
    let output = tokio::process::Command::from(command).stdin(Stdio::null()).kill_on_drop(true).output().await.map_err(io_at("run", &initdb))?;
    if !output.status.success() {
        let output = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()).join("\n").trim().to_owned();
        let _ = fs::remove_dir_all(&new);
        return Err(if account::is_nameless(&output) { Error::Nameless { uid: account::uid(account) } } else { Error::Initdb { output } });
    }
    fs::rename(&new, pgdata).map_err(io_at("rename", &new))?;
    File::open(data_dir).and_then(|dir| dir.sync_all()).map_err(io_at("write", data_dir))
}

/// Postgres insists on owning its files alone. A copy or a restored backup often has another owner or mode.
fn secure(pgdata: &Path, account: Option<&Account>) -> Result<(), Error> {
    if let Some(account) = account
        && account::is_roots(pgdata)?
    {
        account.take(pgdata)?;
    }
    let mode = fs::metadata(pgdata).map_err(io_at("look at", pgdata))?.permissions().mode() & 0o7777;
    if mode == 0o700 {
        return Ok(());
    }
    fs::set_permissions(pgdata, fs::Permissions::from_mode(0o700)).map_err(io_at("change the mode of", pgdata))
}

fn command(installation: &Installation, account: Option<&Account>, pgdata: &Path, socket: &SocketDir, options: &Options, log: &Log) -> Result<Command, Error> {
    let postgres = installation.bin_dir.join("postgres");
    let mut command = if has_setpriv() {
        // The kernel sends it a fast shutdown when we end in a way that lets us do nothing any more.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "INT", "--"]).arg(postgres);
        command
    } else {
        Command::new(postgres)
    };
    command = as_account(command, account);
    command.arg("-D").arg(pgdata).arg("-k").arg(socket.argument()).arg("-p").arg(PORT.to_string());
    let settings = [
        ("listen_addresses", ""),
        ("unix_socket_permissions", "0700"),
        ("dynamic_shared_memory_type", if has_shared_memory() { "posix" } else { "mmap" }),
        ("cluster_name", "patchbay"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("log_destination", "stderr"),
        ("logging_collector", "off"),
        ("log_checkpoints", "off"),
        // Short statements only: compiling them costs more than it saves.
        ("jit", "off"),
    ];
    let theirs = options.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in settings.into_iter().chain(theirs) {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    // A group of its own, so that Ctrl-C reaches us and not it.
    command.process_group(0).stdin(Stdio::null()).stdout(log.writer()?).stderr(log.writer()?);
    Ok(command)
}

/// Nothing of our environment but what programs need to run: neither our secrets nor settings meant for other Postgres.
fn as_account(mut command: Command, account: Option<&Account>) -> Command {
    const KEPT: [&str; 5] = ["PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"];
    let kept: Vec<(&str, OsString)> = KEPT.into_iter().filter_map(|name| Some((name, env::var_os(name)?))).collect();
    // The account may not be allowed to see where we stand.
    command.env_clear().envs(kept).current_dir("/");
    if let Some(account) = account {
        // Our supplementary groups go too: std drops them when root changes the user.
        command.uid(account.uid).gid(account.gid);
    }
    command
}

/// Busybox has a `setpriv` that cannot do this.
fn has_setpriv() -> bool {
    let trial = Command::new("setpriv").args(["--pdeathsig", "INT", "--", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    trial.is_ok_and(|status| status.success())
}

/// Whether `/dev/shm` is there and not full. Other systems have their own shared memory without a folder for it.
fn has_shared_memory() -> bool {
    const NEEDED_BYTES: u64 = 8 << 20;
    !cfg!(target_os = "linux")
        || (fs::metadata("/dev/shm").is_ok_and(|folder| folder.permissions().mode() & 0o003 == 0o003)
            && rustix::fs::statvfs("/dev/shm").is_ok_and(|space| space.f_bavail.saturating_mul(space.f_frsize) >= NEEDED_BYTES))
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
