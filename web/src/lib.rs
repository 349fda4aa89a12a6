//! The service: reads settings, wires core, agent and channels, and speaks HTTP. It knows no business rules.

mod address;
pub mod api;
pub mod app;
mod auth;
pub mod cli;
mod console;
mod extract;
mod idempotency;
pub mod live;
mod mcp;
mod metrics;
mod mirror;
mod openapi;
mod planner;
pub mod platforms;
mod problem;
mod receipts;
mod reclaim;
mod schedules;
pub mod service;
pub mod settings;
mod tools;
mod webhooks;
