//! `execution_events`: the journals.

use super::{Reader, stored, to_json};
use crate::Result;
use pulse_core::event::Entry;
use pulse_core::ids::{ExecutionId, Seq};
use pulse_core::time::Timestamp;
use sea_orm::Value;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "execution_events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub execution_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    pub at: i64,
    pub kind: String,
    #[sea_orm(column_type = "Text")]
    pub payload: String,
}

impl ActiveModelBehavior for ActiveModel {}

/// The columns in the order of [`Model::values`].
pub(in crate::sql) const COLUMNS: [Column; 5] =
    [Column::ExecutionId, Column::Seq, Column::At, Column::Kind, Column::Payload];

impl Model {
    pub(in crate::sql) fn new(execution_id: ExecutionId, entry: &Entry) -> Result<Self> {
        Ok(Self {
            execution_id: execution_id.0,
            seq: stored(entry.seq.0),
            at: entry.timestamp.as_millis(),
            kind: entry.event.kind().to_owned(),
            payload: to_json("an event", &entry.event)?,
        })
    }

    pub(in crate::sql) fn values(&self) -> [Value; 5] {
        [
            self.execution_id.into(),
            self.seq.into(),
            self.at.into(),
            self.kind.as_str().into(),
            self.payload.as_str().into(),
        ]
    }

    pub(in crate::sql) fn entry(self) -> Result<Entry> {
        let id = format!("{} of execution {}", self.seq, self.execution_id);
        let reader = Reader { what: "journal entry", id: &id };
        Ok(Entry {
            seq: Seq(reader.int("seq", self.seq)?),
            timestamp: Timestamp::from_millis(self.at),
            event: reader.json("payload", &self.payload)?,
        })
    }
}
