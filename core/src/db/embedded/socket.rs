//! Where the socket is, and how others than its server find it.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt, lchown},
        net::UnixListener,
    },
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::net::UnixStream;

use super::{
    account::{self, Account},
    error::{Error, io_at},
    files::{self, Lock},
    pidfile,
};

/// Only a part of the socket's name; nothing listens on it.
pub(super) const PORT: u16 = 5432;

/// What Postgres calls its socket.
pub(super) fn socket_name(port: u16) -> String {
    format!(".s.PGSQL.{port}")
}

/// The door of a running embedded Postgres.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    socket_dir: PathBuf,
    port: u16,
}

impl Address {
    pub(super) fn new(socket_dir: PathBuf) -> Self {
        Self { socket_dir, port: PORT }
    }

    /// How to connect as a role to a database. The super-user is `postgres`, and there is a database `postgres`.
    pub fn options(&self, user: &str, database: &str) -> PgConnectOptions {
        // Everything that PG* variables could set for another server is set here.
        PgConnectOptions::new_without_pgpass().socket(&self.socket_dir).port(self.port).username(user).database(database).ssl_mode(PgSslMode::Disable)
    }

    /// The folder of the socket, for tools such as `psql -h`.
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }
}

/// Finds the Postgres of a Patchbay that runs on this data directory, for commands beside it.
///
/// `None` where none runs, which is known by the lock: files that a dead one left mean nothing. One that is just starting is waited for.
pub async fn attach(data_dir: &Path) -> Result<Option<Address>, Error> {
    let pgdata = files::pgdata(data_dir);
    let deadline = Instant::now() + Duration::from_secs(30);
    while Lock::is_held(data_dir)? {
        if let Some(file) = pidfile::read(&pgdata)?.filter(|file| file.is_ready)
            && let (Some(socket_dir), Some(port)) = (file.socket_dir, file.port)
        {
            // A Patchbay that begins to start has not replaced the file that a dead one left, whose socket nobody answers.
            let socket = socket_dir.join(socket_name(port));
            match UnixStream::connect(&socket).await {
                Ok(_) => return Ok(Some(Address { socket_dir, port })),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(io_at("connect to", &socket)(error)),
                Err(_) => {}
            }
        }
        if Instant::now() > deadline {
            return Err(Error::Unready { pgdata });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(None)
}

/// A folder for the socket that only the server's account can enter.
#[derive(Debug)]
pub(super) struct SocketDir {
    pub(super) path: PathBuf,
    /// It is only for the socket, so it goes with it.
    is_extra: bool,
}

impl SocketDir {
    /// The cluster's own folder, or, where the path to that is too long, a short one.
    pub(super) fn choose(pgdata: &Path, account: Option<&Account>) -> Result<Self, Error> {
        let mut tried = Vec::new();
        match try_socket(pgdata) {
            Ok(()) => return Ok(Self { path: pgdata.to_owned(), is_extra: false }),
            Err(error) => tried.push(format!("{}: {error}", pgdata.display())),
        }
        let digest = blake3::hash(pgdata.as_os_str().as_bytes()).to_hex();
        for parent in account::short_folders(account) {
            let path = parent.join(format!("patchbay-{}", &digest[..16]));
            match make_private(&path, account).and_then(|()| try_socket(&path)) {
                Ok(()) => return Ok(Self { path, is_extra: true }),
                Err(error) => tried.push(format!("{}: {error}", path.display())),
            }
        }
        Err(Error::NoSocket { tried })
    }

    /// As `-k` takes it: a list whose names may be quoted.
    pub(super) fn argument(&self) -> OsString {
        let mut quoted = b"\"".to_vec();
        for &byte in self.path.as_os_str().as_bytes() {
            if byte == b'"' {
                quoted.push(byte);
            }
            quoted.push(byte);
        }
        quoted.push(b'"');
        OsStr::from_bytes(&quoted).to_owned()
    }
}

impl Drop for SocketDir {
    fn drop(&mut self) {
        if self.is_extra {
            // It stays where Postgres was killed and left its socket; the next start takes it again.
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// Makes a socket whose name is as long as that of Postgres. It fails where the path is too long (107 bytes on Linux, 103 on macOS) and
/// where the file system has no sockets, as some that are shared with a virtual machine.
fn try_socket(folder: &Path) -> io::Result<()> {
    let path = folder.join(socket_name(PORT).replace("PGSQL", "TRIAL"));
    let made = UnixListener::bind(&path).map(drop);
    let _ = fs::remove_file(&path);
    made
}

/// Makes a folder in a place that others can write to, and believes one that is there only when it can be nobody else's.
fn make_private(path: &Path, account: Option<&Account>) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {
            if let Some(account) = account {
                lchown(path, Some(account.uid), Some(account.gid))?;
            }
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_dir() || metadata.uid() != account::uid(account) || metadata.mode() & 0o077 != 0 {
        return Err(io::Error::other("it is there and not private to the server's account"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_separators_is_quoted() {
        let dir = SocketDir { path: PathBuf::from("/data, the \"best\""), is_extra: false };
        assert_eq!(dir.argument(), "\"/data, the \"\"best\"\"\"");
    }

    #[test]
    fn a_planted_folder_is_not_believed() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("socket");
        std::os::unix::fs::symlink(parent.path(), &path).unwrap();
        make_private(&path, None).unwrap_err();
        fs::remove_file(&path).unwrap();
        make_private(&path, None).unwrap();
        make_private(&path, None).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        make_private(&path, None).unwrap_err();
    }
}
