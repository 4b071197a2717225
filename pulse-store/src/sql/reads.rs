//! The connections that read.
//!
//! Every statement runs in a task of its own: a request that goes away leaves no connection in the middle of an answer.
//! And a database that was restarted is met with new connections: the statement is sent again, which a read may be.

use super::fault::{self, Fault};
use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use std::time::Duration;
use tokio::time::Instant;

/// How long a read waits for a database that cannot be reached: a restart, but not a reader's whole patience.
const PATIENCE: Duration = Duration::from_secs(10);

/// A pool that reads.
#[derive(Clone, Debug)]
pub(super) struct Reads(DatabaseConnection);

impl Reads {
    pub(super) fn new(pool: DatabaseConnection) -> Self {
        Self(pool)
    }

    pub(super) async fn close(&self) -> Result<(), DbErr> {
        self.0.close_by_ref().await
    }

    /// Runs a read to its end, whoever still waits for it, again and again while the connection is lost.
    async fn run<T, F>(&self, read: impl Fn(DatabaseConnection) -> F + Send + 'static) -> Result<T, DbErr>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, DbErr>> + Send,
    {
        let pool = self.0.clone();
        let task = tokio::spawn(async move {
            let start = Instant::now();
            let mut pause = Duration::ZERO;
            loop {
                let error = match read(pool.clone()).await {
                    Ok(rows) => return Ok(rows),
                    Err(error) => error,
                };
                if !matches!(Fault::of(&error), Fault::Lost(_)) || start.elapsed() + pause > PATIENCE {
                    return Err(error);
                }
                // The pool may hold several connections that are gone; each is found out by using it.
                tokio::time::sleep(pause).await;
                pause = (pause * 2).clamp(Duration::from_millis(10), Duration::from_secs(1));
            }
        });
        task.await.unwrap_or_else(|error| Err(DbErr::Query(RuntimeErr::Internal(error.to_string()))))
    }
}

#[async_trait]
impl ConnectionTrait for Reads {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, _: Statement) -> Result<ExecResult, DbErr> {
        Err(fault::custom("a connection that reads was asked to write"))
    }

    async fn execute_unprepared(&self, _: &str) -> Result<ExecResult, DbErr> {
        Err(fault::custom("a connection that reads was asked to write"))
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.run(move |pool| {
            let statement = statement.clone();
            async move { pool.query_one_raw(statement).await }
        })
        .await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.run(move |pool| {
            let statement = statement.clone();
            async move { pool.query_all_raw(statement).await }
        })
        .await
    }
}
