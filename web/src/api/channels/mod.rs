//! What other people's platforms post to us. Each request proves by its signature where it comes from.

mod discord;
mod slack;

use axum::http::HeaderMap;

use super::{Api, public};
use crate::problem::Problem;

pub(super) fn routes(api: Api) -> Api {
    discord::routes(slack::routes(api))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn not_connected(channel: &str, settings: &str) -> Problem {
    Problem::not_found(format!("{channel} is not connected: set {settings}."))
}
