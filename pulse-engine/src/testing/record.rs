//! From the journal of an execution that has happened to a test that passes.

use super::past::Past;
use super::walked::Walked;
use crate::fleet::FleetWorker;
use crate::state::Run;
use indexmap::IndexMap;
use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::event::{Entry, Event, StepRef};
use pulse_core::ids::{CommandId, ExecutionId, PromptId, StepId, WorkerId};
use pulse_core::status::{ExecutionStatus, StepStatus, WorkerStatus};
use pulse_core::time::Timestamp;
use pulse_core::workflow::ParamType;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// When what never came would have come, after what ended it: so late that no other delay makes it matter.
const MUCH_LATER: Duration = Duration::from_secs(86_400);

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

/// What was asked.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Id {
    Command(CommandId),
    Prompt(PromptId),
    Child(ExecutionId),
}

/// Something that was asked and has not been answered.
struct Asked {
    /// Its place among the entries.
    slot: usize,
    at: StepRef,
    worker: Option<Arc<str>>,
    since: Timestamp,
    limit: Duration,
}

/// The entries so far, and what is still open.
#[derive(Default)]
struct Open {
    /// In the order of asking; empty while there is no answer.
    given: Vec<Option<Value>>,
    asked: IndexMap<Id, Asked>,
    /// What was told to stop: its place among the entries, and when.
    told: HashMap<Id, (usize, Timestamp)>,
    awaited: Vec<(WorkerId, usize, Timestamp)>,
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
        if let Some(stopping) = walked.state.stopping.first() {
            return Err(NotATest::Running(stopping.at.step_id.clone()));
        }
    }
    let mut test = Map::new();
    let title = origin.workflow.as_ref().map_or("a quick command", |workflow| workflow.name.as_str());
    test.insert("name".into(), json!(format!("{title}, as execution {id} went")));
    test.insert("params".into(), params(&origin.params, definition));
    if let Some(targets) = &origin.targets {
        test.insert("targets".into(), json!(targets));
    }
    let queued = journal.iter().any(|entry| matches!(entry.event, Event::ExecutionQueued { .. }));
    let admitted = journal.iter().find(|entry| matches!(entry.event, Event::ExecutionStarted { .. }));
    let start = admitted.filter(|_| queued).map_or(origin.created_at, |entry| entry.timestamp);
    test.insert("execution".into(), json!({"id": id, "started_by": origin.started_by, "at": start}));
    let mut given = given(journal, start);
    let expect = Value::Object(expect(&walked, journal));
    // Children get new ids, unless one shows.
    let shows = |id: &Value| id.as_str().is_some_and(|id| expect.to_string().contains(id));
    for given in given.iter_mut().filter_map(Value::as_object_mut) {
        if given.get("execution_id").is_some_and(|id| !shows(id)) {
            given.shift_remove("execution_id");
        }
    }
    test.insert("given".into(), Value::Array(given));
    test.insert("expect".into(), expect);
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

/// The parameters, with an empty one for every secret that was not given: a test gives all others.
fn params(given: &Value, definition: &str) -> Value {
    let mut params = given.clone();
    let declared = pulse_core::workflow::parse(definition).workflow.map(|workflow| workflow.params).unwrap_or_default();
    for secret in declared.iter().filter(|param| param.kind == ParamType::Secret) {
        if let Value::Object(params) = &mut params {
            params.entry(secret.name.clone()).or_insert(Value::Null);
        }
    }
    params
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

/// What came from outside, in the order in which it was asked for: that is the order in which a test uses its entries.
fn given(journal: &[Entry], start: Timestamp) -> Vec<Value> {
    let mut open = Open::default();
    for entry in journal {
        let now = entry.timestamp;
        match &entry.event {
            Event::CommandSent { at, worker, command_id, spec, .. } => {
                let id = worker.worker_id;
                if let Some(index) = open.awaited.iter().position(|(awaited, ..)| *awaited == id) {
                    let (_, slot, since) = open.awaited.swap_remove(index);
                    let came = json!({"step": at.step_id, "worker": worker.worker, "online": true});
                    open.given[slot] = Some(taking(came, now.since(since)));
                }
                let limit = Duration::from_millis(spec.timeout_ms);
                open.ask(Id::Command(*command_id), at, Some(worker.worker.clone()), now, limit);
            }
            Event::TargetsResolved { awaited, .. } => {
                for worker in awaited {
                    open.awaited.push((worker.worker_id, open.given.len(), now));
                    open.given.push(None);
                }
            }
            Event::CommandResult { command_id, late: true, .. } => open.stopped(Id::Command(*command_id), now),
            Event::CommandResult { at, worker, command_id, end, late: false, .. } => {
                let exited = end.outcome == Outcome::Exited;
                open.answer(Id::Command(*command_id), now, exited, command(&at.step_id, &worker.worker, end));
            }
            Event::Prompt { at, prompt_id, .. } => open.ask(Id::Prompt(*prompt_id), at, None, now, Duration::MAX),
            Event::PromptResponse { at, prompt_id, response, by, fields } => {
                let mut answer = json!({"step": at.step_id, "answer": response, "by": by});
                if !fields.is_empty() {
                    answer["fields"] = Value::Object(fields.clone());
                }
                open.answer(Id::Prompt(*prompt_id), now, false, answer);
            }
            Event::PromptTimeout { prompt_id, .. } => {
                if let Some(asked) = open.asked.shift_remove(&Id::Prompt(*prompt_id)) {
                    open.given[asked.slot] = Some(json!({"step": asked.at.step_id, "timeout": true}));
                }
            }
            Event::ChildStarted { at, execution_id, .. } => {
                open.ask(Id::Child(*execution_id), at, None, now, Duration::MAX);
            }
            Event::ChildFinished { at, execution_id, status, error, state } => {
                let mut child = json!({"step": at.step_id, "status": status, "execution_id": execution_id});
                if let Some(error) = error {
                    child["error"] = json!(error);
                }
                if !state.is_empty() {
                    child["state"] = Value::Object(state.clone());
                }
                open.answer(Id::Child(*execution_id), now, false, child);
                open.stopped(Id::Child(*execution_id), now);
            }
            Event::AbortRequested { by, reason } => {
                let reason = reason.as_ref().map_or(Value::Bool(true), |reason| json!(reason));
                open.given.push(Some(taking(json!({"abort": reason, "by": by}), now.since(start))));
            }
            Event::StepFinished { at, status: StepStatus::Aborted, .. } => {
                let of = |asked: &StepRef| asked.frame == at.frame && asked.step_id == at.step_id;
                open.give_up(now, true, of);
            }
            Event::ExecutionFinished { .. } => open.give_up(now, false, |_| true),
            _ => {}
        }
    }
    open.given.into_iter().flatten().collect()
}

impl Open {
    fn ask(&mut self, id: Id, at: &StepRef, worker: Option<Arc<str>>, since: Timestamp, limit: Duration) {
        self.asked.insert(id, Asked { slot: self.given.len(), at: at.clone(), worker, since, limit });
        self.given.push(None);
    }

    fn answer(&mut self, id: Id, now: Timestamp, limited: bool, value: Value) {
        if let Some(Asked { slot, since, limit, .. }) = self.asked.shift_remove(&id) {
            // The time in which a command waited for its worker does not count against its time limit.
            let took = if limited { now.since(since).min(limit) } else { now.since(since) };
            self.given[slot] = Some(taking(value, took));
        }
    }

    /// What was told to stop has ended.
    fn stopped(&mut self, id: Id, now: Timestamp) {
        if let Some((slot, told)) = self.told.remove(&id)
            && let Some(Value::Object(given)) = &mut self.given[slot]
        {
            match now.since(told) {
                Duration::ZERO => drop(given.shift_remove("stops_after")),
                took => drop(given.insert("stops_after".into(), milliseconds(took))),
            }
        }
    }

    /// What was asked by a step that was given up, or by an execution that ended, would have come later. What was `told`
    /// to stop goes on as long, until the journal says otherwise.
    fn give_up(&mut self, now: Timestamp, told: bool, of: impl Fn(&StepRef) -> bool) {
        for (id, asked) in self.asked.extract_if(.., |_, asked| of(&asked.at)) {
            let step = &asked.at.step_id;
            let later = now.since(asked.since) + MUCH_LATER;
            let mut given = match id {
                Id::Command(_) => taking(json!({"step": step, "worker": asked.worker, "outcome": "cancelled"}), later),
                Id::Prompt(_) => json!({"step": step, "timeout": true}),
                Id::Child(id) => taking(json!({"step": step, "status": "aborted", "execution_id": id}), later),
            };
            if told && !matches!(id, Id::Prompt(_)) {
                given["stops_after"] = milliseconds(MUCH_LATER);
                self.told.insert(id, (asked.slot, now));
            }
            self.given[asked.slot] = Some(given);
        }
    }
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
    if end.stdout_bytes > end.stdout.len() as u64 {
        given.insert("stdout_bytes".into(), json!(end.stdout_bytes));
    }
    if let Some(error) = &end.error {
        given.insert("error".into(), json!(error));
    }
    Value::Object(given)
}

/// An entry of `given` that takes its time.
fn taking(mut given: Value, time: Duration) -> Value {
    if !time.is_zero() {
        given["duration"] = milliseconds(time);
    }
    given
}

fn milliseconds(time: Duration) -> Value {
    json!(format!("{}ms", time.as_millis()))
}

/// The longest part of an error that is the same each time: children get new ids, and which workers are known changes.
fn lasting<'e>(error: &'e str, walked: &Walked) -> &'e str {
    let mut parts = vec![error.split("; known are: ").next().unwrap_or(error)];
    for child in &walked.state.children {
        let id = child.execution_id.to_string();
        parts = parts.into_iter().flat_map(|part| part.split(id.as_str())).collect();
    }
    parts.into_iter().max_by_key(|part| part.len()).unwrap_or(error)
}

fn expect(walked: &Walked, journal: &[Entry]) -> Map<String, Value> {
    let state = &walked.state;
    let mut expect = Map::new();
    let status = if state.finished.is_some() { state.status() } else { ExecutionStatus::Waiting };
    expect.insert("status".into(), json!(status));
    if let Some(error) = &state.error {
        expect.insert("error".into(), json!(lasting(error, walked)));
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
