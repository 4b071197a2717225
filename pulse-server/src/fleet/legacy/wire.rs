//! The messages of the first PULSE's agent, as its protocol has them.

use pulse_core::ids::{CommandId, ExecutionId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the agent says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromAgent {
    /// Who it is. The first message.
    WorkerConnect {
        /// Drawn at each of its starts.
        worker_id: String,
        /// Its name, by which it is known.
        worker_name: String,
    },
    /// A command ended.
    CommandResult {
        /// Which.
        command_id: String,
        /// Whether it ended with 0.
        success: bool,
        /// What it printed.
        #[serde(default)]
        stdout: Option<String>,
        /// What it printed on standard error.
        #[serde(default)]
        stderr: Option<String>,
        /// Milliseconds, on success.
        #[serde(default)]
        duration: Option<f64>,
        /// Why it failed, in the words of its Node.js.
        #[serde(default)]
        error: Option<Value>,
    },
    /// It lives.
    Pong,
    /// The answer to `execute_workflow`, which is never sent.
    WorkflowResult,
}

/// What the agent is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToAgent {
    /// Run this in a shell.
    ExecuteCommand {
        /// Whose it is.
        execution_id: ExecutionId,
        /// Its identity.
        command_id: CommandId,
        /// The shell text.
        command: String,
        /// The agent's own id.
        worker_id: String,
        /// Milliseconds.
        timeout: u64,
    },
    /// Say something.
    Ping,
}
