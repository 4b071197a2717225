//! Folding: one function takes every event into the state, for live work and for recovery alike. It evaluates nothing
//! and decides nothing. An event that cannot follow what came before fails loudly.

use crate::state::*;
use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::event::{Entry, Event, FORMAT, Next, StepRef, WorkerRef};
use pulse_core::ids::{Attempt, CommandId, FrameId, Seq};
use pulse_core::status::{CommandStatus, StepStatus};
use pulse_core::time::Timestamp;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// An event that cannot follow what came before: the journal is damaged, or written by a newer program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {seq} ({kind}) of the journal does not fit: {reason}")]
pub struct Misfit {
    /// Its place.
    pub seq: Seq,
    /// Its kind.
    pub kind: &'static str,
    /// What does not fit.
    pub reason: String,
}

/// Takes one event into the state.
///
/// # Errors
/// When the event is not the next one, or concerns something the state does not have. The state is then unusable.
pub fn apply(state: &mut State, entry: &Entry) -> Result<(), Misfit> {
    let fold = |state: &mut State| -> Result<(), String> {
        if entry.seq != state.last_seq.next() {
            return Err(format!("it follows event {}", state.last_seq));
        }
        if state.origin.is_none() != matches!(entry.event, Event::ExecutionCreated { .. }) {
            return Err("the first event, and only that, is execution_created".to_owned());
        }
        event(state, entry)?;
        state.last_seq = entry.seq;
        Ok(())
    };
    fold(state).map_err(|reason| Misfit { seq: entry.seq, kind: entry.event.kind(), reason })
}

/// Folds a whole journal.
///
/// # Errors
/// The first event that does not fit.
pub fn fold<'e>(state: State, entries: impl IntoIterator<Item = &'e Entry>) -> Result<State, Misfit> {
    entries.into_iter().try_fold(state, |mut state, entry| apply(&mut state, entry).map(|()| state))
}

fn event(state: &mut State, entry: &Entry) -> Result<(), String> {
    let now = entry.timestamp;
    match &entry.event {
        Event::ExecutionCreated { format, workflow, definition, params, targets, started_by, trigger } => {
            if *format > FORMAT {
                return Err(format!("it has format {format}, this program knows {FORMAT}: use a newer one"));
            }
            state.origin = Some(Arc::new(Origin {
                workflow: workflow.clone(),
                definition: definition.clone(),
                params: Arc::new(Value::Object(params.clone())),
                targets: targets.clone(),
                started_by: started_by.clone(),
                trigger: *trigger,
                created_at: now,
            }));
            state.frames.insert(FrameId::ROOT, Frame { parent: None, position: Position::Start, active: None });
        }
        Event::StepStarted { at, run } => {
            start(state, at, now, StepStatus::Running);
            let record = state.steps.get_mut(&at.step_id).ok_or("unknown step")?;
            record.run = *run;
            frame(state, at)?.active = Some(Active { at: at.clone(), run: Run::Started });
        }
        Event::StepSkipped { at, next, .. } => {
            let record = record(state, at);
            record.status = StepStatus::Skipped;
            (record.started_at, record.finished_at) = (None, Some(now));
            go(state, at, next)?;
        }
        Event::ConditionError { .. } | Event::WorkerOffline { .. } | Event::NoWorkers { .. } => {}
        Event::TargetsResolved { at, targets, .. } => {
            let target = |worker: &WorkerRef| Target { worker: worker.clone(), state: TargetState::Waiting };
            let targets = targets.iter().map(target).collect();
            active(state, at)?.run = Run::Execute(ExecuteRun { targets, ..ExecuteRun::default() });
        }
        Event::CommandSent { at, worker, command_id, attempt, spec, command } => {
            let run = execute_run(state, at)?;
            if run.command.is_none() {
                run.command = Some((Arc::new(spec.clone()), command.as_str().into()));
            }
            target(run, worker)?.state = TargetState::Running { command_id: *command_id, attempt: *attempt };
            record(state, at).commands.push(CommandRecord {
                id: *command_id,
                worker: worker.clone(),
                attempt: *attempt,
                status: CommandStatus::Running,
                exit_code: None,
                duration_ms: None,
            });
        }
        Event::CommandResult { at, worker, command_id, attempt, success, end, late } => {
            command_ended(state, at, *command_id, *success, end);
            if !late {
                result(state, at, worker, *attempt, *success, end)?;
            }
        }
        Event::CommandRetry { at, worker, attempt, retry_at, .. } => {
            let retry = TargetState::Retry { attempt: *attempt, at: *retry_at };
            target(execute_run(state, at)?, worker)?.state = retry;
        }
        Event::RolloutStopped { at, .. } => {
            let run = execute_run(state, at)?;
            run.stopped = true;
            for target in run.targets.iter_mut().filter(|target| target.state == TargetState::Waiting) {
                target.state = TargetState::Skipped;
            }
        }
        Event::Prompt { at, prompt_id, message, options, output, deadline, .. } => {
            record(state, at).status = StepStatus::Waiting;
            active(state, at)?.run = Run::Prompt(OpenPrompt {
                id: *prompt_id,
                message: message.clone(),
                options: options.clone(),
                output: output.clone(),
                deadline: *deadline,
            });
        }
        Event::PromptResponse { at, prompt_id, response, by } => {
            state.answered.push((*prompt_id, by.clone()));
            answer(state, at, response, Some(by));
        }
        Event::PromptTimeout { at, response, .. } => {
            if let Some(response) = response {
                answer(state, at, response, None);
            }
        }
        Event::WaitStarted { at, until } => {
            record(state, at).status = StepStatus::Waiting;
            active(state, at)?.run = Run::Wait { until: *until };
        }
        Event::WaitFinished { at } => record(state, at).status = StepStatus::Running,
        Event::ParseComplete { at, from, parsed, by_worker, next, .. } => {
            set_vars(state, parsed);
            if let Some(record) = state.steps.get_mut(from) {
                let only = record.results.len() == 1;
                for (worker, result) in &mut record.results {
                    match by_worker.get(worker.as_ref()) {
                        Some(Value::Object(vars)) => result.vars = vars.clone(),
                        _ if only => result.vars = parsed.clone(),
                        _ => {}
                    }
                }
            }
            if let Some(next) = next {
                instant(state, at, now, next)?;
            }
        }
        Event::RouteTaken { at, next, .. } | Event::RouteUnmatched { at, next } => instant(state, at, now, next)?,
        Event::ValuesSet { at, values, next } => {
            set_vars(state, values);
            instant(state, at, now, next)?;
        }
        Event::StepFinished { at, status, error, next } => {
            // A step whose condition or expression failed has not started: this is its only event.
            if state.frames.get(&at.frame).is_none_or(|frame| frame.active.is_none()) {
                start(state, at, now, *status);
            }
            let record = record(state, at);
            (record.status, record.finished_at, record.error) = (*status, Some(now), error.clone());
            if *status == StepStatus::Failed {
                state.error = error.as_ref().map(|error| format!("step `{}`: {error}", at.step_id));
            }
            go(state, at, next)?;
        }
        Event::WorkflowError { message } => state.error = Some(message.clone()),
        Event::ServerRestartRecovery { .. } => {}
        Event::AbortRequested { by, reason } => state.abort = Some((by.clone(), reason.clone())),
        Event::ExecutionFinished { status, error } => {
            state.finished = Some((now, *status));
            state.error.clone_from(error);
        }
    }
    Ok(())
}

/// A step of which one event says all: it has started and ended well.
fn instant(state: &mut State, at: &StepRef, now: Timestamp, next: &Next) -> Result<(), String> {
    start(state, at, now, StepStatus::Completed);
    record(state, at).finished_at = Some(now);
    go(state, at, next)
}

/// Counts a step's start and clears what its run before has left.
fn start(state: &mut State, at: &StepRef, now: Timestamp, status: StepStatus) {
    state.steps_started += 1;
    state.started_at.get_or_insert(now);
    if let Some(frame) = state.frames.get_mut(&at.frame) {
        frame.position = Position::At(at.step_id.clone());
    }
    let record = record(state, at);
    record.run += 1;
    record.status = status;
    (record.started_at, record.finished_at, record.error) = (Some(now), None, None);
    record.commands.clear();
    record.results.clear();
}

fn record<'s>(state: &'s mut State, at: &StepRef) -> &'s mut StepRecord {
    state.steps.entry(at.step_id.clone()).or_insert_with(|| StepRecord {
        name: at.step_name.clone(),
        run: 0,
        status: StepStatus::Pending,
        started_at: None,
        finished_at: None,
        error: None,
        commands: Vec::new(),
        results: Default::default(),
        response: None,
    })
}

fn frame<'s>(state: &'s mut State, at: &StepRef) -> Result<&'s mut Frame, String> {
    state.frames.get_mut(&at.frame).ok_or_else(|| format!("there is no frame {}", at.frame.0))
}

fn active<'s>(state: &'s mut State, at: &StepRef) -> Result<&'s mut Active, String> {
    let active = frame(state, at)?.active.as_mut();
    active.filter(|active| active.at.step_id == at.step_id).ok_or_else(|| format!("step `{}` does not run", at.step_id))
}

fn execute_run<'s>(state: &'s mut State, at: &StepRef) -> Result<&'s mut ExecuteRun, String> {
    match &mut active(state, at)?.run {
        Run::Execute(run) => Ok(run),
        _ => Err(format!("step `{}` has no targets", at.step_id)),
    }
}

fn target<'r>(run: &'r mut ExecuteRun, worker: &WorkerRef) -> Result<&'r mut Target, String> {
    let found = run.targets.iter_mut().find(|target| target.worker.worker_id == worker.worker_id);
    found.ok_or_else(|| format!("worker `{}` is no target", worker.worker))
}

/// Moves a frame on; its step is over.
fn go(state: &mut State, at: &StepRef, next: &Next) -> Result<(), String> {
    let frame = frame(state, at)?;
    frame.active = None;
    frame.position = match next {
        Next::Step(id) => Position::At(id.clone()),
        Next::End => Position::Ended,
        Next::Fail => Position::Failed,
    };
    Ok(())
}

fn command_ended(state: &mut State, at: &StepRef, id: CommandId, success: bool, end: &CommandEnd) {
    let status = match end.outcome {
        Outcome::Exited if success => CommandStatus::Completed,
        Outcome::Exited | Outcome::NotStarted => CommandStatus::Failed,
        Outcome::TimedOut => CommandStatus::TimedOut,
        Outcome::Cancelled => CommandStatus::Cancelled,
        Outcome::Lost => CommandStatus::Lost,
    };
    if let Some(command) = record(state, at).commands.iter_mut().find(|command| command.id == id) {
        (command.status, command.exit_code, command.duration_ms) = (status, end.exit_code, Some(end.duration_ms));
    }
}

fn result(
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
    state.last_step = Some(at.step_id.clone());
    state.last = Some(Arc::new(json!({
        "stdout": end.stdout,
        "stderr": end.stderr,
        "exit_code": end.exit_code,
        "worker": worker.worker,
        "success": success,
    })));
    Ok(())
}

fn answer(state: &mut State, at: &StepRef, response: &str, by: Option<&String>) {
    let record = record(state, at);
    record.status = StepStatus::Running;
    record.response = Some((response.to_owned(), by.cloned()));
    set_vars(state, &Map::from_iter([("prompt_response".to_owned(), Value::String(response.to_owned()))]));
}

fn set_vars(state: &mut State, values: &Map<String, Value>) {
    if let Value::Object(vars) = Arc::make_mut(&mut state.vars) {
        vars.extend(values.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
}
