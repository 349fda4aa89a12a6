//! Roles: one owns the schema and migrates, one runs the service, one only reads.

use sqlx::{Connection, PgConnection, Row, postgres::PgConnectOptions};

/// The schema that everything is in.
const SCHEMA: &str = "patchbay";

/// What a connection may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Owner,
    Service,
    Reader,
}

impl Role {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Owner => "patchbay_owner",
            Self::Service => "patchbay_service",
            Self::Reader => "patchbay_reader",
        }
    }
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error("the database cannot be reached")]
    Unreachable(#[source] sqlx::Error),
    #[error("Patchbay needs Postgres 15 or newer, and this is {found}: give it another DATABASE_URL")]
    TooOld { found: String },
    #[error(
        "the database user {user} is a superuser or bypasses row-level security, and may not become the role {role}: \
         create the roles patchbay_owner, patchbay_service and patchbay_reader, or connect as an ordinary user who owns the database"
    )]
    TooPowerful { user: String, role: &'static str },
    #[error("the roles and the schema cannot be made")]
    Prepare(#[source] sqlx::Error),
}

/// A database with its roles, ready to be migrated and used.
#[derive(Clone, Debug)]
pub struct Access {
    base: PgConnectOptions,
    way: Way,
}

/// How a connection comes to its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The roles sign in themselves: in a cluster of our own.
    SignIn,
    /// The user that connects takes the role.
    Take,
    /// There are no roles: the user that connects, who is no superuser, does everything.
    Without,
}

impl Access {
    /// The database of a cluster that is Patchbay's own, entered as the superuser only here, to make the database and the roles.
    pub async fn prepare_own(address: &super::embedded::Address) -> Result<Self, AccessError> {
        let mut conn = PgConnection::connect_with(&address.options("postgres", "postgres")).await.map_err(AccessError::Unreachable)?;
        let exists: bool = sqlx::query_scalar("select exists (select from pg_database where datname = 'patchbay')")
            .fetch_one(&mut conn)
            .await
            .map_err(AccessError::Prepare)?;
        if !exists {
            // Two processes may try at once; the second finds it made.
            match sqlx::query("create database patchbay").execute(&mut conn).await {
                Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("42P04" | "23505")) => {}
                Err(error) => return Err(AccessError::Prepare(error)),
                Ok(_) => {}
            }
        }
        let _ = conn.close().await;
        let superuser = address.options("postgres", "patchbay");
        Self::prepare(superuser.clone()).await?;
        let mut conn = PgConnection::connect_with(&superuser).await.map_err(AccessError::Unreachable)?;
        sqlx::raw_sql("alter role patchbay_owner login; alter role patchbay_service login; alter role patchbay_reader login")
            .execute(&mut conn)
            .await
            .map_err(AccessError::Prepare)?;
        let _ = conn.close().await;
        Ok(Self { base: superuser, way: Way::SignIn })
    }

    /// Whether owner, service and reader are different roles.
    pub const fn has_roles(&self) -> bool {
        !matches!(self.way, Way::Without)
    }

    /// Connects as the given user, makes the roles and the schema where they are missing and where that is allowed.
    pub async fn prepare(base: PgConnectOptions) -> Result<Self, AccessError> {
        let mut conn = PgConnection::connect_with(&base).await.map_err(AccessError::Unreachable)?;
        let version: i32 =
            sqlx::query_scalar("select current_setting('server_version_num')::int").fetch_one(&mut conn).await.map_err(AccessError::Unreachable)?;
        if version < 150_000 {
            return Err(AccessError::TooOld { found: (version / 10_000).to_string() });
        }
        let has_roles = make_roles(&mut conn).await.map_err(AccessError::Prepare)?;
        if !has_roles {
            let row = sqlx::query("select current_user::text, rolsuper or rolbypassrls from pg_roles where rolname = current_user")
                .fetch_one(&mut conn)
                .await
                .map_err(AccessError::Prepare)?;
            if row.get(1) {
                return Err(AccessError::TooPowerful { user: row.get(0), role: Role::Service.name() });
            }
        }
        let schema = if has_roles { "create schema if not exists patchbay authorization patchbay_owner" } else { "create schema if not exists patchbay" };
        let exists: bool = sqlx::query_scalar("select exists (select from pg_namespace where nspname = $1)")
            .bind(SCHEMA)
            .fetch_one(&mut conn)
            .await
            .map_err(AccessError::Prepare)?;
        if !exists {
            sqlx::query(schema).execute(&mut conn).await.map_err(AccessError::Prepare)?;
        }
        let _ = conn.close().await;
        Ok(Self { base, way: if has_roles { Way::Take } else { Way::Without } })
    }

    /// How to connect as a role.
    pub fn options(&self, role: Role) -> PgConnectOptions {
        let options = self.base.clone().application_name("patchbay").options([("search_path", SCHEMA)]);
        // A plan is kept while its tables grow: what reads little of a small table would read all of a large one, were it no index scan.
        // What is left of whole tables, such as those of one row, looks dear by that and would be compiled for each call.
        let options = if role == Role::Owner { options } else { options.options([("enable_seqscan", "off"), ("enable_bitmapscan", "off"), ("jit", "off")]) };
        match self.way {
            Way::SignIn => options.username(role.name()),
            Way::Take => options.options([("role", role.name())]),
            Way::Without => options,
        }
    }

    /// As the role that owns the schema.
    pub fn owner(&self) -> PgConnectOptions {
        self.options(Role::Owner)
    }
}

/// Makes the roles, and lets the present user take them. Whether they can be taken now.
async fn make_roles(conn: &mut PgConnection) -> sqlx::Result<bool> {
    let made = sqlx::raw_sql(
        "do $$
         declare
             role text;
         begin
             -- Two processes may start at once; roles are the whole cluster's.
             perform pg_advisory_xact_lock(7305106);
             foreach role in array array['patchbay_owner', 'patchbay_service', 'patchbay_reader'] loop
                 if not exists (select from pg_roles where rolname = role) then
                     execute format('create role %I nologin', role);
                 end if;
                 if not pg_has_role(role, 'member') then
                     execute format('grant %I to current_user', role);
                 end if;
             end loop;
         end
         $$",
    )
    .execute(&mut *conn)
    .await;
    match made {
        Ok(_) => Ok(true),
        // insufficient_privilege: the user may not make roles.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42501") => Ok(false),
        Err(error) => Err(error),
    }
}
