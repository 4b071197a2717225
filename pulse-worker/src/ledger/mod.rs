//! What an agent knows about its worker's commands, and what it says to the server and asks of the supervisor because of
//! that. No I/O, no clock: messages and events come in by method calls, effects and outgoing messages are taken out, in
//! order. What is durable is the supervisor's business (`crate::supervisor`).
//!
//! ```text
//!  dispatch ─▶ Accepting ──accepted──▶ Running ──ended──▶ Ended ──ack──▶ forgotten
//!                  │ not accepted: rejected, unknown again
//! ```
//!
//! Per command the server gets its output in order and then its result; all of it again after a reconnect, until it is
//! acknowledged. Messages are taken out only when there is room to send them, so that nothing piles up here but what is
//! unacknowledged anyway: the supervisor sends no more output than a window, and a result only after its output.

mod commands;
mod dialogue;
#[cfg(test)]
mod simulation;
#[cfg(test)]
pub(crate) mod tests;

pub use dialogue::{Coming, Dialogue, Heard, Opening};

use crate::recent::Recent;
use commands::{Command, Phase};
use pulse_core::command::CommandEnd;
use pulse_core::ids::{CommandId, ExecutionId};
use pulse_core::protocol::worker::{Dispatch, FromWorker, KnownCommand, KnownState, ToWorker};
use serde_json::{Map, Value};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Most commands whose results are not acknowledged. A server that acknowledges never comes near it.
const MOST_KNOWN: usize = 10_000;

/// Something to ask of the supervisor.
#[derive(Debug, PartialEq)]
#[must_use]
pub enum Effect {
    /// Take this command and start it.
    Start(Box<Dispatch>),
    /// Stop it, for this reason.
    Cancel(CommandId, String),
    /// Output up to this piece need not be kept.
    Acknowledge(CommandId, u64),
    /// Nothing of it need be kept.
    Forget(CommandId),
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
    /// A ledger with room for `capacity` commands at once.
    pub fn new(capacity: u32) -> Self {
        Self {
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
        }
    }

    /// There is another supervisor, which knows these commands: which, whose, and whether the process has ended. Nothing
    /// else counts any more, and the server has to be told anew.
    pub fn supervised(&mut self, known: impl IntoIterator<Item = (CommandId, ExecutionId, bool)>) {
        self.disconnected();
        self.effects.clear();
        self.commands.clear();
        self.active = 0;
        for (command_id, execution_id, is_over) in known {
            self.insert(command_id, execution_id, Phase::Running { is_cancelled: false, is_over });
            self.active += usize::from(!is_over);
        }
    }

    /// The commands for a hello: all whose results are not acknowledged, in the order of their coming. One whose
    /// acceptance is still being written is among them: the server must not believe that it never got here.
    pub fn known(&self) -> Vec<KnownCommand> {
        let mut known: Vec<(u64, KnownCommand)> = self
            .commands
            .iter()
            .map(|(&command_id, command)| {
                let state = match &command.phase {
                    Phase::Accepting | Phase::Running { is_over: false, .. } => KnownState::Running,
                    Phase::Running { is_over: true, .. } | Phase::Ended(_) => KnownState::Finished,
                };
                (command.ordinal, KnownCommand { command_id, execution_id: command.execution_id, state })
            })
            .collect();
        known.sort_unstable_by_key(|(ordinal, _)| *ordinal);
        known.into_iter().map(|(_, known)| known).collect()
    }

    /// Whether the server wants no more commands to be taken, or the worker is being stopped.
    pub fn is_draining(&self) -> bool {
        self.draining || self.stopping
    }

    /// How many commands run or are about to.
    pub fn active(&self) -> usize {
        self.active
    }

    /// Whether a result is on its way to the server, or was sent and is not acknowledged.
    pub fn has_results(&self) -> bool {
        self.commands.values().any(|command| matches!(command.phase, Phase::Ended(_)))
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

    /// Takes no more commands.
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// The supervisor took a command, or had it already.
    pub fn accepted(&mut self, command_id: CommandId, execution_id: ExecutionId) {
        match self.commands.get_mut(&command_id) {
            Some(command) => {
                if matches!(command.phase, Phase::Accepting) {
                    command.phase = Phase::Running { is_cancelled: false, is_over: false };
                }
            }
            // One that an agent before this one had handed over, or that the server has the result of.
            None if self.forgotten.contains(command_id) => {}
            None => {
                self.insert(command_id, execution_id, Phase::Running { is_cancelled: false, is_over: false });
                self.active += 1;
            }
        }
        self.answer(FromWorker::Accepted { command_id });
    }

    /// The supervisor could not take a command.
    pub fn not_accepted(&mut self, command_id: CommandId, reason: &str) {
        // An agent that came after it was handed over takes it for running.
        let is_open =
            |command: &Command| matches!(command.phase, Phase::Accepting | Phase::Running { is_over: false, .. });
        if self.commands.get(&command_id).is_some_and(is_open) {
            self.remove(command_id);
            self.reject(command_id, reason);
        }
    }

    /// A command printed something; `frame` is the text of the `output` message number `seq`.
    pub fn printed(&mut self, command_id: CommandId, seq: u64, frame: Utf8Bytes) {
        if let Some(command) = self.commands.get_mut(&command_id) {
            command.output.push_back((seq, frame));
            self.give_turn(command_id);
        }
    }

    /// A command's process has ended.
    pub fn over(&mut self, command_id: CommandId) {
        if let Some(Command { phase: Phase::Running { is_over, .. }, .. }) = self.commands.get_mut(&command_id)
            && !std::mem::replace(is_over, true)
        {
            self.active -= 1;
        }
    }

    /// A command's result is durable, and all its output came.
    pub fn ended(&mut self, command_id: CommandId, end: CommandEnd) {
        self.over(command_id);
        let Some(command) = self.commands.get_mut(&command_id) else { return };
        match &command.phase {
            Phase::Accepting => self.active -= 1,
            Phase::Running { .. } => {}
            Phase::Ended(_) => return,
        }
        command.phase = Phase::Ended(Arc::new(end));
        self.give_turn(command_id);
    }

    fn dispatched(&mut self, dispatch: Box<Dispatch>) {
        let (command_id, execution_id) = (dispatch.command_id, dispatch.execution_id);
        if let Some(command) = self.commands.get_mut(&command_id) {
            // A dispatch seen before is answered with what is known.
            if !matches!(command.phase, Phase::Accepting) {
                command.result_sent = false;
                self.answer(FromWorker::Accepted { command_id });
                self.give_turn(command_id);
            }
        } else if self.forgotten.contains(command_id) {
            self.answer(FromWorker::Accepted { command_id });
        } else if let Some(reason) = self.no_room() {
            self.reject(command_id, &reason);
        } else {
            self.insert(command_id, execution_id, Phase::Accepting);
            self.active += 1;
            self.effects.push_back(Effect::Start(dispatch));
        }
    }

    fn insert(&mut self, command_id: CommandId, execution_id: ExecutionId, phase: Phase) {
        self.ordinal += 1;
        self.commands.insert(command_id, Command::new(self.ordinal, execution_id, phase));
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
        if self.commands.get_mut(&command_id).is_some_and(|command| command.drop_output(seq)) {
            self.effects.push_back(Effect::Acknowledge(command_id, seq));
        }
    }

    fn result_acknowledged(&mut self, command_id: CommandId) {
        // Only a result that is there can be acknowledged.
        if self.commands.get(&command_id).is_some_and(|command| matches!(command.phase, Phase::Ended(_))) {
            self.remove(command_id);
            self.forgotten.insert(command_id);
            self.effects.push_back(Effect::Forget(command_id));
        }
    }

    fn cancelled(&mut self, command_id: CommandId, why: String) {
        let Some(command) = self.commands.get_mut(&command_id) else { return };
        match &mut command.phase {
            Phase::Accepting => self.effects.push_back(Effect::Cancel(command_id, why)),
            Phase::Running { is_cancelled, .. } => {
                if !std::mem::replace(is_cancelled, true) {
                    self.effects.push_back(Effect::Cancel(command_id, why));
                }
            }
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
            && matches!(command.phase, Phase::Accepting | Phase::Running { is_over: false, .. })
        {
            self.active -= 1;
        }
    }
}
