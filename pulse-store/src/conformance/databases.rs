//! Databases on servers to test in: each is made for one test, with a name that no other has, and dropped with it.
//!
//! A server that cannot be reached fails the test and says so: nothing is skipped.

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, Statement};
use std::time::Duration;
use uuid::Uuid;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// `PULSE_TEST_MARIADB_URL`, or the local one.
    MariaDb,
    /// `PULSE_TEST_POSTGRES_URL`, or the local one.
    Postgres,
}

impl Server {
    /// The variable that says where it is.
    fn variable(self) -> &'static str {
        match self {
            Self::MariaDb => "PULSE_TEST_MARIADB_URL",
            Self::Postgres => "PULSE_TEST_POSTGRES_URL",
        }
    }

    /// Its URL, without a database.
    pub fn url(self) -> String {
        let default = match self {
            Self::MariaDb => "mysql://root@127.0.0.1:3306",
            Self::Postgres => "postgres://postgres@127.0.0.1:5432",
        };
        std::env::var(self.variable()).unwrap_or_else(|_| default.to_owned()).trim_end_matches('/').to_owned()
    }

    /// A database to connect to before there is another; MariaDB needs none.
    fn own_database(self) -> &'static str {
        match self {
            Self::MariaDb => "",
            Self::Postgres => "postgres",
        }
    }
}

/// A database for one test.
#[derive(Debug)]
pub struct FreshDatabase {
    server: Server,
    name: String,
}

impl FreshDatabase {
    /// Makes one. Panics where the server cannot be reached.
    pub async fn create(server: Server) -> Self {
        let name = format!("pulse_test_{}", Uuid::now_v7().simple());
        let sql = match server {
            // What a database's own defaults are must not matter: so they are odd ones.
            Server::MariaDb => format!("CREATE DATABASE `{name}` CHARACTER SET latin1 COLLATE latin1_swedish_ci"),
            Server::Postgres => format!("CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'"),
        };
        if let Err(error) = execute(server, &sql).await {
            panic!("these tests need a {server:?} server at {} (or in {}): {error}", server.url(), server.variable());
        }
        Self { server, name }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("{}/{}", self.server.url(), self.name)
    }

    /// Everything that is in its tables, as bytes to search in. Panics where it cannot be read.
    pub async fn contents(&self) -> Vec<u8> {
        let connection = connect(self.url()).await.unwrap();
        let backend = connection.get_database_backend();
        let (tables, row) = match self.server {
            Server::MariaDb => (
                "SELECT CAST(TABLE_NAME AS CHAR), GROUP_CONCAT(CONCAT('`', COLUMN_NAME, '`')) \
                 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() GROUP BY TABLE_NAME",
                "SELECT CAST(CONCAT_WS(0x0a, {columns}) AS BINARY) FROM `{table}`",
            ),
            Server::Postgres => (
                "SELECT tablename::text, ''::text FROM pg_tables WHERE schemaname = current_schema()",
                // Bytes as they are, where they are text.
                "SELECT convert_to(t::text, 'UTF8') FROM \"{table}\" t",
            ),
        };
        if self.server == Server::Postgres {
            connection.execute_unprepared("SET bytea_output = 'escape'").await.unwrap();
        }
        let mut contents = Vec::new();
        for found in connection.query_all_raw(Statement::from_string(backend, tables)).await.unwrap() {
            let (table, columns): (String, String) =
                (found.try_get_by_index(0).unwrap(), found.try_get_by_index(1).unwrap());
            let sql = row.replace("{table}", &table).replace("{columns}", &columns);
            for row in connection.query_all_raw(Statement::from_string(backend, sql)).await.unwrap() {
                contents.extend(row.try_get_by_index::<Vec<u8>>(0).unwrap());
                contents.push(b'\n');
            }
        }
        connection.close().await.unwrap();
        contents
    }
}

impl Drop for FreshDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server, self.name.clone());
        let sql = match server {
            Server::MariaDb => format!("DROP DATABASE IF EXISTS `{name}`"),
            // Whoever is still connected is put out.
            Server::Postgres => format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)"),
        };
        // A thread of its own: this may be the end of a test that failed, on a runtime that must not be blocked.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(execute(server, &sql)))
        });
        match dropped.join() {
            Ok(Ok(Ok(()))) => {}
            other => eprintln!("database {name} was not dropped: {other:?}"),
        }
    }
}

async fn connect(url: String) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).connect_timeout(Duration::from_secs(10)).sqlx_logging(false);
    Database::connect(options).await
}

async fn execute(server: Server, sql: &str) -> Result<(), DbErr> {
    execute_at(&format!("{}/{}", server.url(), server.own_database()), sql).await.map(|_| ())
}

/// Runs one statement in a database that nobody has open, past everything that the store holds to, and answers how many
/// rows that changed.
///
/// # Errors
/// The database's.
pub async fn execute_at(url: &str, sql: &str) -> Result<u64, DbErr> {
    let connection = connect(url.to_owned()).await?;
    let result = connection.execute_unprepared(sql).await;
    connection.close().await?;
    result.map(|result| result.rows_affected())
}
