//! Server ⇄ browser and command line: JSON text frames over `/ws`.
//!
//! A client subscribes to topics: `executions`, `workers`, `execution:<id>`, `output:<id>`. With `after` it says how far
//! it knows a topic and first gets what it missed, without gaps or doubles. A client that is too slow to follow is told
//! `lagged` and reads on from the store.

use crate::api::{ExecutionSummary, OutputChunk, WorkerView};
use crate::event::Entry;
use crate::ids::{CommandId, ExecutionId};
use crate::status::Delivery;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a client says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum FromBrowser {
    /// Follow these topics from now on, in place of those before.
    Subscribe {
        /// The topics.
        topics: Vec<String>,
        /// Per topic, the last sequence number (`execution:`) or cursor (`output:`) that the client has.
        #[serde(default)]
        #[cfg_attr(test, ts(type = "Record<string, number>"))]
        after: BTreeMap<String, u64>,
    },
}

/// What a server says to a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToBrowser {
    /// An event of an execution (topic `execution:<id>`).
    ExecutionEvent {
        /// Which execution.
        execution_id: ExecutionId,
        /// The event at its place.
        entry: Entry,
    },
    /// An execution's summary changed (topic `executions`).
    ExecutionUpdate {
        /// The summary.
        execution: ExecutionSummary,
    },
    /// Which commands of an execution wait to be sent, and which are on workers that cannot be reached: all of them, in
    /// place of what was said before (topic `execution:<id>`). The journal does not tell it. Said when the topic is
    /// subscribed to, and within about a second of each change.
    ExecutionDelivery {
        /// Which execution.
        execution_id: ExecutionId,
        /// Those that were not sent.
        queued: Vec<CommandId>,
        /// Those that are, or may be, on a worker that cannot be reached.
        unreachable: Vec<CommandId>,
    },
    /// What an execution's commands wait for changed (topic `executions`). Its summary does not tell it when it comes as
    /// an `execution_update`.
    DeliveryUpdate {
        /// Which execution.
        execution_id: ExecutionId,
        /// As in its summary.
        delivery: Option<Delivery>,
    },
    /// A piece of output (topic `output:<id>`).
    Output {
        /// Which execution.
        execution_id: ExecutionId,
        /// The piece.
        #[serde(flatten)]
        chunk: OutputChunk,
    },
    /// A worker changed (topic `workers`).
    WorkerUpdate {
        /// The worker.
        worker: WorkerView,
    },
    /// A command ended (topic `executions`).
    CommandResult {
        /// Which execution.
        execution_id: ExecutionId,
        /// On which worker.
        worker: String,
        /// Whether it counts as success.
        success: bool,
        /// Whether nobody started the execution by hand: no toast for those.
        is_automated: bool,
    },
    /// An execution asks a person (topic `executions`).
    ExecutionPrompt {
        /// Which execution.
        execution_id: ExecutionId,
        /// Its workflow's name.
        workflow: Option<String>,
        /// The question.
        message: String,
        /// What may be answered.
        options: Vec<String>,
    },
    /// An execution ended (topic `executions`).
    WorkflowResult {
        /// Which execution.
        execution_id: ExecutionId,
        /// Its workflow's name.
        workflow: Option<String>,
        /// Whether it completed.
        success: bool,
        /// In words.
        message: String,
        /// Whether nobody started it by hand.
        is_automated: bool,
    },
    /// Everything missed up to now has been sent, for these topics.
    Subscribed {
        /// The topics.
        topics: Vec<String>,
    },
    /// Messages were left out for this client: read these topics again.
    Lagged {
        /// The topics.
        topics: Vec<String>,
    },
    /// The client said something that makes no sense.
    Error {
        /// What.
        detail: String,
    },
}
