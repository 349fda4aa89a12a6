//! What a platform signed and nobody could read.

use patchbay_core::{
    channel::{
        Channel,
        malformed::{Unread, store},
    },
    db,
};

use super::Hub;

impl Hub {
    /// Keeps a body for whoever administers the workspace that it came from. Only for what proved itself.
    pub async fn keep_malformed(&self, channel: Channel, error: &(dyn std::error::Error + Send + Sync), body: &[u8]) {
        let kept: db::Result<()> = async {
            let unread = Unread { text: readable(body), ..Unread::new(channel, error.to_string(), body) };
            let workspace = ["team_id", "guild_id", "channel_id"].into_iter().find_map(|name| unread.field(name)).unwrap_or_default();
            let Some(organization) = self.organization_of(channel, workspace).await? else { return Ok(()) };
            let mut tx = self.db.begin(organization).await?;
            store::keep(&mut tx, self.ctx.as_ref(), organization, &unread).await?;
            tx.commit().await
        }
        .await;
        match kept {
            Ok(()) => tracing::warn!(channel = channel.as_str(), %error, "something that could not be read is kept"),
            Err(failure) => tracing::error!(error = %failure, channel = channel.as_str(), "what could not be read could not be kept either"),
        }
    }
}

/// A form as one line for each of its fields, anything else as it is.
fn readable(body: &[u8]) -> String {
    let is_form = body.contains(&b'=') && !body.iter().any(|byte| byte.is_ascii_whitespace() || matches!(byte, b'{' | b'"' | 0x80..));
    if !is_form {
        return String::from_utf8_lossy(body).into_owned();
    }
    form_urlencoded::parse(body).map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_can_be_read() {
        assert_eq!(readable(b"team_id=T1&payload=%7B%22a%22%3A+1%7D"), "team_id=T1\npayload={\"a\": 1}");
        assert_eq!(readable(b"{\"a\": \"b=c\"}"), "{\"a\": \"b=c\"}");
        assert_eq!(readable(&[0xff, b'=']), "\u{fffd}=");
    }
}
