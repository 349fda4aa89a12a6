//! Extractors that prove things: identity, permission, valid input. Their rejections are problems like all others.

use std::{
    any::TypeId,
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, OriginalUri, Request},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use patchbay_core::{
    ids::SessionId,
    patch::{Fault, shape::Schema},
    tenancy::{Actor, Scope},
};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{app::App, auth, problem::Problem};

/// JSON in and out. What goes out has a strong `ETag`.
pub(crate) struct Json<T>(pub T);

impl<T: DeserializeOwned + JsonSchema + 'static, S: Send + Sync> FromRequest<S> for Json<T> {
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

impl<T: DeserializeOwned + JsonSchema + Default + 'static, S: Send + Sync> FromRequest<S> for MaybeJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_empty = axum::body::HttpBody::size_hint(request.body()).exact() == Some(0);
        if is_empty && !request.headers().contains_key(header::CONTENT_TYPE) {
            return Ok(Self(T::default()));
        }
        Json::from_request(request, state).await.map(|Json(value)| Self(value))
    }
}

/// Reads JSON; every fault says where it is. Good JSON is read once; only where that fails it is held against the schema of the type.
pub(crate) fn parse<T: DeserializeOwned + JsonSchema + 'static>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let inner = error.inner();
        match serde_json::from_slice::<Value>(bytes) {
            Ok(value) if inner.is_data() => explain(&schemas::<T>().body, &value, || {
                let mut path = String::new();
                for segment in error.path() {
                    path.push('/');
                    path.push_str(segment.to_string().trim_matches(['[', ']', '.']));
                }
                (if path == "/?" { String::new() } else { path }, inner.to_string())
            }),
            Ok(_) => Problem::malformed(format!("The body is not JSON: {inner}.")),
            Err(error) => Problem::malformed(format!("The body is not JSON: {error}.")),
        }
    })?;
    deserializer.end().map_err(|error| Problem::malformed(format!("The body is not one JSON value: {error}.")))?;
    // Postgres has no text with a NUL in it. Inside JSON it can only stand escaped.
    if bytes.windows(6).any(|window| window == br"\u0000") {
        return Err(Problem::fault("", "a text must not contain the character NUL (\\u0000)"));
    }
    Ok(value)
}

/// The schemas of a type, made when first something does not fit it.
struct Schemas {
    body: Schema,
    query: Schema,
}

fn schemas<T: JsonSchema + 'static>() -> Arc<Schemas> {
    static KNOWN: LazyLock<Mutex<HashMap<TypeId, Arc<Schemas>>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(Schemas { body: Schema::of::<T>(), query: Schema::of_query::<T>() })).clone()
}

/// Why a value is not of a type: all that its schema says, else what reading it said, with its place.
fn explain(schema: &Schema, value: &Value, said: impl FnOnce() -> (String, String)) -> Problem {
    let faults = schema.faults(value);
    if !faults.is_empty() {
        return Problem::invalid(faults);
    }
    let (path, text) = said();
    // The place in the text says less than the path.
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    Problem::invalid(vec![reworded(path, message)])
}

/// What no schema says, in our words: `invalid type: floating point `1.0`, expected i32`.
fn reworded(path: String, message: &str) -> Fault {
    let said = ["invalid type: ", "invalid value: "].iter().find_map(|start| message.strip_prefix(start)).and_then(|rest| rest.rsplit_once(", expected "));
    let Some((found, expected)) = said else { return Fault::new(path, message) };
    let expected = match expected {
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, written without a point",
        other => other,
    };
    Fault::new(path, "this does not fit").found(found).expected(expected)
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
            .map_err(|_| Problem::not_found(format!("There is nothing at {}.", asked_for(parts))))?;
        if parts.uri.path().contains("%00") {
            return Err(Problem::not_found("There is nothing with such a name."));
        }
        Ok(Self(value))
    }
}

/// The path as the caller wrote it, with what a nested router has cut off.
fn asked_for(parts: &Parts) -> &str {
    parts.extensions.get::<OriginalUri>().map_or(parts.uri.path(), |original| original.0.path())
}

/// The most characters of a query's value; the schemas of queries say the same.
const MAX_QUERY_VALUE: usize = 100;

/// Query parameters. A fault's path is `/` and the parameter's name.
pub(crate) struct Query<T>(pub T);

impl<T: DeserializeOwned + JsonSchema + 'static, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if parts.uri.query().is_some_and(|query| query.contains("%00")) {
            return Err(Problem::malformed("A query must not contain the character NUL (%00)."));
        }
        let query = parts.uri.query().unwrap_or_default();
        let too_long = |(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| {
            let length = value.chars().count();
            let fault = || {
                Fault::new(format!("/{name}"), "this is too long")
                    .found(format!("{length} characters"))
                    .expected(format!("at most {MAX_QUERY_VALUE} characters"))
            };
            (length > MAX_QUERY_VALUE).then(fault)
        };
        let faults: Vec<Fault> = form_urlencoded::parse(query.as_bytes()).filter_map(too_long).collect();
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => {
                let known = schemas::<T>();
                let schema = &known.query;
                let given: Map<String, Value> = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
                    .map(|(name, text)| (name.to_string(), schema.read(&name, &text)))
                    .collect();
                let said = rejection.body_text();
                let said = said.strip_prefix("Failed to deserialize query string: ").unwrap_or(&said);
                Err(explain(schema, &Value::Object(given), || (String::new(), said.to_owned())))
            }
        }
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
