//! What listens and speaks: the hub and one folder per channel.

pub mod adapter;
pub mod call;
pub mod discord;
pub mod email;
pub mod hub;
pub mod line;
mod pace;
pub mod render;
pub mod slack;
pub mod webhook;

#[cfg(test)]
mod example;
