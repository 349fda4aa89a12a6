//! What an earlier start left behind: a Postgres that lost its Patchbay, and files that name a process which is another by now.
//!
//! Only called by the holder of the lock, so nobody can be using what is found.

use std::{
    fs, io,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::{
    error::{Error, io_at},
    pidfile,
    socket::{PORT, socket_name},
};

/// Stops whatever still runs on a cluster and takes away the files that would stop the next start.
pub(super) async fn clear(pgdata: &Path) -> Result<(), Error> {
    let Some(file) = pidfile::read(pgdata)? else {
        return Ok(());
    };
    let mut left = processes_of(pgdata);
    if left.contains(&file.pid) {
        tracing::warn!(pid = file.pid.as_raw_nonzero(), pgdata = %pgdata.display(), "stopping the Postgres that an earlier Patchbay left behind");
    }
    // To a postmaster: in order, without cleaning up, by force. To those that lost theirs, the first is only the end of their statement,
    // whereupon they notice.
    for (signal, patience) in [(Signal::INT, 10), (Signal::QUIT, 5), (Signal::KILL, 5)] {
        if left.is_empty() {
            break;
        }
        let postmaster_only = signal == Signal::INT && left.contains(&file.pid);
        for &pid in left.iter().filter(|&&pid| !postmaster_only || pid == file.pid) {
            // It may have ended in between.
            let _ = kill_process(pid, signal);
        }
        let deadline = Instant::now() + Duration::from_secs(patience);
        while !left.is_empty() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(10)).await;
            left = processes_of(pgdata);
        }
    }
    if let Some(pid) = left.first() {
        return Err(Error::Orphan { pgdata: pgdata.to_owned(), pid: pid.as_raw_nonzero().get() });
    }
    // Postgres sees for itself that a process is gone, and then checks that no shared memory is in use. But it believes any living
    // process of its own user, and ours is known not to be one of this cluster.
    if test_kill_process(file.pid).is_ok() {
        let socket_dir = file.socket_dir.as_deref().unwrap_or(pgdata);
        let socket = socket_name(file.port.unwrap_or(PORT));
        for stale in [pgdata.join(pidfile::NAME), socket_dir.join(format!("{socket}.lock")), socket_dir.join(socket)] {
            match fs::remove_file(&stale) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(io_at("remove", &stale)(error));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The processes of Postgres that work in a cluster. A process id alone proves nothing, since it may have been given away again.
fn processes_of(pgdata: &Path) -> Vec<Pid> {
    if Path::new("/proc/self/cwd").exists() { by_working_directory(pgdata) } else { by_command_line(pgdata) }
}

/// All processes of a cluster have it as their working directory.
fn by_working_directory(pgdata: &Path) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter(|process| {
            let path = process.path();
            // Somebody's shell may stand there too.
            fs::read_link(path.join("cwd")).is_ok_and(|cwd| cwd == pgdata)
                && fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim_end() == "postgres")
        })
        .filter_map(|process| Pid::from_raw(process.file_name().to_str()?.parse().ok()?))
        .collect()
}

/// Where there is no `/proc` (macOS), the postmaster shows its `-D`; the processes below it end when they notice that it is gone.
fn by_command_line(pgdata: &Path) -> Vec<Pid> {
    let output = Command::new("ps").args(["-axww", "-o", "pid=,command="]).stdin(Stdio::null()).output();
    output.map(|output| postmasters(&String::from_utf8_lossy(&output.stdout), pgdata)).unwrap_or_default()
}

fn postmasters(list: &str, pgdata: &Path) -> Vec<Pid> {
    let arguments = format!("/postgres -D {} -k ", pgdata.display());
    list.lines()
        .filter_map(|line| line.trim_start().split_once(' '))
        .filter(|(_, command)| command.contains(&arguments))
        .filter_map(|(pid, _)| Pid::from_raw(pid.parse().ok()?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_postmaster_is_known_by_its_data_directory() {
        let list = "    1 /sbin/launchd\n\
                    4711 /opt/homebrew/opt/postgresql@17/bin/postgres -D /Users/ana/data/pgdata -k \"/Users/ana/data/pgdata\" -p 5432\n\
                    4712 /opt/homebrew/opt/postgresql@17/bin/postgres -D /Users/ana/data/pgdata2 -k \"/tmp\"\n\
                    4713 postgres: patchbay: checkpointer \n\
                    4714 less /Users/ana/data/pgdata/postgresql.conf\n";
        assert_eq!(postmasters(list, Path::new("/Users/ana/data/pgdata")), [Pid::from_raw(4711).unwrap()]);
    }
}
