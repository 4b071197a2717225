//! `workers`: the registry.

use super::{Reader, to_json};
use crate::text::fold;
use crate::{Result, WorkerRecord};
use pulse_core::ids::WorkerId;
use pulse_core::time::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub name_key: Vec<u8>,
    #[sea_orm(column_type = "Text")]
    pub labels: String,
    pub capacity: i64,
    pub draining: bool,
    pub version: String,
    pub last_seen: i64,
    #[sea_orm(column_type = "Text")]
    pub metadata: String,
    pub created_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(in crate::sql) fn new(worker: WorkerRecord) -> Result<Self> {
        Ok(Self {
            id: worker.id.0,
            name_key: fold(&worker.name).into_bytes(),
            labels: to_json("a worker's labels", &worker.labels)?,
            capacity: worker.capacity.into(),
            draining: worker.draining,
            last_seen: worker.last_seen.as_millis(),
            metadata: to_json("a worker's metadata", &worker.metadata)?,
            created_at: worker.created_at.as_millis(),
            name: worker.name,
            version: worker.version,
        })
    }

    pub(in crate::sql) fn record(self) -> Result<WorkerRecord> {
        let reader = Reader { what: "worker", id: &self.id };
        Ok(WorkerRecord {
            id: WorkerId(self.id),
            labels: reader.json("labels", &self.labels)?,
            capacity: reader.int("capacity", self.capacity)?,
            draining: self.draining,
            last_seen: Timestamp::from_millis(self.last_seen),
            metadata: reader.json("metadata", &self.metadata)?,
            created_at: Timestamp::from_millis(self.created_at),
            name: self.name,
            version: self.version,
        })
    }
}
