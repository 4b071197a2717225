//! The commands of one worker, and how far each is.

use crate::secrets::Secrets;
use pulse_core::ids::{CommandId, ExecutionId};
use pulse_core::time::Timestamp;
use pulse_engine::state::Outstanding;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A command whose result is not durable.
#[derive(Debug)]
pub struct InFlight {
    /// Its place among all commands of the worker, by the order of their coming.
    pub ordinal: u64,
    /// Whose it is.
    pub execution_id: ExecutionId,
    /// What is run, and for which step.
    pub command: Outstanding,
    /// What its secrets are; put in at the moment it is sent.
    pub secrets: Arc<Secrets>,
    /// How far it is. Changed by [`Commands::set_phase`] only.
    pub phase: Phase,
    /// Whether the worker may have it: it was sent, and a later hello does not say otherwise.
    pub may_run: bool,
    /// How far it is asked what becomes of it while its worker is given no work.
    pub stranded: Stranded,
    /// Whether its result has come.
    pub is_told: bool,
    /// The last piece of output that came, and the bytes of all that came, since this server started.
    pub output_seq: u64,
    /// See `output_seq`.
    pub output_bytes: u64,
    /// Why it is to be stopped, if it is.
    pub cancel: Option<String>,
    /// When it was last queued or sent, or found again after a restart.
    pub since: Timestamp,
    /// When the worker was last told to stop it, or to run it.
    pub told: Timestamp,
}

/// How far a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It waits for room, or for the worker.
    Queued,
    /// It waits until its execution has decided whether it goes to another worker: it is sent nowhere.
    Asked,
    /// It was given to the connection; the worker has not said anything.
    Sent,
    /// The worker has it.
    Running,
    /// Its result is here and not yet durable.
    Finished,
}

/// What is known of a command that waits for a worker which is given no work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stranded {
    /// Nothing: its execution has not been asked since the worker was last given work.
    #[default]
    Unasked,
    /// Another worker may run it, and none had room.
    ForRoom,
    /// It is this worker's.
    Stays,
}

impl Phase {
    /// Whether a command in it is certainly not with its worker.
    pub fn is_here(self) -> bool {
        matches!(self, Self::Queued | Self::Asked)
    }

    /// Whether a command in it takes room on the worker.
    fn takes_room(self) -> bool {
        matches!(self, Self::Sent | Self::Running)
    }
}

/// All commands of a worker; counts those that take room.
#[derive(Debug, Default)]
pub struct Commands {
    all: HashMap<CommandId, InFlight>,
    busy: u32,
}

impl Commands {
    /// Commands that take room.
    pub fn busy(&self) -> u32 {
        self.busy
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// One of them.
    pub fn get(&self, id: CommandId) -> Option<&InFlight> {
        self.all.get(&id)
    }

    /// One of them, to change anything but its phase.
    pub fn get_mut(&mut self, id: CommandId) -> Option<&mut InFlight> {
        self.all.get_mut(&id)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (CommandId, &InFlight)> {
        self.all.iter().map(|(id, command)| (*id, command))
    }

    /// All of them, to change anything but their phase.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut InFlight> {
        self.all.values_mut()
    }

    /// Notes which of them the worker has.
    pub fn listed(&mut self, listed: &HashSet<CommandId>) {
        for (id, command) in &mut self.all {
            command.may_run = listed.contains(id);
        }
    }

    /// Adds one.
    pub fn insert(&mut self, id: CommandId, command: InFlight) {
        self.busy += u32::from(command.phase.takes_room());
        self.all.insert(id, command);
    }

    /// Removes one.
    pub fn remove(&mut self, id: CommandId) -> Option<InFlight> {
        let removed = self.all.remove(&id);
        self.busy -= removed.as_ref().map_or(0, |command| u32::from(command.phase.takes_room()));
        removed
    }

    /// Changes how far one is.
    pub fn set_phase(&mut self, id: CommandId, phase: Phase) {
        if let Some(command) = self.all.get_mut(&id) {
            self.busy += u32::from(phase.takes_room());
            self.busy -= u32::from(command.phase.takes_room());
            command.phase = phase;
        }
    }
}
