//! Output in memory.

use super::MemoryStore;
use crate::{Error, OutputFilter, OutputRecord, Outputs, Result};
use async_trait::async_trait;
use pulse_core::api::OutputChunk;
use pulse_core::command::Stream;
use pulse_core::ids::{CommandId, ExecutionId};
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Default)]
pub(super) struct OutputState {
    pieces: HashMap<ExecutionId, Vec<OutputChunk>>,
    /// Each command's pieces by number and stream, with their cursors.
    kept: HashMap<CommandId, BTreeMap<(u64, Stream), u64>>,
}

impl OutputState {
    fn append(&mut self, record: OutputRecord) -> u64 {
        let OutputRecord { execution_id, mut chunk } = record;
        let kept = self.kept.entry(chunk.command_id).or_default();
        if let Some(cursor) = kept.get(&(chunk.seq, chunk.stream)) {
            return *cursor;
        }
        let pieces = self.pieces.entry(execution_id).or_default();
        chunk.cursor = pieces.len() as u64 + 1;
        kept.insert((chunk.seq, chunk.stream), chunk.cursor);
        pieces.push(chunk);
        pieces.len() as u64
    }

    pub(super) fn forget(&mut self, id: ExecutionId) {
        for chunk in self.pieces.remove(&id).unwrap_or_default() {
            self.kept.remove(&chunk.command_id);
        }
    }
}

#[async_trait]
impl Outputs for MemoryStore {
    async fn append_output(&self, record: OutputRecord) -> Result<u64> {
        let mut state = self.lock_to_write()?;
        if !state.executions.contains_key(&record.execution_id) {
            return Err(Error::NotFound { what: "execution", id: record.execution_id.to_string() });
        }
        Ok(state.outputs.append(record.storable()))
    }

    async fn output(
        &self,
        id: ExecutionId,
        after_cursor: u64,
        filter: &OutputFilter,
        limit: usize,
    ) -> Result<Vec<OutputChunk>> {
        let state = self.lock();
        let pieces = state.outputs.pieces.get(&id).map_or(&[][..], Vec::as_slice);
        let start = usize::try_from(after_cursor).unwrap_or(usize::MAX).min(pieces.len());
        Ok(pieces[start..].iter().filter(|chunk| filter.matches(chunk)).take(limit).cloned().collect())
    }

    async fn output_end(&self, command_id: CommandId) -> Result<u64> {
        let state = self.lock();
        let last = state.outputs.kept.get(&command_id).and_then(|kept| kept.last_key_value());
        Ok(last.map_or(0, |((seq, _), _)| *seq))
    }
}
