//! Patchbay against the real thing: Postgres, HTTP, a scripted model, a browser.

pub mod cluster;
pub mod fake_model;
pub mod service;
