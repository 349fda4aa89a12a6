//! The published JSON Schemas of the patch.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use patchbay_core::patch::schema;

use super::{Api, public};
use crate::{
    extract::{Json, Path},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.get(
        "/schemas/{name}",
        read,
        public("schemas", "A JSON Schema: `project-patch.json` or `task-patch.json`").answer::<serde_json::Map<String, serde_json::Value>>(200),
    )
}

async fn read(Path(name): Path<String>) -> Result<Response, Problem> {
    let schema = match name.as_str() {
        "project-patch.json" => schema::project_patch(),
        "task-patch.json" => schema::task_patch(),
        _ => return Err(Problem::not_found("There are project-patch.json and task-patch.json.")),
    };
    let mut response = Json(schema).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    Ok(response)
}
