//! A process of Postgres: born in a thread that outlives it, signalled only while its number is surely its own.

use std::{
    io,
    process::{Command, ExitStatus},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid},
};
use tokio::sync::watch;

/// How long each way of stopping may take: in order, without cleaning up, by force.
///
/// `SIGTERM` is not among them: it waits until the last client has gone.
const STOPPING: [(Signal, Duration); 3] =
    [(Signal::INT, Duration::from_secs(20)), (Signal::QUIT, Duration::from_secs(5)), (Signal::KILL, Duration::from_secs(5))];

/// A child that ends when this is dropped.
#[derive(Debug)]
pub(super) struct Process {
    pid: Pid,
    exit: watch::Receiver<Option<ExitStatus>>,
}

impl Process {
    /// Starts a command. Blocks for as long as a fork takes, so that a start that is given up cannot leave a child that nobody knows.
    pub(super) fn spawn(mut command: Command) -> io::Result<Self> {
        let (born_tx, born_rx) = mpsc::channel();
        let (exit_tx, exit) = watch::channel(None);
        // The kernel tells a child of the end of the *thread* that made it, so the thread stays as long as the child.
        thread::Builder::new().name("postgres".to_owned()).spawn(move || {
            let mut child = match command.spawn() {
                Ok(child) => child,
                Err(error) => return drop(born_tx.send(Err(error))),
            };
            let pid = Pid::from_child(&child);
            drop(born_tx.send(Ok(pid)));
            // Not yet buried, its number cannot be given to another process. Nobody signals it while the exit is being noted.
            while let Err(Errno::INTR) = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {}
            exit_tx.send_modify(|exit| *exit = Some(child.wait().unwrap_or_default()));
        })?;
        let pid = born_rx.recv().map_err(io::Error::other)??;
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

    fn signal(&self, signal: Signal) {
        // Held while signalling, so that the exit cannot be noted, and the number given away, in between.
        let exit = self.exit.borrow();
        if exit.is_none() {
            // It has ended by itself and is about to be noted.
            let _ = kill_process(self.pid, signal);
        }
    }
}

/// In case nobody stopped it before.
impl Drop for Process {
    fn drop(&mut self) {
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
}
