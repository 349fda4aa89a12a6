//! The Postgres that Patchbay brings along: found, started, watched and stopped.
//!
//! What is promised:
//! * [`discover()`] finds real Postgres binaries and says where it looked and why it chose what it chose.
//! * [`Server::start`] has the data directory for itself (an exclusive `flock` on `postgres.lock`), creates the cluster at the first
//!   start (whole or not at all), and returns when connections are accepted. Nothing listens on the network: the only door is a Unix
//!   socket in a directory that nobody else can enter.
//! * Commits are durable: `fsync` stays as Postgres has it unless the [`Options`] of a test say otherwise.
//! * Postgres does not outlive the program. [`Server::stop`] ends it in order; dropping the server does the same while blocking. After a
//!   `kill -9` the kernel asks it to stop where `setpriv` of util-linux is installed; elsewhere, and where that comes too late, the next
//!   start finds what is left by its working directory, never by a process id alone, stops it and goes on.
//! * A super-user never runs Postgres: the cluster, and nothing else, is given to the owner of the data directory, else to `postgres`, else
//!   to `nobody`; a data directory of root's is made passable for that (`chmod a+x`).
//!
//! In the data directory: `pgdata/` (the cluster, and its socket where the path is short enough), `postgres.log` with one predecessor,
//! `postgres.lock` with the process id of its holder, and `postgres-<version>/` where the programs had to be copied to be reached.

mod account;
mod create;
mod discover;
mod error;
mod files;
mod launch;
mod orphan;
mod pidfile;
mod process;
mod programs;
mod server;
mod socket;

pub use account::default_data_dir;
pub use discover::{Discovery, Installation, OLDEST_MAJOR, discover};
pub use error::Error;
pub use server::{Options, Server};
pub use socket::{Address, attach};
