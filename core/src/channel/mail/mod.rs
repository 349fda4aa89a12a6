//! What a mailbox needs beside what every channel has: how far it is read, by which process, and which mails are held back.
//!
//! Invariant: a mail that is held back has no effect before somebody who may releases it, and then only as a proposal.

pub mod store;

use chrono::{DateTime, Utc};
use rand::{TryRngCore, rngs::OsRng};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use sqlx::PgConnection;

use super::{Envelope, Sender};
use crate::{
    audit,
    ids::{Context, OrganizationId, QuarantineId},
    tenancy::{Actor, Trust},
};

/// How far a mailbox is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Another one means that all UIDs are others (RFC 3501, section 2.3.1.1).
    pub uid_validity: u32,
    /// The greatest that was read.
    pub last_uid: u32,
}

/// A mail that is held back.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Quarantined {
    pub id: QuarantineId,
    /// The address that it says it is from.
    pub sender: String,
    /// The name that it says it is from.
    pub name: String,
    pub subject: String,
    /// How its text begins.
    pub preview: String,
    /// Why it is not believed.
    pub why: String,
    /// Whether it can be released: one that cannot be read cannot.
    pub can_be_released: bool,
    pub received_at: DateTime<Utc>,
    /// A member's handle; null while it is held back.
    pub released_by: Option<String>,
    pub released_at: Option<DateTime<Utc>>,
}

/// A mail to hold back.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    pub key: String,
    pub sender: String,
    pub name: String,
    pub subject: String,
    pub preview: String,
    pub why: String,
    pub envelope: Option<Envelope>,
}

/// What came of releasing a mail.
#[derive(Clone, Debug, PartialEq)]
pub enum Release {
    /// It is in the inbox.
    Released(Quarantined),
    /// It was before.
    Already(Quarantined),
    /// It cannot be read, so nothing can come of it.
    Unreadable,
    NotFound,
}

/// The key for the tokens of a mailbox: made when it is first asked for.
pub async fn token_key(conn: &mut PgConnection, organization: OrganizationId, mailbox: &str) -> sqlx::Result<[u8; 32]> {
    let mut fresh = [0; 32];
    OsRng.try_fill_bytes(&mut fresh).expect("the operating system gives randomness");
    let key = store::token_key(conn, organization, mailbox, &fresh).await?;
    key.try_into().map_err(|_| sqlx::Error::Decode("a key of a mailbox has 32 bytes".into()))
}

/// Lets a held mail in. Its sender is still not proved, so that it may propose and nothing more.
pub async fn release(conn: &mut PgConnection, ctx: &dyn Context, admin: &Actor, id: QuarantineId) -> sqlx::Result<Release> {
    let Some((found, envelope)) = store::lock(&mut *conn, id).await? else { return Ok(Release::NotFound) };
    if found.released_at.is_some() {
        return Ok(Release::Already(found));
    }
    let Some(envelope) = envelope else { return Ok(Release::Unreadable) };
    // Nobody vouches for the address, so it must not make a member of whoever wrote.
    let sender = Sender { email: None, ..envelope.sender };
    let envelope = Envelope { sender, trust: Trust::Linked, shown: None, ..envelope };
    super::store::receive(&mut *conn, ctx, admin.organization, &envelope).await?;
    let now = ctx.now();
    store::release(&mut *conn, id, &admin.handle, now).await?;
    let details = json!({ "sender": found.sender, "subject": found.subject, "why": found.why });
    audit::store::append(conn, ctx, admin, "email.released", &id.to_string(), &details).await?;
    Ok(Release::Released(Quarantined { released_by: Some(admin.handle.clone()), released_at: Some(now), ..found }))
}
