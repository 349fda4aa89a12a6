//! `Idempotency-Key`: the first answer to a request is given again when the request comes again.
//!
//! Invariant: of requests with one key at most one has an effect, also when the process dies in the middle: then the outcome
//! is unknown, which the next one is told.

pub mod store;

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nobody used it: go on, and store the answer.
    First,
    /// The request was answered.
    Answered { status: u16, body: Vec<u8> },
    /// The request is being worked on, or its process died.
    Unanswered,
    /// The key came with another request.
    Other,
}
