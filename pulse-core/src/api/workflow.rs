//! Workflows.

use crate::diagnostic::Diagnostic;
use crate::ids::{StepId, WorkflowId};
use crate::time::Timestamp;
use crate::workflow::Param;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A workflow in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct WorkflowSummary {
    /// Its id.
    pub id: WorkflowId,
    /// Its name, unique ignoring case.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// What has to be given when it is started.
    pub params: Vec<Param>,
    /// Which version of the definition is current, from 1.
    pub version: u32,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A workflow with its definition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct WorkflowView {
    /// What a list shows.
    #[serde(flatten)]
    pub summary: WorkflowSummary,
    /// The definition as it was given.
    pub definition: String,
    /// Told when an execution ends or waits for input.
    pub webhook: Option<String>,
    /// Its steps and ways.
    pub graph: WorkflowGraph,
    /// Warnings about the definition.
    pub diagnostics: Vec<Diagnostic>,
}

/// An entry of a workflow's history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct WorkflowVersionView {
    /// Which version.
    pub version: u32,
    /// Who saved it.
    pub saved_by: String,
    /// When.
    pub saved_at: Timestamp,
}

/// A workflow to be stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct WorkflowPut {
    /// Its name; the definition's own when not given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub name: Option<String>,
    /// What it is for; the definition's own when not given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub description: Option<String>,
    /// YAML text, or JSON as text or as an object.
    #[cfg_attr(test, ts(type = "string | Record<string, unknown>"))]
    pub definition: Value,
    /// Told when an execution ends or waits for input.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub webhook: Option<String>,
}

/// A definition to be looked at and not stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct CheckRequest {
    /// YAML text, or JSON as text or as an object.
    #[cfg_attr(test, ts(type = "string | Record<string, unknown>"))]
    pub definition: Value,
}

/// What looking at a definition gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CheckResult {
    /// Whether it could be stored.
    pub valid: bool,
    /// Everything found.
    pub diagnostics: Vec<Diagnostic>,
    /// Its steps and ways, when it could be read.
    pub graph: Option<WorkflowGraph>,
}

/// Steps and the ways between them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct WorkflowGraph {
    /// The steps, in order.
    pub nodes: Vec<GraphNode>,
    /// The ways.
    pub edges: Vec<GraphEdge>,
}

/// A step of a graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GraphNode {
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
    /// The document's list that it belongs to.
    #[serde(default)]
    pub list: GraphList,
    /// Its condition: when that is false, the step is skipped.
    #[serde(default)]
    pub condition: Option<String>,
}

/// One of a document's lists of steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum GraphList {
    /// The main steps. When they end, `finally` follows; when they failed or were aborted, `on_failure` comes before it.
    #[default]
    Steps,
    /// What runs when the main steps failed or were aborted; `finally` follows, however it ends.
    OnFailure,
    /// What always runs, last.
    Finally,
}

/// A way from a step to another, or to `end` or `fail`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GraphEdge {
    /// From which step.
    pub from: StepId,
    /// To a step's id, or `end` or `fail`: those of the list that the step belongs to.
    pub to: String,
    /// When it is taken, if not always.
    pub label: String,
    /// Why it is taken.
    #[serde(default)]
    pub kind: GraphWay,
}

/// Why a way is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum GraphWay {
    /// The step succeeded.
    #[default]
    Next,
    /// A route or a person chose it.
    Choice,
    /// The step's condition was false.
    Skipped,
    /// The step failed, or what it stands in does.
    Error,
    /// A prompt's time was over.
    Timeout,
    /// Into a branch, or an item of a loop.
    Inside,
}
