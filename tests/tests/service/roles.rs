//! What a process answers that leaves requests to others.

use anyhow::Result;
use patchbay_tests::service::Running;
use patchbay_web::settings::Role;
use reqwest::StatusCode;
use serde_json::Value;

#[tokio::test]
async fn a_process_without_the_role_web_tells_only_how_it_is() -> Result<()> {
    let mut patchbay = Running::start_with(|settings| settings.server.roles = vec![Role::Worker]).await?;
    let http = reqwest::Client::new();
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(http.get(format!("{}{path}", patchbay.url)).send().await?.status(), StatusCode::OK, "{path}");
    }
    for path in ["/", "/api/v1/projects", "/mcp", "/api/docs"] {
        let answer = http.get(format!("{}{path}", patchbay.url)).bearer_auth(&patchbay.key).send().await?;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        let problem: Value = answer.json().await?;
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("has not the role `web`")), "{path}: {problem}");
    }
    patchbay.end().await
}
