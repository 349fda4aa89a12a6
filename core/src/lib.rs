//! What Patchbay knows: the patch, the plan, the review, and their Postgres.
//!
//! No HTTP, no model, no channel. [`patch`] is pure and everything else leans on it.

pub mod audit;
pub mod channel;
pub mod collab;
pub mod command;
pub mod dates;
pub mod db;
pub mod documents;
pub mod exchange;
pub mod idempotency;
pub mod ids;
pub mod integrations;
pub mod jobs;
pub mod notify;
pub mod patch;
pub mod review;
pub mod tenancy;
pub mod workflow;
