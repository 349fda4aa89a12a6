//! What comes with a message beside its words: kept within limits, listed with what became of the message, fetched as bytes.
//!
//! Invariants: bytes are kept only of who is known here; what is not kept is named with the reason; nothing of it is ever run or
//! shown, whatever it says it is.

pub mod store;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    documents::files::{FileError, Files},
    ids::{CommandId, OrganizationId, ReceivedFileId},
};

/// The most bytes of one file.
pub const MAX_BYTES: usize = 5 * 1024 * 1024;
/// The most files of one message.
pub const MAX_FILES: usize = 10;
/// The most bytes of all files of an organisation.
pub const MAX_TOTAL: i64 = 1024 * 1024 * 1024;

/// A file as it waits with its message in the inbox: its bytes are in the object store already, or will not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    pub name: String,
    pub media_type: String,
    pub size_bytes: i64,
    /// The name of its bytes in the object store, or why they are not kept.
    pub kept: Result<String, String>,
}

/// A file that came with a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReceivedFile {
    pub id: ReceivedFileId,
    /// The message that it came with.
    pub command: CommandId,
    pub name: String,
    /// As its sender says.
    pub media_type: String,
    pub size_bytes: i64,
    /// Why its bytes are not kept; null where they are.
    pub problem: Option<String>,
    pub created_at: DateTime<Utc>,
    #[serde(skip)]
    pub file: Option<String>,
}

/// A text that is longer is kept, but not planned from.
const MAX_PLANNED: usize = 256 * 1024;

/// Something that came with a message, with its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brought {
    pub name: String,
    /// `text/markdown`, in small letters.
    pub media_type: String,
    pub bytes: Vec<u8>,
}

impl Brought {
    /// Its text, where a plan can be made from it: plain text and Markdown of a sensible length.
    pub fn text(&self) -> Option<&str> {
        let name = self.name.to_ascii_lowercase();
        let is_text = matches!(self.media_type.as_str(), "text/plain" | "text/markdown" | "text/x-markdown")
            || [".md", ".markdown", ".txt"].iter().any(|end| name.ends_with(end)) && self.media_type == "application/octet-stream";
        let text = std::str::from_utf8(&self.bytes).ok().filter(|text| is_text && text.len() <= MAX_PLANNED && !text.contains('\0'))?;
        Some(text).filter(|text| !text.trim().is_empty())
    }
}

/// Keeps what may be kept. `total` is how much the organisation has; nothing is kept for who is not known.
pub async fn keep(files: &Files, organization: OrganizationId, brought: Vec<Brought>, is_known: bool, mut total: i64) -> Result<Vec<Attached>, FileError> {
    let mut attached = Vec::with_capacity(brought.len());
    for (at, Brought { name, media_type, bytes }) in brought.into_iter().enumerate() {
        let size_bytes = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let kept = match refusal(at, size_bytes, is_known, total) {
            Some(why) => Err(why),
            None => Ok(files.put(organization, bytes).await?),
        };
        if kept.is_ok() {
            total = total.saturating_add(size_bytes);
        }
        attached.push(Attached { name, media_type, size_bytes, kept });
    }
    Ok(attached)
}

fn refusal(at: usize, size_bytes: i64, is_known: bool, total: i64) -> Option<String> {
    let megabytes = |bytes: i64| bytes / 1024 / 1024;
    let most = i64::try_from(MAX_BYTES).unwrap_or(i64::MAX);
    if !is_known {
        return Some("files are kept only of who is known here".to_owned());
    }
    if at >= MAX_FILES {
        return Some(format!("a message may bring {MAX_FILES} files"));
    }
    if size_bytes > most {
        return Some(format!("a file may have {} MB", megabytes(most)));
    }
    (total.saturating_add(size_bytes) > MAX_TOTAL).then(|| format!("all files together may have {} MB", megabytes(MAX_TOTAL)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_too_much_is_named_and_not_kept() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::in_folder(dir.path()).unwrap();
        let organization = OrganizationId(uuid::Uuid::from_u128(1));
        let brought = |name: &str, length| Brought { name: name.into(), media_type: "image/png".into(), bytes: vec![1; length] };
        let mut all = vec![brought("a.png", 10), brought("b.png", MAX_BYTES + 1)];
        all.extend((0..10).map(|number| brought(&format!("{number}.png"), 10)));
        let kept = keep(&files, organization, all, true, MAX_TOTAL - 50).await.unwrap();
        let why: Vec<_> = kept.iter().map(|attached| attached.kept.as_ref().err().map_or("", String::as_str)).collect();
        let total = "all files together may have 1024 MB";
        let many = "a message may bring 10 files";
        assert_eq!(why, ["", "a file may have 5 MB", "", "", "", "", total, total, total, total, many, many]);
        let name = kept[0].kept.clone().unwrap();
        assert_eq!(files.get(organization, &name).await.unwrap(), Some(vec![1; 10]));
        let kept = keep(&files, organization, vec![brought("a.png", 10)], false, 0).await.unwrap();
        assert_eq!(kept[0].kept, Err("files are kept only of who is known here".into()));
    }
}
