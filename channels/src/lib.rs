//! What listens and speaks: the hub and one folder per channel.

pub mod adapter;
pub mod email;
pub mod hub;
pub mod render;

#[cfg(test)]
mod example;
