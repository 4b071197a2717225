//! One command's output and result, in order: each is acknowledged once it is durable, or once it is certain that nobody
//! wants it.

use super::Fleet;
use super::conversation::{Following, Said, Step, Whose};
use crate::drive::{self, Driver, Printed, Report, Reported};
use pulse_core::command::CommandEnd;
use pulse_core::ids::{CommandId, ExecutionId, WorkerId};
use pulse_core::protocol::worker::ToWorker;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Between two tries to store what a worker said, or to find out whose it is.
const AGAIN: Duration = Duration::from_secs(1);

/// A command of which a worker tells.
pub(super) struct Followed {
    pub worker_id: WorkerId,
    pub command_id: CommandId,
    pub fleet: Fleet,
    pub driver: Driver,
    /// The way to the worker.
    pub sender: mpsc::Sender<ToWorker>,
    /// The server's end.
    pub stop: CancellationToken,
    /// Ends the connection: the command is another worker's.
    pub not_its_own: CancellationToken,
}

impl Followed {
    /// Takes what is said until the result. What cannot be kept just now is tried again: meanwhile the worker is not
    /// acknowledged, and holds back.
    pub async fn follow(self, whose: Whose, mut said: mpsc::Receiver<Said>) {
        let reported = match whose {
            Whose::Its(reported) => Some(reported),
            Whose::Nobodys => None,
            Whose::InJournal(execution_id) => match self.found(execution_id).await {
                Some(Report::Of(reported)) => Some(reported),
                Some(Report::Nobodys) => None,
                Some(Report::AnotherWorkers) => {
                    tracing::warn!(worker = %self.worker_id, command = %self.command_id, "a worker speaks of a command that is another's");
                    return self.not_its_own.cancel();
                }
                // The worker keeps what it has to say.
                None => return,
            },
        };
        let mut following = Following::new(reported.is_some(), self.fleet.0.limits.output_bytes);
        while let Some(said) = said.recv().await {
            let counted = match &said {
                Said::Output(piece) => self.fleet.printed(self.worker_id, self.command_id, piece),
                Said::Result(_) => None,
            };
            let acknowledged = match (following.next(said, counted), &reported) {
                (Step::Keep(piece), Some(of)) => {
                    let seq = piece.seq;
                    match self.keep(of, piece).await {
                        Kept::Durably => {}
                        Kept::Nowhere => following.is_nobodys(),
                        Kept::NotYet => return,
                    }
                    Some(seq)
                }
                (Step::Keep(Printed { seq, .. }) | Step::Acknowledge(seq), _) => Some(seq),
                (Step::Conclude(marker, end), Some(of)) => match self.conclude(of, marker, *end).await {
                    true => None,
                    false => return,
                },
                (Step::Conclude(..) | Step::Over, _) => None,
            };
            if following.begins_to_drop() {
                tracing::warn!(worker = %self.worker_id, command = %self.command_id, "what a worker says of a command is dropped: nobody waits for it");
            }
            if acknowledged.is_none() {
                self.fleet.finished(self.worker_id, self.command_id);
                return self.acknowledge(None).await;
            }
            self.acknowledge(acknowledged).await;
        }
    }

    async fn acknowledge(&self, output_seq: Option<u64>) {
        let _ = self.sender.send(ToWorker::Ack { command_id: self.command_id, output_seq }).await;
    }

    /// Looks a command up in the journal of its execution, until that can be read. `None` when it never will be, or the
    /// server stops.
    async fn found(&self, execution_id: ExecutionId) -> Option<Report> {
        loop {
            let error = match self.driver.reported(execution_id, self.command_id, self.worker_id).await {
                Ok(report) => return Some(report),
                Err(error) => error,
            };
            tracing::error!(execution = %execution_id, command = %self.command_id, %error, "a worker reports on an execution that cannot be read");
            if !self.again(&error).await {
                return None;
            }
        }
    }

    /// Keeps a piece of output. In order, and an acknowledgement covers what came before: a piece that could not be
    /// stored holds up the ones after it.
    async fn keep(&self, of: &Reported, piece: Printed) -> Kept {
        while let Err(error) = self.driver.output(of, piece.clone()).await {
            if is_gone(&error) {
                return Kept::Nowhere;
            }
            self.say(&error, "output could not be stored");
            if !self.again(&error).await {
                return Kept::NotYet;
            }
        }
        Kept::Durably
    }

    /// Records a result. Answers whether it is durable, or nobody wants it.
    async fn conclude(&self, of: &Reported, marker: Option<Printed>, end: CommandEnd) -> bool {
        if let Some(marker) = marker
            && let Err(error) = self.driver.output(of, marker).await
        {
            tracing::error!(command = %self.command_id, %error, "a gap in output could not be noted");
        }
        while let Err(error) = self.driver.result(of.execution_id, self.command_id, end.clone()).await {
            if is_gone(&error) {
                break;
            }
            self.say(&error, "a result could not be stored");
            if !self.again(&error).await {
                return false;
            }
        }
        true
    }

    /// Says what could not be done, unless it is done again anyhow: that nothing can be stored is said once, for all.
    fn say(&self, error: &drive::Error, what: &str) {
        match error.is_transient() {
            true => tracing::debug!(command = %self.command_id, %error, "{what}"),
            false => tracing::error!(command = %self.command_id, %error, "{what}"),
        }
    }

    /// Waits a moment before another try. Answers false when there should be none: the worker keeps what is not
    /// acknowledged.
    async fn again(&self, error: &drive::Error) -> bool {
        tokio::select! {
            () = self.stop.cancelled() => false,
            () = tokio::time::sleep(AGAIN) => error.is_transient(),
        }
    }
}

/// What became of a piece of output.
enum Kept {
    Durably,
    /// Its execution is gone.
    Nowhere,
    /// It could not be stored.
    NotYet,
}

/// Whether it was the execution that is missing: it was deleted meanwhile.
fn is_gone(error: &drive::Error) -> bool {
    matches!(error, drive::Error::NotFound(_) | drive::Error::Store(pulse_store::Error::NotFound { .. }))
}
