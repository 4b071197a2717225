//! Summaries in memory.

use super::MemoryStore;
use crate::{Error, ExecutionFilter, ExecutionRecord, Executions, Result, text};
use async_trait::async_trait;
use pulse_core::ids::ExecutionId;
use pulse_core::time::Timestamp;
use std::ops::Bound;

#[async_trait]
impl Executions for MemoryStore {
    async fn execution(&self, id: ExecutionId) -> Result<Option<ExecutionRecord>> {
        Ok(self.lock().executions.get(&id).cloned())
    }

    async fn executions(
        &self,
        filter: &ExecutionFilter,
        before: Option<ExecutionId>,
        limit: usize,
    ) -> Result<Vec<ExecutionRecord>> {
        let end = before.map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.lock();
        let newest_first = state.executions.range((Bound::Unbounded, end)).rev();
        Ok(newest_first.map(|(_, record)| record).filter(|r| filter.matches(r)).take(limit).cloned().collect())
    }

    async fn executions_by_prefix(&self, hex_prefix: &str, limit: usize) -> Result<Vec<ExecutionId>> {
        let Some((low, high)) = text::prefix_range(hex_prefix) else { return Ok(Vec::new()) };
        let state = self.lock();
        let newest_first = state.executions.range(ExecutionId(low)..=ExecutionId(high)).rev();
        Ok(newest_first.map(|(id, _)| *id).take(limit).collect())
    }

    async fn unfinished(&self, after: Option<ExecutionId>, limit: usize) -> Result<Vec<ExecutionRecord>> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.lock();
        let oldest_first = state.executions.range((start, Bound::Unbounded)).map(|(_, record)| record);
        Ok(oldest_first.filter(|record| !record.status.is_final()).take(limit).cloned().collect())
    }

    async fn due(&self, until: Timestamp, limit: usize) -> Result<Vec<(ExecutionId, Timestamp)>> {
        let state = self.lock();
        let open = state.executions.values().filter(|record| !record.status.is_final());
        let mut due: Vec<_> =
            open.filter_map(|r| r.wake_at.map(|at| (r.id, at))).filter(|(_, at)| *at <= until).collect();
        due.sort_by_key(|(id, at)| (*at, *id));
        due.truncate(limit);
        Ok(due)
    }

    async fn finished_before(&self, until: Timestamp, limit: usize) -> Result<Vec<ExecutionId>> {
        let state = self.lock();
        let ended = state.executions.values().filter(|record| record.status.is_final());
        let early = ended.filter(|record| record.finished_at.is_some_and(|at| at < until));
        Ok(early.map(|record| record.id).take(limit).collect())
    }

    async fn replace_summary(&self, mut record: ExecutionRecord) -> Result<()> {
        let mut state = self.lock_to_write()?;
        let Some(last) = state.journals.get(&record.id).and_then(|journal| journal.last()) else {
            return Err(Error::NotFound { what: "journal of execution", id: record.id.to_string() });
        };
        let (expected, actual) = (record.last_seq.next(), last.seq.next());
        if expected != actual {
            return Err(Error::Conflict { execution_id: record.id, expected, actual });
        }
        record = record.storable();
        if let Some(before) = state.executions.get(&record.id) {
            record = ExecutionRecord {
                owner: before.owner.clone(),
                lease_until: before.lease_until,
                fence: before.fence,
                ..record
            };
        }
        if record.status.is_final() {
            state.secrets.remove(&record.id);
        }
        state.executions.insert(record.id, record);
        Ok(())
    }

    async fn delete_execution(&self, id: ExecutionId) -> Result<bool> {
        let mut state = self.lock_to_write()?;
        let Some(record) = state.executions.get(&id) else { return Ok(false) };
        if !record.status.is_final() {
            return Err(Error::NotEnded { execution_id: id });
        }
        state.executions.remove(&id);
        state.journals.remove(&id);
        state.idempotency.retain(|_, used| used.execution_id != id);
        state.deliveries.retain(|_, record| record.execution_id != id);
        state.outputs.forget(id);
        Ok(true)
    }
}
