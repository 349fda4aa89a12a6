//! How a program of Postgres is run: by whom, with which environment, and so that it ends when we do.

use std::{
    env,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{
    account::{self, Account},
    discover::Installation,
    error::{Error, io_at},
    files::Log,
    process::Process,
    programs,
};

/// The programs of one installation, for one data directory.
#[derive(Debug)]
pub(super) struct Launcher {
    bin_dir: PathBuf,
    pub(super) account: Option<Account>,
    pub(super) log: Log,
}

impl Launcher {
    /// Decides who runs Postgres, and sees to it that they can.
    pub(super) fn prepare(data_dir: &Path, pgdata: &Path, installation: &Installation) -> Result<Self, Error> {
        let account = account::choose(data_dir, pgdata)?;
        if let Some(account) = &account {
            account.admit(data_dir)?;
            account.check_reach(data_dir)?;
        }
        let bin_dir = programs::within_reach(account.as_ref(), installation, data_dir)?;
        Ok(Self { bin_dir, account, log: Log::open(data_dir)? })
    }

    /// Starts a program, which writes to the log.
    pub(super) fn run(&self, program: &str, arguments: impl FnOnce(&mut Command)) -> Result<Process, Error> {
        // Neither our secrets nor settings meant for another Postgres: nothing but what programs need to run at all.
        const KEPT: [&str; 5] = ["PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"];
        let program = self.bin_dir.join(program);
        let mut command = if has_setpriv() {
            // The kernel sends it a fast shutdown when we end in a way that lets us do nothing any more.
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "INT", "--"]).arg(&program);
            command
        } else {
            Command::new(&program)
        };
        arguments(&mut command);
        command.env_clear().envs(KEPT.into_iter().filter_map(|name| Some((name, env::var_os(name)?))));
        if let Some(account) = &self.account {
            // Our supplementary groups go too: std drops them when root changes the user.
            command.uid(account.uid).gid(account.gid);
        }
        // The account may not be allowed to see where we stand. A group of its own, so that Ctrl-C reaches us and not it.
        command.current_dir("/").process_group(0).stdin(Stdio::null()).stdout(self.log.writer()?).stderr(self.log.writer()?);
        Process::spawn(command).map_err(io_at("run", &program))
    }
}

/// Busybox has a `setpriv` that cannot do this.
fn has_setpriv() -> bool {
    let mut trial = Command::new("setpriv");
    trial.args(["--pdeathsig", "INT", "--", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    trial.status().is_ok_and(|status| status.success())
}
