//! Patchbay against the real thing: Postgres, HTTP, a scripted model, a browser.

pub mod cluster;
pub mod fake_discord;
pub mod fake_model;
pub mod fake_slack;
pub mod service;
pub mod watched;
