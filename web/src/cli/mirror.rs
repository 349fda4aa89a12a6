//! `patchbay collab mirror`

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use secrecy::SecretString;

use super::{look, serve};
use crate::{address, mirror, settings::Settings};

pub(super) async fn mirror(settings: &Settings, root: &Path, project: &str, url: Option<String>, key: Option<SecretString>) -> Result<()> {
    let stop = serve::stop_signal()?;
    let url = url.unwrap_or_else(|| address::url(settings));
    let key = if let Some(key) = key {
        key
    } else {
        let path = settings.data.dir.join("owner.key");
        let key = fs::read_to_string(&path).with_context(|| format!("give a key by PATCHBAY_KEY: there is none at {}", path.display()))?;
        key.trim().to_owned().into()
    };
    let source = mirror::Source { url: url.trim_end_matches('/').to_owned(), key, project: project.to_ascii_uppercase() };
    mirror::run(source, root, look::say, stop).await
}
