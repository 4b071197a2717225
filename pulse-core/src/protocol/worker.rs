//! Server ⇄ worker: JSON text frames over one WebSocket, tagged by `type`.
//!
//! A worker opens with `hello` and gets `welcome`, or an `error` and the end of the connection. A dispatch that the
//! worker has seen before is answered with what it knows, never run again. Output and results are kept by the worker
//! until they are acknowledged.

use crate::command::{CommandEnd, CommandSpec, Stream};
use crate::ids::{Attempt, CommandId, ExecutionId, StepId, WorkerId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;

/// The protocol version that this program speaks. A hello with another is refused.
pub const PROTOCOL: u32 = 1;
/// Largest message of a worker, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// Largest piece of output in one message, in bytes of text.
pub const MAX_OUTPUT_BYTES: usize = 64 * 1024;
/// How many bytes of a command's output are kept when nobody says otherwise.
pub const OUTPUT_LIMIT_BYTES: u64 = 64 * 1024 * 1024;

fn default_output_limit() -> u64 {
    OUTPUT_LIMIT_BYTES
}

/// What a worker says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromWorker {
    /// The first message.
    Hello(Hello),
    /// The command is on the worker's disk and will be run.
    Accepted {
        /// Which attempt.
        command_id: CommandId,
    },
    /// The worker cannot take the command.
    Rejected {
        /// Which attempt.
        command_id: CommandId,
        /// Why.
        reason: String,
    },
    /// A piece of output. Pieces of one command are numbered from 1, across both streams.
    Output {
        /// Which attempt.
        command_id: CommandId,
        /// Which stream.
        stream: Stream,
        /// Its number.
        seq: u64,
        /// The text; what was no UTF-8 is replaced.
        data: String,
        /// Set in a marker without text: see [`crate::api::OutputChunk::gap_bytes`].
        #[serde(skip_serializing_if = "Option::is_none", default)]
        gap_bytes: Option<u64>,
    },
    /// A command ended. Sent again until acknowledged.
    Result {
        /// Which attempt.
        command_id: CommandId,
        /// How it ended.
        #[serde(flatten)]
        end: CommandEnd,
    },
    /// The worker is alive.
    Heartbeat {
        /// What it tells about its machine.
        metadata: Map<String, Value>,
    },
}

/// A worker's first message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// The version of this protocol.
    pub protocol: u32,
    /// The worker's id, kept in its state directory.
    pub worker_id: WorkerId,
    /// Which process of it: drawn at each start, so that a second process with the same id is told from a reconnect.
    /// Empty from programs that do not say.
    #[serde(default)]
    pub instance: String,
    /// Its name.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// Labels for target selectors.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// How many commands it runs at once.
    pub capacity: u32,
    /// What it tells about its machine.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// Every command it knows whose result is not acknowledged.
    #[serde(default)]
    pub commands: Vec<KnownCommand>,
}

/// A command that a worker knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownCommand {
    /// Which attempt.
    pub command_id: CommandId,
    /// Whose it is, from the dispatch: the server may have ended that execution meanwhile.
    pub execution_id: ExecutionId,
    /// Whether it still runs.
    pub state: KnownState,
}

/// How far a worker is with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KnownState {
    /// It runs.
    Running,
    /// It ended; the result follows.
    Finished,
}

/// What a server says to a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToWorker {
    /// The hello is accepted.
    Welcome {
        /// This connection's id, for logs on both sides.
        session: String,
        /// Milliseconds between heartbeats.
        heartbeat_interval_ms: u64,
    },
    /// The hello is refused; the connection closes.
    Error {
        /// Stable code.
        code: String,
        /// Why, and what to do.
        detail: String,
    },
    /// Run a command.
    Dispatch(Box<Dispatch>),
    /// Something is committed and need not be kept: output up to a piece, or the result.
    Ack {
        /// Which attempt.
        command_id: CommandId,
        /// Output up to this piece; the result when not given.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        output_seq: Option<u64>,
    },
    /// Stop a command.
    Cancel {
        /// Which attempt.
        command_id: CommandId,
        /// Why.
        reason: String,
    },
    /// Finish what runs; no more will be sent.
    Drain,
}

/// A command for a worker. Where secrets belong their values stand by now.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Dispatch {
    /// The attempt's identity.
    pub command_id: CommandId,
    /// Whose it is.
    pub execution_id: ExecutionId,
    /// Of which step.
    pub step: StepId,
    /// Which try.
    pub attempt: Attempt,
    /// What is run.
    #[serde(flatten)]
    pub spec: CommandSpec,
    /// Milliseconds between TERM and KILL.
    pub kill_grace_ms: u64,
    /// How many bytes of its output are kept at most: half of them from its head, half from its tail.
    #[serde(default = "default_output_limit")]
    pub output_limit_bytes: u64,
    /// Values that are never to be seen in the command's output.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub mask: Vec<String>,
}

impl fmt::Debug for Dispatch {
    /// Without what is run: it may hold values of secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatch")
            .field("command_id", &self.command_id)
            .field("execution_id", &self.execution_id)
            .field("step", &self.step)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}
