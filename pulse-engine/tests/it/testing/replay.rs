//! Journals replayed with another definition, and tests made of journals.

use pulse_core::command::{CommandEnd, Outcome, TAIL_BYTES};
use pulse_core::event::{Entry, Event};
use pulse_core::ids::{ExecutionId, WorkerId};
use pulse_core::status::{Trigger, WorkerStatus};
use pulse_core::text::tail;
use pulse_core::time::Timestamp;
use pulse_core::workflow::resolve_params;
use pulse_engine::fleet::{Fleet, FleetWorker};
use pulse_engine::testing::{NotATest, Replay, Sameness, record, replay, test};
use pulse_engine::{Context, Input, Plan, Start, State, advance, load};
use serde_json::Map;
use uuid::Uuid;

const ID: ExecutionId = ExecutionId(Uuid::from_u128(5));

const WORKFLOW: &str = r#"
params: [{name: limit, type: integer, default: 80}]
targets: role=db
steps:
  - {id: check, command: "check {{ limit }}", parse: kv, retries: 1, retry_delay: 60, jitter: true}
  - {id: decide, type: route, conditions: [{if: state.pct > params.limit, goto: ask}, {default: true, goto: end}]}
  - {id: ask, type: prompt, message: "Clean?", options: [Clean, Leave], timeout: 10m}
  - {id: clean, command: clean}
"#;

fn plan(text: &str) -> Plan {
    let loaded = load(text);
    loaded.plan.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics))
}

fn fleet() -> Fleet {
    let worker = |number: u128, name: &str, role: &str| FleetWorker {
        id: WorkerId(Uuid::from_u128(number)),
        name: name.into(),
        labels: [("role".to_owned(), role.to_owned())].into(),
        status: WorkerStatus::Online,
        draining: false,
        active: 0,
        capacity: 1,
    };
    Fleet { workers: vec![worker(1, "web", "web"), worker(2, "db-1", "db"), worker(3, "db-2", "db")] }
}

/// Runs it: each command ends with the next of `ends` (or the last), the prompt is answered after `minutes`.
fn happened(ends: &[(i32, &str)], minutes: i64) -> Vec<Entry> {
    let (plan, fleet) = (plan(WORKFLOW), fleet());
    let (mut state, mut journal) = (State::new(ID), Vec::new());
    let mut now = Timestamp::from_millis(1_800_000_000_000);
    let mut ends = ends.iter();
    let params = resolve_params(&plan.workflow.params, &Map::new()).unwrap();
    let (workflow, definition, targets, parent, queue) = (None, None, None, None, None);
    let (started_by, trigger) = ("ann".to_owned(), Trigger::Api);
    let start = Start { workflow, definition, params, targets, started_by, trigger, parent, queue };
    let mut input = Input::Start(Box::new(start));
    for entropy in 0..50 {
        let cx = Context { now, entropy, fleet: &fleet };
        journal.extend(advance(&plan, &mut state, input, &cx).unwrap().entries);
        if state.finished.is_some() {
            break;
        }
        now = Timestamp::from_millis(now.as_millis() + 1_500);
        input = if let Some(command) = state.outstanding().first() {
            let (code, stdout) = *ends.next().unwrap_or(&(0, ""));
            let end = CommandEnd::without_process(Outcome::Exited, "");
            let (stdout, stdout_bytes) = (tail(stdout, TAIL_BYTES).to_owned(), stdout.len() as u64);
            let end = CommandEnd { exit_code: Some(code), stdout, stdout_bytes, error: None, ..end };
            Input::CommandFinished { command_id: command.command_id, end: Box::new(end) }
        } else if let Some((_, _, prompt)) = state.prompts().next() {
            now = Timestamp::from_millis(now.as_millis() + minutes * 60_000);
            let (prompt_id, response) = (Some(prompt.id), "Clean".to_owned());
            if now >= prompt.deadline {
                Input::Timer
            } else {
                Input::Answer { prompt_id, response, by: "ann".to_owned(), fields: Map::new() }
            }
        } else {
            now = state.wake_at().unwrap();
            Input::Timer
        };
    }
    assert!(state.finished.is_some());
    journal
}

const FULL: &[(i32, &str)] = &[(1, ""), (0, "PCT=91"), (0, "PCT=92")];

fn with(text: &str, journal: &[Entry]) -> Replay {
    replay(&plan(text), ID, journal, &[], Sameness::Way)
}

#[test]
fn the_same_definition_decides_the_same_again() {
    let journal = happened(FULL, 5);
    let again = replay(&plan(WORKFLOW), ID, &journal, &[], Sameness::Exact);
    assert_eq!((again.difference, again.agreed), (None, journal.len()));
    let late = happened(FULL, 30);
    assert!(late.iter().any(|entry| matches!(entry.event, Event::PromptTimeout { .. })));
    assert_eq!(replay(&plan(WORKFLOW), ID, &late, &[], Sameness::Exact).difference, None);
}

#[test]
fn a_journal_that_was_tampered_with_is_found() {
    let mut journal = happened(FULL, 5);
    let set = journal.iter_mut().find_map(|entry| match &mut entry.event {
        Event::ParseComplete { parsed, .. } => Some(parsed),
        _ => None,
    });
    set.unwrap().insert("pct".into(), "7".into());
    let again = replay(&plan(WORKFLOW), ID, &journal, &[], Sameness::Exact).difference.unwrap();
    assert_eq!(again.recorded.as_deref(), Some("step `check` reads {\"pct\":\"7\"}"));
    assert_eq!(again.now.as_deref(), Some("step `check` reads {\"pct\":\"91\"}"));
}

#[test]
fn the_first_other_way_is_shown() {
    let journal = happened(FULL, 5);
    let edited = WORKFLOW.replace("state.pct > params.limit", "state.pct > 95");
    let difference = with(&edited, &journal).difference.unwrap();
    assert_eq!(difference.recorded.as_deref(), Some("step `decide` goes to `ask`: state.pct > params.limit"));
    assert_eq!(difference.now.as_deref(), Some("step `decide` goes to `end`: default"));
    assert_eq!(difference.before.last().map(String::as_str), Some("step `check` is completed"));

    let edited = WORKFLOW.replace("  - {id: clean, ", "  - {id: note, command: note}\n  - {id: clean, ");
    let difference = with(&edited, &journal).difference.unwrap();
    assert_eq!(difference.recorded.as_deref(), Some("step `clean` starts"));
    assert_eq!(difference.now.as_deref(), Some("step `note` starts"));

    let edited = WORKFLOW.replace("\n  - {id: clean, command: clean}", "");
    let difference = with(&edited, &journal).difference.unwrap();
    assert_eq!(difference.now.as_deref(), Some("the execution is completed"));

    let edited = WORKFLOW.replace("timeout: 10m", "timeout: 2m");
    let difference = with(&edited, &journal).difference.unwrap();
    assert_eq!(difference.now.as_deref(), Some("step `ask`: nobody answered"));

    let edited = WORKFLOW.replace("options: [Clean, Leave]", "options: [Leave]");
    let difference = with(&edited, &journal).difference.unwrap();
    assert_eq!(difference.now.as_deref(), Some("refused: `Clean` is no option; choose one of: Leave"));

    let edited = WORKFLOW.replace("retries: 1, ", "");
    let difference = with(&edited, &journal).difference.unwrap();
    assert!(difference.recorded.unwrap().starts_with("step `check` will be tried again"));
}

#[test]
fn other_words_are_no_other_way() {
    let journal = happened(FULL, 5);
    let edited = WORKFLOW.replace("check {{ limit }}", "check --limit {{ limit }}").replace("Clean?", "Shall I?");
    let replayed = with(&edited.replace("state.pct > params.limit", "params.limit < state.pct"), &journal);
    assert_eq!(replayed.difference, None);
    assert_eq!(
        replayed.notes,
        ["step `check` runs another command now; its recorded result was used", "step `ask` asks in other words now"]
    );
}

#[test]
fn a_test_made_of_a_journal_passes_and_says_what_happened() {
    for minutes in [5, 30] {
        let journal = happened(FULL, minutes);
        let made = record(ID, &journal, None, WORKFLOW, &[]).unwrap();
        let yaml = pulse_core::yaml::write(&made).unwrap();
        let report = test("x.test.yaml", &yaml, &|_| Err("nothing is read".to_owned())).unwrap();
        assert!(report.passed(), "{yaml}\n{:#?}", report.tests);
        assert_eq!(
            made["workers"][0],
            serde_json::json!({"name": "db-1", "status": "online", "labels": {"role": "db"}})
        );
        assert_eq!(made["tests"][0]["expect"]["commands"]["check"], "check 80");
    }
    let named = record(ID, &happened(FULL, 5), Some("w.yaml"), WORKFLOW, &[]).unwrap();
    assert_eq!((named["workflow"].as_str(), named.get("definition")), (Some("w.yaml"), None));
}

/// What was cut on the worker is cut in the test made of it, although the test has only what was kept.
#[test]
fn a_test_made_of_cut_output_fails_where_the_execution_did() {
    let long = format!("PCT=7\n{}", "noise\n".repeat(20_000));
    let journal = happened(&[(0, &long)], 5);
    let made = record(ID, &journal, None, WORKFLOW, &[]).unwrap();
    assert_eq!(made["tests"][0]["given"][0]["stdout_bytes"], 120_006);
    let error = made["tests"][0]["expect"]["error"].as_str().unwrap();
    assert!(error.contains("it printed 120006 bytes on standard output"), "{error}");
    let yaml = pulse_core::yaml::write(&made).unwrap();
    let report = test("x.test.yaml", &yaml, &|_| Err("nothing is read".to_owned())).unwrap();
    assert!(report.passed(), "{:#?}", report.tests);
}

#[test]
fn what_is_still_at_work_makes_no_test() {
    let journal = happened(FULL, 5);
    let sent = journal.iter().position(|entry| matches!(entry.event, Event::CommandSent { .. })).unwrap();
    let error = record(ID, &journal[..=sent], None, WORKFLOW, &[]).unwrap_err();
    assert_eq!(error, NotATest::Running("check".into()));
    let asked = journal.iter().position(|entry| matches!(entry.event, Event::Prompt { .. })).unwrap();
    let waiting = record(ID, &journal[..=asked], None, WORKFLOW, &[]).unwrap();
    assert_eq!(waiting["tests"][0]["expect"]["status"], "waiting");
    let yaml = pulse_core::yaml::write(&waiting).unwrap();
    assert!(test("x.test.yaml", &yaml, &|_| Err(String::new())).unwrap().passed());
    assert_eq!(record(ID, &[], None, WORKFLOW, &[]).unwrap_err(), NotATest::Empty);
}

#[test]
fn a_new_parameter_has_its_default() {
    let journal = happened(FULL, 5);
    let margin = "params: [{name: margin, type: integer, default: 5}, ";
    let edited = WORKFLOW.replace("params: [", margin).replace("params.limit,", "params.limit + params.margin,");
    let edited = edited.replace("command: clean", "command: 'clean {{ margin }}'");
    let again = with(&edited, &journal);
    assert_eq!(again.difference, None);
    assert_eq!(again.notes[0], "parameter `margin` is new: its default 5 was used");
    assert!(again.notes[1].contains("`clean` runs another command now"), "{:?}", again.notes);
    // It decides, too.
    let strict = edited.replace("default: 5", "default: 50");
    assert!(with(&strict, &journal).difference.is_some());
    let needed = with(&WORKFLOW.replace("params: [", "params: [who, "), &journal);
    assert_eq!(
        (needed.difference, needed.notes[0].as_str()),
        (None, "parameter `who` is new and has no default: it has no value here")
    );
}
