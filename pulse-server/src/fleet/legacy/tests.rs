//! The adapter between the fleet and an agent, without either.

use super::agent::{Agent, Left, Said};
use super::wire::{FromAgent, ToAgent};
use crate::fleet::LOST_GRACE;
use pulse_core::command::{CommandEnd, CommandSpec, Outcome};
use pulse_core::ids::{Attempt, CommandId, ExecutionId};
use pulse_core::protocol::worker::{Dispatch, FromWorker, MAX_OUTPUT_BYTES, OUTPUT_LIMIT_BYTES, ToWorker};
use pulse_core::time::Timestamp;
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn id(n: u128) -> CommandId {
    CommandId(Uuid::from_u128(n))
}

fn dispatch(n: u128) -> Dispatch {
    Dispatch {
        command_id: id(n),
        execution_id: ExecutionId(Uuid::from_u128(99)),
        step: "a".into(),
        attempt: Attempt::FIRST,
        spec: CommandSpec {
            command: Some("true".into()),
            argv: Vec::new(),
            shell: None,
            env: Vec::new(),
            cwd: None,
            stdin: None,
            timeout_ms: 5_000,
            secrets: Vec::new(),
        },
        kill_grace_ms: 5_000,
        output_limit_bytes: OUTPUT_LIMIT_BYTES,
        mask: Vec::new(),
    }
}

fn agent(most: usize) -> Agent {
    Agent::new("agent".into(), most, Vec::new()).0
}

fn send(agent: &mut Agent, n: u128) -> Said {
    agent.told(ToWorker::Dispatch(Box::new(dispatch(n))), at(0))
}

fn result(n: u128, more: serde_json::Value) -> FromAgent {
    let mut message = json!({
        "type": "command_result", "execution_id": "e", "worker_id": "agent", "command_id": id(n).to_string(), "timestamp": 1,
    });
    message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(message).unwrap()
}

/// The only end in what is said, and how much output before it.
fn end(said: Said) -> (CommandEnd, usize) {
    let outputs = said.to_fleet.iter().filter(|message| matches!(message, FromWorker::Output { .. })).count();
    match said.to_fleet.into_iter().last() {
        Some(FromWorker::Result { end, .. }) => (end, outputs),
        other => panic!("{other:?}"),
    }
}

#[test]
fn results_become_ends() {
    let mut agent = agent(5);
    for n in 1..=4 {
        assert!(matches!(send(&mut agent, n).to_agent[..], [ToAgent::ExecuteCommand { timeout: 5_000, .. }]));
    }
    let (done, outputs) =
        end(agent.heard(result(1, json!({"success": true, "stdout": "a\0b", "stderr": "", "duration": 12})), at(20)));
    assert_eq!(
        (done.outcome, done.exit_code, done.duration_ms, done.stdout.as_str()),
        (Outcome::Exited, Some(0), 12, "a\u{fffd}b")
    );
    assert_eq!(outputs, 1);
    let failed = json!({"success": false, "stdout": "", "stderr": "no\n", "error": "Command failed: true\nno"});
    let (failed, _) = end(agent.heard(result(2, failed), at(20)));
    assert_eq!((failed.outcome, failed.exit_code), (Outcome::Exited, Some(1)));
    assert_eq!(failed.describe(), "exit 1: it failed; an agent of the first PULSE tells no exit code");
    send(&mut agent, 5);
    let (large, _) =
        end(agent.heard(result(5, json!({"success": false, "error": "stdout maxBuffer length exceeded"})), at(20)));
    assert!(large.describe().starts_with("exit 1: stdout maxBuffer length exceeded ("), "{}", large.describe());
    // The agent does not say that it stopped a command: the time does.
    let (late, _) = end(agent.heard(result(3, json!({"success": false, "error": "Command failed: true"})), at(5_010)));
    assert_eq!(late.outcome, Outcome::TimedOut);
    let text = "ä".repeat(MAX_OUTPUT_BYTES);
    let (_, outputs) = end(agent.heard(result(4, json!({"success": true, "stdout": text})), at(20)));
    assert!(outputs > 1, "no piece is too large for the wire");
    assert_eq!(agent.heard(result(4, json!({"success": true})), at(21)), Said::default(), "told twice");
    assert_eq!(agent.heard(result(7, json!({"success": true})), at(21)), Said::default(), "never sent");
}

#[test]
fn it_is_never_given_more_than_it_takes() {
    let mut agent = agent(1);
    assert_eq!(send(&mut agent, 1).to_agent.len(), 1);
    assert_eq!(send(&mut agent, 1), Said::default(), "a dispatch that comes twice runs once");
    let second = send(&mut agent, 2);
    assert!(second.to_agent.is_empty() && matches!(second.to_fleet[..], [FromWorker::Rejected { .. }]), "{second:?}");
}

#[test]
fn what_an_agent_left_behind_is_lost_when_it_was_started_again_and_else_at_its_time() {
    let left = |is_of_this_process| {
        let (execution_id, since, limit) = (ExecutionId(Uuid::from_u128(99)), at(0), Duration::from_secs(5));
        vec![Left { command_id: id(1), execution_id, since, limit, is_of_this_process }]
    };
    let (_, said) = Agent::new("new".into(), 5, left(false));
    assert_eq!(end(said).0.outcome, Outcome::Lost);
    let (mut same, said) = Agent::new("agent".into(), 5, left(true));
    assert_eq!(said, Said::default());
    // Its time has run since it was sent, not since the agent came back.
    let failed = same.heard(result(1, json!({"success": false})), at(5_000));
    assert_eq!(end(failed).0.outcome, Outcome::TimedOut);
    let (mut same, _) = Agent::new("agent".into(), 5, left(true));
    assert_eq!(same.tick(at(65_000), LOST_GRACE, |_| true), Said::default());
    assert_eq!(same.tick(at(65_001), LOST_GRACE, |_| true), Said { overdue: vec![id(1)], ..Said::default() });
}

#[test]
fn what_was_given_up_may_still_be_told_and_is_given_up_once() {
    let given_up = || {
        let mut agent = agent(1);
        send(&mut agent, 1);
        assert_eq!(agent.tick(at(65_001), LOST_GRACE, |_| false).overdue, [id(1)]);
        agent
    };
    let mut told = given_up();
    assert_eq!(told.tick(at(80_000), LOST_GRACE, |command| command == id(1)), Said::default());
    let (late, outputs) = end(told.heard(result(1, json!({"success": true, "stdout": "after all\n"})), at(90_000)));
    assert_eq!((late.outcome, outputs), (Outcome::Exited, 1));
    // Whether there is room is the ledger's business then.
    assert_eq!(send(&mut given_up(), 2).to_agent.len(), 1);
    let mut forgotten = given_up();
    assert_eq!(forgotten.tick(at(80_000), LOST_GRACE, |_| false), Said::default());
    assert_eq!(forgotten.heard(result(1, json!({"success": true})), at(90_000)), Said::default());
}

#[test]
fn what_it_has_read_is_known_by_its_answers() {
    let mut agent = agent(1);
    assert!(agent.has_read_all(), "nothing was sent");
    agent.pinged();
    send(&mut agent, 1);
    agent.heard(FromAgent::Pong, at(1));
    assert!(!agent.has_read_all(), "it may be the answer to a ping of before");
    agent.pinged();
    agent.heard(FromAgent::Pong, at(1));
    assert!(agent.has_read_all());
    // Given up by the fleet meanwhile, it takes no room.
    agent.let_go(|_| false);
    assert_eq!(send(&mut agent, 2).to_agent.len(), 1);
    assert!(!agent.has_read_all());
}

#[test]
fn secrets_do_not_go_to_it() {
    let secret = Dispatch { mask: vec!["hunter2".into()], ..dispatch(1) };
    let said = agent(5).told(ToWorker::Dispatch(Box::new(secret)), at(0));
    assert!(said.to_agent.is_empty());
    let (end, _) = end(said);
    assert_eq!(end.outcome, Outcome::NotStarted);
    assert!(!format!("{end:?}").contains("hunter2"));
}
