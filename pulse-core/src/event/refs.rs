//! What events point at: steps, workers, workflows, other executions, and the places where a list of steps goes on.

use crate::ids::{ExecutionId, FrameId, StepId, WorkerId, WorkflowId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Which step an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct StepRef {
    /// The frame in which it runs.
    pub frame: FrameId,
    /// Its number in the document, from 1.
    pub step: u32,
    /// Its id.
    pub step_id: StepId,
    /// Its name.
    #[cfg_attr(test, ts(type = "string"))]
    pub step_name: Arc<str>,
}

/// The step of another execution that runs an execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ParentRef {
    /// The execution.
    pub execution_id: ExecutionId,
    /// Its step.
    pub step_id: StepId,
    /// How deep the child is, from 1.
    pub depth: u32,
}

/// The workflow an execution runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct WorkflowRef {
    /// Its id.
    pub id: WorkflowId,
    /// Its name at that time.
    pub name: String,
    /// Which version of its definition, from 1; 0 for a file that is stored nowhere.
    pub version: u32,
}

/// A worker as it was when targets were resolved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct WorkerRef {
    /// Its id.
    pub worker_id: WorkerId,
    /// Its name.
    #[cfg_attr(test, ts(type = "string"))]
    pub worker: Arc<str>,
}

/// One answer of an open prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct OpenOption {
    /// Shown on the button.
    pub label: String,
    /// What it counts as.
    pub value: String,
    /// Whether it is drawn as dangerous.
    #[serde(default)]
    pub danger: bool,
}

/// Where a list of steps goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// At a step.
    Step(StepId),
    /// Nowhere: it has ended well.
    End,
    /// Nowhere: it has failed.
    Fail,
}
