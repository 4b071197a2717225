//! Opening a SQLite file: making it, checking it, migrating it, and the settings of its connections.

use super::fault::Fault;
use super::reads::Reads;
use super::write::{Kind, Writer};
use super::{SqlStore, deletion, fault};
use crate::{Error, OpenOptions, Result, Synchronous};
use migrations::MigrateError;
use sea_orm::sqlx::ConnectOptions as _;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, RuntimeErr, SqliteTransactionMode, SqlxSqliteConnector, Statement,
    TransactionOptions, TransactionTrait,
};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The first version without the WAL-reset fault, <https://sqlite.org/wal.html#walresetbug>.
const OLDEST: [u32; 3] = [3, 51, 3];

/// How long a write waits for another program that holds the file, like a backup.
const BUSY: Duration = Duration::from_secs(10);

/// What every SQLite file starts with, <https://sqlite.org/fileformat.html>.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Opens or creates a SQLite file.
pub(crate) async fn open_sqlite(path: &Path, options: OpenOptions) -> Result<SqlStore> {
    let database: Arc<str> = path.display().to_string().into();
    prepare_file(path).map_err(|(error, advice)| Error::Unavailable {
        detail: format!("database {database} cannot be opened: {error}: {advice}"),
    })?;

    let settings = settings(path, options.synchronous);
    let first = connect(settings.clone()).await.map_err(|error| not_opened(&database, &error))?;
    let checked = check_and_migrate(&first, &database).await;
    first.close().await.ok();
    checked?;

    let reads = SqlitePoolOptions::new()
        .max_connections(options.read_connections.max(1))
        .min_connections(1)
        .test_before_acquire(false)
        .idle_timeout(Duration::from_secs(60))
        .max_lifetime(None)
        .connect_with(for_reading(settings.clone()))
        .await
        .map_err(|error| not_opened(&database, &DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))))?;
    let connect = Box::new(move || Box::pin(connect(settings.clone())) as _);
    let writer = Arc::new(Writer::start(Kind::File, connect, database.clone()));
    let reads = Reads::new(SqlxSqliteConnector::from_sqlx_sqlite_pool(reads));
    let store = SqlStore { reads, writer, database, patience: None };
    deletion::resume(&store).await?;
    Ok(store)
}

/// Makes the file and the directories above it, for nobody else to read, and looks whether it can be a database.
/// Otherwise says why not and what to do.
fn prepare_file(path: &Path) -> Result<(), (String, &'static str)> {
    let says = |advice: &'static str| move |error: io::Error| (error.to_string(), advice);
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder
            .create(parent)
            .map_err(says("its directory cannot be made; give another path in PULSE_DATABASE_URL"))?;
    }
    if fs::metadata(path).is_ok_and(|found| found.is_dir()) {
        return Err(("it is a directory".to_owned(), "give the path of a file in PULSE_DATABASE_URL"));
    }
    let created = File::options().write(true).create_new(true).mode(0o600).open(path);
    match created {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => {
            made.map_err(says("the server must be able to write there"))?;
            return Ok(());
        }
    }
    let mut start = Vec::with_capacity(MAGIC.len());
    File::options()
        .read(true)
        .write(true)
        .open(path)
        .and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut start))
        .map_err(says("the server must be able to read and write it"))?;
    match start.is_empty() || start == MAGIC {
        true => Ok(()),
        false => {
            Err(("it is no SQLite database".to_owned(), "give another path in PULSE_DATABASE_URL, or restore a backup"))
        }
    }
}

/// What all connections have in common. Small caches: the operating system keeps the file's pages anyway.
pub(super) fn settings(path: &Path, synchronous: Synchronous) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(match synchronous {
            Synchronous::Full => SqliteSynchronous::Full,
            Synchronous::Normal => SqliteSynchronous::Normal,
        })
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .statement_cache_capacity(256)
        .pragma("temp_store", "memory")
        .pragma("cache_size", "-8192")
        // 8 MiB of log between checkpoints, and no more than 64 MiB kept after a long reader made it grow.
        .pragma("wal_autocheckpoint", "2000")
        .pragma("journal_size_limit", "67108864")
        .disable_statement_logging()
}

/// Readers are several, and come and go.
fn for_reading(settings: SqliteConnectOptions) -> SqliteConnectOptions {
    settings.pragma("query_only", "ON").pragma("cache_size", "-2048").statement_cache_capacity(64)
}

/// A connection of its own, for the writer.
pub(super) async fn connect(settings: SqliteConnectOptions) -> Result<DatabaseConnection, DbErr> {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(settings)
        .await
        .map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))))?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

fn not_opened(database: &str, error: &DbErr) -> Error {
    let advice = match fault::sqlite_code(error).map(|code| code & 0xff) {
        _ if matches!(Fault::of(error), Fault::Full(_)) => "the disk is full; make room",
        Some(5 | 6) => "another program holds it; stop that one first",
        Some(8) => "the server must be able to write it",
        Some(11 | 26) => "it is damaged or no SQLite database; restore a backup",
        _ => "the server must be able to read and write it and its directory",
    };
    Error::Unavailable { detail: format!("database {database} cannot be opened: {}: {advice}", fault::message(error)) }
}

/// Checks the library, and brings the schema up to date within one transaction, which is the lock as well: a second
/// program that starts waits for it and then finds nothing left to do.
async fn check_and_migrate(connection: &DatabaseConnection, database: &str) -> Result<()> {
    let failed = |error: &DbErr| not_opened(database, error);
    check_version(connection).await.map_err(|error| failed(&error))??;

    let immediate =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    let transaction = connection.begin_with_options(immediate).await.map_err(|error| failed(&error))?;
    migrations::migrate(&transaction).await.map_err(|error| match error {
        MigrateError::TooNew(found) => Error::TooNew { found },
        MigrateError::Foreign(table) => Error::Unavailable {
            detail: format!(
                "database {database} cannot be opened: it holds a table `{table}` that is not PULSE's: give another path \
                 in PULSE_DATABASE_URL"
            ),
        },
        MigrateError::Database(error) => failed(&error),
    })?;
    transaction.commit().await.map_err(|error| failed(&error))
}

async fn check_version(connection: &DatabaseConnection) -> Result<Result<()>, DbErr> {
    let query = Statement::from_string(connection.get_database_backend(), "SELECT sqlite_version()");
    let row = connection.query_one_raw(query).await?.ok_or_else(|| DbErr::Custom("no version".to_owned()))?;
    let sqlite: String = row.try_get_by_index(0)?;
    Ok(match is_too_old(&sqlite) {
        true => Err(Error::TooOld { sqlite }),
        false => Ok(()),
    })
}

fn is_too_old(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    let version: [u32; 3] = std::array::from_fn(|_| numbers.next().unwrap_or(0));
    version < OLDEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_which_sqlite_is_too_old() {
        let old = ["3.51.2", "3.50.99", "2.99.99", "3.9.9"];
        assert!(old.into_iter().all(is_too_old));
        assert!(!["3.51.3", "3.51.10", "3.52.0", "4.0.0"].into_iter().any(is_too_old));
    }
}
