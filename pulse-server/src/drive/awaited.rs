//! Executions that wait for a worker to come online (`on_offline: wait`).

use super::driver::Driver;
use pulse_core::ids::{ExecutionId, WorkerId};
use pulse_engine::Input;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Who waits for whom. Made again from the journals after a restart.
#[derive(Default)]
pub(super) struct Awaited(Mutex<HashMap<WorkerId, HashSet<ExecutionId>>>);

impl Awaited {
    fn lock(&self) -> MutexGuard<'_, HashMap<WorkerId, HashSet<ExecutionId>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An execution waits for a worker.
    pub(super) fn add(&self, id: ExecutionId, worker_id: WorkerId) {
        self.lock().entry(worker_id).or_default().insert(id);
    }

    /// It waits no more.
    pub(super) fn remove(&self, id: ExecutionId, worker_id: WorkerId) {
        let mut awaited = self.lock();
        if let Some(waiting) = awaited.get_mut(&worker_id) {
            waiting.remove(&id);
            if waiting.is_empty() {
                awaited.remove(&worker_id);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn waits(&self, id: ExecutionId, worker_id: WorkerId) -> bool {
        self.lock().get(&worker_id).is_some_and(|waiting| waiting.contains(&id))
    }

    /// Those that wait for a worker that has come. They are forgotten with that.
    fn take(&self, worker_id: WorkerId) -> HashSet<ExecutionId> {
        self.lock().remove(&worker_id).unwrap_or_default()
    }
}

impl Driver {
    /// Wakes an execution when a worker comes.
    pub(super) fn await_worker(&self, id: ExecutionId, worker_id: WorkerId) {
        self.0.awaited.add(id, worker_id);
        // It may have come between the decision and this.
        if self.fleet().snapshot().is_usable(worker_id) {
            self.worker_online(worker_id);
        }
    }

    /// A worker has come: whoever waits for it goes on.
    pub fn worker_online(&self, worker_id: WorkerId) {
        for id in self.0.awaited.take(worker_id) {
            self.give(id, Input::WorkerOnline { worker_id });
        }
    }
}
