//! Health: alive, ready (each component), and figures for Prometheus.

use std::fmt::Write;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{app::App, extract::Json};

/// The process runs.
pub(super) async fn live() -> &'static str {
    "ok"
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    components: Vec<Component>,
}

#[derive(Serialize)]
struct Component {
    name: &'static str,
    ok: bool,
    detail: String,
}

/// The service can do its work.
pub(super) async fn ready(State(app): State<App>) -> Response {
    let database = match tokio::time::timeout(std::time::Duration::from_secs(3), app.db.ping()).await {
        Ok(Ok(())) => Component { name: "database", ok: true, detail: "answers".into() },
        Ok(Err(error)) => {
            tracing::warn!(%error, "the database does not answer");
            Component { name: "database", ok: false, detail: "does not answer".into() }
        }
        Err(_) => Component { name: "database", ok: false, detail: "does not answer within 3 s".into() },
    };
    let intake =
        Component { name: "intake", ok: !app.stopping.is_cancelled(), detail: if app.stopping.is_cancelled() { "stopping" } else { "takes work" }.into() };
    let planner = Component { name: "planner", ok: true, detail: app.planner.name.clone() };
    let components = vec![database, intake, planner];
    let ready = components.iter().all(|component| component.ok);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, components })).into_response()
}

/// Figures, in the text format of Prometheus.
pub(super) async fn metrics(State(app): State<App>) -> Response {
    let mut text = app.metrics.render();
    let (used, open) = app.db.load();
    let _ = writeln!(text, "# TYPE patchbay_database_connections gauge");
    let _ = writeln!(text, "patchbay_database_connections{{state=\"used\"}} {used}");
    let _ = writeln!(text, "patchbay_database_connections{{state=\"open\"}} {open}");
    let _ = writeln!(text, "# TYPE patchbay_commands_running gauge\npatchbay_commands_running {}", app.hub.running());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}
