//! Which agents are known: by heartbeats, which carry the key. It is kept, so that an agent that comes back before its next
//! heartbeat is known after a restart of the server, too.

use super::agent::Left;
use super::known::Process;
use crate::clock;
use crate::drive::Driver;
use crate::fleet::Fleet;
use crate::fleet::worker::Worker;
use pulse_core::ids::WorkerId;
use pulse_core::protocol::worker::{Hello, KnownCommand, KnownState, PROTOCOL};
use pulse_core::time::Timestamp;
use pulse_store::WorkerRecord;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::net::SocketAddr;

/// What stands in place of a version.
pub(super) const VERSION: &str = "first PULSE";
/// Why commands are lost that an agent has not.
const NOTHING_RUNS: &str = "the agent runs nothing any more and told no result; nobody knows whether it took effect";
/// Commands at once, for an agent that does not say.
const CAPACITY: u32 = 5;

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
    /// Its name is that of an agent that is connected.
    #[error(
        "another agent called `{name}` is connected from {peer} since {since} and alive: stop it, or give this one another \
         WORKER_NAME"
    )]
    Duplicate {
        /// The name.
        name: String,
        /// Where the other comes from, and since when.
        peer: SocketAddr,
        /// See `peer`.
        since: Timestamp,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] pulse_store::Error),
}

/// An agent that may connect.
pub(super) struct Enrolled {
    /// What it would say if it were a worker of this PULSE.
    pub hello: Hello,
    /// What was sent to it and has not ended.
    pub left: Vec<Left>,
}

impl Fleet {
    /// Takes an agent's heartbeat in; the agent is known from now on when this returns.
    ///
    /// # Errors
    /// See [`NotEnrolled`].
    pub async fn legacy_heartbeat(&self, heartbeat: Heartbeat) -> Result<(), NotEnrolled> {
        let Heartbeat { worker_id: agent, name, metadata } = heartbeat;
        if !(1..=64).contains(&agent.len()) || agent.chars().any(char::is_control) {
            return Err(NotEnrolled::Invalid("worker_id: must be 1 to 64 characters"));
        }
        if !(1..=120).contains(&name.chars().count()) || name.chars().any(|c| c.is_control() || ",=*".contains(c)) {
            return Err(NotEnrolled::Invalid("name: must be 1 to 120 characters, without `,`, `=`, `*`"));
        }
        let process = Process::of(&agent);
        if let Some(id) = self.agent(&name)
            && self.known(id).and_then(|known| known.process).is_some_and(|other| other != process)
            && let Some((peer, since)) = self.alive(id).await
        {
            // One takes the other's place at each heartbeat, and neither would ever end a command.
            return Err(NotEnrolled::Duplicate { name, peer, since });
        }
        // The whole record is written: what an administrator changes meanwhile would be lost.
        let _turn = self.0.changing.lock().await;
        let known = self.0.store.worker_by_name(&name).await?;
        if known.as_ref().is_some_and(|known| known.version != VERSION) {
            return Err(NotEnrolled::NameTaken(name));
        }
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
        record.capacity = capacity(&metadata);
        (record.metadata, record.last_seen) = (metadata, now);
        let overrides = self.overrides(record.id).await?;
        overrides.put_over(&mut record);
        let id = record.id;
        match self.0.store.save_worker(record.clone()).await {
            Err(pulse_store::Error::NameTaken { .. }) => return Err(NotEnrolled::NameTaken(name)),
            other => other?,
        }
        {
            let mut inner = self.inner();
            let worker = inner.workers.entry(id).or_insert_with(|| Worker::new(record.clone(), overrides));
            worker.record = WorkerRecord { draining: worker.record.draining, ..record };
            worker.ledger.set_capacity(worker.capacity());
            let active = worker.record.metadata.get("activeTasks").and_then(Value::as_u64);
            let idle = worker.kept.beaten(&process, active);
            if idle.of_all {
                let lost = worker.ledger.nothing_runs(NOTHING_RUNS);
                if lost > 0 {
                    tracing::warn!(worker = %id, commands = lost, "an agent says that it runs nothing and has told no result");
                }
            }
            if idle.of_given_up {
                for command_id in worker.ledger.nothing_else_runs() {
                    worker.kept.known.sent.remove(&command_id);
                }
                self.flush(worker);
            }
            self.changed(&mut inner, id);
        }
        let Some(turn) = self.turn(id) else { return Ok(()) };
        let _turn = turn.lock().await;
        Ok(self.keep(id, |known| known.process = Some(process.clone())).await?)
    }

    /// The agent with this worker's id that says that it has this id of its own, if a heartbeat has said so, too. Called in
    /// the agent's turn.
    pub(super) async fn enrolled(&self, id: WorkerId, agent_id: &str, driver: &Driver) -> Option<Enrolled> {
        let process = Process::of(agent_id);
        let known = self.known(id).filter(|known| known.process.as_ref() == Some(&process))?;
        let mut left = Vec::new();
        for (command_id, sent) in known.sent {
            let in_fleet = self.inner().workers.get(&id)?.ledger.command(command_id).map(|command| command.since);
            let is_of_this_process = sent.to == process;
            // Of what nobody waits for, only what this process still runs is anything to anybody: it takes room.
            let is_over = async || !(is_of_this_process && driver.is_owed(sent.execution_id, command_id).await);
            if in_fleet.is_none() && is_over().await {
                self.finished(id, command_id);
                continue;
            }
            let since = in_fleet.unwrap_or_else(|| sent.since(clock::now(), clock::steady()));
            let (execution_id, limit) = (sent.execution_id, sent.limit());
            left.push(Left { command_id, execution_id, since, limit, is_of_this_process });
        }
        self.inner().workers.get_mut(&id)?.kept.connects();
        let known = |left: &Left| KnownCommand {
            command_id: left.command_id,
            execution_id: left.execution_id,
            state: KnownState::Running,
        };
        let record = self.inner().workers.get(&id)?.record.clone();
        let hello = Hello {
            protocol: PROTOCOL,
            worker_id: record.id,
            // An agent that comes again comes in place of itself.
            instance: String::new(),
            name: record.name,
            version: VERSION.to_owned(),
            labels: record.labels,
            capacity: capacity(&record.metadata),
            commands: left.iter().map(known).collect(),
            metadata: record.metadata,
        };
        Some(Enrolled { hello, left })
    }
}

/// How many commands the agent runs at once. It drops any beyond that.
fn capacity(metadata: &Map<String, Value>) -> u32 {
    let told = metadata.get("maxConcurrentTasks").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    told.filter(|n| (1..=10_000).contains(n)).unwrap_or(CAPACITY)
}
