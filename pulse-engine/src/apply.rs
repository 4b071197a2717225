//! Folding: one function takes every event into the state, for live work and for recovery alike. It evaluates nothing
//! and decides nothing. An event that cannot follow what came before fails loudly.

mod commands;

use crate::state::*;
use crate::vars;
use commands::{command_ended, command_moved, result};
use pulse_core::event::{Entry, Event, FORMAT, Next, StepRef, WorkerRef};
use pulse_core::ids::{FrameId, Seq};
use pulse_core::status::{CommandStatus, StepStatus};
use pulse_core::time::Timestamp;
use serde_json::Value;
use std::sync::Arc;

/// The name of the frame that follows a failure.
pub(crate) const ON_FAILURE: &str = "on_failure";
/// The name of the frame that always comes last.
pub(crate) const FINALLY: &str = "finally";

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
        Event::ExecutionCreated { format, workflow, definition, params, targets, started_by, trigger, parent } => {
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
                parent: parent.clone(),
            }));
            state.frames.insert(FrameId::ROOT, Frame::new(0, "steps"));
        }
        Event::ExecutionQueued { .. } => state.queued = true,
        Event::ExecutionStarted { deadline } => {
            state.queued = false;
            state.deadline = *deadline;
        }
        Event::FrameStarted { parent, frame_id, list, name, index, item } => {
            frame_started(state, parent.as_ref(), *frame_id, *list, name, *index, item.as_ref())?;
        }
        Event::FrameFinished { parent, frame_id, name, status, error } => {
            frame_finished(state, parent.as_ref(), *frame_id, name, *status, error.as_ref())?;
        }
        Event::ItemsResolved { at, items } => {
            let run = FramesRun { items: Arc::new(items.clone()), ..FramesRun::default() };
            active(state, at)?.run = Run::Frames(run);
        }
        Event::ChildStarted { at, execution_id, workflow, params, depth } => {
            active(state, at)?.run = Run::Child { execution_id: *execution_id };
            state.children.push(ChildRecord {
                execution_id: *execution_id,
                step: at.step_id.clone(),
                workflow: workflow.clone(),
                params: Arc::new(Value::Object(params.clone())),
                depth: *depth,
                status: None,
            });
        }
        Event::ChildFinished { at, execution_id, status, state: values, .. } => {
            state.stopping.retain(|stopping| stopping.what != Given::Child(*execution_id));
            let values = Arc::new(Value::Object(values.clone()));
            let before = record(state, at).child.replace((*execution_id, *status, values.clone()));
            vars::exchange(state, before.as_ref().map(|(.., values)| &**values), Some(&values));
            let child = state.children.iter_mut().find(|child| child.execution_id == *execution_id);
            child.ok_or("there is no such child")?.status = Some(*status);
        }
        Event::StepStarted { at, run, deadline } => {
            start(state, at, now, StepStatus::Running);
            record(state, at).run = *run;
            frame(state, at)?.active = Some(Active { at: at.clone(), run: Run::Started, deadline: *deadline });
        }
        Event::StepSkipped { at, next, .. } => {
            let record = record(state, at);
            record.status = StepStatus::Skipped;
            (record.started_at, record.finished_at) = (None, Some(now));
            go(state, at, next)?;
        }
        Event::ConditionError { .. } | Event::WorkerOffline { .. } | Event::NoWorkers { .. } => {}
        Event::TargetsResolved { at, selector, targets, awaited, await_until, await_any } => {
            record(state, at).targets = targets.iter().chain(awaited).map(|worker| worker.worker.clone()).collect();
            let target = |worker: &WorkerRef, state| Target { worker: worker.clone(), state };
            let online = targets.iter().map(|worker| target(worker, TargetState::Waiting));
            let awaited = awaited.iter().map(|worker| target(worker, TargetState::Awaited));
            let (targets, await_until, await_any) = (online.chain(awaited).collect(), *await_until, *await_any);
            let selector = selector.as_slice().into();
            active(state, at)?.run =
                Run::Execute(ExecuteRun { selector, targets, await_until, await_any, ..ExecuteRun::default() });
        }
        Event::WorkerStillOffline { at, worker } => {
            target(execute_run(state, at)?, worker)?.state = TargetState::Failed("it was offline for too long".into());
        }
        Event::CommandSent { at, worker, command_id, attempt, spec, command } => {
            let run = execute_run(state, at)?;
            if run.command.is_none() {
                run.command = Some((Arc::new(spec.clone()), command.as_str().into()));
            }
            target(run, worker)?.state = TargetState::Running { command_id: *command_id, attempt: *attempt };
            state.commands.insert(*command_id, (at.frame, at.step_id.clone()));
            record(state, at).commands.push(CommandRecord {
                id: *command_id,
                worker: worker.clone(),
                attempt: *attempt,
                status: CommandStatus::Running,
                exit_code: None,
                duration_ms: None,
            });
        }
        Event::CommandMoved { at, worker, from, command_id, .. } => {
            command_moved(state, at, *command_id, from, worker)?;
        }
        Event::CommandHeld { at, command_id, .. } => drop(execute_run(state, at)?.held.insert(*command_id)),
        Event::NotStopped { command_id, execution_id, .. } => {
            state.stopping.retain(|stopping| match &stopping.what {
                Given::Command(command) => Some(command.command_id) != *command_id,
                Given::Child(id) => Some(*id) != *execution_id,
            });
        }
        Event::CommandResult { at, worker, command_id, attempt, success, end, late } => {
            let is_it = |what: &Given| matches!(what, Given::Command(command) if command.command_id == *command_id);
            state.stopping.retain(|stopping| !is_it(&stopping.what));
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
            let unstarted = |target: &&mut Target| matches!(target.state, TargetState::Waiting | TargetState::Awaited);
            for target in run.targets.iter_mut().filter(unstarted) {
                target.state = TargetState::Skipped;
            }
        }
        Event::Prompt { at, prompt_id, message, options, output, output_hash, deadline, fields, allow } => {
            let record = record(state, at);
            record.status = StepStatus::Waiting;
            record.shown = Some(output_hash.clone());
            active(state, at)?.run = Run::Prompt(OpenPrompt {
                id: *prompt_id,
                message: message.clone(),
                options: options.clone(),
                output: output.clone(),
                deadline: *deadline,
                fields: fields.clone(),
                allow: allow.clone(),
            });
        }
        Event::PromptResponse { at, prompt_id, response, by, fields } => {
            state.answered.push((*prompt_id, by.clone()));
            answer(state, at, now, response, Some(by));
            vars::set(state, fields);
        }
        Event::PromptTimeout { at, response, .. } => {
            if let Some(response) = response {
                answer(state, at, now, response, None);
            }
        }
        Event::WaitStarted { at, until } => {
            record(state, at).status = StepStatus::Waiting;
            active(state, at)?.run = Run::Wait { until: *until };
        }
        Event::WaitFinished { at } => record(state, at).status = StepStatus::Running,
        Event::ParseComplete { at, from, parsed, by_worker, next, .. } => {
            vars::set(state, parsed);
            let from = state
                .chain(at.frame)
                .into_iter()
                .map(|frame| (frame, from.clone()))
                .find(|k| state.steps.contains_key(k));
            if let Some(record) = from.and_then(|key| state.steps.get_mut(&key)) {
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
                instant(state, at, now, next, None)?;
            }
        }
        Event::RouteTaken { at, label, next, .. } => instant(state, at, now, next, Some(label))?,
        Event::RouteUnmatched { at, next } => instant(state, at, now, next, None)?,
        Event::ValuesSet { at, values, next } => {
            vars::set(state, values);
            instant(state, at, now, next, None)?;
        }
        Event::StepFinished { at, status, error, next } => {
            if matches!(status, StepStatus::Aborted | StepStatus::Failed) {
                let begun = state.begun_by(at, now);
                state.stopping.extend(begun);
            }
            // A step whose condition or expression failed has not started: this is its only event.
            if state.frames.get(&at.frame).is_none_or(|frame| frame.active.is_none()) {
                start(state, at, now, *status);
            }
            let record = record(state, at);
            (record.status, record.finished_at, record.error) = (*status, Some(now), error.clone());
            if *status == StepStatus::Failed {
                let error = error.as_ref().map(|error| format!("step `{}`: {error}", at.step_id));
                frame(state, at)?.error = error;
                go(state, at, next)?;
            } else {
                // Not one of an earlier run.
                let answer = record.response.as_ref().filter(|answer| answer.at == now);
                let answer = answer.map(|answer| answer.response.clone());
                go(state, at, next)?;
                led(state, at, next, answer.as_deref().filter(|_| *status == StepStatus::Completed))?;
            }
        }
        Event::WorkflowError { message } => state.error = Some(message.clone()),
        Event::ServerRestartRecovery { .. } => {}
        Event::AbortRequested { by, reason } => {
            // Whoever asks again does not want to wait.
            if state.abort.is_some() {
                state.stopping.clear();
            }
            state.abort.get_or_insert_with(|| (by.clone(), reason.clone()));
        }
        Event::ExecutionFinished { status, error } => {
            state.finished = Some((now, *status));
            state.stopping.clear();
            state.error.clone_from(error);
        }
    }
    Ok(())
}

/// A step of which one event says all: it has started and ended well.
fn instant(state: &mut State, at: &StepRef, now: Timestamp, next: &Next, why: Option<&str>) -> Result<(), String> {
    start(state, at, now, StepStatus::Completed);
    record(state, at).finished_at = Some(now);
    go(state, at, next)?;
    led(state, at, next, why)
}

/// A step that has not failed leads on: past what failed before, or to `fail`, for which it is the reason then, with its
/// label or answer. A failure that led to this step is told beside it.
fn led(state: &mut State, at: &StepRef, next: &Next, why: Option<&str>) -> Result<(), String> {
    let aborted = state.steps.get(&(at.frame, at.step_id.clone())).map(|record| record.status);
    let frame = frame(state, at)?;
    let before = frame.error.take();
    if *next == Next::Fail && aborted != Some(StepStatus::Aborted) {
        let why = why.filter(|why| !why.is_empty()).map(|why| format!(" ({why})")).unwrap_or_default();
        let before = before.map(|error| format!(", after {error}")).unwrap_or_default();
        frame.error = Some(format!("step `{}` led to `fail`{why}{before}", at.step_id));
    }
    Ok(())
}

/// Counts a step's start and clears what its run before has left.
fn start(state: &mut State, at: &StepRef, now: Timestamp, status: StepStatus) {
    state.steps_started += 1;
    state.started_at.get_or_insert(now);
    if let Some(frame) = state.frames.get_mut(&at.frame) {
        frame.position = Position::At(at.step_id.clone());
    }
    let record = state.steps.entry((at.frame, at.step_id.clone())).or_insert_with(|| new_record(at));
    record.run += 1;
    record.status = status;
    (record.started_at, record.finished_at, record.error) = (Some(now), None, None);
    let commands = std::mem::take(&mut record.commands);
    record.results.clear();
    record.frames.clear();
    if let Some((.., values)) = record.child.take() {
        vars::exchange(state, Some(&values), None);
    }
    for command in commands {
        if command.is_owed() {
            state.earlier.insert(command.id, command);
        } else {
            state.commands.remove(&command.id);
        }
    }
}

/// A list of steps starts: within a step, or as the next phase of the execution.
fn frame_started(
    state: &mut State,
    parent: Option<&StepRef>,
    id: FrameId,
    list: u32,
    name: &str,
    index: u32,
    item: Option<&(String, Value)>,
) -> Result<(), String> {
    if state.frames.contains_key(&id) || id.0 != state.frames_started + 1 {
        return Err(format!("frame {} is not the next one", id.0));
    }
    state.frames_started = id.0;
    let mut frame = Frame { index, ..Frame::new(list, name) };
    frame.item = item.map(|(name, value)| (name.clone(), Arc::new(value.clone())));
    match parent {
        Some(owner) => {
            let above = state.frames.get(&owner.frame).ok_or("its step runs nowhere")?;
            (frame.last, frame.last_step) = (above.last.clone(), above.last_step.clone());
            frame.owner = Some(owner.clone());
            let run = active(state, owner)?;
            if !matches!(run.run, Run::Frames(_)) {
                run.run = Run::Frames(FramesRun::default());
            }
            if let Run::Frames(run) = &mut run.run {
                run.started += 1;
                run.running.push(id);
            }
        }
        None => {
            let root = state.frames.get(&FrameId::ROOT).ok_or("there is no root frame")?;
            (frame.last, frame.last_step) = (root.last.clone(), root.last_step.clone());
            if state.phase == Phase::Main && state.error.is_none() {
                state.error.clone_from(&root.error);
            }
            state.phase = if name == ON_FAILURE { Phase::OnFailure(id) } else { Phase::Finally(id) };
            state.steps_before = state.steps_started;
        }
    }
    state.frames.insert(id, frame);
    Ok(())
}

fn frame_finished(
    state: &mut State,
    parent: Option<&StepRef>,
    id: FrameId,
    name: &str,
    status: StepStatus,
    error: Option<&String>,
) -> Result<(), String> {
    let Some(owner) = parent else {
        // A top-level list that ends between two of its steps.
        let frame = state.frames.get_mut(&id).ok_or_else(|| format!("there is no frame {}", id.0))?;
        frame.position = Position::Failed;
        return Ok(());
    };
    let frame = state.frames.shift_remove(&id).ok_or_else(|| format!("there is no frame {}", id.0))?;
    if let Run::Frames(run) = &mut active(state, owner)?.run {
        run.running.retain(|running| *running != id);
        run.failed += u32::from(status != StepStatus::Completed);
    }
    let result = FrameResult {
        name: name.to_owned(),
        item: frame.item.map(|(_, value)| value),
        status,
        error: error.cloned(),
        last: frame.last.clone(),
    };
    let frames = &mut record(state, owner).frames;
    let index = frame.index as usize;
    if frames.len() <= index {
        frames.resize(index + 1, None);
    }
    frames[index] = Some(result);
    if let Some(above) = state.frames.get_mut(&owner.frame)
        && frame.last.is_some()
    {
        (above.last, above.last_step) = (frame.last, frame.last_step);
    }
    Ok(())
}

fn record<'s>(state: &'s mut State, at: &StepRef) -> &'s mut StepRecord {
    state.steps.entry((at.frame, at.step_id.clone())).or_insert_with(|| new_record(at))
}

fn new_record(at: &StepRef) -> StepRecord {
    StepRecord {
        name: at.step_name.clone(),
        run: 0,
        status: StepStatus::Pending,
        started_at: None,
        finished_at: None,
        error: None,
        commands: Vec::new(),
        targets: Vec::new(),
        results: Default::default(),
        response: None,
        shown: None,
        frames: Vec::new(),
        child: None,
    }
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

fn answer(state: &mut State, at: &StepRef, now: Timestamp, response: &str, by: Option<&String>) {
    let record = record(state, at);
    record.status = StepStatus::Running;
    record.response = Some(Answer { response: response.to_owned(), by: by.cloned(), at: now });
    vars::answer(state, response);
}
