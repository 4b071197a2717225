//! One command's output and result, in order: each is acknowledged once it is durable, or once it is certain that nobody
//! wants it.

use super::Fleet;
use crate::drive::{self, Driver, Printed, Report, Reported};
use pulse_core::command::CommandEnd;
use pulse_core::ids::{CommandId, ExecutionId, WorkerId};
use pulse_core::protocol::worker::ToWorker;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Between two tries to store what a worker said, or to find out whose it is.
const AGAIN: Duration = Duration::from_secs(1);

/// What a worker says of a command.
pub(super) enum Said {
    Output(Printed),
    Result(Box<CommandEnd>),
}

/// Whose the command is that a worker speaks of.
pub(super) enum Whose {
    /// The fleet knows it.
    Its(Reported),
    /// The journal of this execution tells, if there is one.
    InJournal(ExecutionId),
    /// There is nothing to find it by: the server has forgotten it, or has never known it.
    Nobodys,
}

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
        let mut reported = match whose {
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
        let mut within = Within::limit(self.fleet.0.limits.output_bytes);
        // What is dropped is told once.
        let mut is_dropping = false;
        while let Some(said) = said.recv().await {
            let (seq, end) = match said {
                Said::Output(piece) => {
                    let seq = piece.seq;
                    if let Some(of) = &reported {
                        match self.keep(of, piece, &mut within).await {
                            Kept::Durably => {}
                            Kept::Nowhere => reported = None,
                            Kept::NotYet => return,
                        }
                    }
                    (Some(seq), None)
                }
                Said::Result(end) => (None, Some(end)),
            };
            if reported.is_none() && !std::mem::replace(&mut is_dropping, true) {
                tracing::warn!(worker = %self.worker_id, command = %self.command_id, "what a worker says of a command is dropped: nobody waits for it");
            }
            let Some(end) = end else {
                self.acknowledge(seq).await;
                continue;
            };
            if let Some(of) = &reported
                && !self.conclude(of, *end, &mut within).await
            {
                return;
            }
            self.fleet.finished(self.worker_id, self.command_id);
            return self.acknowledge(None).await;
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
    async fn keep(&self, of: &Reported, piece: Printed, within: &mut Within) -> Kept {
        if !within.take(self.fleet.printed(self.worker_id, self.command_id, &piece), &piece) {
            // Where it is missing is noted with the result.
            return Kept::Durably;
        }
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
    async fn conclude(&self, of: &Reported, end: CommandEnd, within: &mut Within) -> bool {
        if let Some(marker) = within.gap.take()
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

/// Holds a worker that does not hold itself to the limit of a command's output.
struct Within {
    /// Most bytes that are kept: what a worker is told to send at most, and room for its masks, its markers, and replaced
    /// bytes.
    most: u64,
    /// Bytes of a command that the fleet does not count, having given it up.
    bytes: u64,
    /// What was not kept.
    gap: Option<Printed>,
}

impl Within {
    fn limit(output_limit: u64) -> Self {
        Self { most: output_limit.saturating_add(output_limit / 4), bytes: 0, gap: None }
    }

    /// Whether a piece is to be kept, given the bytes of all so far.
    fn take(&mut self, counted: Option<u64>, piece: &Printed) -> bool {
        let length = u64::try_from(piece.data.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(length);
        if counted.unwrap_or(self.bytes) <= self.most {
            return true;
        }
        let before = self.gap.as_ref().and_then(|gap| gap.gap_bytes).unwrap_or(0);
        let gap_bytes = Some(before.saturating_add(length));
        self.gap = Some(Printed { stream: piece.stream, seq: piece.seq, data: String::new(), gap_bytes });
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulse_core::command::Stream;

    #[test]
    fn output_beyond_the_limit_is_one_gap() {
        let piece = |seq, data: &str| Printed { stream: Stream::Stdout, seq, data: data.to_owned(), gap_bytes: None };
        let mut within = Within::limit(80);
        assert_eq!(within.most, 100);
        assert!(within.take(Some(100), &piece(1, "abc")) && within.gap.is_none());
        assert!(!within.take(Some(101), &piece(2, "abc")));
        assert!(!within.take(Some(106), &piece(3, "de")));
        let gap = within.gap.take().unwrap();
        assert_eq!((gap.seq, gap.data.as_str(), gap.gap_bytes), (3, "", Some(5)));
        // One that nobody counts is counted here.
        let mut within = Within { bytes: 99, ..Within::limit(80) };
        assert!(within.take(None, &piece(1, "a")) && !within.take(None, &piece(2, "a")));
    }
}
