//! Slack: requests are verified, decoded and acknowledged; answers are sent with its Web API.
//!
//! Invariants: nothing is read before its signature was checked; nothing that Slack may add to its payloads is an error.

pub mod adapter;
pub mod client;
pub mod decode;
pub mod receive;
pub mod signature;
pub mod workspaces;

mod home;
mod modal;
mod text;
