//! Workers in memory.

use super::MemoryStore;
use crate::text::fold;
use crate::{Error, Result, WorkerRecord, Workers};
use async_trait::async_trait;
use pulse_core::ids::WorkerId;
use pulse_core::time::Timestamp;
use std::collections::BTreeMap;

#[async_trait]
impl Workers for MemoryStore {
    async fn save_worker(&self, worker: WorkerRecord) -> Result<()> {
        let (mut state, worker) = (self.lock_to_write()?, worker.storable()?);
        if state.workers.values().any(|other| other.id != worker.id && fold(&other.name) == fold(&worker.name)) {
            return Err(Error::NameTaken { name: worker.name });
        }
        state.workers.insert(worker.id, worker);
        Ok(())
    }

    async fn greet_worker(&self, mut worker: WorkerRecord) -> Result<()> {
        if let Some(known) = self.lock().workers.get(&worker.id) {
            (worker.draining, worker.created_at) = (known.draining, known.created_at);
        }
        self.save_worker(worker).await
    }

    async fn change_worker(
        &self,
        id: WorkerId,
        labels: Option<BTreeMap<String, String>>,
        draining: Option<bool>,
    ) -> Result<bool> {
        let mut state = self.lock_to_write()?;
        let Some(worker) = state.workers.get_mut(&id) else { return Ok(false) };
        worker.labels = labels.unwrap_or_else(|| std::mem::take(&mut worker.labels));
        worker.draining = draining.unwrap_or(worker.draining);
        Ok(true)
    }

    async fn worker(&self, id: WorkerId) -> Result<Option<WorkerRecord>> {
        Ok(self.lock().workers.get(&id).cloned())
    }

    async fn worker_by_name(&self, name: &str) -> Result<Option<WorkerRecord>> {
        Ok(self.lock().workers.values().find(|worker| fold(&worker.name) == fold(name)).cloned())
    }

    async fn workers(&self) -> Result<Vec<WorkerRecord>> {
        let mut workers: Vec<_> = self.lock().workers.values().cloned().collect();
        workers.sort_by_key(|worker| fold(&worker.name));
        Ok(workers)
    }

    async fn touch_workers(&self, seen: Vec<(WorkerId, Timestamp)>) -> Result<()> {
        let mut state = self.lock_to_write()?;
        for (id, at) in seen {
            if let Some(worker) = state.workers.get_mut(&id) {
                worker.last_seen = worker.last_seen.max(at);
            }
        }
        Ok(())
    }

    async fn delete_worker(&self, id: WorkerId) -> Result<bool> {
        Ok(self.lock_to_write()?.workers.remove(&id).is_some())
    }
}
