//! The Model Context Protocol: the API as tools, over standard input and output and over HTTP.
//!
//! A tool is a request to our own API, made within the process as whoever calls: what a key may see and do is decided in one place.
//! The protocol: <https://modelcontextprotocol.io/specification>

mod tools;

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, ListToolsResult, PaginatedRequestParams, ServerCapabilities,
        ServerConfig, Tool,
    },
    service::RequestContext,
    transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager},
};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{api, app::App, auth, extract::Identity, problem::Problem};

/// The largest answer that is given to a tool's caller, in bytes.
const MAX_ANSWER: usize = 8 << 20;

const INSTRUCTIONS: &str = "Patchbay holds plans: projects with tasks (WEB-7) that move through steps. To work: claim_task takes the best task that is ready, \
with a lease; call heartbeat before the lease's ttl_seconds are over; transition_task moves the task on, with the lease's lock_id and fencing_token; \
release_task gives it back, or ends the lease when the work is done. To change a plan otherwise, propose_patch opens a proposal that people review. \
append_event tells others what happened, tail_events hears of it.";

/// What answers the calls of one client.
#[derive(Clone)]
pub(crate) struct Server {
    api: Router,
    /// Who calls, where the connection says it; otherwise each request does.
    identity: Option<Identity>,
}

/// `/mcp`, for those who come with a key.
pub(crate) fn router(app: &App) -> Router<App> {
    let api = api::router(app).with_state(app.clone());
    let server = Server { api, identity: None };
    // Each request stands alone and says by its key who makes it, so that any process can answer the next one. A browser cannot be
    // led to it from elsewhere, because it sends no key by itself: so the name that it was reached by need not be one of ours.
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .disable_allowed_hosts()
        .with_cancellation_token(app.stopping.child_token());
    let service = StreamableHttpService::new(move || Ok(server.clone()), Arc::new(LocalSessionManager::default()), config);
    Router::new().route_service("/mcp", service).layer(middleware::from_fn_with_state(app.clone(), with_key))
}

/// Lets in who has a key. A cookie does not do: it travels with any page's request.
async fn with_key(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let identity = match auth::identify(&app, request.headers()).await {
        Ok(identity) if identity.session.is_none() => identity,
        Ok(_) => return Problem::unauthenticated("Send an API key as `Authorization: Bearer pb_…`.").into_response(),
        Err(problem) => return problem.into_response(),
    };
    request.extensions_mut().insert(identity);
    next.run(request).await
}

/// Serves one client over standard input and output, until it closes them.
pub(crate) async fn serve_stdio(app: &App, identity: Identity) -> anyhow::Result<()> {
    let server = Server { api: api::router(app).with_state(app.clone()), identity: Some(identity) };
    let running = rmcp::serve_server(server, rmcp::transport::stdio()).await?;
    let ended = running.cancellation_token();
    tokio::select! {
        done = running.waiting() => { done?; }
        () = app.stopping.cancelled() => ended.cancel(),
    }
    Ok(())
}

impl Server {
    /// Makes the request that a tool is.
    async fn ask(&self, identity: Identity, call: tools::Call) -> Result<CallToolResult, ErrorData> {
        let broken = |error: &dyn std::fmt::Display| ErrorData::internal_error(error.to_string(), None);
        let body = match &call.body {
            Some(body) => Body::from(serde_json::to_vec(body).map_err(|error| broken(&error))?),
            None => Body::empty(),
        };
        let mut request = Request::builder().uri(call.uri()).method(call.method).body(body).map_err(|error| broken(&error))?;
        if call.body.is_some() {
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        // The session's token of a browser is not asked for: there is none.
        request.extensions_mut().insert(identity);
        let Ok(response) = self.api.clone().oneshot(request).await;
        let status = response.status();
        let bytes = to_bytes(response.into_body(), MAX_ANSWER).await.map_err(|_| broken(&"the answer is too large: ask for less"))?;
        if bytes.is_empty() {
            return Ok(CallToolResult::structured(call.nothing));
        }
        let Ok(value) = serde_json::from_slice::<Value>(&bytes) else {
            return Ok(CallToolResult::success(vec![ContentBlock::text(String::from_utf8_lossy(&bytes).into_owned())]));
        };
        if status.is_success() {
            return Ok(CallToolResult::structured(value));
        }
        Ok(CallToolResult::structured_error(value))
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("patchbay", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(&self, _: Option<PaginatedRequestParams>, _: RequestContext<RoleServer>) -> Result<ListToolsResult, ErrorData> {
        static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| tools::all().iter().map(tools::Spec::tool).collect());
        Ok(ListToolsResult::with_all_items(TOOLS.clone()))
    }

    async fn call_tool(&self, request: CallToolRequestParams, context: RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
        let spec = tools::all().iter().find(|spec| spec.name == request.name);
        let spec = spec.ok_or_else(|| ErrorData::invalid_params(format!("there is no tool {}", request.name), None))?;
        let said = || context.extensions.get::<axum::http::request::Parts>().and_then(|parts| parts.extensions.get::<Identity>()).cloned();
        let identity = self.identity.clone().or_else(said);
        let identity = identity.ok_or_else(|| ErrorData::invalid_request("who are you? Send an API key", None))?;
        match (spec.call)(Value::Object(request.arguments.unwrap_or_default())) {
            Ok(call) => self.ask(identity, call).await.map(Into::into),
            Err(why) => Ok(CallToolResult::structured_error(json!({ "title": "The arguments are not valid", "detail": why })).into()),
        }
    }
}
