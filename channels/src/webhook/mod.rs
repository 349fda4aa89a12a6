//! Webhooks, in and out, and the triggers between them.
//!
//! Invariants: nothing of a delivery is parsed before its signature is right; what a payload says is never more than a text in a
//! place that a template left for it; no private address is called unless the operator allows it.

pub mod client;
pub mod delivery;
pub mod filter;
pub mod fire;
pub mod follow;
pub mod intake;
pub mod make;
pub mod receive;
pub mod recipe;
pub mod send;
pub mod sign;
mod submit;
pub mod template;
pub mod tryout;
pub mod verify;
