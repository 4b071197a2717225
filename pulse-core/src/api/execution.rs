//! Executions.

use crate::event::{Entry, OpenOption, ParentRef};
use crate::ids::{Attempt, CommandId, ExecutionId, PromptId, StepId};
use crate::status::{CommandStatus, Delivery, ExecutionStatus, StepStatus, Trigger};
use crate::time::Timestamp;
use crate::workflow::Param;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Starting a workflow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct ExecuteRequest {
    /// Parameters; text is read by each parameter's type.
    #[serde(default)]
    #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
    pub params: Map<String, Value>,
    /// Targets that replace the document's own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub targets: Option<Vec<String>>,
    /// Which version of the definition; the current one when not given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub version: Option<u32>,
}

/// A quick command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct CommandRequest {
    /// A shell line. Nothing in it is a template.
    pub command: String,
    /// On which workers.
    pub targets: Vec<String>,
    /// Time limit: seconds as a number, or like `5m`; 5 minutes when not given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional, type = "string | number"))]
    pub timeout: Option<Value>,
    /// How many workers at once; all when not given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub parallel: Option<u32>,
}

/// Something was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Created {
    /// Its id.
    pub id: ExecutionId,
}

/// Answering a prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct RespondRequest {
    /// The answer: one of the options.
    pub response: String,
    /// Which prompt; the only open one when not given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub prompt_id: Option<PromptId>,
    /// The answers to what else is asked; text is read by each field's type.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[cfg_attr(test, ts(type = "Record<string, unknown> | undefined"))]
    pub fields: Map<String, Value>,
}

/// Ending an execution.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct AbortRequest {
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub reason: Option<String>,
}

/// An execution in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ExecutionSummary {
    /// Its id.
    pub id: ExecutionId,
    /// Its workflow's name; none for a quick command.
    pub workflow: Option<String>,
    /// What it runs, in a few words: the workflow's name, or the command.
    pub title: String,
    /// Which version of the definition.
    pub version: Option<u32>,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// Who started it.
    pub started_by: String,
    /// What started it.
    pub trigger: Trigger,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When its first step started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why it failed or was aborted.
    pub error: Option<String>,
    /// Whether it waits for a person.
    pub waiting_for_input: bool,
    /// Whether nobody started it by hand.
    pub automated: bool,
    /// What its commands wait for at the moment, where that is not their own work.
    /// An `execution_update` leaves it out: `delivery_update` has it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub delivery: Option<Delivery>,
}

/// An execution in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ExecutionView {
    /// What a list shows.
    #[serde(flatten)]
    pub summary: ExecutionSummary,
    /// Its parameters.
    #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
    pub params: Map<String, Value>,
    /// The open prompt, the oldest if there are several.
    pub prompt: Option<PromptView>,
    /// All open prompts, the oldest first.
    #[serde(default)]
    pub prompts: Vec<PromptView>,
    /// Every step of the definition, with its last run.
    pub steps: Vec<StepView>,
    /// The values that steps have read and set.
    #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
    pub state: Map<String, Value>,
    /// The execution whose step runs this one.
    #[serde(default)]
    pub parent: Option<ParentView>,
    /// The executions that its steps have started, in that order.
    #[serde(default)]
    pub children: Vec<ChildView>,
    /// The journal.
    pub logs: Vec<Entry>,
}

/// The execution whose step runs another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ParentView {
    /// Which, and which of its steps.
    #[serde(flatten)]
    pub at: ParentRef,
    /// What it runs, in a few words; none when it is no longer kept.
    #[serde(default)]
    pub title: Option<String>,
}

/// An execution that a step of another has started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChildView {
    /// Its id.
    pub execution_id: ExecutionId,
    /// The step that started it.
    pub step_id: StepId,
    /// Its workflow's name.
    pub workflow: String,
    /// How it ended; none while it goes on.
    pub status: Option<ExecutionStatus>,
}

/// An open prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PromptView {
    /// Its id.
    pub id: PromptId,
    /// Of which step.
    pub step: StepId,
    /// The question.
    pub message: String,
    /// What may be answered.
    pub options: Vec<OpenOption>,
    /// The last command's output, for review.
    pub output: String,
    /// When it is too late.
    pub deadline: Timestamp,
    /// What else is asked.
    #[serde(default)]
    pub fields: Vec<Param>,
    /// Groups whose members may answer; every operator when empty.
    #[serde(default)]
    pub allow: Vec<String>,
}

/// A step of an execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct StepView {
    /// Its id.
    pub id: StepId,
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The step it stands in.
    #[serde(default)]
    pub parent: Option<StepId>,
    /// How often it has started.
    #[serde(default)]
    pub runs: u32,
    /// Where it stands: as its last run that goes on, else as its last run.
    pub status: StepStatus,
    /// When that run started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The commands of its last run, in the order in which they were sent.
    pub commands: Vec<CommandView>,
}

/// An attempt of a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CommandView {
    /// Its id.
    pub id: CommandId,
    /// On which worker.
    pub worker: String,
    /// Which try.
    pub attempt: Attempt,
    /// Where it stands.
    pub status: CommandStatus,
    /// Whether it is, or may be, on a worker that cannot be reached at the moment.
    /// The journal does not tell it: live, `execution_delivery` does.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub unreachable: bool,
    /// Its exit code.
    pub exit_code: Option<i32>,
    /// How long it took, in milliseconds, where that is known.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub duration_ms: Option<u64>,
}
