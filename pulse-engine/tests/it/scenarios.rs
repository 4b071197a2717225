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
            assert_eq!(got, expected, "{context}");
        }
        if let Some(expected) = scenario.get("state") {
            assert_eq!(*self.state.vars, expected.to_json(), "{}: state", self.name);
        }
        if let Some(expected) = scenario.get("status") {
            assert_eq!(self.state.status().to_string(), text(expected), "{}: status", self.name);
        }
        self.fold_again();
    }

    fn input(&self, step: &Node) -> Input {
        if let Some(params) = step.get("start") {
            let Value::Object(given) = params.to_json() else { panic!("start takes parameters") };
            let params = resolve_params(&self.plan.workflow.params, &given).unwrap();
            let (started_by, trigger) = ("tester".to_owned(), Trigger::Api);
            let start = Start { workflow: None, definition: None, params, targets: None, started_by, trigger };
            return Input::Start(Box::new(start));
        }
        if let Some(result) = step.get("result") {
            return self.result(result);
        }
        if let Some(response) = step.get("answer") {
            let by = step.get("by").map_or_else(|| "ann".to_owned(), text);
            return Input::Answer { prompt_id: None, response: text(response), by };
        }
        if let Some(reason) = step.get("abort") {
            return Input::Abort { by: "ann".to_owned(), reason: reason.scalar_text() };
        }
        if step.get("recovered").is_some() {
            return Input::Recovered;
        }
        Input::Timer
    }

    fn result(&self, result: &Node) -> Input {
        let worker = text(result.get("worker").unwrap());
        let newest = self.journal.iter().rev().find_map(|entry| match &entry.event {
            Event::CommandSent { worker: to, command_id, .. } if *to.worker == *worker => Some(*command_id),
            _ => None,
        });
        let outcome = match result.get("outcome").map(text).as_deref() {
            Some("lost") => Outcome::Lost,
            Some("timed_out") => Outcome::TimedOut,
            Some("cancelled") => Outcome::Cancelled,
            Some("not_started") => Outcome::NotStarted,
            _ => Outcome::Exited,
        };
        let exit = result.get("exit").map_or(0, |node| text(node).parse().unwrap());
        let end = CommandEnd {
            exit_code: (outcome == Outcome::Exited).then_some(exit),
            stdout: result.get("stdout").map(text).unwrap_or_default(),
            error: None,
            outcome,
            ..CommandEnd::without_process(outcome, "")
        };
        Input::CommandFinished { command_id: newest.expect("the worker got a command"), end: Box::new(end) }
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
        Event::TargetsResolved { targets, .. } => {
            let names: Vec<_> = targets.iter().map(|target| &*target.worker).collect();
            format!("{kind} {step}: {}", names.join(" "))
        }
        Event::WorkerOffline { worker, reason, .. } => format!("{kind} {step}: {} {reason}", worker.worker),
        Event::CommandSent { worker, attempt, command, .. } => {
            format!("{kind} {step} {} #{attempt}: {}", worker.worker, command.trim_end())
        }
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
        Event::PromptResponse { response, by, .. } => format!("{kind} {step}: {response} by {by}"),
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
