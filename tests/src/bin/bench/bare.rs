//! The yardstick: axum handlers with nothing in them but a statement. No authentication, no gates, no tenants.

use std::{net::Ipv4Addr, sync::Arc};

use anyhow::Result;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
    types::Json as Jsonb,
};
use tokio::net::TcpListener;
use uuid::Uuid;

/// The same writes as `apply`, by the same statement that `pgbench` runs.
const APPLY: &str = include_str!("../../../bench/statement.sql");
/// What a tree is made of.
const TREE: &str = "select t.task_id as id, t.number, t.parent_id, t.title, t.status, t.priority, t.assignee, t.due_on, t.detail,
        array(select d.depends_on_id from patchbay.task_dependency d where d.task_id = t.task_id order by d.depends_on_id) as depends_on
    from patchbay.task t where t.project_id = (select tree_id from bench where client = $1)";

struct App {
    pool: PgPool,
    apply: String,
}

#[derive(Serialize, sqlx::FromRow)]
struct Task {
    id: Uuid,
    number: i32,
    parent_id: Option<Uuid>,
    title: String,
    status: String,
    priority: Option<i16>,
    assignee: Option<String>,
    due_on: Option<NaiveDate>,
    detail: Jsonb<Box<RawValue>>,
    depends_on: Vec<Uuid>,
}

/// Serves `POST /apply/{client}` and `GET /tree/{client}` from the database whose socket is in `socket`.
pub(crate) async fn serve(socket: &str, port: u16) -> Result<()> {
    let options = PgConnectOptions::new_without_pgpass().socket(socket).username("postgres").database("patchbay");
    let options = options.options([("search_path", "patchbay,public")]);
    let pool = PgPoolOptions::new().max_connections(8).connect_with(options).await?;
    let apply = APPLY.replace(":client_id", "$1");
    let routes = Router::new().route("/apply/{client}", post(self::apply)).route("/tree/{client}", get(tree)).with_state(Arc::new(App { pool, apply }));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    Ok(axum::serve(listener, routes).await?)
}

async fn apply(State(app): State<Arc<App>>, Path(client): Path<i64>, body: Bytes) -> Result<StatusCode, String> {
    drop(body);
    sqlx::query(sqlx::AssertSqlSafe(app.apply.as_str())).bind(client).execute(&app.pool).await.map_err(|error| error.to_string())?;
    Ok(StatusCode::OK)
}

async fn tree(State(app): State<Arc<App>>, Path(client): Path<i64>) -> Result<Json<Vec<Task>>, String> {
    Ok(Json(sqlx::query_as(TREE).bind(client).fetch_all(&app.pool).await.map_err(|error| error.to_string())?))
}
