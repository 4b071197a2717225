//! Column types that are spelled differently on one of the databases, and those that PULSE uses everywhere.
//!
//! Times are milliseconds since the epoch in 64-bit integers. Ids are UUIDs made by the program; SQLite and MariaDB keep
//! their 16 bytes. What is compared ignoring case is kept a second time, folded by the program, as bytes: then it sorts
//! and compares the same under every collation.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Text of up to a gigabyte. MariaDB's `text` ends at 64 KiB.
pub(crate) fn long_text(manager: &SchemaManager<'_>, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    match manager.get_database_backend() {
        DbBackend::MySql => column.custom("longtext"),
        _ => column.text(),
    };
    column
}

/// Bytes of up to a gigabyte. MariaDB's `blob` ends at 64 KiB.
pub(crate) fn long_binary(manager: &SchemaManager<'_>, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    match manager.get_database_backend() {
        DbBackend::MySql => column.custom("longblob"),
        _ => column.blob(),
    };
    column
}

/// A name or another short text that may stand in an index.
pub(crate) fn short_text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).string_len(255).take()
}

/// The folded form of a name: at most 255 characters of up to four bytes.
pub(crate) fn folded(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).var_binary(1020).take()
}

/// A SHA-256 digest.
pub(crate) fn digest(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).binary_len(32).not_null().take()
}

/// A point in time, a counter or a sequence number.
pub(crate) fn int64(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().take()
}

/// An id.
pub(crate) fn id(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).uuid().take()
}

/// Finishes a table: on MariaDB, texts compare by their code points there, as they do elsewhere, and not by what looks
/// alike. And MariaDB commits each statement that changes the schema: what an interrupted migration has made already is
/// made no second time.
pub(crate) fn plain(manager: &SchemaManager<'_>, table: &mut TableCreateStatement) -> TableCreateStatement {
    if manager.get_database_backend() == DbBackend::MySql {
        table.if_not_exists().engine("InnoDB").character_set("utf8mb4").collate("utf8mb4_nopad_bin");
    }
    table.take()
}

/// The same, and on SQLite the table is kept in the order of its primary key: rows of one execution lie together, and
/// there is one tree to write instead of two. The other databases do as they do.
pub(crate) fn clustered(manager: &SchemaManager<'_>, table: &mut TableCreateStatement) -> TableCreateStatement {
    if manager.get_database_backend() == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    plain(manager, table)
}

/// Makes an index, unless an interrupted migration on MariaDB has made it already.
pub(crate) async fn create_index(
    manager: &SchemaManager<'_>,
    name: &str,
    table: &'static str,
    mut index: IndexCreateStatement,
) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::MySql && manager.has_index(table, name).await? {
        return Ok(());
    }
    manager.create_index(index.name(name).table(table).take()).await
}

/// Adds a column, unless an interrupted migration on MariaDB has added it already.
pub(crate) async fn add_column(
    manager: &SchemaManager<'_>,
    table: &'static str,
    name: &'static str,
    column: ColumnDef,
) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::MySql && manager.has_column(table, name).await? {
        return Ok(());
    }
    manager.alter_table(Table::alter().table(table).add_column(column).take()).await
}
