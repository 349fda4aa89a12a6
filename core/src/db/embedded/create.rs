//! Creating a cluster, and taking over one that somebody put there.

use std::{
    ffi::OsStr,
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use super::{
    account,
    error::{Error, io_at},
    files,
    launch::Launcher,
};

/// What the folder of an unfinished cluster is called, before the process id of its maker.
const UNFINISHED: &str = "pgdata.new.";

/// Creates a cluster whole or not at all: it gets its name when it is complete.
pub(super) async fn create(launcher: &Launcher, data_dir: &Path, pgdata: &Path, is_durable: bool) -> Result<(), Error> {
    if fs::read_dir(pgdata).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::NotADatabase { pgdata: pgdata.to_owned() });
    }
    for entry in fs::read_dir(data_dir).map_err(io_at("list", data_dir))?.flatten().filter(|entry| is_unfinished(&entry.file_name())) {
        // Its maker is dead, but may have left an initdb that still writes into it. Then it goes next time.
        let _ = fs::remove_dir_all(entry.path());
    }
    let new = data_dir.join(format!("{UNFINISHED}{}", std::process::id()));
    files::create_private(&new)?;
    if let Some(account) = &launcher.account {
        account.take(&new)?;
    }

    let initdb = launcher.run("initdb", |command| {
        command.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--data-checksums", "--no-instructions"]);
        command.args((!is_durable).then_some("--no-sync")).arg("-D").arg(&new);
    })?;
    if !initdb.ended().await.success() {
        let _ = fs::remove_dir_all(&new);
        let output = launcher.log.tail();
        return Err(match account::uid(launcher.account.as_ref()) {
            uid if account::is_nameless(&output) => Error::Nameless { uid },
            _ => Error::Initdb { output },
        });
    }
    fs::rename(&new, pgdata).map_err(io_at("rename", &new))?;
    File::open(data_dir).and_then(|dir| dir.sync_all()).map_err(io_at("write", data_dir))
}

/// Postgres insists on owning its files alone; a copy or a restored backup often has another owner or mode.
pub(super) fn secure(launcher: &Launcher, pgdata: &Path) -> Result<(), Error> {
    if let Some(account) = &launcher.account
        && account::is_roots(pgdata)?
    {
        account.take(pgdata)?;
    }
    let mode = fs::metadata(pgdata).map_err(io_at("look at", pgdata))?.permissions().mode() & 0o7777;
    if mode == 0o700 {
        return Ok(());
    }
    fs::set_permissions(pgdata, Permissions::from_mode(0o700)).map_err(io_at("change the mode of", pgdata))
}

fn is_unfinished(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(UNFINISHED.as_bytes())
}
