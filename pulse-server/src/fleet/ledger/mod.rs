//! What the server knows of one worker's commands, and what it says to the worker because of that: the other side of
//! `pulse_worker::ledger`. No I/O, no clock: messages, connections and times come in by method calls; messages to send
//! and ends to record are taken out.
//!
//! ```text
//!  dispatch ─▶ Queued ──room──▶ Sent ──accepted──▶ Running ──result──▶ Finished ──durable──▶ forgotten
//!                ▲                │  │               │
//!                └─ not in hello ─┘  └── not in hello, but cancelled or accepted before;
//!                                        or overdue while nobody can ask ──▶ ended here
//! ```
//!
//! What a worker lists in its hello is the truth about what it has: it lists all that is or will be on its disk. Only
//! that, never a timer, puts a command that was sent back into the queue; and not one that the worker has accepted, for then
//! its disk has been lost or replaced. Commands that it lists and nobody wants any more take room until they have ended.
//!
//! A command that was never sent may leave again: while its worker is given no work, its execution is asked where it goes,
//! and until that is decided it is sent nowhere (`stranded.rs`).
//!
//! Messages are taken out only when there is room to send them, so that nothing piles up here but what waits anyway.

mod command;
mod restored;
#[cfg(test)]
mod simulation;
mod stranded;
#[cfg(test)]
mod tests;

pub use command::{InFlight, Phase, Stranded};

use super::{SILENCE, Verdict};
use crate::secrets::Secrets;
use command::Commands;
use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::ids::{CommandId, ExecutionId};
use pulse_core::protocol::worker::{KnownCommand, KnownState};
use pulse_core::time::Timestamp;
use pulse_engine::state::Outstanding;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// After so long without a result a cancel is said again on the same connection. A dispatch is not: nothing is lost
/// within a connection, and a second one would make a rejection of the first ambiguous.
const SAY_AGAIN: Duration = Duration::from_secs(30);

/// Something to say to the worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Run this command; [`Ledger::command`] has it.
    Dispatch(CommandId),
    /// Stop a command.
    Cancel {
        /// Which.
        command_id: CommandId,
        /// Why.
        reason: String,
    },
    /// Take no more commands.
    Drain,
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Ledger {
    capacity: u32,
    /// It gets no new commands.
    draining: bool,
    link: Option<Link>,
    /// The newest connection there has been. It may be gone again before an older one's hello is through, which knows less.
    newest: u64,
    /// Since when there has been no connection, or none with a sign of life, as far as that was noticed.
    unlinked: Option<Timestamp>,
    commands: Commands,
    ordinal: u64,
    /// Commands that the worker runs, or may run, and nobody here waits for, with their executions.
    strangers: HashMap<CommandId, ExecutionId>,
    /// Commands that wait for room, by the order of their coming.
    queue: BTreeMap<u64, CommandId>,
    /// Commands that the worker is to stop and has not been told to.
    cancels: VecDeque<(CommandId, String)>,
    /// Commands that ended without the worker's word.
    ends: VecDeque<Verdict>,
}

/// An open connection.
#[derive(Debug)]
struct Link {
    session: u64,
    heard: Timestamp,
    /// Nothing is said before the welcome.
    welcomed: bool,
    /// It was noticed that the worker has fallen silent.
    silent: bool,
    /// The worker was told to take no more.
    drained: bool,
}

impl Ledger {
    /// A worker with room for so many commands at once; not connected.
    pub fn new(capacity: u32) -> Self {
        Self {
            capacity,
            draining: false,
            link: None,
            newest: 0,
            unlinked: None,
            commands: Commands::default(),
            ordinal: 0,
            strangers: HashMap::new(),
            queue: BTreeMap::new(),
            cancels: VecDeque::new(),
            ends: VecDeque::new(),
        }
    }

    /// Sets how many commands the worker runs at once.
    pub fn set_capacity(&mut self, capacity: u32) {
        self.capacity = capacity;
    }

    /// Sets whether the worker gets no new commands. Those that wait for it wait on. Answers whether its connection has
    /// to be made anew: a worker that was told to drain goes on with its next one.
    #[must_use]
    pub fn set_draining(&mut self, draining: bool) -> bool {
        self.draining = draining;
        !draining && self.link.as_ref().is_some_and(|link| link.drained)
    }

    /// The commands whose results are not durable.
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// A command, if its result is not durable.
    pub fn command(&self, id: CommandId) -> Option<&InFlight> {
        self.commands.get(id)
    }

    /// Those commands.
    pub fn iter(&self) -> impl Iterator<Item = &InFlight> {
        self.commands.iter().map(|(_, command)| command)
    }

    /// Commands that take room on the worker.
    pub fn busy(&self) -> u32 {
        self.commands.busy() + u32::try_from(self.strangers.len()).unwrap_or(u32::MAX)
    }

    /// Whether the worker has, or may have, a command.
    pub fn is_owed(&self) -> bool {
        self.commands.iter().any(|(_, command)| !command.phase.is_here())
    }

    /// How long the open connection has been silent; `None` without one.
    pub fn silence(&self, now: Timestamp) -> Option<Duration> {
        self.link.as_ref().map(|link| now.since(link.heard))
    }

    /// The worker is connected from now on, in place of an older connection, and knows these commands. Answers false,
    /// and changes nothing, when a newer connection was faster, be it gone again.
    #[must_use]
    pub fn hello(&mut self, session: u64, known: &[KnownCommand], now: Timestamp) -> bool {
        if self.newest > session {
            return false;
        }
        self.newest = session;
        self.link = Some(Link { session, heard: now, welcomed: false, silent: false, drained: false });
        self.unlinked = None;
        self.cancels.clear();
        self.strangers.clear();
        let listed: HashSet<CommandId> = known.iter().map(|known| known.command_id).collect();
        self.commands.listed(&listed);
        for KnownCommand { command_id, execution_id, state } in known {
            match self.commands.get(*command_id) {
                Some(command) => {
                    self.cancels.extend(command.cancel.clone().map(|reason| (*command_id, reason)));
                    self.commands.set_phase(*command_id, Phase::Running);
                }
                None if *state == KnownState::Running => {
                    tracing::info!(command = %command_id, execution = %execution_id, "nobody waits for a command any more: it is stopped");
                    self.strangers.insert(*command_id, *execution_id);
                    self.cancels.push_back((*command_id, "nobody waits for it any more".to_owned()));
                }
                // Its result follows.
                None => {}
            }
        }
        let is_unlisted = |(id, command): &(CommandId, &InFlight)| {
            !matches!(command.phase, Phase::Asked | Phase::Finished) && !listed.contains(id)
        };
        let unlisted = self.commands.iter().filter(is_unlisted);
        let unlisted = unlisted.map(|(id, c)| (c.ordinal, id, c.phase == Phase::Running, c.cancel.clone()));
        let mut unlisted: Vec<_> = unlisted.collect();
        unlisted.sort_unstable();
        self.queue.clear();
        for (ordinal, id, was_accepted, cancel) in unlisted {
            match cancel {
                // It said so, and so it was on its disk: another start could be the second.
                _ if was_accepted => {
                    let reason =
                        "its worker had taken it and knows nothing of it any more; nobody knows whether it took effect";
                    self.end(id, Outcome::Lost, reason);
                }
                None => {
                    self.commands.set_phase(id, Phase::Queued);
                    self.queue.insert(ordinal, id);
                }
                Some(reason) => self.end(id, Outcome::Cancelled, format!("it never reached its worker: {reason}")),
            }
        }
        true
    }

    /// The welcome is on its way: other messages may follow.
    pub fn welcomed(&mut self, session: u64) {
        if let Some(link) = self.link.as_mut().filter(|link| link.session == session) {
            link.welcomed = true;
        }
    }

    /// A connection has ended. Answers whether it was the worker's.
    pub fn gone(&mut self, session: u64) -> bool {
        self.link.take_if(|link| link.session == session).is_some()
    }

    /// The worker was heard from. Answers how long it had been silent; `None` when the connection has been replaced.
    pub fn heard(&mut self, session: u64, now: Timestamp) -> Option<Duration> {
        let link = self.link.as_mut().filter(|link| link.session == session)?;
        let silence = now.since(link.heard);
        (link.heard, link.silent, self.unlinked) = (now, false, None);
        Some(silence)
    }

    /// Queues a command. One that is there already stays as it is.
    pub fn dispatch(&mut self, id: ExecutionId, command: Outstanding, secrets: Arc<Secrets>, now: Timestamp) {
        self.add(id, command, secrets, Phase::Queued, now);
    }

    fn add(
        &mut self,
        execution_id: ExecutionId,
        command: Outstanding,
        secrets: Arc<Secrets>,
        phase: Phase,
        now: Timestamp,
    ) {
        let id = command.command_id;
        if self.commands.get(id).is_some() {
            return;
        }
        self.ordinal += 1;
        let ordinal = self.ordinal;
        let (may_run, stranded, is_told) = (phase != Phase::Queued, Stranded::Unasked, false);
        let (output_seq, output_bytes) = (0, 0);
        let (cancel, since, told) = (None, now, now);
        let command = InFlight {
            ordinal,
            execution_id,
            command,
            secrets,
            phase,
            may_run,
            stranded,
            is_told,
            output_seq,
            output_bytes,
            cancel,
            since,
            told,
        };
        self.commands.insert(id, command);
        if phase == Phase::Queued {
            self.queue.insert(ordinal, id);
        }
    }

    /// The worker has a command.
    pub fn accepted(&mut self, session: u64, id: CommandId) {
        if self.is_current(session) && self.phase(id) == Some(Phase::Sent) {
            self.commands.set_phase(id, Phase::Running);
        }
    }

    /// The worker has no room for a command, or cannot keep it: it goes back to its place in the queue.
    pub fn rejected(&mut self, session: u64, id: CommandId) {
        // On a connection that was replaced it is old news: the command may have been sent again since.
        if !self.is_current(session) {
            return;
        }
        self.strangers.remove(&id);
        if !matches!(self.phase(id), Some(Phase::Sent | Phase::Running)) {
            return;
        }
        let Some(command) = self.commands.get(id) else { return };
        if let Some(reason) = command.cancel.clone() {
            return self.end(id, Outcome::Cancelled, format!("its worker did not take it: {reason}"));
        }
        self.queue.insert(command.ordinal, id);
        self.commands.set_phase(id, Phase::Queued);
    }

    /// A piece of a command's output came. Answers how many bytes that makes, each piece counted once; `None` when the
    /// command is not here.
    pub fn printed(&mut self, id: CommandId, seq: u64, bytes: usize) -> Option<u64> {
        let command = self.commands.get_mut(id)?;
        if seq > command.output_seq {
            command.output_seq = seq;
            command.output_bytes = command.output_bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        }
        Some(command.output_bytes)
    }

    /// A command's result is here: its room is free, though the result is not durable yet.
    pub fn finishing(&mut self, id: CommandId) {
        self.strangers.remove(&id);
        self.commands.set_phase(id, Phase::Finished);
        if let Some(command) = self.commands.get_mut(id) {
            command.is_told = true;
        }
    }

    /// Whether this is the open connection.
    pub fn is_current(&self, session: u64) -> bool {
        self.link.as_ref().is_some_and(|link| link.session == session)
    }

    fn phase(&self, id: CommandId) -> Option<Phase> {
        self.commands.get(id).map(|command| command.phase)
    }

    /// A command's result is durable: forget it.
    pub fn finished(&mut self, id: CommandId) {
        self.commands.remove(id);
    }

    /// The end of a command without its worker's word is durable. One that the worker may still run takes room until
    /// its result comes, late, or until the worker's next hello.
    pub fn given_up(&mut self, id: CommandId, outcome: Outcome) {
        if self.commands.get(id).is_some_and(|command| command.is_told) {
            // Its result came meanwhile and is about to be durable.
            return;
        }
        if let Some(command) = self.commands.remove(id)
            && outcome == Outcome::Lost
            && command.may_run
        {
            self.strangers.insert(id, command.execution_id);
        }
    }

    /// A command has had no result for too long on a worker that is there and cannot be asked: it is lost, and takes room
    /// as [`Self::given_up`] says, without a moment in between.
    pub fn overdue(&mut self, id: CommandId, reason: &str) {
        if let Some(command) = self.commands.get(id)
            && matches!(command.phase, Phase::Sent | Phase::Running)
        {
            self.strangers.insert(id, command.execution_id);
            self.end(id, Outcome::Lost, reason);
        }
    }

    /// The worker runs nothing that nobody waits for: all that may have been such is forgotten, and answered.
    pub fn nothing_else_runs(&mut self) -> Vec<CommandId> {
        std::mem::take(&mut self.strangers).into_keys().collect()
    }

    /// The worker runs nothing at all: what it was given and told no result of is lost, and takes no room. Answers how many
    /// commands that are.
    pub fn nothing_runs(&mut self, reason: &str) -> usize {
        let is_given = |(_, command): &(CommandId, &InFlight)| matches!(command.phase, Phase::Sent | Phase::Running);
        let given: Vec<CommandId> = self.commands.iter().filter(is_given).map(|(id, _)| id).collect();
        for id in &given {
            if let Some(command) = self.commands.get_mut(*id) {
                command.may_run = false;
            }
            self.end(*id, Outcome::Lost, reason);
        }
        given.len()
    }

    /// Whose a command is that nobody waits for any more and that this worker may still tell of.
    pub fn stranger(&self, id: CommandId) -> Option<ExecutionId> {
        self.strangers.get(&id).copied()
    }

    /// A command is to be stopped. One that was never sent ends here.
    pub fn cancel(&mut self, id: CommandId, reason: &str) {
        let Some(command) = self.commands.get_mut(id) else { return };
        if command.phase.is_here() {
            return self.end(id, Outcome::Cancelled, format!("never sent: {reason}"));
        }
        // Told at once by the next message, and again if that is not answered.
        command.cancel = Some(reason.to_owned());
        if self.link.is_some() {
            self.cancels.push_back((id, reason.to_owned()));
        }
    }

    /// This server stood still for a while: nobody could be heard, and no worker was out of reach because of that.
    pub fn stood_still(&mut self, time: Duration, now: Timestamp) {
        let later = |at: &mut Timestamp| *at = at.plus(time).min(now);
        if let Some(link) = &mut self.link {
            later(&mut link.heard);
        }
        self.unlinked.iter_mut().for_each(later);
        self.commands.iter_mut().for_each(|command| later(&mut command.since));
    }

    /// Gives up commands whose time, and the grace, are over on a worker that nobody can ask: since they were sent, or, of
    /// those that never were, since it has been out of reach. Answers whether the worker has just fallen silent.
    #[must_use]
    pub fn tick(&mut self, now: Timestamp, lost_grace: Duration) -> bool {
        let mut has_fallen_silent = false;
        if let Some(link) = &mut self.link {
            if now.since(link.heard) < SILENCE {
                self.say_again(now);
                return false;
            }
            has_fallen_silent = !std::mem::replace(&mut link.silent, true);
        }
        let gone_since = *self.unlinked.get_or_insert(now);
        let is_overdue = |(_, command): &(CommandId, &InFlight)| {
            let limit = Duration::from_millis(command.command.spec.timeout_ms).saturating_add(lost_grace);
            match command.phase {
                Phase::Sent | Phase::Running => now.since(command.since) > limit,
                Phase::Queued => now.since(gone_since.max(command.since)) > limit,
                Phase::Asked | Phase::Finished => false,
            }
        };
        let overdue = self.commands.iter().filter(is_overdue).map(|(id, command)| (id, command.phase));
        for (id, phase) in overdue.collect::<Vec<_>>() {
            if phase == Phase::Queued {
                let reason =
                    "its worker has been out of reach for longer than its time limit and the grace: it was never sent";
                self.end(id, Outcome::NotStarted, reason);
                continue;
            }
            let reason = "its worker cannot be reached and its time is over; nobody knows whether it took effect";
            self.end(id, Outcome::Lost, reason);
        }
        has_fallen_silent
    }

    /// Finds what the worker was told to stop and has not.
    fn say_again(&mut self, now: Timestamp) {
        let is_due = |(_, command): &(CommandId, &InFlight)| {
            command.phase == Phase::Running && command.cancel.is_some() && now.since(command.told) > SAY_AGAIN
        };
        let due: Vec<CommandId> = self.commands.iter().filter(is_due).map(|(id, _)| id).collect();
        for id in due {
            let Some(command) = self.commands.get_mut(id) else { continue };
            command.told = now;
            self.cancels.extend(command.cancel.clone().map(|reason| (id, reason)));
        }
    }

    /// A command ends without the worker's word. It stays until that is durable.
    pub fn end(&mut self, id: CommandId, outcome: Outcome, reason: impl Into<String>) {
        let Some(command) = self.commands.get(id) else { return };
        let (execution_id, worker_id) = (command.execution_id, command.command.worker.worker_id);
        let end = CommandEnd::without_process(outcome, reason);
        self.ends.push_back(Verdict { execution_id, worker_id, command_id: id, end });
        self.commands.set_phase(id, Phase::Finished);
    }

    /// Takes the next message to send on the open connection. A command counts as sent when it is taken.
    pub fn next_message(&mut self, now: Timestamp) -> Option<Message> {
        let link = self.link.as_mut().filter(|link| link.welcomed)?;
        if self.draining && !std::mem::replace(&mut link.drained, true) {
            return Some(Message::Drain);
        }
        if let Some((command_id, reason)) = self.cancels.pop_front() {
            return Some(Message::Cancel { command_id, reason });
        }
        let is_drained = self.link.as_ref().is_some_and(|link| link.drained);
        if is_drained || self.busy() >= self.capacity {
            return None;
        }
        while let Some((_, id)) = self.queue.pop_first() {
            if self.phase(id) != Some(Phase::Queued) {
                continue;
            }
            self.commands.set_phase(id, Phase::Sent);
            if let Some(command) = self.commands.get_mut(id) {
                (command.since, command.told, command.may_run) = (now, now, true);
            }
            return Some(Message::Dispatch(id));
        }
        None
    }

    /// Takes the next command that has ended without the worker's word.
    pub fn next_end(&mut self) -> Option<Verdict> {
        self.ends.pop_front()
    }
}
