//! Gate 3: who may accept what.
//!
//! A policy is data: rules that each say which proposals they are for and whose approvals those need. All that are for a
//! proposal must be satisfied; two of them stand beside every policy. An organisation without a policy of its own goes by the
//! built-in one.

mod change;
mod judge;
mod read;
mod rule;

#[cfg(test)]
mod tests;

pub mod preview;
pub mod store;

pub use change::change;
pub use judge::Need;
pub(super) use judge::{Deadlines, Facts, Reviewers, Voice, deadlines, judge, reviews};
pub use read::{read, unknown_projects};
pub(super) use rule::MANY;
pub use rule::{Own, Policy, Require, Rule, When, always};
