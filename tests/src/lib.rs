//! Patchbay against the real thing: Postgres, HTTP, a scripted model, mail, a browser.

pub mod authority;
pub mod cluster;
pub mod dns;
pub mod dovecot;
pub mod fake_discord;
pub mod fake_model;
pub mod fake_s3;
pub mod fake_slack;
pub mod letter;
pub mod service;
pub mod smtp;
pub mod until;
pub mod watched;
pub mod webhook_receiver;
pub mod world;
