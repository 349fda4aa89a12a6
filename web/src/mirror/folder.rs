//! The files of a mirror. Whoever reads one never sees a half of it: each is written beside its place and renamed.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use serde_json::Value;

/// A folder that one mirror keeps.
pub(super) struct Folder {
    root: PathBuf,
    /// Locked for as long as it is open.
    _lock: File,
}

/// What the tasks' file is, as it was last written here.
const BASE: &str = ".mirror/tasks.json";
/// What it is to be, while it is being replaced.
const NEXT: &str = ".mirror/tasks.next.json";
pub(super) const TASKS: &str = "state/tasks.json";
const EVENTS: &str = "events/events.jsonl";

/// How far back the last event is looked for.
const TAIL: u64 = 256 * 1024;

impl Folder {
    /// Makes what is missing. An error where another mirror keeps it.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        for part in [".mirror", "state", "events", "logs"] {
            fs::create_dir_all(root.join(part))?;
        }
        let lock = File::create(root.join(".mirror/lock"))?;
        lock.try_lock().map_err(|_| io::Error::new(io::ErrorKind::WouldBlock, "another mirror keeps this folder"))?;
        let folder = Self { root: root.to_owned(), _lock: lock };
        // A mirror that ended between its two renames: what the tasks are may have been edited since, their version not.
        if let Some(next) = folder.version(NEXT)?
            && folder.version(TASKS)? == Some(next)
        {
            fs::rename(folder.path(NEXT), folder.path(BASE))?;
        }
        Ok(folder)
    }

    /// Of which version a document is, where there is one.
    fn version(&self, name: &str) -> io::Result<Option<i64>> {
        Ok(self.read(name)?.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok()?["version"].as_i64()))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A file's bytes; `None` where there is none.
    pub(super) fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces a file as a whole.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let beside = self.path(&format!(".mirror/{}.new", name.replace('/', ".")));
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(beside, self.path(name))
    }

    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The tasks as they were last written here.
    pub(super) fn base(&self) -> io::Result<Option<Vec<u8>>> {
        self.read(BASE)
    }

    /// Replaces the tasks, and remembers what they are.
    pub(super) fn write_tasks(&self, bytes: &[u8]) -> io::Result<()> {
        self.write(NEXT, bytes)?;
        self.write(TASKS, bytes)?;
        fs::rename(self.path(NEXT), self.path(BASE))
    }

    /// The seq of the last event that was kept; a line that was cut off is taken away.
    pub(super) fn last_seq(&self) -> io::Result<i64> {
        let mut file = match OpenOptions::new().read(true).write(true).open(self.path(EVENTS)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let size = file.metadata()?.len();
        let start = size.saturating_sub(TAIL);
        file.seek(SeekFrom::Start(start))?;
        let mut end = Vec::new();
        file.read_to_end(&mut end)?;
        let whole = end.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        file.set_len(start + whole as u64)?;
        let line = end[..whole].trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        Ok(serde_json::from_slice::<Value>(line).ok().and_then(|event| event["seq"].as_i64()).unwrap_or(0))
    }

    /// Adds events, each a line.
    pub(super) fn append_events(&self, lines: &[u8]) -> io::Result<()> {
        OpenOptions::new().create(true).append(true).open(self.path(EVENTS))?.write_all(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own, which goes with the test.
    fn folder() -> (tempfile::TempDir, Folder) {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        (dir, folder)
    }

    #[test]
    fn an_edit_is_of_what_was_there_wherever_the_mirror_was_killed() {
        let (dir, folder) = folder();
        folder.write_tasks(br#"{"version":1}"#).unwrap();
        // Between the two renames; then it is edited.
        folder.write(NEXT, br#"{"version":2}"#).unwrap();
        folder.write(TASKS, br#"{"version":2,"tasks":[]}"#).unwrap();
        drop(folder);
        let folder = Folder::open(dir.path()).unwrap();
        assert_eq!(folder.base().unwrap().as_deref(), Some(br#"{"version":2}"#.as_slice()));
        // Before the first of them.
        folder.write(NEXT, br#"{"version":3}"#).unwrap();
        drop(folder);
        let folder = Folder::open(dir.path()).unwrap();
        assert_eq!(folder.base().unwrap().as_deref(), Some(br#"{"version":2}"#.as_slice()));
        assert!(Folder::open(dir.path()).is_err(), "one mirror keeps a folder");
    }

    #[test]
    fn a_line_that_was_cut_off_is_taken_away() {
        let (_dir, folder) = folder();
        assert_eq!(folder.last_seq().unwrap(), 0);
        folder.append_events(b"{\"seq\":1}\n{\"seq\":7}\n{\"seq\":8").unwrap();
        assert_eq!(folder.last_seq().unwrap(), 7);
        folder.append_events(b"{\"seq\":8}\n").unwrap();
        assert_eq!((folder.last_seq().unwrap(), folder.read(EVENTS).unwrap().unwrap().len()), (8, 30));
    }
}
