//! Executions that wait for a worker to come online (`on_offline: wait`): an id per target that is waited for, or one for
//! `any`, and a day at most. They are in no index of the store, so that looking for them there would mean folding them all.

use super::driver::Driver;
use pulse_core::ids::{ExecutionId, WorkerId};
use pulse_engine::{Input, State};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Who waits for whom; under `None`, for whoever comes first. Made again from the journals after a restart.
#[derive(Default)]
pub(super) struct Awaited(Mutex<HashMap<Option<WorkerId>, HashSet<ExecutionId>>>);

impl Awaited {
    fn lock(&self) -> MutexGuard<'_, HashMap<Option<WorkerId>, HashSet<ExecutionId>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An execution waits for a worker, or for any.
    pub(super) fn add(&self, id: ExecutionId, worker_id: Option<WorkerId>) {
        self.lock().entry(worker_id).or_default().insert(id);
    }

    /// It waits no more.
    pub(super) fn remove(&self, id: ExecutionId, worker_id: Option<WorkerId>) {
        let mut awaited = self.lock();
        if let Some(waiting) = awaited.get_mut(&worker_id) {
            waiting.remove(&id);
            if waiting.is_empty() {
                awaited.remove(&worker_id);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn waits(&self, id: ExecutionId, worker_id: Option<WorkerId>) -> bool {
        self.lock().get(&worker_id).is_some_and(|waiting| waiting.contains(&id))
    }

    /// Those that wait for a worker that has come. They are forgotten with that.
    fn take(&self, worker_id: WorkerId) -> HashSet<ExecutionId> {
        let mut awaited = self.lock();
        let mut taken = awaited.remove(&Some(worker_id)).unwrap_or_default();
        taken.extend(awaited.remove(&None).unwrap_or_default());
        taken
    }
}

impl Driver {
    /// Wakes an execution when a worker comes.
    pub(super) fn await_worker(&self, id: ExecutionId, worker_id: WorkerId) {
        self.0.awaited.add(id, Some(worker_id));
        // It may have come between the decision and this.
        if self.fleet().snapshot().is_usable(worker_id) {
            self.worker_online(worker_id);
        }
    }

    /// Wakes an execution when any worker comes.
    pub(super) fn await_any(&self, id: ExecutionId) {
        self.0.awaited.add(id, None);
        let fleet = self.fleet().snapshot();
        if let Some(worker) = fleet.workers.iter().find(|worker| fleet.is_usable(worker.id)) {
            self.worker_online(worker.id);
        }
    }

    /// A worker has come, or is given work again: whoever waits for it goes on.
    pub fn worker_online(&self, worker_id: WorkerId) {
        for id in self.0.awaited.take(worker_id) {
            self.give(id, Input::WorkerOnline { worker_id });
        }
    }

    /// An execution is about to decide what follows from a worker's coming. That may be gone again by then: so the
    /// execution waits on, until it has decided otherwise.
    pub(super) fn await_still(&self, state: &State, worker_id: WorkerId) {
        self.0.awaited.add(state.id, Some(worker_id));
        if state.awaits_any() {
            self.0.awaited.add(state.id, None);
        }
    }

    /// It has decided, and is in this state.
    pub(super) fn await_no_more(&self, state: &State, worker_id: WorkerId) {
        if !state.awaited().contains(&worker_id) {
            self.0.awaited.remove(state.id, Some(worker_id));
        }
        if !state.awaits_any() {
            self.0.awaited.remove(state.id, None);
        }
    }
}
