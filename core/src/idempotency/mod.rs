//! `Idempotency-Key`: the first answer to a request is given again when the request comes again.
//!
//! Invariants: of requests with one key at most one has an effect, also when a process dies in the middle; whether it had one is
//! known, because each of its transactions marks the key first. A request that had none is taken up again.

pub mod store;

use std::{fmt::Write as _, time::Duration};

use crate::{db, tenancy::Actor};

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nobody used it, or the process of who did died before anything was done: go on, and store the answer.
    Mine(Attempt),
    /// The request was answered.
    Answered { status: u16, body: Vec<u8> },
    /// The request is being worked on; for so long it counts as that.
    Running { left: Duration },
    /// The request had its effect, and its process died before the answer was stored.
    Unanswered,
    /// The key came with another request.
    Other,
}

/// One try at the request of a key: the first, or one after a process died.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub(crate) key: String,
    pub(crate) number: i32,
}

impl Attempt {
    /// Does the work. Whatever it commits is committed with the mark on the key, or not at all.
    pub async fn run<T>(&self, actor: &Actor, work: impl Future<Output = T>) -> T {
        let mut mark = format!("select mark_key('{}', convert_from('\\x", actor.member);
        for byte in self.key.bytes() {
            // Writing to a text cannot fail.
            let _ = write!(mark, "{byte:02x}");
        }
        let _ = write!(mark, "', 'utf8'), {})", self.number);
        db::each_after(mark, work).await
    }
}
