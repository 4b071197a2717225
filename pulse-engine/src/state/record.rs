//! What is kept of what has happened: of the start, of steps, commands, answers and children.

use super::FrameResult;
use indexmap::IndexMap;
use pulse_core::command::CommandEnd;
use pulse_core::event::{ParentRef, WorkerRef, WorkflowRef};
use pulse_core::ids::{Attempt, CommandId, ExecutionId, StepId};
use pulse_core::status::{CommandStatus, ExecutionStatus, StepStatus, Trigger};
use pulse_core::time::Timestamp;
use serde_json::{Map, Value};
use std::sync::Arc;

/// What an execution was started with.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The stored workflow; `None` for a quick command.
    pub workflow: Option<WorkflowRef>,
    /// The definition of a quick command.
    pub definition: Option<String>,
    /// All parameters: always an object.
    pub params: Arc<Value>,
    /// Targets that replace the document's own.
    pub targets: Option<Vec<String>>,
    /// Who started it.
    pub started_by: String,
    /// What started it.
    pub trigger: Trigger,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// The execution whose step runs this one.
    pub parent: Option<ParentRef>,
}

/// An execution that a step has started.
#[derive(Clone, Debug, PartialEq)]
pub struct ChildRecord {
    /// Its id.
    pub execution_id: ExecutionId,
    /// The step.
    pub step: StepId,
    /// Its workflow's name.
    pub workflow: String,
    /// What it was given.
    pub params: Arc<Value>,
    /// How deep it is.
    pub depth: u32,
    /// How it ended.
    pub status: Option<ExecutionStatus>,
}

/// A step that has started, with its last run.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRecord {
    /// Its name.
    pub name: Arc<str>,
    /// How often it has started.
    pub run: u32,
    /// Where it stands.
    pub status: StepStatus,
    /// When its last run started.
    pub started_at: Option<Timestamp>,
    /// When that ended.
    pub finished_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<String>,
    /// The commands of its last run, in the order in which they were sent.
    pub commands: Vec<CommandRecord>,
    /// The workers of its last run, in target order.
    pub targets: Vec<Arc<str>>,
    /// The last result of each worker, in the order in which they came.
    pub results: IndexMap<Arc<str>, WorkerResult>,
    /// The last answer, who gave it and when, and the hash of the output that was shown.
    pub response: Option<Answer>,
    /// Hash of the output that the open or last prompt showed.
    pub shown: Option<String>,
    /// How its branches or items ended, in their order.
    pub frames: Vec<Option<FrameResult>>,
    /// How its child ended, and with which values.
    pub child: Option<(ExecutionId, ExecutionStatus, Arc<Value>)>,
}

/// One attempt of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandRecord {
    /// Its id.
    pub id: CommandId,
    /// On which worker.
    pub worker: WorkerRef,
    /// Which try.
    pub attempt: Attempt,
    /// Where it stands.
    pub status: CommandStatus,
    /// How it ended.
    pub exit_code: Option<i32>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<u64>,
}

impl CommandRecord {
    /// Whether its worker may still tell how it ended: nobody has yet, or it was given up as lost.
    pub fn is_owed(&self) -> bool {
        matches!(self.status, CommandStatus::Queued | CommandStatus::Running | CommandStatus::Lost)
    }
}

/// A worker's last result within a step.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerResult {
    /// Whether it counts as success.
    pub success: bool,
    /// How it ended.
    pub end: Arc<CommandEnd>,
    /// What a parse step read from it.
    pub vars: Map<String, Value>,
}

/// An answer to a prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What was answered.
    pub response: String,
    /// By whom; `None` when the timeout chose it.
    pub by: Option<String>,
    /// When.
    pub at: Timestamp,
}
