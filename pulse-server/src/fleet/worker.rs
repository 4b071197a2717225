//! One worker as the server knows it: its record, its connection, its queue and what runs on it.

use super::{LOST_GRACE, SILENCE};
use crate::secrets::Secrets;
use pulse_core::api::WorkerView;
use pulse_core::ids::{CommandId, ExecutionId};
use pulse_core::protocol::worker::{Dispatch, OUTPUT_LIMIT_BYTES, ToWorker};
use pulse_core::status::WorkerStatus;
use pulse_core::time::Timestamp;
use pulse_engine::fleet::FleetWorker;
use pulse_engine::state::Outstanding;
use pulse_store::WorkerRecord;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A worker.
pub(super) struct Worker {
    pub record: WorkerRecord,
    pub connection: Option<Connection>,
    pub commands: HashMap<CommandId, InFlight>,
    /// Commands that wait for room, in order.
    pub queue: VecDeque<CommandId>,
}

/// A worker's open connection.
pub(super) struct Connection {
    /// Its id, to tell it from one that replaced it.
    pub session: u64,
    pub sender: mpsc::Sender<ToWorker>,
    /// Ends it.
    pub cancel: CancellationToken,
    /// When it was last heard from.
    pub heard: Timestamp,
}

/// A command that has not been acknowledged.
pub(super) struct InFlight {
    pub execution_id: ExecutionId,
    pub command: Outstanding,
    /// What its secrets are; put in at the moment it is sent.
    pub secrets: Arc<Secrets>,
    pub phase: Phase,
    /// Why it is to be stopped, if it is.
    pub cancel: Option<String>,
    /// When it was sent, or found again after a restart.
    pub since: Timestamp,
}

/// How far a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It waits for room, or for the worker.
    Queued,
    /// It was given to the connection; the worker has not said anything.
    Sent,
    /// The worker has it.
    Running,
    /// Its result is here and not yet durable.
    Finished,
}

impl Worker {
    pub fn new(record: WorkerRecord) -> Self {
        Self { record, connection: None, commands: HashMap::new(), queue: VecDeque::new() }
    }

    /// Commands that take room on the worker.
    pub fn busy(&self) -> u32 {
        let busy = self.commands.values().filter(|c| matches!(c.phase, Phase::Sent | Phase::Running)).count();
        u32::try_from(busy).unwrap_or(u32::MAX)
    }

    pub fn status(&self, now: Timestamp) -> WorkerStatus {
        match &self.connection {
            Some(connection) if now.since(connection.heard) < SILENCE => WorkerStatus::Online,
            Some(_) => WorkerStatus::Unreachable,
            None if self.commands.values().any(|command| command.phase != Phase::Queued) => WorkerStatus::Unreachable,
            None => WorkerStatus::Offline,
        }
    }

    /// Sends what there is room for, in order.
    pub fn pump(&mut self, now: Timestamp, kill_grace: Duration) {
        let Some(connection) = &self.connection else { return };
        let mut room = self.record.capacity.saturating_sub(self.busy());
        while room > 0 {
            let Some(id) = self.queue.front() else { return };
            let Some(command) = self.commands.get_mut(id).filter(|command| command.phase == Phase::Queued) else {
                self.queue.pop_front();
                continue;
            };
            let (spec, mask) = match command.secrets.put_into(&command.command.spec) {
                Ok(ready) => ready,
                Err(missing) => {
                    // Nothing comes here without its secrets; the command must not run without them.
                    tracing::error!(command = %id, secret = %missing, "a secret is missing: the command is not sent");
                    self.queue.pop_front();
                    continue;
                }
            };
            let dispatch = ToWorker::Dispatch(Box::new(Dispatch {
                command_id: command.command.command_id,
                execution_id: command.execution_id,
                step: command.command.step.clone(),
                attempt: command.command.attempt,
                spec,
                kill_grace_ms: u64::try_from(kill_grace.as_millis()).unwrap_or(u64::MAX),
                output_limit_bytes: OUTPUT_LIMIT_BYTES,
                mask,
            }));
            // A full channel means that the worker does not read: what waits is sent when it does, or to its next
            // connection.
            if connection.sender.try_send(dispatch).is_err() {
                return;
            }
            (command.phase, command.since) = (Phase::Sent, now);
            self.queue.pop_front();
            room -= 1;
        }
    }

    /// Commands whose time is long over on a worker that nobody can ask.
    pub fn overdue(&self, now: Timestamp) -> Vec<CommandId> {
        let connected = self.connection.as_ref().is_some_and(|connection| now.since(connection.heard) < SILENCE);
        let limit = |command: &InFlight| Duration::from_millis(command.command.spec.timeout_ms) + LOST_GRACE;
        let overdue = |command: &InFlight| {
            matches!(command.phase, Phase::Sent | Phase::Running) && now.since(command.since) > limit(command)
        };
        match connected {
            true => Vec::new(),
            false => self.commands.iter().filter(|(_, command)| overdue(command)).map(|(id, _)| *id).collect(),
        }
    }

    pub fn view(&self, now: Timestamp) -> WorkerView {
        let record = &self.record;
        WorkerView {
            id: record.id,
            name: record.name.clone(),
            status: self.status(now),
            labels: record.labels.clone(),
            capacity: record.capacity,
            active: self.busy(),
            draining: record.draining,
            version: record.version.clone(),
            last_seen: self.connection.as_ref().map_or(record.last_seen, |connection| connection.heard),
            metadata: record.metadata.clone(),
        }
    }

    pub fn for_engine(&self, now: Timestamp) -> FleetWorker {
        FleetWorker {
            id: self.record.id,
            name: self.record.name.as_str().into(),
            labels: self.record.labels.clone(),
            status: self.status(now),
            draining: self.record.draining,
            active: u32::try_from(self.commands.len()).unwrap_or(u32::MAX),
            capacity: self.record.capacity,
        }
    }
}
