//! What an administrator changes of workers: kept in the store beside the worker, and put over what its hellos tell.

use super::Fleet;
use pulse_core::api::WorkerChange;
use pulse_core::ids::WorkerId;
use pulse_store::{Store, WorkerRecord};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What stands in place of what a worker tells of itself. Whether it drains is in its record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Overrides {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    capacity: Option<u32>,
}

impl Overrides {
    /// Puts labels over a record. Its capacity stays what the worker tells: see [`Overrides::capacity`].
    pub fn put_over(&self, record: &mut WorkerRecord) {
        if let Some(labels) = &self.labels {
            record.labels.clone_from(labels);
        }
    }

    /// How many commands a worker is given at once that tells this capacity: it would refuse more.
    pub fn capacity(&self, reported: u32) -> u32 {
        self.capacity.map_or(reported, |limit| limit.min(reported))
    }

    /// What an administrator has set.
    pub fn capacity_limit(&self) -> Option<u32> {
        self.capacity
    }
}

/// What is stored for a worker.
pub(super) async fn read(store: &dyn Store, id: WorkerId) -> pulse_store::Result<Overrides> {
    let stored = store.setting(&setting(id)).await?;
    Ok(stored.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default())
}

fn setting(id: WorkerId) -> String {
    format!("worker:{id}")
}

impl Fleet {
    /// What is stored for a worker.
    pub(super) async fn overrides(&self, id: WorkerId) -> pulse_store::Result<Overrides> {
        read(&*self.0.store, id).await
    }

    /// A worker was removed: one that enrols with its id again starts afresh.
    pub(super) async fn forget_overrides(&self, id: WorkerId) -> pulse_store::Result<()> {
        match self.overrides(id).await? == Overrides::default() {
            true => Ok(()),
            false => self.0.store.put_setting(&setting(id), b"{}".to_vec()).await,
        }
    }

    /// Changes a worker; durable when this returns. Answers false when there is none.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn change(&self, id: WorkerId, change: WorkerChange) -> pulse_store::Result<bool> {
        // One change at a time: each builds on what the one before it has stored.
        let _turn = self.0.changing.lock().await;
        let WorkerChange { labels, draining, capacity } = change;
        if self.0.store.worker(id).await?.is_none() {
            return Ok(false);
        }
        let mut overrides = self.overrides(id).await?;
        if labels.is_some() || capacity.is_some() {
            overrides.labels = labels.clone().or(overrides.labels);
            overrides.capacity = capacity.or(overrides.capacity);
            let text = serde_json::to_vec(&overrides).expect("texts and numbers have a JSON form");
            self.0.store.put_setting(&setting(id), text).await?;
        }
        // Nothing but this: the rest is the worker's to tell, and it may say hello just now.
        if !self.0.store.change_worker(id, labels, draining).await? {
            return Ok(false);
        }
        let mut inner = self.inner();
        let Some(worker) = inner.workers.get_mut(&id) else { return Ok(false) };
        worker.record.draining = draining.unwrap_or(worker.record.draining);
        worker.changes = overrides;
        worker.changes.put_over(&mut worker.record);
        worker.ledger.set_capacity(worker.capacity());
        worker.was_usable &= !worker.record.draining;
        if worker.ledger.set_draining(worker.record.draining)
            && let Some(connection) = &worker.connection
        {
            connection.cancel.cancel();
        }
        self.flush(worker);
        self.changed(&mut inner, id);
        Ok(true)
    }
}
