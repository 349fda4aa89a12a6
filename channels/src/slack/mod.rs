//! Slack: requests are verified, decoded and acknowledged, whether they come by HTTP or over a socket; answers are sent with its Web API.
//!
//! Invariants: nothing is read before its signature was checked, or over a socket that Slack gave us; nothing that Slack may add to its payloads is an
//! error.

pub mod adapter;
pub mod client;
pub mod decode;
pub mod receive;
pub mod signature;
pub mod socket;
pub mod workspaces;

mod home;
mod modal;
mod text;
mod thread;
