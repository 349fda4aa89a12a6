//! The files in the data directory that are ours: the lock, the log, the cluster's version.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::fs::OFlags;

use super::error::{Error, io_at};

/// A log that is longer than this at a start is put aside, in place of the one before.
const LOG_BYTES: u64 = 10 << 20;

/// How much of the log's end an error shows.
const TAIL_BYTES: u64 = 4 << 10;

/// Where the cluster is.
pub(super) fn pgdata(data_dir: &Path) -> PathBuf {
    data_dir.join("pgdata")
}

/// The major version that made a cluster; `None` where there is no cluster.
pub(super) fn cluster_major(pgdata: &Path) -> Result<Option<u32>, Error> {
    let path = pgdata.join("PG_VERSION");
    match fs::read_to_string(&path) {
        // Before version 10 it was "9.6".
        Ok(text) => {
            text.trim().split('.').next().and_then(|major| major.parse().ok()).map(Some).ok_or_else(|| Error::NotADatabase { pgdata: pgdata.to_owned() })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_at("read", &path)(error)),
    }
}

/// Creates a folder, and those above it, that only we can enter. One that is there keeps its mode.
pub(super) fn create_private(folder: &Path) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io_at("create", folder))
}

/// Opens a file of ours, creating it. A link is not followed: where root works in somebody's folder, it could lead anywhere.
fn ours() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).mode(0o600).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    options
}

/// The exclusive right to the data directory, until dropped or until our process ends in whatever way.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, or says who has it.
    pub(super) async fn acquire(data_dir: &Path) -> Result<Self, Error> {
        let path = lock_path(data_dir);
        let mut file = ours().read(true).write(true).open(&path).map_err(io_at("open", &path))?;
        // Whoever asks whether it is held holds it for an instant too.
        let deadline = Instant::now() + Duration::from_millis(200);
        while let Err(error) = file.try_lock() {
            if let TryLockError::Error(error) = error {
                return Err(io_at("lock", &path)(error));
            }
            if Instant::now() > deadline {
                let mut pid = String::new();
                file.read_to_string(&mut pid).map_err(io_at("read", &path))?;
                return Err(Error::InUse { data_dir: data_dir.to_owned(), pid: pid.trim().parse().ok() });
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(io_at("write", &path))?;
        Ok(Self { _file: file })
    }

    /// Whether anybody holds the lock.
    pub(super) fn is_held(data_dir: &Path) -> Result<bool, Error> {
        let path = lock_path(data_dir);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(io_at("open", &path)(error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(io_at("lock", &path)(error)),
        }
    }
}

fn lock_path(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres.lock")
}

/// What Postgres writes, kept bounded.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) path: PathBuf,
    file: File,
    /// Where this start begins.
    begin: u64,
}

impl Log {
    pub(super) fn open(data_dir: &Path) -> Result<Self, Error> {
        let path = data_dir.join("postgres.log");
        if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > LOG_BYTES) {
            fs::rename(&path, data_dir.join("postgres.log.1")).map_err(io_at("put aside", &path))?;
        }
        let file = ours().append(true).open(&path).map_err(io_at("open", &path))?;
        let begin = file.metadata().map_err(io_at("look at", &path))?.len();
        Ok(Self { path, file, begin })
    }

    pub(super) fn writer(&self) -> Result<File, Error> {
        self.file.try_clone().map_err(io_at("open", &self.path))
    }

    /// The end of what was written since this start.
    pub(super) fn tail(&self) -> String {
        let read = || {
            let mut file = File::open(&self.path)?;
            let end = file.metadata()?.len();
            file.seek(SeekFrom::Start(self.begin.max(end.saturating_sub(TAIL_BYTES))))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            io::Result::Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
        };
        read().unwrap_or_else(|error| format!("(the log cannot be read: {error})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_holder_is_told_the_first() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!Lock::is_held(dir.path()).unwrap());
        let lock = Lock::acquire(dir.path()).await.unwrap();
        assert!(Lock::is_held(dir.path()).unwrap());
        let refusal = Lock::acquire(dir.path()).await.unwrap_err().to_string();
        assert!(refusal.contains(&format!("process {}", std::process::id())), "{refusal}");
        drop(lock);
        Lock::acquire(dir.path()).await.unwrap();
    }

    #[test]
    fn a_long_log_is_put_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("postgres.log");
        File::create(&path).unwrap().set_len(LOG_BYTES + 1).unwrap();
        let log = Log::open(dir.path()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
        assert_eq!(fs::metadata(dir.path().join("postgres.log.1")).unwrap().len(), LOG_BYTES + 1);
        writeln!(log.writer().unwrap(), "FATAL:  no").unwrap();
        assert_eq!(log.tail(), "FATAL:  no");
    }
}
