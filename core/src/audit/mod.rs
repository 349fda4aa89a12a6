//! Who did what, for those who answer for it. Rows are only ever added.
//!
//! Invariants: an entry is written in the transaction that it tells of; a moment later it is sealed into its organisation's chain,
//! whose head covers all entries before it, in one order for good.

mod chain;
mod receipt;
pub mod store;

pub use chain::{Misfit, Proof, seal, verify};
pub use receipt::Receipt;
