//! What a connection makes of what its worker says, and what becomes of what is said of one command: no socket, no task, no
//! store. `session.rs` and `followed.rs` carry it out; the simulation (`ledger/simulation/`) drives this very code.

use super::ledger::Ledger;
use crate::drive::{Printed, Reported};
use pulse_core::command::CommandEnd;
use pulse_core::ids::{CommandId, ExecutionId};
use pulse_core::protocol::worker::{FromWorker, KnownCommand};
use pulse_core::time::Timestamp;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::time::Duration;

/// The worker speaks of something that is not its own, or out of turn.
#[derive(Debug)]
pub(super) struct NotYours;

/// What a worker says of a command.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    Output(Printed),
    Result(Box<CommandEnd>),
}

/// Whose the command is that a worker speaks of.
#[derive(Debug)]
pub(super) enum Whose {
    /// The fleet knows it.
    Its(Reported),
    /// The journal of this execution tells, if there is one.
    InJournal(ExecutionId),
    /// There is nothing to find it by: the server has forgotten it, or has never known it.
    Nobodys,
}

/// What is left to do after a message.
#[derive(Debug)]
pub(super) enum Heard {
    /// Nothing: it has taken a command.
    Accepted,
    /// The worker lives, and tells this of its machine.
    Beat(Map<String, Value>),
    /// It has not taken a command, for this reason.
    Rejected(CommandId, String),
    /// Whoever follows this command is to hear it.
    Said(CommandId, Said),
}

/// A connection whose hello was accepted.
pub(super) struct Conversation {
    session: u64,
    /// The executions of commands that only the worker still knows. Kept as long as the connection is: what is said once
    /// more while the first of it is on its way to the store must not pass for nobody's, and be acknowledged.
    known: HashMap<CommandId, ExecutionId>,
}

impl Conversation {
    /// A connection of this number, on whose hello these commands stood.
    pub fn new(session: u64, listed: &[KnownCommand]) -> Self {
        Self { session, known: listed.iter().map(|command| (command.command_id, command.execution_id)).collect() }
    }

    /// Takes what the worker says, and answers besides how long it had been silent; `None` when it has another connection
    /// by now.
    ///
    /// # Errors
    /// When it is out of turn.
    pub fn hear(
        &mut self,
        ledger: &mut Ledger,
        message: FromWorker,
        now: Timestamp,
    ) -> Result<(Heard, Option<Duration>), NotYours> {
        let silence = ledger.heard(self.session, now);
        let heard = match message {
            FromWorker::Hello(_) => return Err(NotYours),
            FromWorker::Heartbeat { metadata } => Heard::Beat(metadata),
            FromWorker::Accepted { command_id } => {
                ledger.accepted(self.session, command_id);
                Heard::Accepted
            }
            FromWorker::Rejected { command_id, reason } => {
                ledger.rejected(self.session, command_id);
                Heard::Rejected(command_id, reason)
            }
            FromWorker::Output { command_id, stream, seq, data, gap_bytes } => {
                Heard::Said(command_id, Said::Output(Printed { stream, seq, data, gap_bytes }))
            }
            FromWorker::Result { command_id, end } => {
                // The ledger forgets whose it is with that.
                self.known.extend(ledger.stranger(command_id).map(|execution_id| (command_id, execution_id)));
                ledger.finishing(command_id);
                Heard::Said(command_id, Said::Result(Box::new(end)))
            }
        };
        Ok((heard, silence))
    }

    /// Whose a command is, for whoever is to follow it from now on.
    pub fn whose(&self, ledger: &Ledger, command_id: CommandId) -> Whose {
        if let Some(in_flight) = ledger.command(command_id) {
            return Whose::Its(Reported::of(in_flight.execution_id, &in_flight.command));
        }
        match self.known.get(&command_id).copied().or_else(|| ledger.stranger(command_id)) {
            Some(execution_id) => Whose::InJournal(execution_id),
            None => Whose::Nobodys,
        }
    }
}

/// One command whose worker tells of it. What is said is taken one after the other, each when the one before is done.
pub(super) struct Following {
    /// Whether anybody wants it.
    is_wanted: bool,
    /// That nobody does was told.
    is_told: bool,
    within: Within,
}

/// What to do with what was said.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// Store this, then acknowledge it.
    Keep(Printed),
    /// Acknowledge output up to this piece.
    Acknowledge(u64),
    /// Store the result, after the marker of what of the output was not kept; then as [`Step::Over`].
    Conclude(Option<Printed>, Box<CommandEnd>),
    /// Forget the command, and acknowledge its result. Nothing more is followed.
    Over,
}

impl Following {
    /// Keeps so many bytes of output; nothing when nobody wants it.
    pub fn new(is_wanted: bool, output_limit: u64) -> Self {
        Self { is_wanted, is_told: false, within: Within::limit(output_limit) }
    }

    /// What to do with what was said, given how many bytes the command has printed with it, if anybody counts them.
    pub fn next(&mut self, said: Said, counted: Option<u64>) -> Step {
        match said {
            Said::Output(piece) if self.is_wanted && self.within.take(counted, &piece) => Step::Keep(piece),
            // Nobody wants it, or it is too much: where it is missing is noted with the result.
            Said::Output(piece) => Step::Acknowledge(piece.seq),
            Said::Result(end) if self.is_wanted => Step::Conclude(self.within.gap.take(), end),
            Said::Result(_) => Step::Over,
        }
    }

    /// Its execution is gone.
    pub fn is_nobodys(&mut self) {
        self.is_wanted = false;
    }

    /// Whether it is to be told now that what is said is dropped.
    pub fn begins_to_drop(&mut self) -> bool {
        !self.is_wanted && !std::mem::replace(&mut self.is_told, true)
    }
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
