//! Migrations: forward only, one process at a time, then the grants.

use sqlx::{Connection, PgConnection, migrate::Migrator};

use super::Access;

static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error("the database cannot be reached as the owner of the schema")]
    Connect(#[source] sqlx::Error),
    #[error("this database was used by a newer Patchbay (its migration {0} is unknown here): start that one")]
    Newer(i64),
    #[error("a migration failed")]
    Failed(#[source] sqlx::migrate::MigrateError),
    #[error("the roles could not be given their rights")]
    Grants(#[source] sqlx::Error),
}

/// Brings the schema up to date, under an advisory lock. Answers how many migrations there are.
pub async fn migrate(access: &Access) -> Result<usize, MigrateError> {
    let mut conn = PgConnection::connect_with(&access.owner()).await.map_err(MigrateError::Connect)?;
    MIGRATOR.run(&mut conn).await.map_err(|error| match error {
        sqlx::migrate::MigrateError::VersionMissing(version) => MigrateError::Newer(version),
        other => MigrateError::Failed(other),
    })?;
    if access.has_roles() {
        sqlx::raw_sql(GRANTS).execute(&mut conn).await.map_err(MigrateError::Grants)?;
    }
    let _ = conn.close().await;
    Ok(MIGRATOR.iter().count())
}

/// Names the present set of migrations: a template database made by another set is another template.
pub fn migrations_digest() -> String {
    let mut hasher = blake3::Hasher::new();
    for migration in MIGRATOR.iter() {
        hasher.update(&migration.checksum);
    }
    hasher.update(GRANTS.as_bytes());
    hasher.finalize().to_hex()[..12].to_owned()
}

/// What is only added is only granted to be added; what lets people in is not for the eyes of the reader.
const GRANTS: &str = "
    grant usage on schema patchbay to patchbay_service, patchbay_reader;
    grant select, insert, update, delete on all tables in schema patchbay to patchbay_service;
    revoke update, delete on revision, audit, audit_seal, event, policy from patchbay_service;
    revoke all on _sqlx_migrations from patchbay_service;
    grant select on all tables in schema patchbay to patchbay_reader;
    do $$
    declare
        part regclass;
    begin
        -- Everybody goes by the whole table.
        for part in select inhrelid from pg_inherits where inhparent = 'event'::regclass loop
            execute format('revoke all on %s from patchbay_service, patchbay_reader', part);
        end loop;
    end
    $$;
    revoke all on account, api_key, session, sign_in_link, idempotency, audit, audit_seal, _sqlx_migrations from patchbay_reader;
";
