//! The task that owns the connection that writes.

use super::Queued;
use super::group::{Group, Memory};
use super::job::Job;
use super::marker::Marker;
use super::outage::Outage;
use crate::Error;
use crate::sql::fault::Fault;
use pulse_core::fault::point;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// How many jobs share a transaction at most: beyond, the commit's share of the time is small already, and the first
/// callers would only wait for the last.
const GROUP: usize = 256;

/// How often a group is tried again as a whole when other servers were in the way.
const CLASHES: u32 = 20;

/// How often a group is tried again as a whole when a key was taken: most likely by another server, since it was looked up.
const TAKEN: u32 = 3;

/// How long a server may take for a group's statements, and again for its commit, before the connection is given up.
const ANSWER: Duration = Duration::from_secs(30);

/// How long a connection is waited for to close in order.
const CLOSE: Duration = Duration::from_secs(2);

/// Makes the connection that writes: at the start, and again after a fault, because what state the database and its
/// driver left a connection in after that is not worth guessing.
pub(in crate::sql) type Connect =
    Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<DatabaseConnection, DbErr>> + Send>> + Send>;

/// What kind of database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sql) enum Kind {
    /// A file, which nobody else writes to as a rule, and which does not come back by itself once it fails.
    File,
    /// A server, which others use as well, and which may go away and come back. So long a job waits for it.
    Server { patience: Duration },
}

pub(super) struct Task {
    pub(super) kind: Kind,
    connect: Connect,
    connection: Option<DatabaseConnection>,
    pub(super) queue: mpsc::Receiver<Queued>,
    /// What came from the queue and is in no group yet.
    pub(super) held: Vec<Queued>,
    /// Those who closed the store, to be told when that is done.
    pub(super) closing: Vec<Job>,
    memory: Memory,
    marker: Marker,
    failed: watch::Sender<Option<String>>,
    pub(super) database: Arc<str>,
}

/// Starts the task; answers where it says that it failed.
pub(super) fn start(
    kind: Kind,
    connect: Connect,
    queue: mpsc::Receiver<Queued>,
    database: Arc<str>,
) -> watch::Receiver<Option<String>> {
    let (failed, receiver) = watch::channel(None);
    let task = Task {
        kind,
        connect,
        connection: None,
        queue,
        held: Vec::new(),
        closing: Vec::new(),
        memory: Memory::default(),
        marker: Marker::new(),
        failed,
        database,
    };
    tokio::spawn(task.run());
    receiver
}

impl Task {
    async fn run(mut self) {
        let mut taken = Vec::with_capacity(GROUP);
        loop {
            if self.held.is_empty() && self.queue.recv_many(&mut taken, GROUP).await == 0 {
                break;
            }
            for queued in taken.drain(..) {
                self.take(queued);
            }
            let group: Vec<Queued> = self.held.drain(..self.held.len().min(GROUP)).collect();
            if !group.is_empty() {
                self.write(group).await;
            }
        }
        self.disconnect().await;
        for job in self.closing.drain(..) {
            job.finish(&Ok(()));
        }
    }

    /// Writes a group and answers its callers.
    async fn write(&mut self, mut jobs: Vec<Queued>) {
        let (mut taken, mut clashes, mut outage) = (0, 0, Outage::default());
        // What was remembered may be wrong, because another process writes to the same file. After a fault it is forgotten.
        let may_be_taken = match self.kind {
            Kind::Server { .. } => TAKEN,
            Kind::File if jobs.len() == 1 && !self.memory.is_empty() => 1,
            Kind::File => 0,
        };
        let outcome = loop {
            match self.attempt(&mut jobs).await {
                Ok(()) => break Ok(()),
                Err(Fault::Data(_)) if taken < may_be_taken => taken += 1,
                // One of them cannot be written: alone, it fails alone.
                Err(Fault::Data(_)) if jobs.len() > 1 => {
                    for job in jobs {
                        Box::pin(self.write(vec![job])).await;
                    }
                    return;
                }
                Err(Fault::Clash(_)) if clashes < CLASHES => {
                    clashes += 1;
                    tokio::time::sleep(Duration::from_millis(2 * u64::from(clashes))).await;
                }
                Err(fault @ Fault::Lost(_)) => {
                    let reason = fault.error(&self.database);
                    if !self.outlast(&mut outage, &mut jobs, &reason).await {
                        break Err(reason);
                    }
                    if jobs.is_empty() {
                        return;
                    }
                }
                Err(Fault::Unknown(text)) => match self.find_out(&mut outage, &text).await {
                    Ok(true) => break Ok(()),
                    // A commit that fails without a cut may fail again; so this is not tried without a pause.
                    Ok(false) => {
                        let reason = Fault::Lost(text).error(&self.database);
                        if !self.outlast(&mut outage, &mut jobs, &reason).await {
                            break Err(reason);
                        }
                    }
                    Err(fault) => break Err(self.give_up(&fault)),
                },
                Err(fault) => break Err(self.give_up(&fault)),
            }
        };
        if outcome.is_ok() {
            outage.end(&self.database);
        }
        for Queued { job, .. } in jobs {
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

    async fn attempt(&mut self, jobs: &mut [Queued]) -> Result<(), Fault> {
        if let Some(reason) = &*self.failed.borrow() {
            return Err(Fault::Fatal(reason.clone()));
        }
        let result = match self.kind {
            Kind::File => self.write_to_file(jobs).await,
            Kind::Server { .. } => self.write_to_server(jobs).await,
        };
        if result.is_err() {
            self.disconnect().await;
        }
        result
    }

    async fn write_to_file(&mut self, jobs: &mut [Queued]) -> Result<(), Fault> {
        // A file is not cut off: whatever the driver calls it, something is wrong for good.
        let fault = |error: DbErr| match Fault::of(&error) {
            Fault::Lost(text) => Fault::Fatal(text),
            fault => fault,
        };
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => (self.connect)().await.map_err(|error| not_connected(&error, Fault::Busy))?,
        };
        let connection = self.connection.insert(connection);
        let immediate = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let transaction = connection.begin_with_options(immediate).await.map_err(fault)?;
        Group::new(&transaction, &mut self.memory).write(jobs).await.map_err(fault)?;
        point("commit.before");
        transaction.commit().await.map_err(fault)?;
        point("commit.after");
        Ok(())
    }

    async fn write_to_server(&mut self, jobs: &mut [Queued]) -> Result<(), Fault> {
        let connection = self.connected().await?;
        let statements = timeout(ANSWER, self.statements(&connection, jobs)).await;
        let transaction = statements.unwrap_or_else(|_| Err(silent("a statement")))?;
        point("commit.before");
        // From here on a fault leaves open what became of it.
        match timeout(ANSWER, transaction.commit()).await {
            Ok(Ok(())) => {
                point("commit.after");
                Ok(())
            }
            Ok(Err(error)) => Err(Fault::Unknown(crate::sql::fault::message(&error))),
            Err(_) => Err(Fault::Unknown("no answer to a commit".to_owned())),
        }
    }

    /// Everything of a transaction but its end.
    async fn statements(
        &mut self,
        connection: &DatabaseConnection,
        jobs: &mut [Queued],
    ) -> Result<DatabaseTransaction, Fault> {
        let transaction = connection.begin().await.map_err(|error| Fault::of(&error))?;
        self.marker.mark(&transaction).await.map_err(|error| Fault::of(&error))?;
        // What others write in between is not noticed otherwise.
        self.memory.forget();
        Group::new(&transaction, &mut self.memory).write(jobs).await.map_err(|error| Fault::of(&error))?;
        Ok(transaction)
    }

    /// A connection to a server, on which this writer has its row.
    async fn connected(&mut self) -> Result<DatabaseConnection, Fault> {
        if let Some(connection) = &self.connection {
            return Ok(connection.clone());
        }
        let connection = (self.connect)().await.map_err(|error| not_connected(&error, Fault::Lost))?;
        self.connection = Some(connection.clone());
        let registered = timeout(ANSWER, self.marker.register(&connection)).await;
        registered.map_err(|_| silent("a statement"))?.map_err(|error| not_connected(&error, Fault::Lost))?;
        Ok(connection)
    }

    /// Whether the group whose commit was not answered is durable. Tries until that is known, or the store is closed.
    async fn find_out(&mut self, outage: &mut Outage, text: &str) -> Result<bool, Fault> {
        loop {
            let error = match self.look().await {
                Ok(committed) => return Ok(committed),
                Err(Fault::Fatal(error)) => {
                    return Err(Fault::Fatal(format!("{text}; whether it was written cannot be found out: {error}")));
                }
                Err(fault) => fault.error(&self.database),
            };
            self.disconnect().await;
            if !self.outlast(outage, &mut Vec::new(), &error).await {
                return Err(Fault::Unknown(format!("{text}; closed before it was known whether that was written")));
            }
        }
    }

    async fn look(&mut self) -> Result<bool, Fault> {
        let connection = self.connected().await?;
        let committed = timeout(ANSWER, self.marker.is_committed(&connection)).await;
        committed.map_err(|_| silent("a statement"))?.map_err(|error| Fault::of(&error))
    }

    async fn disconnect(&mut self) {
        self.memory.forget();
        let Some(connection) = self.connection.take() else { return };
        match timeout(CLOSE, connection.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(database = %self.database, %error, "closing the connection"),
            // Nobody is there to say good-bye to.
            Err(_) => tracing::debug!(database = %self.database, "the connection was left without a good-bye"),
        }
    }
}

/// Without a connection nothing was written, whatever the reason.
fn not_connected(error: &DbErr, kind: impl Fn(String) -> Fault) -> Fault {
    match Fault::of(error) {
        Fault::Full(text) => Fault::Full(text),
        Fault::Busy(text) => Fault::Busy(text),
        Fault::Data(text) | Fault::Clash(text) | Fault::Lost(text) | Fault::Unknown(text) | Fault::Fatal(text) => {
            kind(text)
        }
    }
}

fn silent(what: &str) -> Fault {
    Fault::Lost(format!("no answer to {what} within {} s", ANSWER.as_secs()))
}

impl Drop for Task {
    /// Reached in a panic too: then those who watch must hear of it.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.failed.send_replace(Some(format!("database {}: the writer panicked", self.database)));
        }
    }
}
