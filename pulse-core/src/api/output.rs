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
    /// Set in a marker without text, where output is missing: so many bytes were printed here and are not kept. With 0
    /// the head is full, and what follows is held back until the command ends.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub gap_bytes: Option<u64>,
}

impl OutputChunk {
    /// What a marker says to people; nothing for text.
    pub fn gap_note(&self) -> Option<String> {
        self.gap_bytes.map(|bytes| match bytes {
            0 => "[PULSE: there is too much output; the rest is held back, and its end follows when the command ends]"
                .to_owned(),
            bytes => format!("[PULSE: {bytes} bytes of output are not kept here]"),
        })
    }
}
