//! Scenarios: each file of `tests/scenarios/` is a workflow, inputs, and the events that must follow. Whatever a
//! scenario does, its journal is folded again at every prefix and must give the same state.

use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::event::{Entry, Event, Next};
use pulse_core::ids::{ExecutionId, WorkerId};
use pulse_core::status::{Trigger, WorkerStatus};
use pulse_core::time::Timestamp;
use pulse_core::workflow::resolve_params;
use pulse_core::yaml::{Node, NodeKind, read};
use pulse_engine::fleet::{Fleet, FleetWorker};
use pulse_engine::{Context, Input, Plan, Start, State, advance, apply, load};
use serde_json::Value;

const START: i64 = 1_800_000_000_000;

#[test]
#[expect(clippy::disallowed_methods, reason = "a test reads its scenarios; the engine itself has no I/O")]
fn every_scenario_holds() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios");
    let mut paths: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 10, "scenarios are missing");
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let source = std::fs::read_to_string(&path).unwrap();
        let mut diagnostics = Default::default();
        let scenario =
            read(&source, &mut diagnostics).unwrap_or_else(|| panic!("{name}: {:?}", diagnostics.into_sorted()));
        Scenario::new(&name, &scenario).run(&scenario);
    }
}

struct Scenario {
    name: String,
    plan: Plan,
    fleet: Fleet,
    state: State,
    now: Timestamp,
    inputs: u64,
    journal: Vec<Entry>,
}

fn text(node: &Node) -> String {
    node.scalar_text().unwrap_or_default()
}

fn list(node: Option<&Node>) -> &[Node] {
    match node.map(|node| &node.kind) {
        Some(NodeKind::List(items)) => items,
        _ => &[],
    }
}

impl Scenario {
    fn new(name: &str, scenario: &Node) -> Self {
        let loaded = load(&text(scenario.get("workflow").expect("a scenario has a workflow")));
        let plan = loaded.plan.unwrap_or_else(|| panic!("{name}: {:#?}", loaded.diagnostics));
        let workers = list(scenario.get("workers")).iter().zip(1_u128..).map(|(worker, number)| {
            let (name, status) = match worker.scalar_text() {
                Some(name) => (name, WorkerStatus::Online),
                None => (text(worker.get("name").unwrap()), text(worker.get("status").unwrap()).parse().unwrap()),
            };
            let id = WorkerId(uuid::Uuid::from_u128(number));
            let labels = Default::default();
            FleetWorker { id, name: name.as_str().into(), labels, status, draining: false, active: 0, capacity: 4 }
        });
        let state = State::new(ExecutionId(uuid::Uuid::from_u128(99)));
        let fleet = Fleet { workers: workers.collect() };
        Self {
            name: name.to_owned(),
            plan,
            fleet,
            state,
            now: Timestamp::from_millis(START),
            inputs: 0,
            journal: vec![],
        }
    }

    fn run(mut self, scenario: &Node) {
        for (index, step) in list(scenario.get("run")).iter().enumerate() {
            let context = format!("{}, run[{index}]", self.name);
            if let Some(worker) = step.get("online") {
                let worker = self.worker(&text(worker));
                (worker.status, worker.draining) = (WorkerStatus::Online, false);
            }
            if let Some(name) = step.get("enrols") {
                let (id, name) = (WorkerId(uuid::Uuid::from_u128(98)), text(name).as_str().into());
                let (labels, status) = (Default::default(), WorkerStatus::Online);
                let (draining, active, capacity) = (false, 0, 4);
                self.fleet.workers.push(FleetWorker { id, name, labels, status, draining, active, capacity });
            }
            if let Some(worker) = step.get("drain") {
                self.worker(&text(worker)).draining = true;
            }
            if let Some(worker) = step.get("offline") {
                self.worker(&text(worker)).status = WorkerStatus::Offline;
            }
            if let Some(worker) = step.get("full") {
                let worker = self.worker(&text(worker));
                worker.active = worker.capacity;
            }
            if let Some(after) = step.get("after") {
                self.now = self.now.plus(pulse_core::duration::parse(&text(after)).unwrap());
            }
            let input = self.input(step);
            let cx = Context { now: self.now, entropy: self.inputs, fleet: &self.fleet };
            self.inputs += 1;
            let got = match advance(&self.plan, &mut self.state, input, &cx) {
                Ok(transition) => {
                    let lines = transition.entries.iter().map(|entry| line(&entry.event)).collect();
                    self.journal.extend(transition.entries);
                    lines
                }
                Err(refused) => vec![format!("refused: {refused}")],
            };
            let expected: Vec<String> = list(step.get("expect")).iter().map(text).collect();
            assert_eq!(
                got,
                expected,
                "{context}:\n{}",
                got.iter().map(|l| format!("      - {l:?}\n")).collect::<String>()
            );
        }
        if let Some(expected) = scenario.get("state") {
            assert_eq!(*self.state.vars, expected.to_json(), "{}: state", self.name);
        }
        if let Some(expected) = scenario.get("status") {
            assert_eq!(self.state.status().to_string(), text(expected), "{}: status", self.name);
        }
        self.fold_again();
    }

    fn worker(&mut self, name: &str) -> &mut FleetWorker {
        self.fleet.workers.iter_mut().find(|worker| *worker.name == *name).expect("there is such a worker")
    }

    fn input(&mut self, step: &Node) -> Input {
        if let Some(params) = step.get("start") {
            let Value::Object(given) = params.to_json() else { panic!("start takes parameters") };
            let params = resolve_params(&self.plan.workflow.params, &given).unwrap();
            let (started_by, trigger) = ("tester".to_owned(), Trigger::Api);
            let queue = step.get("queue").map(|limit| text(limit).parse().unwrap());
            let (workflow, definition, targets, parent) = (None, None, None, None);
            let start = Start { workflow, definition, params, targets, started_by, trigger, parent, queue };
            return Input::Start(Box::new(start));
        }
        if let Some(worker) = step.get("stranded") {
            let worker_id = self.worker(&text(worker)).id;
            let outstanding = self.state.outstanding();
            let found = outstanding.iter().find(|command| command.worker.worker_id == worker_id);
            return Input::CommandStranded { command_id: found.expect("it has a command").command_id, worker_id };
        }
        if let Some(result) = step.get("result") {
            return self.result(result);
        }
        if let Some(response) = step.get("answer") {
            let by = step.get("by").map_or_else(|| "ann".to_owned(), text);
            let fields = step.get("fields").map_or(Value::Null, Node::to_json);
            let fields = fields.as_object().cloned().unwrap_or_default();
            let prompt_id = step.get("to").map(|to| self.open_prompt(&text(to)));
            return Input::Answer { prompt_id, response: text(response), by, fields };
        }
        if let Some(reason) = step.get("abort") {
            return Input::Abort { by: "ann".to_owned(), reason: reason.scalar_text() };
        }
        if let Some(worker) = step.get("online").or(step.get("enrols")) {
            let worker = self.fleet.workers.iter().find(|known| *known.name == *text(worker)).unwrap();
            return Input::WorkerOnline { worker_id: worker.id };
        }
        if step.get("admitted").is_some() {
            return Input::Admitted;
        }
        if let Some(child) = step.get("child") {
            let execution_id = self.state.open_children().next().expect("a child runs").execution_id;
            let status = text(child.get("status").unwrap()).parse().unwrap();
            let state = child.get("state").map_or(Value::Null, Node::to_json);
            let state = state.as_object().cloned().unwrap_or_default();
            return Input::ChildFinished { execution_id, status, error: child.get("error").map(text), state };
        }
        if step.get("recovered").is_some() {
            return Input::Recovered;
        }
        Input::Timer
    }

    /// The open prompt whose message begins like this.
    fn open_prompt(&self, message: &str) -> pulse_core::ids::PromptId {
        let found = self.state.prompts().find(|(_, _, prompt)| prompt.message.starts_with(message));
        found.expect("such a prompt is open").2.id
    }

    fn result(&self, result: &Node) -> Input {
        let worker = text(result.get("worker").unwrap());
        let step = result.get("step").map(text);
        let command = result.get("command").map(text);
        // The newest command that fits, or the so-manieth.
        let mut fitting = self.journal.iter().filter_map(|entry| match &entry.event {
            Event::CommandSent { at, worker: to, command_id, command: sent, .. }
                if *to.worker == *worker
                    && step.as_ref().is_none_or(|step| *step == at.step_id.as_str())
                    && command.as_ref().is_none_or(|command| command == sent) =>
            {
                Some(*command_id)
            }
            _ => None,
        });
        let command_id = match result.get("nth") {
            Some(nth) => fitting.nth(text(nth).parse::<usize>().unwrap() - 1),
            None => fitting.next_back(),
        };
        let outcome = match result.get("outcome").map(text).as_deref() {
            Some("lost") => Outcome::Lost,
            Some("timed_out") => Outcome::TimedOut,
            Some("cancelled") => Outcome::Cancelled,
            Some("not_started") => Outcome::NotStarted,
            _ => Outcome::Exited,
        };
        let exit = result.get("exit").map_or(0, |node| text(node).parse().unwrap());
        let stdout = result.get("stdout").map(text).unwrap_or_default();
        let end = CommandEnd {
            stdout_bytes: result.get("bytes").map_or(stdout.len() as u64, |node| text(node).parse().unwrap()),
            exit_code: (outcome == Outcome::Exited).then_some(exit),
            stdout,
            error: None,
            outcome,
            ..CommandEnd::without_process(outcome, "")
        };
        Input::CommandFinished { command_id: command_id.expect("the worker got a command"), end: Box::new(end) }
    }

    /// Folding the journal gives the state, and a journal survives its own JSON.
    fn fold_again(&self) {
        let mut folded = State::new(self.state.id);
        for entry in &self.journal {
            let text = serde_json::to_string(entry).unwrap();
            let entry: Entry = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
            apply(&mut folded, &entry).unwrap();
        }
        assert_eq!(folded, self.state, "{}: folded again", self.name);
    }
}

fn next(next: &Next) -> String {
    match next {
        Next::Step(id) => id.to_string(),
        Next::End => "end".to_owned(),
        Next::Fail => "fail".to_owned(),
    }
}

/// An event as a scenario writes it.
fn line(event: &Event) -> String {
    let kind = event.kind();
    let step = event.step().map(|at| at.step_id.to_string()).unwrap_or_default();
    let seconds = |time: &Timestamp| time.since(Timestamp::from_millis(START)).as_secs_f64();
    match event {
        Event::ExecutionCreated { .. } => kind.to_owned(),
        Event::StepStarted { run, .. } if *run > 1 => format!("{kind} {step} again ({run})"),
        Event::StepSkipped { next: to, .. } => format!("{kind} {step} -> {}", next(to)),
        Event::TargetsResolved { targets, awaited, .. } => {
            let names: Vec<_> = targets.iter().map(|target| &*target.worker).collect();
            let awaited: String = awaited.iter().map(|target| format!(" ({})", target.worker)).collect();
            format!("{kind} {step}: {}{awaited}", names.join(" "))
        }
        Event::WorkerStillOffline { worker, .. } => format!("{kind} {step}: {}", worker.worker),
        Event::ExecutionQueued { limit } => format!("{kind}: {limit}"),
        Event::ExecutionStarted { deadline } => match deadline {
            Some(deadline) => format!("{kind} until {}s", seconds(deadline)),
            None => kind.to_owned(),
        },
        Event::FrameStarted { frame_id, name, item, .. } => {
            let item = item.as_ref().map(|(name, value)| format!(" {name}={value}")).unwrap_or_default();
            format!("{kind} {step} #{} {name}{item}", frame_id.0)
        }
        Event::FrameFinished { frame_id, status, error, .. } => {
            let error = error.as_ref().map(|error| format!(" ({error})")).unwrap_or_default();
            format!("{kind} {step} #{}: {status}{error}", frame_id.0)
        }
        Event::ItemsResolved { items, .. } => format!("{kind} {step}: {}", Value::Array(items.clone())),
        Event::ChildStarted { workflow, params, depth, .. } => {
            format!("{kind} {step}: {workflow} {} at depth {depth}", Value::Object(params.clone()))
        }
        Event::ChildFinished { status, .. } => format!("{kind} {step}: {status}"),
        Event::WorkerOffline { worker, reason, .. } => format!("{kind} {step}: {} {reason}", worker.worker),
        Event::CommandSent { worker, attempt, command, .. } => {
            format!("{kind} {step} {} #{attempt}: {}", worker.worker, command.trim_end())
        }
        Event::CommandMoved { worker, from, attempt, reason, .. } => {
            format!("{kind} {step} {} -> {} #{attempt}: {reason}", from.worker, worker.worker)
        }
        Event::CommandHeld { worker, attempt, reason, .. } => {
            format!("{kind} {step} {} #{attempt}: {reason}", worker.worker)
        }
        Event::NotStopped { worker, .. } => format!("{kind} {step} {}", worker.as_deref().unwrap_or("child")),
        Event::CommandResult { worker, attempt, success, end, late, .. } => {
            let how = if *success { "ok" } else { "failed" };
            let late = if *late { " late" } else { "" };
            format!("{kind} {step} {} #{attempt}: {how} {}{late}", worker.worker, end.describe())
        }
        Event::CommandRetry { worker, attempt, delay_ms, .. } => {
            format!("{kind} {step} {} #{attempt} in {delay_ms}ms", worker.worker)
        }
        Event::RolloutStopped { failures, not_started, .. } => {
            let names: Vec<_> = not_started.iter().map(|target| &*target.worker).collect();
            format!("{kind} {step} after {failures}: {}", names.join(" "))
        }
        Event::Prompt { message, options, deadline, .. } => {
            let options: Vec<_> = options.iter().map(|option| option.label.as_str()).collect();
            format!("{kind} {step}: {message} [{}] until {}s", options.join("|"), seconds(deadline))
        }
        Event::PromptResponse { response, by, fields, .. } if fields.is_empty() => {
            format!("{kind} {step}: {response} by {by}")
        }
        Event::PromptResponse { response, by, fields, .. } => {
            format!("{kind} {step}: {response} by {by} with {}", Value::Object(fields.clone()))
        }
        Event::PromptTimeout { response, .. } => {
            format!("{kind} {step}: {}", response.as_deref().unwrap_or("nothing"))
        }
        Event::WaitStarted { until, .. } => format!("{kind} {step} until {}s", seconds(until)),
        Event::ParseComplete { parsed, next: to, .. } => {
            let to = to.as_ref().map_or("(goes on)".to_owned(), next);
            format!("{kind} {step}: {} -> {to}", Value::Object(parsed.clone()))
        }
        Event::RouteTaken { condition, label, next: to, .. } => {
            format!("{kind} {step}: {condition} ({label}) -> {}", next(to))
        }
        Event::RouteUnmatched { next: to, .. } => format!("{kind} {step} -> {}", next(to)),
        Event::ValuesSet { values, next: to, .. } => {
            format!("{kind} {step}: {} -> {}", Value::Object(values.clone()), next(to))
        }
        Event::StepFinished { status, error, next: to, .. } => match error {
            Some(error) => format!("{kind} {step}: {status} ({error}) -> {}", next(to)),
            None => format!("{kind} {step}: {status} -> {}", next(to)),
        },
        Event::WorkflowError { message } => format!("{kind}: {message}"),
        Event::ConditionError { .. } => format!("{kind} {step}"),
        Event::AbortRequested { by, reason } => format!("{kind} by {by}: {}", reason.as_deref().unwrap_or("-")),
        Event::ServerRestartRecovery { running_commands } => format!("{kind}: {running_commands}"),
        Event::ExecutionFinished { status, error } => match error {
            Some(error) => format!("{kind}: {status} ({error})"),
            None => format!("{kind}: {status}"),
        },
        _ => format!("{kind} {step}"),
    }
}
