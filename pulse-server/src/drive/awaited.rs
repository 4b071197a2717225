//! Executions that wait for a worker to come online (`on_offline: wait`).

use super::driver::Driver;
use pulse_core::ids::{ExecutionId, WorkerId};
use pulse_engine::Input;
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

/// Who waits for whom. Made again from the journals after a restart.
#[derive(Default)]
pub(super) struct Awaited(Mutex<HashMap<WorkerId, HashSet<ExecutionId>>>);

impl Driver {
    /// Wakes an execution when a worker comes.
    pub(super) fn await_worker(&self, id: ExecutionId, worker_id: WorkerId) {
        let mut awaited = self.0.awaited.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        awaited.entry(worker_id).or_default().insert(id);
        drop(awaited);
        // It may have come between the decision and this.
        if self.fleet().snapshot().is_usable(worker_id) {
            self.worker_online(worker_id);
        }
    }

    /// A worker has come: whoever waits for it goes on.
    pub fn worker_online(&self, worker_id: WorkerId) {
        let mut awaited = self.0.awaited.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let waiting = awaited.remove(&worker_id).unwrap_or_default();
        drop(awaited);
        for id in waiting {
            self.give(id, Input::WorkerOnline { worker_id });
        }
    }
}
