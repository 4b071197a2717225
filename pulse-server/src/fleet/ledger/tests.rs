//! What the simulation meets too rarely to find it broken.

use super::*;
use crate::fleet::LOST_GRACE;
use pulse_core::command::CommandSpec;
use pulse_core::event::WorkerRef;
use pulse_core::ids::{Attempt, WorkerId};
use uuid::Uuid;

fn id(n: u128) -> CommandId {
    CommandId(Uuid::from_u128(n))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn known(n: u128, state: KnownState) -> KnownCommand {
    KnownCommand { command_id: id(n), execution_id: ExecutionId(id(n).0), state }
}

fn command(n: u128) -> Outstanding {
    let spec = serde_json::from_str::<CommandSpec>(r#"{"command": "true", "timeout_ms": 1000}"#).unwrap();
    let worker = WorkerRef { worker_id: WorkerId(Uuid::from_u128(9)), worker: "w".into() };
    Outstanding { command_id: id(n), worker, step: "s".into(), attempt: Attempt(1), spec: Arc::new(spec) }
}

fn dispatch(ledger: &mut Ledger, n: u128) {
    ledger.dispatch(ExecutionId(id(n).0), command(n), Arc::default(), at(0));
}

/// A connected ledger with two commands sent on session 5.
fn with_two_sent() -> Ledger {
    let mut ledger = Ledger::new(2);
    (1..=3).for_each(|n| dispatch(&mut ledger, n));
    assert!(ledger.hello(5, &[], at(0)));
    assert_eq!(ledger.next_message(at(0)), None, "nothing is said before the welcome");
    ledger.welcomed(5);
    assert_eq!(taken(&mut ledger), [1, 2]);
    ledger
}

/// The commands that are sent now.
fn taken(ledger: &mut Ledger) -> Vec<u128> {
    let sent = std::iter::from_fn(|| ledger.next_message(at(1)));
    sent.map(|message| match message {
        Message::Dispatch(id) => id.0.as_u128(),
        other => panic!("{other:?}"),
    })
    .collect()
}

#[test]
fn after_a_restart_commands_are_sent_in_the_order_in_which_they_were_decided_on() {
    let id_of = |at: u128, random: u128| (at << 80) | random;
    // Of four executions, brought in any order; the last has two at once, of which the ids tell nothing.
    let (first, second, third) = (id_of(1, 9), id_of(2, 5), id_of(3, 1));
    let (fourth, fifth) = (id_of(4, 8), id_of(4, 3));
    let mut ledger = Ledger::new(9);
    for (of, n) in [(3, third), (1, first), (4, fourth), (2, second), (4, fifth)] {
        match n == third {
            // An agent of the first PULSE: it is known that this was never sent.
            true => ledger.dispatch(ExecutionId(id(of).0), command(n), Arc::default(), at(0)),
            false => ledger.restore(ExecutionId(id(of).0), command(n), Arc::default(), at(0)),
        }
    }
    ledger.restored();
    assert!(ledger.hello(5, &[], at(0)));
    ledger.welcomed(5);
    assert_eq!(taken(&mut ledger), [first, second, third, fourth, fifth]);
}

#[test]
fn an_older_hello_changes_nothing() {
    let mut ledger = with_two_sent();
    assert!(!ledger.hello(4, &[], at(1)));
    ledger.cancel(id(1), "no");
    assert!(ledger.next_end().is_none(), "1 was sent on the newer connection: it may run");
}

#[test]
fn an_older_hello_changes_nothing_when_the_newer_connection_is_gone_again() {
    let mut ledger = with_two_sent();
    ledger.accepted(5, id(1));
    assert!(ledger.gone(5));
    assert!(!ledger.hello(4, &[], at(1)), "it was said before 1 and 2 were sent");
    ledger.cancel(id(1), "no");
    ledger.cancel(id(2), "no");
    assert!(ledger.next_end().is_none(), "they may run");
    assert!(ledger.hello(6, &[], at(2)));
}

#[test]
fn what_a_replaced_connection_says_of_room_is_old_news() {
    let mut ledger = with_two_sent();
    assert!(ledger.hello(6, &[], at(1)));
    ledger.welcomed(6);
    assert_eq!(taken(&mut ledger), [1, 2]);
    ledger.rejected(5, id(1));
    ledger.cancel(id(1), "no");
    assert!(ledger.next_end().is_none(), "1 was sent again: it may run");
    ledger.rejected(6, id(1));
    assert_eq!(ledger.next_end().unwrap().end.outcome, Outcome::Cancelled);
}

#[test]
fn rejected_commands_keep_their_places() {
    let mut ledger = with_two_sent();
    ledger.rejected(5, id(1));
    ledger.rejected(5, id(2));
    assert_eq!(taken(&mut ledger), [1, 2]);
    ledger.finishing(id(1));
    assert_eq!(taken(&mut ledger), [3]);
}

#[test]
fn a_silent_worker_keeps_its_commands_until_their_time_and_a_grace_are_over() {
    let mut ledger = with_two_sent();
    ledger.accepted(5, id(1));
    let lost_at = 2 + i64::try_from(LOST_GRACE.as_secs()).unwrap();
    assert!(!ledger.tick(at(44), LOST_GRACE));
    assert!(ledger.tick(at(45), LOST_GRACE), "it has just fallen silent");
    assert!(!ledger.tick(at(46), LOST_GRACE), "that is told once");
    assert!(ledger.next_end().is_none() && ledger.is_owed());
    ledger.heard(5, at(lost_at));
    assert!(!ledger.tick(at(lost_at), LOST_GRACE));
    assert!(ledger.next_end().is_none(), "no timer decides while the worker can be asked");
    assert!(ledger.tick(at(lost_at + 45), LOST_GRACE));
    let ends: Vec<_> = std::iter::from_fn(|| ledger.next_end()).map(|end| end.end.outcome).collect();
    assert_eq!(ends, [Outcome::Lost, Outcome::Lost]);
}

#[test]
fn a_command_that_was_given_up_takes_room_until_its_worker_tells() {
    let mut ledger = with_two_sent();
    assert!(ledger.tick(at(100), LOST_GRACE));
    ledger.given_up(id(1), Outcome::Lost);
    ledger.given_up(id(2), Outcome::Lost);
    ledger.heard(5, at(101));
    assert_eq!((ledger.busy(), taken(&mut ledger)), (2, vec![]));
    assert_eq!(ledger.stranger(id(1)), Some(ExecutionId(id(1).0)));
    ledger.finishing(id(1));
    assert_eq!(taken(&mut ledger), [3]);
}

#[test]
fn what_nobody_wants_any_more_is_stopped_and_takes_room() {
    let mut ledger = Ledger::new(2);
    dispatch(&mut ledger, 1);
    assert!(ledger.hello(1, &[known(7, KnownState::Running), known(8, KnownState::Finished)], at(0)));
    ledger.welcomed(1);
    let Some(Message::Cancel { command_id, .. }) = ledger.next_message(at(0)) else { panic!() };
    assert_eq!((command_id, taken(&mut ledger)), (id(7), vec![1]));
    assert_eq!(ledger.busy(), 2);
}

#[test]
fn a_cancel_that_is_not_heeded_is_said_again() {
    let mut ledger = with_two_sent();
    ledger.accepted(5, id(1));
    ledger.cancel(id(1), "no");
    let is_cancel = |message| matches!(message, Some(Message::Cancel { .. }));
    assert!(is_cancel(ledger.next_message(at(1))));
    ledger.heard(5, at(31));
    assert!(!ledger.tick(at(32), LOST_GRACE));
    assert!(is_cancel(ledger.next_message(at(32))));
    assert_eq!(ledger.next_message(at(32)), None);
}

#[test]
fn a_draining_worker_is_told_on_each_connection_and_gets_nothing_new() {
    let mut ledger = with_two_sent();
    assert!(!ledger.set_draining(true));
    assert_eq!(ledger.next_message(at(1)), Some(Message::Drain));
    ledger.finishing(id(1));
    assert_eq!(ledger.next_message(at(1)), None, "3 waits");
    assert!(ledger.hello(6, &[known(2, KnownState::Running)], at(2)));
    ledger.welcomed(6);
    assert_eq!((ledger.next_message(at(2)), ledger.next_message(at(2))), (Some(Message::Drain), None));
    assert!(ledger.set_draining(false), "the worker was told: only a new connection lets it take more");
    assert!(ledger.hello(7, &[known(2, KnownState::Running)], at(3)));
    ledger.welcomed(7);
    assert_eq!(taken(&mut ledger), [3]);
}

#[test]
fn output_that_comes_again_is_counted_once() {
    let mut ledger = with_two_sent();
    assert_eq!(ledger.printed(id(1), 1, 10), Some(10));
    assert_eq!(ledger.printed(id(1), 2, 10), Some(20));
    assert_eq!(ledger.printed(id(1), 1, 10), Some(20));
    assert_eq!(ledger.printed(id(9), 1, 10), None);
}

fn stranded(ledger: &mut Ledger, seconds: i64, mut room: u32) -> Vec<u128> {
    ledger.stranded(at(seconds), &mut room).into_iter().map(|(_, id)| id.0.as_u128()).collect()
}

#[test]
fn what_was_never_sent_is_asked_about_when_its_worker_is_gone_for_a_while() {
    let mut ledger = with_two_sent();
    assert!(ledger.gone(5) && !ledger.tick(at(10), LOST_GRACE));
    assert_eq!(stranded(&mut ledger, 19, 9), [] as [u128; 0], "it may be back in a moment");
    assert_eq!(stranded(&mut ledger, 20, 9), [3], "1 and 2 were sent: only the worker can tell");
    assert_eq!(stranded(&mut ledger, 20, 9), [] as [u128; 0], "it is being decided");
    assert!(ledger.hello(6, &[], at(21)));
    ledger.welcomed(6);
    assert_eq!(taken(&mut ledger), [1, 2]);
    ledger.finishing(id(1));
    assert_eq!(taken(&mut ledger), [] as [u128; 0], "3 may be another's by now");
    ledger.stays(id(3), Stranded::Stays);
    assert_eq!(taken(&mut ledger), [3]);
    ledger.withdraw(id(3));
    assert!(ledger.command(id(3)).is_some(), "it was sent");
}

#[test]
fn what_another_worker_may_run_is_asked_about_again_when_there_is_room() {
    let mut ledger = with_two_sent();
    (4..=5).for_each(|n| dispatch(&mut ledger, n));
    assert!(!ledger.set_draining(true));
    assert_eq!(stranded(&mut ledger, 2, 0), [3, 4, 5]);
    ledger.stays(id(5), Stranded::ForRoom);
    ledger.stays(id(3), Stranded::Stays);
    ledger.stays(id(4), Stranded::ForRoom);
    assert_eq!(stranded(&mut ledger, 3, 0), [] as [u128; 0]);
    assert_eq!(stranded(&mut ledger, 4, 1), [4]);
    ledger.withdraw(id(4));
    assert!(ledger.command(id(4)).is_none());
    // A worker that falls silent, and is heard again.
    assert!(!ledger.set_draining(false) && ledger.tick(at(100), LOST_GRACE));
    assert_eq!(stranded(&mut ledger, 100, 1), [5]);
    ledger.stays(id(5), Stranded::Stays);
    ledger.heard(5, at(101));
    assert_eq!(stranded(&mut ledger, 101, 9), [] as [u128; 0]);
    assert!(ledger.tick(at(200), LOST_GRACE));
    assert_eq!(stranded(&mut ledger, 200, 0), [3, 5], "both are asked anew");
}

#[test]
fn a_cancel_ends_what_is_asked_about() {
    let mut ledger = with_two_sent();
    assert!(!ledger.set_draining(true) && stranded(&mut ledger, 2, 9) == [3]);
    ledger.cancel(id(3), "no");
    assert_eq!(ledger.next_end().unwrap().end.outcome, Outcome::Cancelled);
    ledger.withdraw(id(3));
    ledger.stays(id(3), Stranded::ForRoom);
    assert_eq!(ledger.command(id(3)).unwrap().phase, Phase::Finished);
}

#[test]
fn what_was_accepted_and_is_unknown_to_its_worker_is_lost_and_not_sent_again() {
    let mut ledger = with_two_sent();
    ledger.accepted(5, id(1));
    assert!(ledger.hello(6, &[], at(1)));
    ledger.welcomed(6);
    assert_eq!(taken(&mut ledger), [2, 3], "2 may never have come");
    let end = ledger.next_end().unwrap();
    assert_eq!((end.command_id, end.end.outcome), (id(1), Outcome::Lost));
    ledger.given_up(id(1), Outcome::Lost);
    assert_eq!((ledger.busy(), ledger.stranger(id(1))), (2, None), "it takes no room: the worker does not have it");
}

#[test]
fn what_waits_for_a_worker_that_is_gone_ends_unsent_once_its_time_and_the_grace_are_over() {
    let mut ledger = with_two_sent();
    for n in [1, 2] {
        ledger.finishing(id(n));
        ledger.finished(id(n));
    }
    assert!(ledger.hello(6, &[], at(1)), "3 is queued, and nothing is said before the welcome");
    let limit = 2 + i64::try_from(LOST_GRACE.as_secs()).unwrap();
    assert!(ledger.gone(6));
    assert!(!ledger.tick(at(1_000), LOST_GRACE), "from now on it is gone");
    assert!(!ledger.tick(at(1_000 + limit - 1), LOST_GRACE) && ledger.next_end().is_none());
    assert!(!ledger.tick(at(1_000 + limit), LOST_GRACE));
    let end = ledger.next_end().unwrap();
    assert_eq!((end.command_id, end.end.outcome), (id(3), Outcome::NotStarted));
}

#[test]
fn a_server_that_stood_still_takes_no_worker_for_silent() {
    let mut ledger = with_two_sent();
    ledger.stood_still(Duration::from_secs(3_600), at(3_601));
    assert!(!ledger.tick(at(3_601), LOST_GRACE) && ledger.next_end().is_none());
    assert!(ledger.tick(at(3_601 + 45), LOST_GRACE), "from then on its silence counts");
}
