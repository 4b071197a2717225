//! What an event asks the world to do. Effects are carried out only after their event is durable.

use crate::state::{ChildRecord, ExecuteRun, Outstanding, Run, State, Target, TargetState};
use pulse_core::command::CommandSpec;
use pulse_core::event::{Entry, Event, StepRef, WorkerRef};
use pulse_core::ids::{CommandId, ExecutionId, PromptId, WorkerId};
use pulse_core::status::{ExecutionStatus, StepStatus};
use pulse_core::time::Timestamp;
use std::sync::Arc;

/// Something to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send a command to its worker, again and again until it is accepted.
    Dispatch(Outstanding),
    /// Take a command back that was never sent: its worker must not get it any more.
    Withdraw {
        /// From which worker.
        worker_id: WorkerId,
        /// Which.
        command_id: CommandId,
    },
    /// Stop a command.
    Cancel {
        /// On which worker.
        worker_id: WorkerId,
        /// Which.
        command_id: CommandId,
        /// Why.
        reason: String,
    },
    /// Give the input [`crate::Input::WorkerOnline`] when this worker comes.
    AwaitWorker {
        /// Which.
        worker_id: WorkerId,
    },
    /// Give the input [`crate::Input::WorkerOnline`] when any worker comes, one that nobody knows yet among them.
    AwaitAny,
    /// Start another execution, and give the input [`crate::Input::ChildFinished`] when it has ended, or cannot be started.
    StartChild(ChildRecord),
    /// End a child execution.
    AbortChild {
        /// Which.
        execution_id: ExecutionId,
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

/// What a step that is given up asks for, given the state right before the event: nothing that it began goes on.
pub(crate) fn abandoned(state: &State, entry: &Entry) -> Vec<Effect> {
    let Event::StepFinished { at, status: status @ (StepStatus::Aborted | StepStatus::Failed), error, .. } =
        &entry.event
    else {
        return Vec::new();
    };
    let active = state.frames.get(&at.frame).and_then(|frame| frame.active.as_ref());
    if *status == StepStatus::Failed {
        // It fails while its child runs: it is out of time. All else that fails has ended what it ran.
        let child = |child: &&ChildRecord| matches!(active.map(|active| &active.run), Some(Run::Child { execution_id }) if *execution_id == child.execution_id);
        let reason = || format!("its step failed: {}", error.as_deref().unwrap_or_default());
        let abort = |child: &ChildRecord| Effect::AbortChild { execution_id: child.execution_id, reason: reason() };
        return state.open_children().find(child).map(abort).into_iter().collect();
    }
    match active.map(|active| &active.run) {
        Some(Run::Execute(run)) => {
            let running = |target: &Target| match target.state {
                TargetState::Running { command_id, .. } => Some(Effect::Cancel {
                    worker_id: target.worker.worker_id,
                    command_id,
                    reason: state.given_up_for(),
                }),
                _ => None,
            };
            run.targets.iter().filter_map(running).collect()
        }
        Some(Run::Prompt(prompt)) => vec![Effect::ClosePrompt { prompt_id: prompt.id }],
        Some(Run::Child { execution_id }) => {
            vec![Effect::AbortChild { execution_id: *execution_id, reason: state.given_up_for() }]
        }
        _ => Vec::new(),
    }
}

/// All that an event asks the world to do, given the states right before and right after it. [`crate::advance`] answers
/// the effects of its events itself; this is for whoever folds a journal and wants to know.
pub fn effects(before: &State, after: &State, entry: &Entry) -> Vec<Effect> {
    let mut all = abandoned(before, entry);
    all.extend(following(after, entry));
    all
}

/// What an event asks for, given the state right after it.
pub(crate) fn following(state: &State, entry: &Entry) -> Vec<Effect> {
    match &entry.event {
        Event::CommandSent { at, worker, command_id, attempt, spec, .. } => {
            let shared = shared_spec(state, at).unwrap_or_else(|| Arc::new(spec.clone()));
            vec![Effect::Dispatch(Outstanding {
                command_id: *command_id,
                worker: worker.clone(),
                step: at.step_id.clone(),
                attempt: *attempt,
                spec: shared,
            })]
        }
        Event::CommandMoved { at, worker, from, command_id, attempt, .. } => {
            let withdraw = Effect::Withdraw { worker_id: from.worker_id, command_id: *command_id };
            let dispatch = shared_spec(state, at).map(|spec| {
                let (command_id, worker, step) = (*command_id, worker.clone(), at.step_id.clone());
                Effect::Dispatch(Outstanding { command_id, worker, step, attempt: *attempt, spec })
            });
            std::iter::once(withdraw).chain(dispatch).collect()
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
        Event::TargetsResolved { awaited, await_until, await_any, .. } => {
            let timer = await_until.map(|at| Effect::SetTimer { at });
            if *await_any {
                return std::iter::once(Effect::AwaitAny).chain(timer).collect();
            }
            let await_worker = |worker: &WorkerRef| Effect::AwaitWorker { worker_id: worker.worker_id };
            awaited.iter().map(await_worker).chain(timer).collect()
        }
        Event::StepStarted { deadline: Some(at), .. } | Event::ExecutionStarted { deadline: Some(at) } => {
            vec![Effect::SetTimer { at: *at }]
        }
        Event::ChildStarted { execution_id, .. } => {
            let child = state.children.iter().rev().find(|child| child.execution_id == *execution_id);
            child.cloned().map(Effect::StartChild).into_iter().collect()
        }
        Event::StepFinished { at, status: StepStatus::Aborted | StepStatus::Failed, .. } => {
            let stopping =
                state.stopping.iter().find(|stopping| stopping.at == *at && stopping.until > entry.timestamp);
            stopping.map(|stopping| Effect::SetTimer { at: stopping.until }).into_iter().collect()
        }
        Event::ExecutionFinished { status, .. } => vec![Effect::Finish { status: *status }],
        _ => Vec::new(),
    }
}

/// The roll-out's own copy of what is run, shared by all of its targets.
fn shared_spec(state: &State, at: &StepRef) -> Option<Arc<CommandSpec>> {
    match &state.frames.get(&at.frame)?.active.as_ref()?.run {
        Run::Execute(ExecuteRun { command: Some((shared, _)), .. }) => Some(shared.clone()),
        _ => None,
    }
}
