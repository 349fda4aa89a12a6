//! Extractors that prove things: identity, permission, valid input. Their rejections are problems like all others.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use patchbay_core::{
    ids::SessionId,
    patch::Fault,
    tenancy::{Actor, Scope},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{app::App, auth, problem::Problem};

/// JSON in and out. What goes out has a strong `ETag`.
pub(crate) struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
            let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
        });
        if !is_json {
            let detail = "The body must be JSON: send it with `Content-Type: application/json`.";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", "Not JSON", detail));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", "A request's body has at most 1 MiB."),
            _ => Problem::malformed("The body could not be read to its end."),
        })?;
        parse(&bytes).map(Self)
    }
}

/// JSON that may be left out, where nothing is to be said.
pub(crate) struct MaybeJson<T>(pub T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for MaybeJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_empty = axum::body::HttpBody::size_hint(request.body()).exact() == Some(0);
        if is_empty && !request.headers().contains_key(header::CONTENT_TYPE) {
            return Ok(Self(T::default()));
        }
        Json::from_request(request, state).await.map(|Json(value)| Self(value))
    }
}

/// Reads JSON; a fault says where it is.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let inner = error.inner();
        if inner.is_data() {
            let mut path = String::new();
            for segment in error.path() {
                path.push('/');
                path.push_str(segment.to_string().trim_matches(['[', ']', '.']));
            }
            let text = inner.to_string();
            // The place in the text says less than the path.
            let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message).to_owned();
            Problem::fault(if path == "/?" { "" } else { &path }, message)
        } else {
            Problem::malformed(format!("The body is not JSON: {inner}."))
        }
    })?;
    deserializer.end().map_err(|error| Problem::malformed(format!("The body is not one JSON value: {error}.")))?;
    // Postgres has no text with a NUL in it. Inside JSON it can only stand escaped.
    if bytes.windows(6).any(|window| window == br"\u0000") {
        return Err(Problem::fault("", "a text must not contain the character NUL (\\u0000)"));
    }
    Ok(value)
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => json_bytes(body),
            Err(error) => Problem::ours(&error).into_response(),
        }
    }
}

/// Ready bytes of JSON, with their `ETag`.
pub(crate) fn json_bytes(body: impl Into<Bytes>) -> Response {
    let body = body.into();
    let tag = etag(&body);
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// A strong tag of exactly these bytes.
pub(crate) fn etag(bytes: &[u8]) -> String {
    format!("\"{}\"", &blake3::hash(bytes).to_hex()[..20])
}

/// Refuses a write that was meant for another state of the resource than this.
pub(crate) fn check_if_match(headers: &HeaderMap, resource: &impl Serialize) -> Result<(), Problem> {
    let Some(expected) = headers.get(header::IF_MATCH) else { return Ok(()) };
    let expected = expected.to_str().unwrap_or_default();
    let tag = etag(&serde_json::to_vec(resource).unwrap_or_default());
    if expected.trim() == "*" || expected.split(',').any(|given| given.trim() == tag) {
        return Ok(());
    }
    Err(Problem::moved(format!("If-Match names {expected}, and it is {tag} now. Read it again and decide anew.")))
}

/// Path parameters. What does not fit names nothing.
pub(crate) struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let axum::extract::Path(value) = axum::extract::Path::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::not_found(format!("There is nothing at {}.", parts.uri.path())))?;
        if parts.uri.path().contains("%00") {
            return Err(Problem::not_found("There is nothing with such a name."));
        }
        Ok(Self(value))
    }
}

/// The most characters of a query's value; the schemas of queries say the same.
const MAX_QUERY_VALUE: usize = 100;

/// Query parameters.
pub(crate) struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if parts.uri.query().is_some_and(|query| query.contains("%00")) {
            return Err(Problem::malformed("A query must not contain the character NUL (%00)."));
        }
        let query = parts.uri.query().unwrap_or_default();
        if let Some((name, _)) = form_urlencoded::parse(query.as_bytes()).find(|(_, value)| value.chars().count() > MAX_QUERY_VALUE) {
            return Err(Problem::malformed(format!("`{name}` in the query is too long: it has at most {MAX_QUERY_VALUE} characters.")));
        }
        let axum::extract::Query(value) = axum::extract::Query::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::malformed(format!("The query cannot be read: {}.", rejection.body_text())))?;
        Ok(Self(value))
    }
}

/// Somebody who has proved who they are, by a key or by a session.
#[derive(Clone)]
pub(crate) struct Identity {
    pub actor: Arc<Actor>,
    /// The browser's session and its CSRF token, where it is one.
    pub session: Option<(SessionId, String)>,
}

impl FromRequestParts<App> for Identity {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if let Some(identity) = parts.extensions.get::<Self>() {
            return Ok(identity.clone());
        }
        let identity = auth::identify(app, &parts.headers).await?;
        if let Some((_, csrf)) = &identity.session
            && !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS)
            && parts.headers.get("x-csrf-token").is_none_or(|token| token.as_bytes() != csrf.as_bytes())
        {
            return Err(Problem::forbidden("The header `X-CSRF-Token` must carry the token of GET /api/v1/session."));
        }
        parts.extensions.insert(identity.clone());
        Ok(identity)
    }
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident: $scope:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone)]
            pub(crate) struct $name(pub Arc<Actor>);

            impl std::ops::Deref for $name {
                type Target = Actor;
                fn deref(&self) -> &Actor {
                    &self.0
                }
            }

            impl FromRequestParts<App> for $name {
                type Rejection = Problem;
                async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
                    let identity = Identity::from_request_parts(parts, app).await?;
                    if identity.actor.may($scope) {
                        return Ok(Self(identity.actor));
                    }
                    let why = if identity.actor.key.is_some() { "This key" } else { "Your role" };
                    Err(Problem::forbidden(format!("{why} does not have the scope `{}`.", $scope)))
                }
            }
        )*
    };
}

permissions! {
    /// Having one proves that the caller may read.
    Reader: Scope::Read;
    /// Having one proves that the caller may write messages and open proposals.
    Proposer: Scope::Propose;
    /// Having one proves that the caller may decide on proposals.
    Reviewer: Scope::Review;
    /// Having one proves that the caller may change plans without a proposal.
    Applier: Scope::Apply;
    /// Having one proves that the caller may administer.
    Admin: Scope::Admin;
}

/// Cuts a page's size to what is allowed.
pub(crate) fn page_size(limit: Option<u32>) -> Result<i64, Problem> {
    match limit {
        None => Ok(50),
        Some(limit @ 1..=200) => Ok(limit.into()),
        Some(limit) => Err(Problem::invalid(vec![Fault::new("/limit", "a page has 1–200 entries").found(limit.to_string()).expected("1–200")])),
    }
}
