//! Patchbay by mail: real servers for IMAP, SMTP and DNS, real signatures, and people who write from real addresses.

mod files;
mod plans;
mod servers;
mod tls;
mod trust;
