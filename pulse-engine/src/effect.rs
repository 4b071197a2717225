//! What an event asks the world to do. Effects are carried out only after their event is durable.

use crate::state::{ExecuteRun, Outstanding, Run, State};
use pulse_core::event::{Entry, Event};
use pulse_core::ids::{CommandId, PromptId, WorkerId};
use pulse_core::status::ExecutionStatus;
use pulse_core::time::Timestamp;
use std::sync::Arc;

/// Something to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send a command to its worker, again and again until it is accepted.
    Dispatch(Outstanding),
    /// Stop a command.
    Cancel {
        /// On which worker.
        worker_id: WorkerId,
        /// Which.
        command_id: CommandId,
        /// Why.
        reason: String,
    },
    /// Give the input [`crate::Input::Timer`] at this time.
    SetTimer {
        /// When.
        at: Timestamp,
    },
    /// Show a question to people.
    OpenPrompt {
        /// Which.
        prompt_id: PromptId,
    },
    /// A question is no longer open.
    ClosePrompt {
        /// Which.
        prompt_id: PromptId,
    },
    /// Tell whoever wants to know: a command ended.
    Notify {
        /// On which worker.
        worker: String,
        /// Whether it counts as success.
        success: bool,
    },
    /// The execution has ended.
    Finish {
        /// How.
        status: ExecutionStatus,
    },
}

/// The effects of an event, given the state right after it.
pub fn effects(state: &State, entry: &Entry) -> Vec<Effect> {
    match &entry.event {
        Event::CommandSent { at, worker, command_id, attempt, spec, .. } => {
            // The roll-out's own copy of the spec is shared by all of its targets.
            let shared = match state.frames.get(&at.frame).and_then(|frame| frame.active.as_ref()).map(|a| &a.run) {
                Some(Run::Execute(ExecuteRun { command: Some((shared, _)), .. })) => shared.clone(),
                _ => Arc::new(spec.clone()),
            };
            vec![Effect::Dispatch(Outstanding {
                command_id: *command_id,
                worker: worker.clone(),
                step: at.step_id.clone(),
                attempt: *attempt,
                spec: shared,
            })]
        }
        Event::CommandResult { worker, success, .. } => {
            vec![Effect::Notify { worker: worker.worker.to_string(), success: *success }]
        }
        Event::CommandRetry { retry_at, .. } => vec![Effect::SetTimer { at: *retry_at }],
        Event::WaitStarted { until, .. } => vec![Effect::SetTimer { at: *until }],
        Event::Prompt { prompt_id, deadline, .. } => {
            vec![Effect::OpenPrompt { prompt_id: *prompt_id }, Effect::SetTimer { at: *deadline }]
        }
        Event::PromptResponse { prompt_id, .. } | Event::PromptTimeout { prompt_id, .. } => {
            vec![Effect::ClosePrompt { prompt_id: *prompt_id }]
        }
        Event::AbortRequested { by, .. } => {
            let reason = format!("aborted by {by}");
            let cancel = |command: Outstanding| Effect::Cancel {
                worker_id: command.worker.worker_id,
                command_id: command.command_id,
                reason: reason.clone(),
            };
            let prompts = state.prompts().map(|(_, _, prompt)| Effect::ClosePrompt { prompt_id: prompt.id });
            state.outstanding().into_iter().map(cancel).chain(prompts).collect()
        }
        Event::ExecutionFinished { status, .. } => vec![Effect::Finish { status: *status }],
        _ => Vec::new(),
    }
}
