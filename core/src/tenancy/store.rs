//! The rows of organisations, members, keys, sessions and sign-in links.

use chrono::{DateTime, Duration, Utc};
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow};
use uuid::Uuid;

use super::{Actor, Scope, Scopes, Secret, hash_secret};
use crate::{
    db,
    ids::{AccountId, Context, KeyId, MemberId, OrganizationId, ProjectId, SessionId},
    patch::process::Role,
};

/// How long a browser stays signed in after it was last seen to sign in.
pub const SESSION_DAYS: i64 = 30;
/// How long a printed link works.
pub const LINK_MINUTES: i64 = 15;

/// Somebody of an organisation.
#[derive(Clone, Debug)]
pub struct Member {
    pub id: MemberId,
    pub account: Option<AccountId>,
    pub handle: String,
    pub name: String,
    pub email: Option<String>,
    pub role: Role,
    pub time_zone: String,
    pub created_at: DateTime<Utc>,
}

impl FromRow<'_, PgRow> for Member {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("member_id")?,
            account: row.try_get("account_id")?,
            handle: row.try_get("handle")?,
            name: row.try_get("name")?,
            email: row.try_get("email")?,
            role: role(row, "role")?,
            time_zone: row.try_get("time_zone")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

fn role(row: &PgRow, column: &str) -> sqlx::Result<Role> {
    let text: &str = row.try_get(column)?;
    Role::parse(text).ok_or_else(|| sqlx::Error::Decode(format!("{text} is no role").into()))
}

/// An API key without its secret.
#[derive(Clone, Debug)]
pub struct Key {
    pub id: KeyId,
    pub name: String,
    pub member: String,
    pub hint: String,
    pub scopes: Scopes,
    /// The key of the only project that it may see.
    pub project: Option<String>,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    pub last_used_at: Option<DateTime<Utc>>,
}

impl FromRow<'_, PgRow> for Key {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("key_id")?,
            name: row.try_get("name")?,
            member: row.try_get("member")?,
            hint: row.try_get("hint")?,
            scopes: scopes(row)?,
            project: row.try_get("project")?,
            created_at: row.try_get("created_at")?,
            expires_at: row.try_get("expires_at")?,
            last_used_at: row.try_get("last_used_at")?,
        })
    }
}

fn scopes(row: &PgRow) -> sqlx::Result<Scopes> {
    Ok(row.try_get::<Vec<String>, _>("scopes")?.iter().filter_map(|scope| Scope::parse(scope)).collect())
}

/// A new member.
pub struct NewMember<'a> {
    pub name: &'a str,
    pub handle: Option<&'a str>,
    pub email: Option<&'a str>,
    pub role: Role,
    pub time_zone: &'a str,
}

/// A new key.
pub struct NewKey<'a> {
    pub member: MemberId,
    pub name: &'a str,
    pub scopes: Scopes,
    pub project: Option<ProjectId>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// Makes the first organisation and its owner, unless there is one already. The transaction's organisation must be `organization`.
///
/// Two processes may start at once: one makes it, the other waits and finds it.
pub async fn create_first(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, name: &str) -> sqlx::Result<Option<MemberId>> {
    sqlx::query("select pg_advisory_xact_lock(7305107)").execute(&mut *conn).await?;
    let exists: bool = sqlx::query_scalar("select exists (select from installation)").fetch_one(&mut *conn).await?;
    if exists {
        return Ok(None);
    }
    create_organization(conn, ctx, organization, name).await.map(Some)
}

/// Makes an organisation and its owner, who has no name and no address until the first sign-in. The transaction's organisation
/// must be `organization`.
pub async fn create_organization(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, name: &str) -> sqlx::Result<MemberId> {
    let now = ctx.now();
    sqlx::query(
        "with listed as (insert into installation (organization, created_at) values ($1, $3))
         insert into organization (organization_id, name, created_at) values ($1, $2, $3)",
    )
    .bind(organization)
    .bind(name)
    .bind(now)
    .execute(&mut *conn)
    .await?;
    let owner = NewMember { name: "Owner", handle: Some("owner"), email: None, role: Role::Owner, time_zone: "UTC" };
    insert_member(conn, ctx, organization, &owner, None).await
}

async fn insert_member(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    organization: OrganizationId,
    new: &NewMember<'_>,
    account: Option<AccountId>,
) -> sqlx::Result<MemberId> {
    let id = MemberId(ctx.uuid());
    let wanted = new.handle.map_or_else(|| handle_of(new.name), str::to_owned);
    // A handle is never given again, so removed members count.
    let taken: Vec<String> = sqlx::query_scalar("select handle from member where handle like $1 || '%'").bind(&wanted).fetch_all(&mut *conn).await?;
    let handle = crate::ids::first_free(&wanted, &taken);
    sqlx::query(
        "insert into member (organization_id, member_id, account_id, handle, name, role, time_zone, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(organization)
    .bind(id)
    .bind(account)
    .bind(handle)
    .bind(new.name)
    .bind(new.role.as_str())
    .bind(new.time_zone)
    .bind(ctx.now())
    .execute(conn)
    .await?;
    Ok(id)
}

/// What people write after an @: the first word of the name in plain letters.
fn handle_of(name: &str) -> String {
    let handle: String = name.split_whitespace().next().unwrap_or_default().to_lowercase().chars().filter(char::is_ascii_alphanumeric).take(30).collect();
    if handle.is_empty() { "member".into() } else { handle }
}

/// Adds a member; with an address, also an account that can be signed in to.
pub async fn add_member(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, new: &NewMember<'_>) -> sqlx::Result<Option<MemberId>> {
    let account = match new.email {
        None => None,
        Some(email) => match create_account(&mut *conn, ctx, email, new.name).await? {
            None => return Ok(None),
            account => account,
        },
    };
    insert_member(conn, ctx, organization, new, account).await.map(Some)
}

/// Makes an account, unless the address has one.
async fn create_account(conn: &mut PgConnection, ctx: &dyn Context, email: &str, name: &str) -> sqlx::Result<Option<AccountId>> {
    let account = AccountId(ctx.uuid());
    let made = sqlx::query("insert into account (account_id, email, name, created_at) values ($1, $2, $3, $4) on conflict do nothing")
        .bind(account)
        .bind(email.trim())
        .bind(name)
        .bind(ctx.now())
        .execute(conn)
        .await?;
    Ok((made.rows_affected() == 1).then_some(account))
}

const MEMBER: &str = "select m.member_id, m.account_id, m.handle, m.name, a.email, m.role, m.time_zone, m.created_at
    from member m left join account a using (account_id)
    where m.removed_at is null";

/// All members, in the order they came.
pub async fn list_members(conn: &mut PgConnection) -> sqlx::Result<Vec<Member>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{MEMBER} order by m.created_at, m.member_id"))).fetch_all(conn).await
}

pub async fn find_member(conn: &mut PgConnection, id: MemberId) -> sqlx::Result<Option<Member>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{MEMBER} and m.member_id = $1"))).bind(id).fetch_optional(conn).await
}

/// The owner whom a sign-in link of the program is for: the first one.
pub async fn first_owner(conn: &mut PgConnection) -> sqlx::Result<Option<Member>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{MEMBER} and m.role = 'owner' order by m.created_at limit 1"))).fetch_optional(conn).await
}

pub async fn set_role(conn: &mut PgConnection, id: MemberId, role: Role) -> sqlx::Result<bool> {
    let changed = sqlx::query("update member set role = $2 where member_id = $1 and removed_at is null").bind(id).bind(role.as_str()).execute(conn).await?;
    Ok(changed.rows_affected() == 1)
}

/// How many owners there are: the last one stays.
pub async fn count_owners(conn: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("select count(*) from member where role = 'owner' and removed_at is null").fetch_one(conn).await
}

/// Takes a member out: signed out everywhere, keys revoked. Plans and history keep the name.
pub async fn remove_member(conn: &mut PgConnection, id: MemberId, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let removed = sqlx::query(
        "with keys as (update api_key set revoked_at = $2 where member_id = $1 and revoked_at is null),
              sessions as (delete from session where member_id = $1)
         update member set removed_at = $2 where member_id = $1 and removed_at is null",
    )
    .bind(id)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(removed.rows_affected() == 1)
}

pub async fn organization_name(conn: &mut PgConnection, organization: OrganizationId) -> sqlx::Result<String> {
    sqlx::query_scalar("select name from organization where organization_id = $1").bind(organization).fetch_one(conn).await
}

/// Makes a key. Its secret is here and nowhere else.
pub async fn create_key(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, new: &NewKey<'_>) -> sqlx::Result<(KeyId, Secret)> {
    let id = KeyId(ctx.uuid());
    let secret = Secret::generate("pb_");
    let scopes: Vec<String> = new.scopes.iter().map(|scope| scope.to_string()).collect();
    sqlx::query(
        "insert into api_key (organization_id, key_id, member_id, name, secret_hash, hint, scopes, project_id, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(organization)
    .bind(id)
    .bind(new.member)
    .bind(new.name)
    .bind(&secret.hash)
    .bind(secret.hint())
    .bind(scopes)
    .bind(new.project)
    .bind(ctx.now())
    .bind(new.expires_at)
    .execute(conn)
    .await?;
    Ok((id, secret))
}

/// The keys that still open something, or did until they ran out, of everybody or of one member; newest first.
pub async fn list_keys(conn: &mut PgConnection, of: Option<MemberId>) -> sqlx::Result<Vec<Key>> {
    sqlx::query_as(
        "select k.key_id, k.name, m.handle as member, k.hint, k.scopes, p.key as project, k.created_at, k.expires_at, k.last_used_at
         from api_key k join member m using (member_id) left join project p on p.project_id = k.project_id
         where k.revoked_at is null and ($1::uuid is null or k.member_id = $1)
         order by k.key_id desc",
    )
    .bind(of)
    .fetch_all(conn)
    .await
}

/// Takes a key back, of anybody or only of one member; its hash, so that whoever remembers it can forget it.
pub async fn revoke_key(conn: &mut PgConnection, id: KeyId, of: Option<MemberId>, now: DateTime<Utc>) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "update api_key set revoked_at = $2 where key_id = $1 and revoked_at is null and ($3::uuid is null or member_id = $3) returning secret_hash",
    )
    .bind(id)
    .bind(now)
    .bind(of)
    .fetch_optional(conn)
    .await
}

/// Who comes with this key. The transaction must have been begun with its hash presented; it is of the key's organisation afterwards.
pub async fn authenticate_key(conn: &mut PgConnection, hash: &str) -> sqlx::Result<Option<Actor>> {
    let row = sqlx::query(
        "select organization_id, key_id, member_id, scopes, project_id from api_key
         where secret_hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())",
    )
    .bind(hash)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let organization = row.try_get("organization_id")?;
    db::enter(conn, organization).await?;
    let Some(member) = find_member(conn, row.try_get("member_id")?).await? else {
        return Ok(None);
    };
    Ok(Some(Actor {
        key: Some(row.try_get("key_id")?),
        project: row.try_get("project_id")?,
        scopes: scopes(&row)?.and(Scopes::of(member.role)),
        ..actor(organization, member)
    }))
}

/// Notes that keys were used. Called now and then, not at each use.
pub async fn touch_keys(conn: &mut PgConnection, keys: &[Uuid], now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query("update api_key set last_used_at = $2 where key_id = any($1)").bind(keys).bind(now).execute(conn).await.map(drop)
}

fn actor(organization: OrganizationId, member: Member) -> Actor {
    Actor {
        organization,
        member: member.id,
        scopes: Scopes::of(member.role),
        handle: member.handle,
        name: member.name,
        role: member.role,
        time_zone: member.time_zone,
        key: None,
        project: None,
    }
}

/// Somebody as whom the program itself acts, with all that the role allows.
pub async fn act_as(conn: &mut PgConnection, organization: OrganizationId, member: MemberId) -> sqlx::Result<Option<Actor>> {
    Ok(find_member(conn, member).await?.map(|member| actor(organization, member)))
}

/// A signed-in browser.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: SessionId,
    pub csrf_token: String,
    pub actor: Actor,
}

/// Signs a member in. The secret is for the cookie.
pub async fn create_session(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    organization: OrganizationId,
    member: MemberId,
) -> sqlx::Result<(Secret, Option<Session>)> {
    let secret = Secret::generate("pbs_");
    let id = SessionId(ctx.uuid());
    let csrf = Secret::generate("");
    let csrf_token = csrf.hash;
    sqlx::query(
        "insert into session (organization_id, session_id, member_id, secret_hash, csrf_token, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(organization)
    .bind(id)
    .bind(member)
    .bind(&secret.hash)
    .bind(&csrf_token)
    .bind(ctx.now())
    .bind(ctx.now() + Duration::days(SESSION_DAYS))
    .execute(&mut *conn)
    .await?;
    let session = act_as(conn, organization, member).await?.map(|actor| Session { id, csrf_token, actor });
    Ok((secret, session))
}

/// Who comes with this cookie. The transaction must have been begun with its hash presented; it is of the organisation afterwards.
pub async fn authenticate_session(conn: &mut PgConnection, hash: &str) -> sqlx::Result<Option<Session>> {
    let row = sqlx::query("select organization_id, session_id, member_id, csrf_token from session where secret_hash = $1 and expires_at > now()")
        .bind(hash)
        .fetch_optional(&mut *conn)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let organization = row.try_get("organization_id")?;
    db::enter(conn, organization).await?;
    let actor = act_as(conn, organization, row.try_get("member_id")?).await?;
    Ok(match actor {
        None => None,
        Some(actor) => Some(Session { id: row.try_get("session_id")?, csrf_token: row.try_get("csrf_token")?, actor }),
    })
}

pub async fn delete_session(conn: &mut PgConnection, id: SessionId) -> sqlx::Result<()> {
    sqlx::query("delete from session where session_id = $1").bind(id).execute(conn).await.map(drop)
}

/// Signs a member out everywhere.
pub async fn delete_sessions(conn: &mut PgConnection, member: MemberId) -> sqlx::Result<()> {
    sqlx::query("delete from session where member_id = $1").bind(member).execute(conn).await.map(drop)
}

/// Makes a link that signs a member in once.
pub async fn create_link(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, member: MemberId) -> sqlx::Result<Secret> {
    let secret = Secret::generate("");
    sqlx::query("insert into sign_in_link (organization_id, secret_hash, member_id, created_at, expires_at) values ($1, $2, $3, $4, $5)")
        .bind(organization)
        .bind(&secret.hash)
        .bind(member)
        .bind(ctx.now())
        .bind(ctx.now() + Duration::minutes(LINK_MINUTES))
        .execute(conn)
        .await?;
    Ok(secret)
}

/// Whom a link is for, while it works. The transaction must have been begun with the hash presented; it is of the organisation afterwards.
pub async fn find_link(conn: &mut PgConnection, token: &str) -> sqlx::Result<Option<(OrganizationId, Member)>> {
    let row = sqlx::query("select organization_id, member_id from sign_in_link where secret_hash = $1 and used_at is null and expires_at > now()")
        .bind(hash_secret(token))
        .fetch_optional(&mut *conn)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let organization = row.try_get("organization_id")?;
    db::enter(conn, organization).await?;
    Ok(find_member(conn, row.try_get("member_id")?).await?.map(|member| (organization, member)))
}

/// Uses a link up. Of two who try at once, one does.
pub async fn use_link(conn: &mut PgConnection, token: &str, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let used =
        sqlx::query("update sign_in_link set used_at = $2 where secret_hash = $1 and used_at is null").bind(hash_secret(token)).bind(now).execute(conn).await?;
    Ok(used.rows_affected() == 1)
}

/// Whether a member has a password to sign in with.
pub async fn has_password(conn: &mut PgConnection, member: MemberId) -> sqlx::Result<bool> {
    sqlx::query_scalar("select exists (select from account join member using (account_id) where member_id = $1 and password_hash is not null)")
        .bind(member)
        .fetch_one(conn)
        .await
}

/// Why a member's account cannot be as asked.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("the address is somebody else's")]
    AddressTaken,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Gives a member a name, an address and a password: on the first sign-in.
pub async fn complete_member(
    conn: &mut PgConnection,
    ctx: &dyn Context,
    member: &Member,
    name: &str,
    email: &str,
    password_hash: &str,
) -> Result<(), AccountError> {
    let account = if let Some(account) = member.account {
        account
    } else {
        let account = create_account(&mut *conn, ctx, email, name).await?.ok_or(AccountError::AddressTaken)?;
        sqlx::query("update member set account_id = $2 where member_id = $1").bind(member.id).bind(account).execute(&mut *conn).await?;
        account
    };
    // Who was only "owner" so far gets a handle of their own, as long as nothing bears the old one.
    sqlx::query(
        "update member set name = $2, handle = case when handle = 'owner' and not exists (select from revision r where r.member_id = $1) then $3 else handle end
         where member_id = $1",
    )
    .bind(member.id)
    .bind(name)
    .bind(handle_of(name))
    .execute(&mut *conn)
    .await?;
    let changed = sqlx::query("update account set name = $2, email = $3, password_hash = $4 where account_id = $1")
        .bind(account)
        .bind(name)
        .bind(email.trim())
        .bind(password_hash)
        .execute(conn)
        .await;
    match changed {
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Err(AccountError::AddressTaken),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(()),
    }
}

pub async fn password_hash(conn: &mut PgConnection, member: MemberId) -> sqlx::Result<Option<String>> {
    Ok(sqlx::query_scalar::<_, Option<String>>("select password_hash from account join member using (account_id) where member_id = $1")
        .bind(member)
        .fetch_optional(conn)
        .await?
        .flatten())
}

pub async fn set_password(conn: &mut PgConnection, member: MemberId, hash: &str) -> sqlx::Result<()> {
    sqlx::query("update account set password_hash = $2 where account_id = (select account_id from member where member_id = $1)")
        .bind(member)
        .bind(hash)
        .execute(conn)
        .await
        .map(drop)
}

/// An account by its address, with its password's hash. The transaction must have been begun with the address in lower case presented.
pub async fn find_account(conn: &mut PgConnection, email: &str) -> sqlx::Result<Option<(AccountId, Option<String>)>> {
    sqlx::query_as("select account_id, password_hash from account where lower(email) = $1").bind(email.trim().to_lowercase()).fetch_optional(conn).await
}

/// The organisations that an account can sign in to. The transaction must have been begun with the account's id presented.
pub async fn list_memberships(conn: &mut PgConnection, account: AccountId) -> sqlx::Result<Vec<(OrganizationId, MemberId)>> {
    sqlx::query_as("select organization_id, member_id from member where account_id = $1 and removed_at is null order by created_at")
        .bind(account)
        .fetch_all(conn)
        .await
}
