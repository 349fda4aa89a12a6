//! What people say on other platforms and what they read there: the whole service against platforms that really serve and sign.

mod across;
mod discord;
mod discord_gateway;
mod limits;
mod notify;
mod pace;
mod script;
mod slack;
mod slack_socket;
mod thread;
mod ways;
mod working;
