//! The patch: what changes a plan, and how. Pure: no I/O, no clock, no randomness of its own, nothing else of ours.
//!
//! ```text
//! bytes --shape--> ProjectPatch --normalise--> Flat --check(plan)--> Checked --diff--> Diff
//!                                                                       \----apply--> writes, inverse
//! ```
//!
//! Invariants: a [`shape::parse`]d patch obeys the published JSON Schema; a [`check::Checked`] patch can be
//! applied to its plan without any further question; applying a patch and then its inverse is the identity.

pub(crate) mod id;
mod types;
mod wire;

pub mod apply;
pub mod check;
pub mod diff;
pub mod fault;
pub mod normalise;
pub mod plan;
pub mod process;
pub mod rank;
pub mod rebase;
pub mod schema;
pub mod select;
pub mod shape;

#[cfg(test)]
mod tests;

pub use fault::Fault;
pub(crate) use id::uuid_newtype;
pub use id::{ProjectId, Reference, TaskId};
pub use types::{
    Create, CreateBody, Criterion, CriterionEdit, Delete, DeleteBody, Effort, Field, ListEdit, MetaUpdates, NewCriterion, Priority, ProjectPatch, SubtasksGo,
    TaskPatch, Update, UpdateBody,
};
