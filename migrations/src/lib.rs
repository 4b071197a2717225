//! The database schema, as migrations that only go forward.
//!
//! A released migration is never changed: a change is a new one, in the order expand, move, contract, so that the
//! program before and the program after can both use the database in between. Everything here has to mean the same on
//! SQLite, MariaDB and PostgreSQL; `columns` holds what needs a different spelling on one of them.

mod columns;
mod m20261124_000001_initial;
mod m20261125_000001_secrets;
mod m20261126_000001_output_gaps;
mod m20261127_000001_several_servers;
mod m20261128_000001_webhooks;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait, QueryOrder};
use sea_orm_migration::seaql_migrations;

/// All migrations, the oldest first.
struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261124_000001_initial::Migration),
            Box::new(m20261125_000001_secrets::Migration),
            Box::new(m20261126_000001_output_gaps::Migration),
            Box::new(m20261127_000001_several_servers::Migration),
            Box::new(m20261128_000001_webhooks::Migration),
        ]
    }
}

/// Why a schema was not brought up to date. Nothing of it was changed.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A newer program has been here.
    #[error("the schema has migration `{0}`, which this program does not know")]
    TooNew(String),
    /// There are tables, and none of them ours.
    #[error("the database holds `{0}` and was not made by PULSE")]
    Foreign(String),
    /// The database said no.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Brings the schema up to date within a transaction that the caller began and commits, and under a lock that keeps other
/// programs from doing the same: on SQLite the transaction itself (`BEGIN IMMEDIATE`), on the others one for this purpose.
/// On MariaDB, where each change of a schema commits, an interrupted migration is done again from its start.
pub async fn migrate(transaction: &DatabaseTransaction) -> Result<(), MigrateError> {
    migrate_some(transaction, None).await
}

/// The same for the first so many migrations that are missing: for tests of how a schema of some release comes up to date.
#[doc(hidden)]
pub async fn migrate_some(transaction: &DatabaseTransaction, steps: Option<u32>) -> Result<(), MigrateError> {
    if let Some(name) = unknown_migration(transaction).await? {
        return Err(MigrateError::TooNew(name));
    }
    Ok(Migrator::up(transaction, steps).await?)
}

/// The first migration in the database that this program does not know.
async fn unknown_migration(transaction: &DatabaseTransaction) -> Result<Option<String>, MigrateError> {
    if !SchemaManager::new(transaction).has_table("seaql_migrations").await? {
        return match foreign_table(transaction).await? {
            Some(table) => Err(MigrateError::Foreign(table)),
            None => Ok(None),
        };
    }
    let known = Migrator::migrations();
    let applied =
        seaql_migrations::Entity::find().order_by_asc(seaql_migrations::Column::Version).all(transaction).await?;
    let is_unknown = |version: &String| known.iter().all(|migration| migration.name() != version);
    Ok(applied.into_iter().map(|row| row.version).find(is_unknown))
}

/// A table in a SQLite file without our migrations: the file is somebody else's. Other databases are shared by design.
async fn foreign_table(transaction: &DatabaseTransaction) -> Result<Option<String>, DbErr> {
    if transaction.get_database_backend() != sea_orm_migration::sea_orm::DbBackend::Sqlite {
        return Ok(None);
    }
    let tables = Query::select()
        .column("name")
        .from("sqlite_master")
        .and_where(Expr::col("type").eq("table"))
        .and_where(Expr::col("name").not_like("sqlite%"))
        .limit(1)
        .take();
    transaction.query_one(&tables).await?.map(|row| row.try_get_by_index(0)).transpose()
}
