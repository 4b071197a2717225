//! The task that owns the connection that writes.

use super::Queued;
use super::group::{Group, Memory};
use super::job::Job;
use crate::Error;
use crate::sql::fault::Fault;
use pulse_core::fault;
use sea_orm::{DatabaseConnection, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// How many jobs share a transaction at most: beyond, the commit's share of the time is small already, and the first
/// callers would only wait for the last.
const GROUP: usize = 256;

/// Makes the connection that writes: at the start, and again after a fault, because what state SQLite and its driver
/// left a connection in after that is not worth guessing.
pub(in crate::sql) type Connect =
    Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<DatabaseConnection, DbErr>> + Send>> + Send>;

struct Task {
    connect: Connect,
    connection: Option<DatabaseConnection>,
    queue: mpsc::Receiver<Queued>,
    memory: Memory,
    failed: watch::Sender<Option<String>>,
    database: Arc<str>,
}

/// Starts the task; answers where it says that it failed.
pub(super) fn start(
    connect: Connect,
    queue: mpsc::Receiver<Queued>,
    database: Arc<str>,
) -> watch::Receiver<Option<String>> {
    let (failed, receiver) = watch::channel(None);
    let task = Task { connect, connection: None, queue, memory: Memory::default(), failed, database };
    tokio::spawn(task.run());
    receiver
}

impl Task {
    async fn run(mut self) {
        let mut taken = Vec::with_capacity(GROUP);
        let mut closing = Vec::new();
        while self.queue.recv_many(&mut taken, GROUP).await > 0 {
            let mut rooms = Vec::with_capacity(taken.len());
            let mut jobs = Vec::with_capacity(taken.len());
            for Queued { job, _room } in taken.drain(..) {
                rooms.push(_room);
                match job {
                    // What is queued already is still written.
                    Job::Close(_) => {
                        self.queue.close();
                        closing.push(job);
                    }
                    job => jobs.push(job),
                }
            }
            if !jobs.is_empty() {
                self.write(jobs).await;
            }
        }
        self.disconnect().await;
        for job in closing {
            job.finish(&Ok(()));
        }
    }

    /// Writes a group and answers its callers.
    async fn write(&mut self, mut jobs: Vec<Job>) {
        let remembered = !self.memory.is_empty();
        let outcome = match self.attempt(&mut jobs).await {
            Ok(()) => Ok(()),
            // One of them cannot be written: alone, it fails alone. Or what was remembered is wrong, because another
            // process writes to the same database: it has been forgotten by now.
            Err(Fault::Data(_)) if jobs.len() > 1 || remembered => {
                for job in jobs {
                    Box::pin(self.write(vec![job])).await;
                }
                return;
            }
            Err(fault) => Err(self.give_up(&fault)),
        };
        for job in jobs {
            job.finish(&outcome);
        }
    }

    fn give_up(&self, fault: &Fault) -> Error {
        let error = fault.error(&self.database);
        if let Error::Failed { detail } = &error
            && self.failed.borrow().is_none()
        {
            tracing::error!(database = %self.database, %detail, "the database takes no more writes");
            self.failed.send_replace(Some(detail.clone()));
        }
        error
    }

    async fn attempt(&mut self, jobs: &mut [Job]) -> Result<(), Fault> {
        if let Some(reason) = &*self.failed.borrow() {
            return Err(Fault::Fatal(reason.clone()));
        }
        let result = self.transaction(jobs).await;
        if result.is_err() {
            self.disconnect().await;
        }
        result
    }

    async fn transaction(&mut self, jobs: &mut [Job]) -> Result<(), Fault> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => (self.connect)().await.map_err(|error| not_connected(&error))?,
        };
        let connection = self.connection.insert(connection);
        let immediate = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let transaction = connection.begin_with_options(immediate).await.map_err(|error| Fault::of(&error))?;
        Group::new(&transaction, &mut self.memory).write(jobs).await.map_err(|error| Fault::of(&error))?;
        fault::point("commit.before");
        transaction.commit().await.map_err(|error| Fault::of(&error))?;
        fault::point("commit.after");
        Ok(())
    }

    async fn disconnect(&mut self) {
        self.memory.forget();
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(database = %self.database, %error, "closing the connection");
        }
    }
}

/// Without a connection nothing was written, whatever the reason.
fn not_connected(error: &DbErr) -> Fault {
    match Fault::of(error) {
        Fault::Fatal(text) | Fault::Data(text) => Fault::Busy(text),
        fault => fault,
    }
}

impl Drop for Task {
    /// Reached in a panic too: then those who watch must hear of it.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.failed.send_replace(Some(format!("database {}: the writer panicked", self.database)));
        }
    }
}
