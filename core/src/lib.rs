//! What Patchbay knows: the patch, the plan, the review, and their Postgres.
//!
//! No HTTP, no model, no channel. [`patch`] is pure and everything else leans on it.

pub mod db;
pub mod ids;
pub mod patch;
pub mod tenancy;
pub mod workflow;
