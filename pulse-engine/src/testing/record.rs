//! From the journal of an execution that has happened to a test that passes.

use super::past::Past;
use super::walked::Walked;
use crate::fleet::FleetWorker;
use crate::state::Run;
use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::event::{Entry, Event};
use pulse_core::ids::{CommandId, ExecutionId, PromptId, StepId};
use pulse_core::status::{ExecutionStatus, WorkerStatus};
use pulse_core::time::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// Why no test can be made of a journal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotATest {
    /// It is still going on.
    #[error("the execution has not ended: step `{0}` is still at work")]
    Running(StepId),
    /// It holds no start.
    #[error("the journal is empty")]
    Empty,
    /// It does not fold.
    #[error(transparent)]
    Misfit(#[from] crate::Misfit),
}

/// What was asked and has not been answered, and when it was asked.
#[derive(Default)]
struct Open {
    commands: HashMap<CommandId, (Timestamp, u64)>,
    prompts: HashMap<PromptId, Timestamp>,
    children: HashMap<ExecutionId, Timestamp>,
    awaited: Vec<(pulse_core::ids::WorkerId, Timestamp)>,
}

/// A test file, as a value to be written as YAML, whose one test goes the way that a journal went. `workflow` is the
/// file to name; without one, the test file holds the `definition` itself. `known` are workers as they are now, for labels
/// that the journal does not tell.
///
/// # Errors
/// When the execution has neither ended nor waits for a person.
pub fn record(
    id: ExecutionId,
    journal: &[Entry],
    workflow: Option<&str>,
    definition: &str,
    known: &[FleetWorker],
) -> Result<Value, NotATest> {
    let mut walked = Walked::new(id);
    for entry in journal {
        walked.entry(entry)?;
    }
    let origin = walked.state.origin.clone().ok_or(NotATest::Empty)?;
    if walked.state.finished.is_none() {
        let at_work = walked.state.active().find(|(_, active)| !matches!(active.run, Run::Prompt(_) | Run::Frames(_)));
        if let Some((_, active)) = at_work {
            return Err(NotATest::Running(active.at.step_id.clone()));
        }
    }
    let mut test = Map::new();
    let title = origin.workflow.as_ref().map_or("a quick command", |workflow| workflow.name.as_str());
    test.insert("name".into(), json!(format!("{title}, as execution {id} went")));
    test.insert("params".into(), (*origin.params).clone());
    if let Some(targets) = &origin.targets {
        test.insert("targets".into(), json!(targets));
    }
    let queued = journal.iter().any(|entry| matches!(entry.event, Event::ExecutionQueued { .. }));
    let admitted = journal.iter().find(|entry| matches!(entry.event, Event::ExecutionStarted { .. }));
    let start = admitted.filter(|_| queued).map_or(origin.created_at, |entry| entry.timestamp);
    test.insert("execution".into(), json!({"id": id, "started_by": origin.started_by, "at": start}));
    test.insert("given".into(), Value::Array(given(journal)));
    test.insert("expect".into(), Value::Object(expect(&walked, journal)));
    let mut file = Map::new();
    match workflow {
        Some(path) => file.insert("workflow".into(), json!(path)),
        None => file.insert("definition".into(), json!(definition)),
    };
    let workers: Vec<Value> = Past::of(journal, known).first_seen(journal).iter().map(worker).collect();
    file.insert("workers".into(), Value::Array(workers));
    file.insert("tests".into(), Value::Array(vec![Value::Object(test)]));
    Ok(Value::Object(file))
}

fn worker(worker: &FleetWorker) -> Value {
    let status = if worker.draining { "draining" } else { worker.status.as_str() };
    if worker.labels.is_empty() && worker.status == WorkerStatus::Online && !worker.draining {
        return json!(worker.name);
    }
    let mut value = json!({"name": worker.name, "status": status});
    if !worker.labels.is_empty() {
        value["labels"] = json!(worker.labels);
    }
    value
}

/// What came from outside, in the order in which it came: entries that happen at once happen in this order.
fn given(journal: &[Entry]) -> Vec<Value> {
    let (mut open, mut given) = (Open::default(), Vec::new());
    for entry in journal {
        let now = entry.timestamp;
        let after = |since: Timestamp| now.since(since);
        match &entry.event {
            Event::CommandSent { at, worker, command_id, spec, .. } => {
                open.commands.insert(*command_id, (now, spec.timeout_ms));
                if let Some(index) = open.awaited.iter().position(|(id, _)| *id == worker.worker_id) {
                    let (_, since) = open.awaited.swap_remove(index);
                    let came = json!({"step": at.step_id, "worker": worker.worker, "online": true});
                    given.push(taking(came, after(since)));
                }
            }
            Event::TargetsResolved { awaited, .. } => {
                open.awaited.extend(awaited.iter().map(|worker| (worker.worker_id, now)));
            }
            Event::CommandResult { at, worker, command_id, end, late: false, .. } => {
                let Some((since, limit)) = open.commands.remove(command_id) else { continue };
                // The time in which it waited for its worker does not count against its time limit.
                let took = if end.outcome == Outcome::Exited {
                    after(since).min(Duration::from_millis(limit))
                } else {
                    after(since)
                };
                given.push(taking(command(&at.step_id, &worker.worker, end), took));
            }
            Event::Prompt { prompt_id, .. } => drop(open.prompts.insert(*prompt_id, now)),
            Event::PromptResponse { at, prompt_id, response, by, fields } => {
                let mut answer = json!({"step": at.step_id, "answer": response, "by": by});
                if !fields.is_empty() {
                    answer["fields"] = Value::Object(fields.clone());
                }
                let since = open.prompts.remove(prompt_id).unwrap_or(now);
                given.push(taking(answer, after(since)));
            }
            Event::PromptTimeout { at, prompt_id, .. } => {
                open.prompts.remove(prompt_id);
                given.push(json!({"step": at.step_id, "timeout": true}));
            }
            Event::ChildStarted { execution_id, .. } => drop(open.children.insert(*execution_id, now)),
            Event::ChildFinished { at, execution_id, status, error, state } => {
                let mut child = json!({"step": at.step_id, "status": status});
                if let Some(error) = error {
                    child["error"] = json!(error);
                }
                if !state.is_empty() {
                    child["state"] = Value::Object(state.clone());
                }
                let since = open.children.remove(execution_id).unwrap_or(now);
                given.push(taking(child, after(since)));
            }
            Event::AbortRequested { by, reason } => given.extend(aborts(journal, entry, &open, by, reason.as_deref())),
            _ => {}
        }
    }
    given
}

/// An abort is given at every step that was at work then: the first ends the execution.
fn aborts(journal: &[Entry], abort: &Entry, open: &Open, by: &str, reason: Option<&str>) -> Vec<Value> {
    let now = abort.timestamp;
    let reason = reason.map_or(Value::Bool(true), |reason| json!(reason));
    let one = |step: &StepId, worker: Option<&str>, since: Timestamp| {
        let mut value = json!({"step": step, "abort": reason, "by": by});
        if let Some(worker) = worker {
            value["worker"] = json!(worker);
        }
        taking(value, now.since(since))
    };
    let mut waiting: HashMap<(pulse_core::ids::FrameId, StepId), Timestamp> = HashMap::new();
    let mut found = Vec::new();
    for entry in journal.iter().take_while(|entry| entry.seq < abort.seq) {
        match &entry.event {
            Event::CommandSent { at, worker, command_id, .. } if open.commands.contains_key(command_id) => {
                found.push(one(&at.step_id, Some(&worker.worker), entry.timestamp));
            }
            Event::Prompt { at, prompt_id, .. } if open.prompts.contains_key(prompt_id) => {
                found.push(one(&at.step_id, None, entry.timestamp));
            }
            Event::ChildStarted { at, execution_id, .. } if open.children.contains_key(execution_id) => {
                found.push(one(&at.step_id, None, entry.timestamp));
            }
            Event::WaitStarted { at, .. } => {
                waiting.insert((at.frame, at.step_id.clone()), entry.timestamp);
            }
            Event::WaitFinished { at } => drop(waiting.remove(&(at.frame, at.step_id.clone()))),
            _ => {}
        }
    }
    found.extend(waiting.iter().map(|((_, step), since)| one(step, None, *since)));
    found
}

fn command(step: &StepId, worker: &str, end: &CommandEnd) -> Value {
    let mut given = Map::new();
    given.insert("step".into(), json!(step));
    given.insert("worker".into(), json!(worker));
    if end.outcome != Outcome::Exited {
        given.insert("outcome".into(), json!(end.outcome));
    } else if let Some(code) = end.exit_code.filter(|code| *code != 0) {
        given.insert("exit_code".into(), json!(code));
    }
    if let Some(signal) = end.signal.filter(|_| end.exit_code.is_none() && end.outcome == Outcome::Exited) {
        given.insert("signal".into(), json!(signal));
    }
    for (name, text) in [("stdout", &end.stdout), ("stderr", &end.stderr)] {
        if !text.is_empty() {
            given.insert(name.into(), json!(text));
        }
    }
    if let Some(error) = &end.error {
        given.insert("error".into(), json!(error));
    }
    Value::Object(given)
}

/// An entry of `given` that takes its time.
fn taking(mut given: Value, time: Duration) -> Value {
    if !time.is_zero() {
        given["duration"] = json!(format!("{}ms", time.as_millis()));
    }
    given
}

fn expect(walked: &Walked, journal: &[Entry]) -> Map<String, Value> {
    let state = &walked.state;
    let mut expect = Map::new();
    let status = if state.finished.is_some() { state.status() } else { ExecutionStatus::Waiting };
    expect.insert("status".into(), json!(status));
    if let Some(error) = &state.error {
        expect.insert("error".into(), json!(error));
    }
    expect.insert("path".into(), json!(walked.path));
    if state.vars.as_object().is_some_and(|vars| !vars.is_empty()) {
        expect.insert("state".into(), (*state.vars).clone());
    }
    let mut commands: Map<String, Value> = Map::new();
    let mut prompts: Map<String, Value> = Map::new();
    let add = |texts: &mut Map<String, Value>, step: &StepId, text: &str| {
        let all = texts.entry(step.to_string()).or_insert_with(|| json!([]));
        if let Value::Array(all) = all {
            all.push(json!(text.trim_end()));
        }
    };
    for entry in journal {
        match &entry.event {
            Event::CommandSent { at, command, .. } => add(&mut commands, &at.step_id, command),
            Event::Prompt { at, message, .. } => add(&mut prompts, &at.step_id, message),
            _ => {}
        }
    }
    for (name, mut texts) in [("commands", commands), ("prompt", prompts)] {
        for all in texts.values_mut() {
            if let Value::Array(list) = all
                && list.iter().all(|text| *text == list[0])
            {
                *all = list[0].take();
            }
        }
        if !texts.is_empty() {
            expect.insert(name.into(), Value::Object(texts));
        }
    }
    expect
}
