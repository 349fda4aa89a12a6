//! Discord: interactions are verified, decoded and answered at once; what takes longer follows through its HTTP API.
//!
//! Invariants: nothing is read before its signature was checked; nothing that Discord may add to its payloads is an error.

pub mod adapter;
pub mod client;
pub mod commands;
pub mod decode;
pub mod receive;
pub mod signature;

mod modal;
