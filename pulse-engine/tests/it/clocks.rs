//! Clocks that jump: the time is an input, so a server whose clock is set by hours, or two servers that do not agree, give
//! strange times and nothing worse. Waits are for points in time: what jumps over one ends it, what jumps back postpones it.

use pulse_core::ids::ExecutionId;
use pulse_core::status::{ExecutionStatus, Trigger};
use pulse_core::time::Timestamp;
use pulse_engine::fleet::Fleet;
use pulse_engine::{Context, Input, Start, State, advance, fold, load};
use serde_json::json;
use std::time::Duration;

const HOUR: i64 = 3_600_000;
const NOW: i64 = 1_795_527_091_007;

/// An execution of a definition, and its journal.
struct Trial {
    plan: pulse_engine::Plan,
    state: State,
    journal: Vec<pulse_core::event::Entry>,
}

impl Trial {
    fn start(definition: &str) -> Self {
        Self::started_at(definition, NOW)
    }

    fn started_at(definition: &str, at: i64) -> Self {
        let loaded = load(definition);
        let plan = loaded.plan.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
        let state = State::new(ExecutionId(uuid::Uuid::from_u128(7)));
        let mut trial = Self { plan, state, journal: Vec::new() };
        let start = Start {
            workflow: None,
            definition: Some(definition.to_owned()),
            params: Default::default(),
            targets: None,
            started_by: "ann".into(),
            trigger: Trigger::Api,
            parent: None,
            queue: None,
        };
        trial.give(Input::Start(Box::new(start)), at);
        trial
    }

    /// Gives an input at a time, and holds the fold of the whole journal against the state.
    fn give(&mut self, input: Input, at: i64) {
        let fleet = Fleet::default();
        let cx = Context { now: Timestamp::from_millis(at), entropy: 7, fleet: &fleet };
        let transition = advance(&self.plan, &mut self.state, input, &cx).expect("it is taken");
        self.journal.extend(transition.entries);
        let folded = fold(State::new(self.state.id), &self.journal).expect("it folds");
        assert_eq!(folded, self.state);
    }

    fn status(&self) -> ExecutionStatus {
        self.state.status()
    }

    /// When it wants to be woken, from `NOW`.
    fn wakes_after(&self) -> Option<i64> {
        self.state.wake_at().map(|at| at.as_millis() - NOW)
    }
}

/// Definitions that wait for a time an hour ahead, and how they end when it has come.
const WAITS: &[(&str, ExecutionStatus)] = &[
    ("steps: [{type: wait, duration: 1h}]", ExecutionStatus::Completed),
    ("steps: [{type: wait, until: 'now() + 3600'}]", ExecutionStatus::Completed),
    ("steps: [{type: prompt, message: a, timeout: 1h}]", ExecutionStatus::Failed),
    ("steps: [{type: prompt, message: a, timeout: 1h, options: [x], on_timeout: x}]", ExecutionStatus::Completed),
    ("timeout: 1h\nsteps: [{type: wait, duration: 3h}]", ExecutionStatus::Failed),
    ("steps: [{type: wait, duration: 3h, timeout: 1h}]", ExecutionStatus::Failed),
    (
        "steps: [{type: parallel, branches: [{name: a, steps: [{type: wait, duration: 1h}]}]}]",
        ExecutionStatus::Completed,
    ),
];

#[test]
fn a_jump_ahead_ends_a_wait_and_a_jump_back_postpones_it() {
    for (definition, end) in WAITS {
        // Where the clock stands when the timer looks, and whether the time has come.
        for (jump, is_over) in
            [(2 * HOUR, true), (HOUR + 8, true), (HOUR - 1_000, false), (0, false), (-2 * HOUR, false)]
        {
            let mut trial = Trial::start(definition);
            assert!(!trial.status().is_final(), "{definition}");
            let wakes = trial.wakes_after().expect("it wants to be woken");
            assert!((HOUR - 1_000..=HOUR).contains(&wakes), "{definition}: {wakes}");
            trial.give(Input::Timer, NOW + jump);
            assert_eq!(trial.status().is_final(), is_over, "{definition}, {jump}");
            if is_over {
                assert_eq!(trial.status(), *end, "{definition}, {jump}");
            } else {
                // A wake-up too early changes nothing, the time least of all.
                assert_eq!(trial.wakes_after(), Some(wakes), "{definition}, {jump}");
                trial.give(Input::Timer, NOW + HOUR + 8);
                assert_eq!(trial.status(), *end, "{definition}, {jump}, then in time");
            }
        }
    }
}

#[test]
fn times_that_go_backwards_make_no_negative_durations() {
    let mut trial =
        Trial::start("steps: [{type: wait, duration: 1h}, {type: prompt, message: a}, {type: set, values: {a: 1}}]");
    trial.give(Input::Timer, NOW + 2 * HOUR);
    let answer =
        Input::Answer { prompt_id: None, response: "Continue".into(), by: "ann".into(), fields: Default::default() };
    trial.give(answer, NOW - 2 * HOUR);
    assert_eq!(trial.status(), ExecutionStatus::Completed);
    let (finished, _) = trial.state.finished.expect("it has ended");
    assert_eq!(finished.since(trial.state.started_at.expect("it has started")), Duration::ZERO);
}

/// `until` takes points in time. Around a change to or from summer time their offsets say which one is meant.
#[test]
fn until_means_the_same_moment_through_a_change_of_clocks() {
    // In Berlin the clocks went from 02:00 to 03:00 on 2026-03-29, and from 03:00 back to 02:00 on 2026-10-25.
    let table = [
        ("2026-03-29T01:59:59+01:00", 1_774_745_999),
        ("2026-03-29T03:00:00+02:00", 1_774_746_000),
        ("2026-10-25T02:30:00+02:00", 1_792_888_200),
        ("2026-10-25T02:30:00+01:00", 1_792_891_800),
        ("2026-10-25T01:30:00Z", 1_792_891_800),
    ];
    for (until, seconds) in table {
        let definition = json!({"steps": [{"type": "wait", "until": format!("\"{until}\"")}]}).to_string();
        assert_eq!(Trial::start(&definition).status(), ExecutionStatus::Completed, "{until} is over");
        let trial = Trial::started_at(&definition, (seconds - 60) * 1_000);
        assert_eq!(trial.state.wake_at().map(Timestamp::as_millis), Some(seconds * 1_000), "{until}");
    }
}
