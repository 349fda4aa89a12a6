//! The e-mail commander: a mailbox that is read over IMAP, and answers that go out over SMTP.
//!
//! Invariants: a mail acts as its sender only where the sender's domain signed for it; what nobody wrote by hand is never
//! answered; a mail is marked as seen only after it is stored.

pub mod automatic;
pub mod command;
pub mod fresh;
pub mod mailbox;
pub mod read;
pub mod send;
pub mod thread;
pub mod trust;
pub mod write;
