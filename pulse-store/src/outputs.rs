//! Output of commands: pieces of text beside the journal.

use crate::Result;
use crate::text::{make_name, make_storable, name};
use async_trait::async_trait;
use pulse_core::api::OutputChunk;
use pulse_core::command::Stream;
use pulse_core::ids::{CommandId, ExecutionId, StepId};

/// A piece of output to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputRecord {
    /// Of which execution.
    pub execution_id: ExecutionId,
    /// The piece. Its `cursor` is ignored: the store assigns it.
    pub chunk: OutputChunk,
}

/// Which pieces of an execution's output. Everything given has to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputFilter {
    /// Of this step.
    pub step: Option<StepId>,
    /// From the worker with this name.
    pub worker: Option<String>,
    /// Of this stream. Where something is missing it may be of both, and the marker that says so is in both.
    pub stream: Option<Stream>,
    /// Of this attempt.
    pub command_id: Option<CommandId>,
}

/// The output of all executions. Cursors count each execution's pieces from 1, in the order of their commits: who has
/// read up to a cursor never misses a piece that is committed later.
#[async_trait]
pub trait Outputs {
    /// Keeps a piece and answers its cursor. A piece (command, stream and number) that is kept already is not kept
    /// twice: its first cursor is the answer.
    async fn append_output(&self, record: OutputRecord) -> Result<u64>;

    /// Up to `limit` pieces of an execution that pass the filter, after a cursor, in order.
    async fn output(
        &self,
        id: ExecutionId,
        after_cursor: u64,
        filter: &OutputFilter,
        limit: usize,
    ) -> Result<Vec<OutputChunk>>;

    /// The highest number among a command's pieces; 0 when there are none.
    async fn output_end(&self, command_id: CommandId) -> Result<u64>;
}

impl OutputRecord {
    /// The same with texts that every database keeps.
    pub(crate) fn storable(mut self) -> Self {
        make_storable(&mut self.chunk.data);
        make_name(&mut self.chunk.worker);
        let step = name(self.chunk.step_id.as_str());
        if step != self.chunk.step_id.as_str() {
            self.chunk.step_id = StepId::from(&*step);
        }
        self
    }
}

impl OutputFilter {
    /// Whether a piece passes.
    pub(crate) fn matches(&self, chunk: &OutputChunk) -> bool {
        self.step.as_ref().is_none_or(|step| name(step.as_str()) == chunk.step_id.as_str())
            && self.worker.as_ref().is_none_or(|worker| name(worker) == chunk.worker)
            && self.stream.is_none_or(|stream| stream == chunk.stream || chunk.gap_bytes.is_some())
            && self.command_id.is_none_or(|id| id == chunk.command_id)
    }
}
