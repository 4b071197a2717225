//! The database's clock: the only one that all servers on it share.

use sea_orm::DbBackend;
use sea_orm::sea_query::Expr;

/// Milliseconds since the epoch, when the statement comes to it: not when a transaction began, which may have waited.
pub(super) fn now(backend: DbBackend) -> Expr {
    Expr::cust(match backend {
        DbBackend::MySql => "CAST(ROUND(UNIX_TIMESTAMP(SYSDATE(3)) * 1000) AS SIGNED)",
        DbBackend::Postgres => "CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS BIGINT)",
        _ => "CAST(ROUND(unixepoch('subsec') * 1000) AS INTEGER)",
    })
}
