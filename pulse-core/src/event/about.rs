//! What any event can be asked, whatever its kind.

use super::{Event, StepRef};

impl Event {
    /// The word for its kind, as in its JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ExecutionCreated { .. } => "execution_created",
            Self::ExecutionQueued { .. } => "execution_queued",
            Self::ExecutionStarted { .. } => "execution_started",
            Self::FrameStarted { .. } => "frame_started",
            Self::FrameFinished { .. } => "frame_finished",
            Self::ItemsResolved { .. } => "items_resolved",
            Self::ChildStarted { .. } => "child_started",
            Self::ChildFinished { .. } => "child_finished",
            Self::WorkerStillOffline { .. } => "worker_still_offline",
            Self::StepStarted { .. } => "step_started",
            Self::StepSkipped { .. } => "step_skipped",
            Self::ConditionError { .. } => "condition_error",
            Self::TargetsResolved { .. } => "targets_resolved",
            Self::WorkerOffline { .. } => "worker_offline",
            Self::NoWorkers { .. } => "no_workers",
            Self::CommandSent { .. } => "command_sent",
            Self::CommandMoved { .. } => "command_moved",
            Self::CommandHeld { .. } => "command_held",
            Self::NotStopped { .. } => "not_stopped",
            Self::CommandResult { .. } => "command_result",
            Self::CommandRetry { .. } => "command_retry",
            Self::RolloutStopped { .. } => "rollout_stopped",
            Self::Prompt { .. } => "prompt",
            Self::PromptResponse { .. } => "prompt_response",
            Self::PromptTimeout { .. } => "prompt_timeout",
            Self::WaitStarted { .. } => "wait_started",
            Self::WaitFinished { .. } => "wait_finished",
            Self::ParseComplete { .. } => "parse_complete",
            Self::RouteTaken { .. } => "route_taken",
            Self::RouteUnmatched { .. } => "route_unmatched",
            Self::ValuesSet { .. } => "values_set",
            Self::StepFinished { .. } => "step_finished",
            Self::WorkflowError { .. } => "workflow_error",
            Self::ServerRestartRecovery { .. } => "server_restart_recovery",
            Self::AbortRequested { .. } => "abort_requested",
            Self::ExecutionFinished { .. } => "execution_finished",
        }
    }

    /// The step it is about, if it is about one.
    pub fn step(&self) -> Option<&StepRef> {
        match self {
            Self::StepStarted { at, .. }
            | Self::ItemsResolved { at, .. }
            | Self::ChildStarted { at, .. }
            | Self::ChildFinished { at, .. }
            | Self::WorkerStillOffline { at, .. }
            | Self::StepSkipped { at, .. }
            | Self::ConditionError { at, .. }
            | Self::TargetsResolved { at, .. }
            | Self::WorkerOffline { at, .. }
            | Self::NoWorkers { at, .. }
            | Self::CommandSent { at, .. }
            | Self::CommandMoved { at, .. }
            | Self::CommandHeld { at, .. }
            | Self::NotStopped { at, .. }
            | Self::CommandResult { at, .. }
            | Self::CommandRetry { at, .. }
            | Self::RolloutStopped { at, .. }
            | Self::Prompt { at, .. }
            | Self::PromptResponse { at, .. }
            | Self::PromptTimeout { at, .. }
            | Self::WaitStarted { at, .. }
            | Self::WaitFinished { at }
            | Self::ParseComplete { at, .. }
            | Self::RouteTaken { at, .. }
            | Self::RouteUnmatched { at, .. }
            | Self::ValuesSet { at, .. }
            | Self::StepFinished { at, .. } => Some(at),
            Self::FrameStarted { parent, .. } | Self::FrameFinished { parent, .. } => parent.as_ref(),
            Self::ExecutionCreated { .. }
            | Self::ExecutionQueued { .. }
            | Self::ExecutionStarted { .. }
            | Self::WorkflowError { .. }
            | Self::ServerRestartRecovery { .. }
            | Self::AbortRequested { .. }
            | Self::ExecutionFinished { .. } => None,
        }
    }
}
