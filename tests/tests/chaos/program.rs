//! The real program, which can be killed at any moment and started again.

use std::{
    fs::{self, OpenOptions, Permissions},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Stdio,
    sync::Arc,
};

use anyhow::{Context as _, Result, bail, ensure};
use patchbay_core::db::embedded::{self, Discovery};
use patchbay_tests::cluster::Database;
use sqlx::{ConnectOptions, postgres::PgConnectOptions};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    sync::watch,
};

/// `patchbay serve` on one database, whichever process it is at the moment.
pub(crate) struct Program {
    dir: TempDir,
    postgres_bin: PathBuf,
    /// None: it has a Postgres of its own, which goes when it goes.
    database: Option<Arc<Database>>,
    child: Option<Child>,
    settings: Vec<(&'static str, String)>,
    url: watch::Sender<Option<String>>,
}

impl Program {
    pub(crate) fn new(database: Option<Arc<Database>>) -> Result<Self> {
        // Postgres is another account's where we are root.
        let dir = tempfile::Builder::new().prefix("patchbay-chaos-").permissions(Permissions::from_mode(0o755)).tempdir()?;
        let found = embedded::discover(&Discovery { data_dir: dir.path().to_owned(), ..Discovery::default() })?;
        Ok(Self { dir, postgres_bin: found.bin_dir, database, child: None, settings: Vec::new(), url: watch::Sender::new(None) })
    }

    /// Sets a variable of its environment, from the next start on.
    pub(crate) fn setting(&mut self, name: &'static str, value: &str) {
        self.settings.push((name, value.to_owned()));
    }

    /// Where it is reached, as long as it is.
    pub(crate) fn url(&self) -> watch::Receiver<Option<String>> {
        self.url.subscribe()
    }

    /// The owner's key, which the first start wrote.
    pub(crate) fn key(&self) -> Result<String> {
        Ok(fs::read_to_string(self.dir.path().join("owner.key")).context("the owner's key is there")?.trim().to_owned())
    }

    /// How to look into its database past everything.
    pub(crate) async fn superuser(&self) -> Result<PgConnectOptions> {
        match &self.database {
            Some(database) => Ok(database.options()),
            None => Ok(embedded::attach(self.dir.path()).await?.context("its Postgres runs")?.options("postgres", "patchbay")),
        }
    }

    /// Starts a process, and waits for nothing.
    pub(crate) fn spawn(&mut self) -> Result<()> {
        ensure!(self.child.is_none(), "it runs already");
        let log = OpenOptions::new().create(true).append(true).open(self.log())?;
        // A port that is taken anew each time: one that is free for a moment could become that of a client.
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        self.child = Some(command.stdout(Stdio::piped()).stderr(log).spawn()?);
        Ok(())
    }

    /// Waits until the process that was started can be reached.
    pub(crate) async fn ready(&mut self) -> Result<()> {
        let output = self.child.as_mut().and_then(|child| child.stdout.take()).context("a start is waited for once")?;
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next_line().await? {
            if let Some((_, url)) = line.split_once("is ready ") {
                self.url.send_replace(Some(url.trim().to_owned()));
                return Ok(());
            }
        }
        bail!("the program does not start:\n{}", self.said());
    }

    /// Ends the process and the Postgres that is its own at once, as a power cut would. It must have been ready.
    pub(crate) async fn kill_all(&mut self) -> Result<()> {
        let pid = match &self.database {
            Some(_) => None,
            None => Some(fs::read_to_string(self.dir.path().join("pgdata/postmaster.pid"))?.lines().next().context("it names a process")?.to_owned()),
        };
        self.kill().await?;
        if let Some(pid) = pid {
            // It may be gone: it goes where it sees the program go.
            Command::new("kill").args(["-KILL", &pid]).stderr(Stdio::null()).status().await?;
        }
        Ok(())
    }

    /// Ends the process, which is told nothing.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().context("it runs")?;
        child.kill().await?;
        self.url.send_replace(None);
        Ok(())
    }

    /// Stops the process where it stands, so that it does nothing until it is roused.
    pub(crate) async fn stun(&self) -> Result<()> {
        self.signal("-STOP").await
    }

    /// Lets a process go on that was stunned.
    pub(crate) async fn rouse(&self) -> Result<()> {
        self.signal("-CONT").await
    }

    async fn signal(&self, signal: &str) -> Result<()> {
        let pid = self.child.as_ref().and_then(Child::id).context("it has not ended by itself")?;
        let told = Command::new("kill").args([signal, &pid.to_string()]).status().await?;
        ensure!(told.success(), "process {pid} is not there");
        Ok(())
    }

    /// Ends it in order.
    pub(crate) async fn stop(&mut self) -> Result<()> {
        self.signal("-TERM").await?;
        let mut child = self.child.take().context("it runs")?;
        let status = child.wait().await?;
        ensure!(status.success(), "it ended with {status}:\n{}", self.said());
        Ok(())
    }

    /// Runs a command of the program beside the service; its output, where it succeeds.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command(arguments).output().await?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "{arguments:?} ended with {}:\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr));
        Ok(text)
    }

    /// What all its processes have logged.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("serve.log")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay-for-tests"));
        command.args(arguments).arg("--data-dir").arg(self.dir.path()).current_dir(self.dir.path()).kill_on_drop(true).stdin(Stdio::null());
        for name in ["OPENAI_API_KEY", "OPENAI_BASE_URL", "DATABASE_URL"] {
            command.env_remove(name);
        }
        if let Some(database) = &self.database {
            command.env("DATABASE_URL", database.options().to_url_lossy().as_str());
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.env("PATCHBAY_POSTGRES__BIN", &self.postgres_bin).env("PATCHBAY_LOG__LEVEL", "warn,sqlx::query=error");
        command
    }
}
