//! One command as the ledger knows it, and what there is to send of it: its output in order, then its result.

use super::Message;
use pulse_core::command::CommandEnd;
use pulse_core::ids::{CommandId, ExecutionId};
use pulse_core::protocol::worker::FromWorker;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// How far a command is.
#[derive(Debug)]
pub enum Phase {
    /// The supervisor has not said that it took it.
    Accepting,
    /// Its process runs or is about to, or its output is still on its way.
    Running {
        /// It is being stopped because somebody asked.
        is_cancelled: bool,
        /// Its process has ended.
        is_over: bool,
    },
    /// Its result is there.
    Ended(Arc<CommandEnd>),
}

/// A command.
#[derive(Debug)]
pub struct Command {
    /// Its place among all.
    pub ordinal: u64,
    /// Whose it is.
    pub execution_id: ExecutionId,
    /// How far it is.
    pub phase: Phase,
    /// Unacknowledged output: numbers and frames, in order.
    pub output: VecDeque<(u64, Utf8Bytes)>,
    /// How many of `output` were sent on this connection.
    pub sent: usize,
    /// Whether the result was sent on this connection.
    pub result_sent: bool,
    /// Whether it stands in the row of those that have something to send.
    pub has_turn: bool,
}

impl Command {
    /// A command without output.
    pub fn new(ordinal: u64, execution_id: ExecutionId, phase: Phase) -> Self {
        Self { ordinal, execution_id, phase, output: VecDeque::new(), sent: 0, result_sent: false, has_turn: false }
    }

    /// After the end of a connection: everything unacknowledged is to be sent again.
    pub fn rewind(&mut self) {
        (self.sent, self.result_sent, self.has_turn) = (0, false, false);
    }

    /// Drops output up to a number. Whether there was any.
    pub fn drop_output(&mut self, up_to: u64) -> bool {
        let before = self.output.len();
        while self.output.pop_front_if(|(seq, _)| *seq <= up_to).is_some() {
            self.sent = self.sent.saturating_sub(1);
        }
        self.output.len() < before
    }

    /// Whether there is something to send.
    pub fn has_message(&self) -> bool {
        self.sent < self.output.len() || (!self.result_sent && matches!(self.phase, Phase::Ended(_)))
    }

    /// Takes the next message: output in order, then the result.
    pub fn take_message(&mut self, command_id: CommandId) -> Option<Message> {
        if let Some((_, frame)) = self.output.get(self.sent) {
            self.sent += 1;
            return Some(Message::Frame(frame.clone()));
        }
        match &self.phase {
            Phase::Ended(end) if !self.result_sent => {
                self.result_sent = true;
                Some(Message::Plain(Box::new(FromWorker::Result { command_id, end: CommandEnd::clone(end) })))
            }
            _ => None,
        }
    }
}
