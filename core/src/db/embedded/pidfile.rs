//! `postmaster.pid`, in which Postgres says who and how far it is.
//!
//! Its lines are fixed by <https://github.com/postgres/postgres/blob/REL_15_STABLE/src/include/utils/pidfile.h>.

use std::{fs, io, path::Path, path::PathBuf};

use rustix::process::Pid;

use super::error::{Error, io_at};

pub(super) const NAME: &str = "postmaster.pid";

#[derive(Debug, PartialEq, Eq)]
pub(super) struct PidFile {
    pub(super) pid: Pid,
    pub(super) port: Option<u16>,
    pub(super) socket_dir: Option<PathBuf>,
    /// Line 8 says `ready`: connections are accepted.
    pub(super) is_ready: bool,
}

/// Reads the file of a cluster. `None` where there is none, or where its first line is not written yet.
pub(super) fn read(pgdata: &Path) -> Result<Option<PidFile>, Error> {
    let path = pgdata.join(NAME);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(parse(&text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_at("read", &path)(error)),
    }
}

fn parse(text: &str) -> Option<PidFile> {
    let lines: Vec<_> = text.lines().collect();
    let line = |number: usize| lines.get(number - 1).copied();
    Some(PidFile {
        // A standalone backend writes its number negative.
        pid: Pid::from_raw(line(1)?.trim().parse::<i32>().ok()?.checked_abs()?)?,
        port: line(4).and_then(|port| port.trim().parse().ok()),
        socket_dir: line(5).filter(|dir| !dir.is_empty()).map(PathBuf::from),
        is_ready: line(8).is_some_and(|status| status.trim() == "ready"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stage_of_starting_is_read() {
        assert_eq!(parse(""), None);
        assert_eq!(parse("not a number\n"), None);
        let begun = parse("4711\n/data/pgdata\n1760000000\n5432\n").unwrap();
        assert_eq!((begun.pid.as_raw_nonzero().get(), begun.port, begun.socket_dir, begun.is_ready), (4711, Some(5432), None, false));
        let starting = "4711\n/data/pgdata\n1760000000\n5432\n/data/pgdata\n\n  1234567         3\nstarting\n";
        assert!(!parse(starting).unwrap().is_ready);
        let ready = parse(&starting.replace("starting", "ready   ")).unwrap();
        assert!(ready.is_ready);
        assert_eq!(ready.socket_dir.as_deref(), Some(Path::new("/data/pgdata")));
    }
}
