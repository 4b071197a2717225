//! What a worker knows about its commands, and what it says to the server and does because of that. No I/O, no clock:
//! messages and events come in by method calls, effects and outgoing messages are taken out, in order.
//!
//! ```text
//!  dispatch ─▶ Accepting ──durable──▶ Running ──ended──▶ Ending ──durable──▶ Ended ──ack──▶ forgotten
//!                  │ not written: rejected, unknown again
//!                  └ cancelled meanwhile: never started, ends as cancelled
//! ```
//!
//! Per command the server gets its output in order and then its result; all of it again after a reconnect, until it is
//! acknowledged. Messages are taken out only when there is room to send them, so that nothing piles up here but what is
//! unacknowledged anyway: per command at most a window of output (see [`crate::runner`]) and one result.

mod commands;
mod recent;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use commands::{Command, Phase};
use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::ids::{CommandId, ExecutionId};
use pulse_core::protocol::worker::{Dispatch, FromWorker, KnownCommand, KnownState, ToWorker};
use recent::Recent;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Most commands whose results are not acknowledged. A server that acknowledges never comes near it.
const MOST_KNOWN: usize = 10_000;

/// Something that must be durable about a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Entry {
    /// It will be started.
    Accepted {
        /// Which attempt.
        command_id: CommandId,
        /// Whose it is; for people who read the log.
        execution_id: ExecutionId,
    },
    /// It ended.
    Finished {
        /// Which attempt.
        command_id: CommandId,
        /// How.
        end: Arc<CommandEnd>,
    },
    /// The server has the result.
    Forgotten {
        /// Which attempt.
        command_id: CommandId,
    },
}

/// A result that a former process left.
#[derive(Debug, Clone, PartialEq)]
pub struct Unacknowledged {
    /// Which attempt.
    pub command_id: CommandId,
    /// Whose it is.
    pub execution_id: ExecutionId,
    /// How it ended.
    pub end: Arc<CommandEnd>,
}

/// Why a command is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// Somebody asked, with these words.
    Cancelled(String),
    /// The worker is being stopped.
    WorkerStops,
}

/// Something to do, besides saying something.
#[derive(Debug, PartialEq)]
#[must_use]
pub enum Effect {
    /// Make this durable, then report it.
    Log(Entry),
    /// Start the process.
    Start(Box<Dispatch>),
    /// Stop the process.
    Stop {
        /// Which attempt.
        command_id: CommandId,
        /// Why.
        reason: StopReason,
    },
    /// So many bytes of a command's window are free again.
    Release {
        /// Which attempt.
        command_id: CommandId,
        /// How many.
        bytes: usize,
    },
}

/// Something to send.
#[derive(Debug, PartialEq, Clone)]
pub enum Message {
    /// A message.
    Plain(Box<FromWorker>),
    /// A piece of output, as the text of its frame: made once however often it is sent.
    Frame(Utf8Bytes),
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Ledger {
    capacity: usize,
    /// Between a welcome and the end of its connection.
    connected: bool,
    /// The server wants no more commands to be taken.
    draining: bool,
    /// The worker is being stopped.
    stopping: bool,
    commands: HashMap<CommandId, Command>,
    /// Commands that run or are about to.
    active: usize,
    /// Counts commands, to keep them in the order of their coming.
    ordinal: u64,
    /// What the server has the results of; guards against a dispatch that arrives late or twice.
    forgotten: Recent,
    effects: VecDeque<Effect>,
    /// Answers. At most one per message from the server, and emptied with the connection.
    answers: VecDeque<FromWorker>,
    /// Commands that have something to send, each once, in turn.
    turns: VecDeque<CommandId>,
}

impl Ledger {
    /// A ledger with room for `capacity` commands at once, and with results that a former process left.
    pub fn new(capacity: u32, results: Vec<Unacknowledged>) -> Self {
        let mut ledger = Self {
            capacity: usize::try_from(capacity).unwrap_or(usize::MAX),
            connected: false,
            draining: false,
            stopping: false,
            commands: HashMap::new(),
            active: 0,
            ordinal: 0,
            forgotten: Recent::default(),
            effects: VecDeque::new(),
            answers: VecDeque::new(),
            turns: VecDeque::new(),
        };
        for Unacknowledged { command_id, execution_id, end } in results {
            let ordinal = ledger.next_ordinal();
            ledger.commands.insert(command_id, Command::new(ordinal, execution_id, Phase::Ended(end)));
        }
        ledger
    }

    /// The commands for a hello: all whose results are not acknowledged, in the order of their coming. One whose
    /// acceptance is not durable yet is not among them: the server will dispatch it again and get its answer.
    pub fn known(&self) -> Vec<KnownCommand> {
        let mut known: Vec<(u64, KnownCommand)> = self
            .commands
            .iter()
            .filter_map(|(&command_id, command)| {
                let state = match &command.phase {
                    Phase::Accepting { .. } => return None,
                    Phase::Running { .. } | Phase::Ending(_) => KnownState::Running,
                    Phase::Ended(_) => KnownState::Finished,
                };
                Some((command.ordinal, KnownCommand { command_id, execution_id: command.execution_id, state }))
            })
            .collect();
        known.sort_unstable_by_key(|(ordinal, _)| *ordinal);
        known.into_iter().map(|(_, known)| known).collect()
    }

    /// How many commands run or are about to.
    pub fn active(&self) -> usize {
        self.active
    }

    /// Whether every command has ended durably and everything that can be said has been taken out.
    pub fn is_quiet(&self) -> bool {
        self.effects.is_empty()
            && self.commands.values().all(|command| matches!(command.phase, Phase::Ended(_)))
            && !(self.connected && self.has_message())
    }

    /// Whether no command is left whose result is not acknowledged.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Takes the next thing to do.
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Whether [`Self::next_message`] has something.
    pub fn has_message(&self) -> bool {
        !self.answers.is_empty() || !self.turns.is_empty()
    }

    /// How many answers wait to be sent: what a server makes grow that sends without reading.
    pub fn waiting_answers(&self) -> usize {
        self.answers.len()
    }

    /// Takes the next message to send.
    pub fn next_message(&mut self) -> Option<Message> {
        if let Some(answer) = self.answers.pop_front() {
            return Some(Message::Plain(Box::new(answer)));
        }
        while let Some(command_id) = self.turns.pop_front() {
            let Some(command) = self.commands.get_mut(&command_id) else { continue };
            command.has_turn = false;
            let message = command.take_message(command_id);
            self.give_turn(command_id);
            if message.is_some() {
                return message;
            }
        }
        None
    }

    /// The server has welcomed the worker: results and unacknowledged output go out again. What it said of draining
    /// on an earlier connection no longer holds; a server that still means it says it again.
    pub fn connected(&mut self) {
        self.connected = true;
        self.draining = false;
        let mut ids: Vec<(bool, u64, CommandId)> =
            self.commands.iter().map(|(id, command)| (!command.output.is_empty(), command.ordinal, *id)).collect();
        // Results that wait for nothing go first.
        ids.sort_unstable();
        for (_, _, command_id) in ids {
            self.give_turn(command_id);
        }
    }

    /// It is time to tell that the worker lives. Left out when earlier messages still wait: those tell it.
    pub fn heartbeat(&mut self, metadata: Map<String, Value>) {
        if self.answers.is_empty() {
            self.answer(FromWorker::Heartbeat { metadata });
        }
    }

    /// The connection has ended.
    pub fn disconnected(&mut self) {
        self.connected = false;
        self.answers.clear();
        self.turns.clear();
        for command in self.commands.values_mut() {
            command.rewind();
        }
    }

    /// The server said something.
    pub fn received(&mut self, message: ToWorker) {
        match message {
            ToWorker::Dispatch(dispatch) => self.dispatched(dispatch),
            ToWorker::Ack { command_id, output_seq: Some(seq) } => self.output_acknowledged(command_id, seq),
            ToWorker::Ack { command_id, output_seq: None } => self.result_acknowledged(command_id),
            ToWorker::Cancel { command_id, reason } => self.cancelled(command_id, reason),
            ToWorker::Drain => self.draining = true,
            // The connection's business.
            ToWorker::Welcome { .. } | ToWorker::Error { .. } => {}
        }
    }

    /// Takes no more commands and stops those that run.
    pub fn stop(&mut self) {
        self.stopping = true;
        for (&command_id, command) in &self.commands {
            if matches!(command.phase, Phase::Running { .. }) {
                self.effects.push_back(Effect::Stop { command_id, reason: StopReason::WorkerStops });
            }
        }
    }

    /// An acceptance is durable.
    pub fn acceptance_written(&mut self, command_id: CommandId) {
        let Some(command) = self.commands.get_mut(&command_id) else { return };
        let Phase::Accepting { dispatch, cancelled } = &mut command.phase else { return };
        let (dispatch, cancelled) = (dispatch.take(), cancelled.take());
        if self.stopping {
            // It has not run and will not: another worker may take it, or this one later.
            self.remove(command_id);
            self.effects.push_back(Effect::Log(Entry::Forgotten { command_id }));
            return self.reject(command_id, "the worker is being stopped");
        }
        command.phase = Phase::Running { cancelled: cancelled.is_some() };
        self.answer(FromWorker::Accepted { command_id });
        match (cancelled, dispatch) {
            (None, Some(dispatch)) => self.effects.push_back(Effect::Start(dispatch)),
            (cancelled, _) => {
                let reason = cancelled.unwrap_or_else(|| "it was taken back before it started".to_owned());
                self.ended(command_id, CommandEnd::without_process(Outcome::Cancelled, reason));
            }
        }
    }

    /// An acceptance could not be written.
    pub fn acceptance_failed(&mut self, command_id: CommandId, reason: &str) {
        if self.commands.get(&command_id).is_some_and(|command| matches!(command.phase, Phase::Accepting { .. })) {
            self.remove(command_id);
            self.reject(command_id, &format!("the worker's state directory cannot be written: {reason}"));
        }
    }

    /// A command printed something; `frame` is the text of the `output` message number `seq`.
    pub fn printed(&mut self, command_id: CommandId, seq: u64, frame: Utf8Bytes) {
        if let Some(command) = self.commands.get_mut(&command_id) {
            command.output.push_back((seq, frame));
            self.give_turn(command_id);
        }
    }

    /// A command's process has ended, after all its output.
    pub fn ended(&mut self, command_id: CommandId, end: CommandEnd) {
        let Some(command) = self.commands.get_mut(&command_id) else { return };
        if matches!(command.phase, Phase::Running { .. }) {
            let end = Arc::new(end);
            command.phase = Phase::Ending(end.clone());
            self.active -= 1;
            self.effects.push_back(Effect::Log(Entry::Finished { command_id, end }));
        }
    }

    /// A result is durable.
    pub fn result_written(&mut self, command_id: CommandId) {
        let Some(command) = self.commands.get_mut(&command_id) else { return };
        if let Phase::Ending(end) = &command.phase {
            command.phase = Phase::Ended(end.clone());
            self.give_turn(command_id);
        }
    }

    fn dispatched(&mut self, dispatch: Box<Dispatch>) {
        let command_id = dispatch.command_id;
        if let Some(command) = self.commands.get_mut(&command_id) {
            // A dispatch seen before is answered with what is known.
            if !matches!(command.phase, Phase::Accepting { .. }) {
                command.result_sent = false;
                self.answer(FromWorker::Accepted { command_id });
                self.give_turn(command_id);
            }
        } else if self.forgotten.contains(command_id) {
            self.answer(FromWorker::Accepted { command_id });
        } else if let Some(reason) = self.no_room() {
            self.reject(command_id, &reason);
        } else {
            let ordinal = self.next_ordinal();
            let execution_id = dispatch.execution_id;
            let phase = Phase::Accepting { dispatch: Some(dispatch), cancelled: None };
            self.commands.insert(command_id, Command::new(ordinal, execution_id, phase));
            self.active += 1;
            self.effects.push_back(Effect::Log(Entry::Accepted { command_id, execution_id }));
        }
    }

    fn no_room(&self) -> Option<String> {
        if self.stopping {
            Some("the worker is being stopped".to_owned())
        } else if self.draining {
            Some("the worker is draining".to_owned())
        } else if self.active >= self.capacity {
            Some(format!("the worker runs {} of {} commands", self.active, self.capacity))
        } else if self.commands.len() >= MOST_KNOWN {
            Some(format!("the worker has {} results that are not acknowledged", self.commands.len() - self.active))
        } else {
            None
        }
    }

    fn output_acknowledged(&mut self, command_id: CommandId, seq: u64) {
        let Some(command) = self.commands.get_mut(&command_id) else { return };
        let bytes = command.drop_output(seq);
        if bytes > 0 {
            self.effects.push_back(Effect::Release { command_id, bytes });
        }
    }

    fn result_acknowledged(&mut self, command_id: CommandId) {
        // Only a result that is there can be acknowledged.
        if self.commands.get(&command_id).is_some_and(|command| matches!(command.phase, Phase::Ended(_))) {
            self.remove(command_id);
            self.forgotten.insert(command_id);
            self.effects.push_back(Effect::Log(Entry::Forgotten { command_id }));
        }
    }

    fn cancelled(&mut self, command_id: CommandId, why: String) {
        let Some(command) = self.commands.get_mut(&command_id) else { return };
        match &mut command.phase {
            Phase::Accepting { cancelled, .. } => *cancelled = Some(why),
            Phase::Running { cancelled } => {
                if !std::mem::replace(cancelled, true) {
                    self.effects.push_back(Effect::Stop { command_id, reason: StopReason::Cancelled(why) });
                }
            }
            Phase::Ending(_) => {}
            Phase::Ended(_) => {
                command.result_sent = false;
                self.give_turn(command_id);
            }
        }
    }

    /// Puts a command into the row of those that have something to send, if it has.
    fn give_turn(&mut self, command_id: CommandId) {
        if self.connected
            && let Some(command) = self.commands.get_mut(&command_id)
            && !command.has_turn
            && command.has_message()
        {
            command.has_turn = true;
            self.turns.push_back(command_id);
        }
    }

    fn answer(&mut self, answer: FromWorker) {
        if self.connected {
            self.answers.push_back(answer);
        }
    }

    fn reject(&mut self, command_id: CommandId, reason: &str) {
        self.answer(FromWorker::Rejected { command_id, reason: reason.to_owned() });
    }

    fn remove(&mut self, command_id: CommandId) {
        if let Some(command) = self.commands.remove(&command_id)
            && matches!(command.phase, Phase::Accepting { .. } | Phase::Running { .. })
        {
            self.active -= 1;
        }
    }

    fn next_ordinal(&mut self) -> u64 {
        self.ordinal += 1;
        self.ordinal
    }
}
