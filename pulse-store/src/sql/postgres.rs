//! What is particular to PostgreSQL: its address, its sessions, its lock for migrations.

use super::fault;
use super::server::Purpose;
use crate::{Error, Result, Synchronous};
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sea_orm::sqlx::{self, ConnectOptions as _, Connection as _, Executor as _};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, SqlxPostgresConnector, Statement};

/// The oldest version that PULSE is for, as `server_version_num`.
const OLDEST: i32 = 130_000;

/// As PULSE needs each session. A transaction whose client is gone must not hold its locks for hours.
const SESSION: &str = "SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '15s'; \
     SET default_transaction_isolation = 'read committed'; SET client_min_messages = 'warning'";

/// Where a server is set to answer before a commit is durable, this session is not. One that waits for more stays so.
const DURABLE: &str =
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

const LAZY: &str = "SET synchronous_commit = off";

const READ_ONLY: &str = "SET default_transaction_read_only = on";

/// For the lock under which a schema is migrated; other programs' databases have their own. "pulse" in ASCII.
const MIGRATION_LOCK: i64 = 0x70_75_6c_73_65;

pub(super) fn settings(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    let settings: PgConnectOptions = url.parse()?;
    Ok(settings.application_name("pulse").statement_cache_capacity(256).disable_statement_logging())
}

/// Connects once, to learn why it cannot be done: a pool would only say that it took too long.
pub(super) async fn probe(settings: &PgConnectOptions) -> Result<(), sqlx::Error> {
    PgConnection::connect_with(settings).await?.close().await
}

pub(super) async fn pool(
    settings: PgConnectOptions,
    purpose: Purpose,
    synchronous: Synchronous,
) -> Result<DatabaseConnection, sqlx::Error> {
    let durability = match synchronous {
        Synchronous::Full => DURABLE,
        Synchronous::Normal => LAZY,
    };
    let options = purpose.limit(PgPoolOptions::new()).after_connect(move |connection, _| {
        Box::pin(async move {
            connection.execute(SESSION).await?;
            connection.execute(durability).await?;
            if let Purpose::Reading { .. } = purpose {
                connection.execute(READ_ONLY).await?;
            }
            Ok(())
        })
    });
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(options.connect_with(settings).await?))
}

/// Refuses a server that cannot keep what PULSE promises.
pub(super) async fn check(connection: &DatabaseConnection, database: &str) -> Result<Result<()>, DbErr> {
    let sql = "SELECT current_setting('server_version_num')::int, current_setting('server_version'), \
               current_setting('server_encoding')";
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await?.ok_or_else(|| fault::custom("no answer"))?;
    let (number, version, encoding): (i32, String, String) =
        (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
    let refused = |detail| Ok(Err(Error::Unavailable { detail }));
    if number < OLDEST {
        return refused(format!(
            "database {database} is version {version}: PULSE needs PostgreSQL {} or later",
            OLDEST / 10_000
        ));
    }
    if encoding != "UTF8" {
        return refused(format!(
            "database {database} keeps texts as {encoding}: create one with ENCODING 'UTF8' for PULSE"
        ));
    }
    Ok(Ok(()))
}

/// Takes the lock under which a schema is migrated, held until the transaction ends.
pub(super) async fn lock(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    transaction.execute_unprepared("SET LOCAL lock_timeout = '120s'").await?;
    transaction.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
    Ok(())
}

/// What to do about an error while connecting, by SQLSTATE.
pub(super) fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "28P01" | "28000" => "the user or the password in PULSE_DATABASE_URL is wrong",
        "42501" => "the user may not use it: GRANT ALL on it, and CREATE on its schema",
        "3D000" => "there is none with this name: CREATE DATABASE it first",
        "53300" => "it has too many connections; end some or raise max_connections",
        "57P03" => "it is starting or stopping; try again in a moment",
        _ => return None,
    })
}
