//! How much the values of one execution may take: in one step, in many small ones, in loops, by output, by fields of a
//! prompt and by children. What exceeds it fails its step, and nothing large is in the journal.

use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::event::{Entry, Event};
use pulse_core::ids::{ExecutionId, WorkerId};
use pulse_core::status::{ExecutionStatus, Trigger, WorkerStatus};
use pulse_core::time::Timestamp;
use pulse_engine::fleet::{Fleet, FleetWorker};
use pulse_engine::{Context, Input, Plan, Refused, Start, State, advance, load};
use serde_json::{Map, Value};

/// A text of 1 MiB in `state.t`.
const MEBIBYTE: &str = "{type: set, values: {t: \"'x'\"}}\n  - {id: double, type: set, values: {t: state.t + state.t}}\n  \
                        - {conditions: [{if: len(state.t) < 1048576, goto: double}]}";

struct Run {
    plan: Plan,
    fleet: Fleet,
    state: State,
    journal: Vec<Entry>,
}

impl Run {
    fn start(steps: &str) -> Self {
        let loaded = load(&format!("max_steps: 100000\nsteps:\n  - {steps}\n"));
        let worker = FleetWorker {
            id: WorkerId(uuid::Uuid::from_u128(1)),
            name: "w".into(),
            labels: Default::default(),
            status: WorkerStatus::Online,
            draining: false,
            active: 0,
            capacity: 4,
        };
        let mut run = Self {
            plan: loaded.plan.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics)),
            fleet: Fleet { workers: vec![worker] },
            state: State::new(ExecutionId(uuid::Uuid::from_u128(99))),
            journal: Vec::new(),
        };
        let start = Start {
            workflow: None,
            definition: None,
            params: Map::new(),
            targets: None,
            started_by: "ann".to_owned(),
            trigger: Trigger::Api,
            parent: None,
            queue: None,
        };
        run.input(Input::Start(Box::new(start))).unwrap();
        run
    }

    fn input(&mut self, input: Input) -> Result<(), Refused> {
        let entropy = self.journal.len() as u64;
        let cx = Context { now: Timestamp::from_millis(1_800_000_000_000), entropy, fleet: &self.fleet };
        let transition = advance(&self.plan, &mut self.state, input, &cx)?;
        self.journal.extend(transition.entries);
        Ok(())
    }

    /// What the journal takes as JSON, in bytes.
    fn written(&self) -> usize {
        self.journal.iter().map(|entry| serde_json::to_string(entry).unwrap().len()).sum()
    }

    /// The execution has failed for want of room, and has not taken it.
    fn is_refused(&self, context: &str, written: usize) {
        let error = self.state.error.as_deref().unwrap_or_default();
        assert!(error.contains("MiB"), "{context}: {:?} {error}", self.state.status());
        assert_eq!(self.state.status(), ExecutionStatus::Failed, "{context}");
        assert!(self.state.vars.to_string().len() < 9 << 20, "{context}");
        assert!(self.written() < written, "{context}: {}", self.written());
        let again = pulse_engine::fold(State::new(self.state.id), &self.journal).unwrap();
        assert!(again == self.state, "{context}: the journal folds to another state");
    }
}

#[test]
fn values_that_take_too_much_fail_their_step() {
    let many: String = (0..1_000).map(|n| format!("v{n}: state.t, ")).collect();
    let one_step = format!("{MEBIBYTE}\n  - {{type: set, values: {{{many}}}}}");
    let list = "\n  - {id: grow, type: set, values: {l: 'state.l == () ? [state.t] : state.l + [state.t]'}}";
    let cycle = format!("{MEBIBYTE}{list}\n  - {{conditions: [{{if: len(state.l) < 100, goto: grow}}]}}");
    let items = format!("[{}]", vec!["1"; 100].join(", "));
    let inner = list.replace("\n", "\n    ");
    let looped = format!("{MEBIBYTE}\n  - type: foreach\n    items: {items}\n    steps:{inner}");
    for (steps, written) in [(one_step, 4 << 20), (cycle, 64 << 20), (looped, 64 << 20)] {
        Run::start(&steps).is_refused(&steps, written);
    }
}

#[test]
fn values_that_are_set_over_and_over_fill_no_memory() {
    let steps = format!(
        "{MEBIBYTE}\n  - {{id: n, type: set, values: {{n: '(state.n ?? 0) + 1', u: state.t}}}}\n  - {{conditions: [{{if: \
         state.n < 2000, goto: n}}]}}"
    );
    Run::start(&steps).is_refused(&steps, 70 << 20);
    let once = format!("{MEBIBYTE}\n  - {{type: set, values: {{u: state.t, v: state.t}}}}");
    assert_eq!(Run::start(&once).state.status(), ExecutionStatus::Completed);
}

#[test]
fn items_that_are_gone_through_over_and_over_fill_no_memory() {
    let steps = format!(
        "{MEBIBYTE}\n  - {{id: n, type: set, values: {{n: '(state.n ?? 0) + 1'}}}}\n  - {{type: foreach, items: '[state.t]', \
         steps: [{{type: set, values: {{a: '1'}}}}]}}\n  - {{conditions: [{{if: state.n < 2000, goto: n}}]}}"
    );
    Run::start(&steps).is_refused(&steps, 70 << 20);
}

#[test]
fn output_fields_and_children_have_no_more_room_than_a_set_step() {
    let seven = format!(
        "{MEBIBYTE}\n  - {{type: set, values: {{a: state.t, b: state.t, c: state.t, d: state.t, e: state.t, f: state.t}}}}"
    );
    let lines = "\n".repeat(60 * 1024);
    let mut run = Run::start(&format!("{seven}\n  - {{id: r, command: a, parse: lines}}"));
    let command_id = run.state.outstanding()[0].command_id;
    let end = CommandEnd { exit_code: Some(0), stdout: lines, ..CommandEnd::without_process(Outcome::Exited, "") };
    run.input(Input::CommandFinished { command_id, end: Box::new(end) }).unwrap();
    run.is_refused("output", 20 << 20);

    run = Run::start(&format!("{seven}\n  - {{id: q, message: m, fields: [note]}}"));
    let answer = |text: String| Input::Answer {
        prompt_id: None,
        response: "Continue".to_owned(),
        by: "ann".to_owned(),
        fields: Map::from_iter([("note".to_owned(), Value::String(text))]),
    };
    let refused = run.input(answer("x".repeat(2 << 20))).unwrap_err();
    assert!(matches!(&refused, Refused::BadFields(_)) && refused.to_string().contains("MiB"), "{refused}");
    run.input(answer("short".to_owned())).unwrap();
    assert_eq!(run.state.status(), ExecutionStatus::Completed);

    run = Run::start(&format!("{seven}\n  - {{id: c, workflow: child}}"));
    let execution_id = run.state.open_children().next().unwrap().execution_id;
    let state = Map::from_iter([("t".to_owned(), Value::String("x".repeat(2 << 20)))]);
    run.input(Input::ChildFinished { execution_id, status: ExecutionStatus::Completed, error: None, state }).unwrap();
    run.is_refused("child", 20 << 20);
    assert!(run.journal.iter().any(|entry| matches!(entry.event, Event::ChildFinished { .. })));
}
