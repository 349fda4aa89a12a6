//! Projects, tasks and their history, as Postgres keeps them.
//!
//! Invariants: a plan changes by [`apply()`] alone, which writes the revision with the change; folding a project's revisions
//! from nothing gives its present state, which [`verify()`] proves.

mod apply;
mod at;
mod fold;
mod key;
mod lane;
mod part;
mod tree;
mod verify;
mod write;

pub mod revision;
pub mod snapshot;
pub mod store;
pub mod view;

pub use apply::{Apply, ApplyError, Change, Origin, Prepared, Since, apply, around, begin, check, present, unchanged};
pub use at::{at, between};
pub use lane::Lanes;
pub use store::ProjectRow;
pub use tree::{Rendered, Trees};
pub use verify::{Finding, verify};
