//! Output of commands.

use crate::command::Stream;
use crate::ids::{Attempt, CommandId, StepId};
use serde::{Deserialize, Serialize};

/// A piece of a command's output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct OutputChunk {
    /// Its place among all output of the execution; later pieces have larger ones.
    #[cfg_attr(test, ts(type = "number"))]
    pub cursor: u64,
    /// Whose.
    pub command_id: CommandId,
    /// Of which step.
    pub step_id: StepId,
    /// On which worker.
    pub worker: String,
    /// Which try.
    pub attempt: Attempt,
    /// Which stream.
    pub stream: Stream,
    /// Its number among the pieces of the command.
    #[cfg_attr(test, ts(type = "number"))]
    pub seq: u64,
    /// The text.
    pub data: String,
}
