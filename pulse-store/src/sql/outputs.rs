//! Output in a database.

use super::entity::{output, stored};
use super::{SqlStore, limit};
use crate::text::name;
use crate::{OutputFilter, OutputRecord, Outputs, Result};
use async_trait::async_trait;
use pulse_core::api::OutputChunk;
use pulse_core::command::Stream;
use pulse_core::ids::{CommandId, ExecutionId};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

#[async_trait]
impl Outputs for SqlStore {
    async fn append_output(&self, record: OutputRecord) -> Result<u64> {
        self.writer.output(record).await
    }

    async fn output(
        &self,
        id: ExecutionId,
        after_cursor: u64,
        filter: &OutputFilter,
        max: usize,
    ) -> Result<Vec<OutputChunk>> {
        use output::Column;
        let rows = output::Entity::find()
            .filter(Column::ExecutionId.eq(id.0))
            .filter(Column::Cursor.gt(stored(after_cursor)))
            .apply_if(filter.step.as_ref(), |query, step| query.filter(Column::StepId.eq(name(step.as_str()).as_ref())))
            .apply_if(filter.worker.as_ref(), |query, worker| query.filter(Column::Worker.eq(name(worker).as_ref())))
            .apply_if(filter.stream, |query, stream| query.filter(of_stream(stream)))
            .apply_if(filter.command_id, |query, command| query.filter(Column::CommandId.eq(command.0)))
            .order_by_asc(Column::Cursor)
            .limit(limit(max))
            .all(&self.reads)
            .await;
        self.records(rows, output::Model::chunk)
    }

    async fn output_end(&self, command_id: CommandId) -> Result<u64> {
        let end: Option<i64> = output::Entity::find()
            .select_only()
            .column(output::Column::Seq)
            .filter(output::Column::CommandId.eq(command_id.0))
            .order_by_desc(output::Column::Seq)
            .limit(1)
            .into_tuple()
            .one(&self.reads)
            .await
            .map_err(|error| self.unreadable(&error))?;
        Ok(end.map_or(0, |seq| u64::try_from(seq).unwrap_or(0)))
    }
}

/// Pieces of a stream, and markers of what is missing, which may be of both.
fn of_stream(stream: Stream) -> Condition {
    Condition::any().add(output::Column::Stream.eq(stream.as_str())).add(output::Column::GapBytes.is_not_null())
}
