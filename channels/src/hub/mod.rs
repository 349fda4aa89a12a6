//! From a message to an answer, whatever the channel.

pub mod effects;
pub mod grammar;
