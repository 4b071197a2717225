//! Writing: one task owns the one connection that writes, and everything that is written goes through its queue.
//!
//! ```text
//! callers ── queue ──▶ task: takes what is there, up to 256 jobs, and waits for no more
//!                        BEGIN IMMEDIATE
//!                        look up what the jobs expect, decide each on its own
//!                        multi-row inserts, updates
//!                        COMMIT ── answers to all callers
//! ```
//!
//! While one group is committed the next one gathers: the busier it is, the larger the groups. A caller that goes away
//! changes nothing, because its job is in the queue or it is not.
//!
//! A database server is shared and may go away. Another server's writes are met by row locks and primary keys, and a
//! transaction that lost is done again as a whole. While there is no connection, callers wait ([`outage`]); was it lost
//! during a commit, [`marker`] finds out what became of it before anybody is answered.

mod appends;
mod group;
mod job;
mod marker;
mod outage;
mod outputs;
mod statements;
mod task;
#[cfg(test)]
mod tests;

pub(super) use job::{Change, Stop};
pub(super) use task::{Connect, Kind};

use crate::{Append, Appended, Error, OutputRecord, Result};
use job::{AppendJob, ChangeJob, Job, OutputJob, Reply};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::Instant;

/// How many jobs may wait. Four groups: enough to never let the writer starve, and short enough that a caller soon feels
/// that the disk is slow.
const QUEUE: usize = 1024;

/// How much the waiting jobs may hold, in KiB. A caller whose job does not fit waits until others are done.
const BUDGET_KIB: u32 = 16 * 1024;

/// A job, since when it waits, and its part of the budget, which it gives back when it has been answered.
struct Queued {
    job: Job,
    since: Instant,
    _room: OwnedSemaphorePermit,
}

/// The way to the writing task.
pub(super) struct Writer {
    queue: mpsc::Sender<Queued>,
    budget: Arc<Semaphore>,
    failed: watch::Receiver<Option<String>>,
    /// Why the last write was not done, if it may be done later.
    trouble: Mutex<Option<Error>>,
    database: Arc<str>,
}

impl Writer {
    /// Starts the task. It ends when the writer is closed or dropped.
    pub(super) fn start(kind: Kind, connect: Connect, database: Arc<str>) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let failed = task::start(kind, connect, jobs, database.clone());
        Self {
            queue,
            budget: Arc::new(Semaphore::new(BUDGET_KIB as usize)),
            failed,
            trouble: Mutex::default(),
            database,
        }
    }

    pub(super) fn failed(&self) -> watch::Receiver<Option<String>> {
        self.failed.clone()
    }

    pub(super) async fn append(&self, append: Append) -> Result<Appended> {
        let (reply, answer) = Reply::new();
        let job = AppendJob::new(append.storable(), reply)?;
        let bytes = job.bytes();
        self.submit(Job::Append(Box::new(job)), bytes, answer).await
    }

    pub(super) async fn output(&self, record: OutputRecord) -> Result<u64> {
        let (reply, answer) = Reply::new();
        let record = record.storable();
        let bytes = record.chunk.data.len() + 512;
        self.submit(Job::Output(Box::new(OutputJob { record, reply })), bytes, answer).await
    }

    pub(super) async fn change<C: Change>(&self, change: C) -> Result<C::Answer> {
        let (reply, answer) = Reply::new();
        // Changes are few; what they hold is not counted byte by byte.
        self.submit(Job::Change(Box::new(ChangeJob { change, reply })), 64 * 1024, answer).await
    }

    /// Has what is queued written, and then the connection closed.
    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.enqueue(Job::Close(done), 0).await.is_ok() {
            closed.await.ok();
        }
    }

    async fn submit<T>(&self, job: Job, bytes: usize, answer: oneshot::Receiver<Result<T>>) -> Result<T> {
        self.enqueue(job, bytes).await?;
        // The task answers everything it takes; that it did not means that it is gone, and nobody knows what it did.
        let answer = answer
            .await
            .unwrap_or_else(|_| Err(Error::Failed { detail: format!("database {}: the writer ended", self.database) }));
        match &answer {
            Ok(_) => *self.noted() = None,
            Err(error @ (Error::Full { .. } | Error::Unavailable { .. })) => *self.noted() = Some(error.clone()),
            // A refusal says nothing about the database.
            Err(_) => {}
        }
        answer
    }

    /// See [`crate::Store::trouble`].
    pub(super) fn trouble(&self) -> Option<Error> {
        self.noted().clone()
    }

    fn noted(&self) -> MutexGuard<'_, Option<Error>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a job into the queue: at the first poll, when there is room, so that jobs begun in an order are queued in it.
    async fn enqueue(&self, job: Job, bytes: usize) -> Result<()> {
        let kib = u32::try_from(bytes / 1024).unwrap_or(BUDGET_KIB).clamp(1, BUDGET_KIB);
        let closed = || Error::Unavailable { detail: format!("database {} is closed", self.database) };
        let room = match self.budget.clone().try_acquire_many_owned(kib) {
            Ok(room) => room,
            Err(_) => self.budget.clone().acquire_many_owned(kib).await.map_err(|_| closed())?,
        };
        match self.queue.try_send(Queued { job, since: Instant::now(), _room: room }) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(queued)) => self.queue.send(queued).await.map_err(|_| closed()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(closed()),
        }
    }
}
