//! Discord: interactions are verified, decoded and answered at once; what takes longer follows through its HTTP API. Mentions come over its gateway.
//!
//! Invariants: nothing is read before its signature was checked, or over the connection that we opened; nothing that Discord may add to its payloads is an error.

pub mod adapter;
pub mod client;
pub mod commands;
pub mod decode;
pub mod gateway;
pub mod receive;
pub mod signature;

mod modal;
mod thread;
