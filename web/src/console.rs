//! The console, in the binary: one file for each path, the page itself for every path that is a place in it.

use axum::{
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::{Embed, EmbeddedFile};

use crate::problem::Problem;

#[derive(Embed)]
#[folder = "console/dist"]
#[allow_missing = true]
struct Files;

/// What may run in the page: our own files, and nothing inline.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'";

/// Answers everything that is not the API.
pub(crate) async fn serve(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Problem::new(StatusCode::METHOD_NOT_ALLOWED, "no-method", "Not in this way", "This is a page: it can only be read.").into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    if path.starts_with("api/") {
        return Problem::not_found(format!("There is nothing at /{path}.")).into_response();
    }
    if let Some(file) = Files::get(path).filter(|_| path != "index.html") {
        // Names under assets/ carry the hash of what is in them.
        let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
        return answer(path, file, cache, &request);
    }
    if path.starts_with("assets/") {
        return Problem::not_found("This file belongs to another version of the console; reload the page.").into_response();
    }
    match Files::get("index.html") {
        Some(page) => answer("index.html", page, "no-cache", &request),
        None => (StatusCode::NOT_FOUND, "This program was built without its console. `make run` builds both.\n").into_response(),
    }
}

fn answer(path: &str, file: EmbeddedFile, cache: &'static str, request: &Request) -> Response {
    let tag = crate::extract::etag(&file.metadata.sha256_hash());
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok()).is_some_and(|known| known.trim_start_matches("W/") == tag);
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { file.data.into_response() };
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    if !known && let Ok(kind) = HeaderValue::from_str(&kind_of(path)) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

fn kind_of(path: &str) -> String {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" | "webmanifest" => "application/json",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "ico" => "image/x-icon",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
    .to_owned()
}
