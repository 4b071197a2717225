//! What stands in the writer's queue.

use super::super::entity::{event, idempotency, text};
use crate::{Append, Appended, Error, OutputRecord, Result};
use async_trait::async_trait;
use sea_orm::{DatabaseTransaction, DbErr};
use tokio::sync::oneshot;

/// One caller's write.
pub(super) enum Job {
    Append(Box<AppendJob>),
    Output(Box<OutputJob>),
    Change(Box<dyn AnyChange>),
    /// The last one: nothing is taken after it.
    Close(oneshot::Sender<()>),
}

/// The way back to the caller: what was decided is told once it is durable.
pub(super) struct Reply<T> {
    decided: Option<Result<T>>,
    caller: oneshot::Sender<Result<T>>,
}

impl<T> Reply<T> {
    pub(super) fn new() -> (Self, oneshot::Receiver<Result<T>>) {
        let (caller, answer) = oneshot::channel();
        (Self { decided: None, caller }, answer)
    }

    pub(super) fn decide(&mut self, answer: Result<T>) {
        self.decided = Some(answer);
    }

    /// Tells what was decided, or why it came to nothing. Nobody may be listening any more.
    fn send(self, outcome: &Result<()>) {
        let lost = || Err(Error::Failed { detail: "a write was not looked at".to_owned() });
        let answer = match outcome {
            Ok(()) => self.decided.unwrap_or_else(lost),
            Err(error) => Err(error.clone()),
        };
        self.caller.send(answer).ok();
    }
}

pub(super) struct AppendJob {
    pub append: Append,
    /// The entries as rows: made by the caller's task, to keep the writer's short.
    pub events: Vec<event::Model>,
    /// What the summary is found by.
    pub text: text::Model,
    /// Of the idempotency key.
    pub digest: Option<Vec<u8>>,
    /// Whether the group that is being written takes it.
    pub accepted: bool,
    pub reply: Reply<Appended>,
}

impl AppendJob {
    pub(super) fn new(append: Append, reply: Reply<Appended>) -> Result<Self> {
        append.check()?;
        let events = append.entries.iter().map(|entry| event::Model::new(append.execution_id, entry));
        let events = events.collect::<Result<_>>()?;
        let digest = append.idempotency.as_ref().map(idempotency::digest);
        Ok(Self { text: text::Model::of(&append.record), digest, append, events, accepted: false, reply })
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.events.iter().map(|event| event.payload.len() + 256).sum::<usize>()
            + self.append.secrets.as_ref().map_or(0, Vec::len)
            + self.append.deliveries.iter().map(|delivery| delivery.body.len() + 512).sum::<usize>()
            + 1024
    }
}

pub(super) struct OutputJob {
    pub record: OutputRecord,
    pub reply: Reply<u64>,
}

/// An administrative write: seldom and small, so that each is its own statements.
#[async_trait]
pub(in crate::sql) trait Change: Send + Sync + 'static {
    /// What the caller is told.
    type Answer: Send + Sync + 'static;

    /// Whether what the writer remembers of executions and commands may be wrong after it.
    const FORGETS: bool = false;

    /// Writes. A refusal comes before anything is written, because the rest of the group is committed all the same.
    /// May be called again, after a rollback.
    async fn apply(&self, db: &DatabaseTransaction) -> Result<Self::Answer, Stop>;
}

/// Why a change was not made.
pub(in crate::sql) enum Stop {
    /// It must not be: the caller's answer.
    Refused(Error),
    /// It could not be.
    Database(DbErr),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<DbErr> for Stop {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

/// A change of any type.
#[async_trait]
pub(super) trait AnyChange: Send {
    async fn run(&mut self, db: &DatabaseTransaction) -> Result<(), DbErr>;
    fn forgets(&self) -> bool;
    fn finish(self: Box<Self>, outcome: &Result<()>);
}

pub(super) struct ChangeJob<C: Change> {
    pub change: C,
    pub reply: Reply<C::Answer>,
}

#[async_trait]
impl<C: Change> AnyChange for ChangeJob<C> {
    async fn run(&mut self, db: &DatabaseTransaction) -> Result<(), DbErr> {
        let answer = match self.change.apply(db).await {
            Ok(answer) => Ok(answer),
            Err(Stop::Refused(error)) => Err(error),
            Err(Stop::Database(error)) => return Err(error),
        };
        self.reply.decide(answer);
        Ok(())
    }

    fn forgets(&self) -> bool {
        C::FORGETS
    }

    fn finish(self: Box<Self>, outcome: &Result<()>) {
        self.reply.send(outcome);
    }
}

impl Job {
    /// Answers the caller.
    pub(super) fn finish(self, outcome: &Result<()>) {
        match self {
            Self::Append(job) => job.reply.send(outcome),
            Self::Output(job) => job.reply.send(outcome),
            Self::Change(job) => job.finish(outcome),
            Self::Close(caller) => {
                caller.send(()).ok();
            }
        }
    }
}
