//! `patchbay import` and `patchbay export`

use std::{path::Path, process::ExitCode};

use anyhow::Result;

use super::Format;
use crate::settings::Settings;

pub(super) async fn import(_settings: &Settings, _file: &Path, _project: Option<&str>) -> Result<ExitCode> {
    Ok(ExitCode::FAILURE)
}

pub(super) async fn export(_settings: &Settings, _project: &str, _format: Format) -> Result<()> {
    Ok(())
}
