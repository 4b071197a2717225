//! The registry of workers: one lock around all of them, held for moments only and never across an await.

use super::returning::Returning;
use super::worker::{Connection, InFlight, Phase, Worker};
use super::{HEARTBEAT, KILL_GRACE, Seen, Verdict};
use crate::clock;
use crate::live::{Hub, Topic};
use crate::secrets::Secrets;
use pulse_core::api::WorkerView;
use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::ids::{CommandId, ExecutionId, WorkerId};
use pulse_core::protocol::browser::ToBrowser;
use pulse_core::protocol::worker::{Hello, PROTOCOL, ToWorker};
use pulse_core::time::Timestamp;
use pulse_engine::fleet::Fleet as Snapshot;
use pulse_engine::state::Outstanding;
use pulse_store::{Store, WorkerRecord};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How old a snapshot for the engine may be when only loads have changed: it matters for `any` alone.
const SNAPSHOT_AGE: Duration = Duration::from_millis(100);

/// All workers. Cheap to clone.
#[derive(Clone)]
pub struct Fleet(Arc<Shared>);

struct Shared {
    store: Arc<dyn Store>,
    hub: Hub,
    returning: Returning,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    workers: HashMap<WorkerId, Worker>,
    sessions: u64,
    snapshot: Option<(Timestamp, Arc<Snapshot>)>,
}

/// What a worker is told after its hello, and what it has to be told besides.
#[derive(Debug)]
pub struct Welcome {
    /// The connection's id.
    pub session: u64,
    /// The first message.
    pub message: ToWorker,
    /// Commands that it runs and nobody wants any more, with their executions: to be stopped.
    pub strangers: Vec<(CommandId, ExecutionId)>,
}

/// What removing a worker from the registry came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is gone.
    Removed,
    /// There is no such worker.
    Unknown,
    /// It is connected, or has commands.
    InUse,
}

impl Fleet {
    /// Loads the registry; nobody is connected.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn load(store: Arc<dyn Store>, hub: Hub) -> pulse_store::Result<Self> {
        let records = store.workers().await?;
        let returning = Returning::of(&records);
        let workers = records.into_iter().map(|record| (record.id, Worker::new(record))).collect();
        let inner = Inner { workers, ..Inner::default() };
        Ok(Self(Arc::new(Shared { store, hub, returning, inner: Mutex::new(inner) })))
    }

    /// The workers that are on their way back after a start.
    pub(crate) fn returning(&self) -> &Returning {
        &self.0.returning
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn changed(&self, inner: &mut Inner, id: WorkerId) {
        inner.snapshot = None;
        if let Some(worker) = inner.workers.get(&id) {
            let view = worker.view(clock::now());
            self.0.hub.publish(Topic::Workers, None, || ToBrowser::WorkerUpdate { worker: view });
        }
    }

    /// The workers as the engine sees them, in the order of their names.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        let now = clock::now();
        let mut inner = self.inner();
        if let Some((made, snapshot)) = &inner.snapshot
            && now.since(*made) < SNAPSHOT_AGE
        {
            return snapshot.clone();
        }
        let mut workers: Vec<_> = inner.workers.values().map(|worker| worker.for_engine(now)).collect();
        workers.sort_by(|a, b| a.name.cmp(&b.name));
        let snapshot = Arc::new(Snapshot { workers });
        inner.snapshot = Some((now, snapshot.clone()));
        snapshot
    }

    /// All workers, by name.
    pub fn views(&self) -> Vec<WorkerView> {
        let now = clock::now();
        let mut views: Vec<_> = self.inner().workers.values().map(|worker| worker.view(now)).collect();
        views.sort_by(|a, b| a.name.cmp(&b.name));
        views
    }

    /// A worker by its id or name.
    pub fn view(&self, id_or_name: &str) -> Option<WorkerView> {
        let now = clock::now();
        let named = |worker: &&Worker| {
            worker.record.name.eq_ignore_ascii_case(id_or_name) || worker.record.id.to_string() == id_or_name
        };
        self.inner().workers.values().find(named).map(|worker| worker.view(now))
    }

    /// Takes a hello in: the worker is connected from now on, in place of an older connection of the same worker.
    ///
    /// # Errors
    /// The message that refuses it.
    pub async fn hello(
        &self,
        hello: Hello,
        sender: mpsc::Sender<ToWorker>,
        cancel: CancellationToken,
    ) -> Result<Welcome, ToWorker> {
        let refuse = |code: &str, detail: String| ToWorker::Error { code: code.to_owned(), detail };
        check(&hello).map_err(|(code, detail)| refuse(code, detail))?;
        let now = clock::now();
        let (id, name) = (hello.worker_id, hello.name.clone());
        let known = self.inner().workers.get(&id).map(|worker| worker.record.clone());
        let record = WorkerRecord {
            id,
            name: hello.name,
            labels: hello.labels,
            capacity: hello.capacity,
            draining: known.as_ref().is_some_and(|known| known.draining),
            version: hello.version,
            last_seen: now,
            metadata: hello.metadata,
            created_at: known.map_or(now, |known| known.created_at),
        };
        self.0.store.save_worker(record.clone()).await.map_err(|error| match error {
            pulse_store::Error::NameTaken { .. } => refuse(
                "name-taken",
                format!(
                    "another worker is called `{name}`: give this one another WORKER_NAME, or remove the other \
                     (`pulse worker rm {name}`)"
                ),
            ),
            error => refuse("unavailable", error.to_string()),
        })?;
        let mut inner = self.inner();
        inner.sessions += 1;
        let session = inner.sessions;
        let worker = inner.workers.entry(id).or_insert_with(|| Worker::new(record.clone()));
        worker.record = record;
        let connection = Connection { session, sender, cancel, heard: now };
        if let Some(older) = worker.connection.replace(connection) {
            older.cancel.cancel();
        }
        let mut strangers = Vec::new();
        let listed: HashMap<CommandId, ExecutionId> =
            hello.commands.iter().map(|known| (known.command_id, known.execution_id)).collect();
        for (command_id, execution_id) in &listed {
            match worker.commands.get_mut(command_id) {
                Some(command) => command.phase = Phase::Running,
                None => strangers.push((*command_id, *execution_id)),
            }
        }
        // What the worker does not list it never got: its list is on its disk.
        let unknown: Vec<CommandId> = worker
            .commands
            .iter_mut()
            .filter(|(id, command)| command.phase != Phase::Finished && !listed.contains_key(id))
            .map(|(id, command)| {
                command.phase = Phase::Queued;
                *id
            })
            .collect();
        worker.queue.retain(|id| !unknown.contains(id));
        let mut unknown = unknown;
        unknown.sort_unstable();
        unknown.into_iter().rev().for_each(|id| worker.queue.push_front(id));
        self.changed(&mut inner, id);
        self.0.returning.came(id);
        let heartbeat_interval_ms = u64::try_from(HEARTBEAT.as_millis()).unwrap_or(u64::MAX);
        let message = ToWorker::Welcome { session: format!("{session}"), heartbeat_interval_ms };
        Ok(Welcome { session, message, strangers })
    }

    /// The welcome is on its way: send what waits, and say again what is to be stopped.
    pub fn welcomed(&self, id: WorkerId, session: u64) {
        let mut inner = self.inner();
        let Some(worker) = inner.workers.get_mut(&id) else { return };
        let Some(connection) = worker.connection.as_ref().filter(|connection| connection.session == session) else {
            return;
        };
        for (command_id, command) in &worker.commands {
            if let (Some(reason), Phase::Running) = (&command.cancel, command.phase) {
                let cancel = ToWorker::Cancel { command_id: *command_id, reason: reason.clone() };
                if connection.sender.try_send(cancel).is_err() {
                    break;
                }
            }
        }
        worker.pump(clock::now(), KILL_GRACE);
    }

    /// A connection has ended.
    pub fn gone(&self, id: WorkerId, session: u64) {
        let mut inner = self.inner();
        let Some(worker) = inner.workers.get_mut(&id) else { return };
        if worker.connection.as_ref().is_some_and(|connection| connection.session == session) {
            if let Some(connection) = worker.connection.take() {
                worker.record.last_seen = connection.heard;
            }
            self.changed(&mut inner, id);
        }
    }

    /// A worker was heard from. Answers false when the connection has been replaced.
    pub fn heard(&self, id: WorkerId, session: u64, metadata: Option<Map<String, Value>>) -> bool {
        let now = clock::now();
        let mut inner = self.inner();
        let Some(worker) = inner.workers.get_mut(&id) else { return false };
        let Some(connection) = worker.connection.as_mut().filter(|connection| connection.session == session) else {
            return false;
        };
        let was_silent = now.since(connection.heard) >= super::SILENCE;
        connection.heard = now;
        let beat = metadata.is_some();
        if let Some(metadata) = metadata {
            worker.record.metadata = metadata;
        }
        if was_silent || beat {
            self.changed(&mut inner, id);
        }
        true
    }

    /// Queues a command for its worker. One that is there already stays as it is.
    pub fn dispatch(&self, execution_id: ExecutionId, command: Outstanding, secrets: Arc<Secrets>) {
        self.add(execution_id, command, secrets, Phase::Queued);
    }

    /// A command of before a restart: whether its worker has it is found out by its hello.
    pub fn restore(&self, execution_id: ExecutionId, command: Outstanding, secrets: Arc<Secrets>) {
        self.add(execution_id, command, secrets, Phase::Sent);
    }

    fn add(&self, execution_id: ExecutionId, command: Outstanding, secrets: Arc<Secrets>, phase: Phase) {
        let now = clock::now();
        let mut inner = self.inner();
        let (id, worker_id) = (command.command_id, command.worker.worker_id);
        let Some(worker) = inner.workers.get_mut(&worker_id) else {
            tracing::warn!(command = %id, worker = %command.worker.worker, "a command for a worker that was removed");
            return;
        };
        if worker.commands.contains_key(&id) {
            return;
        }
        worker.commands.insert(id, InFlight { execution_id, command, secrets, phase, cancel: None, since: now });
        if phase == Phase::Queued {
            worker.queue.push_back(id);
            worker.pump(now, KILL_GRACE);
        }
    }

    /// The worker has a command.
    pub fn accepted(&self, worker_id: WorkerId, command_id: CommandId) {
        let mut inner = self.inner();
        if let Some(command) = inner.workers.get_mut(&worker_id).and_then(|w| w.commands.get_mut(&command_id))
            && command.phase == Phase::Sent
        {
            command.phase = Phase::Running;
        }
    }

    /// The worker has no room for a command: it goes back to the front of the queue and is sent with the next result,
    /// or after a moment by [`super::watch`].
    pub fn rejected(&self, worker_id: WorkerId, command_id: CommandId) {
        let mut inner = self.inner();
        let Some(worker) = inner.workers.get_mut(&worker_id) else { return };
        if let Some(command) = worker.commands.get_mut(&command_id)
            && command.phase == Phase::Sent
        {
            command.phase = Phase::Queued;
            worker.queue.push_front(command_id);
        }
    }

    /// Whose a command of a worker is, if the fleet has it.
    pub fn command(&self, worker_id: WorkerId, command_id: CommandId) -> Option<(ExecutionId, Outstanding)> {
        let inner = self.inner();
        let command = inner.workers.get(&worker_id)?.commands.get(&command_id)?;
        Some((command.execution_id, command.command.clone()))
    }

    /// A command's result is here: its room is free, though the result is not durable yet.
    pub fn finishing(&self, worker_id: WorkerId, command_id: CommandId) {
        let mut inner = self.inner();
        let Some(worker) = inner.workers.get_mut(&worker_id) else { return };
        if let Some(command) = worker.commands.get_mut(&command_id) {
            command.phase = Phase::Finished;
        }
        worker.pump(clock::now(), KILL_GRACE);
    }

    /// A command's result is durable, or the command is given up: forget it.
    pub fn finished(&self, worker_id: WorkerId, command_id: CommandId) {
        let mut inner = self.inner();
        let Some(worker) = inner.workers.get_mut(&worker_id) else { return };
        worker.commands.remove(&command_id);
        worker.pump(clock::now(), KILL_GRACE);
    }

    /// Asks a worker to stop a command. One that was never sent ends here.
    #[must_use = "a command that was never sent has to be ended"]
    pub fn cancel(&self, worker_id: WorkerId, command_id: CommandId, reason: &str) -> Option<Verdict> {
        let mut inner = self.inner();
        let worker = inner.workers.get_mut(&worker_id)?;
        let command = worker.commands.get_mut(&command_id)?;
        if command.phase == Phase::Queued {
            let execution_id = command.execution_id;
            worker.commands.remove(&command_id);
            let end = CommandEnd::without_process(Outcome::Cancelled, format!("never sent: {reason}"));
            return Some(Verdict { execution_id, command_id, end });
        }
        command.cancel = Some(reason.to_owned());
        if let Some(connection) = &worker.connection {
            // A full channel means a worker that does not read; it is told again after its next hello.
            let _ = connection.sender.try_send(ToWorker::Cancel { command_id, reason: reason.to_owned() });
        }
        None
    }

    /// Marks workers that have fallen silent, finds commands that are to be given up, and who was heard from.
    pub(super) fn inspect(&self) -> (Vec<Verdict>, Vec<Seen>) {
        let now = clock::now();
        let mut inner = self.inner();
        let (mut verdicts, mut seen) = (Vec::new(), Vec::new());
        for (id, worker) in &mut inner.workers {
            for command_id in worker.overdue(now) {
                let Some(command) = worker.commands.get_mut(&command_id) else { continue };
                command.phase = Phase::Finished;
                let reason = "its worker cannot be reached and its time is over; nobody knows whether it took effect";
                let end = CommandEnd::without_process(Outcome::Lost, reason);
                verdicts.push(Verdict { execution_id: command.execution_id, command_id, end });
            }
            if let Some(connection) = &worker.connection {
                seen.push(Seen { worker_id: *id, at: connection.heard });
            }
            worker.pump(now, KILL_GRACE);
        }
        let silent: Vec<WorkerId> = inner
            .workers
            .iter()
            .filter(|(_, worker)| {
                let silence = worker.connection.as_ref().map(|connection| now.since(connection.heard));
                silence.is_some_and(|silence| (super::SILENCE..super::SILENCE + monitor_interval()).contains(&silence))
            })
            .map(|(id, _)| *id)
            .collect();
        for id in silent {
            self.changed(&mut inner, id);
        }
        (verdicts, seen)
    }

    /// Removes a worker that is not connected and has nothing to do.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn remove(&self, id: WorkerId) -> pulse_store::Result<Removal> {
        let removed = {
            let mut inner = self.inner();
            match inner.workers.get(&id) {
                None => return Ok(Removal::Unknown),
                Some(worker) if worker.connection.is_some() || !worker.commands.is_empty() => {
                    return Ok(Removal::InUse);
                }
                Some(_) => {
                    inner.snapshot = None;
                    self.0.returning.came(id);
                    inner.workers.remove(&id)
                }
            }
        };
        if let Err(error) = self.0.store.delete_worker(id).await {
            if let Some(worker) = removed {
                self.inner().workers.insert(id, worker);
            }
            return Err(error);
        }
        Ok(Removal::Removed)
    }

    /// Ends every connection.
    pub fn disconnect_all(&self) {
        for worker in self.inner().workers.values() {
            if let Some(connection) = &worker.connection {
                connection.cancel.cancel();
            }
        }
    }
}

fn monitor_interval() -> Duration {
    super::monitor::INTERVAL
}

/// What can be wrong with a hello by itself.
fn check(hello: &Hello) -> Result<(), (&'static str, String)> {
    if hello.protocol != PROTOCOL {
        let detail =
            format!("this server speaks protocol {PROTOCOL}, the worker {}: use the same version", hello.protocol);
        return Err(("protocol", detail));
    }
    let length = hello.name.chars().count();
    if !(1..=120).contains(&length) || hello.name.chars().any(|c| c.is_control() || c == ',' || c == '=' || c == '*') {
        let detail = "a worker's name has 1 to 120 characters, without `,`, `=`, `*` and control characters".to_owned();
        return Err(("bad-name", detail));
    }
    if !(1..=10_000).contains(&hello.capacity) {
        return Err(("bad-capacity", "a worker's capacity must be 1 to 10000".to_owned()));
    }
    Ok(())
}
