//! What of an event is the way an execution goes: what runs where, what is asked, what follows. Numbers, names, labels
//! and texts of a definition may change without another way being gone.

use pulse_core::event::{Entry, Event, WorkerRef};
use pulse_core::ids::WorkerId;

/// The event as far as it tells the way: equal for two events that go the same way.
pub(super) fn way(event: &Event) -> (&'static str, Option<(u32, String)>, String) {
    let ids = |workers: &[WorkerRef]| workers.iter().map(|worker| worker.worker_id).collect::<Vec<WorkerId>>();
    let more = match event {
        Event::TargetsResolved { targets, awaited, .. } => format!("{:?} {:?}", ids(targets), ids(awaited)),
        Event::WorkerOffline { worker, .. } | Event::WorkerStillOffline { worker, .. } => worker.worker_id.to_string(),
        Event::CommandSent { worker, attempt, .. } | Event::CommandRetry { worker, attempt, .. } => {
            format!("{} {attempt}", worker.worker_id)
        }
        Event::CommandMoved { worker, from, .. } => format!("{} {}", from.worker_id, worker.worker_id),
        Event::CommandHeld { worker, .. } => worker.worker_id.to_string(),
        Event::NotStopped { worker, .. } => worker.as_deref().unwrap_or_default().to_owned(),
        Event::CommandResult { worker, attempt, success, late, .. } => {
            format!("{} {attempt} {success} {late}", worker.worker_id)
        }
        Event::RolloutStopped { not_started, .. } => format!("{:?}", ids(not_started)),
        Event::PromptResponse { response, .. } => response.clone(),
        Event::PromptTimeout { response, .. } => format!("{response:?}"),
        Event::RouteTaken { goto, .. } => goto.clone(),
        Event::StepFinished { status, .. } | Event::FrameFinished { status, .. } => status.to_string(),
        Event::ItemsResolved { items, .. } => items.len().to_string(),
        Event::FrameStarted { index, .. } => index.to_string(),
        Event::ChildStarted { workflow, .. } => workflow.clone(),
        Event::ChildFinished { status, .. } | Event::ExecutionFinished { status, .. } => status.to_string(),
        _ => String::new(),
    };
    (event.kind(), event.step().map(|at| (at.frame.0, at.step_id.to_string())), more)
}

/// The new entry with what the journal has drawn at random: its place, its time, its ids and its delay.
pub(super) fn adopt(new: Entry, old: &Entry) -> Entry {
    let mut entry = Entry { seq: old.seq, timestamp: old.timestamp, ..new };
    match (&mut entry.event, &old.event) {
        (Event::CommandSent { command_id: new, .. }, Event::CommandSent { command_id: old, .. }) => *new = *old,
        (
            Event::CommandMoved { command_id: new, .. } | Event::CommandHeld { command_id: new, .. },
            Event::CommandMoved { command_id: old, .. } | Event::CommandHeld { command_id: old, .. },
        ) => *new = *old,
        (
            Event::NotStopped { command_id: new, execution_id: new_child, .. },
            Event::NotStopped { command_id: old, execution_id: old_child, .. },
        ) => (*new, *new_child) = (*old, *old_child),
        (Event::Prompt { prompt_id: new, .. }, Event::Prompt { prompt_id: old, .. }) => *new = *old,
        (Event::ChildStarted { execution_id: new, .. }, Event::ChildStarted { execution_id: old, .. }) => *new = *old,
        (Event::CommandRetry { retry_at, delay_ms, .. }, Event::CommandRetry { retry_at: at, delay_ms: delay, .. }) => {
            (*retry_at, *delay_ms) = (*at, *delay);
        }
        _ => {}
    }
    entry
}
