//! Stores in a database, through sea-orm.
//!
//! Reads go to a pool of connections, writes to the one task in [`write`]. Everything but [`sqlite`], which opens a file,
//! [`server`] with [`mariadb`] and [`postgres`], which open what is shared, the codes in [`fault`] and the clocks in
//! [`clock`] is the same for every database.

mod access;
mod claims;
mod clock;
mod deletion;
mod deliveries;
mod entity;
mod executions;
mod fault;
mod journal;
mod mariadb;
mod outputs;
mod postgres;
mod reads;
mod rebuild;
mod search;
mod server;
mod settings;
mod sqlite;
mod workers;
mod workflows;
mod write;

pub(crate) use server::open_server;
pub(crate) use sqlite::open_sqlite;

use crate::{Error, Result, Store};
use async_trait::async_trait;
use reads::Reads;
use sea_orm::DbErr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;
use write::Writer;

/// A store in a database.
pub(crate) struct SqlStore {
    reads: Reads,
    writer: Arc<Writer>,
    /// What the database is called in messages: its path, or its URL without a password.
    database: Arc<str>,
    /// How long it may take to close; a file is closed when it is, a server may never answer.
    patience: Option<Duration>,
}

impl SqlStore {
    async fn close_now(&self) {
        self.writer.close().await;
        if let Err(error) = self.reads.close().await {
            tracing::warn!(database = %self.database, %error, "closing the database");
        }
    }

    fn unreadable(&self, error: &DbErr) -> Error {
        fault::unreadable(&self.database, error)
    }

    /// Rows that have been read, as records.
    fn records<M, R>(&self, rows: Result<Vec<M>, DbErr>, record: impl Fn(M) -> Result<R>) -> Result<Vec<R>> {
        rows.map_err(|error| self.unreadable(&error))?.into_iter().map(record).collect()
    }

    /// A row that has been looked for, as a record.
    fn record<M, R>(&self, row: Result<Option<M>, DbErr>, record: impl Fn(M) -> Result<R>) -> Result<Option<R>> {
        row.map_err(|error| self.unreadable(&error))?.map(record).transpose()
    }
}

#[async_trait]
impl Store for SqlStore {
    fn failed(&self) -> watch::Receiver<Option<String>> {
        self.writer.failed()
    }

    fn trouble(&self) -> Option<crate::Error> {
        self.writer.trouble()
    }

    async fn close(&self) {
        let Some(patience) = self.patience else { return self.close_now().await };
        if timeout(patience, self.close_now()).await.is_err() {
            tracing::warn!(
                database = %self.database,
                "the database does not answer: what became of the last writes is found out at the next start"
            );
        }
    }
}

/// A limit as SQL takes it.
fn limit(limit: usize) -> u64 {
    u64::try_from(limit).unwrap_or(u64::MAX).min(i64::MAX as u64)
}
