//! What people say on other platforms and what they read there: the whole service against platforms that really serve and sign.

mod across;
mod discord;
mod script;
mod slack;
