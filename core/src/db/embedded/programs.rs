//! Programs where the account that runs them can reach them.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use super::{
    account::Account,
    discover::Installation,
    error::{Error, io_at},
};

/// The folder of an installation's programs, or of a copy beside the data where the account cannot reach them.
///
/// What npm put below root's home is such a case. It can be copied because it stands alone; what a system installs stands open.
pub(super) fn within_reach(account: Option<&Account>, installation: &Installation, data_dir: &Path) -> Result<PathBuf, Error> {
    let bin_dir = installation.bin_dir.clone();
    let Some(Err(out_of_reach)) = account.map(|account| account.check_reach(&bin_dir)) else { return Ok(bin_dir) };
    let (Some(prefix), Some(bin)) = (bin_dir.parent(), bin_dir.file_name()) else { return Err(out_of_reach) };
    if !prefix.join("lib").is_dir() || !prefix.join("share").is_dir() {
        return Err(out_of_reach);
    }
    let copy = data_dir.join(format!("postgres-{}", installation.version));
    if !copy.exists() {
        let new = data_dir.join(format!("postgres-{}.new", installation.version));
        if new.exists() {
            fs::remove_dir_all(&new).map_err(io_at("remove", &new))?;
        }
        copy_open(prefix, &new)?;
        fs::rename(&new, &copy).map_err(io_at("rename", &new))?;
    }
    Ok(copy.join(bin))
}

/// Copies a tree so that everybody can read it, and nobody but us change it.
fn copy_open(from: &Path, to: &Path) -> Result<(), Error> {
    let metadata = fs::symlink_metadata(from).map_err(io_at("look at", from))?;
    let mode = if metadata.is_dir() {
        fs::create_dir(to).map_err(io_at("create", to))?;
        for entry in fs::read_dir(from).map_err(io_at("list", from))? {
            let name = entry.map_err(io_at("list", from))?.file_name();
            copy_open(&from.join(&name), &to.join(&name))?;
        }
        0o755
    } else if metadata.is_symlink() {
        return fs::read_link(from).and_then(|target| symlink(target, to)).map_err(io_at("copy", from));
    } else {
        fs::copy(from, to).map_err(io_at("copy", from))?;
        if metadata.mode() & 0o100 == 0 { 0o644 } else { 0o755 }
    };
    fs::set_permissions(to, Permissions::from_mode(mode)).map_err(io_at("change the mode of", to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_open_whatever_the_original_was() {
        let dir = tempfile::tempdir().unwrap();
        let from = dir.path().join("from");
        fs::create_dir_all(from.join("bin")).unwrap();
        fs::write(from.join("bin/postgres"), "a program").unwrap();
        fs::set_permissions(from.join("bin/postgres"), Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(from.join("bin"), Permissions::from_mode(0o700)).unwrap();
        symlink("postgres", from.join("bin/postmaster")).unwrap();
        let to = dir.path().join("to");
        copy_open(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("bin/postmaster")).unwrap(), "a program");
        assert_eq!(fs::metadata(to.join("bin")).unwrap().mode() & 0o777, 0o755);
        assert_eq!(fs::metadata(to.join("bin/postgres")).unwrap().mode() & 0o777, 0o755);
    }
}
