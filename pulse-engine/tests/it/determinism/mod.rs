//! Determinism: whatever a definition says and whatever comes from outside, the journal is the execution. Folding it
//! evaluates nothing (`fold` gets no plan), the same inputs give the same events, and nothing ever panics.

mod definitions;
mod dice;
mod driving;

use definitions::definition;
use driving::drive;
use proptest::prelude::*;
use pulse_engine::testing::{Sameness, Suite, record, replay};
use pulse_engine::{Plan, State, fold, load};

/// A random definition, ready to run.
fn plan(bytes: &[u8]) -> (Plan, String) {
    let mut text = definition(bytes, false);
    let mut loaded = load(&text);
    // Cycles that nothing can leave are refused.
    if loaded.diagnostics.iter().any(|finding| finding.code == "E021") {
        text = definition(bytes, true);
        loaded = load(&text);
    }
    let plan = loaded.plan.unwrap_or_else(|| panic!("{text}: {:#?}", loaded.diagnostics));
    (plan, text)
}

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..most)
}

fn shown(failures: &[pulse_engine::testing::Failure]) -> String {
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// As many as `PROPTEST_CASES` says, to try more of them.
fn config() -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(128),
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_prefix_folds_to_its_state(shape in bytes(200), inputs in bytes(300)) {
        let (plan, _) = plan(&shape);
        let driven = drive(&plan, &inputs, false);
        for (length, state) in &driven.states {
            let folded = fold(State::new(driven.id), &driven.journal[..*length]).unwrap();
            prop_assert_eq!(&folded, state);
        }
    }

    #[test]
    fn a_journal_replayed_goes_the_same_way(shape in bytes(200), inputs in bytes(300)) {
        let (plan, text) = plan(&shape);
        let driven = drive(&plan, &inputs, false);
        for sameness in [Sameness::Exact, Sameness::Way] {
            let replay = replay(&plan, driven.id, &driven.journal, &driven.fleet.workers, sameness);
            prop_assert!(replay.difference.is_none(), "{:#?} of {} in {text}", replay.difference, driven.journal.len());
            prop_assert_eq!(replay.agreed, driven.journal.len());
        }
    }

    #[test]
    fn a_test_made_of_a_journal_passes(shape in bytes(200), inputs in bytes(300)) {
        // A test draws its own jitter: what is sent later may then end in another order.
        let text = plan(&shape).1.replace("\"jitter\":true", "\"jitter\":false");
        let plan = load(&text).plan.unwrap();
        let driven = drive(&plan, &inputs, true);
        let Ok(test) = record(driven.id, &driven.journal, None, &text, &driven.fleet.workers) else { return Ok(()) };
        let yaml = pulse_core::yaml::write(&test).unwrap();
        let suite = Suite::read(&yaml).unwrap_or_else(|error| panic!("{error:#?}: {yaml}"));
        let report = suite.run("x.test.yaml", "x.yaml", &plan);
        prop_assert!(report.passed(), "{}\n{yaml}", shown(&report.tests[0].failures));
    }
}

/// A value is the same after a restart, which reads it from the journal.
#[test]
fn numbers_survive_the_journal() {
    let plan = load("steps: [{id: a, type: set, values: {n: 1 / 1800000000}}]").plan.unwrap();
    let driven = drive(&plan, &[], false);
    assert!(driven.state.finished.is_some());
}
