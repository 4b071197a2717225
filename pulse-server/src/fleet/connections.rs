//! Workers that come, are heard from, and go.

use super::worker::{Connection, Worker};
use super::{Fleet, HEARTBEAT, SILENCE};
use crate::clock;
use pulse_core::ids::WorkerId;
use pulse_core::protocol::worker::{Hello, PROTOCOL, ToWorker};
use pulse_store::WorkerRecord;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What a worker is told after its hello.
#[derive(Debug)]
pub struct Welcome {
    /// The connection's id.
    pub session: u64,
    /// The first message.
    pub message: ToWorker,
}

impl Fleet {
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
        let (id, name) = (hello.worker_id, hello.name.clone());
        let (session, known) = {
            // Numbered by the order of their coming: storing the worker may take longer for an older connection.
            let mut inner = self.inner();
            inner.sessions += 1;
            (inner.sessions, inner.workers.get(&id).map(|worker| worker.record.clone()))
        };
        let record = WorkerRecord {
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
        let now = clock::steady();
        let mut inner = self.inner();
        let worker = inner.workers.entry(id).or_insert_with(|| Worker::new(record.clone()));
        if !worker.ledger.hello(session, &hello.commands, now) {
            return Err(refuse("replaced", "a newer connection of this worker is open".to_owned()));
        }
        worker.record = record;
        worker.ledger.set_capacity(worker.record.capacity);
        if let Some(older) = worker.connection.replace(Connection { sender, cancel }) {
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
            self.changed(&mut inner, id);
        }
    }

    /// A worker was heard from. Nothing changes when the connection has been replaced.
    pub fn heard(&self, id: WorkerId, session: u64, metadata: Option<Map<String, Value>>) {
        let mut inner = self.inner();
        let Some(worker) = inner.workers.get_mut(&id) else { return };
        let Some(silence) = worker.ledger.heard(session, clock::steady()) else { return };
        worker.record.last_seen = clock::now();
        let beat = metadata.is_some();
        if let Some(metadata) = metadata {
            worker.record.metadata = metadata;
        }
        if beat || silence >= SILENCE {
            self.changed(&mut inner, id);
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
