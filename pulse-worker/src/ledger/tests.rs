//! What the ledger answers and does, step by step.

use super::*;
use pulse_core::command::CommandSpec;
use pulse_core::ids::{Attempt, StepId};
use uuid::Uuid;

pub fn id(n: u128) -> CommandId {
    CommandId(Uuid::from_u128(n))
}

pub fn dispatch(n: u128) -> ToWorker {
    ToWorker::Dispatch(Box::new(Dispatch {
        command_id: id(n),
        execution_id: ExecutionId(Uuid::from_u128(n)),
        step: StepId::from("a"),
        attempt: Attempt::FIRST,
        spec: CommandSpec {
            command: Some("true".into()),
            argv: Vec::new(),
            shell: None,
            env: Vec::new(),
            cwd: None,
            stdin: None,
            timeout_ms: 1,
            secrets: Vec::new(),
        },
        kill_grace_ms: 1,
        output_limit_bytes: pulse_core::protocol::worker::OUTPUT_LIMIT_BYTES,
        mask: Vec::new(),
    }))
}

pub fn ack(n: u128, output_seq: Option<u64>) -> ToWorker {
    ToWorker::Ack { command_id: id(n), output_seq }
}

fn cancel(n: u128) -> ToWorker {
    ToWorker::Cancel { command_id: id(n), reason: "no".into() }
}

pub fn end() -> CommandEnd {
    CommandEnd { outcome: Outcome::Exited, exit_code: Some(0), ..CommandEnd::without_process(Outcome::Exited, "") }
}

fn connected(capacity: u32) -> Ledger {
    let mut ledger = Ledger::new(capacity, Vec::new());
    ledger.connected();
    ledger
}

/// Effects in short: `log accepted 1`, `start 1`, `stop 1 no`, `release 1 10`.
fn effects(ledger: &mut Ledger) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(effect) = ledger.next_effect() {
        all.push(match effect {
            Effect::Log(Entry::Accepted { command_id, .. }) => format!("log accepted {}", number(command_id)),
            Effect::Log(Entry::Finished { command_id, end }) => {
                format!("log finished {} {:?}", number(command_id), end.outcome)
            }
            Effect::Log(Entry::Forgotten { command_id }) => format!("log forgotten {}", number(command_id)),
            Effect::Start(dispatch) => format!("start {}", number(dispatch.command_id)),
            Effect::Stop { command_id, reason } => format!("stop {} {reason:?}", number(command_id)),
            Effect::Release { command_id, bytes } => format!("release {} {bytes}", number(command_id)),
        });
    }
    all
}

/// Messages in short: `accepted 1`, `frame one`, `result 1 Exited`, `rejected 1: why`.
fn messages(ledger: &mut Ledger) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(message) = ledger.next_message() {
        all.push(match message {
            Message::Frame(text) => format!("frame {text}"),
            Message::Plain(message) => match *message {
                FromWorker::Accepted { command_id } => format!("accepted {}", number(command_id)),
                FromWorker::Rejected { command_id, reason } => format!("rejected {}: {reason}", number(command_id)),
                FromWorker::Result { command_id, end } => format!("result {} {:?}", number(command_id), end.outcome),
                other => format!("{other:?}"),
            },
        });
    }
    all
}

fn number(command_id: CommandId) -> u128 {
    command_id.0.as_u128()
}

fn nothing() -> Vec<String> {
    Vec::new()
}

/// A command that runs, with nothing left to do or say.
fn running(ledger: &mut Ledger, n: u128) {
    ledger.received(dispatch(n));
    ledger.acceptance_written(id(n));
    assert_eq!(effects(ledger), [format!("log accepted {n}"), format!("start {n}")]);
    assert_eq!(messages(ledger), [format!("accepted {n}")]);
}

fn prints(ledger: &mut Ledger, n: u128, seq: u64, text: &'static str) {
    ledger.printed(id(n), seq, text.into());
}

#[test]
fn nothing_starts_or_is_said_before_it_is_durable() {
    let mut ledger = connected(1);
    ledger.received(dispatch(1));
    assert_eq!((effects(&mut ledger), messages(&mut ledger)), (vec!["log accepted 1".into()], nothing()));
    assert!(ledger.known().is_empty());
    ledger.acceptance_written(id(1));
    assert_eq!((effects(&mut ledger), messages(&mut ledger)), (vec!["start 1".into()], vec!["accepted 1".into()]));
    ledger.ended(id(1), end());
    assert_eq!((effects(&mut ledger), messages(&mut ledger)), (vec!["log finished 1 Exited".into()], nothing()));
    assert_eq!(ledger.known()[0].state, KnownState::Running);
    ledger.result_written(id(1));
    assert_eq!(messages(&mut ledger), ["result 1 Exited"]);
    assert_eq!(ledger.known()[0].state, KnownState::Finished);
    ledger.received(ack(1, None));
    assert_eq!(effects(&mut ledger), ["log forgotten 1"]);
    assert!(ledger.is_empty());
}

#[test]
fn a_result_comes_after_the_output_and_only_once_per_connection() {
    let mut ledger = connected(1);
    running(&mut ledger, 1);
    prints(&mut ledger, 1, 1, "one");
    prints(&mut ledger, 1, 2, "two");
    ledger.ended(id(1), end());
    ledger.result_written(id(1));
    assert_eq!(messages(&mut ledger), ["frame one", "frame two", "result 1 Exited"]);
    ledger.received(ack(1, Some(1)));
    ledger.received(ack(1, Some(1)));
    assert_eq!(effects(&mut ledger), ["log finished 1 Exited", "release 1 3"]);
    assert_eq!(messages(&mut ledger), nothing());
    ledger.disconnected();
    assert_eq!(messages(&mut ledger), nothing());
    ledger.connected();
    assert_eq!(messages(&mut ledger), ["frame two", "result 1 Exited"]);
    // From a connection before: more than was sent on this one.
    ledger.disconnected();
    ledger.connected();
    ledger.received(ack(1, Some(9)));
    assert_eq!(messages(&mut ledger), ["result 1 Exited"]);
}

#[test]
fn commands_take_turns_and_results_that_wait_for_nothing_go_first() {
    let mut ledger = connected(3);
    for n in 1..=3 {
        running(&mut ledger, n);
    }
    for seq in 1..=2 {
        prints(&mut ledger, 1, seq, "a");
        prints(&mut ledger, 2, seq, "b");
    }
    assert_eq!(messages(&mut ledger), ["frame a", "frame b", "frame a", "frame b"]);
    ledger.ended(id(3), end());
    ledger.result_written(id(3));
    ledger.disconnected();
    ledger.connected();
    assert_eq!(messages(&mut ledger)[0], "result 3 Exited");
}

#[test]
fn what_was_seen_before_is_answered_not_run() {
    let mut ledger = connected(1);
    ledger.received(dispatch(1));
    ledger.received(dispatch(1));
    ledger.acceptance_written(id(1));
    ledger.received(dispatch(1));
    assert_eq!(effects(&mut ledger), ["log accepted 1", "start 1"]);
    assert_eq!(messages(&mut ledger), ["accepted 1", "accepted 1"]);
    ledger.ended(id(1), end());
    ledger.result_written(id(1));
    assert_eq!(messages(&mut ledger), ["result 1 Exited"]);
    ledger.received(dispatch(1));
    assert_eq!(messages(&mut ledger), ["accepted 1", "result 1 Exited"]);
    ledger.received(ack(1, None));
    ledger.received(dispatch(1));
    assert_eq!(messages(&mut ledger), ["accepted 1"]);
    assert_eq!(effects(&mut ledger), ["log finished 1 Exited", "log forgotten 1"]);
}

#[test]
fn what_has_no_room_is_rejected_and_not_known() {
    let mut ledger = connected(1);
    running(&mut ledger, 1);
    ledger.received(dispatch(2));
    assert_eq!(messages(&mut ledger), ["rejected 2: the worker runs 1 of 1 commands"]);
    // The place is free when the process has ended, not only when the server knows.
    ledger.ended(id(1), end());
    assert_eq!(effects(&mut ledger), ["log finished 1 Exited"]);
    running(&mut ledger, 2);
    ledger.received(ToWorker::Drain);
    ledger.ended(id(2), end());
    ledger.received(dispatch(3));
    assert_eq!(messages(&mut ledger), ["rejected 3: the worker is draining"]);
    // Draining is said on each connection.
    ledger.disconnected();
    ledger.connected();
    messages(&mut ledger);
    effects(&mut ledger);
    running(&mut ledger, 3);
}

#[test]
fn what_cannot_be_written_is_rejected_and_may_come_again() {
    let mut ledger = connected(1);
    ledger.received(dispatch(1));
    ledger.acceptance_failed(id(1), "disk full");
    assert_eq!(messages(&mut ledger), ["rejected 1: the worker's state directory cannot be written: disk full"]);
    assert_eq!((ledger.active(), effects(&mut ledger).len()), (0, 1));
    running(&mut ledger, 1);
}

#[test]
fn cancelling_reaches_every_phase() {
    let mut ledger = connected(1);
    ledger.received(cancel(1));
    assert_eq!((effects(&mut ledger), messages(&mut ledger)), (nothing(), nothing()));
    // Before the start.
    ledger.received(dispatch(1));
    ledger.received(cancel(1));
    ledger.acceptance_written(id(1));
    assert_eq!(effects(&mut ledger), ["log accepted 1", "log finished 1 Cancelled"]);
    ledger.result_written(id(1));
    assert_eq!(messages(&mut ledger), ["accepted 1", "result 1 Cancelled"]);
    ledger.received(cancel(1));
    assert_eq!(messages(&mut ledger), ["result 1 Cancelled"]);
    // While it runs: once is enough.
    running(&mut ledger, 2);
    ledger.received(cancel(2));
    ledger.received(cancel(2));
    assert_eq!(effects(&mut ledger), ["stop 2 Cancelled(\"no\")"]);
}

#[test]
fn stopping_ends_what_runs_and_gives_back_what_does_not() {
    let mut ledger = connected(2);
    running(&mut ledger, 1);
    ledger.received(dispatch(2));
    ledger.stop();
    ledger.acceptance_written(id(2));
    ledger.received(dispatch(3));
    assert_eq!(effects(&mut ledger), ["log accepted 2", "stop 1 WorkerStops", "log forgotten 2"]);
    assert_eq!(
        messages(&mut ledger),
        ["rejected 2: the worker is being stopped", "rejected 3: the worker is being stopped"]
    );
    assert!(!ledger.is_quiet());
    ledger.ended(id(1), end());
    ledger.result_written(id(1));
    assert!(!ledger.is_quiet());
    effects(&mut ledger);
    messages(&mut ledger);
    assert!(ledger.is_quiet() && !ledger.is_empty());
}

#[test]
fn an_unknown_command_changes_nothing() {
    let mut ledger = connected(1);
    ledger.received(ack(1, None));
    ledger.received(ack(1, Some(4)));
    ledger.acceptance_written(id(1));
    ledger.acceptance_failed(id(1), "x");
    ledger.ended(id(1), end());
    ledger.result_written(id(1));
    prints(&mut ledger, 1, 1, "x");
    running(&mut ledger, 1);
    // Only a result that was made can be acknowledged.
    ledger.received(ack(1, None));
    assert_eq!(ledger.active(), 1);
}
