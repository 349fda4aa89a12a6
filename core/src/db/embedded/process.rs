//! The process of the server: born in a thread that outlives it, signalled only while its number is surely its own.

use std::{
    io,
    process::{Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid},
};
use tokio::sync::{oneshot, watch};

/// How long each way of stopping may take: in order, without cleaning up, by force.
///
/// `SIGTERM` is not among them: it waits until the last client has gone.
const STOPPING: [(Signal, Duration); 3] =
    [(Signal::INT, Duration::from_secs(20)), (Signal::QUIT, Duration::from_secs(5)), (Signal::KILL, Duration::from_secs(5))];

#[derive(Debug)]
pub(super) struct Process {
    pid: Pid,
    exit: watch::Receiver<Option<ExitStatus>>,
}

impl Process {
    /// Starts a command whose end is seen by [`Process::ended`].
    pub(super) async fn spawn(mut command: Command) -> io::Result<Self> {
        let (born_tx, born_rx) = oneshot::channel();
        let (exit_tx, exit) = watch::channel(None);
        // The kernel tells a child of the end of the *thread* that made it, so the thread stays as long as the child.
        thread::Builder::new().name("postgres".to_owned()).spawn(move || {
            let mut child = match command.spawn() {
                Ok(child) => child,
                Err(error) => return drop(born_tx.send(Err(error))),
            };
            let pid = Pid::from_child(&child);
            // Nobody waits any more when the start was given up; the receiver of the exit is gone too then.
            if born_tx.send(Ok(pid)).is_err() {
                let _ = kill_process(pid, Signal::INT);
            }
            // Not yet buried, its number cannot be given to another process. Nobody signals it while the exit is being noted.
            while let Err(Errno::INTR) = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {}
            exit_tx.send_modify(|exit| *exit = child.wait().ok().or(Some(ExitStatus::default())));
        })?;
        let pid = born_rx.await.map_err(io::Error::other)??;
        Ok(Self { pid, exit })
    }

    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// How it ended, if it did.
    pub(super) fn exit(&self) -> Option<ExitStatus> {
        *self.exit.borrow()
    }

    /// Waits for its end.
    pub(super) async fn ended(&self) -> ExitStatus {
        let mut exit = self.exit.clone();
        // The thread notes the exit before it lets go of the channel.
        exit.wait_for(Option::is_some).await.ok().and_then(|exit| *exit).unwrap_or_default()
    }

    /// Ends it, as gently as time allows.
    pub(super) async fn stop(&self) {
        for (signal, patience) in STOPPING {
            self.signal(signal);
            if tokio::time::timeout(patience, self.ended()).await.is_ok() {
                return;
            }
            tracing::warn!(pid = self.pid.as_raw_nonzero(), ?signal, ?patience, "Postgres did not end");
        }
    }

    /// The same where nothing can be awaited.
    pub(super) fn stop_blocking(&self) {
        for (signal, patience) in STOPPING {
            self.signal(signal);
            let deadline = Instant::now() + patience;
            while Instant::now() < deadline {
                if self.exit().is_some() {
                    return;
                }
                thread::sleep(Duration::from_millis(2));
            }
        }
    }

    fn signal(&self, signal: Signal) {
        // Held while signalling, so that the exit cannot be noted, and the number given away, in between.
        let exit = self.exit.borrow();
        if exit.is_none() {
            // It has ended by itself and is about to be noted.
            let _ = kill_process(self.pid, signal);
        }
    }
}
