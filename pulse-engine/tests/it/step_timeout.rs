//! What a step whose time is over gives up: its child execution, and the commands of its branches. The events are in
//! `scenarios/step_timeout.yaml`.

use pulse_core::ids::{ExecutionId, WorkerId};
use pulse_core::status::{ExecutionStatus, Trigger, WorkerStatus};
use pulse_core::time::Timestamp;
use pulse_engine::fleet::{Fleet, FleetWorker};
use pulse_engine::{Context, Effect, Input, Plan, Start, State, advance, effects, fold, load};
use serde_json::Map;
use uuid::Uuid;

struct Run {
    plan: Plan,
    state: State,
    fleet: Fleet,
}

impl Run {
    fn start(source: &str) -> (Self, Vec<Effect>) {
        let loaded = load(source);
        let plan = loaded.plan.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
        let (id, status) = (WorkerId(Uuid::from_u128(1)), WorkerStatus::Online);
        let here =
            FleetWorker { id, name: "here".into(), labels: [].into(), status, draining: false, active: 0, capacity: 1 };
        let state = State::new(ExecutionId(Uuid::from_u128(2)));
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
        let mut run = Self { plan, state, fleet: Fleet { workers: vec![here] } };
        let effects = run.give(Input::Start(Box::new(start)), 0);
        (run, effects)
    }

    /// Gives an input at a second; the effects must be those that the entries have for whoever folds them again.
    fn give(&mut self, input: Input, second: i64) -> Vec<Effect> {
        let cx = Context { now: Timestamp::from_millis(second * 1_000), entropy: second as u64, fleet: &self.fleet };
        let mut before = self.state.clone();
        let transition = advance(&self.plan, &mut self.state, input, &cx).unwrap();
        let mut again = Vec::new();
        for entry in &transition.entries {
            let after = fold(before.clone(), [entry]).unwrap();
            again.extend(effects(&before, &after, entry));
            before = after;
        }
        assert_eq!(again, transition.effects);
        transition.effects
    }
}

#[test]
fn a_child_is_told_who_aborted_its_parent_and_why() {
    for (reason, told) in [(Some("lunch"), "aborted by ann: lunch"), (None, "aborted by ann")] {
        let (mut run, _) = Run::start("steps: [{id: sub, workflow: other}]");
        let execution_id = run.state.open_children().next().unwrap().execution_id;
        let effects = run.give(Input::Abort { by: "ann".to_owned(), reason: reason.map(str::to_owned) }, 30);
        let abort = Effect::AbortChild { execution_id, reason: told.to_owned() };
        assert!(effects.contains(&abort), "{effects:?}");
    }
}

#[test]
fn a_child_is_aborted_and_one_that_fails_by_itself_is_not() {
    let source = "steps: [{id: sub, workflow: other, timeout: 1m, on_error: continue}, {id: b, message: hm}]";
    let (mut run, effects) = Run::start(source);
    let timer = effects.iter().any(|effect| matches!(effect, Effect::SetTimer { at } if at.as_millis() == 60_000));
    assert!(timer, "{effects:?}");
    assert_eq!(run.state.wake_at(), Some(Timestamp::from_millis(60_000)));
    let child = run.state.open_children().next().unwrap().execution_id;
    let effects = run.give(Input::Timer, 60);
    let reason = "its step failed: it did not end within 1m (timeout)".to_owned();
    assert!(effects.contains(&Effect::AbortChild { execution_id: child, reason }), "{effects:?}");

    let (mut run, _) = Run::start(source);
    let execution_id = run.state.open_children().next().unwrap().execution_id;
    let status = ExecutionStatus::Failed;
    let effects = run.give(Input::ChildFinished { execution_id, status, error: None, state: Map::new() }, 30);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::AbortChild { .. })), "{effects:?}");
    // Long after: the step is over, its time limit with it.
    assert!(run.give(Input::Timer, 100).is_empty());
}

#[test]
fn commands_of_branches_are_cancelled() {
    let (mut run, _) = Run::start("steps: [{id: p, timeout: 10s, branches: [[{command: a}], [{command: b}]]}]");
    assert_eq!(run.state.outstanding().len(), 2);
    assert!(run.give(Input::Timer, 9).is_empty());
    let effects = run.give(Input::Timer, 10);
    assert_eq!(effects.iter().filter(|effect| matches!(effect, Effect::Cancel { .. })).count(), 2, "{effects:?}");
    assert!(effects.contains(&Effect::SetTimer { at: Timestamp::from_millis(20_000) }), "{effects:?}");
    assert_eq!(run.state.status(), ExecutionStatus::Running);
    assert!(run.give(Input::Timer, 19).is_empty());
    let _ = run.give(Input::Timer, 20);
    assert_eq!((run.state.status(), run.state.wake_at()), (ExecutionStatus::Failed, None));
}
