//! The shapes of the HTTP API: requests and views. They are no database rows and no wire messages.

mod access;
mod execution;
mod output;
mod problem;
mod webhook;
mod worker;
mod workflow;

pub use access::{Me, NewToken, SessionRequest, TokenCreated, TokenView};
pub use execution::{
    AbortRequest, ChildView, CommandRequest, CommandView, Created, ExecuteRequest, ExecutionSummary, ExecutionView,
    ParentView, PromptView, RespondRequest, StepView,
};
pub use output::OutputChunk;
pub use problem::Problem;
pub use webhook::{DeliveryView, Notice, NoticePrompt, WebhookKey};
pub use worker::{WorkerChange, WorkerView};
pub use workflow::{
    CheckRequest, CheckResult, GraphEdge, GraphList, GraphNode, GraphWay, WorkflowGraph, WorkflowPut, WorkflowSummary,
    WorkflowVersionView, WorkflowView,
};

use serde::{Deserialize, Serialize};

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page starts; none when this is the last.
    pub next: Option<String>,
}
