//! Opening a database on a server: reaching it, checking it, migrating it under a lock, and its connections.

use super::reads::Reads;
use super::write::{Kind, Writer};
use super::{SqlStore, clock, deletion, fault, mariadb, postgres};
use crate::{Error, OpenOptions, Result, Synchronous};
use migrations::MigrateError;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError};
use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgDatabaseError};
use sea_orm::sqlx::{self, Database};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, RuntimeErr, TransactionTrait};
use std::sync::Arc;
use std::time::Duration;

/// How long making a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long closing waits for an answer: what is left of the ten seconds of a stop.
const CLOSING: Duration = Duration::from_millis(1500);

/// After how long the row of a writer that is gone is deleted, in milliseconds: far longer than any doubt about a commit.
const WRITER_KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// What a pool of connections is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// One connection that brings the schema up to date.
    Migrating,
    /// The one that writes.
    Writing,
    /// Up to so many that read.
    Reading { connections: u32 },
}

impl Purpose {
    pub(super) fn limit<DB: Database>(self, options: PoolOptions<DB>) -> PoolOptions<DB> {
        // Connections are not tried before each use: who uses one that is gone notices, and knows what to do.
        let options = options.test_before_acquire(false).acquire_timeout(CONNECT).max_lifetime(None);
        match self {
            Self::Migrating | Self::Writing => options.max_connections(1).idle_timeout(None),
            Self::Reading { connections } => {
                options.max_connections(connections).min_connections(0).idle_timeout(Duration::from_secs(60))
            }
        }
    }
}

/// Where a database is.
#[derive(Clone)]
enum Place {
    MariaDb(MySqlConnectOptions),
    Postgres(PgConnectOptions, Synchronous),
}

/// Opens a database on a server by its URL, which starts with `mysql://`, `mariadb://`, `postgres://` or `postgresql://`.
pub(crate) async fn open_server(url: &str, options: OpenOptions) -> Result<SqlStore> {
    let (place, database) = place(url, options)?;
    let database: Arc<str> = database.into();
    let failed = |error: DbErr| not_opened(&database, &error);
    let first = place.pool(Purpose::Migrating).await.map_err(failed)?;
    let checked = check_and_migrate(&place, &first, &database).await;
    first.close().await.ok();
    checked?;

    let reading = Purpose::Reading { connections: Ord::max(options.read_connections, 1) };
    let reads = Reads::new(place.pool(reading).await.map_err(failed)?);
    let connect = Box::new(move || {
        let place = place.clone();
        Box::pin(async move { place.pool(Purpose::Writing).await }) as _
    });
    let writer = Arc::new(Writer::start(Kind::Server { patience: options.patience }, connect, database.clone()));
    let store = SqlStore { reads, writer, database, patience: Some(CLOSING) };
    deletion::resume(&store).await?;
    Ok(store)
}

/// Where an URL leads, and how that is called in messages: without user, password and parameters.
fn place(url: &str, options: OpenOptions) -> Result<(Place, String)> {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    // What the driver says about an URL may repeat what stands in it.
    let wrong = |what: &str| Error::Unavailable {
        detail: format!(
            "PULSE_DATABASE_URL {what}: give {scheme}://USER:PASSWORD@HOST/DATABASE, with %-escapes where needed"
        ),
    };
    let not_read = |_| wrong(&format!("starts with `{scheme}:` but cannot be read"));
    let (place, host, port, database) = match scheme {
        "mysql" | "mariadb" => {
            let settings = mariadb::settings(url).map_err(not_read)?;
            let (host, port) = (settings.get_host().to_owned(), settings.get_port());
            let database = settings.get_database().map(str::to_owned);
            (Place::MariaDb(settings), host, port, database)
        }
        _ => {
            let settings = postgres::settings(url).map_err(not_read)?;
            let (host, port) = (settings.get_host().to_owned(), settings.get_port());
            let database = settings.get_database().map(str::to_owned);
            (Place::Postgres(settings, options.synchronous), host, port, database)
        }
    };
    let database = database.filter(|name| !name.is_empty()).ok_or_else(|| wrong("names no database"))?;
    Ok((place, format!("{scheme}://{host}:{port}/{database}")))
}

impl Place {
    async fn pool(&self, purpose: Purpose) -> Result<DatabaseConnection, DbErr> {
        let made = async {
            match self.clone() {
                Self::MariaDb(settings) => {
                    mariadb::probe(&settings).await?;
                    mariadb::pool(settings, purpose).await
                }
                Self::Postgres(settings, synchronous) => {
                    postgres::probe(&settings).await?;
                    postgres::pool(settings, purpose, synchronous).await
                }
            }
        };
        let late = |_| Err(sqlx::Error::PoolTimedOut);
        let made = tokio::time::timeout(CONNECT + Duration::from_secs(1), made).await.unwrap_or_else(late);
        made.map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))))
    }
}

fn not_opened(database: &str, error: &DbErr) -> Error {
    let advice = match fault::driver_error(error) {
        Some(sqlx::Error::Database(error)) => {
            let mariadb =
                error.try_downcast_ref::<MySqlDatabaseError>().and_then(|error| mariadb::advice(error.number()));
            let postgres = error.try_downcast_ref::<PgDatabaseError>().and_then(|error| postgres::advice(error.code()));
            mariadb.or(postgres)
        }
        Some(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut) => {
            Some("the server cannot be reached: is it running, and is the address in PULSE_DATABASE_URL right?")
        }
        Some(sqlx::Error::Tls(_)) => Some("no encrypted connection can be made: see ssl-mode (sslmode) in its URL"),
        _ => None,
    };
    let message = match fault::driver_error(error) {
        Some(sqlx::Error::PoolTimedOut) => format!("no connection within {} s", CONNECT.as_secs()),
        _ => fault::message(error),
    };
    let advice = advice.map_or_else(String::new, |advice| format!(": {advice}"));
    Error::Unavailable { detail: format!("database {database} cannot be opened: {message}{advice}") }
}

/// Checks the server, and brings the schema up to date under a lock: a second program that starts waits for it and then
/// finds nothing left to do.
async fn check_and_migrate(place: &Place, connection: &DatabaseConnection, database: &str) -> Result<()> {
    let failed = |error: DbErr| not_opened(database, &error);
    match place {
        Place::MariaDb(_) => {
            mariadb::check(connection, database).await.map_err(failed)??;
            mariadb::lock(connection).await.map_err(failed)?;
        }
        Place::Postgres(..) => postgres::check(connection, database).await.map_err(failed)??,
    }
    let transaction = connection.begin().await.map_err(failed)?;
    if let Place::Postgres(..) = place {
        postgres::lock(&transaction).await.map_err(failed)?;
    }
    migrations::migrate(&transaction).await.map_err(|error| match error {
        MigrateError::TooNew(found) => Error::TooNew { found },
        MigrateError::Foreign(table) => Error::Unavailable {
            detail: format!("database {database} cannot be opened: it holds a table `{table}` that is not PULSE's"),
        },
        MigrateError::Database(error) => failed(error),
    })?;
    transaction.commit().await.map_err(failed)?;
    forget_old_writers(connection).await.map_err(failed)
}

async fn forget_old_writers(connection: &DatabaseConnection) -> Result<(), DbErr> {
    let oldest = clock::now(connection.get_database_backend()).sub(WRITER_KEPT_MS);
    let delete = Query::delete().from_table("writers").and_where(Expr::col("seen_at").lt(oldest)).take();
    connection.execute(&delete).await?;
    Ok(())
}
