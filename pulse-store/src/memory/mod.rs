//! A store in memory, for tests and for embedding. It keeps the same promises as a database except the one to outlive
//! its process, and it is the plain statement of what they are: every operation is a few lines over maps under one
//! lock, which is never held across an `.await`.

mod access;
mod claims;
mod deliveries;
mod executions;
mod journal;
mod outputs;
mod settings;
mod workers;
mod workflows;

use crate::{DeliveryRecord, Error, ExecutionRecord, Result, SessionRecord, Store, TokenRecord, WorkerRecord};
use async_trait::async_trait;
use outputs::OutputState;
use pulse_core::event::Entry;
use pulse_core::ids::{DeliveryId, ExecutionId, TokenId, WorkerId, WorkflowId};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use workflows::StoredWorkflow;

/// A store whose contents end with it.
#[derive(Debug)]
pub struct MemoryStore {
    state: Mutex<State>,
    /// Kept only to hand out receivers: memory does not fail.
    failed: watch::Sender<Option<String>>,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    /// Why it takes no writes for now.
    refuses: Option<Error>,
    executions: BTreeMap<ExecutionId, ExecutionRecord>,
    journals: HashMap<ExecutionId, Vec<Entry>>,
    /// By scope and key.
    idempotency: HashMap<(String, String), UsedKey>,
    outputs: OutputState,
    deliveries: BTreeMap<DeliveryId, DeliveryRecord>,
    secrets: HashMap<ExecutionId, Vec<u8>>,
    settings: HashMap<String, Vec<u8>>,
    workflows: HashMap<WorkflowId, StoredWorkflow>,
    workers: HashMap<WorkerId, WorkerRecord>,
    tokens: BTreeMap<TokenId, TokenRecord>,
    sessions: HashMap<[u8; 32], SessionRecord>,
}

#[derive(Debug)]
struct UsedKey {
    execution_id: ExecutionId,
    request_hash: String,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self { state: Mutex::default(), failed: watch::Sender::new(None) }
    }

    /// Refuses all writes from now on with a reason, or takes them again: what a full disk is to a database.
    pub fn refuse_writes(&self, reason: Option<Error>) {
        self.lock().refuses = reason;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No operation leaves the state half-changed where it could panic, so a poisoned lock is as good as any.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_to_write(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.lock();
        match (state.closed, &state.refuses) {
            (true, _) => Err(Error::Unavailable { detail: "the store is closed".to_owned() }),
            (false, Some(reason)) => Err(reason.clone()),
            (false, None) => Ok(state),
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn failed(&self) -> watch::Receiver<Option<String>> {
        self.failed.subscribe()
    }

    async fn close(&self) {
        self.lock().closed = true;
    }
}
