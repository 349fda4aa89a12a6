//! What programs share beside the plan: leases, agents, the log of events.
//!
//! Invariant: an event is written in the transaction that it tells of, and a reader that goes on after a `seq` misses none.

pub mod agent;
pub mod event;
pub mod lease;
mod reclaim;
pub mod retention;
pub mod store;
pub mod work;

pub use event::Event;
pub use reclaim::reclaim;
