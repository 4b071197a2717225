//! One worker as the server knows it: its record, its connection, and its commands.

use super::ledger::{Ledger, Message};
use super::legacy::Kept;
use super::overrides::Overrides;
use super::{KILL_GRACE, SILENCE, Verdict};
use pulse_core::api::WorkerView;
use pulse_core::command::Outcome;
use pulse_core::ids::CommandId;
use pulse_core::protocol::worker::{Dispatch, MAX_MESSAGE_BYTES, ToWorker};
use pulse_core::status::WorkerStatus;
use pulse_core::time::Timestamp;
use pulse_engine::fleet::FleetWorker;
use pulse_store::WorkerRecord;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// A worker.
pub(super) struct Worker {
    pub record: WorkerRecord,
    pub connection: Option<Connection>,
    pub ledger: Ledger,
    /// What an administrator has put in place of what the worker tells. The record's capacity is what the worker tells.
    pub changes: Overrides,
    /// What is kept of an agent of the first PULSE.
    pub kept: Kept,
    /// Whether it was given work all the time since somebody last looked after those who wait for that.
    pub was_usable: bool,
}

/// A worker's open connection.
pub(super) struct Connection {
    pub sender: mpsc::Sender<ToWorker>,
    /// Ends it.
    pub cancel: CancellationToken,
    /// Which process it is, if the worker says so.
    pub instance: String,
    /// Where it comes from, and since when.
    pub peer: SocketAddr,
    /// See `peer`.
    pub since: Timestamp,
    /// Asks for a sign of life.
    pub probe: Arc<Notify>,
    /// How many bytes of a command's output it keeps at most.
    pub output_limit: u64,
}

impl Worker {
    pub fn new(record: WorkerRecord, changes: Overrides) -> Self {
        let mut ledger = Ledger::new(changes.capacity(record.capacity));
        let _ = ledger.set_draining(record.draining);
        Self { ledger, record, connection: None, kept: Kept::default(), changes, was_usable: false }
    }

    /// How many commands it is given at once.
    pub fn capacity(&self) -> u32 {
        self.changes.capacity(self.record.capacity)
    }

    /// Whether it is given work now.
    fn is_usable(&self, now: Timestamp) -> bool {
        self.status(now) == WorkerStatus::Online && !self.record.draining
    }

    /// Whether it is given work now and was not, at some time since this was last asked.
    pub fn has_come(&mut self, now: Timestamp) -> bool {
        let is_usable = self.is_usable(now);
        let was_usable = std::mem::replace(&mut self.was_usable, is_usable);
        is_usable && !was_usable
    }

    /// How many more commands it could be given now.
    pub fn room(&self, now: Timestamp) -> u32 {
        let load = u32::try_from(self.ledger.len()).unwrap_or(u32::MAX);
        if self.is_usable(now) { self.capacity().saturating_sub(load) } else { 0 }
    }

    pub fn status(&self, now: Timestamp) -> WorkerStatus {
        match self.ledger.silence(now) {
            Some(silence) if silence < SILENCE => WorkerStatus::Online,
            Some(_) => WorkerStatus::Unreachable,
            None if self.ledger.is_owed() => WorkerStatus::Unreachable,
            None => WorkerStatus::Offline,
        }
    }

    /// Says what there is to say and answers what ended without the worker. What the connection has no room for waits:
    /// a worker that does not read is told when it does, or on its next connection.
    pub fn flush(&mut self, now: Timestamp) -> Vec<Verdict> {
        if let Some(connection) = &self.connection {
            while let Ok(permit) = connection.sender.try_reserve() {
                let Some(message) = self.ledger.next_message(now) else { break };
                match message {
                    Message::Drain => permit.send(ToWorker::Drain),
                    Message::Cancel { command_id, reason } => permit.send(ToWorker::Cancel { command_id, reason }),
                    Message::Dispatch(id) => match ready(&self.ledger, id, connection.output_limit) {
                        Ok(message) => permit.send(message),
                        // It must not run without its secrets, and cannot be sent whole.
                        Err(reason) => self.ledger.end(id, Outcome::NotStarted, reason),
                    },
                }
            }
        }
        std::iter::from_fn(|| self.ledger.next_end()).collect()
    }

    pub fn view(&self, now: Timestamp) -> WorkerView {
        let record = &self.record;
        WorkerView {
            id: record.id,
            name: record.name.clone(),
            status: self.status(now),
            labels: record.labels.clone(),
            capacity: self.capacity(),
            reported_capacity: record.capacity,
            capacity_limit: self.changes.capacity_limit(),
            active: self.ledger.busy(),
            draining: record.draining,
            version: record.version.clone(),
            last_seen: record.last_seen,
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
            active: u32::try_from(self.ledger.len()).unwrap_or(u32::MAX),
            capacity: self.capacity(),
        }
    }
}

/// A command with the values of its secrets in place, in a message that the worker takes: one that is too large would end
/// the connection, and the next one, too.
fn ready(ledger: &Ledger, id: CommandId, output_limit_bytes: u64) -> Result<ToWorker, String> {
    let in_flight = ledger.command(id).ok_or("it is gone")?;
    let command = &in_flight.command;
    let secrets = in_flight.secrets.put_into(&command.spec);
    let (spec, mask) = secrets.map_err(|missing| format!("the value of the secret `{missing}` is gone"))?;
    let dispatch = Dispatch {
        command_id: id,
        execution_id: in_flight.execution_id,
        step: command.step.clone(),
        attempt: command.attempt,
        spec,
        kill_grace_ms: u64::try_from(KILL_GRACE.as_millis()).unwrap_or(u64::MAX),
        mask,
        output_limit_bytes,
    };
    let message = ToWorker::Dispatch(Box::new(dispatch));
    let bytes = json_bytes(&message);
    match bytes <= MAX_MESSAGE_BYTES {
        true => Ok(message),
        false => Err(format!(
            "the command is too large: with its environment and standard input it has {bytes} bytes as JSON, and a worker \
             takes {MAX_MESSAGE_BYTES}; give it the data in a file, or let it fetch them"
        )),
    }
}

/// How long something is as JSON, without making it.
fn json_bytes(message: &ToWorker) -> usize {
    struct Counted(usize);
    impl std::io::Write for Counted {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut counted = Counted(0);
    serde_json::to_writer(&mut counted, message).expect("a message has a JSON form");
    counted.0
}
