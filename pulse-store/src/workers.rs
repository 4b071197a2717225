//! The registry of workers.

use crate::Result;
use crate::text::{check_name, make_name};
use async_trait::async_trait;
use pulse_core::ids::WorkerId;
use pulse_core::time::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A worker that has enrolled.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerRecord {
    /// Its id, from its own state directory.
    pub id: WorkerId,
    /// Its name, unique ignoring case.
    pub name: String,
    /// For target selectors.
    pub labels: BTreeMap<String, String>,
    /// How many commands it runs at once.
    pub capacity: u32,
    /// Whether it gets no new work.
    pub draining: bool,
    /// The program's version.
    pub version: String,
    /// When it was last heard from.
    pub last_seen: Timestamp,
    /// What it tells about its machine.
    pub metadata: Map<String, Value>,
    /// When it enrolled.
    pub created_at: Timestamp,
}

/// All workers.
#[async_trait]
pub trait Workers {
    /// Inserts or replaces a worker by its id. `NameTaken` when another id has the name.
    async fn save_worker(&self, worker: WorkerRecord) -> Result<()>;

    /// Takes in what a worker tells of itself: inserts it, or replaces all but whether it drains and when it enrolled.
    /// `NameTaken` when another id has the name.
    async fn greet_worker(&self, worker: WorkerRecord) -> Result<()>;

    /// Replaces a worker's labels, and whether it drains, where that is given. Answers whether there is such a worker.
    async fn change_worker(
        &self,
        id: WorkerId,
        labels: Option<BTreeMap<String, String>>,
        draining: Option<bool>,
    ) -> Result<bool>;

    /// A worker.
    async fn worker(&self, id: WorkerId) -> Result<Option<WorkerRecord>>;

    /// A worker by its name, ignoring case.
    async fn worker_by_name(&self, name: &str) -> Result<Option<WorkerRecord>>;

    /// All workers, by name, ignoring case.
    async fn workers(&self) -> Result<Vec<WorkerRecord>>;

    /// Notes when workers were last heard from. Never moves a time back; ids that are unknown are passed over.
    async fn touch_workers(&self, seen: Vec<(WorkerId, Timestamp)>) -> Result<()>;

    /// Forgets a worker. Answers whether there was one.
    async fn delete_worker(&self, id: WorkerId) -> Result<bool>;
}

impl WorkerRecord {
    /// The same with texts that every database keeps. Refuses a name that is too long. Labels and metadata are kept as
    /// JSON, which escapes.
    pub(crate) fn storable(mut self) -> Result<Self> {
        check_name("worker's name", &self.name)?;
        [&mut self.name, &mut self.version].into_iter().for_each(make_name);
        Ok(self)
    }
}
