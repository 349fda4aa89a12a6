//! Patchbay against the real thing: Postgres, HTTP, a scripted model, mail, a browser.

pub mod cluster;
pub mod dns;
pub mod dovecot;
pub mod fake_model;
pub mod service;
pub mod smtp;
