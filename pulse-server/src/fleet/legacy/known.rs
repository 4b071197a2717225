//! What is kept of an agent beside its record, in a setting of its own that no view shows: what its own id hashes to, and
//! what was sent to it.
//!
//! The agent tells nobody what it runs, so the server has to know. A command is written down here before its bytes go out:
//! after a restart of the server one that stands here may run, and one that does not has never left the queue.

use super::enrol::VERSION;
use crate::access;
use crate::clock;
use crate::fleet::Fleet;
use crate::fleet::ledger::Phase;
use crate::fleet::worker::Worker;
use pulse_core::ids::{CommandId, ExecutionId, WorkerId};
use pulse_core::time::Timestamp;
use pulse_engine::state::Outstanding;
use pulse_store::{Store, WorkerRecord};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Where earlier programs kept the agent's own id, in the metadata of its record: of its last heartbeat, and of its last
/// connection.
const OLD: [&str; 2] = ["agentId", "connectedAgentId"];

/// An agent's process: the SHA-256 of the id that it drew at its start. The id itself is all that its socket knows it by,
/// so it is neither kept nor shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::fleet) struct Process(String);

impl Process {
    pub fn of(agent_id: &str) -> Self {
        Self(access::hash(agent_id).iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// A command that may be on an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::fleet) struct Sent {
    pub execution_id: ExecutionId,
    /// The process that it was sent to.
    pub to: Process,
    /// When, by the clock on the wall.
    at: Timestamp,
    timeout_ms: u64,
}

impl Sent {
    pub fn now(execution_id: ExecutionId, to: Process, timeout_ms: u64) -> Self {
        Self { execution_id, to, at: clock::now(), timeout_ms }
    }

    pub fn limit(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// When it was sent, by the steady clock. That it is older than its time limit is not believed: the clock on the wall
    /// may have been set.
    pub fn since(&self, wall: Timestamp, steady: Timestamp) -> Timestamp {
        let age = wall.since(self.at).min(self.limit());
        Timestamp::from_millis(steady.as_millis() - i64::try_from(age.as_millis()).unwrap_or(0))
    }
}

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::fleet) struct Known {
    /// The process that the last heartbeat was of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// What may be on the agent.
    #[serde(default)]
    pub sent: BTreeMap<CommandId, Sent>,
    /// Set by a start that found what an earlier program kept, which wrote nothing down of what it sent: all of it counts
    /// as sent to this process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Process>,
}

/// What is known of an agent, and whose turn it is to change it. Empty for workers of this PULSE.
#[derive(Default)]
pub(in crate::fleet) struct Kept {
    pub known: Known,
    /// Held while it is stored, and while the agent connects.
    pub turn: Arc<tokio::sync::Mutex<()>>,
    /// How many heartbeats in a row have said that nothing runs, since a command was last given up or the agent connected.
    idle_beats: u32,
    /// The same since a command was last sent and has certainly been read.
    quiet_beats: u32,
    /// Whether the agent may have been sent a command that it has not read.
    is_unread: bool,
}

/// After so many such heartbeats nothing of what was given up runs any more. Not the first: it may have been on its way,
/// or the agent was stopped for a while and sends it before it reads what it was sent.
const IDLE_BEATS: u32 = 2;
/// After so many since anything was sent nothing runs at all, and a result that was to come would be here.
const QUIET_BEATS: u32 = 3;

/// What heartbeats tell that say that nothing runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::fleet) struct Idle {
    /// Nothing can be running that was given up.
    pub of_given_up: bool,
    /// Nothing can be running at all.
    pub of_all: bool,
}

impl Kept {
    /// The agent's process that is known has beaten.
    pub fn beaten(&mut self, process: &Process, active: Option<u64>) -> Idle {
        let is_idle = active == Some(0) && self.known.process.as_ref() == Some(process);
        self.idle_beats = if is_idle { self.idle_beats.saturating_add(1) } else { 0 };
        self.quiet_beats = if is_idle && !self.is_unread { self.quiet_beats.saturating_add(1) } else { 0 };
        Idle { of_given_up: self.idle_beats >= IDLE_BEATS, of_all: self.quiet_beats >= QUIET_BEATS }
    }

    /// The agent connects: whatever an older connection held is read or gone.
    pub fn connects(&mut self) {
        (self.idle_beats, self.quiet_beats, self.is_unread) = (0, 0, false);
    }

    /// A command is about to be sent.
    fn sends(&mut self) {
        (self.quiet_beats, self.is_unread) = (0, true);
    }

    /// From now on something may run that nobody waits for.
    pub fn may_run(&mut self) {
        self.idle_beats = 0;
    }

    /// Since when a command of before a restart may run on the agent; `None` when it was never sent.
    pub fn since(&mut self, id: ExecutionId, command: &Outstanding, steady: Timestamp) -> Option<Timestamp> {
        if let Some(process) = &self.known.before {
            let sent = || Sent::now(id, process.clone(), command.spec.timeout_ms);
            self.known.sent.entry(command.command_id).or_insert_with(sent);
        }
        self.known.sent.get(&command.command_id).map(|sent| sent.since(clock::now(), steady))
    }
}

/// Whether a worker is an agent of the first PULSE.
pub(in crate::fleet) fn is_agent(record: &WorkerRecord) -> bool {
    record.version == VERSION
}

fn setting(id: WorkerId) -> String {
    format!("legacy-agent:{id}")
}

async fn put(store: &dyn Store, id: WorkerId, known: &Known) -> pulse_store::Result<()> {
    let text = serde_json::to_vec(known).expect("texts and numbers have a JSON form");
    store.put_setting(&setting(id), text).await
}

/// What is stored for a worker. What earlier programs kept in its record is moved.
///
/// # Errors
/// When the store fails, or holds something else.
pub(in crate::fleet) async fn read(store: &dyn Store, record: &mut WorkerRecord) -> pulse_store::Result<Kept> {
    if !is_agent(record) {
        return Ok(Kept::default());
    }
    let corrupt = |error: serde_json::Error| pulse_store::Error::Corrupt {
        what: format!("setting `{}`", setting(record.id)),
        detail: error.to_string(),
    };
    let stored = store.setting(&setting(record.id)).await?;
    let mut known: Known =
        stored.map_or(Ok(Known::default()), |text| serde_json::from_slice(&text)).map_err(corrupt)?;
    let [process, connected] = OLD.map(|name| record.metadata.remove(name));
    if let Some(process) = process {
        let hashed = |id: serde_json::Value| id.as_str().map(Process::of);
        known = Known { process: hashed(process), before: connected.and_then(hashed), ..known };
        put(store, record.id, &known).await?;
        store.save_worker(record.clone()).await?;
    }
    Ok(Kept { known, ..Kept::default() })
}

impl Fleet {
    /// An agent has told no result of a command, and its time is over: the command is lost, and takes its place on the
    /// agent until its result comes after all, or it is certain that it does not run.
    pub(super) fn overdue(&self, id: WorkerId, command_id: CommandId) {
        let reason = "its time is over and the agent told no result; nobody knows whether it took effect";
        self.with(id, |worker, _| {
            worker.ledger.overdue(command_id, reason);
            worker.kept.may_run();
        });
    }

    /// An agent has read all that was sent on this connection.
    pub(super) fn agent_has_read(&self, id: WorkerId, session: u64) {
        if let Some(worker) = self.inner().workers.get_mut(&id).filter(|worker| worker.ledger.is_current(session)) {
            worker.kept.is_unread = false;
        }
    }

    /// Whether a command waits for its agent's result.
    pub(super) fn holds(&self, id: WorkerId, command_id: CommandId) -> bool {
        let inner = self.inner();
        let command = inner.workers.get(&id).and_then(|worker| worker.ledger.command(command_id));
        command.is_some_and(|command| command.phase != Phase::Finished)
    }

    /// Whether an agent may still run, and tell of, a command that was given up.
    pub(super) fn may_still_tell(&self, id: WorkerId, command_id: CommandId) -> bool {
        self.inner().workers.get(&id).is_some_and(|worker| worker.ledger.stranger(command_id).is_some())
    }

    /// The agent of this name.
    pub(super) fn agent(&self, name: &str) -> Option<WorkerId> {
        let inner = self.inner();
        let is_it = |worker: &&Worker| is_agent(&worker.record) && worker.record.name.eq_ignore_ascii_case(name);
        inner.workers.values().find(is_it).map(|worker| worker.record.id)
    }

    /// The turn to change what is kept of an agent.
    pub(super) fn turn(&self, id: WorkerId) -> Option<Arc<tokio::sync::Mutex<()>>> {
        Some(self.inner().workers.get(&id)?.kept.turn.clone())
    }

    /// What is kept of an agent.
    pub(super) fn known(&self, id: WorkerId) -> Option<Known> {
        Some(self.inner().workers.get(&id)?.kept.known.clone())
    }

    /// Changes what is kept of an agent, in its turn; durable when this returns.
    ///
    /// # Errors
    /// When the store fails: then nothing has changed.
    pub(super) async fn keep(&self, id: WorkerId, change: impl Fn(&mut Known)) -> pulse_store::Result<()> {
        let Some(before) = self.known(id) else { return Ok(()) };
        let mut known = Known { before: None, ..before.clone() };
        change(&mut known);
        if known == before {
            return Ok(());
        }
        put(&*self.0.store, id, &known).await?;
        if let Some(worker) = self.inner().workers.get_mut(&id) {
            // Commands may have ended meanwhile.
            worker.kept.known.before = None;
            change(&mut worker.kept.known);
        }
        Ok(())
    }

    /// Writes down that a command is about to be sent on this connection. Answers false, and writes nothing, when the
    /// connection was replaced: then it must not be sent.
    ///
    /// # Errors
    /// When the store fails: then it must not be sent either.
    pub(super) async fn about_to_send(
        &self,
        id: WorkerId,
        session: u64,
        command_id: CommandId,
        sent: Sent,
    ) -> pulse_store::Result<bool> {
        let Some(turn) = self.turn(id) else { return Ok(false) };
        let _turn = turn.lock().await;
        match self.inner().workers.get_mut(&id).filter(|worker| worker.ledger.is_current(session)) {
            Some(worker) => worker.kept.sends(),
            None => return Ok(false),
        }
        self.keep(id, |known| _ = known.sent.insert(command_id, sent.clone())).await?;
        Ok(true)
    }

    /// An agent was removed: nothing is kept of it.
    pub(in crate::fleet) async fn forget_agent(&self, record: &WorkerRecord) -> pulse_store::Result<()> {
        match is_agent(record) {
            true => put(&*self.0.store, record.id, &Known::default()).await,
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulse_core::event::WorkerRef;
    use pulse_core::ids::Attempt;
    use pulse_store::{MemoryStore, Settings as _, Workers as _};
    use serde_json::json;
    use uuid::Uuid;

    fn command(n: u128) -> Outstanding {
        let worker = WorkerRef { worker_id: WorkerId(Uuid::nil()), worker: "old-1".into() };
        let spec = serde_json::from_value(json!({"command": "true", "timeout_ms": 5_000})).unwrap();
        let command_id = CommandId(Uuid::from_u128(n));
        Outstanding { command_id, worker, step: "s".into(), attempt: Attempt::FIRST, spec: Arc::new(spec) }
    }

    #[tokio::test]
    async fn what_an_earlier_program_kept_in_the_record_is_moved_and_counts() {
        let store = MemoryStore::default();
        let metadata = json!({"cpus": 2, "agentId": "11111111", "connectedAgentId": "22222222"});
        let mut record = WorkerRecord {
            id: WorkerId(Uuid::nil()),
            name: "old-1".into(),
            labels: Default::default(),
            capacity: 2,
            draining: false,
            version: VERSION.to_owned(),
            last_seen: clock::now(),
            metadata: metadata.as_object().unwrap().clone(),
            created_at: clock::now(),
        };
        store.save_worker(record.clone()).await.unwrap();
        for _ in 0..2 {
            let mut kept = read(&store, &mut record).await.unwrap();
            let stored = store.workers().await.unwrap().remove(0).metadata;
            assert_eq!((&serde_json::Value::Object(stored), &record.metadata.len()), (&json!({"cpus": 2}), &1));
            let text = String::from_utf8(store.setting(&setting(record.id)).await.unwrap().unwrap()).unwrap();
            assert!(!text.contains("11111111") && !text.contains("22222222"), "{text}");
            assert_eq!(kept.known.process, Some(Process::of("11111111")));
            // It wrote nothing down of what it sent, so all of it may run, on the process that was connected.
            let execution_id = ExecutionId(Uuid::nil());
            assert!(kept.since(execution_id, &command(1), clock::steady()).is_some());
            assert_eq!(kept.known.sent[&command(1).command_id].to, Process::of("22222222"));
        }
        // Of what was written down it is known.
        let mut kept = Kept { known: Known { before: None, ..Known::default() }, ..Kept::default() };
        assert_eq!(kept.since(ExecutionId(Uuid::nil()), &command(1), clock::steady()), None);
    }

    #[test]
    fn an_agent_that_beats_idly_runs_nothing_once_it_has_read_what_it_was_sent() {
        let process = Process::of("a");
        let known = Known { process: Some(process.clone()), ..Known::default() };
        let mut kept = Kept { known, ..Kept::default() };
        let beats = |kept: &mut Kept, active: &[u64]| {
            let all: Vec<bool> = active.iter().map(|n| kept.beaten(&process, Some(*n)).of_all).collect();
            all
        };
        assert_eq!(beats(&mut kept, &[0, 0, 1, 0, 0, 0]), [false, false, false, false, false, true]);
        kept.sends();
        assert_eq!(beats(&mut kept, &[0, 0, 0, 0]), [false; 4], "the command may be on its way");
        kept.is_unread = false;
        assert_eq!(beats(&mut kept, &[0, 0, 0]), [false, false, true]);
        assert!(!kept.beaten(&Process::of("b"), Some(0)).of_all, "another process");
        assert!(!kept.beaten(&process, None).of_all, "it does not say");
        kept.sends();
        kept.connects();
        assert_eq!(beats(&mut kept, &[0, 0, 0]), [false, false, true]);
    }

    #[test]
    fn the_age_of_a_command_is_never_more_than_its_limit() {
        let sent =
            Sent { at: Timestamp::from_millis(1_000), ..Sent::now(ExecutionId(Uuid::nil()), Process::of("a"), 5_000) };
        let since = |wall| sent.since(Timestamp::from_millis(wall), Timestamp::from_millis(100_000)).as_millis();
        assert_eq!((since(3_000), since(9_000_000), since(0)), (98_000, 95_000, 100_000));
    }
}
