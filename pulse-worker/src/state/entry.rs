//! What the log says about commands.

use crate::spool::Kept;
use pulse_core::command::CommandEnd;
use pulse_core::ids::{CommandId, ExecutionId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Something that must be durable about a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Entry {
    /// It will be started.
    Accepted {
        /// Which attempt.
        command_id: CommandId,
        /// Whose it is; for people who read the log.
        execution_id: ExecutionId,
    },
    /// It ended.
    Finished {
        /// Which attempt.
        command_id: CommandId,
        /// How.
        end: Arc<CommandEnd>,
        /// What is kept of its output.
        #[serde(flatten)]
        kept: Arc<Kept>,
    },
    /// The server has the result.
    Forgotten {
        /// Which attempt.
        command_id: CommandId,
    },
}

/// A command that ended and that the server has no result of.
#[derive(Debug, Clone, PartialEq)]
pub struct Unacknowledged {
    /// Which attempt.
    pub command_id: CommandId,
    /// Whose it is.
    pub execution_id: ExecutionId,
    /// How it ended.
    pub end: Arc<CommandEnd>,
    /// What is kept of its output.
    pub kept: Arc<Kept>,
}
