//! What is particular to MariaDB: its address, its sessions, its lock for migrations.

use super::fault;
use super::server::Purpose;
use crate::{Error, Result};
use sea_orm::sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPoolOptions};
use sea_orm::sqlx::{self, ConnectOptions as _, Connection as _, Executor as _};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, QueryResult, SqlxMySqlConnector, Statement};

/// The oldest version that PULSE is for: the first whose changes of a schema are atomic each.
const OLDEST: (u32, u32) = (10, 6);

/// What a statement may carry: a journal's entry or a definition with everything escaped, and its company.
const PACKET: i64 = 16 * 1024 * 1024;

/// How long a program waits for another one that migrates, in seconds.
const MIGRATION_WAIT: u32 = 120;

/// As PULSE needs each session. Strict: what does not fit is an error, not cut short. A transaction whose client is gone
/// must not hold its locks for hours.
const SESSION: &str = "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', \
     SESSION innodb_lock_wait_timeout = 5, SESSION lock_wait_timeout = 60, SESSION idle_transaction_timeout = 15";

const ISOLATION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

const READ_ONLY: &str = "SET SESSION TRANSACTION READ ONLY";

pub(super) fn settings(url: &str) -> Result<MySqlConnectOptions, sqlx::Error> {
    let settings: MySqlConnectOptions = url.parse()?;
    Ok(settings.charset("utf8mb4").statement_cache_capacity(256).disable_statement_logging())
}

/// Connects once, to learn why it cannot be done: a pool would only say that it took too long.
pub(super) async fn probe(settings: &MySqlConnectOptions) -> Result<(), sqlx::Error> {
    MySqlConnection::connect_with(settings).await?.close().await
}

pub(super) async fn pool(settings: MySqlConnectOptions, purpose: Purpose) -> Result<DatabaseConnection, sqlx::Error> {
    let options = purpose.limit(MySqlPoolOptions::new()).after_connect(move |connection, _| {
        Box::pin(async move {
            connection.execute(SESSION).await?;
            connection.execute(ISOLATION).await?;
            if let Purpose::Reading { .. } = purpose {
                connection.execute(READ_ONLY).await?;
            }
            Ok(())
        })
    });
    Ok(SqlxMySqlConnector::from_sqlx_mysql_pool(options.connect_with(settings).await?))
}

/// Refuses a server that cannot keep what PULSE promises.
pub(super) async fn check(connection: &DatabaseConnection, database: &str) -> Result<Result<()>, DbErr> {
    let row = one(
        connection,
        "SELECT VERSION(), CAST(@@max_allowed_packet AS SIGNED), CAST(@@innodb_flush_log_at_trx_commit AS SIGNED)",
    )
    .await?;
    let (version, packet): (String, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    let refused = |detail| Ok(Err(Error::Unavailable { detail }));
    if !version.contains("MariaDB") || is_too_old(&version) {
        let (major, minor) = OLDEST;
        return refused(format!(
            "database {database} is version {version}: PULSE needs MariaDB {major}.{minor} or later, PostgreSQL, or SQLite"
        ));
    }
    if packet < PACKET {
        return refused(format!(
            "database {database} takes statements of {packet} bytes only: set max_allowed_packet to 16M or more in its \
             configuration and restart it"
        ));
    }
    if row.try_get_by_index::<i64>(2)? != 1 {
        tracing::warn!(
            %database,
            "innodb_flush_log_at_trx_commit is not 1: a power loss may take the last moment's commits"
        );
    }
    Ok(Ok(()))
}

fn is_too_old(version: &str) -> bool {
    let mut numbers = version.split(['.', '-']).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < OLDEST
}

/// Takes the lock under which a schema is migrated, held until the connection ends: changes of a schema end transactions.
pub(super) async fn lock(connection: &DatabaseConnection) -> Result<(), DbErr> {
    let name = "CONCAT('pulse ', LEFT(SHA2(DATABASE(), 256), 32))";
    let row = one(connection, &format!("SELECT CAST(GET_LOCK({name}, {MIGRATION_WAIT}) AS SIGNED)")).await?;
    match row.try_get_by_index::<Option<i64>>(0)? {
        Some(1) => Ok(()),
        _ => Err(fault::custom("another program has been migrating it for too long")),
    }
}

async fn one(connection: &DatabaseConnection, sql: &str) -> Result<QueryResult, DbErr> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_one_raw(statement).await?.ok_or_else(|| fault::custom("no answer"))
}

/// What to do about an error while connecting.
pub(super) fn advice(number: u16) -> Option<&'static str> {
    Some(match number {
        1045 | 1698 => "the user or the password in PULSE_DATABASE_URL is wrong",
        1044 | 1142 => "the user may not use it: GRANT ALL PRIVILEGES on it",
        1049 => "there is none with this name: CREATE DATABASE it first",
        1040 | 1203 => "it has too many connections; end some or raise max_connections",
        1130 => "it takes no connections from this machine: GRANT its user that",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_which_version_is_too_old() {
        assert!(["10.5.99-MariaDB", "5.5.5", "10.2.0-MariaDB"].into_iter().all(is_too_old));
        assert!(!["10.6.0-MariaDB", "10.11.19-MariaDB-0+deb12u1", "11.4.2-MariaDB"].into_iter().any(is_too_old));
    }
}
