//! Workers that come, are heard from, and go.

use super::conversation::{Conversation, Heard, NotYours};
use super::registry::Inner;
use super::worker::{Connection, Worker};
use super::{Fleet, HEARTBEAT, SILENCE};
use crate::clock;
use pulse_core::ids::WorkerId;
use pulse_core::protocol::worker::{FromWorker, Hello, PROTOCOL, ToWorker};
use pulse_core::time::Timestamp;
use pulse_store::WorkerRecord;
use serde_json::{Map, Value};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// How long an older connection of another process has for a sign of life before it is replaced.
const PROBE: Duration = Duration::from_secs(3);

/// What a worker is told after its hello.
#[derive(Debug)]
pub struct Welcome {
    /// The connection's id.
    pub session: u64,
    /// The first message.
    pub message: ToWorker,
}

/// A connection as it comes.
pub(super) struct From {
    /// The way to it.
    pub sender: mpsc::Sender<ToWorker>,
    /// Ends it.
    pub cancel: CancellationToken,
    /// Asks it for a sign of life.
    pub probe: Arc<Notify>,
    /// Where it comes from.
    pub peer: SocketAddr,
}

impl Fleet {
    /// Whether another process with this worker's id is connected and alive: then what to tell the one that comes.
    async fn rival(&self, id: WorkerId, instance: &str) -> Option<String> {
        {
            let inner = self.inner();
            let connection = inner.workers.get(&id)?.connection.as_ref()?;
            // An agent that does not say which process it is comes in place of itself.
            if instance.is_empty() || connection.instance.is_empty() || connection.instance == instance {
                return None;
            }
        }
        let (peer, since) = self.alive(id).await?;
        Some(format!(
            "another process with this worker's id is connected from {peer} since {since} and alive: stop it, or give this \
             one a state directory of its own (PULSE_WORKER_STATE)"
        ))
    }

    /// Whether a worker's open connection gives a sign of life now: then where it comes from, and since when.
    pub(super) async fn alive(&self, id: WorkerId) -> Option<(SocketAddr, Timestamp)> {
        let asked = clock::steady();
        let (peer, since) = {
            let inner = self.inner();
            let connection = inner.workers.get(&id)?.connection.as_ref()?;
            connection.probe.notify_one();
            (connection.peer, connection.since)
        };
        while clock::steady().since(asked) < PROBE {
            tokio::time::sleep(PROBE / 100).await;
            let now = clock::steady();
            // Gone meanwhile: there is no rival.
            let silence = self.inner().workers.get(&id)?.ledger.silence(now)?;
            // In the same millisecond counts: it is alive then.
            if silence <= now.since(asked) {
                return Some((peer, since));
            }
        }
        None
    }

    /// Takes a hello in: the worker is connected from now on, in place of an older connection of the same worker.
    ///
    /// # Errors
    /// The message that refuses it.
    pub(super) async fn hello(&self, hello: Hello, from: From) -> Result<Welcome, ToWorker> {
        let refuse = |code: &str, detail: String| ToWorker::Error { code: code.to_owned(), detail };
        check(&hello).map_err(|(code, detail)| refuse(code, detail))?;
        let (id, name) = (hello.worker_id, hello.name.clone());
        if let Some(rival) = self.rival(id, &hello.instance).await {
            return Err(refuse("duplicate-worker", rival));
        }
        let (session, known) = {
            // Numbered by the order of their coming: storing the worker may take longer for an older connection.
            let mut inner = self.inner();
            inner.sessions += 1;
            (inner.sessions, inner.workers.get(&id).map(|worker| worker.record.clone()))
        };
        let overrides = self.overrides(id).await.map_err(|error| refuse("unavailable", error.to_string()))?;
        let mut record = WorkerRecord {
            id,
            name: hello.name,
            labels: hello.labels,
            capacity: hello.capacity,
            draining: known.as_ref().is_some_and(|known| known.draining),
            version: hello.version,
            last_seen: clock::now(),
            metadata: hello.metadata,
            created_at: known.map_or_else(clock::now, |known| known.created_at),
        };
        overrides.put_over(&mut record);
        self.0.store.greet_worker(record.clone()).await.map_err(|error| match error {
            pulse_store::Error::NameTaken { .. } => refuse(
                "name-taken",
                format!(
                    "another worker is called `{name}`: give this one another WORKER_NAME, or remove the other \
                     (`pulse worker rm {name}`)"
                ),
            ),
            error => refuse("unavailable", error.to_string()),
        })?;
        let now = clock::steady();
        let mut inner = self.inner();
        let worker = inner.workers.entry(id).or_insert_with(|| Worker::new(record.clone(), overrides));
        if !worker.ledger.hello(session, &hello.commands, now) {
            return Err(refuse("replaced", "a newer connection of this worker is open".to_owned()));
        }
        // What was changed while this was stored stands.
        worker.record = WorkerRecord { draining: worker.record.draining, ..record };
        worker.changes.put_over(&mut worker.record);
        worker.ledger.set_capacity(worker.capacity());
        worker.was_usable = false;
        let From { sender, cancel, probe, peer } = from;
        let (since, output_limit) = (clock::now(), self.0.limits.output_bytes);
        let connection = Connection { sender, cancel, instance: hello.instance, peer, since, probe, output_limit };
        if let Some(older) = worker.connection.replace(connection) {
            older.cancel.cancel();
        }
        self.changed(&mut inner, id);
        self.0.returning.came(id);
        let heartbeat_interval_ms = u64::try_from(HEARTBEAT.as_millis()).unwrap_or(u64::MAX);
        Ok(Welcome { session, message: ToWorker::Welcome { session: format!("{session}"), heartbeat_interval_ms } })
    }

    /// The welcome is on its way: send what waits, and say again what is to be stopped.
    pub fn welcomed(&self, id: WorkerId, session: u64) {
        self.with(id, |worker, _| worker.ledger.welcomed(session));
    }

    /// A connection has ended.
    pub fn gone(&self, id: WorkerId, session: u64) {
        let mut inner = self.inner();
        let Some(worker) = inner.workers.get_mut(&id) else { return };
        if worker.ledger.gone(session) {
            worker.connection = None;
            worker.was_usable = false;
            self.changed(&mut inner, id);
        }
    }

    /// A worker gave a sign of life. Nothing changes when the connection has been replaced.
    pub fn heard(&self, id: WorkerId, session: u64) {
        let mut inner = self.inner();
        let Some(worker) = inner.workers.get_mut(&id) else { return };
        if let Some(silence) = worker.ledger.heard(session, clock::steady()) {
            self.noticed(&mut inner, id, silence, None);
        }
    }

    /// A worker said something.
    ///
    /// # Errors
    /// When it is out of turn.
    pub(super) fn hear(
        &self,
        id: WorkerId,
        conversation: &mut Conversation,
        message: FromWorker,
    ) -> Result<Heard, NotYours> {
        let mut inner = self.inner();
        let Some(worker) = inner.workers.get_mut(&id) else { return Err(NotYours) };
        let (heard, silence) = conversation.hear(&mut worker.ledger, message, clock::steady())?;
        // What was rejected is sent again with the next result, or after a moment by [`super::watch`].
        if !matches!(heard, Heard::Rejected(..)) {
            self.flush(worker);
        }
        if let Some(silence) = silence {
            let metadata = if let Heard::Beat(metadata) = &heard { Some(metadata.clone()) } else { None };
            self.noticed(&mut inner, id, silence, metadata);
        }
        Ok(heard)
    }

    /// A worker lives, after it had been silent for so long.
    fn noticed(&self, inner: &mut Inner, id: WorkerId, silence: Duration, metadata: Option<Map<String, Value>>) {
        let Some(worker) = inner.workers.get_mut(&id) else { return };
        worker.record.last_seen = clock::now();
        worker.was_usable &= silence < SILENCE;
        let beat = metadata.is_some();
        if let Some(metadata) = metadata {
            worker.record.metadata = metadata;
        }
        if beat || silence >= SILENCE {
            self.changed(inner, id);
        }
    }
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
