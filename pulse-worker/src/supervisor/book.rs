//! What a supervisor knows about its commands, and what it does and tells because of that. No I/O and no clock.
//!
//! ```text
//!  start ─▶ Accepting ──durable──▶ Running ──ended──▶ Ending ──durable──▶ Ended ──forget──▶ gone
//!               │ not written: not accepted, unknown again
//!               └ cancelled meanwhile: never started, ends as cancelled
//! ```

use crate::recent::Recent;
use crate::spool::Kept;
use crate::state::{Entry, Unacknowledged};
use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::ids::{CommandId, ExecutionId};
use pulse_core::protocol::worker::Dispatch;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Most bytes of results and of output beside them that wait for their acknowledgement in memory. A server that takes
/// results never comes near it.
const MOST_RESULT_BYTES: usize = 32 * 1024 * 1024;

/// How far a command is.
#[derive(Debug)]
enum Phase {
    Accepting { dispatch: Box<Dispatch>, cancelled: Option<String> },
    Running { is_cancelled: bool },
    Ending(Arc<CommandEnd>),
    Ended(Arc<CommandEnd>),
}

#[derive(Debug)]
struct Command {
    execution_id: ExecutionId,
    phase: Phase,
    /// What its result holds in memory.
    bytes: usize,
}

/// Something to do.
#[derive(Debug, PartialEq)]
#[must_use]
pub enum Effect {
    /// Make this durable, then report it.
    Log(Entry),
    /// Start the process.
    Spawn(Box<Dispatch>),
    /// Stop the process, because somebody asked, with these words.
    Stop(CommandId, String),
    /// Tell the agent that a command was accepted.
    Accepted(CommandId, ExecutionId),
    /// Tell the agent that it was not.
    NotAccepted(CommandId, String),
    /// Tell the agent, after all output, how it ended.
    Ended(CommandId),
    /// Remove what is kept of its output.
    Remove(CommandId),
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Book {
    commands: BTreeMap<CommandId, Command>,
    forgotten: Recent,
    effects: VecDeque<Effect>,
    result_bytes: usize,
    /// Nothing is taken any more.
    is_closing: bool,
}

impl Book {
    /// A book with the results that a former process left.
    pub fn new(results: Vec<Unacknowledged>) -> Self {
        let mut book = Self::default();
        for Unacknowledged { command_id, execution_id, end, kept } in results {
            let bytes = bytes_of(&end, &kept);
            book.result_bytes += bytes;
            book.commands.insert(command_id, Command { execution_id, phase: Phase::Ended(end), bytes });
        }
        book
    }

    /// Takes the next thing to do.
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// All that is durable or is about to be: which, whose, and whether its process has ended.
    pub fn known(&self) -> impl Iterator<Item = (CommandId, ExecutionId, bool)> {
        self.commands.iter().map(|(id, command)| {
            let is_over = matches!(command.phase, Phase::Ending(_) | Phase::Ended(_));
            (*id, command.execution_id, is_over)
        })
    }

    /// How a command ended, if that is durable.
    pub fn end(&self, command_id: CommandId) -> Option<&Arc<CommandEnd>> {
        match &self.commands.get(&command_id)?.phase {
            Phase::Ended(end) => Some(end),
            _ => None,
        }
    }

    /// Whether everything has ended durably.
    pub fn is_quiet(&self) -> bool {
        self.effects.is_empty() && self.commands.values().all(|command| matches!(command.phase, Phase::Ended(_)))
    }

    /// Takes no more commands.
    pub fn close(&mut self) {
        self.is_closing = true;
    }

    /// A command is to be started, unless it was seen before.
    pub fn start(&mut self, dispatch: Box<Dispatch>) {
        let (command_id, execution_id) = (dispatch.command_id, dispatch.execution_id);
        match self.commands.get(&command_id).map(|command| &command.phase) {
            // It is told when it is durable.
            Some(Phase::Accepting { .. }) => return,
            Some(Phase::Running { .. } | Phase::Ending(_)) => {
                return self.effects.push_back(Effect::Accepted(command_id, execution_id));
            }
            Some(Phase::Ended(_)) => {
                self.effects.push_back(Effect::Accepted(command_id, execution_id));
                return self.effects.push_back(Effect::Ended(command_id));
            }
            None => {}
        }
        if self.forgotten.contains(command_id) {
            return self.effects.push_back(Effect::Accepted(command_id, execution_id));
        }
        if self.is_closing {
            return self.not_accepted(command_id, "the worker's supervisor is being stopped");
        }
        if self.result_bytes > MOST_RESULT_BYTES {
            return self.not_accepted(command_id, "the worker has too many results that are not acknowledged");
        }
        let phase = Phase::Accepting { dispatch, cancelled: None };
        self.commands.insert(command_id, Command { execution_id, phase, bytes: 0 });
        self.effects.push_back(Effect::Log(Entry::Accepted { command_id, execution_id }));
    }

    /// Somebody asks to stop a command.
    pub fn cancel(&mut self, command_id: CommandId, reason: String) {
        match self.commands.get_mut(&command_id).map(|command| &mut command.phase) {
            Some(Phase::Accepting { cancelled, .. }) => *cancelled = Some(reason),
            Some(Phase::Running { is_cancelled }) if !*is_cancelled => {
                *is_cancelled = true;
                self.effects.push_back(Effect::Stop(command_id, reason));
            }
            // It is told again: whoever asks does not know.
            Some(Phase::Ended(_)) => self.effects.push_back(Effect::Ended(command_id)),
            _ => {}
        }
    }

    /// An acceptance is durable.
    pub fn acceptance_written(&mut self, command_id: CommandId) {
        let Some(command) = self.commands.get_mut(&command_id) else { return };
        if !matches!(command.phase, Phase::Accepting { .. }) {
            return;
        }
        let phase = std::mem::replace(&mut command.phase, Phase::Running { is_cancelled: false });
        self.effects.push_back(Effect::Accepted(command_id, command.execution_id));
        match phase {
            Phase::Accepting { cancelled: Some(reason), .. } => {
                let end = CommandEnd::without_process(Outcome::Cancelled, reason);
                self.ended(command_id, end, Kept::default());
            }
            Phase::Accepting { dispatch, .. } if !self.is_closing => self.effects.push_back(Effect::Spawn(dispatch)),
            _ => {
                let reason = "the worker's supervisor was stopped before it started";
                self.ended(command_id, CommandEnd::without_process(Outcome::NotStarted, reason), Kept::default());
            }
        }
    }

    /// An acceptance could not be written.
    pub fn acceptance_failed(&mut self, command_id: CommandId, reason: &str) {
        if let Some(Phase::Accepting { .. }) = self.commands.get(&command_id).map(|command| &command.phase) {
            self.commands.remove(&command_id);
            self.not_accepted(command_id, &format!("the worker's state directory cannot be written: {reason}"));
        }
    }

    /// A command's process has ended, and its output is kept.
    pub fn ended(&mut self, command_id: CommandId, end: CommandEnd, kept: Kept) {
        let Some(command) = self.commands.get_mut(&command_id) else { return };
        if !matches!(command.phase, Phase::Running { .. }) {
            return;
        }
        let (end, kept) = (Arc::new(end), Arc::new(kept));
        command.bytes = bytes_of(&end, &kept);
        self.result_bytes += command.bytes;
        command.phase = Phase::Ending(end.clone());
        self.effects.push_back(Effect::Log(Entry::Finished { command_id, end, kept }));
    }

    /// A result is durable.
    pub fn result_written(&mut self, command_id: CommandId) {
        let Some(command) = self.commands.get_mut(&command_id) else { return };
        if let Phase::Ending(end) = &command.phase {
            command.phase = Phase::Ended(end.clone());
            self.effects.push_back(Effect::Ended(command_id));
        }
    }

    /// The server has a result.
    pub fn forget(&mut self, command_id: CommandId) {
        // Only a result that is there can be acknowledged.
        if self.end(command_id).is_some()
            && let Some(command) = self.commands.remove(&command_id)
        {
            self.result_bytes -= command.bytes;
            self.forgotten.insert(command_id);
            self.effects.push_back(Effect::Log(Entry::Forgotten { command_id }));
            self.effects.push_back(Effect::Remove(command_id));
        }
    }

    fn not_accepted(&mut self, command_id: CommandId, reason: &str) {
        self.effects.push_back(Effect::NotAccepted(command_id, reason.to_owned()));
    }
}

fn bytes_of(end: &CommandEnd, kept: &Kept) -> usize {
    let pieces: usize = kept.pieces.iter().map(|piece| piece.data.len()).sum();
    end.stdout.len() + end.stderr.len() + pieces + 512
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{dispatch, end, id};
    use pulse_core::protocol::worker::ToWorker;

    fn start(book: &mut Book, n: u128) -> Vec<Effect> {
        let ToWorker::Dispatch(dispatch) = dispatch(n) else { panic!() };
        book.start(dispatch);
        std::iter::from_fn(|| book.next_effect()).collect()
    }

    #[test]
    fn what_was_forgotten_is_not_started_again_by_whichever_agent() {
        let mut book = Book::default();
        assert!(matches!(start(&mut book, 1)[..], [Effect::Log(Entry::Accepted { .. })]));
        book.acceptance_written(id(1));
        book.ended(id(1), end(), Kept::default());
        book.forget(id(1));
        assert!(book.known().next().is_some(), "its result is not durable: nobody can have it");
        book.result_written(id(1));
        book.forget(id(1));
        while book.next_effect().is_some() {}
        assert!(matches!(start(&mut book, 1)[..], [Effect::Accepted(..)]));
        assert!(book.known().next().is_none() && book.is_quiet());
    }
}
