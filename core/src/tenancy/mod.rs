//! Organisations, who may act for them, and how they prove it: members with roles, API keys, sessions, sign-in links.
//!
//! Invariants: a secret is shown once and stored as a hash, or sealed where it must be read again; an [`Actor`] can only be had by proving who one is.

mod actor;
mod password;
mod safe;
mod secret;

pub mod store;

pub use actor::{Actor, Scope, Scopes, Trust};
pub use password::{PasswordError, check_password, hash_password, verify_password};
pub use safe::{Safe, SafeError};
pub use secret::{Secret, hash_secret};
