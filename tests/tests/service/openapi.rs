//! The API as other people's programs know it.

use std::{env, fs, path::Path};

use anyhow::{Result, ensure};
use patchbay_tests::service::Running;
use reqwest::StatusCode;

/// So that a change of the API is seen where a change is reviewed.
#[tokio::test]
async fn the_document_that_is_served_is_the_one_that_is_kept() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let response = reqwest::get(format!("{}/api/v1/openapi.json", patchbay.url)).await?;
    assert_eq!(response.status(), StatusCode::OK);
    let served = response.text().await? + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    if env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(&path, &served)?;
    }
    let kept = fs::read_to_string(&path)?;
    let line = kept.lines().zip(served.lines()).position(|(kept, served)| kept != served).unwrap_or_else(|| kept.lines().count().min(served.lines().count()));
    ensure!(kept == served, "docs/openapi.json is not what is served, from line {} on. If that is meant: make openapi", line + 1);
    patchbay.end().await
}
