//! What the ledger answers and does, step by step.

use super::*;
use pulse_core::command::{CommandSpec, Outcome};
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
    let mut ledger = Ledger::new(capacity);
    ledger.connected();
    ledger
}

/// Effects in short: `start 1`, `cancel 1 no`, `acknowledge 1 2`, `forget 1`.
fn effects(ledger: &mut Ledger) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(effect) = ledger.next_effect() {
        all.push(match effect {
            Effect::Start(dispatch) => format!("start {}", number(dispatch.command_id)),
            Effect::Cancel(id, reason) => format!("cancel {} {reason}", number(id)),
            Effect::Acknowledge(id, seq) => format!("acknowledge {} {seq}", number(id)),
            Effect::Forget(id) => format!("forget {}", number(id)),
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

fn accepted(ledger: &mut Ledger, n: u128) {
    ledger.accepted(id(n), ExecutionId(id(n).0));
}

/// A command that runs, with nothing left to do or say.
fn running(ledger: &mut Ledger, n: u128) {
    ledger.received(dispatch(n));
    accepted(ledger, n);
    assert_eq!(effects(ledger), [format!("start {n}")]);
    assert_eq!(messages(ledger), [format!("accepted {n}")]);
}

fn prints(ledger: &mut Ledger, n: u128, seq: u64, text: &'static str) {
    ledger.printed(id(n), seq, text.into());
}

#[test]
fn nothing_is_said_before_the_supervisor_has_it() {
    let mut ledger = connected(1);
    ledger.received(dispatch(1));
    assert_eq!((effects(&mut ledger), messages(&mut ledger)), (vec!["start 1".into()], nothing()));
    // The server must not believe that it never got here.
    assert_eq!(ledger.known()[0].state, KnownState::Running);
    accepted(&mut ledger, 1);
    assert_eq!((effects(&mut ledger), messages(&mut ledger)), (nothing(), vec!["accepted 1".into()]));
    assert_eq!(ledger.known()[0].state, KnownState::Running);
    ledger.over(id(1));
    assert_eq!(ledger.known()[0].state, KnownState::Finished);
    assert_eq!((messages(&mut ledger), ledger.active()), (nothing(), 0));
    ledger.ended(id(1), end());
    assert_eq!(messages(&mut ledger), ["result 1 Exited"]);
    assert!(ledger.has_results());
    ledger.received(ack(1, None));
    assert_eq!(effects(&mut ledger), ["forget 1"]);
    assert!(ledger.known().is_empty() && !ledger.has_results());
}

#[test]
fn a_result_comes_after_the_output_and_only_once_per_connection() {
    let mut ledger = connected(1);
    running(&mut ledger, 1);
    prints(&mut ledger, 1, 1, "one");
    prints(&mut ledger, 1, 2, "two");
    ledger.ended(id(1), end());
    assert_eq!(messages(&mut ledger), ["frame one", "frame two", "result 1 Exited"]);
    ledger.received(ack(1, Some(1)));
    ledger.received(ack(1, Some(1)));
    assert_eq!(effects(&mut ledger), ["acknowledge 1 1"]);
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
    ledger.disconnected();
    ledger.connected();
    assert_eq!(messages(&mut ledger)[0], "result 3 Exited");
}

#[test]
fn what_was_seen_before_is_answered_not_handed_over_again() {
    let mut ledger = connected(1);
    ledger.received(dispatch(1));
    ledger.received(dispatch(1));
    accepted(&mut ledger, 1);
    ledger.received(dispatch(1));
    assert_eq!(effects(&mut ledger), ["start 1"]);
    assert_eq!(messages(&mut ledger), ["accepted 1", "accepted 1"]);
    ledger.ended(id(1), end());
    assert_eq!(messages(&mut ledger), ["result 1 Exited"]);
    ledger.received(dispatch(1));
    assert_eq!(messages(&mut ledger), ["accepted 1", "result 1 Exited"]);
    ledger.received(ack(1, None));
    ledger.received(dispatch(1));
    assert_eq!(messages(&mut ledger), ["accepted 1"]);
    // The supervisor, asked by an agent before this one, may still say so.
    accepted(&mut ledger, 1);
    assert_eq!((effects(&mut ledger), ledger.active()), (vec!["forget 1".into()], 0));
}

#[test]
fn what_has_no_room_is_rejected_and_not_known() {
    let mut ledger = connected(1);
    running(&mut ledger, 1);
    ledger.received(dispatch(2));
    assert_eq!(messages(&mut ledger), ["rejected 2: the worker runs 1 of 1 commands"]);
    // The place is free when the process has ended, not only when the server knows.
    ledger.over(id(1));
    running(&mut ledger, 2);
    ledger.received(ToWorker::Drain);
    ledger.over(id(2));
    ledger.received(dispatch(3));
    assert_eq!(messages(&mut ledger), ["rejected 3: the worker is draining"]);
    assert!(ledger.is_draining());
    // Draining is said on each connection.
    ledger.disconnected();
    ledger.connected();
    messages(&mut ledger);
    running(&mut ledger, 3);
    ledger.over(id(3));
    ledger.stop();
    ledger.received(dispatch(4));
    assert_eq!(messages(&mut ledger), ["rejected 4: the worker is being stopped"]);
}

#[test]
fn what_cannot_be_written_is_rejected_and_may_come_again() {
    let mut ledger = connected(1);
    ledger.received(dispatch(1));
    ledger.not_accepted(id(1), "disk full");
    assert_eq!(messages(&mut ledger), ["rejected 1: disk full"]);
    assert_eq!((ledger.active(), effects(&mut ledger).len()), (0, 1));
    running(&mut ledger, 1);
}

#[test]
fn cancelling_reaches_every_phase() {
    let mut ledger = connected(1);
    ledger.received(cancel(1));
    assert_eq!((effects(&mut ledger), messages(&mut ledger)), (nothing(), nothing()));
    // Before the supervisor has it.
    ledger.received(dispatch(1));
    ledger.received(cancel(1));
    assert_eq!(effects(&mut ledger), ["start 1", "cancel 1 no"]);
    accepted(&mut ledger, 1);
    ledger.ended(id(1), end());
    assert_eq!(messages(&mut ledger), ["accepted 1", "result 1 Exited"]);
    ledger.received(cancel(1));
    assert_eq!(messages(&mut ledger), ["result 1 Exited"]);
    // While it runs: once is enough.
    running(&mut ledger, 2);
    ledger.received(cancel(2));
    ledger.received(cancel(2));
    assert_eq!(effects(&mut ledger), ["cancel 2 no"]);
}

#[test]
fn another_supervisor_counts_alone() {
    let mut ledger = connected(2);
    running(&mut ledger, 1);
    prints(&mut ledger, 1, 1, "a");
    ledger.received(dispatch(2));
    ledger.supervised([(id(1), ExecutionId(id(1).0), false), (id(3), ExecutionId(id(3).0), true)]);
    assert_eq!((effects(&mut ledger), messages(&mut ledger), ledger.active()), (nothing(), nothing(), 1));
    let states: Vec<_> = ledger.known().into_iter().map(|known| (number(known.command_id), known.state)).collect();
    assert_eq!(states, [(1, KnownState::Running), (3, KnownState::Finished)]);
    ledger.connected();
    // It was not accepted: the server sends it again.
    ledger.received(dispatch(2));
    assert_eq!(effects(&mut ledger), ["start 2"]);
    // One that the agent before had handed over is told without having been asked for.
    accepted(&mut ledger, 4);
    assert_eq!((messages(&mut ledger), ledger.active()), (vec!["accepted 4".into()], 3));
}

#[test]
fn an_unknown_command_changes_nothing() {
    let mut ledger = connected(1);
    ledger.received(ack(1, None));
    ledger.received(ack(1, Some(4)));
    ledger.not_accepted(id(1), "x");
    ledger.over(id(1));
    ledger.ended(id(1), end());
    prints(&mut ledger, 1, 1, "x");
    running(&mut ledger, 1);
    // Only a result that was made can be acknowledged.
    ledger.received(ack(1, None));
    assert_eq!(ledger.active(), 1);
}
