//! What an execution waits for that asks nothing: a time, workers, children.

use pulse_core::api::ExecutionView;
use pulse_core::event::{Event, StepRef};
use pulse_core::ids::{CommandId, ExecutionId, FrameId, StepId, WorkerId};
use pulse_core::text::one_line;

/// Most that is told.
const MOST: usize = 3;

/// Something that a step waits for.
#[derive(PartialEq)]
enum Awaited {
    Time,
    AnyWorker,
    Worker(WorkerId),
    Retry(WorkerId),
    Command(CommandId),
    Child(ExecutionId),
}

/// What the steps of an execution wait for, in words; `None` where its journal tells of nothing.
pub(super) fn waits_for(view: &ExecutionView) -> Option<String> {
    let mut open: Vec<((FrameId, StepId), Awaited, String)> = Vec::new();
    let key = |at: &StepRef| (at.frame, at.step_id.clone());
    for entry in &view.logs {
        let mut begins = |at: &StepRef, awaited: Awaited, what: String| {
            open.push((key(at), awaited, format!("step `{}` waits {what}", one_line(at.step_id.as_str()))));
        };
        match &entry.event {
            Event::WaitStarted { at, until } => begins(at, Awaited::Time, format!("until {until}")),
            Event::TargetsResolved { at, await_any: true, .. } => {
                begins(at, Awaited::AnyWorker, "for any worker".to_owned());
            }
            Event::TargetsResolved { at, awaited, .. } => {
                for worker in awaited {
                    begins(at, Awaited::Worker(worker.worker_id), format!("for {}", one_line(&worker.worker)));
                }
            }
            Event::WorkerStillOffline { worker, .. } => {
                open.retain(|(_, awaited, _)| *awaited != Awaited::Worker(worker.worker_id));
            }
            Event::CommandSent { at, worker, command_id, .. } => {
                let came = [Awaited::AnyWorker, Awaited::Worker(worker.worker_id), Awaited::Retry(worker.worker_id)];
                open.retain(|(of, awaited, _)| *of != key(at) || !came.contains(awaited));
                let what = format!("for its command on {}", one_line(&worker.worker));
                open.push((key(at), Awaited::Command(*command_id), format!("step `{}` waits {what}", at.step_id)));
            }
            Event::CommandResult { command_id, .. } => {
                open.retain(|(_, awaited, _)| *awaited != Awaited::Command(*command_id));
            }
            Event::CommandRetry { at, worker, retry_at, .. } => {
                let what = format!("until {retry_at} to try again on {}", one_line(&worker.worker));
                begins(at, Awaited::Retry(worker.worker_id), what);
            }
            Event::ChildStarted { at, execution_id, workflow, .. } => {
                let what = format!("for its child execution {execution_id} ({})", one_line(workflow));
                begins(at, Awaited::Child(*execution_id), what);
            }
            Event::ChildFinished { execution_id, .. } => {
                open.retain(|(_, awaited, _)| *awaited != Awaited::Child(*execution_id));
            }
            Event::StepFinished { at, .. } => open.retain(|(of, ..)| *of != key(at)),
            Event::ExecutionFinished { .. } => open.clear(),
            _ => {}
        }
    }
    let more = open.len().saturating_sub(MOST);
    let mut told: Vec<String> = open.into_iter().take(MOST).map(|(.., what)| what).collect();
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    (!told.is_empty()).then(|| told.join(", "))
}
