//! What becomes of commands: where they go, and how they end.

use super::{execute_run, frame, record, target};
use crate::state::*;
use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::event::{StepRef, WorkerRef};
use pulse_core::ids::{Attempt, CommandId};
use pulse_core::status::CommandStatus;
use serde_json::{Map, json};
use std::sync::Arc;

/// A command's worker is another one from now on: nothing is left of the one that it was to run on.
pub(super) fn command_moved(
    state: &mut State,
    at: &StepRef,
    id: CommandId,
    from: &WorkerRef,
    to: &WorkerRef,
) -> Result<(), String> {
    let run = execute_run(state, at)?;
    run.held.remove(&id);
    let moved = target(run, from)?;
    if !matches!(moved.state, TargetState::Running { command_id, .. } if command_id == id) {
        return Err(format!("no such command waits for `{}`", from.worker));
    }
    moved.worker = to.clone();
    let record = record(state, at);
    if let Some(name) = record.targets.iter_mut().find(|name| **name == from.worker) {
        *name = to.worker.clone();
    }
    if let Some(command) = record.commands.iter_mut().find(|command| command.id == id) {
        command.worker = to.clone();
    }
    record.results.shift_remove(&from.worker);
    Ok(())
}

pub(super) fn command_ended(state: &mut State, at: &StepRef, id: CommandId, success: bool, end: &CommandEnd) {
    let status = match end.outcome {
        Outcome::Exited if success => CommandStatus::Completed,
        Outcome::Exited | Outcome::NotStarted => CommandStatus::Failed,
        Outcome::TimedOut => CommandStatus::TimedOut,
        Outcome::Cancelled => CommandStatus::Cancelled,
        Outcome::Lost => CommandStatus::Lost,
    };
    let ended = |command: &mut CommandRecord| {
        (command.status, command.exit_code, command.duration_ms) = (status, end.exit_code, end.took_ms());
    };
    if let Some(command) = record(state, at).commands.iter_mut().find(|command| command.id == id) {
        return ended(command);
    }
    // One of an earlier run: nothing shows it any more, and once it has ended for good it is forgotten.
    if let Some(command) = state.earlier.get_mut(&id) {
        ended(command);
        if !command.is_owed() {
            state.earlier.remove(&id);
            state.commands.remove(&id);
        }
    }
}

pub(super) fn result(
    state: &mut State,
    at: &StepRef,
    worker: &WorkerRef,
    attempt: Attempt,
    success: bool,
    end: &CommandEnd,
) -> Result<(), String> {
    let target = target(execute_run(state, at)?, worker)?;
    if !matches!(target.state, TargetState::Running { attempt: running, .. } if running == attempt) {
        return Err(format!("no such command runs on `{}`", worker.worker));
    }
    target.state = if success { TargetState::Succeeded } else { TargetState::Failed(end.describe()) };
    let result = WorkerResult { success, end: Arc::new(end.clone()), vars: Map::new() };
    record(state, at).results.insert(worker.worker.clone(), result);
    let frame = frame(state, at)?;
    frame.last_step = Some((at.frame, at.step_id.clone()));
    frame.last = Some(Arc::new(json!({
        "stdout": end.stdout,
        "stderr": end.stderr,
        "exit_code": end.exit_code,
        "worker": worker.worker,
        "success": success,
    })));
    Ok(())
}
