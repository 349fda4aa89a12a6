//! Which account runs Postgres, which refuses to run as root.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt, lchown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{
    error::{Error, io_at},
    files,
};

/// Another account than our own, to which Postgres is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
    name: String,
}

/// Who shall run Postgres: `None` where that is whoever runs us.
///
/// For root: the owner of the cluster or of the data directory; where that is root too, `postgres`, else `nobody`.
pub(super) fn choose(data_dir: &Path, pgdata: &Path) -> Result<Option<Account>, Error> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    if let Some(owner) = owner(pgdata)? {
        return Ok(Some(owner));
    }
    // initdb refuses a user without a name, so an owner without one will not do for a new cluster.
    if let Some(named) = owner(data_dir)?.and_then(|owner| look_up(&owner.uid.to_string())) {
        return Ok(Some(named));
    }
    ["postgres", "nobody"].into_iter().find_map(look_up).map(Some).ok_or(Error::NoAccount)
}

/// Where to keep the data when nobody said: where it is preferred, or in `/var/lib/patchbay` where that is closed to whoever runs Postgres.
///
/// That is so for root in its home: Postgres refuses to run as root, and nobody else can enter there.
pub fn default_data_dir(preferred: &Path) -> PathBuf {
    let is_closed = || {
        let account = choose(preferred, &files::pgdata(preferred)).ok()??;
        let parent = std::path::absolute(preferred).ok()?.ancestors().skip(1).find(|ancestor| ancestor.exists())?.to_owned();
        account.check_reach(&parent).err()
    };
    match is_closed() {
        Some(Error::OutOfReach { .. }) => PathBuf::from("/var/lib/patchbay"),
        _ => preferred.to_owned(),
    }
}

impl Account {
    /// Sees to it that the account can enter a folder, and names the ancestor that is closed to it otherwise.
    ///
    /// Only the mode bits are judged: an access list that says otherwise is rare, and then Postgres says so itself.
    pub(super) fn check_reach(&self, folder: &Path) -> Result<(), Error> {
        let folder = fs::canonicalize(folder).map_err(io_at("find", folder))?;
        let ancestors: Vec<_> = folder.ancestors().collect();
        for ancestor in ancestors.into_iter().rev() {
            let metadata = fs::metadata(ancestor).map_err(io_at("look at", ancestor))?;
            let needed = if metadata.uid() == self.uid {
                0o100
            } else if metadata.gid() == self.gid {
                0o010
            } else {
                0o001
            };
            if metadata.mode() & needed == 0 {
                return Err(Error::OutOfReach { account: self.name.clone(), barrier: ancestor.to_owned(), folder: folder.clone() });
            }
        }
        Ok(())
    }

    /// Lets the account pass through our data directory, without seeing what else is in it.
    pub(super) fn admit(&self, data_dir: &Path) -> Result<(), Error> {
        let metadata = fs::metadata(data_dir).map_err(io_at("look at", data_dir))?;
        let (mode, passable) = (metadata.mode() & 0o7777, 0o011);
        if metadata.uid() == self.uid || mode & passable == passable {
            return Ok(());
        }
        fs::set_permissions(data_dir, fs::Permissions::from_mode(mode | passable)).map_err(io_at("change the mode of", data_dir))
    }

    /// Gives a file, or a folder with everything below, to the account. Links are given, not followed.
    pub(super) fn take(&self, path: &Path) -> Result<(), Error> {
        lchown(path, Some(self.uid), Some(self.gid)).map_err(io_at("give away", path))?;
        if !fs::symlink_metadata(path).map_err(io_at("look at", path))?.is_dir() {
            return Ok(());
        }
        for entry in fs::read_dir(path).map_err(io_at("list", path))? {
            self.take(&entry.map_err(io_at("list", path))?.path())?;
        }
        Ok(())
    }
}

/// Whether root owns a path.
pub(super) fn is_roots(path: &Path) -> Result<bool, Error> {
    fs::metadata(path).map(|metadata| metadata.uid() == 0).map_err(io_at("look at", path))
}

/// Who owns a path, unless that is root or the path is not there.
fn owner(path: &Path) -> Result<Option<Account>, Error> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.uid() == 0 => Ok(None),
        Ok(metadata) => Ok(Some(Account { uid: metadata.uid(), gid: metadata.gid(), name: metadata.uid().to_string() })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_at("look at", path)(error)),
    }
}

/// Looks an account up by its name or number: in the file, else by whatever else the system asks (a directory server, say).
fn look_up(key: &str) -> Option<Account> {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    parse_passwd(&passwd, key).or_else(|| {
        let output = Command::new("getent").args(["passwd", key]).stdin(Stdio::null()).output().ok()?;
        parse_passwd(&String::from_utf8_lossy(&output.stdout), key)
    })
}

fn parse_passwd(text: &str, key: &str) -> Option<Account> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, uid, gid) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        (name == key || uid == key).then_some(())?;
        Some(Account { uid: uid.parse().ok()?, gid: gid.parse().ok()?, name: name.to_owned() })
    })
}

/// Whether a failed `initdb` failed because our user has no name.
pub(super) fn is_nameless(output: &str) -> bool {
    output.contains("could not look up effective user ID")
}

/// The user that Postgres' files belong to.
pub(super) fn uid(account: Option<&Account>) -> u32 {
    account.map_or_else(|| rustix::process::geteuid().as_raw(), |account| account.uid)
}

/// The first of some folders in which both we and the account may create things.
pub(super) fn short_folders(account: Option<&Account>) -> Vec<PathBuf> {
    let own = std::env::var_os("XDG_RUNTIME_DIR").filter(|_| account.is_none()).map(PathBuf::from);
    own.into_iter().chain(["/run", "/tmp"].map(PathBuf::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_name_and_by_number() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\npostgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash\nbroken\n";
        let postgres = Some(Account { uid: 101, gid: 104, name: "postgres".to_owned() });
        assert_eq!(parse_passwd(passwd, "postgres"), postgres);
        assert_eq!(parse_passwd(passwd, "101"), postgres);
        assert_eq!(parse_passwd(passwd, "nobody"), None);
    }

    #[test]
    fn a_closed_ancestor_is_named() {
        let open = tempfile::tempdir().unwrap();
        let closed = open.path().join("closed");
        let below = closed.join("below");
        fs::create_dir_all(&below).unwrap();
        fs::set_permissions(open.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
        let stranger = Account { uid: 54321, gid: 54321, name: "stranger".to_owned() };
        let Err(Error::OutOfReach { barrier, .. }) = stranger.check_reach(&below) else { panic!("the folder is closed to a stranger") };
        assert_eq!(barrier, fs::canonicalize(&closed).unwrap());
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o711)).unwrap();
        stranger.check_reach(&below).unwrap();
    }
}
