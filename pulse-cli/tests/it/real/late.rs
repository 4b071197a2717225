//! Commands whose worker stays away: they are lost once their time and a grace are over, and what the worker tells after
//! that is kept and shown, once, and changes nothing.

use super::hand::{Hand, exited};
use super::installation::{Installation, actions};
use serde_json::{Value, json};

const SOON_LOST: &[(&str, &str)] = &[("PULSE_LOST_GRACE_SECONDS", "1")];

const AGAIN: &str = r#"
name: again
steps:
  - {id: work, command: sleep 60, targets: [hand], timeout: 1s, goto: end, on_error: ask}
  - {id: ask, message: "again?", options: [{label: "Yes", goto: work}, {label: "No", goto: fail}]}
"#;

const RETRIED: &str = r#"
name: retried
steps: [{id: work, command: sleep 60, targets: [hand], timeout: 1s, on_lost: retry, retry_delay: 0}]
"#;

/// Takes the next command; answers its id.
fn take(hand: &mut Hand) -> Value {
    let command_id = hand.hear_of("dispatch")["command_id"].clone();
    hand.say(json!({"type": "accepted", "command_id": command_id}));
    command_id
}

/// What a hello says of a command that has ended while its worker was away.
fn finished(command_id: &Value, id: &str) -> Value {
    json!([{"command_id": command_id, "execution_id": id, "state": "finished"}])
}

/// Tells of a command that has ended: its output, then its result, each until it is acknowledged.
fn tell(hand: &mut Hand, command_id: &Value, output: &str) {
    hand.say(json!({"type": "output", "command_id": command_id, "stream": "stdout", "seq": 1, "data": output}));
    let ack = hand.hear_of("ack");
    assert_eq!((&ack["command_id"], &ack["output_seq"]), (command_id, &json!(1)));
    tell_result(hand, command_id, output);
}

fn tell_result(hand: &mut Hand, command_id: &Value, output: &str) {
    hand.say(exited(command_id, output));
    let ack = hand.hear_of("ack");
    assert_eq!((&ack["command_id"], &ack["output_seq"]), (command_id, &Value::Null));
}

/// The results in a journal: whose, how, and whether too late.
fn results(execution: &Value) -> Vec<(Value, String, bool)> {
    let logs = execution["logs"].as_array().unwrap().iter().filter(|entry| entry["action"] == "command_result");
    logs.map(|entry| {
        let outcome = entry["outcome"].as_str().unwrap().to_owned();
        (entry["command_id"].clone(), outcome, entry["late"].as_bool().unwrap())
    })
    .collect()
}

#[test]
fn a_late_result_of_a_step_that_has_run_again_since_is_kept_and_changes_nothing() {
    let mut installation = Installation::start_with(SOON_LOST);
    let (mut hand, _) = Hand::hello(&installation, "a", json!([]));
    installation.store(AGAIN);
    let id = installation.execute("again", json!({}), &[]);
    let first = take(&mut hand);
    // No timer decides while the worker can be asked; once it is away, its command's time and a grace are.
    drop(hand);
    let waiting = installation.wait_for(&id, &["waiting", "failed"]);
    assert_eq!(waiting["steps"][0]["commands"][0]["status"], "lost", "{waiting}");
    let lost = &waiting["logs"].as_array().unwrap().iter().find(|entry| entry["action"] == "command_result").unwrap();
    assert!(lost["error"].as_str().unwrap().contains("nobody knows whether it took effect"), "{lost}");

    // Back again, with the result; the step runs once more before it is told.
    let (mut hand, _) = Hand::hello(&installation, "a", finished(&first, &id));
    let yes = Some(json!({"response": "Yes"}));
    assert_eq!(installation.call("POST", &format!("/api/executions/{id}/respond"), yes).0, 204);
    let second = take(&mut hand);
    tell(&mut hand, &first, "after all\n");
    tell_result(&mut hand, &first, "after all\n");
    let running = installation.execution(&id);
    assert_eq!((&running["status"], &running["steps"][0]["status"]), (&json!("running"), &json!("running")));
    let mut expected = vec![(first.clone(), "lost".to_owned(), false), (first.clone(), "exited".to_owned(), true)];
    assert_eq!(results(&running), expected, "{running}");
    let commands = running["steps"][0]["commands"].as_array().unwrap();
    assert_eq!((commands.len(), &commands[0]["id"], &commands[0]["status"]), (1, &second, &json!("running")));
    assert_eq!(installation.output(&id, "step=work"), "after all\n");
    let shown = installation.pulse(&["show", &id]).out;
    assert!(shown.contains("work: ✓ hand: exit 0 in 1ms, too late to count\n"), "{shown}");
    assert_eq!(installation.pulse(&["logs", &id]).out, "after all\n");

    // A server that was killed before its acknowledgement arrived is told again, and acknowledges again.
    installation.kill_and_restart();
    let mut known = finished(&first, &id);
    known.as_array_mut().unwrap().push(finished(&second, &id)[0].clone());
    let (mut hand, _) = Hand::hello(&installation, "a", known);
    tell_result(&mut hand, &first, "after all\n");
    tell_result(&mut hand, &second, "");
    let completed = installation.wait_for(&id, &["completed", "failed"]);
    assert_eq!(completed["status"], "completed", "{completed}");
    expected.push((second, "exited".to_owned(), false));
    assert_eq!(results(&completed), expected);
    assert_eq!(actions(&completed).last().unwrap(), "execution_finished");
}

#[test]
fn a_late_result_of_an_earlier_attempt_and_one_after_the_end_are_kept() {
    let installation = Installation::start_with(SOON_LOST);
    let (mut hand, _) = Hand::hello(&installation, "a", json!([]));
    installation.store(RETRIED);
    let id = installation.execute("retried", json!({}), &[]);
    let first = take(&mut hand);
    drop(hand);
    installation.until("it is tried again", || {
        (installation.execution(&id)["steps"][0]["commands"].as_array()?.len() == 2).then_some(())
    });
    let (mut hand, _) = Hand::hello(&installation, "a", finished(&first, &id));
    let second = take(&mut hand);
    tell(&mut hand, &first, "one\n");
    assert_eq!(installation.execution(&id)["status"], "running");
    // The second is lost, too; nothing is tried a third time.
    drop(hand);
    let failed = installation.wait_for(&id, &["completed", "failed"]);
    assert_eq!(failed["status"], "failed", "{failed}");

    let (mut hand, _) = Hand::hello(&installation, "a", finished(&second, &id));
    tell(&mut hand, &second, "two\n");
    let after = installation.execution(&id);
    assert_eq!((&after["status"], &after["error"]), (&json!("failed"), &failed["error"]));
    let lost = |id: &Value| (id.clone(), "lost".to_owned(), false);
    let late = |id: &Value| (id.clone(), "exited".to_owned(), true);
    assert_eq!(results(&after), [lost(&first), late(&first), lost(&second), late(&second)]);
    assert_eq!(installation.output(&id, "step=work"), "one\ntwo\n");
    let shown = installation.pulse(&["show", &id]).out;
    assert!(shown.contains("work: ✓ hand: exit 0 in 1ms (attempt 2), too late to count\n"), "{shown}");
}

#[test]
fn what_a_worker_tells_of_an_execution_that_was_deleted_is_dropped_and_acknowledged() {
    let installation = Installation::start();
    let (mut hand, _) = Hand::hello(&installation, "a", json!([]));
    let body = json!({"command": "sleep 60", "targets": ["hand"]});
    let id = installation.call("POST", "/api/commands", Some(body)).1["id"].as_str().unwrap().to_owned();
    let command_id = take(&mut hand);
    drop(hand);
    assert_eq!(installation.call("POST", &format!("/api/executions/{id}/abort"), Some(json!({}))).0, 204);
    installation.wait_for(&id, &["aborted"]);
    assert_eq!(installation.call("DELETE", &format!("/api/executions/{id}"), None).0, 204);

    let (mut hand, _) = Hand::hello(&installation, "a", finished(&command_id, &id));
    tell(&mut hand, &command_id, "after all\n");
    // The connection is none the worse for it.
    let body = json!({"command": "true", "targets": ["hand"]});
    let id = installation.call("POST", "/api/commands", Some(body)).1["id"].as_str().unwrap().to_owned();
    let command_id = take(&mut hand);
    tell_result(&mut hand, &command_id, "");
    installation.wait_for(&id, &["completed"]);
}
