//! Pairing a member with who they are on a channel: by a code that one of the two makes and the other says, within ten minutes.

use chrono::TimeDelta;
use rand::{TryRngCore, rngs::OsRng};
use serde_json::json;
use sqlx::PgConnection;

use super::{Channel, Sender, store};
use crate::{
    audit,
    ids::{Context, MemberId, OrganizationId},
    tenancy::{self, Actor, hash_secret},
};

/// How long a code can be said.
pub const MINUTES: i64 = 10;
/// Without the letters and digits that are taken for one another.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// Who makes a code.
pub enum Maker<'a> {
    /// A member, who will say it on a channel.
    Member(MemberId),
    /// Somebody on a channel, who will say it where they are signed in.
    Sender(Channel, &'a Sender),
}

/// Makes a code of eight characters, `K7PM-2QXW`.
pub async fn make(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, maker: Maker<'_>) -> sqlx::Result<String> {
    let mut bytes = [0; 8];
    OsRng.try_fill_bytes(&mut bytes).expect("the operating system gives randomness");
    let letters: String = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    let expires_at = ctx.now() + TimeDelta::minutes(MINUTES);
    store::insert_code(conn, organization, &hash_secret(&letters), &maker, expires_at).await?;
    Ok(format!("{}-{}", &letters[..4], &letters[4..]))
}

/// The hash of a code as somebody typed it.
fn hash(typed: &str) -> String {
    let letters: String = typed.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    hash_secret(&letters)
}

/// A code that a member made is said on a channel: who that is from now on, or `None` where there is no such code any more.
pub async fn said_on_channel(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    organization: OrganizationId,
    channel: Channel,
    sender: &Sender,
    typed: &str,
) -> sqlx::Result<Option<Actor>> {
    let Some(member) = store::use_member_code(&mut *conn, &hash(typed), ctx.now()).await? else { return Ok(None) };
    let Some(actor) = tenancy::store::act_as(&mut *conn, organization, member).await? else { return Ok(None) };
    pair(conn, ctx, &actor, channel, sender, "code").await?;
    Ok(Some(actor))
}

/// A code that was made on a channel is said by a member: who they are there.
pub async fn said_by_member(conn: &mut PgConnection, ctx: &dyn Context, actor: &Actor, typed: &str) -> sqlx::Result<Option<(Channel, Sender)>> {
    let Some((channel, sender)) = store::use_sender_code(&mut *conn, &hash(typed), ctx.now()).await? else { return Ok(None) };
    pair(conn, ctx, actor, channel, &sender, "code").await?;
    Ok(Some((channel, sender)))
}

/// Who somebody on a channel is, by what is known; by their address, where the organisation trusts the platform with that.
pub async fn identify(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    organization: OrganizationId,
    channel: Channel,
    sender: &Sender,
    trust_email: bool,
) -> sqlx::Result<Option<Actor>> {
    if let Some(member) = store::find_identity(&mut *conn, channel, &sender.id).await? {
        return tenancy::store::act_as(conn, organization, member).await;
    }
    let Some(email) = sender.email.as_deref().filter(|_| trust_email) else { return Ok(None) };
    let Some(member) = store::member_of_email(&mut *conn, email).await? else { return Ok(None) };
    let Some(actor) = tenancy::store::act_as(&mut *conn, organization, member).await? else { return Ok(None) };
    pair(conn, ctx, &actor, channel, sender, "email").await?;
    Ok(Some(actor))
}

async fn pair(conn: &mut PgConnection, ctx: &dyn Context, actor: &Actor, channel: Channel, sender: &Sender, proof: &str) -> sqlx::Result<()> {
    store::link(&mut *conn, actor, channel, sender, proof, ctx.now()).await?;
    let details = json!({ "channel": channel, "id": sender.id, "name": sender.name, "proof": proof });
    audit::store::append(conn, ctx, actor, "identity.linked", &actor.handle, &details).await
}
