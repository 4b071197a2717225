//! `command_output`: pieces of output.

use super::{Reader, stored};
use crate::{OutputRecord, Result};
use pulse_core::api::OutputChunk;
use pulse_core::command::Stream;
use pulse_core::ids::{Attempt, CommandId, StepId};
use sea_orm::Value;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "command_output")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub execution_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub cursor: i64,
    pub command_id: Uuid,
    pub stream: String,
    pub seq: i64,
    pub step_id: String,
    pub worker: String,
    pub attempt: i64,
    #[sea_orm(column_type = "Text")]
    pub data: String,
    pub gap_bytes: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}

/// The columns in the order of [`values`].
pub(in crate::sql) const COLUMNS: [Column; 10] = [
    Column::ExecutionId,
    Column::Cursor,
    Column::CommandId,
    Column::Stream,
    Column::Seq,
    Column::StepId,
    Column::Worker,
    Column::Attempt,
    Column::Data,
    Column::GapBytes,
];

/// A piece as a row's values, at its cursor.
pub(in crate::sql) fn values(record: &OutputRecord, cursor: u64) -> [Value; 10] {
    let chunk = &record.chunk;
    [
        record.execution_id.0.into(),
        stored(cursor).into(),
        chunk.command_id.0.into(),
        chunk.stream.as_str().into(),
        stored(chunk.seq).into(),
        chunk.step_id.as_str().into(),
        chunk.worker.as_str().into(),
        i64::from(chunk.attempt.0).into(),
        chunk.data.as_str().into(),
        chunk.gap_bytes.map(stored).into(),
    ]
}

impl Model {
    pub(in crate::sql) fn chunk(self) -> Result<OutputChunk> {
        let id = format!("{} of execution {}", self.cursor, self.execution_id);
        let reader = Reader { what: "output", id: &id };
        Ok(OutputChunk {
            cursor: reader.int("cursor", self.cursor)?,
            command_id: CommandId(self.command_id),
            step_id: StepId::from(self.step_id.as_str()),
            attempt: Attempt(reader.int("attempt", self.attempt)?),
            stream: match self.stream.as_str() {
                "stdout" => Stream::Stdout,
                "stderr" => Stream::Stderr,
                other => return Err(reader.corrupt(format_args!("stream is `{other}`"))),
            },
            seq: reader.int("seq", self.seq)?,
            worker: self.worker,
            data: self.data,
            gap_bytes: self.gap_bytes.map(|bytes| reader.int("gap_bytes", bytes)).transpose()?,
        })
    }
}
