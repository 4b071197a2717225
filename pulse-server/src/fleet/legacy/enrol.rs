//! Which agents are known: by heartbeats, which carry the key. Kept in the worker's record, so that an agent that comes back
//! before its next heartbeat is known after a restart of the server, too.

use crate::clock;
use crate::fleet::Fleet;
use crate::fleet::worker::Worker;
use pulse_core::command::CommandSpec;
use pulse_core::ids::WorkerId;
use pulse_core::protocol::worker::{Hello, KnownCommand, KnownState, PROTOCOL};
use pulse_store::WorkerRecord;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// What stands in place of a version.
pub(super) const VERSION: &str = "first PULSE";
/// Commands at once, for an agent that does not say.
const CAPACITY: u32 = 5;
/// Where the agent's own id is kept in its metadata: of its last heartbeat, and of its last connection.
const AGENT: &str = "agentId";
const CONNECTED: &str = "connectedAgentId";

/// An agent's heartbeat.
#[derive(Clone, Debug, Deserialize)]
pub struct Heartbeat {
    /// Drawn by the agent at each of its starts.
    pub worker_id: String,
    /// Its name.
    pub name: String,
    /// What it tells about its machine.
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

/// Why an agent is not enrolled.
#[derive(Debug, thiserror::Error)]
pub enum NotEnrolled {
    /// What it says makes no sense.
    #[error("{0}")]
    Invalid(&'static str),
    /// Its name is another worker's.
    #[error("a worker of this PULSE is called `{0}`: give the agent another WORKER_NAME, or remove the worker")]
    NameTaken(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] pulse_store::Error),
}

/// An agent that may connect.
pub(super) struct Enrolled {
    /// What it would say if it were a worker of this PULSE.
    pub hello: Hello,
    /// What was sent to it and has not ended, with time limits.
    pub left: Vec<(pulse_core::ids::CommandId, Duration)>,
    /// Whether that was this very process.
    pub still_the_same: bool,
}

impl Fleet {
    /// Takes an agent's heartbeat in; the agent is known from now on when this returns.
    ///
    /// # Errors
    /// See [`NotEnrolled`].
    pub async fn legacy_heartbeat(&self, heartbeat: Heartbeat) -> Result<(), NotEnrolled> {
        let Heartbeat { worker_id: agent, name, mut metadata } = heartbeat;
        if !(1..=64).contains(&agent.len()) || agent.chars().any(char::is_control) {
            return Err(NotEnrolled::Invalid("worker_id: must be 1 to 64 characters"));
        }
        if !(1..=120).contains(&name.chars().count()) || name.chars().any(|c| c.is_control() || ",=*".contains(c)) {
            return Err(NotEnrolled::Invalid("name: must be 1 to 120 characters, without `,`, `=`, `*`"));
        }
        let known = self.0.store.worker_by_name(&name).await?;
        if known.as_ref().is_some_and(|known| known.version != VERSION) {
            return Err(NotEnrolled::NameTaken(name));
        }
        metadata.insert(AGENT.to_owned(), Value::String(agent));
        let now = clock::now();
        let fresh = || WorkerRecord {
            id: WorkerId(uuid::Uuid::now_v7()),
            name: name.clone(),
            labels: Default::default(),
            capacity: CAPACITY,
            draining: false,
            version: VERSION.to_owned(),
            last_seen: now,
            metadata: Map::new(),
            created_at: now,
        };
        let mut record = known.unwrap_or_else(fresh);
        if let Some(connected) = record.metadata.get(CONNECTED) {
            metadata.insert(CONNECTED.to_owned(), connected.clone());
        }
        record.capacity = capacity(&metadata);
        (record.metadata, record.last_seen) = (metadata, now);
        let overrides = self.overrides(record.id).await?;
        overrides.put_over(&mut record);
        let id = record.id;
        match self.0.store.save_worker(record.clone()).await {
            Err(pulse_store::Error::NameTaken { .. }) => return Err(NotEnrolled::NameTaken(name)),
            other => other?,
        }
        let mut inner = self.inner();
        let worker = inner.workers.entry(id).or_insert_with(|| Worker::new(record.clone(), overrides));
        worker.record = WorkerRecord { draining: worker.record.draining, ..record };
        worker.ledger.set_capacity(worker.capacity());
        self.changed(&mut inner, id);
        Ok(())
    }

    /// The agent that says that it has this name and id, if a heartbeat has said so, too.
    pub(super) fn enrolled(&self, name: &str, agent: &str) -> Option<Enrolled> {
        let inner = self.inner();
        let is_it = |worker: &&Worker| {
            let record = &worker.record;
            record.version == VERSION
                && record.name.eq_ignore_ascii_case(name)
                && record.metadata.get(AGENT).and_then(Value::as_str) == Some(agent)
        };
        let worker = inner.workers.values().find(is_it)?;
        let record = &worker.record;
        let still_the_same = record.metadata.get(CONNECTED).and_then(Value::as_str) == Some(agent);
        let mut metadata = record.metadata.clone();
        metadata.insert(CONNECTED.to_owned(), Value::String(agent.to_owned()));
        let known = |(command_id, command): (_, &crate::fleet::ledger::InFlight)| KnownCommand {
            command_id,
            execution_id: command.execution_id,
            state: KnownState::Running,
        };
        let limit = |spec: &CommandSpec| Duration::from_millis(spec.timeout_ms);
        Some(Enrolled {
            left: worker.ledger.sent().map(|(id, command)| (id, limit(&command.command.spec))).collect(),
            still_the_same,
            hello: Hello {
                protocol: PROTOCOL,
                worker_id: record.id,
                // An agent that comes again comes in place of itself.
                instance: String::new(),
                name: record.name.clone(),
                version: VERSION.to_owned(),
                labels: record.labels.clone(),
                capacity: capacity(&metadata),
                commands: worker.ledger.sent().map(known).collect(),
                metadata,
            },
        })
    }
}

/// How many commands the agent runs at once. It drops any beyond that.
fn capacity(metadata: &Map<String, Value>) -> u32 {
    let told = metadata.get("maxConcurrentTasks").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    told.filter(|n| (1..=10_000).contains(n)).unwrap_or(CAPACITY)
}
